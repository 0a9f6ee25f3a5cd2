"""The bytes of a text file as they are cut into records, and the words for bytes that are none.

UTF-8 and CP932 are cut as they are: quotes, delimiters and line ends are the same single bytes in both. UTF-16 is
turned into UTF-8 on the way.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import InputUnusable

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes could not be decoded: the physical line from 1, the bytes before it, and what stands there."""

    line: int
    offset: int
    found: bytes


class _Utf16(io.RawIOBase):
    """A UTF-16 file read as UTF-8; the byte order mark is gone."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._name = path.name
        self._file = path.open("rb", buffering=0)
        self._offset = self._file.seek(2)
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._line = 1
        self._ready = memoryview(b"")

    def readinto(self, into: bytearray | memoryview, /) -> int:  # type: ignore[override]  # io fills only these two
        while not self._ready and (text := self._text()):
            self._ready = memoryview(text.encode())
        size = min(len(into), len(self._ready))
        into[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _text(self) -> str:
        raw = self._file.read(_PIECE)
        try:
            text = self._decoder.decode(raw, final=not raw)
        except UnicodeDecodeError as error:
            # What was kept from before stands in front of the piece again.
            before = error.object[: error.start].decode(self._encoding)
            offset = self._offset + error.start
            raise undecodable(
                self._name, Place(self._at(before), offset, error.object[error.start :][:2]), "UTF-16"
            ) from None
        if "\0" in text:
            before = text[: text.index("\0")]
            offset = self._offset + len(before.encode(self._encoding))
            raise InputUnusable("input.nul", file=self._name, line=self._at(before), offset=offset)
        self._line = self._at(text)
        self._offset += len(text.encode(self._encoding))
        return text

    def _at(self, before: str) -> int:
        return self._line + (before.count("\n") or before.count("\r"))

    def close(self) -> None:
        self._file.close()
        super().close()


def undecodable(name: str, place: Place, before: str) -> InputUnusable:
    """Return the failure for bytes that no encoding reads; ``before`` is what the file is up to there."""
    found = place.found[:4].hex(" ")
    return InputUnusable("input.encoding", file=name, line=place.line, offset=place.offset, bytes=found, before=before)


def not_cp932(name: str, place: Place, not_utf8: Place | None) -> InputUnusable:
    """Return the failure for bytes that are neither: the file was not UTF-8 before, or here for the first time."""
    first = not_utf8 is None or place.offset <= not_utf8.offset
    return undecodable(name, place, "ASCII" if first else "Shift_JIS (CP932)")


def line_at(path: Path, offset: int) -> int:
    """Return the physical line of a byte, from 1."""
    line = 1
    after_return = False
    with path.open("rb") as file:
        while offset and (data := file.read(min(offset, _PIECE))):
            line += data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
            line -= after_return and data.startswith(b"\n")
            after_return = data.endswith(b"\r")
            offset -= len(data)
    return line


@contextmanager
def open_stream(path: Path, encoding: str) -> Iterator[BinaryIO | io.RawIOBase]:
    """Open a file as the bytes that are cut into records: as they are, or UTF-8 for UTF-16."""
    with _Utf16(path, encoding) if encoding.startswith("utf-16") else path.open("rb", buffering=0) as stream:
        yield stream


def read_fully(stream: BinaryIO | io.RawIOBase, into: memoryview) -> int:
    """Fill ``into`` as far as the stream goes and return how far."""
    size = 0
    while size < len(into) and (got := stream.readinto(into[size:])):  # type: ignore[union-attr]  # BinaryIO is typed without it
        size += got
    return size


def identity(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file is replaced or rewritten."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
