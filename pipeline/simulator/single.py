"""The individual send: one message a request, from a form, a query or JSON."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from starlette.responses import Response

from pipeline.simulator.answers import (
    CHECK_DISABLED,
    CHECK_NOT_ENABLED,
    INVALID_NUMBER,
    INVALID_REGISTRATION_DATE,
    INVALID_SMSID,
    INVALID_TEMPLATE,
    INVALID_TEXT,
    INVALID_TIME,
    METHOD_NOT_ALLOWED,
    OVER_LIMIT,
    REPEATED_SMSID,
    TAKEN,
    coded,
)
from pipeline.simulator.clock import parse_moment
from pipeline.simulator.desk import INFO_FIELDS, URL_FIELDS, Composed
from pipeline.simulator.desk import OVER_LIMIT as FAILED_OVER_LIMIT
from pipeline.simulator.faults import after_taking, before_taking
from pipeline.simulator.intake import echo_limit, echoed
from pipeline.simulator.numbers import accepted_digits
from pipeline.simulator.store import Batch, Taken
from schemas.parameters import allows, parameters_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from pipeline.simulator.knobs import Knobs
    from pipeline.simulator.parameters import Parameters
    from pipeline.simulator.state import GatewayState

_MINUTE, _DAY = "%Y%m%d%H%M", "%Y%m%d"
_CREDENTIALS = ("username", "password")
_CHECKS = ("check", "checksms")
# Judged by rules of their own: they depend on options or on each other.
_APART = ("mobilenumber", "smstext", "smstextid", "senddatetime", "registrationdate")
_PLAIN = tuple(parameter for parameter in parameters_of("send_single") if parameter.name not in _APART)
#: what results call a parameter whose name is another there
_RESULT_FIELDS = {"title": "smstitle"}


async def send_single(request: Request, state: GatewayState, parameters: Parameters) -> Response:
    """Take one message, or answer the code of the first parameter that is outside its limits."""
    if request.method not in {"GET", "POST"}:
        return coded(METHOD_NOT_ALLOWED, state.knobs)
    knobs, as_json = state.knobs_for_a_send(), parameters.as_json
    fault = await before_taking(request, knobs, as_json=as_json)
    if fault is not None:
        return fault
    now = state.clock.now()
    judged = parameters.problem or _judge(parameters, state, knobs, now)
    if isinstance(judged, str):
        return coded(judged, knobs, as_json=as_json)
    batch = Batch()
    batch.add(judged)
    registration = state.store.register(batch, now, csv=False)
    if parameters["status"] == "1":
        state.notifications.follow(judged, registration.registered_at)
    fault = await after_taking(knobs)
    if fault is not None:
        return fault
    return Response() if knobs.answer_empty else coded(TAKEN, knobs, as_json=as_json)


def _judge(parameters: Parameters, state: GatewayState, knobs: Knobs, now: datetime) -> Taken | str:
    """Return the message, or the code that refuses it."""
    desk, number = state.desk, parameters["mobilenumber"]
    is_digits = number.isascii() and number.isdigit()  # hyphens are for the CSV alone
    digits = accepted_digits(number, overseas=state.profile.options.overseas.value) if is_digits else None
    if digits is None:
        return INVALID_NUMBER
    check = parameters["type"] if parameters["type"] in _CHECKS else ""
    due = desk.due(parameters["senddatetime"], now, knobs, _MINUTE)
    composed = _compose(parameters, state, digits, knobs, is_needed=check != "check")
    refusal = (
        (_refused_check(parameters, knobs, now) if check else None)
        or (composed if isinstance(composed, str) else None)
        or _outside(parameters)
        or (INVALID_TIME if due is None else None)
        or (REPEATED_SMSID if knobs.dedupe_smsid and state.store.knows(parameters["smsid"]) else None)
    )
    if refusal is not None or due is None or isinstance(composed, str):
        return refusal or INVALID_TIME
    is_full = desk.room(knobs) == 0
    if is_full and not knobs.limit_as_status:
        return OVER_LIMIT
    verdict = desk.verdict(digits, composed.text, due, now, knobs)
    kept = {name: value for name, value in parameters.values.items() if name not in _CREDENTIALS}
    return Taken(
        parameters["smsid"],
        digits,
        composed.text,
        composed.linked,
        tuple(
            parameters[_RESULT_FIELDS.get(field, field)][: echo_limit(field)] for field in echoed(state.profile.layout)
        ),
        due=due,
        fate=knobs.fate or "",
        verdict=FAILED_OVER_LIMIT if is_full else verdict,
        check=check,
        parameters=tuple(kept.items()),
    )


def _compose(
    parameters: Parameters, state: GatewayState, digits: str, knobs: Knobs, *, is_needed: bool
) -> Composed | str:
    """Return the text that goes out or the code that refuses it; a check alone needs none."""
    template_id, text = parameters["smstextid"], parameters["smstext"]
    if not template_id and not text and not is_needed:
        return Composed("", linked=False)
    if template_id:
        # The two exclude each other (S); that the number gets the blame is an assumption.
        template = None if text else state.desk.template(template_id)
        if template is None:
            return INVALID_TEMPLATE
        text = template
    infos = {field: parameters[field] for field in INFO_FIELDS}
    urls = {tag: parameters[field] for tag, field in URL_FIELDS.items()}
    return state.desk.compose(text, infos, urls, digits, knobs) or INVALID_TEXT


def _outside(parameters: Parameters) -> str | None:
    """Return the code of the first parameter outside its limits; an empty one counts as not sent."""
    for parameter in _PLAIN:
        value = parameters[parameter.name]
        if value and not allows(parameter, value):
            return parameter.code
    return INVALID_SMSID if parameters["status"] == "1" and not parameters["smsid"] else None


def _refused_check(parameters: Parameters, knobs: Knobs, now: datetime) -> str | None:
    """Return the code that refuses the other-person check (T), if any does."""
    if not knobs.check_option:
        return CHECK_NOT_ENABLED
    if knobs.check_disabled:
        return CHECK_DISABLED
    day = parse_moment(parameters["registrationdate"], _DAY)
    return INVALID_REGISTRATION_DATE if day is None or day > now else None
