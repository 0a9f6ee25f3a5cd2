"""What a ledger belongs to: a machine or a server, and a gateway. The latest event of a kind says to which one.

The ledger's own id stands in the place of a batch's: by it the event is found at once among those of years.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from pipeline.ledger.batches import record_event
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import event, moment


@dataclass(frozen=True, slots=True)
class Owner:
    """To whom a ledger says it belongs: the ``mark`` that tells it from all others, its name, and since when."""

    mark: str
    host: str
    since: str


def owner_of(ledger: Ledger, kind: str) -> Owner | None:
    """Return what a ledger belongs to, of one ``kind``; None where it does not know."""
    query = select(event.c.at, event.c.detail).where(event.c.batch_id == ledger.ledger_id, event.c.kind == kind)
    with ledger.reading() as connection:
        row = connection.execute(query.order_by(event.c.event_id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    detail = json.loads(row.detail)
    return Owner(detail["digest"], detail["host"], f"{moment(row.at):%Y-%m-%d %H:%M}")


def note_owner(ledger: Ledger, now: datetime, kind: str, mark: str, host: str, **detail: str) -> None:
    """Record what a ledger belongs to from now on; ``detail`` may say by whose word, and why."""
    with ledger.writing() as connection:
        record_event(connection, now, kind, ledger.ledger_id, digest=mark, host=host, **detail)
