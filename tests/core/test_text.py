"""Texts: the repertoire against JIS X 0208, lengths against the codec, and what is repaired."""

from __future__ import annotations

import unicodedata
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.text import (
    TWINS,
    Length,
    forbidden_characters,
    is_blank,
    measure,
    repair_text,
    repertoire,
    unsendable,
)
from pipeline.messages import REPAIRS
from pipeline.model import CharacterAt

#: Unicode scalar values: what can stand in a file
SCALARS: Final = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
BASIC_PLANE: Final = (*range(0xD800), *range(0xE000, 0x10000))
#: JIS X 0208 by its own code table → the code point Windows (cp932) writes for it; the gateway takes either
WINDOWS: Final = {
    "\u301c": "\uff5e",  # wave dash → fullwidth tilde
    "\u2016": "\u2225",  # double vertical line → parallel to
    "\u2212": "\uff0d",  # minus sign → fullwidth hyphen-minus
    "\u00a2": "\uffe0",  # cent
    "\u00a3": "\uffe1",  # pound
    "\u00ac": "\uffe2",  # not
}
sendable: Final = st.text(
    alphabet=st.one_of(
        st.sampled_from(sorted(repertoire())),
        st.sampled_from("\n aｱﾟ。あ漢～－￢"),  # the rare kinds, often
    )
)
kana: Final = [chr(code) for code in range(0x3041, 0x3100)]
anything: Final = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("\t\r\n\u3099\u309a〜−‖¢£¬かはハゝう\ufa19ｶ①髙"),
    )
)


def jis_x_0208() -> set[str]:
    """Decode every cell of the 94 × 94 table with a codec that knows no vendor extension."""
    found: set[str] = set()
    for row in range(0x21, 0x7F):
        for cell in range(0x21, 0x7F):
            try:
                found.add((b"\x1b$B" + bytes((row, cell)) + b"\x1b(B").decode("iso2022_jp"))
            except UnicodeDecodeError:
                continue
    return found


def test_repertoire_is_jis_x_0208_in_windows_code_points() -> None:
    table = jis_x_0208()
    assert len(table) == 6879  # what the standard defines: 6355 kanji and 524 others
    single = {chr(code) for code in (*range(0x20, 0x7F), *range(0xFF61, 0xFFA0))} | {"\n"}
    expected = {WINDOWS.get(character, character) for character in table} | single
    assert repertoire() == expected
    assert expected & WINDOWS.keys() == set()
    assert TWINS == WINDOWS


def test_every_code_point_is_judged_as_the_repertoire_says() -> None:
    found = forbidden_characters("".join(map(chr, BASIC_PLANE)))
    allowed = repertoire()
    assert [at.character for at in found] == [chr(code) for code in BASIC_PLANE if chr(code) not in allowed]
    assert max(allowed) < "\U00010000"
    assert all(forbidden_characters(character) for character in "𠮷😀\U000e0061\U0010ffff")


@pytest.mark.parametrize(
    "character",
    [
        *"①㈱№Ⅲ髙﨑𠮷😀—",
        "\xa0",
        "\u200b",
        "\x80",
        "\x7f",
        "\x00",
        "\t",
        "\r",
        "\uf8f0",
        "\ue000",
        "\u3099",
        "¥",
        "‾",
    ],
    ids=ascii,
)
def test_forbidden(character: str) -> None:
    assert forbidden_characters(f"あ{character}b{character}") == (
        CharacterAt(2, character),
        CharacterAt(4, character),
    )


@settings(deadline=None, max_examples=300)
@given(text=anything)
def test_forbidden_characters_are_named_where_they_stand(text: str) -> None:
    found = {at.position: at.character for at in forbidden_characters(text)}
    assert found == {at: character for at, character in enumerate(text, 1) if character not in repertoire()}


@settings(deadline=None, max_examples=300)
@given(text=sendable, line_break=st.integers(1, 3))
def test_measure_counts_what_cp932_encodes(text: str, line_break: int) -> None:
    counted = text.replace("\n", "." * line_break)
    expected = Length(len(counted.encode("cp932")), len(counted), double_byte=not text.isascii())
    assert measure(text, line_break=line_break) == expected


def test_measure_of_every_single_character() -> None:
    for character in repertoire() - {"\n"}:
        length = measure(character, line_break=2)
        assert (length.size, length.characters) == (len(character.encode("cp932")), 1)
        assert length.double_byte is (character > "\x7f")  # half-width katakana too (A)


def test_the_example_of_the_rule_that_has_two_checks() -> None:
    assert measure("あ" * 60 + "a" * 20, line_break=2) == Length(140, 80, double_byte=True)
    assert measure("ｱ" * 70, line_break=2) == Length(70, 70, double_byte=True)
    assert measure("a" * 140, line_break=2) == Length(140, 140, double_byte=False)


@settings(deadline=None, max_examples=300)
@given(anything)
def test_a_repaired_text_needs_no_repair(text: str) -> None:
    repaired, rules = repair_text(text)
    assert repair_text(repaired) == (repaired, ())
    assert bool(rules) is (repaired != text)
    assert set(rules) <= REPAIRS.keys()


@pytest.mark.parametrize("mark", ["\u3099", "\u309a"], ids=ascii)
def test_kana_and_mark_become_what_nfc_makes_of_them(mark: str) -> None:
    for character in kana:
        assert repair_text(character + mark)[0] == unicodedata.normalize("NFC", character + mark)
    assert repair_text(f"か{mark}か{mark}")[0] == unicodedata.normalize("NFC", f"か{mark}か{mark}")


def test_no_single_character_changes_but_these() -> None:
    changed = {character: repaired for character in SCALARS if (repaired := repair_text(character)[0]) != character}
    assert changed == {**WINDOWS, "\t": " ", "\r": "\n"}


@pytest.mark.parametrize("text", ["\ufa19", "e\u0301", "①㈱ｱ", "ｶ\u3099", "ﾊﾞ", "漢\u3099", "\u212b", "\n\n"], ids=ascii)
def test_what_nfc_or_nfkc_would_change_stays(text: str) -> None:
    assert repair_text(text) == (text, ())


@pytest.mark.parametrize(
    ("text", "repaired", "rules"),
    [
        ("a\r\nb\rc\nd\r\r\n", "a\nb\nc\nd\n\n", ("text.line_break",)),
        ("a\tb", "a b", ("text.tab",)),
        ("か\u3099は\u309a", "がぱ", ("text.decomposed_kana",)),
        ("10〜20", "10～20", ("text.canonical",)),
        (
            "\r\n\tハ\u309a¬",
            "\n パ￢",
            ("text.line_break", "text.tab", "text.decomposed_kana", "text.canonical"),
        ),
    ],
)
def test_repairs_are_named(text: str, repaired: str, rules: tuple[str, ...]) -> None:
    assert repair_text(text) == (repaired, rules)


@pytest.mark.parametrize("text", ["", " ", "\u3000", "\n", "\n\n", " \u3000\n \n"], ids=ascii)
def test_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", " a", "\n.", "\u3000あ\n", "\xa0", "\u200b", "\x00", "\t", "\r"], ids=ascii)
def test_not_blank(text: str) -> None:
    assert not is_blank(text)


TABLE: Final = {ord("①"): "(1)", ord("💌"): "", ord("\u200d"): "", ord("髙"): "高"}


@settings(deadline=None, max_examples=300)
@given(text=anything, table=st.sampled_from([{}, TABLE]))
def test_what_is_unsendable_is_what_repairs_leave_forbidden(text: str, table: dict[int, str]) -> None:
    """Positions are those of the cell as given, although repairs move characters."""
    left = [found.character for found in forbidden_characters(repair_text(text, table)[0])]
    found = unsendable(text, table)
    assert [at.character for at in found] == left
    assert all(text[at.position - 1] == at.character for at in found)


def test_chosen_replacements_are_made_and_named() -> None:
    assert repair_text("①髙い💌", TABLE) == ("(1)高い", ("text.replaced",))
    assert repair_text("①\r\nか\u3099〜\t", TABLE) == (
        "(1)\nが～ ",
        ("text.replaced", "text.line_break", "text.tab", "text.decomposed_kana", "text.canonical"),
    )
    assert repair_text("①") == ("①", ())


def test_an_emoji_of_several_code_points_goes_as_a_whole() -> None:
    family = "👨\u200d👩\u200d👧"
    table = {ord(character): "" for character in family}
    assert repair_text(f"あ{family}い", table) == ("あい", ("text.replaced",))
    assert [at.position for at in unsendable(f"あ{family}い", {ord("👩"): ""})] == [2, 3, 5, 6]


def test_a_mark_that_lost_what_stood_between_it_and_its_kana_is_composed() -> None:
    assert repair_text("か\u200d\u3099", TABLE)[0] == "が"
