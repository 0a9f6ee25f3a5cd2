from __future__ import annotations

import tracemalloc
import zipfile
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from pipeline.messages import Language, label
from pipeline.reports import sheets
from pipeline.reports.cells import safe_text
from pipeline.reports.workbook import write_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from pipeline.model import MessageLine, Reconciliation

    Source = Callable[[int], Iterator[MessageLine]]


def read(path: Path, *, cached: bool = False) -> Workbook:
    return openpyxl.load_workbook(path, data_only=cached)


def find(sheet: Worksheet, text: str, column: int = 1) -> int:
    return next(row for row in range(1, sheet.max_row + 1) if sheet.cell(row, column).value == text)


def formulas(book: Workbook) -> list[str]:
    return [
        str(cell.value)
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


def everything(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return "\n".join(archive.read(name).decode() for name in archive.namelist())


@pytest.mark.parametrize("language", Language)
def test_totals_are_formulas_whose_cached_value_is_ours(
    tmp_path: Path, noisy: Reconciliation, message_lines: Source, language: Language
) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, noisy, message_lines(30), language)
    live, cached = read(path).worksheets[0], read(path, cached=True).worksheets[0]
    head = find(live, label("report.section.statuses", language)) + 1
    last = head + len(noisy.statuses)
    total = last + 1
    expected = (noisy.messages, noisy.billable_messages, noisy.billable_units, noisy.amount.untaxed)
    for column, ours in zip("CDEF", expected, strict=True):
        assert live[f"{column}{total}"].value == f"=SUM({column}{head + 1}:{column}{last})"
        assert Decimal(str(cached[f"{column}{total}"].value)) == ours
    for row, line in enumerate(noisy.statuses, head + 1):
        assert live[f"C{row}"].value == line.messages
        assert Decimal(str(live[f"F{row}"].value)) == line.amount
    taxed = find(live, label("report.amount.total", language))
    assert live[f"B{taxed}"].value == f"=SUM(B{taxed - 2}:B{taxed - 1})"
    assert Decimal(str(cached[f"B{taxed}"].value)) == noisy.amount.total


def test_equations_are_live_and_marked(tmp_path: Path, noisy: Reconciliation) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, noisy, [], Language.EN)
    live, cached = read(path)["Summary"], read(path, cached=True)["Summary"]
    top = find(live, "Control totals") + 2
    for row, equation in enumerate(noisy.equations, top):
        assert live[f"C{row}"].value == equation.total
        assert live[f"D{row}"].value == "=" + "+".join(map(str, equation.terms.values()))
        assert cached[f"D{row}"].value == sum(equation.terms.values())
        assert live[f"E{row}"].value == f"=C{row}-D{row}"
        assert cached[f"F{row}"].value == ("✓ agrees" if equation.holds else "✗ differs")
    assert not noisy.equations[0].holds


def test_classes_have_a_native_chart_with_its_data(tmp_path: Path, quiet: Reconciliation) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, quiet, [], Language.JA)
    with zipfile.ZipFile(path) as archive:
        chart = archive.read("xl/charts/chart1.xml").decode()
    assert "barChart" in chart
    for number in quiet.classes.values():
        assert f"<c:v>{number}</c:v>" in chart


def test_nothing_from_outside_becomes_a_formula_or_markup(
    tmp_path: Path, hostile: Reconciliation, hostile_lines: list[MessageLine]
) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, hostile, hostile_lines, Language.EN)
    book = read(path)
    assert all(formula.startswith(("=SUM(", "=IF(", "=C")) or formula == "=1" for formula in formulas(book))
    messages = book["Messages"]
    for row, line in enumerate(hostile_lines, 2):
        cell = messages.cell(row, 5)
        assert cell.data_type == "s"
        assert cell.number_format == "@"
        assert unescape(str(cell.value)) == safe_text(line.label)  # _x0041_ is not to be read as A
    assert [sheet.cell(2, 2).data_type for sheet in (book["Differences"], book["Messages"])] == ["s", "s"]
    assert messages["J2"].value == "no price"


def test_yen_that_no_double_carries_are_exact_text(tmp_path: Path, hostile: Reconciliation) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, hostile, [], Language.EN)
    book = read(path)
    sheet = book["Summary"]
    head = find(sheet, "By status") + 1
    values = [sheet.cell(head + 1 + number, 6).value for number in range(len(hostile.statuses) + 1)]
    assert values[0] == 0.1
    assert values[4] == 1000
    assert values[7] == "12,345,678,901,234,567.89"
    assert values[8] == "12,345,678,901,235,568.19"  # SUM would have left out what is text
    assert sheet.cell(head + 10, 1).value == label("report.too_exact", Language.EN)
    assert book["Differences"]["E2"].value == "98,765,432,109,876,543.21"


def test_messages_are_typed(tmp_path: Path, quiet: Reconciliation, message_lines: Source) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, quiet, message_lines(100), Language.JA)
    sheet = read(path)["明細"]
    assert [cell.value for cell in sheet[2]] == [
        1,
        "abckzvtbqrmwx0000001",
        "090****0001",
        "送達",
        "送信済",
        "docomo",
        datetime(2026, 11, 20, 9, 0, 1),  # noqa: DTZ001 - a spreadsheet has no time zones: JST, as the heading says
        1,
        "○",
        8.8,
    ]
    assert sheet["J2"].number_format == '"¥"#,##0.00'
    assert sheet["A2"].number_format == "#,##0"
    assert sheet["G101"].value is None
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:J101"
    assert sheet.print_title_rows == "$1:$1"
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)


def test_numbers_are_whole_only_when_asked_for(
    tmp_path: Path, noisy: Reconciliation, hostile: Reconciliation, message_lines: Source
) -> None:
    masked, whole = tmp_path / "masked.xlsx", tmp_path / "whole.xlsx"
    for value in (hostile, noisy):
        write_workbook(masked, value, message_lines(20), Language.JA)
        content = everything(masked)
        for number in ("09012345678", "1234-5678", "447911123456", "81312345678", "09000000007"):
            assert number not in content
    write_workbook(whole, noisy, message_lines(20), Language.JA, unmask=True)
    content = everything(whole)
    assert "09012345678" in content
    assert "09000000007" in content
    assert label("report.unmasked", Language.JA) in content


def test_long_lists_go_on_in_another_sheet(
    tmp_path: Path, noisy: Reconciliation, message_lines: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "SHEET_ROWS", 11)
    path = tmp_path / "report.xlsx"
    write_workbook(path, noisy, message_lines(20), Language.EN)
    book = read(path)
    names = [
        "Summary",
        "Differences",
        "Differences 2",
        "Differences 3",
        "Differences 4",
        "Messages",
        "Messages 2",
    ]
    assert book.sheetnames == names
    assert [book[name].max_row for name in names[1:]] == [11, 11, 11, 7, 11, 11]
    assert book["Messages 2"]["A2"].value == 11
    assert book["Messages 2"]["A1"].value == "input row"


def test_the_same_values_give_the_same_bytes(tmp_path: Path, noisy: Reconciliation, message_lines: Source) -> None:
    first, second = tmp_path / "1.xlsx", tmp_path / "2.xlsx"
    write_workbook(first, noisy, message_lines(50), Language.JA)
    write_workbook(second, noisy, message_lines(50), Language.JA)
    assert first.read_bytes() == second.read_bytes()


def test_a_source_that_fails_leaves_nothing_behind(
    tmp_path: Path, quiet: Reconciliation, message_lines: Source
) -> None:
    def failing() -> Iterator[MessageLine]:
        yield from message_lines(5)
        raise OSError

    with pytest.raises(OSError, match=r"^$"):
        write_workbook(tmp_path / "report.xlsx", quiet, failing(), Language.EN)
    assert list(tmp_path.iterdir()) == []


def test_cells_hold_what_a_cell_can_hold() -> None:
    assert safe_text("x" * 40_000) == "x" * 32_766 + "…"
    assert safe_text("<r><t>x</t></r>") == " <r><t>x</t></r>"
    assert safe_text("\x1b\uffff") == "␛\ufffd"


def test_memory_does_not_grow_with_the_messages(tmp_path: Path, quiet: Reconciliation, message_lines: Source) -> None:
    def peak(number: int) -> int:
        tracemalloc.start()
        write_workbook(tmp_path / "report.xlsx", quiet, message_lines(number), Language.EN)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(10)
    assert peak(5_000) < peak(500) + 300_000


@pytest.mark.crash
@pytest.mark.timeout(900)
def test_a_million_messages_fill_two_sheets(tmp_path: Path, quiet: Reconciliation, message_lines: Source) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, quiet, message_lines(1_100_000), Language.JA)
    book = openpyxl.load_workbook(path, read_only=True)
    assert book.sheetnames == ["サマリー", "差異", "明細", "明細 2"]
    rest = 1_100_000 - (sheets.SHEET_ROWS - 1)
    rows = book["明細 2"].iter_rows(min_col=1, max_col=1, values_only=True)
    assert sum(1 for _ in islice(rows, 1, None)) == rest
    book.close()


def test_an_empty_batch_has_a_workbook(tmp_path: Path, empty: Reconciliation) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, empty, [], Language.JA)
    sheet = read(path)["サマリー"]
    assert sheet.cell(find(sheet, "ステータス別の内訳") + 2, 3).value == 0
    assert formulas(read(path)) == ["=SUM(B14:B15)"]
