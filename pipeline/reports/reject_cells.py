"""Cells of ``rejected.xlsx``: text that comes back exactly as it was given, and the room it takes."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell_fast
from xlsxwriter.worksheet import Worksheet

_CELL_UNITS = 32_767
_LINE, _PADDING, _HIGHEST = 17, 4, 400
_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6"
    "\U0001f300-\U0001faff\U00020000-\U0003fffd]+"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f]")
# What a workbook cannot hold in any spelling.
_NOTHING = re.compile("[\ud800-\udfff\ufffe\uffff]")
# An underscore that a reader would take for the beginning of an escaped character, also of one escaped here.
_UNDERSCORE = re.compile(r"_(?=x[0-9A-Fa-f]{4}[_\x00-\x08\x0b-\x1f])")
_ODD = re.compile(rf"[&<>]|_x|{_CONTROL.pattern}|{_NOTHING.pattern}")


class VerbatimSheet(Worksheet):  # type: ignore[misc]  # XlsxWriter is published without types
    """A sheet whose strings come back as they were given, streamed in XlsxWriter's constant-memory mode.

    In that mode XlsxWriter writes ``<r>…</r>`` as it stands, as markup, and misses an escape that shares its
    underscore with the one before. Writing strings here is also twice as fast, and this is part of every run.
    """

    def _write_cell(self, row: int, col: int, cell: Any) -> None:  # noqa: ANN401 - a tuple of XlsxWriter's own
        if cell.__class__.__name__ != "String":
            super()._write_cell(row, col, cell)
            return
        place, style = xl_rowcol_to_cell_fast(row, col), cell.format._get_xf_index()  # noqa: SLF001 - as the base class does
        self.fh.write(
            f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{_encoded(cell.string)}</t></is></c>'
        )


def _encoded(text: str) -> str:
    """Return text as it stands in a sheet: ``_x0041_`` would be read as ``A``, so its underscore is escaped.

    What no workbook can hold becomes U+FFFD. That cannot be sent either, so such a row comes back once more.
    """
    if not _ODD.search(text):
        return text
    escaped = _UNDERSCORE.sub("_x005F_", _NOTHING.sub("\ufffd", text))
    return escape(_CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", escaped), quote=False)


def fitting(text: str) -> str:
    """Return as much of text as a cell holds, in the UTF-16 units spreadsheet programs count."""
    if len(text) <= _CELL_UNITS // 2:
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) // 2 <= _CELL_UNITS:
        return text
    return units[: 2 * (_CELL_UNITS - 1)].decode("utf-16-le", "ignore") + "…"


def width(text: str) -> int:
    """Return the columns a line of text takes: two for an East Asian wide character."""
    return len(text) if text.isascii() else len(text) + sum(map(len, _WIDE.findall(text)))


def lines_of(text: str, columns: int) -> int:
    """Return the lines text takes when it is wrapped at ``columns``."""
    if "\n" not in text:
        return 1 if len(text) * 2 <= columns else -(-width(text) // columns)
    return sum(lines_of(line, columns) for line in text.split("\n"))


def row_height(lines: int) -> int:
    """Return the height in points of a row with so many lines, at most what spreadsheet programs allow."""
    return min(lines * _LINE + _PADDING, _HIGHEST)
