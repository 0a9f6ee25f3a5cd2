"""The words: states, classes, kinds, and the table of legal state changes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


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
    # Also where the gateway was asked to cancel it: the key of what was taken is never free.
    MessageState.TAKEN: frozenset(),
}

#: Why a message was cancelled: its recipient opted out before it was sent.
OPTED_OUT = "opted_out"

#: Who refused a message that the gateway did not: ``resolve``. The label of such a refusal, too, in place of a code.
BY_PERSON = "person"

#: Why a message was cancelled: a result showed that another one, which had been given up, had reached its recipient.
SERVED = "served"

#: States in which a message counts as served or possibly served: its key may not be used again in the campaign.
LIVE: frozenset[MessageState] = frozenset(
    {MessageState.PLANNED, MessageState.IN_FLIGHT, MessageState.TAKEN, MessageState.UNKNOWN}
)


class MessageClass(StrEnum):
    """Where a message ends up in the reconciliation; every message has exactly one.

    ``CHECKED``: there is a verdict about its number, and no text was sent, or none will be.
    """

    DELIVERED = "delivered"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CHECKED = "checked"
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
    VERDICT = "verdict"


class Mode(StrEnum):
    """How a batch goes out: rows of an upload, requests of one message, or whichever fits its number of rows."""

    CSV = "csv"
    SINGLE = "single"
    AUTO = "auto"


class NumberCheck(StrEnum):
    """Whether the gateway is to say if a number still is its owner's (他人判定), and whether a text follows."""

    NONE = "none"
    ONLY = "only"
    THEN_SEND = "then-send"


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


class CancelOutcome(StrEnum):
    """What came of asking the gateway to cancel a message.

    ``BUSY``, ``REFUSED`` and ``UNSENT``: nothing was changed; of the last not a byte left. ``UNCLEAR``: nobody knows.
    """

    CANCELLED = "cancelled"
    TOO_LATE = "too_late"
    ABSENT = "absent"
    BUSY = "busy"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    UNSENT = "unsent"


class ObservationPath(StrEnum):
    """How an observation reached us."""

    PULLED = "pulled"
    FETCHED = "fetched"
    NOTIFIED = "notified"


class MessageKind(StrEnum):
    """What a message is to the tariff."""

    NORMAL = "normal"
    OVERSEAS = "overseas"
    CHECK = "check"
    CHECK_THEN_SEND = "check_then_send"


class MonthBy(StrEnum):
    """Which day a message belongs to, with its tariff, its tax and its month: it was taken, or first billed."""

    TAKEN = "taken"
    DELIVERED = "delivered"


class MonthPhase(StrEnum):
    """Where a month stands, in Japan: not begun, begun, or over."""

    FUTURE = "future"
    RUNNING = "running"
    OVER = "over"


class Dimension(StrEnum):
    """By what the messages of a reconciliation are added up, beside class and status."""

    CAMPAIGN = "campaign"
    COST_CENTRE = "cost_centre"
    CARRIER = "carrier"
    DAY = "day"
    KIND = "kind"


class Cause(StrEnum):
    """Why a closed month has other amounts now."""

    RESULT = "result"
    TARIFF = "tariff"
    PROFILE = "profile"
    DECISION = "decision"


class RestatedSubject(StrEnum):
    """Of what a closed month has other amounts now."""

    MESSAGES = "messages"
    FEE = "fee"
    TAX = "tax"
    FOREIGN = "foreign"


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
