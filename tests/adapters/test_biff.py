"""The old Excel format: its errors are told, and rows that are hidden stop it."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.adapters import biff
from pipeline.adapters.workbooks import open_workbook
from pipeline.errors import InputUnusable
from tests.adapters.books import old_sheet, old_workbook, read, refused

ROWS: list[list[str | int]] = [["tel", "名"], [9012345678, "青木"], ["", ""], [9012345679, "#N/A"], ["=#DIV/0!", "x"]]


@pytest.mark.parametrize("small", [False, True])
def test_errors_arrive_as_their_text(tmp_path: Path, small: bool) -> None:  # noqa: FBT001 - of the file
    path = old_workbook(tmp_path / "list.xls", {"a": old_sheet([["x"]]), "名簿": old_sheet(ROWS)}, small=small)
    table = open_workbook(path, sheet="名簿")
    assert table.form == ("workbook", "xls", "名簿")
    assert read(table) == [(2, ["9012345678", "青木"]), (4, ["9012345679", "#N/A"]), (5, ["#DIV/0!", "x"])]
    assert open_workbook(path).other_sheets == {"名簿": 4}


@pytest.mark.parametrize("small", [False, True])
def test_hidden_rows_stop_the_file(tmp_path: Path, small: bool) -> None:  # noqa: FBT001 - of the file
    sheets = {"名簿": old_sheet(ROWS, {3, 4}), "b": old_sheet([["x"], ["1"]])}
    path = old_workbook(tmp_path / "list.xls", sheets, small=small)
    assert refused(path) == ("input.hidden_rows", {"sheet": "名簿", "count": 1, "row": 4})
    assert read(open_workbook(path, sheet="b")) == [(2, ["1"])]
    assert len(read(open_workbook(old_workbook(path, {"名簿": old_sheet(ROWS, {3})}, small=small)))) == 3


def test_any_damaged_byte_is_found_or_harmless(tmp_path: Path) -> None:
    whole = old_workbook(tmp_path / "list.xls", {"名簿": old_sheet(ROWS, {3})}, small=True).read_bytes()
    path = tmp_path / "bad.xls"
    for at in range(8, len(whole)):
        data = bytearray(whole)
        data[at] ^= 0xFF
        path.write_bytes(data)
        with suppress(InputUnusable):
            biff.look(path, 0)


@pytest.mark.parametrize("end", [8, 40, 80, 511, 600, 1100, 1600])
def test_a_file_that_is_cut_off_is_damaged(tmp_path: Path, end: int) -> None:
    path = old_workbook(tmp_path / "list.xls", {"名簿": old_sheet(ROWS, {3})})
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(InputUnusable) as caught:
        biff.look(path, 0)
    assert caught.value.code == "input.damaged"


def test_the_list_of_sectors_of_a_large_file_goes_on_behind_its_header(tmp_path: Path) -> None:
    path = old_workbook(tmp_path / "list.xls", {"名簿": old_sheet(ROWS, {4})})
    data = bytearray(path.read_bytes())
    struct.pack_into("<2I", data, 68, len(data) // 512 - 1, 1)
    struct.pack_into("<I", data, 76, 0xFFFFFFFF)
    path.write_bytes(data + struct.pack("<128I", 0, *[0xFFFFFFFF] * 126, 0xFFFFFFFE))
    assert refused(path) == ("input.hidden_rows", {"sheet": "名簿", "count": 1, "row": 4})
