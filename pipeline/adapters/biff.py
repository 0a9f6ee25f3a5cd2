"""What calamine does not tell of a sheet of the old Excel format (.xls), found in its records.

An error comes as empty: its text is returned. Rows that are hidden. How numbers are shown is not looked up: they are
plain. The file is a small file system (a compound file); one stream in it holds the records of every sheet.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.adapters.package import Untold
from pipeline.errors import InputUnusable

_SHEET, _BEGIN, _END, _ROW, _FORMULA, _ERROR = 0x85, 0x809, 0x0A, 0x208, 0x06, 0x205
#: a row without height; a formula whose result is an error
_NO_HEIGHT, _FAILED = 0x20, 2
_ERRORS = {
    0: "#NULL!",
    7: "#DIV/0!",
    15: "#VALUE!",
    23: "#REF!",
    29: "#NAME?",
    36: "#NUM!",
    42: "#N/A",
    43: "#GETTING_DATA",
}
#: a row without height, an error, a failed formula: where none of these bytes are, no record need be looked at
_WORTH = re.compile(
    rb"\x08\x02\x10\x00.{12}[\x20-\x3f\x60-\x7f\xa0-\xbf\xe0-\xff]|\x05\x02\x08\x00|\x02\x00.\x00\x00\x00\xff\xff",
    re.DOTALL,
)
#: from here on the number of a sector says that there is none
_NO_SECTOR = 0xFFFFFFFA
_SMALL, _ENTRY, _LISTED = 64, 128, 109
_NAMES = tuple(name.encode("utf-16-le") for name in ("Workbook\0", "Book\0"))


def look(path: Path, index: int) -> Untold:
    """Return what is not told of the sheet at ``index``. Raises ``InputUnusable``: ``input.damaged``."""
    errors: dict[int, dict[int, str]] = {}
    hidden: list[range] = []
    try:
        stream = _workbook(path.read_bytes())
        if _WORTH.search(stream):
            sheets = [_words(stream[at : at + 4])[0] for kind, at in _records(stream, 0) if kind == _SHEET]
            for kind, at in _records(stream, sheets[index]):
                if kind == _ROW and stream[at + 12] & _NO_HEIGHT:
                    row = _place(stream, at)[0]
                    hidden.append(range(row, row + 1))
                elif (error := _error(stream, kind, at)) is not None:
                    row, column = _place(stream, at)
                    errors.setdefault(row, {})[column] = _ERRORS.get(error, "#VALUE!")
    except (struct.error, IndexError, ValueError, EOFError):
        raise InputUnusable("input.damaged", file=path.name) from None
    return Untold(errors, {}, hidden)


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield kind and place of the records of a part of the stream, without the parts within it, such as charts."""
    depth = 0
    while True:
        kind, size = struct.unpack_from("<2H", stream, at)
        if kind == _BEGIN:
            depth += 1
        elif kind == _END:
            depth -= 1
            if depth < 1:
                return
        elif depth <= 1:
            yield kind, at + 4
        at += 4 + size


def _place(stream: bytes, at: int) -> tuple[int, int]:
    """Return row and column of a cell, from 1."""
    row, column = struct.unpack_from("<2H", stream, at)
    return row + 1, column + 1


def _error(stream: bytes, kind: int, at: int) -> int | None:
    """Return the number of the error that a cell holds, in a record of its own or instead of a formula's result."""
    if kind == _ERROR and stream[at + 7]:
        return stream[at + 6]
    if kind == _FORMULA and stream[at + 6] == _FAILED and stream[at + 12 : at + 14] == b"\xff\xff":
        return stream[at + 8]
    return None


@dataclass(frozen=True, slots=True)
class _Sectors:
    """Bytes in sectors, and the table that says of each sector which one follows it."""

    data: bytes
    size: int
    follows: Sequence[int] = ()

    def one(self, number: int) -> bytes:
        return self.data[number * self.size : (number + 1) * self.size]

    def read(self, number: int) -> bytes:
        """Return a chain of sectors; one that never ends is as long as its table."""
        found: list[bytes] = []
        while number < _NO_SECTOR and len(found) < len(self.follows):
            found.append(self.one(number))
            number = self.follows[number]
        return b"".join(found)


def _workbook(file: bytes) -> bytes:
    """Return the stream that holds the records of all sheets."""
    shift, folder, small_below, small_table, _, more = struct.unpack_from("<H16xI4x4I", file, 30)
    sectors = _Sectors(file[1 << shift :], 1 << shift)
    tables = list(_words(file[76:512]))
    # A list that never ends is as long as the file.
    while more < _NO_SECTOR and len(tables) * sectors.size < len(file) + sectors.size * _LISTED:
        *numbers, more = _words(sectors.one(more))
        tables += numbers or [_NO_SECTOR]
    table = _words(b"".join(sectors.one(number) for number in tables if number < _NO_SECTOR))
    sectors = _Sectors(sectors.data, sectors.size, table)
    entries = sectors.read(folder)
    places = [at for name in _NAMES for at in range(0, len(entries), _ENTRY) if entries.startswith(name, at)]
    start, length = _words(entries[places[0] + 116 : places[0] + 124])
    if length < small_below:
        # A short stream is kept in small sectors, within a stream of the first entry.
        (root,) = _words(entries[116:120])
        sectors = _Sectors(sectors.read(root), _SMALL, _words(sectors.read(small_table)))
    stream = sectors.read(start)
    if len(stream) < length:
        raise EOFError
    return stream[:length]


def _words(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data)
