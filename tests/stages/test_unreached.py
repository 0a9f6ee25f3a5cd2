"""Who was not reached: only by evidence, and of two messages for one key the one that stands."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib import resources
from itertools import product
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text as sql

from pipeline.errors import GatewayRefused, OutcomeUnknown, UsageError
from pipeline.ledger.batches import get_batch, made_from, origins
from pipeline.ledger.cancelling import cancel_messages
from pipeline.ledger.logins import note_auth
from pipeline.ledger.optouts import add_optouts
from pipeline.model import CancelOutcome, MessageState, Observation, ObservationPath
from pipeline.operations.cancel import cancel, look_up
from pipeline.operations.notifications import record
from pipeline.operations.resolve import resolve
from pipeline.simulator import Knobs
from pipeline.stages.planning import plan
from pipeline.stages.send import send
from pipeline.stages.unreached import unreached, unreached_of
from pipeline.stages.validate import Request, validate
from tests.databases import BOTH
from tests.operations.observing import observe, result, sent

if TYPE_CHECKING:
    from pipeline.context import Context
    from pipeline.model import Batch, SentMessage
    from tests.stages.conftest import House

#: label → whether it says that the person was not reached
LABELS = {
    "送信済": False,
    "リダイレクト": False,
    "送信中": False,
    "承認待ち": False,
    "失敗": True,
    "403": True,
    "ドコモ圏外・OFF": True,
    "無効": True,
    "キャンセル済": False,
    "ドコモ一部受信": False,
    "長文一部受信": False,
    "配信停止希望": False,
    "-": False,
    "謎": False,
    "": False,
}


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> str:
    """What is asked of the ledger is asked of each kind."""
    return str(request.param)


def refuse(context: Context, smsid: str, reason: str = "row:560") -> None:
    """Let a message be as one that the gateway refused."""
    with context.ledger.writing() as connection:
        connection.execute(
            sql("UPDATE message SET state = 'refused', reason = :reason WHERE smsid = :smsid"),
            {"smsid": smsid, "reason": reason},
        )


def notify(context: Context, message: SentMessage, status: str) -> None:
    """Let the gateway report a status by itself: without a time."""
    told = Observation(
        path=ObservationPath.NOTIFIED, smsid=message.smsid, msisdn=message.msisdn, status=status, status_time=None
    )
    record(context, [told], lambda error: pytest.fail(str(error)))


def test_every_status_counts_as_what_it_proves(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(len(LABELS)))
    send(context, batch)
    messages = sent(context, batch.batch_id)
    observe(context, *(result(*pair, context.now()) for pair in zip(messages, LABELS, strict=True) if pair[1]))
    expected = {one.smsid for one, failed in zip(messages, LABELS.values(), strict=True) if failed}
    assert unreached(context, "c") == {batch.batch_id: expected}
    house.clock.advance(timedelta(days=30))  # what has no result is missing by now, and still nobody knows
    assert unreached(context, "c") == {batch.batch_id: expected}


def test_the_latest_final_result_decides(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    send(context, batch)
    one, other, third = sent(context, batch.batch_id)
    at = context.now()
    observe(context, *(result(message, "失敗", at) for message in (one, other, third)))
    assert unreached(context, "c") == {batch.batch_id: {one.smsid, other.smsid, third.smsid}}
    observe(context, result(one, "送信済", at + timedelta(hours=1)), result(other, "403", at + timedelta(hours=1)))
    observe(context, result(third, "失敗", at + timedelta(hours=2), msisdn=house.number(77)))
    assert unreached(context, "c") == {batch.batch_id: {other.smsid}}  # of the third nobody knows whose result it is


def test_who_was_cancelled_is_not_written_to_although_a_result_says_that_it_failed(
    house: House, context: Context
) -> None:
    house.gateway.knobs = Knobs(hold_seconds=3600)
    batch = house.batch(context, house.recipients(3))
    send(context, batch)
    answered, told, other = sent(context, batch.batch_id)
    done = cancel(context, look_up(context, [answered.smsid]), actor="me")
    assert done.outcomes == {answered.smsid: CancelOutcome.CANCELLED}
    at = context.now()
    observe(context, result(told, "キャンセル済", at))
    observe(context, *(result(message, "失敗", at + timedelta(hours=1)) for message in (answered, told, other)))
    assert unreached(context, "c") == {batch.batch_id: {other.smsid}}


def test_whom_somebody_wanted_cancelled_is_not_written_to_whatever_came_of_it(house: House, context: Context) -> None:
    """Also where the gateway was never asked: by an smsid of the list's own it may have somebody else's message."""
    house.gateway.knobs = Knobs(html_200=True, faults=1, results_delay=3600)
    rows = [["電話番号", "本文", "smsid"], *([house.number(row), f"お知らせ{row}", f"own{row}"] for row in range(3))]
    batch = house.batch(context, house.write("own.csv", rows))
    with pytest.raises(OutcomeUnknown):
        send(context, batch)
    assert cancel(context, look_up(context, ["own1"]), actor="me").outcomes == {}
    other = house.batch(context, house.recipients(2, first=50))
    send(context, other)
    late, free = sent(context, other.batch_id)
    asked = cancel(context, look_up(context, [late.smsid]), actor="me")
    assert asked.outcomes == {late.smsid: CancelOutcome.TOO_LATE}
    messages = [message for each in (batch, other) for message in sent(context, each.batch_id)]
    observe(context, *(result(message, "失敗", context.now()) for message in messages))
    assert unreached(context, "c") == {batch.batch_id: {"own0", "own2"}, other.batch_id: {free.smsid}}


def test_what_the_gateway_is_trying_again_may_still_arrive(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(4))
    send(context, batch)
    before, same, after, untimed = sent(context, batch.batch_id)
    at = context.now() + timedelta(hours=1)
    observe(context, *(result(message, "ドコモ圏外・OFF", at) for message in (before, same, after, untimed)))
    minute = timedelta(minutes=1)
    times = ((before, at - minute), (same, at), (after, at + minute))
    observe(context, *(result(message, "送信中", when) for message, when in times))
    notify(context, untimed, "送信中")
    assert unreached(context, "c") == {batch.batch_id: {before.smsid}}
    observe(context, *(result(message, "失敗", at + 2 * minute) for message in (same, after, untimed)))
    assert unreached(context, "c") == {batch.batch_id: {before.smsid, same.smsid, after.smsid}}


def test_who_received_anything_is_reached_whatever_else_is_said(house: House, context: Context) -> None:
    cases = list(product(["ドコモ一部受信", "長文一部受信", "送信済", "リダイレクト"], [True, False], [1, -1]))
    batch = house.batch(context, house.recipients(len(cases) + 1))
    send(context, batch)
    *messages, last = sent(context, batch.batch_id)
    at, rows = context.now(), [result(last, "失敗", context.now())]
    for message, (label, timed, order) in zip(messages, cases, strict=True):
        for minute, status in enumerate(["ドコモ圏外・OFF", label][::order]):
            if timed:
                rows.append(result(message, status, at + timedelta(minutes=minute)))
            else:
                notify(context, message, status)
    observe(context, *rows)
    assert unreached(context, "c") == {batch.batch_id: {last.smsid}}


def test_what_a_late_result_says_of_a_message_that_was_replaced(house: House, context: Context) -> None:
    """A person took the first messages for refused, the corrected ones failed; then the first ones speak."""
    house.gateway.knobs = Knobs(html_200=True, faults=1)
    first = house.batch(context, house.recipients(5))
    with pytest.raises(OutcomeUnknown):
        send(context, first)
    resolve(context, first.batch_id, MessageState.REFUSED, actor="me", because="not in the console")
    second = house.batch(context, house.recipients(5, "corrected.csv", text="訂正"))
    send(context, second)
    at = context.now() + timedelta(minutes=5)
    corrected = sent(context, second.batch_id)
    observe(context, *(result(message, "失敗", at) for message in corrected))
    assert unreached(context, "c") == {second.batch_id: {message.smsid for message in corrected}}
    late = ("送信済", "ドコモ一部受信", "送信中", "配信停止希望", "失敗")
    observe(context, *(result(*pair, at) for pair in zip(sent(context, first.batch_id), late, strict=True)))
    assert unreached(context, "c") == {second.batch_id: {corrected[-1].smsid}}


def test_of_the_refused_only_rows_refused_one_by_one(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    send(context, batch)
    one, other, third = sent(context, batch.batch_id)
    refuse(context, one.smsid)
    refuse(context, other.smsid, "request:596")
    refuse(context, third.smsid, "person:aoki")
    assert unreached(context, "c") == {batch.batch_id: {one.smsid}}


def test_a_whole_refusal_an_unknown_and_a_cancelled_one_are_not_failed(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(2))
    house.gateway.knobs = Knobs(refuse_code="596", faults=1)
    with pytest.raises(GatewayRefused):
        send(context, batch)
    cancel_messages(context.ledger, house.smsids(context, batch.batch_id)[:1], context.now(), actor="me")
    other = house.batch(context, house.recipients(2, "other.csv", 50))
    house.gateway.knobs = Knobs(html_200=True, faults=1, results_delay=3600)
    with pytest.raises(OutcomeUnknown):
        send(context, other)
    assert unreached(context, "c") == {}


def test_a_refused_row_that_a_corrected_list_replaced_is_not_taken_twice(house: House, context: Context) -> None:
    """The later row stands: where it went out, nobody is left; where it was refused too, it is the one."""
    first = house.batch(context, house.recipients(3, text="一"))
    send(context, first)
    one, other, third = sent(context, first.batch_id)
    for message in (one, other, third):
        refuse(context, message.smsid)
    house.clock.advance(timedelta(minutes=1))
    second = house.batch(context, house.recipients(2, "corrected.csv", text="二"))
    send(context, second)
    served, again = sent(context, second.batch_id)
    refuse(context, again.smsid)
    assert (served.msisdn, again.msisdn) == (one.msisdn, other.msisdn)
    assert unreached(context, "c") == {first.batch_id: {third.smsid}, second.batch_id: {again.smsid}}


def test_a_result_of_a_refused_row_does_not_bring_it_back_where_it_was_replaced(house: House, context: Context) -> None:
    """A corrected row that went out stands, whatever becomes known of the one that it replaced."""
    first = house.batch(context, house.recipients(2, text="一"))
    send(context, first)
    one, other = sent(context, first.batch_id)
    for message in (one, other):
        refuse(context, message.smsid)
    house.clock.advance(timedelta(minutes=1))
    second = house.batch(context, house.recipients(1, "corrected.csv", text="二"))
    send(context, second)
    (served,) = sent(context, second.batch_id)
    at = context.now() + timedelta(minutes=5)
    observe(context, result(served, "送信済", at), result(one, "無効", at), result(other, "無効", at))
    assert served.msisdn == one.msisdn
    assert unreached(context, "c") == {first.batch_id: {other.smsid}}


def test_who_does_not_want_to_be_written_to_stays_so_whatever_comes_later(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(2))
    send(context, batch)
    one, other = sent(context, batch.batch_id)
    at = context.now()
    observe(context, result(one, "配信停止 希望", at), result(other, "失敗", at))
    observe(context, result(one, "失敗", at + timedelta(minutes=5)))
    assert unreached(context, "c") == {batch.batch_id: {other.smsid}}


@pytest.mark.parametrize("why", ["nobody listens", "no section", "no password", "locked"])
def test_whose_message_was_to_be_cancelled_stays_so_where_the_gateway_was_not_asked(
    house: House, context: Context, why: str
) -> None:
    house.gateway.knobs = Knobs(results_delay=3600)
    batch = house.batch(context, house.recipients(50))
    send(context, batch)
    if why == "no section":
        shipped = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
        own = re.sub(r"(?ms)^\[cancel\].*?(?=^\[[a-z])", "", shipped)
        (house.folder / "own.toml").write_text(own, encoding="utf-8")
        house.environment["MEDIASMS_GATEWAY_PROFILE"] = "own.toml"
    elif why == "nobody listens":
        house.environment["MEDIASMS_GATEWAY_BASE_URL"] = "http://127.0.0.1:1"
    elif why == "no password":
        house.environment["MEDIASMS_GATEWAY_PASSWORD"] = ""
    else:
        for _ in range(3):
            note_auth(context.ledger, house.gateway.url, context.now(), failed=True)
    deaf = house.open()
    done = cancel(deaf, look_up(deaf, [batch.batch_id]), actor="hanako")
    assert done.problem is not None
    assert set(done.counts) == {CancelOutcome.UNSENT}
    observe(context, *(result(one, "失敗", context.now()) for one in sent(context, batch.batch_id)))
    assert unreached(context, "c") == {}


def test_who_failed_before_is_not_written_to_where_the_message_itself_was_to_be_cancelled(
    house: House, context: Context
) -> None:
    batch = house.batch(context, house.recipients(3))
    send(context, batch)
    one, other, third = sent(context, batch.batch_id)
    observe(context, *(result(each, "失敗", context.now()) for each in (one, other, third)))
    cancel(context, look_up(context, [one.smsid]), actor="hanako")
    assert unreached(context, "c") == {batch.batch_id: {other.smsid, third.smsid}}
    cancel(context, look_up(context, [batch.batch_id]), actor="hanako")
    assert unreached(context, "c") == {batch.batch_id: {other.smsid, third.smsid}}


def test_who_was_refused_and_whose_corrected_row_a_person_cancelled_is_not_written_to(
    house: House, context: Context
) -> None:
    first = house.batch(context, house.recipients(2, text="一"))
    send(context, first)
    one, other = sent(context, first.batch_id)
    for message in (one, other):
        refuse(context, message.smsid)
    second = house.batch(context, house.recipients(1, "corrected.csv", text="二"))
    plan(context, second)
    cancel(context, look_up(context, [second.batch_id]), actor="hanako")
    assert unreached(context, "c") == {first.batch_id: {other.smsid}}


def failing(house: House, context: Context, campaign: str, text: str, origin: str | None = None) -> Batch:
    """Send a list of four people, made from another campaign, to none of whom it arrives."""
    batch = house.batch(context, house.recipients(4, f"{campaign}.csv", text=text), campaign, origin=origin)
    send(context, batch)
    observe(context, *(result(message, "失敗", context.now()) for message in sent(context, batch.batch_id)))
    return batch


@pytest.mark.parametrize("made", ["b", "c"])
def test_whom_somebody_wanted_cancelled_in_a_campaign_for_the_same_people_is_not_written_to(
    house: House, context: Context, made: str
) -> None:
    """One before it left and one afterwards, in a campaign made from it, or from one that was made from it."""
    origin = failing(house, context, "a", "一")
    if made == "c":
        failing(house, context, "b", "二", origin="a")
    batch = house.batch(context, house.recipients(3, "again.csv", text="三"), made, origin=chr(ord(made) - 1))
    plan(context, batch)
    first, second, third = house.smsids(context, batch.batch_id)
    assert cancel(context, look_up(context, [first]), actor="hanako").messages == 1
    send(context, get_batch(context.ledger, batch.batch_id))
    cancel(context, look_up(context, [second]), actor="hanako")
    observe(context, *(result(one, "失敗", context.now()) for one in sent(context, batch.batch_id) if one.sent_at))
    _, _, *free = house.smsids(context, origin.batch_id)
    assert unreached(context, "a") == {origin.batch_id: set(free)}
    assert unreached(context, made) == {batch.batch_id: {third}}
    # Nor is he from the campaign beside it.
    beside = failing(house, context, "beside", "四", origin="a")
    _, _, *free = house.smsids(context, beside.batch_id)
    assert unreached(context, "beside") == {beside.batch_id: set(free)}


@pytest.mark.parametrize("why", ["other people's", "only checked"])
def test_a_wish_about_something_else_counts_for_itself(house: House, context: Context, why: str) -> None:
    batch = failing(house, context, "a", "一")
    other = house.batch(
        context, house.recipients(4, "o.csv", text="二"), "o", origin="a" if why == "only checked" else None
    )
    plan(context, other)
    cancel(context, look_up(context, [other.batch_id]), actor="hanako")
    if why == "only checked":
        with context.ledger.writing() as connection:
            connection.execute(sql("UPDATE batch SET number_check = 'only' WHERE campaign = 'o'"))
    assert unreached(context, "a") == {batch.batch_id: set(house.smsids(context, batch.batch_id))}


def test_another_campaign_is_not_asked(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(1))
    send(context, batch)
    observe(context, result(sent(context, batch.batch_id)[0], "失敗", context.now()))
    other = house.batch(context, house.recipients(1, "o.csv", 9), "other")
    assert unreached(context, "other") == {}
    assert unreached_of(context, {"other", "c"}) == {message.smsid for message in sent(context, batch.batch_id)}
    assert sent(context, other.batch_id) == []
    with pytest.raises(UsageError) as unknown:
        unreached(context, "C")
    assert unknown.value.code == "campaign.unknown"


def test_where_a_batch_comes_from_is_known_through_all_generations(house: House, context: Context) -> None:
    batches = {}
    for name, origin in (("a", None), ("b", "a"), ("c", "b"), ("d", None)):
        source = house.recipients(1, f"{name}.csv", text=name)
        batches[name] = validate(context, Request(source, name, origin=origin)).batch
    found = {name: origins(context.ledger, batch.batch_id) for name, batch in batches.items()}
    assert found == {"a": set(), "b": {"a"}, "c": {"a", "b"}, "d": set()}
    round_ = validate(context, Request(house.recipients(1, "again.csv", 5), "a", origin="c")).batch
    assert origins(context.ledger, round_.batch_id) == {"a", "b", "c"}


def test_what_was_made_from_a_campaign_is_known_through_all_generations(house: House, context: Context) -> None:
    for name, origin in (("a", None), ("b", "a"), ("c", "a"), ("d", "b"), ("e", None), ("f", "e"), ("a", "d")):
        validate(context, Request(house.recipients(1, "x.csv", text=f"{name}{origin}"), name, origin=origin))
    found = {name: made_from(context.ledger, {name}) for name in "abcdef"}
    round_ = {"a", "b", "c", "d"}
    assert found == {"a": round_, "b": round_, "c": set(), "d": round_, "e": {"f"}, "f": set()}
    assert made_from(context.ledger, {"c", "e"}) == {"f"}
    assert made_from(context.ledger, set()) == set()


def test_a_made_input_is_kept_with_its_batch(house: House, context: Context) -> None:
    source = house.recipients(2)
    done = validate(context, Request(source, "c", name="from-failed-a.csv", origin="a"))
    kept = done.batch.artefact("input.csv")
    assert context.workspace.checked(done.batch.batch_id, kept).read_bytes() == source.read_bytes()
    assert kept.sha256 == done.batch.content_sha256
    plain = house.batch(context, house.recipients(1, "x.csv", 9), "d")
    assert "input.csv" not in {file.name for file in plain.artefacts}


def test_who_opted_out_since_is_still_known_not_to_have_been_reached(house: House, context: Context) -> None:
    """That they are not written to again is decided where the list is made."""
    batch = house.batch(context, house.recipients(1))
    send(context, batch)
    (message,) = sent(context, batch.batch_id)
    observe(context, result(message, "失敗", context.now()))
    add_optouts(context.ledger, [message.msisdn], source="t", now=context.now())
    assert unreached(context, "c") == {batch.batch_id: {message.smsid}}
