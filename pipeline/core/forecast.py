"""What messages may cost before they are sent: a range, because number portability hides their carriers (GATEWAY 7).

Lists have few distinct lengths, so everything is asked once per length and multiplied.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from pipeline.core.billing import ANY_CARRIER, Tariff

#: a text that is longer than a part by at most so many characters can be shortened without being written anew
NEAR = 3
#: how many rows are named
ROWS_SHOWN = 5
_ZERO = Decimal(0)

#: what decides about parts and price: the characters that the gateway counts, and whether one of them is double-byte
Length = tuple[int, bool]


@dataclass(frozen=True, slots=True)
class CostRange:
    """Lowest and highest exact untaxed yen."""

    lowest: Decimal = _ZERO
    highest: Decimal = _ZERO

    def plus(self, other: CostRange, times: int) -> CostRange:
        """Return this and ``times`` the other."""
        return CostRange(self.lowest + other.lowest * times, self.highest + other.highest * times)


@dataclass(slots=True)
class Lengths:
    """Messages by their length: how many of each, and the first rows."""

    counts: Counter[Length] = field(default_factory=Counter)
    rows: dict[Length, list[int]] = field(default_factory=dict)

    def add(self, rows: NDArray[np.int64], characters: NDArray[np.int64], double_byte: NDArray[np.bool_]) -> None:
        """Count some more rows, which come after all that were counted before."""
        lengths, places, counts = np.unique(characters * 2 + double_byte, return_inverse=True, return_counts=True)
        order, ends = np.argsort(places, kind="stable"), np.cumsum(counts)
        for length, end, count in zip(lengths.tolist(), ends.tolist(), counts.tolist(), strict=True):
            key = (length // 2, bool(length % 2))
            self.counts[key] += count
            first = self.rows.setdefault(key, [])
            first += rows[order[end - count : end][: ROWS_SHOWN - len(first)]].tolist()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsLine:
    """How carriers that count alike divide the messages: number of parts → messages, the fewest parts first."""

    carriers: tuple[str, ...]
    messages: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Messages that would be cheaper if they were ``least`` to ``most`` characters shorter.

    They would have ``parts`` then, where carriers differ at the carrier that counts the most. ``now`` and ``shorter``
    are what they may cost; ``rows`` are the first of them.
    """

    parts: int
    messages: int
    least: int
    most: int
    now: CostRange
    shorter: CostRange
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What messages may cost, and in how many parts they go; ``cost`` is without the ``unpriced`` ones."""

    messages: int
    cost: CostRange
    unpriced: int
    parts: tuple[PartsLine, ...]
    near: tuple[Near, ...]


def forecast(lengths: Lengths, tariff: Tariff, day: date) -> Forecast:
    """Say what messages of these ``lengths`` may cost if they are sent on ``day``, and which are nearly cheaper."""
    cost, unpriced = CostRange(), 0
    for (characters, double_byte), count in lengths.counts.items():
        price = _price(tariff, characters, double_byte, day)
        if price is None:
            unpriced += count
        else:
            cost = cost.plus(price, count)
    return Forecast(
        messages=lengths.counts.total(),
        cost=cost,
        unpriced=unpriced,
        parts=_parts(lengths, tariff, day),
        near=_near(lengths, tariff, day),
    )


def _price(tariff: Tariff, characters: int, double_byte: bool, day: date) -> CostRange | None:  # noqa: FBT001 - half a length
    costs = tariff.cost_range(characters, double_byte=double_byte, day=day)
    return CostRange(*costs) if costs else None


def _carriers(tariff: Tariff, day: date) -> list[str]:
    """Return the carriers that the tariff names; the one that stands for all others only where it has a price."""
    priced = [price.carrier for price in tariff.prices if price.covers(day)]
    named = [carrier for carrier in tariff.steps if carrier != ANY_CARRIER]
    return list(dict.fromkeys([*priced, *named])) or [ANY_CARRIER]


def _parts(lengths: Lengths, tariff: Tariff, day: date) -> tuple[PartsLine, ...]:
    """Count messages by their number of parts, carriers that come to the same on one line."""
    alike: dict[tuple[tuple[int, int], ...], list[str]] = {}
    for carrier in _carriers(tariff, day):
        counted: Counter[int] = Counter()
        for (characters, double_byte), count in lengths.counts.items():
            counted[tariff.parts(carrier, characters, double_byte=double_byte)] += count
        alike.setdefault(tuple(sorted(counted.items())), []).append(carrier)
    return tuple(PartsLine(carriers=tuple(carriers), messages=dict(counted)) for counted, carriers in alike.items())


def _near(lengths: Lengths, tariff: Tariff, day: date) -> tuple[Near, ...]:
    """Group the messages that are nearly cheaper by the number of parts they would have."""
    carriers = _carriers(tariff, day)
    groups: dict[int, list[tuple[Length, int, CostRange, CostRange]]] = {}
    for length in lengths.counts:
        characters, double_byte = length
        now = _price(tariff, characters, double_byte, day)
        found = _shortened(tariff, length, day)
        if now is None or found is None or (found[1].highest, found[1].lowest) >= (now.highest, now.lowest):
            continue
        by, shorter = found
        parts = max(tariff.parts(carrier, characters - by, double_byte=double_byte) for carrier in carriers)
        groups.setdefault(parts, []).append((length, by, now, shorter))
    return tuple(_group(lengths, parts, members) for parts, members in sorted(groups.items()))


def _shortened(tariff: Tariff, length: Length, day: date) -> tuple[int, CostRange] | None:
    """Return by how few characters a text becomes as cheap as a few can make it, and what it costs then."""
    characters, double_byte = length
    offers = [
        (price.highest, price.lowest, by)
        for by in range(1, min(NEAR, characters - 1) + 1)
        if (price := _price(tariff, characters - by, double_byte, day)) is not None
    ]
    if not offers:
        return None
    highest, lowest, by = min(offers)
    return by, CostRange(lowest, highest)


def _group(lengths: Lengths, parts: int, members: Iterable[tuple[Length, int, CostRange, CostRange]]) -> Near:
    messages, now, shorter = 0, CostRange(), CostRange()
    overs: list[int] = []
    rows: list[int] = []
    for length, by, before, after in members:
        count = lengths.counts[length]
        messages += count
        now, shorter = now.plus(before, count), shorter.plus(after, count)
        overs.append(by)
        rows += lengths.rows[length]
    return Near(
        parts=parts,
        messages=messages,
        least=min(overs),
        most=max(overs),
        now=now,
        shorter=shorter,
        rows=tuple(sorted(rows)[:ROWS_SHOWN]),
    )
