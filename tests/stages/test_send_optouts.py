"""Nobody who opted out before a dispatch began is written to, and nobody else waits for it."""

from __future__ import annotations

import csv
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text as sql

from pipeline.errors import Exit, GatewayRefused, OutcomeUnknown
from pipeline.ledger.cancelling import cancel_opted_out
from pipeline.ledger.dispatches import begin_dispatch, list_dispatches
from pipeline.ledger.optouts import add_optouts, remove_optouts
from pipeline.model import BreakKind, MessageClass, MessageState
from pipeline.operations.resolve import resolve
from pipeline.simulator import Knobs
from pipeline.stages import planning
from pipeline.stages import send as sending
from pipeline.stages.outlook import Preview
from pipeline.stages.pull import pull
from pipeline.stages.reconcile import reconcile
from pipeline.stages.send import Sent, send
from tests.databases import BOTH

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from pipeline.context import Context
    from pipeline.model import Batch, Dispatch
    from tests.stages.conftest import House

PLANNED, TAKEN, CANCELLED = MessageState.PLANNED, MessageState.TAKEN, MessageState.CANCELLED
UNKNOWN, REFUSED = MessageState.UNKNOWN, MessageState.REFUSED


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> str:
    """Sending is tried with the ledger in either database."""
    return str(request.param)


def opt_out(house: House, context: Context, *rows: int) -> None:
    add_optouts(context.ledger, [house.number(row) for row in rows], "test", context.now())


def planned(house: House, context: Context, count: int) -> Batch:
    """Return a batch in the state in which a crash, or a gateway out of reach, leaves it."""
    planning.plan(context, house.batch(context, house.recipients(count)))
    return house.batch(context, house.folder / "list.csv")


def got(house: House) -> Counter[str]:
    return Counter(message.msisdn for message in house.gateway.messages)


def numbers(house: House, *rows: int) -> Counter[str]:
    return Counter(house.number(row) for row in rows)


def cancellations(context: Context) -> list[tuple[str, dict[str, Any]]]:
    with context.ledger.reading() as connection:
        rows = connection.execute(
            sql("SELECT dispatch_id, detail FROM event WHERE kind = 'cancelled' ORDER BY event_id")
        )
        return [(dispatch_id[-4:], json.loads(detail)) for dispatch_id, detail in rows]


def check_equations(house: House, context: Context, batch: Batch, cancelled: int) -> None:
    value = reconcile(context, batch).value
    assert all(equation.holds for equation in value.equations)
    assert value.messages == value.totals.accepted
    assert value.opted_out == value.classes[MessageClass.CANCELLED] == value.states[CANCELLED] == cancelled
    assert sorted(house.copies().values()) == [1] * value.states.get(TAKEN, 0)


def opting_out(house: House, context: Context, rows: Callable[[Dispatch], list[int]], *, before: bool) -> Any:  # noqa: ANN401 - in the place of begin_dispatch
    """Let people opt out in the moment before, or after, a dispatch begins."""

    def begin(ledger: Any, dispatch: Dispatch, now: Any, seen: Any) -> int | None:  # noqa: ANN401 - those of begin_dispatch
        if before:
            opt_out(house, context, *rows(dispatch))
        begun = begin_dispatch(ledger, dispatch, now, seen)
        if not before:
            opt_out(house, context, *rows(dispatch))
        return begun

    return begin


def test_who_opts_out_after_planning_is_cancelled_and_the_others_are_sent(house: House, context: Context) -> None:
    batch = planned(house, context, 12)
    folder = context.workspace.batch_folder(batch.batch_id)
    before = {path.name: path.read_bytes() for path in folder.glob("dispatch-*")}
    smsids = house.smsids(context, batch.batch_id)
    opt_out(house, context, 6, 8, 90)
    assert send(context, batch) == Sent(3, 10, {TAKEN: 10, CANCELLED: 2}, 2)
    assert house.uploads() == 3
    assert got(house) == numbers(house, 0, 1, 2, 3, 4, 5, 7, 9, 10, 11)
    assert house.smsids(context, batch.batch_id) == smsids
    assert cancellations(context) == [("0002", {"reason": "opted_out", "messages": 2, "rows": "8,10"})]
    dispatches = list_dispatches(context.ledger, batch.batch_id)
    assert [(found.attempts, found.states) for found in dispatches] == [
        (1, {TAKEN: 5}),
        (0, {CANCELLED: 2}),
        (1, {TAKEN: 2}),
        (1, {TAKEN: 3}),
    ]
    # The withdrawn payload stays as it is, and no marker says that it was begun.
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert {path.name for path in folder.glob("*.begun")} == {f"dispatch-000{number}.begun" for number in (1, 3, 4)}
    check_equations(house, context, batch, 2)
    assert send(context, batch) == Sent(0, 0, {TAKEN: 10, CANCELLED: 2}, 2)
    assert house.uploads() == 3


def test_who_opts_out_after_validation_is_cancelled_when_the_batch_is_planned(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    opt_out(house, context, 1, 6, 90)
    asked: list[Preview] = []
    sent = send(context, batch, confirm=lambda preview: not asked.append(preview))  # type: ignore[func-returns-value]
    assert [preview.messages for preview in asked] == [5]
    assert sent == Sent(2, 5, {TAKEN: 5, CANCELLED: 2}, 2)
    assert got(house) == numbers(house, 0, 2, 3, 4, 5)
    assert cancellations(context) == [
        ("0001", {"reason": "opted_out", "messages": 1, "rows": "3"}),
        ("0002", {"reason": "opted_out", "messages": 1, "rows": "8"}),
    ]
    check_equations(house, context, batch, 2)


def test_handing_the_input_in_again_before_it_is_planned_rejects_who_opted_out(house: House, context: Context) -> None:
    source = house.recipients(7)
    batch = house.batch(context, source)
    opt_out(house, context, 1)
    again = house.batch(context, source)
    assert (again.batch_id, again.totals.accepted, again.totals.rejected) == (batch.batch_id, 6, 1)
    assert send(context, again) == Sent(2, 6, {TAKEN: 6}, 0)
    assert got(house) == numbers(house, 0, 2, 3, 4, 5, 6)


def test_the_list_of_opt_outs_alone_changes_nothing(house: House, context: Context) -> None:
    opt_out(house, context, *range(20, 60))
    batch = planned(house, context, 7)
    assert send(context, batch) == Sent(2, 7, {TAKEN: 7}, 0)
    assert cancellations(context) == []


def test_a_dispatch_of_which_everybody_opted_out_has_no_successor(house: House, context: Context) -> None:
    batch = planned(house, context, 12)
    opt_out(house, context, *range(5, 10))
    assert send(context, batch) == Sent(2, 7, {TAKEN: 7, CANCELLED: 5}, 5)
    assert [found.states for found in list_dispatches(context.ledger, batch.batch_id)] == [
        {TAKEN: 5},
        {CANCELLED: 5},
        {TAKEN: 2},
    ]
    check_equations(house, context, batch, 5)


@pytest.mark.parametrize("is_planned", [True, False])
def test_a_batch_of_which_everybody_opted_out_is_dealt_with(
    house: House, context: Context, *, is_planned: bool
) -> None:
    batch = planned(house, context, 7) if is_planned else house.batch(context, house.recipients(7))
    opt_out(house, context, *range(7))
    assert send(context, batch, confirm=lambda _preview: False) == Sent(0, 0, {CANCELLED: 7}, 7)
    assert house.uploads() == 0
    check_equations(house, context, batch, 7)


def test_what_went_out_already_is_not_touched(house: House, context: Context) -> None:
    source = house.recipients(7)
    house.sent(context, source)
    opt_out(house, context, 1)
    assert house.sent(context, source) == Sent(0, 0, {TAKEN: 7}, 0)


def test_what_nothing_is_known_of_is_not_touched_and_holds_the_batch(house: House, context: Context) -> None:
    source = house.recipients(12)
    house.gateway.knobs = Knobs(accept_then_reset=True)
    with pytest.raises(OutcomeUnknown):
        house.sent(context, source)
    opt_out(house, context, 0, 6)
    batch = house.batch(context, source)
    with pytest.raises(OutcomeUnknown):
        send(context, batch)
    assert house.states(context, batch.batch_id) == {UNKNOWN: 5, PLANNED: 7}
    assert cancel_opted_out(context.ledger, batch.batch_id, context.now()) == 1
    assert house.states(context, batch.batch_id) == {UNKNOWN: 5, PLANNED: 6, CANCELLED: 1}
    assert pull(context, batch.batch_id).settled == {UNKNOWN: 5}
    assert send(context, batch) == Sent(2, 6, {TAKEN: 11, CANCELLED: 1}, 1)
    assert got(house) == numbers(house, 0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11)


def test_what_a_person_says_was_refused_is_not_sent_to_who_opted_out(house: House, context: Context) -> None:
    source = house.recipients(7)
    house.gateway.knobs = Knobs(http_503_before_reading=True)
    with pytest.raises(OutcomeUnknown) as stopped:
        house.sent(context, source)
    opt_out(house, context, 2)
    resolve(context, str(stopped.value.facts["dispatch"]), REFUSED, actor="me", because="the vendor says so")
    assert house.sent(context, source) == Sent(2, 6, {TAKEN: 6, CANCELLED: 1}, 1)
    assert got(house) == numbers(house, 0, 1, 3, 4, 5, 6)


def test_a_file_that_was_refused_is_planned_again_without_who_opted_out(house: House, context: Context) -> None:
    source = house.recipients(5)
    house.gateway.knobs = Knobs(refuse_code="596")
    with pytest.raises(GatewayRefused):
        house.sent(context, source)
    opt_out(house, context, 0, 3)
    batch = house.batch(context, source)
    assert send(context, batch) == Sent(1, 3, {TAKEN: 3, CANCELLED: 2}, 2)
    assert got(house) == numbers(house, 1, 2, 4)
    assert len(list_dispatches(context.ledger, batch.batch_id)) == 2
    check_equations(house, context, batch, 2)


def test_a_refused_message_that_another_batch_has_served_is_left_alone(house: House, context: Context) -> None:
    first = house.recipients(2)
    house.gateway.knobs = Knobs(refuse_code="596")
    with pytest.raises(GatewayRefused):
        house.sent(context, first)
    assert house.sent(context, house.recipients(3, "more.csv")).states == {TAKEN: 3}
    opt_out(house, context, 0)
    left = house.sent(context, first)
    assert (left.dispatches, left.messages, left.states, left.opted_out) == (0, 0, {REFUSED: 2}, 0)
    assert cancellations(context) == []


def test_who_opts_out_between_two_dispatches_is_not_written_to(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = house.batch(context, house.recipients(12))
    monkeypatch.setattr(sending, "begin_dispatch", opting_out(house, context, lambda _dispatch: [7], before=False))
    assert send(context, batch) == Sent(3, 11, {TAKEN: 11, CANCELLED: 1}, 1)
    assert house.uploads() == 3
    assert got(house) == numbers(house, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11)
    dispatches = list_dispatches(context.ledger, batch.batch_id)
    assert [(found.attempts, found.messages) for found in dispatches] == [(1, 5), (0, 1), (1, 2), (1, 4)]
    assert cancellations(context) == [("0002", {"reason": "opted_out", "messages": 1, "rows": "9"})]
    check_equations(house, context, batch, 1)


def test_who_opts_out_in_the_last_moment_is_not_written_to(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = house.batch(context, house.recipients(12))
    begin = opting_out(house, context, lambda found: [1, 11] if found.number == 1 else [], before=True)
    monkeypatch.setattr(sending, "begin_dispatch", begin)
    # Who opts out is cancelled in the whole batch at once, so the third dispatch is not even tried.
    assert send(context, batch) == Sent(3, 10, {TAKEN: 10, CANCELLED: 2}, 2)
    dispatches = list_dispatches(context.ledger, batch.batch_id)
    assert [(found.attempts, found.messages) for found in dispatches] == [(0, 1), (1, 5), (0, 1), (1, 4), (1, 1)]
    assert got(house) == numbers(house, 0, *range(2, 11))
    check_equations(house, context, batch, 2)


def test_opt_outs_before_every_attempt_come_to_an_end(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = house.batch(context, house.recipients(4))
    everybody = iter(range(4))
    begin = opting_out(house, context, lambda _dispatch: [next(everybody)], before=True)
    monkeypatch.setattr(sending, "begin_dispatch", begin)
    assert send(context, batch) == Sent(0, 0, {CANCELLED: 4}, 4)
    assert house.uploads() == 0
    assert len(list_dispatches(context.ledger, batch.batch_id)) == 4


def test_a_file_that_was_refused_waits_for_a_later_run_also_when_somebody_opts_out(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = house.recipients(12)
    house.gateway.knobs = Knobs(refuse_code="560")
    with monkeypatch.context() as patched:
        begin = opting_out(house, context, lambda _dispatch: [7], before=False)
        patched.setattr(sending, "begin_dispatch", begin)
        with pytest.raises(GatewayRefused):
            house.sent(context, source)
    batch = house.batch(context, source)
    assert house.states(context, batch.batch_id) == {REFUSED: 5, TAKEN: 6, CANCELLED: 1}
    assert house.uploads() == 3
    assert send(context, batch) == Sent(1, 5, {TAKEN: 11, CANCELLED: 1}, 1)


class _CrashError(BaseException):
    """Not an Exception, as a kill is none."""


@pytest.mark.parametrize(
    ("module", "where"), [(sending, "free_messages"), (planning, "_payload"), (planning, "plan_again")]
)
def test_a_crash_after_the_cancellation_loses_nobody(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, module: ModuleType, where: str
) -> None:
    batch = planned(house, context, 7)
    opt_out(house, context, 6)

    def crash(*_arguments: object) -> None:
        raise _CrashError

    with monkeypatch.context() as patched:
        patched.setattr(module, where, crash)
        with pytest.raises(_CrashError):
            send(context, batch)
    after = house.open()
    assert house.states(after, batch.batch_id) == {PLANNED: 6, CANCELLED: 1}
    assert send(after, batch) == Sent(2, 6, {TAKEN: 6, CANCELLED: 1}, 1)
    assert got(house) == numbers(house, 0, 1, 2, 3, 4, 5)


def test_a_cancellation_is_whole_or_not_at_all(house: House, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = planned(house, context, 7)
    opt_out(house, context, 0, 6)

    def crash(*_arguments: object, **_named: object) -> None:
        raise _CrashError

    monkeypatch.setattr("pipeline.ledger.cancelling.record_event", crash)
    with pytest.raises(_CrashError):
        cancel_opted_out(context.ledger, batch.batch_id, context.now())
    assert house.states(context, batch.batch_id) == {PLANNED: 7}


def test_a_dispatch_with_a_cancelled_message_is_never_begun(house: House, context: Context) -> None:
    batch = planned(house, context, 7)
    opt_out(house, context, 0)
    listed = list_dispatches(context.ledger, batch.batch_id)[0]
    assert begin_dispatch(context.ledger, listed, context.now()) is None
    for stale in (listed, list_dispatches(context.ledger, batch.batch_id)[0]):
        assert begin_dispatch(context.ledger, stale, context.now()) is None
    assert list_dispatches(context.ledger, batch.batch_id)[0].attempts == 0
    assert house.states(context, batch.batch_id) == {PLANNED: 6, CANCELLED: 1}


def test_every_message_to_a_number_is_cancelled_where_it_has_several(house: House, context: Context) -> None:
    rows = [[house.number(row % 3), f"本文{row}"] for row in range(9)]
    batch = house.batch(context, house.write("l.csv", [["電話番号", "本文"], *rows]), repeats=True)
    planning.plan(context, batch)
    opt_out(house, context, 1)
    batch = house.batch(context, house.folder / "l.csv", repeats=True)
    assert send(context, batch).states == {TAKEN: 6, CANCELLED: 3}
    assert Counter((message.msisdn, message.text) for message in house.gateway.messages) == Counter(
        (number, text) for number, text in rows if number != house.number(1)
    )
    check_equations(house, context, batch, 3)


def test_who_opts_in_again_stays_cancelled_here_and_is_served_by_another_list(house: House, context: Context) -> None:
    batch = planned(house, context, 7)
    opt_out(house, context, 6)
    send(context, batch)
    remove_optouts(context.ledger, [house.number(6)], context.now())
    assert house.sent(context, house.folder / "list.csv") == Sent(0, 0, {TAKEN: 6, CANCELLED: 1}, 1)
    rest = house.batch(context, house.recipients(2, "rest.csv", 5))
    assert (rest.totals.accepted, rest.totals.already) == (1, 1)
    assert send(context, rest).states == {TAKEN: 1}
    assert got(house) == numbers(house, *range(7))
    # What is served now is not planned again by the batch in which it was cancelled.
    assert send(context, batch) == Sent(0, 0, {TAKEN: 6, CANCELLED: 1}, 1)


def test_who_opts_in_again_before_anything_was_sent_is_written_to(house: House, context: Context) -> None:
    batch = planned(house, context, 7)
    opt_out(house, context, 6)
    remove_optouts(context.ledger, [house.number(6)], context.now())
    assert send(context, batch) == Sent(2, 7, {TAKEN: 7}, 0)


def test_evidence_beats_a_cancellation(house: House, context: Context) -> None:
    batch = planned(house, context, 5)
    opt_out(house, context, 0)
    send(context, batch)
    with context.ledger.writing() as connection:
        connection.execute(
            sql(
                "INSERT INTO observation VALUES "
                "(99, NULL, 1, 'pulled', :smsid, :msisdn, '送信済', '', '', NULL, NULL, NULL, '', '', NULL)"
            ),
            {"smsid": house.smsids(context, batch.batch_id)[0], "msisdn": house.number(0)},
        )
    assert send(context, batch).states == {TAKEN: 5}
    value = reconcile(context, batch).value
    assert value.opted_out == 0
    assert value.breaks_by_kind[BreakKind.CONTRADICTION] == 1


def test_the_payload_that_goes_out_holds_the_others_and_nobody_else(house: House, context: Context) -> None:
    batch = planned(house, context, 5)
    opt_out(house, context, 2)
    send(context, batch)
    folder = context.workspace.batch_folder(batch.batch_id)
    held = []
    for name in ("dispatch-0001.csv", "dispatch-0002.csv"):
        with (folder / name).open(encoding="utf-8", newline="") as file:
            held.append({cell for row in csv.reader(file) for cell in row} & set(numbers(house, *range(5))))
    assert held == [set(numbers(house, *range(5))), set(numbers(house, 0, 1, 3, 4))]


def test_a_cancellation_is_a_finding(house: House, context: Context) -> None:
    batch = planned(house, context, 5)
    assert reconcile(context, batch).exit is Exit.DONE
    opt_out(house, context, 2)
    send(context, batch)
    for _ in range(2):
        found = reconcile(context, batch)
        assert (found.exit, found.value.balanced, found.document["opted_out"]) == (Exit.FINDINGS, True, 1)
        assert found.document["cancelled"] == 1
