"""The pace of requests from one address: every process of a host takes its turn from one locked file.

The gateway counts the requests of a source address, so who sends must count them together. A turn is a moment: the
next one is a step after the last, and nobody is given a moment that has passed. Behind it is a file with that moment
in it, by the clock that all processes of a host share.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from pipeline.errors import TryLater

#: turns are given a little slower than the limit: what leaves evenly may arrive unevenly
_HEADROOM = 0.95
#: whoever comes so much too late for a turn takes another one, lest it runs into the next ones
_LATE_SECONDS = 0.025
#: nobody waits longer for a turn
PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.002


def step_of(requests_per_second: int) -> float:
    """Return the seconds between two turns."""
    return 1 / (requests_per_second * _HEADROOM)


@dataclass(frozen=True, slots=True)
class Pace:
    """Waits for turns; ``take`` reserves the next one and returns in how many seconds it is, or None when refused."""

    take: Callable[[], float | None]

    def wait(self, *, patience: float = PATIENCE_SECONDS) -> None:
        """Return when it is this request's turn. Raises ``TryLater`` (``pace.crowded``) after ``patience`` seconds."""
        until = monotonic() + patience
        while (seconds := self.take()) is not None and monotonic() + seconds <= until:
            turn = monotonic() + seconds
            sleep(max(seconds, 0))
            if monotonic() - turn <= _LATE_SECONDS:
                return
        raise TryLater("pace.crowded", seconds=int(patience))


def turns_of(file: Path, requests_per_second: int) -> Callable[[], float | None]:
    """Return what takes the next turn from a file that all processes of a host use."""
    step = step_of(requests_per_second)

    def take() -> float | None:
        with file.open("a+b", buffering=0) as shared:
            if not _locked(shared.fileno()):
                return None
            now = monotonic()
            last = _read(os.pread(shared.fileno(), 64, 0))
            # A turn far ahead is from before a restart of the machine, or damaged: nobody reserves so far.
            turn = max(now, last + step) if last - now < PATIENCE_SECONDS else now
            shared.truncate(0)
            shared.write(f"{turn:.6f}\n".encode())
        return turn - now

    return take


def _locked(handle: int) -> bool:
    """Take the lock, but never wait for ever: its holder may have been stopped."""
    until = monotonic() + PATIENCE_SECONDS
    while monotonic() < until:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(_POLL_SECONDS)
        else:
            return True
    return False


def _read(data: bytes) -> float:
    try:
        return float(data)
    except ValueError:
        return float("-inf")


def pace_file(environment: Mapping[str, str], otherwise: Path, key: str) -> Path:
    """Return the file that keeps the pace of ``key``: the user's own, so that all installations of a user share it.

    Where there is no such place, as for a service without a home, it lies in the folder ``otherwise``.
    """
    name = f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.pace"
    state = environment.get("XDG_STATE_HOME") or (f"{home}/.local/state" if (home := environment.get("HOME")) else "")
    for folder in (Path(state) / "mediasms", otherwise) if state else (otherwise,):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).open("ab").close()
        except OSError:
            continue
        return folder / name
    raise TryLater("files.not_writable", folder=str(otherwise), problem="pace")
