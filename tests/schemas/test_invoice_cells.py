"""Cells of invoices: numbers and months as people write them, and nothing that has two readings."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.invoice_cells import month_of, number_of, rate_of, shown_cell, without_rate


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("0", "0"),
        ("1234", "1234"),
        ("1,234", "1234"),
        ("1,234,567.5", "1234567.5"),
        ("１，２３４．５", "1234.5"),
        (" ¥1,234 ", "1234"),
        ("￥1,234", "1234"),
        ("\\1,234", "1234"),
        ("1,234円", "1234"),
        ("1,234 JPY", "1234"),
        ("12通", "12"),
        ("12件", "12"),
        ("-1,234", "-1234"),
        ("−1234", "-1234"),
        ("－１２３４", "-1234"),
        ("▲1,234", "-1234"),
        ("△ 1,234", "-1234"),
        ("¥-1,234", "-1234"),
        ("-¥1,234", "-1234"),
        ("(1,234)", "-1234"),
        ("（¥1,234）", "-1234"),
        ("007", "7"),
        ("8.50", "8.50"),
        ("0.000001", "0.000001"),
    ],
)
def test_numbers(cell: str, number: str) -> None:
    assert str(number_of(cell, 12)) == number


@pytest.mark.parametrize(
    "cell",
    [
        "", "-", "¥", "円", "12x", "1,23", "12,34", "1,2345", ",123", "1.234,5", "1..2",
        "1.", ".5", "1e3", "nan", "--1", "-¥-1", "(-1)", "((1))", "(1", "1)", "１２ ３x",
        "②", "1²", "1 2", "1,234 567", "一", "٣", "1/2", "10%", "$5", "5 USD",
        "0.0000001", "1234567890123", "1 通 2",
    ],
)  # fmt: skip
def test_what_is_no_number(cell: str) -> None:
    assert number_of(cell, 12) is None


@given(st.decimals(min_value=-999_999_999_999, max_value=999_999_999_999, places=6))
def test_what_is_written_with_separators_is_read_exactly(number: Decimal) -> None:
    assert number_of(f"{number:,f}", 12) == number_of(f"{number:f}", 12) == number


@pytest.mark.parametrize(
    ("cell", "month"),
    [
        ("2026-11", "2026-11"),
        ("2026/11", "2026-11"),
        ("2026.1", "2026-01"),
        ("2026/1", "2026-01"),
        ("202611", "2026-11"),
        ("２０２６年１１月", "2026-11"),
        ("2026年11月分", "2026-11"),
        ("2026年 1月", "2026-01"),
        ("2026年11月1日～2026年11月30日", "2026-11"),
        ("2026-11-30", "2026-11"),
        ("2026-11-01T00:00:00", "2026-11"),
        ("2026-11-01 00:00:00", "2026-11"),
        ("2026/11/1 0:00", "2026-11"),
        ("2026-11-01T00:00:00.000+09:00", "2026-11"),
        ("2026-11-01 - 2026-11-30", "2026-11"),
        ("2026/11/01〜2026/11/30", "2026-11"),
        ("2026年11月1日から2026年11月30日まで", "2026-11"),
        ("2026年11月1日～30日", "2026-11"),
        ("2026年11月1日～11月30日", "2026-11"),
        ("2026年11月度", "2026-11"),
        ("2026年11月ご利用分", "2026-11"),
        ("令和8年11月", "2026-11"),
        ("令和8年11月1日～令和8年11月30日", "2026-11"),
        ("令和8年11月1日", "2026-11"),
        ("令和元年10月分", "2019-10"),
        ("R8.11", "2026-11"),
    ],
)
def test_months(cell: str, month: str) -> None:
    assert month_of(cell) == month


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "11",
        "11月",
        "2026",
        "2026-0",
        "2026-13",
        "20261",
        "2026110",
        "1999-11",
        "26-11",
        "Nov 2026",
        "46327",
        "2026年①月",
        "2026 11",
        "2026年11月〜2026年12月",
        "2026年11月～12月",
        "2026年11-12月",
        "2026-10/2026-11",
        "2026-10-2026-11",
        "2026/11-12",
        "2026-10-16 - 2026-11-15",
        "2026年10月16日～11月15日",
        "2026年11月、12月",
        "2026年11月及び翌月",
        "2026-11-32",
        "2026-11-",
        "2025-11-01 - 2026-11-30",
        "令和8年11月〜令和8年12月",
        "令和7年11月1日～令和8年11月30日",
        "R8.10-R8.11",
        "R8.11-12",
    ],
)
def test_what_is_no_month(cell: str) -> None:
    assert month_of(cell) is None


@pytest.mark.parametrize(
    ("cell", "rate", "rest"),
    [
        ("消費税(10%)", "0.1", "消費税"),
        ("消費税（１０％対象）", "0.1", "消費税"),
        ("消費税 8%", "0.08", "消費税"),
        ("消費税", None, "消費税"),
        ("tax 7.8%", "0.078", "tax"),
    ],
)
def test_tax_rates(cell: str, rate: str | None, rest: str) -> None:
    assert rate_of(cell) == (None if rate is None else Decimal(rate))
    assert without_rate(cell) == rest


@pytest.mark.parametrize(
    ("cell", "shown"), [("12x", "12x"), ("090-1234-5678", "…"), ("a" * 41, "…"), ("０９０１２３４５６７８", "…")]
)
def test_what_is_shown_of_a_cell(cell: str, shown: str) -> None:
    assert shown_cell(cell) == shown
