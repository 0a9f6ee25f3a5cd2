"""An answer that comes after another host took over the campaign, and a person gave the upload up, is proof."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partialmethod
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.adapters.gateway import Exchange, GatewayClient
from pipeline.core.answers import NO_ANSWER, Verdict
from pipeline.errors import GatewayRefused, OutcomeUnknown, TryLater
from pipeline.ledger.batches import get_batch
from pipeline.ledger.cancelling import stop_batch
from pipeline.ledger.dispatches import (
    Attempt,
    adopt_in_flight,
    begin_dispatch,
    end_dispatch,
    list_dispatches,
    resolve_dispatch,
    return_dispatch,
)
from pipeline.ledger.plans import free_messages
from pipeline.ledger.singles import Ended, begin_singles, end_singles
from pipeline.model import BreakKind, MessageState, Mode, RunAction
from pipeline.simulator import Knobs
from pipeline.stages.planning import plan, plan_free_again
from pipeline.stages.pull import pull
from pipeline.stages.reconcile import reconcile
from pipeline.stages.send import Sent, send
from tests.databases import BOTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.context import Context
    from pipeline.model import Batch, Dispatch
    from tests.stages.conftest import House

PLANNED, IN_FLIGHT, TAKEN = MessageState.PLANNED, MessageState.IN_FLIGHT, MessageState.TAKEN
UNKNOWN, REFUSED, CANCELLED = MessageState.UNKNOWN, MessageState.REFUSED, MessageState.CANCELLED
NOTHING = Exchange(0, None, b"", "nothing was read")


def given_up(other: Context, batch: Batch) -> None:
    """Take over the campaign, as whoever holds its lock may, and say that the upload was refused."""
    adopt_in_flight(other.ledger, batch.campaign, other.now())
    for one in list_dispatches(other.ledger, batch.batch_id):
        resolve_dispatch(other.ledger, one, REFUSED, other.now(), actor="hanako", because="x")


def cancelled(other: Context, batch: Batch) -> None:
    given_up(other, batch)
    stop_batch(other.ledger, batch.batch_id, other.now(), actor="hanako")


def planned_again(other: Context, batch: Batch) -> None:
    given_up(other, batch)
    plan_free_again(other, get_batch(other.ledger, batch.batch_id), free_messages(other.ledger, batch))


def begun_again(other: Context, batch: Batch) -> None:
    planned_again(other, batch)
    again = latest(other, batch)
    if again.payload.name.endswith(".csv"):
        begin_dispatch(other.ledger, again, other.now())
    else:
        begin_singles(other.ledger, [again], other.now())


def ended_again(other: Context, batch: Batch, state: MessageState) -> None:
    """Record how the second attempt ended, of which not a byte leaves in these tests."""
    again = latest(other, batch)
    verdict = NO_ANSWER if state is UNKNOWN else Verdict(state, "200" if state is TAKEN else "596", RunAction.STOP)
    if not again.payload.name.endswith(".csv"):
        reason = "" if state is TAKEN else f"request:{verdict.code}"
        end_singles(other.ledger, [Ended(dispatch=again, state=state, reason=reason, code=verdict.code)], other.now())
    elif state is PLANNED:
        # As it had been listed before it was begun.
        return_dispatch(other.ledger, replace(again, attempts=again.attempts - 1), other.now(), "x")
    else:
        end_dispatch(other.ledger, Attempt(again, {}, None), verdict, other.now(), "")


def latest(other: Context, batch: Batch) -> Dispatch:
    return list_dispatches(other.ledger, batch.batch_id)[-1]


def taken_again(other: Context, batch: Batch) -> None:
    begun_again(other, batch)
    ended_again(other, batch, TAKEN)


def unknown_again(other: Context, batch: Batch) -> None:
    begun_again(other, batch)
    adopt_in_flight(other.ledger, batch.campaign, other.now())


def refused_again(other: Context, batch: Batch) -> None:
    begun_again(other, batch)
    ended_again(other, batch, REFUSED)


SINCE = [given_up, cancelled, planned_again, begun_again, taken_again, unknown_again, refused_again]


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None], *, unread: bool = False) -> None:
    """Let something happen while the answer to the first request is on its way, or nothing of it was read."""
    happened: list[bool] = []

    def late(client: GatewayClient, *given: Any, plain: Any) -> Exchange:  # noqa: ANN401 - those of single and upload
        first = not happened
        exchange: Exchange = NOTHING if unread and first else plain(client, *given)
        if first:
            happened.append(True)
            happens()
        return exchange

    for name in ("single", "upload"):
        monkeypatch.setattr(GatewayClient, name, partialmethod(late, plain=getattr(GatewayClient, name)))


def reasons(context: Context) -> list[str]:
    with context.ledger.reading() as connection:
        return list(connection.exec_driver_sql("SELECT DISTINCT reason FROM message ORDER BY reason").scalars())


@pytest.mark.parametrize("database", BOTH)
@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE])
@pytest.mark.parametrize("since", SINCE)
def test_what_the_answer_says_was_taken_is_taken_whatever_was_done_since(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, mode: Mode, since: Callable[[Context, Batch], None]
) -> None:
    count = 3 if mode is Mode.CSV else 1
    other, batch = house.open(), house.batch(context, house.recipients(count))
    begun = context.now()

    def happens() -> None:
        house.clock.advance(timedelta(minutes=5))
        since(other, batch)

    meanwhile(monkeypatch, happens)
    sent = send(context, batch, mode=mode)
    assert (sent.messages, sent.states) == (count, {TAKEN: count})
    # Nothing is left of it that a run would send, and no answer to a later attempt frees it.
    assert send(other, get_batch(other.ledger, batch.batch_id)) == Sent(0, 0, {TAKEN: count}, mode=mode)
    assert set(house.copies().values()) == {1}
    house.clock.advance(timedelta(days=1))
    pull(context, batch.batch_id)
    value = reconcile(context, batch).value
    told = 0 if since is unknown_again else count
    assert value.breaks_by_kind.get(BreakKind.CONTRADICTION, 0) == told
    if since is not taken_again:
        with context.ledger.reading() as connection:
            first = connection.exec_driver_sql("SELECT DISTINCT sent_at FROM message").scalars().all()
        assert first == [begun.isoformat(timespec="microseconds")]


@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE])
@pytest.mark.parametrize("state", [PLANNED, REFUSED, UNKNOWN, TAKEN])
def test_no_end_of_a_later_attempt_frees_what_the_first_one_brought(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, mode: Mode, state: MessageState
) -> None:
    other, batch = house.open(), house.batch(context, house.recipients(1))
    meanwhile(monkeypatch, lambda: begun_again(other, batch))
    send(context, batch, mode=mode)
    assert house.states(context, batch.batch_id) == {TAKEN: 1}
    ended_again(other, batch, state)
    assert house.states(context, batch.batch_id) == {TAKEN: 1}
    assert reasons(context) == ["answered:in_flight"]
    assert send(other, get_batch(other.ledger, batch.batch_id)).messages == 0


@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE])
@pytest.mark.parametrize(("since", "left"), [(given_up, REFUSED), (planned_again, PLANNED), (begun_again, IN_FLIGHT)])
@pytest.mark.parametrize("unread", [False, True], ids=["refused", "unread"])
def test_an_answer_that_takes_nothing_leaves_what_was_decided(
    house: House,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
    mode: Mode,
    since: Callable[[Context, Batch], None],
    left: MessageState,
    *,
    unread: bool,
) -> None:
    house.gateway.knobs = Knobs(refuse_code="560")
    other, batch = house.open(), house.batch(context, house.recipients(1))
    meanwhile(monkeypatch, lambda: since(other, batch), unread=unread)
    with suppress(TryLater, GatewayRefused, OutcomeUnknown):
        send(context, batch, mode=mode)
    assert not house.copies()
    assert house.states(context, batch.batch_id) == {left: 1}


@pytest.mark.parametrize("database", BOTH)
def test_what_another_message_serves_by_now_stays_given_up_for_good_and_is_told(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, batch = house.open(), house.batch(context, house.recipients(3))
    corrected = house.recipients(2, "corrected.csv", text="訂正です")

    def happens() -> None:
        given_up(other, batch)
        assert send(other, house.batch(other, corrected)).messages == 2

    meanwhile(monkeypatch, happens)
    sent = send(context, batch)
    assert (sent.messages, sent.states) == (1, {TAKEN: 1, REFUSED: 2})
    assert reconcile(context, batch).value.breaks_by_kind[BreakKind.CONTRADICTION] == 3
    # Were the other one refused after all, this one would not go out again: the gateway has it.
    assert free_messages(context.ledger, get_batch(context.ledger, batch.batch_id)) == {}
    with context.ledger.writing() as connection:
        connection.exec_driver_sql("UPDATE message SET state = 'refused', reason = 'row:560' WHERE reason = ''")
    assert send(context, get_batch(context.ledger, batch.batch_id)).messages == 0


def test_what_only_waits_for_the_same_recipient_is_cancelled(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, batch = house.open(), house.batch(context, house.recipients(3))
    corrected: list[Batch] = []

    def happens() -> None:
        given_up(other, batch)
        corrected.append(house.batch(other, house.recipients(2, "corrected.csv", text="訂正です")))
        plan(other, corrected[0])

    meanwhile(monkeypatch, happens)
    assert send(context, batch).states == {TAKEN: 3}
    assert house.states(context, corrected[0].batch_id) == {CANCELLED: 2}
