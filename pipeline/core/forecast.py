"""What messages may cost before they are sent: a range, because number portability hides their carriers (GATEWAY 7).

Lists have few distinct lengths, so everything is asked once per length and multiplied.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.core.billing import ANY_CARRIER, Tariff
from pipeline.model import MessageKind

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

    def measured(self) -> Lengths:
        """Return the messages whose length is known."""
        return Lengths(Counter({length: count for length, count in self.counts.items() if length[0]}), self.rows)


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
    """What messages may cost, and in how many parts they go; ``cost`` is without the ``unpriced`` ones.

    Nobody knows how long the ``unmeasured`` ones are: with them the cost has no upper end.
    """

    messages: int
    cost: CostRange
    unpriced: int
    parts: tuple[PartsLine, ...]
    near: tuple[Near, ...]
    unmeasured: int = 0

    def plus(self, other: Forecast) -> Forecast:
        """Return this and another, of messages of another kind: other carriers take them, for other prices."""
        return Forecast(
            messages=self.messages + other.messages,
            cost=self.cost.plus(other.cost, 1),
            unpriced=self.unpriced + other.unpriced,
            parts=self.parts + other.parts,
            near=self.near + other.near,
            unmeasured=self.unmeasured + other.unmeasured,
        )


@dataclass(frozen=True, slots=True)
class _Prices:
    """What a tariff says of one kind of messages on one day."""

    tariff: Tariff
    day: date
    kind: MessageKind

    def of(self, characters: int, double_byte: bool) -> CostRange | None:  # noqa: FBT001 - half a length
        costs = self.tariff.cost_range(characters, double_byte=double_byte, day=self.day, kind=self.kind)
        return CostRange(*costs) if costs else None

    @property
    def carriers(self) -> list[str]:
        """Return the carriers that the tariff names; the one that stands for all others only where it has a price."""
        priced = [price.carrier for price in self.tariff.prices if price.kind is self.kind and price.covers(self.day)]
        named = [carrier for carrier in self.tariff.steps if carrier != ANY_CARRIER]
        return list(dict.fromkeys([*priced, *named])) or [ANY_CARRIER]


def forecast(lengths: Lengths, tariff: Tariff, day: date, kind: MessageKind = MessageKind.NORMAL) -> Forecast:
    """Say what messages of these ``lengths`` may cost if they are sent on ``day``, and which are nearly cheaper.

    Those of no characters are sent by a template whose text is not known, unless they are checks, which have no text.
    """
    prices = _Prices(tariff, day, kind)
    messages = lengths.counts.total()
    lengths = lengths if kind is MessageKind.CHECK else lengths.measured()
    cost, unpriced = CostRange(), 0
    for (characters, double_byte), count in lengths.counts.items():
        price = prices.of(characters, double_byte)
        if price is None:
            unpriced += count
        else:
            cost = cost.plus(price, count)
    return Forecast(
        messages=messages,
        cost=cost,
        unpriced=unpriced,
        parts=_parts(lengths, prices),
        near=_near(lengths, prices),
        unmeasured=messages - lengths.counts.total(),
    )


def _parts(lengths: Lengths, prices: _Prices) -> tuple[PartsLine, ...]:
    """Count messages by their number of parts, carriers that come to the same on one line."""
    alike: dict[tuple[tuple[int, int], ...], list[str]] = {}
    for carrier in prices.carriers:
        counted: Counter[int] = Counter()
        for (characters, double_byte), count in lengths.counts.items():
            counted[prices.tariff.parts(carrier, characters, double_byte=double_byte)] += count
        alike.setdefault(tuple(sorted(counted.items())), []).append(carrier)
    return tuple(PartsLine(carriers=tuple(carriers), messages=dict(counted)) for counted, carriers in alike.items())


def _near(lengths: Lengths, prices: _Prices) -> tuple[Near, ...]:
    """Group the messages that are nearly cheaper by the number of parts they would have."""
    groups: dict[int, list[tuple[Length, int, CostRange, CostRange]]] = {}
    for length in lengths.counts:
        characters, double_byte = length
        now = prices.of(characters, double_byte)
        found = _shortened(prices, length)
        if now is None or found is None or (found[1].highest, found[1].lowest) >= (now.highest, now.lowest):
            continue
        by, shorter = found
        shorter_by = partial(prices.tariff.parts, characters=characters - by, double_byte=double_byte)
        parts = max(map(shorter_by, prices.carriers))
        groups.setdefault(parts, []).append((length, by, now, shorter))
    return tuple(_group(lengths, parts, members) for parts, members in sorted(groups.items()))


def _shortened(prices: _Prices, length: Length) -> tuple[int, CostRange] | None:
    """Return by how few characters a text becomes as cheap as a few can make it, and what it costs then."""
    characters, double_byte = length
    offers = [
        (price.highest, price.lowest, by)
        for by in range(1, min(NEAR, characters - 1) + 1)
        if (price := prices.of(characters - by, double_byte)) is not None
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
