"""The gateway's answer codes on a terminal, in one language; ``answer_codes`` has them as Markdown and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from pipeline.messages import Language, label
from pipeline.reports.answer_codes import answer_document
from pipeline.reports.privacy import visible
from pipeline.reports.terminal_tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table

    from schemas.profile import Profile

#: what a code is an answer to
_ASKED = ("upload", "single", "result", "cancel")


def codes_table(profile: Profile, language: Language) -> Table:
    """Return every documented code: what it means, what it proves of whatever was asked, and what comes next."""
    found = table()
    found.leading, found.expand = 1, True
    found.add_column(label("answer.column.code", language), no_wrap=True)
    found.add_column(label("answer.column.meaning", language), overflow="fold", ratio=1)
    found.add_column(label("answer.column.next", language), overflow="fold", ratio=1)
    for code, said in answer_document(profile, language).items():
        what = Text(visible(said["meaning"]), style="bold")
        for line in _proofs(said, language):
            what.append(f"\n{line}", style="not bold")
        found.add_row(Text(f"{code} ({said['grade']})"), what, Text(visible(said["next"])))
    return found


def _proofs(said: Mapping[str, str], language: Language) -> Iterator[str]:
    """Yield what a code proves; questions that it answers alike share a line."""
    alike: dict[str, list[str]] = {}
    for name in _ASKED:
        alike.setdefault(said[name], []).append(label(f"answer.to.{name}", language))
    alike.setdefault(said["run"], []).append(label("answer.to.run", language))
    for text, names in alike.items():
        yield label("report.pair", language, name=label("report.separator", language).join(names), text=text)
