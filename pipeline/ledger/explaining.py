"""What a database says when something goes wrong, as failures of ours that keep no value of a row."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, OperationalError

from pipeline.errors import GuardStopped, MediasmsError, TryLater, UsageError

_MISSING_DATABASE = "3D000"
_READ_ONLY = "25006"
#: not allowed, or no schema to work in
_DENIED = frozenset({"42501", "3F000", "28000", "28P01"})


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the database says into failures of ours; what is left keeps neither values nor the address."""
    try:
        yield
    except DatabaseError as error:
        failure = _failure(error)
        if failure is not None:
            raise failure from None
        if isinstance(error.orig, sqlite3.Error):
            raise
        # PostgreSQL quotes the row that it refuses, and a row holds a number.
        raise type(error)(error.statement, None, Exception(_said(error))) from None


def roll_back(connection: Connection) -> None:
    """Undo a transaction. One whose connection is gone is undone by the server, and that is no second failure."""
    try:
        connection.exec_driver_sql("ROLLBACK")
    except DBAPIError as error:
        if not error.connection_invalidated and not connection.closed:
            raise


def _failure(error: DatabaseError) -> MediasmsError | None:
    state = getattr(error.orig, "sqlstate", None)
    said = _said(error)
    # What a server says before a session exists comes as a text without a class.
    if state in _DENIED or (state is None and re.search(r'authentication failed|role ".*" does not exist', said)):
        return UsageError("ledger.denied", problem=said)
    if state == _MISSING_DATABASE or (state is None and re.search(r'database ".*" does not exist', said)):
        return GuardStopped("ledger.no_database", problem=said)
    if isinstance(error, OperationalError) or state == _READ_ONLY:
        return TryLater("ledger.busy", problem=said)
    if isinstance(error, IntegrityError):
        return None
    # Classes of their own: XX is corruption; a file that is no database has no class at all.
    if isinstance(error.orig, sqlite3.DatabaseError) or str(state).startswith("XX"):
        return GuardStopped("ledger.damaged", problem=said)
    return None


def _said(error: DatabaseError) -> str:
    """Return what the database says is wrong, in one line, without values of a row."""
    diagnosis = getattr(error.orig, "diag", None)
    if getattr(error.orig, "sqlstate", None) and diagnosis is not None:
        return str(diagnosis.message_primary).partition(': "')[0]
    return " ".join(str(error.orig).split())
