"""The pre-scan: quotes, cuts, encodings and their places, against a state machine and at every block size."""

from __future__ import annotations

import csv
import hashlib
import io
import tracemalloc
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.adapters.scan import LIMIT, Scan, scan
from pipeline.errors import InputUnusable

#: everything that decides about cells, and characters of one to four bytes
NASTY: Final = ["a", "1", " ", '"', '"', ",", ",", "\r", "\n", "\r\n", ";", "\t", "あ", "ソ", "é", "𠮷"]


@dataclass(frozen=True)
class Quote:
    """Where a quote opened that is not closed properly."""

    line: int
    row: int


def machine(text: str, delimiter: str) -> list[list[str]] | Quote:  # noqa: C901 - all states on one page
    """Cut a text into records one character at a time: slow, plain, and strict about quotes."""
    records: list[list[str]] = []
    record = [""]
    state, at, line, opened = "start", 0, 1, Quote(0, 0)
    while at < len(text):
        here, after = text[at], text[at + 1 : at + 2]
        at += 1
        ended = here == "\n" or (here == "\r" and after != "\n")
        line += ended
        if state == "quoted":
            if here != '"':
                record[-1] += here
            elif after == '"':
                record[-1] += here
                at += 1
            elif after in {"", delimiter, "\r", "\n"}:
                state = "cell"
            else:
                return opened
        elif here == '"' and state == "start":
            state, opened = "quoted", Quote(line, len(records) + 1)
        elif here == delimiter:
            record.append("")
            state = "start"
        elif ended:
            records.append(record)
            record, state = [""], "start"
        elif here != "\r":
            record[-1] += here
            state = "cell"
    if state == "quoted":
        return opened
    return records if record == [""] and state == "start" else [*records, record]


def scanned(folder: Path, data: bytes, **options: int) -> Scan | InputUnusable:
    path = folder / "list.csv"
    path.write_bytes(data)
    try:
        return scan(path, **options)
    except InputUnusable as error:
        return error


def refused(folder: Path, data: bytes, **options: int) -> tuple[str, dict[str, object]]:
    error = scanned(folder, data, **options)
    assert isinstance(error, InputUnusable)
    assert error.facts.pop("file") == "list.csv"
    return error.code, error.facts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scan")


def facts(found: Scan | InputUnusable) -> object:
    """What must not depend on the block size."""
    return (
        (found.code, found.facts) if isinstance(found, InputUnusable) else replace(found, cuts=(), identity=(0, 0, 0))
    )


@settings(deadline=None)
@given(text=st.lists(st.sampled_from(NASTY), max_size=40).map("".join), block=st.integers(1, 50))
def test_quotes_and_records_are_those_of_the_machine(folder: Path, text: str, block: int) -> None:
    text = f"x,y\r\n{text}"
    found = scanned(folder, text.encode(), block=block)
    expected = machine(text, ",")
    strict = csv.reader(io.StringIO(text, newline=""), strict=True)
    if isinstance(expected, Quote):
        with pytest.raises(csv.Error):
            list(strict)
        assert isinstance(found, InputUnusable)
        assert (found.code, found.facts["line"], found.facts["row"]) == ("input.quote", expected.line, expected.row)
    else:
        assert isinstance(found, Scan)
        assert (found.delimiter, found.first_record, found.records) == (",", ("x", "y"), len(expected))
        # Nothing is lost or counted twice between cuts, and each is the end of a record.
        data = text.encode()
        assert found.cuts[-1] == (len(data), len(expected))
        for offset, records in found.cuts:
            before, after = (machine(part.decode(), ",") for part in (data[:offset], data[offset:]))
            assert before == expected[:records]
            assert after == expected[records:]
        assert [record or [""] for record in strict] == expected


@pytest.mark.unmeasured
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp932"])
@pytest.mark.parametrize(
    "text",
    [
        '電話番号,本文\r\n"1","a\r\nb\rc\n""d"""\r\n\r\n5" disk,say "hi"\r\n""ソ,表\r\n'.replace('""ソ', '"""ソ"'),
        '\r\r\n,,\r\n \r\nあ;い\r"1;\r\n\r\n2";3\r\r\n4;5\n\n',
        'sep=;\r\nあ;い,う\r\n"1;2";"\r\n"',
        'あ,い\r\n1,"x\r\n2,y\r\n3,"z\r\n',
        'あ,い\r\n1,"x" \r\n',
        'あ,い\r\n1,"' + "x\r\n" * 20,
    ],
)
def test_no_result_depends_on_the_block_size(folder: Path, text: str, encoding: str) -> None:
    data = ("\ufeff" if encoding == "utf-16-be" else "").encode(encoding) + text.encode(encoding)
    whole = scanned(folder, data)
    for block in range(1, len(data) + 2):
        assert facts(scanned(folder, data, block=block)) == facts(whole)
    if isinstance(whole, Scan):
        assert whole.sha256 == hashlib.sha256(data).hexdigest()
        assert whole.encoding == {"utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(encoding, encoding)


@pytest.mark.parametrize(
    ("text", "line", "row"),
    [
        ('a,b\n1,"x\n2,y\n', 2, 2),
        ('a,b\r\n"1\r\n2",x\r\n\r\n3,"y\r\n', 5, 4),
        # Two quotes that were never closed: their number is even, and two rows would be one.
        ('a,b\n1,"x\n2,y\n3,"z\n4,w\n', 2, 2),
        ('a,b\n1,"x" y\n', 2, 2),
        ('a,b\n1,"x""\n', 2, 2),
        ('"a', 1, 1),
        ('a,b\n"1\n""2\n""', 2, 2),
        ('a,b\n5" disk,x\n1,"y\n', 3, 3),
        ('a,b\n5" disk,"x""y"z\n', 2, 2),
        ('a,b\r1,"x\r2,y\r3,"z\r', 2, 2),
    ],
)
def test_an_open_quote_is_named_where_it_opened(tmp_path: Path, text: str, line: int, row: int) -> None:
    assert refused(tmp_path, text.encode()) == ("input.quote", {"line": line, "row": row})


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
@pytest.mark.parametrize("block", [100_000, 16 << 20])
def test_a_record_has_a_longest_size(tmp_path: Path, size: int, block: int) -> None:
    data = b"a\n\nb\n" + b"x" * (size - 1) + b"\n" + b"y\n" * 1_000_000
    found = scanned(tmp_path, data, block=block)
    if size == LIMIT:
        assert isinstance(found, Scan)
    else:
        assert isinstance(found, InputUnusable)
        assert (found.code, found.facts["line"], found.facts["limit"]) == ("input.long_record", 4, LIMIT)


@pytest.mark.parametrize("block", [100_000, 16 << 20])
def test_a_cell_that_never_ends_is_named_by_its_quote(tmp_path: Path, block: int) -> None:
    data = b'a,b\n1,x\n2,"' + b"y\n" * LIMIT
    assert refused(tmp_path, data, block=block) == ("input.quote", {"line": 3, "row": 3})
    pairs = b'a,b\n1,x\n2,"' + b'""\n' * LIMIT
    assert refused(tmp_path, pairs, block=block) == ("input.quote", {"line": 3, "row": 3})
    closed = data + b'"\n3,z\n'
    assert refused(tmp_path, closed, block=block) == ("input.quote", {"line": 3, "row": 3})


@pytest.mark.parametrize("start", [b"a,b\n", b'a,b\n1,"'])
def test_a_line_of_gigabytes_stops_with_flat_memory(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "list.csv"
    with path.open("wb") as file:
        file.write(start + b"x" * (20 << 20))
        file.truncate(2 << 30)
    tracemalloc.start()
    try:
        with pytest.raises(InputUnusable) as caught:
            scan(path)
        assert tracemalloc.get_traced_memory()[1] < 80 << 20
    finally:
        tracemalloc.stop()
    assert caught.value.code == ("input.quote" if b'"' in start else "input.long_record")


@pytest.mark.parametrize("block", [1, 7, 64, 16 << 20])
def test_a_nul_byte_is_found_wherever_it_stands(tmp_path: Path, block: int) -> None:
    rows = "a,b\r\n" + "あ,い\r\n" * 50
    data = rows.encode() + b"x,\0y\r\n"
    assert refused(tmp_path, data, block=block) == ("input.nul", {"line": 52, "offset": len(data) - 4})


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_named_as_such(tmp_path: Path, encoding: str) -> None:
    data = ("電話番号,本文\r\n" + "09011112222,こんにちは\r\n" * 30).encode(encoding)
    for block in (1, 16 << 20):
        code, place = refused(tmp_path, data, block=block)
        assert code == "input.utf16_without_bom"
        assert place["offset"] == data.index(0)


def test_a_nul_character_in_utf_16(tmp_path: Path) -> None:
    text = "a,b\r\n𠮷,い\r\nx,\0\r\n"
    data = text.encode("utf-16")
    at = 2 + len(text[: text.index("\0")].encode("utf-16-le"))
    assert refused(tmp_path, data) == ("input.nul", {"line": 3, "offset": at})


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("damage", ["\ud800", "\udc00x"])
def test_a_half_character_in_utf_16(tmp_path: Path, encoding: str, damage: str) -> None:
    text = "\ufeffa,b\n" + "あ,い\n" * 300_000
    before = text.encode(encoding)
    code, place = refused(tmp_path, before + damage.encode(encoding, "surrogatepass") + "\n".encode(encoding))
    assert (code, place["line"], place["offset"]) == ("input.encoding", 300_002, len(before))
    assert place["before"] == "UTF-16"
    code, place = refused(tmp_path, before + b"x")
    assert (code, place["line"], place["offset"]) == ("input.encoding", 300_002, len(before))


def test_the_encoding_is_decided_by_evidence(tmp_path: Path) -> None:
    text = "電話番号,本文\r\n09011112222,ソ表～－∥￠￡￢―①髙ｱ\r\n"
    for encoding in ("utf-8", "cp932"):
        found = scanned(tmp_path, text.encode(encoding))
        assert isinstance(found, Scan)
        assert (found.encoding, found.first_record) == (encoding, ("電話番号", "本文"))
    late = scanned(tmp_path, b"a,b\r\n" * 100_000 + "x,あ\r\n".encode("cp932"), block=100)
    assert isinstance(late, Scan)
    assert late.encoding == "cp932"
    assert late.not_utf8 is not None
    assert late.not_utf8.offset == 500_002


@pytest.mark.parametrize("block", [1, 5, 16 << 20])
@pytest.mark.parametrize(
    "after", ["x,あ\r\n".encode("cp932"), b"x,\xe3\x81", b"\xff\r\n", "x,é\r\n".encode("latin-1"), b"\xed\xa0\x80,y\n"]
)
def test_utf_8_that_ends_is_not_read_as_cp932(tmp_path: Path, after: bytes, block: int) -> None:
    """UTF-8 mostly decodes as CP932, into gibberish of sendable characters: it must never come to that."""
    data = "a,b\r\nこんにちは,あ\r\n".encode()
    assert (data + b"\x82").decode("cp932", "replace").startswith("a,b\r\n縺薙")
    code, place = refused(tmp_path, data + after, block=block)
    assert (code, place["line"], place["before"]) == ("input.encoding", 3, "UTF-8")
    bad = next(at for at, byte in enumerate(after) if byte > 0x7F)
    assert place["offset"] == len(data) + bad
    assert len(bytes.fromhex(str(place["bytes"]))) <= 4


def test_a_byte_order_mark_is_evidence_enough(tmp_path: Path) -> None:
    code, place = refused(tmp_path, b"\xef\xbb\xbf,b\xbfa,b\n")
    assert (code, place["offset"], place["before"]) == ("input.encoding", 5, "UTF-8")


def test_half_width_katakana_that_happen_to_be_utf_8_do_not_hide_cp932(tmp_path: Path) -> None:
    data = "a,b\r\nﾄｳ,x\r\n山田,y\r\n".encode("cp932")
    assert b"\xc4\xb3".decode() == "ĳ"
    found = scanned(tmp_path, data)
    assert isinstance(found, Scan)
    assert found.encoding == "cp932"


def test_a_first_record_that_is_in_no_encoding(tmp_path: Path) -> None:
    code, place = refused(tmp_path, b"\r\n" + "電話,".encode("cp932") + b"\x81\x39\r\n1,2\r\n")
    assert (code, place) == (
        "input.encoding",
        {"line": 2, "offset": 7, "bytes": "81 39", "before": "Shift_JIS (CP932)"},
    )
    code, place = refused(tmp_path, b"a,\x81\x39\r\n1,2\r\n")
    assert place["before"] == "ASCII"


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"\r\n\r\n  \r\n", b"\xef\xbb\xbf", b",,\r\n,,\r\n", b"sep=;\r\n", b'""\r\n']
)
@pytest.mark.parametrize("block", [1, 100])
def test_nothing_is_empty(tmp_path: Path, data: bytes, block: int) -> None:
    assert refused(tmp_path, data, block=block) == ("input.empty", {})


@pytest.mark.parametrize(
    ("text", "delimiter", "first"),
    [
        ("a,b\n1,2\n", ",", ("a", "b")),
        ("a\tb\n1\t2\n", "\t", ("a", "b")),
        ("a;b\n1;2\n", ";", ("a", "b")),
        ("a\n1\n", ",", ("a",)),
        # Two of them: the one that makes equal columns wins.
        ("a\tb,c\n1,2\n", ",", ("a\tb", "c")),
        ("a;b,c\n1;2\n3;4\n", ";", ("a", "b,c")),
        ("a,b\tc\n1\t2\n", "\t", ("a,b", "c")),
        ("a;b,c;d,e\n1;2;3,4,5\n", ",", ("a;b", "c;d", "e")),
        # A broken row among them does not turn the decision.
        ("a,b;c\n1,2\n3,4\n5\n", ",", ("a", "b;c")),
        # Within quotes they do not count.
        ('"a;b",c\n1,2\n', ",", ("a;b", "c")),
        ('"a,b";c\n1;2\n', ";", ("a,b", "c")),
        ('a;"b,\r\nc,d,""e"\n1;2\n', ";", ("a", 'b,\r\nc,d,"e')),
        ("\n , \n;;\na;b\n", ";", ("a", "b")),
        ("sep=;\na,b;c\n", ";", ("a,b", "c")),
        ("SEP=,\r\na;b,c\r\n", ",", ("a;b", "c")),
        ('"sep=\t"\ra\tb\r', "\t", ("a", "b")),
        ("sep=|\na,b\n", ",", ("sep=|",)),
        ('a,b";c\n1,2\n', ",", ("a", 'b";c')),
        ('"a"\t"b"\t"c,d"\n', "\t", ("a", "b", "c,d")),
        ('"a"\n1;2\n', ",", ("a",)),
    ],
)
def test_the_delimiter_is_decided_by_evidence(
    tmp_path: Path, text: str, delimiter: str, first: tuple[str, ...]
) -> None:
    for mark in ("", "\ufeff"):
        found = scanned(tmp_path, (mark + text).encode())
        assert isinstance(found, Scan)
        assert (found.delimiter, found.first_record) == (delimiter, first)


def test_the_delimiter_of_a_long_file_does_not_hang_on_its_last_looked_at_line(tmp_path: Path) -> None:
    found = scanned(tmp_path, ("a;b,c\n" + f"1;{'x' * 30_000},y\n" * 5).encode())
    assert isinstance(found, Scan)
    assert found.delimiter == ","


def test_a_file_that_grows_meanwhile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([(1, 8, 1), (1, 9, 2)])
    monkeypatch.setattr("pipeline.adapters.scan.identity", lambda _: next(answers))
    assert refused(tmp_path, b"a,b\n1,2\n") == ("input.changed", {})


def test_a_column_name_beyond_all_measure(tmp_path: Path) -> None:
    code, place = refused(tmp_path, b"\na," + b"x" * 200_000 + b"\n1,2\n")
    assert (code, place["line"]) == ("input.long_record", 2)
