"""Which line of an invoice a message belongs on: by kind, carrier and price.

Lines that are alike in all three are one. A message belongs on a line of its kind and carrier, else on one of its kind
that names no carrier; of several such lines on the one with its price. What fits nowhere gets a line of its own, which
the invoice does not have (row 0).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from pipeline.core.billing import Tariff
from pipeline.core.headers import canonical_header
from pipeline.core.invoice import Counts, InvoiceItem
from pipeline.model import ForeignLine, InvoiceLine, MessageClass, MessageKind, MessageLine

#: classes of messages that we do not count and an invoice may: what happened to them is not, or not quite, known
POSSIBLE = (
    MessageClass.PARTIAL,
    MessageClass.MISSING,
    MessageClass.PENDING,
    MessageClass.UNMAPPED,
    MessageClass.UNKNOWN,
)
#: billed by the gateway's own results, but without a price of ours
UNPRICED = "unpriced"
DUPLICATE = "duplicate_billable"
#: of the account, but not ours
FOREIGN = "foreign"


@dataclass(slots=True)
class Place:
    """A line of the invoice and what we count for it.

    ``count`` is messages or units, None where it cannot be told; ``own`` counts those by our price for one.
    """

    row: int
    kind: MessageKind
    carrier: str
    unit_price: Decimal | None
    count: int | None
    amount: Decimal
    messages: int = 0
    counted: int = 0
    counted_amount: Decimal = Decimal(0)
    own: set[Decimal] = field(default_factory=set)

    @property
    def line(self) -> InvoiceLine:
        """Return it as a line of a report."""
        return InvoiceLine(
            line=self.row,
            kind=self.kind.value,
            carrier=self.carrier,
            unit_price=self.unit_price,
            invoiced=self.count,
            counted=self.counted,
            invoiced_amount=self.amount,
            counted_amount=self.counted_amount,
        )

    def add(self, messages: int, size: int, amount: Decimal) -> None:
        """Add ``messages`` of ours that have ``size`` messages or units and cost ``amount`` together."""
        self.messages += messages
        self.counted += size
        self.counted_amount += amount
        self.own.add(amount / size)


@dataclass(frozen=True, slots=True)
class Alike:
    """Messages of ours that a tariff and an invoice cannot tell apart. ``amount`` is untaxed yen for one of them."""

    cause: str
    kind: MessageKind
    carrier: str
    parts: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Messages that the invoice may hold and we do not count, and the places they may stand on."""

    cause: str
    places: frozenset[int]
    messages: int
    size: int


@dataclass(frozen=True, slots=True)
class Placing:
    """Where the messages of a month stand on its invoice: what we count ``at`` its place, the rest as candidates."""

    places: Sequence[Place]
    counts: Counts
    at: Mapping[Alike, Place]
    candidates: list[Candidate]

    def lines_of(self, line: MessageLine, tariff: Tariff) -> tuple[InvoiceLine, ...]:
        """Return the line that a message of ours belongs on (row 0: the invoice has none), or those it may stand on.

        There are several, or none, only of one that we do not count.
        """
        for group in alike([line], {}, tariff):
            if group in self.at:
                return (self.at[group].line,)
            return tuple(self.places[number].line for number in sorted(_standing(group, self.places, self.counts)))
        return ()


def alike(lines: Iterable[MessageLine], duplicates: Mapping[str, Decimal | None], tariff: Tariff) -> Counter[Alike]:
    """Count messages by what an invoice can tell apart; ``cause`` is empty for those we count.

    ``duplicates`` has the amount at risk of the messages that were reported as delivered more than once.
    """
    # A million lines: plain tuples are counted in half the time of records.
    billed: Counter[tuple[MessageKind, str, int, Decimal | None]] = Counter()
    possible: Counter[tuple[MessageClass, MessageKind, str, int, date | None]] = Counter()
    found: Counter[Alike] = Counter()
    for line in lines:
        if line.billable:
            billed[line.kind, line.carrier, line.parts, line.amount] += 1
            if line.smsid in duplicates:
                more = _times(duplicates[line.smsid], line.amount)
                found[Alike(DUPLICATE, line.kind, line.carrier, line.parts, line.amount)] += more
        elif line.message_class in POSSIBLE:
            possible[line.message_class, line.kind, line.carrier, line.parts, line.day] += 1
    for (kind, carrier, parts, amount), messages in billed.items():
        found[Alike("" if amount is not None else UNPRICED, kind, carrier, parts, amount)] += messages
    for (message_class, kind, carrier, parts, day), messages in possible.items():
        price = tariff.price(carrier, parts, day, kind) if carrier and day else None
        found[Alike(message_class.value, kind, carrier, parts, price)] += messages
    return found


def alike_foreign(foreign: ForeignLine) -> Counter[Alike]:
    """Count the billed messages that are not ours by the same."""
    found: Counter[Alike] = Counter()
    for group in foreign.groups:
        found[Alike(FOREIGN, group.kind, group.carrier, group.parts, group.amount)] += group.messages
    return found


def _times(at_risk: Decimal | None, amount: Decimal | None) -> int:
    """Return how many bills too many ``at_risk`` stands for; one where that has no price."""
    return int(at_risk / amount) if at_risk and amount else 1


def places_of(items: Sequence[InvoiceItem]) -> list[Place]:
    """Return the lines for messages of an invoice, those alike as one, in order."""
    places: dict[tuple[MessageKind, str, Decimal | None], Place] = {}
    for item in items:
        if item.kind is None:
            continue
        count = _count(item)
        key = item.kind, canonical_header(item.name), item.unit_price
        if known := places.get(key):
            known.count = None if known.count is None or count is None else known.count + count
            known.amount += item.amount
        else:
            places[key] = Place(item.row, item.kind, item.name, item.unit_price, count, item.amount)
    return list(places.values())


def _count(item: InvoiceItem) -> int | None:
    """Return the count of a line: as stated, else what price and amount make it, if that is a whole number."""
    if item.count is not None or not item.unit_price:
        return item.count
    whole = item.amount // item.unit_price
    return int(whole) if whole * item.unit_price == item.amount else None


def place(groups: Mapping[Alike, int], places: list[Place], counts: Counts) -> Placing:
    """Add what we count to its place, making the places that are missing; say where everything stands, or may."""
    found: dict[Alike, Place] = {}
    left: list[tuple[Alike, int, list[int]]] = []
    for group, messages in groups.items():
        if group.cause or group.amount is None:
            continue
        fitting = _fitting(group, places)
        at = _one(group, fitting, places, counts)
        if at is None:
            left.append((group, messages, fitting))
        else:
            found[group] = places[at]
            _add(places[at], group, messages, counts)
    empty = {number for number, line in enumerate(places) if not line.counted}
    for group, messages, fitting in left:
        # A price that no line has belongs on the only line that nothing else belongs on.
        free = [number for number in fitting if number in empty]
        found[group] = places[free[0]] if len(free) == 1 else _own_place(group, places)
        _add(found[group], group, messages, counts)
    candidates: Counter[tuple[str, frozenset[int]]] = Counter()
    sizes: Counter[tuple[str, frozenset[int]]] = Counter()
    for group, messages in groups.items():
        if group.cause and (standing := _standing(group, places, counts)):
            candidates[group.cause, standing] += messages
            sizes[group.cause, standing] += messages * _size(group, counts)
    rest = [
        Candidate(cause, standing, messages, sizes[cause, standing])
        for (cause, standing), messages in sorted(candidates.items(), key=lambda item: (item[0][0], sorted(item[0][1])))
    ]
    return Placing(places, counts, found, rest)


def _fitting(group: Alike, places: Sequence[Place]) -> list[int]:
    """Return the lines of the invoice that a group may belong on by kind and carrier."""
    of_kind = [number for number, line in enumerate(places) if line.row and line.kind is group.kind]
    carrier = canonical_header(group.carrier)
    named = [number for number in of_kind if carrier and canonical_header(places[number].carrier) == carrier]
    return named or [number for number in of_kind if not places[number].carrier]


def _priced(group: Alike, fitting: Sequence[int], places: Sequence[Place], counts: Counts) -> list[int]:
    """Return those of the lines that have the group's price."""
    if group.amount is None:
        return []
    size = _size(group, counts)
    prices = [(number, places[number].unit_price) for number in fitting]
    return [number for number, price in prices if price is not None and price * size == group.amount]


def _one(group: Alike, fitting: Sequence[int], places: Sequence[Place], counts: Counts) -> int | None:
    """Return the line that a group belongs on; None where that cannot be told."""
    unstated = [number for number in fitting if places[number].unit_price is None]
    for choice in (fitting, _priced(group, fitting, places, counts), unstated):
        if len(choice) == 1:
            return choice[0]
    return None


def _standing(group: Alike, places: Sequence[Place], counts: Counts) -> frozenset[int]:
    """Return the lines that messages we do not count may stand on: all of the kind where the carrier is not known."""
    of_kind = [number for number, line in enumerate(places) if line.row and line.kind is group.kind]
    fitting = _fitting(group, places) if group.carrier else of_kind
    return frozenset(_priced(group, fitting, places, counts) or fitting)


def _own_place(group: Alike, places: list[Place]) -> Place:
    for line in places:
        if not line.row and (line.kind, line.carrier) == (group.kind, group.carrier):
            return line
    places.append(Place(0, group.kind, group.carrier, None, 0, Decimal(0)))
    return places[-1]


def _add(line: Place, group: Alike, messages: int, counts: Counts) -> None:
    line.add(messages, messages * _size(group, counts), messages * (group.amount or Decimal(0)))


def _size(group: Alike, counts: Counts) -> int:
    return group.parts if counts is Counts.UNITS else 1
