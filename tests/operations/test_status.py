"""Where batches stand: what is unknown, since when, and until when waiting makes sense."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.core.calendar import JST
from pipeline.errors import OutcomeUnknown
from pipeline.ledger.batches import get_batch
from pipeline.model import MessageState
from pipeline.operations.cancel import cancel, look_up
from pipeline.operations.next_step import Step
from pipeline.operations.resolve import resolve
from pipeline.operations.status import Standing, standing
from pipeline.simulator import Knobs

if TYPE_CHECKING:
    from pipeline.context import Context
    from tests.stages.conftest import House


START = datetime(2026, 11, 23, 9, 30, tzinfo=JST)


def _standing(context: Context, batch_id: str) -> Standing:
    return standing(context, get_batch(context.ledger, batch_id))


def test_what_is_unknown_is_overdue_after_its_time_and_resolving_ends_it(house: House, context: Context) -> None:
    source = house.recipients(8)
    house.gateway.knobs = Knobs(html_200_nothing=True)
    with pytest.raises(OutcomeUnknown):
        house.sent(context, source)
    batch_id = house.batch(context, source).batch_id
    (fresh,) = _standing(context, batch_id).unknown
    assert (fresh.messages, fresh.since, fresh.overdue) == (5, START, False)
    assert fresh.until == START + timedelta(hours=24)
    house.clock.advance(timedelta(hours=24))
    assert not _standing(context, batch_id).unknown[0].overdue
    house.clock.advance(timedelta(seconds=1))
    assert _standing(context, batch_id).unknown[0].overdue
    assert not _standing(house.open(RESULTS_SETTLE_AFTER_HOURS="48"), batch_id).unknown[0].overdue
    resolve(context, fresh.dispatch_id, MessageState.REFUSED, actor="me", because="not there")
    after = _standing(context, batch_id)
    assert (after.unknown, after.step, after.is_done) == ((), Step.SEND, False)


def test_a_cancelled_batch_says_by_whom(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    assert _standing(context, batch.batch_id).step is Step.SEND
    cancel(context, look_up(context, [batch.batch_id]), actor="me")
    found = _standing(context, batch.batch_id)
    assert found.stop is not None
    assert (found.stop.actor, found.stop.at, found.is_done) == ("me", START, True)
