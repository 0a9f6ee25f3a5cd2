"""Who may come in: credentials, the block after too many failures, the rate."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request

UNAUTHORIZED = "401"
URL_TOO_LONG = "414"
TOO_MANY = "503"
BLOCKED = "555"

_SECOND = 1.0


class Access:
    """The gate in front of every interface. Counts per source address; used by the server's thread alone."""

    def __init__(self, username: str, password: str, *, lockout_answers: int, per_second: int, get_bytes: int) -> None:
        """Let ``username`` in; block an address after ``lockout_answers`` consecutive failures."""
        self._expected = (username, password)
        self._lockout_answers = lockout_answers
        self._per_second = per_second
        self._get_bytes = get_bytes
        self._failures: dict[str, int] = defaultdict(int)
        self._arrivals: dict[str, deque[float]] = defaultdict(deque)

    def refusal(self, request: Request, *, enforce_rate: bool) -> str | None:
        """Return the code that keeps the request out, or None.

        A blocked address stays blocked: nothing it sends is looked at, so nothing can succeed.
        """
        address = request.client.host if request.client else ""
        if self._failures[address] >= self._lockout_answers:
            return BLOCKED
        if enforce_rate and self._is_too_fast(address):
            return TOO_MANY
        if request.method == "GET" and _target_bytes(request) > self._get_bytes:
            return URL_TOO_LONG
        if not self._knows(_credentials(request)):
            self._failures[address] += 1
            return UNAUTHORIZED
        self._failures[address] = 0
        return None

    def _knows(self, given: tuple[str, str]) -> bool:
        # Both are compared in constant time, and both always.
        right = [
            hmac.compare_digest(one.encode(), other.encode()) for one, other in zip(given, self._expected, strict=True)
        ]
        return all(right)

    def _is_too_fast(self, address: str) -> bool:
        arrivals, now = self._arrivals[address], time.monotonic()
        while arrivals and arrivals[0] <= now - _SECOND:
            arrivals.popleft()
        arrivals.append(now)
        return len(arrivals) > self._per_second


def _target_bytes(request: Request) -> int:
    path, query = request.scope["raw_path"], request.scope["query_string"]
    return len(path) + (len(query) + 1 if query else 0)


def _credentials(request: Request) -> tuple[str, str]:
    """Return user name and password from the header, else from the query, as S allows; empty when bad."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return request.query_params.get("username", ""), request.query_params.get("password", "")
    try:
        username, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (username, password) if scheme.lower() == "basic" else ("", "")
