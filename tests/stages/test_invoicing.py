"""Invoices as files: what people and programs save, read through the reader of inputs."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import openpyxl
import pytest

from pipeline.core.invoice import Counts, Invoice
from pipeline.errors import InputUnusable, UsageError
from pipeline.stages.invoicing import read_invoice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.context import Context
    from tests.stages.conftest import House

MONTH: Final = "2026-11"
ROWS: Final = (
    ("月", "種別", "キャリア", "通数", "単価", "金額"),
    ("2026年11月", "国内", "ドコモ", "1,234", "¥8.5", "¥10,489"),
    ("2026年11月", "月額基本料", "", "", "", "5,000"),
    ("", "消費税(10%)", "", "", "", "1,548"),
    ("", "合計", "", "", "", "17,037"),
)


def text(path: Path, rows: Sequence[Sequence[str]] = ROWS, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    # The yen sign of CP932 is a backslash to everyone else.
    yen = "\\" if encoding == "cp932" else "¥"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([cell.replace("¥", yen) for cell in row] for row in rows)
    return path


def amounts(invoice: Invoice) -> list[tuple[str, int | None, str]]:
    return [(item.name, item.count, str(item.amount)) for item in invoice.items]


EXPECTED: Final = [("Docomo", 1234, "10489"), ("月額基本料", None, "5000")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_an_invoice_is_read_from_any_text_a_spreadsheet_saves(
    context: Context, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    found = read_invoice(context, text(tmp_path / "i.csv", encoding=encoding, delimiter=delimiter), MONTH)
    assert amounts(found) == EXPECTED
    assert (found.source_name, found.month, found.counts) == ("i.csv", MONTH, Counts.MESSAGES)
    assert len(found.sha256) == 64
    assert [(tax.rate, tax.amount) for tax in found.taxes] == [(Decimal("0.1"), Decimal(1548))]


def test_an_invoice_is_read_from_a_workbook_with_numbers_and_dates(context: Context, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(ROWS[0]))
    sheet.append([date(2026, 11, 1), "国内", "ドコモ", 1234, 8.5, 10489])
    sheet.append([date(2026, 11, 1), "月額基本料", None, None, None, 5000])
    sheet["D2"].number_format = sheet["F2"].number_format = "#,##0"
    book.save(tmp_path / "i.xlsx")
    found = read_invoice(context, tmp_path / "i.xlsx", MONTH)
    assert amounts(found) == EXPECTED
    assert found.items[0].unit_price == Decimal("8.5")


def test_the_sample_is_an_invoice_at_the_prices_of_the_sample_tariff(context: Context) -> None:
    found = read_invoice(context, Path("sample_data/invoice.csv"), MONTH)
    assert found.fraction == 0
    assert sum(item.amount for item in found.items) == 33_570
    for item in found.items:
        if item.kind is not None:
            assert item.count is not None
            assert item.unit_price is not None
            prices = [context.tariff.price(item.name, parts, date(2026, 11, 1), item.kind) for parts in (1, 2)]
            assert item.unit_price in prices
            assert item.amount == item.count * item.unit_price


def test_an_own_mapping_is_named_in_the_settings(house: House, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[columns]\namount = ["Betrag"]\nunits = ["Anzahl"]\n[kinds]\n', encoding="utf-8"
    )
    context = house.open(create=True, INVOICE_MAPPING="mine.toml")
    found = read_invoice(context, text(tmp_path / "i.csv", [("Anzahl", "Betrag"), ("2", "17.0")]), MONTH)
    assert amounts(found) == [("", 2, "17.0")]
    assert found.counts is Counts.UNITS


@pytest.mark.parametrize(
    ("written", "code"), [("x =", "invoice.mapping_not_toml"), ("x = 1", "invoice.mapping_invalid")]
)
def test_a_mapping_that_is_not_usable(house: House, tmp_path: Path, written: str, code: str) -> None:
    (tmp_path / "mine.toml").write_text(written, encoding="utf-8")
    context = house.open(create=True, INVOICE_MAPPING="mine.toml")
    with pytest.raises(UsageError) as caught:
        read_invoice(context, text(tmp_path / "i.csv"), MONTH)
    assert caught.value.code == code


def test_a_mapping_that_is_not_there(house: House, tmp_path: Path) -> None:
    context = house.open(create=True, INVOICE_MAPPING="none.toml")
    with pytest.raises(UsageError) as caught:
        read_invoice(context, text(tmp_path / "i.csv"), MONTH)
    assert caught.value.code == "config.unreadable"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (ROWS[:1], "input.no_rows"),
        ([("x", "y"), ("1", "2")], "invoice.no_column"),
        ([*ROWS, ("x",)], "input.ragged"),
        ([ROWS[0], ("2026-11", "国内", "au", "x", "1", "1")], "invoice.count"),
        ([ROWS[0], ("2026-10", "国内", "au", "1", "1", "1")], "invoice.no_lines"),
    ],
)
def test_what_cannot_be_used_is_refused(
    context: Context, tmp_path: Path, rows: Sequence[Sequence[str]], code: str
) -> None:
    with pytest.raises(InputUnusable) as caught:
        read_invoice(context, text(tmp_path / "i.csv", rows), MONTH)
    assert caught.value.code == code


def test_there_is_no_invoice(context: Context, tmp_path: Path) -> None:
    with pytest.raises(InputUnusable) as caught:
        read_invoice(context, tmp_path / "none.csv", MONTH)
    assert caught.value.code == "input.missing"


def test_an_invoice_is_used_with_every_column_that_it_has(context: Context, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["対象月", "通数", "金額", "備考"], ["2026年11月", 2, 17, "国内"]):
        sheet.append(row)
    sheet.merge_cells("D2:D3")
    book.save(tmp_path / "i.xlsx")
    with pytest.raises(InputUnusable) as stopped:
        read_invoice(context, tmp_path / "i.xlsx", MONTH)
    assert stopped.value.code == "input.merged_cells"
