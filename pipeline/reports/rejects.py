"""The rows that do not go out, as a workbook: a person fixes the coloured cells and hands the file in again.

The first sheet is the input's own table and columns of ours that explain; the second counts and helps. Writing it
is part of a run: rows go out as they come, formats are made once, and a row that needs no care gets none.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from datetime import datetime
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.utility import xl_range

from pipeline.messages import Language, label
from pipeline.reports.cells import FONT, HEAD, INK, MUTED, Cells
from pipeline.reports.printing import print_setup
from pipeline.reports.reject_cells import VerbatimSheet, fitting, lines_of, row_height, width
from pipeline.reports.reject_counts import write_counts
from pipeline.reports.reject_words import cell_note, instruct, length_in_words, seen, shortened, suggestions
from pipeline.reports.streaming import SHEET_ROWS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from pipeline.model import Finding, RejectedRow, RowTotals

#: rows a person can be expected to look at, written in about half a second; rejected.csv holds all
ROWS_LIMIT = 5_000
#: cells that get a note: each is a drawing, which costs time here and slows a spreadsheet program down
NOTES_LIMIT = 1_000

#: our columns, in order
OWN_COLUMNS = ("reason", "suggestion", "text", "length", "row", "code")

_OWN_WIDTHS = (60, 28, 44, 30, 18, 28)
_SHEET_COLUMNS = 16_384
# Widths are those of the first rows: a later long cell wraps.
_SAMPLE = 200
_WIDTHS = range(10, 60)
_FROZEN_WIDTH = 40
_CELL_LINES = 6
_NOTE_WIDTH, _NOTE_COLUMNS, _NOTE_LINE, _NOTE_LINES = 340, 46, 17, 20
# The same for everybody and every run: equal rows give equal bytes.
_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - a spreadsheet has no time zones

_BAD_FILL, _BAD_LINE = "#FFE08A", "#9A4B00"
_OWN_FILL, _OWN_HEAD = "#F3F5F8", "#D5DCE5"


class RejectedWorkbook:
    """``rejected.xlsx`` while it is written: ``add`` each row, then ``close``.

    It is a context manager: when that ends before ``close``, no file is written.
    """

    def __init__(
        self, path: Path, columns: Sequence[str], *, language: Language, source: str, limit: int = ROWS_LIMIT
    ) -> None:
        """Begin a workbook for rows of ``columns``; ``source`` names the input on the second sheet and in print."""
        # A file name may hold anything, even bytes that are no characters.
        self._path, self._language, self._source = path, language, seen(source)
        self._columns = tuple(columns)[: _SHEET_COLUMNS - len(OWN_COLUMNS)]
        self._own_places = range(len(self._columns), len(self._columns) + len(OWN_COLUMNS))
        # What is left out of every row, said in every row: a list that was fixed here must not lose it silently.
        self._left_out = [
            label("reject.cut_cell", language, column=shortened(name), count=len(name))
            for name in self._columns
            if fitting(name) is not name
        ]
        if more := len(columns) - len(self._columns):
            self._left_out.append(label("reject.cut_columns", language, count=more))
        self._places = {name: place for place, name in enumerate(self._columns)}
        self._limit = min(limit, SHEET_ROWS - 1)
        self._rows = self._row = self._notes = 0
        self._waiting: list[RejectedRow] | None = []
        self._resources = ExitStack()
        # XlsxWriter spills rows to temporary files. They hold personal data: they stay beside the workbook and go.
        spill = self._resources.enter_context(TemporaryDirectory(dir=path.parent, prefix=".rejected-"))
        self._workbook = xlsxwriter.Workbook(
            str(path),
            {
                "constant_memory": True,
                "tmpdir": spill,
                "use_zip64": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "default_format_properties": {"font_name": FONT, "font_size": 10},
                "default_row_height": 24,
            },
        )
        title = label("reject.title", language, source=self._source)
        self._workbook.set_properties({"title": title, "created": _CREATED})
        footer = label("reject.footer", language, source=shortened(self._source))
        self._cells = Cells(self._workbook, language, footer, unmask=True)
        self._sheet = self._workbook.add_worksheet(label("reject.sheet.rows", language), VerbatimSheet)
        text = {"num_format": "@", "valign": "top", "text_wrap": True}
        own = {**text, "bg_color": _OWN_FILL, "align": "left", "indent": 1}
        bad = {"bg_color": _BAD_FILL, "bold": True, "border": 1, "border_color": _BAD_LINE}
        self._given, self._bad = self._cells.style(**text), self._cells.style(**text, **bad)
        self._own = [
            self._cells.style(**own, font_color=INK if name in {"reason", "suggestion", "text"} else MUTED)
            for name in OWN_COLUMNS
        ]
        self._widths: list[int] = []

    def __enter__(self) -> Self:
        """Return the workbook."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release what was spilled; a workbook that was not closed is not written: half a list looks like a whole."""
        for sheet in self._workbook.worksheets():
            sheet.row_data_fh.close()
        self._resources.close()

    def add(self, row: RejectedRow) -> None:
        """Add a row. Rows over the limit are counted only."""
        self._rows += 1
        if self._rows > self._limit:
            return
        if self._waiting is None:
            self._write(row)
            return
        self._waiting.append(row)
        if len(self._waiting) == _SAMPLE:
            self._begin(self._waiting)

    def close(self, counts: Mapping[str, int], totals: RowTotals, *, rejected_csv: str) -> None:
        """Write the sheet of counts and finish the file. ``rejected_csv`` names the file that holds every row."""
        if self._waiting is not None:
            self._begin(self._waiting)
        last = self._own_places.stop - 1
        self._sheet.autofilter(0, 0, self._row, last)
        write_counts(
            self._cells,
            self._source,
            counts,
            totals,
            shown=(min(self._rows, self._limit), self._rows),
            notes_limit=NOTES_LIMIT if self._notes > NOTES_LIMIT else None,
            rejected_csv=rejected_csv,
        )
        try:
            self._workbook.close()
        except FileCreateError as error:
            # A full disk is a full disk, whoever met it; and what was written until then is no workbook.
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            raise error.args[0] from None

    def _begin(self, rows: list[RejectedRow]) -> None:
        """Write the header, now that widths can be told, and the rows that waited for it."""
        self._waiting = None
        sheet = self._sheet
        for place, name in enumerate(self._columns):
            # The button of the filter covers the end of a heading.
            widest = max([width(name) + 3, *(width(line) for row in rows for line in row.cells[place].split("\n"))])
            self._widths.append(min(max(widest + 2, _WIDTHS.start), _WIDTHS.stop))
            sheet.set_column(place, place, self._widths[place], self._given)
        for place, wide in zip(self._own_places, _OWN_WIDTHS, strict=True):
            sheet.set_column(place, place, wide, self._given)
        print_setup(sheet, self._cells.footer)
        sheet.hide_gridlines(0)
        sheet.repeat_rows(0)
        sheet.freeze_panes(1, 1 if self._columns and self._widths[0] <= _FROZEN_WIDTH else 0)
        # Numbers are text on purpose; without this every one carries a green warning.
        last = self._own_places.stop - 1
        sheet.ignore_errors({"number_stored_as_text": xl_range(0, 0, SHEET_ROWS - 1, last)})
        head = {"num_format": "@", "bold": True, "text_wrap": True, "valign": "top", "bottom": 1}
        given = self._cells.style(**head, bg_color=HEAD)
        own = self._cells.style(**head, bg_color=_OWN_HEAD, align="left", indent=1)
        names = [label(f"reject.column.{name}", self._language) for name in OWN_COLUMNS]
        for place, name in enumerate((*self._columns, *names)):
            sheet.write_string(0, place, fitting(name), given if place < len(self._columns) else own)
        self._note(len(self._columns), label("reject.own_columns", self._language))
        lines = [lines_of(name, wide - 3) for name, wide in zip(self._columns, self._widths, strict=True)]
        lines += [lines_of(name, wide - 3) for name, wide in zip(names, _OWN_WIDTHS, strict=True)]
        sheet.set_row(0, row_height(max(lines)))
        for row in rows:
            self._write(row)

    def _write(self, row: RejectedRow) -> None:
        self._row += 1
        wrong: dict[int, list[Finding]] = {}
        for finding in row.findings:
            if (place := self._places.get(finding.column)) is not None:
                wrong.setdefault(place, []).append(finding)
        tallest, left_out = self._write_given(row.cells, wrong)
        for place, findings in wrong.items():
            self._notes += 1
            if self._notes <= NOTES_LIMIT:
                self._note(place, cell_note(row.cells[place], findings, row.expanded, self._language))
        tallest = max(tallest, self._write_own(row, left_out))
        if tallest > 1:
            self._sheet.set_row(self._row, row_height(tallest))

    def _write_given(self, cells: Sequence[str], wrong: Collection[int]) -> tuple[int, list[str]]:
        """Write the cells as they were given; return the lines they need, and what is left out of them."""
        at, write, given, bad = self._row, self._sheet.write_string, self._given, self._bad
        tallest, left_out = 1, [*self._left_out]
        for place, (text, wide) in enumerate(zip(cells, self._widths, strict=False)):
            if text:
                style = bad if place in wrong else given
                fits = fitting(text)
                write(at, place, fits, style)
                if fits is not text:
                    name = shortened(self._columns[place])
                    left_out.append(label("reject.cut_cell", self._language, column=name, count=len(text)))
                if len(text) * 2 > wide or "\n" in text:
                    tallest = max(tallest, min(lines_of(text, wide), _CELL_LINES))
            elif place in wrong:
                # Any other empty cell has its column's format: what is typed there stays text.
                self._sheet.write_blank(at, place, None, bad)
        return tallest, left_out

    def _write_own(self, row: RejectedRow, left_out: Sequence[str]) -> int:
        """Write our columns of a row; return the lines they need."""
        language, findings, expanded = self._language, row.findings, row.expanded
        reasons = [
            label("reject.finding", language, column=shortened(finding.column), what=instruct(finding, language))
            for finding in findings
        ]
        texts = (
            seen("\n".join([*left_out, *reasons])),
            seen(suggestions(findings, language)),
            seen(expanded.text) if expanded else "",
            length_in_words(expanded, language) if expanded else "",
            str(row.row_number),
            "|".join([finding.code for finding in findings]),
        )
        tallest = 1
        for place, text, style, wide in zip(self._own_places, texts, self._own, _OWN_WIDTHS, strict=True):
            if text:
                self._sheet.write_string(self._row, place, fitting(text), style)
                # A long text must not fill the screen; the reason is shown whole.
                needed = lines_of(text, wide)
                tallest = max(tallest, needed if place == self._own_places.start else min(needed, _CELL_LINES))
            else:
                self._sheet.write_blank(self._row, place, None, style)
        return tallest

    def _note(self, place: int, text: str) -> None:
        text = fitting(seen(text))
        height = min(lines_of(text, _NOTE_COLUMNS), _NOTE_LINES) * _NOTE_LINE + 12
        options = {"author": "mediasms", "width": _NOTE_WIDTH, "height": height, "font_name": FONT, "font_size": 9}
        self._sheet.write_comment(self._row, place, text, options)
