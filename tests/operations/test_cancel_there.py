"""Cancelling at the gateway: what waits there is called back, and every answer is worth what it says and no more."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text as sql

from pipeline.adapters import interruption
from pipeline.adapters.gateway import Exchange, GatewayClient
from pipeline.errors import Exit, Interrupted, MediasmsError, OutcomeUnknown, TryLater
from pipeline.ledger.cancellations import cancellations_of, count_cancellations
from pipeline.ledger.dispatches import list_dispatches
from pipeline.ledger.logins import auth_failures, note_auth
from pipeline.model import BreakKind, CancelOutcome, MessageClass, MessageState
from pipeline.operations.cancel import Cancelled, cancel, look_up
from pipeline.operations.recover import Recovered, recover
from pipeline.operations.resolve import resolve
from pipeline.operations.run import send_batch
from pipeline.operations.status import standing
from pipeline.operations.trace import trace
from pipeline.simulator import Knobs
from pipeline.stages import answering, calling_back
from pipeline.stages.guards import Permission
from pipeline.stages.pull import pull
from pipeline.stages.reconcile import reconcile
from schemas.profile import SHIPPED
from tests.databases import BOTH
from tests.operations.observing import observe, result, sent

if TYPE_CHECKING:
    from pipeline.context import Context
    from pipeline.model import Batch
    from tests.stages.conftest import House

HOLD = Knobs(hold_seconds=3600, fate="at_once")
TAKEN, UNKNOWN, REFUSED, PLANNED = (
    MessageState.TAKEN,
    MessageState.UNKNOWN,
    MessageState.REFUSED,
    MessageState.PLANNED,
)
GONE, TOO_LATE, ABSENT = CancelOutcome.CANCELLED, CancelOutcome.TOO_LATE, CancelOutcome.ABSENT
BUSY, NO, UNCLEAR, UNSENT = (
    CancelOutcome.BUSY,
    CancelOutcome.REFUSED,
    CancelOutcome.UNCLEAR,
    CancelOutcome.UNSENT,
)
PATH = "/cancelapi/"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(answering, "_BUSY_SECONDS", 0.005)


def _cancel(context: Context, *names: str) -> Cancelled:
    return cancel(context, look_up(context, names), actor="me")


def _taken(house: House, context: Context, count: int = 5, knobs: Knobs = HOLD) -> Batch:
    """Return a batch that the gateway has, and that waits there."""
    house.gateway.knobs = knobs
    batch = house.batch(context, house.recipients(count))
    assert send_batch(context, batch.batch_id, confirm=None).states == {TAKEN: count}
    return batch


def _answers(monkeypatch: pytest.MonkeyPatch, *exchanges: Exchange) -> list[str]:
    """Let the gateway give these answers, the last one for ever; return which smsids it was asked about."""
    left, asked = list(exchanges), []

    def answer(_client: GatewayClient, smsid: str) -> Exchange:
        asked.append(smsid)
        return left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr(GatewayClient, "cancel", answer)
    return asked


def said(body: str, status: int = 200) -> Exchange:
    return Exchange(20, status, body.encode(), "")


@pytest.mark.parametrize("database", BOTH)
def test_what_waits_there_is_cancelled_and_reconciles_so_before_and_after_its_result(
    house: House, context: Context
) -> None:
    batch = _taken(house, context, 7)
    wanted = look_up(context, [batch.batch_id])
    assert (wanted.waiting, wanted.there) == (0, 7)
    done = cancel(context, wanted, actor="me")
    assert (done.counts, done.messages, done.late, done.untouched) == ({GONE: 7}, 0, 0, {})
    assert (done.exit, done.problem, done.stopped) == (Exit.DONE, None, ())
    for label in ("cancelled", "キャンセル済"):
        value = reconcile(context, batch).value
        assert (value.classes, value.breaks_by_kind, value.balanced) == ({MessageClass.CANCELLED: 7}, {}, True)
        assert [line.label or "cancelled" for line in value.statuses] == [label]
        assert value.amount.untaxed == 0
        house.clock.advance(timedelta(hours=2))
        pull(context)
    # The gateway took them once: nobody in this campaign may be written to again.
    assert house.states(context, batch.batch_id) == {TAKEN: 7}
    again = house.batch(context, house.recipients(7, "more.csv", text="訂正です"))
    assert (again.totals.accepted, again.totals.already) == (0, 7)
    assert _cancel(context, batch.batch_id).exit is Exit.GUARD
    assert house.gateway.requests[PATH] == 7


def _gone_back(context: Context) -> None:
    """Let the ledger be that of a backup from after planning."""
    with context.ledger.writing() as connection:
        connection.execute(sql("UPDATE message SET state = 'planned', reason = '', sent_at = NULL"))
        never = "attempts = 0, begun_at = NULL, ended_at = NULL, answer_code = NULL, csvid = NULL"
        connection.execute(sql(f"UPDATE dispatch SET {never}"))  # noqa: S608 - a constant


@pytest.mark.parametrize("database", BOTH)
def test_what_a_ledger_has_forgotten_is_asked_about_once_it_is_recovered(house: House, context: Context) -> None:
    batch = _taken(house, context, 7)
    _gone_back(context)
    done = _cancel(context, batch.batch_id)
    assert done.problem
    assert (done.problem.code, done.exit, done.stopped) == ("cancel.went_back", Exit.GUARD, (batch.batch_id,))
    assert PATH not in house.gateway.requests
    assert recover(context) == Recovered(2, 7)
    assert house.states(context, batch.batch_id) == {UNKNOWN: 7}
    # Whoever may have got it is nobody to whom a corrected list may go out.
    again = house.batch(context, house.recipients(7, "corrected.csv", text="訂正です"))
    assert (again.totals.accepted, again.totals.already) == (0, 7)
    assert _cancel(context, batch.batch_id).counts == {GONE: 7}
    assert house.states(context, batch.batch_id) == {TAKEN: 7}


@pytest.mark.parametrize("database", BOTH)
def test_a_forgotten_message_that_was_cancelled_by_itself_does_not_go_out_again(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    house.gateway.knobs = Knobs(http_503_before_reading=True)
    with pytest.raises(OutcomeUnknown):
        send_batch(context, batch.batch_id, confirm=None)
    house.gateway.knobs = HOLD
    one, *_ = house.smsids(context, batch.batch_id)
    _gone_back(context)
    done = _cancel(context, one)
    assert done.problem
    assert (done.problem.code, done.messages) == ("cancel.went_back", 1)
    assert recover(context) == Recovered(1, 3)
    assert house.states(context, batch.batch_id) == {UNKNOWN: 3}
    assert [(wish.actor, wish.outcome) for wish in cancellations_of(context.ledger, one)] == [("me", UNSENT)]
    resolve(context, batch.batch_id, REFUSED, actor="me", because="nothing of it is there")
    send_batch(context, batch.batch_id, confirm=None)
    assert house.states(context, batch.batch_id) == {TAKEN: 2, MessageState.CANCELLED: 1}
    assert one not in house.copies()


def test_a_marker_that_says_nothing_keeps_nobody_from_cancelling(house: House, context: Context) -> None:
    batch = _taken(house, context)
    (marker,) = context.workspace.batch_folder(batch.batch_id).glob("*.begun")
    marker.write_bytes(b"")
    done = _cancel(context, batch.batch_id)
    assert done.problem
    assert (done.problem.code, done.counts) == ("marker.unreadable", {GONE: 5})


def test_what_has_left_is_too_late_and_what_has_a_result_is_not_asked_about(house: House, context: Context) -> None:
    batch = _taken(house, context)
    house.clock.advance(timedelta(hours=2))
    late = _cancel(context, batch.batch_id)
    assert late.problem
    assert (late.counts, late.exit, late.problem.code) == ({TOO_LATE: 5}, Exit.GUARD, "cancel.nothing")
    assert late.problem.facts == {"states": "5 too late"}
    pull(context)
    final = _cancel(context, batch.batch_id)
    assert (final.outcomes, len(final.final), final.exit) == ({}, 5, Exit.GUARD)
    assert house.gateway.requests[PATH] == 5
    assert reconcile(context, batch).value.classes == {MessageClass.DELIVERED: 5}


def test_some_are_cancelled_and_some_are_too_late(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _taken(house, context)
    smsids = house.smsids(context, batch.batch_id)
    _answers(monkeypatch, said("200"), said("550"), said("514"), said("200"))
    done = _cancel(context, *smsids)
    assert dict(zip(smsids, done.outcomes.values(), strict=True)) == done.outcomes
    assert (done.counts, done.late, done.exit) == ({GONE: 3, TOO_LATE: 1, ABSENT: 1}, 2, Exit.FINDINGS)
    assert count_cancellations(context.ledger, batch.batch_id) == standing(context, batch).cancellations == done.counts


def test_delivered_after_all_is_delivered_and_a_contradiction(house: House, context: Context) -> None:
    batch = _taken(house, context, knobs=Knobs(hold_seconds=3600, fate="at_once", cancel_ignored=True))
    assert _cancel(context, batch.batch_id).counts == {GONE: 5}
    house.clock.advance(timedelta(hours=2))
    pull(context)
    value = reconcile(context, batch).value
    assert value.classes == {MessageClass.DELIVERED: 5}
    assert value.breaks_by_kind == {BreakKind.CONTRADICTION: 5}
    assert {found.facts["label"] for found in value.breaks} == {"cancelled"}
    assert value.billable_messages == 5


@pytest.mark.parametrize("status", [{}, {"code_as_http_status": True}], ids=["body", "status"])
def test_the_code_is_read_from_the_body_and_from_the_status(
    house: House, context: Context, status: dict[str, bool]
) -> None:
    batch = _taken(house, context, knobs=Knobs(hold_seconds=3600, **status))  # type: ignore[arg-type]  # one field
    first, *_ = smsids = house.smsids(context, batch.batch_id)
    assert _cancel(context, first).counts == {GONE: 1}
    house.clock.advance(timedelta(hours=2))
    assert _cancel(context, *smsids).counts == {TOO_LATE: 4}


@pytest.mark.parametrize(
    ("exchange", "outcome", "code", "exit_code"),
    [
        (said('{"result":"200"}'), GONE, "200", Exit.DONE),
        (said("200\n"), GONE, "200", Exit.DONE),
        (said('{"result":"550"}'), TOO_LATE, "550", Exit.GUARD),
        (said("", 514), ABSENT, "514", Exit.GUARD),
        (said("<html>200</html>"), UNCLEAR, None, Exit.UNKNOWN),
        (said(""), UNCLEAR, None, Exit.UNKNOWN),
        (said("2"), UNCLEAR, None, Exit.UNKNOWN),
        (said("200", 302), UNCLEAR, None, Exit.UNKNOWN),
        (said("200", 500), UNCLEAR, None, Exit.UNKNOWN),
        (said("<html>", 503), UNCLEAR, "503", Exit.UNKNOWN),
        (said("502"), UNCLEAR, "502", Exit.UNKNOWN),
        (said("999"), UNCLEAR, "999", Exit.UNKNOWN),
        (Exchange(20, None, b"", "ReadTimeout"), UNCLEAR, None, Exit.UNKNOWN),
        (said("503"), BUSY, "503", Exit.TRY_LATER),
        (Exchange(0, None, b"", "ConnectionError"), UNSENT, None, Exit.TRY_LATER),
        (said("401", 401), NO, "401", Exit.REFUSED),
        (said("569"), NO, "569", Exit.REFUSED),
    ],
    ids=lambda value: value.body.decode() + str(value.http_status) if isinstance(value, Exchange) else "",
)
def test_an_answer_is_worth_what_it_says(
    house: House,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
    exchange: Exchange,
    outcome: CancelOutcome,
    code: str | None,
    exit_code: Exit,
) -> None:
    batch = _taken(house, context, 1)
    (smsid,) = house.smsids(context, batch.batch_id)
    _answers(monkeypatch, exchange)
    done = _cancel(context, smsid)
    (asked,) = cancellations_of(context.ledger, smsid)
    assert (done.outcomes, done.exit) == ({smsid: outcome}, exit_code)
    assert (asked.actor, asked.outcome, asked.code) == ("me", outcome, code)
    assert house.states(context, batch.batch_id) == {TAKEN: 1}
    expected = MessageClass.CANCELLED if outcome is GONE else MessageClass.PENDING
    assert reconcile(context, batch).value.classes == {expected: 1}


def test_a_busy_gateway_is_asked_again(house: House, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = _taken(house, context, 1)
    asked = _answers(monkeypatch, said("503"), said("503", 503), said("200"))
    assert _cancel(context, batch.batch_id).counts == {GONE: 1}
    assert len(asked) == 3


def test_after_a_refused_login_nothing_more_is_asked_and_it_is_counted(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _taken(house, context)
    with monkeypatch.context() as patched:
        asked = _answers(patched, said("200"), said("401", 401))
        done = _cancel(context, batch.batch_id)
    assert done.problem
    assert (done.counts, done.problem.code) == ({GONE: 1, NO: 1, UNSENT: 3}, "gateway.refused")
    assert (len(asked), done.exit) == (2, Exit.REFUSED)
    url = context.settings.gateway.base_url
    assert auth_failures(context.ledger, url) == 1
    # The next command goes on where this one ended, and a login that works resets the count.
    assert _cancel(context, batch.batch_id).counts == {GONE: 4}
    assert auth_failures(context.ledger, url) == 0


def test_after_an_answer_that_forbids_a_login_nothing_more_is_asked_and_no_count_is_reset(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _taken(house, context)
    url = context.settings.gateway.base_url
    note_auth(context.ledger, url, context.now(), failed=True)
    asked = _answers(monkeypatch, said("666"))
    done = _cancel(context, batch.batch_id)
    assert done.problem
    assert "666" in done.problem.what(context.language)
    assert (len(asked), done.counts, done.problem.exit) == (1, {UNCLEAR: 1, UNSENT: 4}, Exit.REFUSED)
    assert auth_failures(context.ledger, url) == 2


def test_after_too_many_refused_logins_nothing_is_asked(house: House, context: Context) -> None:
    batch = _taken(house, context)
    for _ in range(context.settings.send.auth_failures):
        note_auth(context.ledger, context.settings.gateway.base_url, context.now(), failed=True)
    done = _cancel(context, batch.batch_id)
    assert done.problem
    assert (done.counts, done.problem.code, done.exit) == ({UNSENT: 5}, "guard.auth_failures", Exit.GUARD)
    assert PATH not in house.gateway.requests


def test_three_unclear_answers_in_a_row_end_it(house: House, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = _taken(house, context, 7)
    page = said("<html>")
    asked = _answers(monkeypatch, page, page, said("200"), page, page, page, said("200"))
    done = _cancel(context, batch.batch_id)
    assert done.problem
    assert (len(asked), done.problem.code, done.exit) == (6, "cancel.unclear_in_a_row", Exit.UNKNOWN)
    assert done.counts == {UNCLEAR: 5, GONE: 1, UNSENT: 1}


def test_too_late_after_a_request_that_may_have_been_heard_is_unclear_until_a_result_says_it(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _taken(house, context, 1)
    real = GatewayClient.cancel

    def lost(client: GatewayClient, smsid: str) -> Exchange:
        real(client, smsid)
        return Exchange(20, None, b"", "ReadTimeout")

    with monkeypatch.context() as patched:
        patched.setattr(GatewayClient, "cancel", lost)
        assert _cancel(context, batch.batch_id).counts == {UNCLEAR: 1}
    # The gateway has cancelled it, and says now that this cannot be done.
    for _ in range(2):
        assert _cancel(context, batch.batch_id).counts == {UNCLEAR: 1}
    (smsid,) = house.smsids(context, batch.batch_id)
    assert [(one.outcome, one.code) for one in cancellations_of(context.ledger, smsid)] == [
        (UNCLEAR, None),
        (UNCLEAR, "550"),
        (UNCLEAR, "550"),
    ]
    house.clock.advance(timedelta(hours=2))
    pull(context)
    assert reconcile(context, batch).value.classes == {MessageClass.CANCELLED: 1}


def test_what_was_asked_about_least_often_comes_first_and_old_doubts_do_not_end_it(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _taken(house, context, 6)
    with monkeypatch.context() as patched:
        asked = _answers(patched, said("<html>"))
        assert _cancel(context, batch.batch_id).counts == {UNCLEAR: 3, UNSENT: 3}
        assert _cancel(context, batch.batch_id).counts == {UNCLEAR: 3, UNSENT: 3}
        assert asked == house.smsids(context, batch.batch_id)
        _answers(patched, said("550"))
        assert _cancel(context, batch.batch_id).counts == {UNCLEAR: 6}


def test_an_unknown_that_was_cancelled_there_had_been_taken(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(hold_seconds=3600, accept_then_reset=True)
    batch = house.batch(context, house.recipients(12))
    with pytest.raises(OutcomeUnknown):
        send_batch(context, batch.batch_id, confirm=None)
    first, *_ = house.smsids(context, batch.batch_id)
    assert _cancel(context, first).counts == {GONE: 1}
    assert house.states(context, batch.batch_id) == {TAKEN: 1, UNKNOWN: 4, PLANNED: 7}
    assert reconcile(context, batch).value.breaks_by_kind == {}
    assert _cancel(context, batch.batch_id).counts == {GONE: 4}
    assert house.states(context, batch.batch_id) == {TAKEN: 5, MessageState.CANCELLED: 7}


def test_an_unknown_by_a_name_of_the_users_own_may_be_somebody_elses_and_is_not_asked_about(
    house: House, context: Context
) -> None:
    house.gateway.knobs = Knobs(hold_seconds=3600, html_200_nothing=True)
    rows = [["電話番号", "本文", "smsid"], *([house.number(row), f"お知らせ{row}", f"own{row}"] for row in range(3))]
    batch = house.batch(context, house.write("own.csv", rows))
    with pytest.raises(OutcomeUnknown):
        send_batch(context, batch.batch_id, confirm=None)
    done = _cancel(context, batch.batch_id)
    assert (done.outcomes, done.untouched) == ({}, {UNKNOWN: 3})
    assert PATH not in house.gateway.requests


def test_an_unknown_that_is_not_asked_about_is_not_written_to_when_it_turns_out_that_nothing_had_left(
    house: House, context: Context
) -> None:
    house.gateway.knobs = Knobs(html_200_nothing=True, faults=1)
    rows = [["電話番号", "本文", "smsid"], *([house.number(row), f"お知らせ{row}", f"own{row}"] for row in range(3))]
    batch = house.batch(context, house.write("own.csv", rows))
    with pytest.raises(OutcomeUnknown):
        send_batch(context, batch.batch_id, confirm=None)
    done = _cancel(context, "own1")
    assert (done.counts, done.late, done.untouched) == ({}, 1, {UNKNOWN: 1})
    assert [one.outcome for one in cancellations_of(context.ledger, "own1")] == [UNSENT]
    resolve(context, batch.batch_id, REFUSED, actor="me", because="the console shows nothing")
    send_batch(context, batch.batch_id, confirm=None, permission=Permission(again=True))
    assert house.states(context, batch.batch_id) == {TAKEN: 2, MessageState.CANCELLED: 1}
    assert sorted(house.copies()) == ["own0", "own2"]


def test_a_result_of_another_number_is_no_final_one_of_a_message_by_the_users_own_name(
    house: House, context: Context
) -> None:
    house.gateway.knobs = HOLD
    batch = house.batch(context, house.write("own.csv", [["電話番号", "本文", "smsid"], [house.number(0), "x", "own"]]))
    send_batch(context, batch.batch_id, confirm=None)
    (message,) = sent(context, batch.batch_id)
    observe(context, result(message, "送信済", context.now(), msisdn=house.number(1)))
    assert _cancel(context, "own").counts == {GONE: 1}


def test_that_the_gateway_knows_no_such_message_proves_nothing(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(html_200_nothing=True)
    batch = house.batch(context, house.recipients(5))
    with pytest.raises(OutcomeUnknown):
        send_batch(context, batch.batch_id, confirm=None)
    first, *others = house.smsids(context, batch.batch_id)
    done = _cancel(context, first)
    assert (done.counts, house.states(context, batch.batch_id)) == ({ABSENT: 1}, {UNKNOWN: 5})
    # Whom somebody wanted to be spared is not written to when it turns out that nothing had left.
    (dispatch,) = list_dispatches(context.ledger, batch.batch_id)
    resolve(context, dispatch.dispatch_id, REFUSED, actor="me", because="the console shows nothing")
    house.gateway.knobs = Knobs()
    send_batch(context, batch.batch_id, confirm=None, permission=Permission(again=True))
    assert house.states(context, batch.batch_id) == {TAKEN: 4, MessageState.CANCELLED: 1}
    assert sorted(house.copies()) == sorted(others)


def test_a_stopped_batch_whose_unknown_a_person_frees_stays_cancelled(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(html_200_nothing=True)
    batch = house.batch(context, house.recipients(5))
    with pytest.raises(OutcomeUnknown):
        send_batch(context, batch.batch_id, confirm=None)
    done = _cancel(context, batch.batch_id)
    assert (done.counts, done.stopped, done.exit) == ({ABSENT: 5}, (batch.batch_id,), Exit.FINDINGS)
    resolve(context, batch.batch_id, REFUSED, actor="me", because="the console shows nothing")
    with pytest.raises(MediasmsError) as stopped:
        send_batch(context, batch.batch_id, confirm=None, permission=Permission(again=True))
    assert stopped.value.code == "send.cancelled"
    assert house.copies() == {}


def test_what_is_on_its_way_is_asked_about_and_left_to_its_sender(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.gateway.knobs = HOLD
    batch = house.batch(context, house.recipients(5))
    real = GatewayClient.upload
    heard: list[Cancelled] = []

    def uploads(*arguments: Any) -> Exchange:  # noqa: ANN401 - handed through
        heard.append(_cancel(house.open(), batch.batch_id))
        exchange = real(*arguments)
        heard.append(_cancel(house.open(), batch.batch_id))
        return exchange

    monkeypatch.setattr(GatewayClient, "upload", uploads)
    assert send_batch(context, batch.batch_id, confirm=None).states == {TAKEN: 5}
    assert [done.counts for done in heard] == [{ABSENT: 5}, {GONE: 5}]
    assert reconcile(context, batch).value.classes == {MessageClass.CANCELLED: 5}


def test_two_commands_that_ask_about_the_same_message_do_not_take_each_others_answers(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _taken(house, context, 1)
    (smsid,) = house.smsids(context, batch.batch_id)
    real = GatewayClient.cancel
    others: list[Cancelled] = []

    def while_another_asks(client: GatewayClient, wanted: str) -> Exchange:
        exchange = real(client, wanted)
        if not others:
            others.append(Cancelled(0, 0, {}))
            others[0] = _cancel(house.open(), smsid)
        return exchange

    monkeypatch.setattr(GatewayClient, "cancel", while_another_asks)
    assert _cancel(context, smsid).counts == {GONE: 1}
    # The other one heard that it is too late: it was, because the first had cancelled it.
    assert others[0].counts == {UNCLEAR: 1}
    assert [one.outcome for one in cancellations_of(context.ledger, smsid)] == [GONE, UNCLEAR]
    assert reconcile(context, batch).value.classes == {MessageClass.CANCELLED: 1}


def test_a_signal_ends_it_after_the_request_on_its_way_and_nothing_is_lost(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _taken(house, context, calling_back._TOGETHER + 5)
    monkeypatch.setattr(interruption, "_state", interruption._State())
    real = GatewayClient.cancel
    asked: list[str] = []

    def interrupted(client: GatewayClient, smsid: str) -> Exchange:
        asked.append(smsid)
        if len(asked) == 2:
            interruption._state.received = Exit.TERMINATED
        return real(client, smsid)

    monkeypatch.setattr(GatewayClient, "cancel", interrupted)
    with pytest.raises(Interrupted):
        _cancel(context, batch.batch_id)
    # Those that its turn had not come to were wanted cancelled too: nobody asked about them, and nobody writes to them.
    assert count_cancellations(context.ledger, batch.batch_id) == {GONE: 2, UNSENT: 43}
    interruption._state.received = None
    assert _cancel(context, batch.batch_id).counts == {GONE: 43}
    assert (len(asked), len(set(asked))) == (45, 45)


def test_answers_that_cannot_be_recorded_are_open_and_asked_for_again(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _taken(house, context, 2)

    def full(*_arguments: object, **_named: object) -> None:
        raise TryLater("ledger.busy", problem="x", place="y")

    with monkeypatch.context() as patched:
        patched.setattr(calling_back, "answer_cancellations", full)
        patched.setattr(calling_back, "note_unasked", full)
        done = _cancel(context, batch.batch_id)
    assert done.problem
    assert (done.problem.code, done.exit) == ("cancel.unrecorded", Exit.UNKNOWN)
    assert count_cancellations(context.ledger, batch.batch_id) == {UNCLEAR: 2}
    assert _cancel(context, batch.batch_id).counts == {UNCLEAR: 2}


def test_without_an_account_what_waits_here_is_cancelled_all_the_same(house: House, context: Context) -> None:
    batch = _taken(house, context)
    smsids = house.smsids(context, batch.batch_id)
    more = house.batch(context, house.recipients(3, "more.csv", first=5))
    nobody = house.open(GATEWAY_PASSWORD="")
    done = _cancel(nobody, smsids[0], more.batch_id)
    assert done.problem
    assert (done.problem.code, done.stopped, done.exit) == ("gateway.incomplete", (more.batch_id,), Exit.USAGE)
    # Nobody asked the gateway, and somebody wanted it all the same.
    assert [one.outcome for one in cancellations_of(context.ledger, smsids[0])] == [CancelOutcome.UNSENT]


def test_a_profile_without_the_section_says_so_after_what_waits_here_is_cancelled(
    house: House, context: Context
) -> None:
    batch = _taken(house, context)
    more = house.batch(context, house.recipients(3, "more.csv", first=5))
    text = re.sub(r"(?ms)^\[(check|cancel|notification)\]\n.*?(?=^\[)", "", SHIPPED.read_text("utf-8"))
    (house.folder / "own.toml").write_text(text, encoding="utf-8")
    older = house.open(GATEWAY_PROFILE="own.toml")
    done = _cancel(older, batch.batch_id, more.batch_id)
    assert done.problem
    assert (done.problem.code, done.problem.facts["section"]) == ("profile.no_section", "cancel")
    assert (done.exit, done.stopped, PATH in house.gateway.requests) == (Exit.USAGE, (more.batch_id,), False)
    # Everything else goes on in the middle of a campaign.
    house.clock.advance(timedelta(hours=2))
    pull(older, batch.batch_id)
    assert standing(older, batch).states == {TAKEN: 5}
    assert reconcile(older, batch).value.classes == {MessageClass.DELIVERED: 5}
    third = house.batch(older, house.recipients(2, "third.csv", first=50))
    assert send_batch(older, third.batch_id, confirm=None).states == {TAKEN: 2}


def test_a_trace_tells_every_request_and_its_answer(house: House, context: Context) -> None:
    batch = _taken(house, context, 1)
    (smsid,) = house.smsids(context, batch.batch_id)
    _cancel(context, smsid)
    (life,) = trace(context, smsid, limit=1).lives
    assert [(one.actor, one.outcome, one.code) for one in life.cancellations] == [("me", GONE, "200")]
    assert life.priced.line.message_class is MessageClass.CANCELLED


def test_an_opt_out_of_a_planned_batch_can_be_cancelled_and_the_others_go(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    house.gateway.__exit__(None, None, None)
    try:
        with pytest.raises(TryLater):
            send_batch(context, batch.batch_id, confirm=None)
    finally:
        house.gateway.__enter__()
    first, *others = house.smsids(context, batch.batch_id)
    assert _cancel(context, first) == Cancelled(1, 0, {})
    assert send_batch(context, batch.batch_id, confirm=None).states == {
        MessageState.CANCELLED: 1,
        TAKEN: 6,
    }
    assert sorted(house.copies()) == sorted(others)


def test_a_batch_that_was_never_planned_is_done_with_when_it_is_cancelled(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(5))
    assert not standing(context, batch).is_done
    _cancel(context, batch.batch_id)
    assert standing(context, batch).is_done
