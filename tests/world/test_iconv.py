"""Repertoire and byte length of all 1,114,112 code points, against glibc's tables and Python's.

The oracles disagree with each other, so agreement cannot be asked for. What is asked: every code point where an oracle
writes other bytes than ours, or a different number of them, belongs to exactly one class of ``CLASSES``.
"""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.core.text import TWINS, measure, repair_text, repertoire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

pytestmark = pytest.mark.world

CODE_POINTS: Final = range(0x110000)
SURROGATES: Final = range(0xD800, 0xE000)
LINE_FEED: Final = 0x0A
#: bytes and characters of a line break (GATEWAY section 6, V)
LINE_BREAK: Final = 2


@dataclass(frozen=True)
class Difference:
    """One code point about which an oracle and ours disagree."""

    code: int
    #: what can be sent, in bytes; empty: rejected
    ours: bytes
    #: a repair turns it into something that can be sent
    repaired: bool
    theirs: bytes


@dataclass(frozen=True)
class Class:
    """Differences with one cause; ``members`` are code points, or bytes that the oracle writes."""

    why: str
    #: what ours says of all members: "repaired", "rejected", or the number of bytes it counts
    ours: str
    #: how many bytes the oracle writes; 0: cannot be written
    theirs: int
    members: tuple[range, ...]
    of_bytes: bool = False

    def holds(self, difference: Difference) -> bool:
        verdict = str(len(difference.ours) or ("repaired" if difference.repaired else "rejected"))
        what = int.from_bytes(difference.theirs, "big") if self.of_bytes else difference.code
        return (verdict, len(difference.theirs)) == (self.ours, self.theirs) and any(
            what in members for members in self.members
        )


def _points(*codes: int) -> tuple[range, ...]:
    return tuple(range(code, code + 1) for code in codes)


#: Windows code points for cells that JIS maps elsewhere: ∥ － ～ and ￠ ￡ ￢
_WINDOWS_LINES: Final = _points(0x2225, 0xFF0D, 0xFF5E)
_WINDOWS_SIGNS: Final = _points(0xFFE0, 0xFFE1, 0xFFE2)

# Grades (S, V, T, A) are those of GATEWAY section 6.
CLASSES: Final[dict[str, Class]] = {
    "line feed": Class("V: a line break counts as two", "2", 1, _points(LINE_FEED)),
    "tab": Class("A: TAB becomes a space", "repaired", 1, _points(0x09)),
    "carriage return": Class("V: there is one kind of line break", "repaired", 1, _points(0x0D)),
    "C0 and delete": Class(
        "A: single bytes are 20-7E",
        "rejected",
        1,
        (range(0x09), range(0x0B, 0x0D), range(0x0E, 0x20), range(0x7F, 0x80)),
    ),
    "C1": Class("A: single bytes are 20-7E", "rejected", 1, (range(0x80, 0xA0),)),
    "yen and overline": Class(
        "A: cp932 has backslash and tilde at 5C and 7E; the oracle knows JIS X 0201's signs too",
        "rejected",
        1,
        _points(0xA5, 0x203E),
    ),
    "JIS twins": Class(
        "A: 〜−‖¢£¬ are the same characters as their cp932 twins, so they are written as those",
        "repaired",
        2,
        _points(0x301C, 0x2212, 0x2016, 0xA2, 0xA3, 0xAC),
    ),
    "Windows twins, all": Class(
        "A: what Japanese Windows types; the oracle maps these cells to JIS's code points only",
        "2",
        0,
        (*_WINDOWS_LINES, *_WINDOWS_SIGNS),
    ),
    "Windows twins, lines": Class("A: as above, but glibc also takes the full-width ￠￡￢", "2", 0, _WINDOWS_LINES),
    "em dash": Class(
        "A: U+2014 is not in cp932; glibc writes ― (815C) for it, which does not read back",
        "rejected",
        2,
        _points(0x2014),
    ),
    "NEC row 13": Class("S: 環境依存文字 (①㈱№Ⅲ)", "rejected", 2, (range(0x8740, 0x879D),), of_bytes=True),
    "NEC-selected IBM": Class(
        "S: 環境依存文字 (髙﨑), where Python writes them", "rejected", 2, (range(0xED40, 0xEEFD),), of_bytes=True
    ),
    "IBM extensions": Class(
        "S: 環境依存文字 (髙﨑), where glibc writes them", "rejected", 2, (range(0xFA40, 0xFC4C),), of_bytes=True
    ),
    "user-defined": Class("S: 環境依存文字: private use", "rejected", 2, (range(0xE000, 0xE758),)),
    "odd single bytes": Class(
        "A: Python's cp932 writes 80, A0 and FD-FF for these; no such character exists",
        "rejected",
        1,
        _points(0x80, 0xF8F0, 0xF8F1, 0xF8F2, 0xF8F3),
    ),
    "JIS X 0213, row 1-15": Class(
        "S: 環境依存文字: cells that JIS X 0208 leaves free", "rejected", 2, (range(0x8140, 0x889F),), of_bytes=True
    ),
    "JIS X 0213, rest of plane 1": Class(
        "S: 環境依存文字: cells that JIS X 0208 leaves free", "rejected", 2, (range(0x889F, 0xF040),), of_bytes=True
    ),
    "JIS X 0213, plane 2": Class(
        "S: 環境依存文字: rare kanji (F040-FCFC)", "rejected", 2, (range(0xF040, 0xFCFD),), of_bytes=True
    ),
    "JIS X 0213 signs moved": Class(
        "A: ∥ and － have cells of their own there (81D2, 81AF); cp932's are 8161 and 817C",
        "2",
        2,
        _points(0x2225, 0xFF0D),
    ),
    "JIS X 0213 signs lost": Class(
        "A: there, 815F is \\, 8160 〜, 81B0 ~, and the cells of ￠￡￢ are those of ¢£¬: these five cannot be written",
        "2",
        0,
        (*_points(0xFF3C, 0xFF5E), *_WINDOWS_SIGNS),
    ),
    "JIS X 0213 backslash and tilde": Class(
        "A: there, 5C and 7E are yen and overline, so \\ and ~ take two bytes (815F, 81B0)", "1", 2, _points(0x5C, 0x7E)
    ),
}

_EVERYWHERE: Final = {"line feed": 1, "tab": 1, "carriage return": 1, "C0 and delete": 30, "JIS twins": 6}

#: oracle → class → number of code points. EUC-JP is folded into Shift_JIS: a third set of tables for JIS X 0208.
EXPECTED: Final[dict[str, dict[str, int]]] = {
    "glibc SHIFT_JIS": {**_EVERYWHERE, "yen and overline": 2, "Windows twins, lines": 3},
    "glibc CP932": {
        **_EVERYWHERE,
        "yen and overline": 2,
        "em dash": 1,
        "NEC row 13": 74,
        "IBM extensions": 373,
        "user-defined": 1880,
    },
    "glibc EUC-JP": {**_EVERYWHERE, "C1": 30, "yen and overline": 2, "Windows twins, all": 6},
    "python shift_jis": {**_EVERYWHERE, "yen and overline": 2, "Windows twins, all": 6},
    "python cp932": {
        **_EVERYWHERE,
        "odd single bytes": 5,
        "NEC row 13": 74,
        "NEC-selected IBM": 373,
        "user-defined": 1880,
    },
    "python euc_jp": {**_EVERYWHERE, "yen and overline": 2, "Windows twins, all": 6},
    "python shift_jis_2004": {
        **_EVERYWHERE,
        "yen and overline": 2,
        "JIS X 0213 backslash and tilde": 2,
        "JIS X 0213 signs moved": 2,
        "JIS X 0213 signs lost": 5,
        "JIS X 0213, row 1-15": 819,
        "JIS X 0213, rest of plane 1": 1071,
        "JIS X 0213, plane 2": 2436,
    },
}

#: oracle → byte sequence of ours → what the oracle reads there instead of our character
READ_BACK: Final[dict[str, dict[str, str]]] = {
    "SHIFT_JIS": {
        "5c": "¥",
        "7e": "‾",
        "8160": "〜",
        "8161": "‖",
        "817c": "−",
        "8191": "¢",
        "8192": "£",
        "81ca": "¬",
    },
    "CP932": {},
}


@pytest.fixture
def convert(tool: Callable[[str], str]) -> Callable[..., bytes]:
    program = tool("iconv")
    said = subprocess.run([program, "--version"], capture_output=True, check=True).stdout.decode()
    assert "GLIBC" in said or "GNU libc" in said

    def run(data: bytes, source: str, target: str, *, lenient: bool = False) -> bytes:
        flags = ["-c"] if lenient else []
        ended = subprocess.run(
            [program, *flags, "-f", source, "-t", target], input=data, capture_output=True, check=not lenient
        )
        return ended.stdout

    return run


def _of_glibc(convert: Callable[..., bytes], target: str) -> list[bytes]:
    """Let one process write every code point on a line of its own; what it cannot write leaves its line empty."""
    characters = "".join(f"{chr(code)}\n" for code in CODE_POINTS if code != LINE_FEED)
    lines = convert(characters.encode("utf-32-le", "surrogatepass"), "UTF-32LE", target, lenient=True).split(b"\n")
    assert lines.pop() == b""
    assert len(lines) == len(CODE_POINTS) - 1
    lines.insert(LINE_FEED, convert(b"\n", "UTF-8", target))
    return lines


def _of_python(codec: str) -> list[bytes]:
    def encode(character: str) -> bytes:
        try:
            return character.encode(codec)
        except UnicodeEncodeError:
            return b""

    return [encode(chr(code)) for code in CODE_POINTS]


def _folded(euc: bytes) -> bytes:
    """Return the Shift_JIS place of an EUC-JP character; JIS X 0212 (three bytes) has none."""
    if len(euc) != 2:
        return euc if len(euc) == 1 else b""
    if euc[0] == 0x8E:
        return euc[1:]
    row, cell = euc[0] - 0xA1, euc[1] - 0xA1
    lead = 0x81 + row // 2 if row < 62 else 0xC1 + row // 2
    trail = cell + (0x9F if row % 2 else 0x40 if cell < 63 else 0x41)
    return bytes((lead, trail))


def _of(oracle: str, convert: Callable[..., bytes]) -> list[bytes]:
    family, name = oracle.split()
    written = _of_glibc(convert, name) if family == "glibc" else _of_python(name)
    return [_folded(data) for data in written] if "euc" in name.lower() else written


@cache
def _of_ours() -> tuple[tuple[bytes, bool], ...]:
    """Return for every code point the bytes sent, as many as ``measure`` counts, and whether it is repaired."""
    allowed = repertoire()

    def judge(character: str) -> tuple[bytes, bool]:
        if character not in allowed:
            return b"", all(sent in allowed for sent in repair_text(character)[0])
        size = measure(character, line_break=LINE_BREAK).size
        data = character.encode("cp932") if character != "\n" else b"\r\n"
        assert len(data) == size, ascii(character)
        return data, False

    return tuple(judge(chr(code)) for code in CODE_POINTS)


def _differences(theirs: Iterable[bytes]) -> list[Difference]:
    both = zip(CODE_POINTS, _of_ours(), theirs, strict=True)
    return [Difference(code, data, repaired, other) for code, (data, repaired), other in both if data != other]


def _sendable() -> list[str]:
    return sorted(repertoire() - {"\n"})


@pytest.mark.parametrize("oracle", EXPECTED)
def test_every_difference_of_every_code_point_has_one_class(oracle: str, convert: Callable[..., bytes]) -> None:
    expected = EXPECTED[oracle]
    counts = dict.fromkeys(expected, 0)
    wrong: list[tuple[Difference, list[str]]] = []
    theirs = _of(oracle, convert)
    assert not any(theirs[SURROGATES.start : SURROGATES.stop])
    for difference in _differences(theirs):
        names = [name for name in expected if CLASSES[name].holds(difference)]
        if len(names) == 1:
            counts[names[0]] += 1
        else:
            wrong.append((difference, names))
    assert wrong[:20] == []
    assert counts == expected


def test_every_class_is_met() -> None:
    assert {name for counts in EXPECTED.values() for name in counts} == CLASSES.keys()


def test_surrogates_are_rejected() -> None:
    assert set(_of_ours()[SURROGATES.start : SURROGATES.stop]) == {(b"", False)}


@pytest.mark.parametrize("sign", TWINS, ids=ascii)
def test_a_repaired_sign_is_written_where_jis_has_it(sign: str, convert: Callable[..., bytes]) -> None:
    repaired, _ = repair_text(sign)
    written = convert(repaired.encode(), "UTF-8", "CP932")
    assert written == convert(sign.encode(), "UTF-8", "SHIFT_JIS") == sign.encode("shift_jis")


@pytest.mark.parametrize("oracle", READ_BACK)
def test_glibc_reads_our_bytes_as_our_characters(oracle: str, convert: Callable[..., bytes]) -> None:
    characters = _sendable()
    codes = [character.encode("cp932") for character in characters]
    read = convert(b"\n".join(codes), oracle, "UTF-8").decode().split("\n")
    differ = {code.hex(): there for code, here, there in zip(codes, characters, read, strict=True) if here != there}
    assert differ == READ_BACK[oracle]


def test_shift_jis_of_glibc_has_exactly_our_places(convert: Callable[..., bytes]) -> None:
    leads = [*range(0x81, 0xA0), *range(0xE0, 0xFD)]
    trails = [*range(0x40, 0x7F), *range(0x80, 0xFD)]
    singles = [code for code in range(0x20, 0x100) if code not in leads]
    places = [*(bytes((code,)) for code in singles), *(bytes((lead, trail)) for lead in leads for trail in trails)]
    there = convert(b"\n".join(places), "SHIFT_JIS", "UTF-8", lenient=True).decode().split("\n")
    assert len(there) == len(places)
    # Lenient reading makes something of a place that does not exist; it does not write back.
    back = convert("\n".join(there).encode(), "UTF-8", "SHIFT_JIS").split(b"\n")
    known = {place for place, again in zip(places, back, strict=True) if place == again} - {b"\x7f"}
    assert known == {character.encode("cp932") for character in _sendable()}
    assert len(known) == 95 + 63 + 6879  # ASCII, half-width katakana, JIS X 0208


def test_a_text_has_as_many_bytes_as_glibc_writes(convert: Callable[..., bytes]) -> None:
    # Fixed: the same texts in every run.
    chance = random.Random(20261123)  # noqa: S311 - no secret
    characters = _sendable()
    texts = ["".join(chance.choices(characters, k=chance.randrange(80))) for _ in range(5_000)]
    written = convert("\n".join(texts).encode(), "UTF-8", "CP932").split(b"\n")
    assert [len(data) for data in written] == [measure(text, line_break=LINE_BREAK).size for text in texts]
