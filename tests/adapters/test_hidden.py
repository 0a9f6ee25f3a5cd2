"""What a person does not see in a workbook is never read unasked: hidden rows and hidden sheets."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from pipeline.adapters import package
from pipeline.adapters.workbooks import open_workbook
from pipeline.errors import InputUnusable
from pipeline.messages import Language
from tests.adapters.books import SHEET, changed, open_document, read, refused, row, workbook

HIDDEN = "input.hidden_rows"


def listed(path: Path, rows: dict[int, dict[str, Any]], *, down: int = 6, name: str = "名簿") -> Path:
    """Write a list of numbers 1, 2, … below a heading, with options and heights of some of its rows."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, ["tel", "text"])
        for at in range(1, down):
            sheet.write_row(at, 0, [str(at), "x"])
        for at, options in rows.items():
            sheet.set_row(at, None, None, options)
    return path


def test_rows_hidden_by_a_filter_stop_the_file(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("名簿")
        sheet.write_row(0, 0, ["tel", "city"])
        for at in range(1, 9):
            sheet.write_row(at, 0, [str(at), "東京" if at % 4 else "大阪"])
            if not at % 4:
                sheet.set_row(at, None, None, {"hidden": True})
        sheet.autofilter(0, 0, 8, 1)
        sheet.filter_column(1, "x == 東京")
    assert refused(path) == (HIDDEN, {"sheet": "名簿", "count": 2, "row": 5})
    # The same once the filter is cleared: it is still there.
    book = openpyxl.load_workbook(path)
    for at in range(1, 10):
        book["名簿"].row_dimensions[at].hidden = False
    book.save(path)
    assert len(read(open_workbook(path))) == 8


@pytest.mark.parametrize("piece", [1, 60, 1 << 20])
def test_rows_hidden_by_hand_or_in_a_group(tmp_path: Path, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "_PIECE", piece)
    path = listed(tmp_path / "list.xlsx", {2: {"hidden": True}, 4: {"level": 1, "hidden": True}})
    assert refused(path) == (HIDDEN, {"sheet": "名簿", "count": 2, "row": 3})
    assert len(read(open_workbook(listed(path, {2: {"level": 1}, 3: {"collapsed": True}})))) == 5


@pytest.mark.parametrize(
    ("attributes", "is_hidden"),
    [
        (b' ht="0" customHeight="1"', True),
        (b' ht="0.0"', True),
        (b" hidden='true'", True),
        (b' hidden = "1"', True),
        (b' hidden="0" ht="15" customHeight="0"', False),
        (b' hidden="false" ht="0.75"', False),
    ],
)
def test_a_row_without_height_is_hidden(tmp_path: Path, attributes: bytes, is_hidden: bool) -> None:  # noqa: FBT001 - a column of the table
    path = listed(tmp_path / "list.xlsx", {})
    changed(path, SHEET, b'<row r="3"', b'<row r="3"' + attributes)
    if is_hidden:
        assert refused(path) == (HIDDEN, {"sheet": "名簿", "count": 1, "row": 3})
    else:
        assert len(read(open_workbook(path))) == 5


def test_a_row_without_a_number_follows_the_one_before(tmp_path: Path) -> None:
    path = listed(tmp_path / "list.xlsx", {})
    changed(path, SHEET, b'<row r="4"', b'<row hidden="1"')
    assert refused(path) == (HIDDEN, {"sheet": "名簿", "count": 1, "row": 4})


def test_names_with_a_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = listed(tmp_path / "list.xlsx", {3: {"hidden": True}})
    with zipfile.ZipFile(path) as file:
        given = file.read(SHEET)
    prefixed = re.sub(rb"<(/?)(?=[a-z])", rb"<\1x:", given).replace(b" xmlns=", b" xmlns:x=")
    changed(path, SHEET, given, prefixed)
    for piece in (1, 60, 1 << 20):
        monkeypatch.setattr(package, "_PIECE", piece)
        assert refused(path) == (HIDDEN, {"sheet": "名簿", "count": 1, "row": 4})


def test_hidden_rows_that_hold_nothing_and_hidden_columns_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["tel", "memo", "text"])
        sheet.write_row(3, 0, ["1", "m", "x"])
        sheet.write_row(4, 0, ["", " "])
        sheet.set_column(1, 1, None, None, {"hidden": True})
        for at in (1, 2, 4, 9):
            sheet.set_row(at, None, None, {"hidden": True})
        sheet.set_default_row(hide_unused_rows=True)
    assert read(open_workbook(path))[0] == (4, ["1", "m", "x"])


def test_only_the_sheet_that_is_read_matters(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name in ("all", "some"):
            sheet = book.add_worksheet(name)
            sheet.write_column(0, 0, ["tel", "1", "2"])
            if name == "some":
                sheet.set_row(1, None, None, {"hidden": True})
    assert len(read(open_workbook(path))) == 2
    with pytest.raises(InputUnusable) as caught:
        open_workbook(path, sheet="some")
    assert caught.value.code == HIDDEN
    for language in Language:
        assert "some" in caught.value.what(language)
        assert "--sheet" in caught.value.hint(language)


def test_an_error_that_is_hidden_is_something(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("a")
        sheet.write(0, 0, "tel")
        sheet.write_formula(1, 0, "=NA()", None, "#N/A")
        sheet.set_row(1, None, None, {"hidden": True})
    assert refused(path) == (HIDDEN, {"sheet": "a", "count": 1, "row": 2})


@pytest.mark.parametrize("visibility", ["filter", "collapse"])
@pytest.mark.parametrize("piece", [1, 60, 1 << 20])
def test_rows_hidden_in_an_open_document(
    tmp_path: Path, visibility: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "_PIECE", piece)
    hidden = f'table:visibility="{visibility}"'
    rows = [
        row("tel"),
        row("", attributes=f'{hidden} table:number-rows-repeated="3"'),
        row("1"),
        "<table:table-row-group>",
        row("2", attributes=f'table:number-rows-repeated="2" {hidden}'),
        "</table:table-row-group>",
        row("3", attributes='table:visibility="visible"'),
        row("<table:table-cell/>", attributes=f'{hidden} table:number-rows-repeated="1048000"'),
    ]
    path = open_document(tmp_path / "list.ods", {"前": row("x"), "A&amp;B": "".join(rows)})
    with pytest.raises(InputUnusable) as caught:
        open_workbook(path, sheet="A&B")
    assert (caught.value.code, caught.value.facts) == (
        HIDDEN,
        {"file": "list.ods", "sheet": "A&B", "count": 2, "row": 6},
    )
    assert open_workbook(path).first_record == ("x",)
    # Without the two that hold something it is read, and its rows have the numbers of the sheet.
    del rows[4]
    path = open_document(path, {"前": row("x"), "A&amp;B": "".join(rows)})
    assert read(open_workbook(path, sheet="A&B")) == [(5, ["1"]), (6, ["3"])]


def test_a_first_sheet_that_is_hidden_is_not_read_unasked(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name in ("empty", "master", "list", "二"):
            sheet = book.add_worksheet(name)
            if name != "empty":
                sheet.write_string(0, 0, name)
        for name in ("empty", "master"):
            book.get_worksheet_by_name(name).hide()
        book.get_worksheet_by_name("list").activate()
        book.get_worksheet_by_name("list").set_first_sheet()
    assert refused(path) == ("input.hidden_sheet", {"sheet": "master", "sheets": "list, 二"})
    assert open_workbook(path, sheet="list").first_record == ("list",)
    assert open_workbook(path, sheet="master").first_record == ("master",)


def test_a_hidden_sheet_that_holds_nothing_or_stands_behind_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("empty").hide()
        book.add_worksheet("list").write_string(0, 0, "list")
        book.get_worksheet_by_name("list").activate()
        book.get_worksheet_by_name("list").set_first_sheet()
        book.add_worksheet("master").write_string(0, 0, "master")
        book.get_worksheet_by_name("master").hide()
    table = open_workbook(path)
    assert (table.first_record, table.other_sheets) == (("list",), {})


def test_hidden_tables_of_an_open_document(tmp_path: Path) -> None:
    path = open_document(tmp_path / "list.ods", {"-master": row("x"), "list": row("tel")})
    assert refused(path) == ("input.hidden_sheet", {"sheet": "master", "sheets": "list"})
    assert open_workbook(path, sheet="master").first_record == ("x",)


def test_other_sheets_that_hold_something_are_told_with_their_rows(tmp_path: Path) -> None:
    formula: list[list[Any]] = [["a", 1], [None, 2], [], [" "], [True]]
    sheets = {"空": [], "名簿": [["tel"], ["1"]], "二": formula, "三": [[]]}
    path = workbook(tmp_path / "list.xlsx", sheets)
    table = open_workbook(path)
    assert (table.sheet, table.other_sheets) == ("名簿", {"二": 4})
    assert open_workbook(path, sheet="名簿").other_sheets == {}
    assert open_workbook(path, sheet="二").sheet == "二"


def test_rows_of_other_sheets_are_counted_whatever_they_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        book.add_worksheet("a").write_string(0, 0, "tel")
        sheet = book.add_worksheet("b")
        for at in range(0, 20, 2):
            sheet.write_string(at, 0, "inline")
        sheet.write_formula(20, 0, '=""', None, "")
        sheet.write_formula(21, 0, "=NA()", None, "#N/A")
        sheet.write_blank(22, 0, None, book.add_format({"bold": True}))
    for piece in (1, 77, 1 << 20):
        monkeypatch.setattr(package, "_PIECE", piece)
        assert open_workbook(path).other_sheets == {"b": 11}


def test_other_tables_of_an_open_document(tmp_path: Path) -> None:
    tables = {"list": row("tel"), "二": row("a") + row("") + row("b"), "空": row(""), "-off": row("x")}
    assert open_workbook(open_document(tmp_path / "list.ods", tables)).other_sheets == {"二": 2}
