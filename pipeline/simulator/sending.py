"""The CSV send: an upload in, an answer of up to four shapes out, and the ways it can go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from pipeline.simulator.answers import (
    ENCODING_DISABLED,
    FAILURE,
    METHOD_NOT_ALLOWED,
    OVER_LIMIT,
    TEXT_TYPE_DISABLED,
    coded,
)
from pipeline.simulator.faults import after_taking, before_taking, throttled
from pipeline.simulator.intake import Intake, TextType
from pipeline.simulator.misbehaviour import Silence
from pipeline.simulator.upload import CsvStream, MultipartFile, UploadUnusableError

if TYPE_CHECKING:
    from pipeline.simulator.knobs import Knobs
    from pipeline.simulator.parameters import Parameters
    from pipeline.simulator.state import GatewayState


async def send_csv(request: Request, state: GatewayState, parameters: Parameters) -> Response:
    """Take an upload whole or not at all; its single rows may still be rejected.

    Beyond the account's limit it is taken in part, and the answer, 402, does not say how far.
    """
    if request.method != "POST":
        return coded(METHOD_NOT_ALLOWED, state.knobs)
    knobs = state.knobs_for_a_send()
    return await before_taking(request, knobs) or await _take(request, state, parameters, knobs)


async def _take(request: Request, state: GatewayState, parameters: Parameters, knobs: Knobs) -> Response:
    text_type, encoding = _form_of(parameters, state)
    if text_type is None:
        return coded(TEXT_TYPE_DISABLED, knobs)
    if encoding is None:
        return coded(ENCODING_DISABLED, knobs)
    intake = Intake(state.desk, state.store, text_type, knobs, state.clock.now())
    try:
        await _receive(request, state, encoding, intake, knobs)
    except UploadUnusableError:
        return coded(FAILURE, knobs)
    except ClientDisconnect:
        return Silence()
    csvid = state.store.register(intake.batch, state.clock.now()).csvid
    fault = await after_taking(knobs)
    if fault is not None:
        return fault
    return coded(OVER_LIMIT, knobs) if intake.is_over_limit else _receipt(intake, csvid, state, knobs)


def _form_of(parameters: Parameters, state: GatewayState) -> tuple[TextType | None, str | None]:
    """Return the kind of text and the encoding an upload names; None for what the gateway does not know."""
    form = state.profile.upload
    text_types: dict[str, TextType] = {
        form.text_type_text.value: "text",
        form.text_type_template.value: "template",
    }
    encodings = {form.encode_utf8.value: "utf-8", form.encode_cp932.value: "cp932"}
    return (
        text_types.get(parameters[form.text_type_parameter.value]),
        encodings.get(parameters.values.get(form.encode_parameter.value, form.encode_utf8.value)),
    )


async def _receive(request: Request, state: GatewayState, encoding: str, intake: Intake, knobs: Knobs) -> None:
    profile = state.profile
    stream = CsvStream(encoding, profile.layout.columns.value, intake)
    body = MultipartFile(request.headers.get("content-type", ""), profile.upload.part.value, stream)
    async for piece in throttled(request, knobs):
        body.feed(piece)
    body.finish()


def _receipt(intake: Intake, csvid: str, state: GatewayState, knobs: Knobs) -> Response:
    """Answer 200, then csvid, counts and rejected rows, as far as there are any."""
    if knobs.answer_empty:
        return Response(media_type="text/plain")
    ok, failed = len(intake.batch), intake.failed
    if knobs.fault == "partial_counts":
        ok -= 1
    lines = [state.profile.upload_answer.taken_code.value]
    lines += [csvid] if knobs.answer_csvid else []
    lines += [f"{ok + failed}|{failed}|{ok}"] if knobs.answer_counts else []
    return Response("\n".join([*lines, ""]).encode() + intake.reject_lines, media_type="text/plain")
