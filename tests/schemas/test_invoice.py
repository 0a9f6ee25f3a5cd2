"""Invoices as tables: what is read is exact, and what cannot be read is named with row, column and cell."""

from __future__ import annotations

from decimal import Decimal
from importlib.resources import files
from typing import Final

import pandas as pd
import pytest

from pipeline.core.invoice import Counts, Invoice, InvoiceItem, InvoiceTax, OtherMonth
from pipeline.errors import InputUnusable, UsageError
from pipeline.messages import Language
from pipeline.model import MessageKind
from schemas.invoice import InvoiceMapping, invoice_columns, parse_invoice, parse_mapping
from schemas.recipients import INPUT_ROW

STANDARD: Final = parse_mapping(files("schemas").joinpath("invoices/standard.toml").read_text("utf-8"), "standard.toml")
HEADER: Final = ("月", "種別", "キャリア", "通数", "単価", "金額")
NORMAL: Final = MessageKind.NORMAL


def read(*rows: tuple[str, ...], header: tuple[str, ...] = HEADER, mapping: InvoiceMapping = STANDARD) -> Invoice:
    columns = invoice_columns(header, mapping, "i.csv")
    table = pd.DataFrame(
        {name: pd.array([row[place] for row in rows], dtype="str") for place, name in enumerate(columns)}
    )
    table.insert(0, INPUT_ROW, range(2, 2 + len(rows)))
    return parse_invoice(table, header, mapping, file="i.csv", sha256="0", month="2026-11")


def refused(*rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> InputUnusable:
    with pytest.raises(InputUnusable) as caught:
        read(*rows, header=header)
    assert caught.value.exit == 3
    for language in Language:
        assert "i.csv" in caught.value.what(language)
        assert caught.value.hint(language)
    return caught.value


GOOD: Final = ("2026-11", "国内", "ドコモ", "2", "8.5", "17.0")


def test_an_invoice_is_read() -> None:
    found = read(
        ("2026年11月分", "国内", "NTT docomo", "１，２３４", "¥8.5", "¥10,489"),
        ("2026/11", "海外", "", "2", "30", "60"),
        ("2026-11-30", "基本料", "", "", "", "5,000円"),
        ("2026-12", "国内", "au", "1", "8.5", "8.5"),
        ("2026-11", "消費税（10％）", "", "", "", "1,554"),
    )
    assert found == Invoice(
        source_name="i.csv",
        sha256="0",
        month="2026-11",
        counts=Counts.MESSAGES,
        items=(
            InvoiceItem(
                row=2, kind=NORMAL, name="Docomo", count=1234, unit_price=Decimal("8.5"), amount=Decimal(10489)
            ),
            InvoiceItem(row=3, kind=MessageKind.OVERSEAS, name="", count=2, unit_price=Decimal(30), amount=Decimal(60)),
            InvoiceItem(row=4, kind=None, name="月額基本料", count=None, unit_price=None, amount=Decimal(5000)),
        ),
        taxes=(InvoiceTax(row=6, rate=Decimal("0.1"), amount=Decimal(1554)),),
        others=(OtherMonth(row=5, month="2026-12", amount=Decimal("8.5")),),
    )


def test_without_a_column_of_months_or_kinds_every_line_is_a_message_of_the_month() -> None:
    found = read(("3", "25.5"), header=("通数", "金額"))
    assert found.items == (InvoiceItem(row=2, kind=NORMAL, name="", count=3, unit_price=None, amount=Decimal("25.5")),)


def test_header_names_come_in_any_spelling_and_others_are_left_alone() -> None:
    found = read(("x", "3", "y", "25.5"), header=("備考", "Ｑｕａｎｔｉｔｙ", "", " Amount "))
    assert found.items[0].amount == Decimal("25.5")


@pytest.mark.parametrize(
    ("header", "row", "counts", "count"),
    [
        (("通数", "金額"), ("3", "1"), Counts.MESSAGES, 3),
        (("課金数", "金額"), ("4", "1"), Counts.UNITS, 4),
        (("課金数", "通数", "金額"), ("4", "3", "1"), Counts.MESSAGES, 3),
    ],
)
def test_what_is_counted(header: tuple[str, ...], row: tuple[str, ...], counts: Counts, count: int) -> None:
    found = read(row, header=header)
    assert (found.counts, found.items[0].count) == (counts, count)


def test_of_two_columns_of_counts_the_mapping_names_one() -> None:
    units = STANDARD.model_copy(update={"counts": Counts.UNITS})
    found = read(("4", "3", "1"), header=("課金数", "通数", "金額"), mapping=units)
    assert (found.counts, found.items[0].count) == (Counts.UNITS, 4)


@pytest.mark.parametrize(
    ("place", "cell", "code"),
    [
        (0, "11", "invoice.month"),
        (0, "2026-13", "invoice.month"),
        (0, "", "invoice.empty"),
        (1, "謎の料金", "invoice.word"),
        (1, "", "invoice.empty"),
        (2, "どこか", "invoice.carrier"),
        (3, "12x", "invoice.count"),
        (3, "1.5", "invoice.count"),
        (3, "12345678901", "invoice.count"),
        (4, "-", "invoice.number"),
        (4, "12345678", "invoice.number"),
        (5, "", "invoice.empty"),
        (5, "　", "invoice.empty"),
        (5, "1,23", "invoice.number"),
        (5, "#REF!", "invoice.number"),
    ],
)
def test_a_bad_cell_is_named(place: int, cell: str, code: str) -> None:
    bad = list(GOOD)
    bad[place] = cell
    failure = refused(GOOD, tuple(bad))
    assert failure.code == code
    assert (failure.facts["row"], failure.facts["column"], failure.facts["count"]) == (3, HEADER[place], 1)
    if "cell" in failure.facts:
        assert failure.facts["cell"] == ("…" if len(cell) > 10 else cell)


def test_the_first_of_several_bad_cells_is_named_and_the_others_counted() -> None:
    failure = refused(GOOD, ("2026-11", "国内", "au", "x", "y", "1"), ("", "?", "au", "1", "1", "z"))
    assert (failure.code, failure.facts["row"], failure.facts["count"]) == ("invoice.count", 3, 4)


def test_no_message_holds_a_cell_that_may_be_a_phone_number() -> None:
    failure = refused(("2026-11", "国内", "090-1234-5678", "1", "1", "1"))
    assert failure.facts["cell"] == "…"


@pytest.mark.parametrize("header", [("月", "通数"), ("月", "金額"), ("09012345678", "こんにちは")])
def test_an_invoice_has_an_amount_and_a_count(header: tuple[str, ...]) -> None:
    failure = refused(("1",) * len(header), header=header)
    assert failure.code == "invoice.no_column"
    assert "0901" not in failure.what(Language.EN)


def test_no_role_has_two_columns() -> None:
    failure = refused(("1", "2", "3"), header=("通数", "金額", "Amount"))
    assert failure.code == "input.doubled_column"


@pytest.mark.parametrize("total", ["17", "18", "18.0"])
@pytest.mark.parametrize("month", ["", "2026-11"])
def test_a_total_is_that_of_the_lines_with_or_without_tax(total: str, month: str) -> None:
    found = read(GOOD, (month, "消費税", "", "", "", "1"), (month, "合計", "", "", "", total))
    assert found.fraction == 0
    assert len(found.taxes) == 1


@pytest.mark.parametrize(("total", "fraction"), [("25", "-0.5"), ("26", "0.5")])
def test_a_total_in_whole_yen_says_what_it_cuts_off(total: str, fraction: str) -> None:
    lines = ("2026-11", "国内", "au", "3", "8.5", "25.5")
    assert read(lines).fraction is None
    assert read(lines, ("", "小計", "", "", "", total)).fraction == Decimal(fraction)
    assert read(lines, ("", "小計", "", "", "", "25.5")).fraction is None
    assert read(lines, ("", "小計", "", "", "", "25.5"), ("", "合計", "", "", "", total)).fraction == Decimal(fraction)
    assert read(lines, ("", "小計", "", "", "", total), ("", "合計", "", "", "", "25.5")).fraction == 0
    assert read(lines, ("", "合計", "", "", "", total)).fraction == Decimal(fraction)


def test_subtotals_may_be_of_sections() -> None:
    rows = [GOOD, GOOD, ("", "小計", "", "", "", "34"), GOOD, ("", "小計", "", "", "", "17")]
    assert read(*rows, ("", "合計", "", "", "", "51")).fraction == 0
    # The total may stand first.
    assert read(("", "請求額", "", "", "", "51"), *rows).fraction == 0


@pytest.mark.parametrize(
    ("kind", "total"), [("合計", "18"), ("合計", "16"), ("小計", "18"), ("請求額", "1,700"), ("合計", "0")]
)
def test_a_total_of_other_lines_is_an_invoice_that_is_not_whole(kind: str, total: str) -> None:
    failure = refused(GOOD, ("2026-11", kind, "", "", "", total))
    assert failure.code == "invoice.total"
    assert (failure.facts["row"], failure.facts["sum"]) == (3, "17.0")


def test_lines_of_other_months_are_listed_and_not_added_up() -> None:
    other = ("2026-10", "国内", "au", "1", "8.5", "8.5")
    tax, total = ("", "消費税", "", "", "", "2"), ("", "合計", "", "", "", "27")
    found = read(GOOD, other, tax, total)
    assert [one.row for one in found.items] == [2]
    assert found.others == (OtherMonth(row=3, month="2026-10", amount=Decimal("8.5")),)
    # The tax, and what the total cuts off, are of both months: nothing says how much of it is ours.
    assert found.taxes == ()
    assert found.fraction is None
    ours = read(GOOD, other, ("2026-11", *tax[1:]), ("2026-11", "合計", "", "", "", "19"))
    assert [one.row for one in ours.taxes] == [4]


def test_an_invoice_of_another_month_is_refused() -> None:
    failure = refused(("2026-10", *GOOD[1:]), ("", "合計", "", "", "", "17"))
    assert failure.code == "invoice.no_lines"
    assert failure.facts["months"] == "2026-10"


def mapping(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse_mapping(text, "mine.toml")
    assert caught.value.code in {"invoice.mapping_invalid", "invoice.mapping_not_toml"}
    assert "mine.toml" in caught.value.what(Language.JA)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("columns = ", "not TOML"),
        ("", "columns: Field required"),
        ('[columns]\namount = ["金額"]\n', "kinds: Field required"),
        ('[columns]\nmonth = ["月"]\n[kinds]\n', "columns: amount is missing"),
        ('[columns]\namount = ["a"]\nsum = ["b"]\n[kinds]\n', "columns.sum"),
        ('[columns]\namount = ["a"]\n[kinds]\nforeign = ["b"]\n', "kinds.foreign"),
        ('[columns]\namount = ["a"]\nmonth = ["Ａ "]\n[kinds]\n', "'Ａ ' means amount and month"),
        ('[columns]\namount = ["a"]\n[kinds]\ntax = ["x"]\n[fees]\nf = ["X"]\n', "'X' means tax and fee f"),
        ('[columns]\namount = ["a"]\n[kinds]\n[carriers]\nau = ["x"]\nDocomo = ["x"]\n', "means au and Docomo"),
        ('counts = "parts"\n[columns]\namount = ["a"]\n[kinds]\n', "counts"),
        ('color = 1\n[columns]\namount = ["a"]\n[kinds]\n', "color"),
    ],
)
def test_problems_of_a_mapping_are_named(text: str, problem: str) -> None:
    assert problem in mapping(text)


def test_a_carrier_is_known_by_its_own_name() -> None:
    own = parse_mapping(
        '[columns]\namount = ["金額"]\nmessages = ["通数"]\ncarrier = ["社"]\n[kinds]\n[carriers]\nKT = []\n', "m"
    )
    found = read(("kt", "1", "2"), header=("社", "通数", "金額"), mapping=own)
    assert found.items[0].name == "KT"
