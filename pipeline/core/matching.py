"""Messages against observations: every message ends in exactly one class, every difference is a break.

Rules of GATEWAY section 7: delivered if any billable row exists; else the latest final row; else the latest pending
row. A later non-billable final row is a ``contradiction`` and does not un-bill. A click follows 送信済 and never moves
or doubles a bill. Row order means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.core.msisdn import canonical_result
from pipeline.core.statuses import canonical_label
from pipeline.model import BreakKind, MessageClass, MessageState, Observation, SentMessage, StatusClass

_NEVER = datetime.min.replace(tzinfo=UTC)
_FINAL = {
    StatusClass.DELIVERED: MessageClass.DELIVERED,
    StatusClass.PARTIAL: MessageClass.PARTIAL,
    StatusClass.FAILED: MessageClass.FAILED,
    StatusClass.CANCELLED: MessageClass.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class StatusMeaning:
    """What a status of the profile means; ``label`` is how reports show it."""

    label: str
    means: StatusClass
    billable: bool
    clicked: bool


@dataclass(frozen=True, slots=True)
class StatusTable:
    """The statuses of a profile: looked up by label first, then by number (one label is ``403``)."""

    by_label: Mapping[str, StatusMeaning]
    by_number: Mapping[str, StatusMeaning]

    def look_up(self, status: str) -> StatusMeaning | None:
        """Return the meaning of a status as received; None when it is not in the profile."""
        key = canonical_label(status)
        return self.by_label.get(key) or self.by_number.get(key)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When a message without a result is missing, seen from ``as_of``."""

    as_of: datetime
    result: timedelta


@dataclass(frozen=True, slots=True)
class Match:
    """One message with its class and the observation that decided it; ``bills`` counts distinct 送信済 rows."""

    message: SentMessage
    message_class: MessageClass
    label: str
    deciding: Observation | None
    billable: bool
    bills: int
    carrier: str
    observed_parts: int | None
    breaks: tuple[tuple[BreakKind, str], ...]


def match_message(
    message: SentMessage, observations: Sequence[Observation], statuses: StatusTable, deadlines: Deadlines
) -> Match:
    """Class one message by everything that was observed about it."""
    seen = _Seen.of(observations, statuses)
    breaks: list[tuple[BreakKind, str]] = [(BreakKind.UNMAPPED_STATUS, status) for status in seen.unmapped]
    if any(canonical_result(row.msisdn) != message.msisdn for row in observations):
        breaks.append((BreakKind.PHONE_MISMATCH, ""))
    message_class, label, witness = _class(message, seen, deadlines)
    if seen.bills > 1:
        breaks.append((BreakKind.DUPLICATE_BILLABLE, ""))
    if seen.billable and (last := max(seen.final, key=_time)) not in seen.billable:
        breaks.append((BreakKind.CONTRADICTION, last[1].label))
    agreed = message.state is MessageState.CANCELLED and message_class is MessageClass.CANCELLED and bool(seen.final)
    untaken = {MessageState.REFUSED, MessageState.CANCELLED, MessageState.PLANNED}
    if observations and message.state in untaken and not agreed:
        breaks.append((BreakKind.CONTRADICTION, message.state.value))
    if message.reason.startswith("observed:") and message.reason != f"observed:{MessageState.UNKNOWN}":
        breaks.append((BreakKind.CONTRADICTION, message.reason.partition(":")[2]))
    if message_class is MessageClass.MISSING:
        breaks.append((BreakKind.MISSING_RESULT, ""))
    return Match(
        message,
        message_class,
        label,
        witness,
        bool(seen.billable),
        seen.bills,
        (witness.carrier if witness else "") or max((row.carrier for row in observations), default=""),
        max((row.parts_total for row in observations if row.parts_total is not None), default=None),
        tuple(breaks),
    )


_Pair = tuple[Observation, StatusMeaning]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was observed about one message, by what it means."""

    final: list[_Pair]
    billable: list[_Pair]
    pending: list[_Pair]
    unmapped: list[str]

    @classmethod
    def of(cls, observations: Sequence[Observation], statuses: StatusTable) -> _Seen:
        read = [(row, statuses.look_up(row.status)) for row in observations]
        known = [(row, meaning) for row, meaning in read if meaning is not None]
        final = [pair for pair in known if pair[1].means in _FINAL]
        return cls(
            final,
            [pair for pair in final if pair[1].billable],
            [pair for pair in known if pair[1].means is StatusClass.PENDING],
            sorted({row.status for row, meaning in read if meaning is None}),
        )

    @property
    def bills(self) -> int:
        """Count distinct bills; a click is none."""
        times = {row.status_time for row, meaning in self.billable if not meaning.clicked}
        return len(times - {None}) or len(times)


def _class(message: SentMessage, seen: _Seen, deadlines: Deadlines) -> tuple[MessageClass, str, Observation | None]:
    """Return the class of a message, the label that reports show, and the row that decided."""
    if seen.billable:
        # The first bill decides; a click shows that the message arrived, so its label wins.
        clicked = next((meaning.label for _, meaning in seen.billable if meaning.clicked), None)
        first = min(seen.billable, key=lambda pair: (pair[1].clicked, *_time(pair)))
        return MessageClass.DELIVERED, clicked or first[1].label, first[0]
    if seen.final:
        last = max(seen.final, key=_time)
        return _FINAL[last[1].means], last[1].label, last[0]
    if seen.unmapped:
        return MessageClass.UNMAPPED, canonical_label(seen.unmapped[0]), None
    message_class = _without_final(message, deadlines)
    if seen.pending:
        last = max(seen.pending, key=_time)
        return message_class, last[1].label, last[0]
    label = message.reason.rpartition(":")[2] if message_class is MessageClass.REFUSED else ""
    return message_class, label, None


def _time(pair: _Pair) -> tuple[datetime, bool, str, str]:
    """Order rows by gateway time; at the same time a billable row is the later one, then the label decides."""
    row, meaning = pair
    return (row.status_time or _NEVER, meaning.billable, meaning.label, row.carrier)


def _without_final(message: SentMessage, deadlines: Deadlines) -> MessageClass:
    match message.state:
        case MessageState.PLANNED:
            return MessageClass.PLANNED
        case MessageState.IN_FLIGHT | MessageState.UNKNOWN:
            return MessageClass.UNKNOWN
        case MessageState.REFUSED:
            return MessageClass.REFUSED
        case MessageState.CANCELLED:
            return MessageClass.CANCELLED
        case MessageState.TAKEN:
            overdue = message.sent_at is not None and deadlines.as_of - message.sent_at > deadlines.result
            return MessageClass.MISSING if overdue else MessageClass.PENDING
