from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from rich.console import Console

from pipeline.messages import Language
from pipeline.reports.terminal import BREAKS_SHOWN, reconciliation_lines

if TYPE_CHECKING:
    from pipeline.model import Reconciliation


def shown(value: Reconciliation, language: Language, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, no_color=True).print(reconciliation_lines(value, language))
    return stream.getvalue()


@pytest.mark.parametrize("language", Language)
def test_it_fits_80_columns_and_cuts_nothing_off(noisy: Reconciliation, language: Language) -> None:
    text = shown(noisy, language)
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "…" not in text
    assert "\x1b" not in text


def test_no_section_stands_for_nothing(empty: Reconciliation) -> None:
    text = shown(empty, Language.EN)
    assert "Not ours" not in text
    assert "Differences" not in text


@pytest.mark.parametrize(("language", "word"), [(Language.JA, "一致："), (Language.EN, "Balanced:")])
def test_the_verdict_comes_first(quiet: Reconciliation, language: Language, word: str) -> None:
    assert shown(quiet, language).startswith(word)


@pytest.mark.parametrize(("language", "word"), [(Language.JA, "不一致："), (Language.EN, "NOT balanced:")])
def test_a_bad_verdict_is_told_without_colour(noisy: Reconciliation, language: Language, word: str) -> None:
    text = shown(noisy, language)
    assert text.startswith(word)
    assert "≠" in text
    assert "090****5678" in text


def test_it_says_how_many_differences_it_shows(noisy: Reconciliation) -> None:
    assert f"{BREAKS_SHOWN} of {len(noisy.breaks)} shown" in shown(noisy, Language.EN)
    assert f"全 {len(noisy.breaks)} 件のうち {BREAKS_SHOWN} 件を表示" in shown(noisy, Language.JA)


def test_texts_from_outside_are_neither_markup_nor_escape_codes(hostile: Reconciliation) -> None:
    text = shown(hostile, Language.EN, width=200)
    assert "[bold]markup[/]" in text
    assert "␛[31mred␇" in text
    for acting in ("\x1b", "\x07", "\u202e", "\ud800"):
        assert acting not in text
    for number in ("09012345678", "9012345678", "447911123456"):
        assert number not in text
    assert "12,345,678,901,235,568.19" in text


def test_it_can_be_encoded_for_a_japanese_windows_terminal(noisy: Reconciliation) -> None:
    text = shown(noisy, Language.JA)
    assert text.replace("example-2026 (2026-04-01 –)", "").encode("cp932")
