"""Prices: exact, valid on [from, until), and nothing invented where the tariff is silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from typing import Final

import pytest

from pipeline.core.billing import ANY_CARRIER, Price, Rounding, Tariff, TaxRate
from pipeline.core.segments import Steps
from pipeline.errors import Bug
from pipeline.model import MessageKind

SPRING: Final = date(2026, 4, 1)
STEPS: Final = Steps(wide_single=70, wide_part=67, narrow_single=160, narrow_part=153)
RAKUTEN: Final = Steps(wide_single=70, wide_part=66, narrow_single=160, narrow_part=153)


def yen(*values: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, values))


def tariff(*prices: Price, taxes: tuple[TaxRate, ...] = ()) -> Tariff:
    return Tariff("t", "0" * 64, prices, {ANY_CARRIER: STEPS, "Rakuten": RAKUTEN}, taxes)


TWO_PERIODS: Final = tariff(
    Price("au", date(2025, 4, 1), SPRING, yen("8.1", "16.2")),
    Price("au", SPRING, None, yen("8.5", "17.0")),
    taxes=(TaxRate(Decimal("0.08"), date(2014, 4, 1), SPRING), TaxRate(Decimal("0.10"), SPRING, None)),
)


@pytest.mark.parametrize(
    ("day", "cost"),
    [
        (date(2025, 3, 31), None),
        (date(2025, 4, 1), "8.1"),
        (date(2026, 3, 31), "8.1"),
        (SPRING, "8.5"),
        (date(9999, 12, 31), "8.5"),
        (date.min, None),
    ],
)
def test_a_price_is_valid_from_its_first_day_to_the_day_before_its_end(day: date, cost: str | None) -> None:
    assert TWO_PERIODS.price("au", 1, day) == (Decimal(cost) if cost else None)


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        (date(2014, 4, 1), "0.08"),
        (date(2026, 3, 31), "0.08"),
        (SPRING, "0.10"),
        (date.max, "0.10"),
    ],
)
def test_a_tax_rate_is_valid_like_a_price(day: date, rate: str) -> None:
    assert TWO_PERIODS.tax_rate(day) == Decimal(rate)


@pytest.mark.parametrize("day", [date.min, date(1997, 3, 31), date(2014, 4, 1)])
def test_a_day_without_a_tax_rate_is_never_taxed_at_nothing(day: date) -> None:
    ended = tariff(taxes=(TaxRate(Decimal("0.05"), date(1997, 4, 1), date(2014, 4, 1)),))
    assert ended.tax_rate(date(2014, 3, 31)) == Decimal("0.05")
    with pytest.raises(Bug) as caught:
        ended.tax_rate(day)
    assert caught.value.code == "tariff.no_rate"


def test_parts_beyond_the_list_have_no_price() -> None:
    assert TWO_PERIODS.price("au", 2, SPRING) == Decimal("17.0")
    assert TWO_PERIODS.price("au", 3, SPRING) is None


@pytest.mark.parametrize("count", [0, -1])
def test_no_parts_have_no_price(count: int) -> None:
    assert TWO_PERIODS.price("au", count, SPRING) is None


def test_a_carrier_the_tariff_does_not_name_has_no_price() -> None:
    assert TWO_PERIODS.price("Rakuten", 1, SPRING) is None
    assert TWO_PERIODS.price("", 1, SPRING) is None
    assert TWO_PERIODS.price("AU", 1, SPRING) is None


def test_any_carrier_stands_for_those_not_named_and_never_for_a_named_one() -> None:
    both = tariff(Price(ANY_CARRIER, SPRING, None, yen("1", "2", "3")), Price("au", SPRING, None, yen("8.5")))
    assert both.price("Docomo", 3, SPRING) == 3
    assert both.price("", 1, SPRING) == 1
    assert both.price("au", 1, SPRING) == Decimal("8.5")
    assert both.price("au", 2, SPRING) is None


def test_sums_are_exact() -> None:
    cost = tariff(Price("au", SPRING, None, yen("0.1"))).price("au", 1, SPRING)
    assert isinstance(cost, Decimal)
    assert sum([cost] * 3, Decimal(0)) == Decimal("0.3")


def test_a_price_does_not_depend_on_the_decimal_context() -> None:
    long = "8.12345678901234567890"
    with localcontext() as context:
        context.prec = 3
        assert str(tariff(Price("au", SPRING, None, yen(long))).price("au", 1, SPRING)) == long


def test_parts_follow_the_steps_of_the_carrier() -> None:
    assert [TWO_PERIODS.parts("au", size, double_byte=True) for size in (70, 71, 134, 135, 670)] == [
        1,
        2,
        2,
        3,
        10,
    ]
    assert [TWO_PERIODS.parts("Rakuten", size, double_byte=True) for size in (70, 132, 133)] == [1, 2, 3]
    assert [TWO_PERIODS.parts("au", size, double_byte=False) for size in (160, 161, 306, 307)] == [1, 2, 2, 3]


def test_the_cost_before_sending_is_a_range_over_the_carriers() -> None:
    many = tariff(
        Price("Docomo", SPRING, None, yen("8", "16", "24")),
        Price("Rakuten", SPRING, None, yen("7", "15", "30")),
        Price("au", date(2020, 1, 1), SPRING, yen("1", "1", "1")),
        Price("SoftBank", SPRING, None, yen("9")),
    )
    assert many.cost_range(70, double_byte=True, day=SPRING) == yen("7", "9")
    assert many.cost_range(134, double_byte=True, day=SPRING) == yen("16", "30")  # Rakuten needs a third part
    assert many.cost_range(134, double_byte=False, day=SPRING) == yen("7", "9")
    assert many.cost_range(1000, double_byte=True, day=SPRING) is None
    assert many.cost_range(70, double_byte=True, day=date(2019, 1, 1)) is None
    assert many.cost_range(70, double_byte=True, day=date(2025, 1, 1)) == yen("1", "1")


def test_a_kind_costs_what_its_own_prices_say_and_never_what_another_kind_costs() -> None:
    kinds = tariff(
        Price("au", SPRING, None, yen("8")),
        Price(ANY_CARRIER, SPRING, None, yen("30", "60"), MessageKind.OVERSEAS),
        Price("au", SPRING, None, yen("25"), MessageKind.OVERSEAS),
    )
    assert kinds.price("au", 1, SPRING) == kinds.price("au", 1, SPRING, MessageKind.NORMAL) == 8
    assert kinds.price("au", 1, SPRING, MessageKind.OVERSEAS) == 25
    assert kinds.price("", 2, SPRING, MessageKind.OVERSEAS) == 60
    assert kinds.price("au", 1, SPRING, MessageKind.CHECK) is None
    assert kinds.price("", 1, SPRING) is None
    assert kinds.cost_range(70, double_byte=True, day=SPRING) == yen("8", "8")
    assert kinds.cost_range(70, double_byte=True, day=SPRING, kind=MessageKind.OVERSEAS) == yen("25", "30")
    assert kinds.cost_range(70, double_byte=True, day=SPRING, kind=MessageKind.CHECK) is None


def test_a_text_after_a_check_may_stay_away_and_the_check_alone_costs_what_checks_cost() -> None:
    def costs(characters: int, *prices: Price) -> tuple[Decimal, Decimal] | None:
        then_send = MessageKind.CHECK_THEN_SEND
        return tariff(*prices).cost_range(characters, double_byte=True, day=SPRING, kind=then_send)

    both = Price(ANY_CARRIER, SPRING, None, yen("21.5", "30.2"), MessageKind.CHECK_THEN_SEND)
    alone = Price(ANY_CARRIER, SPRING, None, yen("12"), MessageKind.CHECK)
    assert costs(70, both, alone) == yen("12", "21.5")
    assert costs(71, both, alone) == yen("12", "30.2")
    assert costs(71, replace(both, yen=yen("5", "6")), alone) == yen("6", "12")
    # Nobody knows what it comes to where either has no price.
    for prices in ((both,), (alone,), (replace(both, yen=yen("21.5")), alone)):
        assert costs(71, *prices) is None


def test_a_carrier_with_steps_of_its_own_counts_in_the_range_under_the_price_of_any() -> None:
    common = tariff(Price(ANY_CARRIER, SPRING, None, yen("8", "16", "24")))
    assert common.cost_range(133, double_byte=True, day=SPRING) == yen("16", "24")  # Rakuten: three parts


@pytest.mark.parametrize(
    ("rule", "amounts"),
    [
        (Rounding.DOWN, {"0": "0", "0.999999": "0", "1": "1", "1.5": "1", "2.5": "2"}),
        (Rounding.HALF_UP, {"0": "0", "0.499999": "0", "0.5": "1", "1.5": "2", "2.5": "3"}),
        (Rounding.UP, {"0": "0", "0.000001": "1", "1": "1", "1.5": "2"}),
    ],
)
def test_rounding_to_whole_yen(rule: Rounding, amounts: dict[str, str]) -> None:
    assert {amount: str(rule.whole_yen(Decimal(amount))) for amount in amounts} == amounts
