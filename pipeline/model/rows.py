"""Rows of an input: what is wrong with them, what was repaired, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.errors import Bug


@dataclass(frozen=True, slots=True)
class CharacterAt:
    """A character of a cell that breaks a rule; ``position`` counts code points from 1."""

    position: int
    character: str

    def __str__(self) -> str:
        """Name the character so that it can be found even when it cannot be seen."""
        return f"{self.position}:{self.character}(U+{ord(self.character):04X})"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one cell of one row. ``facts`` fill the message in ``messages.ROWS[code]``.

    ``suggestion`` is the whole corrected cell where one correction is safe, else empty.
    """

    row_number: int
    column: str
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)
    characters: tuple[CharacterAt, ...] = ()
    suggestion: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpandedText:
    """What the recipient of a row would see: the text after tags and links, and what the gateway counts of it.

    ``size`` is Shift_JIS bytes; ``parts`` maps a carrier to its number of billable parts; ``cut_by`` names the
    carriers that would cut it.
    """

    text: str
    size: int
    characters: int
    parts: Mapping[str, int]
    cut_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that does not go out: its cells as given, in the input's order, and everything that is wrong with it."""

    row_number: int
    cells: tuple[str, ...]
    findings: tuple[Finding, ...]
    expanded: ExpandedText | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """A cell that was changed under a named rule, because only one reading is possible."""

    row_number: int
    column: str
    rule: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RowTotals:
    """Control totals of one input, in records. Refuse to exist when they do not add up."""

    rows: int
    accepted: int
    rejected: int
    already: int

    def __post_init__(self) -> None:
        """Check input = accepted + rejected + already."""
        if self.rows != self.accepted + self.rejected + self.already:
            raise Bug(
                "totals.rows",
                rows=self.rows,
                accepted=self.accepted,
                rejected=self.rejected,
                already=self.already,
            )
