"""Nobody who opted out before a dispatch began is written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import Exit, GatewayRefused, GuardStopped
from pipeline.ledger.dispatches import begin_dispatch, list_dispatches
from pipeline.ledger.optouts import add_optouts, remove_optouts
from pipeline.model import MessageState
from pipeline.simulator import Knobs
from pipeline.stages import send as sending
from pipeline.stages.send import send

if TYPE_CHECKING:
    from pipeline.context import Context
    from tests.stages.conftest import House

PLANNED, TAKEN = MessageState.PLANNED, MessageState.TAKEN


def test_an_unplanned_batch_is_not_planned(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    add_optouts(context.ledger, [house.number(1), house.number(6), "09099999999"], "test", context.now())
    for again in (False, True):
        with pytest.raises(GuardStopped) as stopped:
            send(context, batch, again=again)
        assert (stopped.value.code, stopped.value.exit) == ("guard.opted_out", Exit.GUARD)
        assert stopped.value.facts == {"count": 2, "batch": batch.batch_id}
    assert house.uploads() == 0
    assert house.states(context, batch.batch_id) == {}
    assert list_dispatches(context.ledger, batch.batch_id) == []


def test_handing_the_input_in_again_rejects_who_opted_out_and_sends_the_others(house: House, context: Context) -> None:
    source = house.recipients(7)
    batch = house.batch(context, source)
    add_optouts(context.ledger, [house.number(1)], "test", context.now())
    with pytest.raises(GuardStopped):
        send(context, batch)
    again = house.batch(context, source)
    assert (again.batch_id, again.totals.accepted, again.totals.rejected) == (batch.batch_id, 6, 1)
    assert send(context, again).states == {TAKEN: 6}
    assert house.number(1) not in {message.msisdn for message in house.gateway.messages}


def test_the_others_of_a_list_are_not_held_up_by_who_is_not_in_it(house: House, context: Context) -> None:
    add_optouts(context.ledger, [house.number(row) for row in range(20, 60)], "test", context.now())
    assert house.sent(context, house.recipients(7)).states == {TAKEN: 7}


def test_a_planned_batch_waits(house: House, context: Context) -> None:
    source = house.recipients(7)
    batch = house.batch(context, source)
    sending._plan(context, batch)
    add_optouts(context.ledger, [house.number(6)], "test", context.now())
    for _ in range(2):
        with pytest.raises(GuardStopped) as stopped:
            house.sent(context, source)
        assert stopped.value.code == "guard.opted_out"
        assert stopped.value.facts["count"] == 1
    assert house.uploads() == 0
    remove_optouts(context.ledger, [house.number(6)], context.now())
    assert house.sent(context, source).states == {TAKEN: 7}


def test_what_went_out_already_stops_nothing(house: House, context: Context) -> None:
    source = house.recipients(7)
    house.sent(context, source)
    add_optouts(context.ledger, [house.number(1)], "test", context.now())
    assert house.sent(context, source).dispatches == 0


def test_refused_rows_of_who_opted_out_are_not_planned_again(house: House, context: Context) -> None:
    source = house.recipients(5)
    house.gateway.knobs = Knobs(refuse_code="596")
    with pytest.raises(GatewayRefused):
        house.sent(context, source)
    add_optouts(context.ledger, [house.number(0)], "test", context.now())
    with pytest.raises(GuardStopped) as stopped:
        house.sent(context, source)
    assert stopped.value.code == "guard.opted_out"
    assert house.copies() == {}


def test_who_opts_out_while_a_batch_is_being_sent_is_not_written_to(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = house.recipients(12)

    def opting_out(*arguments: Any) -> int:  # noqa: ANN401 - those of begin_dispatch
        begun = begin_dispatch(*arguments)
        add_optouts(context.ledger, [house.number(7)], "test", context.now())
        return begun

    monkeypatch.setattr(sending, "begin_dispatch", opting_out)
    with pytest.raises(GuardStopped) as stopped:
        house.sent(context, source)
    assert stopped.value.code == "guard.opted_out"
    assert stopped.value.facts["count"] == 1
    batch = house.batch(context, source)
    assert house.states(context, batch.batch_id) == {TAKEN: 5, PLANNED: 7}
    assert house.uploads() == 1
    assert [found.attempts for found in list_dispatches(context.ledger, batch.batch_id)] == [1, 0, 0]
