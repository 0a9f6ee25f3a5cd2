"""The CSV send: an upload in, an answer of up to four shapes out, and the ways it can go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from pipeline.simulator.intake import Intake, TextType
from pipeline.simulator.misbehaviour import Reset, Silence
from pipeline.simulator.upload import CsvStream, MultipartFile, UploadUnusableError

if TYPE_CHECKING:
    from pipeline.simulator.knobs import Knobs
    from pipeline.simulator.state import GatewayState

METHOD_NOT_ALLOWED = "405"
FAILURE = "550"
TEXT_TYPE_DISABLED = "591"
ENCODING_DISABLED = "597"

_NO_HTTP_STATUS = 600
_PAGE = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>200 OK</p></body></html>\n"


def coded(code: str, knobs: Knobs, *, http_status: int = 200) -> Response:
    """Answer a bare code: in the body, with ``code_as_http_status`` also as the HTTP status."""
    if knobs.code_as_http_status and int(code) < _NO_HTTP_STATUS:
        http_status = int(code)
    return PlainTextResponse(code, http_status)


async def send_csv(request: Request, state: GatewayState) -> Response:
    """Take an upload whole or not at all; its single rows may still be rejected."""
    if request.method != "POST":
        return coded(METHOD_NOT_ALLOWED, state.knobs)
    knobs = state.knobs_for_a_send()
    return await _before_taking(request, knobs) or await _take(request, state, knobs)


async def _take(request: Request, state: GatewayState, knobs: Knobs) -> Response:
    text_type, encoding = _parameters(request, state)
    if text_type is None:
        return coded(TEXT_TYPE_DISABLED, knobs)
    if encoding is None:
        return coded(ENCODING_DISABLED, knobs)
    intake = Intake(state.profile, state.teller, text_type, state.store.smsids() if knobs.dedupe_smsid else None)
    try:
        await _receive(request, state, encoding, intake)
    except UploadUnusableError:
        return coded(FAILURE, knobs)
    except ClientDisconnect:
        return Silence()
    csvid = state.store.register(intake.batch, state.clock.now()).csvid
    return _after_taking(knobs) or _receipt(intake, csvid, state, knobs)


def _parameters(request: Request, state: GatewayState) -> tuple[TextType | None, str | None]:
    """Return the kind of text and the encoding an upload names; None for what the gateway does not know."""
    form, query = state.profile.upload, request.query_params
    text_types: dict[str, TextType] = {
        form.text_type_text.value: "text",
        form.text_type_template.value: "template",
    }
    encodings = {form.encode_utf8.value: "utf-8", form.encode_cp932.value: "cp932"}
    return (
        text_types.get(query.get(form.text_type_parameter.value, "")),
        encodings.get(query.get(form.encode_parameter.value, form.encode_utf8.value)),
    )


async def _receive(request: Request, state: GatewayState, encoding: str, intake: Intake) -> None:
    profile = state.profile
    stream = CsvStream(encoding, profile.layout.columns.value, intake)
    body = MultipartFile(request.headers.get("content-type", ""), profile.upload.part.value, stream)
    async for piece in request.stream():
        body.feed(piece)
    body.finish()


async def _before_taking(request: Request, knobs: Knobs) -> Response | None:
    """Return the fault that leaves nothing taken, if it is set."""
    match knobs.fault:
        case "html_200_nothing":
            return HTMLResponse(_PAGE)
        case "http_503_before_reading":
            return PlainTextResponse("503", 503)
        case "refuse_code":
            return coded(str(knobs.refuse_code), knobs)
        case "redirect_to":
            return RedirectResponse(str(knobs.redirect_to))
        case "reset_after_bytes":
            await _read_at_least(knobs.reset_after_bytes or 0, request)
            return Reset()
        case _:
            return None


async def _read_at_least(size: int, request: Request) -> None:
    if not size:
        return
    try:
        async for piece in request.stream():
            size -= len(piece)
            if size <= 0:
                return
    except ClientDisconnect:
        return


def _after_taking(knobs: Knobs) -> Response | None:
    """Return the fault that hides that everything was taken, if it is set."""
    match knobs.fault:
        case "html_200":
            return HTMLResponse(_PAGE)
        case "http_502_after_taking":
            return HTMLResponse("<html><body>Bad Gateway</body></html>\n", 502)
        case "accept_then_reset":
            return Reset()
        case "swallow":
            return Silence()
        case _:
            return None


def _receipt(intake: Intake, csvid: str, state: GatewayState, knobs: Knobs) -> Response:
    """Answer 200, then csvid, counts and rejected rows, as far as there are any."""
    ok, failed = len(intake.batch), intake.failed
    if knobs.fault == "partial_counts":
        ok -= 1
    lines = [state.profile.upload_answer.taken_code.value]
    lines += [csvid] if knobs.answer_csvid else []
    lines += [f"{ok + failed}|{failed}|{ok}"] if knobs.answer_counts else []
    return Response("\n".join([*lines, ""]).encode() + intake.reject_lines, media_type="text/plain")
