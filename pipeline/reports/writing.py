"""A sheet written from top to bottom: sections, headers, rows, and totals that are live formulas.

Every total is a formula over the cells above it, with our own total as its cached value: a reader that does not
calculate shows what we computed, one that does must come to the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from pipeline.messages import label
from pipeline.reports.amounts import decimal_places, grouped, spreadsheet_number
from pipeline.reports.cells import HEAD, LINE, MUTED, Cells, text_width
from pipeline.reports.printing import print_setup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

#: points of a row, and of every further line in it; characters that a cell leaves free
_ROW_POINTS, _LINE_POINTS, _MARGIN = 24, 15, 3
_LEFT_HEADS = frozenset(
    {
        "",
        "class",
        "status",
        "equation",
        "terms",
        "kind",
        "meaning",
        "carrier",
        "carrier_or_name",
        "examples",
        "item",
        "cause",
    }
)


class SheetWriter:
    """A sheet of the workbook; ``row`` is the next free one."""

    def __init__(self, cells: Cells, name: str, widths: Sequence[float]) -> None:
        """Add the sheet ``report.sheet.<name>`` with columns of these widths."""
        self.cells = cells
        self.language = cells.language
        self.sheet: Worksheet = cells.workbook.add_worksheet(label(f"report.sheet.{name}", cells.language))
        self.last = len(widths) - 1
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width)
        print_setup(self.sheet, cells.footer)
        self.sheet.ignore_errors({"number_stored_as_text": f"A1:{xl_col_to_name(self.last)}100000"})
        self.row = 0

    def end(self) -> None:
        """Say what is printed, now that the last row is known."""
        self.sheet.print_area(0, 0, max(self.row - 1, 0), self.last)

    def title(self, text: str) -> None:
        """Write the first line."""
        self.sheet.set_row(self.row, 30)
        self.text(0, text, bold=True, font_size=16)
        self.row += 1

    def section(self, name: str) -> None:
        """Leave a row free and write the heading of a section."""
        self.row += 1
        self.sheet.set_row(self.row, 22)
        self.text(0, label(f"report.section.{name}", self.language), bold=True, font_size=12)
        self.row += 1

    def header(self, names: Sequence[str]) -> None:
        """Write the headings of a table, over the whole width of the sheet."""
        for column in range(self.last + 1):
            name = names[column] if column < len(names) else ""
            align = "center" if name == "check" else "left" if name in _LEFT_HEADS or column == 0 else "right"
            text = label(f"report.column.{name}", self.language) if name else ""
            # What it stands above is indented, too: it follows a number.
            indent = {"indent": 1} if name == "meaning" else {}
            self.text(column, text, bold=True, bg_color=HEAD, bottom=1, bottom_color=LINE, align=align, **indent)
        self.row += 1

    def note(self, text: str) -> None:
        """Write a line of explanation."""
        self.text(0, text, font_color=MUTED)
        self.row += 1

    def pair(self, name: str, text: str) -> None:
        """Write a name and its text."""
        self.text(0, name, font_color=MUTED)
        self.text(1, text)
        self.row += 1

    def text(self, column: int, text: str, **properties: object) -> None:
        """Write text into the current row."""
        self.cells.text(self.sheet, self.row, column, text, **properties)

    def wrapped(self, column: int, text: str, width: float) -> None:
        """Write text that may be longer than its column: the row becomes as high as its lines."""
        lines = -(-text_width(text) // int(width - _MARGIN))
        if lines > 1:
            self.sheet.set_row(self.row, _ROW_POINTS + _LINE_POINTS * (lines - 1))
        self.text(column, text, **({"text_wrap": True} if lines > 1 else {}))

    def count(self, column: int, number: int, **properties: object) -> None:
        """Write a count into the current row."""
        self.cells.count(self.sheet, self.row, column, number, **properties)

    def yen(self, column: int, amount: Decimal, style: Format | None = None) -> None:
        """Write an amount into the current row; ``style`` gives it as many decimals as its column has."""
        number = spreadsheet_number(amount)
        if number is None or style is None:
            self.cells.yen(self.sheet, self.row, column, amount)
        else:
            self.sheet.write_number(self.row, column, number, style)

    def total_name(self, name: str, last: int | None = None) -> None:
        """Begin the row of totals, with a line above it up to column ``last``."""
        self.text(0, name, bold=True, top=1)
        for column in range(1, (self.last if last is None else last) + 1):
            self.sheet.write_blank(self.row, column, None, self.cells.style(top=1))

    def sum_of_counts(self, column: int, top: int, numbers: Iterable[int]) -> None:
        """Write the sum of the counts from row ``top`` to the one above."""
        self._sum(column, top, sum(numbers), self.cells.style(num_format="#,##0", bold=True, top=1))

    def sum_of_yen(self, column: int, top: int, amounts: Sequence[Decimal], total: Decimal) -> None:
        """Write the sum of the amounts from row ``top`` to the one above."""
        number = spreadsheet_number(total)
        if number is None or any(spreadsheet_number(amount) is None for amount in amounts):
            # SUM leaves out what is text: a formula here would show another total than ours.
            self.text(column, grouped(total), bold=True, top=1, align="right")
        else:
            self._sum(column, top, number, self.cells.yen_style(total, *amounts, bold=True, top=1))

    def difference_of_yen(
        self,
        column: int,
        formula: str,
        parts: Sequence[Decimal],
        total: Decimal,
        *,
        alike: Sequence[Decimal] = (),
        **style: object,
    ) -> None:
        """Write a difference as a formula over cells that hold ``parts``, freed from what doubles add to it.

        It has as many decimals as ``parts``, and as ``alike``: what else stands in its column.
        """
        number = spreadsheet_number(total)
        if number is None or any(spreadsheet_number(part) is None for part in parts):
            self.text(column, grouped(total), align="right", **style)
            return
        places = max(decimal_places(amount) for amount in (total, *parts))
        shown = self.cells.yen_style(total, *parts, *alike, **style)
        self.sheet.write_formula(self.row, column, f"=ROUND({formula},{places})", shown, number)

    def exactness(self, amounts: Iterable[Decimal]) -> None:
        """Say why some amounts are text, where some are."""
        if any(spreadsheet_number(amount) is None for amount in amounts):
            self.note(label("report.too_exact", self.language))

    def cell(self, column: int, row: int | None = None) -> str:
        """Name a cell of the current row or of ``row``."""
        name: str = xl_rowcol_to_cell(self.row if row is None else row, column)
        return name

    def _sum(self, column: int, top: int, total: float, style: Format) -> None:
        if top == self.row:
            self.sheet.write_number(self.row, column, total, style)
            return
        cells = f"{xl_rowcol_to_cell(top, column)}:{xl_rowcol_to_cell(self.row - 1, column)}"
        self.sheet.write_formula(self.row, column, f"=SUM({cells})", style, total)
