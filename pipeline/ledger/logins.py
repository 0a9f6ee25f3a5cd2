"""Whether the gateway knew us: its refusals in a row are counted across runs, because it blocks the address at ten."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select, update

from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import auth_failure, iso


def note_auth(ledger: Ledger, base_url: str, now: datetime, *, failed: bool) -> int:
    """Record whether the gateway knew us; return the number of consecutive failures."""
    with ledger.writing() as connection:
        if failed:
            connection.execute(insert(auth_failure).values(at=iso(now), base_url=base_url, counts=1))
        else:
            connection.execute(update(auth_failure).where(auth_failure.c.base_url == base_url).values(counts=0))
    return auth_failures(ledger, base_url)


def auth_failures(ledger: Ledger, base_url: str) -> int:
    """Return the number of consecutive 401 answers since the last other answer."""
    query = select(func.count()).where(auth_failure.c.base_url == base_url, auth_failure.c.counts == 1)
    with ledger.reading() as connection:
        return int(connection.execute(query).scalar_one())
