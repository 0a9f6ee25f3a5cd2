"""The tariff file: exact amounts, and every problem named with file and key."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest

from pipeline.core.billing import MonthlyFee, Rounding
from pipeline.core.segments import Steps
from pipeline.errors import UsageError
from pipeline.model import MessageKind
from schemas.tariff import parse_tariff

NAME: Final = 'name = "t"\n'
TAX: Final = '[[tax]]\nrate = "0.10"\nfrom = 2019-10-01\n'
STEPS: Final = '[[steps]]\ncarrier = "*"\nwide_single = 70\nwide_part = 67\nnarrow_single = 160\nnarrow_part = 153\n'
PRICE: Final = '[[price]]\ncarrier = "au"\nfrom = 2024-04-01\nyen = ["8.5", "17.0"]\n'


def problems(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse_tariff(text, "mine.toml")
    assert caught.value.facts["file"] == "mine.toml"
    assert caught.value.code == "tariff.invalid"
    return str(caught.value.facts["problems"])


def price(yen: str, start: str = "2024-04-01", until: str = "", carrier: str = "au") -> str:
    end = f"until = {until}\n" if until else ""
    return f'[[price]]\ncarrier = "{carrier}"\nfrom = {start}\n{end}yen = [{yen}]\n'


def test_a_tariff_is_read() -> None:
    text = NAME + TAX + STEPS + PRICE
    tariff = parse_tariff(text, "mine.toml")
    assert tariff.name == "t"
    assert tariff.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert tariff.steps == {"*": Steps(70, 67, 160, 153)}
    assert tariff.price("au", 2, date(2026, 1, 1)) == Decimal("17.0")
    assert tariff.fees == ()
    assert tariff.rounding is Rounding.DOWN
    assert tariff.tax_rate(date(2019, 10, 1)) == Decimal("0.10")


def test_the_shipped_example_is_usable() -> None:
    text = files("schemas").joinpath("tariffs/example.toml").read_text("utf-8")
    tariff = parse_tariff(text, "example.toml")
    for carrier in ("Docomo", "au", "SoftBank", "Rakuten"):
        assert tariff.price(carrier, 10, date(2026, 1, 1))
    assert tariff.price("Unheard", 1, date(2026, 1, 1)) is None
    assert tariff.price("Unheard", 1, date(2026, 1, 1), MessageKind.OVERSEAS)


@pytest.mark.parametrize("written", ["0.1", "8.30", "8.123457", "1e1", "0.3"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_amounts_never_pass_through_a_float(written: str, quote: str) -> None:
    tariff = parse_tariff(NAME + TAX + STEPS + price(f"{quote}{written}{quote}"), "mine.toml")
    cost = tariff.price("au", 1, date(2026, 1, 1))
    assert str(cost) == str(Decimal(written))


def test_a_tax_rate_never_passes_through_a_float() -> None:
    tariff = parse_tariff(NAME + TAX.replace('"0.10"', "0.10") + STEPS + PRICE, "mine.toml")
    assert str(tariff.tax_rate(date(2026, 1, 1))) == "0.10"


def test_whole_yen_may_be_written_as_numbers() -> None:
    tariff = parse_tariff(NAME + TAX + STEPS + price("8, 16"), "mine.toml")
    assert tariff.price("au", 2, date(2026, 1, 1)) == 16


@pytest.mark.parametrize("yen", ["-1", '"-0.01"', '"1", "-1"'])
def test_a_negative_price_is_refused(yen: str) -> None:
    assert "negative" in problems(NAME + TAX + STEPS + price(yen))


def test_more_parts_cannot_cost_less() -> None:
    assert (
        "price.0: Value error, au normal from 2024-04-01: more parts cannot cost less (3 parts 15.99, 2 16)"
        in problems(NAME + TAX + STEPS + price('"8", "16", "15.99"'))
    )
    parse_tariff(NAME + TAX + STEPS + price('"8", "8", "9"'), "mine.toml")


@pytest.mark.parametrize(
    "yen", ['"nan"', '"inf"', "nan", '"eight"', "true", "", '"8.1234567"', '"10000000"', "1e999999"]
)
def test_a_price_is_a_number(yen: str) -> None:
    assert "price.0.yen" in problems(NAME + TAX + STEPS + price(yen))


@pytest.mark.parametrize(
    ("first_until", "overlaps"),
    [("", True), ("2025-04-02", True), ("2025-04-01", False)],
)
def test_periods_of_one_carrier_never_overlap(first_until: str, *, overlaps: bool) -> None:
    text = NAME + TAX + STEPS + price('"9"', "2025-04-01") + price('"8"', "2024-04-01", first_until)
    if overlaps:
        assert "price: au normal from 2025-04-01 begins before the one from 2024-04-01 ends" in problems(text)
    else:
        parse_tariff(text, "mine.toml")


def test_periods_of_different_carriers_may_overlap() -> None:
    parse_tariff(NAME + TAX + STEPS + PRICE + price('"8"', carrier="Docomo"), "mine.toml")


def test_tax_periods_never_overlap() -> None:
    second = TAX.replace("2019-10-01", "2030-10-01")
    assert "tax: rate from 2030-10-01 begins before" in problems(NAME + TAX + second + STEPS + PRICE)


@pytest.mark.parametrize("rate", ['"-0.1"', '"1"', '"10"'])
def test_a_tax_rate_is_a_share(rate: str) -> None:
    assert "tax.0.rate" in problems(NAME + TAX.replace('"0.10"', rate) + STEPS + PRICE)


def test_every_problem_is_named_at_once() -> None:
    found = problems(
        NAME + TAX.replace("from", "form") + STEPS.replace("67", "0") + PRICE.replace("8.5", "x") + "color = 1\n"
    )
    for key in ("tax.0.from", "tax.0.form", "steps.0.wide_part", "price.0.yen.0", "price.0.color"):
        assert key in found


def test_consistency_problems_are_named_together() -> None:
    found = problems(
        NAME + TAX + TAX.replace("2019", "2020") + STEPS.replace('"*"', '"au"') + PRICE + price('"9"', "2025-01-01")
    )
    assert 'carrier "*" is missing' in found
    assert "tax: rate" in found
    assert "price: au" in found


@pytest.mark.parametrize(
    "text", ["", NAME + TAX + STEPS, NAME + TAX + PRICE, NAME + STEPS + PRICE, TAX + STEPS + PRICE]
)
def test_nothing_may_be_missing(text: str) -> None:
    assert "Field required" in problems(text)


def test_text_that_is_not_toml() -> None:
    with pytest.raises(UsageError) as caught:
        parse_tariff("name = \n", "mine.toml")
    assert caught.value.code == "tariff.not_toml"
    assert "line 1" in str(caught.value)


def test_the_sample_tariff_is_the_shipped_example() -> None:
    sample, shipped = Path("sample_data/tariff.toml"), Path("schemas/tariffs/example.toml")
    assert parse_tariff(sample.read_text("utf-8"), sample.name) == parse_tariff(shipped.read_text("utf-8"), sample.name)


OVERSEAS: Final = '[[price]]\ncarrier = "*"\nkind = "overseas"\nfrom = 2024-04-01\nyen = ["30"]\n'


def test_kinds_fees_and_rounding_are_read() -> None:
    fee = '[[fee]]\nname = "基本料"\nyen = 5000\nfrom = 2024-04-01\nuntil = 2026-04-01\n'
    tariff = parse_tariff(NAME + 'rounding = "half_up"\n' + TAX + STEPS + PRICE + OVERSEAS + fee, "mine.toml")
    assert tariff.rounding is Rounding.HALF_UP
    assert tariff.fees == (MonthlyFee("基本料", Decimal(5000), date(2024, 4, 1), date(2026, 4, 1)),)
    assert tariff.price("au", 1, date(2026, 1, 1), MessageKind.OVERSEAS) == 30
    assert tariff.price("au", 1, date(2026, 1, 1), MessageKind.NORMAL) == Decimal("8.5")


def test_a_gap_between_periods_is_named_with_carrier_kind_and_days() -> None:
    later = OVERSEAS.replace("2024", "2026")
    ended = OVERSEAS.replace("yen", "until = 2025-12-31\nyen")
    assert "price: * overseas has a gap from 2025-12-31 until 2026-04-01" in problems(
        NAME + TAX + STEPS + PRICE + later + ended
    )
    # Other carriers and kinds have periods of their own.
    parse_tariff(NAME + TAX + STEPS + PRICE + later + price('"8"', until="2025-12-31", carrier="Docomo"), "mine.toml")


def test_a_gap_between_tax_rates_is_named() -> None:
    old = '[[tax]]\nrate = "0.08"\nfrom = 2014-04-01\nuntil = 2019-09-30\n'
    assert "tax: rate has a gap from 2019-09-30 until 2019-10-01" in problems(NAME + TAX + old + STEPS + PRICE)
    parse_tariff(NAME + TAX + old.replace("09-30", "10-01") + STEPS + PRICE, "mine.toml")


@pytest.mark.parametrize(
    ("start", "until", "taxed"),
    [
        ("2019-10-01", "", True),
        ("2019-09-30", "", False),
        ("2019-09-30", "2019-10-01", False),
        ("2030-01-01", "2031-01-01", True),
    ],
)
def test_no_price_is_valid_on_a_day_without_a_tax_rate(start: str, until: str, *, taxed: bool) -> None:
    text = NAME + TAX + STEPS + price('"8"', start, until)
    if taxed:
        parse_tariff(text, "mine.toml")
    else:
        assert f"price: au normal from {start}" in problems(text)
        assert "has days without a tax rate" in problems(text)


@pytest.mark.parametrize(("until", "taxed"), [("", False), ("2026-04-02", False), ("2026-04-01", True)])
def test_the_last_tax_rate_covers_prices_and_fees(until: str, *, taxed: bool) -> None:
    tax = TAX + "until = 2026-04-01\n"
    fee = '[[fee]]\nname = "f"\nyen = "1"\nfrom = 2024-04-01\n'
    if taxed:
        parse_tariff(NAME + tax + STEPS + price('"8"', until=until), "mine.toml")
        assert "fee: f from 2024-04-01 has days without a tax rate" in problems(
            NAME + tax + STEPS + price('"8"', until=until) + fee
        )
    else:
        assert "price: au normal from 2024-04-01" in problems(NAME + tax + STEPS + price('"8"', until=until))


@pytest.mark.parametrize("written", ["20240401", "20240401.0", "2024-04-01T00:00:00", "1711929600", '"soon"', "true"])
def test_a_day_is_a_day_and_never_a_number_of_seconds(written: str) -> None:
    assert "price.0.from" in problems(NAME + TAX + STEPS + price('"8"', written))


@pytest.mark.parametrize("until", ["2024-04-01", "2024-03-31"])
def test_a_period_has_a_day(until: str) -> None:
    assert f"until {until} leaves no day" in problems(NAME + TAX + STEPS + price('"8"', until=until))


@pytest.mark.parametrize(
    ("fee", "problem"),
    [
        ('yen = "1"\nfrom = 2024-04-02', "begins and ends with a month, not on 2024-04-02"),
        ('yen = "1"\nfrom = 2024-04-01\nuntil = 2026-03-31', "not on 2026-03-31"),
        ('yen = "-1"\nfrom = 2024-04-01', "fee.0.yen"),
        ('yen = "1"\nfrom = 2024-04-01\nkind = "normal"', "fee.0.kind"),
        ("yen = true\nfrom = 2024-04-01", "fee.0.yen"),
    ],
)
def test_a_fee_is_monthly_and_an_amount(fee: str, problem: str) -> None:
    assert problem in problems(NAME + TAX + STEPS + PRICE + f'[[fee]]\nname = "f"\n{fee}\n')


def test_fees_of_one_name_never_overlap_and_may_pause() -> None:
    first = '[[fee]]\nname = "f"\nyen = "1"\nfrom = 2024-04-01\nuntil = 2025-01-01\n'
    second = '[[fee]]\nname = "f"\nyen = "2"\nfrom = 2024-12-01\n'
    assert "fee: f from 2024-12-01 begins before" in problems(NAME + TAX + STEPS + PRICE + second + first)
    parse_tariff(NAME + TAX + STEPS + PRICE + first + second.replace("2024-12", "2025-06"), "mine.toml")


def test_words_and_steps_are_checked() -> None:
    assert "rounding" in problems(NAME + 'rounding = "nearest"\n' + TAX + STEPS + PRICE)
    assert "price.1.kind" in problems(NAME + TAX + STEPS + PRICE + OVERSEAS.replace('"overseas"', '"abroad"'))
    assert "steps: * is given more than once" in problems(NAME + TAX + STEPS + STEPS + PRICE)
    assert "cannot hold more than a single one" in problems(NAME + TAX + STEPS.replace("67", "71") + PRICE)
    assert "tax.0.rate" in problems(NAME + TAX.replace('"0.10"', '"0.12345"') + STEPS + PRICE)
