"""SIGINT and SIGTERM: at most one upload is finished or given up, what became of it is recorded, and then it ends.

Everywhere else a signal ends the command at once: a transaction is whole or not at all. Signals belong to the process,
so their state does too. A second signal changes nothing: it must not keep the first one's work from being recorded.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.errors import Exit, Interrupted

#: how long an upload that has begun may go on after a signal; an answer spares a person the question what was taken
GRACE_SECONDS = 3.0


@dataclass(slots=True)
class _State:
    received: Exit | None = None
    held: int = 0
    uploading: bool = False


_state = _State()


def install() -> None:
    """Take over both signals; one that whoever started us has ignored (``nohup``) stays ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)
    signal.signal(signal.SIGALRM, _on_alarm)


def _on_signal(number: int, _frame: object) -> None:
    if _state.received is not None:
        return
    _state.received = Exit.INTERRUPTED if number == signal.SIGINT else Exit.TERMINATED
    if _state.uploading:
        signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS)
    elif not _state.held:
        raise Interrupted(_state.received)


def _on_alarm(_number: int, _frame: object) -> None:
    if _state.uploading and _state.received is not None:
        raise Interrupted(_state.received)


def is_pending() -> bool:
    """Say whether a signal waits for the end of ``held``."""
    return _state.received is not None


@contextmanager
def held() -> Iterator[None]:
    """Hold signals back until the end of the block, which then raises ``Interrupted``, whatever else went wrong."""
    _state.held += 1
    try:
        yield
    finally:
        _state.held -= 1
        if not _state.held and _state.received is not None:
            raise Interrupted(_state.received)


@contextmanager
def uploading() -> Iterator[None]:
    """Within ``held``: let a signal break the block with ``Interrupted`` after a grace."""
    _state.uploading = True
    try:
        if _state.received is not None:
            raise Interrupted(_state.received)
        yield
    finally:
        _state.uploading = False
        signal.setitimer(signal.ITIMER_REAL, 0)
