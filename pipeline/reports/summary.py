"""The first sheet of the workbook: verdict, alarm, amount, statuses, control totals, differences by kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.messages import label
from pipeline.model import Break, BreakKind, Dimension, Equation, MessageClass, Reconciliation
from pipeline.reports.amounts import exact_sum, share
from pipeline.reports.cells import (
    BAD_FILL,
    BAD_INK,
    COLOURS,
    GOOD_FILL,
    GOOD_INK,
    HEAD,
    LOOK_FILL,
    LOOK_INK,
    MUTED,
    Cells,
    text_width,
)
from pipeline.reports.charts import bar_chart
from pipeline.reports.verdict import orphan_alarm, tone, verdict
from pipeline.reports.wording import (
    NONE,
    class_name,
    equation_name,
    equation_terms,
    group_name,
    headings,
    kind_meaning,
    kind_name,
    message_kind,
    status_name,
    unmapped_lines,
)
from pipeline.reports.writing import SheetWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

_WIDTHS = (30, 38, 14, 18, 14, 26)
_TONES = {
    "good": {"bg_color": GOOD_FILL, "font_color": GOOD_INK},
    "look": {"bg_color": LOOK_FILL, "font_color": LOOK_INK},
    "bad": {"bg_color": BAD_FILL, "font_color": BAD_INK},
    "open": {"bg_color": HEAD},
}
_CHART = (418, 310)
_POINTS_A_LINE = 18
_TERMS_A_LINE = 36


def write_summary(cells: Cells, value: Reconciliation) -> None:
    """Write the summary as the workbook's first sheet."""
    summary = _Summary(cells, value)
    summary.head()
    summary.amount()
    summary.classes()
    summary.statuses()
    summary.equations()
    summary.kinds()
    summary.foreign()
    summary.unmapped()
    summary.end()


class _Summary(SheetWriter):
    def __init__(self, cells: Cells, value: Reconciliation) -> None:
        super().__init__(cells, "summary", _WIDTHS)
        self.value = value
        self.beside = 0  # where the chart begins, to the right of headings and amount

    def head(self) -> None:
        self.title(label("report.title", self.language))
        colours = _TONES[tone(self.value)]
        sentence = verdict(self.value, self.language)
        lines = -(
            -text_width(sentence) // (sum(_WIDTHS) * 5 // 6)
        )  # the sentence is written larger than the columns count
        self._banner(sentence, 8 + 18 * int(lines), bold=True, font_size=12, **colours)
        self._alarm()
        self.row += 1
        self.beside = self.row
        for name, text in headings(self.value, self.language):
            self.pair(name, text)
        if self.cells.unmask:
            self.text(0, label("report.unmasked", self.language), bold=True, font_color=BAD_INK)
        else:
            self.text(0, label("report.masked", self.language), font_color=MUTED)
        self.row += 1

    def amount(self) -> None:
        self.section("amount")
        top = self.row
        amount = self.value.amount
        style = self.cells.yen_style(amount.untaxed, amount.tax, amount.total)
        for name, part in (("untaxed", amount.untaxed), ("tax", amount.tax)):
            self.text(0, label(f"report.amount.{name}", self.language))
            self.yen(1, part, style)
            self.row += 1
        self.total_name(label("report.amount.total", self.language), last=1)
        self.sum_of_yen(1, top, [amount.untaxed, amount.tax], amount.total)
        self.row += 1

    def classes(self) -> None:
        numbers = {name: number for name in MessageClass if (number := self.value.classes.get(name, 0))}
        # The chart stands beside all of this, and the next table is as wide as the sheet.
        self.row = max(self.row, self.beside + _CHART[1] // 24 - len(numbers) - 2)
        self.section("classes")
        self.header(("class", "share", "messages"))
        top = self.row
        for name, number in numbers.items():
            self.text(0, class_name(name, self.language))
            self.text(1, share(number, self.value.messages), align="right")
            self.count(2, number)
            self.row += 1
        self.total_name(label("report.total", self.language))
        self.sum_of_counts(2, top, numbers.values())
        if numbers:
            bar_chart(
                self.cells,
                self.sheet,
                label("report.section.classes", self.language),
                rows=(top, top + len(numbers) - 1),
                columns=(0, 2),
                names=[class_name(each, self.language) for each in numbers],
                numbers=list(numbers.values()),
                at=(self.beside, 3),
                size=_CHART,
                colours=[COLOURS[each] for each in numbers],
            )
        self.row += 1

    def statuses(self) -> None:
        lines = self.value.statuses
        self.section("statuses")
        self.header(("class", "status", "messages", "billable_messages", "billable_units", "amount"))
        top = self.row
        style = self.cells.yen_style(*(line.amount for line in lines))
        for line in lines:
            self.text(0, class_name(line.message_class, self.language))
            self.text(1, status_name(line, self.value.meanings, self.language))
            for column, number in enumerate((line.messages, line.billable_messages, line.billable_units), 2):
                self.count(column, number)
            self.yen(5, line.amount, style)
            self.row += 1
        self.total_name(label("report.total", self.language))
        self.sum_of_counts(2, top, (line.messages for line in lines))
        self.sum_of_counts(3, top, (line.billable_messages for line in lines))
        self.sum_of_counts(4, top, (line.billable_units for line in lines))
        amounts = [line.amount for line in lines]
        self.sum_of_yen(5, top, amounts, exact_sum(amounts))
        self.row += 1
        self.exactness((*amounts, exact_sum(amounts)))

    def equations(self) -> None:
        self.section("equations")
        self.header(("equation", "terms", "left", "right", "difference", "check"))
        for equation in self.value.equations:
            self._equation(equation)

    def kinds(self) -> None:
        self.section("kinds")
        kinds = self.value.breaks_by_kind
        if not kinds:
            self.text(0, label("report.no_breaks", self.language))
            self.row += 1
            return
        self.header(("kind", "at_risk", "count", "meaning"))
        top = self.row
        at_risk = [_at_risk(self.value.breaks, kind) for kind in kinds]
        priced = [amount for amount in at_risk if amount is not None]
        style = self.cells.yen_style(*priced)
        for (kind, number), amount in zip(kinds.items(), at_risk, strict=True):
            self.text(0, kind_name(kind, self.language))
            if amount is None:
                self.text(1, NONE, align="right")
            else:
                self.yen(1, amount, style)
            self.count(2, number)
            wrapped = self.cells.style(text_wrap=True, font_color=MUTED, indent=1)
            self.sheet.merge_range(self.row, 3, self.row, self.last, kind_meaning(kind, self.language), wrapped)
            self.sheet.set_row(self.row, _POINTS_A_LINE * 2)
            self.row += 1
        self.total_name(label("report.total", self.language))
        self.sum_of_yen(1, top, priced, exact_sum(priced))
        self.sum_of_counts(2, top, kinds.values())
        self.row += 1

    def foreign(self) -> None:
        foreign = self.value.foreign
        self.section("foreign")
        self.header(("unpriced", "", "messages", "billable_messages", "billable_units", "amount"))
        self.count(0, foreign.unpriced, align="left")
        for column, number in enumerate((foreign.messages, foreign.billable_messages, foreign.billable_units), 2):
            self.count(column, number)
        self.yen(5, foreign.amount)
        self.row += 1
        if not foreign.groups:
            return
        self.header(("carrier", "message_kind", "parts", "billable_messages", "", "price"))
        style = self.cells.yen_style(*(group.amount for group in foreign.groups if group.amount is not None))
        for group in foreign.groups:
            self.text(0, group_name(Dimension.CARRIER, group.carrier, self.language))
            self.text(1, message_kind(group.kind, self.language), align="right")
            self.count(2, group.parts)
            self.count(3, group.messages)
            if group.amount is None:
                self.text(5, label("report.no_price", self.language), align="right")
            else:
                self.yen(5, group.amount, style)
            self.row += 1

    def unmapped(self) -> None:
        lines = unmapped_lines(self.value, self.language)
        if not lines:
            return
        self.section("unmapped")
        self.note(label("report.unmapped.why", self.language))
        for line in lines:
            self.text(0, line)
            self.row += 1

    def _alarm(self) -> None:
        alarm = orphan_alarm(self.value, self.language)
        if alarm is None:
            return
        title, why, causes = alarm
        colours = {"bg_color": BAD_FILL, "font_color": BAD_INK}
        self._banner(title, 24, bold=True, **colours)
        self._banner(why, 20, **colours)
        for number, cause in enumerate(causes, 1):
            self._banner(f"{number}. {cause}", 20, **colours)

    def _banner(self, text: str, height: float, **properties: object) -> None:
        """Write a line of text over the whole width."""
        self.sheet.set_row(self.row, height)
        style = self.cells.style(num_format="@", indent=1, text_wrap=True, **properties)
        self.sheet.merge_range(self.row, 0, self.row, self.last, "", style)
        self.text(0, text, indent=1, text_wrap=True, **properties)
        self.row += 1

    def _equation(self, equation: Equation) -> None:
        terms = equation_terms(equation, self.language)
        lines = -(-text_width(terms) // _TERMS_A_LINE)
        self.sheet.set_row(self.row, max(_POINTS_A_LINE, (_POINTS_A_LINE - 3) * lines))
        self.text(0, equation_name(equation, self.language))
        self.text(1, terms, text_wrap=True)
        self.count(2, equation.total)
        # The terms stand in the formula, so that the cell shows how its value came about.
        right = sum(equation.terms.values())
        formula = "=" + ("+".join(map(str, equation.terms.values())) or "0")
        number = self.cells.style(num_format="#,##0;-#,##0;0")
        self.sheet.write_formula(self.row, 3, formula, number, right)
        left_cell, right_cell = self.cell(2), self.cell(3)
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


_CHECKS = (("✓", "report.holds"), ("✗", "report.fails"))


def _at_risk(breaks: Sequence[Break], kind: BreakKind) -> Decimal | None:
    """Add up what is at risk; None and not 0 where no difference of the kind has a price."""
    amounts = [found.at_risk for found in breaks if found.kind is kind and found.at_risk is not None]
    return exact_sum(amounts) if amounts else None
