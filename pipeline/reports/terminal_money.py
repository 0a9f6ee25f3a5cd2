"""The money of a month on a terminal: what it should be invoiced at, what is invoiced, what has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from pipeline.messages import Language, label
from pipeline.reports.amounts import count, grouped, yen
from pipeline.reports.terminal_tables import section, sums, table
from pipeline.reports.wording import (
    NONE,
    bill_caption,
    bill_lines,
    cause_name,
    examples,
    invoice_caption,
    invoice_item,
    invoice_row,
    subject_name,
    variance_lines,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from pipeline.model import Bill, Reconciliation, Restatement, Variance


def money_lines(value: Reconciliation, language: Language) -> list[RenderableType]:
    """Return what a month has beyond a batch: bill, invoice, restatements."""
    parts: list[RenderableType] = []
    if value.bill is not None:
        parts += _bill(value.bill, language)
    if value.variance is not None:
        parts += _variance(value.variance, language)
    if value.restatements:
        parts += _restatements(value.restatements, language)
    return parts


def _bill(bill: Bill, language: Language) -> list[RenderableType]:
    lines = [(name, yen(amount, language)) for name, amount in bill_lines(bill, language)]
    lines.append((label("report.bill.total", language), yen(bill.total, language)))
    return [section("bill", language), sums(lines), Text(bill_caption(bill, language), style="dim")]


def _variance(variance: Variance, language: Language) -> list[RenderableType]:
    shown = table()
    shown.add_column(Text(label("report.short.line", language)), justify="right", no_wrap=True)
    shown.add_column(Text(label("report.short.item", language)), overflow="fold")
    for name in ("invoiced", "counted", "invoiced_amount", "counted_amount", "amount_difference"):
        shown.add_column(Text(label(f"report.short.{name}", language)), justify="right", no_wrap=True)
    for line in variance.lines:
        shown.add_row(
            Text(invoice_row(line)),
            Text(invoice_item(line, language)),
            Text(NONE if line.invoiced is None else count(line.invoiced)),
            Text(count(line.counted)),
            Text(grouped(line.invoiced_amount)),
            Text(grouped(line.counted_amount)),
            Text(grouped(line.difference)),
        )
    amounts = [
        (label("report.variance.invoiced", language), variance.invoiced),
        (label("report.variance.counted", language), variance.counted),
        (label("report.variance.difference", language), variance.difference),
        *((f"- {name}", amount) for name, amount in variance_lines(variance, language)),
        (label("report.variance.unexplained", language), variance.unexplained),
    ]
    return [
        section("invoice", language),
        Text(invoice_caption(variance, language), style="dim"),
        shown,
        section("variance", language),
        sums([(name, yen(amount, language)) for name, amount in amounts]),
    ]


def _restatements(restatements: Sequence[Restatement], language: Language) -> list[RenderableType]:
    shown = table()
    # In one column: the smsids below need its width.
    of, why = (label(f"report.column.{name}", language) for name in ("subject", "cause"))
    shown.add_column(Text(label("report.pair", language, name=of, text=why)), overflow="fold")
    for name in ("messages", "before", "after", "difference"):
        shown.add_column(Text(label(f"report.short.{name}", language)), justify="right", no_wrap=True)
    for found in restatements:
        of, why = subject_name(found.subject, language), cause_name(found.cause, language)
        said = label("report.pair", language, name=of, text=why)
        shown.add_row(
            Text(f"{said}\n{examples(found)}".rstrip()),
            Text(count(found.messages)),
            Text(grouped(found.before)),
            Text(grouped(found.after)),
            Text(grouped(found.difference)),
        )
    return [section("restatements", language), shown]
