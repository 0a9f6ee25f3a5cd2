"""A dry run: validated and registered as ever, and nothing leaves."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import Exit, TryLater, UsageError
from pipeline.ledger.batches import get_batch, list_batches
from pipeline.ledger.optouts import add_optouts
from pipeline.operations.dry_run import dry_run, dry_send
from pipeline.operations.next_step import Step
from pipeline.operations.run import run, send_batch
from pipeline.simulator import Knobs
from pipeline.stages.validate import Request

if TYPE_CHECKING:
    from pipeline.context import Context
    from pipeline.stages.validate import Validated
    from tests.stages.conftest import House


def test_it_registers_the_batch_that_is_sent_later(house: House, context: Context) -> None:
    told: list[Validated] = []
    dry = dry_run(context, Request(house.recipients(7), "c"), after_validate=told.append)
    assert [validated.batch.batch_id for validated in told] == [dry.batch.batch_id]
    assert (dry.exit, dry.step, dry.stopped_by) == (Exit.DONE, Step.SEND, ())
    assert (house.uploads(), house.pulls(), house.states(context, dry.batch.batch_id)) == (0, 0, {})
    assert [batch.batch_id for batch in list_batches(context.ledger)] == [dry.batch.batch_id]
    assert dry_send(context, dry.batch.batch_id).rehearsed == dry.rehearsed
    assert send_batch(context, dry.batch.batch_id, again=False, confirm=None).messages == 7
    after = dry_send(context, dry.batch.batch_id)
    assert (after.rehearsed.forecast.messages, after.step, after.exit) == (0, Step.PULL, Exit.DONE)


def test_findings_and_guards_have_the_exit_codes_of_a_real_run(house: House, context: Context) -> None:
    rows = [["電話番号", "本文"], [house.number(1), "あ"], ["1", "あ"]]
    request = Request(house.write("l.csv", rows), "c")
    assert dry_run(context, request).exit is Exit.FINDINGS
    batch_id = list_batches(context.ledger)[0].batch_id
    assert dry_send(context, batch_id).exit is Exit.DONE
    dear = dry_run(context, request, max_cost=Decimal("9.1"))
    assert ([error.code for error in dear.stopped_by], dear.exit) == (["guard.max_cost"], Exit.GUARD)
    assert dry_run(context, request, max_cost=Decimal("9.2")).exit is Exit.FINDINGS
    add_optouts(context.ledger, [house.number(1)], source="t", now=context.now())
    opted_out = dry_send(context, batch_id)
    assert (opted_out.rehearsed.opted_out, opted_out.exit) == (1, Exit.FINDINGS)


def test_rows_that_wait_elsewhere_stop_it_as_they_stop_a_run(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(html_200=True, faults=1, results_delay=3600)
    assert run(context, Request(house.recipients(3), "c")).exit is Exit.UNKNOWN
    other = Request(house.recipients(4, "other.csv"), "c")
    dry = dry_run(context, other)
    assert ([error.code for error in dry.stopped_by], dry.exit) == (["run.waiting_unknown"], Exit.UNKNOWN)
    assert run(context, other).exit is Exit.UNKNOWN


def test_it_holds_the_lock_of_its_campaign(house: House, context: Context) -> None:
    source = house.recipients(3)
    batch = house.batch(context, source)
    with context.campaign_lock("c"):
        with pytest.raises(TryLater):
            dry_run(house.open(), Request(source, "c"))
        with pytest.raises(TryLater):
            dry_send(house.open(), batch.batch_id)
    assert get_batch(context.ledger, batch.batch_id).planned_at is None
    with pytest.raises(UsageError):
        dry_send(context, "nothing")
