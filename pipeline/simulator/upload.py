"""An upload as it streams in: multipart body → the named part → text → CSV rows, a piece at a time."""

from __future__ import annotations

import codecs
import csv
import io
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RECORD_LIMIT = 1 << 20


class UploadUnusableError(Exception):
    """The body is not what the interface asks for: no such part, undecodable, not a CSV of the layout."""


class CsvStream:
    """Turns bytes that arrive in pieces into CSV rows.

    ``csv.reader`` pulls whole lines and a quoted cell holds line breaks, so pieces are cut behind the last
    line break outside quotes: where the number of quotes so far is even.
    """

    def __init__(self, encoding: str, columns: int, rows: Callable[[list[str]], None]) -> None:
        """Decode from ``encoding`` ("utf-8" or "cp932") and hand rows of ``columns`` cells to ``rows``."""
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._columns = columns
        self._rows = rows
        self._rest = ""
        self.count = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes; raise ``UploadUnusableError`` when they cannot be part of such a CSV."""
        try:
            self._rest += self._decoder.decode(data)
        except UnicodeDecodeError:
            raise UploadUnusableError from None
        end = _end_of_last_record(self._rest)
        self._parse(self._rest[:end])
        self._rest = self._rest[end:]
        if len(self._rest) > _RECORD_LIMIT:
            raise UploadUnusableError

    def finish(self) -> None:
        """Take the end of the file, whose last record may lack its line break."""
        try:
            self._parse(self._rest + self._decoder.decode(b"", final=True))
        except UnicodeDecodeError:
            raise UploadUnusableError from None

    def _parse(self, text: str) -> None:
        for row in self._read(text):
            if len(row) != self._columns:
                raise UploadUnusableError
            self.count += 1
            self._rows(row)

    @staticmethod
    def _read(text: str) -> Iterator[list[str]]:
        try:
            # newline="" keeps CRLF inside quotes as it was sent; strict refuses an end within quotes.
            yield from filter(None, csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error:
            raise UploadUnusableError from None


def _end_of_last_record(text: str) -> int:
    """Return the position behind the last line break outside quotes, 0 when there is none."""
    quotes_before = text.count('"')
    end = len(text)
    while (found := text.rfind("\n", 0, end)) >= 0:
        quotes_before -= text.count('"', found, end)
        if quotes_before % 2 == 0:
            return found + 1
        end = found
    return 0


class MultipartFile:
    """Finds one named part in a multipart body that arrives in pieces; file name and header case are free."""

    def __init__(self, content_type: str, part: str, stream: CsvStream) -> None:
        """Feed the content of the first part called ``part`` to ``stream``."""
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise UploadUnusableError
        self._part = part.encode()
        self._stream = stream
        self._header = self._value = b""
        self._inside = self._found = self._complete = False
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
            )
        except FormParserError:
            raise UploadUnusableError from None

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body."""
        try:
            self._parser.write(data)
        except FormParserError:
            raise UploadUnusableError from None

    def finish(self) -> None:
        """Take the end of the body; raise ``UploadUnusableError`` if it is cut short or without a row."""
        if not self._complete or not self._stream.count:
            raise UploadUnusableError

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition" and not self._found:
            _, options = parse_options_header(self._value)
            self._inside = self._found = options.get(b"name") == self._part
        self._header = self._value = b""

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self._stream.feed(data[start:end])

    def _on_part_end(self) -> None:
        if self._inside:
            self._inside = False
            self._stream.finish()

    def _on_end(self) -> None:
        self._complete = True
