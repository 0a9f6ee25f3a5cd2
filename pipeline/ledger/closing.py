"""Closed months: what each was closed with. A month that is closed again gets the next number; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select

from pipeline.ledger.batches import record_event
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import closing, identity, iso, moment
from pipeline.model import Artefact


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """That a month (YYYY-MM) was closed: when, by whom, with which snapshot, tariff and profile."""

    month: str
    number: int
    closed_at: datetime
    actor: str
    snapshot: Artefact
    tariff_sha256: str
    profile_sha256: str


def record_closing(  # noqa: PLR0913 - everything that a closed month is compared with
    ledger: Ledger,
    month: str,
    snapshot: Artefact,
    now: datetime,
    *,
    actor: str,
    tariff_sha256: str,
    profile_sha256: str,
) -> int:
    """Record that a month is closed with a snapshot that is on disk; return which closing of the month this is."""
    with ledger.writing() as connection:
        last = connection.execute(select(func.max(closing.c.number)).where(closing.c.month == month)).scalar_one()
        number = int(last or 0) + 1
        connection.execute(
            insert(closing).values(
                month=month,
                number=number,
                closed_at=iso(now),
                actor=actor,
                name=snapshot.name,
                sha256=snapshot.sha256,
                size=snapshot.size,
                tariff_sha256=tariff_sha256,
                profile_sha256=profile_sha256,
            )
        )
        record_event(connection, now, "closed", None, month=month, number=number, actor=actor)
    return number


def began_at(ledger: Ledger) -> datetime:
    """Return when the ledger was created: nothing is known here of what was before, unless its results were pulled."""
    with ledger.reading() as connection:
        began = moment(connection.execute(select(identity.c.created_at)).scalar_one())
    assert began is not None  # noqa: S101 - the column is NOT NULL
    return began


def last_closing(ledger: Ledger, month: str) -> Closing | None:
    """Return the last closing of a month; None while it is open."""
    return next(iter(list_closings(ledger, month)), None)


def list_closings(ledger: Ledger, month: str) -> list[Closing]:
    """Return the closings of a month, the last one first."""
    query = select(closing).where(closing.c.month == month).order_by(closing.c.number.desc())
    with ledger.reading() as connection:
        return [_closing(row) for row in connection.execute(query)]


def _closing(row: Row[Any]) -> Closing:
    closed_at = moment(row.closed_at)
    assert closed_at is not None  # noqa: S101 - the column is NOT NULL
    return Closing(
        month=row.month,
        number=row.number,
        closed_at=closed_at,
        actor=row.actor,
        snapshot=Artefact(row.name, row.sha256, row.size),
        tariff_sha256=row.tariff_sha256,
        profile_sha256=row.profile_sha256,
    )
