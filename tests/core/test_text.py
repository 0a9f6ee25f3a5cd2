"""Texts: the repertoire against JIS X 0208, the kernels against plain loops."""

from __future__ import annotations

import unicodedata
from typing import Final

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.text import (
    TWINS,
    forbidden_characters,
    has_forbidden,
    is_blank,
    measure,
    repair_column,
    repair_text,
    repertoire,
)
from pipeline.messages import REPAIRS
from pipeline.model import CharacterAt

#: Unicode scalar values: what can stand in a file
SCALARS: Final = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
#: JIS X 0208 by its own code table → the code point Windows (cp932) writes for it; the gateway takes either
WINDOWS: Final = {
    "\u301c": "\uff5e",  # wave dash → fullwidth tilde
    "\u2016": "\u2225",  # double vertical line → parallel to
    "\u2212": "\uff0d",  # minus sign → fullwidth hyphen-minus
    "\u00a2": "\uffe0",  # cent
    "\u00a3": "\uffe1",  # pound
    "\u00ac": "\uffe2",  # not
}
both_types: Final = pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
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
    verdicts = has_forbidden(pa.array(SCALARS)).to_pylist()
    wrong = [
        ascii(character)
        for character, forbidden in zip(SCALARS, verdicts, strict=True)
        if forbidden is (character in repertoire())
    ]
    assert wrong == []


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


@both_types
@settings(deadline=None, max_examples=200)
@given(texts=st.lists(anything, max_size=6), skipped=st.integers(0, 2))
def test_forbidden_characters_agree_with_the_column(texts: list[str], skipped: int, kind: pa.DataType) -> None:
    column = pa.array(texts, kind)[skipped:]
    assert has_forbidden(column).to_pylist() == [bool(forbidden_characters(text)) for text in texts[skipped:]]
    for text in texts:
        for found in forbidden_characters(text):
            assert text[found.position - 1] == found.character


@both_types
@settings(deadline=None, max_examples=300)
@given(texts=st.lists(sendable, max_size=6), line_break=st.integers(1, 3), skipped=st.integers(0, 2))
def test_measure_counts_what_cp932_encodes(texts: list[str], line_break: int, skipped: int, kind: pa.DataType) -> None:
    lengths = measure(pa.array(texts, kind)[skipped:], line_break=line_break)
    counted = [text.replace("\n", "." * line_break) for text in texts[skipped:]]
    assert lengths.size.to_pylist() == [len(text.encode("cp932")) for text in counted]
    assert lengths.characters.to_pylist() == [len(text) for text in counted]
    assert lengths.double_byte.to_pylist() == [not text.isascii() for text in counted]


def test_measure_of_every_single_character() -> None:
    characters = sorted(repertoire() - {"\n"})
    assert measure(pa.array(characters), line_break=2).size.to_pylist() == [
        len(character.encode("cp932")) for character in characters
    ]


def test_the_example_of_the_rule_that_has_two_checks() -> None:
    lengths = measure(pa.array(["あ" * 60 + "a" * 20, "ｱ" * 70, "a" * 140]), line_break=2)
    assert lengths.size.to_pylist() == [140, 70, 140]
    assert lengths.characters.to_pylist() == [80, 70, 140]
    assert lengths.double_byte.to_pylist() == [True, True, False]


@both_types
@settings(deadline=None, max_examples=300)
@given(texts=st.lists(anything, max_size=6), skipped=st.integers(0, 2))
def test_a_column_is_repaired_row_by_row(texts: list[str], skipped: int, kind: pa.DataType) -> None:
    rows = [repair_text(text) for text in texts[skipped:]]
    repaired = repair_column(pa.array(texts, kind)[skipped:])
    assert repaired.values.type == kind
    assert repaired.values.to_pylist() == [text for text, _ in rows]
    assert repaired.rules == {at: rules for at, (_, rules) in enumerate(rows) if rules}


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


@both_types
def test_blank(kind: pa.DataType) -> None:
    blank = ["", " ", "\u3000", "\n", "\n\n", " \u3000\n \n"]
    text = ["a", " a", "\n.", "\u3000あ\n", "\xa0", "\u200b", "\x00"]
    assert is_blank(pa.array(blank + text, kind)).to_pylist() == [True] * len(blank) + [False] * len(text)


def test_lengths_have_the_documented_types() -> None:
    for kind in (pa.string(), pa.large_string()):
        lengths = measure(pa.array(["a"], kind), line_break=2)
        assert (lengths.size.type, lengths.characters.type) == (pa.int32(), pa.int32())
        assert lengths.double_byte.type == pa.bool_()
