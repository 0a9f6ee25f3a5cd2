"""Parameters of a request: from the query, a form or JSON, as any client may write them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from pipeline.simulator.answers import FAILURE, INVALID_JSON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request

# A message with four links of the longest kind is a hundredth of it.
_BODY_LIMIT = 1 << 20
_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Parameters:
    """Values by name; of a repeated one the last. ``problem`` is the code for a body that could not be read."""

    values: Mapping[str, str]
    as_json: bool = False
    problem: str | None = None

    def __getitem__(self, name: str) -> str:
        """Return a value, empty when it was not sent."""
        return self.values.get(name, "")


def from_query(request: Request) -> Parameters:
    """Read the query alone."""
    return Parameters(_pairs(request.scope["query_string"]))


async def from_request(request: Request, pieces: AsyncIterator[bytes]) -> Parameters:
    """Read the query and the body, which comes in ``pieces``; the body wins."""
    query = from_query(request).values
    if request.method != "POST":
        return Parameters(query)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    as_json = kind == "application/json"
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > _BODY_LIMIT:
            return Parameters(query, as_json, FAILURE)
    request._body = bytes(body)  # noqa: SLF001 - where starlette keeps a body that was read
    if as_json:
        values = _json_values(bytes(body))
        return Parameters(query, as_json, INVALID_JSON) if values is None else Parameters({**query, **values}, as_json)
    if kind == "multipart/form-data":
        return await _from_multipart(request, query)
    return Parameters({**query, **_pairs(bytes(body))})


async def _from_multipart(request: Request, query: Mapping[str, str]) -> Parameters:
    try:
        form = await request.form(max_files=0, max_fields=_FIELDS, max_part_size=_BODY_LIMIT)
    except (HTTPException, MultiPartException, KeyError):  # KeyError: no boundary
        return Parameters(query, problem=FAILURE)
    return Parameters({**query, **{name: value for name, value in form.multi_items() if isinstance(value, str)}})


def _pairs(data: bytes) -> dict[str, str]:
    """Decode a query or form. Bytes may be UTF-8 as they are or percent-encoded: curl sends what it was given."""
    pairs = parse_qsl(data.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return {_utf8(name): _utf8(value) for name, value in pairs}


def _utf8(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")


def _json_values(body: bytes) -> dict[str, str] | None:
    """Return the members of a JSON object whose values are all quoted, as the specification asks; else None."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        return None
    # "\ud800" is valid JSON and no text.
    return {name: value.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for name, value in found.items()}
