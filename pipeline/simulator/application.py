"""The interfaces of the embedded gateway, on the paths its profile names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route

from pipeline.simulator import owner, page
from pipeline.simulator.answers import UNAUTHORIZED, coded
from pipeline.simulator.asking import cancel, result_single, results_csv
from pipeline.simulator.faults import throttled
from pipeline.simulator.misbehaviour import Silence
from pipeline.simulator.parameters import Parameters, from_query, from_request
from pipeline.simulator.sending import send_csv
from pipeline.simulator.single import send_single

if TYPE_CHECKING:
    from starlette.responses import Response

    from pipeline.simulator.knobs import Knobs
    from pipeline.simulator.state import GatewayState
    from schemas.profile import Endpoint

Interface = Callable[[Request, "GatewayState", Parameters], Awaitable["Response"]]
OwnersPlace = Callable[[Request, "GatewayState"], Awaitable["Response"]]


def application(state: GatewayState) -> Starlette:
    """Return the ASGI application: the gateway's interfaces behind its gate, ``/`` and ``/_/`` for its owner.

    The owner is asked for no credentials: the server listens on loopback alone.
    """
    endpoints = state.profile.endpoints
    app = Starlette(
        routes=[
            # An upload is read as it comes, so its parameters are those of the query.
            _interface(endpoints.send_csv, send_csv, state, reads_body=False),
            _interface(endpoints.send_single, send_single, state),
            _interface(endpoints.results_csv, results_csv, state),
            _interface(endpoints.result_single, result_single, state),
            _interface(endpoints.cancel, cancel, state),
            _owners("/", "GET", page.show, state),
            _owners("/", "POST", page.turn, state),
            _owners("/_/clock", "GET", owner.read_clock, state),
            _owners("/_/clock", "POST", owner.advance_clock, state),
            _owners("/_/messages", "GET", owner.read_messages, state),
            _owners("/_/notifications", "GET", owner.read_notifications, state),
            _owners("/_/knobs", "GET", owner.read_knobs, state),
            _owners("/_/knobs", "POST", owner.turn_knobs, state),
            _owners("/_/templates", "GET", owner.read_templates, state),
            _owners("/_/templates", "POST", owner.set_templates, state),
        ]
    )
    # A redirect to the path with a slash would be an answer of ours, not of the gateway.
    app.router.redirect_slashes = False
    return app


def _interface(endpoint: Endpoint, interface: Interface, state: GatewayState, *, reads_body: bool = True) -> Route:
    path = urlsplit(endpoint.url).path or "/"

    async def dated(request: Request) -> Response:
        state.requests[path] += 1
        response = await gated(request, state.knobs)
        if state.knobs.answer_date:
            now = state.clock.now().astimezone(UTC)
            response.headers["date"] = format_datetime(now, usegmt=True)
        return response

    async def gated(request: Request, knobs: Knobs) -> Response:
        refusal = state.access.turned_away(request, enforce_rate=knobs.enforce_rate)
        if refusal is not None:
            return coded(refusal, knobs)
        try:
            parameters = await from_request(request, throttled(request, knobs)) if reads_body else from_query(request)
        except ClientDisconnect:
            return Silence()
        refusal = state.access.unknown(request, parameters)
        if refusal is not None:
            return coded(refusal, knobs, as_json=parameters.as_json, http_status=int(UNAUTHORIZED))
        return await interface(request, state, parameters)

    # Every method is let through: the gateway answers a wrong one with a code of its own.
    return Route(path, dated, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])


def _owners(path: str, method: str, place: OwnersPlace, state: GatewayState) -> Route:
    async def endpoint(request: Request) -> Response:
        return owner.stranger(request) or await place(request, state)

    return Route(path, endpoint, methods=[method])
