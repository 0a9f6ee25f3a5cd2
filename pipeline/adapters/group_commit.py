"""Group commit: what arrives while one transaction is written is committed together in the next one.

One thread writes; whoever waits is on the event loop, and goes on only when what it brought is durable, or has failed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from pipeline.errors import MediasmsError

Row = TypeVar("Row")

_MOST_IN_ONE = 1_000
_MOST_WAITING = 10_000


class TooManyWaitingError(Exception):
    """More rows wait than will be written soon; nothing of this one was kept."""


class GroupCommit(Generic[Row]):
    """Writes rows in groups with ``write``, which commits all of them or raises; for one event loop."""

    def __init__(self, write: Callable[[Sequence[Row]], None]) -> None:
        """Keep ``write``; it is called in a thread of its own."""
        self._write = write
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._changed = threading.Condition()
        self._closing = False
        # A thread that waits for a locked database must not keep the process: nobody waits for it any more.
        self._thread = threading.Thread(target=self._work, name="group-commit", daemon=True)

    def start(self) -> None:
        """Start to write; call it on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def commit(self, row: Row, patience: float) -> None:
        """Return when ``row`` is durable; raise what kept it from that, or ``TimeoutError`` after ``patience`` seconds.

        What was given up may still be written: then it is durable, and nobody was told.
        """
        if len(self._waiting) >= _MOST_WAITING:
            raise TooManyWaitingError
        future = self._loop.create_future()
        with self._changed:
            self._waiting.append((row, future))
            self._changed.notify()
        async with asyncio.timeout(patience):
            await future

    async def close(self, patience: float) -> None:
        """Write what still waits and end the thread, within ``patience`` seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join, patience)

    def _work(self) -> None:
        while group := self._next():
            rows = [row for row, _ in group]
            outcomes = self._outcomes(rows)
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                self._loop.call_soon_threadsafe(_tell, [future for _, future in group], outcomes)

    def _next(self) -> list[tuple[Row, asyncio.Future[None]]]:
        """Wait for rows and take them; without those whose sender has given up. Empty: it is over."""
        with self._changed:
            while True:
                taken, self._waiting = self._waiting[:_MOST_IN_ONE], self._waiting[_MOST_IN_ONE:]
                if group := [pair for pair in taken if not pair[1].cancelled()]:
                    return group
                if not self._waiting:
                    if self._closing:
                        return []
                    self._changed.wait()

    def _outcomes(self, rows: list[Row]) -> list[Exception | None]:
        """Write rows; return for each what kept it from being durable.

        What the ledger says of itself concerns all of them. Whatever else goes wrong may be one row's fault, and must
        not keep the others out: each is tried alone.
        """
        try:
            self._write(rows)
        except MediasmsError as error:
            return [error] * len(rows)
        except Exception as error:  # noqa: BLE001 - told to those who wait
            return [error] if len(rows) == 1 else [outcome for row in rows for outcome in self._outcomes([row])]
        return [None] * len(rows)


def _tell(futures: list[asyncio.Future[None]], outcomes: list[Exception | None]) -> None:
    for future, outcome in zip(futures, outcomes, strict=True):
        if future.done():
            continue
        if outcome is None:
            future.set_result(None)
        else:
            future.set_exception(outcome)
