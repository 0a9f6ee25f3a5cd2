"""The codes that the gateway answers with, and how one is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from pipeline.simulator.knobs import Knobs

TAKEN = "200"
UNAUTHORIZED = "401"
OVER_LIMIT = "402"
METHOD_NOT_ALLOWED = "405"
URL_TOO_LONG = "414"
TOO_MANY = "503"
UNKNOWN_SMSID = "514"
FAILURE = "550"
BLOCKED = "555"
INVALID_NUMBER = "560"
INVALID_TIME = "562"
INVALID_TEMPLATE = "570"
INVALID_SMSID = "574"
INVALID_TITLE = "580"
INVALID_TEXT = "585"
REPEATED_SMSID = "587"
INVALID_URL = "590"
TEXT_TYPE_DISABLED = "591"
ENCODING_DISABLED = "597"
CHECK_NOT_ENABLED = "606"
INVALID_REGISTRATION_DATE = "608"
CHECK_DISABLED = "610"
INVALID_JSON = "615"

_NO_HTTP_STATUS = 600


def coded(code: str, knobs: Knobs, *, as_json: bool = False, http_status: int = 200) -> Response:
    """Answer a bare code, or to a JSON request ``{"result":"<code>"}``.

    It stands in the body, with ``code_as_http_status`` also as the HTTP status.
    """
    if knobs.code_as_http_status and int(code) < _NO_HTTP_STATUS:
        http_status = int(code)
    return JSONResponse({"result": code}, http_status) if as_json else PlainTextResponse(code, http_status)
