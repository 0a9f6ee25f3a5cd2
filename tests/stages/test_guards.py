"""What a person must look at before anything leaves: an old date, a high price, a time that has passed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from sqlalchemy import text as sql

from pipeline.errors import Exit, GatewayRefused, GuardStopped, OutcomeUnknown
from pipeline.ledger.dispatches import adopt_in_flight, begin_dispatch, list_dispatches
from pipeline.ledger.logins import auth_failures
from pipeline.messages import Language
from pipeline.model import MessageState, Mode
from pipeline.operations.cancel import cancel, look_up
from pipeline.operations.resolve import resolve
from pipeline.operations.status import standing
from pipeline.simulator import Knobs
from pipeline.stages.guards import Late, Permission
from pipeline.stages.planning import plan
from pipeline.stages.send import send

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.context import Context
    from tests.stages.conftest import House

PLANNED, TAKEN = MessageState.PLANNED, MessageState.TAKEN
LATE = Permission(late=Late("me", "the printer was broken"))
EARLY = Permission(late=Late("me", "they know", early=True))


def test_an_old_run_date_needs_a_word_and_the_word_is_kept(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    house.clock.advance(timedelta(days=1, hours=14))  # the second day begins in half an hour
    house.clock.advance(timedelta(minutes=29))
    other = house.batch(context, house.recipients(3, "other.csv", 50), "d")
    house.clock.advance(timedelta(minutes=1))
    with pytest.raises(GuardStopped) as stopped:
        send(context, batch)
    assert (stopped.value.code, stopped.value.exit) == ("guard.late", Exit.GUARD)
    assert stopped.value.facts == {"batch": batch.batch_id, "run_date": "2026-11-23", "days": 2, "limit": 1}
    assert house.uploads() == 0
    assert house.states(context, batch.batch_id) == {}
    assert send(context, batch, permission=LATE).states == {TAKEN: 3}
    assert send(context, other, permission=LATE).states == {TAKEN: 3}  # said although nothing is late: no event
    with context.ledger.reading() as connection:
        events = connection.execute(sql("SELECT batch_id, detail FROM event WHERE kind = 'late'")).all()
    assert [tuple(event) for event in events] == [
        (batch.batch_id, '{"actor": "me", "because": "the printer was broken"}')
    ]


def test_a_run_date_to_come_needs_a_word_too(house: House, context: Context) -> None:
    tomorrow = house.batch(context, house.recipients(3), run_date=date(2026, 11, 24))
    assert send(context, tomorrow).states == {TAKEN: 3}
    batch = house.batch(context, house.recipients(3, "other.csv", 50), "d", run_date=date(2026, 11, 25))
    for permission in (Permission(), LATE):
        with pytest.raises(GuardStopped) as stopped:
            send(context, batch, permission=permission)
        assert (stopped.value.code, stopped.value.exit) == ("guard.early", Exit.GUARD)
        assert stopped.value.facts == {"batch": batch.batch_id, "run_date": "2026-11-25", "days": 2}
    assert house.uploads() == 1
    assert send(context, batch, permission=EARLY).states == {TAKEN: 3}
    with context.ledger.reading() as connection:
        events = connection.execute(sql("SELECT kind FROM event WHERE kind IN ('late', 'early')")).all()
    assert [tuple(event) for event in events] == [("early",)]
    # Said of one direction, it is no word for the other.
    old = house.batch(context, house.recipients(3, "old.csv", 90), "e", run_date=date(2026, 11, 1))
    with pytest.raises(GuardStopped) as late_one:
        send(context, old, permission=EARLY)
    assert late_one.value.code == "guard.late"


def test_what_has_gone_out_is_not_late(house: House, context: Context) -> None:
    source = house.recipients(3)
    house.sent(context, source)
    house.clock.advance(timedelta(days=300))
    assert house.sent(context, source).dispatches == 0


def test_how_old_is_too_old_is_a_setting(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    house.clock.advance(timedelta(days=3))
    with pytest.raises(GuardStopped):
        send(house.open(SEND_MAX_AGE_DAYS="2"), batch)
    assert send(house.open(SEND_MAX_AGE_DAYS="3"), batch).states == {TAKEN: 3}


def test_the_upper_end_of_the_cost_is_limited(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    # Seven times the dearest carrier of the example tariff.
    with pytest.raises(GuardStopped) as stopped:
        send(context, batch, permission=Permission(max_cost=Decimal("64.39")))
    assert stopped.value.code == "guard.max_cost"
    assert stopped.value.facts == {"batch": batch.batch_id, "highest": Decimal("64.4"), "limit": Decimal("64.39")}
    assert house.uploads() == 0
    assert send(context, batch, permission=Permission(max_cost=Decimal("64.4"))).states == {TAKEN: 7}


def test_what_nobody_can_price_is_beyond_every_limit(house: House, context: Context) -> None:
    (house.folder / "t.toml").write_text(
        'name = "t"\n[[tax]]\nrate = "0.10"\nfrom = 2019-10-01\n'
        '[[steps]]\ncarrier = "*"\nwide_single = 70\nwide_part = 67\nnarrow_single = 160\nnarrow_part = 153\n'
        '[[price]]\ncarrier = "au"\nfrom = 2099-01-01\nyen = ["1"]\n'
    )
    batch = house.batch(context, house.recipients(3))
    with pytest.raises(GuardStopped) as stopped:
        send(house.open(TARIFF_FILE="t.toml"), batch, permission=Permission(max_cost=Decimal(10**9)))
    assert (stopped.value.code, stopped.value.facts["count"]) == ("guard.unpriced", 3)
    assert house.uploads() == 0


def _people(house: House) -> Path:
    rows = [[house.number(row), "山田", "本店"] for row in range(3)]
    return house.write("people.csv", [["電話番号", "氏名", "店"], *rows])


NOVEMBER: dict[str, Any] = {"text": "{氏名}様 11月のお知らせ\n"}


@pytest.mark.parametrize(
    ("first", "second", "stopped"),
    [
        pytest.param(NOVEMBER, {"text": "{氏名}様 12月のお知らせ"}, False, id="another text"),
        pytest.param(NOVEMBER, {"text": "{氏名}様\u3000１１月のお知らせ"}, True, id="white space and width"),
        pytest.param({"text": "10〜18時まで"}, {"text": "10～18時まで"}, True, id="another wave"),
        pytest.param({"text": "高島屋です"}, {"text": "髙島屋です"}, True, id="what may be replaced"),
        pytest.param({"template": "12"}, {"template": "13"}, False, id="another template"),
        pytest.param({"template": "12"}, {"template": "012"}, True, id="the same template"),
        pytest.param(NOVEMBER, {"template": "12"}, True, id="a template after a text"),
        pytest.param({"template": "12"}, NOVEMBER, True, id="a text after a template"),
    ],
)
def test_an_unchanged_list_is_the_same_content_unless_its_texts_are_known_to_be_others(
    house: House, first: dict[str, Any], second: dict[str, Any], *, stopped: bool
) -> None:
    house.gateway.templates = {"12": "休業です", "13": "営業です"}
    house.environment["MEDIASMS_VALIDATION_REPLACEMENTS"] = "standard"
    context = house.open(create=True, TEMPLATES_12="休業です", TEMPLATES_13="営業です")
    source = _people(house)
    send(context, house.batch(context, source, "november", **first))
    house.clock.advance(timedelta(days=30))
    batch = house.batch(context, source, "december", **second)
    if not stopped:
        assert send(context, batch).states == {TAKEN: 3}
        return
    with pytest.raises(GuardStopped) as found:
        send(context, batch)
    assert (found.value.code, found.value.facts["campaign"]) == ("guard.same_content", "november")
    assert house.uploads() == 1


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("TEMPLATES_12", "休業でした"),
        ("VALIDATION_REPLACEMENTS", "standard"),
        ("VALIDATION_STRICT", "true"),
        ("VALIDATION_UNCHECKED_TEMPLATES", "true"),
        ("GATEWAY_PROFILE", "p.toml"),
    ],
)
@pytest.mark.parametrize("chosen", [NOVEMBER, {"template": "12"}], ids=["text", "template"])
def test_what_is_set_otherwise_is_no_other_content(
    house: House, chosen: dict[str, Any], setting: str, value: str
) -> None:
    house.gateway.templates = {"12": "休業です"}
    house.environment["MEDIASMS_TEMPLATES_12"] = "休業です"
    profile = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
    own = profile.replace('info4 = ["info4"]', 'info4 = ["info4", "店"]')
    assert own != profile
    (house.folder / "p.toml").write_text(own, encoding="utf-8")
    context = house.open(create=True)
    source = _people(house)
    send(context, house.batch(context, source, "november", **chosen))
    house.clock.advance(timedelta(days=30))
    house.environment[f"MEDIASMS_{setting}"] = value
    after = house.open()
    with pytest.raises(GuardStopped) as found:
        send(after, house.batch(after, source, "december", **chosen))
    assert found.value.code == "guard.same_content"


def test_a_list_that_went_out_before_texts_were_recorded_is_the_same_content(house: House, context: Context) -> None:
    source = _people(house)
    send(context, house.batch(context, source, "november", text="11月のお知らせ"))
    with context.ledger.writing() as connection:
        connection.execute(sql("UPDATE batch SET text_source = NULL"))
    with pytest.raises(GuardStopped) as found:
        send(context, house.batch(context, source, "december", text="12月のお知らせ"))
    assert found.value.code == "guard.same_content"


@pytest.mark.parametrize("one", [False, True], ids=["all of it", "one message of it"])
def test_what_a_person_cancelled_does_not_go_out_because_a_setting_changed(house: House, *, one: bool) -> None:
    context = house.open(create=True)
    source = _people(house)
    batch = house.batch(context, source, text="11月のお知らせ")
    plan(context, batch)
    wanted = house.smsids(context, batch.batch_id)[:1] if one else [batch.batch_id]
    cancel(context, look_up(context, wanted), actor="hanako")
    after = house.open(VALIDATION_REPLACEMENTS="standard")
    again = house.batch(after, source, text="11月のお知らせ")
    assert again.batch_id != batch.batch_id
    with pytest.raises(GuardStopped) as found:
        send(after, again)
    assert (found.value.code, found.value.facts["cancelled"]) == ("guard.cancelled_before", batch.batch_id)
    assert house.uploads() == 0
    corrected = house.batch(after, source, text="12月のお知らせ")
    assert send(after, corrected).states == {TAKEN: 1 if one else 3}
    assert house.copies()


def test_what_somebody_wanted_cancelled_in_vain_does_not_go_out_because_a_setting_changed(house: House) -> None:
    context = house.open(create=True)
    house.gateway.knobs = Knobs(html_200=True, faults=1, results_delay=3600)
    source = _people(house)
    batch = house.batch(context, source, text="11月のお知らせ")
    with pytest.raises(OutcomeUnknown):
        send(context, batch)
    deaf = house.open(GATEWAY_BASE_URL="http://127.0.0.1:1")
    cancel(deaf, look_up(deaf, house.smsids(context, batch.batch_id)[:1]), actor="hanako")
    resolve(context, batch.batch_id, MessageState.REFUSED, actor="me", because="they said so")
    after = house.open(VALIDATION_REPLACEMENTS="standard")
    with pytest.raises(GuardStopped) as found:
        send(after, house.batch(after, source, text="11月のお知らせ"))
    assert found.value.code == "guard.cancelled_before"


def test_another_sheet_is_another_list(house: House, context: Context) -> None:
    book = openpyxl.Workbook()
    for place, name in enumerate(("東京", "大阪")):
        sheet = book.create_sheet(name, place)
        sheet.append(["電話番号"])
        sheet.append([house.number(place)])
    source = house.folder / "people.xlsx"
    book.save(source)
    send(context, house.batch(context, source, "tokyo", text="お知らせ", sheet="東京"))
    assert send(context, house.batch(context, source, "osaka", text="お知らせ", sheet="大阪")).states == {TAKEN: 1}
    with pytest.raises(GuardStopped) as found:
        send(context, house.batch(context, source, "once more", text="お知らせ"))
    assert (found.value.code, found.value.facts["campaign"]) == ("guard.same_content", "tokyo")


@pytest.fixture
def scheduling(house: House, context: Context) -> Context:
    """An installation whose profile sends scheduled times."""
    assert context.profile.layout.by_field["scheduled"].confirmed is False
    profile = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
    before, column, after = profile.partition('field = "scheduled"')
    (house.folder / "p.toml").write_text(before + column + after.replace("confirmed = false", "confirmed = true", 1))
    return house.open(GATEWAY_PROFILE="p.toml")


def _list(house: House, times: list[str]) -> Path:
    rows = [[house.number(row), "お知らせです", time] for row, time in enumerate(times)]
    return house.write("list.csv", [["電話番号", "本文", "送信予定日時"], *rows])


def test_a_scheduled_time_that_has_passed_stops_the_batch_before_anything_leaves(
    house: House, scheduling: Context
) -> None:
    batch = house.batch(scheduling, _list(house, ["202611231000", "202611231200", ""]))
    assert batch.totals.accepted == 3
    house.clock.advance(timedelta(minutes=30))
    with pytest.raises(GuardStopped) as stopped:
        send(scheduling, batch, permission=Permission(again=True))
    assert (stopped.value.code, stopped.value.facts["count"]) == ("guard.scheduled_passed", 1)
    assert house.uploads() == 0
    assert house.states(scheduling, batch.batch_id) == {}


def test_a_scheduled_time_that_passes_during_the_sending_stops_before_its_upload(
    house: House, scheduling: Context
) -> None:
    batch = house.batch(scheduling, _list(house, ["202611231000"] * 5 + ["202611231005"] * 5))

    def slow(stage: str, done: int, total: int) -> None:
        if stage == "send" and done == total and house.clock.now().hour == 9:
            house.clock.advance(timedelta(minutes=40))

    scheduling.progress = slow
    with pytest.raises(GuardStopped) as stopped:
        send(scheduling, batch)
    assert (stopped.value.code, stopped.value.facts["count"]) == ("guard.scheduled_passed", 5)
    assert house.states(scheduling, batch.batch_id) == {TAKEN: 5, PLANNED: 5}


def test_a_scheduled_time_that_is_still_to_come_goes_out(house: House, scheduling: Context) -> None:
    batch = house.batch(scheduling, _list(house, ["202611231000", ""]))
    assert send(scheduling, batch).states == {TAKEN: 2}


# What the gateway said where it proves nothing ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE])
@pytest.mark.parametrize(("code", "step"), [("402", "vendor to raise it"), ("666", "Let nothing log in until")])
def test_an_answer_that_proves_nothing_is_said_with_its_meaning_and_what_to_do(
    house: House, context: Context, mode: Mode, code: str, step: str
) -> None:
    house.gateway.knobs = Knobs(refuse_code=code)
    batch = house.batch(context, house.recipients(2))
    for _ in range(2):  # also to who comes later
        with pytest.raises(OutcomeUnknown) as stopped:
            send(context, batch, mode=mode)
        facts = stopped.value.facts
        assert (stopped.value.code, facts["code"], facts["meaning"]) == ("send.answered", code, context.meaning(code))
        hint = stopped.value.hint(Language.EN)
        assert 0 <= hint.index(step) < hint.index(f"mediasms pull {batch.batch_id}")
    (open_, *_) = standing(context, batch).unknown
    assert open_.answer is not None
    assert (open_.answer.code, open_.answer.meaning, step in open_.answer.step) == (code, context.meaning(code), True)


@pytest.mark.parametrize(
    ("knobs", "words", "japanese"),
    [
        (
            {"refuse_code": "777"},
            "answered 777 (a code that the profile does not know",
            "応答は 777（プロファイルにない",
        ),
        ({"redirect_to": "https://other.example/"}, "The answer was HTTP 307, without a code", "応答は HTTP 307 で"),
        ({"html_200": True}, "The answer was HTTP 200, without a code", "応答は HTTP 200 で、読み取れるコードが"),
        ({"accept_then_reset": True}, "No whole answer arrived (ConnectionError)", "（ConnectionError）"),
    ],
)
def test_an_answer_that_is_none_is_said_as_what_it_was(
    house: House, context: Context, knobs: dict[str, Any], words: str, japanese: str
) -> None:
    house.gateway.knobs = Knobs(**knobs, results_delay=3600)
    batch = house.batch(context, house.recipients(1))
    for speaking, said in ((context, words), (house.open(language=Language.JA), japanese)):
        with pytest.raises(OutcomeUnknown) as stopped:
            send(speaking, batch)
        assert stopped.value.code == "send.unknown"
        assert said in stopped.value.what(speaking.language)
        (open_,) = standing(speaking, batch).unknown
        assert (said in open_.heard, open_.answer) == (True, None)


def test_where_nobody_saw_an_answer_that_is_said(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(1))
    plan(context, batch)
    begin_dispatch(context.ledger, list_dispatches(context.ledger, batch.batch_id)[0], context.now())
    adopt_in_flight(context.ledger, batch.campaign, context.now())
    (open_,) = standing(context, batch).unknown
    assert open_.heard == "No answer is on record, as where what was sending it was stopped."


def test_the_last_warning_before_the_address_is_blocked_counts_as_a_failed_login(
    house: House, context: Context
) -> None:
    house.gateway.knobs = Knobs(refuse_code="401")
    with pytest.raises(GatewayRefused):
        house.sent(context, house.recipients(2))
    house.gateway.knobs = Knobs(refuse_code="666")
    with pytest.raises(OutcomeUnknown):
        house.sent(context, house.recipients(2, "other.csv", first=50), "d")
    assert auth_failures(context.ledger, context.settings.gateway.base_url) == 2
