"""Four renderings of one value: every count and every yen is the same in all of them."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import openpyxl
import pytest
from rich.console import Console

from pipeline.messages import LABELS, Language, label
from pipeline.model import BreakKind, MessageClass
from pipeline.reports.document import dumps, reconciliation_document
from pipeline.reports.page import render_page
from pipeline.reports.terminal import reconciliation_lines
from pipeline.reports.workbook import write_workbook

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.model import Reconciliation


@pytest.fixture(params=["quiet", "noisy", "hostile"])
def value(request: pytest.FixtureRequest) -> Reconciliation:
    found: Reconciliation = request.getfixturevalue(request.param)
    return found


def figures(value: Reconciliation) -> set[str]:
    """Every count and every amount, as people read them, from the JSON document."""
    document = json.loads(dumps(reconciliation_document(value, artifacts={}, exit_code=0)))
    counts = [document[key] for key in ("messages", "billable_messages", "billable_units")]
    counts += document["classes"].values()
    counts += document["breaks"].values()
    counts += [equation["total"] for equation in document["equations"]]
    counts += [term for equation in document["equations"] for term in equation["terms"].values() if term]
    amounts = [*document["amount"].values(), document["foreign"]["amount"]]
    for line in (*document["status_lines"], document["foreign"]):
        counts += [line["messages"], line["billable_messages"], line["billable_units"]]
        amounts.append(line["amount"])
    return {f"{number:,}" for number in counts} | {f"{Decimal(amount):,f}" for amount in amounts}


@pytest.mark.parametrize("language", Language)
def test_terminal_and_page_show_every_figure_of_the_document(value: Reconciliation, language: Language) -> None:
    stream = io.StringIO()
    Console(file=stream, width=300, no_color=True).print(reconciliation_lines(value, language))
    for text in (stream.getvalue(), render_page(value, [], language)):
        assert figures(value) - set(re.findall(r"[0-9][0-9,.]*", text)) == set()


@pytest.mark.parametrize("language", Language)
def test_the_workbook_holds_every_figure_of_the_document(
    tmp_path: Path, value: Reconciliation, language: Language
) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, value, [], language)
    sheet = openpyxl.load_workbook(path, data_only=True).worksheets[0]
    held: set[Decimal] = set()
    for row in sheet.iter_rows(values_only=True):
        for cell in row:
            if isinstance(cell, (int, float)):
                held.add(Decimal(str(cell)))
            elif isinstance(cell, str):
                held |= {Decimal(each.replace(",", "")) for each in re.findall(r"\b\d[\d,]*(?:\.\d+)?\b", cell)}
    assert {Decimal(figure.replace(",", "")) for figure in figures(value)} - held == set()


@pytest.mark.parametrize("language", Language)
def test_every_rendering_says_how_many_were_cancelled_because_people_opted_out(
    tmp_path: Path, quiet: Reconciliation, language: Language
) -> None:
    def shown(value: Reconciliation) -> list[str]:
        stream = io.StringIO()
        Console(file=stream, width=300, no_color=True).print(reconciliation_lines(value, language))
        path = tmp_path / f"{value.opted_out}.xlsx"
        write_workbook(path, value, [], language)
        rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(max_col=2, values_only=True)
        return [stream.getvalue(), render_page(value, [], language), str(list(rows))]

    name = label("report.heading.opted_out", language)
    assert [name in text for text in shown(quiet)] == [False] * 3
    for text in shown(replace(quiet, opted_out=1_234)):
        assert re.search(rf"{name}\W.*?1,234", text, re.DOTALL)


def test_every_class_and_kind_has_its_words() -> None:
    for language in Language:
        assert all(label(f"class.{name}", language) for name in MessageClass)
        assert all(label(f"report.kind.{kind}", language) for kind in BreakKind)
        assert all(label(f"report.meaning.{kind}", language) for kind in BreakKind)


def test_no_english_stands_for_japanese() -> None:
    same = {code for code, text in LABELS.items() if code.startswith("report.") and text.ja == text.en}
    assert same == {"report.column.smsid"}
