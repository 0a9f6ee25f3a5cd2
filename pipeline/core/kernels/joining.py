"""Looking up texts among other texts: in tables of positions, eight bytes at a time, compared to the last byte."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.kernels import strings
from pipeline.core.kernels.strings import Positions

Words = NDArray[np.uint64]

_WORD = 8
#: looked up at a time, so that what is needed on the way does not grow
_BLOCK = 1 << 18
_ROUNDS = 24
_ODD = np.uint64(0x9E3779B97F4A7C15)
_NEXT = np.uint64(0xD6E8FEB86659FD93)


def positions(wanted: pa.Array, among: pa.Array) -> Positions:
    """Return for each ``wanted`` text where it stands ``among`` texts that are all different; -1 for nowhere."""
    there = _Texts(among)
    if not len(among) or there.shortest < _WORD:
        return _slowly(wanted, among)
    known = there.words(slice(None), there.shortest, there.longest)
    tables, rest = _tables(_hashed(known))
    if len(rest):
        return _slowly(wanted, among)
    here = _Texts(wanted)
    found = np.full(len(wanted), -1, np.int64)
    for start in range(0, len(wanted), _BLOCK):
        sizes = here.sizes[start : start + _BLOCK]
        rows = np.flatnonzero((sizes >= there.shortest) & (sizes <= there.longest)) + start
        words = here.words(rows, there.shortest, there.longest)
        hashes = _hashed(words)
        for bits, table in tables:
            candidate = table[_slots(hashes, bits)]
            same = words[-1] == known[-1][candidate]
            for one, other in zip(words[:-1], known, strict=False):
                same &= one == other[candidate]
            if there.shortest != there.longest:
                same &= here.sizes[rows] == there.sizes[candidate]
            same &= candidate >= 0
            found[rows[same]] = candidate[same]
            left = np.flatnonzero(~same)
            if not len(left):
                break
            rows, hashes = rows[left], hashes[left] * _NEXT
            words = [word[left] for word in words]
    return found


def differing(ones: pa.Array, others: pa.Array, where: Positions) -> Positions:
    """Return those i of which text i of ``ones`` is not text ``where[i]`` of ``others``; -1 is of none."""
    there, here = _Texts(others), _Texts(ones)
    if not len(others) or there.shortest < _WORD:
        rows = np.flatnonzero(where >= 0)
        return rows[strings.mask(pc.not_equal(strings.at(ones, rows), strings.at(others, where[rows])))]
    known = there.words(slice(None), there.shortest, there.longest)
    found = []
    for start in range(0, len(ones), _BLOCK):
        rows = np.flatnonzero(where[start : start + _BLOCK] >= 0) + start
        alike = here.sizes[rows] == there.sizes[where[rows]]
        found.append(rows[~alike])
        rows = rows[alike]
        at = where[rows]
        same = np.ones(len(rows), bool)
        for one, other in zip(here.words(rows, there.shortest, there.longest), known, strict=True):
            same &= one == other[at]
        found.append(rows[~same])
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _slowly(wanted: pa.Array, among: pa.Array) -> Positions:
    found: Positions = pc.fill_null(pc.index_in(wanted, value_set=among), -1).to_numpy().astype(np.int64)
    return found


class _Texts:
    """A column of texts as words of eight bytes, which may begin at any byte."""

    def __init__(self, column: pa.Array) -> None:
        data, borders = strings.buffers(column)
        self._starts = borders[:-1]
        self.sizes = np.diff(borders)
        self.shortest, self.longest = int(self.sizes.min(initial=1 << 62)), int(self.sizes.max(initial=0))
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
