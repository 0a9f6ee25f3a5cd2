"""The shape of a text in the catalogue."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """One text in both languages; ``{name}`` placeholders are filled from facts."""

    ja: str
    en: str


class Failure(NamedTuple):
    """What a failure says: what happened, and what to do next."""

    what: Text
    hint: Text
