"""Rows that are written as they come: XML at once, in flat memory.

XlsxWriter takes a call, an object and a look-up of a style for every cell. A million messages are 15 million cells,
so the long sheets write each row as one string into the file to which XlsxWriter streams its own rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from pipeline.messages import label
from pipeline.reports.amounts import grouped, spreadsheet_number
from pipeline.reports.cells import HEAD, LINE, Cells, inline_text
from pipeline.reports.printing import print_setup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime
    from decimal import Decimal

    from xlsxwriter.format import Format

#: rows of a sheet in every spreadsheet program, header included; a parameter of tests
SHEET_ROWS = 1_048_576

T = TypeVar("T")

# Indented, so that text does not touch the number to its left.
_LEFT: dict[str, object] = {"align": "left", "indent": 1}
_RIGHT: dict[str, object] = {"align": "right"}
_TIME, _DAY = "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"

#: what a spreadsheet calls 1970-01-01, and its first ordinal day; Japan has had no other offset since 1951
_EPOCH, _ORDINAL, _OFFSET, _DAY_SECONDS = 25_569, 693_594, 9 * 3600, 86_400
_CACHED = 512


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column: the code of its heading, its width in characters, and what follows ``<c r="A1`` in its cells.

    An empty text leaves the cell out.
    """

    code: str
    width: float
    cell: Callable[[T], str]
    right: bool = False


class StreamedSheet(Worksheet):  # type: ignore[misc]  # XlsxWriter is published without types
    """A sheet of which the header is written as usual and every other row as XML."""

    def row(self, number: int, cells: str) -> None:
        """Write row ``number``, counted from 1; rows come in order, the header before them."""
        if self.table:
            self._write_single_row(number - 1)
        self.fh.write(f'<row r="{number}">{cells}</row>')

    def reaches(self, row: int, column: int) -> None:
        """Take note of the last row and column, counted from 0: streamed rows pass by unseen."""
        self.dim_rowmax, self.dim_colmax = row, column


class Makers:
    """Makes the XML of cells. Texts, amounts and days that come again are made once."""

    def __init__(self, cells: Cells) -> None:
        """Look up every style once."""
        self._cells = cells
        self._words, self._right = cells.style(num_format="@", **_LEFT), cells.style(num_format="@", **_RIGHT)
        self._text_open = f'{_styled(self._words)} t="inlineStr"><is><t'
        self._count_open = f"{_styled(cells.style(num_format='#,##0'))}><v>"
        self._time_open = f"{_styled(cells.style(num_format=_TIME, **_LEFT))}><v>"
        day_open = f"{_styled(cells.style(num_format=_DAY, **_LEFT))}><v>"
        unmask = cells.unmask

        @lru_cache(_CACHED)
        def word(text: str) -> str:
            return self.text(cells.outside(text)) if text else ""

        @lru_cache(_CACHED)
        def yen(amount: Decimal) -> str:
            number = spreadsheet_number(amount)
            if number is None:
                return self.right(grouped(amount))
            return f"{_styled(cells.yen_style(amount))}><v>{number:.16G}</v></c>"

        @lru_cache(_CACHED)
        def day(when: date) -> str:
            return f"{day_open}{when.toordinal() - _ORDINAL}</v></c>"

        self.word, self.yen, self.day, self.unmask = word, yen, day, unmask

    def text(self, text: str) -> str:
        """Make a cell of any text."""
        if text.isascii() and text.isalnum():
            return f"{self._text_open}>{text}</t></is></c>"
        return f"{self._text_open}{inline_text(text)}</t></is></c>"

    def right(self, text: str) -> str:
        """Make a cell of text that stands where numbers do."""
        return f'{_styled(self._right)} t="inlineStr"><is><t{inline_text(text)}</t></is></c>'

    def count(self, number: int) -> str:
        """Make a cell of a count."""
        return f"{self._count_open}{number}</v></c>"

    def time(self, moment: datetime | None) -> str:
        """Make a cell of a time in Japan, to the second."""
        if moment is None:
            return ""
        days, seconds = divmod(int(moment.timestamp()) + _OFFSET, _DAY_SECONDS)
        return f"{self._time_open}{_EPOCH + days + seconds / _DAY_SECONDS!r}</v></c>"


def _styled(style: Format) -> str:
    return f'" s="{style._get_xf_index()}"'  # noqa: SLF001 - the only way to name a style in XML


def stream(cells: Cells, name: str, columns: tuple[Column[T], ...], items: Iterable[T]) -> None:
    """Write ``items`` one a row into as many sheets as they fill, each with header, filter and print titles."""
    heads = [(f'<c r="{xl_col_to_name(at)}', column.cell) for at, column in enumerate(columns)]
    sheet, row, opened = _open(cells, name, columns), 1, 1
    for item in items:
        if row == SHEET_ROWS:
            _close(sheet, row, columns)
            opened += 1
            sheet, row = _open(cells, f"{name} {opened}", columns), 1
        row += 1
        sheet.row(row, "".join([f"{head}{row}{text}" for head, cell in heads if (text := cell(item))]))
    _close(sheet, row, columns)


def _open(cells: Cells, name: str, columns: tuple[Column[T], ...]) -> StreamedSheet:
    """Add a sheet with its header, and everything about it that does not depend on its rows."""
    sheet: StreamedSheet = cells.workbook.add_worksheet(name, StreamedSheet)
    print_setup(sheet, cells.footer)
    sheet.repeat_rows(0)
    sheet.freeze_panes(1, 0)
    # Identifiers are text on purpose; without this every one carries a green warning.
    sheet.ignore_errors({"number_stored_as_text": f"A1:{xl_col_to_name(len(columns) - 1)}{SHEET_ROWS}"})
    for position, column in enumerate(columns):
        sheet.set_column(position, position, column.width)
        cells.text(
            sheet,
            0,
            position,
            label(column.code, cells.language),
            bold=True,
            bg_color=HEAD,
            bottom=1,
            bottom_color=LINE,
            **(_RIGHT if column.right else _LEFT),
        )
    return sheet


def _close(sheet: StreamedSheet, rows: int, columns: tuple[Column[T], ...]) -> None:
    """Give the sheet what depends on its last row: filter and print area."""
    last = rows - 1, len(columns) - 1
    sheet.reaches(*last)
    sheet.autofilter(0, 0, *last)
    # All of a full sheet is printed anyway, and not every reader takes an area of whole columns.
    if rows < sheet.xls_rowmax:
        sheet.print_area(0, 0, *last)
