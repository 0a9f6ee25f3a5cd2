"""Several connections to the gateway, each with one request at a time: threads that carry bodies and bring exchanges.

They touch neither ledger nor disk. Until a courier sets out, a body can be called back, and then certainly not a byte
of it leaves.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from pipeline.adapters.gateway import Exchange
from schemas.single import Form

#: how long the end waits for couriers that are on their way
_JOIN_SECONDS = 1.0
NOT_SENT = "not sent"


class Line(Protocol):
    """A connection to the gateway."""

    def single(self, body: bytes, form: Form) -> Exchange:
        """Send one message."""

    def close(self) -> None:
        """Close the connection."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of a body: the exchange, or the failure for which it never left."""

    key: str
    exchange: Exchange
    failure: Exception | None = None


class Couriers:
    """So many connections, made when they are first needed."""

    def __init__(
        self, count: int, connect: Callable[[], Line], wait: Callable[[], None], stops: Callable[[Exchange], bool]
    ) -> None:
        """Prepare ``count`` couriers; each waits for its turn by ``wait`` before it sets out.

        An exchange that ``stops`` calls all others back, before anybody has looked at it.
        """
        self._bodies: queue.SimpleQueue[tuple[str, bytes, Form] | None] = queue.SimpleQueue()
        self._carried: queue.SimpleQueue[Carried] = queue.SimpleQueue()
        self._connect = connect
        self._wait = wait
        self._stops = stops
        self._setting_out = threading.Lock()
        self._called_back = False
        self._out: set[str] = set()
        # Daemons: a gateway that is silent for minutes must not hold up the end of the command.
        self._threads = [threading.Thread(target=self._carry, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def hand_over(self, key: str, body: bytes, form: Form) -> None:
        """Give a body of this form away; what becomes of it is brought back under its ``key``."""
        with self._setting_out:
            self._out.discard(key)
        self._bodies.put((key, body, form))

    def call_back(self) -> None:
        """Let nothing more set out: what has not is brought back as not sent."""
        with self._setting_out:
            self._called_back = True

    def has_set_out(self, key: str) -> bool:
        """Say of a body whether it has set out since it was handed over, also where it is back by now.

        After all were called back the answer does not change any more.
        """
        with self._setting_out:
            return key in self._out

    def go_on(self) -> None:
        """Let bodies set out again."""
        with self._setting_out:
            self._called_back = False

    def brought(self, seconds: float) -> list[Carried]:
        """Return all that came back, after waiting for the first of it at most so long."""
        found: list[Carried] = []
        try:
            found.append(self._carried.get(timeout=seconds))
            while True:
                found.append(self._carried.get_nowait())
        except queue.Empty:
            return found

    def dismiss(self) -> None:
        """End every courier; one that is still on its way ends with the process."""
        self.call_back()
        for _ in self._threads:
            self._bodies.put(None)
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)

    def _carry(self) -> None:
        line: Line | None = None
        while (handed := self._bodies.get()) is not None:
            key, body, form = handed
            exchange, failure = Exchange(0, None, b"", NOT_SENT), None
            try:
                if not self._called_back:
                    line = line or self._connect()
                    self._wait()
                with self._setting_out:
                    sets_out = line is not None and not self._called_back
                    if sets_out:
                        self._out.add(key)
                if sets_out and line is not None:
                    # Should anything unforeseen go wrong in there, something may have left.
                    exchange = Exchange(len(body), None, b"", "failed")
                    exchange = line.single(body, form)
                    if self._stops(exchange):
                        self.call_back()
            except Exception as error:  # noqa: BLE001 - brought back to whoever waits for this body
                failure = error
            self._carried.put(Carried(key, exchange, failure))
        if line is not None:
            line.close()


@contextmanager
def couriers(
    count: int, connect: Callable[[], Line], wait: Callable[[], None], stops: Callable[[Exchange], bool]
) -> Iterator[Couriers]:
    """Have couriers for a while."""
    found = Couriers(count, connect, wait, stops)
    try:
        yield found
    finally:
        found.dismiss()
