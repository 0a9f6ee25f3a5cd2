"""The reconciliation as a workbook for finance: summary, breakdown, bill, differences, messages, basis."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from pipeline.core.calendar import JST
from pipeline.messages import Language, label
from pipeline.reports.basis import write_basis
from pipeline.reports.breakdown import write_deliveries, write_groups
from pipeline.reports.cells import FONT, Cells
from pipeline.reports.money import write_money
from pipeline.reports.sheets import write_breaks, write_messages
from pipeline.reports.summary import write_summary

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipeline.model import MessageLine, Reconciliation


def write_workbook(
    path: Path,
    value: Reconciliation,
    lines: Iterable[MessageLine],
    language: Language,
    *,
    unmask: bool = False,
) -> None:
    """Write the workbook to ``path``; nothing is left there when ``lines`` fails midway.

    ``lines`` is read once, row by row, in flat memory. Sheets split at 1,048,576 rows. Only formulas
    written here are formulas: no text from outside becomes one. The same values give the same bytes.
    """
    # XlsxWriter spills rows to temporary files. They hold what the report holds, so they stay beside it
    # and go with this block, not with the next boot.
    with TemporaryDirectory(dir=path.parent, prefix=".report-") as spill:
        options = {
            "constant_memory": True,
            "tmpdir": spill,
            "use_zip64": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_format_properties": {"font_name": FONT, "font_size": 10},
            "default_row_height": 24,
        }
        workbook = xlsxwriter.Workbook(str(path), options)
        try:
            _write(workbook, value, lines, language, unmask=unmask)
        except BaseException:
            # Closing is the only way to release the spill files, and it writes half a report.
            workbook.close()
            path.unlink(missing_ok=True)
            raise
        try:
            workbook.close()
        except FileCreateError as error:
            # The library hides what the system said, and whether it was about room.
            raise error.args[0] from None


def _write(
    workbook: xlsxwriter.Workbook,
    value: Reconciliation,
    lines: Iterable[MessageLine],
    language: Language,
    *,
    unmask: bool,
) -> None:
    created = value.as_of.astimezone(JST).replace(tzinfo=None)
    workbook.set_properties({"title": label("report.title", language), "created": created})
    footer = f"{label('report.title', language)}  {value.name}"
    cells = Cells(workbook, language, footer, unmask=unmask)
    write_summary(cells, value)
    write_groups(cells, value)
    write_deliveries(cells, value.deliveries)
    write_money(cells, value)
    write_breaks(cells, value.breaks)
    write_messages(cells, value, lines)
    write_basis(cells, value)
