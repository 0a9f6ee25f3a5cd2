from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from pipeline.messages import Language, label
from pipeline.model import Dimension, StatusClass
from pipeline.reports.terminal import BREAKS_SHOWN, GROUPS_SHOWN
from tests.reconciliations import divided
from tests.renderings import terminal as shown

if TYPE_CHECKING:
    from pipeline.model import Reconciliation

GOLDEN = Path(__file__).parent / "golden"
VALUES = ("quiet", "noisy", "month", "quiet_month", "empty")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("name", "example"), [("batch", "noisy"), ("month", "month")])
def test_it_is_the_golden_one(name: str, example: str, language: Language, request: pytest.FixtureRequest) -> None:
    text = shown(request.getfixturevalue(example), language)
    assert text == (GOLDEN / f"terminal-{name}-{language}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", VALUES)
def test_it_fits_80_columns_and_cuts_nothing_off(name: str, language: Language, request: pytest.FixtureRequest) -> None:
    text = shown(request.getfixturevalue(name), language)
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "…" not in text
    assert "\x1b" not in text


def test_no_section_stands_for_nothing(empty: Reconciliation, quiet_month: Reconciliation) -> None:
    text = shown(empty, Language.EN)
    for section in ("foreign", "breaks", "carrier", "bill", "invoice", "restatements", "unmapped"):
        assert label(f"report.section.{section}", Language.EN) not in text
        if section not in {"foreign", "carrier"}:
            assert label(f"report.section.{section}", Language.EN) not in shown(quiet_month, Language.EN)
    assert "ALARM" not in text


@pytest.mark.parametrize(("language", "word"), [(Language.JA, "受付拒否："), (Language.EN, "REFUSED:")])
def test_the_verdict_comes_first(quiet: Reconciliation, language: Language, word: str) -> None:
    assert shown(quiet, language).startswith(word)


@pytest.mark.parametrize(("language", "word"), [(Language.JA, "不一致："), (Language.EN, "NOT balanced:")])
def test_a_bad_verdict_is_told_without_colour(noisy: Reconciliation, language: Language, word: str) -> None:
    text = shown(noisy, language)
    assert text.startswith(word)
    assert "≠" in text
    assert "090****5678" in text


@pytest.mark.parametrize("language", Language)
def test_orphans_are_told_before_everything_else_with_three_causes(noisy: Reconciliation, language: Language) -> None:
    text = shown(noisy, language, width=300)
    title = label("report.orphans.title", language, number=1)
    causes = [label(f"report.orphans.{cause}", language) for cause in ("lost", "second", "others")]
    places = [text.index(each) for each in (title, *causes, label("report.heading.as_of", language))]
    assert places == sorted(places)
    assert "mediasms ledger check" in causes[0]


def test_what_is_unexplained_is_told_first_and_last(month: Reconciliation) -> None:
    text = shown(month, Language.EN, width=300)
    assert "JPY 50.00 of the difference to the invoice is unexplained." in text.splitlines()[0]
    lines = [line.rstrip() for line in text.splitlines()]
    last = lines.index("restated since the month was closed".capitalize()) - 2
    assert lines[last].split() == ["unexplained", "JPY", "50.00"]
    assert month.variance is not None
    explained = replace(month, breaks=(), variance=replace(month.variance, unexplained=month.variance.unexplained * 0))
    assert "(balanced)" in shown(explained, Language.EN)
    assert "unexplained" in shown(explained, Language.EN)


def test_the_oldest_message_without_a_result_has_its_age(noisy: Reconciliation) -> None:
    assert "2026-11-20 10:12:00 JST (2 d 14 h ago)" in shown(noisy, Language.EN)
    assert "2 日 14 時間経過" in shown(noisy, Language.JA)


def test_groups_are_shown_where_they_divide_anything_and_only_the_first(quiet: Reconciliation) -> None:
    one = replace(quiet, groups={Dimension.CARRIER: divided(quiet.statuses, ("au",))})
    assert "By carrier" not in shown(one, Language.EN)
    many = divided(quiet.statuses, [f"centre {number}" for number in range(GROUPS_SHOWN + 3)])
    text = shown(replace(quiet, groups={Dimension.COST_CENTRE: many}), Language.EN)
    assert "By cost centre" in text
    assert f"{GROUPS_SHOWN} of {GROUPS_SHOWN + 3} shown" in text
    assert f"centre {GROUPS_SHOWN - 1} " in text
    assert f"centre {GROUPS_SHOWN} " not in text


def test_it_says_how_many_differences_it_shows(noisy: Reconciliation) -> None:
    assert f"{BREAKS_SHOWN} of {len(noisy.breaks)} shown" in shown(noisy, Language.EN)
    assert f"全 {len(noisy.breaks)} 件のうち {BREAKS_SHOWN} 件を表示" in shown(noisy, Language.JA)


def test_the_lines_for_the_profile_load_only_once_a_person_has_filled_them_in(
    noisy: Reconciliation, hostile: Reconciliation
) -> None:
    for value, number in ((noisy, 1), (hostile, 7)):
        text = shown(value, Language.EN, width=300)
        toml = text[text.index("[[status]]") : text.index("To look at")]
        with pytest.raises(ValueError, match=r"'\?' is not a valid"):
            StatusClass(tomllib.loads(toml)["status"][0]["means"])
        statuses = tomllib.loads(toml.replace("# number = ?", "number = 99").replace('"?"', '"failed"'))["status"]
        assert len(statuses) == number
    assert statuses[1]["label"] == "<script>alert(1)</script>"


def test_texts_from_outside_are_neither_markup_nor_escape_codes(
    hostile: Reconciliation, hostile_month: Reconciliation
) -> None:
    for value in (hostile, hostile_month):
        text = shown(value, Language.EN, width=250)
        assert "[bold]markup[/]" in text
        assert "[red]au" in text
        assert "␛[31mred␇" in text
        for acting in ("\x1b", "\x07", "\u202e", "\ud800"):
            assert acting not in text
        for number in ("09012345678", "9012345678", "447911123456", "08012345678", "090-1234-5678"):
            assert number not in text
        assert "12,345,678,901,235,568.19" in text


@pytest.mark.parametrize("name", VALUES)
def test_it_can_be_encoded_for_a_japanese_windows_terminal(name: str, request: pytest.FixtureRequest) -> None:
    for language in Language:
        assert shown(request.getfixturevalue(name), language).encode("cp932")
