from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.messages import Language, label
from pipeline.model import Dimension, MessageClass
from pipeline.reports.page import _inlined, render_page
from tests.reconciliations import divided
from tests.renderings import Outline, page_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.model import MessageLine, Reconciliation

    Source = Callable[[int], Iterator[MessageLine]]

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("name", "example"), [("batch", "noisy"), ("month", "month")])
def test_it_says_what_the_golden_one_says(
    name: str, example: str, language: Language, message_lines: Source, request: pytest.FixtureRequest
) -> None:
    page = render_page(request.getfixturevalue(example), message_lines(12), language)
    assert page_text(page) == (GOLDEN / f"page-{name}-{language}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", ["hostile", "hostile_month"])
@pytest.mark.parametrize("language", Language)
def test_nothing_is_external_and_nothing_can_run(
    example: str, hostile_lines: list[MessageLine], language: Language, request: pytest.FixtureRequest
) -> None:
    page = render_page(request.getfixturevalue(example), hostile_lines, language)
    outline = Outline(page)
    allowed = (
        "html head meta title style body header main footer p h1 h2 dl dt dd div table caption "
        "thead tbody tfoot tr th td svg rect section nav ul ol li a figure figcaption label input span output pre "
        "script"
    )
    assert set(outline.tags) <= set(allowed.split())
    names = {name for _tag, name, _value in outline.attributes}
    assert not {name for name in names if name.startswith("on") or name in {"src", "style", "srcset", "action"}}
    ids = {value for _tag, name, value in outline.attributes if name == "id"}
    links = {(tag, value) for tag, name, value in outline.attributes if name == "href"}
    assert {tag for tag, _ in links} == {"a"}
    assert {value for _, value in links} <= {f"#{name}" for name in ids}
    assert ("html", "lang", language.value) in outline.attributes
    assert "url(" not in page
    assert "@import" not in page
    assert (outline.tags.count("style"), outline.tags.count("script")) == (1, 1)
    assert "<script>alert(1)</script>" in "".join(outline.texts)  # seen, as text
    assert "{{ 7*7 }}" in page


def test_the_policy_allows_our_style_sheet_and_script_and_nothing_else(quiet: Reconciliation) -> None:
    page = render_page(quiet, [], Language.EN)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    digests = {}
    for tag in ("style", "script"):
        inlined = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert inlined
        digests[tag] = base64.b64encode(hashlib.sha256(inlined[1].encode()).digest()).decode()
    assert policy[1] == (
        f"default-src 'none'; style-src 'sha256-{digests['style']}'; script-src 'sha256-{digests['script']}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_tables_have_captions_and_scopes_and_bars_have_words(noisy: Reconciliation, message_lines: Source) -> None:
    outline = Outline(render_page(noisy, message_lines(5), Language.EN))
    assert outline.tags.count("caption") == outline.tags.count("table") == 12
    scopes = [value for tag, name, value in outline.attributes if (tag, name) == ("th", "scope")]
    assert outline.tags.count("th") == len(scopes)
    words = [value for tag, name, value in outline.attributes if (tag, name) == ("svg", "aria-label")]
    assert "delivered 9,453 (96.4%)" in words
    assert "Docomo 4,900 (50.0%)" in words
    bars = len(noisy.classes) + sum(len(lines) for lines in noisy.groups.values() if len(lines) > 1)
    assert len(words) == outline.tags.count("svg") == bars + 1  # and deliveries over time
    assert any(word.startswith("Deliveries over time: Per hour, peak: ") for word in words)
    ids = [value for _tag, name, value in outline.attributes if name == "id"]
    named = {value for _tag, name, value in outline.attributes if name == "aria-labelledby"}
    assert len(ids) == len(set(ids))
    assert named <= set(ids)


def test_numbers_are_masked(
    noisy: Reconciliation,
    hostile: Reconciliation,
    hostile_month: Reconciliation,
    hostile_lines: list[MessageLine],
    message_lines: Source,
) -> None:
    pages = (
        render_page(noisy, message_lines(50), Language.JA),
        render_page(hostile, hostile_lines, Language.JA),
        render_page(hostile_month, hostile_lines, Language.JA),
    )
    for page in pages:
        for number in (
            "09012345678",
            "9012345678",
            "1234-5678",
            "447911123456",
            "08012345678",
            "81312345678",
            "09000000007",
        ):
            assert number not in page
        assert "090****" in page
    assert all(each.isprintable() or each == "\n" for page in pages for each in page)


def test_only_the_first_messages_are_read_and_the_page_says_so(quiet: Reconciliation, message_lines: Source) -> None:
    lines = (line for _number, line in zip(count(), message_lines(9_800), strict=False))
    page = render_page(quiet, lines, Language.EN, limit=3)
    assert "3 of 9,800 shown" in page
    assert next(lines).row_number == 4
    assert "There are no differences." in page


def test_an_empty_batch_has_a_page(quiet: Reconciliation) -> None:
    assert "メッセージはありません。" in render_page(quiet, [], Language.JA)


def test_a_dimension_in_which_all_are_alike_is_not_shown(noisy: Reconciliation) -> None:
    one = {dimension: divided(noisy.statuses, ("",)) for dimension in noisy.groups}
    heads = [row[0] for row in Outline(render_page(replace(noisy, groups=one), [], Language.EN)).rows if row]
    for dimension in noisy.groups:
        there = label(f"report.section.{dimension}", Language.EN) in heads
        assert there is (dimension in {Dimension.CARRIER, Dimension.DAY})


@pytest.mark.parametrize("language", Language)
def test_what_there_is_none_of_has_no_section(empty: Reconciliation, month: Reconciliation, language: Language) -> None:
    sections = ("bill", "invoice", "variance", "restatements", "deliveries", "breaks", "unmapped", "campaign", "prices")
    for value, there in ((empty, False), (month, True)):
        heads = [row[0] for row in Outline(render_page(value, [], language)).rows if row]
        for section in sections:
            assert (label(f"report.section.{section}", language) in heads) is there, section


def test_the_alarm_comes_before_everything_but_the_verdict(noisy: Reconciliation) -> None:
    rows = [row[0] for row in Outline(render_page(noisy, [], Language.EN)).rows if row]
    first = rows.index("ALARM: results that are not in the ledger: 1.")
    assert rows[first - 1].startswith("NOT balanced")
    assert [row[:15] for row in rows[first + 2 : first + 5]] == [
        "The ledger was ",
        "A second ledger",
        "Somebody else s",
    ]


def test_deliveries_of_a_long_time_are_shown_by_the_day(month: Reconciliation) -> None:
    outline = Outline(render_page(month, [], Language.EN))
    steps = [row[0] for row in outline.rows if row and re.fullmatch(r"2026-11-\d\d: [\d,]+", row[0])]
    assert len(steps) == 30
    total = sum(int(step.partition(": ")[2].replace(",", "")) for step in steps)
    assert total == month.classes[MessageClass.DELIVERED]


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_wcag_aa(scheme: int) -> None:
    block = _inlined("page.css").text.split("@media print")[0].split("prefers-color-scheme: dark")[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", block))
    for text, grounds in {
        "ink": ("paper", "band"),
        "muted": ("paper", "band"),
        "link": ("paper",),
        "good": ("paper", "good-band"),
        "look": ("look-band",),
        "bad": ("paper", "bad-band"),
    }.items():
        for ground in grounds:
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for bar in [
        "delivered",
        "partial",
        "failed",
        "cancelled",
        "checked",
        "refused",
        "pending",
        "missing",
        "unmapped",
        "unknown",
        "planned",
    ]:
        assert _contrast(colours[bar], colours["track"]) >= 3, bar
