"""Messages that are alike, added up: by status, by every dimension, and in yen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from pipeline.core.billing import Tariff
from pipeline.core.observed import CLASSES
from pipeline.model import Amount, Dimension, GroupLine, MessageClass, MessageKind, MessageState, StatusLine

_ZERO = Decimal(0)
_Word = TypeVar("_Word")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Messages that are alike in everything that is added up. ``amount`` is the untaxed yen of one of them."""

    message_class: MessageClass
    label: str
    billable: bool
    carrier: str
    parts: int
    day: date
    kind: MessageKind
    state: MessageState
    campaign: str
    cost_centre: str
    messages: int
    amount: Decimal | None


_WORDS: Mapping[Dimension, Callable[[Cell], str]] = {
    Dimension.CAMPAIGN: lambda cell: cell.campaign,
    Dimension.COST_CENTRE: lambda cell: cell.cost_centre,
    Dimension.CARRIER: lambda cell: cell.carrier,
    Dimension.DAY: lambda cell: cell.day.isoformat(),
    Dimension.KIND: lambda cell: cell.kind.value,
}


def counted(cells: Iterable[Cell], of: Callable[[Cell], _Word]) -> dict[_Word, int]:
    """Count messages by what ``of`` says of their cells."""
    counts: dict[_Word, int] = {}
    for cell in cells:
        counts[of(cell)] = counts.get(of(cell), 0) + cell.messages
    return counts


def status_lines(cells: Iterable[Cell]) -> tuple[StatusLine, ...]:
    """Add up by class and label, in the order of the classes."""
    groups: dict[tuple[MessageClass, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.message_class, cell.label), []).append(cell)
    lines = [
        StatusLine(
            message_class=message_class,
            label=label,
            messages=sum(cell.messages for cell in group),
            billable_messages=sum(cell.messages for cell in group if cell.billable),
            billable_units=sum(cell.messages * cell.parts for cell in group if cell.billable),
            amount=_untaxed(group),
        )
        for (message_class, label), group in groups.items()
    ]
    return tuple(sorted(lines, key=lambda line: (CLASSES.index(line.message_class), -line.messages, line.label)))


def group_lines(cells: Iterable[Cell], dimension: Dimension) -> tuple[GroupLine, ...]:
    """Add up by one dimension: days in their order, everything else by size."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(_WORDS[dimension](cell), []).append(cell)
    lines = [
        GroupLine(
            name=name,
            messages=sum(cell.messages for cell in group),
            delivered=sum(cell.messages for cell in group if cell.message_class is MessageClass.DELIVERED),
            failed=sum(cell.messages for cell in group if cell.message_class is MessageClass.FAILED),
            billable_messages=sum(cell.messages for cell in group if cell.billable),
            billable_units=sum(cell.messages * cell.parts for cell in group if cell.billable),
            amount=_untaxed(group),
            unpriced=sum(cell.messages for cell in group if cell.billable and cell.amount is None),
        )
        for name, group in groups.items()
    ]
    by_size = dimension is not Dimension.DAY
    return tuple(sorted(lines, key=lambda line: (-line.messages if by_size else 0, line.name)))


def _untaxed(cells: Iterable[Cell]) -> Decimal:
    return sum((cell.messages * cell.amount for cell in cells if cell.amount is not None), _ZERO)


def exact_amount(cells: Iterable[Cell], tariff: Tariff) -> Amount:
    """Add up exact yen and exact tax; nothing is rounded before the month's bill."""
    priced: dict[date, list[Cell]] = {}
    for cell in cells:
        if cell.amount is not None:
            priced.setdefault(cell.day, []).append(cell)
    untaxed = {day: _untaxed(group) for day, group in priced.items()}
    tax = sum((amount * tariff.tax_rate(day) for day, amount in untaxed.items()), _ZERO)
    return Amount(sum(untaxed.values(), _ZERO), tax)
