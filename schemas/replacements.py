"""Tables of replacements: characters that cannot be sent, and what may stand for them.

``parse_replacements`` returns code point → text for ``str.translate``, or raises ``UsageError``
(``replacements.invalid``) that names every entry that cannot be used: a character that can be sent as it is, or a
replacement that cannot.
"""

from __future__ import annotations

import re
import sys
import tomllib
from typing import Any

from pipeline.core.text import forbidden_characters, repertoire
from pipeline.errors import UsageError

_RANGE = re.compile(r"([0-9A-F]{4,6})(?:-([0-9A-F]{4,6}))?")


def parse_replacements(text: str, file: str) -> dict[int, str]:
    """Parse a table; ``file`` is its name in error messages."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError("replacements.invalid", file=file, problems=str(error)) from None
    problems = [f"{key}: unknown" for key in sorted(raw.keys() - {"replace", "remove"})]
    problems += [f"{key}: not a table" for key in ("replace", "remove") if not isinstance(raw.get(key, {}), dict)]
    replaced, removed = (value if isinstance(value := raw.get(key, {}), dict) else {} for key in ("replace", "remove"))
    problems += [f"remove.{key}: unknown" for key in sorted(removed.keys() - {"ranges"})]
    ranges = removed.get("ranges", [])
    if not isinstance(ranges, list):
        problems.append("remove.ranges: not a list")
        ranges = []
    table = {code: "" for entry in ranges for code in _codes(entry, problems)}
    for character, by in replaced.items():
        if problem := _problem(character, by):
            problems.append(f"replace.{character}: {problem}")
        else:
            table[ord(character)] = by
    if problems:
        raise UsageError("replacements.invalid", file=file, problems="\n".join(f"  {problem}" for problem in problems))
    return table


def _codes(entry: Any, problems: list[str]) -> list[int]:  # noqa: ANN401 - TOML
    """Return the code points of a range that cannot be sent."""
    match = _RANGE.fullmatch(str(entry))
    first, last = (int(match[1], 16), int(match[2] or match[1], 16)) if match else (1, 0)
    if not first <= last <= sys.maxunicode:
        problems.append(f"remove.ranges: {entry!r} is no range like 1F300-1F5FF")
        return []
    return [code for code in range(first, last + 1) if chr(code) not in repertoire()]


def _problem(character: str, by: Any) -> str:  # noqa: ANN401 - TOML
    if len(character) != 1:
        return "one character is replaced, not several"
    if character in repertoire():
        return "can be sent as it is"
    if not isinstance(by, str):
        return "the replacement is no text"
    found = forbidden_characters(by)
    return f"the replacement holds {found[0]}, which cannot be sent" if found else ""
