"""Reads renderings of a reconciliation back: the rows of a terminal, a page, a workbook."""

from __future__ import annotations

import io
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import openpyxl
from rich.console import Console

from pipeline.reports.terminal import reconciliation_lines

if TYPE_CHECKING:
    from pathlib import Path

    from openpyxl.workbook import Workbook

    from pipeline.messages import Language
    from pipeline.model import Reconciliation

_VOID = {"meta", "rect", "input"}


class Outline(HTMLParser):
    """Tags, attributes, text and rows of a page; fails where tags do not nest. Lists and headings are rows, too."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self._open.append(tag)
        if tag in {"tr", "h1", "h2", "li", "p", "dt", "pre", "caption", "figcaption"}:
            self.rows.append([])
        if tag in {"th", "td", "h1", "h2", "li", "p", "dt", "dd", "pre", "caption", "figcaption"}:
            self.rows[-1].append("")
        if tag == "title" and self.rows:  # of a bar in a chart
            self.rows.append([""])

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.rows and self.rows[-1] and "script" not in self._open and data.strip():
            self.rows[-1][-1] += data.strip("\n")


def terminal(value: Reconciliation, language: Language, width: int = 80) -> str:
    """Return what a terminal of this width shows."""
    stream = io.StringIO()
    Console(file=stream, width=width, no_color=True).print(reconciliation_lines(value, language))
    return stream.getvalue()


def cells(path: Path) -> tuple[Workbook, Workbook]:
    """Open a workbook twice: with its formulas, and with the values they are cached with."""
    return openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)


def workbook_text(path: Path) -> str:
    """Return every cell of every sheet, a row a line: formulas with the value they are cached with."""
    live, cached = cells(path)
    lines: list[str] = []
    for sheet in live.worksheets:
        lines.append(f"# {sheet.title}")
        for row in sheet.iter_rows():
            texts = []
            for cell in row:
                if cell.data_type == "f":
                    texts.append(f"{cell.value} -> {cached[sheet.title][cell.coordinate].value}")
                else:
                    texts.append("" if cell.value is None else str(cell.value))
            lines.append(" | ".join(texts).rstrip(" |"))
    return "\n".join(lines) + "\n"


def page_text(page: str) -> str:
    """Return what a page says, a row a line."""
    return "\n".join(" | ".join(row).rstrip(" |") for row in Outline(page).rows) + "\n"
