"""The vocabulary: frozen records, enums and the table of legal state changes.

One word, one meaning, in code, messages, columns and documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pipeline.errors import Bug


class MessageState(StrEnum):
    """What we know about one SMS."""

    PLANNED = "planned"
    IN_FLIGHT = "in_flight"
    TAKEN = "taken"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


#: Every legal change of a message's state. Anything else is a bug, and the ledger's compare-and-set refuses it.
#: planned → taken, refused → taken, cancelled → taken: a result names it; evidence beats decisions.
#: in_flight → planned: the process that tried saw that not one byte of the body was read.
#: refused → planned: a later run, after the gateway refused the whole request or a person resolved it as refused.
LEGAL: Mapping[MessageState, frozenset[MessageState]] = {
    MessageState.PLANNED: frozenset({MessageState.IN_FLIGHT, MessageState.CANCELLED, MessageState.TAKEN}),
    MessageState.IN_FLIGHT: frozenset(
        {MessageState.PLANNED, MessageState.TAKEN, MessageState.REFUSED, MessageState.UNKNOWN}
    ),
    MessageState.UNKNOWN: frozenset({MessageState.TAKEN, MessageState.REFUSED}),
    MessageState.REFUSED: frozenset({MessageState.TAKEN, MessageState.PLANNED}),
    MessageState.CANCELLED: frozenset({MessageState.TAKEN}),
    MessageState.TAKEN: frozenset({MessageState.CANCELLED}),
}

#: Why a message was cancelled: its recipient opted out before it was sent.
OPTED_OUT = "opted_out"

#: Why a message was cancelled: a result showed that another one, which had been given up, had reached its recipient.
SERVED = "served"

#: States in which a message counts as served or possibly served: its key may not be used again in the campaign.
LIVE: frozenset[MessageState] = frozenset(
    {MessageState.PLANNED, MessageState.IN_FLIGHT, MessageState.TAKEN, MessageState.UNKNOWN}
)


class MessageClass(StrEnum):
    """Where a message ends up in the reconciliation; every message has exactly one."""

    DELIVERED = "delivered"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    PENDING = "pending"
    MISSING = "missing"
    UNMAPPED = "unmapped"
    UNKNOWN = "unknown"
    PLANNED = "planned"


class StatusClass(StrEnum):
    """What a gateway status says about a message."""

    DELIVERED = "delivered"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PENDING = "pending"
    NO_VERDICT = "no_verdict"


class Mode(StrEnum):
    """How a batch goes out: rows of an upload, requests of one message, or whichever fits its number of rows."""

    CSV = "csv"
    SINGLE = "single"
    AUTO = "auto"


class Proof(StrEnum):
    """What an answer code proves about the request it answers."""

    TAKEN = "taken"
    NOTHING_TAKEN = "nothing_taken"
    UNKNOWN = "unknown"


class RunAction(StrEnum):
    """What the run does after an answer code."""

    GO_ON = "go_on"
    STOP = "stop"
    WAIT = "wait"


class ObservationPath(StrEnum):
    """How an observation reached us."""

    PULLED = "pulled"
    FETCHED = "fetched"
    NOTIFIED = "notified"


class Origin(StrEnum):
    """Whose message an observation speaks of."""

    MATCHED = "matched"
    FOREIGN = "foreign"
    ORPHAN = "orphan"


class BreakKind(StrEnum):
    """A difference that reconciliation found."""

    MISSING_RESULT = "missing_result"
    ORPHAN_RESULT = "orphan_result"
    PHONE_MISMATCH = "phone_mismatch"
    DUPLICATE_BILLABLE = "duplicate_billable"
    CONTRADICTION = "contradiction"
    UNMAPPED_STATUS = "unmapped_status"
    UNPRICED = "unpriced"
    SEGMENT_MISMATCH = "segment_mismatch"
    AMOUNT_MISMATCH = "amount_mismatch"


@dataclass(frozen=True, slots=True)
class CharacterAt:
    """A character of a cell that breaks a rule; ``position`` counts code points from 1."""

    position: int
    character: str

    def __str__(self) -> str:
        """Name the character so that it can be found even when it cannot be seen."""
        return f"{self.position}:{self.character}(U+{ord(self.character):04X})"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one cell of one row. ``facts`` fill the message in ``messages.ROWS[code]``.

    ``suggestion`` is the whole corrected cell where one correction is safe, else empty.
    """

    row_number: int
    column: str
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)
    characters: tuple[CharacterAt, ...] = ()
    suggestion: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpandedText:
    """What the recipient of a row would see: the text after tags and links, and what the gateway counts of it.

    ``size`` is Shift_JIS bytes; ``parts`` maps a carrier to its number of billable parts; ``cut_by`` names the
    carriers that would cut it.
    """

    text: str
    size: int
    characters: int
    parts: Mapping[str, int]
    cut_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that does not go out: its cells as given, in the input's order, and everything that is wrong with it."""

    row_number: int
    cells: tuple[str, ...]
    findings: tuple[Finding, ...]
    expanded: ExpandedText | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """A cell that was changed under a named rule, because only one reading is possible."""

    row_number: int
    column: str
    rule: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RowTotals:
    """Control totals of one input, in records. Refuse to exist when they do not add up."""

    rows: int
    accepted: int
    rejected: int
    already: int

    def __post_init__(self) -> None:
        """Check input = accepted + rejected + already."""
        if self.rows != self.accepted + self.rejected + self.already:
            raise Bug(
                "totals.rows",
                rows=self.rows,
                accepted=self.accepted,
                rejected=self.rejected,
                already=self.already,
            )


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file of a batch: written once, its sha256 in the ledger, checked again when read."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One input in a campaign.

    ``workbook`` is what was made for people to correct: it may lie anywhere, and it may be edited, moved or deleted.
    """

    batch_id: str
    campaign: str
    run_date: date
    source_name: str
    content_sha256: str
    fingerprint: str
    totals: RowTotals
    repaired: int
    artefacts: tuple[Artefact, ...]
    registered_at: datetime
    planned_at: datetime | None = None
    workbook: Artefact | None = None

    def artefact(self, name: str) -> Artefact:
        """Return the artefact called ``name``."""
        return next(artefact for artefact in self.artefacts if artefact.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """One upload of one chunk of a batch. ``states`` counts its messages per state; its own state derives from it."""

    dispatch_id: str
    batch_id: str
    number: int
    payload: Artefact
    attempts: int
    begun_at: datetime | None
    ended_at: datetime | None
    answer_code: str | None
    csvid: str | None
    states: Mapping[MessageState, int]

    @property
    def messages(self) -> int:
        """Number of messages the dispatch holds."""
        return sum(self.states.values())

    @property
    def is_planned(self) -> bool:
        """Say whether the dispatch is waiting to be sent."""
        return self.states.get(MessageState.PLANNED, 0) > 0

    @property
    def is_unsettled(self) -> bool:
        """Say whether the outcome of any of its messages is open."""
        return bool(self.states.get(MessageState.UNKNOWN, 0) or self.states.get(MessageState.IN_FLIGHT, 0))


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
    """One message in a report: what was sent, what came back, what it costs."""

    row_number: int
    smsid: str
    msisdn: str
    state: MessageState
    message_class: MessageClass
    label: str
    carrier: str
    observed_at: datetime | None
    parts: int
    billable: bool
    amount: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignLine:
    """Results of the account that are not ours: other systems, the web console."""

    messages: int
    billable_messages: int
    billable_units: int
    amount: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What was sent, what came back and what is billed: one frozen value, rendered four ways.

    ``opted_out`` counts those of the cancelled messages whose recipient opted out before they were sent.
    """

    batch_id: str
    campaign: str
    run_date: date
    source_name: str
    as_of: datetime
    totals: RowTotals
    repaired: int
    states: Mapping[MessageState, int]
    opted_out: int
    classes: Mapping[MessageClass, int]
    statuses: tuple[StatusLine, ...]
    foreign: ForeignLine
    breaks: tuple[Break, ...]
    equations: tuple[Equation, ...]
    amount: Amount
    tariff: str
    provenance: Mapping[str, str]

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
    def balanced(self) -> bool:
        """Say whether every equation holds, nothing is open to dispute and nothing is without a price or a meaning."""
        return all(equation.holds for equation in self.equations) and not self.breaks


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message as the ledger knows it. ``characters`` is what the gateway counts after expansion."""

    row_number: int
    smsid: str
    msisdn: str
    state: MessageState
    reason: str
    characters: int
    double_byte: bool
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One result row about a message. ``status`` is the gateway's label or number as received."""

    path: ObservationPath
    smsid: str
    msisdn: str
    status: str
    status_time: datetime | None
    carrier: str = ""
    parts_delivered: int | None = None
    parts_total: int | None = None
    registered_at: datetime | None = None
    line: int = 0
    extra: str = ""
