"""Texts: which characters can be sent, how long the gateway finds them, and what is repaired.

Allowed (GATEWAY section 6, A): 20-7E, line break, half-width katakana, JIS X 0208 double bytes. Tested by cp932 byte
ranges: Python's ``shift_jis`` rejects the ordinary Windows code points (U+FF5E, U+FF0D, …). NFC and NFKC are never
applied: NFC rewrites name kanji, NFKC turns ① and ㈱ into something else.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.model import CharacterAt

#: the same character under another code point → its cp932 twin
TWINS = {"〜": "～", "−": "－", "‖": "∥", "¢": "￠", "£": "￡", "¬": "￢"}

_JIS_X_0208 = ((0x8140, 0x84BE), (0x889F, 0xEAA4))
_COMBINING = "\u3099\u309a"
_DECOMPOSED = re.compile(rf"[\u3041-\u30ff][{_COMBINING}]")
_NEEDS_REPAIR = rf"[\t\r{_COMBINING}{''.join(TWINS)}]"
_TWIN = str.maketrans(TWINS)
_WIDE = "[^\x00-\x7f\uff61-\uff9f]"
_DOUBLE_BYTE = "[^\x00-\x7f]"
_BLANK = r"^[ \x{3000}\n]*$"


def _is_allowed(character: str) -> bool:
    try:
        encoded = character.encode("cp932")
    except UnicodeEncodeError:
        return False
    if encoded.decode("cp932") != character:
        return False
    code = int.from_bytes(encoded, "big")
    if len(encoded) == 1:
        return 0x20 <= code <= 0x7E or 0xA1 <= code <= 0xDF  # noqa: PLR2004 - the ranges are the rule
    return any(low <= code <= high for low, high in _JIS_X_0208)


@cache
def repertoire() -> frozenset[str]:
    """Return every character that can be sent, the line break (LF) included."""
    basic_plane = (chr(code) for code in range(0x10000) if not 0xD800 <= code <= 0xDFFF)  # noqa: PLR2004 - surrogates
    return frozenset({"\n", *(character for character in basic_plane if _is_allowed(character))})


@cache
def _forbidden_pattern() -> str:
    """Return one RE2 class that matches whatever is not in the repertoire."""
    codes = sorted(map(ord, repertoire()))
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[^" + "".join(rf"\x{{{low:X}}}-\x{{{high:X}}}" for low, high in ranges) + "]"


def has_forbidden(column: pa.Array) -> pa.Array:
    """Say for each text whether it holds a character that cannot be sent."""
    return pc.match_substring_regex(column, _forbidden_pattern())


def forbidden_characters(text: str) -> tuple[CharacterAt, ...]:
    """Return every character of ``text`` that cannot be sent, with its position."""
    allowed = repertoire()
    return tuple(CharacterAt(at, character) for at, character in enumerate(text, 1) if character not in allowed)


@dataclass(frozen=True, slots=True)
class RepairedColumn:
    """A column of texts after repair; ``rules`` is sparse, by position in the chunk."""

    values: pa.Array
    rules: dict[int, tuple[str, ...]]


def repair_text(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the canonical form of a text and the rules that changed it."""
    rules: list[str] = []
    steps = (
        ("text.line_break", lambda value: value.replace("\r\n", "\n").replace("\r", "\n")),
        ("text.tab", lambda value: value.replace("\t", " ")),
        # Only kana with a combining voicing mark are composed: nothing else may change.
        ("text.decomposed_kana", lambda value: _DECOMPOSED.sub(_composed, value)),
        ("text.canonical", lambda value: value.translate(_TWIN)),
    )
    for rule, step in steps:
        repaired = step(text)
        if repaired != text:
            rules.append(rule)
            text = repaired
    return text, tuple(rules)


def _composed(pair: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", pair[0])


def repair_column(column: pa.Array) -> RepairedColumn:
    """Repair a column of texts; texts that need nothing never leave Arrow."""
    suspects = pc.match_substring_regex(column, _NEEDS_REPAIR)
    positions = pc.indices_nonzero(suspects)
    repaired = [repair_text(text) for text in column.take(positions).to_pylist()]
    rules = {at: rules for at, (_, rules) in zip(positions.to_pylist(), repaired, strict=True) if rules}
    texts = pa.array([text for text, _ in repaired], column.type)
    return RepairedColumn(pc.replace_with_mask(column, suspects, texts), rules)


@dataclass(frozen=True, slots=True)
class Lengths:
    """What the gateway counts: Shift_JIS bytes, characters, and whether a double-byte character is present.

    Only meaningful for texts within the repertoire. Arrays of int32, int32 and bool, one entry a text.
    """

    size: pa.Array
    characters: pa.Array
    double_byte: pa.Array


def measure(column: pa.Array, *, line_break: int) -> Lengths:
    """Measure texts with LF line breaks; one line break counts as ``line_break`` bytes and characters (V)."""
    breaks = pc.multiply(pc.count_substring(column, "\n"), line_break - 1)
    characters = pc.add(pc.utf8_length(column), breaks).cast(pa.int32())
    wide = pc.count_substring_regex(column, _WIDE).cast(pa.int32())
    # Half-width katakana are one byte in Shift_JIS, but count as double-byte for the character limit (A).
    return Lengths(pc.add(characters, wide), characters, pc.match_substring_regex(column, _DOUBLE_BYTE))


def is_blank(column: pa.Array) -> pa.Array:
    """Say for each text whether it is empty or holds only spaces and line breaks (answered with 585)."""
    return pc.match_substring_regex(column, _BLANK)
