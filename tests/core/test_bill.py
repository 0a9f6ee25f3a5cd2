"""The month's bill: exact amounts per tax rate, fees, one rounding per rate and one of the untaxed sum."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.bill import bill_of
from pipeline.core.billing import MonthlyFee, Rounding, Tariff, TaxRate
from pipeline.core.calendar import JST
from pipeline.errors import Bug
from pipeline.model import BatchSubject, Bill, MessageLine
from tests.core.reconciled import message, month_of, tariff

FEE: Final = MonthlyFee("基本料", Decimal(5000), date(2024, 4, 1), None)
CHANGE: Final = date(2026, 11, 16)


def two_rates(rounding: Rounding = Rounding.DOWN, fees: tuple[MonthlyFee, ...] = ()) -> Tariff:
    """Return a tariff whose tax rate changes within the month."""
    taxes = (TaxRate(Decimal("0.10"), date(2019, 10, 1), CHANGE), TaxRate(Decimal("0.125"), CHANGE, None))
    return replace(tariff(fees=fees, rounding=rounding), taxes=taxes)


def messages(count: int, yen: str, day: date = date(2026, 11, 1)) -> list[MessageLine]:
    return [message(f"m{number}", amount=yen, day=day) for number in range(count)]


def test_tax_is_rounded_on_the_month_and_not_on_the_messages() -> None:
    # Rounded per message it would be 0 yen, per message and up it would be 101.
    bill = bill_of(month_of(messages(101, "8.5")), tariff())
    assert (bill.messages, bill.untaxed, bill.tax, bill.total) == (
        Decimal("858.5"),
        Decimal("858.5"),
        Decimal(85),
        Decimal(943),
    )
    assert bill.fraction == Decimal("-0.5")
    assert bill.rounding == "down"
    assert bill.fees == ()


@pytest.mark.parametrize(
    ("rounding", "yen", "total", "fraction"),
    [
        (Rounding.DOWN, "8.9", "8", "-0.9"),
        (Rounding.HALF_UP, "8.4", "9", "-0.4"),
        (Rounding.HALF_UP, "8.5", "10", "0.5"),
        (Rounding.UP, "8.1", "10", "0.9"),
        (Rounding.UP, "8", "9", "0"),
    ],
)
def test_the_total_is_whole_yen_and_says_what_that_adds_or_cuts_off(
    rounding: Rounding, yen: str, total: str, fraction: str
) -> None:
    bill = bill_of(month_of(messages(1, yen)), tariff(rounding=rounding))
    assert (bill.untaxed, bill.total, bill.fraction) == (Decimal(yen), Decimal(total), Decimal(fraction))


def test_the_untaxed_sum_is_rounded_as_a_whole_and_not_per_rate() -> None:
    lines = [*messages(1, "8.5"), message("late", amount="8.5", day=CHANGE)]
    bill = bill_of(month_of(lines), two_rates())
    assert [line.untaxed for line in bill.taxes] == [Decimal("8.5"), Decimal("8.5")]
    assert (bill.tax, bill.total, bill.fraction) == (Decimal(1), Decimal(18), Decimal(0))


def test_a_fee_is_billed_at_the_rate_of_the_last_day_of_the_month() -> None:
    bill = bill_of(month_of(messages(2, "9.5")), two_rates(fees=(FEE,)))
    assert [(fee.name, fee.amount, fee.tax_rate) for fee in bill.fees] == [("基本料", Decimal(5000), Decimal("0.125"))]
    assert [(line.rate, line.untaxed, line.tax) for line in bill.taxes] == [
        (Decimal("0.10"), Decimal(19), Decimal(1)),
        (Decimal("0.125"), Decimal(5000), Decimal(625)),
    ]
    assert bill.untaxed == bill.messages + 5000 == 5019


@pytest.mark.parametrize(
    ("start", "end", "due"),
    [
        (date(2026, 12, 1), None, False),
        (date(2026, 11, 1), None, True),
        (date(2026, 1, 1), date(2026, 11, 1), False),
        (date(2026, 1, 1), date(2026, 12, 1), True),
    ],
)
def test_a_fee_is_due_in_the_months_of_its_period(start: date, end: date | None, *, due: bool) -> None:
    bill = bill_of(month_of([]), tariff(fees=(MonthlyFee("f", Decimal(1), start, end),)))
    assert bool(bill.fees) is due
    assert bill.total == (1 if due else 0)


def test_a_month_without_anything_costs_nothing() -> None:
    bill = bill_of(month_of([]), tariff())
    assert not bill.taxes
    assert bill.untaxed == bill.tax == bill.total == 0


def test_days_without_an_amount_need_neither_a_rate_nor_a_date() -> None:
    free = [message("a", billable=False, day=None), message("b", billable=True, day=date(2010, 1, 1))]
    assert bill_of(month_of(free), tariff()).taxes == ()


def test_what_is_no_month_and_what_has_no_day_cannot_be_billed() -> None:
    with pytest.raises(Bug) as caught:
        bill_of(month_of([message("a", amount="8", day=None)]), tariff())
    assert caught.value.code == "bill.no_day"
    subject = BatchSubject(batch_id="b", campaign="c", run_date=date(2026, 11, 1), source_name="s")
    with pytest.raises(Bug) as caught:
        bill_of(replace(month_of([]), subject=subject, as_of=datetime(2026, 12, 1, tzinfo=JST)), tariff())
    assert caught.value.code == "bill.no_month"


def naive(lines: list[MessageLine], rounding: Rounding, fees: tuple[MonthlyFee, ...]) -> tuple[Fraction, int, int]:
    """Return untaxed amount, tax and total in another way: fractions, message by message."""
    per_rate = {Fraction(1, 10): Fraction(0), Fraction(1, 8): Fraction(0)}
    for line in lines:
        if line.billable and line.amount is not None and line.day is not None:
            per_rate[Fraction(1, 10) if line.day < CHANGE else Fraction(1, 8)] += Fraction(line.amount)
    for fee in fees:
        per_rate[Fraction(1, 8)] += Fraction(fee.yen)
    rules = {
        Rounding.DOWN: math.floor,
        Rounding.UP: math.ceil,
        Rounding.HALF_UP: lambda amount: math.floor(amount + Fraction(1, 2)),
    }
    untaxed = sum(per_rate.values(), Fraction(0))
    tax = sum(rules[rounding](rate * sum_) for rate, sum_ in per_rate.items())
    return untaxed, tax, rules[rounding](untaxed) + tax


YEN: Final = st.decimals(min_value=0, max_value=9_999_999, places=6).map(str)
LINES: Final = st.lists(
    st.builds(
        lambda number, yen, day, *, billable: message(
            f"m{number}", amount=yen, day=date(2026, 11, day), billable=billable
        ),
        st.integers(0, 999),
        st.none() | YEN,
        st.integers(1, 30),
        billable=st.booleans(),
    ),
    max_size=30,
)
FEES: Final = st.lists(
    st.builds(lambda yen: MonthlyFee("f", Decimal(yen), date(2024, 4, 1), None), YEN), max_size=2
).map(tuple)


@given(LINES, FEES, st.sampled_from(Rounding))
def test_the_bill_is_what_fractions_say(
    lines: list[MessageLine], fees: tuple[MonthlyFee, ...], rounding: Rounding
) -> None:
    value = month_of(lines)
    bill = bill_of(value, two_rates(rounding, fees))
    untaxed, tax, total = naive(lines, rounding, fees)
    assert Fraction(bill.untaxed) == untaxed
    assert bill.tax == tax
    assert bill.total == total
    check_sums(bill)
    assert bill.messages == value.amount.untaxed


def check_sums(bill: Bill) -> None:
    assert bill.total == bill.total.to_integral_value()
    assert bill.total == bill.untaxed + bill.tax + bill.fraction
    assert abs(bill.fraction) < 1
    assert bill.untaxed == sum(line.untaxed for line in bill.taxes)
    assert bill.untaxed == bill.messages + sum(fee.amount for fee in bill.fees)
    assert bill.tax == sum(line.tax for line in bill.taxes)
    for line in bill.taxes:
        assert line.tax == line.tax.to_integral_value()
        assert abs(Fraction(line.tax) - Fraction(line.rate) * Fraction(line.untaxed)) < 1
