"""The campaign lock: it dies with its process, or with its connection to the server. Nobody waits for it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

from pipeline.core.calendar import JST
from pipeline.errors import TryLater
from pipeline.ledger.engines import is_shared, lock_holder, try_lock, unlock
from pipeline.ledger.explaining import explained
from pipeline.ledger.opening import Ledger

#: PostgreSQL cuts the name of a session there
_NAME = 63


@contextmanager
def campaign_lock(ledger: Ledger, campaign: str, now: datetime) -> Iterator[None]:
    """Hold the lock of a campaign, or raise ``TryLater`` naming who does.

    One host locks a file beside the ledger's; a server that several hosts share keeps the lock for the connection that
    took it. That one is held open and does nothing else; ``Ledger.check_locks`` asks the server about it.
    """
    if is_shared(ledger.engine.dialect):
        with _held_by_session(ledger, campaign, now):
            yield
    else:
        name = hashlib.sha256(campaign.encode()).hexdigest()[:24]
        with held(_lock_folder(Path(str(ledger.engine.url.database))) / f"{name}.lock", now):
            yield


def lock_files(ledger: Path) -> list[Path]:
    """Return every lock that there is of the embedded ledger in this file."""
    return sorted(_lock_folder(ledger).glob("*.lock"))


def _lock_folder(ledger: Path) -> Path:
    """Return where the locks of an embedded ledger lie: they are its own, whichever workspace or link leads to it."""
    return ledger.resolve().parent / "locks"


@contextmanager
def held(path: Path, now: datetime) -> Iterator[None]:
    """Hold the lock ``path``, or raise ``TryLater`` naming who does."""
    with _opened(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise TryLater("lock.held", holder=file.read().strip() or "?") from None
        file.truncate(0)
        file.write(f"{_holder(socket.gethostname(), now)}\n")
        file.flush()
        yield


def _opened(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+", encoding="utf-8")
    except OSError as error:
        raise TryLater("files.not_writable", folder=str(path.parent), problem=error.strerror) from None


@contextmanager
def _held_by_session(ledger: Ledger, campaign: str, now: datetime) -> Iterator[None]:
    key = lock_key(ledger, campaign)
    with explained():
        connection = ledger.engine.connect()
    try:
        with explained():
            process = try_lock(connection, key, _session_name(now))
            if process is None:
                raise TryLater("lock.held", holder=lock_holder(connection, key)[1])
        ledger.locks[key] = process
        yield
    finally:
        ledger.locks.pop(key, None)
        unlock(connection, key)
        connection.close()


def lock_key(ledger: Ledger, campaign: str) -> int:
    """Return the number of a campaign's lock: of this ledger, though others may be in the same database."""
    digest = hashlib.sha256(f"{ledger.ledger_id} {campaign}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def _session_name(now: datetime) -> str:
    """Say who holds a lock; what does not fit is cut from the host's name, never from the time."""
    return _holder(socket.gethostname()[: _NAME - len(_holder("", now))], now)


def _holder(host: str, now: datetime) -> str:
    """Name this process where another one reads it, in whatever language that speaks."""
    return f"pid {os.getpid()}, {host}, {now.astimezone(JST):%Y-%m-%d %H:%M} JST"
