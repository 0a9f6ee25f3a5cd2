"""The messages that a reconciliation reports, as columns: their days, their parts, and what is alike in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.billing import Tariff
from pipeline.core.calendar import JST, jst_date
from pipeline.core.cells import Cell
from pipeline.core.days import day_number, day_of, days_of, within
from pipeline.core.evidence import Evidence
from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels import strings
from pipeline.core.kernels.matching import NEVER, Codes
from pipeline.core.kernels.strings import Mask
from pipeline.core.matching import Matches
from pipeline.core.observed import CLASSES
from pipeline.model import Batch, MessageClass, MessageKind, MessageState, MonthBy, OpenCost

#: kinds by their code
_KINDS = tuple(MessageKind)
_CODE = {kind: code for code, kind in enumerate(_KINDS)}
_Value = TypeVar("_Value", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Reported:
    """The messages that are reported: which rows of the table these are, and what is not in it (of all its rows).

    ``batches`` are those that the messages are of, which have ``of_batches`` messages in all.
    """

    table: pa.Table
    chosen: NDArray[np.int64]
    whole: bool
    day: NDArray[np.int64]
    kind: NDArray[np.int8]
    sent_at: NDArray[np.int64]
    batches: tuple[Batch, ...]
    of_batches: int

    @classmethod
    def of(cls, evidence: Evidence, matches: Matches, month: str | None, month_by: MonthBy) -> Reported:
        """Choose the messages of a month; all of them without one."""
        messages = evidence.messages
        sent_at = kernel.times(messages["sent_at"])
        day = _days(evidence, matches, sent_at, month_by)
        chosen = np.arange(len(messages))
        if month is not None:
            chosen = np.flatnonzero(within(day, month))
        batches, of_batches = _batches(evidence, chosen, month)
        whole = len(chosen) == len(messages)
        return cls(messages, chosen, whole, day, _kinds(messages, matches), sent_at, batches, of_batches)

    def of_each(self, column: NDArray[_Value]) -> NDArray[_Value]:
        """Return of a column about all messages the values of those that are reported."""
        return column if self.whole else column[self.chosen]

    def words(self, name: str) -> tuple[Codes, list[str]]:
        """Return a column of few different texts as codes, and what they stand for."""
        codes, known = kernel.words(self.table[name])
        return (codes if self.whole else codes[self.chosen]), known

    def count_reason(self, reason: str) -> int:
        """Count the messages that were given up for a reason."""
        codes, known = self.words("reason")
        return int((codes == known.index(reason)).sum()) if reason in known else 0

    def oldest(self, wanted: Mask) -> datetime | None:
        """Return when the oldest of the wanted messages was sent."""
        sent = self.of_each(self.sent_at)[self.of_each(wanted)]
        sent = sent[sent != NEVER]
        found = kernel.moment(int(sent.min())) if len(sent) else None
        return found.astimezone(JST) if found else None


def _kinds(messages: pa.Table, matches: Matches) -> NDArray[np.int8]:
    """Return of each message what it is to the tariff, as a code."""
    overseas = kernel.is_overseas(kernel.texts(messages["msisdn"]))
    kinds = np.where(overseas, _CODE[MessageKind.OVERSEAS], _CODE[MessageKind.NORMAL]).astype(np.int8)
    kinds[matches.checked_texts] = _CODE[MessageKind.CHECK_THEN_SEND]
    kinds[matches.checks] = _CODE[MessageKind.CHECK]
    return kinds


def _batches(evidence: Evidence, chosen: NDArray[np.int64], month: str | None) -> tuple[tuple[Batch, ...], int]:
    """Return the batches that the reported messages are of, and how many messages these have.

    A batch without any message belongs to the month in which it was registered.
    """
    batch, names = kernel.words(evidence.messages["batch_id"])
    have = dict(zip(names, np.bincount(batch, minlength=len(names)).tolist(), strict=True))
    reported = dict(zip(names, np.bincount(batch[chosen], minlength=len(names)).tolist(), strict=True))
    found = tuple(
        each
        for each in evidence.batches
        if month is None
        or reported.get(each.batch_id)
        or (not have.get(each.batch_id) and f"{jst_date(each.registered_at):%Y-%m}" == month)
    )
    return found, sum(have.get(each.batch_id, 0) for each in found)


def _days(evidence: Evidence, matches: Matches, sent_at: NDArray[np.int64], month_by: MonthBy) -> NDArray[np.int64]:
    """Return the JST day of each message as days since 1970; every message has exactly one.

    It is the day it was sent, or with ``MonthBy.DELIVERED`` that of its first bill; without these the other of them,
    then the day its results say it was registered, then that of its batch.
    """
    moments = sent_at
    if month_by is MonthBy.DELIVERED or (sent_at == NEVER).any():
        billed = np.where(matches.billable, matches.billed_at, NEVER)
        first, second = (billed, sent_at) if month_by is MonthBy.DELIVERED else (sent_at, billed)
        moments = np.where(first == NEVER, second, first)
    days = days_of(moments)
    without = np.flatnonzero(moments == NEVER)
    if len(without):
        batch, batches = kernel.words(evidence.messages["batch_id"])
        known = {each.batch_id: day_number(each.registered_at) for each in evidence.batches}
        registered = np.array([known[each] for each in batches])
        days[without] = registered[batch[without]]
        for message, moment in matches.registered_at.items():
            if moments[message] == NEVER and matches.billable[message]:
                days[message] = day_number(moment)
    return days


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the messages that are reported: as the tariff computes them, and as they are counted."""

    computed: Codes
    counted: Codes
    reported: Codes


def count_parts(columns: Reported, matches: Matches, tariff: Tariff) -> Parts:
    """Count parts: as the results say, else by the carrier's steps, once for each size of text that occurs.

    A check of a number is one, whatever a text has that was to follow it.
    """
    sizes = strings.numbers(columns.table["characters"])
    wide = strings.mask(columns.table["double_byte"])
    checks = columns.of_each(matches.checks)
    reported = np.where(checks, np.int32(-1), columns.of_each(matches.parts))
    divided = kernel.Division(
        len(columns.chosen),
        [
            (columns.of_each(matches.carriers), len(matches.carrier_names)),
            (columns.of_each(sizes), int(sizes.max(initial=0)) + 1),
            (columns.of_each(wide), 2),
        ],
    )
    steps = [
        tariff.parts(matches.carrier_names[carrier], size, double_byte=bool(double))
        for carrier, size, double, _ in divided.rows()
    ]
    computed = np.where(checks, np.int32(1), np.array(steps or [0], np.int32)[divided.of_row])
    # Of a template that nobody here knew the text of, only the results say how long it was: no parts have no price.
    unseen = (columns.of_each(sizes) == 0) & ~checks
    computed = np.where(unseen, np.maximum(reported, np.int32(0)), computed)
    return Parts(computed, np.where(reported > 0, reported, computed), reported)


@dataclass(frozen=True, slots=True)
class Divided:
    """The cells, and of each message that is reported its cell."""

    cells: list[Cell]
    of_row: NDArray[np.int32]


def divide(columns: Reported, matches: Matches, parts: Codes, tariff: Tariff) -> Divided:
    """Divide the messages into cells, and price each cell once."""
    day = columns.of_each(columns.day)
    first_day = int(day.min()) if len(day) else 0
    state, states = columns.words("state")
    campaign, campaigns = columns.words("campaign")
    centre, centres = columns.words("cost_centre")
    divided = kernel.Division(
        len(columns.chosen),
        [
            (columns.of_each(matches.labels), len(matches.label_names)),
            (columns.of_each(matches.classes), len(CLASSES)),
            (columns.of_each(matches.billable), 2),
            (state, len(states)),
            (columns.of_each(matches.carriers), len(matches.carrier_names)),
            (parts, int(parts.max(initial=0)) + 1),
            (columns.of_each(columns.kind), len(_KINDS)),
            (day - first_day, int(day.max(initial=first_day)) - first_day + 1),
            (campaign, len(campaigns)),
            (centre, len(centres)),
        ],
    )
    prices: dict[tuple[str, int, date, MessageKind], Decimal | None] = {}
    cells = []
    for label, class_, billable, of_state, carrier, count, kind, since, in_, for_, messages in divided.rows():
        key = (matches.carrier_names[carrier], count, day_of(first_day + since), _KINDS[kind])
        if billable and key not in prices:
            prices[key] = tariff.price(*key)
        cells.append(
            Cell(
                message_class=CLASSES[class_],
                label=matches.label_names[label],
                billable=bool(billable),
                carrier=key[0],
                parts=count,
                day=key[2],
                kind=key[3],
                state=MessageState(states[of_state]),
                campaign=campaigns[in_],
                cost_centre=centres[for_],
                messages=messages,
                amount=prices[key] if billable else None,
            )
        )
    return Divided(cells, divided.of_row)


def open_cost(columns: Reported, divided: Divided, tariff: Tariff, open_class: MessageClass) -> OpenCost:
    """Say what the messages of an open class may come to at most: the upper end of what each may cost by the tariff.

    Of a message whose check is billed already it is what the text adds to that. Of a template whose text was not known
    nobody knows it.
    """
    is_open = np.array([cell.message_class is open_class for cell in divided.cells] or [False])
    own = np.flatnonzero(is_open[divided.of_row])
    rows = columns.chosen[own]
    sizes, wide = (columns.table[name].take(strings.indices(rows)) for name in ("characters", "double_byte"))
    size_of, wide_of = strings.numbers(sizes), strings.mask(wide)
    alike = kernel.Division(
        len(rows),
        [(divided.of_row[own], len(divided.cells)), (size_of, int(size_of.max(initial=0)) + 1), (wide_of, 2)],
    )
    highest, unpriced = Decimal(0), 0
    for place, size, double_byte, messages in alike.rows():
        cell = divided.cells[place]
        kind = MessageKind.CHECK_THEN_SEND if cell.billable else cell.kind
        costs = tariff.cost_range(size, double_byte=bool(double_byte), day=cell.day, kind=kind)
        unseen = not size and kind is not MessageKind.CHECK
        if unseen or costs is None:
            unpriced += messages
        else:
            highest += messages * (costs[1] - (cell.amount or 0))
    return OpenCost(messages=len(rows), highest=highest, unpriced=unpriced)
