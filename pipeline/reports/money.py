"""The sheet of a month's money: what it should be invoiced at, what is invoiced, what has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.messages import label
from pipeline.reports.amounts import exact_sum
from pipeline.reports.cells import BAD_INK, GOOD_INK
from pipeline.reports.wording import (
    bill_caption,
    bill_lines,
    cause_name,
    examples,
    invoice_caption,
    invoice_row,
    message_kind,
    outside,
    subject_name,
    variance_lines,
)
from pipeline.reports.writing import SheetWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from pipeline.model import Bill, Reconciliation, Restatement, Variance
    from pipeline.reports.cells import Cells

_WIDTHS = (42, 22, 12, 16, 12, 12, 20, 20, 20)


def write_money(cells: Cells, value: Reconciliation) -> None:
    """Write bill, invoice and restatements of a month, as far as it has them."""
    if value.bill is None and value.variance is None and not value.restatements:
        return
    sheet = _Money(cells, "bill", _WIDTHS)
    sheet.title(label("report.sheet.bill", cells.language))
    if value.bill is not None:
        sheet.bill(value.bill)
    if value.variance is not None:
        sheet.invoice(value.variance)
        sheet.variance(value.variance)
    if value.restatements:
        sheet.restatements(value.restatements)
    sheet.end()


class _Money(SheetWriter):
    def bill(self, bill: Bill) -> None:
        self.section("bill")
        lines = bill_lines(bill, self.language)
        amounts = [amount for _, amount in lines]
        top = self.row
        self._amounts(lines)
        self.total_name(label("report.bill.total", self.language), last=1)
        self.sum_of_yen(1, top, amounts, bill.total)
        self.row += 1
        self.note(bill_caption(bill, self.language))
        self.exactness((*amounts, bill.total))

    def invoice(self, variance: Variance) -> None:
        self.section("invoice")
        self.note(invoice_caption(variance, self.language))
        names = ("item", "carrier_or_name", "line", "unit_price", "invoiced", "counted")
        self.header((*names, "invoiced_amount", "counted_amount", "amount_difference"))
        top = self.row
        columns = [
            [line.invoiced_amount for line in variance.lines],
            [line.counted_amount for line in variance.lines],
            [line.difference for line in variance.lines],
        ]
        style = self.cells.yen_style(*(amount for column in columns for amount in column))
        for line in variance.lines:
            self.text(0, message_kind(line.kind, self.language))
            self.text(1, outside(line.carrier))
            self.text(2, invoice_row(line), align="right")
            if line.unit_price is not None:
                self.yen(3, line.unit_price)
            if line.invoiced is not None:
                self.count(4, line.invoiced)
            self.count(5, line.counted)
            self.yen(6, line.invoiced_amount, style)
            self.yen(7, line.counted_amount, style)
            parts = (line.invoiced_amount, line.counted_amount)
            self.difference_of_yen(8, f"{self.cell(6)}-{self.cell(7)}", parts, line.difference, alike=columns[2])
            self.row += 1
        self.total_name(label("report.total", self.language))
        for column, amounts in enumerate(columns, 6):
            self.sum_of_yen(column, top, amounts, exact_sum(amounts))
        self.row += 1

    def variance(self, variance: Variance) -> None:
        self.section("variance")
        top = self.row
        self._amounts(
            [
                (label("report.variance.invoiced", self.language), variance.invoiced),
                (label("report.variance.counted", self.language), variance.counted),
            ]
        )
        both = (variance.invoiced, variance.counted)
        self.total_name(label("report.variance.difference", self.language), last=1)
        difference = f"{self.cell(1, top)}-{self.cell(1, top + 1)}"
        self.difference_of_yen(1, difference, both, variance.difference, bold=True, top=1)
        whole = self.cell(1)
        self.row += 1
        first = self.row
        explained = variance_lines(variance, self.language)
        self._amounts(explained)
        colour = BAD_INK if variance.unexplained else GOOD_INK
        self.text(0, label("report.variance.unexplained", self.language), bold=True, top=1, font_color=colour)
        parts = (variance.difference, *(amount for _, amount in explained))
        left = f"{whole}-SUM({self.cell(1, first)}:{self.cell(1, self.row - 1)})" if explained else whole
        self.difference_of_yen(1, left, parts, variance.unexplained, bold=True, top=1, font_color=colour)
        self.row += 1
        self.note(label("report.caption.variance", self.language))
        self.exactness((*both, *parts, variance.unexplained))

    def restatements(self, restatements: Sequence[Restatement]) -> None:
        self.section("restatements")
        self.note(label("report.caption.restatements", self.language))
        self.header(("cause", "subject", "examples", "", "", "messages", "before", "after", "amount_difference"))
        top = self.row
        columns = [
            [found.before for found in restatements],
            [found.after for found in restatements],
            [found.difference for found in restatements],
        ]
        style = self.cells.yen_style(*(amount for column in columns for amount in column))
        for found in restatements:
            self.text(0, cause_name(found.cause, self.language))
            self.text(1, subject_name(found.subject, self.language))
            self.text(2, examples(found))
            self.count(5, found.messages)
            self.yen(6, found.before, style)
            self.yen(7, found.after, style)
            parts = (found.before, found.after)
            self.difference_of_yen(8, f"{self.cell(7)}-{self.cell(6)}", parts, found.difference, alike=columns[2])
            self.row += 1
        self.total_name(label("report.total", self.language))
        self.sum_of_counts(5, top, (found.messages for found in restatements))
        for column, amounts in enumerate(columns, 6):
            self.sum_of_yen(column, top, amounts, exact_sum(amounts))
        self.row += 1

    def _amounts(self, lines: Sequence[tuple[str, Decimal]]) -> None:
        style = self.cells.yen_style(*(amount for _, amount in lines))
        for name, amount in lines:
            self.text(0, name)
            self.yen(1, amount, style)
            self.row += 1
