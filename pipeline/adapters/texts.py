"""The file that holds one text for a whole list: read by evidence, or refused; nothing is sent that nobody wrote.

Everybody on the list gets what stands in it, so whatever is certainly no text is refused: the list itself, a workbook,
something binary, a file far longer than any message.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from pathlib import Path

from pipeline.adapters.inputs import ZIP
from pipeline.adapters.tabular import utf8_within
from pipeline.adapters.workbooks import OLE
from pipeline.core.text import is_blank
from pipeline.errors import UsageError

#: bytes; no message comes near, with the longest of tags
LIMIT = 64 << 10
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
#: the first byte of a character of three bytes in UTF-8, as Japanese has them
_THREE_BYTES = 0xE0


def read_message_text(path: Path, inputs: Iterable[Path]) -> str:
    """Return the text of a file, with LF as line break; one line break at its end is the file's, not the text's.

    UTF-8 with or without its mark, UTF-16 with it, else CP932. Raises ``UsageError`` (``text_file.*``) for what is no
    text, and for a file that is one of the ``inputs`` too.
    """
    data = _read(path)
    if any(given.exists() and given.samefile(path) for given in inputs):
        raise UsageError("text_file.is_input", file=str(path))
    if len(data) > LIMIT:
        raise UsageError("text_file.too_large", file=str(path), limit=LIMIT)
    if data.startswith((*ZIP, OLE)):
        raise UsageError("text_file.workbook", file=str(path))
    if b"\0" in data and not data.startswith(_UTF16):
        raise UsageError("text_file.binary", file=str(path), offset=data.index(b"\0"))
    text = _decoded(str(path), data)
    text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    if is_blank(text):
        raise UsageError("text_file.empty", file=str(path))
    return text


def _read(path: Path) -> bytes:
    """Read no more than shows that a file is too long: it may be a pipe, or a list of gigabytes."""
    try:
        with path.open("rb") as file:
            return file.read(LIMIT + 1)
    except FileNotFoundError:
        raise UsageError("text_file.missing", file=str(path)) from None
    except OSError as error:
        raise UsageError("text_file.unreadable", file=str(path), problem=error.strerror) from None


def _decoded(name: str, data: bytes) -> str:
    if data.startswith(_UTF16):
        return _as(name, data, "utf-16", "UTF-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Counted in the file: the codec counts from behind the mark.
        at = error.start + len(codecs.BOM_UTF8) * data.startswith(codecs.BOM_UTF8)
    if any(byte >= _THREE_BYTES for byte in data[:at]):
        # Japanese as UTF-8 writes it stands before: read as CP932 it would be gibberish, and most of it sendable.
        raise _undecodable(name, data, at, "UTF-8")
    if (within := utf8_within(memoryview(data))) is not None:
        raise _undecodable(name, data, within, "Shift_JIS (CP932)")
    return _as(name, data, "cp932", "Shift_JIS (CP932)")


def _as(name: str, data: bytes, encoding: str, called: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(name, data, error.start, called) from None


def _undecodable(name: str, data: bytes, at: int, before: str) -> UsageError:
    return UsageError("text_file.encoding", file=name, offset=at, bytes=data[at : at + 2].hex(" "), before=before)
