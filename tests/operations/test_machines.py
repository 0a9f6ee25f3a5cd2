"""A workspace that is copied to another machine: what both would send goes out from one."""

from __future__ import annotations

import shutil
import socket
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import Exit, GuardStopped
from pipeline.ledger import machines
from pipeline.ledger.machines import adopt_machine, machine_elsewhere, stop_if_elsewhere
from pipeline.messages import Language
from pipeline.model import CancelOutcome, MessageState
from pipeline.operations.backup import backup, restore
from pipeline.operations.cancel import cancel, look_up
from pipeline.operations.copy import copy
from pipeline.operations.doctor import examine_installation
from pipeline.operations.status import standing
from pipeline.simulator import Knobs
from pipeline.stages.pull import pull
from pipeline.stages.rehearse import rehearse
from pipeline.stages.send import send
from tests.stages.conftest import House

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.context import Context

ONE, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


@pytest.fixture(autouse=True)
def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Go to the machine of an id, or to one that has none."""
    file = tmp_path / "machine-id"
    monkeypatch.setattr(machines, "_IDS", (file,))

    def go(machine: str | None) -> None:
        file.unlink(missing_ok=True)
        if machine is not None:
            file.write_text(f"{machine}\n")

    go(ONE)
    return go


@pytest.fixture
def copied(house: House, context: Context) -> Iterator[House]:
    """A copy of an installation with a list that waits, as somebody's other machine has it."""
    house.batch(context, house.recipients(7))
    context.close()
    folder = house.folder / "elsewhere"
    folder.mkdir()
    shutil.copytree(house.folder / "workspace", folder / "workspace")
    shutil.copy(house.folder / "list.csv", folder)
    made = House(folder, house.gateway, house.environment["MEDIASMS_LEDGER_URL"])
    yield made
    made.close()


def _refused(house: House, context: Context) -> GuardStopped:
    with pytest.raises(GuardStopped) as stopped:
        house.sent(context, house.folder / "list.csv")
    assert (stopped.value.code, stopped.value.exit) == ("ledger.elsewhere", Exit.GUARD)
    return stopped.value


def test_a_copy_on_another_machine_sends_nothing(
    house: House, copied: House, on: Callable[[str | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house.sent(house.open(), house.folder / "list.csv").states == {MessageState.TAKEN: 7}
    on(OTHER)
    monkeypatch.setattr(socket, "gethostname", lambda: "other-host")
    there = copied.open()
    refused = _refused(copied, there)
    assert refused.facts["since"] == "2026-11-23 09:30"
    assert "`mediasms ledger adopt --because" in refused.hint(Language.EN)
    assert set(house.copies().values()) == {1}
    # What only looks goes on, and says what would stop the sending.
    batch = copied.batch(there, copied.folder / "list.csv")
    assert [error.code for error in rehearse(there, batch).stopped_by] == ["ledger.elsewhere"]
    with pytest.raises(GuardStopped, match=r"ledger\.elsewhere"):
        examine_installation(there, reset_auth=False)
    pull(there, batch.batch_id)


def test_a_copy_cancels_nothing_either(copied: House, on: Callable[[str | None], None]) -> None:
    copied.gateway.knobs = Knobs(hold_seconds=3600, fate="at_once")
    here = copied.open()
    batch = copied.batch(here, copied.folder / "list.csv")
    send(here, batch)
    on(OTHER)
    there = copied.open()
    with pytest.raises(GuardStopped, match=r"ledger\.elsewhere"):
        cancel(there, look_up(there, [batch.batch_id]), actor="me")
    assert "/cancelapi/" not in copied.gateway.requests
    assert standing(there, batch).stop is None
    adopt_machine(there.ledger, there.now(), actor="me", because="the other one is gone")
    assert cancel(there, look_up(there, [batch.batch_id]), actor="me").counts == {CancelOutcome.CANCELLED: 7}


def test_a_workspace_that_was_moved_is_adopted_by_a_person(copied: House, on: Callable[[str | None], None]) -> None:
    on(OTHER)
    there = copied.open()
    _refused(copied, there)
    left = adopt_machine(there.ledger, there.now(), actor="me", because="new server")
    assert left is not None
    assert adopt_machine(there.ledger, there.now(), actor="me", because="once more") is None
    assert copied.sent(there, copied.folder / "list.csv").states == {MessageState.TAKEN: 7}
    # It lives there now: a copy that comes back is one, too.
    on(ONE)
    _refused(copied, copied.open())


def test_a_backup_that_is_restored_on_another_machine_asks_the_same(
    house: House, context: Context, on: Callable[[str | None], None]
) -> None:
    file = house.folder / "backup.sqlite3"
    backup(context.configuration, file)
    context.close()
    house.recipients(3)
    on(OTHER)
    restore(context.configuration, file, context.now())
    _refused(house, house.open())


def test_a_ledger_that_knows_no_machine_takes_that_of_the_next_sending(
    house: House, on: Callable[[str | None], None]
) -> None:
    on(None)
    context = house.open(create=True)
    house.sent(context, house.recipients(3))
    on(ONE)
    house.batch(context, house.recipients(3, "more.csv", 20))
    on(OTHER)
    assert machine_elsewhere(context.ledger) is None
    house.sent(context, house.folder / "more.csv")
    on(ONE)
    _refused(house, context)


def test_a_name_alone_is_no_other_machine(house: House, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "container-2")
    assert house.sent(context, house.recipients(3)).states == {MessageState.TAKEN: 3}


@pytest.mark.parametrize("nothing", [None, "", "uninitialized"])
def test_where_a_machine_has_no_id_nothing_is_known(
    house: House, context: Context, on: Callable[[str | None], None], nothing: str | None
) -> None:
    on(nothing)
    stop_if_elsewhere(context.ledger)
    assert adopt_machine(context.ledger, context.now(), actor="me", because="?") is None
    assert house.sent(context, house.recipients(3)).states == {MessageState.TAKEN: 3}


def test_a_copy_is_not_moved_to_a_server(context: Context, on: Callable[[str | None], None]) -> None:
    on(OTHER)
    with pytest.raises(GuardStopped, match=r"ledger\.elsewhere"):
        copy(context.configuration, "postgresql://nowhere.invalid/x", context.now())
