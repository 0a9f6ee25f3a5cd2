"""What can go wrong with a send, before anything is taken and after everything was."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from pipeline.simulator.answers import coded
from pipeline.simulator.misbehaviour import Reset, Silence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pipeline.simulator.knobs import Knobs

_PAGE = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>200 OK</p></body></html>\n"


async def before_taking(request: Request, knobs: Knobs, *, as_json: bool = False) -> Response | None:
    """Return the fault that leaves nothing taken, if it is set."""
    match knobs.fault:
        case "html_200_nothing":
            return HTMLResponse(_PAGE)
        case "http_503_before_reading":
            return PlainTextResponse("503", 503)
        case "refuse_code":
            return coded(str(knobs.refuse_code), knobs, as_json=as_json)
        case "redirect_to":
            return RedirectResponse(str(knobs.redirect_to))
        case "reset_after_bytes":
            await _read_at_least(knobs.reset_after_bytes or 0, request, knobs)
            return Reset()
        case _:
            return None


async def _read_at_least(size: int, request: Request, knobs: Knobs) -> None:
    if not size:
        return
    try:
        async for piece in throttled(request, knobs):
            size -= len(piece)
            if size <= 0:
                return
    except ClientDisconnect:
        return


async def after_taking(knobs: Knobs) -> Response | None:
    """Return the fault that hides that everything was taken, if it is set; be slow if that is the fault."""
    match knobs.fault:
        case "html_200":
            return HTMLResponse(_PAGE)
        case "http_502_after_taking":
            return HTMLResponse("<html><body>Bad Gateway</body></html>\n", 502)
        case "accept_then_reset":
            return Reset()
        case "swallow":
            return Silence()
        case "slow_answer":
            await asyncio.sleep(knobs.slow_answer or 0)
            return None
        case _:
            return None


async def throttled(request: Request, knobs: Knobs) -> AsyncIterator[bytes]:
    """Yield the body in its pieces, no faster than the knob allows: the client finds its buffers full."""
    async for piece in request.stream():
        if knobs.throttle is not None:
            await asyncio.sleep(len(piece) / knobs.throttle)
        yield piece
