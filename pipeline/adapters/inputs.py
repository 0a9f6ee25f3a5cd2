"""Whatever is handed in as a list of recipients: one entry for text files and workbooks.

Content decides what a file is, never its name: a workbook called ``list.csv`` is read as the workbook it is, and a web
page called ``list.xls`` is refused as the web page it is. Either every cell arrives exactly as it stands, or the file
as a whole is refused with what is wrong, where, and what to do about it in the program it came from.
"""

from __future__ import annotations

import codecs
import errno
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import pandas as pd

from pipeline.adapters.tabular import open_text
from pipeline.adapters.workbooks import OLE, merged_cells, open_workbook
from pipeline.errors import InputUnusable, TryLater, UsageError

_PIECE = 1 << 20
_HEAD = 4096
#: the first bytes of files that people take for tables
_BINARY = (
    (b"%PDF", "PDF"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf", "7z"),
    (b"Rar!", "RAR"),
    (b"{\\rtf", "RTF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"SQLite format 3", "SQLite"),
    (b"PAR1", "Parquet"),
)
#: how a package of a workbook begins
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_HTML = re.compile(
    rb"(?:<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s+html|html|head|body|meta|table)\b", re.IGNORECASE | re.DOTALL
)
_JSON = re.compile(rb'\{\s*"[^"]*"\s*:|\[\s*(?:\{\s*"|\[|"[^"]*"\s*,)')
_XML_SPREADSHEET = b"urn:schemas-microsoft-com:office:spreadsheet"


class Table(Protocol):
    """An input that was looked at but not yet read."""

    @property
    def name(self) -> str:
        """The file's name for messages; ``stdin`` for standard input."""

    @property
    def sha256(self) -> str:
        """The digest of the bytes as they were handed in."""

    @property
    def form(self) -> tuple[str, ...]:
        """Everything that decides how bytes become cells: a part of the batch's fingerprint."""

    @property
    def sheet(self) -> str | None:
        """The name of the sheet that is read; None where a file has none."""

    @property
    def other_sheets(self) -> Mapping[str, int]:
        """Other visible sheets that hold something, and in how many rows; empty when the sheet was chosen."""

    @property
    def merged(self) -> Sequence[tuple[range, str]]:
        """Cells over several rows that hold something: the places of their columns (from 0), and their name."""

    @property
    def unformatted(self) -> Mapping[int, tuple[int, int]]:
        """Numbers that arrive otherwise than a sheet shows them: by place, how many, and the first one's row.

        All of them are known when the last chunk was read.
        """

    @property
    def first_record(self) -> tuple[str, ...]:
        """The first record that holds anything, verbatim."""

    @property
    def records(self) -> int:
        """The number of records, the header and blank ones included: the measure of progress."""

    def chunks(self, columns: Sequence[str], *, header: bool) -> Iterator[pd.DataFrame]:
        """Yield the records as tables of ``row_number`` (from 1, the header included) and ``columns``.

        Columns are text, each one contiguous Arrow array. Rows whose cells are all empty are left out. With ``header``
        the first record is not yielded. A record of another width raises ``InputUnusable`` (``input.ragged``).
        """


def open_input(path: Path, *, sheet: str | None = None) -> Table:
    """Look at an input: find out what it is, and scan or load it.

    Raises ``InputUnusable`` with an ``input.*`` code that says what is wrong with the file as a whole, and
    ``UsageError`` when ``sheet`` names none of a workbook (``input.no_sheet``) or the file has no sheets
    (``input.sheet_of_text``).
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputUnusable("input.not_a_file", file=str(path))
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
        if head.startswith((*ZIP, OLE)):
            return open_workbook(path, sheet=sheet)
        _refuse_others(head, path.name)
        if sheet is not None:
            raise UsageError("input.sheet_of_text", file=path.name, sheet=sheet)
        return open_text(path)
    except FileNotFoundError:
        raise InputUnusable("input.missing", file=str(path)) from None
    except OSError as error:
        raise InputUnusable("input.unreadable", file=str(path), problem=error.strerror) from None


def refuse_merged(table: Table, places: Iterable[int] | None = None) -> None:
    """Refuse a table that has a cell over several rows in one of these columns, by their places; in any without them.

    Raises ``InputUnusable``: ``input.merged_cells``.
    """
    used = None if places is None else set(places)
    if names := [name for columns, name in table.merged if used is None or not used.isdisjoint(columns)]:
        raise merged_cells(table.name, table.sheet, names)


def _refuse_others(head: bytes, name: str) -> None:
    """Refuse what is certainly no table, by the bytes it begins with."""
    for start, kind in _BINARY:
        if head.startswith(start):
            raise InputUnusable("input.not_a_table", file=name, kind=kind)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head = head.decode("utf-16", "ignore").encode()
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith(b"<?xml") and _XML_SPREADSHEET in text:
        raise InputUnusable("input.xml_spreadsheet", file=name)
    if _HTML.match(text) or (text.startswith(b"<?xml") and b"<html" in text):
        raise InputUnusable("input.html", file=name)
    if text.startswith(b"<?xml"):
        raise InputUnusable("input.not_a_table", file=name, kind="XML")
    if _JSON.match(text):
        raise InputUnusable("input.not_a_table", file=name, kind="JSON")


def spooled(stream: BinaryIO, folder: Path) -> AbstractContextManager[Path]:
    """Keep standard input in a temporary file under ``folder`` while it is worked on, as ``laid_down`` does."""
    return laid_down(iter(lambda: stream.read(_PIECE), b""), folder)


@contextmanager
def laid_down(pieces: Iterable[bytes], folder: Path) -> Iterator[Path]:
    """Keep an input that is no file in a temporary one under ``folder`` while it is worked on.

    Only the owner can read it, and it is gone afterwards. A full or read-only disk raises ``TryLater``.
    """
    try:
        place = Path(tempfile.mkdtemp(prefix=".stdin-", dir=folder))
    except OSError as error:
        raise TryLater("files.not_writable", folder=str(folder), problem=error.strerror) from None
    try:
        path = place / "stdin"
        try:
            with path.open("wb") as file:
                file.writelines(pieces)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}:
                raise TryLater("files.not_writable", folder=str(folder), problem=error.strerror) from None
            raise
        yield path
    finally:
        shutil.rmtree(place)
