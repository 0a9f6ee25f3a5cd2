"""Workbooks for tests: made, changed, and read as the product reads them."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import xlsxwriter

from pipeline.adapters.workbooks import OLE, WorkbookTable, open_workbook
from pipeline.errors import InputUnusable
from schemas.recipients import INPUT_ROW, enforce, input_contract

Rows = list[tuple[int, list[str]]]
SHEET: Final = "xl/worksheets/sheet1.xml"
FORMATS: Final = {datetime: "yyyy-mm-dd hh:mm:ss", date: "yyyy-mm-dd", time: "hh:mm:ss", timedelta: "[h]:mm:ss"}


def workbook(path: Path, sheets: dict[str, list[list[Any]]], *, down: int = 0, right: int = 0) -> Path:
    with xlsxwriter.Workbook(path) as book:
        formats = {kind: book.add_format({"num_format": shape}) for kind, shape in FORMATS.items()}
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for row, cells in enumerate(rows, down):
                for column, cell in enumerate(cells, right):
                    if isinstance(cell, str):
                        sheet.write_string(row, column, cell)
                    elif cell is not None:
                        sheet.write(row, column, cell, formats.get(type(cell)))
    return path


def changed(path: Path, member: str, before: bytes, after: bytes) -> Path:
    """Write the workbook anew with bytes of one of its members replaced."""
    with zipfile.ZipFile(path) as package:
        members = {name: package.read(name) for name in package.namelist()}
    assert before in members[member]
    members[member] = members[member].replace(before, after)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members.items():
            package.writestr(name, data)
    return path


def read(table: WorkbookTable, *, header: bool = True, width: int | None = None) -> Rows:
    columns = [f"c{number}" for number in range(width or len(table.first_record))]
    rows: Rows = []
    for chunk in table.chunks(columns, header=header):
        assert len(chunk)
        enforce(input_contract(columns), chunk, "recipients")
        rows += [(int(row[0]), [str(cell) for cell in row[1:]]) for row in chunk.itertuples(index=False)]
        assert list(chunk.columns) == [INPUT_ROW, *columns]
    return rows


def refused(path: Path) -> tuple[str, dict[str, object]]:
    with pytest.raises(InputUnusable) as caught:
        read(open_workbook(path))
    assert caught.value.facts.pop("file") == path.name
    return caught.value.code, caught.value.facts


_CONTENT: Final = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"><office:automatic-styles>'
    '<style:style style:name="off" style:family="table"><style:table-properties table:display="false"/></style:style>'
    "</office:automatic-styles><office:body><office:spreadsheet>TABLES</office:spreadsheet></office:body>"
    "</office:document-content>"
)


def open_document(path: Path, tables: dict[str, str], manifest: str = "<manifest/>") -> Path:
    """Write an ods of tables by name, each the XML of its rows; a name that begins with - is a hidden table's."""
    shown = ""
    for name, rows in tables.items():
        style = ' table:style-name="off"' if name.startswith("-") else ""
        shown += f'<table:table table:name="{name.removeprefix("-")}"{style}>{rows}</table:table>'
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        file.writestr("META-INF/manifest.xml", manifest)
        file.writestr("content.xml", _CONTENT.replace("TABLES", shown))
    return path


def row(*cells: str, attributes: str = "") -> str:
    """Return a row of an ods; cells are texts, or XML."""
    text = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    texts = [cell if cell.startswith("<") else text.format(cell) for cell in cells]
    return f"<table:table-row {attributes}>{''.join(texts)}</table:table-row>"


def number(value: str, shown: str, attributes: str = "") -> str:
    """Return a cell of an ods that holds a number."""
    kind = "percentage" if "%" in shown else "float"
    value_of = f'office:value-type="{kind}" office:value="{value}"'
    return f"<table:table-cell {attributes} {value_of}><text:p>{shown}</text:p></table:table-cell>"


def ods(path: Path, manifest: str = "<manifest/>", cell: str = "<text:p>tel</text:p>") -> Path:
    """Write an ods of one row whose first cell is given."""
    first = f'<table:table-cell office:value-type="string">{cell}</table:table-cell>'
    return open_document(path, {"名簿": row(first, number("9012345678", "x"))}, manifest)


def _record(kind: int, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack("<2H", kind, len(data)) + data


def merged_record(*ranges: tuple[int, int, int, int]) -> bytes:
    """Return the record of merged cells, each first and last row, first and last column, from 0."""
    return _record(0xE5, struct.pack("<H", len(ranges)), *(struct.pack("<4H", *cells) for cells in ranges))


def old_sheet(rows: list[list[str | int]], hidden: Collection[int] = (), more: bytes = b"") -> bytes:
    """Return the records of a sheet: texts, numbers, errors (``#N/A``), failed formulas (``=#N/A``), and ``more``."""
    errors = {"#N/A": 42, "#DIV/0!": 7}
    records = [_record(0x809, struct.pack("<4H2I", 0x600, 0x10, 0, 0, 0, 0))]
    records.append(_record(0x200, struct.pack("<2I3H", 0, len(rows), 0, 9, 0)))
    for at, cells in enumerate(rows):
        options = 0x120 if at + 1 in hidden else 0x100
        records.append(_record(0x208, struct.pack("<8H", at, 0, len(cells), 300, 0, 0, options, 15)))
        for column, cell in enumerate(cells):
            place = struct.pack("<3H", at, column, 0)
            if isinstance(cell, int):
                records.append(_record(0x203, place, struct.pack("<d", cell)))
            elif cell.removeprefix("=") in errors:
                code = errors[cell.removeprefix("=")]
                result = struct.pack("<6BH", 2, 0, code, 0, 0, 0, 0xFFFF)
                formula = _record(0x06, place, result, struct.pack("<HIHB", 0, 0, 1, 0x16))
                records.append(formula if cell.startswith("=") else _record(0x205, place, bytes([code, 1])))
            else:
                text = struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le")
                records.append(_record(0x204, place, text))
    # A chart is a part within the part, with records and an end of its own.
    chart = _record(0x809, struct.pack("<4H2I", 0x600, 0x20, 0, 0, 0, 0)) + _record(0x0A)
    return b"".join((*records, more, chart, _record(0x0A)))


def old_workbook(path: Path, sheets: dict[str, bytes], *, small: bool = False) -> Path:
    """Write an xls: a compound file with one stream, in sectors of its own or, when ``small``, within another one."""
    names = [struct.pack("<BB", len(name), 1) + name.encode("utf-16-le") for name in sheets]
    before = _record(0x809, struct.pack("<4H2I", 0x600, 0x05, 0, 0, 0, 0)) + _record(0x42, struct.pack("<H", 1200))
    place = len(before) + sum(10 + len(name) for name in names) + 4
    for name, records in zip(names, sheets.values(), strict=True):
        before += _record(0x85, struct.pack("<IH", place, 0), name)
        place += len(records)
    stream = b"".join((before, _record(0x0A), *sheets.values()))
    stream = stream if small else stream.ljust(4096, b"\0")
    body = stream.ljust(-(-len(stream) // 512) * 512, b"\0")
    last = 3 + len(body) // 512 - 1
    table = [0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFE, *range(4, last + 1), 0xFFFFFFFE]
    small_table = struct.pack("<127I", *range(1, 127), 0xFFFFFFFE).ljust(512, b"\xff")

    def entry(name: str, kind: int, start: int, size: int, child: int = 0xFFFFFFFF) -> bytes:
        named = (name + "\0").encode("utf-16-le")
        head = struct.pack("<64sHBB3I", named, len(named), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
        return head.ljust(116, b"\0") + struct.pack("<3I", start, size, 0)

    root = entry("Root Entry", 5, 3 if small else 0xFFFFFFFE, len(body) if small else 0, 1)
    folder = root + entry("Workbook", 2, 0 if small else 3, len(stream))
    header = struct.pack("<8s16x5H6x", OLE, 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, 2, 1, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    fat = struct.pack(f"<{len(table)}I", *table).ljust(512, b"\xff")
    path.write_bytes(header + fat + folder.ljust(512, b"\0") + small_table + body)
    return path
