"""What a month should be invoiced at: exact amounts, and whole yen of each tax and of their sum."""

from __future__ import annotations

import calendar
from collections import defaultdict
from datetime import date
from decimal import Decimal

from pipeline.core.billing import Tariff
from pipeline.errors import Bug
from pipeline.model import Bill, Dimension, Fee, MonthSubject, Reconciliation, TaxLine

_ZERO = Decimal(0)


def bill_of(value: Reconciliation, tariff: Tariff) -> Bill:
    """Return the bill of a month, with the tariff's fees.

    A message is taxed at the rate of its day, a fee at the rate of the last day of the month. The tax of a rate is
    rounded once, the untaxed sum once for the total; nothing else is rounded. Raises ``Bug`` (``bill.no_month``,
    ``bill.no_day``) for the value of a batch, or one that has an amount without a day.
    """
    if not isinstance(value.subject, MonthSubject):
        raise Bug("bill.no_month", subject=value.name)
    fees = _fees_of(value.subject.month, tariff)
    untaxed: defaultdict[Decimal, Decimal] = defaultdict(Decimal)
    messages = _ZERO
    for day in value.groups[Dimension.DAY]:
        if not day.amount:
            continue
        if not day.name:
            raise Bug("bill.no_day", subject=value.name)
        untaxed[tariff.tax_rate(date.fromisoformat(day.name))] += day.amount
        messages += day.amount
    for fee in fees:
        untaxed[fee.tax_rate] += fee.amount
    taxes = tuple(
        TaxLine(rate=rate, untaxed=amount, tax=tariff.rounding.whole_yen(rate * amount))
        for rate, amount in sorted(untaxed.items())
    )
    whole = sum((line.untaxed for line in taxes), _ZERO)
    tax = sum((line.tax for line in taxes), _ZERO)
    return Bill(
        messages=messages,
        fees=fees,
        taxes=taxes,
        rounding=tariff.rounding.value,
        untaxed=whole,
        tax=tax,
        total=tariff.rounding.whole_yen(whole) + tax,
    )


def _fees_of(month: str, tariff: Tariff) -> tuple[Fee, ...]:
    """Return the fixed fees of a month (YYYY-MM), in the order of the tariff."""
    year, number = map(int, month.split("-"))
    last = date(year, number, calendar.monthrange(year, number)[1])
    return tuple(
        Fee(name=fee.name, amount=fee.yen, tax_rate=tariff.tax_rate(last)) for fee in tariff.fees if fee.covers(last)
    )
