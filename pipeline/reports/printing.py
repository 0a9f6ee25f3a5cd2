"""How sheets are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

_A4 = 9


def print_setup(sheet: Worksheet, footer: str) -> None:
    """Set a sheet to landscape A4, one page wide, with page numbers."""
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    # An ampersand starts a code in a footer.
    sheet.set_footer(f"&L{footer.replace('&', '&&')}&R&P / &N")
    sheet.hide_gridlines(2)
