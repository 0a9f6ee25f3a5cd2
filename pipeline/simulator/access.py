"""Who may come in: credentials, the block after too many failures, the rate."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from pipeline.simulator.answers import BLOCKED, TOO_MANY, UNAUTHORIZED, URL_TOO_LONG

if TYPE_CHECKING:
    from starlette.requests import Request

    from pipeline.simulator.parameters import Parameters

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

    def turned_away(self, request: Request, *, enforce_rate: bool) -> str | None:
        """Return the code for a request that is not looked at, or None: blocked, too fast, too long.

        A blocked address stays blocked: nothing it sends is looked at, so nothing can succeed.
        """
        address = _address(request)
        if self._failures[address] >= self._lockout_answers:
            return BLOCKED
        if enforce_rate and self._is_too_fast(address):
            return TOO_MANY
        return URL_TOO_LONG if request.method == "GET" and _target_bytes(request) > self._get_bytes else None

    def unknown(self, request: Request, parameters: Parameters) -> str | None:
        """Return the code for a stranger, None for the account's owner, and count in a row."""
        if not self._knows(_credentials(request, parameters)):
            self._failures[_address(request)] += 1
            return UNAUTHORIZED
        self._failures[_address(request)] = 0
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


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _target_bytes(request: Request) -> int:
    path, query = request.scope["raw_path"], request.scope["query_string"]
    return len(path) + (len(query) + 1 if query else 0)


def _credentials(request: Request, parameters: Parameters) -> tuple[str, str]:
    """Return user name and password from the header, else from the parameters, as S allows; empty when bad."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return parameters["username"], parameters["password"]
    try:
        username, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (username, password) if scheme.lower() == "basic" else ("", "")
