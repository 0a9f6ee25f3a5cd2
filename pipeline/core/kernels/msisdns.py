"""Numbers by the column: what ``read_msisdn`` says, for the spellings that nearly all cells have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.kernels import strings
from pipeline.core.kernels.strings import Bytes, Mask, Offsets, Positions
from pipeline.core.msisdn import BETWEEN, CANONICAL, SPELLED

_DIGITS = 11
_ZERO = ord("0")
_WORD = np.dtype("<u8")
#: what spreadsheets wrap around a number to keep it a text, or append to a whole number
_QUOTED = r'^="[0-9 +-]*"$'
_POINTED = r"^[0-9]+\.0$"
_SPELLED = f"^ *{SPELLED} *$"

_OTHER, _DIGIT, _FULL_WIDTH, _SPACE, _SEPARATOR, _PLUS, _FULL_PLUS = range(7)


def _classes() -> NDArray[np.uint8]:
    """Return the class of every code point of the basic plane."""
    table = np.full(0x10000, _OTHER, np.uint8)
    # Dots have a meaning of their own ("090.1234.5678", but also ".0"): such cells are read one by one.
    table[[ord(character) for character in BETWEEN if character not in ".．"]] = _SEPARATOR
    table[ord(" ")] = _SPACE
    table[_ZERO : _ZERO + 10] = _DIGIT
    table[ord("０") : ord("０") + 10] = _FULL_WIDTH
    table[ord("+")], table[ord("＋")] = _PLUS, _FULL_PLUS
    return table


_CLASSES = _classes()
#: a byte of one integer for each class: one running sum counts them all
_WEIGHTS = np.left_shift(np.int64(1), 8 * np.arange(7))
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A column of numbers after reading.

    ``values`` are canonical where the kernel could read them and as given elsewhere; ``unread`` are the positions that
    must be read one by one; ``repairs`` maps a rule to the positions it was applied at.
    """

    values: pa.Array
    unread: Positions
    repairs: dict[str, Positions]


def read_column(column: pa.Array, *, overseas: bool) -> NumberColumn:
    """Read a large_string column; domestic mobile numbers in every usual spelling are read here."""
    others = np.flatnonzero(~is_plain(column))
    if not len(others):
        return NumberColumn(column, others, {})
    spelled = strings.compact(strings.at(column, others))
    bare, quoted = _taken_off(spelled, ord('"'), _QUOTED, 2, -1)
    bare, pointed = _taken_off(bare, _ZERO, _POINTED, 0, -2)
    cells = _Cells(bare)
    read, applied = cells.read(overseas=overseas, wrapped=quoted | pointed)
    applied |= {"phone.formula_quote": quoted & read, "phone.spreadsheet_number": pointed & read}
    values = strings.put(column, others[read], cells.values(read))
    repairs = {rule: others[where] for rule, where in applied.items() if where.any()}
    return NumberColumn(values, others[~read], repairs)


def is_plain(column: pa.Array) -> Mask:
    """Say for each value whether it is a domestic mobile number in 11 plain digits.

    Two unaligned 8-byte loads a row, of the first eight and the last eight digits, tested all at once.
    """
    data, borders = strings.buffers(column)
    fits = np.diff(borders) == _DIGITS
    plain = np.zeros(len(column), dtype=bool)
    starts = borders[:-1][fits]
    if not len(starts):
        return plain
    words = np.lib.stride_tricks.as_strided(data[:8].view(_WORD), (len(data) - 7,), (1,))
    first, last = words[starts], words[starts + 3]
    plain[fits] = _all_digits(first) & _all_digits(last) & _is_mobile(first)
    return plain


def _all_digits(words: NDArray[np.uint64]) -> Mask:
    """Say of each word whether its eight bytes are ASCII digits."""
    high = np.uint64(0xF0F0F0F0F0F0F0F0)
    digits = np.uint64(0x3030303030303030)
    above = words + np.uint64(0x0606060606060606)
    found: Mask = ((words & high) == digits) & ((above & high) == digits)
    return found


def _is_mobile(words: NDArray[np.uint64]) -> Mask:
    """Say of words whose bytes are digits whether they begin as a mobile number does (``DOMESTIC``)."""
    lead = (words & np.uint64(0x00FF00FF)) == np.uint64(0x00300030)  # 0.0.
    second = (words >> np.uint64(8)) & np.uint64(0xFF)
    fourth = (words >> np.uint64(24)) & np.uint64(0xFF)
    found: Mask = lead & _may_begin(second, fourth)
    return found


def _may_begin(second: NDArray[np.integer], fourth: NDArray[np.integer]) -> Mask:
    """Say of the second and fourth digit of 0x0y whether they begin a mobile number."""
    mobile = (second >= ord("6")) & (second <= ord("9"))
    device = (second == ord("2")) & (fourth != ord("4"))
    found: Mask = (mobile | device) & (fourth >= ord("1"))
    return found


def is_canonical(column: pa.Array) -> Mask:
    """Say for each value whether it is a canonical MSISDN."""
    plain = is_plain(column)
    others = np.flatnonzero(~plain)
    plain[others] = strings.mask(pc.match_substring_regex(strings.at(column, others), CANONICAL))
    return plain


def as_integers(column: pa.Array) -> NDArray[np.int64]:
    """Return 11-digit domestic numbers as integers below 10^11, and -1 for every other value."""
    plain = is_plain(column)
    found = np.full(len(column), -1, np.int64)
    data, borders = strings.buffers(column)
    starts = borders[:-1][plain]
    if len(starts):
        words = np.lib.stride_tricks.as_strided(data[:8].view(_WORD), (len(data) - 7,), (1,))
        found[plain] = _value(words[starts]) * 1000 + _value(words[starts + 3]) % 1000
    return found


def _value(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the value of eight ASCII digits in each word: pairs, then fours, then all eight."""
    digits = words - np.uint64(0x3030303030303030)
    pairs = (digits * np.uint64(10) + (digits >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    fours = (pairs * np.uint64(100) + (pairs >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    eights = (fours * np.uint64(10_000) + (fours >> np.uint64(32))) & np.uint64(0xFFFFFFFF)
    return eights.astype(np.int64)


def _taken_off(column: pa.Array, last: int, pattern: str, start: int, stop: int) -> tuple[pa.Array, Mask]:
    """Cut what stands around the number in cells of a ``pattern``, whose last byte is ``last``; say which they are."""
    data, borders = strings.buffers(column)
    there = np.zeros(len(column), dtype=bool)
    filled = np.flatnonzero(np.diff(borders))
    candidates = filled[data[borders[filled + 1] - 1] == last]
    cells = strings.at(column, candidates)
    there[candidates] = strings.mask(pc.match_substring_regex(cells, pattern))
    where = np.flatnonzero(there)
    if not len(where):
        return column, there
    return strings.put(column, where, pc.utf8_slice_codeunits(strings.at(column, where), start, stop)), there


class _Cells:
    """Cells as flat arrays of code points and their classes; how many of each class a cell has."""

    def __init__(self, column: pa.Array) -> None:
        self._column = strings.compact(column)
        data, _ = strings.buffers(self._column)
        self._points = np.frombuffer(data.tobytes().decode().encode("utf-32-le"), "<u4")
        sizes = pc.utf8_length(column).to_numpy().astype(np.int64)
        self._borders: Offsets = np.concatenate(([0], np.cumsum(sizes)))
        known = np.minimum(self._points, len(_CLASSES) - 1)
        self._classes = np.where(self._points < len(_CLASSES), _CLASSES[known], _OTHER)
        counts = np.diff(np.concatenate(([0], np.cumsum(_WEIGHTS[self._classes])))[self._borders])
        self._fits = sizes <= _LONGEST  # more would spill from one count into the next
        self._counts = [(counts >> (8 * kind)) & 0xFF for kind in range(len(_WEIGHTS))]
        self._lengths = sizes
        is_full = self._classes == _FULL_WIDTH
        is_digit = (self._classes == _DIGIT) | is_full
        values = np.where(is_full, self._points - (ord("０") - _ZERO), self._points)
        self._digits: Bytes = values[is_digit].astype(np.uint8)
        self._sizes: Positions = np.diff(np.concatenate(([0], np.cumsum(is_digit)))[self._borders])
        self._ends: Positions = np.cumsum(self._sizes)
        self._matrix = np.empty((0, _DIGITS), np.uint8)

    def read(self, *, overseas: bool, wrapped: Mask) -> tuple[Mask, dict[str, Mask]]:
        """Return which cells are domestic mobile numbers, and which of them each repair was applied to.

        ``wrapped`` cells had something around the number, so that none of them is plainly spelled.
        """
        plus = self._counts[_PLUS] + self._counts[_FULL_PLUS]
        usable = self._fits & (self._counts[_OTHER] == 0) & (self._sizes >= _DIGITS - 1) & self._leads(plus)
        usable &= ~self._negative()
        unsigned = usable & (plus == 0)
        lead = [self._digit(at) for at in range(5)]
        size = self._sizes
        international = usable & (lead[0] == ord("8")) & (lead[1] == ord("1"))
        doubled = unsigned & (lead[0] == _ZERO) & (lead[1] == _ZERO) & (lead[2] == ord("8")) & (lead[3] == ord("1"))
        # 81 90…, 81 090…, 0081 90…, 0081 090…: what is behind the country code, with or without its zero
        behind = np.where(doubled, size - 4, size - 2)
        zero = np.where(doubled, lead[4], lead[2]) == _ZERO
        abroad = (international | doubled) & np.where(zero, behind == _DIGITS, behind == _DIGITS - 1)
        domestic = unsigned & (size == _DIGITS) & (lead[0] == _ZERO)
        lost = unsigned & (size == _DIGITS - 1) & (lead[0] >= ord("6")) & (not overseas)
        read = abroad | domestic | lost
        matrix = self._last_ten(read)
        begins = (matrix[:, 2] == _ZERO) & _may_begin(matrix[:, 1], matrix[:, 3])
        read[np.flatnonzero(read)[~begins]] = False
        self._matrix = matrix[begins]
        named = read & (wrapped | ~self._spelled())
        return read, {
            "phone.full_width": named & (self._counts[_FULL_WIDTH] + self._counts[_FULL_PLUS] > 0),
            "phone.separators": named & self._separated(),
            "phone.lost_zero": read & lost,
            "phone.international": read & abroad,
        }

    def values(self, read: Mask) -> pa.Array:
        """Return the canonical numbers of the cells that were ``read``."""
        count = int(read.sum())
        return strings.from_buffers(self._matrix.reshape(-1), np.arange(count + 1, dtype=np.int64) * _DIGITS)

    def _digit(self, at: int) -> NDArray[np.uint8]:
        """Return the digit at place ``at`` of each cell; 0 where there is none."""
        there = at < self._sizes
        found = np.zeros(len(self._sizes), np.uint8)
        found[there] = self._digits[(self._ends - self._sizes + at)[there]]
        return found

    def _last_ten(self, read: Mask) -> NDArray[np.uint8]:
        """Return 0 and the last ten digits of the cells: whatever stood before, that is the number."""
        found = np.full((int(read.sum()), _DIGITS), _ZERO, np.uint8)
        found[:, 1:] = self._digits[self._ends[read][:, None] - np.arange(_DIGITS - 1, 0, -1)]
        return found

    def _negative(self) -> Mask:
        """Say which cells begin with a hyphen: these are read one by one."""
        negative = np.zeros(len(self._lengths), dtype=bool)
        filled = self._lengths > 0
        negative[filled] = self._points[self._borders[:-1][filled]] == ord("-")
        return negative

    def _leads(self, plus: Positions) -> Mask:
        """Say in which cells nothing speaks against the sign: none, or one before every digit."""
        fine = plus <= 1
        places = np.flatnonzero((self._classes == _PLUS) | (self._classes == _FULL_PLUS))
        if len(places):
            is_digit = (self._classes == _DIGIT) | (self._classes == _FULL_WIDTH)
            before = np.concatenate(([0], np.cumsum(is_digit)))
            rows = strings.rows_of(places, self._borders)
            fine[rows[before[places] > before[self._borders[rows]]]] = False
        return fine

    def _spelled(self) -> Mask:
        """Say which cells are spelled 090-1234-5678, which needs no repair; spaces around it do not count."""
        candidates = (self._counts[_SEPARATOR] == 2) & (self._lengths - self._counts[_SPACE] == len("090-1234-5678"))  # noqa: PLR2004
        spelled = np.zeros(len(candidates), dtype=bool)
        plain = np.flatnonzero(candidates & (self._counts[_SPACE] == 0))
        starts = self._borders[plain]
        dashes = (self._points[starts + 3] == ord("-")) & (self._points[starts + 8] == ord("-"))
        spelled[plain] = dashes & (self._counts[_DIGIT][plain] == _DIGITS)
        spaced = np.flatnonzero(candidates & (self._counts[_SPACE] > 0))
        spelled[spaced] = strings.mask(pc.match_substring_regex(strings.at(self._column, spaced), _SPELLED))
        return spelled

    def _separated(self) -> Mask:
        """Say which cells have separators, not counting ASCII spaces around the number."""
        found: Mask = self._counts[_SEPARATOR] > 0
        is_space = self._classes == _SPACE
        spaces = np.flatnonzero(is_space)
        if len(spaces):
            solid = np.concatenate(([0], np.cumsum(~is_space)))
            rows = strings.rows_of(spaces, self._borders)
            before = solid[spaces] > solid[self._borders[rows]]
            after = solid[self._borders[rows + 1]] > solid[spaces]
            found[rows[before & after]] = True
        return found
