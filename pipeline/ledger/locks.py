"""The campaign lock: an OS file lock that dies with its process. Nobody waits for it."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pipeline.errors import TryLater


@contextmanager
def held(path: Path, now: datetime) -> Iterator[None]:
    """Hold the lock ``path``, or raise ``TryLater`` naming who does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise TryLater("lock.held", holder=file.read().strip() or "?") from None
        file.truncate(0)
        file.write(f"pid {os.getpid()} on {socket.gethostname()} since {now.isoformat(timespec='seconds')}\n")
        file.flush()
        yield
