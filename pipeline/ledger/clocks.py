"""The gateway's clock beside ours: by how much it was ahead when it answered, as events (negative: it was behind)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy import func, select

from pipeline.ledger.batches import record_event
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import dispatch, event, moment

_KIND = "clock"


def note_clock(ledger: Ledger, now: datetime, ahead: timedelta, batch_id: str | None) -> None:
    """Append by how much the gateway's clock was ahead when it answered; ``batch_id`` where it was sent something."""
    with ledger.writing() as connection:
        record_event(connection, now, _KIND, batch_id, ahead=round(ahead.total_seconds()))


def last_clock(ledger: Ledger) -> tuple[datetime, timedelta] | None:
    """Return the latest that was noted, with the time at which it was, by our clock."""
    query = select(event.c.at, event.c.detail).where(event.c.kind == _KIND).order_by(event.c.event_id.desc()).limit(1)
    with ledger.reading() as connection:
        row = connection.execute(query).one_or_none()
    at = moment(row.at) if row else None
    return (at, _ahead(row.detail)) if row and at else None


def clocks_at_sending(ledger: Ledger) -> dict[str, set[timedelta]]:
    """Return by how much the gateway's clock was ahead while a batch was sent, for those where that was noted."""
    query = select(event.c.batch_id, event.c.detail).where(event.c.kind == _KIND, event.c.batch_id.is_not(None))
    found: dict[str, set[timedelta]] = {}
    with ledger.reading() as connection:
        for row in connection.execute(query):
            found.setdefault(row.batch_id, set()).add(_ahead(row.detail))
    return found


def last_sending(ledger: Ledger, batch_id: str | None = None) -> datetime | None:
    """Return when the last dispatch began, by our clock of then: of a batch, or of all."""
    query = select(func.max(dispatch.c.begun_at))
    if batch_id:
        query = query.where(dispatch.c.batch_id == batch_id)
    with ledger.reading() as connection:
        return moment(connection.execute(query).scalar_one())


def _ahead(detail: str) -> timedelta:
    return timedelta(seconds=json.loads(detail)["ahead"])
