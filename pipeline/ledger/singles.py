"""Single sends: dispatches of one message, begun and ended in groups of which each is one transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sqlalchemy import Connection, func, insert, select, update

from pipeline.errors import Bug
from pipeline.ledger.cancelling import cancel_opted_out_of, cancel_stopped_in
from pipeline.ledger.moving import move
from pipeline.ledger.naming import can_be_asked_for
from pipeline.ledger.opening import Ledger
from pipeline.ledger.repeats import Seen
from pipeline.ledger.results import settle_waiting, take_answered
from pipeline.ledger.tables import dispatch, event, iso, message, observation
from pipeline.model import Dispatch, MessageState

#: what the name of every upload's payload ends with; all others are single requests
_UPLOAD = "%.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the attempt of one dispatch ended: in which state, for which reason, by which answer.

    ``PLANNED`` stands for an attempt of which nothing can have been taken: it may be tried again. ``sent_before`` is
    when the attempt was begun that brought what this one's answer says to exist.
    """

    dispatch: Dispatch
    state: MessageState
    reason: str = ""
    code: str | None = None
    detail: str = ""
    sent_before: datetime | None = None


def begin_singles(ledger: Ledger, group: Sequence[Dispatch], now: datetime, seen: Seen | None = None) -> dict[str, int]:
    """Commit that a group is in flight, before the first byte of any; return the attempts by dispatch.

    Left out is what must not go out: to somebody who opted out, what a result shows to have gone out already, and all
    of it where a person has stopped the batch. Each is asked about in the same transaction. Raises ``Overtaken`` where
    another campaign has begun what is not ``seen`` yet.
    """
    wanted = [one.dispatch_id for one in group]
    with ledger.writing() as connection:
        ledger.check_locks(connection)
        if seen:
            seen.check(connection, group[0].batch_id)
        settle_waiting(connection, ledger, wanted, now)
        if cancel_stopped_in(connection, group[0].batch_id, now):
            return {}
        cancel_opted_out_of(connection, wanted, now)
        waiting = select(message.c.dispatch_id).where(
            message.c.dispatch_id.in_(wanted), message.c.state == MessageState.PLANNED.value
        )
        free = sorted(connection.execute(waiting).scalars())
        if not free:
            return {}
        begun = iso(now)
        if move(connection, free, MessageState.PLANNED, MessageState.IN_FLIGHT, sent_at=begun) != len(free):
            raise Bug("dispatch.changed_in_flight", dispatch=free[0])
        connection.execute(
            update(dispatch)
            .where(dispatch.c.dispatch_id.in_(free))
            .values(attempts=dispatch.c.attempts + 1, begun_at=begun, ended_at=None)
        )
        tried = select(dispatch.c.dispatch_id, dispatch.c.attempts).where(dispatch.c.dispatch_id.in_(free))
        attempts = {row.dispatch_id: int(row.attempts) for row in connection.execute(tried)}
        _record(connection, now, "begun", group[0].batch_id, {name: {"attempt": n} for name, n in attempts.items()})
    return attempts


def end_singles(ledger: Ledger, ended: Sequence[Ended], now: datetime) -> int:
    """Record what the answers of a group prove, all of it or nothing; return how many are known to be taken now.

    What another process has made unknown meanwhile, because it took over the campaign, is taken where its answer says
    so, whatever has become of it since, and else stays as it is.
    """
    by_outcome: dict[tuple[MessageState, str, datetime | None], list[str]] = {}
    for one in ended:
        by_outcome.setdefault((one.state, one.reason, one.sent_before), []).append(one.dispatch.dispatch_id)
    taken = 0
    with ledger.writing() as connection:
        in_flight = _in_flight(connection, [one.dispatch.dispatch_id for one in ended])
        for (state, reason, before), owners in by_outcome.items():
            values: dict[str, str | None] = {"sent_at": None} if state is MessageState.PLANNED else {"reason": reason}
            if before:
                values["sent_at"] = iso(before)
            moved = move(connection, owners, MessageState.IN_FLIGHT, state, **values)
            if moved != len(in_flight.intersection(owners)):
                raise Bug("dispatch.changed_in_flight", dispatch=owners[0])
            if state is MessageState.TAKEN:
                late = set(owners) - in_flight
                taken += moved + sum(_end_late(connection, ledger, owner, before, now) for owner in late)
        for one in sorted(ended, key=attrgetter("dispatch.number")):
            is_back = one.state is MessageState.PLANNED
            if is_back and one.dispatch.dispatch_id not in in_flight:
                continue
            ended_by: dict[str, str | None] = {"ended_at": iso(now), "answer_code": one.code}
            found = {"begun_at": None} if is_back else ended_by
            connection.execute(update(dispatch).where(dispatch.c.dispatch_id == one.dispatch.dispatch_id).values(found))
        details = {
            one.dispatch.dispatch_id: {"state": one.state.value, "code": one.code, "detail": one.detail}
            for one in ended
        }
        _record(connection, now, "ended", ended[0].dispatch.batch_id, details)
    return taken


def _in_flight(connection: Connection, owners: Sequence[str]) -> set[str]:
    in_flight = message.c.dispatch_id.in_(owners) & (message.c.state == MessageState.IN_FLIGHT.value)
    return set(connection.execute(select(message.c.dispatch_id).where(in_flight)).scalars())


def _end_late(connection: Connection, ledger: Ledger, owner: str, before: datetime | None, now: datetime) -> int:
    """Make the message taken that a dispatch carried, in whichever of its chunk it is by now; return how many are."""
    (begun,) = connection.execute(select(dispatch).where(dispatch.c.dispatch_id == owner)).all()
    of_chunk = select(dispatch.c.dispatch_id).where(
        dispatch.c.batch_id == begun.batch_id, dispatch.c.chunk == begun.chunk
    )
    carried = connection.execute(select(message.c.smsid).where(message.c.dispatch_id.in_(of_chunk))).scalars().all()
    return take_answered(connection, ledger, owner, carried, iso(before) if before else begun.begun_at, now)


def _record(
    connection: Connection, now: datetime, kind: str, batch_id: str, details: Mapping[str, Mapping[str, object]]
) -> None:
    """Append one event for each dispatch of a group."""
    rows = [
        {"at": iso(now), "kind": kind, "batch_id": batch_id, "dispatch_id": owner, "detail": json.dumps(detail)}
        for owner, detail in details.items()
    ]
    connection.execute(insert(event), rows)


@dataclass(frozen=True, slots=True)
class Asked:
    """A message whose result may be asked for by its smsid."""

    smsid: str
    state: MessageState


def without_final_result(
    ledger: Ledger,
    batch_id: str,
    final: Collection[str],
    states: Collection[MessageState],
    young: tuple[datetime, datetime],
) -> list[Asked]:
    """Return those messages of a batch that were sent alone and have no result with one of these statuses.

    What was sent after the first and until the second time of ``young`` is left out, unless it is unknown. What is
    unknown comes first, then what was sent first. A message that a person gave up counts as ``REFUSED``. What is not
    known to be taken is left out where the answer would prove nothing: its smsid may be somebody else's.
    """
    seen = (
        select(observation.c.observation_id)
        .where(observation.c.smsid == message.c.smsid, observation.c.status.in_(final))
        .exists()
    )
    from_, until = map(iso, young)
    given_up = (message.c.state != MessageState.REFUSED.value) | message.c.reason.startswith("person:")
    query = (
        select(message.c.smsid, message.c.state)
        .join(dispatch, dispatch.c.dispatch_id == message.c.dispatch_id)
        .where(message.c.batch_id == batch_id, message.c.state.in_([state.value for state in states]), given_up)
        .where(dispatch.c.payload_name.not_like(_UPLOAD), ~seen)
        .where((message.c.state == MessageState.TAKEN.value) | can_be_asked_for(message, ledger.prefix))
        .where(
            (message.c.state == MessageState.UNKNOWN.value) | (message.c.sent_at <= from_) | (message.c.sent_at > until)
        )
        .order_by(message.c.state != MessageState.UNKNOWN.value, message.c.sent_at, message.c.row_number)
    )
    with ledger.reading() as connection:
        return [Asked(row.smsid, MessageState(row.state)) for row in connection.execute(query)]


def batches_sent_alone(ledger: Ledger, since: datetime, also: Collection[str] = ()) -> list[str]:
    """Return the batches of which single requests began after ``since``, those that began first before the others.

    ``also`` are batches that did so by the gateway's clock.
    """
    query = (
        select(dispatch.c.batch_id)
        .where((dispatch.c.begun_at >= iso(since)) | dispatch.c.batch_id.in_(also))
        .where(dispatch.c.payload_name.not_like(_UPLOAD))
        .group_by(dispatch.c.batch_id)
        .order_by(func.min(dispatch.c.begun_at))
    )
    with ledger.reading() as connection:
        return list(connection.execute(query).scalars())
