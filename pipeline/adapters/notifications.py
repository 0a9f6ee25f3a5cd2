"""The endpoint for result notifications: 200 only when the observation is durable; everything else is asked again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPMethod, HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from pipeline.adapters.group_commit import GroupCommit, TooManyWaitingError
from pipeline.adapters.notification_bodies import BodyUnusableError, Fields, read_fields
from pipeline.adapters.senders import Address, Credentials, Sources
from pipeline.model import Observation
from schemas.notification import NotificationUnusableError

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

HEALTH = "/healthz"
#: how long a body may take to arrive, and an observation to become durable; a gateway gives up later than that
_BODY_SECONDS = 30.0
_COMMIT_SECONDS = 10.0
_HEALTH_SECONDS = 5.0
_CLOSING_SECONDS = 10.0
_METHODS = "GET, POST"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for the access log: never its query, and of its path only which of ours it was ("?": none)."""

    source: str
    method: str
    path: str
    status: int
    reason: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where notifications are taken, from whom, how large, and how they are read."""

    path: str
    sources: Sources
    credentials: Credentials
    body_limit: int
    encoding: str
    answer: str
    read: Callable[[Fields], Observation]


@dataclass(frozen=True, slots=True)
class Recorder:
    """What the endpoint does with what it took.

    ``write`` commits observations or raises; ``check`` raises when the ledger cannot be read; both block. ``visited``
    is told of every request.
    """

    write: Callable[[Sequence[Observation]], None]
    check: Callable[[], None]
    visited: Callable[[Visit], None]


class _RefusedError(Exception):
    """An answer that ends a request early; ``reason`` is for the log alone."""

    def __init__(self, status: HTTPStatus, reason: str, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers or {}
        super().__init__(reason)


class Application:
    """The endpoint as an ASGI application; ``start`` and ``close`` belong to the loop that serves it."""

    def __init__(self, endpoint: Endpoint, recorder: Recorder) -> None:
        """Keep what it serves; nothing runs yet."""
        self._endpoint = endpoint
        self._recorder = recorder
        self._commits = GroupCommit[Observation](recorder.write)

    def start(self) -> None:
        """Start the thread that writes."""
        self._commits.start()

    async def close(self) -> None:
        """Write what still waits."""
        await self._commits.close(_CLOSING_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request and note that it was there."""
        began = time.perf_counter()
        request = Request(scope, receive)
        reason = ""
        try:
            response = await self._answer(request)
        except _RefusedError as refused:
            reason = refused.reason
            # No detail: who has no business here learns nothing, and who has finds it in our log.
            response = PlainTextResponse(refused.status.phrase, refused.status, refused.headers)
        except Exception as error:  # noqa: BLE001 - a bug; its text may hold a number
            reason = type(error).__name__
            response = PlainTextResponse("Internal Server Error", HTTPStatus.INTERNAL_SERVER_ERROR)
        path = _path(request)
        self._recorder.visited(
            Visit(
                source=str(self._source(request) or "?"),
                method=request.method if request.method in HTTPMethod.__members__ else "?",
                path=path if path in {self._endpoint.path, HEALTH} else "?",
                status=response.status_code,
                reason=reason,
                milliseconds=(time.perf_counter() - began) * 1000,
            )
        )
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = _path(request)
        if path == HEALTH:
            return await self._health()
        if path != self._endpoint.path:
            raise _RefusedError(HTTPStatus.NOT_FOUND, "path")
        if not self._endpoint.sources.allows(self._source(request)):
            raise _RefusedError(HTTPStatus.FORBIDDEN, "source")
        if not self._endpoint.credentials.are_in(request.headers.get("authorization", "")):
            realm = {"WWW-Authenticate": 'Basic realm="mediasms"'}
            raise _RefusedError(HTTPStatus.UNAUTHORIZED, "credentials", realm)
        if request.method not in _METHODS.split(", "):
            raise _RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "method", {"Allow": _METHODS})
        await self._record(await self._observation(request))
        return PlainTextResponse(self._endpoint.answer)

    def _source(self, request: Request) -> Address | None:
        peer = request.client.host if request.client else ""
        return self._endpoint.sources.source(peer, request.headers.getlist("x-forwarded-for"))

    async def _health(self) -> Response:
        try:
            async with asyncio.timeout(_HEALTH_SECONDS):
                await asyncio.to_thread(self._recorder.check)
        except Exception as error:  # noqa: BLE001 - whatever it is, the ledger cannot be read
            raise _RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, _code(error)) from None
        return PlainTextResponse("OK")

    async def _observation(self, request: Request) -> Observation:
        body = await self._body(request)
        query: bytes = request.scope["query_string"]
        content_type = request.headers.get("content-type", "")
        try:
            fields = read_fields(query, content_type, body, self._endpoint.encoding)
            return self._endpoint.read(fields)
        except BodyUnusableError as unusable:
            raise _RefusedError(HTTPStatus(unusable.status), unusable.reason) from None
        except NotificationUnusableError as unusable:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, unusable.reason) from None

    async def _body(self, request: Request) -> bytes:
        """Read the body; no more of it than allowed, however it comes."""
        limit = self._endpoint.body_limit
        announced = request.headers.get("content-length", "")
        body = bytearray()
        if not announced.isdecimal() or int(announced) <= limit:
            try:
                async with asyncio.timeout(_BODY_SECONDS):
                    async for piece in request.stream():
                        body += piece
                        if len(body) > limit:
                            break
                    else:
                        return bytes(body)
            except TimeoutError:
                raise _RefusedError(HTTPStatus.REQUEST_TIMEOUT, "body.slow") from None
            except ClientDisconnect:
                raise _RefusedError(HTTPStatus.BAD_REQUEST, "body.cut_off") from None
        raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body.too_large")

    async def _record(self, observation: Observation) -> None:
        try:
            await self._commits.commit(observation, _COMMIT_SECONDS)
        except TimeoutError:
            raise _RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "ledger.slow") from None
        except TooManyWaitingError:
            raise _RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "ledger.behind") from None
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing is durable: the gateway repeats
            raise _RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, _code(error)) from None


def _path(request: Request) -> str:
    """Return the path; not by way of ``request.url``, which any strange ``Host`` would break."""
    found: str = request.scope["path"]
    return found


def _code(error: Exception) -> str:
    """Return what failed without its text, in which a number could stand."""
    return getattr(error, "code", None) or type(error).__name__
