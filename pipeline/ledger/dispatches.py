"""Dispatches: begun, ended, settled by a person. Intent before effect; every verb is compare-and-set."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from pipeline.core.answers import SMSID_EXISTS, Verdict
from pipeline.errors import Bug, GuardStopped, UsageError
from pipeline.ledger.batches import column_of, record_event
from pipeline.ledger.cancelling import cancel_opted_out_in, cancel_stopped_in, has_opted_out
from pipeline.ledger.decisions import rows_about
from pipeline.ledger.moving import INTERRUPTED, move, was_adopted
from pipeline.ledger.naming import is_of_our_making
from pipeline.ledger.opening import Ledger
from pipeline.ledger.repeats import Seen
from pipeline.ledger.results import settle_waiting, take_answered
from pipeline.ledger.tables import dispatch, is_not_taken, iso, message, moment
from pipeline.model import LEGAL, Artefact, Dispatch, MessageState, Mode


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt to send a dispatch carries: smsids by MSISDN; ``offered_at`` is what ``offered_before`` said."""

    dispatch: Dispatch
    smsids: Mapping[str, str]
    offered_at: datetime | None


def dispatch_id(batch_id: str, number: int) -> str:
    """Return the id of a batch's dispatch."""
    return f"{batch_id}-{number:04d}"


def list_dispatches(ledger: Ledger, batch_id: str) -> list[Dispatch]:
    """Return a batch's dispatches in their order, with their messages counted per state."""
    with ledger.reading() as connection:
        rows = connection.execute(
            select(dispatch).where(dispatch.c.batch_id == batch_id).order_by(dispatch.c.number)
        ).all()
        counted = connection.execute(
            select(message.c.dispatch_id, message.c.state, func.count())
            .where(message.c.batch_id == batch_id)
            .group_by(message.c.dispatch_id, message.c.state)
        ).all()
    states: dict[str, dict[MessageState, int]] = {}
    for owner, state, count in counted:
        states.setdefault(owner, {})[MessageState(state)] = count
    return [_dispatch(row, states.get(row.dispatch_id, {})) for row in rows]


def dispatches_with(ledger: Ledger, batch_id: str, current: str) -> list[Dispatch]:
    """Return the dispatches that have held a message: the ``current`` one, and those of its chunk before it."""
    chunk = select(dispatch.c.chunk).where(dispatch.c.dispatch_id == current).scalar_subquery()
    query = select(dispatch.c.dispatch_id).where(dispatch.c.batch_id == batch_id, dispatch.c.chunk == chunk)
    with ledger.reading() as connection:
        of_chunk = set(connection.execute(query).scalars())
    found = [one for one in list_dispatches(ledger, batch_id) if one.dispatch_id in of_chunk]
    return [one for one in found if one.number <= max(same.number for same in found if same.dispatch_id == current)]


def get_dispatch(ledger: Ledger, wanted: str) -> Dispatch:
    """Return a dispatch that must exist."""
    with ledger.reading() as connection:
        row = connection.execute(select(dispatch.c.batch_id).where(dispatch.c.dispatch_id == wanted)).one_or_none()
    if row is None:
        raise UsageError("dispatch.unknown", dispatch=wanted)
    return next(found for found in list_dispatches(ledger, row.batch_id) if found.dispatch_id == wanted)


def _dispatch(row: Row[Any], states: Mapping[MessageState, int]) -> Dispatch:
    return Dispatch(
        dispatch_id=row.dispatch_id,
        batch_id=row.batch_id,
        number=row.number,
        payload=Artefact(row.payload_name, row.payload_sha256, row.payload_size),
        attempts=row.attempts,
        begun_at=moment(row.begun_at),
        ended_at=moment(row.ended_at),
        answer_code=row.answer_code,
        csvid=row.csvid,
        states=states,
    )


def planned_mode(ledger: Ledger, batch_id: str) -> Mode | None:
    """Return how a batch goes out, which is fixed by its payloads; None while it has none."""
    query = select(dispatch.c.payload_name).where(dispatch.c.batch_id == batch_id).limit(1)
    with ledger.reading() as connection:
        name = connection.execute(query).scalar_one_or_none()
    if name is None:
        return None
    return Mode.CSV if name.endswith(".csv") else Mode.SINGLE


def dispatched(ledger: Ledger, wanted: str) -> dict[str, str]:
    """Return smsid by MSISDN for the messages of a dispatch."""
    numbers, smsids = (
        select(column).where(message.c.dispatch_id == wanted).order_by(message.c.msisdn)
        for column in (message.c.msisdn, message.c.smsid)
    )
    with ledger.reading() as connection:
        return dict(zip(column_of(connection, numbers), column_of(connection, smsids), strict=True))


def offered_before(ledger: Ledger, value: Dispatch, proves_nothing_taken: Collection[str]) -> datetime | None:
    """Return when the smsids of the dispatch may have reached the gateway last by an earlier dispatch; None for never.

    An attempt of which not a byte was read does not count, nor one whose answer proved that nothing was taken. Nor does
    one that was answered with the existence of its smsid: if that came from an attempt of ours, this one counts itself.
    Smsids of a user's may be somebody else's, however often we have offered them.
    """
    chunk = select(dispatch.c.chunk).where(dispatch.c.dispatch_id == value.dispatch_id).scalar_subquery()
    query = select(func.max(dispatch.c.begun_at)).where(
        dispatch.c.batch_id == value.batch_id,
        dispatch.c.chunk == chunk,
        dispatch.c.dispatch_id != value.dispatch_id,
        dispatch.c.begun_at.is_not(None),
        dispatch.c.answer_code.is_(None) | dispatch.c.answer_code.not_in({*proves_nothing_taken, *SMSID_EXISTS}),
    )
    foreign = select(message.c.smsid).where(
        message.c.dispatch_id == value.dispatch_id, ~is_of_our_making(message, ledger.prefix)
    )
    with ledger.reading() as connection:
        begun = moment(connection.execute(query).scalar_one())
        if begun is None or connection.execute(foreign.limit(1)).one_or_none() is not None:
            return None
        return begun


def begin_dispatch(ledger: Ledger, value: Dispatch, now: datetime, seen: Seen | None = None) -> int | None:
    """Commit that a dispatch is in flight, before its first byte; return the number of the attempt.

    Whoever opted out before this commit is not written to. Nor does anything go out that a person has cancelled, or
    that a result shows to have gone out already: all of it is asked about in the same transaction. If that is so of
    anybody in the dispatch, or a person has stopped its batch, nothing is begun, what must not go out is cancelled, and
    None is returned. Raises ``Overtaken`` where another campaign has begun what is not ``seen`` yet.
    """
    barred = (
        select(func.count())
        .select_from(message)
        .where(message.c.dispatch_id == value.dispatch_id)
        .where(
            ((message.c.state == MessageState.PLANNED.value) & has_opted_out())
            | message.c.state.in_([MessageState.CANCELLED.value, MessageState.TAKEN.value])
        )
    )
    with ledger.writing() as connection:
        ledger.check_locks(connection)
        if seen:
            seen.check(connection, value.batch_id)
        settle_waiting(connection, ledger, [value.dispatch_id], now)
        if cancel_stopped_in(connection, value.batch_id, now):
            return None
        if connection.execute(barred).scalar_one():
            cancel_opted_out_in(connection, value.batch_id, now)
            return None
        moved = move(connection, value.dispatch_id, MessageState.PLANNED, MessageState.IN_FLIGHT, sent_at=iso(now))
        if moved != value.messages:
            raise GuardStopped("dispatch.changed", dispatch=value.dispatch_id)
        attempt = value.attempts + 1
        connection.execute(
            update(dispatch)
            .where(dispatch.c.dispatch_id == value.dispatch_id)
            .values(attempts=attempt, begun_at=iso(now), ended_at=None)
        )
        record_event(connection, now, "begun", value.batch_id, value.dispatch_id, attempt=attempt)
    return attempt


def return_dispatch(ledger: Ledger, value: Dispatch, now: datetime, problem: str) -> None:
    """Return a dispatch to planned: the process that tried saw that not one byte of the body was read.

    Where another process has made it unknown meanwhile, it stays as it is: that one may have gone on from there.
    """
    with ledger.writing() as connection:
        moved = move(connection, value.dispatch_id, MessageState.IN_FLIGHT, MessageState.PLANNED, sent_at=None)
        if not moved and _was_begun(connection, value):
            return
        if not moved:
            raise Bug("dispatch.changed_in_flight", dispatch=value.dispatch_id)
        connection.execute(update(dispatch).where(dispatch.c.dispatch_id == value.dispatch_id).values(begun_at=None))
        record_event(connection, now, "returned", value.batch_id, value.dispatch_id, problem=problem)


def _was_begun(connection: Connection, value: Dispatch) -> bool:
    """Say whether the attempt that was made of ``value`` as it had been listed is in the ledger."""
    attempts = select(dispatch.c.attempts).where(dispatch.c.dispatch_id == value.dispatch_id)
    return bool(connection.execute(attempts).scalar_one() > value.attempts)


def end_dispatch(  # noqa: PLR0913, PLR0917 - what ended, how, and by what answer
    ledger: Ledger, attempt: Attempt, verdict: Verdict, now: datetime, detail: str, lines: Sequence[str] = ()
) -> int:
    """Record what the answer proves, message by message; return how many are known to be taken now.

    ``lines`` name the kinds of the answer's lines. Another process may have taken over the campaign, made unknown what
    was in flight, and gone on from there: of that the answer proves what was taken, and leaves the rest as it is.
    """
    value = attempt.dispatch
    with ledger.writing() as connection:
        _, earlier = verdict.taken(verdict.named)
        ended = 0
        for smsid, (state, code) in verdict.named.items():
            if state not in LEGAL[MessageState.IN_FLIGHT]:
                raise Bug("state.illegal", before=MessageState.IN_FLIGHT.value, after=state.value)
            named = (message.c.smsid == smsid) & (message.c.dispatch_id == value.dispatch_id)
            values = {"state": state.value, "reason": f"row:{code}"}
            if smsid in earlier and attempt.offered_at:
                values["sent_at"] = iso(attempt.offered_at)
            in_flight = message.c.state == MessageState.IN_FLIGHT.value
            ended += connection.execute(update(message).where(named, in_flight).values(**values)).rowcount
        reason = "" if verdict.others is MessageState.TAKEN else f"request:{verdict.code or ''}"
        ended += move(connection, value.dispatch_id, MessageState.IN_FLIGHT, verdict.others, reason=reason)
        taken = verdict.count(MessageState.TAKEN, value.messages)
        if ended != value.messages:
            taken = _end_late(connection, ledger, attempt, verdict, now)
        connection.execute(
            update(dispatch)
            .where(dispatch.c.dispatch_id == value.dispatch_id)
            .values(ended_at=iso(now), answer_code=verdict.code, csvid=verdict.csvid)
        )
        counts = {state.value: verdict.count(state, value.messages) for state in MessageState}
        record_event(
            connection,
            now,
            "ended",
            value.batch_id,
            value.dispatch_id,
            code=verdict.code,
            detail=detail,
            **({"lines": " ".join(lines)} if lines else {}),
            **{state: count for state, count in counts.items() if count},
        )
    return taken


def _end_late(connection: Connection, ledger: Ledger, attempt: Attempt, verdict: Verdict, now: datetime) -> int:
    """Record what an answer proves of messages that are not in flight any more; return how many are taken."""
    owner = attempt.dispatch.dispatch_id
    for smsid, (state, code) in verdict.named.items():
        if state is not MessageState.TAKEN:
            named = (message.c.smsid == smsid) & (message.c.dispatch_id == owner)
            connection.execute(update(message).where(named, was_adopted()).values(reason=f"row:{code}"))
    now_taken, earlier = verdict.taken(attempt.smsids.values())
    begun = connection.execute(select(dispatch.c.begun_at).where(dispatch.c.dispatch_id == owner)).scalar_one()
    before = iso(attempt.offered_at) if attempt.offered_at else begun
    return sum(
        take_answered(connection, ledger, owner, smsids, sent_at, now)
        for smsids, sent_at in ((now_taken, begun), (earlier, before))
    )


def interrupt_dispatch(ledger: Ledger, value: Dispatch, now: datetime) -> None:
    """Record that whoever was sending a dispatch gave it up while it was on its way: what was taken is unknown."""
    with ledger.writing() as connection:
        count = move(connection, value.dispatch_id, MessageState.IN_FLIGHT, MessageState.UNKNOWN, reason=INTERRUPTED)
        connection.execute(
            update(dispatch).where(dispatch.c.dispatch_id == value.dispatch_id).values(ended_at=iso(now))
        )
        record_event(connection, now, "interrupted", value.batch_id, value.dispatch_id, messages=count)


def adopt_in_flight(ledger: Ledger, campaign_name: str, now: datetime) -> int:
    """Turn what a dead process left in flight into unknown; only the holder of the campaign lock may call this."""
    with ledger.writing() as connection:
        ledger.check_locks(connection)
        left = connection.execute(
            select(message.c.batch_id, message.c.dispatch_id, func.count())
            .where(is_not_taken(message), message.c.state == MessageState.IN_FLIGHT.value)
            .where(message.c.campaign == campaign_name)
            .group_by(message.c.batch_id, message.c.dispatch_id)
        ).all()
        total = 0
        for batch_id, owner, count in left:
            total += move(connection, owner, MessageState.IN_FLIGHT, MessageState.UNKNOWN, reason=INTERRUPTED)
            record_event(connection, now, "adopted", batch_id, owner, messages=count)
    return total


def resolve_dispatch(  # noqa: PLR0913 - who, what, when and why
    ledger: Ledger, value: Dispatch, outcome: MessageState, now: datetime, *, actor: str, because: str
) -> int:
    """Record a person's decision about the messages of a dispatch that are still unknown; return how many."""
    reason = f"person:{actor}"
    with ledger.writing() as connection:
        rows = rows_about(connection, value.dispatch_id, MessageState.UNKNOWN)
        moved = move(connection, value.dispatch_id, MessageState.UNKNOWN, outcome, reason=reason)
        record_event(
            connection,
            now,
            "resolved",
            value.batch_id,
            value.dispatch_id,
            outcome=outcome.value,
            messages=moved,
            rows=rows,
            actor=actor,
            because=because,
        )
    return moved


def attempts_by_dispatch(ledger: Ledger) -> dict[tuple[str, int], int]:
    """Return how often each dispatch was begun, by batch and number."""
    query = select(dispatch.c.batch_id, dispatch.c.number, dispatch.c.attempts)
    with ledger.reading() as connection:
        return {(row.batch_id, row.number): row.attempts for row in connection.execute(query)}
