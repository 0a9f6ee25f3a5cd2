from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import count
from typing import TYPE_CHECKING

import pytest

from pipeline.messages import Language
from pipeline.reports.page import _style, render_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.model import MessageLine, Reconciliation

    Source = Callable[[int], Iterator[MessageLine]]

VOID = {"meta", "rect"}


class Outline(HTMLParser):
    """Tags, attributes and text of a page; fails where tags do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("language", Language)
def test_nothing_is_external_and_nothing_can_run(
    hostile: Reconciliation, hostile_lines: list[MessageLine], language: Language
) -> None:
    page = render_page(hostile, hostile_lines, language)
    outline = Outline(page)
    allowed = (
        "html head meta title style body header main footer p h1 h2 dl dt dd div table caption "
        "thead tbody tfoot tr th td svg rect"
    )
    assert set(outline.tags) <= set(allowed.split())
    names = {name for _tag, name, _value in outline.attributes}
    assert not {name for name in names if name.startswith("on") or name in {"src", "href", "style", "srcset"}}
    assert ("html", "lang", language.value) in outline.attributes
    assert "url(" not in page
    assert "@import" not in page
    assert outline.tags.count("style") == 1
    assert "<script>alert(1)</script>" in "".join(outline.texts)  # seen, as text
    assert "{{ 7*7 }}" in page


def test_the_policy_allows_our_style_sheet_and_nothing_else(quiet: Reconciliation) -> None:
    page = render_page(quiet, [], Language.EN)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert policy
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1] == (f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")


def test_tables_have_captions_and_scopes_and_bars_have_words(noisy: Reconciliation, message_lines: Source) -> None:
    outline = Outline(render_page(noisy, message_lines(5), Language.EN))
    assert outline.tags.count("caption") == outline.tags.count("table") == 7
    scopes = [value for tag, name, value in outline.attributes if (tag, name) == ("th", "scope")]
    assert outline.tags.count("th") == len(scopes)
    words = [value for tag, name, value in outline.attributes if (tag, name) == ("svg", "aria-label")]
    assert "delivered 9,453 (96.4%)" in words
    assert len(words) == outline.tags.count("svg") == len(noisy.classes)
    ids = [value for _tag, name, value in outline.attributes if name == "id"]
    named = {value for _tag, name, value in outline.attributes if name == "aria-labelledby"}
    assert len(ids) == len(set(ids))
    assert named <= set(ids)


def test_numbers_are_masked(
    noisy: Reconciliation, hostile: Reconciliation, hostile_lines: list[MessageLine], message_lines: Source
) -> None:
    pages = (
        render_page(noisy, message_lines(50), Language.JA),
        render_page(hostile, hostile_lines, Language.JA),
    )
    for page in pages:
        for number in (
            "09012345678",
            "9012345678",
            "1234-5678",
            "447911123456",
            "81312345678",
            "09000000007",
        ):
            assert number not in page
        assert "090****" in page
    assert pages[1].isprintable() or all(each.isprintable() or each == "\n" for each in pages[1])


def test_only_the_first_messages_are_read_and_the_page_says_so(quiet: Reconciliation, message_lines: Source) -> None:
    lines = (line for _number, line in zip(count(), message_lines(9_800), strict=False))
    page = render_page(quiet, lines, Language.EN, limit=3)
    assert "3 of 9,800 shown" in page
    assert next(lines).row_number == 4
    assert "There are no differences." in page


def test_an_empty_batch_has_a_page(quiet: Reconciliation) -> None:
    assert "メッセージはありません。" in render_page(quiet, [], Language.JA)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_wcag_aa(scheme: int) -> None:
    block = _style().split("@media print")[0].split("prefers-color-scheme: dark")[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", block))
    for text, grounds in {
        "ink": ("paper", "band"),
        "muted": ("paper", "band"),
        "good": ("paper", "good-band"),
        "bad": ("paper", "bad-band"),
    }.items():
        for ground in grounds:
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for bar in [
        "delivered",
        "partial",
        "failed",
        "cancelled",
        "refused",
        "pending",
        "missing",
        "unmapped",
        "unknown",
        "planned",
    ]:
        assert _contrast(colours[bar], colours["track"]) >= 3, bar
