"""Cancelling: what waits never leaves, and the sender stops between two uploads."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text as sql

from pipeline.adapters.gateway import Exchange
from pipeline.adapters.marks import Mark
from pipeline.errors import Exit, GatewayRefused, GuardStopped, OutcomeUnknown, TryLater, UsageError
from pipeline.ledger.batches import get_batch
from pipeline.ledger.cancelling import stop_of
from pipeline.ledger.dispatches import list_dispatches
from pipeline.model import CancelOutcome, MessageClass, MessageState
from pipeline.operations.cancel import Cancelled, cancel, look_up
from pipeline.operations.next_step import Step, next_step
from pipeline.operations.run import run, send_batch
from pipeline.simulator import Knobs
from pipeline.stages import planning
from pipeline.stages import send as sending
from pipeline.stages.guards import Permission
from pipeline.stages.send import send
from pipeline.stages.validate import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.context import Context
    from pipeline.model import Batch
    from tests.stages.conftest import House

PLANNED, TAKEN, CANCELLED = MessageState.PLANNED, MessageState.TAKEN, MessageState.CANCELLED
UNKNOWN, REFUSED = MessageState.UNKNOWN, MessageState.REFUSED


def _cancel(context: Context, *names: str) -> Cancelled:
    return cancel(context, look_up(context, names), actor="me")


def _during_upload(house: House, context: Context, act: Callable[[Context], object]) -> None:
    """Let another process act while the first dispatch is on its way."""
    acted: list[bool] = []

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "send" and done == total and not acted:
            acted.append(True)
            act(house.open())

    context.progress = progress


def test_a_batch_cancelled_while_it_is_sent_stops_between_two_dispatches(house: House, context: Context) -> None:
    source = house.recipients(12)
    batch = house.batch(context, source)
    _during_upload(house, context, lambda other: _cancel(other, batch.batch_id))
    with pytest.raises(GuardStopped) as stopped:
        send(context, batch)
    assert stopped.value.code == "send.cancelled"
    assert stopped.value.facts == {"batch": batch.batch_id, "actor": "me", "at": "2026-11-23 09:30", "messages": 7}
    assert house.states(context, batch.batch_id) == {TAKEN: 5, CANCELLED: 7}
    assert house.uploads() == 1
    # It stays cancelled, and what was taken is looked after.
    house.clock.advance(timedelta(days=1))
    done = run(house.open(), Request(source, "c"))
    assert done.exit is Exit.GUARD
    assert house.uploads() == 1
    assert done.reconciled.value.classes[MessageClass.CANCELLED] == 7
    assert house.pulls() == 1


def test_a_planned_batch_is_cancelled_at_once(house: House, context: Context) -> None:
    batch = _planned(house, context)
    assert next_step(context, batch) is Step.SEND
    wanted = look_up(context, [batch.batch_id, batch.batch_id])
    assert (wanted.batches, wanted.smsids, wanted.waiting, wanted.there) == ((batch.batch_id,), (), 7, 0)
    assert cancel(context, wanted, actor="me") == Cancelled(7, 0, {}, stopped=(batch.batch_id,))
    assert house.states(context, batch.batch_id) == {CANCELLED: 7}
    assert next_step(context, batch) is not Step.SEND
    with pytest.raises(GuardStopped) as stopped:
        send_batch(context, batch.batch_id, confirm=None, permission=Permission(again=True))
    assert stopped.value.code == "send.cancelled"
    nothing = _cancel(context, batch.batch_id)
    assert nothing.problem
    assert (nothing.problem.code, nothing.exit) == ("cancel.nothing", Exit.GUARD)
    assert house.uploads() == 0
    with context.ledger.reading() as connection:
        events = connection.execute(sql("SELECT kind, detail FROM event WHERE kind IN ('stopped', 'cancelled')")).all()
    assert [event.kind for event in events] == ["stopped", "cancelled", "cancelled"]
    assert all('"me"' in event.detail or "person:me" in event.detail for event in events)


def _planned(house: House, context: Context) -> Batch:
    """Return a batch of seven that was planned, and of which nothing left."""
    batch = house.batch(context, house.recipients(7))
    house.gateway.__exit__(None, None, None)
    try:
        with pytest.raises(TryLater):
            send(context, batch)
    finally:
        house.gateway.__enter__()
    return get_batch(context.ledger, batch.batch_id)


def test_a_batch_that_is_not_planned_yet_never_is(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(5))
    assert _cancel(context, batch.batch_id) == Cancelled(0, 0, {}, stopped=(batch.batch_id,))
    assert next_step(context, batch) is None
    with pytest.raises(GuardStopped) as stopped:
        house.sent(context, house.folder / "list.csv")
    assert stopped.value.code == "send.cancelled"
    assert house.states(context, batch.batch_id) == {}
    # Nobody counts as served: another list may hold the same people.
    assert house.sent(context, house.recipients(6, "more.csv")).states == {TAKEN: 6}


def test_a_batch_cancelled_between_check_and_plan_is_cancelled_by_its_sender(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = house.batch(context, house.recipients(7))
    plan = planning.plan

    def planned_late(*arguments: Any) -> None:  # noqa: ANN401 - handed through
        _cancel(house.open(), batch.batch_id)
        plan(*arguments)

    monkeypatch.setattr(sending, "plan", planned_late)
    with pytest.raises(GuardStopped) as stopped:
        send(context, batch)
    assert (stopped.value.code, stopped.value.facts["messages"]) == ("send.cancelled", 7)
    assert house.states(context, batch.batch_id) == {CANCELLED: 7}
    assert house.uploads() == 0


def test_single_messages_are_left_out_and_the_others_go(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(12))
    smsids: list[str] = []

    def cancel_two(other: Context) -> None:
        smsids.extend(house.smsids(other, batch.batch_id)[6:8])
        assert _cancel(other, *smsids) == Cancelled(2, 0, {})

    _during_upload(house, context, cancel_two)
    assert send(context, batch).states == {TAKEN: 10, CANCELLED: 2}
    assert house.copies().keys().isdisjoint(smsids)
    assert stop_of(context.ledger, batch.batch_id) is None


def test_what_has_left_is_asked_about_and_named(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(accept_then_reset=True)
    source = house.recipients(12)
    with pytest.raises(OutcomeUnknown):
        house.sent(context, source)
    batch = house.batch(context, source)
    first, last = (house.smsids(context, batch.batch_id)[at] for at in (0, -1))
    named = _cancel(context, first, last)
    assert (named.messages, named.late, named.outcomes) == (1, 1, {first: CancelOutcome.TOO_LATE})
    whole = _cancel(context, batch.batch_id)
    assert (whole.messages, whole.late, whole.counts) == (6, 0, {CancelOutcome.TOO_LATE: 5})
    with pytest.raises(OutcomeUnknown):
        house.sent(context, source)
    assert house.states(context, batch.batch_id) == {UNKNOWN: 5, CANCELLED: 7}


def test_an_upload_that_comes_back_unsent_is_cancelled_by_the_next_sender(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = house.recipients(5)
    batch = house.batch(context, source)

    def nothing_left(*_arguments: object) -> Exchange:
        assert _cancel(house.open(), batch.batch_id).counts == {CancelOutcome.ABSENT: 5}
        return Exchange(0, None, b"", "refused")

    with monkeypatch.context() as patched:
        patched.setattr(type(context.gateway), "upload", nothing_left)
        with pytest.raises(TryLater):
            send(context, batch)
    with pytest.raises(GuardStopped) as stopped:
        house.sent(context, source)
    assert (stopped.value.code, stopped.value.facts["messages"]) == ("send.cancelled", 5)
    assert house.states(context, batch.batch_id) == {CANCELLED: 5}
    assert house.uploads() == 0


def test_what_was_refused_as_a_whole_would_go_again_and_is_cancelled(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(refuse_code="560")
    source = house.recipients(5)
    with pytest.raises(GatewayRefused):
        house.sent(context, source)
    batch = house.batch(context, source)
    assert house.states(context, batch.batch_id) == {REFUSED: 5}
    assert _cancel(context, batch.batch_id).messages == 5
    assert house.states(context, batch.batch_id) == {CANCELLED: 5}
    assert len(list_dispatches(context.ledger, batch.batch_id)) == 1


def test_a_stop_that_came_after_everything_left_is_no_stop(house: House, context: Context) -> None:
    source = house.recipients(5)
    batch = house.batch(context, source)
    _during_upload(house, context, lambda other: _cancel(other, batch.batch_id))
    assert send(context, batch).states == {TAKEN: 5}
    assert house.sent(house.open(), source).dispatches == 0


def test_a_message_of_a_batch_that_is_named_too_counts_once(house: House, context: Context) -> None:
    batch = _planned(house, context)
    one, *_ = house.smsids(context, batch.batch_id)
    wanted = look_up(context, [one, batch.batch_id])
    assert (wanted.batches, wanted.smsids, wanted.waiting) == ((batch.batch_id,), (), 7)
    assert cancel(context, wanted, actor="me") == Cancelled(7, 0, {}, stopped=(batch.batch_id,))


def test_a_name_that_is_neither_cancels_nothing_and_is_not_repeated(house: House, context: Context) -> None:
    batch = _planned(house, context)
    with pytest.raises(UsageError) as stopped:
        look_up(context, [batch.batch_id, house.number(0)])
    assert (stopped.value.code, stopped.value.facts) == ("cancel.unknown", {"position": 2})
    assert house.states(context, batch.batch_id) == {PLANNED: 7}
    # Nobody is told that a batch is none which only the ledger has forgotten.
    context.workspace.batch_folder("forgotten").mkdir()
    context.workspace.mark_begun(Mark("forgotten", 1, 1, context.now(), "dispatch-0001.csv"))
    with pytest.raises(GuardStopped, match=r"ledger\.went_back"):
        look_up(context, ["forgotten"])
