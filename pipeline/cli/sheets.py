"""What is said about the sheets of a workbook: which one was read, and which others hold something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.messages import label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.cli.output import Output


def sheets_document(sheet: str | None, others: Mapping[str, int]) -> dict[str, object]:
    """Return what a document says: the sheet, null where a file has none, and the rows of the others by name."""
    return {
        "sheet": None if sheet is None else _shown(sheet),
        "other_sheets": {_shown(name): rows for name, rows in others.items()},
    }


def show_sheets(output: Output, sheet: str | None, others: Mapping[str, int]) -> None:
    """Print the same; of a text file there is nothing to say."""
    if sheet is None:
        return
    output.say("validate.sheet", sheet=_shown(sheet))
    if others:
        counted = [
            label("validate.sheet_rows", output.language, sheet=_shown(name), rows=rows)
            for name, rows in others.items()
        ]
        joined = label("report.separator", output.language).join(counted)
        output.say("validate.other_sheets", sheet=_shown(sheet), others=joined)


def _shown(name: str) -> str:
    """Return a name as it may be shown: it comes from outside, and may hold anything."""
    from pipeline.reports.privacy import hidden, visible

    return visible(hidden(name))
