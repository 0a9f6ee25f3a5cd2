"""Observations: appended, never changed; and what they settle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

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
    select,
    update,
)

from pipeline.core.msisdn import canonical_result
from pipeline.ledger.batches import record_event, slices
from pipeline.ledger.cancellations import was_cancelled_there
from pipeline.ledger.engines import new_rows
from pipeline.ledger.naming import can_be_asked_for, is_about
from pipeline.ledger.opening import Ledger
from pipeline.ledger.replacing import has_the_key_of
from pipeline.ledger.tables import dispatch, is_live, is_not_taken, iso, message, moment, observation, pull
from pipeline.model import LIVE, SERVED, Artefact, MessageState, Observation

_SLICE = 1_000
#: so long is the day at the beginning of a stored time
_DAY = 10
#: states that a result changes: evidence beats decisions
SETTLED_BY_EVIDENCE = (
    MessageState.UNKNOWN,
    MessageState.REFUSED,
    MessageState.CANCELLED,
    MessageState.PLANNED,
)
#: states of messages whose keys are free for others
_GIVEN_UP = (MessageState.REFUSED.value, MessageState.CANCELLED.value)
_given_up, _waiting, _other = (message.alias(name) for name in ("given_up", "waiting", "other"))
_own, _attempt = dispatch.alias("own"), dispatch.alias("attempt")


def record_pull(
    ledger: Ledger,
    file: Artefact,
    period: tuple[datetime, datetime],
    rows: Sequence[Observation],
    now: datetime,
) -> int:
    """Record a results file and its observations; return how many of them are new."""
    with ledger.writing() as connection:
        pull_id = connection.execute(
            insert(pull).values(
                pulled_at=iso(now),
                period_start=iso(period[0]),
                period_end=iso(period[1]),
                file=file.name,
                sha256=file.sha256,
                size=file.size,
                rows=len(rows),
                new_rows=0,
            )
        ).inserted_primary_key[0]  # type: ignore[index]  # an insert of one row has its key
        before = connection.execute(select(func.count()).select_from(observation)).scalar_one()
        # Rows without an smsid that are alike are about as many messages; another pull has them all again.
        times = Counter[tuple[object, ...]]()
        for start in range(0, len(rows), _SLICE):
            values = [_numbered(stored(row, pull_id=pull_id), times) for row in rows[start : start + _SLICE]]
            add_new(connection, values)
        new = connection.execute(select(func.count()).select_from(observation)).scalar_one() - before
        connection.execute(update(pull).where(pull.c.pull_id == pull_id).values(new_rows=new))
        record_event(connection, now, "pulled", None, rows=len(rows), new=new)
    return int(new)


def add_new(connection: Connection, values: Sequence[dict[str, object]]) -> None:
    """Record observations that are not there yet.

    Another system of the account may give one smsid to several numbers: what would be left out for a row of another
    number is told apart by its own. The first row of a key needs no number in it, nor do those of older ledgers.
    """
    added = connection.execute(new_rows(connection, observation), values)
    if added.rowcount != len(values) and (others := _of_other_numbers(connection, values)):
        connection.execute(new_rows(connection, observation), others)


def _of_other_numbers(connection: Connection, values: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Return those of some rows whose key a row of another number has, with their own in it.

    What was asked for by its smsid names no number: it is another's as little as one that is spelled otherwise.
    """
    key = ("smsid", "path", "status", "status_time")
    named = {str(row["smsid"]) for row in values if row["smsid"]}
    query = select(*(observation.c[name] for name in key), observation.c.msisdn).where(
        observation.c.smsid.in_(named), observation.c.stranger == "", observation.c.msisdn != ""
    )
    first = {tuple(of_key): msisdn for *of_key, msisdn in connection.execute(query)} if named else {}
    others = []
    for row in values:
        msisdn = str(row["msisdn"])
        there = first.get(tuple(row[name] for name in key), msisdn)
        if msisdn and there != msisdn and canonical_result(there) != canonical_result(msisdn):
            others.append(row | {"stranger": canonical_result(msisdn)})
    return others


def stored(row: Observation, *, pull_id: int | None = None, received_at: datetime | None = None) -> dict[str, object]:
    """Return an observation as its table has it; what no pull brought says itself when it was received."""
    registered = iso(row.registered_at) if row.registered_at else None
    return {
        "pull_id": pull_id,
        "line": row.line,
        "path": row.path.value,
        "smsid": row.smsid,
        "msisdn": row.msisdn,
        "status": row.status,
        "status_time": iso(row.status_time) if row.status_time else "",
        "carrier": row.carrier,
        "parts_delivered": row.parts_delivered,
        "parts_total": row.parts_total,
        "registered_at": registered,
        "extra": row.extra,
        "stranger": "" if row.smsid else f"{row.msisdn} {registered or ''}",
        "received_at": iso(received_at) if received_at else None,
    }


def _numbered(values: dict[str, object], times: Counter[tuple[object, ...]]) -> dict[str, object]:
    """Say of a row without an smsid which it is of those alike in its file, from the second on."""
    if values["smsid"]:
        return values
    alike = tuple(values[name] for name in ("status", "status_time", "stranger"))
    times[alike] += 1
    return values | ({"stranger": f"{values['stranger']} {times[alike]}"} if times[alike] > 1 else {})


def settle(ledger: Ledger, now: datetime, among: Collection[str] | None = None) -> dict[MessageState, int]:
    """Make every message that a result proves taken so, whatever we thought before; return how many were what.

    So is one of which the gateway has answered that it cancelled it: it must have had it.

    ``among`` are the smsids to look at, where it is known which results are new; else all that are not taken.
    A message in flight is left alone: the process that sends it is waiting for its answer. So is one that was given up
    and whose key another message may have served since: its result stands in the reconciliation as a contradiction.
    """

    def proven(messages: FromClause) -> ColumnElement[bool]:
        return and_(_is_named(messages, ledger.prefix), *_one_of(messages, among))

    with ledger.writing() as connection:
        return _settle(connection, ledger.prefix, now, "observed", SETTLED_BY_EVIDENCE, proven, _first_registered())


def take_answered(  # noqa: PLR0913, PLR0917 - what was answered, of which attempt, and when
    connection: Connection, ledger: Ledger, owner: str, smsids: Collection[str], sent_at: str, now: datetime
) -> int:
    """Make messages taken that a late answer proves so, wherever they have gone since; return how many are taken.

    ``owner`` is the dispatch that was answered, begun at ``sent_at``, and ``smsids`` are of messages it carried. Since
    then another process may have taken over the campaign, a person given them up, and a run planned or begun them
    again: the gateway has them all the same. One whose key another message serves stays given up, for good; of it, and
    of what was taken twice, the reason says so, and the reconciliation has a contradiction.
    """
    taken = 0
    for part in slices(list(smsids)):
        carried = message.c.smsid.in_(part)

        def proven(messages: FromClause, part: Sequence[str] = part) -> ColumnElement[bool]:
            return messages.c.smsid.in_(part)

        states = (MessageState.IN_FLIGHT, *SETTLED_BY_EVIDENCE)
        _settle(connection, ledger.prefix, now, "answered", states, proven, literal(sent_at))
        is_taken = message.c.state == MessageState.TAKEN.value
        again = is_taken & (message.c.dispatch_id != owner) & (message.c.reason == "")
        told = update(message).where(carried, again | message.c.state.in_(_GIVEN_UP))
        connection.execute(told.values(reason=literal("answered:") + message.c.state))
        taken += connection.execute(select(func.count()).where(carried, is_taken)).scalar_one()
    return taken


def _settle(  # noqa: PLR0913, PLR0917 - what is proven by what, of which states, and since when
    connection: Connection,
    prefix: str,
    now: datetime,
    proof: str,
    states: Sequence[MessageState],
    proven: Callable[[FromClause], ColumnElement[bool]],
    sent_at: ColumnElement[str],
) -> dict[MessageState, int]:
    """Make what is proven taken, state by state, unless another message serves its key; return how many were what."""
    settled: dict[MessageState, int] = {}
    _cancel_served(connection, prefix, now, proven)
    for state in states:
        alone = () if state in LIVE else _serves_alone(prefix)
        if moved := _take(connection, state, now, proof, sent_at, proven(message), *alone):
            settled[state] = moved
    return settled


def settle_waiting(connection: Connection, ledger: Ledger, dispatches: Sequence[str], now: datetime) -> None:
    """Settle, in the transaction that begins some dispatches, what of them is recorded to have gone out already.

    A result may have come since somebody last settled: what proves it must be as good as what has been settled.
    """
    waits = and_(message.c.dispatch_id.in_(dispatches), message.c.state == MessageState.PLANNED.value)
    named = _is_named(message, ledger.prefix)
    _take(connection, MessageState.PLANNED, now, "observed", _first_registered(), waits, named)
    served = _of_the_same_key(_given_up, message).where(
        is_not_taken(_given_up), _given_up.c.state.in_(_GIVEN_UP), _is_named(_given_up, ledger.prefix)
    )
    cancel_as_served(connection, now, waits & served.exists())


def _take(
    connection: Connection,
    state: MessageState,
    now: datetime,
    proof: str,
    sent_at: ColumnElement[str],
    *proven: ColumnElement[bool],
) -> int:
    """Make messages in ``state`` taken that are proven so; return how many."""
    moved = connection.execute(
        update(message)
        .where(is_not_taken(message), message.c.state == state.value, *proven)
        .values(state=MessageState.TAKEN.value, reason=f"{proof}:{state.value}", sent_at=sent_at)
    ).rowcount
    if moved:
        record_event(connection, now, "settled", None, before=state.value, messages=moved)
    return moved


@lru_cache(maxsize=1)
def _first_registered() -> ColumnElement[str]:
    """Return when a message was sent that a result names: of several attempts, it says by its day which it was.

    That is the last that was begun until the end of the day on which the message was registered first. Within a day it
    makes no difference, and the gateway's clock may be another than ours.
    """
    own = _own.c.dispatch_id == message.c.dispatch_id
    # The first dispatch of a chunk has its number. To look for others where there is none would take long.
    is_again = select(_own.c.dispatch_id).where(own, _own.c.number != _own.c.chunk).exists()
    registered = select(func.min(observation.c.registered_at)).where(observation.c.smsid == message.c.smsid)
    begun = (
        select(func.max(_attempt.c.begun_at))
        .select_from(
            _own.join(_attempt, and_(_attempt.c.batch_id == _own.c.batch_id, _attempt.c.chunk == _own.c.chunk))
        )
        .where(own, func.substr(_attempt.c.begun_at, 1, _DAY) <= func.substr(registered.scalar_subquery(), 1, _DAY))
    )
    since = func.coalesce(begun.scalar_subquery(), message.c.sent_at)
    return case((is_again, since), else_=message.c.sent_at)


def _one_of(messages: FromClause, smsids: Collection[str] | None) -> tuple[ColumnElement[bool], ...]:
    return () if smsids is None else (messages.c.smsid.in_(smsids),)


def _cancel_served(
    connection: Connection, prefix: str, now: datetime, proven: Callable[[FromClause], ColumnElement[bool]]
) -> None:
    """Cancel what is still planned for a key of which it is now proven that a given up message had served it."""
    served_it = and_(is_not_taken(_given_up), _given_up.c.state.in_(_GIVEN_UP), proven(_given_up))
    # Nearly always there is none, and then the planned messages need not be asked for one of their key.
    if connection.execute(select(_given_up.c.smsid).where(served_it).limit(1)).one_or_none() is None:
        return
    served = _of_the_same_key(_waiting, _given_up).where(
        served_it, is_not_taken(_waiting), _waiting.c.state == MessageState.PLANNED.value, ~_is_named(_waiting, prefix)
    )
    cancel_as_served(connection, now, message.c.smsid.in_(served))


def cancel_as_served(connection: Connection, now: datetime, wanted: ColumnElement[bool]) -> None:
    """Cancel what is ``wanted``, and planned: another message has served its key, or may have."""
    cancelled = connection.execute(
        update(message)
        .where(wanted, message.c.state == MessageState.PLANNED.value)
        .values(state=MessageState.CANCELLED.value, reason=SERVED)
    ).rowcount
    if cancelled:
        record_event(connection, now, "cancelled", None, reason=SERVED, messages=cancelled)


@lru_cache(maxsize=16)  # as the conditions it is made of
def _is_named(messages: FromClause, prefix: str) -> ColumnElement[bool]:
    """Say that a result proves a message taken: it names its smsid, and nobody else can be meant.

    So it must name its number too. What was asked for by the smsid alone says nothing of the number: it is a proof only
    of an smsid that nobody but this ledger gives out, and that did not exist at the gateway before the first offer.
    """
    named = select(observation.c.observation_id).where(observation.c.smsid == messages.c.smsid)
    can = can_be_asked_for(messages, prefix)
    # So is the gateway's answer that it cancelled what has the smsid.
    return named.where(is_about(messages, prefix)).exists() | (was_cancelled_there(messages) & can)


@lru_cache(maxsize=16)
def _serves_alone(prefix: str) -> tuple[ColumnElement[bool], ...]:
    """Say that no other message serves the key of one that was given up; of several that were, the first does."""
    same = _of_the_same_key(_other, message)
    first = same.where(_other.c.state.in_(_GIVEN_UP), _is_named(_other, prefix), _other.c.smsid < message.c.smsid)
    return ~same.where(is_live(_other)).exists(), ~first.exists()


def _of_the_same_key(other: FromClause, one: FromClause) -> Select[tuple[str]]:
    """Select other messages with the key of ``one``."""
    return select(other.c.smsid).where(has_the_key_of(other, one))


def open_windows(
    ledger: Ledger,
    since: datetime,
    batch_id: str | None = None,
    ahead: Mapping[str, Collection[timedelta]] = MappingProxyType({}),
) -> dict[str, list[tuple[datetime, datetime]]]:
    """Return first and last sending time of each batch that was sent after ``since`` (or of the one named).

    ``ahead`` says by batch by how much the gateway's clock was ahead of ours: such a batch has these times by its clock
    too. Dispatches that a person has given up count: should they have arrived, their results lie there.
    """
    query = (
        select(
            dispatch.c.batch_id,
            func.min(dispatch.c.begun_at).label("first"),
            func.max(dispatch.c.begun_at).label("last"),
        )
        .where(dispatch.c.begun_at.is_not(None))
        .group_by(dispatch.c.batch_id)
    )
    if batch_id:
        query = query.where(dispatch.c.batch_id == batch_id)
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    with ledger.reading() as connection:
        for row in connection.execute(query):
            first, last = moment(row.first), moment(row.last)
            assert first is not None  # noqa: S101 - the query leaves out what has not begun
            assert last is not None  # noqa: S101 - as above
            by = (timedelta(0), *ahead.get(row.batch_id, ()))
            if batch_id or last + max(by) >= since:
                found[row.batch_id] = [(first + other, last + other) for other in by]
    return found


def observed_statuses(ledger: Ledger, batch_id: str) -> dict[str, datetime]:
    """Return every status that results gave to messages of a batch, with the time it reached us last."""
    reached = func.coalesce(pull.c.pulled_at, observation.c.received_at)
    query = (
        select(observation.c.status, func.max(reached).label("last"))
        .join(message, message.c.smsid == observation.c.smsid)
        .outerjoin(pull, pull.c.pull_id == observation.c.pull_id)
        .where(message.c.batch_id == batch_id)
        .group_by(observation.c.status)
    )
    with ledger.reading() as connection:
        return {row.status: last for row in connection.execute(query) if (last := moment(row.last))}


def last_waiting(ledger: Ledger, batch_id: str, final: Collection[str]) -> datetime | None:
    """Return when the last of those taken messages was sent that have no result with one of these statuses yet."""
    result = (
        select(observation.c.observation_id)
        .where(observation.c.smsid == message.c.smsid, observation.c.status.in_(final))
        .exists()
    )
    taken = message.c.state == MessageState.TAKEN.value
    query = select(func.max(message.c.sent_at)).where(message.c.batch_id == batch_id, taken, ~result)
    with ledger.reading() as connection:
        return moment(connection.execute(query).scalar_one())
