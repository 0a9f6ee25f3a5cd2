"""What a database says when something goes wrong, as failures of ours that keep no value of a row."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, OperationalError

from pipeline.errors import GuardStopped, MediasmsError, TryLater, UsageError

_MISSING_DATABASE = "3D000"
_READ_ONLY = "25006"
_DISK_FULL = "53100"
#: SQLite's codes, and how those begin that say more, where it may not open or write a file
_NOT_WRITABLE = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")
#: not allowed, or no schema to work in
_DENIED = frozenset({"42501", "3F000", "28000", "28P01"})


@contextmanager
def explained(engine: Engine | None = None) -> Iterator[None]:
    """Turn what the database says into failures of ours; what is left keeps neither values nor the address."""
    try:
        yield
    except DatabaseError as error:
        file = Path(str(engine.url.database)) if engine is not None else None
        failure = file_failure(error.orig, file) or _failure(error)
        if failure is not None:
            raise failure from None
        if isinstance(error.orig, sqlite3.Error):
            raise
        # PostgreSQL quotes the row that it refuses, and a row holds a number.
        raise type(error)(error.statement, None, Exception(_said(error))) from None


def roll_back(connection: Connection) -> None:
    """Undo a transaction. One whose connection is gone is undone by the server, and that is no second failure.

    Nor is it one that SQLite has undone a transaction by itself, as on a full disk: a second failure would hide why.
    """
    if _is_undone(connection):
        return
    try:
        connection.exec_driver_sql("ROLLBACK")
    except DBAPIError as error:
        if not error.connection_invalidated and not connection.closed:
            raise


def _is_undone(connection: Connection) -> bool:
    if connection.closed or connection.invalidated:
        return False
    driver: object = connection.connection.dbapi_connection
    return isinstance(driver, sqlite3.Connection) and not driver.in_transaction


def file_failure(error: BaseException | None, file: Path | None) -> MediasmsError | None:
    """Return what is wrong with an embedded ledger's file or disk, as SQLite's own code says; None for anything else.

    Where SQLite may not write, the system is asked why: trying again changes nothing about a mount or a right.
    """
    code, problem = getattr(error, "sqlite_errorname", ""), str(error)
    if code == "SQLITE_FULL":
        return TryLater("ledger.full", problem=problem)
    if code.startswith("SQLITE_IOERR"):
        return TryLater("ledger.disk", problem=problem)
    if not code.startswith(_NOT_WRITABLE):
        return None
    if file is not None and _is_read_only(file.parent):
        return UsageError("ledger.read_only", file=str(file))
    if file is not None and not _may_write(file):
        return UsageError("ledger.no_permission", file=str(file))
    return GuardStopped("ledger.cannot_open", file=str(file or "?"), problem=problem)


def _is_read_only(folder: Path) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _may_write(file: Path) -> bool:
    """Say whether this user may write a file and beside it: SQLite does both."""
    return os.access(file.parent, os.W_OK | os.X_OK) and (not file.exists() or os.access(file, os.W_OK))


def _failure(error: DatabaseError) -> MediasmsError | None:
    state = getattr(error.orig, "sqlstate", None)
    said = _said(error)
    # What a server says before a session exists comes as a text without a class.
    if state in _DENIED or (state is None and re.search(r'authentication failed|role ".*" does not exist', said)):
        return UsageError("ledger.denied", problem=said)
    if state == _MISSING_DATABASE or (state is None and re.search(r'database ".*" does not exist', said)):
        return GuardStopped("ledger.no_database", problem=said)
    if isinstance(error, OperationalError) or state == _READ_ONLY:
        return TryLater("ledger.full" if state == _DISK_FULL else "ledger.busy", problem=said)
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
