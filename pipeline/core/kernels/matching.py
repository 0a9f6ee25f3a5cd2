"""Matching by the column: who is named, what decides, what is alike."""

from __future__ import annotations

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

#: no time at all; earlier than every other
NEVER = np.iinfo(np.int64).min
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: up to so many possible values a table of all of them is cheaper than sorting
_TABLE = 1 << 22
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
    codes = whole.indices.to_numpy().astype(np.int32, copy=False)
    if known != listed:
        codes = np.array([places[word] for word in listed] or [0], np.int32)[codes]
    return codes, known


def times(column: pa.ChunkedArray) -> Times:
    """Return a column of times as microseconds since 1970, ``NEVER`` for none."""
    whole = column.cast(pa.int64()).combine_chunks()
    found: Times = (pc.fill_null(whole, NEVER) if whole.null_count else whole).to_numpy()
    return found


def is_overseas(msisdn: pa.Array) -> strings.Mask:
    """Say of canonical numbers which are not domestic."""
    data, borders = strings.buffers(msisdn)
    found: strings.Mask = data[borders[:-1]] != ord("0")
    return found


def canonical(msisdn: pa.Array) -> pa.Array:
    """Return numbers of results in their canonical form."""
    read = msisdns.read_column(msisdn, overseas=True)
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
    ``falling``, the earliest time and the lowest code. All of it is packed into one integer a row.
    """
    word_bits = max(1, (len(rank) - 1).bit_length())
    seen = when[when != NEVER]
    first = int(seen.min()) if len(seen) else 0
    span = int(seen.max()) - first + 1 if len(seen) else 0
    ranked = None
    if 3 + word_bits + span.bit_length() > _BITS:
        ranked, when = np.unique(when, return_inverse=True)
        first, span = 0, len(ranked)
    time_bits = span.bit_length()
    low = (1 << (time_bits + word_bits)) - 1
    word = np.arange(len(rank))
    down = falling[rank]
    decides = rank >= 0
    head = np.where(decides, ((rank + 1) << (time_bits + word_bits)) | np.where(down, low ^ word, word), 0)
    step = np.where(decides, np.where(down, -1, 1) << word_bits, 0)
    since = np.maximum(when, first - 1) - (first - 1)
    packed = np.zeros(count + 1, np.int64)
    np.maximum.at(packed, at, head[code] + step[code] * since)
    packed = packed[:count]
    found = (packed >> (time_bits + word_bits)).astype(np.int8) - np.int8(1)
    packed &= low
    packed ^= np.where(falling[found] & (found >= 0), low, 0)
    since = packed >> word_bits
    time = since + (first - 1)
    time = ranked[np.maximum(time, 0)] if ranked is not None else np.where(since == 0, NEVER, time)
    time[found < 0] = NEVER
    chosen = (packed & ((1 << word_bits) - 1)).astype(np.int32)
    chosen[found < 0] = -1
    return Best(found, time, chosen)


class Division:
    """Rows that are alike in several columns of codes, counted: each combination that occurs is a cell."""

    def __init__(self, count: int) -> None:
        """Begin with one cell of ``count`` rows."""
        self.of_row: NDArray[np.int64] = np.zeros(count, np.int64)
        self.columns: list[NDArray[np.int64]] = []
        self._size = 1
        self._count = count

    def divide(self, codes: NDArray[np.integer] | strings.Mask, size: int) -> None:
        """Divide the cells by a column whose codes are below ``size``."""
        if size <= 1:
            self.columns.append(np.zeros(self._size, np.int64))
            return
        combined = self.of_row * size
        combined += codes
        kept, self.of_row = distinct(combined, self._size * size)
        before = kept // size
        self.columns = [column[before] for column in self.columns]
        self.columns.append(kept % size)
        self._size = len(kept)

    def rows(self) -> Iterable[tuple[int, ...]]:
        """Yield each cell: its codes in the order of division, then how many rows it has."""
        counts = np.bincount(self.of_row, minlength=self._size)
        return zip(*(column.tolist() for column in self.columns), counts.tolist(), strict=True)


def distinct(codes: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different values among ``codes``, rising, and for each code its place among them."""
    if size > max(_TABLE, 4 * len(codes)):
        kept, places = np.unique(codes, return_inverse=True)
        return kept, places.reshape(-1)
    kept = np.flatnonzero(np.bincount(codes, minlength=1))
    place = np.zeros(int(kept[-1]) + 1 if len(kept) else 1, np.int64)
    place[kept] = np.arange(len(kept))
    return kept, place[codes]


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


def listed(values: Sequence[object]) -> NDArray[np.object_]:
    """Return values as something that is looked up by an array of codes."""
    found = np.empty(len(values), object)
    found[:] = values
    return found
