"""What goes to the gateway as CSV, and what we read back of our own."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters import csv_in
from pipeline.adapters.csv_in import read_chunks
from pipeline.adapters.csv_out import plain_lines

if TYPE_CHECKING:
    from pathlib import Path

CELLS = st.text(st.sampled_from("a,\"\r\n 、①ﾎ髙😀\t;'=")) | st.text(st.characters(exclude_categories=["Cs"]))
ODD = ["", '"', '""', ",", "\n", "\r\n", "a\r\nb", 'sa"id', "plain", " ", "、。", "ﾎﾟ～", 'x"', '"x', "=1+1", "NA", "0"]


def columns_of(rows: list[list[str]]) -> list[pa.Array]:
    return [pa.array(column, pa.large_string()) for column in zip(*rows, strict=True)]


def as_pandas_writes(rows: list[list[str]], line_end: str) -> bytes:
    return pd.DataFrame(rows, dtype="str").to_csv(header=False, index=False, lineterminator=line_end).encode()


@given(st.lists(st.lists(CELLS, min_size=5, max_size=5), min_size=1, max_size=8))
def test_lines_are_those_of_the_csv_module(rows: list[list[str]]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    assert bytes(plain_lines(columns_of(rows), "\r\n")) == buffer.getvalue().encode()


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_all_64_columns_are_written_as_pandas_writes_them(line_end: str) -> None:
    rows = [[ODD[(row + 7 * column) % len(ODD)] for column in range(64)] for row in range(len(ODD))]
    assert bytes(plain_lines(columns_of(rows), line_end)) == as_pandas_writes(rows, line_end)


@pytest.mark.parametrize("filled", [0, 31, 63])
def test_empty_columns_cost_their_commas(filled: int) -> None:
    rows = [["値" if column == filled else "" for column in range(64)] for _ in range(3)]
    assert bytes(plain_lines(columns_of(rows), "\r\n")) == as_pandas_writes(rows, "\r\n")


def test_a_part_of_a_column_is_written_as_the_part_it_is() -> None:
    whole = pa.array(["x", "y,", "z"], pa.large_string())
    assert bytes(plain_lines([whole.slice(1), whole.slice(1)], "\n")) == b'"y,","y,"\nz,z\n'


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_in, "_BLOCK", 256)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("size", [1, 2, 7, 40, 41, 1000])
def test_what_was_written_is_read_in_chunks(tmp_path: Path, size: int) -> None:
    rows = [[str(row), ODD[row % len(ODD)], "true" if row % 2 else "false"] for row in range(40)]
    path = tmp_path / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([["n", 'te"xt', "b"], *rows])
    chunks = [table.to_pandas() for table in read_chunks(path, size, {"n": pa.int64(), "b": pa.bool_()})]
    assert [len(chunk) for chunk in chunks] == [size] * (40 // size) + ([40 % size] if 40 % size else [])
    whole = pd.concat(chunks)
    assert list(map(str, whole.dtypes)) == ["int64", "str", "bool"]
    assert whole["n"].tolist() == list(range(40))
    assert whole['te"xt'].tolist() == [row[1] for row in rows]
    assert whole["b"].tolist() == [row[2] == "true" for row in rows]


def test_a_table_without_rows_has_no_chunk(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"n,text\r\n")
    assert list(read_chunks(path, 5, {})) == []


@pytest.mark.parametrize("block", [61, 64, 70, 84, 128, 305])
def test_a_line_break_within_a_cell_survives_wherever_a_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("pipeline.adapters.csv_in._BLOCK", block)
    rows = [[str(number), f"あ\n{number}", f"m\r\n{number}"] for number in range(40)]
    path = tmp_path / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerows([["number", "text", "memo"], *rows])
    found = [list(row.values()) for table in read_chunks(path, 7, {}) for row in table.to_pylist()]
    assert found == rows
