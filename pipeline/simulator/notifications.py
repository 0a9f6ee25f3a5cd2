"""Result notifications: the gateway calls its customer, again and again until it is answered."""

from __future__ import annotations

import base64
import contextlib
import heapq
import http.client
import json
import socket
import threading
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.simulator.clock import VirtualClock
    from pipeline.simulator.fates import Fates, Happening
    from pipeline.simulator.knobs import Knobs
    from pipeline.simulator.store import Taken

_SECONDS = 10.0
_ANSWER_BYTES = 65_536
_ACCEPTED = 200
# Each holds its message in memory; more are not followed.
_MOST = 100_000
_LOG = 1_000


@dataclass(frozen=True, slots=True)
class Notification:
    """One attempt to notify: ``answer`` is the HTTP status, None where there was none."""

    at: datetime
    smsid: str
    label: str
    attempt: int
    answer: int | None


@dataclass(frozen=True, slots=True)
class _Followed:
    """A message with results to come: those after ``since`` have not been told; ``attempt`` counts from 1."""

    message: Taken
    registered_at: datetime
    since: datetime
    attempt: int = 1


class Notifications:
    """Follows messages on a thread of its own and tells their results to the address that the knobs name."""

    def __init__(
        self,
        fates: Fates,
        clock: VirtualClock,
        credentials: tuple[str, str],
        knobs: Callable[[], Knobs],
        shown: Callable[[str, Knobs], str],
    ) -> None:
        """Follow nothing yet; ``shown`` writes a status label as the account has them."""
        self.log: deque[Notification] = deque(maxlen=_LOG)
        self._fates = fates
        self._clock = clock
        self._basic = "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
        self._knobs = knobs
        self._shown = shown
        self._changed = threading.Condition()
        self._heap: list[tuple[datetime, int, _Followed]] = []
        self._order = count()
        self._is_busy = self._is_stale = self._is_stopped = False
        self._connection: http.client.HTTPConnection | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to notify."""
        self._is_stopped = False
        self._clock.watch(self._wake)
        self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, also in the middle of an attempt."""
        self._clock.unwatch(self._wake)
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
            connection = self._connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        if self._thread is not None:
            self._thread.join()
        self._thread = None

    def follow(self, message: Taken, registered_at: datetime) -> None:
        """Tell what happens to ``message`` from now on."""
        before = registered_at - timedelta(seconds=1)
        with self._changed:
            if len(self._heap) < _MOST:
                self._push(_Followed(message, registered_at, before))
                self._changed.notify_all()

    def reconsider(self) -> None:
        """Look again at what will happen to all messages: one was cancelled."""
        with self._changed:
            self._is_stale = True
            self._changed.notify_all()

    def settled(self, seconds: float) -> bool:
        """Wait until everything that is due was told or given up; False when that takes longer."""
        with self._changed:
            return self._changed.wait_for(self._is_settled, seconds)

    def _is_settled(self) -> bool:
        return not (self._is_busy or self._is_stale or (self._heap and self._heap[0][0] <= self._clock.now()))

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _push(self, followed: _Followed, retry_at: datetime | None = None) -> None:
        following = self._next(followed)
        if following is not None:
            heapq.heappush(self._heap, (retry_at or following.at, next(self._order), followed))

    def _next(self, followed: _Followed) -> Happening | None:
        happenings = self._fates.all(followed.message, followed.registered_at)
        return next((one for one in happenings if one.at > followed.since), None)

    def _run(self) -> None:
        while (found := self._take()) is not None:
            at, followed = found
            happening = self._next(followed)
            if happening is not None and happening.at <= self._clock.now():
                retry_at, followed = self._tell(at, followed, happening)
            else:
                retry_at = None
            with self._changed:
                self._push(followed, retry_at)
                self._is_busy = False
                self._changed.notify_all()

    def _take(self) -> tuple[datetime, _Followed] | None:
        """Wait for the next message that something has happened to; None at the end."""
        with self._changed:
            while not self._is_stopped:
                if self._is_stale:
                    self._reorder()
                now = self._clock.now()
                if self._heap and self._heap[0][0] <= now:
                    at, _, followed = heapq.heappop(self._heap)
                    self._is_busy = True
                    return at, followed
                is_coming = self._heap and self._clock.is_ticking
                self._changed.wait((self._heap[0][0] - now).total_seconds() if is_coming else None)
            return None

    def _reorder(self) -> None:
        followed, self._heap, self._is_stale = self._heap, [], False
        for at, _, one in followed:
            self._push(one, at if one.attempt > 1 else None)
        self._changed.notify_all()

    def _tell(self, at: datetime, followed: _Followed, happening: Happening) -> tuple[datetime | None, _Followed]:
        """Notify once; return when to try again (None: as things happen) and what is still to be told."""
        knobs = self._knobs()
        told = replace(followed, since=happening.at, attempt=1)
        if knobs.notify_url is None:
            return None, told
        fields = self._fields(followed.message, happening, knobs)
        answer = self._send(knobs.notify_url, fields, knobs)
        label = happening.event.label
        self.log.append(Notification(self._clock.now(), followed.message.smsid, label, followed.attempt, answer))
        if answer == _ACCEPTED:
            if knobs.notify_twice:
                self._send(knobs.notify_url, fields, knobs)
            return None, told
        if followed.attempt >= knobs.notify_attempts:
            return None, told
        again = replace(followed, attempt=followed.attempt + 1)
        return max(at, happening.at) + timedelta(seconds=knobs.notify_interval), again

    def _fields(self, message: Taken, happening: Happening, knobs: Knobs) -> dict[str, str]:
        sent = dict(message.parameters)
        event = happening.event
        told = {
            "mobilenumber": message.digits,
            "smsid": message.smsid,
            "status": self._shown(event.label, knobs),
            "smstext": message.text,
            "clicks": str(event.clicks),
            **dict.fromkeys(("clicks2", "clicks3", "clicks4"), "0"),
        }
        links = ("originalurl", "originalurl2", "originalurl3", "originalurl4")
        told |= {name: sent[name] for name in (*links, "type") if sent.get(name)}
        # With the option everything that was sent comes back under its name; what is ours to say is said by us.
        return {**sent, **told} if knobs.notify_keep_parameters else told

    def _send(self, url: str, fields: dict[str, str], knobs: Knobs) -> int | None:
        """Send one request and return the HTTP status; a redirect is not followed."""
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers, body = {"Authorization": self._basic}, None
        if knobs.notify_method == "GET":
            target += ("&" if parts.query else "?") + urlencode(fields)
        elif knobs.notify_format == "json":
            headers["Content-Type"] = "application/json; charset=utf-8"
            body = json.dumps(fields, ensure_ascii=False).encode()
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(fields).encode()
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS)
        with self._changed:
            self._connection = connection
        try:
            connection.request(knobs.notify_method, target, body, headers)
            answer = connection.getresponse()
            answer.read(_ANSWER_BYTES)
        except (OSError, ValueError, http.client.HTTPException):
            return None
        else:
            return answer.status
        finally:
            connection.close()
            with self._changed:
                self._connection = None
