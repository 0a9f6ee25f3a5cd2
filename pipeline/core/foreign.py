"""Results of the account that are not ours: what they cost, one bill for each message, as for ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa

from pipeline.core.billing import Tariff
from pipeline.core.calendar import jst_date
from pipeline.core.msisdn import canonical_result
from pipeline.core.statuses import StatusTable
from pipeline.model import ForeignLine, MessageKind


@dataclass(frozen=True, slots=True)
class _Row:
    msisdn: str
    status: str
    status_time: datetime | None
    carrier: str
    parts_total: int | None
    registered_at: datetime | None
    smsid: str

    @property
    def order(self) -> tuple[bool, datetime | None, str, int, str]:
        """Order bills: those without a time come last, and nothing depends on the order of rows."""
        return (self.status_time is None, self.status_time, self.carrier, self.parts_total or 0, self.status)


@dataclass(frozen=True, slots=True)
class Strangers:
    """The rows that were counted: of this period, and of others."""

    line: ForeignLine
    rows: int
    elsewhere: int


def price_foreign(  # noqa: PLR0913 - what prices and days depend on
    observations: pa.Table,
    statuses: StatusTable,
    tariff: Tariff,
    as_of: datetime,
    month: str | None,
    *,
    delivered: bool,
) -> Strangers:
    """Price the account's other messages: one for each smsid or, without one, for each number and registration.

    A message belongs to the day it was registered, or with ``delivered`` to that of its first bill. Of a ``month``
    (YYYY-MM) only its own are counted.
    """
    prices: dict[tuple[str, int, date, MessageKind], Decimal | None] = {}
    messages = billable = units = unpriced = rows = elsewhere = 0
    amount = Decimal(0)
    for group in _groups(observations):
        bills = [row for row in group if (meaning := statuses.look_up(row.status)) and meaning.billable]
        first = min(bills or group, key=lambda row: row.order)
        day = _day(group, first, as_of, delivered=delivered and bool(bills))
        if month is not None and f"{day:%Y-%m}" != month:
            elsewhere += len(group)
            continue
        rows += len(group)
        messages += 1
        if not bills:
            continue
        kind = kind_of(first.msisdn)
        key = (first.carrier, first.parts_total or 1, day, kind)
        if key not in prices:
            prices[key] = tariff.price(*key)
        price = prices[key]
        billable += 1
        units += key[1]
        unpriced += price is None
        amount += price or 0
    line = ForeignLine(
        messages=messages, billable_messages=billable, billable_units=units, amount=amount, unpriced=unpriced
    )
    return Strangers(line, rows, elsewhere)


def kind_of(msisdn: str) -> MessageKind:
    """Return what a message to a number is to the tariff."""
    return MessageKind.NORMAL if canonical_result(msisdn).startswith("0") else MessageKind.OVERSEAS


def _day(group: list[_Row], first: _Row, as_of: datetime, *, delivered: bool) -> date:
    registered = min((row.registered_at for row in group if row.registered_at), default=None)
    moments = (first.status_time, registered) if delivered else (registered, first.status_time)
    return jst_date(next((moment for moment in moments if moment), as_of))


def _groups(observations: pa.Table) -> Iterator[list[_Row]]:
    names = ["msisdn", "status", "status_time", "carrier", "parts_total", "registered_at", "smsid"]
    groups: dict[tuple[str, str, datetime | None], list[_Row]] = {}
    for values in zip(*(observations[name].to_pylist() for name in names), strict=True):
        row = _Row(*values)
        groups.setdefault((row.smsid, row.msisdn, None if row.smsid else row.registered_at), []).append(row)
    yield from groups.values()
