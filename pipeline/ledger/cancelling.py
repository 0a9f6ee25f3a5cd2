"""Cancelling: what waits to be sent and must not go out any more. What may have left is never touched.

A person stops a batch, or single messages of it, without any lock. Whoever sends asks before each dispatch, in the
transaction that begins it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, insert, select

from pipeline.ledger.batches import record_event, slices
from pipeline.ledger.cancellations import asked_in, last_who_asked
from pipeline.ledger.decisions import rows_about
from pipeline.ledger.moving import may_be_planned_again, move
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import is_cancelled_by_person, iso, message, moment, optout, stop
from pipeline.model import OPTED_OUT, MessageState


@dataclass(frozen=True, slots=True)
class Stop:
    """That a person stopped a batch: who, when, and how many of its messages were cancelled by a person."""

    actor: str
    at: datetime
    cancelled: int


@dataclass(frozen=True, slots=True)
class Single:
    """A message that was named by itself: its batch, its state, and whether it ``waits`` to be sent."""

    batch_id: str
    state: MessageState
    waits: bool


def cancel_opted_out(ledger: Ledger, batch_id: str, now: datetime) -> int:
    """Cancel those messages of a batch that wait to be sent to somebody who has opted out; return how many.

    What may have left is not touched. A dispatch that holds a cancelled message never goes out: its other messages are
    ``withdrawn_messages``.
    """
    with ledger.writing() as connection:
        return cancel_opted_out_in(connection, batch_id, now)


def cancel_opted_out_in(connection: Connection, batch_id: str, now: datetime) -> int:
    """Do the same within a transaction that is open."""
    return _cancel(connection, now, OPTED_OUT, message.c.batch_id == batch_id, has_opted_out())


def cancel_opted_out_of(connection: Connection, dispatches: Sequence[str], now: datetime) -> int:
    """Do the same for the messages of some dispatches, within a transaction that is open."""
    return _cancel(connection, now, OPTED_OUT, message.c.dispatch_id.in_(dispatches), has_opted_out())


def has_opted_out() -> ColumnElement[bool]:
    """Say that a message's recipient is on the list of opt-outs."""
    return select(optout.c.msisdn).where(optout.c.msisdn == message.c.msisdn).exists()


def _cancel(connection: Connection, now: datetime, reason: str, *wanted: ColumnElement[bool]) -> int:
    """Cancel what waits and is wanted, dispatch by dispatch; return how many."""
    found = connection.execute(
        select(message.c.batch_id, message.c.dispatch_id)
        .where(_waits(), *wanted)
        .group_by(message.c.batch_id, message.c.dispatch_id)
    )
    total = 0
    for batch_id, owner in found.all():
        # What was refused would be planned again and cancelled then: both at once, without a payload for nobody.
        move(connection, owner, MessageState.REFUSED, MessageState.PLANNED, may_be_planned_again(), *wanted)
        rows = rows_about(connection, owner, MessageState.PLANNED, *wanted)
        count = move(connection, owner, MessageState.PLANNED, MessageState.CANCELLED, *wanted, reason=reason)
        record_event(connection, now, "cancelled", batch_id, owner, reason=reason, messages=count, rows=rows)
        total += count
    return total


def _waits() -> ColumnElement[bool]:
    return (message.c.state == MessageState.PLANNED.value) | may_be_planned_again()


def stop_batch(ledger: Ledger, batch_id: str, now: datetime, *, actor: str) -> int:
    """Stop a batch for good and cancel what waits in it; return how many messages that were.

    Flag and cancellation are one transaction: a sender finds both before its next dispatch, or neither.
    """
    with ledger.writing() as connection:
        if connection.execute(select(stop.c.batch_id).where(stop.c.batch_id == batch_id)).one_or_none() is None:
            connection.execute(insert(stop).values(batch_id=batch_id, at=iso(now), actor=actor))
            record_event(connection, now, "stopped", batch_id, actor=actor)
        return _cancel(connection, now, f"person:{actor}", message.c.batch_id == batch_id)


def cancel_messages(ledger: Ledger, smsids: Collection[str], now: datetime, *, actor: str) -> int:
    """Cancel those of single messages that wait to be sent; return how many."""
    with ledger.writing() as connection:
        return sum(
            _cancel(connection, now, f"person:{actor}", message.c.smsid.in_(part)) for part in slices(list(smsids))
        )


def cancel_stopped(ledger: Ledger, batch_id: str, now: datetime) -> Stop | None:
    """Cancel what waits in a batch that a person has stopped, such as what came back unsent; None if nobody has.

    So is, of every batch, what somebody wanted the gateway to cancel and which now turns out never to have left.
    """
    with ledger.writing() as connection:
        if not cancel_stopped_in(connection, batch_id, now):
            return None
    return stop_of(ledger, batch_id)


def cancel_stopped_in(connection: Connection, batch_id: str, now: datetime) -> bool:
    """Do the same within a transaction that is open; say whether the batch was stopped."""
    of_batch = message.c.batch_id == batch_id
    actor = connection.execute(select(stop.c.actor).where(stop.c.batch_id == batch_id)).scalar_one_or_none()
    if actor is not None:
        _cancel(connection, now, f"person:{actor}", of_batch)
        return True
    if (actor := last_who_asked(connection, batch_id)) is not None:
        _cancel(connection, now, f"person:{actor}", of_batch, message.c.smsid.in_(asked_in(batch_id)))
    return False


def stop_of(ledger: Ledger, batch_id: str) -> Stop | None:
    """Return who stopped a batch, or None."""
    count = select(func.count()).where(message.c.batch_id == batch_id, is_cancelled_by_person(message))
    with ledger.reading() as connection:
        row = connection.execute(select(stop).where(stop.c.batch_id == batch_id)).one_or_none()
        if row is None or (at := moment(row.at)) is None:
            return None
        return Stop(row.actor, at, int(connection.execute(count).scalar_one()))


def waiting_of_batch(ledger: Ledger, batch_id: str) -> int:
    """Count those messages of a batch that cancelling it would cancel."""
    query = select(func.count()).select_from(message).where(message.c.batch_id == batch_id, _waits())
    with ledger.reading() as connection:
        return int(connection.execute(query).scalar_one())


def singles_of(ledger: Ledger, smsids: Collection[str]) -> dict[str, Single]:
    """Return what stands of each of ``smsids`` that is known."""
    columns = (message.c.smsid, message.c.batch_id, message.c.state, _waits().label("waits"))
    found: dict[str, Single] = {}
    with ledger.reading() as connection:
        for part in slices(list(smsids)):
            for row in connection.execute(select(*columns).where(message.c.smsid.in_(part))):
                found[row.smsid] = Single(row.batch_id, MessageState(row.state), waits=bool(row.waits))
    return found
