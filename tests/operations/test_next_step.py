"""What is left to do for a batch."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import MediasmsError, OutcomeUnknown, TryLater
from pipeline.ledger.batches import get_batch
from pipeline.ledger.dispatches import begin_dispatch, list_dispatches
from pipeline.model import MessageState
from pipeline.operations.next_step import Step, next_step
from pipeline.operations.resolve import resolve
from pipeline.simulator import Knobs
from pipeline.stages.pull import pull
from pipeline.stages.reconcile import reconcile
from pipeline.stages.send import send

if TYPE_CHECKING:
    from pipeline.context import Context
    from pipeline.model import Batch
    from tests.stages.conftest import House


def following(context: Context, batch: Batch) -> Step | None:
    return next_step(context, get_batch(context.ledger, batch.batch_id))


def test_from_validation_to_the_end(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    assert following(context, batch) is Step.SEND
    send(context, batch)
    assert following(context, batch) is Step.PULL
    house.clock.advance(timedelta(minutes=1))
    pull(context, batch.batch_id)
    reconcile(context, batch)
    assert following(context, batch) is Step.PULL, "not every result is final yet"
    house.clock.advance(timedelta(days=3))
    pull(context, batch.batch_id)
    assert following(context, batch) is Step.RECONCILE
    reconcile(context, batch)
    assert following(context, batch) is None
    house.clock.advance(timedelta(days=30))
    assert following(context, batch) is None


def test_nothing_comes_next_where_nothing_goes_out(house: House, context: Context) -> None:
    batch = house.batch(context, house.write("list.csv", [["tel", "text"], ["1", "あ"]]))
    assert following(context, batch) is None
    house.sent(context, house.recipients(3))
    again = house.batch(context, house.recipients(3, "other.csv", text="別の本文"))
    send(context, again)
    assert following(context, again) is None


def test_what_did_not_leave_is_sent(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    house.gateway.__exit__(None, None, None)
    try:
        with pytest.raises(TryLater):
            send(context, batch)
    finally:
        house.gateway.__enter__()
    assert following(context, batch) is Step.SEND


def test_what_is_unknown_is_looked_for_in_the_results_first(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    house.gateway.knobs = Knobs(http_503_before_reading=True)
    with pytest.raises(OutcomeUnknown) as stopped:
        send(context, batch)
    assert following(context, batch) is Step.PULL
    dispatch = str(stopped.value.facts["dispatch"])
    resolve(context, dispatch, MessageState.REFUSED, actor="me", because="x")
    assert following(context, batch) is Step.SEND


def test_what_a_dead_process_left_in_flight_is_for_the_next_that_sends(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(5))
    house.gateway.knobs = Knobs(refuse_code="596")
    with pytest.raises(MediasmsError):
        send(context, batch)
    assert following(context, batch) is Step.SEND, "a refusal of the whole request frees its messages"
    send(context, get_batch(context.ledger, batch.batch_id))
    other = house.batch(context, house.recipients(5, "other.csv", first=10))
    house.gateway.__exit__(None, None, None)
    try:
        with pytest.raises(TryLater):
            send(context, other)
    finally:
        house.gateway.__enter__()
    (dispatch,) = list_dispatches(context.ledger, other.batch_id)
    begin_dispatch(context.ledger, dispatch, context.now())
    assert following(context, other) is Step.SEND


def test_overdue_results_are_a_finding_and_no_reason_to_pull(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(results_delay=10**8)
    batch = house.batch(context, house.recipients(5))
    send(context, batch)
    reconcile(context, batch)
    assert following(context, batch) is Step.PULL
    house.clock.advance(timedelta(days=9))
    assert following(context, batch) is Step.RECONCILE
    reconcile(context, batch)
    assert following(context, batch) is None
