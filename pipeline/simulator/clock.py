"""Virtual time, so that a retry after half an hour or a result after two days needs no waiting."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from pipeline.core.calendar import JST

_SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


class VirtualClock:
    """A clock that goes at the pace of the real one and jumps forward on request. Thread-safe.

    It never goes back, because what the gateway has shown in a result cannot be unseen.
    """

    def __init__(self, start: datetime | None = None, *, ticking: bool = True) -> None:
        """Set the clock to the aware ``start`` (default: now); one that is not ``ticking`` only jumps."""
        if start is not None and start.tzinfo is None:
            msg = "a clock starts at an aware time"
            raise ValueError(msg)
        self._start = (start or datetime.now(JST)).astimezone(JST)
        self._since = time.monotonic() if ticking else None
        self._lock = threading.Lock()
        self._watchers: list[Callable[[], None]] = []

    @property
    def is_ticking(self) -> bool:
        """Whether time passes by itself."""
        return self._since is not None

    def watch(self, jumped: Callable[[], None]) -> None:
        """Call ``jumped`` after every jump."""
        self._watchers.append(jumped)

    def unwatch(self, jumped: Callable[[], None]) -> None:
        """Call ``jumped`` no more."""
        self._watchers.remove(jumped)

    def now(self) -> datetime:
        """Return the time in JST, aware, to the microsecond."""
        with self._lock:
            elapsed = 0.0 if self._since is None else time.monotonic() - self._since
            return self._start + timedelta(seconds=elapsed)

    def advance(self, by: timedelta) -> None:
        """Jump forward; raise ``ValueError`` for a jump back."""
        if by < timedelta(0):
            msg = "time only goes forward"
            raise ValueError(msg)
        with self._lock:
            self._start += by
        for jumped in tuple(self._watchers):
            jumped()


def parse_span(text: str) -> timedelta:
    """Read a span such as ``72h`` or ``1d12h``; raise ``ValueError`` for anything else."""
    found = _SPAN.fullmatch(text)
    if not text or found is None:
        msg = "a span of time is written like 90s, 30m, 72h or 1d12h"
        raise ValueError(msg)
    days, hours, minutes, seconds = (int(number or 0) for number in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def parse_moment(text: str, form: str) -> datetime | None:
    """Read a time in JST, None for what does not have exactly the form."""
    try:
        moment = datetime.strptime(text, form).replace(tzinfo=JST)
    except ValueError:
        return None
    # strptime forgives missing zeros and blanks; the gateway does not.
    return moment if moment.strftime(form) == text else None
