"""The rules of GATEWAY section 7 once more: one message at a time, one rule after another, to compare columns with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, TypeVar

import pyarrow as pa

from pipeline.core.evidence import MESSAGES, OBSERVATIONS, Evidence
from pipeline.core.msisdn import canonical_result
from pipeline.core.statuses import canonical_label
from pipeline.model import (
    Batch,
    BreakKind,
    MessageClass,
    MessageState,
    NumberCheck,
    Observation,
    ObservationPath,
    RowTotals,
    StatusClass,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipeline.core.matching import Deadlines
    from pipeline.core.statuses import StatusMeaning, StatusTable

    Pair = tuple[Observation, StatusMeaning]

_Row = TypeVar("_Row")

NEVER: Final = datetime.min.replace(tzinfo=UTC)
FINAL: Final = {
    StatusClass.DELIVERED: MessageClass.DELIVERED,
    StatusClass.PARTIAL: MessageClass.PARTIAL,
    StatusClass.FAILED: MessageClass.FAILED,
    StatusClass.CANCELLED: MessageClass.CANCELLED,
}
WITHOUT_FINAL: Final = {
    MessageState.PLANNED: MessageClass.PLANNED,
    MessageState.IN_FLIGHT: MessageClass.UNKNOWN,
    MessageState.UNKNOWN: MessageClass.UNKNOWN,
    MessageState.REFUSED: MessageClass.REFUSED,
    MessageState.CANCELLED: MessageClass.CANCELLED,
}
UNTAKEN: Final = {MessageState.REFUSED, MessageState.CANCELLED, MessageState.PLANNED}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A message as a row of the table of messages."""

    smsid: str = "a1"
    msisdn: str = "09011112222"
    state: MessageState = MessageState.TAKEN
    reason: str = ""
    characters: int = 20
    double_byte: bool = True
    sent_at: datetime | None = None
    row_number: int = 2
    batch_id: str = "b"
    campaign: str = "c"
    cost_centre: str = ""
    #: the gateway has answered that it cancelled it
    answered: bool = False
    #: what was asked of its batch
    check: NumberCheck = NumberCheck.NONE


@dataclass(frozen=True)
class Seen(Observation):
    """An observation as a row of the table of observations."""

    received_at: datetime | None = None


def observed(smsid: str, msisdn: str, status: str, time: datetime | None, **more: object) -> Seen:
    known: dict[str, object] = {"path": ObservationPath.PULLED, "status": status, "status_time": time}
    return Seen(**{**known, "smsid": smsid, "msisdn": msisdn, **more})  # type: ignore[arg-type]  # fields of it


def messages_table(messages: Iterable[Sent]) -> pa.Table:
    return pa.Table.from_pylist([vars(message) for message in messages], MESSAGES)


def observations_table(rows: Iterable[Observation]) -> pa.Table:
    names = OBSERVATIONS.names
    return pa.Table.from_pylist([{name: getattr(row, name, None) for name in names} for row in rows], OBSERVATIONS)


def in_pieces(table: Callable[[Iterable[_Row]], pa.Table], rows: Sequence[_Row], size: int) -> pa.Table:
    return pa.concat_tables([table(rows[start : start + size]) for start in range(0, len(rows) or 1, size)])


def batch_of(
    batch_id: str = "b",
    *,
    registered: datetime,
    accepted: int = 0,
    campaign: str = "c",
    rejected: int = 0,
    already: int = 0,
) -> Batch:
    return Batch(
        batch_id=batch_id,
        campaign=campaign,
        run_date=date(2026, 3, 31),
        source_name="s.csv",
        content_sha256="0",
        fingerprint="0",
        totals=RowTotals(accepted + rejected + already, accepted, rejected, already),
        repaired=1,
        artefacts=(),
        registered_at=registered,
    )


def evidence_of(  # what a test says about it
    messages: Sequence[Sent],
    rows: Sequence[Observation],
    *batches: Batch,
    prefix: str = "lost",
    counted: int | None = None,
    chunks: int = 0,
) -> Evidence:
    tables = messages_table(messages), observations_table(rows)
    if chunks:  # each piece with a dictionary of its own, as blocks of a database come
        tables = in_pieces(messages_table, messages, chunks), in_pieces(observations_table, rows, chunks)
    return Evidence(
        messages=tables[0],
        observations=tables[1],
        batches=batches,
        observed=len(rows) if counted is None else counted,
        prefix=prefix,
        cancelled=frozenset(message.smsid for message in messages if message.answered),
    )


@dataclass(frozen=True)
class Match:
    """One message with its class; ``bills`` counts distinct 送信済 rows, ``deciding`` is the row that decided.

    ``billed_at`` is when it was first billed; ``only_check`` says that at most its check is, ``checked_text`` that a
    text is, or may be, and its check with it.
    """

    message_class: MessageClass
    label: str
    deciding: Observation | None
    billable: bool
    billed_at: datetime | None
    only_check: bool
    checked_text: bool
    bills: int
    carrier: str
    observed_parts: int | None
    breaks: tuple[tuple[BreakKind, str], ...]


def match_message(
    message: Sent, observations: Sequence[Observation], statuses: StatusTable, deadlines: Deadlines
) -> Match:
    """Class one message by everything that was observed about it."""
    named = observations
    if message.state is not MessageState.TAKEN:
        observations = [row for row in named if not _is_of_another(message, row)]
    read = [(row, statuses.look_up(row.status)) for row in observations]
    known = [(row, meaning) for row, meaning in read if meaning is not None]
    final = [pair for pair in known if pair[1].means in FINAL]
    billable = [pair for pair in final if pair[1].billable]
    pending = [pair for pair in known if pair[1].means is StatusClass.PENDING]
    unmapped = sorted({row.status for row, meaning in read if meaning is None})
    times = {row.status_time for row, meaning in billable if not meaning.clicked}
    bills = len(times - {None}) or len(times)

    breaks: list[tuple[BreakKind, str]] = [(BreakKind.UNMAPPED_STATUS, status) for status in unmapped]
    if any(_is_of_another(message, row) for row in named):
        breaks.append((BreakKind.PHONE_MISMATCH, ""))
    verdict, charge = _verdict(message, known)
    no_text = verdict is not None and (
        message.check is NumberCheck.ONLY or (message.check is NumberCheck.THEN_SEND and not verdict[1].then_sent)
    )
    message_class, label, witness = _class(
        message, final, billable, pending, unmapped, deadlines, verdict=verdict, no_text=no_text
    )
    if bills > 1:
        breaks.append((BreakKind.DUPLICATE_BILLABLE, ""))
    # Where no bill has a time, nothing says that it was not the last.
    timed = any(row.status_time for row, _ in billable)
    if timed and (last := max(final, key=_time)) not in billable:
        breaks.append((BreakKind.CONTRADICTION, last[1].label))
    agreed = message.state is MessageState.CANCELLED and message_class is MessageClass.CANCELLED and bool(final)
    if observations and message.state in UNTAKEN and not agreed:
        breaks.append((BreakKind.CONTRADICTION, message.state.value))
    elif (proof := message.reason.partition(":"))[0] in {"observed", "answered"} and proof[2] != MessageState.UNKNOWN:
        breaks.append((BreakKind.CONTRADICTION, proof[2]))
    told = message.answered or any(meaning.means is StatusClass.CANCELLED for _, meaning in final)
    known_to_contradict = any(kind is BreakKind.CONTRADICTION for kind, _ in breaks)
    ended = final or message_class is MessageClass.CHECKED
    if told and ended and message_class is not MessageClass.CANCELLED and not known_to_contradict:
        breaks.append((BreakKind.CONTRADICTION, "cancelled"))
    if billable and verdict and no_text and message.check is NumberCheck.THEN_SEND:
        breaks.append((BreakKind.CONTRADICTION, verdict[1].label))
    breaks += [(BreakKind.CONTRADICTION, label)] * bool(billable and message.check is NumberCheck.ONLY)
    if message_class is MessageClass.MISSING:
        breaks.append((BreakKind.MISSING_RESULT, ""))
    paid = [row.status_time for row in (witness if billable else None, charge) if row and row.status_time]
    only_check = message.check is NumberCheck.ONLY or (
        message.check is NumberCheck.THEN_SEND and not billable and (charge is not None or (no_text and not final))
    )
    payer = charge if charge and not billable else witness
    return Match(
        message_class,
        label,
        witness,
        bool(billable or charge),
        min(paid, default=None),
        only_check,
        message.check is NumberCheck.THEN_SEND and not only_check,
        bills,
        (payer.carrier if payer else "") or max((row.carrier for row in observations), default=""),
        max((row.parts_total for row in observations if row.parts_total is not None), default=None),
        tuple(breaks),
    )


def _verdict(message: Sent, known: list[Pair]) -> tuple[Pair | None, Observation | None]:
    """Return the last verdict about a number, and the first that is billed, where one was asked for."""
    verdicts = [pair for pair in known if pair[1].means is StatusClass.VERDICT]
    billed = [row for row, meaning in verdicts if meaning.billable and message.check is not NumberCheck.NONE]
    last = max(verdicts, key=_order_of_verdicts, default=None)
    billed.sort(key=lambda row: (row.status_time is None, row.status_time or NEVER, row.carrier))
    return last, billed[0] if billed else None


def _is_of_another(message: Sent, row: Observation) -> bool:
    return bool(row.msisdn) and canonical_result(row.msisdn) != message.msisdn


def _class(  # noqa: PLR0911 - a return for each class
    message: Sent,
    final: list[Pair],
    billable: list[Pair],
    pending: list[Pair],
    unmapped: list[str],
    deadlines: Deadlines,
    *,
    verdict: Pair | None,
    no_text: bool,
) -> tuple[MessageClass, str, Observation | None]:
    """Return the class of a message, the label that reports show, and the row that decided."""
    if billable:
        # The first bill decides; a click shows that the message arrived, so its label wins.
        clicked = min((meaning.label for _, meaning in billable if meaning.clicked), default=None)
        first = min(billable, key=lambda pair: (pair[1].clicked, pair[0].status_time is None, *_time(pair)))
        return MessageClass.DELIVERED, clicked or first[1].label, first[0]
    if final:
        last = max(final, key=_time)
        return FINAL[last[1].means], last[1].label, last[0]
    if verdict and no_text:
        return MessageClass.CHECKED, verdict[1].label, verdict[0]
    if unmapped:
        return MessageClass.UNMAPPED, canonical_label(unmapped[0]), None
    if message.answered and message.state in {MessageState.TAKEN, MessageState.CANCELLED}:
        return MessageClass.CANCELLED, "", None
    message_class = WITHOUT_FINAL.get(message.state, MessageClass.PENDING)
    if message.state is MessageState.TAKEN and message.sent_at is not None:
        overdue = deadlines.as_of - message.sent_at > deadlines.result
        message_class = MessageClass.MISSING if overdue else MessageClass.PENDING
    if verdict or pending:  # a verdict tells more than that a message waits
        last = verdict or max(pending, key=_time)
        return message_class, last[1].label, last[0]
    if message_class is not MessageClass.REFUSED:
        return message_class, "", None
    said = message.reason.split(":")
    return message_class, "person" if said[0] == "person" else said[-1], None


def _order_of_verdicts(pair: Pair) -> tuple[datetime, str, str]:
    """Order verdicts by gateway time; then the label decides, whether it is billed or not."""
    row, meaning = pair
    return (row.status_time or NEVER, meaning.label, row.carrier)


def _time(pair: Pair) -> tuple[datetime, bool, str, str]:
    """Order rows by gateway time; at the same time a billable row is the later one, then the label decides."""
    row, meaning = pair
    return (row.status_time or NEVER, meaning.billable, meaning.label, row.carrier)
