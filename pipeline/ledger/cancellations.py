"""Cancellations: what the gateway was asked to cancel of what it has taken, and what it answered.

The request is committed before it leaves, its answer afterwards. A message stays in its state: that the gateway says it
has cancelled one is evidence that it had it, and never frees its key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    union,
    update,
)

from pipeline.core.answers import CancelAnswer
from pipeline.core.tracing import AskedToCancel
from pipeline.ledger.batches import is_check, slices
from pipeline.ledger.naming import can_be_asked_for, is_about
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import (
    batch,
    cancellation,
    is_cancelled_by_person,
    is_not_taken,
    iso,
    message,
    moment,
    observation,
)
from pipeline.model import CancelOutcome, MessageState, NumberCheck

#: states of messages that the gateway may have, in the order in which it is asked: what is on its way may arrive yet
_MAY_BE_THERE = (MessageState.UNKNOWN, MessageState.TAKEN, MessageState.IN_FLIGHT)
#: how the reason of a message begins that a person has cancelled
_BY_PERSON = "person:"
#: what of an earlier request leaves open whether it was heard
_OPEN = cancellation.c.outcome.is_(None) | (cancellation.c.outcome == CancelOutcome.UNCLEAR.value)


@dataclass(frozen=True, slots=True)
class Cancellable:
    """A message that the gateway may have.

    ``final``: a result says what became of it. ``cancelled``: the gateway has answered that it cancelled it. Not
    ``askable`` is what may never have arrived under an smsid that a user gave: by that name the gateway may have
    somebody else's.
    """

    smsid: str
    batch_id: str
    final: bool
    cancelled: bool
    askable: bool


@dataclass(frozen=True, slots=True)
class Request:
    """One request to cancel a message. ``doubtful``: nobody knows what came of an earlier one."""

    smsid: str
    number: int
    doubtful: bool


def statuses_about(ledger: Ledger, batches: Collection[str], smsids: Collection[str]) -> set[str]:
    """Return every status that results gave to messages of some batches, or to single ones."""
    joined = observation.join(message, message.c.smsid == observation.c.smsid)
    query = select(observation.c.status).select_from(joined).distinct()
    with ledger.reading() as connection:
        parts = (connection.execute(query.where(wanted)).scalars() for wanted in _each(batches, smsids))
        return {status for part in parts for status in part}


def may_be_there(
    ledger: Ledger, batches: Collection[str], smsids: Collection[str], final: Mapping[NumberCheck, Collection[str]]
) -> list[Cancellable]:
    """Return those messages of some batches, or single ones, that the gateway may have.

    ``final`` are the statuses after which no other follows, by the check that was asked for. A result of another number
    says nothing of a message: by an smsid that a user gave it may be somebody else's.
    What was asked about least often comes first, so that a command that is repeated goes on where it ended.
    """
    rank = case({state.value: number for number, state in enumerate(_MAY_BE_THERE)}, value=message.c.state)
    of_message = cancellation.c.smsid == message.c.smsid
    left = func.coalesce(cancellation.c.outcome, "") != CancelOutcome.UNSENT.value
    asked = select(func.count()).where(of_message, left).scalar_subquery()
    ends = or_(
        *(and_(batch.c.number_check == check.value, observation.c.status.in_(names)) for check, names in final.items())
    )
    reported = (
        select(observation.c.observation_id)
        .select_from(observation.join(batch, batch.c.batch_id == message.c.batch_id))
        .where(observation.c.smsid == message.c.smsid, is_about(message, ledger.prefix), ends)
        .correlate(message)
    )
    query = (
        select(
            message.c.smsid,
            message.c.batch_id,
            reported.exists().label("final"),
            was_cancelled_there(message).label("cancelled"),
            or_(message.c.state == MessageState.TAKEN.value, can_be_asked_for(message, ledger.prefix)).label("askable"),
        )
        .where(message.c.state.in_([state.value for state in _MAY_BE_THERE]))
        .order_by(asked, rank, message.c.batch_id, message.c.row_number)
    )
    found: dict[str, Cancellable] = {}
    with ledger.reading() as connection:
        for wanted in _each(batches, smsids):
            for row in connection.execute(query.where(wanted)):
                found[row.smsid] = Cancellable(
                    row.smsid,
                    row.batch_id,
                    final=bool(row.final),
                    cancelled=bool(row.cancelled),
                    askable=bool(row.askable),
                )
    return list(found.values())


def _each(batches: Collection[str], smsids: Collection[str]) -> list[ColumnElement[bool]]:
    parts = (message.c.smsid.in_(part) for part in slices(list(smsids)))
    return [*(message.c.batch_id == batch for batch in batches), *parts]


def was_cancelled_there(messages: FromClause) -> ColumnElement[bool]:
    """Say that the gateway has answered that it cancelled a message."""
    answered = cancellation.c.outcome == CancelOutcome.CANCELLED.value
    return select(cancellation.c.smsid).where(cancellation.c.smsid == messages.c.smsid, answered).exists()


def ask_to_cancel(ledger: Ledger, wanted: Sequence[Cancellable], now: datetime, *, actor: str) -> list[Request]:
    """Commit that the gateway is going to be asked to cancel messages, before the first byte of any request.

    Two commands may ask about one message: each has a request of its own.
    """
    with ledger.writing() as connection:
        return _record(connection, wanted, now, actor)


def note_unasked(ledger: Ledger, wanted: Sequence[Cancellable], now: datetime, *, actor: str) -> None:
    """Record that a person wanted messages cancelled about which the gateway is not asked.

    What of it turns out never to have left is not written to by itself any more, as if it had been asked about.
    """
    if not wanted:
        return
    of_name = {one.smsid: one for one in wanted}
    with ledger.writing() as connection:
        for part in slices(list(of_name)):
            _record(
                connection,
                [of_name[smsid] for smsid in part],
                now,
                actor,
                answered_at=iso(now),
                outcome=CancelOutcome.UNSENT.value,
            )


def _record(
    connection: Connection, wanted: Sequence[Cancellable], now: datetime, actor: str, **answer: str
) -> list[Request]:
    counted = select(
        cancellation.c.smsid,
        func.max(cancellation.c.number).label("number"),
        func.max(case((_OPEN, 1), else_=0)).label("open"),
    ).where(cancellation.c.smsid.in_([one.smsid for one in wanted]))
    rows = connection.execute(counted.group_by(cancellation.c.smsid))
    before = {row.smsid: (int(row.number), bool(row.open)) for row in rows}
    made = [
        Request(one.smsid, number + 1, doubtful)
        for one in wanted
        for number, doubtful in [before.get(one.smsid, (0, False))]
    ]
    batch_of = {one.smsid: one.batch_id for one in wanted}
    values = [
        {"smsid": each.smsid, "number": each.number, "batch_id": batch_of[each.smsid]}
        | {"asked_at": iso(now), "actor": actor, **answer}
        for each in made
    ]
    connection.execute(insert(cancellation), values)
    return made


def keep_wishes(connection: Connection, smsids: Collection[str], now: datetime) -> None:
    """Record of those messages that a person has cancelled, and that may have left after all, that they are not wanted.

    Once it is known that one has not left, it is cancelled again.
    """
    asked = select(cancellation.c.smsid).where(cancellation.c.smsid == message.c.smsid)
    actor = func.substr(message.c.reason, len(_BY_PERSON) + 1)
    wanted = select(
        message.c.smsid,
        literal(1),
        message.c.batch_id,
        literal(iso(now)),
        actor,
        literal(iso(now)),
        literal(CancelOutcome.UNSENT.value),
    ).where(
        message.c.smsid.in_(smsids),
        is_cancelled_by_person(message),
        ~asked.exists(),
    )
    names = ["smsid", "number", "batch_id", "asked_at", "actor", "answered_at", "outcome"]
    connection.execute(insert(cancellation).from_select(names, wanted))


def answer_cancellations(ledger: Ledger, answers: Mapping[Request, CancelAnswer], now: datetime) -> None:
    """Record what the gateway answered to each request, all of it or nothing."""
    with ledger.writing() as connection:
        for request, answer in answers.items():
            connection.execute(
                update(cancellation)
                .where(cancellation.c.smsid == request.smsid, cancellation.c.number == request.number)
                .where(cancellation.c.outcome.is_(None))
                .values(answered_at=iso(now), outcome=answer.outcome.value, code=answer.code)
            )


def cancelled_there(connection: Connection, batches: Collection[str], smsid: str | None = None) -> frozenset[str]:
    """Return the smsids of those messages of some batches of which the gateway has answered that it cancelled them.

    With ``smsid`` of that one at most.
    """
    query = _smsids().where(cancellation.c.outcome == CancelOutcome.CANCELLED.value)
    if smsid is not None:
        query = query.where(cancellation.c.smsid == smsid)
    found: set[str] = set()
    for part in slices(list(batches)):
        found.update(connection.execute(query.where(cancellation.c.batch_id.in_(part))).scalars())
    return frozenset(found)


def _smsids() -> Select[str]:
    return select(cancellation.c.smsid).distinct()


def asked_in(batch_id: str) -> Select[str]:
    """Select the smsids of those messages of a batch that a person wanted the gateway to cancel."""
    return _smsids().where(cancellation.c.batch_id == batch_id)


def wanted_cancelled(ledger: Ledger, batch_id: str) -> set[str]:
    """Return the smsids of those messages of a batch that a person wanted cancelled, whatever came of that wish."""
    with ledger.reading() as connection:
        return set(connection.execute(asked_in(batch_id)).scalars())


def unwanted_elsewhere(ledger: Ledger, campaign_name: str, others: Collection[str]) -> set[str]:
    """Return the smsids of a campaign's messages to whose numbers a person wanted a text of ``others`` cancelled.

    ``others`` are campaigns. It counts before that text left and afterwards, whatever came of the wish, and for the
    number: the other campaign may spell the same text otherwise.
    """
    other = message.alias("other")
    batches = select(batch.c.batch_id).where(batch.c.campaign.in_(others), is_check(wanted=False))
    waiting = select(other.c.msisdn).where(
        is_not_taken(other), other.c.batch_id.in_(batches), is_cancelled_by_person(other)
    )
    asked = (
        select(other.c.msisdn)
        .join(cancellation, cancellation.c.smsid == other.c.smsid)
        .where(cancellation.c.batch_id.in_(batches))
    )
    unwanted = message.c.msisdn.in_(union(waiting, asked))
    with ledger.reading() as connection:
        query = select(message.c.smsid).where(unwanted, message.c.campaign == campaign_name)
        return set(connection.execute(query).scalars())


def last_who_asked(connection: Connection, batch_id: str) -> str | None:
    """Return who wanted the gateway to cancel messages of a batch, the last one; None if nobody did."""
    query = select(cancellation.c.actor).where(cancellation.c.batch_id == batch_id)
    return connection.execute(query.order_by(cancellation.c.asked_at.desc()).limit(1)).scalar_one_or_none()


def cancellations_of(ledger: Ledger, smsid: str) -> list[AskedToCancel]:
    """Return every request to cancel a message, in order."""
    query = select(cancellation).where(cancellation.c.smsid == smsid).order_by(cancellation.c.number)
    with ledger.reading() as connection:
        return [
            AskedToCancel(
                asked_at=asked_at,
                actor=row.actor,
                answered_at=moment(row.answered_at),
                outcome=CancelOutcome(row.outcome) if row.outcome else None,
                code=row.code,
            )
            for row in connection.execute(query)
            if (asked_at := moment(row.asked_at))
        ]


def count_cancellations(ledger: Ledger, batch_id: str) -> dict[CancelOutcome, int]:
    """Count those messages of a batch that the gateway was asked to cancel, by what it answered last."""
    last = cancellation.alias("last")
    newest = select(func.max(last.c.number)).where(last.c.smsid == cancellation.c.smsid).scalar_subquery()
    outcome = func.coalesce(cancellation.c.outcome, CancelOutcome.UNCLEAR.value)
    query = select(outcome, func.count()).where(cancellation.c.batch_id == batch_id, cancellation.c.number == newest)
    with ledger.reading() as connection:
        found = connection.execute(query.group_by(outcome)).all()
    return {CancelOutcome(name): int(count) for name, count in found}
