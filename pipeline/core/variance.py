"""An invoice against our own count: every yen of difference is explained by something named, or unexplained.

docs/invoice.md has the rules and their order. An explanation is the exact amount of something that is known by name
or by number: where a count does not match, nothing is assumed. Whatever the explanations leave is ``unexplained``, so
that invoiced − counted is always their sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import combinations

from pipeline.core.bill import bill_of
from pipeline.core.billing import Rounding, Tariff
from pipeline.core.headers import canonical_header
from pipeline.core.invoice import Invoice
from pipeline.core.placing import (
    DUPLICATE,
    FOREIGN,
    POSSIBLE,
    UNPRICED,
    Candidate,
    Place,
    alike,
    alike_foreign,
    place,
    places_of,
)
from pipeline.errors import Bug
from pipeline.model import (
    Bill,
    BreakKind,
    Explanation,
    InvoiceLine,
    MessageLine,
    Reconciliation,
    RestatedSubject,
    Restatement,
    Variance,
)

_ZERO = Decimal(0)
#: the finest price there is
_FINEST = Decimal("0.000001")
FEE, TAX, ROUNDING = "fee", "tax", "rounding"


class VarianceCause(StrEnum):
    """What explains a part of a difference, in the order of the report."""

    FOREIGN = FOREIGN
    UNPRICED = UNPRICED
    DUPLICATE_BILLABLE = DUPLICATE
    PARTIAL = "partial"
    MISSING = "missing"
    PENDING = "pending"
    UNMAPPED = "unmapped"
    UNKNOWN = "unknown"
    PRICE = "price"
    ARITHMETIC = "arithmetic"
    RESTATED = "restated"
    FEE = FEE
    TAX = TAX
    ROUNDING = ROUNDING


#: causes that explain a difference of counts, those first that the gateway's own results bill
_CERTAIN = (VarianceCause.FOREIGN, VarianceCause.UNPRICED)
_COUNTS = (
    *_CERTAIN,
    VarianceCause.DUPLICATE_BILLABLE,
    *(VarianceCause(message_class.value) for message_class in POSSIBLE),
)


@dataclass(slots=True)
class _Explained:
    """What was explained so far."""

    messages: dict[VarianceCause, int] = field(default_factory=dict)
    amounts: dict[VarianceCause, Decimal] = field(default_factory=dict)

    def add(self, cause: VarianceCause, amount: Decimal, messages: int = 0) -> None:
        if amount:
            self.messages[cause] = self.messages.get(cause, 0) + messages
            self.amounts[cause] = self.amounts.get(cause, _ZERO) + amount

    @property
    def total(self) -> Decimal:
        return sum(self.amounts.values(), _ZERO)

    @property
    def explanations(self) -> tuple[Explanation, ...]:
        return tuple(
            Explanation(cause=cause.value, messages=self.messages[cause], amount=self.amounts[cause])
            for cause in VarianceCause
            if self.amounts.get(cause)
        )


@dataclass(slots=True)
class _Open:
    """What the invoice counts on one line beyond, or below, what we count, and its price for one."""

    price: Decimal
    count: int

    @property
    def amount(self) -> Decimal:
        return self.price * self.count


def variance_of(invoice: Invoice, value: Reconciliation, lines: Iterable[MessageLine], tariff: Tariff) -> Variance:
    """Compare an invoice with the reconciliation of its month and the ``lines`` of that.

    Amounts are untaxed yen, with the tax beside them where the invoice states it, and the rounding of the total where
    it states one. Raises ``Bug`` as ``bill_of`` does, and where the lines are not those of the bill
    (``variance.lines``).
    """
    bill = value.bill or bill_of(value, tariff)
    explained = _Explained()
    places = places_of(invoice.items)
    duplicates = {found.smsid: found.at_risk for found in value.breaks if found.kind is BreakKind.DUPLICATE_BILLABLE}
    groups = alike(lines, duplicates, tariff) + alike_foreign(value.foreign)
    candidates = place(groups, places, invoice.counts).candidates
    counted = sum((line.counted_amount for line in places), _ZERO)
    if counted != bill.messages:
        raise Bug("variance.lines", subject=value.name, lines=counted, bill=bill.messages)
    open_ = {number: found for number, line in enumerate(places) if (found := _split(line, explained))}
    _explain_counts(open_, candidates, explained)
    _explain_restated(places, value.restatements, explained)
    shown = [line.line for line in places]
    shown += _fees(invoice, bill, explained)
    shown += _taxes(invoice, bill, tariff.rounding, explained)
    if invoice.fraction is not None and (invoice.fraction or bill.fraction):
        explained.add(VarianceCause.ROUNDING, invoice.fraction - bill.fraction)
        shown.append(_amounts(0, ROUNDING, "", invoice.fraction, bill.fraction))
    invoiced = sum((line.invoiced_amount for line in shown), _ZERO)
    counted = sum((line.counted_amount for line in shown), _ZERO)
    return Variance(
        source_name=invoice.source_name,
        counts=invoice.counts.value,
        # What the invoice does not have comes last.
        lines=tuple(sorted(shown, key=lambda line: (not line.line, line.line, line.kind, line.carrier))),
        explanations=explained.explanations,
        invoiced=invoiced,
        counted=counted,
        unexplained=invoiced - counted - explained.total,
    )


def _amounts(row: int, kind: str, name: str, invoiced: Decimal, counted: Decimal) -> InvoiceLine:
    return InvoiceLine(
        line=row,
        kind=kind,
        carrier=name,
        unit_price=None,
        invoiced=None,
        counted=0,
        invoiced_amount=invoiced,
        counted_amount=counted,
    )


def _split(line: Place, explained: _Explained) -> _Open | None:
    """Explain what of a line's difference is arithmetic and price; return what is a difference of counts.

    None where the invoice does not say at which price it counts: what is left of such a line stays unexplained.
    """
    if not line.row or line.count is None:
        return None
    price = line.unit_price
    if price is None:
        # Where there are no messages there is no price of one.
        if line.count and line.count == line.counted:
            explained.add(VarianceCause.PRICE, line.amount - line.counted_amount, line.messages)
            return None
        # What an average price hides is not to be told apart: so only where all messages have one price.
        price = line.amount / line.count if line.count and len(line.own) <= 1 else None
        if price is None or price != price.quantize(_FINEST):
            return None
    product = price * line.count
    rest = line.amount - product
    explained.add(VarianceCause.ROUNDING if abs(rest) < 1 else VarianceCause.ARITHMETIC, rest)
    explained.add(VarianceCause.PRICE, price * line.counted - line.counted_amount, line.messages)
    return _Open(price, line.count - line.counted)


def _explain_counts(open_: dict[int, _Open], candidates: list[Candidate], explained: _Explained) -> None:
    """Explain differences of counts by messages that the invoice may hold and we do not count."""
    for standing in sorted({one.places for one in candidates}, key=lambda found: (len(found), sorted(found))):
        here = [candidate for candidate in candidates if candidate.places == standing]
        here.sort(key=lambda candidate: _COUNTS.index(VarianceCause(candidate.cause)))
        if not any(_take(open_, subset, explained, whole=True) for subset in _subsets(here)) and len(standing) == 1:
            for candidate in here:
                if candidate.cause in _CERTAIN:
                    _take(open_, [candidate], explained, whole=False)


def _subsets(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return the subsets by preference: most that is certain, then the fewest, then in the order of causes."""
    subsets = [list(some) for length in range(1, len(candidates) + 1) for some in combinations(candidates, length)]
    return sorted(subsets, key=lambda some: -sum(candidate.cause in _CERTAIN for candidate in some))


def _take(open_: dict[int, _Open], candidates: list[Candidate], explained: _Explained, *, whole: bool) -> bool:
    """Explain what is open on the places of ``candidates`` by them: ``whole``, or a part of it.

    On several lines of different prices they must be one candidate, as nothing says which message is on which line.
    """
    numbers = candidates[0].places
    lines = [open_[number] for number in numbers if number in open_]
    size = sum(candidate.size for candidate in candidates)
    count = sum(line.count for line in lines)
    if len(lines) < len(numbers) or any(line.count < 0 for line in lines) or not 0 < size <= count:
        return False
    if (whole and size != count) or (len(candidates) > 1 and len({line.price for line in lines}) > 1):
        return False
    everything = sum((line.amount for line in lines), _ZERO)
    for candidate in candidates:
        alone = whole and len(candidates) == 1
        amount = everything if alone else candidate.size * lines[0].price
        explained.add(VarianceCause(candidate.cause), amount, candidate.messages)
    for line in lines:
        line.count = 0 if whole else line.count - size
    return True


def _explain_restated(places: Sequence[Place], restatements: Sequence[Restatement], explained: _Explained) -> None:
    """Explain what is left of the messages by what changed since the month was closed, if that is exactly it.

    The invoice has what was counted before. All changes together are tried first, then each alone.
    """
    left = sum((line.amount - line.counted_amount for line in places), _ZERO) - explained.total
    ours = [one for one in restatements if one.subject is RestatedSubject.MESSAGES]
    for some in (ours, *([one] for one in ours)):
        if left and sum((one.before - one.after for one in some), _ZERO) == left:
            explained.add(VarianceCause.RESTATED, left, sum(one.messages for one in some))
            return


def _fees(invoice: Invoice, bill: Bill, explained: _Explained) -> list[InvoiceLine]:
    """Compare fixed fees by name; every difference is explained, as it names itself."""
    shown: dict[str, InvoiceLine] = {}
    for item in invoice.items:
        if item.kind is None:
            key = canonical_header(item.name)
            known = shown.get(key) or _amounts(item.row, FEE, item.name, _ZERO, _ZERO)
            shown[key] = _amounts(known.line, FEE, known.carrier, known.invoiced_amount + item.amount, _ZERO)
    for fee in bill.fees:
        key = canonical_header(fee.name)
        known = shown.get(key) or _amounts(0, FEE, fee.name, _ZERO, _ZERO)
        shown[key] = _amounts(known.line, FEE, known.carrier, known.invoiced_amount, known.counted_amount + fee.amount)
    explained.add(VarianceCause.FEE, sum((line.difference for line in shown.values()), _ZERO))
    return list(shown.values())


def _taxes(invoice: Invoice, bill: Bill, rounding: Rounding, explained: _Explained) -> list[InvoiceLine]:
    """Compare the tax that the invoice states, per rate where it states rates.

    With one rate, what follows from the other differences is tax; another rounding than the tariff's is rounding.
    """
    if not invoice.taxes:
        return []
    stated = sum((tax.amount for tax in invoice.taxes), _ZERO)
    rates = {tax.rate for tax in invoice.taxes}
    untaxed = sum((item.amount for item in invoice.items), _ZERO)
    taxed = {tax.rate for tax in invoice.taxes if tax.amount}
    if len(bill.taxes) == 1 and taxed <= {None, bill.taxes[0].rate}:
        rate = bill.taxes[0].rate
        expected = rounding.whole_yen(untaxed * rate)
        explained.add(VarianceCause.TAX, expected - bill.tax)
        if stated in _other_roundings([item.amount for item in invoice.items], rate):
            explained.add(VarianceCause.ROUNDING, stated - expected)
    if None in rates:
        return [_amounts(invoice.taxes[0].row, TAX, "", stated, bill.tax)]
    ours = {line.rate: line.tax for line in bill.taxes}
    shown = []
    for rate in sorted({*ours, *(tax.rate for tax in invoice.taxes if tax.rate is not None)}):
        there = [tax for tax in invoice.taxes if tax.rate == rate]
        amount = sum((tax.amount for tax in there), _ZERO)
        row = there[0].row if there else 0
        shown.append(_amounts(row, TAX, f"{(rate * 100).normalize():f}%", amount, ours.get(rate, _ZERO)))
    return shown


def _other_roundings(amounts: Sequence[Decimal], rate: Decimal) -> set[Decimal]:
    """Return the tax that other rules make: of the exact sum, of its whole yen, of every line."""
    untaxed = sum(amounts, _ZERO)
    bases = [untaxed, *(rule.whole_yen(untaxed) for rule in Rounding)]
    found = {rule.whole_yen(base * rate) for rule in Rounding for base in bases}
    return found | {sum((rule.whole_yen(amount * rate) for amount in amounts), _ZERO) for rule in Rounding}
