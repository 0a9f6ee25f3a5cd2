"""The reconciliation on a terminal: 80 columns, readable without colour, numbers masked."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipeline.messages import Language, label
from pipeline.reports.amounts import count, exact_sum, grouped, yen
from pipeline.reports.privacy import hidden, visible
from pipeline.reports.wording import (
    NONE,
    break_details,
    class_name,
    equation_name,
    equation_terms,
    headings,
    kind_name,
    shown_of,
    status_name,
    verdict,
)

if TYPE_CHECKING:
    from pipeline.model import ForeignLine, Reconciliation

#: differences listed one by one; the workbook and the JSON document hold all
BREAKS_SHOWN = 12

_GOOD, _BAD = "bold green", "bold red"


def reconciliation_lines(value: Reconciliation, language: Language) -> Group:
    """Return the reconciliation as a rich renderable, which the command line prints.

    Every cell is a ``Text``: a plain string would be read as rich markup, and labels come from outside.
    """
    parts: list[RenderableType] = [
        Text(verdict(value, language), style=_GOOD if value.balanced else _BAD),
        _pairs(headings(value, language)),
        _section("statuses", language),
        _statuses(value, language),
        _section("equations", language),
        _equations(value, language),
        _section("amount", language),
        _amount(value, language),
    ]
    if value.foreign.messages:
        parts += [_section("foreign", language), _foreign(value.foreign, language)]
    if value.breaks:
        parts += [_section("kinds", language), _kinds(value, language)]
        parts += [_section("breaks", language), _breaks(value, language)]
        if more := shown_of(min(BREAKS_SHOWN, len(value.breaks)), len(value.breaks), language):
            parts.append(Padding(Text(more, style="dim"), (0, 0, 0, 1)))
    return Group(*parts)


def _section(name: str, language: Language) -> RenderableType:
    return Padding(Text(label(f"report.section.{name}", language), style="bold"), (1, 0, 0, 0))


def _table(*, header: bool = True, footer: bool = False) -> Table:
    return Table(
        box=box.SIMPLE_HEAD,
        show_header=header,
        show_footer=footer,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
        header_style="",
        footer_style="bold",
    )


def _pairs(pairs: list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, text in pairs:
        table.add_row(Text(name, style="dim"), Text(text, overflow="fold"))
    return table


def _statuses(value: Reconciliation, language: Language) -> Table:
    table = _table(footer=True)
    table.add_column(
        Text(label("report.column.class", language)), Text(label("report.total", language)), overflow="fold"
    )
    table.add_column(Text(label("report.column.status", language)), overflow="fold")
    totals = {
        "messages": count(sum(line.messages for line in value.statuses)),
        "billable_messages": count(value.billable_messages),
        "billable_units": count(value.billable_units),
        "amount": grouped(exact_sum(line.amount for line in value.statuses)),
    }
    for name, total in totals.items():
        heading = Text(label(f"report.short.{name}", language))
        table.add_column(heading, Text(total), justify="right", no_wrap=True)
    for line in value.statuses:
        table.add_row(
            Text(class_name(line.message_class, language)),
            Text(status_name(line.label)),
            Text(count(line.messages)),
            Text(count(line.billable_messages)),
            Text(count(line.billable_units)),
            Text(grouped(line.amount)),
        )
    return table


def _equations(value: Reconciliation, language: Language) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for equation in value.equations:
        code, sign, style = ("holds", "=", _GOOD) if equation.holds else ("fails", "≠", _BAD)
        table.add_row(
            Text(label(f"report.{code}", language), style=style),
            Text(equation_name(equation, language)),
            Text(count(equation.total)),
            Text(f"{sign} {equation_terms(equation, language)}"),
        )
    return table


def _amount(value: Reconciliation, language: Language) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    for name in ("untaxed", "tax", "total"):
        style = "bold" if name == "total" else ""
        amount = yen(getattr(value.amount, name), language)
        table.add_row(Text(label(f"report.amount.{name}", language), style=style), Text(amount, style=style))
    return table


def _foreign(foreign: ForeignLine, language: Language) -> Table:
    pairs = [
        (label("report.column.messages", language), count(foreign.messages)),
        (label("report.column.billable_messages", language), count(foreign.billable_messages)),
        (label("report.column.billable_units", language), count(foreign.billable_units)),
        (label("report.column.amount", language), grouped(foreign.amount)),
        (label("report.column.unpriced", language), count(foreign.unpriced)),
    ]
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    for name, number in pairs:
        table.add_row(Text(name), Text(number))
    return table


def _kinds(value: Reconciliation, language: Language) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    for kind, number in value.breaks_by_kind.items():
        table.add_row(Text(kind_name(kind, language)), Text(count(number)))
    return table


def _breaks(value: Reconciliation, language: Language) -> Table:
    table = _table()
    for name in ("kind", "smsid", "details"):
        table.add_column(Text(label(f"report.column.{name}", language)), overflow="fold")
    table.add_column(Text(label("report.short.at_risk", language)), justify="right", no_wrap=True)
    for found in islice(value.breaks, BREAKS_SHOWN):
        table.add_row(
            Text(kind_name(found.kind, language)),
            Text(visible(hidden(found.smsid))),
            Text(break_details(found, language) or NONE),
            Text(NONE if found.at_risk is None else grouped(found.at_risk)),
        )
    return table
