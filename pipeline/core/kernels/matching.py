"""Matching by the column: who is named, what decides, what is alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.kernels import msisdns, strings
from pipeline.core.kernels.strings import Positions
from pipeline.core.msisdn import canonical_result

Codes: TypeAlias = NDArray[np.int32]
#: microseconds since 1970, UTC
Times: TypeAlias = NDArray[np.int64]
Column: TypeAlias = NDArray[np.integer] | NDArray[np.bool_]

#: no time at all; earlier than every other
NEVER = np.iinfo(np.int64).min
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FEW, _MOST = 1 << 12, 1 << 22
#: rows at a time: what is made on the way stays in the cache, and its memory is used again
_BLOCK = 1 << 16
_SHORT = 1 << 31
_BITS = 63


def microseconds(moment: datetime) -> int:
    """Return an aware time as microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(stored: int) -> datetime | None:
    """Return the time of microseconds since 1970; None for ``NEVER``."""
    return None if stored == NEVER else _EPOCH + timedelta(microseconds=int(stored))


def texts(column: pa.ChunkedArray) -> pa.Array:
    """Return a column of texts as one array."""
    found = column.cast(pa.large_string())
    return found.chunk(0) if found.num_chunks == 1 else found.combine_chunks()


def words(column: pa.ChunkedArray) -> tuple[Codes, list[str]]:
    """Return a column of few different texts as codes, and the sorted texts they stand for."""
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0)
    listed = whole.dictionary.to_pylist()
    known = sorted(set(listed))
    places = {word: place for place, word in enumerate(known)}
    codes = strings.numbers(whole.indices).astype(np.int32, copy=False)
    if known != listed:
        codes = np.array([places[word] for word in listed] or [0], np.int32)[codes]
    return codes, known


def times(column: pa.ChunkedArray) -> Times:
    """Return a column of times as microseconds since 1970, ``NEVER`` for none."""
    found: Times = strings.numbers(column, NEVER)
    return found


def is_overseas(msisdn: pa.Array) -> strings.Mask:
    """Say of canonical numbers which are not domestic."""
    data, borders = strings.buffers(msisdn)
    found: strings.Mask = data[borders[:-1]] != ord("0")
    return found


def canonical(msisdn: pa.Array) -> pa.Array:
    """Return numbers of results in their canonical form."""
    read = msisdns.read_column(msisdn, overseas=True)
    if not len(read.unread):
        return read.values
    spelled = strings.at(msisdn, read.unread).to_pylist()
    return strings.put(read.values, read.unread, strings.texts([canonical_result(number) for number in spelled]))


@dataclass(frozen=True, slots=True)
class Best:
    """The deciding row of each message: the rank of its kind, its time and its kind; -1 where there is none."""

    rank: NDArray[np.int8]
    time: Times
    code: Codes


def best(  # noqa: PLR0913 - what an order is made of
    count: int, at: Positions, *, when: Times, code: NDArray[np.integer], rank: NDArray[np.int64], falling: strings.Mask
) -> Best:
    """Find the deciding one among the rows of each of ``count`` messages.

    Row i is of message ``at[i]`` (-1: of none) and of the kind ``code[i]``, which has ``rank[code[i]]`` (below 7; -1
    decides nothing). The highest rank decides, then the latest time, then the highest code; where a rank is
    ``falling``, the earliest time and the lowest code. What has no time decides nothing against what has one, either
    way. All of it is packed into one integer a row.
    """
    word_bits = max(1, (len(rank) - 1).bit_length())
    first, span = _span(when)
    ranked = None
    if 3 + word_bits + (span + 1).bit_length() > _BITS:
        ranked, when = np.unique(when, return_inverse=True)
        first = int(ranked[0] == NEVER)  # which is then 0, as it is of times that are not ranked
        span = len(ranked) - first
    # Times are 1 to the span, and none is 0; where the earliest wins it is one more than the last.
    never = span + 1
    time_bits = never.bit_length()
    low = (1 << (time_bits + word_bits)) - 1
    word = np.arange(len(rank))
    down = falling[rank]
    decides = rank >= 0
    head = np.where(decides, ((rank + 1) << (time_bits + word_bits)) | np.where(down, low ^ word, word), 0)
    step = np.where(decides, np.where(down, -1, 1) << word_bits, 0)
    packed = np.zeros(count + 1, np.int64)
    for start in range(0, len(at), _BLOCK):
        part = slice(start, start + _BLOCK)
        since = np.maximum(when[part], first - 1)
        since -= first - 1
        timeless = np.flatnonzero(since == 0)
        if len(timeless):
            since[timeless[down[code[part][timeless]]]] = never
        since *= step[code[part]]
        since += head[code[part]]
        np.maximum.at(packed, at[part], since)
    packed = packed[:count]
    found = (packed >> (time_bits + word_bits)).astype(np.int8) - np.int8(1)
    packed &= low
    packed ^= np.where(falling[found] & (found >= 0), low, 0)
    since = packed >> word_bits
    since[since == never] = 0
    time = since + (first - 1)
    time = ranked[np.maximum(time, 0)] if ranked is not None else np.where(since == 0, NEVER, time)
    time[found < 0] = NEVER
    chosen = (packed & ((1 << word_bits) - 1)).astype(np.int32)
    chosen[found < 0] = -1
    return Best(found, time, chosen)


def _span(when: Times) -> tuple[int, int]:
    """Return the first of some times, and how many microseconds there are from it to the last, both included."""
    if len(when) and int(when.min()) == NEVER:
        when = when[when != NEVER]
    return (int(when.min()), int(when.max()) - int(when.min()) + 1) if len(when) else (0, 0)


class Division:
    """Rows that are alike in several columns of codes, counted: each combination that occurs is a cell.

    A column comes with the number of codes it may have. ``of_row`` says of each row its cell.
    """

    def __init__(self, count: int, columns: Sequence[tuple[Column, int]]) -> None:
        """Divide ``count`` rows: as many columns at once as a table of all combinations has room for."""
        self.of_row: NDArray[np.int32] = np.zeros(count, np.int32)
        self._cells: list[NDArray[np.int64]] = []
        self._size = 1
        rest = list(columns)
        while rest:
            together = [rest.pop(0)]
            while rest and self._size * math.prod(size for _, size in (*together, rest[0])) <= _room(count):
                together.append(rest.pop(0))
            self._divide(together)

    def _divide(self, columns: list[tuple[Column, int]]) -> None:
        size = self._size * math.prod(size for _, size in columns)
        combined: NDArray[np.integer] = np.empty(len(self.of_row), np.int32 if size < _SHORT else np.int64)
        for start in range(0, len(combined), _BLOCK):
            part = slice(start, start + _BLOCK)
            codes = self.of_row[part].astype(combined.dtype)
            for column, own in columns:
                if own > 1:
                    codes *= own
                    codes += column[part]
            combined[part] = codes
        kept, self.of_row = distinct(combined, size)
        cells = []
        for _, own in reversed(columns):
            cells.append(kept % own)
            kept //= own
        self._cells = [*(cell[kept] for cell in self._cells), *reversed(cells)]
        self._size = len(kept)

    def rows(self) -> Iterable[tuple[int, ...]]:
        """Yield each cell: its codes in the order of the columns, then how many rows it has."""
        counts = _counted(self.of_row, self._size)
        return zip(*(cell.tolist() for cell in self._cells), counts.tolist(), strict=True)


def _room(count: int) -> int:
    """Return up to how many possible values a table of all of them is cheaper than sorting ``count`` codes."""
    return min(_MOST, max(_FEW, 4 * count))


def distinct(codes: NDArray[np.integer], size: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the different values among ``codes`` below ``size``, rising, and for each code its place among them."""
    if size > _room(len(codes)):
        kept, places = np.unique(codes, return_inverse=True)
        return kept.astype(np.int64), places.reshape(-1).astype(np.int32)
    kept = np.flatnonzero(_counted(codes, size))
    place = np.zeros(size, np.int32)
    place[kept] = np.arange(len(kept))
    return kept, place[codes]


def _counted(codes: NDArray[np.integer], size: int) -> NDArray[np.int64]:
    """Count each code, in blocks: counting wants the codes in eight bytes each."""
    counts = np.zeros(size, np.int64)
    block = max(_BLOCK, size)
    for start in range(0, len(codes), block):
        counts += np.bincount(codes[start : start + block], minlength=size)
    return counts


def first_of_each(at: NDArray[np.integer], *keys: NDArray[np.generic]) -> Positions:
    """Return the index of the first row of each message, by ``keys``, the first one most important."""
    order = np.lexsort((*reversed(keys), at))
    of = at[order]
    return order[np.flatnonzero(np.concatenate(([True], of[1:] != of[:-1])))] if len(order) else order


def last_of_each(at: NDArray[np.integer], *keys: NDArray[np.generic]) -> Positions:
    """Return the index of the last row of each message."""
    order = np.lexsort((*reversed(keys), at))
    of = at[order]
    return order[np.flatnonzero(np.concatenate((of[1:] != of[:-1], [True])))] if len(order) else order


def numbered(at: NDArray[np.integer], *keys: NDArray[np.generic]) -> NDArray[np.int64]:
    """Number the rows of each message from 0 on, in the order of ``keys``, the first one most important."""
    order = np.lexsort((*reversed(keys), at))
    of, place = at[order], np.arange(len(order))
    begins = np.concatenate((np.ones(min(len(of), 1), bool), of[1:] != of[:-1]))
    found = np.empty(len(order), np.int64)
    found[order] = place - np.maximum.accumulate(np.where(begins, place, 0))
    return found


def listed(values: Sequence[object]) -> NDArray[np.object_]:
    """Return values as something that is looked up by an array of codes."""
    found = np.empty(len(values), object)
    found[:] = values
    return found
