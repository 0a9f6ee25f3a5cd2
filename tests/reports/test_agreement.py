"""Four renderings of one value: every count and every yen is the same in all of them, and stands in the same row."""

from __future__ import annotations

import io
import json
import random
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import openpyxl
import pytest
from rich.console import Console

from pipeline.core.bill import bill_of
from pipeline.core.restating import restated, snapshot
from pipeline.messages import LABELS, Language, label
from pipeline.model import BreakKind, Cause, Dimension, MessageClass, MessageKind, OpenCost, RestatedSubject
from pipeline.reports.document import dumps, reconciliation_document
from pipeline.reports.page import render_page
from pipeline.reports.privacy import visible
from pipeline.reports.terminal import reconciliation_lines
from pipeline.reports.workbook import write_workbook
from tests.core.worlds import STATUSES, TARIFF, random_world, reconciled
from tests.renderings import Outline, cells, terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipeline.model import Reconciliation

Row = tuple[object, ...]
#: random worlds with everything in one month, and that month
WORLDS: Final = {"world 24": (24, "2026-04"), "world 518": (518, "2026-04")}
_YEN = re.compile(r"(?:JPY )?(-?\d[\d,]*(?:\.\d+)?)(?: 円)?")


def restated_world(seed: int, month: str) -> Reconciliation:
    """Return a month of a random world that was closed when half of its results had come."""
    world, chance = random_world(seed), random.Random(seed)  # noqa: S311 - worlds must come back by their seed
    early = replace(world, rows=[row for row in world.rows if chance.random() < 0.5])
    months = [reconciled(each, month) for each in (early, world)]
    values = [replace(value, bill=bill_of(value, TARIFF), prices=TARIFF.price_lines) for value, _ in months]
    before, after = (snapshot(lines, value) for (_, lines), value in zip(months, values, strict=True))
    changed = restated(
        before, after, statuses=STATUSES, tariff_changed=False, profile_changed=False, decided=frozenset()
    )
    return replace(values[1], restatements=changed)


@pytest.fixture(params=["quiet", "noisy", "month", "quiet_month", "hostile", "hostile_month", *WORLDS])
def value(request: pytest.FixtureRequest) -> Reconciliation:
    if request.param in WORLDS:
        return restated_world(*WORLDS[request.param])
    found: Reconciliation = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def document(value: Reconciliation) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dumps(reconciliation_document(value, artifacts={}, exit_code=0)))
    return found


def canonical(cell: object) -> object:
    """Return a figure as a number, however it was written, and a text as people see it."""
    if isinstance(cell, (int, float)):
        return Decimal(str(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    text = visible(str(cell)).strip()
    figure = _YEN.fullmatch(text)
    return Decimal(figure[1].replace(",", "")) if figure else text


def of_terminal(value: Reconciliation, language: Language) -> list[Row]:
    return [
        tuple(canonical(cell) for cell in re.split(r" {2,}", line.strip()))
        for line in terminal(value, language, width=300).splitlines()
    ]


def of_page(value: Reconciliation, language: Language) -> list[Row]:
    return [tuple(map(canonical, row)) for row in Outline(render_page(value, [], language)).rows]


def of_workbook(value: Reconciliation, language: Language, path: Path) -> list[Row]:
    write_workbook(path, value, [], language)
    return [
        tuple(canonical("" if cell is None else cell) for cell in row)
        for sheet in cells(path)[1].worksheets
        for row in sheet.iter_rows(values_only=True)
    ]


def missing(wanted: Iterable[Row], rows: list[Row]) -> list[Row]:
    """Return those of ``wanted`` whose cells no row holds in this order."""

    def holds(row: Row, expected: Row) -> bool:
        rest = iter(row)
        return all(any(cell == other for other in rest) for cell in expected)

    return [each for each in wanted if not any(holds(row, each) for row in rows)]


def figures(*cells: object) -> Row:
    return tuple(map(canonical, cells))


def status_rows(document: dict[str, Any], language: Language) -> Iterator[Row]:
    for line in document["status_lines"]:
        name = line["label"] or "-"
        if line["class"] == "refused" and name in document["meanings"]:
            name = label("report.pair", language, name=name, text=document["meanings"][name][language])
        yield figures(name, line["messages"], line["billable_messages"], line["billable_units"], line["amount"])
    yield figures(document["messages"], document["billable_messages"], document["billable_units"])


def group_rows(document: dict[str, Any], language: Language, dimensions: Iterable[str]) -> Iterator[Row]:
    for dimension in dimensions:
        if dimension not in {"carrier", "day"} and len(document["groups"].get(dimension, ())) == 1:
            continue  # all messages are alike in it
        for line in document["groups"].get(dimension, ()):
            name = line["name"] or label("report.none", language)
            if dimension == Dimension.KIND:
                name = label(f"report.message_kind.{name}", language)
            counts = [line[name] for name in ("messages", "delivered", "failed", "billable_messages", "billable_units")]
            yield figures(name, *counts, line["amount"])


def money_rows(document: dict[str, Any], language: Language, *, paired: bool = False) -> Iterator[Row]:
    """A terminal says in one cell of what a restatement is and why."""
    if bill := document["bill"]:
        yield figures(label("report.bill.messages", language), bill["messages"])
        yield from (figures(fee["amount"]) for fee in bill["fees"])
        yield from (figures(tax["tax"]) for tax in bill["taxes"])
        if Decimal(bill["fraction"]):
            yield figures(label("report.bill.rounding", language), bill["fraction"])
        yield figures(label("report.bill.total", language), bill["total"])
    if variance := document["variance"]:
        for line in variance["lines"]:
            invoiced = [] if line["invoiced"] is None else [line["invoiced"]]
            amounts = (line["invoiced_amount"], line["counted_amount"], line["difference"])
            yield figures(*invoiced, line["counted"], *amounts)
        yield from (figures(part["amount"]) for part in variance["explanations"])
        for name in ("invoiced", "counted", "difference", "unexplained"):
            yield figures(label(f"report.variance.{name}", language), variance[name])
    for found in document["restatements"]:
        cause, subject = (
            label(f"report.cause.{found['cause']}", language),
            label(f"report.restated.{found['subject']}", language),
        )
        said = [label("report.pair", language, name=subject, text=cause)] if paired else [cause, subject]
        yield figures(*said, found["messages"], found["before"], found["after"], found["difference"])


def delivery_rows(document: dict[str, Any]) -> Iterator[Row]:
    """A time longer than ten days is shown by the day."""
    hours = [(datetime.fromisoformat(each["hour"]), each["messages"]) for each in document["deliveries"]]
    form = "%Y-%m-%d" if hours[-1][0] - hours[0][0] >= timedelta(days=10) else "%Y-%m-%d %H:%M"
    steps: Counter[str] = Counter()
    for hour, messages in hours:
        steps[hour.strftime(form)] += messages
    yield from (figures(name, messages) for name, messages in steps.items())


def basis_rows(document: dict[str, Any], language: Language) -> Iterator[Row]:
    foreign = document["foreign"]
    yield figures(foreign["messages"], foreign["billable_messages"], foreign["billable_units"])
    for group in foreign["groups"]:
        yield figures(group["parts"], group["messages"], *([group["amount"]] if group["amount"] else []))
    for name in ("untaxed", "tax", "total"):
        yield figures(label(f"report.amount.{name}", language), document["amount"][name])
    for price in document["prices"]:
        until = [price["until"]] if price["until"] else []
        yield figures(price["parts"], price["from"], *until, price["amount"])
    for equation in document["equations"]:
        yield figures(equation["total"], sum(equation["terms"].values()))
    for kind, number in document["breaks"].items():
        yield figures(label(f"report.kind.{kind}", language), number)
    for name, number in document["classes"].items():
        yield figures(label(f"class.{name}", language), number)


@pytest.mark.parametrize("language", Language)
def test_the_page_has_every_row_of_the_document(
    value: Reconciliation, document: dict[str, Any], language: Language
) -> None:
    rows = of_page(value, language)
    for wanted in (
        status_rows(document, language),
        group_rows(document, language, Dimension),
        money_rows(document, language),
        basis_rows(document, language),
    ):
        assert missing(wanted, rows) == []


@pytest.mark.parametrize("language", Language)
def test_the_workbook_has_every_row_of_the_document(
    tmp_path: Path, value: Reconciliation, document: dict[str, Any], language: Language
) -> None:
    rows = of_workbook(value, language, tmp_path / "report.xlsx")
    for wanted in (
        status_rows(document, language),
        group_rows(document, language, Dimension),
        money_rows(document, language),
        basis_rows(document, language),
    ):
        assert missing(wanted, rows) == []
    assert missing(delivery_rows(document), rows) == []


@pytest.mark.parametrize("language", Language)
def test_the_terminal_has_the_rows_of_the_document_that_it_shows(
    value: Reconciliation, document: dict[str, Any], language: Language
) -> None:
    rows = of_terminal(value, language)
    shown = [name for name in ("campaign", "cost_centre", "carrier") if len(document["groups"].get(name, ())) > 1]
    for wanted in (
        status_rows(document, language),
        group_rows(document, language, shown),
        money_rows(document, language, paired=True),
    ):
        assert missing(wanted, rows) == []
    text = terminal(value, language, width=300)
    counts = [equation["total"] for equation in document["equations"]]
    counts += [term for equation in document["equations"] for term in equation["terms"].values() if term]
    counts += [*document["breaks"].values(), *(document["foreign"][name] for name in ("messages", "unpriced"))]
    amounts = [*document["amount"].values(), document["foreign"]["amount"]]
    wanted_figures = {f"{number:,}" for number in counts} | {f"{Decimal(amount):,f}" for amount in amounts}
    assert wanted_figures - set(re.findall(r"[0-9][0-9,.]*", text)) == set()


@pytest.mark.parametrize("name", WORLDS)
def test_the_worlds_have_everything_that_has_a_price(name: str) -> None:
    value = restated_world(*WORLDS[name])
    kinds = {line.name for line in value.groups[Dimension.KIND] if line.amount}
    assert kinds > {MessageKind.NORMAL, MessageKind.CHECK}
    assert {MessageClass.CANCELLED, MessageClass.CHECKED} <= value.classes.keys()
    assert value.foreign.amount
    assert any(one.difference for one in value.restatements)


def test_a_row_that_is_not_there_is_missed(month: Reconciliation) -> None:
    rows = of_page(month, Language.EN)
    assert missing([figures("Docomo", 151_900, 146_521)], rows) == []
    for wrong in (figures("Docomo", 151_901), figures("au", 151_900), figures("Docomo", 146_521, 151_900)):
        assert missing([wrong], rows) == [wrong]


@pytest.mark.parametrize("language", Language)
def test_every_rendering_says_how_many_opted_out_were_matched_by_number_only_or_may_still_be_billed(
    tmp_path: Path, quiet: Reconciliation, language: Language
) -> None:
    def shown(value: Reconciliation) -> list[str]:
        stream = io.StringIO()
        Console(file=stream, width=300, no_color=True).print(reconciliation_lines(value, language))
        path = tmp_path / "report.xlsx"
        write_workbook(path, value, [], language)
        rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(max_col=2, values_only=True)
        return [stream.getvalue(), render_page(value, [], language), str(list(rows))]

    quiet = replace(quiet, pending_cost=OpenCost())
    unknown = OpenCost(messages=1_234, highest=Decimal(1), unpriced=0)
    for name, changed in (
        ("open_cost", replace(quiet, unknown_cost=unknown)),
        ("opted_out", replace(quiet, opted_out=1_234)),
        ("by_number", replace(quiet, by_number=1_234)),
    ):
        word = label(f"report.heading.{name}", language)
        assert [word in text for text in shown(quiet)] == [False] * 3
        for text in shown(changed):
            assert re.search(rf"{word}\W.*?1,234", text, re.DOTALL)


@pytest.mark.parametrize("language", Language)
def test_every_rendering_says_first_what_the_document_has_to_look_at(
    tmp_path: Path, value: Reconciliation, document: dict[str, Any], language: Language
) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(path, value, [], language)
    outline = Outline(render_page(value, [], language))
    said = terminal(value, language, width=2_000).splitlines()[0].strip()
    assert said == openpyxl.load_workbook(path).worksheets[0]["A2"].value
    assert [said] in outline.rows
    (colour,) = {text.split()[1] for tag, name, text in outline.attributes if name == "class" and "verdict " in text}
    assert (colour == "good") == (not document["attention"])
    own = {"unknown", "unsent", "refused", "opted_out", "restatements", "rejected"}
    for name, number in document["attention"].items():
        if name in own:
            text = LABELS[f"report.verdict.{name}"]
            sentence = re.escape(text.ja if language is Language.JA else text.en).replace(r"\{count\}", f"{number:,}")
            assert re.search(re.sub(r"\\\{\w+\\\}", ".+", sentence), said)
    assert document["findings"].items() <= document["attention"].items()


def test_every_word_that_a_value_may_hold_has_its_words() -> None:
    for language in Language:
        assert all(label(f"class.{name}", language) for name in MessageClass)
        assert all(label(f"report.kind.{kind}", language) for kind in BreakKind)
        assert all(label(f"report.meaning.{kind}", language) for kind in BreakKind)
        assert all(label(f"report.section.{dimension}", language) for dimension in Dimension)
        assert all(label(f"report.message_kind.{kind}", language) for kind in MessageKind)
        assert all(label(f"report.cause.{cause}", language) for cause in Cause)
        assert all(label(f"report.restated.{subject}", language) for subject in RestatedSubject)


def test_no_english_stands_for_japanese() -> None:
    same = {code for code, text in LABELS.items() if code.startswith("report.") and text.ja == text.en}
    assert same == {"report.column.smsid"}
