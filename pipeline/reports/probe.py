"""What a probe says about the profile: a table for people, the lines to set, and the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from pipeline.messages import Language, label
from pipeline.reports.privacy import hidden, visible
from pipeline.reports.terminal_tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from schemas.evidence import Entry

_STYLES = {"confirmed": "", "not_seen": "dim", "contradicted": "bold"}


def probe_table(entries: Sequence[Entry], language: Language) -> Table:
    """Return the entries a line each: what the profile says, what came, and the verdict."""
    found = table()
    for name in ("key", "says", "came", "verdict"):
        found.add_column(label(f"probe.column.{name}", language), overflow="fold")
    for entry in entries:
        cells = (entry.key, entry.says, _came(entry, language), label(f"probe.verdict.{entry.verdict}", language))
        found.add_row(*(Text(cell, style=_STYLES[entry.verdict]) for cell in cells))
    return found


def lines_to_set(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the lines of TOML that say what the evidence bears out, wherever at the end of a profile they are put."""
    for entry in entries:
        yield from entry.toml


def probe_document(entries: Sequence[Entry]) -> list[dict[str, object]]:
    """Return the entries as JSON-ready data."""
    return [
        {
            "key": entry.key,
            "says": entry.says,
            "came": _came(entry, Language.EN),
            "column": entry.column,
            "verdict": entry.verdict.value,
            "toml": list(entry.toml),
        }
        for entry in entries
    ]


def _came(entry: Entry, language: Language) -> str:
    parts = [visible(hidden(entry.came))] if entry.came else []
    if entry.word:
        parts.append(label(f"probe.word.{entry.word}", language))
    if entry.column is not None:
        parts.append(label("probe.elsewhere", language, column=entry.column))
    return ", ".join(parts) or "-"
