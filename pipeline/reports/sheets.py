"""The long sheets of a workbook: differences and messages, split where a sheet is full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pipeline.core.calendar import JST
from pipeline.core.msisdn import mask
from pipeline.messages import label
from pipeline.model import Break, MessageClass, MessageLine
from pipeline.reports.cells import HEAD, LINE, Cells
from pipeline.reports.wording import break_details, class_name, kind_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from xlsxwriter.worksheet import Worksheet

#: rows of a sheet in every spreadsheet program, header included; a parameter of tests
SHEET_ROWS = 1_048_576

T = TypeVar("T")

_TIME = "yyyy-mm-dd hh:mm:ss"
_A4 = 9

# Indented, so that text does not touch the number to its left.
_LEFT: dict[str, object] = {"align": "left", "indent": 1}
_RIGHT: dict[str, object] = {"align": "right"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the code of its heading and its width in characters."""

    code: str
    width: float
    right: bool = False


BREAK_COLUMNS = (
    Column("report.column.kind", 22),
    Column("report.column.smsid", 26),
    Column("report.column.row", 11, right=True),
    Column("report.column.details", 72),
    Column("report.column.at_risk", 24, right=True),
)
MESSAGE_COLUMNS = (
    Column("report.column.row", 11, right=True),
    Column("report.column.smsid", 26),
    Column("report.column.msisdn", 18),
    Column("report.column.class", 22),
    Column("report.column.status", 26),
    Column("report.column.carrier", 14),
    Column("report.column.time", 22),
    Column("report.column.parts", 8, right=True),
    Column("report.column.billable", 11),
    Column("report.column.amount", 24, right=True),
)


def write_breaks(cells: Cells, breaks: Iterable[Break]) -> None:
    """Write the differences, one a row."""

    def write(sheet: Worksheet, row: int, found: Break) -> None:
        cells.text(sheet, row, 0, kind_name(found.kind, cells.language), **_LEFT)
        cells.text(sheet, row, 1, cells.outside(found.smsid), **_LEFT)
        if found.row_number is not None:
            cells.count(sheet, row, 2, found.row_number)
        cells.text(sheet, row, 3, break_details(found, cells.language, unmask=cells.unmask), **_LEFT)
        if found.at_risk is not None:
            cells.yen(sheet, row, 4, found.at_risk)

    _write_rows(_Sheets(cells, label("report.sheet.breaks", cells.language), BREAK_COLUMNS), breaks, write)


def write_messages(cells: Cells, lines: Iterable[MessageLine]) -> None:
    """Write the messages, one a row, as they come: memory does not grow with them."""
    classes = {name: class_name(name, cells.language) for name in MessageClass}
    yes, no = label("report.yes", cells.language), label("report.no", cells.language)
    no_price = label("report.no_price", cells.language)
    time_style = cells.style(num_format=_TIME, **_LEFT)

    def write(sheet: Worksheet, row: int, line: MessageLine) -> None:
        cells.count(sheet, row, 0, line.row_number)
        cells.text(sheet, row, 1, cells.outside(line.smsid), **_LEFT)
        cells.text(sheet, row, 2, line.msisdn if cells.unmask else mask(line.msisdn), **_LEFT)
        cells.text(sheet, row, 3, classes[line.message_class], **_LEFT)
        cells.text(sheet, row, 4, cells.outside(line.label), **_LEFT)
        cells.text(sheet, row, 5, cells.outside(line.carrier), **_LEFT)
        if line.observed_at is not None:
            sheet.write_datetime(row, 6, line.observed_at.astimezone(JST).replace(tzinfo=None), time_style)
        cells.count(sheet, row, 7, line.parts)
        cells.text(sheet, row, 8, yes if line.billable else no, **_LEFT)
        if line.amount is not None:
            cells.yen(sheet, row, 9, line.amount)
        elif line.billable:
            cells.text(sheet, row, 9, no_price, align="right")

    _write_rows(_Sheets(cells, label("report.sheet.messages", cells.language), MESSAGE_COLUMNS), lines, write)


@dataclass(slots=True)
class _Sheets:
    """Sheets of the same columns, opened one after the other."""

    cells: Cells
    name: str
    columns: tuple[Column, ...]
    opened: int = 0

    def open(self) -> Worksheet:
        """Add a sheet with its header, and everything about it that does not depend on its rows."""
        self.opened += 1
        name = self.name if self.opened == 1 else f"{self.name} {self.opened}"
        sheet = self.cells.workbook.add_worksheet(name)
        for position, column in enumerate(self.columns):
            sheet.set_column(position, position, column.width)
        print_setup(sheet, self.cells.footer)
        sheet.repeat_rows(0)
        sheet.freeze_panes(1, 0)
        # Identifiers are text on purpose; without this every one carries a green warning.
        last = chr(ord("A") + len(self.columns) - 1)
        sheet.ignore_errors({"number_stored_as_text": f"A1:{last}{SHEET_ROWS}"})
        for position, column in enumerate(self.columns):
            self.cells.text(
                sheet,
                0,
                position,
                label(column.code, self.cells.language),
                bold=True,
                bg_color=HEAD,
                bottom=1,
                bottom_color=LINE,
                **(_RIGHT if column.right else _LEFT),
            )
        return sheet

    def close(self, sheet: Worksheet, last: int) -> None:
        """Give the sheet its filter, now that its last row is known."""
        sheet.autofilter(0, 0, last, len(self.columns) - 1)


def _write_rows(sheets: _Sheets, items: Iterable[T], write: Callable[[Worksheet, int, T], None]) -> None:
    sheet, row = sheets.open(), 0
    for item in items:
        if row + 1 == SHEET_ROWS:
            sheets.close(sheet, row)
            sheet, row = sheets.open(), 0
        row += 1
        write(sheet, row, item)
    sheets.close(sheet, row)


def print_setup(sheet: Worksheet, footer: str) -> None:
    """Set a sheet to landscape A4, one page wide, with page numbers."""
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    # An ampersand starts a code in a footer.
    sheet.set_footer(f"&L{footer.replace('&', '&&')}&R&P / &N")
    sheet.hide_gridlines(2)
