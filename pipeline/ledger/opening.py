"""Open the ledger. Only ``create_ledger`` makes one; a missing, older or newer one stops the command."""

from __future__ import annotations

import secrets
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, func, insert, inspect, select, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import NullPool

from pipeline.core.ids import ALPHABET, PREFIX_LETTERS
from pipeline.errors import GuardStopped, TryLater, UsageError
from pipeline.ledger import tables
from pipeline.ledger.file_systems import refuse_network

#: version of the tables; ``migrations.STEPS`` lead to it
VERSION = 3
_BUSY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open ledger: its engine, its identity and the prefix of its smsids."""

    engine: Engine
    ledger_id: str
    prefix: str

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with _explained(), self.engine.connect() as connection:
            connection.execute(text("BEGIN"))
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that holds the write lock from its beginning; it commits as a whole or not at all."""
        with _explained(), self.engine.connect() as connection:
            connection.execute(text("BEGIN IMMEDIATE"))
            try:
                yield connection
            except BaseException:
                connection.execute(text("ROLLBACK"))
                raise
            connection.execute(text("COMMIT"))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise TryLater("ledger.busy", problem=str(error.orig)) from None
    except DatabaseError as error:
        if isinstance(error.orig, sqlite3.DatabaseError) and not isinstance(error.orig, sqlite3.IntegrityError):
            raise GuardStopped("ledger.damaged", problem=str(error.orig)) from None
        raise


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite:///"):
        raise UsageError("ledger.url", scheme=url.partition(":")[0])
    engine = create_engine(
        url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args={"timeout": _BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def create_ledger(url: str, now: datetime, *, prefix: str | None = None) -> Ledger:
    """Create the ledger, or open the one that is there; its smsid prefix is drawn unless given."""
    engine = _engine(url)
    refuse_network(_file(url))
    _file(url).parent.mkdir(parents=True, exist_ok=True)
    with _explained(), engine.connect() as connection:
        # One transaction: an interrupted init leaves nothing half made.
        connection.execute(text("BEGIN IMMEDIATE"))
        if not inspect(connection).get_table_names():
            prefix = prefix or "".join(secrets.choice(ALPHABET) for _ in range(PREFIX_LETTERS))
            tables.metadata.create_all(connection)
            identity = {"ledger_id": uuid.uuid4().hex, "prefix": prefix, "created_at": tables.iso(now)}
            connection.execute(insert(tables.identity).values(identity))
            connection.execute(insert(tables.migration).values(version=VERSION, applied_at=tables.iso(now)))
        connection.execute(text("COMMIT"))
    engine.dispose()
    return open_ledger(url)


def open_ledger(url: str, *, older: bool = False) -> Ledger:
    """Open the ledger that is there, of the version this program knows; ``older`` ones only to migrate them."""
    engine = _engine(url)
    refuse_network(_file(url))
    if not _file(url).exists():
        raise GuardStopped("ledger.missing", file=str(_file(url)))
    try:
        if not inspect(engine).has_table("identity"):
            raise GuardStopped("ledger.not_a_ledger", file=str(_file(url)))
        with engine.connect() as connection:
            version = connection.execute(select(func.max(tables.migration.c.version))).scalar_one()
            row = connection.execute(select(tables.identity)).one()
    except OperationalError as error:
        # Locked, full, out of reach: nothing that says anything about what is in it.
        raise TryLater("ledger.busy", problem=str(error.orig)) from None
    except DatabaseError as error:
        raise GuardStopped("ledger.damaged", problem=str(error.orig)) from None
    if version > VERSION:
        raise GuardStopped("ledger.newer", version=version, known=VERSION)
    if version < VERSION and not older:
        raise GuardStopped("ledger.older", version=version, known=VERSION)
    return Ledger(engine, row.ledger_id, row.prefix)


def check_ledger(ledger: Ledger) -> list[str]:
    """Return what the database's own integrity checks find; empty when all is well."""
    with ledger.reading() as connection:
        found = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check")) if row[0] != "ok"]
        found += [f"foreign key: {row[0]} {row[1]}" for row in connection.execute(text("PRAGMA foreign_key_check"))]
    return found
