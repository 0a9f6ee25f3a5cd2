"""Results of the account that are not ours: what they cost, one bill for each message, as for ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.billing import Tariff
from pipeline.core.calendar import jst_date
from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels.matching import NEVER
from pipeline.core.msisdn import canonical_result
from pipeline.core.statuses import StatusTable
from pipeline.model import ForeignLine, MessageKind


@dataclass(frozen=True, slots=True)
class _Row:
    """A result as far as prices need it; times are microseconds, ``NEVER`` for none."""

    msisdn: str
    smsid: str
    status: str
    carrier: str
    parts: int
    when: int
    registered: int
    billable: bool

    @property
    def order(self) -> tuple[bool, int, str, int, str]:
        """Order bills: those without a time come last, and nothing depends on the order of rows."""
        return (self.when == NEVER, self.when, self.carrier, self.parts, self.status)


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
    for group in _groups(observations, statuses):
        bills = [row for row in group if row.billable]
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
        key = (first.carrier, first.parts or 1, day, kind)
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
    registered = min((row.registered for row in group if row.registered != NEVER), default=NEVER)
    moments = (first.when, registered) if delivered else (registered, first.when)
    return jst_date(next((known for moment in moments if (known := kernel.moment(moment))), as_of))


def _groups(observations: pa.Table, statuses: StatusTable) -> Iterator[list[_Row]]:
    status, names = kernel.words(observations["status"])
    billable = [bool((meaning := statuses.look_up(name)) and meaning.billable) for name in names]
    columns = (
        observations["msisdn"].to_pylist(),
        observations["smsid"].to_pylist(),
        [names[code] for code in status.tolist()],
        observations["carrier"].to_pylist(),
        pc.fill_null(observations["parts_total"], 0).to_pylist(),
        kernel.times(observations["status_time"]).tolist(),
        kernel.times(observations["registered_at"]).tolist(),
        [billable[code] for code in status.tolist()],
    )
    groups: dict[tuple[str, str, int], list[_Row]] = {}
    for values in zip(*columns, strict=True):
        row = _Row(*values)
        groups.setdefault((row.smsid, row.msisdn, NEVER if row.smsid else row.registered), []).append(row)
    yield from groups.values()
