"""The interfaces of the embedded gateway, on the paths its profile names."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from pipeline.core.calendar import JST
from pipeline.simulator.access import UNAUTHORIZED
from pipeline.simulator.clock import parse_span
from pipeline.simulator.knobs import Knobs
from pipeline.simulator.sending import ENCODING_DISABLED, METHOD_NOT_ALLOWED, coded, send_csv
from pipeline.simulator.state import GatewayState

if TYPE_CHECKING:
    from schemas.profile import Endpoint

PERIOD_INVALID = "562"

Interface = Callable[[Request, GatewayState], Awaitable[Response]]


def application(state: GatewayState) -> Starlette:
    """Return the ASGI application: the gateway's interfaces behind its gate, and ``/_/`` for its owner.

    ``/_/`` asks for no credentials: the server listens on loopback alone.
    """
    endpoints = state.profile.endpoints
    app = Starlette(
        routes=[
            _interface(endpoints.send_csv, send_csv, state),
            _interface(endpoints.results_csv, results_csv, state),
            Route("/_/clock", _with(state, read_clock), methods=["GET"]),
            Route("/_/clock", _with(state, advance_clock), methods=["POST"]),
            Route("/_/messages", _with(state, read_messages), methods=["GET"]),
            Route("/_/knobs", _with(state, read_knobs), methods=["GET"]),
            Route("/_/knobs", _with(state, turn_knobs), methods=["POST"]),
        ]
    )
    # A redirect to the path with a slash would be an answer of ours, not of the gateway.
    app.router.redirect_slashes = False
    return app


def _interface(endpoint: Endpoint, interface: Interface, state: GatewayState) -> Route:
    path = urlsplit(endpoint.url).path or "/"

    async def gated(request: Request) -> Response:
        state.requests[path] += 1
        knobs = state.knobs
        refusal = state.access.refusal(request, enforce_rate=knobs.enforce_rate)
        if refusal is not None:
            return coded(refusal, knobs, http_status=401 if refusal == UNAUTHORIZED else 200)
        return await interface(request, state)

    # Every method is let through: the gateway answers a wrong one with a code of its own.
    return Route(path, gated, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])


def _with(state: GatewayState, interface: Interface) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await interface(request, state)

    return endpoint


async def results_csv(request: Request, state: GatewayState) -> Response:
    """Answer the result rows of a period, or a bare code."""
    form, query, knobs = state.profile.results, request.query_params, state.knobs
    if request.method != "GET":
        return coded(METHOD_NOT_ALLOWED, knobs)
    start = _moment(query.get(form.start_parameter.value, ""), form.time_format.value)
    end = _moment(query.get(form.end_parameter.value, ""), form.time_format.value)
    if start is None or end is None or end < start:
        return coded(PERIOD_INVALID, knobs)
    upload = state.profile.upload
    encodings = {upload.encode_utf8.value: "utf-8", upload.encode_cp932.value: "cp932"}
    encoding = encodings.get(query.get(form.encode_parameter.value, upload.encode_utf8.value))
    if encoding is None:
        return coded(ENCODING_DISABLED, knobs)
    pieces = state.results.pieces(start, end, state.clock.now(), knobs)
    return StreamingResponse((piece.encode(encoding, "replace") for piece in pieces), media_type="text/csv")


def _moment(text: str, form: str) -> datetime | None:
    try:
        moment = datetime.strptime(text, form).replace(tzinfo=JST)
    except ValueError:
        return None
    # strptime forgives missing zeros and blanks; the gateway does not.
    return moment if moment.strftime(form) == text else None


async def read_clock(_request: Request, state: GatewayState) -> Response:
    """Answer the virtual time."""
    return JSONResponse({"now": state.clock.now().isoformat()})


async def advance_clock(request: Request, state: GatewayState) -> Response:
    """Jump forward by the query parameter ``advance``, answer the new time; HTTP 400 when it is no span."""
    try:
        state.clock.advance(parse_span(request.query_params.get("advance", "")))
    except ValueError as error:
        return PlainTextResponse(f"{error}\n", 400)
    return await read_clock(request, state)


async def read_messages(_request: Request, state: GatewayState) -> Response:
    """Answer what was taken as JSON lines with the fields of ``Message``."""

    def lines() -> Iterator[str]:
        for message in state.messages():
            values = asdict(message) | {"registered_at": message.registered_at.isoformat()}
            yield json.dumps(values, ensure_ascii=False) + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


async def read_knobs(_request: Request, state: GatewayState) -> Response:
    """Answer all knobs as a JSON object."""
    return JSONResponse(state.knobs.as_json())


async def turn_knobs(request: Request, state: GatewayState) -> Response:
    """Replace all knobs by the JSON object sent; HTTP 400 says what is wrong with it.

    Knobs it does not name go to their default: what is set is what was sent.
    """
    try:
        state.knobs = Knobs.from_json(await request.json())
    except ValueError as error:
        return PlainTextResponse(f"{error}\n", 400)
    return await read_knobs(request, state)
