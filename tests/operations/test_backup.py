"""A ledger that was restored went back in time: nothing is sent twice, and nothing at all before it was recovered."""

from __future__ import annotations

import os
import shutil
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from pipeline.adapters.marks import Mark
from pipeline.config import load
from pipeline.errors import Exit, GatewayRefused, GuardStopped, MediasmsError, OutcomeUnknown, TryLater, UsageError
from pipeline.ledger import check_ledger, create_ledger, opening
from pipeline.ledger.cancellations import cancellations_of, count_cancellations
from pipeline.ledger.carrying import Carried
from pipeline.ledger.dispatches import list_dispatches
from pipeline.ledger.optouts import list_optouts
from pipeline.ledger.tables import identity
from pipeline.model import CancelOutcome, MessageState
from pipeline.operations.backup import Restored, backup, restore
from pipeline.operations.cancel import cancel, look_up
from pipeline.operations.optout import opt_out
from pipeline.operations.recover import Recovered, recover
from pipeline.operations.resolve import resolve
from pipeline.operations.run import run
from pipeline.simulator import Knobs
from pipeline.stages import calling_back, planning
from pipeline.stages.guards import check_markers
from pipeline.stages.pull import pull
from pipeline.stages.send import send
from pipeline.stages.validate import Request

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.context import Context
    from tests.stages.conftest import House

CANCELLED = MessageState.CANCELLED
PLANNED, TAKEN, UNKNOWN, REFUSED = (
    MessageState.PLANNED,
    MessageState.TAKEN,
    MessageState.UNKNOWN,
    MessageState.REFUSED,
)


def _replaced(house: House, context: Context, file: Path) -> tuple[Context, Restored]:
    context.close()
    done = restore(context.configuration, file, context.now())
    return house.open(), done


def _restored(house: House, context: Context, file: Path) -> Context:
    after, _ = _replaced(house, context, file)
    return after


def _backup(house: House, context: Context, name: str = "backup.sqlite3") -> Path:
    file = house.folder / "backups" / name
    backup(context.configuration, file)
    return file


def _stopped(house: House, context: Context, source: Path) -> None:
    with pytest.raises(GuardStopped) as stopped:
        house.sent(context, source)
    assert stopped.value.code == "ledger.went_back"


def test_a_backup_is_one_file_and_whole_also_while_somebody_writes(house: House, context: Context) -> None:
    house.sent(context, house.recipients(7))
    with context.ledger.writing():
        file = _backup(house, house.open())
    assert [path.name for path in file.parent.iterdir()] == ["backup.sqlite3"]
    with sqlite3.connect(file) as copy:
        assert copy.execute("SELECT count(*) FROM message WHERE state = 'taken'").fetchone() == (7,)
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    copy.close()
    with pytest.raises(UsageError) as stopped:
        _backup(house, context)
    assert stopped.value.code == "ledger.backup_exists"


def test_what_was_sent_after_the_backup_is_unknown_until_results_name_it(house: House, context: Context) -> None:
    source = house.recipients(12)
    batch = house.batch(context, source)
    file = _backup(house, context)  # registered, not planned
    send(context, batch)
    after = _restored(house, context, file)
    assert house.states(after, batch.batch_id) == {}
    _stopped(house, after, source)
    assert recover(after) == Recovered(3, 12)
    check_markers(after)
    assert house.states(after, batch.batch_id) == {UNKNOWN: 12}
    assert recover(after) == Recovered(0, 0)
    with pytest.raises(OutcomeUnknown):
        house.sent(after, source)
    house.clock.advance(timedelta(hours=1))
    assert pull(after, batch.batch_id).settled == {UNKNOWN: 12}
    assert house.sent(after, source).dispatches == 0
    assert house.uploads() == 3
    assert check_ledger(after.ledger) == []


def test_a_workspace_that_was_copied_knows_when_its_uploads_began(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    file = _backup(house, context)
    send(context, batch)
    house.clock.advance(timedelta(days=3))
    # A copy without its times, as `cp -r` or a bucket gives it back, is as old as today.
    (marker,) = context.workspace.batch_folder(batch.batch_id).glob("*.begun")
    os.utime(marker, (context.now().timestamp(),) * 2)
    after = _restored(house, context, file)
    assert recover(after) == Recovered(1, 3)
    house.clock.advance(timedelta(hours=30))
    assert pull(after, batch.batch_id).settled == {UNKNOWN: 3}


def test_what_was_planned_and_begun_after_the_backup(house: House, context: Context) -> None:
    source = house.recipients(12)
    batch = house.batch(context, source)
    house.gateway.knobs = Knobs(http_503_before_reading=True)
    with pytest.raises(OutcomeUnknown):
        send(context, batch)
    first = list_dispatches(context.ledger, batch.batch_id)[0].dispatch_id
    resolve(context, first, REFUSED, actor="me", because="not there")
    file = _backup(house, context)
    assert house.sent(context, source).states == {TAKEN: 12}
    after = _restored(house, context, file)
    assert house.states(after, batch.batch_id) == {REFUSED: 5, PLANNED: 7}
    _stopped(house, after, source)
    # What was planned again after the backup is a dispatch that this ledger has never heard of.
    assert recover(after) == Recovered(3, 12)
    assert house.states(after, batch.batch_id) == {UNKNOWN: 12}
    assert [found.messages for found in list_dispatches(after.ledger, batch.batch_id)] == [0, 5, 2, 5]
    # A person may free what was not taken; the smsids stay, and so do those of the others.
    house.clock.advance(timedelta(hours=1))
    pull(after, batch.batch_id)
    assert house.states(after, batch.batch_id) == {TAKEN: 12}
    assert house.sent(after, source).dispatches == 0


def test_another_size_of_uploads_does_not_mislead_the_recovery(house: House, context: Context) -> None:
    source = house.recipients(12)
    batch = house.batch(context, source)
    file = _backup(house, context)
    house.gateway.knobs = Knobs(refuse_code="596")
    with pytest.raises(GatewayRefused):
        send(context, batch)
    context.close()
    restore(context.configuration, file, context.now())
    after = house.open(SEND_MAX_ROWS="4")
    assert recover(after) == Recovered(1, 5)
    assert house.states(after, batch.batch_id) == {UNKNOWN: 5, PLANNED: 7}
    for dispatch in list_dispatches(after.ledger, batch.batch_id):
        if dispatch.is_unsettled:
            resolve(after, dispatch.dispatch_id, REFUSED, actor="me", because="refused with 596")
    assert house.sent(after, source).states == {TAKEN: 12}


def test_a_batch_that_was_registered_after_the_backup_must_be_handed_in_again(house: House, context: Context) -> None:
    file = _backup(house, context)
    source = house.recipients(7)
    batch = house.batch(context, source)
    send(context, batch)
    after = _restored(house, context, file)
    other = house.recipients(3, "other.csv", 50)
    _stopped(house, after, other)
    with pytest.raises(GuardStopped) as lost:
        recover(after)
    assert (lost.value.code, lost.value.facts["batch"]) == ("ledger.batch_lost", batch.batch_id)
    assert house.batch(after, source).batch_id == batch.batch_id
    assert recover(after) == Recovered(2, 7)
    assert house.states(after, batch.batch_id) == {UNKNOWN: 7}
    assert house.sent(after, other, "d").states == {TAKEN: 3}
    assert house.uploads() == 3


def test_without_its_payload_a_dispatch_is_what_the_ledger_says(house: House, context: Context) -> None:
    source = house.recipients(7)
    batch = house.batch(context, source)
    house.gateway.__exit__(None, None, None)
    try:
        with pytest.raises(TryLater):
            send(context, batch)
    finally:
        house.gateway.__enter__()
    file = _backup(house, context)
    house.sent(context, source)
    folder = context.workspace.batch_folder(batch.batch_id)
    (folder / "dispatch-0002.csv").unlink()
    after = _restored(house, context, file)
    assert recover(after) == Recovered(2, 7)
    # Of one that neither the ledger nor the disk describes nothing can be said.
    after.workspace.mark_begun(Mark(batch.batch_id, 9, 1, context.now(), "dispatch-0009.csv"))
    with pytest.raises(GuardStopped) as missing:
        recover(after)
    assert missing.value.code == "artefact.missing"


def test_the_ledger_that_was_there_is_kept(house: House, context: Context) -> None:
    file = _backup(house, context)
    house.sent(context, house.recipients(3))
    live = house.folder / "workspace" / "ledger.sqlite3"
    context.close()
    done = restore(context.configuration, file, context.now())
    assert done.aside is not None
    assert not done.is_older
    with sqlite3.connect(done.aside) as kept:
        assert kept.execute("SELECT count(*) FROM message").fetchone() == (3,)
    kept.close()
    assert not list(live.parent.glob("*.part*"))


@pytest.mark.parametrize("state", ["lost", "damaged"])
def test_a_ledger_that_is_lost_or_damaged_is_replaced(house: House, context: Context, state: str) -> None:
    source = house.recipients(3)
    house.sent(context, source)
    file = _backup(house, context)
    context.close()
    live = house.folder / "workspace" / "ledger.sqlite3"
    live.unlink()
    if state == "damaged":
        live.write_bytes(b"no database at all" * 500)
    with pytest.raises(MediasmsError):
        house.open()
    assert restore(context.configuration, file, context.now()).carried is None
    assert house.sent(house.open(), source).dispatches == 0


def test_nothing_is_restored_while_a_run_is_at_work(house: House, context: Context) -> None:
    file = _backup(house, context)
    before = (house.folder / "workspace" / "ledger.sqlite3").read_bytes()
    with context.campaign_lock("c"), pytest.raises(TryLater) as stopped:
        restore(context.configuration, file, context.now())
    assert stopped.value.code == "lock.held"
    assert (house.folder / "workspace" / "ledger.sqlite3").read_bytes() == before


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("absent", "ledger.no_backup"),
        ("foreign", "ledger.foreign"),
        ("damaged", "ledger.damaged"),
        ("cut", "ledger.damaged"),
        ("other", "ledger.not_a_ledger"),
        ("empty", "ledger.not_a_ledger"),
        ("newer", "ledger.newer"),
    ],
)
def test_what_is_no_backup_of_this_installation_changes_nothing(
    house: House, context: Context, what: str, code: str
) -> None:
    house.sent(context, house.recipients(12))
    file = house.folder / "b.sqlite3"
    if what == "foreign":
        create_ledger(f"sqlite:///{file}", context.now()).close()
    elif what == "damaged":
        file.write_bytes(b"no database at all" * 500)
    elif what in {"other", "empty"}:
        with sqlite3.connect(file) as connection:
            if what == "other":
                connection.execute("CREATE TABLE t (a)")
        connection.close()
    elif what != "absent":
        backup(context.configuration, file)
        if what == "cut":
            file.write_bytes(file.read_bytes()[:-4096])
        else:
            with sqlite3.connect(file) as connection:
                connection.execute("INSERT INTO migration VALUES (99, 'later')")
            connection.close()
    context.close()
    folder = house.folder / "workspace"
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(MediasmsError) as stopped:
        restore(context.configuration, file, context.now())
    assert stopped.value.code == code
    assert stopped.value.exit in {Exit.USAGE, Exit.GUARD}
    assert sorted(path.name for path in folder.iterdir()) == before
    assert len(house.smsids(house.open(), house.batch(house.open(), house.folder / "list.csv").batch_id)) == 12


def test_an_older_backup_is_migrated_after_it_is_restored(house: House, context: Context) -> None:
    file = _backup(house, context)
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM migration WHERE version > 2")
        connection.execute("INSERT OR IGNORE INTO migration VALUES (2, 'then')")
        connection.execute("DROP TABLE stop")
    connection.close()
    context.close()
    done = restore(context.configuration, file, context.now())
    assert (done.is_older, done.carried) == (True, None)
    with pytest.raises(GuardStopped) as older:
        house.open()
    assert older.value.facts == {"version": 2, "known": opening.VERSION}


def test_a_server_has_tools_of_its_own(house: House, context: Context) -> None:
    url = {"MEDIASMS_LEDGER_URL": "postgresql://ledger.test/mediasms"}
    configuration = load(house.folder / "mediasms.toml", house.environment | url, required=False)
    with pytest.raises(UsageError) as stopped:
        restore(configuration, house.folder / "x", context.now())
    assert stopped.value.code == "ledger.use_pg_dump"
    context.configuration = configuration
    with pytest.raises(UsageError) as also:
        backup(context.configuration, house.folder / "x")
    assert also.value.code == "ledger.use_pg_dump"


def test_who_opted_out_after_the_backup_is_not_written_to(house: House, context: Context) -> None:
    opt_out(context, [(1, house.number(5))], "person:me")
    file = _backup(house, context)
    opt_out(context, [(1, house.number(0))], "person:me")
    after, done = _replaced(house, context, file)
    assert done.carried == Carried(optouts=1, batches=0, messages=0, missing=())
    assert list(list_optouts(after.ledger)) == [house.number(0), house.number(5)]
    assert house.batch(after, house.recipients(7)).totals.rejected == 2


@pytest.mark.parametrize("state", ["unknown", "registered", "planned"])
def test_what_was_cancelled_after_the_backup_does_not_go_out(house: House, context: Context, state: str) -> None:
    source = house.recipients(7)
    file = _backup(house, context, "unknown.sqlite3")
    batch = house.batch(context, source)
    if state != "unknown":
        planning.plan(context, batch) if state == "planned" else None
        file = _backup(house, context)
    cancel(context, look_up(context, [batch.batch_id]), actor="me")
    after, done = _replaced(house, context, file)
    assert done.carried == Carried(optouts=0, batches=1, messages=0, missing=())
    stopped = run(after, Request(source, "c")).stopped_by
    assert isinstance(stopped, GuardStopped)
    assert (stopped.code, stopped.facts["actor"]) == ("send.cancelled", "me")
    assert house.uploads() == 0


def test_messages_that_were_cancelled_after_the_backup_do_not_go_out(house: House, context: Context) -> None:
    source = house.recipients(7)
    batch = house.batch(context, source)
    registered = _backup(house, context, "registered.sqlite3")
    planning.plan(context, batch)
    file = _backup(house, context)
    one, *_ = house.smsids(context, batch.batch_id)
    cancel(context, look_up(context, [one]), actor="me")
    assert house.sent(context, source).states == {TAKEN: 6, CANCELLED: 1}
    after, done = _replaced(house, context, file)
    assert done.carried == Carried(optouts=0, batches=0, messages=1, missing=())
    recover(after)
    pull(after)
    house.sent(after, source)
    assert house.states(after, batch.batch_id) == {TAKEN: 6, CANCELLED: 1}
    # A backup without its messages cannot know that it is not wanted.
    house.clock.advance(timedelta(seconds=1))
    _, older = _replaced(house, after, registered)
    assert older.carried == Carried(optouts=0, batches=0, messages=0, missing=(batch.batch_id,))


def test_what_the_gateway_was_asked_since_the_backup_is_known(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.gateway.knobs = Knobs(hold_seconds=3600, fate="at_once")
    batch = house.batch(context, house.recipients(3))
    send(context, batch)
    wanted = look_up(context, [batch.batch_id])
    with monkeypatch.context() as patched:
        patched.setattr(calling_back, "answer_cancellations", _killed)
        with pytest.raises(KeyboardInterrupt):
            cancel(context, wanted, actor="me")
    file = _backup(house, context)
    cancel(context, wanted, actor="me")
    after, done = _replaced(house, context, file)
    assert done.carried == Carried(optouts=0, batches=0, messages=3, missing=())
    assert count_cancellations(after.ledger, batch.batch_id) == {CancelOutcome.UNCLEAR: 3}
    assert [len(cancellations_of(after.ledger, smsid)) for smsid in house.smsids(after, batch.batch_id)] == [2, 2, 2]


def _killed(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_a_ledger_that_was_moved_is_not_replaced_by_its_backup(house: House, context: Context) -> None:
    file = _backup(house, context)
    with context.ledger.writing() as connection:
        connection.execute(update(identity).values(ledger_id=opening.MOVED + context.ledger.ledger_id))
    context.close()
    with pytest.raises(GuardStopped, match=r"ledger\.moved"):
        restore(context.configuration, file, context.now())
    with pytest.raises(GuardStopped, match=r"ledger\.moved"):
        house.open()


def test_an_older_ledger_put_back_by_hand_is_noticed(house: House, context: Context) -> None:
    """Without ``restore``: the file was copied back, as people do."""
    source = house.recipients(7)
    batch = house.batch(context, source)
    file = _backup(house, context)
    send(context, batch)
    context.close()
    live = house.folder / "workspace" / "ledger.sqlite3"
    for beside in live.parent.glob("ledger.sqlite3*"):
        beside.unlink()
    shutil.copy(file, live)
    _stopped(house, house.open(), source)
    assert house.uploads() == 2


def test_a_marker_that_says_too_much_of_what_is_settled_does_not_move_its_time(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    send(context, batch)
    (begun,) = (one.begun_at for one in list_dispatches(context.ledger, batch.batch_id))
    house.clock.advance(timedelta(days=3))
    marker = context.workspace.batch_folder(batch.batch_id) / "dispatch-0001.begun"
    marker.write_text(f"9 {context.now().isoformat()} dispatch-0001.csv\n")
    assert recover(context) == Recovered(1, 0)
    (after,) = list_dispatches(context.ledger, batch.batch_id)
    assert (after.begun_at, after.attempts) == (begun, 9)
    assert pull(context, batch.batch_id).rows >= 3  # they are looked for around the time of sending
