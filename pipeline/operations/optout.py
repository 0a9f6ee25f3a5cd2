"""Opt-outs: put numbers on the list of those who must not be written to, or take them off: all that are given or none.

Numbers are read as validation reads them, so that the list and a batch speak of the same number in the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.adapters.inputs import Table, open_input, refuse_merged
from pipeline.context import Context
from pipeline.core.headers import canonical_header, shown_names
from pipeline.core.msisdn import Reading, read_msisdn
from pipeline.errors import InputUnusable
from pipeline.ledger.optouts import add_optouts, remove_optouts
from pipeline.model import Finding
from schemas.recipients import INPUT_ROW


@dataclass(frozen=True, slots=True)
class Change:
    """What became of ``given`` numbers: by how many the list ``changed``, or why none of them was used.

    Of a workbook ``sheet`` is the one that was read, and ``other_sheets`` those that were not, with the rows they hold.
    """

    given: int
    changed: int
    unreadable: tuple[Finding, ...] = ()
    sheet: str | None = None
    other_sheets: Mapping[str, int] = field(default_factory=dict)


def opt_out(context: Context, numbers: Iterable[tuple[int, str]], source: str) -> Change:
    """Put numbers, given with their positions, on the list; ``source`` says where they come from."""
    return _changed(
        context, numbers, lambda msisdns: add_optouts(context.ledger, msisdns, source=source, now=context.now())
    )


def opt_in(context: Context, numbers: Iterable[tuple[int, str]]) -> Change:
    """Take numbers, given with their positions, off the list."""
    return _changed(context, numbers, lambda msisdns: remove_optouts(context.ledger, msisdns, context.now()))


def import_optouts(context: Context, path: Path, *, sheet: str | None = None) -> Change:
    """Put the numbers of a file on the list.

    They stand in the column that the profile's header names know, or in the only one. Raises ``InputUnusable`` when
    the file cannot be read or which column is meant is open.
    """
    table = open_input(path, sheet=sheet)
    change = opt_out(context, _cells(context, table), f"file:{path.name}")
    return replace(change, sheet=table.sheet, other_sheets=table.other_sheets)


def _changed(context: Context, numbers: Iterable[tuple[int, str]], change: Callable[[Sequence[str]], int]) -> Change:
    overseas = context.profile.options.overseas.value
    msisdns: list[str] = []
    unreadable: list[Finding] = []
    for position, value in numbers:
        reading = read_msisdn(value, overseas=overseas)
        if isinstance(reading, Reading):
            msisdns.append(reading.msisdn)
        else:
            unreadable.append(Finding(position, "", reading.code, reading.facts))
    given = len(msisdns) + len(unreadable)
    if unreadable:
        return Change(given, 0, tuple(unreadable))
    return Change(given, change(msisdns))


def _cells(context: Context, table: Table) -> Iterator[tuple[int, str]]:
    """Yield row and cell of the column that holds the numbers."""
    first = [cell.strip() for cell in table.first_record]
    names = context.profile.headers["msisdn"]
    phones = [at for at, cell in enumerate(first) if canonical_header(cell) in names]
    if len(phones) > 1:
        raise InputUnusable("input.doubled_column", file=table.name, columns=", ".join(first[at] for at in phones))
    if not phones and len(first) > 1:
        # Where a header is missing these are somebody's cells: what may be a number is not shown.
        shown = shown_names(first)
        raise InputUnusable("input.no_phone_column", file=table.name, columns=shown, names=", ".join(names))
    place = phones[0] if phones else 0
    refuse_merged(table, [place])
    columns = [f"column {number}" for number in range(1, len(first) + 1)]
    for chunk in table.chunks(columns, header=bool(phones)):
        yield from zip(chunk[INPUT_ROW].tolist(), chunk[columns[place]].tolist(), strict=True)
