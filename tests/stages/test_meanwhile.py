"""Two send at a time: what another campaign begins after the guards were asked is looked at before anything leaves."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import GuardStopped
from pipeline.ledger.batches import get_batch
from pipeline.model import MessageState, Mode
from pipeline.operations.run import run
from pipeline.stages import repeats
from pipeline.stages import send as sending
from pipeline.stages.guards import Permission
from pipeline.stages.send import send
from pipeline.stages.validate import Request
from tests.databases import BOTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.context import Context
    from tests.stages.conftest import House

PLANNED, TAKEN = MessageState.PLANNED, MessageState.TAKEN
MODES = [Mode.CSV, Mode.SINGLE]


def _by_number(house: House) -> Counter[str]:
    return Counter(message.msisdn for message in house.gateway.messages)


def _before_beginning(monkeypatch: pytest.MonkeyPatch, at: int, meanwhile: Callable[[], object]) -> None:
    """Let something happen after every guard has passed, when the ``at``-th dispatch or group is to begin."""
    real, begun = repeats.Meanwhile.begin, []

    def begin(self: repeats.Meanwhile, *arguments: object) -> object:
        begun.append(self)
        if len(begun) == at:
            meanwhile()
        return real(self, *arguments)  # type: ignore[arg-type]  # those of begin

    monkeypatch.setattr(repeats.Meanwhile, "begin", begin)


@pytest.mark.parametrize("database", BOTH)
@pytest.mark.parametrize("mode", MODES)
def test_of_two_that_send_the_same_at_once_one_stops(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    source = house.recipients(3)
    mine, theirs = house.batch(context, source, "mine"), house.batch(context, source, "theirs")
    other = house.open()
    _before_beginning(monkeypatch, 1, lambda: send(other, theirs, mode=mode))
    with pytest.raises(GuardStopped) as stopped:
        send(context, mine, mode=mode)
    assert (stopped.value.code, stopped.value.facts["campaign"]) == ("guard.same_content", "theirs")
    assert house.states(context, mine.batch_id) == {PLANNED: 3}
    assert set(_by_number(house).values()) == {1}
    # It may be meant.
    send(context, get_batch(context.ledger, mine.batch_id), mode=mode, permission=Permission(again=True))
    assert set(_by_number(house).values()) == {2}


@pytest.mark.parametrize("mode", MODES)
def test_the_same_text_in_another_list_stops_where_it_would_leave(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    mine = house.batch(context, house.recipients(12), "mine")
    theirs = house.batch(context, house.recipients(12, "others.csv", first=10), "theirs")
    other = house.open()
    _before_beginning(monkeypatch, 2, lambda: send(other, theirs, mode=mode))
    with pytest.raises(GuardStopped) as stopped:
        send(context, mine, mode=mode)
    assert (stopped.value.code, stopped.value.facts["count"]) == ("guard.repeated_text", 2)
    assert set(_by_number(house).values()) == {1}
    states = house.states(context, mine.batch_id)
    assert sum(states.values()) == 12
    assert states[PLANNED] >= 2


def test_others_that_send_something_else_hold_nothing_up(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = house.batch(context, house.recipients(12), "mine")
    theirs = house.batch(context, house.recipients(12, "others.csv", text="別のお知らせ"), "theirs")
    other = house.open()
    _before_beginning(monkeypatch, 2, lambda: send(other, theirs))
    assert send(context, mine).states == {TAKEN: 12}
    assert set(_by_number(house).values()) == {2}


def test_what_went_out_while_a_person_was_asked_stops_before_a_plan(house: House, context: Context) -> None:
    """Two people have one list, by mail; the one who was asked first answers last."""
    one = house.recipients(3)
    two = house.folder / "list (1).csv"
    shutil.copy(one, two)
    other = house.open()

    def confirm(_seen: object) -> bool:
        assert run(other, Request(two)).stopped_by is None
        return True

    outcome = run(context, Request(one), confirm=confirm)
    assert isinstance(outcome.stopped_by, GuardStopped)
    assert outcome.stopped_by.code == "guard.same_content"
    assert house.states(context, outcome.validated.batch.batch_id) == {}
    assert set(_by_number(house).values()) == {1}


def test_every_guard_is_asked_again_after_the_person(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def confirm(_seen: object) -> bool:
        asked.append("person")
        return True

    monkeypatch.setattr(sending, "guards_of", lambda *_arguments: [lambda: asked.append("guard")])
    send(context, house.batch(context, house.recipients(1)), confirm=confirm)
    assert asked == ["guard", "person", "guard"]
