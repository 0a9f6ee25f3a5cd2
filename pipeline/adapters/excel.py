"""What calamine does not tell of a sheet of Excel's XML formats, found in the bytes of its package.

Cells whose value comes as empty: an error (``#N/A``) is returned with its text; a formula that no program has
calculated has no value, and stops the file. Rows that are hidden. The formats of numbers. Patterns over bytes take a
tenth of the time of the reader; an XML parser that calls back for every element takes as long as the reader itself.
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from pipeline.adapters.clocks import Clock, is_unread_clock, read_clock
from pipeline.adapters.numbers import Shape, is_unread, read_format
from pipeline.adapters.package import ROWS, Shapes, Untold, error_text, opened, pieces
from pipeline.errors import InputUnusable

#: cells between the first and the last used one: calamine holds all of them, used or not, and aborts where it cannot
_AREA = 100_000_000
#: cells right of column Z, rows, and cells of a kind, whatever the prefix of their names
_WIDE = re.compile(rb' r="([A-Z]{2,3})[0-9]')
_ROW = re.compile(rb' r="[A-Z]{0,3}([0-9]+)"')
_ERROR = re.compile(
    rb'<(?:\w+:)?c (?=[^>]*?\br="([A-Z]{1,3})([0-9]+)")(?=[^>]*?\bt="e")[^>]*>'
    rb"(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<",
    re.DOTALL,
)
#: the reader stops at any other one
_READ = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"})
_UNCALCULATED = re.compile(
    rb'<(?:\w+:)?c (?![^>]*\bt="str")(?=[^>]*?\br="([A-Z]{1,3}[0-9]+)")[^>]*>'
    rb"\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</"
)
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>[^<]|<(?:\w+:)?is[\s>]")
_ROW_TAG = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
#: found in no time; most sheets hold neither
_MAY_HIDE = (re.compile(rb"hidden\s*=\s*[\"'](?:1|t)"), re.compile(rb"ht\s*=\s*[\"']0"))
_HIDES = re.compile(rb"\shidden\s*=\s*[\"'](?:1|true)[\"']|\sht\s*=\s*[\"']0+(?:\.0*)?[\"']")
_NUMBER = re.compile(rb"\sr\s*=\s*[\"']([0-9]+)[\"']")
_ROOT = re.compile(rb"<(\w+:)?worksheet\b")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_SHEET_ID = re.compile(rb'\s\w+:id="([^"]+)"')
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(rb'(\w+)="([^"]*)"')
_FORMAT = re.compile(rb"<(?:\w+:)?numFmt\s[^>]*>")
_STYLES = re.compile(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", re.DOTALL)
_STYLE = re.compile(rb"<(?:\w+:)?xf\s[^>]*>")
#: formats that every file has without saying so, as far as they are the same everywhere
_BUILT_IN = {
    b"1": "0",
    b"2": "0.00",
    b"3": "#,##0",
    b"4": "#,##0.00",
    b"9": "0%",
    b"10": "0.00%",
    b"18": "h:mm AM/PM",
    b"19": "h:mm:ss AM/PM",
    b"20": "h:mm",
    b"21": "h:mm:ss",
    b"32": "h時mm分",
    b"33": "h時mm分ss秒",
    b"45": "mm:ss",
    b"46": "[h]:mm:ss",
    b"47": "mm:ss.0",
    b"37": "#,##0;",
    b"38": "#,##0;",
    b"39": "#,##0.00;",
    b"40": "#,##0.00;",
}
#: those that show something else in every language: currencies, scientific notation, fractions, accounts
_UNREAD = {b"%d" % number: "?" for number in (*range(5, 9), *range(11, 14), *range(41, 45), 48)}


def look(path: Path, index: int) -> Untold:
    """Return what is not told of the sheet at ``index``.

    Every byte of the sheet and of the shared strings is unpacked once, so that a member that says less than it
    unpacks to, or is damaged, is found before the reader holds it. Raises ``InputUnusable``: ``input.damaged``,
    ``input.uncalculated``, ``input.cell_error``, ``input.too_wide``.
    """
    errors: dict[int, dict[int, str]] = {}
    shapes: dict[int, Shapes] = {}
    wide: set[bytes] = set()
    hides = False
    with opened(path) as package:
        names = {name.lower(): name for name in package.namelist()}
        if strings := names.get("xl/sharedstrings.xml"):
            for _ in pieces(package, strings):
                pass
        member = _member(package, names, index)
        shaped = _Shaped(package, names)
        for piece in pieces(package, member, _begins(package, member, b"c ", b"row")):
            wide.update(_WIDE.findall(piece))
            if b't="e"' in piece:
                for letters, row, text in _ERROR.findall(piece):
                    if (shown := text.decode()) not in _READ:
                        cell = (letters + row).decode()
                        raise InputUnusable("input.cell_error", file=path.name, cell=cell, shown=error_text(shown))
                    errors.setdefault(int(row), {})[_column(letters)] = shown
            if b"f>" in piece and (found := _UNCALCULATED.search(piece)):
                raise InputUnusable("input.uncalculated", file=path.name, cell=found[1].decode())
            hides = hides or _hides(piece)
            shaped.add(shapes, piece)
        width = max(map(_column, wide), default=0)
        if width * ROWS > _AREA and width * _last_row(package, member) > _AREA:
            raise InputUnusable("input.too_wide", file=path.name)
        hidden = tuple(_hidden(package, member)) if hides else ()
    return Untold(errors, shapes, hidden)


def count_rows(path: Path, index: int) -> int:
    """Return how many rows of the sheet at ``index`` hold something. Raises ``InputUnusable`` (``input.damaged``)."""
    with opened(path) as package:
        member = _member(package, {name.lower(): name for name in package.namelist()}, index)
        return sum(
            bool(_VALUE.search(row))
            for piece in pieces(package, member, _begins(package, member, b"row"))
            for row in _ROW_TAG.split(piece)[2::2]
        )


class _Shaped:
    """Cells under a format that can be applied, or shows something that is not read."""

    def __init__(self, package: zipfile.ZipFile, names: dict[str, str]) -> None:
        """Read the formats of a workbook."""
        self._shapes = _shapes(package.read(names["xl/styles.xml"])) if "xl/styles.xml" in names else {}
        self._known: dict[tuple[tuple[bytes, bytes], ...], Shapes] = {}
        # In this order programs write both; where one does not, its numbers stay plain.
        self._cells = re.compile(rb' r="([A-Z]{1,3})([0-9]+)"[^>]*? s="(%s)"' % b"|".join(self._shapes))

    def add(self, shapes: dict[int, Shapes], piece: bytes) -> None:
        """Add the cells of a piece to those of its rows. Most rows have the same ones: they share them."""
        if not self._shapes:
            return
        for row, cells in groupby(self._cells.findall(piece), itemgetter(1)):
            styles = tuple([(letters, style) for letters, _, style in cells])
            if styles not in self._known:
                self._known[styles] = tuple([(_column(letters), self._shapes[style]) for letters, style in styles])
            # A row may begin in one piece and go on in the next one.
            number = int(row)
            shapes[number] = shapes[number] + self._known[styles] if number in shapes else self._known[styles]


def _shapes(styles: bytes) -> dict[bytes, Shape | Clock | None]:
    """Return by the number of a style how its cells show numbers and times; none of those that are plain, or dates."""
    codes = _BUILT_IN | _UNREAD
    for tag in _FORMAT.findall(styles):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if b"formatCode" in attributes:
            codes[attributes[b"numFmtId"]] = html.unescape(attributes[b"formatCode"].decode())
    cells = _STYLES.search(styles)
    formats = [
        dict(_ATTRIBUTE.findall(tag)).get(b"numFmtId", b"0") for tag in _STYLE.findall(cells[0] if cells else b"")
    ]
    shown = {str(number).encode(): codes.get(code, "") for number, code in enumerate(formats)}
    shapes = {number: read_format(code) or read_clock(code) for number, code in shown.items()}
    unread = {number for number, code in shown.items() if is_unread(code) or is_unread_clock(code)}
    return {number: shape for number, shape in shapes.items() if shape or number in unread}


def _hides(piece: bytes) -> bool:
    """Tell whether a row of a piece is hidden: a hidden column is none of ours."""
    return any(hint.search(piece) for hint in _MAY_HIDE) and any(map(_HIDES.search, _ROW_TAG.findall(piece)))


def _hidden(package: zipfile.ZipFile, member: str) -> Iterator[range]:
    """Yield the rows that are hidden or have no height; a row without a number follows the one before."""
    number = 0
    for piece in pieces(package, member, _begins(package, member, b"row")):
        for attributes in _ROW_TAG.findall(piece):
            found = _NUMBER.search(attributes)
            number = int(found[1]) if found else number + 1
            if _HIDES.search(attributes):
                yield range(number, number + 1)


def _last_row(package: zipfile.ZipFile, member: str) -> int:
    begins = _begins(package, member, b"c ", b"row")
    return max((int(row) for piece in pieces(package, member, begins) for row in _ROW.findall(piece)), default=0)


def _begins(package: zipfile.ZipFile, member: str, *tags: bytes) -> tuple[bytes, ...]:
    """Return how elements begin in this sheet, by their names: some programs give every name a prefix."""
    with package.open(member) as stream:
        root = _ROOT.search(stream.read(1 << 14))
    prefix = (root[1] or b"") if root else b""
    return tuple(b"<" + prefix + tag for tag in tags)


def _column(letters: bytes) -> int:
    """Return the number of a column from its letters, from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _member(package: zipfile.ZipFile, names: dict[str, str], index: int) -> str:
    sheets = _SHEET.findall(package.read(names["xl/workbook.xml"]))
    relations = {}
    for tag in _RELATION.findall(package.read(names["xl/_rels/workbook.xml.rels"])):
        attributes = dict(_ATTRIBUTE.findall(tag))
        relations[attributes[b"Id"]] = attributes[b"Target"].decode()
    found = _SHEET_ID.search(sheets[index]) if index < len(sheets) else None
    target = relations[found[1]] if found else ""
    return names[(target[1:] if target.startswith("/") else f"xl/{target}").lower()]
