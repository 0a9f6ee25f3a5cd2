"""The rules that look at more than one row: once per number, not to who opted out, not again to who was served.

The first acceptable row of a number stays: a row that is rejected for another reason is never a first. A number that
the campaign has served stays served, however often it comes. Memory is one
bit for each of the 500 million domestic mobile numbers and 8 bytes a row, however many rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core import ids
from pipeline.core.examine import Examined
from pipeline.core.kernels import msisdns, strings
from pipeline.core.kernels.strings import Mask, Positions
from pipeline.core.policy import Roles
from pipeline.core.tags import final_texts
from pipeline.model import Finding, NumberCheck

Integers = NDArray[np.int64]

#: how the key of a number that is only checked begins
CHECK_KEY = "check:"
#: 020, 060, 070, 080, 090: ten digits follow the first one, the third is always 0
_BLOCK = 10**8
_BLOCKS = np.full(10, -1, np.int64)
_BLOCKS[[2, 6, 7, 8, 9]] = range(5)
_ROW_BITS = 34


class NumberSet:
    """Numbers, asked about by the column; domestic ones as sorted integers, 8 bytes each."""

    def __init__(self, numbers: Iterable[str]) -> None:
        """Take the numbers in canonical form."""
        column = pa.array(numbers, pa.large_string())
        integers = msisdns.as_integers(column)
        self._domestic = np.unique(integers[integers >= 0])
        self._others = frozenset(strings.at(column, np.flatnonzero(integers < 0)).to_pylist())

    def contains(self, column: pa.Array) -> Mask:
        """Say of each number of a column whether it is in the set."""
        found = np.zeros(len(column), dtype=bool)
        if not len(self._domestic) and not self._others:
            return found
        integers = msisdns.as_integers(column)
        if len(self._domestic):
            places = np.minimum(np.searchsorted(self._domestic, integers), len(self._domestic) - 1)
            found = self._domestic[places] == integers
        if self._others:
            for position in np.flatnonzero(integers < 0).tolist():
                found[position] = column[position].as_py() in self._others
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledgered:
    """What the ledger says of this campaign and its people: message keys served by other batches, who opted out.

    ``used_smsids`` returns those of some smsids that other batches use.
    """

    served: Collection[str] = ()
    opted_out: Collection[str] = ()
    used_smsids: Callable[[list[str]], set[str]] = field(default=lambda _: set())


def message_keys(
    columns: Mapping[str, Sequence[str]], *, repeats: bool, check: NumberCheck = NumberCheck.NONE
) -> list[str]:
    """Return what may be served once in a campaign, for rows whose canonical values stand in ``columns`` by field.

    That a number is checked and nothing else has a key of its own: it is not checked twice, and is free for a text.
    """
    if check is NumberCheck.ONLY:
        return [CHECK_KEY + number for number in columns["msisdn"]]
    if not repeats:
        return list(columns["msisdn"])
    times = columns.get("scheduled") or [""] * len(columns["msisdn"])
    rows = zip(columns["msisdn"], final_texts(columns), times, strict=True)
    return [ids.message_key(number, text, time, repeats=True) for number, text, time in rows]


class Uniqueness:
    """What was seen in a file so far."""

    def __init__(self, ledgered: Ledgered, *, repeats: bool = False) -> None:
        """Start with a file in which nothing was seen. ``repeats``: the same number may get another text."""
        self._ledgered = ledgered
        self._repeats = repeats
        self._opted_out = NumberSet(ledgered.opted_out)
        self._served = NumberSet(() if repeats else ledgered.served)
        self._served_keys = frozenset(ledgered.served) if repeats else frozenset()
        self._firsts = _Firsts()
        self._first_key: dict[str, int] = {}
        self._first_smsid: dict[str, int] = {}

    def check(self, found: Examined, roles: Roles) -> tuple[Positions, Positions]:
        """Reject what may not go out (again). Return the positions that are accepted, and those served before."""
        accepted = found.accepted()
        out = accepted[self._opted_out.contains(strings.at(found.fields["msisdn"], accepted))]
        for position in out.tolist():
            row = int(found.row_numbers[position])
            found.reject(position, Finding(row, roles.name("msisdn"), "recipient.opted_out"))
        if self._repeats or "smsid" in found.fields:
            served = self._one_by_one(found, roles)
        else:
            served = self._by_column(found, roles)
        accepted = found.accepted()
        return accepted[~np.isin(accepted, served)], served

    def _by_column(self, found: Examined, roles: Roles) -> Positions:
        accepted = found.accepted()
        column = strings.at(found.fields["msisdn"], accepted)
        known = self._served.contains(column)
        served, fresh = accepted[known], accepted[~known]
        rows = found.row_numbers[fresh]
        again, first = self._firsts.see(strings.at(found.fields["msisdn"], fresh), rows)
        for position, row, before in zip(fresh[again].tolist(), rows[again].tolist(), first.tolist(), strict=True):
            found.reject(position, Finding(row, roles.name("msisdn"), "recipient.duplicate", {"first": before}))
        return served

    def _one_by_one(self, found: Examined, roles: Roles) -> Positions:
        """Decide row by row: with smsids of the user's own, a row rejected for its smsid is no first of its number."""
        accepted = found.accepted()
        served = np.zeros(len(found.row_numbers), dtype=bool)
        served[accepted] = self._served.contains(strings.at(found.fields["msisdn"], accepted))
        everywhere = np.arange(len(found.row_numbers))
        columns = {name: column.to_pylist() for name, column in found.values(everywhere).items()}
        smsids = columns.get("smsid", [""] * len(found.row_numbers))
        taken = self._ledgered.used_smsids([smsid for smsid in smsids if smsid])
        keys = message_keys(columns, repeats=self._repeats)
        for position in accepted.tolist():
            row, smsid, key = int(found.row_numbers[position]), smsids[position], keys[position]
            served[position] |= key in self._served_keys
            if served[position]:
                continue
            if (first := self._first_key.get(key)) is not None:
                found.reject(position, Finding(row, roles.name("msisdn"), "recipient.duplicate", {"first": first}))
            elif smsid and (smsid in taken or smsid in self._first_smsid):
                facts = {"first": self._first_smsid.get(smsid, "-")}
                found.reject(position, Finding(row, roles.name("smsid"), "smsid.duplicate", facts))
            else:
                self._first_key[key] = row
                if smsid:
                    self._first_smsid[smsid] = row
        return np.flatnonzero(served)


class _Firsts:
    """The first row of every number.

    A bit tells whether a domestic number was seen; sorted runs of (number, row), packed in 8 bytes, are searched only
    for the few that were. Runs are merged so that there are never many.
    """

    def __init__(self) -> None:
        self._seen = np.zeros(len(_BLOCKS[_BLOCKS >= 0]) * _BLOCK // 8, np.uint8)
        self._runs: list[Integers] = []
        self._others: dict[str, int] = {}

    def see(self, column: pa.Array, rows: Integers) -> tuple[Mask, Integers]:
        """Say which numbers were seen before, here or in an earlier chunk, and in which row first; note the others."""
        integers = msisdns.as_integers(column)
        domestic = np.flatnonzero(integers >= 0)
        again = np.zeros(len(rows), dtype=bool)
        first = np.zeros(len(rows), np.int64)
        for position in np.flatnonzero(integers < 0).tolist():
            before = self._others.setdefault(column[position].as_py(), int(rows[position]))
            again[position], first[position] = before != rows[position], before
        keys = _BLOCKS[integers[domestic] // 10**9] * _BLOCK + integers[domestic] % _BLOCK
        order = np.argsort(keys, kind="stable")  # rows rise, so that the first of a number stays before the others
        ordered, where = keys[order], domestic[order]
        starts = np.concatenate(([True], ordered[1:] != ordered[:-1])) if len(ordered) else np.empty(0, bool)
        leaders = rows[where[starts]]
        old = self._is_seen(ordered[starts])
        leaders[old] = self._first_rows(ordered[starts][old])
        repeats = np.cumsum(starts) - 1
        again[where] = ~starts | old[repeats]
        first[where] = leaders[repeats]
        self._note((ordered[starts][~old] << _ROW_BITS) | leaders[~old])
        return again, first[again]

    def _is_seen(self, keys: Integers) -> Mask:
        found: Mask = (self._seen[keys >> 3] >> (keys & 7)) & 1 == 1
        return found

    def _first_rows(self, keys: Integers) -> Integers:
        rows = np.zeros(len(keys), np.int64)
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, keys << _ROW_BITS), len(run) - 1)
            there = run[places] >> _ROW_BITS == keys
            rows[there] = run[places][there] & ((1 << _ROW_BITS) - 1)
        return rows

    def _note(self, run: Integers) -> None:
        keys = run >> _ROW_BITS
        if not len(keys):
            return
        # Several numbers may share a byte; they stand together, since the run is sorted.
        octets = keys >> 3
        starts = np.flatnonzero(np.concatenate(([True], octets[1:] != octets[:-1])))
        bits = np.bitwise_or.reduceat(np.left_shift(1, keys & 7).astype(np.uint8), starts)
        self._seen[octets[starts]] |= bits
        self._runs.append(run)
        while len(self._runs) > 1 and len(self._runs[-2]) <= 2 * len(self._runs[-1]):
            last = self._runs.pop()
            self._runs[-1] = np.sort(np.concatenate((self._runs[-1], last)), kind="stable")
