"""The reconciliation of a batch or a month: one frozen value, rendered four ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from pipeline.messages import Text
from pipeline.model.rows import RowTotals
from pipeline.model.words import (
    BreakKind,
    Cause,
    Dimension,
    MessageClass,
    MessageKind,
    MessageState,
    MonthPhase,
    RestatedSubject,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLine:
    """One line of a reconciliation: messages with one class and one gateway status.

    ``label`` is the gateway's status label, the answer code of refused messages, or empty where there is neither.
    ``amount`` is exact untaxed yen.
    """

    message_class: MessageClass
    label: str
    messages: int
    billable_messages: int
    billable_units: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A difference found by reconciliation. ``at_risk`` is untaxed yen, where the difference has a price."""

    kind: BreakKind
    smsid: str
    row_number: int | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    at_risk: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Equation:
    """A control equation: ``total`` on the left, named ``terms`` on the right."""

    name: str
    total: int
    terms: Mapping[str, int]

    @property
    def holds(self) -> bool:
        """Say whether both sides are equal."""
        return self.total == sum(self.terms.values())


@dataclass(frozen=True, slots=True)
class Amount:
    """Yen, exact: nothing is rounded before the month's invoice value."""

    untaxed: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        """Return the taxed amount."""
        return self.untaxed + self.tax


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """One message in a report: what was sent, what came back, what it costs.

    ``day`` is the JST day whose tariff, tax and month it belongs to; every message has one, also when it was not sent.
    ``by_number`` marks the weaker evidence of an account whose results carry no smsid.
    """

    row_number: int
    smsid: str
    msisdn: str
    batch_id: str
    campaign: str
    cost_centre: str
    kind: MessageKind
    state: MessageState
    message_class: MessageClass
    label: str
    carrier: str
    sent_at: datetime | None
    observed_at: datetime | None
    day: date | None
    parts: int
    billable: bool
    amount: Decimal | None
    by_number: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """Messages that are alike in one dimension; ``name`` is empty where there is none. ``amount`` is exact untaxed yen.

    ``unpriced`` counts those of the billable messages for which the tariff has no price.
    """

    name: str
    messages: int
    delivered: int
    failed: int
    billable_messages: int
    billable_units: int
    amount: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignGroup:
    """Billed messages that are not ours and cost alike. ``amount`` is untaxed yen of one; None without a price."""

    kind: MessageKind
    carrier: str
    parts: int
    messages: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignLine:
    """Results of the account that are not ours: other systems, the web console. ``groups`` are the billed ones."""

    messages: int
    billable_messages: int
    billable_units: int
    amount: Decimal
    unpriced: int
    groups: tuple[ForeignGroup, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSubject:
    """What a batch's reconciliation is about."""

    batch_id: str
    campaign: str
    run_date: date
    source_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthSubject:
    """What a month's reconciliation is about: ``month`` is YYYY-MM in JST; ``closed_at`` None while it is open.

    Without ``batches`` nothing was compared. What is not ``over`` may still become more.
    """

    month: str
    batches: int
    phase: MonthPhase = MonthPhase.OVER
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCost:
    """What messages may still come to: at most so many untaxed yen, and more for the ``unpriced`` ones."""

    messages: int = 0
    highest: Decimal = Decimal(0)
    unpriced: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLine:
    """A price of the tariff that applied: untaxed yen of a whole message with ``parts`` parts.

    ``carrier`` is ``*`` for all that are not named; ``end`` is exclusive, None while it is open.
    """

    carrier: str
    kind: MessageKind
    parts: int
    start: date
    end: date | None
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """A fixed fee of a month; untaxed yen."""

    name: str
    amount: Decimal
    tax_rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxLine:
    """Everything of a month that is taxed at one rate: ``untaxed`` is exact, ``tax`` is rounded, once."""

    rate: Decimal
    untaxed: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a month should be invoiced at: messages and fees, in whole yen.

    ``untaxed`` holds ``messages`` and all fees, exactly; ``tax`` is rounded once per rate. ``total`` is whole yen: the
    untaxed sum, rounded once, and the tax.
    """

    messages: Decimal
    fees: tuple[Fee, ...]
    taxes: tuple[TaxLine, ...]
    rounding: str
    untaxed: Decimal
    tax: Decimal
    total: Decimal

    @property
    def fraction(self) -> Decimal:
        """Return what the total adds to the exact sum, or, below zero, cuts off from it; less than one yen."""
        return self.total - self.tax - self.untaxed


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """A line of an invoice beside what we count for it. ``carrier`` is empty where the invoice does not divide by it.

    ``line`` is the row of the file, 0 for what we count and the invoice does not have. ``kind`` is a ``MessageKind``,
    or ``fee`` (``carrier`` is then its name), ``tax`` (its rate) or ``rounding``. ``invoiced`` and ``counted`` are
    messages or units, as the invoice counts; ``unit_price`` is None where not stated.
    """

    line: int
    kind: str
    carrier: str
    unit_price: Decimal | None
    invoiced: int | None
    counted: int
    invoiced_amount: Decimal
    counted_amount: Decimal

    @property
    def difference(self) -> Decimal:
        """Return what is invoiced beyond what we count; untaxed yen."""
        return self.invoiced_amount - self.counted_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A part of the difference between an invoice and our count, and the messages it may come from."""

    cause: str
    messages: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Variance:
    """An invoice against our count. ``unexplained`` is what is left of the difference after every explanation."""

    source_name: str
    counts: str
    lines: tuple[InvoiceLine, ...]
    explanations: tuple[Explanation, ...]
    invoiced: Decimal
    counted: Decimal
    unexplained: Decimal

    @property
    def difference(self) -> Decimal:
        """Return what is invoiced beyond what we count; untaxed yen."""
        return self.invoiced - self.counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement:
    """What has changed in a closed month for one cause, and of what; yen, untaxed but for the tax itself.

    ``smsids`` are the first few where ``subject`` is our messages; nothing else has any.
    """

    cause: Cause
    subject: RestatedSubject = RestatedSubject.MESSAGES
    messages: int
    before: Decimal
    after: Decimal
    smsids: tuple[str, ...]

    @property
    def difference(self) -> Decimal:
        """Return how much more it is now."""
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What was sent, what came back and what is billed, of a batch or a month: one frozen value, rendered four ways.

    ``opted_out`` counts those of the cancelled messages whose recipient opted out before they were sent; ``by_number``
    those that were matched by number only. ``oldest_pending`` is when the oldest message without a result was sent;
    ``pending_cost`` is what those without one may come to beyond ``amount``, ``unknown_cost`` those of which nobody
    knows whether they were taken.
    ``groups`` has every dimension that applies; a batch has no campaigns. ``deliveries`` counts first deliveries per
    hour (the hour's beginning, JST), in order. ``prices`` are those of the tariff that may have applied. ``bill``,
    ``variance`` and ``restatements`` belong to a month. ``invented`` says that the prices are the example's, as no
    tariff was named. ``meanings`` has for the answer codes of refused messages what they mean.
    """

    subject: BatchSubject | MonthSubject
    as_of: datetime
    totals: RowTotals
    repaired: int
    states: Mapping[MessageState, int]
    opted_out: int
    by_number: int
    oldest_pending: datetime | None
    classes: Mapping[MessageClass, int]
    statuses: tuple[StatusLine, ...]
    groups: Mapping[Dimension, tuple[GroupLine, ...]]
    deliveries: tuple[tuple[datetime, int], ...]
    foreign: ForeignLine
    breaks: tuple[Break, ...]
    equations: tuple[Equation, ...]
    amount: Amount
    tariff: str
    provenance: Mapping[str, str]
    pending_cost: OpenCost = OpenCost()
    unknown_cost: OpenCost = OpenCost()
    prices: tuple[PriceLine, ...] = ()
    invented: bool = False
    bill: Bill | None = None
    variance: Variance | None = None
    restatements: tuple[Restatement, ...] = ()
    meanings: Mapping[str, Text] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the batch or the month it is about."""
        return self.subject.batch_id if isinstance(self.subject, BatchSubject) else self.subject.month

    @property
    def messages(self) -> int:
        """Number of messages."""
        return sum(self.states.values())

    @property
    def billable_messages(self) -> int:
        """Number of messages that are billed."""
        return sum(line.billable_messages for line in self.statuses)

    @property
    def billable_units(self) -> int:
        """Number of parts that are billed."""
        return sum(line.billable_units for line in self.statuses)

    @property
    def breaks_by_kind(self) -> dict[BreakKind, int]:
        """Count the breaks of each kind that occurred."""
        counts: dict[BreakKind, int] = {}
        for found in self.breaks:
            counts[found.kind] = counts.get(found.kind, 0) + 1
        return counts

    @property
    def foreign_rows(self) -> int:
        """Number of the results that are not ours."""
        return sum(each.terms["foreign"] for each in self.equations if each.name == "observations")

    @property
    def is_empty(self) -> bool:
        """Say whether it is a month that no batch has messages in: nothing was compared."""
        return isinstance(self.subject, MonthSubject) and not self.subject.batches

    @property
    def balanced(self) -> bool:
        """Say whether every equation holds, nothing is open to dispute and nothing is without a price or a meaning."""
        return all(equation.holds for equation in self.equations) and not self.breaks and not self._unexplained

    @property
    def findings(self) -> dict[str, int]:
        """Count what exit 1 stands for, by name; ``unexplained`` yen are one finding."""
        counts = {
            "rejected": self.totals.rejected,
            "refused": self.classes.get(MessageClass.REFUSED, 0),
            "opted_out": self.opted_out,
            **{kind.value: number for kind, number in self.breaks_by_kind.items()},
            "equations": sum(not equation.holds for equation in self.equations),
            "unexplained": int(self._unexplained),
            "restatements": len(self.restatements),
        }
        return {name: number for name, number in counts.items() if number}

    @property
    def attention(self) -> dict[str, int]:
        """Count everything that a person is to look at, by name: ``unknown`` and ``unsent`` messages, and findings."""
        counts = {"unknown": self.classes.get(MessageClass.UNKNOWN, 0), "unsent": self._unsent}
        return {name: number for name, number in counts.items() if number} | self.findings

    @property
    def _unsent(self) -> int:
        """Number of accepted rows and messages that were not sent, or came back as a whole."""
        waiting = sum(equation.terms.get("not_planned", 0) for equation in self.equations)
        return waiting + self.classes.get(MessageClass.PLANNED, 0)

    @property
    def _unexplained(self) -> bool:
        return self.variance is not None and bool(self.variance.unexplained)
