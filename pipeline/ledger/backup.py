"""Copies of an embedded ledger: taken while others work, checked before anybody relies on one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import GuardStopped, TryLater, UsageError
from pipeline.ledger.explaining import file_failure
from pipeline.ledger.opening import VERSION

_SCHEME = "sqlite:///"
_BESIDE = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Copy:
    """What a copy of a ledger is: whose, and of which version."""

    ledger_id: str
    version: int


def embedded_file(url: str) -> Path:
    """Return the file of an embedded ledger; a server's has tools of its own."""
    if not url.startswith(_SCHEME):
        raise UsageError("ledger.use_pg_dump", scheme=url.partition(":")[0])
    return Path(url.removeprefix(_SCHEME))


def copy_ledger(source: Path, into: Path) -> None:
    """Copy a ledger page by page, as of one moment, into one file that needs no other beside it."""
    into.unlink(missing_ok=True)
    try:
        with closing(_open(source)) as live, closing(sqlite3.connect(into)) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise file_failure(error, into) or TryLater("ledger.busy", problem=str(error)) from None
    except sqlite3.DatabaseError as error:
        raise GuardStopped("ledger.damaged", problem=str(error)) from None


def identify(file: Path) -> Copy | None:
    """Say what the ledger in a file is, without checking it as a whole; None where it cannot be read."""
    if not file.is_file():
        return None
    try:
        with closing(_open(file)) as connection:
            return _identity(connection)
    except sqlite3.Error:
        return None


def _identity(connection: sqlite3.Connection) -> Copy | None:
    found = connection.execute("SELECT ledger_id, (SELECT max(version) FROM migration) FROM identity").fetchone()
    return Copy(*found) if found else None


def read_copy(file: Path) -> Copy:
    """Check a copy as a whole and say what it is. Raises ``GuardStopped`` unless this program can work with it."""
    if not file.is_file():
        raise UsageError("ledger.no_backup", file=str(file))
    try:
        with closing(_open(file)) as connection:
            problems = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
            copy = _identity(connection)
    except sqlite3.OperationalError:
        raise GuardStopped("ledger.not_a_ledger", file=str(file)) from None
    except sqlite3.DatabaseError as error:
        raise GuardStopped("ledger.damaged", problem=str(error)) from None
    if problems:
        raise GuardStopped("ledger.damaged", problem="; ".join(problems[:5]))
    if copy is None:
        raise GuardStopped("ledger.not_a_ledger", file=str(file))
    if copy.version > VERSION:
        raise GuardStopped("ledger.newer", version=copy.version, known=VERSION)
    return copy


def set_aside(live: Path, aside: Path) -> None:
    """Give the ledger that is there a second name, and let nothing beside it meet the one that replaces it.

    What stands in its write-ahead log is first moved into it; of one that is too damaged for that the log goes along.
    """
    if not live.exists():
        return
    with suppress(sqlite3.Error), closing(_open(live)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.link(live, aside)
    for suffix in _BESIDE:
        beside = live.with_name(live.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=5)
