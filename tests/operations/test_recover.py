"""Recovering enters all that was begun, or stops: what it left out would go out once more by another list."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text as sql

from pipeline.adapters.files import Workspace
from pipeline.errors import Exit, GuardStopped, OutcomeUnknown
from pipeline.messages import Language
from pipeline.model import SERVED, MessageState, Mode
from pipeline.operations import recover as recovering
from pipeline.operations.cancel import cancel, look_up
from pipeline.operations.optout import opt_in, opt_out
from pipeline.operations.recover import Recovered, recover
from pipeline.operations.resolve import resolve
from pipeline.operations.run import run
from pipeline.simulator import Knobs
from pipeline.stages import planning
from pipeline.stages.guards import check_markers
from pipeline.stages.pull import pull
from pipeline.stages.send import send
from pipeline.stages.validate import Request
from tests.databases import BOTH, POSTGRESQL

if TYPE_CHECKING:
    from pipeline.context import Context
    from pipeline.model import Batch
    from tests.stages.conftest import House

PLANNED, TAKEN, CANCELLED = MessageState.PLANNED, MessageState.TAKEN, MessageState.CANCELLED
UNKNOWN, REFUSED = MessageState.UNKNOWN, MessageState.REFUSED


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _forget(context: Context, *batches: Batch) -> None:
    """Let the ledger be that of a backup from before these batches."""
    with context.ledger.writing() as connection:
        for table in ("stop", "message", "dispatch", "batch"):
            for one in batches:
                connection.execute(sql(f"DELETE FROM {table} WHERE batch_id = '{one.batch_id}'"))  # noqa: S608 - names of ours


def _lost(context: Context, count: int, waiting: int, open_: int = 0) -> GuardStopped:
    with pytest.raises(GuardStopped) as stopped:
        recover(context)
    facts = stopped.value.facts
    assert (stopped.value.code, stopped.value.exit) == ("ledger.rows_lost", Exit.GUARD)
    assert (facts["count"], facts["waiting"], facts["open"]) == (count, waiting, open_)
    with pytest.raises(GuardStopped, match=r"ledger\.went_back"):
        check_markers(context)
    return stopped.value


def _twice(house: House) -> set[str]:
    return {number for number, times in Counter(one.msisdn for one in house.gateway.messages).items() if times > 1}


@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE])
@pytest.mark.parametrize("second_first", [True, False])
def test_two_lists_of_a_campaign_are_handed_in_again_in_any_order(
    house: House, context: Context, *, second_first: bool, mode: Mode
) -> None:
    lists = [house.recipients(5, "one.csv", 0), house.recipients(6, "two.csv", 3)]
    sent = []
    for one in lists:
        sent.append(house.batch(context, one))
        send(context, sent[-1], mode=mode)
    assert (sent[1].totals.accepted, sent[1].totals.already) == (4, 2)
    _forget(context, *sent)
    if not second_first:
        house.batch(context, lists[0])
        with pytest.raises(GuardStopped, match=r"ledger\.batch_lost"):
            recover(context)
        assert house.batch(context, lists[1]).totals.accepted == 4
    else:
        house.batch(context, lists[1])
        with pytest.raises(GuardStopped, match=r"ledger\.batch_lost"):
            recover(context)
        # The other list served these two: what waits for them in this one would be the second message.
        assert house.batch(context, lists[0]).totals.already == 2
        _lost(context, 2, 2)
        assert house.states(context, sent[1].batch_id) == {UNKNOWN: 4, CANCELLED: 2}
        assert house.batch(context, lists[0]).totals.accepted == 5
    recover(context)
    check_markers(context)
    house.clock.advance(timedelta(hours=1))
    pull(context)
    for one in lists:
        assert run(context, Request(one, "c", mode=mode)).stopped_by is None
    assert house.states(context, sent[0].batch_id) == {TAKEN: 5}
    assert house.states(context, sent[1].batch_id) == {TAKEN: 4} | ({CANCELLED: 2} if second_first else {})
    assert not _twice(house)


def test_a_corrected_list_is_not_followed_by_the_wrong_one(house: House, context: Context) -> None:
    wrong = house.batch(context, house.recipients(5, "wrong.csv", text="100円です"))
    planning.plan(context, wrong)
    cancel(context, look_up(context, [wrong.batch_id]), actor="me")
    right = house.recipients(5, "right.csv", text="10000円です")
    begun = house.batch(context, right)
    send(context, begun)
    # A backup from before it was cancelled.
    _forget(context, begun)
    with context.ledger.writing() as connection:
        connection.execute(sql("DELETE FROM stop"))
        connection.execute(sql("UPDATE message SET state = 'planned', reason = ''"))
    assert house.batch(context, right).totals.already == 5
    lost = _lost(context, 5, 5)
    assert lost.facts["batch"] == begun.batch_id
    assert "`mediasms validate`" in lost.hint(Language.EN)
    assert "`mediasms validate`" in lost.hint(Language.JA)
    with context.ledger.reading() as connection:
        reasons = connection.execute(sql("SELECT DISTINCT state, reason FROM message")).all()
    assert [tuple(row) for row in reasons] == [(CANCELLED.value, SERVED)]
    assert house.batch(context, right).totals.accepted == 5
    assert recover(context) == Recovered(1, 5)
    house.clock.advance(timedelta(hours=1))
    assert pull(context).settled == {UNKNOWN: 5}
    run(context, Request(house.folder / "wrong.csv", "c"))
    assert house.uploads() == 1


@pytest.mark.parametrize("is_old", [True, False])
def test_an_upload_in_shift_jis_is_entered_too(house: House, context: Context, *, is_old: bool) -> None:
    batch = house.batch(context, house.recipients(3))
    send(house.open(SEND_ENCODE="shiftjis"), batch)
    folder = context.workspace.batch_folder(batch.batch_id)
    # What a plan that was given up had laid out; a copy of the workspace is as old as whatever.
    (folder / "dispatch-0001.csv").write_bytes(b"")
    os.utime(folder / "dispatch-0001.csv", (0, 0) if is_old else None)
    if is_old:
        (folder / "dispatch-0001.begun").write_text("1\n")
    _forget(context, batch)
    house.batch(context, house.folder / "list.csv")
    assert recover(context) == Recovered(1, 3)
    check_markers(context)


def test_rows_whose_place_is_open_wait_until_it_is_settled(house: House, context: Context) -> None:
    """Both lists were begun: of the first one the gateway took nothing, as a person found out."""
    house.gateway.knobs = Knobs(http_503_before_reading=True, faults=1)
    wrong = house.batch(context, house.recipients(3, "wrong.csv", text="100円です"))
    with pytest.raises(Exception, match=r"send\.unknown|send\.answered"):
        send(context, wrong)
    resolve(context, wrong.batch_id, REFUSED, actor="me", because="nothing of it is there")
    cancel(context, look_up(context, [wrong.batch_id]), actor="me")
    right = house.recipients(3, "right.csv", text="10000円です")
    begun = house.batch(context, right)
    send(context, begun)
    _forget(context, wrong, begun)
    house.batch(context, house.folder / "wrong.csv")
    with pytest.raises(GuardStopped, match=r"ledger\.batch_lost"):
        recover(context)
    assert house.states(context, wrong.batch_id) == {UNKNOWN: 3}
    assert house.batch(context, right).totals.already == 3
    _lost(context, 3, 0, 3)
    resolve(context, wrong.batch_id, REFUSED, actor="me", because="nothing of it is there")
    assert house.batch(context, right).totals.accepted == 3
    assert recover(context) == Recovered(1, 3)
    house.clock.advance(timedelta(hours=1))
    assert pull(context).settled == {UNKNOWN: 3}
    assert house.states(context, begun.batch_id) == {TAKEN: 3}


def test_rows_whose_place_was_taken_are_left_to_it(house: House, context: Context) -> None:
    """Nobody is ever written to in a campaign whose message of it was taken."""
    one = house.batch(context, house.recipients(3, "one.csv"))
    send(context, one)
    two = house.batch(context, house.recipients(4, "two.csv", 2))
    send(context, two)
    _forget(context, one)
    with context.ledger.writing() as connection:
        # As if the second list had gone out to them: so it would be after the first was given up.
        connection.execute(
            sql("UPDATE message SET msisdn = '09010000000', message_key = '09010000000' WHERE row_number = 3")
        )
    assert house.batch(context, house.folder / "one.csv").totals.already == 1
    assert recover(context) == Recovered(1, 2)
    check_markers(context)


def test_rows_that_are_rejected_now_are_taken_in_first(house: House, context: Context) -> None:
    source = house.recipients(3)
    batch = house.batch(context, source)
    send(context, batch)
    _forget(context, batch)
    opt_out(context, [(1, house.number(1))], "person:me")
    assert house.batch(context, source).totals.rejected == 1
    assert str(_lost(context, 1, 0).facts["rejected"]).endswith(f"{batch.batch_id}/rejected.csv")
    opt_in(context, [(1, house.number(1))])
    house.batch(context, source)
    assert recover(context) == Recovered(1, 3)


@pytest.mark.parametrize("database", [POSTGRESQL])
def test_a_host_knows_only_its_own_uploads(house: House, context: Context) -> None:
    """So all hosts have to be recovered before any of them sends: the other one notices nothing."""
    other = Workspace(house.folder / "other")
    other.create(context.ledger.ledger_id)
    source = house.recipients(3)
    batch = house.batch(context, source)
    send(context, batch)
    _forget(context, batch)
    there = house.open(WORKSPACE_PATH=str(other.root))
    check_markers(there)
    assert recover(there) == Recovered(0, 0)
    with pytest.raises(GuardStopped, match=r"ledger\.went_back"):
        check_markers(context)
    # Once this one is recovered, the other one has nobody left to write to.
    house.batch(context, source)
    assert recover(context) == Recovered(1, 3)
    assert house.batch(there, house.recipients(4, "more.csv")).totals.already == 3


@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE])
def test_recovering_replaces_no_payload(house: House, context: Context, mode: Mode) -> None:
    """The latest ledger may be found after all: what it has planned must still lie there as it was planned."""
    source = house.recipients(12)
    house.gateway.knobs = Knobs(html_200_nothing=True)
    batch = house.batch(context, source)
    with pytest.raises(OutcomeUnknown):
        send(context, batch, mode=mode)
    folder = context.workspace.batch_folder(batch.batch_id)
    laid_out = {path: path.read_bytes() for path in folder.glob("dispatch-*") if path.suffix != ".begun"}
    _forget(context, batch)
    house.batch(context, source)
    assert recover(context).dispatches == 1
    assert len(laid_out) == (3 if mode is Mode.CSV else 12)
    assert {path: path.read_bytes() for path in laid_out} == laid_out
    house.gateway.knobs = Knobs()
    resolve(context, batch.batch_id, REFUSED, actor="me", because="x")
    assert house.sent(context, source).states == {TAKEN: 12}
    assert sorted(house.copies().values()) == [1] * 12


def test_what_is_left_of_a_forgotten_plan_goes_out_alone(house: House, context: Context) -> None:
    """A dispatch that was planned again without somebody was begun; the ledger knows only the one with all of them."""
    source = house.recipients(5)
    batch = house.batch(context, source)
    planning.plan(context, batch)
    one, *_ = house.smsids(context, batch.batch_id)
    cancel(context, look_up(context, [one]), actor="me")
    assert house.sent(context, source).states == {TAKEN: 4, CANCELLED: 1}
    _forget_all_but_the_plan(context)
    assert recover(context) == Recovered(1, 4)
    house.clock.advance(timedelta(hours=1))
    pull(context)
    assert house.sent(context, source).states == {TAKEN: 5}
    assert set(house.copies().values()) == {1}


def _forget_all_but_the_plan(context: Context) -> None:
    """Let the ledger be that of a backup from after the first plan, with nothing carried over."""
    with context.ledger.writing() as connection:
        for change in (
            "UPDATE message SET state = 'planned', reason = '', sent_at = NULL",
            "UPDATE message SET dispatch_id = (SELECT min(dispatch_id) FROM dispatch)",
            "DELETE FROM dispatch WHERE number > 1",
            "UPDATE dispatch SET live = 1",
        ):
            connection.execute(sql(change))


@pytest.mark.parametrize("rows", ["4", "7"])
def test_a_kill_while_recovering_forgets_nothing(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, rows: str
) -> None:
    source = house.recipients(12)
    batch = house.batch(context, source)
    house.gateway.knobs = Knobs(html_200=True, faults=1)
    with pytest.raises(OutcomeUnknown):
        send(context, batch)
    _forget(context, batch)
    # Planned again with uploads of another size, the first one would hold other rows than the one that was begun.
    after = house.open(SEND_MAX_ROWS=rows)
    house.batch(after, source)
    with monkeypatch.context() as patched:
        patched.setattr(recovering, "recover_dispatch", _killed)
        with pytest.raises(KeyboardInterrupt):
            recover(after)
    assert recover(after) == Recovered(1, 5)
    assert house.states(after, batch.batch_id) == {UNKNOWN: 5, PLANNED: 7}
    house.clock.advance(timedelta(hours=1))
    pull(after)
    assert house.sent(after, source).states == {TAKEN: 12}
    assert set(house.copies().values()) == {1}


def _killed(*_arguments: object) -> None:
    raise KeyboardInterrupt
