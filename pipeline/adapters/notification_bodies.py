"""The bodies in which a notification may come: a query, a form in either encoding, a JSON object. Nothing is guessed.

What is no text in the encoding named stays in it as surrogates, one for each byte: whoever reads the fields decides
whether it matters there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

Fields = list[tuple[str, object]]

_MOST_FIELDS = 1_000
_UTF_8, _CP932 = "utf-8", "cp932"
#: what a sender may call the encodings of the gateway
_CHARSETS = {
    **dict.fromkeys(("utf-8", "utf8", "us-ascii"), _UTF_8),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j", "cp932", "ms932"), _CP932),
}


class BodyUnusableError(Exception):
    """A body that cannot be read: ``reason`` says why in one word, ``status`` is the HTTP status of the answer."""

    def __init__(self, reason: str, status: int = 400) -> None:
        """Keep both."""
        self.reason = reason
        self.status = status
        super().__init__(reason)


def read_fields(query: bytes, content_type: str, body: bytes, encoding: str) -> Fields:
    """Return the fields of query and body in order; ``encoding`` is that of a request which names none.

    Raises ``BodyUnusableError``: 415 for another kind of body or charset, else 400.
    """
    kind, options = parse_options_header(content_type)
    charset = options.get(b"charset", b"").decode("latin-1").lower()
    if charset and charset not in _CHARSETS:
        raise BodyUnusableError("body.charset", 415)
    encoding = _CHARSETS[charset] if charset else encoding
    fields = list(_urlencoded(query, encoding))
    match kind:
        case b"application/json":
            fields += _json(body, encoding)
        case b"multipart/form-data":
            fields += _multipart(body, options.get(b"boundary", b""), encoding)
        case b"application/x-www-form-urlencoded" | b"":
            fields += _urlencoded(body, encoding)
        case _ if body:
            raise BodyUnusableError("body.type", 415)
    if len(fields) > _MOST_FIELDS:
        raise BodyUnusableError("body.fields")
    return fields


def _text(raw: bytes, encoding: str) -> str:
    return raw.decode(encoding, "surrogateescape")


def _urlencoded(raw: bytes, encoding: str) -> Iterator[tuple[str, object]]:
    for pair in filter(None, raw.strip().split(b"&", _MOST_FIELDS + 1)):
        name, _, value = pair.replace(b"+", b" ").partition(b"=")
        yield _text(unquote_to_bytes(name), encoding), _text(unquote_to_bytes(value), encoding)


def _json(body: bytes, encoding: str) -> Fields:
    """Read a JSON object; numbers stay the text that they are written as, names that come twice stay both."""
    try:
        document = json.loads(
            _text(body, encoding).removeprefix("\ufeff"),
            parse_int=str,
            parse_float=str,
            parse_constant=str,
            object_pairs_hook=_Pairs,
        )
    except (ValueError, RecursionError):
        raise BodyUnusableError("body.json") from None
    if not isinstance(document, _Pairs):
        raise BodyUnusableError("body.json")
    return [(name, _plain(value)) for name, value in document]


class _Pairs(list[tuple[str, object]]):
    """The members of a JSON object in order."""


def _plain(value: object) -> object:
    """Return a nested value with objects as dictionaries; of a name in it that comes twice the last one counts."""
    if isinstance(value, _Pairs):
        return {name: _plain(part) for name, part in value}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _multipart(body: bytes, boundary: bytes, encoding: str) -> Fields:
    parts = _Parts()
    try:
        parser = MultipartParser(boundary, parts.callbacks()) if boundary else None
        if parser is None or parser.write(body) != len(body):
            raise BodyUnusableError("body.multipart")
    except FormParserError:
        raise BodyUnusableError("body.multipart") from None
    if not parts.complete:
        raise BodyUnusableError("body.multipart")
    return [(_text(name, encoding), _text(value, encoding)) for name, value in parts.found]


class _Parts:
    """Collects the parts of a multipart body: name and content; file names and types do not matter."""

    def __init__(self) -> None:
        self.found: list[tuple[bytes, bytes]] = []
        self.complete = False
        self._header = self._value = self._name = self._content = b""

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }

    def _on_part_begin(self) -> None:
        self._header = self._value = self._name = self._content = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._name = parse_options_header(self._value)[1].get(b"name", b"")
        self._header = self._value = b""

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def _on_part_end(self) -> None:
        self.found.append((self._name, self._content))

    def _on_end(self) -> None:
        self.complete = True
