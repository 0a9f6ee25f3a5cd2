"""The reconciliation on a terminal: 80 columns, readable without colour, numbers masked."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipeline.messages import Language, label
from pipeline.model import Dimension
from pipeline.reports.amounts import count, exact_sum, grouped, yen
from pipeline.reports.terminal_money import money_lines
from pipeline.reports.terminal_tables import pairs, section, table
from pipeline.reports.verdict import orphan_alarm, to_look_at, tone, verdict
from pipeline.reports.wording import (
    NONE,
    break_details,
    class_name,
    equation_name,
    equation_terms,
    group_name,
    headings,
    kind_name,
    outside,
    shown_of,
    status_name,
    unmapped_lines,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model import ForeignLine, GroupLine, Reconciliation

#: differences listed one by one, and groups of a dimension; the workbook and the JSON document hold all
BREAKS_SHOWN = 12
GROUPS_SHOWN = 20

_DIVIDES = 2

_GOOD, _BAD = "bold green", "bold red"
_TONES = {"good": _GOOD, "look": "bold yellow", "bad": _BAD, "open": "bold"}


def reconciliation_lines(value: Reconciliation, language: Language) -> Group:
    """Return the reconciliation as a rich renderable, which the command line prints.

    Every cell is a ``Text``: a plain string would be read as rich markup, and labels come from outside.
    """
    parts: list[RenderableType] = [
        Text(verdict(value, language), style=_TONES[tone(value)]),
        *_alarm(value, language),
        pairs(headings(value, language)),
        section("statuses", language),
        _statuses(value, language),
    ]
    for dimension in (Dimension.CAMPAIGN, Dimension.COST_CENTRE, Dimension.CARRIER):
        parts += _groups(dimension, value.groups.get(dimension, ()), language)
    parts += [section("equations", language), _equations(value, language)]
    parts += [section("amount", language), _amount(value, language)]
    parts += money_lines(value, language)
    if value.foreign.messages:
        parts += [section("foreign", language), _foreign(value.foreign, language)]
    if value.breaks:
        parts += [section("kinds", language), _kinds(value, language)]
        parts += [section("breaks", language), _breaks(value, language)]
        parts += _more(BREAKS_SHOWN, len(value.breaks), language)
    parts += _unmapped(value, language)
    if found := to_look_at(value, language):
        parts.append(Padding(Text(found, style=_TONES[tone(value)]), (1, 0, 0, 0)))
    return Group(*parts)


def _alarm(value: Reconciliation, language: Language) -> list[RenderableType]:
    alarm = orphan_alarm(value, language)
    if alarm is None:
        return []
    title, why, causes = alarm
    numbered = Table.grid(padding=(0, 1))
    for number, cause in enumerate(causes, 1):
        numbered.add_row(Text(f"{number}."), Text(cause, overflow="fold"))
    return [Padding(Text(title, style=_BAD), (1, 0, 0, 0)), Text(why), Padding(numbered, (0, 0, 1, 1))]


def _unmapped(value: Reconciliation, language: Language) -> list[RenderableType]:
    lines = unmapped_lines(value, language)
    if not lines:
        return []
    toml = Text("\n".join(lines), overflow="fold")
    return [section("unmapped", language), Text(label("report.unmapped.why", language)), Padding(toml, (0, 0, 0, 2))]


def _more(limit: int, total: int, language: Language) -> list[RenderableType]:
    more = shown_of(min(limit, total), total, language)
    return [Padding(Text(more, style="dim"), (0, 0, 0, 1))] if more else []


def _groups(dimension: Dimension, lines: Sequence[GroupLine], language: Language) -> list[RenderableType]:
    """Show a dimension that divides anything."""
    if len(lines) < _DIVIDES:
        return []
    shown = table(footer=True)
    shown.add_column(
        Text(label(f"report.column.{dimension}", language)), Text(label("report.total", language)), overflow="fold"
    )
    totals = {
        "messages": count(sum(line.messages for line in lines)),
        "delivered": count(sum(line.delivered for line in lines)),
        "failed": count(sum(line.failed for line in lines)),
        "billable_messages": count(sum(line.billable_messages for line in lines)),
        "billable_units": count(sum(line.billable_units for line in lines)),
        "amount": grouped(exact_sum(line.amount for line in lines)),
    }
    for name, total in totals.items():
        shown.add_column(Text(label(f"report.short.{name}", language)), Text(total), justify="right", no_wrap=True)
    for line in islice(lines, GROUPS_SHOWN):
        shown.add_row(
            Text(group_name(dimension, line.name, language)),
            Text(count(line.messages)),
            Text(count(line.delivered)),
            Text(count(line.failed)),
            Text(count(line.billable_messages)),
            Text(count(line.billable_units)),
            Text(grouped(line.amount)),
        )
    return [section(dimension.value, language), shown, *_more(GROUPS_SHOWN, len(lines), language)]


def _statuses(value: Reconciliation, language: Language) -> Table:
    shown = table(footer=True)
    shown.add_column(
        Text(label("report.column.class", language)), Text(label("report.total", language)), overflow="fold"
    )
    shown.add_column(Text(label("report.column.status", language)), overflow="fold")
    totals = {
        "messages": count(sum(line.messages for line in value.statuses)),
        "billable_messages": count(value.billable_messages),
        "billable_units": count(value.billable_units),
        "amount": grouped(exact_sum(line.amount for line in value.statuses)),
    }
    for name, total in totals.items():
        heading = Text(label(f"report.short.{name}", language))
        shown.add_column(heading, Text(total), justify="right", no_wrap=True)
    for line in value.statuses:
        shown.add_row(
            Text(class_name(line.message_class, language)),
            Text(status_name(line, value.meanings, language)),
            Text(count(line.messages)),
            Text(count(line.billable_messages)),
            Text(count(line.billable_units)),
            Text(grouped(line.amount)),
        )
    return shown


def _equations(value: Reconciliation, language: Language) -> Table:
    shown = Table.grid(padding=(0, 1))
    shown.add_column(no_wrap=True)
    shown.add_column(no_wrap=True)
    shown.add_column(justify="right", no_wrap=True)
    shown.add_column(overflow="fold")
    for equation in value.equations:
        code, sign, style = ("holds", "=", _GOOD) if equation.holds else ("fails", "≠", _BAD)
        shown.add_row(
            Text(label(f"report.{code}", language), style=style),
            Text(equation_name(equation, language)),
            Text(count(equation.total)),
            Text(f"{sign} {equation_terms(equation, language)}"),
        )
    return shown


def _amount(value: Reconciliation, language: Language) -> Table:
    shown = Table.grid(padding=(0, 2))
    shown.add_column()
    shown.add_column(justify="right", no_wrap=True)
    for name in ("untaxed", "tax", "total"):
        style = "bold" if name == "total" else ""
        amount = yen(getattr(value.amount, name), language)
        shown.add_row(Text(label(f"report.amount.{name}", language), style=style), Text(amount, style=style))
    return shown


def _foreign(foreign: ForeignLine, language: Language) -> Table:
    pairs = [
        (label("report.column.messages", language), count(foreign.messages)),
        (label("report.column.billable_messages", language), count(foreign.billable_messages)),
        (label("report.column.billable_units", language), count(foreign.billable_units)),
        (label("report.column.amount", language), grouped(foreign.amount)),
        (label("report.column.unpriced", language), count(foreign.unpriced)),
    ]
    shown = Table.grid(padding=(0, 2))
    shown.add_column()
    shown.add_column(justify="right", no_wrap=True)
    for name, number in pairs:
        shown.add_row(Text(name), Text(number))
    return shown


def _kinds(value: Reconciliation, language: Language) -> Table:
    shown = Table.grid(padding=(0, 2))
    shown.add_column()
    shown.add_column(justify="right", no_wrap=True)
    for kind, number in value.breaks_by_kind.items():
        shown.add_row(Text(kind_name(kind, language)), Text(count(number)))
    return shown


def _breaks(value: Reconciliation, language: Language) -> Table:
    shown = table()
    for name in ("kind", "smsid", "details"):
        shown.add_column(Text(label(f"report.column.{name}", language)), overflow="fold")
    shown.add_column(Text(label("report.short.at_risk", language)), justify="right", no_wrap=True)
    for found in islice(value.breaks, BREAKS_SHOWN):
        shown.add_row(
            Text(kind_name(found.kind, language)),
            Text(outside(found.smsid)),
            Text(break_details(found, language) or NONE),
            Text(NONE if found.at_risk is None else grouped(found.at_risk)),
        )
    return shown
