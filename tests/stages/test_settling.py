"""What a result proves, and when: before a message is sent again, before its outcome is called unknown."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partialmethod
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from pipeline.adapters.gateway import Exchange, GatewayClient
from pipeline.core.msisdn import canonical_result
from pipeline.errors import OutcomeUnknown, TryLater
from pipeline.ledger.dispatches import adopt_in_flight, begin_dispatch, end_dispatch
from pipeline.ledger.notifications import record_notifications
from pipeline.ledger.singles import begin_singles, end_singles
from pipeline.model import BreakKind, MessageClass, MessageState, Mode, Observation, ObservationPath
from pipeline.operations.notifications import record
from pipeline.operations.resolve import resolve
from pipeline.simulator import Knobs
from pipeline.stages import asking, singly
from pipeline.stages import send as sending
from pipeline.stages.pull import pull, pull_single
from pipeline.stages.reconcile import reconcile
from pipeline.stages.send import send

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from pipeline.context import Context
    from tests.stages.conftest import House


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_AGAIN_SECONDS", 0.01)


PLANNED, TAKEN, UNKNOWN = MessageState.PLANNED, MessageState.TAKEN, MessageState.UNKNOWN


def _notified(smsid: str, msisdn: str, status: str = "送信済") -> Observation:
    return Observation(path=ObservationPath.NOTIFIED, smsid=smsid, msisdn=msisdn, status=status, status_time=None)


def _before(
    monkeypatch: pytest.MonkeyPatch, user: ModuleType, verb: Callable[..., Any], happens: Callable[[], None]
) -> None:
    """Let something happen just before ``user`` calls a verb of the ledger."""

    def instead(*given: Any) -> Any:  # noqa: ANN401 - those of the verb
        happens()
        return verb(*given)

    monkeypatch.setattr(user, verb.__name__, instead)


def _fail(error: Exception) -> None:
    pytest.fail(str(error))


def test_a_row_of_results_about_another_number_proves_nothing(house: House, context: Context) -> None:
    """Another system of the account has used the same smsid before, for somebody else."""
    other = {"mobilenumber": "09099990000", "smstext": "other", "smsid": "order1001", "status": "1"}
    assert context.gateway.single(urlencode(other).encode(), "form").body.strip() == b"200"
    house.gateway.knobs = Knobs(dedupe_smsid=True, fate="at_once")
    rows = [["tel", "本文", "smsid"], [house.number(1), "x", "order1001"], [house.number(2), "x", "order1002"]]
    batch = house.batch(context, house.write("l.csv", rows))
    with pytest.raises(OutcomeUnknown):
        send(context, batch)
    house.clock.advance(timedelta(hours=1))
    assert pull(context, batch.batch_id).settled == {}
    assert house.states(context, batch.batch_id) == {UNKNOWN: 1, TAKEN: 1}
    found = reconcile(context, batch)
    assert [(line.message_class, line.billable) for line in found.lines] == [
        (MessageClass.UNKNOWN, False),
        (MessageClass.DELIVERED, True),
    ]
    assert [one.kind for one in found.value.breaks if one.smsid == "order1001"] == [BreakKind.PHONE_MISMATCH]


@pytest.mark.parametrize(("number", "state"), [("09099990000", UNKNOWN), ("+81 90-1000-0000", TAKEN)])
def test_a_notification_proves_what_it_says_of_the_same_number(
    house: House, context: Context, number: str, state: MessageState
) -> None:
    house.gateway.knobs = Knobs(html_200_nothing=True, faults=1)
    batch = house.batch(context, house.recipients(1))
    with pytest.raises(OutcomeUnknown):
        send(context, batch)
    (smsid,) = house.smsids(context, batch.batch_id)
    record(context, [_notified(smsid, canonical_result(number))], _fail)
    assert house.states(context, batch.batch_id) == {state: 1}


@pytest.mark.parametrize("mode", [Mode.SINGLE, Mode.CSV])
@pytest.mark.parametrize("served_by", ["itself", "another"])
def test_what_is_recorded_but_not_settled_keeps_a_message_from_going_out_again(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, mode: Mode, served_by: str
) -> None:
    """The endpoint commits a result and is killed before it settles: the sender must see it all the same."""
    source = house.recipients(1)
    house.gateway.knobs = Knobs(html_200=True, faults=1)
    monkeypatch.setattr(singly, "ask_unknown", lambda *_: None)
    batch = house.batch(context, source)
    with pytest.raises(OutcomeUnknown) as stopped:
        send(context, batch, mode=mode)
    (first,) = house.copies()
    resolve(context, str(stopped.value.facts["dispatch"]), MessageState.REFUSED, actor="me", because="so I thought")
    if served_by == "another":
        source = house.write("again.csv", [["tel", "本文"], *([house.number(row), "別の文"] for row in (0, 1, 2))])
    other = house.open()
    told: list[str] = []

    def notified() -> None:
        if not told:
            told.extend(record_notifications(other.ledger, [_notified(first, house.number(0))], other.now()))

    _before(monkeypatch, sending, begin_dispatch, notified)
    _before(monkeypatch, singly, begin_singles, notified)
    again = house.batch(context, source)
    sent = send(context, again, mode=mode)
    assert told == [first]
    assert house.copies()[first] == 1
    one_each = [house.number(row) for row in range(1 if served_by == "itself" else 3)]
    assert sorted(message.msisdn for message in house.gateway.messages) == one_each
    assert sent.states == ({TAKEN: 1} if served_by == "itself" else {TAKEN: 2, MessageState.CANCELLED: 1})


@pytest.mark.parametrize("mode", [Mode.SINGLE, Mode.CSV])
@pytest.mark.parametrize("label", ["送信済", "送信中"])
def test_a_result_that_is_here_before_the_answer_is_used(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, mode: Mode, label: str
) -> None:
    house.gateway.knobs = Knobs(html_200=True, faults=1)
    batch = house.batch(context, house.recipients(7))
    other = house.open()
    told: list[str] = []

    def notified() -> None:
        if not told:
            told.extend(house.copies())
            numbers = [message.msisdn for message in house.gateway.messages]
            record(other, [_notified(*pair, label) for pair in zip(told, numbers, strict=True)], _fail)

    _before(monkeypatch, sending, end_dispatch, notified)
    _before(monkeypatch, singly, end_singles, notified)
    assert send(context, batch, mode=mode).states == {TAKEN: 7}
    assert told


def test_what_one_period_brought_is_settled_also_where_the_next_cannot_be_had(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.gateway.knobs = Knobs(html_200=True, faults=1)
    first = house.batch(context, house.recipients(3, "a.csv"), "a")
    with pytest.raises(OutcomeUnknown):
        send(context, first)
    house.clock.advance(timedelta(days=2))
    send(context, house.batch(context, house.recipients(3, "b.csv", first=50, text="別"), "b"))
    house.clock.advance(timedelta(hours=1))
    plain, calls = GatewayClient.results, count()

    def results(client: GatewayClient, *given: Any) -> Exchange:  # noqa: ANN401 - those of results
        return Exchange(0, 200, b"503\n", "") if next(calls) else plain(client, *given)

    monkeypatch.setattr(GatewayClient, "results", results)
    with pytest.raises(TryLater):
        pull(context)
    assert house.states(context, first.batch_id) == {TAKEN: 3}


def test_pulling_settles_what_was_recorded_and_not_settled(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(html_200=True, faults=1)
    batch = house.batch(context, house.recipients(1))
    with pytest.raises(OutcomeUnknown):
        send(context, batch)
    (smsid,) = house.copies()
    record_notifications(context.ledger, [_notified(smsid, house.number(0))], context.now())
    assert pull_single(context, batch.batch_id).settled == {UNKNOWN: 1}


@pytest.mark.parametrize("mode", [Mode.SINGLE, Mode.CSV])
@pytest.mark.parametrize(
    ("knobs", "states"),
    [
        (Knobs(), {TAKEN: 3}),
        (Knobs(refuse_code="560"), {UNKNOWN: 1}),
        (Knobs(html_200_nothing=True), {UNKNOWN: 1}),
    ],
    ids=["taken", "refused", "unclear"],
)
def test_an_answer_that_comes_after_another_host_took_over_proves_what_was_taken(
    house: House,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
    mode: Mode,
    knobs: Knobs,
    states: dict[MessageState, int],
) -> None:
    """The connection that held the lock was lost, and the run of another host makes unknown what is in flight."""
    other = house.open()
    house.gateway.knobs = knobs
    batch = house.batch(context, house.recipients(sum(states.values())))

    def late(client: GatewayClient, *given: Any, plain: Any) -> Exchange:  # noqa: ANN401 - those of single and upload
        exchange: Exchange = plain(client, *given)
        adopt_in_flight(other.ledger, "c", other.now())
        return exchange

    for name in ("single", "upload"):
        monkeypatch.setattr(GatewayClient, name, partialmethod(late, plain=getattr(GatewayClient, name)))
    monkeypatch.setattr(singly, "ask_unknown", lambda *_: None)
    with suppress(OutcomeUnknown):
        send(context, batch, mode=mode)
    assert house.states(context, batch.batch_id) == states
