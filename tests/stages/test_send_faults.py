"""The disk and the ledger fail around an upload: nothing goes out twice, and what is said is true."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.adapters import files
from pipeline.errors import Exit, GuardStopped, OutcomeUnknown, TryLater, UsageError
from pipeline.ledger import engines
from pipeline.model import MessageState
from pipeline.operations import run as running
from pipeline.operations.run import run
from pipeline.stages import send as sending
from pipeline.stages.pull import pull
from pipeline.stages.validate import Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.context import Context
    from pipeline.model import Artefact
    from tests.stages.conftest import House

PLANNED, TAKEN, UNKNOWN = MessageState.PLANNED, MessageState.TAKEN, MessageState.UNKNOWN


def test_without_room_for_its_marker_nothing_leaves_and_nothing_is_unknown(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = house.recipients(7)
    write = files.write_durable_group

    def no_room(folder: Path, contents: Mapping[str, bytes]) -> list[Artefact]:
        if any(name.endswith(".begun") for name in contents):
            raise TryLater("files.not_writable", folder=str(folder), problem="No space left on device")
        return write(folder, contents)

    with monkeypatch.context() as patched:
        patched.setattr(files, "write_durable_group", no_room)
        with pytest.raises(TryLater) as stopped:
            house.sent(context, source)
    assert stopped.value.code == "files.not_writable"
    assert house.uploads() == 0
    assert house.states(context, house.batch(context, source).batch_id) == {PLANNED: 7}
    assert house.sent(context, source).states == {TAKEN: 7}


@pytest.mark.parametrize("fault", ["busy", "damaged", "read-only"])
def test_an_answer_that_cannot_be_recorded_is_an_unknown_outcome(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    source = house.recipients(7)

    def refuse(*_arguments: object) -> None:
        if fault == "busy":
            raise TryLater("ledger.busy", problem="database or disk is full")
        if fault == "read-only":
            raise UsageError("ledger.read_only", file="f")
        raise GuardStopped("ledger.damaged", problem="malformed")

    with monkeypatch.context() as patched:
        patched.setattr(sending, "end_dispatch", refuse)
        with pytest.raises(OutcomeUnknown) as stopped:
            house.sent(context, source)
    assert (stopped.value.code, stopped.value.facts["messages"]) == ("send.unrecorded", 5)
    assert house.uploads() == 1
    after = house.open()
    with pytest.raises(OutcomeUnknown):
        house.sent(after, source)
    house.clock.advance(timedelta(hours=1))
    batch = house.batch(after, source)
    assert pull(after, batch.batch_id).settled == {UNKNOWN: 5}
    assert house.sent(after, source).states == {TAKEN: 7}


def test_a_ledger_that_is_locked_before_the_upload_is_for_later(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = house.recipients(3)
    batch = house.batch(context, source)
    monkeypatch.setattr(engines, "_BUSY_SECONDS", 0)
    other = house.open()
    with context.ledger.writing(), pytest.raises(TryLater) as stopped:
        sending.send(other, batch)
    assert (stopped.value.code, stopped.value.exit) == ("ledger.busy", Exit.TRY_LATER)
    assert house.uploads() == 0
    assert sending.send(other, batch).states == {TAKEN: 3}


def test_what_stopped_the_sending_is_told_although_the_reports_cannot_be_written(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_arguments: object, **_named: object) -> None:
        raise OutcomeUnknown("send.unrecorded", dispatch="x-0001", messages=5, problem="full")

    def full(*_arguments: object) -> None:
        raise TryLater("files.not_writable", folder="f", problem="full")

    monkeypatch.setattr(running, "reconcile", full)
    request = Request(house.recipients(3), "c")
    with monkeypatch.context() as patched:
        patched.setattr(running, "send", stop)
        with pytest.raises(OutcomeUnknown):
            run(context, request)
    with pytest.raises(TryLater):
        run(context, request)
    assert house.uploads() == 1


def test_a_clock_that_goes_backwards_sends_nothing_twice(house: House, context: Context) -> None:
    source = house.recipients(12)
    assert house.sent(context, source).states == {TAKEN: 12}
    past = house.open()
    past.now = lambda: house.clock.now() - timedelta(days=400)
    assert house.sent(past, source).dispatches == 0
    with pytest.raises(GuardStopped) as repeated:
        house.sent(past, source, "another")
    assert repeated.value.code == "guard.same_content"
    assert house.uploads() == 3


def test_a_ledger_replaced_by_an_empty_one_stops_everything(house: House, context: Context) -> None:
    source = house.recipients(3)
    house.sent(context, source)
    context.close()
    live = house.folder / "workspace" / "ledger.sqlite3"
    for beside in live.parent.glob("ledger.sqlite3*"):
        beside.unlink()
    sqlite3.connect(live).close()
    live.touch()
    with pytest.raises(GuardStopped) as empty:
        house.open()
    assert empty.value.code == "ledger.not_a_ledger"
    live.unlink()
    with pytest.raises(GuardStopped) as fresh:
        house.open(create=True)  # `init` as a way out would forget what was sent
    assert fresh.value.code == "ledger.foreign"
    assert house.uploads() == 1
