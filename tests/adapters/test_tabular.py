"""Tables in text files: encodings by evidence, cells as text, records numbered as a person counts them."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import Final

import pytest

from pipeline.adapters import tabular
from pipeline.adapters.tabular import TextTable, look_at
from pipeline.errors import InputUnusable
from schemas.recipients import ROW_NUMBER

JAPANESE: Final = "電話番号,本文\r\n09011112222,こんにちは\r\n08033334444,表示ソ十\r\n"


def write(folder: Path, data: bytes | str, encoding: str = "utf-8") -> Path:
    path = folder / "list.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode(encoding))
    return path


def read(table: TextTable, *, header: bool = True) -> list[tuple[int, list[str]]]:
    columns = [f"c{number}" for number in range(len(table.first_record))]
    return [
        (int(row[0]), [str(cell) for cell in row[1:]])
        for chunk in table.chunks(columns, header=header)
        for row in chunk[[ROW_NUMBER, *columns]].itertuples(index=False)
    ]


def rows(folder: Path, data: bytes | str, encoding: str = "utf-8") -> list[tuple[int, list[str]]]:
    return read(look_at(write(folder, data, encoding)))


def refused(folder: Path, data: bytes | str) -> InputUnusable:
    with pytest.raises(InputUnusable) as caught:
        rows(folder, data)
    return caught.value


@pytest.mark.parametrize(("encoding", "known_as"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp932", "cp932")])
def test_every_encoding_is_read(tmp_path: Path, encoding: str, known_as: str) -> None:
    path = write(tmp_path, JAPANESE, encoding)
    table = look_at(path)
    assert (table.encoding, table.delimiter) == (known_as, ",")
    assert table.first_record == ("電話番号", "本文")
    assert table.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert read(table) == [(2, ["09011112222", "こんにちは"]), (3, ["08033334444", "表示ソ十"])]


@pytest.mark.parametrize("size", [-1, 1, 4, 1000])
@pytest.mark.parametrize("block", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932"])
def test_characters_over_block_borders_stay_whole(
    tmp_path: Path, encoding: str, block: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tabular, "_BLOCK", block)
    with tabular._Transcoded(write(tmp_path, JAPANESE, encoding), encoding) as stream:
        assert stream.readable()
        assert b"".join(iter(lambda: stream.read(size), b"")).decode() == JAPANESE


@pytest.mark.parametrize("block", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_the_encoding_does_not_depend_on_blocks(
    tmp_path: Path, encoding: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "a,b\r\n" + JAPANESE, encoding)
    monkeypatch.setattr(tabular, "_BLOCK", block)
    table = look_at(path)
    assert table.encoding == encoding
    assert table.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_plain_ascii_is_utf_8(tmp_path: Path) -> None:
    assert look_at(write(tmp_path, "tel,text\n1,a\n")).encoding == "utf-8"


def test_cells_are_text_and_nothing_is_guessed(tmp_path: Path) -> None:
    cells = ["0123", "1.50", "NA", "null", "", "true", "2026-11-23", " x ", "1e5", "NaN", "#N/A", "-"]
    data = "a,b\r\n" + "".join(f"{cell},x\r\n" for cell in cells)
    expected = [(number, [cell, "x"]) for number, cell in enumerate(cells, 2)]
    assert rows(tmp_path, data) == expected


def test_tab_separated(tmp_path: Path) -> None:
    table = look_at(write(tmp_path, "tel\ttext\r\n1\ta,b\r\n"))
    assert (table.delimiter, table.first_record) == ("\t", ("tel", "text"))
    assert read(table) == [(2, ["1", "a,b"])]


def test_a_tab_within_a_comma_separated_header_is_no_delimiter(tmp_path: Path) -> None:
    assert look_at(write(tmp_path, "a\tb,c\n1,2\n")).delimiter == ","


@pytest.mark.parametrize("blank", ["", " ", "\t "])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_blank_lines_count_where_a_person_counts(tmp_path: Path, line_end: str, blank: str) -> None:
    data = line_end.join(["tel,text", "1,a", blank, "2,b", blank, blank, "3,c", "4,d", blank, blank])
    assert rows(tmp_path, data) == [(2, ["1", "a"]), (4, ["2", "b"]), (7, ["3", "c"]), (8, ["4", "d"])]


def test_lines_of_white_space_are_no_records(tmp_path: Path) -> None:
    assert rows(tmp_path, "tel,text\n  \n1,a\n \t \n \n2,b\n \n") == [(3, ["1", "a"]), (6, ["2", "b"])]


def test_quoted_line_breaks_are_one_record(tmp_path: Path) -> None:
    data = 'tel,text\r\n1,"a\r\nb\n\nc, ""d"""\r\n\r\n2,e\r\n'
    assert rows(tmp_path, data) == [(2, ["1", 'a\r\nb\n\nc, "d"']), (4, ["2", "e"])]


def test_without_a_header_the_first_record_is_a_row(tmp_path: Path) -> None:
    table = look_at(write(tmp_path, "1,a\n2,b"))
    assert read(table, header=False) == [(1, ["1", "a"]), (2, ["2", "b"])]
    assert read(table, header=True) == [(2, ["2", "b"])]


def test_header_only_has_no_rows(tmp_path: Path) -> None:
    assert rows(tmp_path, "tel,text\r\n") == []
    assert rows(tmp_path, "tel,text") == []


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 1000])
def test_chunks_keep_order_and_numbers(tmp_path: Path, chunk_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "_CHUNK_ROWS", chunk_rows)
    table = look_at(write(tmp_path, "a,b\n" + "".join(f"{number},x\n" for number in range(2, 12))))
    chunks = list(table.chunks(["a", "b"], header=True))
    assert all(len(chunk) <= chunk_rows for chunk in chunks)
    assert all(list(chunk.index) == list(range(len(chunk))) for chunk in chunks)
    assert [str(number) for chunk in chunks for number in chunk[ROW_NUMBER]] == [
        str(number) for chunk in chunks for number in chunk["a"]
    ]


@pytest.mark.parametrize("block", [256, 1000, 8 << 20])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_many_rows_over_block_borders_read_as_the_csv_module_reads_them(
    tmp_path: Path, encoding: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(["電話番号", "本文"])
    for number in range(200):
        writer.writerow([f"090{number:08d}", "表ソ能\r\n" * (number % 4) + '"x",' * (number % 3) + "十"])
        if number % 17 == 0:
            buffer.write("\r\n")
    text = buffer.getvalue()
    monkeypatch.setattr(tabular, "_BLOCK", block)
    expected = [(number, row) for number, row in enumerate(csv.reader(io.StringIO(text, newline="")), 1) if row]
    assert rows(tmp_path, text, encoding) == expected[1:]


@pytest.mark.parametrize(
    ("data", "row", "found"),
    [
        ("a,b\n1,2\n1,2,3\n", 3, 3),
        ("a,b\n1,2\n\n1\n1,2\n", 4, 1),
        ('a,b\n"x\ny",2\n1,2,3,4\n', 3, 4),
    ],
)
def test_a_ragged_row_is_named(tmp_path: Path, data: str, row: int, found: int) -> None:
    error = refused(tmp_path, data)
    assert error.code == "input.ragged"
    assert error.facts == {"file": "list.csv", "row": row, "found": found, "expected": 2}


def test_bytes_of_no_encoding_are_named_by_line_and_offset(tmp_path: Path) -> None:
    error = refused(tmp_path, "a,b\nあ,い\nx,".encode() + b"\x81\x39\n")
    assert error.code == "input.encoding"
    assert error.facts == {"file": "list.csv", "line": 3, "offset": 14, "bytes": "81 39 0a"}


def test_the_encoding_that_went_further_names_the_place(tmp_path: Path) -> None:
    data = "a,b\nあ,い\n".encode("cp932") + b"\x81\x39,\n"
    error = refused(tmp_path, data)
    assert (error.facts["line"], error.facts["offset"]) == (3, len(data) - 4)


@pytest.mark.parametrize("block", [1, 2, 3, 4, 100])
def test_the_place_of_bad_bytes_does_not_depend_on_blocks(
    tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tabular, "_BLOCK", block)
    error = refused(tmp_path, b"a,b\nx,y\nx,\x81\x39\n")
    assert (error.facts["line"], error.facts["offset"]) == (3, 10)


def test_a_file_cut_within_a_character_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, b"a,b\nx,\xe3\x81\x82\xe3\x81\x82\x81").code == "input.encoding"


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\r\n  \r\n"])
def test_an_empty_file_is_refused(tmp_path: Path, data: bytes) -> None:
    assert refused(tmp_path, data).code == "input.empty"


def test_a_nul_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, b"a,b\nx,\x00\n").code == "input.nul"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputUnusable) as caught:
        look_at(tmp_path / "none.csv")
    assert caught.value.code == "input.missing"
    with pytest.raises(InputUnusable) as caught:
        look_at(tmp_path)
    assert caught.value.code == "input.unreadable"
