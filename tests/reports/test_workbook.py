from __future__ import annotations

import re
import tracemalloc
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from openpyxl.utils.escape import unescape

from pipeline.core.calendar import JST
from pipeline.messages import Language, label
from pipeline.model import Dimension, GroupLine, MessageClass
from pipeline.reports import streaming
from pipeline.reports.cells import safe_text
from pipeline.reports.privacy import hidden
from pipeline.reports.workbook import write_workbook
from tests.renderings import workbook_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from pipeline.model import MessageLine, Reconciliation

    Source = Callable[[int], Iterator[MessageLine]]


GOLDEN = Path(__file__).parent / "golden"


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


@pytest.mark.parametrize("example", ["hostile", "hostile_month"])
def test_nothing_from_outside_becomes_a_formula_or_markup(
    tmp_path: Path, example: str, hostile_lines: list[MessageLine], request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, request.getfixturevalue(example), hostile_lines, Language.EN)
    book = read(path)
    ours = re.compile(
        r"=SUM\([A-I]\d+:[A-I]\d+\)|=IF\(C\d+=D\d+,\"✓ agrees\",\"✗ differs\"\)|=C\d+-D\d+|=1"
        r"|=ROUND\([A-I0-9:SUM()-]+,\d+\)"
    )
    assert [formula for formula in formulas(book) if not ours.fullmatch(formula)] == []
    messages = book["Messages"]
    if example == "hostile_month":
        messages.delete_cols(1, 2)  # batch and campaign
    for row, line in enumerate(hostile_lines, 2):
        cell = messages.cell(row, 5)
        assert cell.data_type == "s"
        assert cell.number_format == "@"
        assert unescape(str(cell.value)) == safe_text(hidden(line.label))  # _x0041_ is not to be read as A
        assert unescape(str(messages.cell(row, 8).value)) == safe_text(hidden(line.cost_centre))
    assert [sheet.cell(2, 2).data_type for sheet in (book["Differences"], book["Messages"])] == ["s", "s"]
    assert messages["N2"].value == "no price"
    assert [messages.cell(2, column).value for column in (9, 10, 11)] == [None, None, None]


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
    # A spreadsheet has no time zones: JST, as the headings say.
    assert [cell.value for cell in sheet[2]] == [
        1,
        "abckzvtbqrmwx0000001",
        "090****0001",
        "送達",
        "送信済",
        "Docomo",
        "国内",
        "営業部",
        datetime(2026, 11, 20, 9, 0, 0),  # noqa: DTZ001 - a workbook has no zones
        datetime(2026, 11, 20, 9, 0, 1),  # noqa: DTZ001 - a workbook has no zones
        datetime(2026, 11, 20, 0, 0, 0),  # noqa: DTZ001 - a workbook has no zones
        1,
        "○",
        8.8,
        "－",
    ]
    assert sheet["N2"].number_format == '"¥"#,##0.00'
    assert sheet["A2"].number_format == "#,##0"
    assert (sheet["I2"].number_format, sheet["K2"].number_format) == ("yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd")
    assert sheet["J101"].value is None
    assert sheet["O8"].value == "○"
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:O101"
    assert sheet.dimensions == "A1:O101"
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.print_area == "'明細'!$A$1:$O$101"
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)


def test_times_are_exact_to_the_second(tmp_path: Path, quiet: Reconciliation, message_lines: Source) -> None:
    path = tmp_path / "report.xlsx"
    lines = [
        replace(line, observed_at=datetime(2026, 3, 1, 14, 59, 30, tzinfo=UTC) + timedelta(seconds=row))
        for row, line in enumerate(message_lines(70))
    ]
    write_workbook(path, quiet, lines, Language.EN)
    shown = [cell.value for cell in read(path)["Messages"]["J"][1:]]
    assert shown == [
        line.observed_at.astimezone(JST).replace(tzinfo=None) for line in lines if line.observed_at is not None
    ]
    assert shown[30] == datetime(2026, 3, 2, 0, 0, 0)  # noqa: DTZ001 - midnight in Japan


def test_messages_of_a_month_say_where_they_belong(
    tmp_path: Path, month: Reconciliation, message_lines: Source
) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, month, message_lines(3), Language.EN)
    sheet = read(path)["Messages"]
    assert [cell.value for cell in sheet[1]][:3] == ["batch", "campaign", "input row"]
    assert [cell.value for cell in sheet[2]][:3] == ["kzvtbqrmwx", "年末のご案内-2026-11-20", 1]


@pytest.mark.parametrize("language", Language)
def test_every_group_is_there_with_live_totals(tmp_path: Path, month: Reconciliation, language: Language) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, month, [], language)
    name = label("report.sheet.groups", language)
    live, cached = read(path)[name], read(path, cached=True)[name]
    for dimension, lines in month.groups.items():
        top = find(live, label(f"report.section.{dimension}", language)) + 2
        for row, line in enumerate(lines, top):
            expected = (line.messages, line.delivered, line.failed, line.billable_messages, line.billable_units)
            assert tuple(live.cell(row, column).value for column in range(2, 7)) == expected
            assert Decimal(str(live.cell(row, 7).value)) == line.amount
            assert live.cell(row, 8).value == line.unpriced
        total = top + len(lines)
        ended = (month.classes[MessageClass.DELIVERED], month.classes[MessageClass.FAILED])
        totals = (month.messages, *ended, month.billable_messages, month.billable_units)
        assert tuple(cached.cell(total, column).value for column in range(2, 7)) == totals
        assert Decimal(str(cached.cell(total, 7).value)) == month.amount.untaxed
        assert live.cell(total, 2).value == (f"=SUM(B{top}:B{total - 1})")


def test_the_money_of_a_month_is_live(tmp_path: Path, month: Reconciliation) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, month, [], Language.EN)
    live, cached = read(path)["Bill"], read(path, cached=True)["Bill"]
    assert month.bill is not None
    assert month.variance is not None

    def both(text: str, column: int = 2) -> tuple[str, Decimal]:
        row = find(live, text)
        return str(live.cell(row, column).value), Decimal(str(cached.cell(row, column).value))

    assert both("expected invoice, with tax") == ("=SUM(B4:B8)", month.bill.total)
    assert both("difference") == ("=ROUND(B22-B23,2)", month.variance.difference)
    assert both("unexplained") == ("=ROUND(B24-SUM(B25:B28),2)", month.variance.unexplained)
    first = find(live, "domestic")
    assert live.cell(first, 9).value == f"=ROUND(G{first}-H{first},2)"
    assert Decimal(str(cached.cell(first, 9).value)) == month.variance.lines[0].difference
    changed = find(live, "the tariff changed")
    assert Decimal(str(cached.cell(changed, 9).value)) == month.restatements[1].difference


def test_a_batch_has_no_sheet_of_money(tmp_path: Path, noisy: Reconciliation) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, noisy, [], Language.EN)
    assert read(path).sheetnames == ["Summary", "Breakdown", "Over time", "Differences", "Messages", "Basis"]


def test_the_tariff_is_there(tmp_path: Path, quiet: Reconciliation) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, quiet, [], Language.EN)
    sheet = read(path)["Basis"]
    top = find(sheet, "carrier") + 1
    shown = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=top, max_row=top + len(quiet.prices) - 1)]
    assert shown[2] == ["Docomo", "domestic", 3, datetime(2026, 4, 1), None, 26.4]  # noqa: DTZ001 - a workbook has no zones
    assert shown[3][4] == datetime(2027, 4, 1)  # noqa: DTZ001 - a workbook has no zones
    assert shown[-1] == ["(all others)", "overseas", 3, datetime(2026, 4, 1), None, 72.375]  # noqa: DTZ001 - a workbook has no zones
    assert sheet.cell(find(sheet, "profile SHA-256"), 2).value == quiet.provenance["profile_sha256"]


def test_orphans_and_unmapped_statuses_are_on_the_summary(tmp_path: Path, noisy: Reconciliation) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, noisy, [], Language.EN)
    sheet = read(path)["Summary"]
    assert str(sheet["A2"].value).startswith("NOT balanced")
    assert sheet["A3"].value == "ALARM: results that are not in the ledger: 1."
    assert [str(sheet[f"A{row}"].value)[:2] for row in (5, 6, 7)] == ["1.", "2.", "3."]
    assert find(sheet, "[[status]]") < find(sheet, 'label = "配信保留"')


def test_deliveries_are_shown_over_hours_that_have_some_or_every_day(
    tmp_path: Path, noisy: Reconciliation, month: Reconciliation
) -> None:
    path = tmp_path / "report.xlsx"
    late = (*noisy.deliveries[:-1], (noisy.deliveries[-1][0] + timedelta(hours=2), 7))
    for value, head, first in (
        (replace(noisy, deliveries=late), "hour (JST)", "2026-11-20 10:00"),
        (month, "day", "2026-11-01"),
    ):
        write_workbook(path, value, [], Language.EN)
        sheet = read(path, cached=True)["Over time"]
        top, total = find(sheet, head) + 1, find(sheet, "total")
        steps = [int(str(sheet.cell(row, 2).value)) for row in range(top, total)]
        assert sheet.cell(top, 1).value == first
        assert all(steps)
        assert sum(steps) == sheet.cell(total, 2).value == sum(number for _, number in value.deliveries)


def test_days_without_deliveries_are_gaps_that_are_seen(tmp_path: Path, noisy: Reconciliation) -> None:
    path = tmp_path / "report.xlsx"
    first = noisy.deliveries[0][0]
    write_workbook(path, replace(noisy, deliveries=((first, 2), (first + timedelta(days=12), 1))), [], Language.EN)
    sheet = read(path, cached=True)["Over time"]
    top, total = find(sheet, "day") + 1, find(sheet, "total")
    assert [sheet.cell(row, 2).value for row in range(top, total)] == [2, *[0] * 11, 1]


def test_a_long_cost_centre_is_not_cut(tmp_path: Path, month: Reconciliation, message_lines: Source) -> None:
    name = "営業第二部" * 12 + "四課"
    short = GroupLine(
        name="x",
        messages=1,
        delivered=1,
        failed=0,
        billable_messages=1,
        billable_units=1,
        amount=Decimal("8.5"),
        unpriced=0,
    )
    groups = {**month.groups, Dimension.COST_CENTRE: (short, replace(short, name=name))}
    path = tmp_path / "report.xlsx"
    write_workbook(path, replace(month, groups=groups), message_lines(2), Language.JA)
    book = read(path)
    breakdown = book["内訳"]
    row = find(breakdown, name)
    assert breakdown.cell(row, 1).alignment.wrap_text
    assert breakdown.row_dimensions[row].height == 24 + 3 * 15
    assert breakdown.row_dimensions[row - 1].height is None
    messages = book["明細"]
    columns = {str(cell.value): get_column_letter(at) for at, cell in enumerate(messages[1], 1)}
    assert messages.column_dimensions[columns["コストセンター"]].width > 2 * len(name)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("name", "example"), [("batch", "noisy"), ("month", "month")])
def test_it_is_the_golden_one(
    tmp_path: Path,
    name: str,
    example: str,
    language: Language,
    message_lines: Source,
    request: pytest.FixtureRequest,
) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, request.getfixturevalue(example), message_lines(12), language)
    assert workbook_text(path) == (GOLDEN / f"workbook-{name}-{language}.txt").read_text(encoding="utf-8")


def test_numbers_are_whole_only_when_asked_for(
    tmp_path: Path,
    noisy: Reconciliation,
    hostile: Reconciliation,
    hostile_month: Reconciliation,
    message_lines: Source,
) -> None:
    masked, whole = tmp_path / "masked.xlsx", tmp_path / "whole.xlsx"
    for value in (hostile, hostile_month, noisy):
        write_workbook(masked, value, message_lines(20), Language.JA)
        content = everything(masked)
        for number in ("09012345678", "1234-5678", "447911123456", "81312345678", "09000000007", "08012345678"):
            assert number not in content
    write_workbook(whole, noisy, message_lines(20), Language.JA, unmask=True)
    content = everything(whole)
    assert "09012345678" in content
    assert "09000000007" in content
    assert label("report.unmasked", Language.JA) in content


def test_long_lists_go_on_in_another_sheet(
    tmp_path: Path, noisy: Reconciliation, message_lines: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "SHEET_ROWS", 11)
    path = tmp_path / "report.xlsx"
    write_workbook(path, noisy, message_lines(20), Language.EN)
    book = read(path)
    names = [
        "Summary",
        "Breakdown",
        "Over time",
        "Differences",
        "Differences 2",
        "Differences 3",
        "Differences 4",
        "Messages",
        "Messages 2",
        "Basis",
    ]
    assert book.sheetnames == names
    assert [book[name].max_row for name in names[3:-1]] == [11, 11, 11, 10, 11, 11]
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


@pytest.mark.parametrize("different", [False, True])
def test_memory_does_not_grow_with_the_messages(
    tmp_path: Path, quiet: Reconciliation, message_lines: Source, *, different: bool
) -> None:
    def lines(number: int) -> Iterator[MessageLine]:
        for line in message_lines(number):
            # Texts and amounts that are all different must not pile up where those that come again are kept.
            word = f"x{line.row_number}" * 20
            yield replace(line, label=word, carrier=word, amount=Decimal(line.row_number)) if different else line

    def peak(number: int) -> int:
        tracemalloc.start()
        write_workbook(tmp_path / "report.xlsx", quiet, lines(number), Language.EN)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(10)
    assert peak(6_000) < peak(2_000) + 300_000


@pytest.mark.crash
@pytest.mark.timeout(900)
def test_a_million_messages_fill_two_sheets(tmp_path: Path, quiet: Reconciliation, message_lines: Source) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, quiet, message_lines(1_100_000), Language.JA)
    book = openpyxl.load_workbook(path, read_only=True)
    assert book.sheetnames == ["サマリー", "内訳", "推移", "差異", "明細", "明細 2", "根拠"]
    rest = 1_100_000 - (streaming.SHEET_ROWS - 1)
    rows = book["明細 2"].iter_rows(min_col=1, max_col=1, values_only=True)
    assert sum(1 for _ in islice(rows, 1, None)) == rest
    book.close()


def test_an_empty_batch_has_a_workbook(tmp_path: Path, empty: Reconciliation) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, empty, [], Language.JA)
    sheet = read(path)["サマリー"]
    assert sheet.cell(find(sheet, "ステータス別の内訳") + 2, 3).value == 0
    assert formulas(read(path))
