"""The reconciliation of a batch or a month: matches, prices and breaks added up into one value and its lines.

Messages that are alike in everything that is added up are one cell. Prices are looked up once for each combination
that occurs, and money is count × price, exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.billing import Tariff
from pipeline.core.calendar import JST, jst_date
from pipeline.core.evidence import Evidence
from pipeline.core.foreign import Strangers, price_foreign
from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels import strings
from pipeline.core.kernels.matching import NEVER, Cells, Codes
from pipeline.core.kernels.strings import Mask
from pipeline.core.lines import Cell, MessageLines
from pipeline.core.matching import CLASSES, Deadlines, Matches, StatusTable, match
from pipeline.model import (
    OPTED_OUT,
    Amount,
    Batch,
    BatchSubject,
    Break,
    BreakKind,
    Dimension,
    Equation,
    GroupLine,
    MessageClass,
    MessageKind,
    MessageState,
    MonthBy,
    MonthSubject,
    Reconciliation,
    RowTotals,
    StatusLine,
)

_ZERO = Decimal(0)
_EPOCH_DAY = date(1970, 1, 1)
_KINDS = (MessageKind.NORMAL, MessageKind.OVERSEAS)
_WORDS: Mapping[Dimension, Callable[[Cell], str]] = {
    Dimension.CAMPAIGN: lambda cell: cell.campaign,
    Dimension.COST_CENTRE: lambda cell: cell.cost_centre,
    Dimension.CARRIER: lambda cell: cell.carrier,
    Dimension.DAY: lambda cell: cell.day.isoformat(),
    Dimension.KIND: lambda cell: cell.kind.value,
}


def reconcile(  # noqa: PLR0913 - each decides something else
    evidence: Evidence,
    month: str | None = None,
    *,
    statuses: StatusTable,
    tariff: Tariff,
    deadlines: Deadlines,
    month_by: MonthBy,
    provenance: Mapping[str, str],
) -> tuple[Reconciliation, MessageLines]:
    """Reconcile one batch; or those messages of several, and those foreign results, that belong to a ``month``.

    ``month`` is YYYY-MM. Only what the month has of them is reported; what else was read stands in the equations.
    """
    matches = match(evidence, statuses, deadlines)
    columns = _Columns.of(evidence, matches, month, month_by)
    parts = _parts(columns, matches, tariff)
    cells = _cells(columns, matches, parts.counted, tariff)
    lines = MessageLines(
        evidence.messages, columns.chosen, cells.cells, cells.of_row, matches.observed_at, matches.by_number
    )
    totals = _totals(columns.batches)
    strangers = evidence.observations.filter(pa.array(matches.message_of < 0))
    ours = pc.starts_with(strangers["smsid"], evidence.prefix)
    lost = strangers.filter(ours)
    orphans = lost if month is None else lost.filter(pa.array(_registered_in(lost, month)))
    foreign = price_foreign(
        strangers.filter(pc.invert(ours)),
        statuses,
        tariff,
        deadlines.as_of,
        month,
        delivered=month_by is MonthBy.DELIVERED,
    )
    found = [
        *_message_breaks(columns, matches, cells),
        *_mismatched_parts(columns, matches, parts),
        *(
            Break(kind=BreakKind.ORPHAN_RESULT, smsid=smsid, facts={"status": status})
            for smsid, status in zip(orphans["smsid"].to_pylist(), orphans["status"].to_pylist(), strict=True)
        ),
    ]
    if foreign.line.unpriced:
        facts = {"foreign": str(foreign.line.unpriced)}
        found.append(Break(kind=BreakKind.UNPRICED, smsid="", facts=facts))
    value = Reconciliation(
        subject=_subject(columns.batches, month),
        as_of=deadlines.as_of,
        totals=totals,
        repaired=sum(batch.repaired for batch in columns.batches),
        states=_counted(cells.cells, lambda cell: cell.state),
        opted_out=columns.count_reason(OPTED_OUT),
        by_number=int(matches.by_number[columns.chosen].sum()) if matches.by_number is not None else 0,
        oldest_pending=columns.oldest(matches.classes == CLASSES.index(MessageClass.PENDING)),
        classes=_counted(cells.cells, lambda cell: cell.message_class),
        statuses=_status_lines(cells.cells),
        groups={
            dimension: _group_lines(cells.cells, dimension)
            for dimension in Dimension
            if dimension is not Dimension.CAMPAIGN or month is not None
        },
        deliveries=_deliveries(columns, matches),
        foreign=foreign.line,
        breaks=tuple(sorted(found, key=_break_order)),
        equations=_equations(
            evidence,
            totals,
            columns,
            matches,
            cells.cells,
            foreign,
            orphans=len(orphans),
            elsewhere=len(lost) - len(orphans),
        ),
        amount=_amount(cells.cells, tariff),
        tariff=tariff.name,
        provenance=provenance,
    )
    return value, lines


def _subject(batches: Sequence[Batch], month: str | None) -> BatchSubject | MonthSubject:
    if month is not None:
        return MonthSubject(month=month, batches=len(batches))
    (batch,) = batches
    return BatchSubject(
        batch_id=batch.batch_id, campaign=batch.campaign, run_date=batch.run_date, source_name=batch.source_name
    )


def _totals(batches: Sequence[Batch]) -> RowTotals:
    totals = [batch.totals for batch in batches]
    return RowTotals(
        sum(each.rows for each in totals),
        sum(each.accepted for each in totals),
        sum(each.rejected for each in totals),
        sum(each.already for each in totals),
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    """The messages that are reported: which rows of the table, their days, and texts as codes (of all rows)."""

    table: pa.Table
    chosen: NDArray[np.int64]
    whole: bool
    day: NDArray[np.int64]
    overseas: Mask
    sent_at: NDArray[np.int64]
    batches: tuple[Batch, ...]
    of_batches: int

    @classmethod
    def of(cls, evidence: Evidence, matches: Matches, month: str | None, month_by: MonthBy) -> _Columns:
        messages = evidence.messages
        sent_at = kernel.times(messages["sent_at"])
        day = _days(evidence, matches, sent_at, month_by)
        chosen = np.arange(len(messages))
        if month is not None:
            chosen = np.flatnonzero(_within(day, month))
        overseas = kernel.is_overseas(kernel.texts(messages["msisdn"]))
        batches, of_batches = _batches(evidence, chosen, month)
        whole = len(chosen) == len(messages)
        return cls(messages, chosen, whole, day, overseas, sent_at, batches, of_batches)

    def reported(self, column: NDArray[np.generic]) -> NDArray[np.generic]:
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
        sent = self.sent_at[self.chosen]
        sent = sent[wanted[self.chosen] & (sent != NEVER)]
        found = kernel.moment(int(sent.min())) if len(sent) else None
        return found.astimezone(JST) if found else None


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


def month_days(month: str) -> tuple[date, date]:
    """Return the first day of a month (YYYY-MM) and of the one after it."""
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=31)).replace(day=1)


def _days(evidence: Evidence, matches: Matches, sent_at: NDArray[np.int64], month_by: MonthBy) -> NDArray[np.int64]:
    """Return the JST day of each message as days since 1970; every message has exactly one.

    It is the day it was sent, or with ``MonthBy.DELIVERED`` that of its first bill; without these the other of them,
    then the day its results say it was registered, then that of its batch.
    """
    billed = np.where(matches.billable, matches.observed_at, NEVER)
    first, second = (billed, sent_at) if month_by is MonthBy.DELIVERED else (sent_at, billed)
    moments = np.where(first == NEVER, second, first) if (first == NEVER).any() else first
    days = kernel.days(moments)
    without = np.flatnonzero(moments == NEVER)
    if len(without):
        batch, batches = kernel.words(evidence.messages["batch_id"])
        known = {each.batch_id: _day_number(each.registered_at) for each in evidence.batches}
        registered = np.array([known[each] for each in batches])
        days[without] = registered[batch[without]]
        for message, moment in matches.registered_at.items():
            if moments[message] == NEVER and matches.billable[message]:
                days[message] = _day_number(moment)
    return days


def _day_number(moment: datetime) -> int:
    return (jst_date(moment) - _EPOCH_DAY).days


def _registered_in(observations: pa.Table, month: str) -> Mask:
    """Say which observations are about messages that were registered in a month, or have their status from then."""
    registered, when = kernel.times(observations["registered_at"]), kernel.times(observations["status_time"])
    return _within(kernel.days(np.where(registered == NEVER, when, registered)), month)


def _within(days: NDArray[np.int64], month: str) -> Mask:
    first, end = month_days(month)
    found: Mask = (days >= (first - _EPOCH_DAY).days) & (days < (end - _EPOCH_DAY).days)
    return found


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of the messages that are reported: as the tariff computes them, and as they are counted."""

    computed: Codes
    counted: Codes
    reported: Codes


def _parts(columns: _Columns, matches: Matches, tariff: Tariff) -> _Parts:
    """Count parts: as the results say, else by the carrier's steps, once for each size of text that occurs."""
    sizes = np.asarray(columns.table["characters"].combine_chunks().to_numpy())
    wide = strings.mask(columns.table["double_byte"])
    largest = int(sizes.max(initial=0)) + 1
    reported = columns.reported(matches.parts)
    carriers = columns.reported(matches.carriers)
    code = (carriers.astype(np.int64) * largest + columns.reported(sizes)) * 2 + columns.reported(wide)
    kept, place = kernel.distinct(code, len(matches.carrier_names) * largest * 2)
    steps = np.array(
        [
            tariff.parts(matches.carrier_names[each // 2 // largest], each // 2 % largest, double_byte=bool(each % 2))
            for each in kept.tolist()
        ],
        np.int32,
    )
    computed = steps[place] if len(kept) else np.empty(0, np.int32)
    return _Parts(computed, np.where(reported > 0, reported, computed), reported)


@dataclass(frozen=True, slots=True)
class _Counted:
    """The cells, and of each message that is reported its cell."""

    cells: list[Cell]
    of_row: NDArray[np.int64]


def _cells(columns: _Columns, matches: Matches, parts: Codes, tariff: Tariff) -> _Counted:
    """Divide the messages into cells, and price each cell once."""
    day = columns.reported(columns.day)
    first_day = int(day.min()) if len(day) else 0
    state, states = columns.words("state")
    campaign, campaigns = columns.words("campaign")
    centre, centres = columns.words("cost_centre")
    divided = Cells(len(columns.chosen))
    divided.divide(columns.reported(matches.labels), len(matches.label_names))
    divided.divide(columns.reported(matches.classes), len(CLASSES))
    divided.divide(columns.reported(matches.billable), 2)
    divided.divide(state, len(states))
    divided.divide(columns.reported(matches.carriers), len(matches.carrier_names))
    divided.divide(parts, int(parts.max(initial=0)) + 1)
    divided.divide(columns.reported(columns.overseas), len(_KINDS))
    divided.divide(day - first_day, int(day.max()) - first_day + 1 if len(day) else 1)
    divided.divide(campaign, len(campaigns))
    divided.divide(centre, len(centres))
    prices: dict[tuple[str, int, date, MessageKind], Decimal | None] = {}
    cells = []
    for label, class_, billable, of_state, carrier, count, kind, since, in_, for_, messages in divided.rows():
        key = (matches.carrier_names[carrier], count, _EPOCH_DAY + timedelta(days=first_day + since), _KINDS[kind])
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
    return _Counted(cells, divided.of_row)


def _counted(cells: Iterable[Cell], of: Callable[[Cell], object]) -> dict:
    counts: dict[object, int] = {}
    for cell in cells:
        counts[of(cell)] = counts.get(of(cell), 0) + cell.messages
    return counts


def _status_lines(cells: Iterable[Cell]) -> tuple[StatusLine, ...]:
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


def _group_lines(cells: Iterable[Cell], dimension: Dimension) -> tuple[GroupLine, ...]:
    """Add up by one dimension: days in their order, everything else by size."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(_WORDS[dimension](cell), []).append(cell)
    lines = [
        GroupLine(
            name=name,
            messages=sum(cell.messages for cell in group),
            delivered=sum(cell.messages for cell in group if cell.message_class is MessageClass.DELIVERED),
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


def _amount(cells: Sequence[Cell], tariff: Tariff) -> Amount:
    """Add up exact yen and exact tax; nothing is rounded here."""
    days: dict[date, list[Cell]] = {}
    for cell in cells:
        days.setdefault(cell.day, []).append(cell)
    untaxed = {day: _untaxed(group) for day, group in days.items()}
    tax = sum((amount * tariff.tax_rate(day) for day, amount in untaxed.items()), _ZERO)
    return Amount(sum(untaxed.values(), _ZERO), tax)


def _deliveries(columns: _Columns, matches: Matches) -> tuple[tuple[datetime, int], ...]:
    """Count first deliveries by the hour; JST is whole hours from UTC."""
    delivered = columns.reported(matches.classes) == CLASSES.index(MessageClass.DELIVERED)
    when = columns.reported(matches.observed_at)[delivered]
    hours, counts = np.unique(when[when != NEVER] // kernel.HOUR, return_counts=True)
    begins = (kernel.moment(hour * kernel.HOUR) for hour in hours.tolist())
    return tuple((begin.astimezone(JST), count) for begin, count in zip(begins, counts.tolist(), strict=True) if begin)


def _message_breaks(columns: _Columns, matches: Matches, cells: _Counted) -> Iterator[Break]:
    """Yield what matching found about the messages that are reported, and those without a price."""
    reported = np.full(len(columns.table), -1, np.int64)
    reported[columns.chosen] = np.arange(len(columns.chosen))
    for found in matches.breaks:
        details = found.details or [""] * len(found.at)
        kept = [(at, detail) for at, detail in zip(found.at.tolist(), details, strict=True) if reported[at] >= 0]
        named = _named(columns.table, [at for at, _ in kept])
        for (at, detail), (smsid, row_number) in zip(kept, named, strict=True):
            at_risk = None
            if found.kind is BreakKind.DUPLICATE_BILLABLE:
                price = cells.cells[cells.of_row[reported[at]]].amount
                at_risk = None if price is None else price * (matches.duplicates[at] - 1)
            facts = {"label": detail} if detail else {}
            yield Break(kind=found.kind, smsid=smsid, row_number=row_number, facts=facts, at_risk=at_risk)
    unpriced = np.array([cell.billable and cell.amount is None for cell in cells.cells] or [False])
    rows = np.flatnonzero(unpriced[cells.of_row])
    named = _named(columns.table, columns.chosen[rows])
    for place, (smsid, row_number) in zip(cells.of_row[rows].tolist(), named, strict=True):
        facts = {"carrier": cells.cells[place].carrier, "parts": str(cells.cells[place].parts)}
        yield Break(kind=BreakKind.UNPRICED, smsid=smsid, row_number=row_number, facts=facts)


def _mismatched_parts(columns: _Columns, matches: Matches, parts: _Parts) -> Iterator[Break]:
    rows = np.flatnonzero((parts.reported >= 0) & (parts.reported != parts.computed))
    told, expected = parts.reported[rows].tolist(), parts.computed[rows].tolist()
    for reported, computed, (smsid, row_number) in zip(
        told, expected, _named(columns.table, columns.chosen[rows]), strict=True
    ):
        facts = {"reported": str(reported), "expected": str(computed)}
        yield Break(kind=BreakKind.SEGMENT_MISMATCH, smsid=smsid, row_number=row_number, facts=facts)


def _named(messages: pa.Table, rows: Sequence[int] | NDArray[np.int64]) -> list[tuple[str, int]]:
    """Return smsid and row number of some messages."""
    named = messages.select(["smsid", "row_number"]).take(pa.array(rows, pa.int64()))
    return list(zip(named["smsid"].to_pylist(), named["row_number"].to_pylist(), strict=True))


def _break_order(found: Break) -> tuple[str, str, int, list[tuple[str, str]]]:
    return (found.kind.value, found.smsid, found.row_number or 0, sorted(found.facts.items()))


def _equations(  # noqa: PLR0913 - what is on their sides
    evidence: Evidence,
    totals: RowTotals,
    columns: _Columns,
    matches: Matches,
    cells: Sequence[Cell],
    foreign: Strangers,
    *,
    orphans: int,
    elsewhere: int,
) -> tuple[Equation, ...]:
    """Set our counts against the totals of the inputs and the ledger's own count. In a month's there may be others."""
    messages = sum(cell.messages for cell in cells)
    classes = _counted(cells, lambda cell: cell.message_class)
    matched = matches.message_of[matches.message_of >= 0]
    reported = np.zeros(len(columns.table), bool)
    reported[columns.chosen] = True
    own = int(reported[matched].sum())
    others = {
        "messages": columns.of_batches - messages,
        "observations": len(matched) - own + foreign.elsewhere + elsewhere,
    }
    besides = {name: {"other_months": count} if count else {} for name, count in others.items()}
    return (
        Equation(
            "input",
            totals.rows,
            {"accepted": totals.accepted, "rejected": totals.rejected, "already": totals.already},
        ),
        Equation("accepted", totals.accepted, {"messages": messages, **besides["messages"]}),
        Equation("messages", messages, {each.value: classes[each] for each in MessageClass if each in classes}),
        Equation(
            "observations",
            evidence.observed,
            {"matched": own, "foreign": foreign.rows, "orphan": orphans, **besides["observations"]},
        ),
    )
