"""Cells of text files against Python's ``csv`` module: exact, in order, and numbered as a spreadsheet counts them."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import threading
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.adapters.tabular import TextTable, open_text
from pipeline.errors import InputUnusable
from schemas.recipients import INPUT_ROW, enforce, input_contract

Rows = list[tuple[int, list[str]]]
JAPANESE: Final = "電話番号,本文\r\n09011112222,こんにちは\r\n08033334444,表示ソ十\r\n"
ENCODINGS: Final = ["utf-8", "utf-8-sig", "utf-16", "cp932"]
NASTY: Final = ["a", " ", '"', '""', ",", ",", "\r", "\n", "\r\n", "\n\n", "\t", "あ", "ソ", "\ufeff"]


def write(folder: Path, data: bytes | str, encoding: str = "utf-8") -> Path:
    path = folder / "list.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode(encoding))
    return path


def read(table: TextTable, *, header: bool = True, width: int | None = None) -> Rows:
    columns = [f"c{number}" for number in range(width or len(table.first_record))]
    rows: Rows = []
    for chunk in table.chunks(columns, header=header):
        assert len(chunk)
        assert list(chunk.columns) == [INPUT_ROW, *columns]
        assert chunk.index.equals(pd.RangeIndex(len(chunk)))
        enforce(input_contract(columns), chunk, "recipients")
        for name in columns:
            array = pa.array(chunk[name])
            assert isinstance(array, pa.LargeStringArray)
            assert (array.offset, array.null_count) == (0, 0)
        rows += [(int(row[0]), [str(cell) for cell in row[1:]]) for row in chunk.itertuples(index=False)]
    return rows


def rows(folder: Path, data: bytes | str, encoding: str = "utf-8", block: int = 16 << 20) -> Rows:
    return read(open_text(write(folder, data, encoding), block=block))


def refused(folder: Path, data: bytes | str, block: int = 16 << 20) -> InputUnusable:
    with pytest.raises(InputUnusable) as caught:
        rows(folder, data, block=block)
    return caught.value


def by_csv(text: str, width: int, delimiter: str = ",") -> tuple[Rows, tuple[int, int] | None]:
    """Return what the csv module reads, blank records left out, and the first record of another width."""
    found: Rows = []
    for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1):
        if not any(cells) or (len(cells) != width and not any(cell.strip() for cell in cells)):
            continue
        if len(cells) != width:
            return found, (number, len(cells))
        found.append((number, cells))
    return found, None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tabular")


@settings(deadline=None)
@given(text=st.lists(st.sampled_from(NASTY), max_size=30).map("".join), block=st.integers(1, 40))
def test_whatever_is_accepted_reads_as_the_csv_module_reads_it(folder: Path, text: str, block: int) -> None:
    text = f"あ,い\r\n{text}"
    path = write(folder, text)
    try:
        list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        with pytest.raises(InputUnusable, match=r"input\.quote"):
            open_text(path, block=block)
        return
    table = open_text(path, block=block)
    expected, ragged = by_csv(text, 2)
    if ragged is None:
        assert read(table, header=False) == expected
    else:
        with pytest.raises(InputUnusable) as caught:
            read(table, header=False)
        assert (caught.value.code, caught.value.facts["row"], caught.value.facts["found"]) == ("input.ragged", *ragged)


def written(cell: str, delimiter: str, random: Random) -> str:
    """Write a cell, in most cases without quotes where it can be read so."""
    plain = not cell.startswith('"') and not set(cell) & {delimiter, "\r", "\n"}
    return cell if plain and random.random() < 0.7 else '"' + cell.replace('"', '""') + '"'


CELLS: Final = st.lists(st.sampled_from([*NASTY, ";", "5", '"x"']), max_size=6).map("".join)


@pytest.mark.unmeasured
@settings(deadline=None)
@given(
    width=st.integers(1, 4),
    cells=st.lists(CELLS, max_size=16),
    random=st.randoms(use_true_random=False),
    encoding=st.sampled_from(ENCODINGS),
    block=st.integers(1, 60),
    delimiter=st.sampled_from(",\t;"),
)
def test_every_cell_arrives_exactly(
    folder: Path, width: int, cells: list[str], random: Random, encoding: str, block: int, delimiter: str
) -> None:
    delimiter = delimiter if width > 1 else ","
    cells = [cell.replace("\ufeff", "") for cell in cells] if encoding == "cp932" else cells
    table = [cells[at : at + width] for at in range(0, len(cells) - width + 1, width)]
    header = ["あ" * (number + 1) for number in range(width)]
    text = ""
    for row in [header, *table]:
        blank = random.choice(["", "", "", "\n", delimiter * (width - 1) + "\r\n"])
        text += blank + delimiter.join(written(cell, delimiter, random) for cell in row)
        text += random.choice(["\r\n", "\n", "\r"])
    text = text[: random.choice([None, -1])] if text.endswith("\n") else text
    expected, ragged = by_csv(text, width, delimiter)
    assert ragged is None
    assert [row for _, row in expected] == [row for row in [header, *table] if any(row)]
    found = open_text(write(folder, text, encoding), block=block)
    assert found.form == ("text", {"utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(encoding, encoding), delimiter)
    assert found.first_record == tuple(header)
    assert read(found, header=False) == expected
    assert read(found, header=True) == expected[1:]


@pytest.mark.unmeasured
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_border_of_a_block_changes_anything(tmp_path: Path, encoding: str) -> None:
    """A block that ends within a CR LF, a character, a pair of quotes or a blank row."""
    text = '電話,本文\r\n"1","a\r\nb\r""\r\n"\r\n\r\n,\r\n5" ソ,"""表""\r"\r"",\n 十, \n\n\n'
    expected = by_csv(text, 2)[0][1:]
    assert len(expected) == 3
    for block in range(1, len(text) * 3):
        assert rows(tmp_path, text, encoding, block) == expected


def test_form_feeds_and_other_separators_are_characters(tmp_path: Path) -> None:
    cell = "a\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\u3000b"
    assert rows(tmp_path, f"x,y\n{cell},{cell}\n") == [(2, [cell, cell])]


def test_windows_characters_are_what_windows_means(tmp_path: Path) -> None:
    text = "x,y\r\n～－∥￠￡￢―,①髙﨑ｱﾞ￣\\~\r\n"
    assert rows(tmp_path, text, "cp932") == [(2, ["～－∥￠￡￢―", "①髙﨑ｱﾞ￣\\~"])]
    assert rows(tmp_path, text.encode("cp932")) == rows(tmp_path, text)


def test_every_character_of_cp932_reads_as_python_reads_it(tmp_path: Path) -> None:
    leads = [*range(0x81, 0xA0), *range(0xE0, 0xFD)]
    doubles = [bytes((lead, trail)) for lead in leads for trail in range(0x40, 0xFD)]
    known = [code for code in doubles if "\ufffd" not in code.decode("cp932", "replace")]
    known += [bytes((single,)) for single in (0x80, *range(0xA0, 0xE0), 0xFD, 0xFE, 0xFF)]
    assert len(known) > 9000
    data = "あ,x\r\n".encode("cp932") + b"".join(code + b",y\r\n" for code in known)
    assert [row[0] for _, row in rows(tmp_path, data)] == [code.decode("cp932") for code in known]


def test_cells_are_text_and_nothing_is_guessed(tmp_path: Path) -> None:
    cells = ["0123", "1.50", "NA", "null", "", "true", "2026-11-23", " x ", "1e5", "NaN", "#N/A", "-", "\u3000"]
    data = "a,b\r\n" + "".join(f"{cell},x\r\n" for cell in cells)
    assert rows(tmp_path, data) == [(number, [cell, "x"]) for number, cell in enumerate(cells, 2)]


@pytest.mark.parametrize("blank", ["", " ", "\t ", ",", ",,,", '""', '"",""', '"","",""', " , , "])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_blank_rows_count_where_a_person_counts(tmp_path: Path, line_end: str, blank: str) -> None:
    data = line_end.join([blank, "tel,text", "1,a", blank, "2,b", blank, blank, "3,c", "4,d", blank, blank])
    for block in (1, 9, 1000):
        table = open_text(write(tmp_path, data), block=block)
        assert table.first_record == ("tel", "text")
        assert read(table) == [(3, ["1", "a"]), (5, ["2", "b"]), (8, ["3", "c"]), (9, ["4", "d"])]


def test_blanks_in_rows_of_the_right_width_are_cells(tmp_path: Path) -> None:
    assert rows(tmp_path, "a,b\n , \n") == [(2, [" ", " "])]


@pytest.mark.parametrize(
    ("data", "row", "found"),
    [
        ("a,b\n1,2\n1,2,3\n", 3, 3),
        ("a,b\n1,2\n\n1\n1,2\n", 4, 1),
        ('a,b\n"x\ny",2\n1,2,3,4\n', 3, 4),
        ("a,b\n,,\n\n1,2,\n", 4, 3),
        ('a,b\n""""\n', 2, 1),
    ],
)
def test_a_ragged_row_is_named(tmp_path: Path, data: str, row: int, found: int) -> None:
    for block in (1, 6, 1000):
        error = refused(tmp_path, data, block)
        assert error.code == "input.ragged"
        assert error.facts == {"file": "list.csv", "row": row, "found": found, "expected": 2}


@pytest.mark.parametrize("skipped", ["", "sep=,\r\n"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_sep_line_is_no_record_but_counts_as_a_row(tmp_path: Path, skipped: str, encoding: str) -> None:
    table = open_text(write(tmp_path, f"{skipped}あ,い\r\n1,2\r\n", encoding), block=4)
    first = 1 + bool(skipped)
    assert table.records == 1 + first
    assert read(table, header=False) == [(first, ["あ", "い"]), (first + 1, ["1", "2"])]
    assert read(table, header=True) == [(first + 1, ["1", "2"])]


@pytest.mark.parametrize("header", ["tel,text", "tel,text\r\n", "\r\n,\r\ntel,text\r\n\r\n"])
def test_a_header_alone_has_no_rows(tmp_path: Path, header: str) -> None:
    assert rows(tmp_path, header) == []


def test_a_byte_order_mark_within_a_file_is_a_part_of_its_cell(tmp_path: Path) -> None:
    """Files put together carry one in the middle; Arrow would take it away at the beginning of a block."""
    text = "\ufeffa,b\r\n1,2\r\n\ufeffa,b\r\n\ufeff\ufeff,4\r\n"
    for block in range(1, 40):
        assert rows(tmp_path, text, "utf-8", block) == [
            (2, ["1", "2"]),
            (3, ["\ufeffa", "b"]),
            (4, ["\ufeff\ufeff", "4"]),
        ]


@pytest.mark.parametrize("block", [1, 2, 3, 4, 100, 16 << 20])
def test_bytes_that_are_not_cp932_either_are_named_while_reading(tmp_path: Path, block: int) -> None:
    before = "a,b\r\nあ,い\r\n\r\n\rx,".encode("cp932")
    error = refused(tmp_path, before + b"\x81\x39\n", block)
    assert error.code == "input.encoding"
    assert error.facts == {
        "file": "list.csv",
        "line": 5,
        "offset": len(before),
        "bytes": "81 39",
        "before": "Shift_JIS (CP932)",
    }
    error = refused(tmp_path, b"a,b\nx,\x81\x39\n", block)
    assert (error.facts["line"], error.facts["offset"], error.facts["before"]) == (2, 6, "ASCII")


@pytest.mark.parametrize("block", [1, 40, 16 << 20])
def test_utf_8_within_cp932_is_found(tmp_path: Path, block: int) -> None:
    before = "電話番号,本文\r\n1,齋藤櫻井\r\n".encode("cp932")
    foreign = "2,こんにちはこんにちは\r\n".encode()
    assert (before + foreign).decode("cp932")
    error = refused(tmp_path, before + foreign, block)
    assert (error.code, error.facts["line"], error.facts["offset"]) == ("input.encoding", 3, len(before) + 2)
    assert error.facts["before"] == "Shift_JIS (CP932)"


def test_names_of_the_second_level_are_no_utf_8(tmp_path: Path) -> None:
    names = ["齋藤櫻井濱邉", "邊邉渡邊龍櫻", "繪里奈瑤子", "濵﨑髙橋" * 5, "齊齋" * 9]
    text = "氏名,本文\r\n" + "".join(f"{name},{name}\r\n" for name in names)
    assert [row[0] for _, row in rows(tmp_path, text, "cp932")] == names


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "utf-16"])
def test_a_file_that_changes_between_scan_and_reading_is_refused(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, JAPANESE * 50, encoding)
    for change in (JAPANESE * 40, JAPANESE * 51, JAPANESE * 50):
        table = open_text(path, block=100)
        path.write_text(change, encoding)
        os.utime(path, ns=(1, 1))
        with pytest.raises(InputUnusable) as caught:
            read(table)
        assert caught.value.code == "input.changed"
    table = open_text(path, block=100)
    reading = table.chunks(table.first_record, header=True)
    next(reading)
    path.write_text(JAPANESE, encoding)
    with pytest.raises(InputUnusable) as caught:
        list(reading)
    assert caught.value.code == "input.changed"


def test_records_that_arrow_counts_otherwise_stop_the_file(tmp_path: Path) -> None:
    table = open_text(write(tmp_path, "a,b\n1,2\n3,4\n"))
    (cut,) = table.scan.cuts
    wrong = replace(table, scan=replace(table.scan, cuts=((cut[0], cut[1] + 1),)))
    with pytest.raises(InputUnusable) as caught:
        read(wrong)
    assert (caught.value.code, caught.value.facts) == ("input.not_csv", {"file": "list.csv", "row": 2})


def test_what_arrow_says_is_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its words quote the row."""

    def fail(*_: object) -> None:
        raise pa.ArrowInvalid(JAPANESE)

    monkeypatch.setattr(pa.csv, "read_csv", fail)
    error = refused(tmp_path, JAPANESE)
    assert (error.code, error.facts) == ("input.not_csv", {"file": "list.csv", "row": 2})
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_what_is_read_ahead_ends_with_the_reader(tmp_path: Path) -> None:
    table = open_text(write(tmp_path, JAPANESE * 500), block=200)
    running = threading.active_count()
    reading = table.chunks(table.first_record, header=True)
    next(reading)
    assert threading.active_count() > running
    assert isinstance(reading, Generator)
    reading.close()
    assert threading.active_count() == running


def test_reading_again_gives_the_same(tmp_path: Path) -> None:
    table = open_text(write(tmp_path, JAPANESE))
    assert read(table) == read(table)
    assert (table.name, table.records) == ("list.csv", 3)
    assert table.sha256 == hashlib.sha256(table.path.read_bytes()).hexdigest()
