"""The reconciliation of a batch: matches, prices and breaks added up into one value and its message lines."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from pipeline.core.billing import Tariff
from pipeline.core.calendar import jst_date
from pipeline.core.matching import Deadlines, Match, StatusTable, match_message
from pipeline.model import (
    OPTED_OUT,
    Amount,
    Batch,
    Break,
    BreakKind,
    Equation,
    ForeignLine,
    MessageClass,
    MessageLine,
    MessageState,
    Observation,
    Reconciliation,
    SentMessage,
    StatusLine,
)

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Strangers:
    """Observations that name no message of ours: another system's, and those with our prefix (orphans)."""

    foreign: Sequence[Observation]
    orphans: Sequence[Observation]


@dataclass(slots=True)
class _Line:
    messages: int = 0
    billable_messages: int = 0
    billable_units: int = 0
    amount: Decimal = _ZERO


@dataclass(slots=True)
class _Sums:
    """What grows while messages pass by."""

    states: Counter[MessageState] = field(default_factory=Counter)
    opted_out: int = 0
    classes: Counter[MessageClass] = field(default_factory=Counter)
    lines: dict[tuple[MessageClass, str], _Line] = field(default_factory=lambda: defaultdict(_Line))
    breaks: list[Break] = field(default_factory=list)
    matched: int = 0
    tax: Decimal = _ZERO


def reconcile(  # noqa: PLR0913 - each is a different kind of evidence
    batch: Batch,
    messages: Iterable[SentMessage],
    observations: Mapping[str, Sequence[Observation]],
    strangers: Strangers,
    *,
    observed: int,
    statuses: StatusTable,
    tariff: Tariff,
    deadlines: Deadlines,
    provenance: Mapping[str, str],
) -> tuple[Reconciliation, list[MessageLine]]:
    """Reconcile a batch. ``observed`` is the ledger's own count of the observations, to check ours against."""
    sums = _Sums()
    report_lines = [
        _add(sums, match_message(message, observations.get(message.smsid, ()), statuses, deadlines), tariff)
        for message in messages
    ]
    sums.matched = sum(len(observations.get(line.smsid, ())) for line in report_lines)
    foreign = _foreign(strangers.foreign, statuses, tariff, deadlines.as_of)
    sums.breaks += [
        Break(kind=BreakKind.ORPHAN_RESULT, smsid=row.smsid, facts={"status": row.status}) for row in strangers.orphans
    ]
    if foreign.unpriced:
        sums.breaks.append(Break(kind=BreakKind.UNPRICED, smsid="", facts={"foreign": str(foreign.unpriced)}))
    value = Reconciliation(
        batch_id=batch.batch_id,
        campaign=batch.campaign,
        run_date=batch.run_date,
        source_name=batch.source_name,
        as_of=deadlines.as_of,
        totals=batch.totals,
        repaired=batch.repaired,
        states=dict(sums.states),
        opted_out=sums.opted_out,
        classes=dict(sums.classes),
        statuses=_status_lines(sums),
        foreign=foreign,
        breaks=tuple(sorted(sums.breaks, key=lambda found: (found.kind.value, found.smsid))),
        equations=_equations(batch, sums, strangers, observed),
        amount=Amount(sum((line.amount for line in sums.lines.values()), _ZERO), sums.tax),
        tariff=tariff.name,
        provenance=provenance,
    )
    return value, report_lines


@dataclass(frozen=True, slots=True)
class Priced:
    """A message as the reconciliation sees it: its line, its breaks, and what its price was computed from.

    ``day`` is that of tariff and tax; ``reported`` are the parts that the gateway counted, if it did, which overrule
    those by the carrier's steps. ``tax`` is exact.
    """

    line: MessageLine
    breaks: tuple[Break, ...]
    day: date
    reported: int | None
    tax: Decimal


def priced(match: Match, tariff: Tariff) -> Priced:
    """Price one match."""
    message = match.message
    computed = tariff.parts(match.carrier, message.characters, double_byte=message.double_byte)
    count = match.observed_parts or computed
    breaks = [
        Break(kind=kind, smsid=message.smsid, row_number=message.row_number, facts={"label": detail} if detail else {})
        for kind, detail in match.breaks
    ]
    price: Decimal | None = None
    tax, day = _ZERO, billing_day(match)
    if match.billable:
        price = tariff.price(match.carrier, count, day)
        if price is None:
            facts = {"carrier": match.carrier, "parts": str(count)}
            breaks.append(
                Break(kind=BreakKind.UNPRICED, smsid=message.smsid, row_number=message.row_number, facts=facts)
            )
        else:
            tax = price * tariff.tax_rate(day)
            breaks = [_at_risk(found, price * (match.bills - 1)) for found in breaks]
    if match.observed_parts is not None and match.observed_parts != computed:
        facts = {"reported": str(match.observed_parts), "expected": str(computed)}
        breaks.append(
            Break(kind=BreakKind.SEGMENT_MISMATCH, smsid=message.smsid, row_number=message.row_number, facts=facts)
        )
    line = MessageLine(
        row_number=message.row_number,
        smsid=message.smsid,
        msisdn=message.msisdn,
        state=message.state,
        message_class=match.message_class,
        label=match.label,
        carrier=match.carrier,
        observed_at=match.deciding.status_time if match.deciding else None,
        parts=count,
        billable=match.billable,
        amount=price,
    )
    return Priced(line, tuple(breaks), day, match.observed_parts, tax)


def _add(sums: _Sums, match: Match, tariff: Tariff) -> MessageLine:
    """Add one match to the sums and return its line of the report."""
    found = priced(match, tariff)
    line = found.line
    sums.states[line.state] += 1
    sums.opted_out += match.message.reason == OPTED_OUT
    sums.classes[line.message_class] += 1
    status = sums.lines[line.message_class, line.label]
    status.messages += 1
    status.billable_messages += line.billable
    status.billable_units += line.parts if line.billable else 0
    status.amount += line.amount or _ZERO
    sums.tax += found.tax
    sums.breaks += found.breaks
    return line


def billing_day(match: Match) -> date:
    """Return the JST day whose tariff and tax apply: the day the message was taken (A), else of its first bill."""
    moment = match.message.sent_at or (match.deciding.status_time if match.deciding else None)
    if moment is None:
        moment = match.deciding.registered_at if match.deciding else None
    return jst_date(moment) if moment else date.min


def _at_risk(found: Break, amount: Decimal) -> Break:
    if found.kind is not BreakKind.DUPLICATE_BILLABLE:
        return found
    return Break(kind=found.kind, smsid=found.smsid, row_number=found.row_number, facts=found.facts, at_risk=amount)


def _status_lines(sums: _Sums) -> tuple[StatusLine, ...]:
    order = list(MessageClass)
    return tuple(
        StatusLine(
            message_class=message_class,
            label=label,
            messages=line.messages,
            billable_messages=line.billable_messages,
            billable_units=line.billable_units,
            amount=line.amount,
        )
        for (message_class, label), line in sorted(
            sums.lines.items(), key=lambda item: (order.index(item[0][0]), -item[1].messages, item[0][1])
        )
    )


def _foreign(rows: Sequence[Observation], statuses: StatusTable, tariff: Tariff, as_of: datetime) -> ForeignLine:
    """Price the account's other messages: one bill per (smsid, number, registration), as for ours."""
    groups: dict[tuple[str, str, datetime | None], list[Observation]] = defaultdict(list)
    for row in rows:
        groups[row.smsid, row.msisdn, None if row.smsid else row.registered_at].append(row)
    billable = units = unpriced = 0
    amount = _ZERO
    for group in groups.values():
        billed = [row for row in group if (meaning := statuses.look_up(row.status)) and meaning.billable]
        if not billed:
            continue
        first = min(billed, key=lambda row: row.status_time or as_of)
        count = first.parts_total or 1
        price = tariff.price(first.carrier, count, jst_date(first.registered_at or first.status_time or as_of))
        billable += 1
        units += count
        unpriced += price is None
        amount += price or _ZERO
    return ForeignLine(
        messages=len(groups),
        billable_messages=billable,
        billable_units=units,
        amount=amount,
        unpriced=unpriced,
    )


def _equations(batch: Batch, sums: _Sums, strangers: Strangers, observed: int) -> tuple[Equation, ...]:
    totals = batch.totals
    messages = sum(sums.states.values())
    rows = {"accepted": totals.accepted, "rejected": totals.rejected, "already": totals.already}
    seen = {"matched": sums.matched, "foreign": len(strangers.foreign), "orphan": len(strangers.orphans)}
    classes = {message_class.value: sums.classes[message_class] for message_class in MessageClass}
    return (
        Equation("input", totals.rows, rows),
        Equation("accepted", totals.accepted, {"messages": messages}),
        Equation("messages", messages, {name: count for name, count in classes.items() if count}),
        Equation("observations", observed, seen),
    )
