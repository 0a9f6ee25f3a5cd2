"""Tables and headings of the terminal: plain lines, no frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipeline.messages import Language, label

if TYPE_CHECKING:
    from rich.console import RenderableType


def section(name: str, language: Language) -> RenderableType:
    """Return the heading of a section, after an empty line."""
    return Padding(Text(label(f"report.section.{name}", language), style="bold"), (1, 0, 0, 0))


def table(*, footer: bool = False) -> Table:
    """Return an empty table with a line under its header."""
    return Table(
        box=box.SIMPLE_HEAD,
        show_footer=footer,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
        header_style="",
        footer_style="bold",
    )


def pairs(lines: list[tuple[str, str]]) -> Table:
    """Return names with their texts, one a line."""
    grid = Table.grid(padding=(0, 2))
    for name, text in lines:
        grid.add_row(Text(name, style="dim"), Text(text, overflow="fold"))
    return grid


def sums(lines: list[tuple[str, str]], *, bold: int = 1) -> Table:
    """Return names with their amounts, one a line, the last ``bold`` ones being what the others come to."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(justify="right", no_wrap=True)
    for number, (name, amount) in enumerate(lines):
        style = "bold" if number >= len(lines) - bold else ""
        grid.add_row(Text(name, style=style), Text(amount, style=style))
    return grid
