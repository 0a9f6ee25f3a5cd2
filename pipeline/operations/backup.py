"""Backup and restore of an embedded ledger. A restored one went back in time: what was begun since is recovered."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.adapters.files import Workspace, write_through
from pipeline.config import Configuration
from pipeline.core.calendar import stamp
from pipeline.errors import GuardStopped, UsageError
from pipeline.ledger.backup import copy_ledger, embedded_file, identify, read_copy, set_aside
from pipeline.ledger.carrying import Carried, carry_over
from pipeline.ledger.locks import held, lock_files
from pipeline.ledger.opening import MOVED, VERSION, open_ledger
from pipeline.model import Artefact


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of the ledger that was there, if one was, and whether the restored one must be migrated first.

    ``carried`` is what people had decided since the backup; None where nobody knows it.
    """

    aside: Path | None
    is_older: bool
    carried: Carried | None


def backup(configuration: Configuration, file: Path) -> Artefact:
    """Copy the ledger into ``file`` while others work; nothing that is there is overwritten.

    One of an older version, too: it is what somebody wants to have before it is migrated.
    """
    live = embedded_file(configuration.ledger_url)
    workspace = Workspace(configuration.path(configuration.settings.workspace.path))
    workspace.ledger_id()
    with closing(open_ledger(configuration.ledger_url, older=True)) as ledger:
        workspace.check_belongs_to(ledger.ledger_id)
    if file.exists():
        raise UsageError("ledger.backup_exists", file=str(file))

    def written(part: Path) -> None:
        copy_ledger(live, part)
        read_copy(part)

    file.parent.mkdir(parents=True, exist_ok=True)
    return write_through(file, written)


def restore(configuration: Configuration, file: Path, now: datetime) -> Restored:
    """Put a backup in the place of the ledger, which is kept under another name.

    Nothing changes unless the backup is sound, of this installation, and no run is at work. Raises ``GuardStopped``
    (``ledger.moved``) where the ledger lives in another database since: that one and the backup would send the same.
    """
    live = embedded_file(configuration.ledger_url)
    workspace = Workspace(configuration.path(configuration.settings.workspace.path))
    with ExitStack() as stack:
        for lock in lock_files(live):
            stack.enter_context(held(lock, now))
        found = read_copy(file)
        workspace.check_belongs_to(found.ledger_id)
        if (replaced := identify(live)) and replaced.ledger_id.startswith(MOVED):
            raise GuardStopped("ledger.moved")
        aside = live.with_name(f"{live.name}.before-{stamp(now)}") if live.exists() else None

        carried: list[Carried | None] = []

        def written(part: Path) -> None:
            copy_ledger(file, part)
            carried.append(carry_over(live, part, now))
            if aside is not None:
                set_aside(live, aside)

        write_through(live, written)
    return Restored(aside, found.version < VERSION, carried[0])
