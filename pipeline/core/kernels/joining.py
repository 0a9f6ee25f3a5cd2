"""Looking up texts among other texts: in tables of positions, eight bytes at a time, compared to the last byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.kernels import strings
from pipeline.core.kernels.strings import Mask, Positions

Words = NDArray[np.uint64]

_WORD = 8
_LONGEST = 255
#: texts at a time: what is made on the way stays in the cache, and its memory is used again
_BLOCK = 1 << 16
_ROUNDS = 24
_ODD = np.uint64(0x9E3779B97F4A7C15)
_NEXT = np.uint64(0xD6E8FEB86659FD93)


def positions(wanted: pa.ChunkedArray, among: pa.ChunkedArray) -> Positions:
    """Return for each ``wanted`` text where it stands ``among`` texts that are all different; -1 for nowhere."""
    there = _Known.of(among)
    if there is None:
        return _slowly(wanted, among)
    tables, rest = _tables(_hashed(there.words))
    if len(rest):
        return _slowly(wanted, among)
    found = np.full(len(wanted), -1, np.int64)
    for start, part in _parts(wanted):
        here = _Texts(part)
        rows = np.flatnonzero((here.sizes >= there.shortest) & (here.sizes <= there.longest))
        words = here.words(rows, there.shortest, there.longest)
        hashes = _hashed(words)
        for bits, table in tables:
            candidate = table[_slots(hashes, bits)]
            same = there.are(candidate, words, here.sizes[rows])
            same &= candidate >= 0
            found[start + rows[same]] = candidate[same]
            left = np.flatnonzero(~same)
            if not len(left):
                break
            rows, hashes = rows[left], hashes[left] * _NEXT
            words = [word[left] for word in words]
    return found


def differing(ones: pa.ChunkedArray, others: pa.ChunkedArray, where: Positions) -> Positions:
    """Return those i of which text i of ``ones`` is not text ``where[i]`` of ``others``; -1 is of none."""
    there = _Known.of(others)
    if there is None:
        rows = np.flatnonzero(where >= 0)
        return rows[
            strings.mask(pc.not_equal(ones.take(strings.indices(rows)), others.take(strings.indices(where[rows]))))
        ]
    found = [np.empty(0, np.int64)]
    for start, part in _parts(ones):
        here = _Texts(part)
        at = where[start : start + len(part)]
        fits = (here.sizes >= there.shortest) & (here.sizes <= there.longest)
        found.append(start + np.flatnonzero((at >= 0) & ~fits))
        rows = np.flatnonzero((at >= 0) & fits)
        same = there.are(at[rows], here.words(rows, there.shortest, there.longest), here.sizes[rows])
        found.append(start + rows[~same])
    return np.sort(np.concatenate(found))


def _slowly(wanted: pa.ChunkedArray, among: pa.ChunkedArray) -> Positions:
    value_set = among.combine_chunks()
    return strings.numbers(pc.index_in(wanted, value_set=value_set), -1).astype(np.int64)


def _parts(column: pa.ChunkedArray) -> Iterator[tuple[int, pa.Array]]:
    """Yield a column in pieces, each with the place where it begins."""
    start = 0
    for chunk in column.chunks:
        for begin in range(0, len(chunk), _BLOCK):
            yield start + begin, chunk.slice(begin, _BLOCK)
        start += len(chunk)


class _Texts:
    """A piece of a column of texts as words of eight bytes, which may begin at any byte."""

    def __init__(self, column: pa.Array) -> None:
        data, borders = strings.buffers(column)
        self._starts = borders[:-1]
        self.sizes = np.diff(borders)
        count = max(0, len(data) - _WORD + 1)
        first = data[:_WORD].view(np.uint64) if count else np.empty(1, np.uint64)
        self._words: Words = np.lib.stride_tricks.as_strided(first, (count,), (1,))

    def words(self, rows: slice | Positions, shortest: int, longest: int) -> list[Words]:
        """Return the words of texts that have at least ``shortest`` and at most ``longest`` bytes, and a word or more.

        They begin at every eighth byte; of a text that ends before its end the last eight bytes are taken.
        """
        starts = self._starts[rows]
        if shortest == longest:
            return [self._words[starts + min(at, longest - _WORD)] for at in range(0, longest, _WORD)]
        last = self.sizes[rows] - _WORD
        return [self._words[starts + np.minimum(at, last)] for at in range(0, longest, _WORD)]


@dataclass(frozen=True, slots=True)
class _Known:
    """The texts that others are compared with, as words; ``sizes`` is None where all have the same."""

    words: list[Words]
    sizes: NDArray[np.uint8] | None
    shortest: int
    longest: int

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> _Known | None:
        """Read a column; None when there is a text too short or too long to be read so, or no text."""
        lengths = pc.min_max(pc.binary_length(column)).as_py()
        shortest, longest = lengths["min"], lengths["max"]
        if shortest is None or shortest < _WORD or longest > _LONGEST:
            return None
        words: list[Words] = [np.empty(len(column), np.uint64) for _ in range(0, longest, _WORD)]
        sizes = np.empty(len(column), np.uint8) if shortest != longest else None
        for start, part in _parts(column):
            texts = _Texts(part)
            for whole, own in zip(words, texts.words(slice(None), shortest, longest), strict=True):
                whole[start : start + len(part)] = own
            if sizes is not None:
                sizes[start : start + len(part)] = texts.sizes
        return cls(words, sizes, shortest, longest)

    def are(self, at: NDArray[np.integer], words: list[Words], sizes: NDArray[np.int64]) -> Mask:
        """Say which of the texts at some places are the given ones, byte for byte."""
        same: Mask = words[-1] == self.words[-1][at]
        for one, other in zip(words[:-1], self.words[:-1], strict=True):
            same &= one == other[at]
        if self.sizes is not None:
            same &= sizes == self.sizes[at]
        return same


def _hashed(words: list[Words]) -> Words:
    found = words[0] * _ODD
    for word in words[1:]:
        found ^= found >> np.uint64(29)
        found += word
        found *= _ODD
    found ^= found >> np.uint64(32)
    found *= _ODD
    return found


def _slots(hashes: Words, bits: int) -> Positions:
    return (hashes >> np.uint64(64 - bits)).view(np.int64)


def _tables(hashes: Words) -> tuple[list[tuple[int, NDArray[np.int32]]], Positions]:
    """Return tables of positions by the first bits of a hash, each for what had no room in the one before it."""
    rest = np.arange(len(hashes))
    tables: list[tuple[int, NDArray[np.int32]]] = []
    while len(rest) and len(tables) < _ROUNDS:
        bits = len(rest).bit_length() + 1
        slots = _slots(hashes, bits)
        table = np.full(1 << bits, -1, np.int32)
        table[slots] = rest
        lost = table[slots] != rest
        tables.append((bits, table))
        rest, hashes = rest[lost], hashes[lost] * _NEXT
    return tables, rest
