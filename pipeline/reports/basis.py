"""The last sheet of the workbook: the tariff that was used, and what everything was computed from."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING

from pipeline.messages import label
from pipeline.reports.wording import carrier_name, message_kind, outside, provenance
from pipeline.reports.writing import SheetWriter

if TYPE_CHECKING:
    from pipeline.model import Reconciliation
    from pipeline.reports.cells import Cells

_WIDTHS = (36, 26, 12, 18, 22, 26)


def write_basis(cells: Cells, value: Reconciliation) -> None:
    """Write provenance and tariff."""
    sheet = SheetWriter(cells, "basis", _WIDTHS)
    sheet.title(label("report.sheet.basis", cells.language))
    sheet.section("provenance")
    for name, text in provenance(value, cells.language):
        sheet.pair(name, text)
    sheet.section("prices")
    sheet.pair(label("report.heading.tariff", cells.language), outside(value.tariff))
    if value.prices:
        sheet.note(label("report.caption.prices", cells.language))
        _prices(sheet, value)
    sheet.end()


def _prices(sheet: SheetWriter, value: Reconciliation) -> None:
    sheet.header(("carrier", "message_kind", "parts", "from", "until", "price"))
    amounts = sheet.cells.yen_style(*(price.amount for price in value.prices))
    days = sheet.cells.style(num_format="yyyy-mm-dd", align="right")
    for price in value.prices:
        sheet.text(0, carrier_name(price.carrier, sheet.language))
        sheet.text(1, message_kind(price.kind, sheet.language), align="right")
        sheet.count(2, price.parts)
        sheet.sheet.write_datetime(sheet.row, 3, datetime.combine(price.start, time()), days)
        if price.end is not None:
            sheet.sheet.write_datetime(sheet.row, 4, datetime.combine(price.end, time()), days)
        sheet.yen(5, price.amount, amounts)
        sheet.row += 1
    sheet.exactness(price.amount for price in value.prices)
