"""Requests of one message each: what an answer proves, what stops the others, and what the ledger says of each."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import replace
from datetime import timedelta
from importlib import resources
from itertools import count
from pathlib import Path
from threading import Barrier, Event
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from pipeline.adapters import interruption
from pipeline.adapters.couriers import Carried, Couriers, couriers
from pipeline.adapters.gateway import Exchange, GatewayClient
from pipeline.adapters.pace import Pace
from pipeline.core.calendar import JST
from pipeline.errors import (
    Exit,
    GatewayRefused,
    GuardStopped,
    InputUnusable,
    Interrupted,
    OutcomeUnknown,
    TryLater,
    UsageError,
)
from pipeline.ledger.batches import get_batch
from pipeline.ledger.cancelling import stop_batch
from pipeline.ledger.dispatches import list_dispatches
from pipeline.ledger.evidence import batch_evidence
from pipeline.ledger.logins import auth_failures, note_auth
from pipeline.ledger.optouts import add_optouts
from pipeline.ledger.singles import begin_singles, end_singles
from pipeline.model import MessageState, Mode
from pipeline.operations.recover import recover
from pipeline.operations.resolve import resolve
from pipeline.simulator import Knobs
from pipeline.stages import answering, asking, singly
from pipeline.stages import pull as pulling
from pipeline.stages.judging import judged
from pipeline.stages.pull import pull, pull_single
from pipeline.stages.refusals import explained
from pipeline.stages.send import Sent, send
from tests.databases import BOTH
from tests.stages.conftest import SINGLE, SINGLE_RESULTS

if TYPE_CHECKING:
    from pipeline.context import Context
    from pipeline.model import Batch
    from schemas.single import Form
    from tests.stages.conftest import House

PLANNED, TAKEN, CANCELLED = MessageState.PLANNED, MessageState.TAKEN, MessageState.CANCELLED
UNKNOWN, REFUSED = MessageState.UNKNOWN, MessageState.REFUSED

TAKEN_BUT_UNCLEAR: list[dict[str, Any]] = [
    {"html_200": True},
    {"accept_then_reset": True},
    {"swallow": True},
    {"http_502_after_taking": True},
]
NOT_TAKEN_AND_UNCLEAR: list[dict[str, Any]] = [
    {"html_200_nothing": True},
    {"reset_after_bytes": 200},
    {"redirect_to": "/api/"},
    {"refuse_code": "550"},
    {"refuse_code": "402"},
    {"refuse_code": "999"},
]


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> str:
    """Sending is tried with the ledger in either database."""
    return str(request.param)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(answering, "_FIRST_PAUSE", 0.01)


def _name(knobs: dict[str, Any]) -> str:
    return "-".join(f"{name}-{value}" for name, value in knobs.items())


def _requests(house: House, path: str = SINGLE) -> int:
    return house.gateway.requests.get(path, 0)


def _singly(house: House, context: Context, source: Path) -> Sent:
    return send(context, house.batch(context, source), mode=Mode.SINGLE)


def _profile(house: House, *changes: tuple[str, str]) -> str:
    """Write a copy of the profile with some places changed, and return its name."""
    text = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
    for before, after in changes:
        assert text.count(before) == 1
        text = text.replace(before, after)
    (house.folder / "own.toml").write_text(text, encoding="utf-8")
    return "./own.toml"


def _parameters(house: House) -> list[dict[str, str]]:
    return [dict(message.parameters) for message in house.gateway.messages]


def test_every_accepted_row_goes_out_once_in_a_request_of_its_own(house: House, context: Context) -> None:
    source = house.recipients(23)
    seen: list[tuple[str, int, int]] = []
    context.progress = lambda stage, done, total: seen.append((stage, done, total))
    batch = house.batch(context, source)
    assert send(context, batch, mode=Mode.SINGLE) == Sent(23, 23, {TAKEN: 23}, mode=Mode.SINGLE)
    assert (_requests(house), house.uploads()) == (23, 0)
    assert sorted(house.copies()) == sorted(house.smsids(context, batch.batch_id))
    found = list_dispatches(context.ledger, batch.batch_id)
    assert {(one.messages, one.attempts, one.answer_code, one.is_unsettled) for one in found} == {(1, 1, "200", False)}
    folder = context.workspace.batch_folder(batch.batch_id)
    assert len(list(folder.glob("*.begun"))) == len(list(folder.glob("*.form"))) == 23
    assert ("send", 23, 23) in seen
    assert house.sent(house.open(), source) == Sent(0, 0, {TAKEN: 23}, mode=Mode.SINGLE)
    assert _requests(house) == 23


@pytest.mark.parametrize("form", ["form", "json"])
def test_a_request_says_what_was_accepted(house: House, form: str) -> None:
    profile = _profile(house, ('format = { value = "form"', f'format = {{ value = "{form}"'))
    context = house.open(create=True, GATEWAY_PROFILE=profile)
    rows = [
        ["tel", "本文", "info1", "url", "originalurlcode"],
        ["090-1111-2222", 'A&B=+%"{info1}"\n{URL}', "山田", "https://example.jp/?a=1&b=2", "@%+/'!#$^?:;.,"],
        ["81 80 1234 5678", "二", "", "", ""],
    ]
    batch = house.batch(context, house.write("l.csv", rows), mode=Mode.SINGLE)
    send(context, batch, mode=Mode.SINGLE)
    first, second = sorted(_parameters(house), key=lambda one: one["mobilenumber"])[::-1]
    smsids = house.smsids(context, batch.batch_id)
    assert first == {
        "status": "1",
        "mobilenumber": "09011112222",
        "smstext": 'A&B=+%"{info1}"\n{URL}',
        "info1": "山田",
        "originalurl": "https://example.jp/?a=1&b=2",
        "originalurlcode": "@%+/'!#$^?:;.,",
        "smsid": smsids[0],
    }
    assert second == {"status": "1", "mobilenumber": "08012345678", "smstext": "二", "smsid": smsids[1]}


@pytest.mark.parametrize(("planned", "today"), [("form", "json"), ("json", "form")])
def test_a_request_is_what_it_was_planned_as_whatever_the_profile_says_today(
    house: House, planned: str, today: str
) -> None:
    """Sent under another heading, it would be read as something else, or as nothing."""
    profile = _profile(house, ('format = { value = "form"', f'format = {{ value = "{planned}"'))
    nobody = house.open(create=True, GATEWAY_BASE_URL="http://127.0.0.1:9", GATEWAY_PROFILE=profile)
    batch = house.batch(nobody, house.recipients(3), mode=Mode.SINGLE)
    with pytest.raises(TryLater):
        send(nobody, batch, mode=Mode.SINGLE)
    _profile(house, ('format = { value = "form"', f'format = {{ value = "{today}"'))
    later = house.open(GATEWAY_PROFILE=profile)
    assert send(later, get_batch(later.ledger, batch.batch_id)).states == {TAKEN: 3}
    assert [message.text for message in house.gateway.messages] == ["お知らせです"] * 3


@pytest.mark.parametrize("fault", TAKEN_BUT_UNCLEAR, ids=_name)
def test_an_unclear_answer_is_settled_by_the_individual_result_and_sending_goes_on(
    house: House, fault: dict[str, Any]
) -> None:
    context = house.open(create=True, GATEWAY_READ_TIMEOUT="0.6")
    house.gateway.knobs = Knobs(**fault, faults=1)
    assert _singly(house, context, house.recipients(12)).states == {TAKEN: 12}
    assert (_requests(house), _requests(house, SINGLE_RESULTS)) == (12, 1)


def test_two_unclear_answers_in_a_row_end_it_also_where_results_settle_them(house: House, context: Context) -> None:
    source = house.recipients(12)
    house.gateway.knobs = Knobs(html_200=True, faults=99)
    with pytest.raises(OutcomeUnknown) as stopped:
        _singly(house, context, source)
    assert stopped.value.code == "send.unclear_twice"
    assert house.states(context, house.batch(context, source).batch_id) == {TAKEN: 2, PLANNED: 10}
    house.gateway.knobs = Knobs()
    assert house.sent(context, source).states == {TAKEN: 12}


@pytest.mark.parametrize("fault", NOT_TAKEN_AND_UNCLEAR, ids=_name)
def test_what_no_result_names_stays_unknown_until_a_person_frees_it(
    house: House, context: Context, fault: dict[str, Any]
) -> None:
    source = house.recipients(9)
    house.gateway.knobs = Knobs(**fault, faults=1)
    with pytest.raises(OutcomeUnknown) as stopped:
        _singly(house, context, source)
    batch = house.batch(context, source)
    assert house.states(context, batch.batch_id) == {UNKNOWN: 1, PLANNED: 8}
    assert house.copies() == {}
    house.clock.advance(timedelta(hours=20))
    heard = pull(context, batch.batch_id).single
    assert (heard.asked, heard.named, heard.absent) == (1, 0, 1)
    with pytest.raises(OutcomeUnknown):
        house.sent(house.open(), source)
    assert _requests(house) == 1
    assert resolve(context, str(stopped.value.facts["dispatch"]), REFUSED, actor="me", because="nothing there") == 1
    assert house.sent(context, source).states == {TAKEN: 9}


def test_a_smsid_that_is_known_after_an_earlier_attempt_was_taken_then(house: House, context: Context) -> None:
    source = house.recipients(3)
    house.gateway.knobs = Knobs(html_200=True, faults=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(singly, "ask_unknown", lambda *_: None)
        with pytest.raises(OutcomeUnknown) as stopped:
            _singly(house, context, source)
    resolve(context, str(stopped.value.facts["dispatch"]), REFUSED, actor="me", because="so I thought")
    house.gateway.knobs = Knobs(dedupe_smsid=True)
    assert house.sent(context, source).states == {TAKEN: 3}
    codes = {one.answer_code for one in list_dispatches(context.ledger, house.batch(context, source).batch_id)}
    assert codes == {None, "200", "587"}


@pytest.mark.parametrize(
    ("given", "knobs"),
    [
        (["order1001"], {"dedupe_smsid": True}),
        (["order1001"], {"html_200_nothing": True, "faults": 1}),
        ([], {"dedupe_smsid": True}),
    ],
    ids=["the-id-of-a-user-587", "the-id-of-a-user-a-page", "an-id-of-ours-587"],
)
def test_the_result_of_another_message_with_the_same_smsid_proves_nothing(
    house: House, context: Context, given: list[str], knobs: dict[str, Any]
) -> None:
    """Asked by smsid, the gateway tells about whoever has it: here a person whom another system has written to."""
    rows = [["tel", "本文", *("smsid" for _ in given)], [house.number(1), "x", *given]]
    batch = house.batch(context, house.write("l.csv", rows), mode=Mode.SINGLE)
    smsid = next(iter(given), f"{context.ledger.prefix}{batch.batch_id}0000002")
    parameters = {"mobilenumber": "09099990000", "smstext": "other", "smsid": smsid, "status": "1"}
    assert context.gateway.single(urlencode(parameters).encode(), "form").body.strip() == b"200"
    house.gateway.knobs = Knobs(**knobs, fate="at_once")
    house.clock.advance(timedelta(hours=1))
    with pytest.raises(OutcomeUnknown) as stopped:
        send(context, batch, mode=Mode.SINGLE)
    house.clock.advance(timedelta(hours=1))
    assert pull_single(context, batch.batch_id).single.asked == 0
    assert house.states(context, batch.batch_id) == {UNKNOWN: 1}
    # Nor does it when a person has given it up, and is told the same again: the smsid was there before our first offer.
    resolve(context, str(stopped.value.facts["dispatch"]), REFUSED, actor="me", because="it is another one's")
    assert pull_single(context, batch.batch_id).single.asked == 0
    house.gateway.knobs = Knobs(dedupe_smsid=True)
    with pytest.raises(OutcomeUnknown):
        send(context, get_batch(context.ledger, batch.batch_id))
    assert house.states(context, batch.batch_id) == {UNKNOWN: 1}
    assert [message.msisdn for message in house.gateway.messages] == ["09099990000"]


def test_an_id_of_the_user_is_settled_by_a_row_of_results_with_the_same_number(house: House, context: Context) -> None:
    rows = [["tel", "本文", "smsid"], [house.number(1), "x", "order1001"], [house.number(2), "x", "order1002"]]
    batch = house.batch(context, house.write("l.csv", rows), mode=Mode.SINGLE)
    house.gateway.knobs = Knobs(html_200=True, faults=1)
    with pytest.raises(OutcomeUnknown):
        send(context, batch, mode=Mode.SINGLE)
    assert _requests(house, SINGLE_RESULTS) == 0
    house.clock.advance(timedelta(hours=1))
    assert pull(context, batch.batch_id).settled == {UNKNOWN: 1}
    assert send(context, get_batch(context.ledger, batch.batch_id)).states == {TAKEN: 2}


def test_what_is_asked_for_by_smsid_is_recorded_without_a_number(house: House, context: Context) -> None:
    """Our own number there would look like the gateway's word that it is the same person."""
    batch = house.batch(context, house.recipients(2))
    send(context, batch, mode=Mode.SINGLE)
    assert pull_single(context).new == 2
    now = house.clock.now()
    evidence = batch_evidence(context.ledger, batch, now, now)
    assert evidence.observations["msisdn"].to_pylist() == ["", ""]
    assert judged(context, evidence).breaks == ()


def test_a_busy_gateway_is_asked_again_after_a_pause(house: House, context: Context) -> None:
    source = house.recipients(7)
    house.gateway.knobs = Knobs(http_503_before_reading=True, faults=3)
    assert _singly(house, context, source) == Sent(7, 7, {TAKEN: 7}, mode=Mode.SINGLE)
    assert _requests(house) == 10


def test_a_gateway_that_stays_busy_is_for_later(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "_BUSY_SECONDS", 0.05)
    source = house.recipients(7)
    house.gateway.knobs = Knobs(http_503_before_reading=True, faults=99)
    with pytest.raises(TryLater) as stopped:
        _singly(house, context, source)
    assert stopped.value.code == "gateway.busy"
    assert house.states(context, house.batch(context, source).batch_id) == {PLANNED: 7}
    house.gateway.knobs = Knobs()
    assert house.sent(context, source).states == {TAKEN: 7}


def test_the_first_request_goes_alone_and_the_others_together(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, together, answered = count(), Barrier(4, timeout=20), Event()

    def single(_: GatewayClient, body: bytes, _form: Form) -> Exchange:
        number = next(began)
        if number == 0:
            time.sleep(0.3)  # so long another one could begin
            answered.set()
        assert answered.is_set(), "another one began before the answer to the first"
        if 1 <= number <= 4:
            together.wait()
        return Exchange(len(body), 200, b"200", "")

    monkeypatch.setattr(GatewayClient, "single", single)
    assert _singly(house, context, house.recipients(13)).states == {TAKEN: 13}


def test_wrong_credentials_stop_after_the_first_request(house: House, context: Context) -> None:
    source = house.recipients(9)
    wrong = house.open(GATEWAY_PASSWORD="wrong-one")  # noqa: S106 - a wrong one
    for failures in (1, 2, 3):
        with pytest.raises(GatewayRefused):
            _singly(house, wrong, source)
        assert _requests(house) == failures
        assert auth_failures(context.ledger, house.gateway.url) == failures
    with pytest.raises(GuardStopped):
        _singly(house, wrong, source)
    assert _requests(house) == 3


@pytest.mark.parametrize("connections", ["4", "64"])
def test_a_password_that_is_changed_meanwhile_never_blocks_the_address(
    house: House, monkeypatch: pytest.MonkeyPatch, connections: str
) -> None:
    """All that is on its way is refused, and nothing more sets out."""
    context = house.open(create=True, SEND_CONNECTIONS=connections, SEND_MAX_ROWS="500")
    context.pace = Pace(lambda: 0.0)
    at_once = int(connections) if int(connections) < 10 else 9
    together, began = Barrier(at_once, timeout=20), count()

    def refused(_: GatewayClient, body: bytes, _form: Form) -> Exchange:
        if not next(began):
            return Exchange(len(body), 200, b"200", "")
        together.wait()
        return Exchange(len(body), 401, b"401", "")

    monkeypatch.setattr(GatewayClient, "single", refused)
    batch = house.batch(context, house.recipients(100))
    with pytest.raises(GatewayRefused):
        send(context, batch, mode=Mode.SINGLE)
    assert auth_failures(context.ledger, house.gateway.url) == at_once
    assert next(began) == 1 + at_once


def test_logins_of_others_that_are_refused_between_our_answers_do_not_stop_us(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = house.open(create=True, SEND_CONNECTIONS="1")
    other, ends = house.open(), count()

    def end(*given: Any) -> int:  # noqa: ANN401 - those of end_singles
        taken = end_singles(*given)
        if next(ends) in {2, 4, 6}:
            note_auth(other.ledger, house.gateway.url, other.now(), failed=True)
        return taken

    monkeypatch.setattr(singly, "end_singles", end)
    monkeypatch.setattr(singly, "_GROUP", 2)
    assert _singly(house, context, house.recipients(20)).states == {TAKEN: 20}
    assert next(ends) > 7


def test_a_row_that_is_refused_does_not_stop_the_others_and_is_not_tried_again(house: House, context: Context) -> None:
    source = house.recipients(9)
    house.gateway.knobs = Knobs(refuse_code="560", faults=1)
    refused = (explained(context, house.batch(context, source).batch_id, "560", 1),)
    assert _singly(house, context, source) == Sent(9, 8, {TAKEN: 8, REFUSED: 1}, mode=Mode.SINGLE, refusals=refused)
    house.gateway.knobs = Knobs()
    assert house.sent(context, source) == Sent(0, 0, {TAKEN: 8, REFUSED: 1}, mode=Mode.SINGLE, refusals=refused)


def test_a_refusal_of_everything_is_told(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(refuse_code="585", faults=99)
    with pytest.raises(GatewayRefused):
        _singly(house, context, house.recipients(5))


def test_a_refusal_that_is_about_the_account_stops_and_a_later_run_sends_everything(
    house: House, context: Context
) -> None:
    source = house.recipients(9)
    house.gateway.knobs = Knobs(refuse_code="596", faults=1)
    with pytest.raises(GatewayRefused):
        _singly(house, context, source)
    assert house.states(context, house.batch(context, source).batch_id) == {REFUSED: 1, PLANNED: 8}
    assert house.sent(context, source).states == {TAKEN: 9}


def test_nobody_listening_leaves_everything_planned(house: House, context: Context) -> None:
    source = house.recipients(9)
    nobody = house.open(GATEWAY_BASE_URL="http://127.0.0.1:9")
    with pytest.raises(TryLater):
        _singly(house, nobody, source)
    assert house.states(context, house.batch(context, source).batch_id) == {PLANNED: 9}
    assert house.sent(context, source).states == {TAKEN: 9}


def test_who_opts_out_while_others_are_sent_gets_nothing(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = begin_singles
    source = house.recipients(20)

    def opting_out(*arguments: Any) -> dict[str, int]:  # noqa: ANN401 - those of begin_singles
        add_optouts(house.open().ledger, [house.number(19)], "test", context.now())
        return begin(*arguments)

    monkeypatch.setattr(singly, "begin_singles", opting_out)
    sent = _singly(house, context, source)
    assert (sent.states, sent.opted_out) == ({TAKEN: 19, CANCELLED: 1}, 1)
    assert house.number(19) not in {one["mobilenumber"] for one in _parameters(house)}


def test_a_batch_that_is_stopped_while_it_is_sent_stops_at_the_next_group(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = end_singles
    source = house.recipients(30)
    batch = house.batch(context, source)

    def stopping(*arguments: Any) -> int:  # noqa: ANN401 - those of end_singles
        stop_batch(house.open().ledger, batch.batch_id, context.now(), actor="me")
        return end(*arguments)

    monkeypatch.setattr(singly, "end_singles", stopping)
    with pytest.raises(GuardStopped) as stopped:
        send(context, batch, mode=Mode.SINGLE)
    assert stopped.value.code == "send.cancelled"
    assert house.states(context, batch.batch_id) == {TAKEN: 1, CANCELLED: 29}


@pytest.mark.parametrize("fault", ["busy", "damaged"])
def test_an_answer_that_cannot_be_recorded_is_an_unknown_outcome(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    source = house.recipients(7)

    def refuse(*_arguments: object) -> None:
        if fault == "busy":
            raise TryLater("ledger.busy", problem="disk is full")
        raise GuardStopped("ledger.damaged", problem="malformed")

    with monkeypatch.context() as patched:
        patched.setattr(singly, "end_singles", refuse)
        with pytest.raises(OutcomeUnknown) as stopped:
            _singly(house, context, source)
    assert stopped.value.code == "send.unrecorded"
    assert _requests(house) == 1
    # The next process finds it in flight, asks for its result, and goes on.
    assert house.sent(house.open(), source).states == {TAKEN: 7}


def test_without_room_for_a_marker_nothing_leaves(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = house.recipients(7)

    def no_room(*_arguments: object) -> None:
        raise TryLater("files.not_writable", folder="f", problem="No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(type(context.workspace), "mark_group_begun", no_room)
        with pytest.raises(TryLater):
            _singly(house, context, source)
    assert _requests(house) == 0
    assert house.states(context, house.batch(context, source).batch_id) == {PLANNED: 7}
    assert house.sent(context, source).states == {TAKEN: 7}


def test_a_disk_that_fails_at_a_marker_leaves_everything_planned(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = house.recipients(7)
    plain = os.fsync

    def broken(handle: int) -> None:
        if ".begun" in Path(f"/proc/self/fd/{handle}").readlink().name:
            raise OSError(errno.EIO, "Input/output error")
        plain(handle)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        with pytest.raises(OSError, match="Input/output error"):
            _singly(house, context, source)
    assert _requests(house) == 0
    assert house.states(context, house.batch(context, source).batch_id) == {PLANNED: 7}


@pytest.mark.parametrize("times", [1, 99])
def test_what_was_brought_is_kept_until_the_ledger_can_be_asked_about_it(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """The answer 587 is judged by what the ledger knows of earlier attempts."""
    house.gateway.knobs = Knobs(refuse_code="587", faults=1)
    asked: list[str] = []

    def gone(*_: object) -> None:
        asked.append("")
        if len(asked) <= times:
            raise TryLater("ledger.busy", problem="server closed the connection")

    monkeypatch.setattr(singly, "offered_before", gone)
    source = house.recipients(7)
    with pytest.raises(OutcomeUnknown):
        _singly(house, context, source)
    state = UNKNOWN if times == 1 else MessageState.IN_FLIGHT
    assert house.states(context, house.batch(context, source).batch_id) == {state: 1, PLANNED: 6}


@pytest.mark.parametrize("other", ["refused", "unreachable"])
def test_what_stops_one_request_does_not_hide_that_another_is_unclear(
    house: House, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """Two requests are on their way together, and the run ends with the more severe outcome of the two."""
    context = house.open(create=True, SEND_CONNECTIONS="2")
    plain = GatewayClient.single
    together, began = Barrier(2, timeout=20), count()

    def answer(client: GatewayClient, body: bytes, form: Form) -> Exchange:
        number = next(began)
        if not number:
            return plain(client, body, form)
        if number <= 2:
            together.wait()
        if number == 1:
            return Exchange(len(body), 200, b"<html>oops</html>", "")
        return Exchange(len(body), 401, b"401", "") if other == "refused" else Exchange(0, None, b"", "refused")

    monkeypatch.setattr(GatewayClient, "single", answer)
    monkeypatch.setattr(singly, "_GROUP", 2)
    batch = house.batch(context, house.recipients(6))
    with pytest.raises(OutcomeUnknown):
        send(context, batch, mode=Mode.SINGLE)
    assert house.states(context, batch.batch_id)[UNKNOWN] == 1
    # A login that was refused is not tried once more only to ask.
    assert _requests(house, SINGLE_RESULTS) == 0


def test_whatever_goes_wrong_in_a_courier_is_raised_after_all_is_recorded(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = house.recipients(20)
    plain = GatewayClient.single
    sent: list[bytes] = []

    def broken(client: GatewayClient, body: bytes, form: Form) -> Exchange:
        sent.append(body)
        if len(sent) == 5:
            raise ZeroDivisionError
        return plain(client, body, form)

    with monkeypatch.context() as patched:
        patched.setattr(GatewayClient, "single", broken)
        with pytest.raises(ZeroDivisionError):
            _singly(house, context, source)
    states = house.states(context, house.batch(context, source).batch_id)
    assert states[UNKNOWN] == 1
    assert states.keys() == {UNKNOWN, TAKEN, PLANNED}
    assert states[TAKEN] == len(house.copies())


def test_no_turn_leaves_everything_planned(house: House, context: Context) -> None:
    context.pace = Pace(lambda: None)
    source = house.recipients(5)
    with pytest.raises(TryLater) as stopped:
        _singly(house, context, source)
    assert stopped.value.code == "pace.crowded"
    assert house.states(context, house.batch(context, source).batch_id) == {PLANNED: 5}


def test_a_payload_that_changed_is_not_sent(house: House, context: Context) -> None:
    source = house.recipients(1)
    house.gateway.knobs = Knobs(refuse_code="596", faults=1)
    with pytest.raises(GatewayRefused):
        _singly(house, context, source)
    house.gateway.knobs = Knobs(http_503_before_reading=True, faults=99)
    batch = house.batch(context, source)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(answering, "_BUSY_SECONDS", 0)
        with pytest.raises(TryLater):
            house.sent(context, source)
    house.gateway.knobs = Knobs()
    (context.workspace.batch_folder(batch.batch_id) / "dispatch-0002.form").write_bytes(b"mobilenumber=1")
    with pytest.raises(GuardStopped) as stopped:
        house.sent(context, source)
    assert stopped.value.code == "artefact.changed"


def test_the_mode_is_fixed_when_a_batch_is_planned(house: House, context: Context) -> None:
    source = house.recipients(3)
    house.sent(context, source)
    with pytest.raises(GuardStopped) as stopped:
        _singly(house, context, source)
    assert stopped.value.code == "send.mode_fixed"
    assert (_requests(house), house.uploads()) == (0, 1)


@pytest.mark.parametrize(("rows", "requests"), [(4, 4), (5, 0)])
def test_small_lists_go_out_one_by_one_where_that_is_set(house: House, rows: int, requests: int) -> None:
    context = house.open(create=True, SEND_SINGLE_BELOW="5")
    assert house.sent(context, house.recipients(rows)).states == {TAKEN: rows}
    assert _requests(house) == requests
    assert house.uploads() == (0 if requests else 1)


def test_codes_of_links_need_requests_of_their_own(house: House, context: Context) -> None:
    rows = [["tel", "本文", "url", "originalurlcode"], ["090-1111-2222", "{URL}", "https://example.jp/", "abc"]]
    source = house.write("l.csv", rows)
    with pytest.raises(UsageError) as heading:
        house.batch(context, source)
    batch = house.batch(context, source, mode=Mode.SINGLE)
    with pytest.raises(UsageError) as plan:
        send(context, batch, mode=Mode.CSV)
    assert heading.value.code == plan.value.code == "profile.no_column"
    assert send(context, batch, mode=Mode.SINGLE).states == {TAKEN: 1}


def test_what_the_profile_has_not_confirmed_stops_the_list(house: House, context: Context) -> None:
    for name, value in (("senddatetime", "203001011200"), ("sendingattempts", "3")):
        source = house.write("l.csv", [["tel", "本文", name], ["090-1111-2222", "x", value]])
        with pytest.raises(UsageError) as stopped:
            house.batch(context, source, mode=Mode.SINGLE)
        assert (stopped.value.code, stopped.value.facts) == ("single.not_confirmed", {"key": name, "row": 2})


def _confirmed(house: House, name: str) -> Context:
    text = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
    before, _, after = text.partition(f'name = "{name}"')
    after = after.replace("confirmed = false", "confirmed = true", 1)
    (house.folder / "own.toml").write_text(f'{before}name = "{name}"{after}', encoding="utf-8")
    return house.open(create=True, GATEWAY_PROFILE="./own.toml")


def test_a_confirmed_time_is_sent_as_its_minute_and_not_after_it_has_passed(house: House) -> None:
    context = _confirmed(house, "senddatetime")
    due = house.clock.now().astimezone(JST) + timedelta(hours=2)
    rows = [["tel", "本文", "senddatetime"], *([house.number(row), "x", f"{due:%Y%m%d%H%M}"] for row in range(3))]
    batch = house.batch(context, house.write("l.csv", rows), mode=Mode.SINGLE)
    house.gateway.knobs = Knobs(refuse_code="596", faults=1)
    with pytest.raises(GatewayRefused):
        send(context, batch, mode=Mode.SINGLE)
    house.clock.advance(timedelta(hours=3))
    with pytest.raises(GuardStopped) as stopped:
        send(context, house.batch(context, house.folder / "l.csv", mode=Mode.SINGLE))
    assert stopped.value.code == "guard.scheduled_passed"
    other = house.write("m.csv", [rows[0], [house.number(7), "x", f"{due + timedelta(days=1):%Y%m%d%H%M}"]])
    send(context, house.batch(context, other, mode=Mode.SINGLE), mode=Mode.SINGLE)
    assert _parameters(house)[0]["senddatetime"] == f"{due + timedelta(days=1):%Y%m%d%H%M}"


def test_a_value_outside_its_limits_is_refused_before_anything_is_planned(house: House) -> None:
    context = _confirmed(house, "sendingattempts")
    source = house.write("l.csv", [["tel", "本文", "sendingattempts"], ["090-1111-2222", "x", "6"]])
    batch = house.batch(context, source, mode=Mode.SINGLE)
    with pytest.raises(InputUnusable) as stopped:
        send(context, batch, mode=Mode.SINGLE)
    facts = {"row": 2, "name": "sendingattempts", "section": "SMS 送信 API(個別方式)"}
    assert (stopped.value.code, stopped.value.facts) == ("single.parameter", facts)
    assert list_dispatches(context.ledger, batch.batch_id) == []
    assert _requests(house) == 0


@pytest.mark.parametrize("database", ["sqlite"])
def test_a_ledger_that_went_back_in_time_is_told_what_had_begun(house: House, context: Context) -> None:
    source = house.recipients(9)
    batch = house.batch(context, source)
    file = house.folder / "workspace/ledger.sqlite3"
    context.close()
    before = file.read_bytes()
    context = house.open()
    house.gateway.knobs = Knobs(html_200_nothing=True, faults=1)
    with pytest.raises(OutcomeUnknown):
        send(context, batch, mode=Mode.SINGLE)
    context.close()
    for beside in file.parent.glob("ledger.sqlite3-*"):
        beside.unlink()
    file.write_bytes(before)
    context = house.open()
    with pytest.raises(GuardStopped) as stopped:
        house.sent(context, source)
    assert stopped.value.code == "ledger.went_back"
    assert recover(context).messages == 1
    assert house.states(context, batch.batch_id) == {UNKNOWN: 1, PLANNED: 8}
    with pytest.raises(OutcomeUnknown):
        house.sent(context, source)
    assert _requests(house) == 1


def test_stragglers_are_asked_for_after_the_pull_and_single_asks_for_nothing_else(
    house: House, context: Context
) -> None:
    house.gateway.knobs = Knobs(fate="at_once", results_cap=3)
    batch = house.batch(context, house.recipients(8))
    send(context, batch, mode=Mode.SINGLE)
    house.clock.advance(timedelta(hours=5))
    pulled = pull(context, batch.batch_id)
    assert (pulled.rows, house.pulls()) == (3, 1)
    heard = pulled.single
    assert (heard.asked, heard.absent) == (heard.named, 0)
    assert heard.asked >= 5
    again = pull_single(context, batch.batch_id)
    assert (again.single.asked, again.new, house.pulls()) == (0, 0, 1)


def test_what_is_unknown_is_asked_for_first_of_whichever_batch(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "MOST", 3)
    house.gateway.knobs = nothing_final = Knobs(results_delay=10**6, hold_seconds=10**6)
    send(context, house.batch(context, house.recipients(5, "a.csv"), "a"), mode=Mode.SINGLE)
    house.clock.advance(timedelta(minutes=5))
    house.gateway.knobs = replace(nothing_final, html_200=True, faults=1)
    later = house.batch(context, house.recipients(1, "b.csv", first=50), "b")
    with monkeypatch.context() as patched:
        patched.setattr(singly, "ask_unknown", lambda *_: None)
        with pytest.raises(OutcomeUnknown):
            send(context, later, mode=Mode.SINGLE)
    house.clock.advance(timedelta(minutes=5))
    assert pull(context).single.asked == 3
    assert house.states(context, later.batch_id) == {TAKEN: 1}


def test_a_row_that_is_refused_after_others_were_taken_in_an_earlier_run_is_not_everything(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = house.recipients(4)
    plain, began = GatewayClient.single, count()

    def busy(client: GatewayClient, body: bytes, form: Form) -> Exchange:
        return plain(client, body, form) if next(began) < 3 else Exchange(len(body), 503, b"503", "")

    with monkeypatch.context() as patched:
        patched.setattr(answering, "_BUSY_SECONDS", 0)
        patched.setattr(GatewayClient, "single", busy)
        with pytest.raises(TryLater):
            _singly(house, context, source)
    house.gateway.knobs = Knobs(refuse_code="560", faults=1)
    sent = house.sent(context, source)
    assert (sent.states, sent.refused) == ({TAKEN: 3, REFUSED: 1}, 1)


def test_asking_is_safe_to_repeat_and_only_names_settle(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(4))
    send(context, batch, mode=Mode.SINGLE)
    first, second = (pull_single(context) for _ in range(2))
    assert (first.single.asked, first.new) == (4, 4)
    assert (second.single.asked, second.new) == (4, 0)
    assert set(house.states(context, batch.batch_id)) == {TAKEN}


def test_rows_of_an_upload_are_not_asked_for_one_by_one(house: House, context: Context) -> None:
    house.sent(context, house.recipients(4))
    assert pull_single(context).single.asked == 0


@pytest.mark.parametrize("status", [401, 503, 502])
def test_results_that_cannot_be_had_are_for_later_and_what_was_heard_is_kept(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(answering, "_BUSY_SECONDS", 0.02)
    monkeypatch.setattr(answering, "_FIRST_PAUSE", 0.005)
    batch: Batch = house.batch(context, house.recipients(6))
    send(context, batch, mode=Mode.SINGLE)
    plain = GatewayClient.single_result
    asked: list[str] = []

    def failing(client: GatewayClient, smsid: str) -> Exchange:
        asked.append(smsid)
        return plain(client, smsid) if len(asked) <= 2 else Exchange(0, status, str(status).encode(), "")

    monkeypatch.setattr(GatewayClient, "single_result", failing)
    with pytest.raises(GatewayRefused if status == 401 else TryLater):
        pull_single(context, batch.batch_id)
    # Only a busy gateway is asked about the third one again: by the pauses that every request to it takes.
    assert (asked.count(asked[-1]) > 1) is (status == 503)
    monkeypatch.undo()
    assert pull_single(context, batch.batch_id).new == 4


class _Line:
    def single(self, body: bytes, form: Form) -> Exchange:  # noqa: ARG002 - as the protocol has it
        return Exchange(len(body), 200, b"200", "")

    def close(self) -> None:
        pass


def test_couriers_can_be_called_back_until_they_set_out() -> None:
    with couriers(2, _Line, lambda: None, lambda _: False) as out:
        out.call_back()
        out.hand_over("a", b"x", "form")
        (found,) = out.brought(5)
        assert (found.key, found.exchange.bytes_read, found.failure) == ("a", 0, None)
        assert not out.has_set_out("a")
        out.go_on()
        out.hand_over("a", b"x", "form")
        (found,) = out.brought(5)
        assert found.exchange.http_status == 200
        # Not even one that is back may be taken for one that never left.
        assert out.has_set_out("a")


def test_an_answer_that_comes_as_the_grace_ends_is_unknown_and_never_planned(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst moment: the answer is there, but nobody has looked at it when the rest is recorded."""
    source = house.recipients(5)
    monkeypatch.setattr(interruption, "_state", interruption._State())
    monkeypatch.setattr(singly, "GRACE_SECONDS", 0)

    def late(_: Couriers, seconds: float) -> list[Carried]:
        interruption._state.received = Exit.TERMINATED
        while not house.gateway.messages:
            time.sleep(seconds)
        return []

    with monkeypatch.context() as patched:
        patched.setattr(Couriers, "brought", late)
        with pytest.raises(Interrupted):
            _singly(house, context, source)
    monkeypatch.setattr(interruption, "_state", interruption._State())
    assert house.states(context, house.batch(context, source).batch_id) == {UNKNOWN: 1, PLANNED: 4}
    assert house.sent(house.open(), source).states == {TAKEN: 5}
