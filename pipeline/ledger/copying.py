"""Move a ledger from its SQLite file to an empty PostgreSQL database. At no moment can both be sent from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine, Table, func, inspect, select, update

from pipeline.errors import Bug, GuardStopped, UsageError
from pipeline.ledger import engines
from pipeline.ledger.batches import record_event
from pipeline.ledger.opening import COPYING, MOVED, Ledger, alone, closing_at_failure
from pipeline.ledger.tables import identity, message, metadata
from pipeline.model import MessageState

_BLOCK = 50_000


def copy_ledger(source: Ledger, url: str, now: datetime) -> dict[str, int]:
    """Copy every table and give the copy the ledger's identity; return the number of rows by table.

    The order is what keeps two hosts from sending the same: the copy is committed under an identity with which nothing
    opens it, then the source gives its identity up, then the copy takes it. After a crash between these the same
    command goes on from there; while the source still has its identity, the unfinished copy has to be dropped first.

    Raises ``UsageError`` for another direction; ``GuardStopped`` when the target holds anything, or a message is in
    flight: its answer could not be recorded any more.
    """
    target = engines.make_engine(url)
    if engines.is_shared(source.engine.dialect) or not engines.is_shared(target.dialect):
        raise UsageError("ledger.copy_way")
    name = source.ledger_id.removeprefix(MOVED)
    with closing_at_failure(target):
        if source.ledger_id == name:
            _copy(source, target, now)
        with alone(target) as connection:
            if not inspect(connection).has_table(identity.name):
                raise GuardStopped("ledger.moved")
            done = update(identity).where(identity.c.ledger_id == COPYING + name).values(ledger_id=name)
            if connection.execute(done).rowcount != 1:
                raise GuardStopped("ledger.moved")
            counts = _counts(connection)
    target.dispose()
    return counts


def _copy(source: Ledger, target: Engine, now: datetime) -> None:
    in_flight = select(func.count()).where(message.c.state == MessageState.IN_FLIGHT.value)
    # The write lock of the source is held until it has given up its identity: nobody records anything in between.
    with source.writing() as reading:
        if count := reading.execute(in_flight).scalar_one():
            raise GuardStopped("ledger.copy_in_flight", count=count)
        with alone(target) as writing:
            if inspect(writing).get_table_names():
                raise GuardStopped("ledger.copy_not_empty", place=engines.describe_place(target))
            metadata.create_all(writing)
            for table in metadata.sorted_tables:
                engines.insert_many(writing, table, _rows(reading, table))
                engines.count_on(writing, table)
            before, after = _counts(reading), _counts(writing)
            if before != after:
                raise Bug("ledger.copy_differs", before=before, after=after)
            writing.execute(update(identity).values(ledger_id=COPYING + source.ledger_id))
            record_event(writing, now, "copied", None, rows=sum(after.values()))
        record_event(reading, now, "moved", None, rows=sum(before.values()))
        reading.execute(update(identity).values(ledger_id=MOVED + source.ledger_id))


def _rows(connection: Connection, table: Table) -> Iterator[Mapping[str, object]]:
    names = [column.name for column in table.columns]
    for block in engines.blocks(connection, select(table), _BLOCK):
        for row in block:
            yield dict(zip(names, row, strict=True))


def _counts(connection: Connection) -> dict[str, int]:
    return {
        table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        for table in metadata.sorted_tables
    }
