from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text as sql

from pipeline.adapters.files import Workspace
from pipeline.adapters.marks import Mark
from pipeline.core.forecast import CostRange
from pipeline.errors import Exit, GatewayRefused, GuardStopped, OutcomeUnknown, TryLater
from pipeline.ledger.dispatches import begin_dispatch, list_dispatches, offered_before
from pipeline.ledger.logins import auth_failures
from pipeline.ledger.plans import free_messages
from pipeline.messages import Language
from pipeline.model import MessageState, Proof
from pipeline.operations.doctor import examine_installation
from pipeline.operations.recover import Recovered, recover
from pipeline.operations.resolve import resolve
from pipeline.simulator import Knobs
from pipeline.stages import planning
from pipeline.stages import send as sending
from pipeline.stages.guards import Late, Permission, check_markers
from pipeline.stages.outlook import Preview
from pipeline.stages.pull import pull
from pipeline.stages.send import Sent, send
from tests.databases import BOTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.context import Context
    from pipeline.ledger import Ledger
    from pipeline.model import Dispatch
    from tests.stages.conftest import House

PLANNED, TAKEN = MessageState.PLANNED, MessageState.TAKEN
UNKNOWN, REFUSED = MessageState.UNKNOWN, MessageState.REFUSED
LATE = Permission(late=Late("me", "nothing else is left to do"))
WRONG = "wrong-one"

TAKEN_BUT_UNKNOWN: list[dict[str, Any]] = [
    {"html_200": True},
    {"accept_then_reset": True},
    {"swallow": True},
    {"http_502_after_taking": True},
    {"partial_counts": True},
]
NOT_TAKEN_AND_UNKNOWN: list[dict[str, Any]] = [
    {"html_200_nothing": True},
    {"reset_after_bytes": 0},
    {"reset_after_bytes": 200},
    {"http_503_before_reading": True},
    {"redirect_to": "/api3/"},
    {"refuse_code": "550"},
    {"refuse_code": "402"},
    {"refuse_code": "999"},
]


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> str:
    """Sending is tried with the ledger in either database."""
    return str(request.param)


def _name(knobs: dict[str, Any]) -> str:
    return "-".join(f"{name}-{value}" for name, value in knobs.items())


def test_every_accepted_row_goes_out_once_in_dispatches_of_max_rows(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(12))
    seen: list[tuple[str, int, int]] = []
    context.progress = lambda stage, done, total: seen.append((stage, done, total))
    assert send(context, batch) == Sent(3, 12, {TAKEN: 12})
    assert house.uploads() == 3
    assert sorted(house.copies()) == sorted(house.smsids(context, batch.batch_id))
    dispatches = list_dispatches(context.ledger, batch.batch_id)
    assert [found.messages for found in dispatches] == [5, 5, 2]
    for found in dispatches:
        assert (found.attempts, found.answer_code, found.is_planned, found.is_unsettled) == (
            1,
            "200",
            False,
            False,
        )
        assert found.csvid
        assert found.begun_at
        assert found.ended_at
    folder = context.workspace.batch_folder(batch.batch_id)
    assert [path.name for path in sorted(folder.glob("*.begun"))] == [
        f"dispatch-{number:04d}.begun" for number in (1, 2, 3)
    ]
    assert any(stage == "send" and done == total for stage, done, total in seen)


def test_what_the_gateway_got_is_what_was_accepted(house: House, context: Context) -> None:
    source = house.write("l.csv", [["tel", "text"], ["090-1111-2222", 'a,"b"\n続き'], ["81 80 1234 5678", "二"]])
    house.sent(context, source)
    got = {message.msisdn: message.text for message in house.gateway.messages}
    assert {number.replace("-", ""): text.replace("\r\n", "\n") for number, text in got.items()} == {
        "09011112222": 'a,"b"\n続き',
        "08012345678": "二",
    }


def test_a_batch_that_went_out_sends_nothing_again(house: House, context: Context) -> None:
    source = house.recipients(7)
    house.sent(context, source)
    assert house.sent(house.open(), source) == Sent(0, 0, {TAKEN: 7})
    assert house.uploads() == 2


@pytest.mark.parametrize("fault", TAKEN_BUT_UNKNOWN, ids=_name)
def test_an_unclear_answer_stops_the_batch_until_results_name_the_messages(house: House, fault: dict[str, Any]) -> None:
    context = house.open(create=True, GATEWAY_READ_TIMEOUT="0.6")
    source = house.recipients(12)
    house.gateway.knobs = Knobs(**fault)
    with pytest.raises(OutcomeUnknown) as stopped:
        house.sent(context, source)
    assert stopped.value.exit is Exit.UNKNOWN
    assert stopped.value.facts["messages"] == 5
    batch = house.batch(context, source)
    assert house.states(context, batch.batch_id) == {UNKNOWN: 5, PLANNED: 7}
    assert len(house.copies()) == 5
    again = house.open()
    with pytest.raises(OutcomeUnknown):
        house.sent(again, source)
    assert house.uploads() == 1
    house.clock.advance(timedelta(hours=1))
    assert pull(again, batch.batch_id).settled == {UNKNOWN: 5}
    assert house.states(again, batch.batch_id) == {TAKEN: 5, PLANNED: 7}
    assert house.sent(again, source).states == {TAKEN: 12}
    assert house.uploads() == 3


def test_a_file_of_which_half_was_taken_is_settled_message_by_message(house: House, context: Context) -> None:
    """402: the gateway stops in the middle of a file, and does not say where."""
    source = house.recipients(12)
    house.gateway.knobs = Knobs(send_limit=3)
    with pytest.raises(OutcomeUnknown) as stopped:
        house.sent(context, source)
    batch = house.batch(context, source)
    assert house.states(context, batch.batch_id) == {UNKNOWN: 5, PLANNED: 7}
    house.gateway.knobs = Knobs()
    house.clock.advance(timedelta(hours=1))
    assert pull(context, batch.batch_id).settled == {UNKNOWN: 3}
    assert house.states(context, batch.batch_id) == {TAKEN: 3, UNKNOWN: 2, PLANNED: 7}
    with pytest.raises(OutcomeUnknown):
        house.sent(context, source)
    assert house.uploads() == 1
    # That no result names them is no evidence; a person's word is needed, and is about these two alone.
    open_ = str(stopped.value.facts["dispatch"])
    assert resolve(context, open_, REFUSED, actor="me", because="the vendor says so") == 2
    assert house.sent(context, source).states == {TAKEN: 12}
    assert sorted(house.copies().values()) == [1] * 12


@pytest.mark.parametrize("fault", NOT_TAKEN_AND_UNKNOWN, ids=_name)
def test_what_no_result_names_stays_unknown_until_a_person_frees_it(
    house: House, context: Context, fault: dict[str, Any]
) -> None:
    source = house.recipients(8)
    house.gateway.knobs = Knobs(**fault)
    with pytest.raises(OutcomeUnknown):
        house.sent(context, source)
    batch = house.batch(context, source)
    assert house.states(context, batch.batch_id) == {UNKNOWN: 5, PLANNED: 3}
    assert house.uploads() == 1
    assert house.copies() == {}
    house.clock.advance(timedelta(days=20))
    assert pull(context, batch.batch_id).settled == {}
    with pytest.raises(OutcomeUnknown) as stopped:
        house.sent(context, source)
    dispatch = str(stopped.value.facts["dispatch"])
    assert house.uploads() == 1
    smsids = house.smsids(context, batch.batch_id)
    assert resolve(context, dispatch, REFUSED, actor="me", because="the vendor says so") == 5
    assert send(context, house.batch(context, source), permission=LATE).states == {TAKEN: 8}
    assert sorted(house.copies()) == smsids == house.smsids(context, batch.batch_id)


def test_what_a_person_says_was_taken_is_not_sent(house: House, context: Context) -> None:
    source = house.recipients(5)
    house.gateway.knobs = Knobs(accept_then_reset=True)
    with pytest.raises(OutcomeUnknown) as stopped:
        house.sent(context, source)
    assert resolve(context, str(stopped.value.facts["dispatch"]), TAKEN, actor="me", because="seen") == 5
    assert house.sent(context, source) == Sent(0, 0, {TAKEN: 5})
    assert house.uploads() == 1


def test_a_file_that_is_refused_is_planned_again_by_the_next_run_with_the_same_smsids(
    house: House, context: Context
) -> None:
    source = house.recipients(12)
    house.gateway.knobs = Knobs(refuse_code="596")
    code = context.profile.answer_by_code["596"]
    with pytest.raises(GatewayRefused) as stopped:
        house.sent(context, source)
    assert stopped.value.facts == {"code": "596", "meaning": code.meaning, "step": code.next}
    batch = house.batch(context, source)
    before = house.states(context, batch.batch_id)
    assert before[REFUSED] == 5
    uploads = house.uploads()
    smsids = house.smsids(context, batch.batch_id)
    assert house.sent(context, source).states == {TAKEN: 12}
    assert house.smsids(context, batch.batch_id) == smsids == sorted(house.copies())
    dispatches = list_dispatches(context.ledger, batch.batch_id)
    assert [found.messages for found in dispatches] == [0, 5, 2, 5]
    assert house.uploads() == uploads + (4 - uploads)


def test_wrong_password_is_one_request_and_three_runs_are_the_end(house: House) -> None:
    context = house.open(create=True, GATEWAY_PASSWORD=WRONG, language=Language.JA)
    source = house.recipients(12)
    for count in (1, 2, 3):
        with pytest.raises(GatewayRefused) as refused:
            house.sent(context, source)
        assert refused.value.facts["code"] == "401"
        assert refused.value.facts["meaning"] == context.profile.answer_by_code["401"].meaning_ja
        assert house.uploads() == count
        assert auth_failures(context.ledger, house.gateway.url) == count
    right = house.open()
    with pytest.raises(GuardStopped) as stopped:
        house.sent(right, source)
    assert stopped.value.code == "guard.auth_failures"
    assert house.uploads() == 3
    assert house.copies() == {}


def test_a_good_login_forgets_the_bad_ones(house: House, context: Context) -> None:
    source = house.recipients(12)
    wrong = house.open(GATEWAY_PASSWORD=WRONG)
    for _ in range(2):
        with pytest.raises(GatewayRefused):
            house.sent(wrong, source)
    assert house.sent(context, source).states == {TAKEN: 12}
    assert auth_failures(context.ledger, house.gateway.url) == 0


def test_a_gateway_that_does_not_listen_leaves_everything_planned(house: House, context: Context) -> None:
    source = house.recipients(12)
    house.gateway.__exit__(None, None, None)
    try:
        for attempt in (1, 2):
            with pytest.raises(TryLater) as stopped:
                house.sent(house.open(), source)
            assert stopped.value.code == "gateway.unreachable"
            batch = house.batch(context, source)
            assert house.states(context, batch.batch_id) == {PLANNED: 12}
            dispatches = list_dispatches(context.ledger, batch.batch_id)
            assert [found.attempts for found in dispatches] == [attempt, 0, 0]
            assert house.smsids(context, batch.batch_id)
    finally:
        house.gateway.__enter__()
    assert house.sent(house.open(), source).states == {TAKEN: 12}


def test_rejected_rows_are_refused_and_not_planned_again(house: House, context: Context) -> None:
    rows = [["tel", "text", "smsid"], *([house.number(row), "本文", f"own{row}x"] for row in range(4))]
    house.sent(context, house.write("first.csv", rows))
    house.gateway.knobs = Knobs(dedupe_smsid=True)
    assert len(house.copies()) == 4
    other = house.open(LEDGER_URL="sqlite:///other.sqlite3", WORKSPACE_PATH="other", create=True)
    second = house.write("second.csv", [*rows, [house.number(9), "本文", "own9x"]])
    with pytest.raises(OutcomeUnknown):
        house.sent(other, second)
    batch = house.batch(other, second)
    assert house.states(other, batch.batch_id) == {UNKNOWN: 4, TAKEN: 1}


def test_a_planned_batch_is_refused_by_a_changed_or_missing_artefact(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    accepted = context.workspace.batch_folder(batch.batch_id) / "accepted.csv"
    kept = accepted.read_bytes()
    accepted.write_bytes(kept.replace("お知らせ".encode(), "お報らせ".encode()))
    with pytest.raises(GuardStopped) as changed:
        send(context, batch)
    assert changed.value.code == "artefact.changed"
    accepted.unlink()
    with pytest.raises(GuardStopped) as missing:
        send(context, batch)
    assert missing.value.code == "artefact.missing"
    accepted.write_bytes(kept)
    assert house.uploads() == 0
    assert house.states(context, batch.batch_id) == {}
    assert send(context, batch).states == {TAKEN: 7}


def test_a_payload_that_changed_is_not_sent(house: House, context: Context) -> None:
    source = house.recipients(7)
    house.gateway.knobs = Knobs(accept_then_reset=True)
    with pytest.raises(OutcomeUnknown):
        house.sent(context, source)
    batch = house.batch(context, source)
    pull(context)
    payload = context.workspace.batch_folder(batch.batch_id) / "dispatch-0002.csv"
    payload.write_bytes(payload.read_bytes() + b"x")
    with pytest.raises(GuardStopped) as stopped:
        house.sent(context, source)
    assert stopped.value.code == "artefact.changed"
    assert house.uploads() == 1
    assert house.states(context, batch.batch_id) == {TAKEN: 5, PLANNED: 2}


class _CrashError(BaseException):
    """Not an Exception, as a kill is none."""


@pytest.mark.parametrize("where", ["upload", "mark_begun", "end_dispatch"])
def test_a_crash_while_in_flight_is_an_unknown_outcome(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    source = house.recipients(7)

    def crash(*_arguments: object, **_named: object) -> None:
        raise _CrashError

    owner: object = {
        "upload": type(context.gateway),
        "mark_begun": type(context.workspace),
        "end_dispatch": sending,
    }[where]
    with monkeypatch.context() as patched:
        patched.setattr(owner, where, crash)
        with pytest.raises(_CrashError):
            house.sent(context, source)
    after = house.open()
    batch = house.batch(after, source)
    assert house.states(after, batch.batch_id) == {MessageState.IN_FLIGHT: 5, PLANNED: 2}
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            house.sent(after, source)
        assert house.states(after, batch.batch_id) == {UNKNOWN: 5, PLANNED: 2}
    uploaded = 1 if where == "end_dispatch" else 0
    assert house.uploads() == uploaded
    assert pull(after, batch.batch_id).settled == ({UNKNOWN: 5} if uploaded else {})


def test_a_crash_before_begin_changes_nothing(house: House, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    source = house.recipients(7)

    def crash(*_arguments: object) -> None:
        raise _CrashError

    with monkeypatch.context() as patched:
        patched.setattr(sending, "begin_dispatch", crash)
        with pytest.raises(_CrashError):
            house.sent(context, source)
    assert house.sent(house.open(), source).states == {TAKEN: 7}


def test_a_dispatch_that_changed_after_it_was_listed_is_not_begun(house: House, context: Context) -> None:
    source = house.recipients(5)
    house.gateway.knobs = Knobs(refuse_code="596")
    with pytest.raises(GatewayRefused):
        house.sent(context, source)
    dispatch = list_dispatches(context.ledger, house.batch(context, source).batch_id)[0]
    with pytest.raises(GuardStopped) as stopped:
        begin_dispatch(context.ledger, dispatch, context.now())
    assert stopped.value.code == "dispatch.changed"


def test_a_marker_the_ledger_does_not_know_stops_everything(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    send(context, batch)
    check_markers(context)
    other = house.batch(context, house.recipients(3, "other.csv", 50))
    context.workspace.mark_begun(Mark(batch.batch_id, 1, 2, context.now(), "dispatch-0001.csv"))
    with pytest.raises(GuardStopped) as stopped:
        send(context, other)
    assert stopped.value.code == "ledger.went_back"
    assert stopped.value.facts == {"dispatch": f"{batch.batch_id}-0001"}
    assert house.uploads() == 2


def test_what_is_begun_meanwhile_is_not_taken_for_forgotten(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = Workspace.begun

    def meanwhile(workspace: Workspace) -> Iterator[Mark]:
        monkeypatch.undo()
        house.sent(house.open(), house.recipients(3, "other.csv", 50), "d")
        return begun(workspace)

    monkeypatch.setattr(Workspace, "begun", meanwhile)
    check_markers(context)
    assert house.uploads() == 1


def test_a_marker_that_says_nothing_stops_everything_until_a_higher_number_is_recovered(
    house: House, context: Context
) -> None:
    source = house.recipients(7)
    batch = house.batch(context, source)
    send(context, batch)
    other = house.batch(context, house.recipients(3, "other.csv", 50))
    marker = context.workspace.batch_folder(batch.batch_id) / "dispatch-0002.begun"
    marker.write_bytes(b"")
    for stopped_by in (lambda: send(context, other), lambda: examine_installation(context, reset_auth=False)):
        with pytest.raises(GuardStopped) as stopped:
            stopped_by()
        assert (stopped.value.code, stopped.value.facts) == ("marker.unreadable", {"file": str(marker)})
    assert house.uploads() == 2
    # As the hint says: nothing is lost by a number that is too high.
    marker.write_text("5\n")
    with pytest.raises(GuardStopped, match=r"ledger\.went_back"):
        send(context, other)
    assert recover(context) == Recovered(1, 0)
    assert send(context, other).states == {MessageState.TAKEN: 3}


def test_the_same_content_does_not_go_out_in_another_campaign(house: House, context: Context) -> None:
    source = house.recipients(5)
    house.sent(context, source, "spring")
    with pytest.raises(GuardStopped) as stopped:
        house.sent(context, source, "summer")
    assert stopped.value.code == "guard.same_content"
    assert stopped.value.facts["campaign"] == "spring"
    assert house.uploads() == 1
    assert send(context, house.batch(context, source, "summer"), permission=Permission(again=True)).states == {TAKEN: 5}
    assert len(house.copies()) == 10


def test_a_text_does_not_reach_a_number_twice_within_a_week(house: House, context: Context) -> None:
    house.sent(context, house.recipients(5), "spring")
    overlapping = house.recipients(6, "six.csv", 3)
    with pytest.raises(GuardStopped) as stopped:
        house.sent(context, overlapping, "summer")
    assert stopped.value.code == "guard.repeated_text"
    rows = "2 (spring, 2026-11-23 09:30), 3 (spring, 2026-11-23 09:30)"
    assert stopped.value.facts == {"count": 2, "days": 7, "rows": rows}
    assert house.uploads() == 1
    batch = house.batch(context, overlapping, "summer")
    house.clock.advance(timedelta(days=6, hours=23))
    with pytest.raises(GuardStopped) as still:
        send(context, batch, permission=LATE)
    assert still.value.code == "guard.repeated_text"
    house.clock.advance(timedelta(hours=2))
    assert send(context, batch, permission=LATE).states == {TAKEN: 6}


def test_again_sends_a_repeated_text_and_another_text_needs_no_word(house: House, context: Context) -> None:
    house.sent(context, house.recipients(5), "spring")
    send(context, house.batch(context, house.recipients(6, "six.csv"), "summer"), permission=Permission(again=True))
    assert house.sent(context, house.recipients(5, "new.csv", text="別の本文"), "autumn").states == {TAKEN: 5}
    assert len(house.copies()) == 16


def test_the_person_who_does_not_confirm_sends_nothing(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    asked: list[Preview] = []

    def no(preview: Preview) -> bool:
        asked.append(preview)
        return False

    with pytest.raises(GuardStopped) as stopped:
        send(context, batch, confirm=no)
    assert stopped.value.code == "guard.not_confirmed"
    assert house.uploads() == 0
    # Seven times the cheapest and the dearest carrier of the example tariff.
    (seen,) = asked
    assert (seen.messages, seen.first_msisdn, seen.first_text) == (7, house.number(0), "お知らせです")
    assert (seen.forecast.cost, seen.forecast.unpriced) == (CostRange(7 * Decimal("8.5"), 7 * Decimal("9.2")), 0)
    batch = house.batch(context, house.folder / "list.csv")
    assert send(context, batch, confirm=lambda _preview: True).states == {TAKEN: 7}


def test_a_message_without_a_price_is_counted_before_sending(house: House, context: Context) -> None:
    (house.folder / "t.toml").write_text(
        'name = "t"\n[[tax]]\nrate = "0.10"\nfrom = 2019-10-01\n'
        '[[steps]]\ncarrier = "*"\nwide_single = 70\nwide_part = 67\nnarrow_single = 160\nnarrow_part = 153\n'
        '[[price]]\ncarrier = "au"\nfrom = 2099-01-01\nyen = ["1"]\n'
    )
    unpriced = house.open(TARIFF_FILE="t.toml")
    batch = house.batch(unpriced, house.recipients(3))
    asked: list[Preview] = []
    assert context.tariff.name == "example"
    assert send(unpriced, batch, confirm=lambda preview: not asked.append(preview)).states == {TAKEN: 3}  # type: ignore[func-returns-value]
    assert [(preview.messages, preview.forecast.unpriced, preview.forecast.cost) for preview in asked] == [
        (3, 3, CostRange())
    ]


def test_a_list_that_was_declined_was_not_served(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    with pytest.raises(GuardStopped):
        send(context, batch, confirm=lambda _preview: False)
    assert house.smsids(context, batch.batch_id) == []
    corrected = house.folder / "corrected.csv"
    corrected.write_text((house.folder / "list.csv").read_text().replace("\n", " \n", 1))
    assert house.batch(context, corrected).totals.already == 0


def test_an_smsid_that_was_only_ever_refused_whole_proves_nothing_when_it_exists(
    house: House, context: Context
) -> None:
    source = house.recipients(3)
    batch = house.batch(context, source)
    house.gateway.knobs = Knobs(refuse_code="596")
    with pytest.raises(GatewayRefused):
        house.sent(context, source)
    planning.plan_free_again(context, batch, free_messages(context.ledger, batch))
    first, second = list_dispatches(context.ledger, batch.batch_id)
    assert (first.messages, second.messages, second.is_planned) == (0, 3, True)
    nothing_taken = {code for code, known in context.documented.items() if known.proves is Proof.NOTHING_TAKEN}
    assert not offered_before(context.ledger, second, nothing_taken)
    assert offered_before(context.ledger, second, set())


def test_a_planned_message_that_a_result_names_is_not_sent_but_the_others_are(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    planning.plan(context, batch)
    smsids = house.smsids(context, batch.batch_id)
    with context.ledger.writing() as connection:
        connection.execute(
            sql(
                "INSERT INTO observation VALUES "
                "(1, NULL, 1, 'pulled', :smsid, :msisdn, '送信済', '', '', NULL, NULL, NULL, '', '', NULL)"
            ),
            {"smsid": smsids[0], "msisdn": house.number(0)},
        )
    assert house.sent(context, house.folder / "list.csv").states == {TAKEN: 7}
    assert sorted(house.copies()) == smsids[1:]


def test_an_smsid_that_exists_is_taken_only_when_the_gateway_may_know_it_from_us(
    house: House, context: Context
) -> None:
    source = house.recipients(5)
    house.gateway.knobs = Knobs(accept_then_reset=True, dedupe_smsid=True)
    with pytest.raises(OutcomeUnknown) as stopped:
        house.sent(context, source)
    # A person is wrong: it was taken. The gateway says so, row by row.
    resolve(context, str(stopped.value.facts["dispatch"]), REFUSED, actor="me", because="a guess")
    assert house.sent(context, source) == Sent(1, 5, {TAKEN: 5})
    assert house.uploads() == 2


def test_two_batches_of_one_campaign_cannot_both_plan_a_row(house: House, context: Context) -> None:
    first = house.batch(context, house.recipients(5))
    second = house.batch(context, house.recipients(7, "more.csv"))
    send(context, first)
    with pytest.raises(GuardStopped) as stopped:
        send(context, second)
    assert stopped.value.code == "batch.outdated"
    # Validating again finds who was served.
    assert house.sent(context, house.folder / "more.csv").states == {TAKEN: 2}
    assert len(house.copies()) == 7


def test_events_hold_no_number_and_no_text(house: House, context: Context) -> None:
    house.sent(context, house.recipients(7))
    with context.ledger.reading() as connection:
        rows = connection.execute(sql("SELECT kind, detail FROM event ORDER BY event_id")).all()
    kinds = [row.kind for row in rows if row.kind not in {"machine", "server", "gateway"}]
    assert kinds == ["validated", "planned", "begun", "ended", "begun", "ended"]
    for row in rows:
        json.loads(row.detail)
        assert "0901" not in row.detail
        assert "お知らせ" not in row.detail


def test_the_work_on_a_dispatch_does_not_grow_with_the_batch(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    context = house.open(create=True, SEND_MAX_ROWS="2")
    counted: list[str] = []

    def counting(ledger: Ledger, batch_id: str) -> list[Dispatch]:
        counted.append(batch_id)
        return list_dispatches(ledger, batch_id)

    monkeypatch.setattr(sending, "list_dispatches", counting)
    assert house.sent(context, house.recipients(3)).dispatches == 2
    few = len(counted)
    assert house.sent(context, house.recipients(16, "more.csv", 100)).dispatches == 8
    assert len(counted) == 2 * few
