"""Recovering: what a ledger that went back in time does not know of, it is told by what lies on disk."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, select, update

from pipeline.ledger.batches import column_of, record_event, slices
from pipeline.ledger.cancellations import keep_wishes
from pipeline.ledger.dispatches import dispatch_id
from pipeline.ledger.moving import may_be_planned_again
from pipeline.ledger.opening import Ledger
from pipeline.ledger.replacing import is_served_by_another
from pipeline.ledger.results import cancel_as_served
from pipeline.ledger.tables import dispatch, iso, message
from pipeline.model import Artefact, MessageState


@dataclass(frozen=True, slots=True)
class Place:
    """A message that counts as serving a row of another batch: its number and its state."""

    msisdn: str
    state: MessageState


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """An attempt that only its marker knows: which dispatch of which batch, what was in it, and when it began."""

    batch_id: str
    number: int
    attempt: int
    payload: Artefact
    smsids: Sequence[str]
    begun_at: datetime


def smsids_of(ledger: Ledger, batch_id: str) -> set[str]:
    """Return the smsids of a planned batch."""
    with ledger.reading() as connection:
        return set(column_of(connection, select(message.c.smsid).where(message.c.batch_id == batch_id)))


def clear_places(ledger: Ledger, smsids: Sequence[str], numbers: Collection[str], now: datetime) -> list[Place]:
    """Cancel, of messages that serve other rows, what waits for any of ``numbers``: a forgotten attempt may have.

    Return those of these numbers as they were.
    """
    found: list[Place] = []
    columns = (message.c.smsid, message.c.msisdn, message.c.state)
    with ledger.writing() as connection:
        for part in slices(smsids):
            rows = connection.execute(select(*columns).where(message.c.smsid.in_(part))).all()
            places = {row.smsid: Place(row.msisdn, MessageState(row.state)) for row in rows if row.msisdn in numbers}
            cancel_as_served(connection, now, message.c.smsid.in_(places))
            found += places.values()
    return found


def recover_dispatch(ledger: Ledger, lost: Lost, now: datetime) -> int:
    """Enter a lost attempt: whatever of it was not settled is unknown. Return how many messages that are."""
    owner = dispatch_id(lost.batch_id, lost.number)
    begun = iso(lost.begun_at)
    with ledger.writing() as connection:
        known = update(dispatch).where(dispatch.c.dispatch_id == owner)
        entered = connection.execute(known.values(attempts=lost.attempt)).rowcount
        # A dispatch that the ledger never heard of takes its messages over; else they are where they were planned.
        place = {} if entered else {"dispatch_id": owner}
        if not entered:
            _insert(connection, lost, owner, begun)
            _withdraw_others(connection, lost)
        count = 0
        for part in slices(lost.smsids):
            # planned → in flight → unknown, and refused → planned → … before it: steps whose record is lost. What was
            # cancelled since the ledger went back was planned then; that it is not wanted stays known.
            keep_wishes(connection, part, now)
            open_ = (message.c.state == MessageState.PLANNED.value) | may_be_planned_again() | _was_cancelled_since()
            count += connection.execute(
                update(message)
                .where(message.c.smsid.in_(part), message.c.batch_id == lost.batch_id, open_)
                .values(state=MessageState.UNKNOWN.value, reason="recovered", sent_at=begun, **place)
            ).rowcount
        # Where nothing of it is open, the attempt that is known has served it: its results lie around that one.
        began = known if count else known.where(dispatch.c.begun_at.is_(None))
        connection.execute(began.values(begun_at=begun, ended_at=None))
        record_event(connection, now, "recovered", lost.batch_id, owner, attempt=lost.attempt, messages=count)
    return count


def _was_cancelled_since() -> ColumnElement[bool]:
    """Say that a message was cancelled, and no other serves its key since."""
    return (message.c.state == MessageState.CANCELLED.value) & ~is_served_by_another(message)


def _withdraw_others(connection: Connection, lost: Lost) -> None:
    """Keep those dispatches from going out in which messages of a lost attempt wait: their payloads hold them, too."""
    for part in slices(lost.smsids):
        held = select(message.c.dispatch_id).where(
            message.c.smsid.in_(part), message.c.state == MessageState.PLANNED.value
        )
        connection.execute(update(dispatch).where(dispatch.c.dispatch_id.in_(held)).values(live=0))


def _insert(connection: Connection, lost: Lost, owner: str, begun: str) -> None:
    """Enter the dispatch itself, of the chunk that its messages are of; the chunk's live one stays what it is."""
    chunk = connection.execute(
        select(dispatch.c.chunk)
        .join(message, message.c.dispatch_id == dispatch.c.dispatch_id)
        .where(message.c.smsid.in_(lost.smsids[:1]))
    ).scalar_one_or_none()
    connection.execute(
        insert(dispatch).values(
            dispatch_id=owner,
            batch_id=lost.batch_id,
            number=lost.number,
            chunk=lost.number if chunk is None else chunk,
            live=0,
            payload_name=lost.payload.name,
            payload_sha256=lost.payload.sha256,
            payload_size=lost.payload.size,
            attempts=lost.attempt,
            begun_at=begun,
        )
    )
