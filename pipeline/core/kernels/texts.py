"""Texts by the column: which can be sent as they are, and how long the gateway finds them.

One RE2 pass with a class built from the codec tells the texts that need a closer look from the others. RE2 releases
the interpreter lock, and compiles the class once a call: columns should hold tens of thousands of texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.kernels import strings
from pipeline.core.kernels.strings import Mask, Positions
from pipeline.core.text import repertoire

_BRACES = "{}｛"
_LINE_FEED = ord("\n")
_BLANK = r"^[ \x{3000}\n]*$"
#: first bytes of the characters a blank text consists of: space, line break, U+3000
_BLANK_BYTES = np.isin(np.arange(256), (0x20, 0x0A, 0xE3))
#: the first byte of a character beyond ASCII, and the bytes of the half-width katakana U+FF61 to U+FF9F
_LEAD, _HALF_WIDTH = 0xC0, (0xEF, 0xBD, 0xA1, 0xBE, 0x9F)


@cache
def _uneven() -> str:
    return _BRACES + "".join(map(chr, (*range(0x80, 0x800), *range(0xFF61, 0xFFA0))))


@cache
def _class_of_others(also: str) -> str:
    """Return one RE2 class that matches whatever is not in the repertoire, and the characters ``also``."""
    ranges: list[list[int]] = []
    for code in sorted(map(ord, repertoire() - set(also))):
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[^" + "".join(rf"\x{{{low:X}}}-\x{{{high:X}}}" for low, high in ranges) + "]"


def has_forbidden(column: pa.Array) -> Mask:
    """Say for each text whether it holds a character that cannot be sent."""
    return strings.mask(pc.match_substring_regex(column, _class_of_others("")))


def needs_a_look(column: pa.Array) -> Mask:
    """Say for each text whether it holds a brace or a character that cannot be sent, which includes repairable ones.

    A full-width brace may have been meant as one.
    """
    return strings.mask(pc.match_substring_regex(column, _class_of_others(_BRACES)))


def is_even(column: pa.Array) -> Mask:
    """Say for each text whether ``needs_a_look`` would not name it and each character is even, as nearly all are.

    Even is a character of one byte in both UTF-8 and Shift_JIS, or of three in the one and two in the other.
    """
    even: Mask = ~strings.mask(pc.match_substring_regex(column, _class_of_others(_uneven())))
    return even


def has_byte(column: pa.Array, byte: int) -> Mask:
    """Say for each text whether it holds an ASCII character, by its byte."""
    data, borders = strings.buffers(column)
    first, last = int(borders[0]), int(borders[-1])
    found = np.zeros(len(column), dtype=bool)
    found[strings.rows_of(np.flatnonzero(data[first:last] == byte) + first, borders)] = True
    return found


def with_pair(column: pa.Array, pair: bytes) -> Positions:
    """Return the positions of texts that hold two ASCII characters side by side."""
    data, borders = strings.buffers(column)
    first, last = int(borders[0]), int(borders[-1])
    starts = np.flatnonzero(data[first : max(last - 1, first)] == pair[0]) + first
    starts = starts[data[starts + 1] == pair[1]]
    rows = strings.rows_of(starts, borders)
    return np.unique(rows[starts + 1 < borders[rows + 1]])


def is_blank(column: pa.Array) -> Mask:
    """Say for each text whether it is empty or holds only spaces and line breaks."""
    data, borders = strings.buffers(column)
    blank: Mask = np.diff(borders) == 0
    full = np.flatnonzero(~blank)
    suspects = full[_BLANK_BYTES[data[borders[full]]]]
    blank[suspects] = strings.mask(pc.match_substring_regex(strings.at(column, suspects), _BLANK))
    return blank


@dataclass(frozen=True, slots=True)
class Lengths:
    """What the gateway counts: Shift_JIS bytes, characters, and whether a double-byte character is present.

    Only meaningful for texts within the repertoire. Arrays of int32, int32 and bool, one entry a text.
    """

    size: NDArray[np.int32]
    characters: NDArray[np.int32]
    double_byte: Mask

    def put(self, positions: Positions, others: Lengths) -> None:
        """Take the lengths of ``others`` at ``positions``."""
        self.size[positions] = others.size
        self.characters[positions] = others.characters
        self.double_byte[positions] = others.double_byte


def measure(column: pa.Array, *, line_break: int, even: Mask | None = None) -> Lengths:
    """Measure texts with LF line breaks; one line break counts as ``line_break`` bytes and characters (V).

    ``even`` says which texts are known to be (``is_even``): the others are looked at once more.
    """
    data, borders = strings.buffers(column)
    octets = np.diff(borders)
    points = pc.utf8_length(column).to_numpy().astype(np.int64)
    # Of a text without uneven characters, each wide one has two more bytes than characters in UTF-8.
    wide = (octets - points) // 2
    others = np.arange(len(column)) if even is None else np.flatnonzero(~even)
    wide[others] = _count_wide(strings.compact(strings.at(column, others)))
    first, last = int(borders[0]), int(borders[-1])
    places = np.flatnonzero(data[first:last] == _LINE_FEED) + first
    breaks = np.bincount(strings.rows_of(places, borders), minlength=len(column)) * (line_break - 1)
    characters = points + breaks
    return Lengths((characters + wide).astype(np.int32), characters.astype(np.int32), octets != points)


def _count_wide(column: pa.Array) -> NDArray[np.int64]:
    """Count the double-byte characters of each text: all beyond ASCII but half-width katakana."""
    data, borders = strings.buffers(column)
    wide = data[: borders[-1]] >= _LEAD
    first, second, low, third, high = _HALF_WIDTH
    starts = np.flatnonzero(data[: borders[-1]] == first)
    then, last = data[starts + 1], data[starts + 2]
    wide[starts[((then == second) & (last >= low)) | ((then == third) & (last <= high))]] = False
    return np.diff(np.concatenate(([0], np.cumsum(wide)))[borders])
