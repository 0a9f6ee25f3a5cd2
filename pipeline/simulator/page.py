"""The owner's page: what was received, and the knobs, for a browser. Nothing in it comes from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import fields
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from pipeline.core.msisdn import mask
from pipeline.messages import Language, label
from pipeline.simulator.clock import parse_span
from pipeline.simulator.knobs import GROUPS, Knobs
from pipeline.simulator.trying import lines

if TYPE_CHECKING:
    from starlette.requests import Request

    from pipeline.simulator.state import GatewayState
    from pipeline.simulator.store import Found

_MESSAGES = 100
_ATTEMPTS = 50
_FORM_BYTES = 1 << 20


class _Row(NamedTuple):
    """A message on the page."""

    registered_at: datetime
    interface: str
    smsid: str
    number: str
    text: str
    carrier: str
    status: str


class _Knob(NamedTuple):
    """A knob on the page: ``kind`` is that of its field."""

    name: str
    kind: str
    value: str
    is_on: bool
    is_changed: bool


async def show(request: Request, state: GatewayState) -> Response:
    """Answer the page in the language the browser asks for; numbers masked unless ``?numbers=whole``."""
    language = preferred(request.headers.get("accept-language", ""))
    is_whole = request.query_params.get("numbers") == "whole"
    username, password = state.credentials
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    html = _template().render(
        lang=language.value,
        style=Markup(style),  # noqa: S704 - our own file, without a value in it
        say=lambda code, **facts: label(f"gateway.{code}", language, **facts),
        title=state.profile.title,
        now=state.clock.now(),
        username=username,
        taken=len(state.store),
        requests=sorted(state.requests.items()),
        rows=[_row(found, state, is_whole=is_whole) for found in state.store.latest(_MESSAGES)],
        is_whole=is_whole,
        attempts=list(state.notifications.log)[: -_ATTEMPTS - 1 : -1],
        groups={group: [_knob(name, state.knobs) for name in names] for group, names in GROUPS.items()},
        lines=lines(state.profile, _base_url(request), username, state.clock.now(), password=password),
    )
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(
        html,
        headers={
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "Vary": "Accept-Language",
        },
    )


async def turn(request: Request, state: GatewayState) -> Response:
    """Do what a form of the page asks, and show the page again; HTTP 400 says what is wrong."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _FORM_BYTES:
            return PlainTextResponse("too long\n", 400)
    values = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        if "advance" in values:
            state.clock.advance(parse_span(values["advance"].strip()))
        elif "reset" in values:
            state.knobs = Knobs()
        else:
            state.knobs = Knobs.from_form(values)
    except (ValueError, OverflowError) as error:
        return PlainTextResponse(f"{error}\n", 400)
    return RedirectResponse("/", 303)


def preferred(header: str) -> Language:
    """Return the language of an ``Accept-Language`` header that weighs most; English when it names neither."""
    weighed: list[tuple[float, int, Language]] = []
    for place, part in enumerate(header.split(",")):
        tag, _, quality = part.partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            weight = 0.0
        name = tag.strip().lower().partition("-")[0]
        if name in tuple(Language):
            weighed.append((weight, -place, Language(name)))
    return max(weighed)[2] if weighed else Language.EN


def _base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers['host']}"


def _row(found: Found, state: GatewayState, *, is_whole: bool) -> _Row:
    registration, message = found
    last = state.fates.until(message, registration.registered_at, state.clock.now())[-1]
    return _Row(
        registration.registered_at,
        registration.csvid or state.profile.endpoints.send_single.url,
        message.smsid,
        message.digits if is_whole else mask(message.digits),
        message.text,
        state.teller.carrier(message.digits),
        last.event.label,
    )


def _knob(name: str, knobs: Knobs) -> _Knob:
    kind = next(str(knob.type) for knob in fields(Knobs) if knob.name == name)
    value = getattr(knobs, name)
    text = "\n".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return _Knob(name, kind, text, value is True, value != getattr(_DEFAULT, name))


_DEFAULT = Knobs()


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("pipeline.simulator", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clock"] = _clock
    return environment.get_template("page.html.j2")


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


@cache
def _style() -> str:
    return resources.files("pipeline.simulator").joinpath("page.css").read_text(encoding="utf-8")
