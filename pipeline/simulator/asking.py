"""The interfaces that ask: results of a period, the result of one message, and the cancellation of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from pipeline.simulator.answers import (
    ENCODING_DISABLED,
    FAILURE,
    INVALID_SMSID,
    INVALID_TIME,
    METHOD_NOT_ALLOWED,
    REPEATED_SMSID,
    TAKEN,
    UNKNOWN_SMSID,
    coded,
)
from pipeline.simulator.clock import parse_moment
from pipeline.simulator.results import shown_status
from schemas.parameters import CANCEL_VALUE_CHARACTERS, CANCEL_VALUE_CODE, allows, parameters_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from pipeline.simulator.parameters import Parameters
    from pipeline.simulator.state import GatewayState

(_ASKED_SMSID,) = parameters_of("result_single")
(_CANCELLED_SMSID,) = parameters_of("cancel")
_METHODS = {"GET", "POST"}


async def results_csv(request: Request, state: GatewayState, parameters: Parameters) -> Response:
    """Answer the result rows of a period, or a bare code."""
    form, knobs = state.profile.results, state.knobs
    if request.method not in _METHODS:
        return coded(METHOD_NOT_ALLOWED, knobs)
    if parameters.problem:
        return coded(parameters.problem, knobs, as_json=parameters.as_json)
    start = parse_moment(parameters[form.start_parameter.value], form.time_format.value)
    end = parse_moment(parameters[form.end_parameter.value], form.time_format.value)
    if start is None or end is None or end < start:
        return coded(INVALID_TIME, knobs, as_json=parameters.as_json)
    upload = state.profile.upload
    encodings = {upload.encode_utf8.value: "utf-8", upload.encode_cp932.value: "cp932"}
    encoding = encodings.get(parameters.values.get(form.encode_parameter.value, upload.encode_utf8.value))
    if encoding is None:
        return coded(ENCODING_DISABLED, knobs, as_json=parameters.as_json)
    pieces = state.results.pieces(start, end, state.clock.now(), knobs)
    return StreamingResponse((piece.encode(encoding, "replace") for piece in pieces), media_type="text/csv")


async def result_single(request: Request, state: GatewayState, parameters: Parameters) -> Response:
    """Answer two lines: the code, and the status of the message.

    Known are messages that were sent one by one with ``status=1``; one smsid of several messages is 587.
    """
    knobs, as_json = state.knobs, parameters.as_json
    if request.method not in _METHODS:
        return coded(METHOD_NOT_ALLOWED, knobs)
    smsid = parameters["smsid"]
    if parameters.problem or not allows(_ASKED_SMSID, smsid):
        return coded(parameters.problem or INVALID_SMSID, knobs, as_json=as_json)
    found = [
        one
        for one in state.store.find(smsid)
        if knobs.single_result_of_csv or dict(one.message.parameters).get("status") == "1"
    ]
    if len(found) != 1:
        return coded(REPEATED_SMSID if found else UNKNOWN_SMSID, knobs, as_json=as_json)
    (registration, message), *_ = found
    seen_until = state.results.seen_until(state.clock.now(), knobs)
    last = state.fates.until(message, registration.registered_at, seen_until)[-1]
    status = shown_status(state.profile, last.event.label, knobs)
    if as_json:
        return JSONResponse({"result": TAKEN, "status": status})
    return PlainTextResponse(f"{TAKEN}\n{status}\n")


async def cancel(request: Request, state: GatewayState, parameters: Parameters) -> Response:
    """Cancel the messages of an smsid that have not gone out: 200, else 514 or 550."""
    knobs, as_json = state.knobs, parameters.as_json
    if request.method not in _METHODS:
        return coded(METHOD_NOT_ALLOWED, knobs)
    code = parameters.problem or _refused_cancellation(parameters) or _cancelled(parameters["smsid"], state)
    return coded(code, knobs, as_json=as_json)


def _refused_cancellation(parameters: Parameters) -> str | None:
    if not allows(_CANCELLED_SMSID, parameters["smsid"]):
        return INVALID_SMSID
    too_long = any(len(value) > CANCEL_VALUE_CHARACTERS for value in parameters.values.values())
    return CANCEL_VALUE_CODE if too_long else None


def _cancelled(smsid: str, state: GatewayState) -> str:
    now = state.clock.now()
    found = state.store.find(smsid)
    if not found:
        return UNKNOWN_SMSID
    if not any(state.fates.is_waiting(one.message, one.registration.registered_at, now) for one in found):
        return FAILURE
    if not state.knobs.cancel_ignored:
        state.fates.cancel(smsid, now)
        state.notifications.reconsider()
    return TAKEN
