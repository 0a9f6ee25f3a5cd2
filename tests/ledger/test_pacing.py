"""The pace of an address that several hosts share: turns by the server's clock, one after the other."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from pipeline.ledger.pacing import next_turn
from tests.databases import POSTGRESQL

if TYPE_CHECKING:
    from pipeline.context import Context
    from tests.stages.conftest import House

STEP = 0.02


@pytest.fixture
def database() -> str:
    return POSTGRESQL


def test_turns_are_a_step_apart_over_several_connections(house: House, context: Context) -> None:
    ledgers = [context.ledger, house.open().ledger, house.open().ledger]
    found: list[float] = []

    def take(ledger: object) -> None:
        for _ in range(10):
            seconds = next_turn(ledger, "office", STEP, 60)  # type: ignore[arg-type]  # a ledger
            found.append(time.monotonic() + (seconds or 0))

    threads = [threading.Thread(target=take, args=[ledger]) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 30
    # Thirty turns in order take at least so long, however quickly they were asked for.
    assert max(found) - min(found) > 29 * STEP - 0.05
    assert (next_turn(context.ledger, "elsewhere", STEP, 60) or 0) <= 0


def test_a_turn_far_ahead_is_from_another_clock(context: Context) -> None:
    with context.ledger.writing() as connection:
        connection.execute(text("INSERT INTO pace VALUES ('office', '99999999999')"))
    assert (next_turn(context.ledger, "office", STEP, 60) or 0) <= 0


def test_a_ledger_that_is_shared_keeps_the_pace_of_its_hosts(house: House, context: Context) -> None:
    context.pace.wait()
    with context.ledger.reading() as connection:
        names = connection.execute(text("SELECT egress FROM pace")).scalars().all()
    assert len(names) == 1
    named = house.open(GATEWAY_EGRESS="nat-1")
    named.pace.wait()
    with context.ledger.reading() as connection:
        names = connection.execute(text("SELECT egress FROM pace WHERE egress LIKE 'nat-1 %'")).scalars().all()
    assert names == [f"nat-1 {house.gateway.url.removeprefix('http://')}"]
