"""What the ledger knows about single messages."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Row, func, or_, select

from pipeline.core.tracing import Happened, Placed, Seen
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import batch, event, message, moment, observation, pull
from pipeline.model import MessageState, Observation, ObservationPath, SentMessage

#: with these the attempt at a dispatch is over
_ENDS = ("ended", "interrupted", "adopted", "recovered")


def find_message(ledger: Ledger, smsid: str) -> Placed | None:
    """Return the message with exactly this smsid, or None."""
    with ledger.reading() as connection:
        row = connection.execute(select(message).where(message.c.smsid == smsid)).one_or_none()
    return _placed(row) if row else None


def similar_smsid(ledger: Ledger, smsid: str) -> str | None:
    """Return an smsid that differs only in capitals, or None. It reads all messages: only for a hint."""
    query = select(message.c.smsid).where(func.lower(message.c.smsid) == smsid.lower()).order_by(message.c.smsid)
    with ledger.reading() as connection:
        return connection.execute(query.limit(1)).scalar_one_or_none()


def messages_to(ledger: Ledger, msisdn: str, limit: int) -> tuple[list[Placed], int]:
    """Return the latest messages to a number, newest first, and how many there are."""
    to_it = message.c.msisdn == msisdn
    # What was never sent is as old as its batch.
    age = func.coalesce(message.c.sent_at, batch.c.registered_at)
    latest = (
        select(message)
        .join(batch, batch.c.batch_id == message.c.batch_id)
        .where(to_it)
        .order_by(age.desc(), message.c.smsid.desc())
    )
    with ledger.reading() as connection:
        total = connection.execute(select(func.count()).select_from(message).where(to_it)).scalar_one()
        return [_placed(row) for row in connection.execute(latest.limit(limit))], int(total)


def observations_about(ledger: Ledger, smsid: str) -> list[Seen]:
    """Return every observation that names a message, in the order of gateway time."""
    query = (
        select(observation, pull.c.pulled_at, pull.c.file)
        .outerjoin(pull, pull.c.pull_id == observation.c.pull_id)
        .where(observation.c.smsid == smsid)
        .order_by(observation.c.status_time, observation.c.observation_id)
    )
    with ledger.reading() as connection:
        return [
            Seen(observation=_observation(row), pulled_at=moment(row.pulled_at), file=row.file)
            for row in connection.execute(query)
        ]


def events_about(ledger: Ledger, batch_id: str, dispatch_ids: Collection[str]) -> list[Happened]:
    """Return what happened to a batch as a whole and to these dispatches of it, in order."""
    query = (
        select(event)
        .where(event.c.batch_id == batch_id)
        .where(or_(event.c.dispatch_id.is_(None), event.c.dispatch_id.in_(dispatch_ids)))
        .order_by(event.c.event_id)
    )
    with ledger.reading() as connection:
        return [found for row in connection.execute(query) for found in _happened(row)]


def last_heard(ledger: Ledger, batch_id: str) -> dict[str, Happened]:
    """Return by dispatch how the last attempt at those of a batch ended that hold unknown messages.

    Left out is what nobody saw the end of: it was interrupted, or is known from its mark only.
    """
    holders = select(message.c.dispatch_id).where(
        message.c.batch_id == batch_id, message.c.state == MessageState.UNKNOWN.value
    )
    query = (
        select(event)
        .where(event.c.batch_id == batch_id, event.c.kind.in_(_ENDS), event.c.dispatch_id.in_(holders))
        .order_by(event.c.event_id)
    )
    with ledger.reading() as connection:
        last = {found.dispatch_id: found for row in connection.execute(query) for found in _happened(row)}
    return {name: found for name, found in last.items() if name and found.kind == "ended"}


def _happened(row: Row[Any]) -> Iterator[Happened]:
    if at := moment(row.at):
        yield Happened(at=at, kind=row.kind, dispatch_id=row.dispatch_id, detail=json.loads(row.detail))


def _placed(row: Row[Any]) -> Placed:
    return Placed(message=_sent_message(row), batch_id=row.batch_id, dispatch_id=row.dispatch_id)


def _sent_message(row: Row[Any]) -> SentMessage:
    return SentMessage(
        row_number=row.row_number,
        smsid=row.smsid,
        msisdn=row.msisdn,
        state=MessageState(row.state),
        reason=row.reason,
        characters=row.characters,
        double_byte=bool(row.double_byte),
        sent_at=moment(row.sent_at),
    )


def _observation(row: Row[Any]) -> Observation:
    return Observation(
        path=ObservationPath(row.path),
        smsid=row.smsid,
        msisdn=row.msisdn,
        status=row.status,
        status_time=moment(row.status_time),
        carrier=row.carrier,
        parts_delivered=row.parts_delivered,
        parts_total=row.parts_total,
        registered_at=moment(row.registered_at),
        line=row.line,
        extra=row.extra,
    )
