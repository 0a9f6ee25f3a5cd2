"""A dry run: validated and registered as ever, and nothing leaves."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import Exit, TryLater, UsageError
from pipeline.ledger.batches import get_batch, list_batches
from pipeline.ledger.optouts import add_optouts
from pipeline.model import Mode
from pipeline.operations.dry_run import dry_run, dry_send
from pipeline.operations.next_step import Step
from pipeline.operations.run import run, send_batch
from pipeline.simulator import Knobs
from pipeline.stages.guards import Permission
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
    assert send_batch(context, dry.batch.batch_id, confirm=None).messages == 7
    after = dry_send(context, dry.batch.batch_id)
    assert (after.rehearsed.forecast.messages, after.step, after.exit) == (0, Step.PULL, Exit.DONE)


def test_findings_and_guards_have_the_exit_codes_of_a_real_run(house: House, context: Context) -> None:
    rows = [["電話番号", "本文"], [house.number(1), "あ"], ["1", "あ"]]
    request = Request(house.write("l.csv", rows), "c")
    assert dry_run(context, request).exit is Exit.FINDINGS
    batch_id = list_batches(context.ledger)[0].batch_id
    assert dry_send(context, batch_id).exit is Exit.DONE
    dear = dry_run(context, request, permission=Permission(max_cost=Decimal("9.1")))
    assert ([error.code for error in dear.stopped_by], dear.exit) == (["guard.max_cost"], Exit.GUARD)
    assert dry_run(context, request, permission=Permission(max_cost=Decimal("9.2"))).exit is Exit.FINDINGS
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


def test_it_goes_by_the_mode_of_the_run(house: House, context: Context) -> None:
    """As asked for, as the size says, as it was planned: and at least as long as the pace makes it."""
    source = house.recipients(3)
    dry = dry_run(context, Request(source, "c"))
    assert (dry.rehearsed.mode, dry.rehearsed.seconds) == (Mode.CSV, None)
    single = dry_run(context, Request(source, "c", mode=Mode.SINGLE))
    assert (single.rehearsed.mode, single.rehearsed.seconds, single.exit) == (Mode.SINGLE, 1, Exit.DONE)
    small = house.open(SEND_SINGLE_BELOW="4")
    assert dry_send(small, dry.batch.batch_id).rehearsed.mode is Mode.SINGLE
    assert dry_send(small, dry.batch.batch_id, mode=Mode.CSV).rehearsed.mode is Mode.CSV
    assert send_batch(context, dry.batch.batch_id, mode=Mode.CSV, confirm=None).messages == 3
    fixed = dry_send(small, dry.batch.batch_id, mode=Mode.SINGLE)
    assert [error.code for error in fixed.stopped_by] == ["send.mode_fixed"]
    assert (fixed.rehearsed.mode, fixed.exit) == (Mode.CSV, Exit.GUARD)


def test_what_the_mode_cannot_send_stops_it_as_it_stops_sending(house: House, context: Context) -> None:
    rows = [["電話番号", "本文", "originalurl", "originalurlcode"], [house.number(1), "{URL}", "https://a.jp/", "abc"]]
    dry = dry_run(context, Request(house.write("l.csv", rows), "c", mode=Mode.SINGLE))
    assert (dry.rehearsed.mode, dry.exit) == (Mode.SINGLE, Exit.DONE)
    upload = dry_send(context, dry.batch.batch_id, mode=Mode.CSV)
    assert ([error.code for error in upload.stopped_by], upload.exit) == (["profile.no_column"], Exit.USAGE)
    with pytest.raises(UsageError) as stopped:
        send_batch(context, dry.batch.batch_id, mode=Mode.CSV, confirm=None)
    assert stopped.value.code == "profile.no_column"
    assert house.uploads() == 0


@pytest.mark.parametrize("encoding", ["utf8", "shiftjis"])
def test_a_time_that_only_requests_of_their_own_can_carry_stops_an_upload_as_it_stops_sending(
    house: House, encoding: str
) -> None:
    """The list was checked as single sends, and is sent without saying so."""
    text = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
    before, name, after = text.partition('name = "senddatetime"')
    own = before + name + after.replace("confirmed = false", "confirmed = true", 1)
    (house.folder / "own.toml").write_text(own, encoding="utf-8")
    context = house.open(create=True, GATEWAY_PROFILE="own.toml", SEND_ENCODE=encoding)
    when = f"{house.clock.now() + timedelta(days=2):%Y%m%d}1200"
    rows = [["電話番号", "本文", "送信予定日時"], [house.number(1), "あ", ""], [house.number(2), "い", when]]
    dry = dry_run(context, Request(house.write("l.csv", rows), "c", mode=Mode.SINGLE))
    assert (dry.rehearsed.mode, dry.exit) == (Mode.SINGLE, Exit.DONE)
    upload = dry_send(context, dry.batch.batch_id)
    assert ([error.code for error in upload.stopped_by], upload.exit) == (["profile.not_confirmed"], Exit.USAGE)
    with pytest.raises(UsageError) as stopped:
        send_batch(context, dry.batch.batch_id, confirm=None)
    facts = {"key": "scheduled", "row": 3, "column": "scheduled"}
    assert stopped.value.facts == facts | {"number": context.profile.layout.by_field["scheduled"].number}
    assert (stopped.value.code, house.uploads()) == ("profile.not_confirmed", 0)
    assert send_batch(context, dry.batch.batch_id, confirm=None, mode=Mode.SINGLE).messages == 2
