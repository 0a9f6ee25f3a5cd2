"""The first sheet of the workbook: verdict, amount, statuses, control totals, differences by kind."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from xlsxwriter.utility import xl_rowcol_to_cell

from pipeline.messages import label
from pipeline.model import Break, BreakKind, Equation, MessageClass, Reconciliation
from pipeline.reports.amounts import exact_sum, grouped, share, spreadsheet_number
from pipeline.reports.cells import (
    BAD_FILL,
    BAD_INK,
    COLOURS,
    FONT,
    GOOD_FILL,
    GOOD_INK,
    HEAD,
    INK,
    LINE,
    MUTED,
    Cells,
)
from pipeline.reports.sheets import print_setup
from pipeline.reports.wording import (
    NONE,
    class_name,
    equation_name,
    equation_terms,
    headings,
    kind_meaning,
    kind_name,
    provenance,
    status_name,
    verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_WIDTHS = (30, 38, 14, 18, 14, 26)
_LAST = len(_WIDTHS) - 1
_CHART = {"width": 418, "height": 310}
_POINTS_A_LINE = 18
_TERMS_A_LINE = 36


def write_summary(cells: Cells, value: Reconciliation) -> None:
    """Write the summary as the workbook's first sheet.

    Every total is a formula over the cells above it, with our own total as its cached value: a reader
    that does not calculate shows what we computed, one that does must come to the same.
    """
    sheet = cells.workbook.add_worksheet(label("report.sheet.summary", cells.language))
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    print_setup(sheet, cells.footer)
    sheet.ignore_errors({"number_stored_as_text": "A1:F1000"})
    summary = _Summary(sheet, cells, value)
    summary.head()
    summary.amount()
    summary.classes()
    summary.statuses()
    summary.equations()
    summary.kinds()
    summary.foreign()
    summary.provenance()


class _Summary:
    """A sheet written from top to bottom; ``row`` is the next free one."""

    def __init__(self, sheet: Worksheet, cells: Cells, value: Reconciliation) -> None:
        self.sheet = sheet
        self.cells = cells
        self.language = cells.language
        self.value = value
        self.row = 0
        self.beside = 0  # where the chart begins, to the right of headings and amount

    def head(self) -> None:
        self.sheet.set_row(self.row, 30)
        self._text(0, label("report.title", self.language), bold=True, font_size=16)
        self.row += 1
        colours = (
            {"bg_color": GOOD_FILL, "font_color": GOOD_INK}
            if self.value.balanced
            else {"bg_color": BAD_FILL, "font_color": BAD_INK}
        )
        self.sheet.set_row(self.row, 26)
        self._text(0, verdict(self.value, self.language), bold=True, font_size=12, indent=1, **colours)
        for column in range(1, _LAST + 1):
            self.sheet.write_blank(self.row, column, None, self.cells.style(**colours))
        self.row += 2
        self.beside = self.row
        for name, text in headings(self.value, self.language):
            self._pair(name, text)
        if self.cells.unmask:
            self._text(0, label("report.unmasked", self.language), bold=True, font_color=BAD_INK)
        else:
            self._text(0, label("report.masked", self.language), font_color=MUTED)
        self.row += 1

    def amount(self) -> None:
        self._section("amount")
        top = self.row
        amount = self.value.amount
        for name, part in (("untaxed", amount.untaxed), ("tax", amount.tax)):
            self._text(0, label(f"report.amount.{name}", self.language))
            self.cells.yen(self.sheet, self.row, 1, part)
            self.row += 1
        self._total_name(label("report.amount.total", self.language), last=1)
        self._sum_of_yen(1, top, [amount.untaxed, amount.tax], amount.total)
        self.row += 1

    def classes(self) -> None:
        numbers = {name: number for name in MessageClass if (number := self.value.classes.get(name, 0))}
        self._section("classes")
        self._header(("class", "share", "messages"))
        top = self.row
        for name, number in numbers.items():
            self._text(0, class_name(name, self.language))
            self._text(1, share(number, self.value.messages), align="right")
            self.cells.count(self.sheet, self.row, 2, number)
            self.row += 1
        self._total_name(label("report.total", self.language))
        self._sum_of_counts(2, top, numbers.values())
        if numbers:
            self._chart(top, numbers)
        self.row += 1

    def statuses(self) -> None:
        lines = self.value.statuses
        self._section("statuses")
        self._header(("class", "status", "messages", "billable_messages", "billable_units", "amount"))
        top = self.row
        style = self.cells.yen_style(*(line.amount for line in lines))
        for line in lines:
            self._text(0, class_name(line.message_class, self.language))
            self._text(1, status_name(line.label))
            for column, number in enumerate((line.messages, line.billable_messages, line.billable_units), 2):
                self.cells.count(self.sheet, self.row, column, number)
            self._aligned_yen(5, line.amount, style)
            self.row += 1
        self._total_name(label("report.total", self.language))
        self._sum_of_counts(2, top, (line.messages for line in lines))
        self._sum_of_counts(3, top, (line.billable_messages for line in lines))
        self._sum_of_counts(4, top, (line.billable_units for line in lines))
        amounts = [line.amount for line in lines]
        self._sum_of_yen(5, top, amounts, exact_sum(amounts))
        self.row += 1
        if any(spreadsheet_number(amount) is None for amount in (*amounts, exact_sum(amounts))):
            self._text(0, label("report.too_exact", self.language), font_color=MUTED)
            self.row += 1

    def equations(self) -> None:
        self._section("equations")
        self._header(("equation", "terms", "left", "right", "difference", "check"))
        for equation in self.value.equations:
            self._equation(equation)

    def kinds(self) -> None:
        self._section("kinds")
        kinds = self.value.breaks_by_kind
        if not kinds:
            self._text(0, label("report.no_breaks", self.language))
            self.row += 1
            return
        self._header(("kind", "at_risk", "count", "meaning"))
        top = self.row
        at_risk = [_at_risk(self.value.breaks, kind) for kind in kinds]
        priced = [amount for amount in at_risk if amount is not None]
        style = self.cells.yen_style(*priced)
        for (kind, number), amount in zip(kinds.items(), at_risk, strict=True):
            self._text(0, kind_name(kind, self.language))
            if amount is None:
                self._text(1, NONE, align="right")
            else:
                self._aligned_yen(1, amount, style)
            self.cells.count(self.sheet, self.row, 2, number)
            wrapped = self.cells.style(text_wrap=True, font_color=MUTED, indent=1)
            self.sheet.merge_range(self.row, 3, self.row, _LAST, kind_meaning(kind, self.language), wrapped)
            self.sheet.set_row(self.row, _POINTS_A_LINE * 2)
            self.row += 1
        self._total_name(label("report.total", self.language))
        self._sum_of_yen(1, top, priced, exact_sum(priced))
        self._sum_of_counts(2, top, kinds.values())
        self.row += 1

    def foreign(self) -> None:
        foreign = self.value.foreign
        self._section("foreign")
        self._header(("unpriced", "", "messages", "billable_messages", "billable_units", "amount"))
        self.cells.count(self.sheet, self.row, 0, foreign.unpriced, align="left")
        for column, number in enumerate((foreign.messages, foreign.billable_messages, foreign.billable_units), 2):
            self.cells.count(self.sheet, self.row, column, number)
        self.cells.yen(self.sheet, self.row, 5, foreign.amount)
        self.row += 1

    def provenance(self) -> None:
        self._section("provenance")
        for name, text in provenance(self.value, self.language):
            self._pair(name, text)

    def _equation(self, equation: Equation) -> None:
        terms = equation_terms(equation, self.language)
        lines = -(-_width(terms) // _TERMS_A_LINE)
        self.sheet.set_row(self.row, max(_POINTS_A_LINE, (_POINTS_A_LINE - 3) * lines))
        self._text(0, equation_name(equation, self.language))
        self._text(1, terms, text_wrap=True)
        self.cells.count(self.sheet, self.row, 2, equation.total)
        # The terms stand in the formula, so that the cell shows how its value came about.
        right = sum(equation.terms.values())
        formula = "=" + ("+".join(map(str, equation.terms.values())) or "0")
        number = self.cells.style(num_format="#,##0;-#,##0;0")
        self.sheet.write_formula(self.row, 3, formula, number, right)
        left_cell, right_cell = self._cell(2), self._cell(3)
        self.sheet.write_formula(self.row, 4, f"={left_cell}-{right_cell}", number, equation.total - right)
        holds, fails = (f"{mark} {label(code, self.language)}" for mark, code in _CHECKS)
        colour = GOOD_INK if equation.holds else BAD_INK
        self.sheet.write_formula(
            self.row,
            5,
            f'=IF({left_cell}={right_cell},"{holds}","{fails}")',
            self.cells.style(bold=True, align="center", font_color=colour),
            holds if equation.holds else fails,
        )
        self.row += 1

    def _chart(self, top: int, numbers: dict[MessageClass, int]) -> None:
        chart = self.cells.workbook.add_chart({"type": "bar"})
        name, bottom = self.sheet.get_name(), top + len(numbers) - 1
        font = {"name": FONT, "size": 9, "color": INK}
        room = max(numbers.values()) * 1.2  # for the number behind the longest bar
        chart.add_series(
            {
                "name": label("report.column.messages", self.language),
                "categories": [name, top, 0, bottom, 0],
                "values": [name, top, 2, bottom, 2],
                # Rows are gone once streamed: without these a reader that does not calculate has no bars.
                "categories_data": [class_name(each, self.language) for each in numbers],
                "values_data": list(numbers.values()),
                "points": [{"fill": {"color": COLOURS[each]}} for each in numbers],
                "data_labels": {"value": True, "num_format": "#,##0", "font": font},
                "gap": 40,
            }
        )
        title = label("report.section.classes", self.language)
        chart.set_title({"name": title, "name_font": {**font, "size": 10}})
        chart.set_legend({"none": True})
        chart.set_y_axis({"reverse": True, "num_font": font, "line": {"color": LINE}, "major_tick_mark": "none"})
        chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}, "min": 0, "max": room})
        chart.set_chartarea({"border": {"color": LINE}})
        chart.set_size(_CHART)
        described = ", ".join(
            f"{class_name(each, self.language)} {grouped(Decimal(number))}" for each, number in numbers.items()
        )
        self.sheet.insert_chart(self.beside, 3, chart, {"description": described})

    def _section(self, name: str) -> None:
        self.row += 1
        self.sheet.set_row(self.row, 22)
        self._text(0, label(f"report.section.{name}", self.language), bold=True, font_size=12)
        self.row += 1

    def _header(self, names: Sequence[str]) -> None:
        left = {"", "class", "status", "equation", "terms", "kind", "meaning"}
        for column in range(_LAST + 1):
            name = names[column] if column < len(names) else ""
            align = "center" if name == "check" else "left" if name in left or column == 0 else "right"
            text = label(f"report.column.{name}", self.language) if name else ""
            self._text(column, text, bold=True, bg_color=HEAD, bottom=1, bottom_color=LINE, align=align)
        self.row += 1

    def _pair(self, name: str, text: str) -> None:
        self._text(0, name, font_color=MUTED)
        self._text(1, text)
        self.row += 1

    def _text(self, column: int, text: str, **properties: object) -> None:
        self.cells.text(self.sheet, self.row, column, text, **properties)

    def _total_name(self, name: str, last: int = _LAST) -> None:
        """Begin the row of totals, with a line above it up to column ``last``."""
        self._text(0, name, bold=True, top=1)
        for column in range(1, last + 1):
            self.sheet.write_blank(self.row, column, None, self.cells.style(top=1))

    def _aligned_yen(self, column: int, amount: Decimal, style: Format) -> None:
        """Write an amount with as many decimals as its column has."""
        number = spreadsheet_number(amount)
        if number is None:
            self.cells.yen(self.sheet, self.row, column, amount)
        else:
            self.sheet.write_number(self.row, column, number, style)

    def _sum_of_counts(self, column: int, top: int, numbers: Iterable[int]) -> None:
        self._sum(column, top, sum(numbers), self.cells.style(num_format="#,##0", bold=True, top=1))

    def _sum_of_yen(self, column: int, top: int, amounts: Sequence[Decimal], total: Decimal) -> None:
        number = spreadsheet_number(total)
        if number is None or any(spreadsheet_number(amount) is None for amount in amounts):
            # SUM leaves out what is text: a formula here would show another total than ours.
            self._text(column, grouped(total), bold=True, top=1, align="right")
        else:
            self._sum(column, top, number, self.cells.yen_style(total, *amounts, bold=True, top=1))

    def _sum(self, column: int, top: int, total: float, style: Format) -> None:
        """Write the sum over the rows from ``top`` to the one above, with ``total`` as its cached value."""
        if top == self.row:
            self.sheet.write_number(self.row, column, total, style)
            return
        cells = f"{xl_rowcol_to_cell(top, column)}:{xl_rowcol_to_cell(self.row - 1, column)}"
        self.sheet.write_formula(self.row, column, f"=SUM({cells})", style, total)

    def _cell(self, column: int) -> str:
        cell: str = xl_rowcol_to_cell(self.row, column)
        return cell


_CHECKS = (("✓", "report.holds"), ("✗", "report.fails"))


def _at_risk(breaks: Sequence[Break], kind: BreakKind) -> Decimal | None:
    """Add up what is at risk; None and not 0 where no difference of the kind has a price."""
    amounts = [found.at_risk for found in breaks if found.kind is kind and found.at_risk is not None]
    return exact_sum(amounts) if amounts else None


def _width(text: str) -> int:
    """Measure ``text`` in half-width characters: Japanese ones count two."""
    return sum(1 + (not character.isascii()) for character in text)
