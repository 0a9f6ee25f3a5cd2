"""What calamine does not tell of a sheet of LibreOffice's format, found in the bytes of its package.

An error comes as empty: its text is returned. Rows that are hidden, cells that were merged over rows. How numbers are
shown, which the file says itself. TABs, line breaks and readings within a text are dropped: they stop the file.
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from datetime import time, timedelta
from itertools import pairwise
from pathlib import Path

from pipeline.adapters.clocks import Clock, read_length, read_shown_clock
from pipeline.adapters.numbers import Shape, read_shown
from pipeline.adapters.package import COLUMNS, ROWS, Place, Shapes, Untold, cell_name, error_text, opened, pieces
from pipeline.errors import InputUnusable

_TABLE, _ROW, _CELL = b"<table:table ", b"<table:table-row", b"<table:table-cell"
_TABLE_OR_ROW = re.compile(rb"<table:table(?:-row)?[\s/>]")
_NAME = re.compile(rb"\stable:name\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_ROWS_REPEATED = re.compile(rb"\stable:number-rows-repeated\s*=\s*[\"']([0-9]+)")
_COLUMNS_REPEATED = re.compile(rb"<table:table-cell\s(?:[^>]*?\s)?table:number-columns-repeated\s*=\s*[\"']([0-9]+)")
_SPANS_ROWS = re.compile(rb"\stable:number-rows-spanned\s*=\s*[\"']([0-9]+)")
_SPANS_COLUMNS = re.compile(rb"\stable:number-columns-spanned\s*=\s*[\"']([0-9]+)")
_HIDES = re.compile(rb"table:visibility\s*=\s*[\"'](?:filter|collapse)[\"']")
_LOSSY = re.compile(rb"<text:(tab|line-break|ruby)\b")
_ERROR = re.compile(rb"value-type=\"error\"[^>]*>(?:<text:p>([^<]*)</text:p>)?")
#: a number that is not shown as it is stored
_SHOWN = re.compile(
    rb"office:value=\"([^\"]*)\"[^>]*>(?!<text:p>\1</text:p>)<text:p>(?:<text:s[^>]*/>)*([^<]*)</text:p>"
)
_TIME = re.compile(rb"office:time-value=\"([^\"]*)\"[^>]*>(?:<text:p>(?:<text:s[^>]*/>)*([^<]*)</text:p>)?")
#: a moment of which only the time is shown
_ONLY_TIME = re.compile(rb"office:date-value=\"[^\"]*\"[^>]*><text:p>[0-9]+:[0-9]{2}(?::[0-9]{2})?</text:p>")
#: how programs that do not mark an error show one
_FAILED = re.compile(rb"#[A-Z]|Err:")
_NOTE = re.compile(rb"<office:annotation[\s>].*?</office:annotation>", re.DOTALL)

#: what makes a row worth a look
_WORTH = (_HIDES, _LOSSY, _ERROR, _SHOWN, _TIME, _ONLY_TIME, _SPANS_ROWS)


def look(path: Path, sheet: str) -> Untold:
    """Return what is not told of a sheet.

    Raises ``InputUnusable``: ``input.damaged``, ``input.odf_content``.
    """
    errors: dict[int, dict[int, str]] = {}
    shapes: dict[int, Shapes] = {}
    lengths: dict[int, dict[int, time | timedelta]] = {}
    hidden: list[range] = []
    merged: list[tuple[Place, Place]] = []
    known: dict[Shapes, Shapes] = {}
    with opened(path) as package:
        for rows, row in _rows(package, sheet):
            if _HIDES.search(row, 0, row.index(b">")):
                hidden.append(rows)
            merged += _merged(row, rows[0])
            if lossy := _LOSSY.search(row):
                cell = cell_name((rows[0], _columns(row, lossy.start())[0]))
                what = lossy[1].decode()
                raise InputUnusable("input.odf_content", file=path.name, sheet=sheet, cell=cell, what=what)
            wrong, shaped = _read(row)
            timed, clocks = _read_times(row)
            shaped += clocks
            shaped = known.setdefault(shaped, shaped)
            for number in rows[:ROWS]:
                if wrong:
                    errors[number] = wrong
                if shaped:
                    shapes[number] = shaped
                if timed:
                    lengths[number] = timed
    return Untold(errors, shapes, hidden, merged, lengths)


def _rows(package: zipfile.ZipFile, sheet: str) -> Iterator[tuple[range, bytes]]:
    """Yield the rows of a sheet that may hold something untold: which ones they are, and their bytes without notes.

    A sheet that is not found is damage.
    """
    within = found = False
    number = 1
    for given in pieces(package, "content.xml", (_TABLE, _ROW)):
        piece = _NOTE.sub(b"", given)
        worth = any(pattern.search(piece) for pattern in _WORTH)
        starts = [tag.start() for tag in _TABLE_OR_ROW.finditer(piece)]
        for start, end in pairwise([*starts, len(piece)]):
            tag = piece[start : piece.index(b">", start)]
            if tag.startswith(_TABLE):
                name = _NAME.search(tag)
                within = name is not None and html.unescape((name[1] or name[2] or b"").decode()) == sheet
                found, number = found or within, 1
            elif within:
                repeated = _ROWS_REPEATED.search(tag)
                beyond = number + ((repeated and int(repeated[1])) or 1)
                if worth:
                    yield range(number, beyond), piece[start:end].replace(b"<table:covered-table-cell", _CELL)
                number = beyond
    if not found:
        raise zipfile.BadZipFile


def _read(row: bytes) -> tuple[dict[int, str], Shapes]:
    """Return the errors of a row, and how its numbers are shown where that is not plain."""
    errors: dict[int, str] = {}
    shapes: list[tuple[int, Shape | None]] = []
    for cell in _ERROR.finditer(row):
        errors |= dict.fromkeys(_columns(row, cell.start()), error_text((cell[1] or b"").decode()))
    for cell in _SHOWN.finditer(row):
        if _FAILED.match(cell[2]):
            errors |= dict.fromkeys(_columns(row, cell.start()), error_text(cell[2].decode()))
        else:
            shape = read_shown(cell[2].decode().strip(), float(cell[1]))
            shapes += [(column, shape) for column in _columns(row, cell.start())]
    return errors, tuple(shapes)


def _read_times(row: bytes) -> tuple[dict[int, time | timedelta], Shapes]:
    """Return the durations of a row, and how its times are shown."""
    lengths: dict[int, time | timedelta] = {}
    clocks: list[tuple[int, Clock | None]] = []
    for cell in _TIME.finditer(row):
        if (length := read_length(cell[1].decode())) is not None:
            clock = read_shown_clock((cell[2] or b"").decode().strip(), length)
            for column in _columns(row, cell.start()):
                lengths[column] = length
                clocks.append((column, clock))
    for cell in _ONLY_TIME.finditer(row):
        clocks += [(column, None) for column in _columns(row, cell.start())]
    return lengths, tuple(clocks)


def _merged(row: bytes, number: int) -> Iterator[tuple[Place, Place]]:
    """Yield the cells of a row that were merged with some below."""
    for found in _SPANS_ROWS.finditer(row):
        tag = row[row.rfind(b"<", 0, found.start()) : row.index(b">", found.start())]
        wide = _SPANS_COLUMNS.search(tag)
        below, beside = int(found[1]) - 1, int(wide[1]) - 1 if wide else 0
        if below > 0:
            column = _columns(row, found.start())[0]
            yield (number, column), (number + below, column + beside)


def _columns(row: bytes, place: int) -> range:
    """Return the columns, from 1, of the cell that holds a place of its row."""
    begin = row.rfind(_CELL, 0, place)
    column, count = row.count(_CELL, 0, place), 1
    if row.find(b"columns-repeated", 0, row.find(b">", place)) >= 0:
        column += sum(int(more) - 1 for more in _COLUMNS_REPEATED.findall(row, 0, begin))
        count = int(own[1]) if (own := _COLUMNS_REPEATED.match(row, begin)) else 1
    return range(column, column + min(count, COLUMNS))
