"""Values of a month for tests of what follows from one: its bill, its variance, its restatements."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pipeline.core.billing import ANY_CARRIER, MonthlyFee, Price, Rounding, Tariff, TaxRate
from pipeline.core.segments import Steps
from pipeline.model import (
    Amount,
    Break,
    BreakKind,
    Dimension,
    ForeignLine,
    GroupLine,
    MessageClass,
    MessageKind,
    MessageLine,
    MessageState,
    MonthSubject,
    Reconciliation,
    Restatement,
    RowTotals,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

ZERO: Final = Decimal(0)
NOTHING_FOREIGN: Final = ForeignLine(messages=0, billable_messages=0, billable_units=0, amount=ZERO, unpriced=0)


def tariff(
    *prices: Price, fees: tuple[MonthlyFee, ...] = (), rounding: Rounding = Rounding.DOWN, rates: str = "0.10"
) -> Tariff:
    steps = {ANY_CARRIER: Steps(70, 67, 160, 153)}
    taxes = (TaxRate(Decimal(rates), date(2019, 10, 1), None),)
    return Tariff("t", "0" * 64, prices, steps, taxes, fees, rounding)


def message(  # what a test says about one
    smsid: str,
    message_class: MessageClass = MessageClass.DELIVERED,
    *,
    amount: str | None = None,
    carrier: str = "au",
    kind: MessageKind = MessageKind.NORMAL,
    parts: int = 1,
    day: date | None = date(2026, 11, 10),
    label: str = "",
    billable: bool | None = None,
) -> MessageLine:
    return MessageLine(
        row_number=1,
        smsid=smsid,
        msisdn="09012345678",
        batch_id="b",
        campaign="c",
        cost_centre="",
        kind=kind,
        state=MessageState.TAKEN,
        message_class=message_class,
        label=label,
        carrier=carrier,
        sent_at=None,
        observed_at=None,
        day=day,
        parts=parts,
        billable=message_class is MessageClass.DELIVERED if billable is None else billable,
        amount=None if amount is None else Decimal(amount),
        by_number=False,
    )


def duplicate(line: MessageLine, more: int = 1) -> Break:
    """Return the break of a message that the gateway reports as delivered ``more`` times too often."""
    at_risk = None if line.amount is None else line.amount * more
    return Break(kind=BreakKind.DUPLICATE_BILLABLE, smsid=line.smsid, at_risk=at_risk)


def month_of(
    lines: Iterable[MessageLine],
    *,
    foreign: ForeignLine = NOTHING_FOREIGN,
    breaks: tuple[Break, ...] = (),
    restatements: tuple[Restatement, ...] = (),
    month: str = "2026-11",
) -> Reconciliation:
    """Return a month's value as far as money needs it: the days and what was found."""
    lines = list(lines)
    days: dict[str, list[MessageLine]] = defaultdict(list)
    for line in lines:
        days[line.day.isoformat() if line.day else ""].append(line)
    return Reconciliation(
        subject=MonthSubject(month=month, batches=1),
        as_of=datetime(2026, 12, 10, tzinfo=UTC),
        totals=RowTotals(len(lines), len(lines), 0, 0),
        repaired=0,
        states={MessageState.TAKEN: len(lines)},
        opted_out=0,
        by_number=0,
        oldest_pending=None,
        classes={},
        statuses=(),
        groups={
            Dimension.DAY: tuple(
                GroupLine(
                    name=name,
                    messages=len(group),
                    delivered=0,
                    failed=0,
                    billable_messages=sum(line.billable for line in group),
                    billable_units=sum(line.parts for line in group if line.billable),
                    amount=sum((line.amount or ZERO for line in group if line.billable), ZERO),
                    unpriced=sum(line.billable and line.amount is None for line in group),
                )
                for name, group in sorted(days.items())
            )
        },
        deliveries=(),
        foreign=foreign,
        breaks=breaks,
        equations=(),
        amount=Amount(sum((line.amount or ZERO for line in lines if line.billable), ZERO), ZERO),
        tariff="t",
        provenance={},
        restatements=restatements,
    )
