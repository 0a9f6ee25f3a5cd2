from __future__ import annotations

import itertools
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.adapters.gateway import Exchange, GatewayClient
from pipeline.adapters.inputs import open_input
from pipeline.context import Context
from pipeline.core.calendar import JST
from pipeline.errors import Exit, GatewayRefused, GuardStopped, InputUnusable, OutcomeUnknown, TryLater
from pipeline.ledger.batches import list_batches
from pipeline.ledger.cancelling import stop_batch
from pipeline.ledger.dispatches import get_dispatch, list_dispatches, resolve_dispatch
from pipeline.ledger.optouts import add_optouts
from pipeline.model import MessageClass, MessageState, Mode
from pipeline.operations.dry_run import dry_run
from pipeline.operations.resolve import resolve
from pipeline.operations.run import run, send_batch
from pipeline.simulator import Knobs
from pipeline.stages.reconcile import exit_of
from pipeline.stages.validate import Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pipeline.adapters.inputs import Table
    from pipeline.stages.outlook import Preview
    from tests.stages.conftest import House

TAKEN, REFUSED, UNKNOWN = MessageState.TAKEN, MessageState.REFUSED, MessageState.UNKNOWN
CANCELLED = MessageState.CANCELLED


def _later(house: House, days: int = 3) -> Callable[[], None]:
    return lambda: house.clock.advance(timedelta(days=days))


def test_a_run_goes_the_whole_way(house: House, context: Context) -> None:
    done = run(context, Request(house.recipients(12), "c"), after_send=_later(house))
    assert done.stopped_by is None
    assert done.sent is not None
    assert done.sent.messages == 12
    assert done.reconciled.value.balanced
    assert done.exit is Exit.DONE
    assert MessageClass.PENDING not in done.reconciled.value.classes


def test_running_twice_under_another_name_and_the_next_day_sends_nothing(house: House, context: Context) -> None:
    source = house.recipients(7)
    first = run(context, Request(source, "c"), after_send=_later(house, 1))
    renamed = source.rename(house.folder / "other name.csv")
    for _ in range(2):
        done = run(house.open(), Request(renamed, "c"), after_send=_later(house, 1))
        assert done.validated.continued
        assert done.validated.batch.run_date == first.validated.batch.run_date
        assert done.sent is not None
        assert done.sent.messages == 0
        assert done.exit is Exit.DONE
    assert house.uploads() == 2
    assert len(list_batches(context.ledger)) == 1


def test_without_a_campaign_another_name_or_day_is_stopped_by_the_guard(house: House, context: Context) -> None:
    source = house.recipients(7)
    run(context, Request(source))
    house.clock.advance(timedelta(days=1))
    assert run(context, Request(source)).exit is Exit.GUARD
    renamed = source.rename(house.folder / "other name.csv")
    done = run(context, Request(renamed))
    assert isinstance(done.stopped_by, GuardStopped)
    assert done.stopped_by.code == "guard.same_content"
    assert house.uploads() == 2


def test_waiting_pulls_until_nothing_is_pending(house: House, context: Context) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        house.clock.advance(timedelta(minutes=30))

    done = run(context, Request(house.recipients(5), "c"), wait=timedelta(days=3), sleep=sleep)
    assert slept
    assert set(slept) == {15.0}
    assert MessageClass.PENDING not in done.reconciled.value.classes


def test_the_end_of_waiting_is_no_finding(house: House, context: Context) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        house.clock.advance(timedelta(seconds=seconds))

    house.gateway.knobs = Knobs(results_delay=86_400)
    done = run(context, Request(house.recipients(5), "c"), wait=timedelta(seconds=40), sleep=sleep)
    assert slept == [15.0, 15.0, 10.0]
    assert done.exit is Exit.DONE
    assert done.reconciled.value.classes == {MessageClass.PENDING: 5}


def test_an_unknown_outcome_is_settled_by_the_pull_of_the_same_run_but_reported(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(accept_then_reset=True)
    request = Request(house.recipients(7), "c")
    done = run(context, request, after_send=_later(house, 1))
    assert isinstance(done.stopped_by, OutcomeUnknown)
    # There is nothing to decide about any more, only to go on.
    assert (done.stopped_by.code, done.stopped_by.facts["waiting"]) == ("run.settled", 2)
    assert done.sent is None
    assert done.exit is Exit.UNKNOWN
    assert done.reconciled.value.states == {TAKEN: 5, MessageState.PLANNED: 2}
    assert run(context, request).reconciled.value.states == {TAKEN: 7}


def _answers(
    monkeypatch: pytest.MonkeyPatch, name: str, answers: list[tuple[bytes | None, bool]], happens: Callable[[], None]
) -> None:
    """Answer the first requests so, each taken before or not, in the order in which they leave; then something happens.

    None is an answer that is lost.
    """
    plain, order = getattr(GatewayClient, name), itertools.count()

    def instead(client: GatewayClient, *given: Any) -> Exchange:  # noqa: ANN401 - those of single and upload
        at = next(order)
        if at >= len(answers):
            exchange: Exchange = plain(client, *given)
            return exchange
        answer, taken = answers[at]
        exchange = plain(client, *given) if taken else Exchange(100, 200, b"", "")
        happens()
        if answer is None:
            time.sleep(0.5)  # single requests are on their way together: the others are answered before
            return Exchange(100, None, b"", "ReadTimeout")
        return replace(exchange, body=answer)

    monkeypatch.setattr(GatewayClient, name, instead)


@pytest.mark.parametrize("code", ["555", "596"])
def test_a_refusal_is_the_reason_once_results_have_settled_what_was_unclear_beside_it(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    known = (b"200", True)
    _answers(monkeypatch, "single", [known, (None, True), (code.encode(), False)], lambda: None)
    request = Request(house.recipients(3), "c", mode=Mode.SINGLE)
    done = run(context, request, after_send=_later(house, 1))
    assert house.states(context, done.validated.batch.batch_id) == {TAKEN: 2, REFUSED: 1}
    assert done.stopped_by is not None
    assert (done.stopped_by.code, done.stopped_by.facts["code"]) == ("gateway.refused", code)
    assert done.exit is Exit.REFUSED


def test_an_upload_that_was_refused_is_the_reason_once_results_have_settled_the_next_one(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answers(monkeypatch, "upload", [(b"560", False), (None, True)], lambda: None)
    request = Request(house.recipients(10), "c")
    done = run(context, request, after_send=_later(house, 1))
    assert isinstance(done.stopped_by, GatewayRefused)
    assert done.exit is Exit.REFUSED
    assert run(context, request).reconciled.value.states == {TAKEN: 10}


def test_that_a_person_stopped_the_batch_is_the_reason_once_results_have_settled_it(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = house.open()

    def stopped() -> None:
        (batch,) = list_batches(other.ledger)
        stop_batch(other.ledger, batch.batch_id, other.now(), actor="hanako")

    _answers(monkeypatch, "upload", [(None, True)], stopped)
    done = run(context, Request(house.recipients(12), "c"), after_send=_later(house, 1))
    assert isinstance(done.stopped_by, GuardStopped)
    assert (done.stopped_by.code, done.stopped_by.facts["messages"]) == ("send.cancelled", 7)
    assert done.exit is Exit.GUARD
    assert house.states(context, done.validated.batch.batch_id) == {TAKEN: 5, CANCELLED: 7}


def test_a_refused_run_does_not_pull(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(refuse_code="596")
    done = run(context, Request(house.recipients(5), "c"))
    assert isinstance(done.stopped_by, GatewayRefused)
    assert done.exit is Exit.REFUSED
    assert house.pulls() == 0
    assert done.reconciled.value.classes == {MessageClass.REFUSED: 5}


def test_a_file_refused_with_a_code_that_goes_on_does_not_hold_up_the_others(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(refuse_code="560")
    request = Request(house.recipients(12), "c")
    done = run(context, request)
    assert done.exit is Exit.REFUSED
    assert done.reconciled.value.states == {REFUSED: 5, TAKEN: 7}
    assert run(context, request).reconciled.value.states == {TAKEN: 12}


def test_a_message_that_the_gateway_refused_is_a_finding(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(refuse_code="560", faults=1)
    done = run(context, Request(house.recipients(3), "c", mode=Mode.SINGLE))
    assert done.stopped_by is None
    assert done.reconciled.value.classes[MessageClass.REFUSED] == 1
    assert exit_of(replace(done.reconciled.value, breaks=())) is Exit.FINDINGS
    assert done.reconciled.value.findings["refused"] == 1


def test_a_gateway_out_of_reach_is_for_later_and_nothing_is_pulled(house: House, context: Context) -> None:
    request = Request(house.recipients(5), "c")
    house.gateway.__exit__(None, None, None)
    try:
        done = run(context, request)
    finally:
        house.gateway.__enter__()
    assert isinstance(done.stopped_by, TryLater)
    assert done.exit is Exit.TRY_LATER
    assert run(house.open(), request).reconciled.value.states == {TAKEN: 5}


def test_results_that_cannot_be_had_stop_the_run_after_sending(house: House, context: Context) -> None:
    def leave() -> None:
        house.gateway.__exit__(None, None, None)

    try:
        done = run(context, Request(house.recipients(5), "c"), after_send=leave)
    finally:
        house.gateway.__enter__()
    assert isinstance(done.stopped_by, TryLater)
    assert done.stopped_by.code == "results.unreachable"
    assert done.reconciled.value.states == {TAKEN: 5}


def test_who_opted_out_is_reported_by_the_run_and_every_later_one(house: House, context: Context) -> None:
    source = house.recipients(12)
    request = Request(source, "c")
    batch = house.batch(context, source)
    add_optouts(context.ledger, [house.number(6)], "test", context.now())
    house.gateway.__exit__(None, None, None)
    try:
        # Validated before, sent after somebody opted out: they are cancelled even if not a byte leaves.
        with pytest.raises(TryLater):
            send_batch(context, batch.batch_id, confirm=None)
        assert house.states(context, batch.batch_id) == {MessageState.PLANNED: 11, CANCELLED: 1}
        add_optouts(context.ledger, [house.number(0)], "test", context.now())
        away = run(house.open(), request)
    finally:
        house.gateway.__enter__()
    assert (away.exit, away.reconciled.document["opted_out"]) == (Exit.TRY_LATER, 2)
    context = house.open()
    for sent in (10, 0):
        done = run(context, request, after_send=_later(house))
        assert done.exit is Exit.FINDINGS
        assert done.sent is not None
        assert (done.sent.messages, done.sent.opted_out) == (sent, 2)
        value = done.reconciled.value
        assert (value.balanced, value.opted_out, value.states) == (True, 2, {TAKEN: 10, CANCELLED: 2})
        assert value.classes[MessageClass.CANCELLED] == 2
        assert MessageClass.PLANNED not in value.classes
    assert len(house.copies()) == 10
    assert send_batch(context, batch.batch_id, confirm=None).opted_out == 2


def test_a_batch_of_which_everybody_opted_out_asks_the_gateway_nothing(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    add_optouts(context.ledger, [house.number(row) for row in range(3)], "test", context.now())
    assert send_batch(context, batch.batch_id, confirm=None).states == {CANCELLED: 3}
    done = run(context, Request(house.folder / "list.csv", "c"))
    assert (done.exit, done.reconciled.value.classes) == (Exit.FINDINGS, {MessageClass.CANCELLED: 3})
    assert house.uploads() == house.pulls() == 0


def test_a_cancelled_message_does_not_count_as_waiting_in_its_batch(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    add_optouts(context.ledger, [house.number(0)], "test", context.now())
    send_batch(context, batch.batch_id, confirm=None)
    # Two rows were served by the first batch; what was cancelled in it does not wait.
    done = run(context, Request(house.recipients(4, "longer.csv"), "c"))
    assert (done.stopped_by, done.exit) == (None, Exit.FINDINGS)
    totals = done.validated.batch.totals
    assert (totals.accepted, totals.rejected, totals.already) == (1, 1, 2)


def test_an_unusable_input_is_no_batch(house: House, context: Context) -> None:
    with pytest.raises(InputUnusable):
        run(context, Request(house.folder / "none.csv", "c"))
    assert list_batches(context.ledger) == []


_HOLDER = """
import sys, datetime, pathlib
from pipeline.ledger.locks import held
with held(pathlib.Path(sys.argv[1]), datetime.datetime.now(datetime.timezone.utc)):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_campaign_that_another_process_works_on_is_for_later(house: House, context: Context) -> None:
    source = house.recipients(5)
    batch = house.batch(context, source)
    with context.campaign_lock("c"):
        pass
    (file,) = (context.workspace.root / "locks").glob("*.lock")
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        for attempt in (
            lambda: run(context, Request(source, "c")),
            lambda: send_batch(context, batch.batch_id, confirm=None),
        ):
            with pytest.raises(TryLater) as stopped:
                attempt()
            assert stopped.value.code == "lock.held"
            assert str(other.pid) in str(stopped.value.facts["holder"])
        with context.campaign_lock("another"):
            pass
        other.kill()
    assert house.uploads() == 0
    assert send_batch(context, batch.batch_id, confirm=None).states == {TAKEN: 5}


def test_what_validation_found_is_told_before_anybody_is_asked(house: House, context: Context) -> None:
    told: list[str] = []

    def no(preview: Preview) -> bool:
        told.append(f"send {preview.messages}?")
        return False

    outcome = run(
        context,
        Request(house.recipients(5), "c"),
        after_validate=lambda validated: told.append(f"{validated.batch.totals.accepted} accepted"),
        confirm=no,
    )
    assert told == ["5 accepted", "send 5?"]
    assert outcome.exit is Exit.GUARD
    assert house.uploads() == 0


def test_resolve_touches_only_what_is_still_unknown(house: House, context: Context) -> None:
    source = house.recipients(7)
    house.gateway.knobs = Knobs(http_503_before_reading=True)
    with pytest.raises(OutcomeUnknown) as stopped:
        house.sent(context, source)
    wanted = str(stopped.value.facts["dispatch"])
    dispatch = get_dispatch(context.ledger, wanted)
    # A dispatch that is still planned is none of a person's business.
    with pytest.raises(GuardStopped) as nothing:
        resolve(context, wanted.replace("-0001", "-0002"), REFUSED, actor="me", because="x")
    assert nothing.value.code == "resolve.nothing"
    assert resolve(context, wanted, REFUSED, actor="me", because="x") == 5
    with pytest.raises(GuardStopped):
        resolve(context, wanted, TAKEN, actor="me", because="x")
    assert resolve_dispatch(context.ledger, dispatch, TAKEN, context.now(), actor="me", because="x") == 0
    assert house.states(context, dispatch.batch_id) == {REFUSED: 5, MessageState.PLANNED: 2}


def test_resolve_asks_the_results_first(house: House, context: Context) -> None:
    source = house.recipients(5)
    house.gateway.knobs = Knobs(accept_then_reset=True)
    run(context, Request(source, "c"))
    batch = house.batch(context, source)
    (dispatch,) = list_dispatches(context.ledger, batch.batch_id)
    with pytest.raises(GuardStopped) as stopped:
        resolve(context, dispatch.dispatch_id, REFUSED, actor="me", because="x")
    assert stopped.value.code == "resolve.nothing"
    assert house.states(context, batch.batch_id) == {TAKEN: 5}


def test_the_exit_code_is_the_most_severe_of_what_stopped_the_run_and_what_was_found(
    house: House, context: Context
) -> None:
    request = Request(house.recipients(5), "c")
    done = run(context, request)
    for stopped, found, code in (
        (TryLater("lock.held", holder="x"), Exit.UNKNOWN, Exit.UNKNOWN),
        (GatewayRefused("gateway.refused", code="560", meaning="x"), Exit.FINDINGS, Exit.REFUSED),
        (None, Exit.FINDINGS, Exit.FINDINGS),
    ):
        assert replace(done, stopped_by=stopped, reconciled=replace(done.reconciled, exit=found)).exit is code


@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE])
def test_after_the_last_warning_before_the_address_is_blocked_nothing_logs_in(
    house: House, context: Context, mode: Mode
) -> None:
    house.gateway.knobs = Knobs(refuse_code="666")
    for _ in range(2):
        done = run(context, Request(house.recipients(2), "c", mode=mode))
        assert (done.exit, done.stopped_by and done.stopped_by.code) == (Exit.UNKNOWN, "send.answered")
    assert sum(house.gateway.requests.values()) == 1


@pytest.mark.parametrize("operation", [run, dry_run])
@pytest.mark.parametrize("late", ["the lock", "validation"])
def test_what_goes_out_over_midnight_belongs_to_the_campaign_that_was_locked(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, operation: Callable[..., object], late: str
) -> None:
    midnight = datetime(2026, 12, 1, tzinfo=JST)
    house.clock.advance(midnight - timedelta(seconds=1) - house.clock.now())
    locked: list[str] = []
    hold, read = Context.campaign_lock, open_input

    def slow_lock(self: Context, campaign: str) -> AbstractContextManager[None]:
        locked.append(campaign)
        if late == "the lock":
            house.clock.advance(timedelta(seconds=2))
        return hold(self, campaign)

    def slow_reading(source: Path, sheet: str | None) -> Table:
        house.clock.advance(timedelta(seconds=2))
        return read(source, sheet=sheet)

    monkeypatch.setattr(Context, "campaign_lock", slow_lock)
    monkeypatch.setattr("pipeline.stages.validate.open_input", slow_reading)
    operation(context, Request(house.recipients(2)))
    (batch,) = list_batches(context.ledger)
    assert locked == [batch.campaign] == ["list-2026-11-30"]
    assert batch.run_date == date(2026, 11, 30)
