"""The zip file around a workbook, looked at before the workbook reader.

Is it a workbook at all, does it need a password, and does it unpack to a size that a machine can hold? What is looked
up beside the reader, in ``excel`` and ``opendocument``, is read piece by piece.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path

from pipeline.adapters.clocks import Clock
from pipeline.adapters.numbers import Shape
from pipeline.core.rules import SPREADSHEET_ERRORS
from pipeline.errors import InputUnusable

_PIECE = 1 << 20
#: what a workbook may unpack to. Excel's largest sheet with 20 filled columns takes about half
_UNPACKED = 2 << 30
_RATIO, _RATIO_FROM = 1000, 100 << 20
_ENTRIES = 10_000
#: Excel ends a text at 32,767 characters
_CELL_SIZE = 16 << 20
#: how a member's name tells what the file is
_KINDS = (
    ("xl/workbook.bin", "xlsb"),
    ("xl/workbook.xml", "xlsx"),
    ("word/", "Word"),
    ("ppt/", "PowerPoint"),
    ("index/document.iwa", "Numbers / Pages / Keynote"),
    ("meta-inf/container.xml", "EPUB"),
)
#: sheets are no longer than this, by their formats
ROWS, COLUMNS = 1 << 20, 16_384
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_MACROS = b"macroEnabled"

#: row and column of a cell
Place = tuple[int, int]
#: column and how a number or a time in it is shown; None where it is shown as something that is not read
Shapes = tuple[tuple[int, Shape | Clock | None], ...]


@dataclass(frozen=True, slots=True)
class Untold:
    """What the workbook reader does not tell of a sheet. Rows and columns count from 1."""

    #: what a cell shows that the reader gives as empty, by row and column
    errors: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    #: how numbers and times are shown, by row: column and shape
    shapes: Mapping[int, Shapes] = field(default_factory=dict)
    #: rows that are hidden, by a filter or by hand; whether they hold anything is not looked at
    hidden: Sequence[range] = ()
    #: cells that were merged over several rows: the first of them, and the last
    merged: Sequence[tuple[Place, Place]] = ()
    #: durations that the reader gives as a text in ISO form, or as a time of the day, by row and column
    lengths: Mapping[int, Mapping[int, time | timedelta]] = field(default_factory=dict)


def cell_name(place: Place) -> str:
    """Return how a program names a cell: row 2 of column 3 is C2."""
    (row, column), letters = place, ""
    while column:
        column, last = divmod(column - 1, 26)
        letters = chr(ord("A") + last) + letters
    return f"{letters}{row}"


def error_text(shown: str) -> str:
    """Return an error under a name that the rules know: programs have more of them, or translate them."""
    return shown if shown in SPREADSHEET_ERRORS else "#VALUE!"


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file; whatever is wrong inside makes it a damaged one."""
    try:
        with zipfile.ZipFile(path) as package:
            yield package
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError, UnicodeDecodeError, ValueError):
        raise InputUnusable("input.damaged", file=path.name) from None


def check_package(path: Path) -> str:
    """Return which kind of workbook a zip file is.

    Raises ``InputUnusable``: ``input.damaged``, ``input.bomb``, ``input.encrypted``, ``input.xlsb``,
    ``input.not_a_table``.
    """
    with opened(path) as package:
        entries = package.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        # Members that share their bytes unpack to more than their ratios say.
        shared = sum(entry.compress_size for entry in entries) > path.stat().st_size
        dense = any(
            entry.file_size > _RATIO_FROM and entry.file_size > _RATIO * max(entry.compress_size, 1)
            for entry in entries
        )
        if len(entries) > _ENTRIES or unpacked > _UNPACKED or shared or dense:
            raise InputUnusable("input.bomb", file=path.name, size=unpacked, entries=len(entries))
        if any(entry.flag_bits & 1 for entry in entries):
            raise InputUnusable("input.encrypted", file=path.name)
        return _kind(package, path.name)


def _kind(package: zipfile.ZipFile, file: str) -> str:
    names = {name.lower(): name for name in package.namelist()}
    if "mimetype" in names and _ODS in package.read(names["mimetype"]):
        manifest = names.get("meta-inf/manifest.xml")
        if manifest and b"encryption-data" in package.read(manifest):
            raise InputUnusable("input.encrypted", file=file)
        return "ods"
    kind = next((kind for start, kind in _KINDS if any(name.startswith(start) for name in names)), "ZIP")
    if kind == "xlsb":
        raise InputUnusable("input.xlsb", file=file)
    if kind != "xlsx":
        raise InputUnusable("input.not_a_table", file=file, kind=kind)
    types = names.get("[content_types].xml", "[Content_Types].xml")
    return "xlsm" if _MACROS in package.read(types) else "xlsx"


def pieces(package: zipfile.ZipFile, member: str, begins: tuple[bytes, ...] = ()) -> Iterator[bytes]:
    """Yield a member in pieces; none ends within what one of ``begins`` begins."""
    kept = b""
    with package.open(member) as stream:
        while data := stream.read(_PIECE):
            piece = kept + data
            cut = max((piece.rfind(begin) for begin in begins), default=len(piece))
            yield piece[: max(cut, 0)]
            kept = piece[max(cut, 0) :]
            if len(kept) > _CELL_SIZE:
                raise zipfile.BadZipFile
    yield kept
