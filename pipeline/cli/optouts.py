"""The list of those who must not be written to."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.main import Session, common
from pipeline.cli.output import actor
from pipeline.cli.sheets import sheets_document, show_sheets
from pipeline.errors import Exit, InputUnusable
from pipeline.messages import ROWS, fill

if TYPE_CHECKING:
    from pipeline.operations.optout import Change

#: how many unreadable numbers are shown; JSON lists them all
_SHOWN = 20
_NUMBERS = click.argument("numbers", metavar="NUMBER...|-", nargs=-1, required=True)


def _given(numbers: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield each number with its position; a lone ``-`` stands for the lines of standard input, empty ones left out."""
    if numbers != ("-",):
        yield from enumerate(numbers, 1)
        return
    for position, line in enumerate(sys.stdin.buffer, 1):
        # A byte that is no text becomes a character that no number has, and is reported like any other.
        if value := line.decode(errors="replace").strip():
            yield position, value


@click.group("optout")
def optout_command() -> None:
    """Look after the list of those who must not be written to."""


@optout_command.command("add")
@_NUMBERS
@common
def optout_add(session: Session, *, numbers: tuple[str, ...]) -> Exit:
    """Put numbers on the list; - reads them from standard input, one a line."""
    from pipeline.operations.optout import opt_out

    with session.context() as context:
        change = opt_out(context, _given(numbers), f"person:{actor(os.environ)}")
    return _show(session, change, "added")


@optout_command.command("remove")
@_NUMBERS
@common
def optout_remove(session: Session, *, numbers: tuple[str, ...]) -> Exit:
    """Take numbers off the list; - reads them from standard input, one a line."""
    from pipeline.operations.optout import opt_in

    with session.context() as context:
        change = opt_in(context, _given(numbers))
    return _show(session, change, "removed")


@optout_command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--sheet", help="Name of the sheet of a workbook.")
@common
def optout_import(session: Session, *, file: Path, sheet: str | None) -> Exit:
    """Put the numbers of a CSV, a workbook or a plain list on the list."""
    from pipeline.operations.optout import import_optouts

    with session.context() as context:
        change = import_optouts(context, file, sheet=sheet)
    show_sheets(session.output, change.sheet, change.other_sheets)
    return _show(session, change, "added", place="optout.unreadable_row")


def _show(session: Session, change: Change, what: str, *, place: str = "optout.unreadable") -> Exit:
    """Print what became of the numbers; one that cannot be read is named by its position, never by itself."""
    output = session.output
    reasons = [fill(ROWS[found.code], output.language, found.facts) for found in change.unreadable]
    document: dict[str, object] = {
        "given": change.given,
        what: change.changed,
        "unreadable": [
            {"position": found.row_number, "code": found.code, "reason": reason}
            for found, reason in zip(change.unreadable, reasons, strict=True)
        ],
    }
    if change.sheet is not None:
        document |= sheets_document(change.sheet, change.other_sheets)
    if not change.unreadable:
        output.say(f"optout.{what}", given=change.given, count=change.changed)
        output.document(document | {"exit": 0})
        return Exit.DONE
    for found, reason in zip(change.unreadable[:_SHOWN], reasons, strict=False):
        output.say(place, position=found.row_number, reason=reason)
    if len(reasons) > _SHOWN:
        output.say("optout.unreadable_shown", shown=_SHOWN, total=len(reasons))
    failure = InputUnusable("optout.unreadable", count=len(change.unreadable), total=change.given)
    output.failure(failure)
    output.document(document | {"error": failure.code, "exit": int(failure.exit)})
    return failure.exit


@optout_command.command("list")
@click.option("--unmask", is_flag=True, help="Show the numbers in full.")
@common
def optout_list(session: Session, *, unmask: bool) -> Exit:
    """Print the numbers on the list."""
    from pipeline.core.msisdn import mask
    from pipeline.ledger.optouts import list_optouts

    with session.context() as context:
        shown = [number if unmask else mask(number) for number in list_optouts(context.ledger)]
    for number in shown:
        session.output.say("optout.number", number=number)
    session.output.note("optout.count", count=len(shown))
    session.output.document({"count": len(shown), "masked": not unmask, "optouts": shown, "exit": 0})
    return Exit.DONE
