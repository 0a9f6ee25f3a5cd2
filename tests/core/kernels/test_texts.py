"""Texts by the column: what a plain loop over each text says."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core import text
from pipeline.core.kernels import texts
from pipeline.core.text import forbidden_characters, repertoire

REPERTOIRE: Final = sorted(repertoire())
sendable: Final = st.text(
    alphabet=st.one_of(
        st.sampled_from(REPERTOIRE),
        st.sampled_from("\n aｱﾟ｡ﾞ。あ漢～－￢°±Я×"),  # the rare kinds, often
    )
)
anything: Final = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("\t\r\n{}\u3099〜−¢か\ufa19ｶﾞ①髙 \u3000°"),
    )
)


def column_of(values: list[str], skipped: int = 0) -> pa.Array:
    return pa.array(values, pa.large_string())[skipped:]


@settings(deadline=None, max_examples=40)
@given(values=st.lists(st.text(":5あx", max_size=4), max_size=12), skipped=st.integers(0, 2))
def test_which_texts_hold_a_pair(values: list[str], skipped: int) -> None:
    found = texts.with_pair(column_of(values, skipped), b":5").tolist()
    assert found == [at for at, value in enumerate(values[skipped:]) if ":5" in value]


@settings(deadline=None, max_examples=40)
@given(values=st.lists(anything, max_size=12), skipped=st.integers(0, 2))
def test_which_texts_hold_what(values: list[str], skipped: int) -> None:
    column, kept = column_of(values, skipped), values[skipped:]
    assert texts.has_forbidden(column).tolist() == [bool(forbidden_characters(value)) for value in kept]
    wanted = [bool(forbidden_characters(value)) or "{" in value or "}" in value for value in kept]
    assert texts.needs_a_look(column).tolist() == wanted
    assert texts.is_blank(column).tolist() == [text.is_blank(value) for value in kept]


def test_every_character_is_even_or_not() -> None:
    """Even are ASCII, and what has three bytes in UTF-8 and two in Shift_JIS; braces (one full-width) are not."""
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
    found = texts.is_even(column_of([*characters, "", "あa\n", "あｱ", "a{"])).tolist()
    even = {
        character
        for character in REPERTOIRE
        if character not in "{}｛" and (len(character.encode()), len(character.encode("cp932"))) in {(1, 1), (3, 2)}
    }
    assert found == [*(character in even for character in characters), True, True, False, False]


@settings(deadline=None, max_examples=50)
@given(values=st.lists(sendable, max_size=12), line_break=st.integers(1, 3), skipped=st.integers(0, 2))
def test_measure_counts_what_the_row_function_counts(values: list[str], line_break: int, skipped: int) -> None:
    column = column_of(values, skipped)
    rows = [text.measure(value, line_break=line_break) for value in values[skipped:]]
    # What is known to be even is measured by another way: it must make no difference.
    for even in (None, texts.is_even(column), np.zeros(len(column), dtype=bool)):
        lengths = texts.measure(column, line_break=line_break, even=even)
        assert lengths.size.tolist() == [row.size for row in rows]
        assert lengths.characters.tolist() == [row.characters for row in rows]
        assert lengths.double_byte.tolist() == [row.double_byte for row in rows]
        assert {lengths.size.dtype.name, lengths.characters.dtype.name} == {"int32"}


def test_measure_of_every_single_character() -> None:
    characters = [character for character in REPERTOIRE if character != "\n"]
    column = column_of(characters)
    expected = [len(character.encode("cp932")) for character in characters]
    for even in (None, texts.is_even(column)):
        lengths = texts.measure(column, line_break=2, even=even)
        assert lengths.size.tolist() == expected
        assert lengths.characters.tolist() == [1] * len(characters)
        assert lengths.double_byte.tolist() == [not character.isascii() for character in characters]


def test_lengths_of_some_texts_take_the_place_of_others() -> None:
    lengths = texts.measure(column_of(["a", "bb", "ccc"]), line_break=2)
    lengths.put(np.array([0, 2]), texts.measure(column_of(["ああ", "\n"]), line_break=2))
    assert lengths.size.tolist() == [4, 2, 2]
    assert lengths.characters.tolist() == [2, 2, 2]
    assert lengths.double_byte.tolist() == [True, False, False]


def test_a_column_without_texts() -> None:
    nothing = column_of([])
    assert texts.measure(nothing, line_break=2).size.tolist() == []
    for kernel in (texts.has_forbidden, texts.needs_a_look, texts.is_even, texts.is_blank):
        assert kernel(nothing).tolist() == []


def test_blank_at_the_borders_of_its_first_bytes() -> None:
    blank = ["", " ", "\u3000", "\n", " \u3000\n \n"]
    others = ["a", "\u3001", "\u3000あ", "\u2000", "\xe3", " \t", "\r", "\x00", "\u3000\x00"]
    assert texts.is_blank(column_of(blank + others)).tolist() == [True] * 5 + [False] * 9
