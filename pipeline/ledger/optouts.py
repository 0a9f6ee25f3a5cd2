"""Opt-outs: numbers that must not be written to. Events count them and never name one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from pipeline.ledger.batches import column_of, record_event, slices
from pipeline.ledger.engines import new_rows
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import iso, optout


def add_optouts(ledger: Ledger, msisdns: Collection[str], source: str, now: datetime) -> int:
    """Put canonical numbers on the list; return how many are new. One that is there keeps its time and source."""
    with ledger.writing() as connection:
        before = _count(connection)
        # In the order of the table: a million numbers in theirs take four times as long.
        for part in slices(sorted(msisdns)):
            rows = [{"msisdn": msisdn, "added_at": iso(now), "source": source} for msisdn in part]
            connection.execute(new_rows(connection, optout), rows)
        new = _count(connection) - before
        record_event(connection, now, "opted_out", None, given=len(msisdns), new=new)
    return new


def remove_optouts(ledger: Ledger, msisdns: Collection[str], now: datetime) -> int:
    """Take canonical numbers off the list; return how many stood on it."""
    with ledger.writing() as connection:
        removed = 0
        for part in slices(sorted(msisdns)):
            removed += connection.execute(delete(optout).where(optout.c.msisdn.in_(part))).rowcount
        record_event(connection, now, "opted_in", None, given=len(msisdns), removed=removed)
    return removed


def list_optouts(ledger: Ledger) -> Iterator[str]:
    """Yield every number on the list, in order."""
    with ledger.reading() as connection:
        yield from column_of(connection, select(optout.c.msisdn).order_by(optout.c.msisdn))


def opted_out(ledger: Ledger, msisdns: Collection[str]) -> set[str]:
    """Return those of ``msisdns`` that are on the list."""
    with ledger.reading() as connection:
        # A list is mostly shorter than a chunk of a batch: then it is read instead of asked about each number.
        listed = list(column_of(connection, select(optout.c.msisdn).limit(len(msisdns))))
        if len(listed) < len(msisdns):
            return set(listed).intersection(msisdns)
        found: set[str] = set()
        for part in slices(sorted(msisdns)):
            found.update(connection.execute(select(optout.c.msisdn).where(optout.c.msisdn.in_(part))).scalars())
    return found


def _count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(optout)).scalar_one())
