"""What the owner of the embedded gateway reads and turns under ``/_/``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from pipeline.simulator.clock import parse_span
from pipeline.simulator.knobs import Knobs

if TYPE_CHECKING:
    from starlette.requests import Request

    from pipeline.simulator.state import GatewayState

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
_TEMPLATE_DIGITS = 9


def stranger(request: Request) -> Response | None:
    """Refuse what only a page of someone else would send, None for the owner.

    A page from elsewhere can make a browser on this machine post here (its Origin tells), or reach us under a
    name of its own that leads to loopback (the Host tells).
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    try:
        is_ours = urlsplit(f"//{host}").hostname in _LOOPBACK_NAMES
        is_ours = is_ours and (origin is None or urlsplit(origin).netloc == host)
    except ValueError:
        is_ours = False
    return None if is_ours else PlainTextResponse("only from this machine, and from no other page\n", 403)


async def read_clock(_request: Request, state: GatewayState) -> Response:
    """Answer the virtual time."""
    return JSONResponse({"now": state.clock.now().isoformat()})


async def advance_clock(request: Request, state: GatewayState) -> Response:
    """Jump forward by the query parameter ``advance``, answer the new time; HTTP 400 when it is no span."""
    try:
        state.clock.advance(parse_span(request.query_params.get("advance", "")))
    except (ValueError, OverflowError) as error:
        return PlainTextResponse(f"{error}\n", 400)
    return await read_clock(request, state)


async def read_messages(_request: Request, state: GatewayState) -> Response:
    """Answer what was taken as JSON lines with the fields of ``Message``; parameters as an object."""

    def lines() -> Iterator[str]:
        for message in state.messages():
            values = asdict(message) | {
                "registered_at": message.registered_at.isoformat(),
                "parameters": dict(message.parameters),
            }
            yield json.dumps(values, ensure_ascii=False) + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


async def read_notifications(_request: Request, state: GatewayState) -> Response:
    """Answer the latest attempts to notify as JSON lines, the oldest first."""
    lines = [
        json.dumps(asdict(one) | {"at": one.at.isoformat()}, ensure_ascii=False) + "\n"
        for one in tuple(state.notifications.log)
    ]
    return Response("".join(lines), media_type="application/x-ndjson")


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


async def read_templates(_request: Request, state: GatewayState) -> Response:
    """Answer the registered templates as a JSON object of texts by number; null while every number has one."""
    return JSONResponse(state.desk.templates)


async def set_templates(request: Request, state: GatewayState) -> Response:
    """Register exactly the templates of the JSON object sent; null goes back to one for every number."""
    try:
        state.desk.templates = _templates(await request.json())
    except ValueError as error:
        return PlainTextResponse(f"{error}\n", 400)
    return await read_templates(request, state)


def _templates(values: object) -> dict[str, str] | None:
    if values is None:
        return None
    if not isinstance(values, dict) or not all(
        number.isascii() and number.isdigit() and len(number) < _TEMPLATE_DIGITS and isinstance(text, str)
        for number, text in values.items()
    ):
        msg = 'templates are a JSON object of texts by number, like {"12": "…"}'
        raise ValueError(msg)
    return values
