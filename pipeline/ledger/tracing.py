"""What the ledger knows about single messages."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, func, or_, select

from pipeline.core.tracing import Happened, Placed, Seen
from pipeline.ledger.batches import sent_message
from pipeline.ledger.opening import Ledger
from pipeline.ledger.results import as_observation
from pipeline.ledger.tables import batch, event, message, moment, observation, pull


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
            Seen(observation=as_observation(row), pulled_at=moment(row.pulled_at), file=row.file)
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
        return [
            Happened(at=at, kind=row.kind, dispatch_id=row.dispatch_id, detail=json.loads(row.detail))
            for row in connection.execute(query)
            if (at := moment(row.at))
        ]


def _placed(row: Row[Any]) -> Placed:
    return Placed(message=sent_message(row), batch_id=row.batch_id, dispatch_id=row.dispatch_id)
