from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.messages import Language
from pipeline.reports.amounts import (
    decimal_places,
    exact_sum,
    grouped,
    percent,
    plain,
    share,
    spreadsheet_number,
    yen,
)


@pytest.mark.parametrize(
    ("amount", "digits", "shown"),
    [
        ("0", "0", "0"),
        ("-0", "0", "0"),
        ("-0.00", "0.00", "0"),
        ("1E+3", "1000", "1,000"),
        ("1E-7", "0.0000001", "0.0000001"),
        ("12.50", "12.50", "12.50"),
        ("-1234.5", "-1234.5", "-1,234.5"),
        ("12345678901234567.89", "12345678901234567.89", "12,345,678,901,234,567.89"),
        (f"{10**40}.1", f"{10**40}.1", f"{10**40:,}.1"),
    ],
)
def test_yen_are_exact_and_never_in_scientific_notation(amount: str, digits: str, shown: str) -> None:
    assert plain(Decimal(amount)) == digits
    assert grouped(Decimal(amount)) == shown


def test_yen_carry_their_currency_as_a_word() -> None:
    assert yen(Decimal("1234.5"), Language.JA) == "1,234.5 円"
    assert yen(Decimal("1234.5"), Language.EN) == "JPY 1,234.5"
    assert yen(Decimal("1234.5"), Language.JA).encode("cp932")


@pytest.mark.parametrize("amount", ["0.3", "9.95", "8.8", "7.1", "-4.35", "99999999999.9999", "1E+20", "0", "1E-9"])
def test_a_number_in_a_spreadsheet_shows_the_same_digits(amount: str) -> None:
    number = spreadsheet_number(Decimal(amount))
    assert number is not None
    assert Decimal(f"{number:.15g}") == Decimal(amount)
    assert float(f"{number:.16G}") == number  # XlsxWriter writes 16 digits


@pytest.mark.parametrize("amount", ["12345678901234567.89", "0.1234567890123456", "9007199254740993"])
def test_what_a_double_cannot_carry_is_no_number(amount: str) -> None:
    assert spreadsheet_number(Decimal(amount)) is None


def test_sums_do_not_round() -> None:
    assert exact_sum([Decimal("0.1"), Decimal("0.2")]) == Decimal("0.3")
    huge = Decimal("1" + "0" * 40)
    assert plain(exact_sum([huge, Decimal("0.01")])) == f"{10**40}.01"
    assert exact_sum([]) == 0


@pytest.mark.parametrize(
    ("rate", "shown"),
    [("0.10", "10%"), ("0.1", "10%"), ("0", "0%"), ("1", "100%"), ("0.0825", "8.25%"), ("2E+1", "2000%")],
)
def test_rates_are_percent_exactly(rate: str, shown: str) -> None:
    assert percent(Decimal(rate)) == shown


def test_decimal_places() -> None:
    assert [decimal_places(Decimal(amount)) for amount in ("1E+3", "1", "1.50")] == [0, 0, 2]
    assert decimal_places(Decimal("NaN")) == 0


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 0, "0%"),
        (0, 5, "0%"),
        (5, 5, "100%"),
        (1, 3, "33.3%"),
        (1, 1_000_000, "<0.1%"),
        (999_999, 1_000_000, ">99.9%"),
    ],
)
def test_shares_are_never_nothing_nor_all_unless_they_are(part: int, whole: int, shown: str) -> None:
    assert share(part, whole) == shown
