"""Tables in workbooks: Excel (xlsx, xlsm, xls) and LibreOffice (ods), read by calamine.

A cell arrives as a person would type it: a number without ``.0`` as long as all of its digits are known, a date in ISO
form, text verbatim, whatever it starts with. A sheet is a rectangle: rows shorter than the first record are filled
with empty cells, and a row is numbered as the sheet numbers it. Without a name the first visible sheet that holds
anything is read. Error cells (``#N/A``) arrive as their text from xlsx and xlsm; from xls the reader gives them as
empty, and an ods with such cells is refused. Excel's binary xlsb is not read: a far-away cell would end the process.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import python_calamine as calamine

from pipeline.adapters.package import check_open_document, check_package, hidden_values
from pipeline.adapters.tabular import text_frame
from pipeline.errors import InputUnusable, UsageError

#: rows of a sheet a chunk
ROWS = 50_000
#: up to here a spreadsheet holds every digit of a whole number
_EXACT = 1e15
#: the first bytes of the file format of Office before 2007, also of an encrypted workbook of today
OLE = bytes.fromhex("d0cf11e0a1b11ae1")

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_PIECE = 1 << 20
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
    sheet: Sheet
    #: error cells, by row and column from 1
    errors: dict[tuple[int, int], str]
    first_record: tuple[str, ...]
    #: the sheet's row of the first record
    first_row: int
    block: int = ROWS

    @property
    def name(self) -> str:
        """The name for messages."""
        return self.path.name

    @property
    def form(self) -> tuple[str, ...]:
        """What decides which cells are read."""
        return "workbook", self.kind, self.sheet.name

    @property
    def records(self) -> int:
        """The number of rows up to the last used one."""
        return self.sheet.end[0] + 1 if self.sheet.end else 0

    def chunks(self, columns: Sequence[str], *, header: bool) -> Iterator[pd.DataFrame]:
        """Yield the rows as tables of ``row_number`` and ``columns``; rows that hold nothing are left out.

        Raises ``InputUnusable`` (``input.ragged``) for a cell to the right of the columns.
        """
        width = len(columns)
        rows = rows_of(self.sheet, self.errors)
        if header:
            rows = islice(rows, self.first_row, None)
        number = self.first_row if header else 0
        while part := list(islice(rows, self.block)):
            for at, row in enumerate(part, number + 1):
                if any(row[width:]):
                    found = max(place for place, cell in enumerate(row, 1) if cell)
                    raise InputUnusable("input.ragged", file=self.name, row=at, found=found, expected=width)
            filled = [row[:width] + [""] * (width - len(row)) for row in part]
            arrays = [pa.array(column, pa.large_string()) for column in zip(*filled, strict=True)]
            frame = text_frame(np.arange(number + 1, number + 1 + len(part)), arrays, columns)
            number += len(part)
            if len(frame):
                yield frame


def rows_of(sheet: Sheet, errors: dict[tuple[int, int], str]) -> Iterator[list[str]]:
    """Yield every row of a sheet from its first one on, from the first used column on."""
    left = sheet.start[1] if sheet.start else 0
    by_row: dict[int, dict[int, str]] = {}
    for (row, column), text in errors.items():
        by_row.setdefault(row, {})[column - 1 - left] = text
    for number, cells in enumerate(sheet.iter_rows(), 1):
        texts = [cell if type(cell) is str else as_text(cell) for cell in cells]
        for column, text in by_row.get(number, {}).items():
            texts[column] = text
        yield texts


def as_text(cell: Cell) -> str:
    """Return what a person would type to get this cell."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        whole = math.isfinite(cell) and abs(cell) < _EXACT and cell == int(cell)
        return str(int(cell)) if whole else repr(cell)
    if isinstance(cell, datetime):
        return f"{cell.date().isoformat()} {_clock(cell.time())}"
    if isinstance(cell, time):
        return _clock(cell)
    if isinstance(cell, timedelta):
        return _duration(cell)
    return cell.isoformat() if isinstance(cell, date) else cell


def _clock(clock: time) -> str:
    return clock.isoformat("auto" if clock.second or clock.microsecond else "minutes")


def _duration(length: timedelta) -> str:
    seconds = round(abs(length).total_seconds())
    sign = "-" if length < timedelta() else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def open_workbook(path: Path, *, sheet: str | None = None, block: int = ROWS) -> WorkbookTable:
    """Load a sheet of a workbook.

    Raises ``InputUnusable`` (``input.damaged``, ``input.bomb``, ``input.encrypted``, ``input.not_a_table``,
    ``input.uncalculated``, ``input.too_wide``, ``input.odf_content``, ``input.empty``) and ``UsageError``
    (``input.no_sheet``).
    """
    with path.open("rb") as stream:
        kind = "xls" if stream.read(len(OLE)) == OLE else check_package(path)
        stream.seek(0)
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if kind == "xls" and _is_encrypted(path):
        raise InputUnusable("input.encrypted", file=path.name)
    if kind == "ods":
        check_open_document(path)
    with _Reading(path):
        book = calamine.CalamineWorkbook.from_path(path)
        sheets = book.sheets_metadata
    tables = [at for at, found in enumerate(sheets) if found.typ is calamine.SheetTypeEnum.WorkSheet]
    if sheet is None:
        tables = [at for at in tables if sheets[at].visible is calamine.SheetVisibleEnum.Visible] or tables
    else:
        tables = [at for at in tables if sheets[at].name == sheet]
        if not tables:
            names = ", ".join(found.name for found in sheets)
            raise UsageError("input.no_sheet", file=path.name, sheet=sheet, sheets=names)
    for at in tables:
        errors = hidden_values(path, at) if kind in {"xlsx", "xlsm"} else {}
        with _Reading(path):
            loaded = book.get_sheet_by_index(at)
        for number, row in enumerate(rows_of(loaded, errors), 1):
            if any(cell.strip() for cell in row):
                width = max(place for place, cell in enumerate(row, 1) if cell)
                return WorkbookTable(path, kind, digest, loaded, errors, tuple(row[:width]), number, block)
    raise InputUnusable("input.empty", file=path.name)


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
