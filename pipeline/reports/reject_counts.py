"""The second sheet of ``rejected.xlsx``: what to do with the file, what was counted, what each code means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.messages import label
from pipeline.reports.cells import HEAD, LINE, MUTED, Cells
from pipeline.reports.printing import print_setup
from pipeline.reports.reject_cells import lines_of, row_height
from pipeline.reports.reject_words import advise, explain_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxwriter.worksheet import Worksheet

    from pipeline.model import RowTotals

_WIDTHS = (30, 12, 64, 56)
_TOTALS = ("rows", "accepted", "rejected", "already")
_WRAP: dict[str, object] = {"text_wrap": True, "valign": "top", "bottom": 1, "bottom_color": LINE}
_HEAD: dict[str, object] = {"bold": True, "bg_color": HEAD, "bottom": 1, "bottom_color": LINE}
_WARNING: dict[str, object] = {"bold": True, "bg_color": "#FFE08A"}


def write_counts(  # noqa: PLR0913 - what a person must know about the other sheet
    cells: Cells,
    source: str,
    counts: Mapping[str, int],
    totals: RowTotals,
    *,
    shown: tuple[int, int],
    notes_limit: int | None,
    rejected_csv: str,
) -> None:
    """Write the sheet. ``shown`` is how many rows of how many stand on the first; ``notes_limit`` is set when hit."""
    language = cells.language
    sheet = cells.workbook.add_worksheet(label("reject.sheet.counts", language))
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    print_setup(sheet, cells.footer)
    cells.text(sheet, 0, 0, label("reject.title", language, source=source), bold=True, font_size=14)
    row = 2
    if shown[0] < shown[1]:
        some = {"shown": f"{shown[0]:,}", "total": f"{shown[1]:,}", "file": rejected_csv}
        row = _line(cells, sheet, row, label("reject.limited", language, **some), **_WARNING)
        sheet.set_tab_color(str(_WARNING["bg_color"]))
    row = _line(cells, sheet, row, label("reject.personal", language), **_WARNING)
    names = {"sheet": label("reject.sheet.rows", language), "column": label("reject.column.reason", language)}
    for step in ("fix", "delete", "hand_in"):
        row = _line(cells, sheet, row, label(f"reject.step.{step}", language, **names))
    row = _line(cells, sheet, row, label("reject.own_columns", language), font_color=MUTED)
    if notes_limit is not None:
        told = label("reject.commented", language, limit=f"{notes_limit:,}", column=names["column"])
        row = _line(cells, sheet, row, told, font_color=MUTED)
    row = _totals(cells, sheet, row + 1, totals)
    _codes(cells, sheet, row + 1, counts)


def _line(cells: Cells, sheet: Worksheet, row: int, text: str, **properties: object) -> int:
    """Write a line across the sheet; return the next row."""
    cells.text(sheet, row, 0, text, **properties)
    if properties.get("bg_color"):
        for column in range(1, len(_WIDTHS)):
            sheet.write_blank(row, column, None, cells.style(num_format="@", **properties))
    return row + 1


def _totals(cells: Cells, sheet: Worksheet, row: int, totals: RowTotals) -> int:
    language = cells.language
    cells.text(sheet, row, 0, label("reject.head.totals", language), **_HEAD)
    cells.text(sheet, row, 1, label("reject.head.count", language), align="right", **_HEAD)
    for at, name in enumerate(_TOTALS, row + 1):
        cells.text(sheet, at, 0, label(f"reject.total.{name}", language), bottom=1, bottom_color=LINE)
        cells.count(sheet, at, 1, getattr(totals, name), bottom=1, bottom_color=LINE)
    return row + 1 + len(_TOTALS)


def _codes(cells: Cells, sheet: Worksheet, row: int, counts: Mapping[str, int]) -> None:
    language = cells.language
    for column, name in enumerate(("code", "count", "words", "advice")):
        side = {"align": "right"} if name == "count" else {"align": "left"}
        indent = {"indent": 1} if name == "words" else {}
        cells.text(sheet, row, column, label(f"reject.head.{name}", language), **side, **indent, **_HEAD)
    for at, (code, count) in enumerate(sorted(counts.items(), key=lambda item: (-item[1], item[0])), row + 1):
        words, advice = explain_code(code, language), advise(code, language)
        lines = max(lines_of(words, _WIDTHS[2] - 2), lines_of(advice, _WIDTHS[3]))
        sheet.set_row(at, row_height(lines))
        cells.text(sheet, at, 0, code, **_WRAP)
        cells.count(sheet, at, 1, count, **_WRAP)
        cells.text(sheet, at, 2, words, indent=1, align="left", **_WRAP)
        cells.text(sheet, at, 3, advice, **_WRAP)
