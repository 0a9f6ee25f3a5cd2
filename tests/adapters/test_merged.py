"""A cell merged over several rows has its value in the first one only: what the others have, a person knows."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter

from pipeline.adapters.inputs import refuse_merged
from pipeline.adapters.workbooks import open_workbook
from pipeline.errors import InputUnusable
from tests.adapters.books import merged_record, old_sheet, old_workbook, open_document, read, row

MERGED = "input.merged_cells"


def refused(path: Path, *places: int) -> tuple[str, dict[str, object]] | None:
    """Return why a file is refused of which the columns at these places are used; all of them without any."""
    try:
        refuse_merged(open_workbook(path), places or None)
    except InputUnusable as error:
        return error.code, {name: fact for name, fact in error.facts.items() if name != "file"}
    return None


def merged(path: Path, *ranges: tuple[str, str], down: int = 0) -> Path:
    """Write a list of four, some cells of it merged."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("名簿")
        sheet.write_row(down, 1, ["tel", "text", "部門", "備考"])
        for at in range(1, 5):
            sheet.write_row(at + down, 1, [str(at), "x"])
        for cells, text in ranges:
            sheet.merge_range(cells, text)
    return path


@pytest.mark.parametrize("down", [0, 3])
def test_a_cost_centre_over_several_rows_stops_the_file(tmp_path: Path, down: int) -> None:
    cells = [f"D{first + down}:{column}{last + down}" for first, column, last in ((2, "D", 3), (4, "E", 5))]
    path = merged(tmp_path / "list.xlsx", (cells[1], "総務"), (cells[0], "営業"), down=down)
    assert refused(path) == (MERGED, {"sheet": "名簿", "count": 2, "cells": cells[0]})


def test_only_columns_that_are_used_matter(tmp_path: Path) -> None:
    path = merged(tmp_path / "list.xlsx", ("E2:E3", "要確認"), ("E4:F5", "済"), ("D4:D5", "営業"))
    assert refused(path, 0, 1) is None
    assert refused(path, 2, 1) == (MERGED, {"sheet": "名簿", "count": 1, "cells": "D4:D5"})
    assert refused(path, 3) == (MERGED, {"sheet": "名簿", "count": 2, "cells": "E2:E3"})
    assert refused(path, 4) == (MERGED, {"sheet": "名簿", "count": 1, "cells": "E4:F5"})


@pytest.mark.parametrize("cells", ["D1:D2", "E1:E2"])
def test_what_is_merged_with_the_header_stops_the_file(tmp_path: Path, cells: str) -> None:
    assert refused(merged(tmp_path / "list.xlsx", (cells, "部門")), 0) == (
        MERGED,
        {"sheet": "名簿", "count": 1, "cells": cells},
    )


@pytest.mark.parametrize("cells", [("D2:D5", ""), ("D2:E2", "営業"), ("D1:E1", "部門"), ("D4:D5", " ")])
def test_what_takes_no_value_from_a_row_does_not_matter(tmp_path: Path, cells: tuple[str, str]) -> None:
    table = open_workbook(merged(tmp_path / "list.xlsx", cells))
    refuse_merged(table)
    assert len(read(table, width=5)) == 4


def test_a_title_over_two_rows_is_above_the_list(tmp_path: Path) -> None:
    """It is the first record, as a title over one row is: what comes of that is said where headings are read."""
    assert refused(merged(tmp_path / "list.xlsx", ("B1:E2", "名簿"), down=4), 0) is not None


SPANNED = '<table:table-cell {} office:value-type="string"><text:p>営業</text:p></table:table-cell>'
COVERED = "<table:covered-table-cell/>"


@pytest.mark.parametrize(
    ("attributes", "cells"),
    [
        ('table:number-columns-spanned="1" table:number-rows-spanned="12"', "D2:D13"),
        ("table:number-rows-spanned='2'  table:number-columns-spanned='2'", "D2:E3"),
        ('table:number-rows-spanned="2"', "D2:D3"),
        ('table:number-columns-spanned="2" table:number-rows-spanned="1"', None),
    ],
)
def test_so_does_one_of_libreoffice(tmp_path: Path, attributes: str, cells: str | None) -> None:
    before = '<table:table-cell table:number-columns-repeated="2"/>'
    rows = [
        row("tel", "text", "", "部門"),
        row("1", before, SPANNED.format(attributes)),
        row("2", before, COVERED),
        row("3", before, COVERED),
    ]
    path = open_document(tmp_path / "list.ods", {"控え": rows[1], "名簿": "".join(rows)})
    if cells is None:
        assert len(read(open_workbook(path, sheet="名簿"))) == 3
    else:
        path = open_document(path, {"名簿": "".join(rows), "控え": rows[1]})
        assert refused(path) == (MERGED, {"sheet": "名簿", "count": 1, "cells": cells})


def test_so_does_one_of_the_old_format(tmp_path: Path) -> None:
    """Told by the reader; the sheet is made by hand."""
    sheet = old_sheet([["tel", "部門"], ["1", "営業"], ["2", ""]], more=merged_record((1, 2, 1, 1)))
    path = old_workbook(tmp_path / "list.xls", {"名簿": sheet})
    assert refused(path) == (MERGED, {"sheet": "名簿", "count": 1, "cells": "B2:B3"})
