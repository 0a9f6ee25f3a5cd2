"""Open the ledger. Only ``create_ledger`` makes one; a missing, older or newer one stops the command."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine, func, insert, inspect, select, text

from pipeline.core.ids import ALPHABET, PREFIX_LETTERS
from pipeline.errors import GuardStopped, TryLater
from pipeline.ledger import engines, tables
from pipeline.ledger.explaining import explained, roll_back

#: version of the tables; ``migrations.STEPS`` lead to it
VERSION = 6
#: before the identity of a ledger that was moved away, and of one whose copy is not complete: nothing works with these
MOVED, COPYING = "moved-", "copying-"


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open ledger: its engine, its identity and the prefix of its smsids.

    ``locks`` holds the campaign locks that this process holds in a PostgreSQL server: key → number of the server
    process that keeps it.
    """

    engine: Engine
    ledger_id: str
    prefix: str
    locks: dict[int, int] = field(default_factory=dict)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with explained(self.engine), self.engine.connect() as connection:
            engines.begin_reading(connection)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that holds the write lock from its beginning; it commits as a whole or not at all.

        Raises ``GuardStopped`` (``ledger.moved``) when this is not the ledger any more that was opened: it was copied
        to another database since, and what is recorded here would be lost there.
        """
        with alone(self.engine) as connection:
            if connection.execute(select(tables.identity.c.ledger_id)).scalar_one_or_none() != self.ledger_id:
                raise GuardStopped("ledger.moved")
            yield connection

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Keep a connection for many short transactions: the last one that closes folds SQLite's log into its file."""
        if engines.is_shared(self.engine.dialect):
            yield
            return
        with explained(self.engine), self.engine.connect() as connection:
            connection.execute(select(tables.identity.c.ledger_id)).all()
            yield

    def check_locks(self, connection: Connection) -> None:
        """Refuse to go on when a campaign lock was lost with its connection, in the transaction that relies on it.

        Raises ``TryLater`` (``lock.lost``): by then another run may hold the campaign. Nothing of ours is in flight.
        """
        for key, process in self.locks.items():
            if engines.lock_holder(connection, key)[0] != process:
                raise TryLater("lock.lost")

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that alone may write, in a database of which nothing is known yet."""
    with explained(engine), engine.connect() as connection:
        engines.begin_writing(connection)
        try:
            yield connection
        except BaseException:
            roll_back(connection)
            raise
        connection.execute(text("COMMIT"))


def create_ledger(url: str, now: datetime, *, prefix: str | None = None) -> Ledger:
    """Create the ledger, or open the one that is there; its smsid prefix is drawn unless given."""
    engine = engines.make_engine(url)
    engines.prepare_place(engine)
    # One transaction: an interrupted init leaves nothing half made.
    with closing_at_failure(engine), alone(engine) as connection:
        if not inspect(connection).get_table_names():
            prefix = prefix or "".join(secrets.choice(ALPHABET) for _ in range(PREFIX_LETTERS))
            tables.metadata.create_all(connection)
            identity = {"ledger_id": uuid.uuid4().hex, "prefix": prefix, "created_at": tables.iso(now)}
            connection.execute(insert(tables.identity).values(identity))
            connection.execute(insert(tables.migration).values(version=VERSION, applied_at=tables.iso(now)))
    engine.dispose()
    return open_ledger(url)


def open_ledger(url: str, *, older: bool = False, moved: bool = False) -> Ledger:
    """Open the ledger that is there, of the version this program knows.

    ``older`` ones are opened only to migrate them, ``moved`` ones only to complete their copy.
    """
    engine = engines.make_engine(url)
    with closing_at_failure(engine):
        engines.must_exist(engine)
        with explained(engine), engine.connect() as connection:
            if not inspect(connection).has_table("identity"):
                raise GuardStopped("ledger.not_a_ledger", file=engines.describe_place(engine))
            version = connection.execute(select(func.max(tables.migration.c.version))).scalar_one()
            row = connection.execute(select(tables.identity)).one()
        if version > VERSION:
            raise GuardStopped("ledger.newer", version=version, known=VERSION)
        if version < VERSION and not older:
            raise GuardStopped("ledger.older", version=version, known=VERSION)
        if row.ledger_id.startswith(COPYING):
            raise GuardStopped("ledger.copy_unfinished")
        if row.ledger_id.startswith(MOVED) and not moved:
            raise GuardStopped("ledger.moved")
    return Ledger(engine, row.ledger_id, row.prefix)


@contextmanager
def closing_at_failure(engine: Engine) -> Iterator[None]:
    """Leave no connection open when what is there cannot be used."""
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def check_ledger(ledger: Ledger) -> list[str]:
    """Return what the database's own integrity checks find; empty when all is well."""
    with ledger.reading() as connection:
        return engines.integrity(connection)
