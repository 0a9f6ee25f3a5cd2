"""The gateway's clock and ours: where they differ, results are found all the same, and somebody is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text as sql

from pipeline.messages import Language, label
from pipeline.model import Mode
from pipeline.simulator import Knobs
from pipeline.stages.clocks import tell_known_clock
from pipeline.stages.pull import pull, pull_single
from pipeline.stages.send import send

if TYPE_CHECKING:
    from pipeline.context import Context
    from tests.stages.conftest import House

HOUR, YEARS = timedelta(hours=1), timedelta(days=700)
RIGHT = timedelta(0)


class _Told(list[str]):
    """What a command said that nobody may miss, as it is printed."""

    def __call__(self, code: str, **facts: object) -> None:
        assert label(code, Language.JA, **facts)
        self.append(f"{code}: {label(code, Language.EN, **facts)}")


def _open(house: House, ahead: timedelta) -> tuple[Context, _Told]:
    """Open the installation where the gateway's clock is ``ahead`` of ours."""
    context, told = house.open(), _Told()
    context.now = lambda: house.clock.now() - ahead
    context.warn = told
    return context, told


def _noted(context: Context) -> list[str]:
    with context.ledger.reading() as connection:
        return list(connection.execute(sql("SELECT detail FROM event WHERE kind = 'clock'")).scalars())


@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE])
@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
@pytest.mark.usefixtures("context")
def test_where_the_gateways_clock_is_another_its_results_are_found_and_it_is_said(
    house: House, ahead: timedelta, mode: Mode
) -> None:
    house.gateway.knobs = Knobs(fate="at_once")
    context, told = _open(house, ahead)
    batch = house.batch(context, house.recipients(3))
    send(context, batch, mode=mode)
    (said,) = told  # once, however many requests there were
    assert said.startswith("clock.differs: ")
    for shown in (house.clock.now(), house.clock.now() - ahead):
        assert f"{shown:%Y-%m-%d %H:%M:%S}" in said
    assert _noted(context) == [f'{{"ahead": {int(ahead.total_seconds())}}}']
    house.clock.advance(timedelta(minutes=5))
    context, told = _open(house, ahead)
    assert pull(context, batch.batch_id).new == 3
    assert [line.partition(":")[0] for line in told] == ["clock.differs"]


@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE])
@pytest.mark.parametrize("ahead", [-YEARS, YEARS])
@pytest.mark.usefixtures("context")
def test_what_was_sent_by_a_wrong_clock_is_found_by_a_right_one(house: House, ahead: timedelta, mode: Mode) -> None:
    house.gateway.knobs = Knobs(fate="at_once")
    context, _ = _open(house, ahead)
    send(context, house.batch(context, house.recipients(3)), mode=mode)
    house.clock.advance(timedelta(minutes=5))
    context, told = _open(house, RIGHT)
    assert pull(context).new == 3  # of everything that is open
    assert [line.partition(":")[0] for line in told] == (["clock.went_back"] if ahead < RIGHT else [])


@pytest.mark.parametrize("ahead", [-YEARS, YEARS])
@pytest.mark.usefixtures("context")
def test_what_was_sent_alone_by_a_wrong_clock_is_asked_for_by_a_right_one(house: House, ahead: timedelta) -> None:
    house.gateway.knobs = Knobs(fate="at_once")
    context, _ = _open(house, ahead)
    send(context, house.batch(context, house.recipients(3)), mode=Mode.SINGLE)
    house.clock.advance(timedelta(minutes=5))
    context, _ = _open(house, RIGHT)
    assert pull_single(context).new == 3


@pytest.mark.usefixtures("context")
def test_without_a_date_nothing_is_guessed(house: House) -> None:
    house.gateway.knobs = Knobs(answer_date=False)
    context, told = _open(house, HOUR)
    send(context, house.batch(context, house.recipients(3)))
    pull(context)
    assert (told, _noted(context)) == ([], [])


@pytest.mark.usefixtures("context")
def test_what_was_noted_is_known_until_the_clocks_agree(house: House) -> None:
    context, told = _open(house, HOUR)
    send(context, house.batch(context, house.recipients(3)))
    context, told = _open(house, HOUR)
    tell_known_clock(context)
    assert [line.partition(":")[0] for line in told] == ["clock.differed"]
    context, told = _open(house, RIGHT)
    pull(context)
    tell_known_clock(context)
    assert told == []
