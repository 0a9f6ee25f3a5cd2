"""The tariff file: exact amounts, and every problem named with file and key."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest

from pipeline.core.segments import Steps
from pipeline.errors import UsageError
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
    assert tariff.tax_rate(date(2019, 9, 30)) == 0
    assert tariff.tax_rate(date(2019, 10, 1)) == Decimal("0.10")


def test_the_shipped_example_is_usable() -> None:
    text = files("schemas").joinpath("tariffs/example.toml").read_text("utf-8")
    tariff = parse_tariff(text, "example.toml")
    for carrier in ("Docomo", "au", "SoftBank", "Rakuten"):
        assert tariff.price(carrier, 10, date(2026, 1, 1))
    assert tariff.price("Unheard", 1, date(2026, 1, 1)) is None


@pytest.mark.parametrize("written", ["0.1", "8.30", "8.12345678901234567", "1e1", "0.3"])
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
    assert "price.0: Value error, more parts cannot cost less" in problems(
        NAME + TAX + STEPS + price('"8", "16", "15.99"')
    )
    parse_tariff(NAME + TAX + STEPS + price('"8", "8", "9"'), "mine.toml")


@pytest.mark.parametrize("yen", ['"nan"', '"inf"', '"eight"', "true", ""])
def test_a_price_is_a_number(yen: str) -> None:
    assert "price.0.yen" in problems(NAME + TAX + STEPS + price(yen))


@pytest.mark.parametrize(
    ("first_until", "overlaps"),
    [("", True), ("2025-04-02", True), ("2025-04-01", False), ("2025-03-01", False)],
)
def test_periods_of_one_carrier_never_overlap(first_until: str, *, overlaps: bool) -> None:
    text = NAME + TAX + STEPS + price('"9"', "2025-04-01") + price('"8"', "2024-04-01", first_until)
    if overlaps:
        assert "price: au from 2025-04-01 begins before the one from 2024-04-01 ends" in problems(text)
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
