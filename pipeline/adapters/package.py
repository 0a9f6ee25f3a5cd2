"""The zip file around a workbook, looked at before and beside the workbook reader.

Before: is it a workbook at all, does it need a password, and does it unpack to a size that a machine can hold. Beside,
for Excel's XML formats: cells whose value the reader does not tell, because it gives them as empty. An error (``#N/A``)
is returned with its text; a formula that no program has calculated has no value, and stops the file. Of LibreOffice's
format the reader drops tabs, manual line breaks and errors: they stop the file too.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import InputUnusable

_PIECE = 1 << 20
#: what a workbook may unpack to. Excel's largest sheet with 20 filled columns takes about half
_UNPACKED = 2 << 30
_RATIO, _RATIO_FROM = 1000, 100 << 20
_ENTRIES = 10_000
#: cells between the first and the last used one: calamine holds all of them, used or not, and aborts where it cannot
_AREA, _ROWS = 100_000_000, 1 << 20
#: Excel ends a text at 32,767 characters
_CELL_SIZE = 16 << 20
#: how a member's name tells what the file is
_KINDS = (
    ("xl/workbook.bin", "XLSB"),
    ("xl/workbook.xml", "xlsx"),
    ("word/", "Word"),
    ("ppt/", "PowerPoint"),
    ("index/document.iwa", "Numbers / Pages / Keynote"),
    ("meta-inf/container.xml", "EPUB"),
)
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_MACROS = b"macroEnabled"
#: in a sheet of Excel's XML: cells right of column Z, rows, and cells of a kind, whatever the prefix of its names
_WIDE = re.compile(rb' r="([A-Z]{2,3})[0-9]')
_ROW = re.compile(rb' r="[A-Z]{0,3}([0-9]+)"')
_ERROR = re.compile(
    rb'<(?:\w+:)?c (?=[^>]*?\br="([A-Z]{1,3})([0-9]+)")(?=[^>]*?\bt="e")[^>]*>'
    rb"(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<",
    re.DOTALL,
)
_UNCALCULATED = re.compile(
    rb'<(?:\w+:)?c (?![^>]*\bt="str")(?=[^>]*?\br="([A-Z]{1,3}[0-9]+)")[^>]*>'
    rb"\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</"
)
_LOSSY = re.compile(rb'<text:(tab|line-break|ruby)\b|\bvalue-type="(error)"')
_BEGINS = (b"<c ", b":c ", b"<row", b":row")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_SHEET_ID = re.compile(rb'\s\w+:id="([^"]+)"')
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file; whatever is wrong inside makes it a damaged one."""
    try:
        with zipfile.ZipFile(path) as package:
            yield package
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError, UnicodeDecodeError, ValueError):
        raise InputUnusable("input.damaged", file=path.name) from None


def check_package(path: Path) -> str:
    """Return which kind of workbook a zip file is.

    Raises ``InputUnusable``: ``input.damaged``, ``input.bomb``, ``input.encrypted``, ``input.not_a_table``.
    """
    with _opened(path) as package:
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
    if kind != "xlsx":
        raise InputUnusable("input.not_a_table", file=file, kind=kind)
    types = names.get("[content_types].xml", "[Content_Types].xml")
    return "xlsm" if _MACROS in package.read(types) else "xlsx"


def column_number(letters: bytes) -> int:
    """Return the number of a column from its letters, from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def hidden_values(path: Path, index: int) -> dict[tuple[int, int], str]:
    """Return the error cells of the sheet at ``index``, as (row, column) from 1, with their text.

    Every byte of the sheet and of the shared strings is unpacked once, so that a member that says less than it
    unpacks to, or is damaged, is found before the reader holds it. Raises ``InputUnusable``: ``input.damaged``,
    ``input.uncalculated``, ``input.too_wide``.
    """
    errors: dict[tuple[int, int], str] = {}
    wide: set[bytes] = set()
    with _opened(path) as package:
        names = {name.lower(): name for name in package.namelist()}
        if strings := names.get("xl/sharedstrings.xml"):
            for _ in _pieces(package, strings):
                pass
        member = _member(package, names, index)
        for piece in _pieces(package, member, _BEGINS):
            wide.update(_WIDE.findall(piece))
            if b't="e"' in piece:
                errors |= {(int(row), column_number(col)): text.decode() for col, row, text in _ERROR.findall(piece)}
            if b"f>" in piece and (cell := _UNCALCULATED.search(piece)):
                raise InputUnusable("input.uncalculated", file=path.name, cell=cell[1].decode())
        width = max(map(column_number, wide), default=0)
        if width * _ROWS > _AREA:
            rows = max(
                (int(row) for piece in _pieces(package, member, _BEGINS) for row in _ROW.findall(piece)), default=0
            )
            if width * rows > _AREA:
                raise InputUnusable("input.too_wide", file=path.name)
    return errors


def check_open_document(path: Path) -> None:
    """Refuse what the reader would drop in silence: raises ``InputUnusable`` (``input.odf_content``)."""
    with _opened(path) as package:
        for piece in _pieces(package, "content.xml", (b"<",)):
            if lossy := _LOSSY.search(piece):
                what = (lossy[1] or lossy[2]).decode()
                raise InputUnusable("input.odf_content", file=path.name, what=what)


def _member(package: zipfile.ZipFile, names: dict[str, str], index: int) -> str:
    sheets = _SHEET.findall(package.read(names["xl/workbook.xml"]))
    relations = {}
    for tag in _RELATION.findall(package.read(names["xl/_rels/workbook.xml.rels"])):
        attributes = dict(re.findall(rb'(\w+)="([^"]*)"', tag))
        relations[attributes[b"Id"]] = attributes[b"Target"].decode()
    found = _SHEET_ID.search(sheets[index]) if index < len(sheets) else None
    target = relations[found[1]] if found else ""
    return names[(target[1:] if target.startswith("/") else f"xl/{target}").lower()]


def _pieces(package: zipfile.ZipFile, member: str, begins: tuple[bytes, ...] = ()) -> Iterator[bytes]:
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
