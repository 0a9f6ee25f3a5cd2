"""The sheets that add up by carrier, campaign, cost centre, kind and day, and show deliveries over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.messages import label
from pipeline.model import Dimension
from pipeline.reports.amounts import exact_sum
from pipeline.reports.charts import bar_chart
from pipeline.reports.timeline import timeline
from pipeline.reports.wording import dividing, group_name
from pipeline.reports.writing import SheetWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline.model import GroupLine, Reconciliation
    from pipeline.reports.cells import Cells

_WIDTHS = (38, 14, 14, 14, 18, 16, 26, 12)
_FIGURES = ("messages", "delivered", "failed", "billable_messages", "billable_units", "amount", "unpriced")
_CHART_ROWS, _ROW = 11, 24
#: hours of ten days; a longer time is shown by the day, on one printed page for a month
_STEPS = 240
#: more bars than this are no picture
_BARS = 12


def write_groups(cells: Cells, value: Reconciliation) -> None:
    """Write each dimension as a table with live totals, below a chart of carriers and one of cost centres."""
    sheet = SheetWriter(cells, "groups", _WIDTHS)
    sheet.title(label("report.sheet.groups", cells.language))
    charts, shown = sheet.row, dividing(value)
    charted = [
        dimension
        for dimension, lines in shown
        if len(lines) > 1 and dimension in {Dimension.CARRIER, Dimension.CAMPAIGN, Dimension.COST_CENTRE}
    ][:2]
    if charted:
        sheet.row += _CHART_ROWS + 1
    for dimension, lines in shown:
        top = _group(sheet, dimension, lines)
        if dimension in charted:
            _chart(sheet, dimension, lines[:_BARS], top, (charts, 3 * charted.index(dimension)))
    sheet.end()


def _group(sheet: SheetWriter, dimension: Dimension, lines: Sequence[GroupLine]) -> int:
    """Write one dimension; return the row of its first group."""
    sheet.section(dimension.value)
    sheet.header(("message_kind" if dimension is Dimension.KIND else dimension.value, *_FIGURES))
    top = sheet.row
    amounts = [line.amount for line in lines]
    style = sheet.cells.yen_style(*amounts)
    for line in lines:
        sheet.wrapped(0, group_name(dimension, line.name, sheet.language), _WIDTHS[0])
        for column, number in enumerate(_counts(line), 1):
            sheet.count(column, number)
        sheet.yen(6, line.amount, style)
        sheet.count(7, line.unpriced)
        sheet.row += 1
    sheet.total_name(label("report.total", sheet.language))
    for column, numbers in enumerate(zip(*map(_counts, lines), strict=True), 1):
        sheet.sum_of_counts(column, top, numbers)
    sheet.sum_of_yen(6, top, amounts, exact_sum(amounts))
    sheet.sum_of_counts(7, top, (line.unpriced for line in lines))
    sheet.row += 1
    sheet.exactness((*amounts, exact_sum(amounts)))
    return top


def _counts(line: GroupLine) -> tuple[int, ...]:
    return line.messages, line.delivered, line.failed, line.billable_messages, line.billable_units


def _chart(sheet: SheetWriter, dimension: Dimension, lines: Sequence[GroupLine], top: int, at: tuple[int, int]) -> None:
    bar_chart(
        sheet.cells,
        sheet.sheet,
        label(f"report.section.{dimension}", sheet.language),
        rows=(top, top + len(lines) - 1),
        columns=(0, 1),
        names=[group_name(dimension, line.name, sheet.language) for line in lines],
        numbers=[line.messages for line in lines],
        at=at,
        size=(460, _CHART_ROWS * _ROW),
    )


def write_deliveries(cells: Cells, deliveries: Sequence[tuple[datetime, int]]) -> None:
    """Write deliveries by the hour, or by the day where they go on for longer, below their chart."""
    by_day, steps = timeline(deliveries, _STEPS)
    if not by_day:  # as a rule most hours have none: pages of zeros
        steps = tuple(step for step in steps if step[1])
    sheet = SheetWriter(cells, "deliveries", (38, 16, 16, 16, 16, 16))
    sheet.title(label("report.section.deliveries", cells.language))
    sheet.note(label("report.caption.deliveries", cells.language))
    at = sheet.row
    if steps:
        sheet.row += _CHART_ROWS + 3
    sheet.header(("day" if by_day else "hour", "delivered"))
    top = sheet.row
    names = [f"{start:{'%Y-%m-%d' if by_day else '%Y-%m-%d %H:%M'}}" for start, _ in steps]
    numbers = [number for _, number in steps]
    for name, number in zip(names, numbers, strict=True):
        sheet.text(0, name)
        sheet.count(1, number)
        sheet.row += 1
    sheet.total_name(label("report.total", cells.language), last=1)
    sheet.sum_of_counts(1, top, numbers)
    sheet.row += 1
    if steps:
        bar_chart(
            cells,
            sheet.sheet,
            label("report.section.deliveries", cells.language),
            rows=(top, top + len(steps) - 1),
            columns=(0, 1),
            names=names,
            numbers=numbers,
            at=(at, 0),
            size=(760, (_CHART_ROWS + 2) * _ROW),
            upright=True,
        )
    sheet.end()
