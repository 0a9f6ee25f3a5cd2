"""Cells of a workbook: text that stays text, numbers that are exact, formats that are shared."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from pipeline.model import MessageClass
from pipeline.reports.amounts import decimal_places, grouped, spreadsheet_number
from pipeline.reports.privacy import hidden, visible

if TYPE_CHECKING:
    from decimal import Decimal

    import xlsxwriter
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from pipeline.messages import Language

#: stands on every Windows since 8.1 and with every Office for Mac, and has Japanese and Latin letters
FONT = "Yu Gothic"

INK, MUTED, LINE, HEAD = "#1C2430", "#566070", "#C9D0D8", "#EAF0F6"
GOOD_INK, GOOD_FILL = "#14532D", "#DDF3E4"
LOOK_INK, LOOK_FILL = "#6B4500", "#FFF1CC"
BAD_INK, BAD_FILL = "#8B1A1A", "#FBE3E1"

#: class → colour of its bar, the same as on the page
COLOURS: dict[MessageClass, str] = {
    MessageClass.DELIVERED: "#2F7D55",
    MessageClass.PARTIAL: "#7A8F2A",
    MessageClass.FAILED: "#B5403A",
    MessageClass.CANCELLED: "#7B6F8E",
    MessageClass.CHECKED: "#2A7F8F",
    MessageClass.REFUSED: "#A0527A",
    MessageClass.PENDING: "#3B76B0",
    MessageClass.MISSING: "#B3701C",
    MessageClass.UNMAPPED: "#8A5A2B",
    MessageClass.UNKNOWN: "#6B6257",
    MessageClass.PLANNED: "#6B7C8D",
}

_CELL_CHARACTERS = 32_767

# A spreadsheet reads _x0041_ as A.
_ESCAPE_LIKE = re.compile("_(?=x[0-9a-fA-F]{4}_)")

Style = tuple[tuple[str, object], ...]


class Cells:
    """Cells of one workbook, and what its sheets share. Rows come in order: XlsxWriter streams them."""

    def __init__(self, workbook: xlsxwriter.Workbook, language: Language, footer: str, *, unmask: bool) -> None:
        """Take the workbook whose formats are shared."""

        @cache
        def made(style: Style) -> Format:
            base = {"font_name": FONT, "font_size": 10, "font_color": INK, "valign": "vcenter"}
            return workbook.add_format({**base, **dict(style)})

        self._made = made
        self.workbook = workbook
        self.language = language
        self.footer = footer
        self.unmask = unmask

    def outside(self, text: str) -> str:
        """Return text that came from outside as this workbook may show it."""
        return text if self.unmask else hidden(text)

    def style(self, **properties: object) -> Format:
        """Return the format with these properties; a workbook has each only once."""
        return self._made(tuple(sorted(properties.items())))

    def text(self, sheet: Worksheet, row: int, column: int, text: str, **properties: object) -> None:
        """Write text as text.

        ``@`` keeps it text when somebody edits the cell: ``=1+1`` would become a formula then.
        """
        sheet.write_string(row, column, safe_text(text), self.style(num_format="@", **properties))

    def count(self, sheet: Worksheet, row: int, column: int, number: int, **properties: object) -> None:
        """Write a count."""
        sheet.write_number(row, column, number, self.style(num_format="#,##0", **properties))

    def yen(self, sheet: Worksheet, row: int, column: int, amount: Decimal, **properties: object) -> None:
        """Write an amount: as a number where a spreadsheet can hold it exactly, else as text."""
        number = spreadsheet_number(amount)
        if number is None:
            self.text(sheet, row, column, grouped(amount), align="right", **properties)
        else:
            sheet.write_number(row, column, number, self.yen_style(amount, **properties))

    def yen_style(self, *amounts: Decimal, **properties: object) -> Format:
        """Return a format that shows every decimal of ``amounts``.

        Not ``#,##0.##``: that leaves a lone point behind whole yen.
        """
        places = max((decimal_places(amount) for amount in amounts), default=0)
        return self.style(num_format=f'"¥"#,##0{"." if places else ""}{"0" * places}', **properties)


def inline_text(text: str) -> str:
    """Return ``text`` as the rest of a ``<t`` element: what XML and spreadsheets would read otherwise is escaped."""
    safe = _ESCAPE_LIKE.sub("_x005F_", safe_text(text))
    kept = ' xml:space="preserve">' if safe != safe.strip() else ">"
    return kept + safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def safe_text(text: str) -> str:
    """Return what a cell can hold: every character visible, at most 32,767 of them, no markup.

    In its constant-memory mode XlsxWriter writes ``<r>…</r>`` unescaped, as rich text: a label could
    break the file or inject cells. A leading space ends that.
    """
    shown = visible(text)
    if len(shown) > _CELL_CHARACTERS:
        shown = shown[: _CELL_CHARACTERS - 1] + "…"
    return f" {shown}" if shown.startswith("<r>") else shown


def text_width(text: str) -> int:
    """Measure ``text`` in half-width characters: Japanese ones count two."""
    return sum(1 + (not character.isascii()) for character in text)
