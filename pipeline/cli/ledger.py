"""The commands that look after the ledger."""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.main import Session, common
from pipeline.cli.output import actor, must_be_reason
from pipeline.errors import Exit, GuardStopped, UsageError

if TYPE_CHECKING:
    from pipeline.context import Context
    from pipeline.ledger.carrying import Carried

#: so many files of a batch that are gone are named; ``--json`` has them all
_FILES = 3


@click.group("ledger")
def ledger_command() -> None:
    """Look after the ledger."""


@ledger_command.command("check")
@click.option("--recover", "recovers", is_flag=True, help="Enter what was begun and the ledger forgot, as unknown.")
@common
def ledger_check(session: Session, *, recovers: bool) -> Exit:
    """Check the ledger's integrity, that it knows every attempt the workspace knows, and what of its files is gone."""
    from pipeline.ledger import check_ledger
    from pipeline.operations.inventory import gaps
    from pipeline.stages.guards import check_place

    with session.context() as context:
        if problems := check_ledger(context.ledger):
            raise GuardStopped("ledger.damaged", problem="; ".join(problems[:5]))
        recovered = _recover(session, context) if recovers else {}
        check_place(context)
        found = list(gaps(context))
    for gap in found:
        names = ", ".join(gap.files[:_FILES]) + " …" * (len(gap.files) > _FILES)
        what = "ledger.gap" if gap.is_finding else "ledger.cleared"
        session.output.urge(what, batch=gap.batch_id, count=len(gap.files), files=names)
    if stopping := next((gap.stops for gap in found if gap.stops), None):
        raise GuardStopped("artefact.missing", file=str(stopping))
    code = Exit.FINDINGS if any(gap.is_finding for gap in found) else Exit.DONE
    if code is Exit.DONE:
        session.output.say("ledger.good")
    missing = {gap.batch_id: list(gap.files) for gap in found}
    session.output.document({"problems": [], "missing": missing, **recovered, "exit": int(code)})
    return code


def _recover(session: Session, context: Context) -> dict[str, object]:
    from pipeline.operations.inventory import mark_again
    from pipeline.operations.recover import recover

    done = recover(context)
    marked = mark_again(context)
    if done.dispatches:
        command = session.command("status")
        session.output.say("ledger.recovered", dispatches=done.dispatches, messages=done.messages, command=command)
    if marked:
        session.output.say("ledger.marked_again", count=marked)
    return {"recovered_dispatches": done.dispatches, "recovered_messages": done.messages, "marked_again": marked}


@ledger_command.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@common
def ledger_backup(session: Session, *, file: Path) -> Exit:
    """Copy the ledger into a file, also while a run is at work."""
    from pipeline.config import load
    from pipeline.operations.backup import backup

    artefact = backup(load(session.config, os.environ), file)
    session.output.say("ledger.backed_up", file=file)
    session.output.document({"file": str(file), "sha256": artefact.sha256, "size": artefact.size, "exit": 0})
    return Exit.DONE


@ledger_command.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@common
def ledger_restore(session: Session, *, file: Path) -> Exit:
    """Put a backup in the place of the ledger, while nothing else works with it."""
    from datetime import UTC, datetime

    from pipeline.config import load
    from pipeline.operations.backup import restore

    done = restore(load(session.config, os.environ), file, datetime.now(UTC))
    session.output.say("ledger.restored", file=file)
    if done.aside:
        session.output.say("ledger.aside", file=done.aside)
    code = _show_carried(session, done.carried)
    for words in (("ledger", "migrate"),) * done.is_older + (("ledger", "check", "--recover"),):
        session.output.say("validate.next", command=session.command(*words))
    carried = asdict(done.carried) if done.carried else None
    aside = str(done.aside) if done.aside else None
    session.output.document({"file": str(file), "aside": aside, "carried": carried, "exit": int(code)})
    return code


def _show_carried(session: Session, carried: Carried | None) -> Exit:
    """Say which decisions of people the restored ledger knows, and which have to be entered again."""
    if carried is None:
        session.output.urge("ledger.not_carried")
        return Exit.FINDINGS
    if carried.optouts or carried.batches or carried.messages:
        counts = {"optouts": carried.optouts, "batches": carried.batches, "messages": carried.messages}
        session.output.say("ledger.carried", **counts)
    if carried.missing:
        session.output.urge("ledger.carried_missing", batches=", ".join(carried.missing))
        return Exit.FINDINGS
    return Exit.DONE


@ledger_command.command("adopt")
@click.option(
    "--because",
    required=True,
    help="Why nothing is sent from the other machine any more, or why it is the same account.",
)
@common
def ledger_adopt(session: Session, *, because: str) -> Exit:
    """Say that a workspace was moved to this machine for good, or that the gateway has another address now.

    A copy would send everything twice, and through another gateway nobody has got anything yet.
    """
    from pipeline.ledger.gateways import adopt_gateway
    from pipeline.ledger.machines import adopt_machine

    must_be_reason(because)
    with session.context() as context:
        by: dict[str, str] = {"actor": actor(os.environ), "because": because}
        left = adopt_machine(context.ledger, context.now(), **by)
        before = adopt_gateway(context.ledger, context.now(), context.settings.gateway.base_url, **by)
    if left:
        session.output.say("ledger.adopted", host=left.host)
    if before:
        session.output.say("ledger.adopted_gateway", before=before.host)
    if not (left or before):
        session.output.say("ledger.at_home")
    found = {"adopted_from": left.host if left else None, "gateway_before": before.host if before else None}
    session.output.document({**found, "exit": 0})
    return Exit.DONE


@ledger_command.command("migrate")
@common
def ledger_migrate(session: Session) -> Exit:
    """Bring the ledger to the version of this program."""
    from datetime import UTC, datetime

    from pipeline.config import load
    from pipeline.operations.migrate import migrate

    version = migrate(load(session.config, os.environ), datetime.now(UTC))
    session.output.say("ledger.version", version=version)
    session.output.document({"version": version, "exit": 0})
    return Exit.DONE


@ledger_command.command("copy")
@click.argument("url")
@common
def ledger_copy(session: Session, *, url: str) -> Exit:
    """Move the ledger from its SQLite file to an empty PostgreSQL database."""
    from datetime import UTC, datetime

    from pipeline.config import load
    from pipeline.operations.copy import copy

    # The command line can be read by everybody on the host.
    if re.search(r"//[^@]*:[^@]+@|[?&]password=", url):
        raise UsageError("ledger.copy_password")
    tables = copy(load(session.config, os.environ), url, datetime.now(UTC))
    session.output.say("ledger.copied", rows=sum(tables.values()))
    session.output.document({"tables": tables, "exit": 0})
    return Exit.DONE
