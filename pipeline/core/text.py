"""Texts: which characters can be sent, how long the gateway finds them, and what is repaired.

Allowed (GATEWAY section 6, A): 20-7E, line break, half-width katakana A1-DF, JIS X 0208 double bytes. Tested by cp932
byte ranges: Python's ``shift_jis`` rejects the ordinary Windows code points (U+FF5E, U+FF0D, …). NFC and NFKC are
never applied: NFC rewrites name kanji, NFKC turns ① and ㈱ into something else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pipeline.model import CharacterAt

#: the same character under another code point → its cp932 twin
TWINS = {"〜": "～", "−": "－", "‖": "∥", "¢": "￠", "£": "￡", "¬": "￢"}

NO_REPLACEMENTS: Mapping[int, str] = {}

_JIS_X_0208 = ((0x8140, 0x84BE), (0x889F, 0xEAA4))
#: the first second byte, and the first bytes that stand alone, which are half-width katakana
_TRAIL, _KANA, _KANA_END = 0x40, 0xA000, 0xE000
_DECOMPOSED = re.compile("[\u3041-\u30ff][\u3099\u309a]")
_NEEDS_REPAIR = re.compile(f"[\t\r\u3099\u309a{''.join(TWINS)}]")
_TWIN = str.maketrans(TWINS)
_NARROW = re.compile("[\x00-\x7f\uff61-\uff9f]")


@cache
def repertoire() -> frozenset[str]:
    """Return every character that can be sent, the line break (LF) included."""
    single = [bytes((code,)) for code in (*range(0x20, 0x7F), *range(0xA1, 0xE0))]
    codes = (code for low, high in _JIS_X_0208 for code in range(low, high + 1))
    # What cannot be two bytes of one character is not tried: every command that looks at a text waits for this.
    double = [code.to_bytes(2, "big") for code in codes if code & 0xFF >= _TRAIL and not _KANA <= code < _KANA_END]
    decoded = ((code, code.decode("cp932", "ignore")) for code in (*single, *double))
    return frozenset({"\n", *(text for code, text in decoded if len(text) == 1 and text.encode("cp932") == code)})


def is_sendable(text: str) -> bool:
    """Say whether every character of ``text`` can be sent."""
    return repertoire().issuperset(text)


def forbidden_characters(text: str) -> tuple[CharacterAt, ...]:
    """Return every character of ``text`` that cannot be sent, with its position."""
    allowed = repertoire()
    if allowed.issuperset(text):
        return ()
    return tuple(CharacterAt(at, character) for at, character in enumerate(text, 1) if character not in allowed)


def needs_repair(text: str) -> bool:
    """Say whether ``text`` has a character that is repaired without being asked to."""
    return _NEEDS_REPAIR.search(text) is not None


def repair_text(text: str, replacements: Mapping[int, str] = NO_REPLACEMENTS) -> tuple[str, tuple[str, ...]]:
    """Return the canonical form of a text and the rules that changed it.

    ``replacements`` (code point → text) are those a person chose to have made (``text.replaced``).
    """
    if not replacements and not needs_repair(text):
        return text, ()
    rules: list[str] = []
    steps = (
        # First, so that what it leaves side by side is looked at like everything else.
        ("text.replaced", lambda value: value.translate(replacements)),
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


def unsendable(text: str, replacements: Mapping[int, str] = NO_REPLACEMENTS) -> tuple[CharacterAt, ...]:
    """Return the characters of ``text``, as given, that cannot be sent even after repairs."""
    mended = {*"\t\r", *TWINS, *map(chr, replacements)}
    marks = {pair.end() for pair in _DECOMPOSED.finditer(text) if len(_composed(pair)) == 1}
    return tuple(at for at in forbidden_characters(text) if at.character not in mended and at.position not in marks)


def _composed(pair: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", pair[0])


@dataclass(frozen=True, slots=True)
class Length:
    """What the gateway counts of a text: Shift_JIS bytes, characters, and whether a double-byte character is there."""

    size: int
    characters: int
    double_byte: bool


def measure(text: str, *, line_break: int) -> Length:
    """Measure a text within the repertoire; one line break counts as ``line_break`` bytes and characters (V)."""
    characters = len(text) + text.count("\n") * (line_break - 1)
    # Half-width katakana are one byte in Shift_JIS, but count as double-byte for the character limit (A).
    wide = len(text) - len(_NARROW.findall(text))
    return Length(characters + wide, characters, not text.isascii())


def is_blank(text: str) -> bool:
    """Say whether a text is empty or holds only spaces and line breaks (answered with 585)."""
    return not text.strip(" \u3000\n")
