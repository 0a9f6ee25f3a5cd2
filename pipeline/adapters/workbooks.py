"""Tables in workbooks: Excel (xlsx, xlsm, xls) and LibreOffice (ods), read by calamine.

A cell arrives as a person would type it: a number in plain digits, a number or a time as a simple format of its cell
shows it, a date in ISO form, text verbatim, whatever it starts with. A sheet is a rectangle: rows shorter than the
first record are filled with empty cells, and a row is numbered as the sheet numbers it. Without a name the first sheet
that holds anything is read. What a person does not see is never read unasked: hidden rows, or a first sheet that is
hidden, stop the file. So does a cell that was merged over several rows and the heading; which others are in the way
depends on the columns that are used. Numbers and times that arrive otherwise than they are shown are counted. Error
cells arrive as their text (``#N/A``). What calamine does not tell is found by ``excel``, ``opendocument`` and ``biff``.
Excel's binary xlsb is not read: a far-away cell would end the process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import python_calamine as calamine

from pipeline.adapters import biff, excel, opendocument
from pipeline.adapters.clocks import Clock, seconds_of, time_of
from pipeline.adapters.numbers import Shape, plain
from pipeline.adapters.package import Untold, cell_name, check_package
from pipeline.adapters.tabular import text_frame
from pipeline.errors import InputUnusable, UsageError

#: rows of a sheet a chunk
ROWS = 50_000
#: the first bytes of the file format of Office before 2007, also of an encrypted workbook of today
OLE = bytes.fromhex("d0cf11e0a1b11ae1")

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_PIECE = 1 << 20
_HALF_A_SECOND = timedelta(seconds=0.5)
#: what calamine says when it would have to hold more than 100,000,000 cells, used or not
_TOO_WIDE = "Cell limit exceeded"

Cell = str | float | bool | date | time | timedelta
Sheet = calamine.CalamineSheet


@dataclass(frozen=True, slots=True)
class WorkbookTable:
    """A sheet that was loaded; its cells become text when the rows are asked for."""

    path: Path
    kind: str
    sha256: str
    loaded: Sheet
    untold: Untold
    first_record: tuple[str, ...]
    #: the sheet's row of the first record
    first_row: int
    #: other visible sheets that hold something, and in how many rows; empty when the sheet was chosen
    other_sheets: Mapping[str, int]
    #: cells merged over several rows below the heading: the places of their columns, and their name
    merged: Sequence[tuple[range, str]] = ()
    block: int = ROWS
    #: what arrived otherwise than it is shown, counted as chunks are read: by place, how many, the first row
    unformatted: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name for messages."""
        return self.path.name

    @property
    def form(self) -> tuple[str, ...]:
        """What decides which cells are read."""
        return "workbook", self.kind, self.sheet

    @property
    def sheet(self) -> str:
        """The name of the sheet."""
        return self.loaded.name

    @property
    def records(self) -> int:
        """The number of rows up to the last used one."""
        return self.loaded.end[0] + 1 if self.loaded.end else 0

    def chunks(self, columns: Sequence[str], *, header: bool) -> Iterator[pd.DataFrame]:
        """Yield the rows as tables of ``row_number`` and ``columns``; rows that hold nothing are left out.

        Raises ``InputUnusable`` (``input.ragged``) for a cell to the right of the columns.
        """
        width = len(columns)
        self.unformatted.clear()
        rows = rows_of(self.loaded, self.untold, self.unformatted)
        if header:
            rows = islice(rows, self.first_row, None)
        number = self.first_row if header else 0
        while part := list(islice(rows, self.block)):
            part = self._fitted(part, number, width)
            arrays = [pa.array(column, pa.large_string()) for column in zip(*part, strict=True)]
            frame = text_frame(np.arange(number + 1, number + 1 + len(part)), arrays, columns)
            number += len(part)
            if len(frame):
                yield frame

    def _fitted(self, rows: list[list[str]], before: int, width: int) -> list[list[str]]:
        """Return rows of ``width`` cells; all rows of a sheet are equally wide, but the table may not be."""
        if len(rows[0]) == width:
            return rows
        for at, row in enumerate(rows, before + 1):
            if any(row[width:]):
                found = max(place for place, cell in enumerate(row, 1) if cell)
                raise InputUnusable("input.ragged", file=self.name, row=at, found=found, expected=width)
        return [row[:width] + [""] * (width - len(row)) for row in rows]


def rows_of(sheet: Sheet, untold: Untold, unformatted: dict[int, tuple[int, int]] | None = None) -> Iterator[list[str]]:
    """Yield every row of a sheet from the first used column on, and count what is ``unformatted``."""
    left = sheet.start[1] + 1 if sheet.start else 1
    for number, cells in enumerate(sheet.iter_rows(), 1):
        places = range(len(cells))
        for column, length in untold.lengths.get(number, {}).items():
            if column - left in places:
                cells[column - left] = length
        for column, shape in untold.shapes.get(number, ()):
            cell = cells[column - left] if column - left in places else ""
            if _is_shown_so(cell, shape):
                shown = _shown(cell, shape)
                cells[column - left] = shown or cell
                if shown is None and unformatted is not None:
                    count, first = unformatted.get(column - left, (0, number))
                    unformatted[column - left] = count + 1, first
        for column, text in untold.errors.get(number, {}).items():
            if column - left in places:
                cells[column - left] = text
        yield [cell if type(cell) is str else as_text(cell) for cell in cells]


def _is_shown_so(cell: Cell, shape: Shape | Clock | None) -> bool:
    """Say whether a format is about this cell: one of numbers says nothing about a text, a truth or a date."""
    if isinstance(cell, time | timedelta):
        return True
    if isinstance(cell, datetime):  # of which only the time is shown
        return not isinstance(shape, Shape)
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _shown(cell: Cell, shape: Shape | Clock | None) -> str | None:
    """Return what a cell shows under a format; None where that is not read."""
    if isinstance(cell, time | timedelta):
        return shape.show(cell) if isinstance(shape, Clock) else None
    return shape.show(cell) if isinstance(shape, Shape) and isinstance(cell, int | float) else None


def as_text(cell: Cell) -> str:
    """Return what a person would type to get this cell; a time to the second, as a day's fraction is rarely exact."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        return plain(cell)
    if isinstance(cell, datetime):
        cell = (cell + _HALF_A_SECOND).replace(microsecond=0)
        return f"{cell.date().isoformat()} {_clock(cell.time())}"
    if isinstance(cell, time):
        return _clock(time_of(seconds_of(cell)))
    if isinstance(cell, timedelta):
        return _duration(seconds_of(cell))
    return cell.isoformat() if isinstance(cell, date) else cell


def _clock(clock: time) -> str:
    return clock.isoformat("seconds" if clock.second else "minutes")


def _duration(length: int) -> str:
    seconds = abs(length)
    sign = "-" if length < 0 else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def open_workbook(path: Path, *, sheet: str | None = None, block: int = ROWS) -> WorkbookTable:
    """Load a sheet of a workbook.

    Raises ``InputUnusable`` (``input.damaged``, ``input.bomb``, ``input.encrypted``, ``input.not_a_table``,
    ``input.xlsb``, ``input.uncalculated``, ``input.cell_error``, ``input.too_wide``, ``input.odf_content``,
    ``input.hidden_sheet``, ``input.hidden_rows``, ``input.merged_cells``, ``input.empty``) and ``UsageError``
    (``input.no_sheet``).
    """
    with path.open("rb") as stream:
        kind = "xls" if stream.read(len(OLE)) == OLE else check_package(path)
        stream.seek(0)
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if kind == "xls" and _is_encrypted(path):
        raise InputUnusable("input.encrypted", file=path.name)
    book = _Book(path, kind)
    for at in book.chosen(sheet):
        loaded, untold = book.load(at)
        for number, row in enumerate(rows_of(loaded, untold), 1):
            if any(cell.strip() for cell in row):
                _refuse_hidden_rows(path, loaded, untold)
                merged = _merged_below(path, loaded, untold, number)
                width = max(place for place, cell in enumerate(row, 1) if cell)
                others = book.others(at) if sheet is None else {}
                first = tuple(row[:width])
                return WorkbookTable(path, kind, digest, loaded, untold, first, number, others, merged, block)
    raise InputUnusable("input.empty", file=path.name)


class _Book:
    """A workbook and its sheets, by their place in it."""

    def __init__(self, path: Path, kind: str) -> None:
        self._path = path
        self._kind = kind
        with _Reading(path):
            self._book = calamine.CalamineWorkbook.from_path(path)
            sheets = self._book.sheets_metadata
        self._names = [found.name for found in sheets]
        self._tables = [at for at, found in enumerate(sheets) if found.typ is calamine.SheetTypeEnum.WorkSheet]
        self._seen = [at for at in self._tables if sheets[at].visible is calamine.SheetVisibleEnum.Visible]

    def chosen(self, name: str | None) -> Iterator[int]:
        """Yield the sheets that may be meant: the one of this name, else one after the other.

        A hidden one that holds something is not passed over: which one is the list would be a guess.
        """
        if name is not None:
            if named := [at for at in self._tables if self._names[at] == name]:
                yield from named
                return
            raise UsageError("input.no_sheet", file=self._path.name, sheet=name, sheets=", ".join(self._names))
        for at in self._tables:
            if at in self._seen:
                yield at
            elif self._count(at):
                names = ", ".join(self._names[seen] for seen in self._seen)
                raise InputUnusable("input.hidden_sheet", file=self._path.name, sheet=self._names[at], sheets=names)

    def load(self, at: int) -> tuple[Sheet, Untold]:
        """Return a sheet, and what the reader does not tell of it."""
        if self._kind == "ods":
            untold = opendocument.look(self._path, self._names[at])
        elif self._kind == "xls":
            untold = biff.look(self._path, at)
        else:
            untold = excel.look(self._path, at)
        return self._get(at), untold

    def others(self, but: int) -> dict[str, int]:
        """Return the other visible sheets that hold something, and in how many rows."""
        counts = {self._names[at]: self._count(at) for at in self._seen if at != but}
        return {name: count for name, count in counts.items() if count}

    def _count(self, at: int) -> int:
        """Return how many rows of a sheet hold something."""
        if self._kind in {"ods", "xls"}:  # these are in memory already
            return sum(any(cell != "" for cell in row) for row in self._get(at).iter_rows())
        return excel.count_rows(self._path, at)

    def _get(self, at: int) -> Sheet:
        with _Reading(self._path):
            return self._book.get_sheet_by_index(at)


def _refuse_hidden_rows(path: Path, sheet: Sheet, untold: Untold) -> None:
    """Refuse a sheet of which a person does not see all rows: these would go out, or would not, by a guess."""
    if not untold.hidden or sheet.end is None:
        return
    beyond = sheet.end[0] + 2
    hidden = {row for rows in untold.hidden for row in range(rows.start, min(rows.stop, beyond))}
    held = [at for at, row in enumerate(rows_of(sheet, untold), 1) if at in hidden and any(map(str.strip, row))]
    if held:
        facts = {"sheet": sheet.name, "count": len(held), "row": held[0]}
        raise InputUnusable("input.hidden_rows", file=path.name, **facts)


def _merged_below(path: Path, sheet: Sheet, untold: Untold, header: int) -> tuple[tuple[range, str], ...]:
    """Return the cells over several rows below the ``header``, the uppermost first: their columns' places, their names.

    One that holds nothing is as good as several; so is one over several columns of a row. Raises ``InputUnusable``
    (``input.merged_cells``) for one that is merged with the header.
    """
    told = [
        ((top + 1, left + 1), (last + 1, right + 1)) for (top, left), (last, right) in sheet.merged_cell_ranges or ()
    ]
    over = sorted(found for found in (*told, *untold.merged) if found[1][0] > max(found[0][0], header))
    if not over:
        return ()
    left = sheet.start[1] + 1 if sheet.start else 1
    first_rows = {place[0] for place, _ in over}
    rows = {at: row for at, row in enumerate(rows_of(sheet, untold), 1) if at in first_rows}
    held = []
    for first, last in over:
        places = range(max(first[1] - left, 0), last[1] - left + 1)
        if first[0] in rows and "".join(rows[first[0]][places.start : places.stop]).strip():
            held.append((places, f"{cell_name(first)}:{cell_name(last)}"))
            if first[0] <= header:
                raise merged_cells(path.name, sheet.name, [held[-1][1]])
    return tuple(held)


def merged_cells(file: str, sheet: str | None, names: Sequence[str]) -> InputUnusable:
    """Say that cells are merged over several rows: to whom of them a value belongs is a person's to say."""
    return InputUnusable("input.merged_cells", file=file, sheet=sheet, count=len(names), cells=names[0])


def _is_encrypted(path: Path) -> bool:
    """Tell whether a file of the old format is the envelope of an encrypted workbook."""
    kept = b""
    with path.open("rb") as stream:
        while data := stream.read(_PIECE):
            if _ENCRYPTED in kept + data:
                return True
            kept = data[-len(_ENCRYPTED) :]
    return False


class _Reading:
    """What calamine says about a file, in our words. Its own would be in Rust's, and may quote the file."""

    def __init__(self, path: Path) -> None:
        self._name = path.name

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, calamine.PasswordError):
            raise InputUnusable("input.encrypted", file=self._name) from None
        if isinstance(error, calamine.CalamineError) and _TOO_WIDE in str(error):
            raise InputUnusable("input.too_wide", file=self._name) from None
        # A panic of the reader derives from BaseException, so that nobody catches it by accident.
        if isinstance(error, calamine.CalamineError) or (kind and kind.__name__ == "PanicException"):
            raise InputUnusable("input.damaged", file=self._name) from None
