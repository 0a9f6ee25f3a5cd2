"""A message that was given up although the gateway had taken it: its result comes after another batch had its key."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import GuardStopped, OutcomeUnknown
from pipeline.ledger.batches import get_batch
from pipeline.ledger.dispatches import list_dispatches
from pipeline.ledger.results import open_windows
from pipeline.model import SERVED, BreakKind, MessageState
from pipeline.operations.resolve import resolve
from pipeline.simulator import Knobs
from pipeline.stages import planning
from pipeline.stages.guards import Late, Permission
from pipeline.stages.pull import pull
from pipeline.stages.reconcile import reconcile
from pipeline.stages.send import send
from tests.stages.test_send_repeats import registered

if TYPE_CHECKING:
    from pipeline.context import Context
    from pipeline.model import Batch
    from tests.stages.conftest import House

PLANNED, TAKEN = MessageState.PLANNED, MessageState.TAKEN
REFUSED, CANCELLED = MessageState.REFUSED, MessageState.CANCELLED
TAKES, TAKES_NOTHING = Knobs(html_200=True), Knobs(html_200_nothing=True)
A, B, C = "09011110001", "09011110002", "09011110003"


def given_up(house: House, context: Context, numbers: list[str], batch_id: str, knobs: Knobs = TAKES) -> Batch:
    """Let a batch be taken, its answer be lost, and somebody say that it was refused."""
    batch = registered(context, [(number, "一") for number in numbers], batch_id, repeats=False)
    house.gateway.knobs = knobs
    with pytest.raises(OutcomeUnknown):
        send(context, batch)
    resolve(context, f"{batch_id}-0001", REFUSED, actor="me", because="x")
    return batch


def test_what_is_only_planned_for_the_same_recipient_is_cancelled(house: House, context: Context) -> None:
    first = given_up(house, context, [A, B], "bbbbbbbbbb")
    second = registered(context, [(B, "一"), (C, "一")], "cccccccccc", repeats=False)
    planning.plan(context, second)
    assert pull(context, first.batch_id).settled == {REFUSED: 2}
    assert house.states(context, first.batch_id) == {TAKEN: 2}
    assert house.states(context, second.batch_id) == {CANCELLED: 1, PLANNED: 1}
    assert send(context, get_batch(context.ledger, second.batch_id)).states == {CANCELLED: 1, TAKEN: 1}
    assert sorted(message.msisdn for message in house.gateway.messages) == [A, B, C]
    with context.ledger.reading() as connection:
        reasons = connection.exec_driver_sql("SELECT DISTINCT reason FROM message WHERE state = 'cancelled'").scalars()
        assert list(reasons) == [SERVED]
    value = reconcile(context, second).value
    assert [equation.name for equation in value.equations if not equation.holds] == []


def test_where_another_message_went_out_the_contradiction_is_reported_and_work_goes_on(
    house: House, context: Context
) -> None:
    first = given_up(house, context, [A, B], "bbbbbbbbbb")
    second = registered(context, [(B, "一"), (C, "一")], "cccccccccc", repeats=False)
    send(context, second)
    assert pull(context).settled == {REFUSED: 1}
    assert house.states(context, first.batch_id) == {TAKEN: 1, REFUSED: 1}
    assert house.states(context, second.batch_id) == {TAKEN: 2}
    contradictions = reconcile(context, first).value.breaks_by_kind[BreakKind.CONTRADICTION]
    assert contradictions == 2
    assert send(context, get_batch(context.ledger, second.batch_id)).dispatches == 0


def test_results_are_asked_for_from_the_attempt_that_was_given_up(house: House, context: Context) -> None:
    first = given_up(house, context, [A, B], "bbbbbbbbbb", TAKES_NOTHING)
    begun = context.now()
    house.gateway.knobs = Knobs()
    house.clock.advance(timedelta(days=2))
    late = Permission(late=Late("me", "x"))
    assert send(context, get_batch(context.ledger, first.batch_id), permission=late).states == {TAKEN: 2}
    ((since, until),) = open_windows(context.ledger, begun, first.batch_id)[first.batch_id]
    assert since <= begun
    assert until > begun + timedelta(days=1)


def test_of_two_that_were_given_up_one_has_served_the_recipient(house: House, context: Context) -> None:
    first = given_up(house, context, [A], "bbbbbbbbbb")
    second = given_up(house, context, [A], "cccccccccc")
    assert pull(context).settled == {REFUSED: 1}
    assert house.states(context, first.batch_id) == {TAKEN: 1}
    assert house.states(context, second.batch_id) == {REFUSED: 1}
    third = registered(context, [(A, "一")], "dddddddddd", repeats=False)
    with pytest.raises(GuardStopped) as stopped:
        send(context, third)
    assert stopped.value.code == "batch.outdated"
    assert list_dispatches(context.ledger, third.batch_id) == []
