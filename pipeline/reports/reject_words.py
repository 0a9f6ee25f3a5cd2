"""What is said about a rejected row: why, where, and what to do."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from pipeline.core.rules import SHOWN
from pipeline.messages import REPAIRS, ROWS, Language, fill, label
from pipeline.messages.rejects import ADVICE, FAMILY_ADVICE, OTHER_ADVICE
from pipeline.reports.privacy import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model import ExpandedText, Finding

#: characters of a cell that its note names one by one
CHARACTERS = 8

_NAME = 60


class _Left:
    """A fact that is left open: a message about all rows with a code instead of one."""

    def __format__(self, specification: str) -> str:
        """Stand for the fact, however it would be formatted."""
        return "…"


class _Open(dict[str, object]):
    def __missing__(self, name: str) -> object:
        return _Left()


def explain(finding: Finding, language: Language) -> str:
    """Say what is wrong. With ``--strict`` the code may be a repair's: then its message says what was not done."""
    if finding.code in ROWS:
        return fill(ROWS[finding.code], language, dict(finding.facts) | _more(finding, language))
    return label("reject.strict", language, what=fill(REPAIRS[finding.code], language, finding.facts))


def _more(finding: Finding, language: Language) -> dict[str, object]:
    """Return the characters that are named with how many there are besides."""
    if (more := len(finding.characters) - SHOWN) <= 0:
        return {}
    return {"shown": label("reject.shown", language, shown=finding.facts["shown"], count=more)}


def explain_code(code: str, language: Language) -> str:
    """Say what is wrong with every row that has ``code``, its facts left open."""
    if code in ROWS:
        return fill(ROWS[code], language, _Open())
    return label("reject.strict", language, what=fill(REPAIRS[code], language, _Open()))


def advise(code: str, language: Language) -> str:
    """Say what a person can do about ``code``."""
    family = FAMILY_ADVICE.get(code.partition(".")[0], OTHER_ADVICE)
    return fill(ADVICE.get(code, family), language, {})


def instruct(finding: Finding, language: Language) -> str:
    """Say what is wrong, and what to do about it where that does not say it itself."""
    what = explain(finding, language)
    if finding.code not in ADVICE:
        return what
    return label("reject.advice", language, what=what, advice=fill(ADVICE[finding.code], language, {}))


def suggestions(findings: Sequence[Finding], language: Language) -> str:
    """Return the corrected cells that are safe to suggest, a line each."""
    return "\n".join(
        label("reject.suggestion", language, column=shortened(finding.column), value=finding.suggestion)
        for finding in findings
        if finding.suggestion
    )


def length_in_words(expanded: ExpandedText, language: Language) -> str:
    """Say how long the text is, as the gateway and the carriers count."""
    said = label("reject.length", language, size=expanded.size, characters=expanded.characters)
    separator = label("report.separator", language)
    numbers = set(expanded.parts.values())
    if len(numbers) == 1:
        (number,) = numbers
        said += label("reject.length.part" if number == 1 else "reject.length.parts", language, parts=number)
    elif numbers:
        parts = separator.join(f"{carrier} {number}" for carrier, number in expanded.parts.items())
        said += label("reject.length.by_carrier", language, parts=parts)
    if expanded.cut_by:
        said += label("reject.length.cut", language, carriers=separator.join(expanded.cut_by))
    return said


def cell_note(cell: str, findings: Sequence[Finding], expanded: ExpandedText | None, language: Language) -> str:
    """Return the note of a cell: what is wrong with it, at which characters, and how to fix it."""
    lines: list[str] = []
    for finding in findings:
        lines.append(instruct(finding, language))
        lines += _characters(cell, finding, expanded, language)
        if finding.suggestion:
            lines.append(label("reject.comment.suggestion", language, value=finding.suggestion))
    return "\n".join(lines)


def _characters(cell: str, finding: Finding, expanded: ExpandedText | None, language: Language) -> list[str]:
    # A position may count in the cell or in the text after its tags are filled in: whichever has the character there.
    def stand_in(text: str) -> bool:
        return all(text[at.position - 1 : at.position] == at.character for at in finding.characters)

    code = "reject.comment.in_cell"
    if not stand_in(cell) and expanded and stand_in(expanded.text):
        code = "reject.comment.in_text"
    lines = [
        label(code, language, position=at.position, character=named(at.character))
        for at in finding.characters[:CHARACTERS]
    ]
    if (more := len(finding.characters) - CHARACTERS) > 0:
        lines.append(label("reject.comment.more", language, count=more))
    return lines


def named(character: str) -> str:
    """Name a character so that it can be found: one that cannot be seen alone by its code point and name."""
    code = f"U+{ord(character):04X}"
    if unicodedata.category(character)[0] in "CMZ":
        return f"{code} {unicodedata.name(character, '')}".rstrip()
    return f"{character} ({code})"


def shortened(column: str) -> str:
    """Name a column; a name may be anything, also a whole text."""
    return column if len(column) <= _NAME else f"{column[: _NAME - 1]}…"


def seen(text: str) -> str:
    """Return text in which every character can be seen; line breaks stay line breaks."""
    return "\n".join(map(visible, text.split("\n")))
