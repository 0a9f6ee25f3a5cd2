"""Tables of replacements: the standard one is all of use, and every useless entry is named."""

from __future__ import annotations

import tomllib
import unicodedata
from importlib.resources import files
from typing import Any, Final

import pytest

from pipeline.core.text import repertoire
from pipeline.errors import UsageError
from pipeline.messages import Language
from schemas.replacements import parse_replacements

STANDARD: Final = (files("schemas") / "replacement_tables" / "standard.toml").read_text("utf-8")
RAW: Final[dict[str, Any]] = tomllib.loads(STANDARD)
TABLE: Final = parse_replacements(STANDARD, "standard.toml")


def problems(text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        parse_replacements(text, "mine.toml")
    assert caught.value.code == "replacements.invalid"
    assert caught.value.facts["file"] == "mine.toml"
    for language in Language:
        assert "mine.toml" in caught.value.what(language)
    return [line.strip() for line in str(caught.value.facts["problems"]).splitlines()]


def test_each_key_of_the_standard_table_cannot_be_sent_and_each_value_can() -> None:
    assert TABLE
    assert not {chr(code) for code in TABLE} & repertoire()
    assert repertoire().issuperset("".join(TABLE.values()))


def test_each_entry_of_the_standard_table_is_in_use() -> None:
    """An entry that a range or another entry overrides would be a promise that is not kept."""
    assert {chr(code): by for code, by in TABLE.items() if by} == RAW["replace"]
    assert len(RAW["replace"]) == STANDARD.split("[remove]")[0].count('" = "')


def test_the_standard_table_brings_no_tags_and_no_line_breaks() -> None:
    assert not set("{}\n") & set("".join(TABLE.values()))


@pytest.mark.parametrize(
    ("characters", "by"),
    [
        ("①⑳Ⅲ㈱№㍻", ["(1)", "(20)", "III", "(株)", "No.", "平成"]),
        ("髙﨑𠮷", ["高", "崎", "吉"]),
        ("—\xa0•", ["―", " ", "・"]),
        ("💌❤\ufe0f\u200d\u200b\u20e3🇯🏽㊗⌚\u202a", [""] * 11),
    ],
)
def test_what_the_standard_table_makes_of_them(characters: str, by: list[str]) -> None:
    assert [TABLE[ord(character)] for character in characters] == by


def test_only_what_cannot_be_sent_is_removed() -> None:
    """The ranges of symbols hold some of JIS X 0208: ★ ♪ → ■ go out as they are."""
    for character in "★♪→■◆♂〒※":
        assert character in repertoire()
        assert ord(character) not in TABLE


def test_the_compatibility_kanji_of_the_standard_table_become_what_unicode_says() -> None:
    start = "CJK COMPATIBILITY IDEOGRAPH"
    compatible = {chr(code): by for code, by in TABLE.items() if unicodedata.name(chr(code), "").startswith(start)}
    said = {character: unicodedata.normalize("NFC", character) for character in compatible}
    assert len(compatible) >= 8
    # U+FA11 and the like are kanji of their own in spite of their name: NFC leaves them.
    assert {key: by for key, by in compatible.items() if said[key] not in {key, by}} == {}


def test_an_own_table() -> None:
    table = parse_replacements(
        '[replace]\n"①" = "一"\n"é" = "e"\n[remove]\nranges = ["1F600-1F602", "00AD"]\n', "mine.toml"
    )
    assert table == {0x2460: "一", 0xE9: "e", 0x1F600: "", 0x1F601: "", 0x1F602: "", 0xAD: ""}
    assert parse_replacements("", "mine.toml") == {}


def test_an_entry_of_its_own_wins_over_a_range() -> None:
    table = parse_replacements('[remove]\nranges = ["2764"]\n[replace]\n"❤" = "(heart)"\n', "mine.toml")
    assert table == {0x2764: "(heart)"}


def test_every_problem_is_named_at_once() -> None:
    text = """
    [replace]
    "あ" = "い"
    "①②" = "12"
    "" = "x"
    "髙" = "﨑"
    "㈱" = 1
    "﨑" = "崎"
    [remove]
    ranges = ["1F600-1F601", "1f600", "12", "x", 7, "1F600 - 1F601"]
    extra = 1
    [other]
    """
    found = problems(text)
    assert len(found) == 12
    assert found[:2] == ["other: unknown", "remove.extra: unknown"]
    assert sum(line.startswith("remove.ranges: ") for line in found) == 5
    assert "replace.あ: can be sent as it is" in found
    assert "replace.①②: one character is replaced, not several" in found
    assert "replace.: one character is replaced, not several" in found
    assert any(line.startswith("replace.髙: ") and "U+FA11" in line for line in found)
    assert "replace.㈱: the replacement is no text" in found


@pytest.mark.parametrize(
    "text",
    [
        "[replace",
        "replace = 1",
        "remove = []",
        "[remove]\nranges = 'x'",
        "[remove]\nranges = 1",
        '[remove]\nranges = ["1F601-1F600"]',
        '[remove]\nranges = ["110000"]',
        '[remove]\nranges = ["0000-FFFFFF"]',
        '[replace]\n"\\n" = "x"',
    ],
)
def test_a_table_of_another_form_is_refused(text: str) -> None:
    assert problems(text)
