"""What must hold for any input of the reader; the fuzzer asks it of every input it makes up."""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.adapters.inputs import open_input
from pipeline.adapters.tabular import open_text
from pipeline.errors import MediasmsError
from schemas.recipients import INPUT_ROW
from tests.fuzz import oracle

#: block sizes that put borders everywhere
_SIZES: Final = (1, 2, 3, 5, 16, 61, 256)
#: how workbooks begin: ZIP archives and OLE containers
_WORKBOOK: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
#: refused for what they begin with, before anything is read
_OTHER_KINDS: Final = {"input.not_a_table", "input.html", "input.xml_spreadsheet"}
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - only a folder of this process, not on a disk where there is one

Row = tuple[int, list[str]]

warnings.simplefilter("error")
_folder: Final = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))


class BrokenError(AssertionError):
    """Something that must hold does not; the first argument names it."""


def _must(holds: bool, name: str, *facts: object) -> None:  # noqa: FBT001 - reads like an assertion
    if not holds:
        raise BrokenError(name, *facts)


@dataclass(frozen=True)
class _Outcome:
    """The code of a failure, or a table and its rows."""

    code: str = ""
    table: Any = None
    rows: tuple[Row, ...] = ()


def examine(data: bytes) -> str:
    """Read one input and judge what came of it; returns the code of the failure, or what was read."""
    workbook = data.startswith(_WORKBOOK)
    path = _folder / ("input.xlsx" if workbook else "input.csv")
    path.write_bytes(data)
    # Both ways of reading must be met, but not by each input.
    header = len(data) % 2 == 1
    whole = _outcome(lambda: open_input(path), header=header)
    if workbook:
        return whole.code or "workbook"
    if whole.code in _OTHER_KINDS:
        return whole.code
    size = max(_SIZES[len(data) % len(_SIZES)], len(data) // 16)
    pieces = _outcome(lambda: open_text(path, block=size), header=header)
    _must(bool(whole.code) == bool(pieces.code), f"block-{whole.code or 'read'}-{pieces.code or 'read'}", size)
    if whole.code:
        # A file with two faults may be refused for either.
        for code in {whole.code, pieces.code}:
            _judge_refusal(data, code)
    else:
        names = ("form", "sha256", "first_record", "records")
        _must(all(getattr(whole.table, name) == getattr(pieces.table, name) for name in names), "block-table", size)
        _must(whole.rows == pieces.rows, "block-rows", size)
        _judge_reading(data, whole, header=header)
    return whole.code or "read"


def _outcome(opened: Callable[[], Any], *, header: bool) -> _Outcome:
    try:
        table = opened()
        return _Outcome("", table, _rows(table, header=header))
    except MediasmsError as error:
        _must(bool(str(error)), "no-message", error.code)
        return _Outcome(error.code)


def _rows(table: Any, *, header: bool) -> tuple[Row, ...]:  # noqa: ANN401 - a text table or a sheet
    columns = [f"c{number}" for number in range(len(table.first_record))]
    rows: list[Row] = []
    for chunk in table.chunks(columns, header=header):
        _must(list(chunk.columns) == [INPUT_ROW, *columns], "columns", list(chunk.columns))
        cells = zip(*(chunk[column].tolist() for column in columns), strict=True)
        rows += zip(map(int, chunk[INPUT_ROW]), map(list, cells), strict=True)
    _must(all(type(cell) is str for _, row in rows for cell in row), "not-text", rows[:5])
    return tuple(rows)


def _judge_reading(data: bytes, outcome: _Outcome, *, header: bool) -> None:
    table = outcome.table
    kind, encoding, delimiter = table.form
    known = oracle.read(data, delimiter)
    _must(kind == "text" and known is not None and known.whole, "read-what-csv-refuses", table.form)
    assert known is not None
    _must((encoding, delimiter) == (known.encoding, known.delimiter), "form", table.form, known.encoding)
    _must(table.sha256 == hashlib.sha256(data).hexdigest(), "digest")
    _must(table.records == (known.rows[-1][0] if known.rows else 0), "records", table.records, len(known.rows))
    rows = dict(known.rows)
    first = known.first
    _must(first is not None and list(table.first_record) == rows[first], "first-record", table.first_record, first)
    assert first is not None
    if header:
        rows = {number: row for number, row in rows.items() if number > first}
    expected = tuple((number, row) for number, row in rows.items() if _holds(row, len(table.first_record)))
    _must(outcome.rows == expected, "cells", outcome.rows[:5], expected[:5])


def _holds(row: list[str], width: int) -> bool:
    """Say whether a row is a record: of another width, it is none if it holds only spaces."""
    return any(row) if len(row) == width else any(cell.strip(" \t\r\n") for cell in row)


def _judge_refusal(data: bytes, code: str) -> None:
    """Check that what the file was refused for is there, whatever its delimiter is."""
    readings = [reading for delimiter in ",\t;" if (reading := oracle.read(data, delimiter))]
    utf16 = any(reading.encoding.startswith("utf-16") for reading in readings)
    nul = any("\0" in cell for reading in readings for _, row in reading.rows for cell in row) or not readings
    widths = [{len(row) for _, row in reading.rows if _holds(row, 0)} for reading in readings]
    there = {
        "input.empty": not readings or any(reading.first is None for reading in readings),
        "input.nul": nul,
        "input.utf16_without_bom": nul and not utf16,
        # CP932 with UTF-8 within is refused although it decodes.
        "input.encoding": not readings or readings[0].encoding == "cp932",
        "input.quote": not readings or not all(reading.whole for reading in readings),
        "input.ragged": not readings or any(len(found) > 1 for found in widths),
    }
    _must(there.get(code, False), f"refused-{code}")
