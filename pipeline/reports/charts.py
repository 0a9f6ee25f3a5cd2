"""Native charts of the workbook: few colours, our fonts, the figures they show in their cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.reports.cells import FONT, INK, LINE, Cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxwriter.worksheet import Worksheet

_FONT = {"name": FONT, "size": 9, "color": INK}
_ONE_COLOUR = "#3B76B0"


def bar_chart(  # noqa: PLR0913 - each says something else about the same chart
    cells: Cells,
    sheet: Worksheet,
    title: str,
    *,
    rows: tuple[int, int],
    columns: tuple[int, int],
    names: Sequence[str],
    numbers: Sequence[int],
    at: tuple[int, int],
    size: tuple[int, int],
    colours: Sequence[str] = (),
    upright: bool = False,
) -> None:
    """Insert a bar for each row from first to last of ``rows``: names and numbers stand in ``columns`` of ``sheet``.

    Rows are gone once they are streamed: a reader that does not calculate sees ``names`` and ``numbers``.
    """
    chart = cells.workbook.add_chart({"type": "column" if upright else "bar"})
    (first, last), (name_column, number_column) = rows, columns
    own = sheet.get_name()
    series: dict[str, object] = {
        "name": title,
        "categories": [own, first, name_column, last, name_column],
        "values": [own, first, number_column, last, number_column],
        "categories_data": list(names),
        "values_data": list(numbers),
        "fill": {"color": _ONE_COLOUR},
        "gap": 20 if upright else 40,
    }
    if colours:
        series["points"] = [{"fill": {"color": colour}} for colour in colours]
    if not upright:
        series["data_labels"] = {"value": True, "num_format": "#,##0", "font": _FONT}
    chart.add_series(series)
    chart.set_title({"name": title, "name_font": {**_FONT, "size": 10}, "overlay": False})
    chart.set_legend({"none": True})
    chart.set_chartarea({"border": {"color": LINE}})
    if upright:
        chart.set_x_axis({"num_font": _FONT, "line": {"color": LINE}, "major_tick_mark": "none", "text_axis": True})
        chart.set_y_axis(
            {
                "num_font": _FONT,
                "num_format": "#,##0",
                "line": {"none": True},
                "major_gridlines": {"visible": True, "line": {"color": LINE}},
                "min": 0,
            }
        )
    else:
        room = max(numbers) * 1.2 or 1  # for the number behind the longest bar
        chart.set_y_axis({"reverse": True, "num_font": _FONT, "line": {"color": LINE}, "major_tick_mark": "none"})
        chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}, "min": 0, "max": room})
    chart.set_size({"width": size[0], "height": size[1]})
    described = ", ".join(f"{name} {number:,}" for name, number in zip(names, numbers, strict=True))
    sheet.insert_chart(*at, chart, {"description": f"{title}: {described}"[:2000]})
