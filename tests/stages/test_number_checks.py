"""Checks of numbers (他人判定): what is asked and never sent, what a verdict proves and costs, what comes later."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from pipeline.core.calendar import JST
from pipeline.core.forecast import CostRange
from pipeline.errors import Exit, GuardStopped, InputUnusable, OutcomeUnknown, UsageError
from pipeline.ledger.batches import get_batch
from pipeline.ledger.optouts import add_optouts
from pipeline.ledger.results import record_pull
from pipeline.model import (
    Artefact,
    BreakKind,
    CancelOutcome,
    Dimension,
    MessageClass,
    MessageState,
    Mode,
    NumberCheck,
    Observation,
    ObservationPath,
)
from pipeline.operations.cancel import cancel, look_up
from pipeline.operations.dry_run import dry_run
from pipeline.operations.from_failed import request_for
from pipeline.operations.next_step import Step, next_step
from pipeline.operations.resolve import resolve
from pipeline.operations.run import run
from pipeline.operations.trial import expected_cost, try_out
from pipeline.simulator import Knobs
from pipeline.simulator.stories import Storyteller
from pipeline.stages import asking
from pipeline.stages.guards import Permission
from pipeline.stages.outlook import Preview
from pipeline.stages.pull import pull, pull_single
from pipeline.stages.reconcile import Reconciled, reconcile
from pipeline.stages.send import Sent, send
from pipeline.stages.served import unserved_elsewhere
from pipeline.stages.unreached import unreached
from pipeline.stages.validate import Request, validate
from schemas.profile import SHIPPED
from tests.adapters.books import workbook
from tests.databases import BOTH
from tests.operations.observing import observe, result, sent
from tests.stages.conftest import SINGLE, START

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.context import Context
    from pipeline.model import Batch
    from tests.stages.conftest import House

BOTH_LEDGERS = pytest.mark.parametrize("database", BOTH)
ONLY, THEN_SEND = NumberCheck.ONLY, NumberCheck.THEN_SEND
TAKEN, UNKNOWN = MessageState.TAKEN, MessageState.UNKNOWN
KEYS = ("type_parameter", "only", "then_send", "date_parameter", "date_format")

#: an account that knows its verdicts: what could not be told is not billed
VERDICTS = """
[[status]]
label = "本人"
means = "verdict"
billable = true
then_sent = true
grade = "A"

[[status]]
label = "他人"
means = "verdict"
billable = true
grade = "A"

[[status]]
label = "判定不可"
means = "verdict"
then_sent = true
grade = "A"
"""
#: of the example tariff
CHECK = Decimal("12.0")
TEXT_TOO = """
[[price]]
carrier = "*"
kind = "check_then_send"
from = 2024-04-01
yen = ["21.5", "30.2"]
"""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_AGAIN_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def _verdicts_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a number decide about its verdict: what the gateway draws depends on the ledger, which has another name."""
    told = ("本人", "他人", "判定不可")
    monkeypatch.setattr(Storyteller, "checked", lambda _, digits, __: told[int(digits) % 3])


@pytest.fixture
def context(house: House) -> Context:
    """An account with the option, whose owner has confirmed everything, and priced it."""
    house.gateway.knobs = Knobs(check_option=True, fate="at_once")
    text = resources.files("schemas").joinpath("tariffs/example.toml").read_text("utf-8")
    (house.folder / "t.toml").write_text(text + TEXT_TOO, encoding="utf-8")
    return house.open(create=True, GATEWAY_PROFILE=_profile(house, KEYS, VERDICTS), TARIFF_FILE="t.toml")


def _profile(house: House, confirmed: Sequence[str], more: str = "", name: str = "own.toml") -> str:
    """Write a copy of the profile in which some keys of [check] are confirmed, and return its name."""
    text = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
    head, section = text.split("\n[check]\n")
    section, rest = section.split("\n\n", 1)
    lines = [
        line.replace("confirmed = false", "confirmed = true") if line.partition(" ")[0] in confirmed else line
        for line in section.splitlines()
    ]
    assert sum("confirmed = true" in line for line in lines) == len(confirmed)
    (house.folder / name).write_text("\n".join((head, "[check]", *lines, "", rest, more)), encoding="utf-8")
    return f"./{name}"


def _list(house: House, count: int = 12, name: str = "list.csv", **columns: str) -> Path:
    """Write a list of numbers, noted on 1 April, with other columns that are the same in every row."""
    rows = [[house.number(row), "2026/4/1", *columns.values()] for row in range(count)]
    return house.write(name, [["電話番号", "登録日", *columns], *rows])


def _checked(house: House, context: Context, source: Path, check: NumberCheck = ONLY, campaign: str = "c") -> Batch:
    """Send a list with a check, and return its batch."""
    batch = house.batch(context, source, campaign, number_check=check)
    send(context, batch)
    return get_batch(context.ledger, batch.batch_id)


def _parameters(house: House) -> list[dict[str, str]]:
    return [dict(message.parameters) for message in house.gateway.messages]


def _reconciled(house: House, context: Context, batch: Batch, days: int = 2) -> Reconciled:
    house.clock.advance(timedelta(days=days))
    pull(context)
    return reconcile(context, batch)


def _heard(house: House, context: Context, smsid: str, status: str) -> None:
    """Record a result that nobody's story tells."""
    seen = Observation(
        path=ObservationPath.PULLED,
        smsid=smsid,
        msisdn=house.number(0),
        status=status,
        status_time=START,
        carrier="Rakuten",
        registered_at=START,
    )
    artefact = Artefact(f"pulls/{smsid}.csv", "0", 1)
    record_pull(context.ledger, artefact, (START, START), [seen], START)


def _breaks(found: Reconciled) -> dict[BreakKind, int]:
    return found.value.breaks_by_kind


def _amounts(found: Reconciled, dimension: Dimension = Dimension.KIND) -> dict[str, tuple[int, int, Decimal]]:
    groups = found.value.groups[dimension]
    return {line.name: (line.messages, line.billable_messages, line.amount) for line in groups}


# What is asked ----------------------------------------------------------------------------------------------------


def test_a_check_alone_carries_no_text_whatever_the_list_holds(house: House, context: Context) -> None:
    columns = {"本文": "お知らせです {URL}", "url": "https://example.jp/", "title": "Mitsuba", "smsid": "", "memo": "m"}
    source = _list(house, 7, **columns)
    batch = _checked(house, context, source)
    smsids = house.smsids(context, batch.batch_id)
    sent = sorted(_parameters(house), key=lambda one: one["mobilenumber"])
    assert sent == [
        {
            "status": "1",
            "mobilenumber": house.number(row),
            "smsid": smsids[row],
            "type": "check",
            "registrationdate": "20260401",
        }
        for row in range(7)
    ]
    assert {message.text for message in house.gateway.messages} == {""}
    assert house.uploads() == 0


def test_a_check_before_the_text_goes_with_it(house: House, context: Context) -> None:
    batch = _checked(house, context, _list(house, 2, 本文="お知らせです", smsid=""), THEN_SEND)
    smsids = house.smsids(context, batch.batch_id)
    assert sorted(_parameters(house), key=lambda one: one["mobilenumber"])[1] == {
        "status": "1",
        "mobilenumber": house.number(1),
        "smstext": "お知らせです",
        "smsid": smsids[1],
        "type": "checksms",
        "registrationdate": "20260401",
    }


def test_a_test_message_is_not_checked_and_costs_what_a_text_does(house: House, context: Context) -> None:
    batch = house.batch(context, _list(house, 2, 本文="お知らせです"), number_check=THEN_SEND)
    expected = expected_cost(context, batch)
    tried = try_out(context, batch, "090-9999-1234")
    assert tried is not None
    assert tried.cost == expected == CostRange(Decimal("8.5"), Decimal("9.2"))
    (message,) = house.gateway.messages
    assert "type" not in dict(message.parameters)


def test_names_values_and_the_form_of_the_date_are_data(house: House) -> None:
    house.gateway.knobs = Knobs(check_option=True)
    _profile(house, KEYS)
    own = house.folder / "own.toml"
    text = own.read_text("utf-8")
    for before, after in (
        ('only = { value = "check"', 'only = { value = "verify"'),
        ('type_parameter = { value = "type"', 'type_parameter = { value = "kind"'),
        ('date_parameter = { value = "registrationdate"', 'date_parameter = { value = "noted"'),
        ('date_format = { value = "%Y%m%d"', 'date_format = { value = "%d.%m.%Y"'),
        ('columns = ["registrationdate", "登録日"', 'columns = ["受付日"'),
    ):
        assert text.count(before) == 1
        text = text.replace(before, after)
    own.write_text(text, encoding="utf-8")
    context = house.open(create=True, GATEWAY_PROFILE="./own.toml")
    # What this gateway takes for no check at all, it refuses: there is nothing that it could send.
    source = house.write("l.csv", [["tel", "受付日"], [house.number(0), "2026-11-01"]])
    batch = house.batch(context, source, number_check=ONLY)
    with pytest.raises(Exception, match="585"):
        send(context, batch)
    (payload,) = context.workspace.batch_folder(batch.batch_id).glob("*.form")
    assert "kind=verify&noted=01.11.2026" in payload.read_text("utf-8")
    assert not house.gateway.messages


@pytest.mark.parametrize("check", [ONLY, THEN_SEND])
def test_a_check_never_goes_out_as_an_upload(house: House, context: Context, check: NumberCheck) -> None:
    source = _list(house, 3, 本文="x")
    with pytest.raises(UsageError) as stopped:
        house.batch(context, source, number_check=check, mode=Mode.CSV)
    assert stopped.value.code == "usage.check_mode"
    batch = house.batch(context, source, number_check=check)
    with pytest.raises(UsageError) as again:
        send(context, batch, mode=Mode.CSV)
    assert again.value.code == "usage.check_mode"
    assert send(context, batch).number_check is check
    assert (house.uploads(), house.gateway.requests[SINGLE]) == (0, 3)


def test_one_text_for_the_list_contradicts_a_check_alone(house: House, context: Context) -> None:
    source = _list(house, 3)
    with pytest.raises(UsageError) as stopped:
        validate(context, Request(source, "c", text="x", number_check=ONLY))
    assert stopped.value.code == "usage.check_text"
    batch = house.batch(context, source, text="みなさんへ", number_check=THEN_SEND)
    send(context, batch)
    assert {one["smstext"] for one in _parameters(house)} == {"みなさんへ"}


# Only when it is confirmed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", [ONLY, THEN_SEND])
def test_what_the_profile_has_not_confirmed_is_named_before_anything_is_done(house: House, check: NumberCheck) -> None:
    needed = {"type_parameter", "date_parameter", "date_format", "only" if check is ONLY else "then_send"}
    for missing in (needed, {"date_format"}, {"type_parameter", "only", "then_send"}):
        profile = _profile(house, sorted(set(KEYS) - missing))
        context = house.open(create=True, GATEWAY_PROFILE=profile)
        with pytest.raises(UsageError) as stopped:
            house.batch(context, _list(house, 1, 本文="x"), number_check=check)
        assert stopped.value.code == "check.not_confirmed"
        assert set(str(stopped.value.facts["keys"]).split(", ")) == {f"check.{key}" for key in missing & needed}
        context.close()


@pytest.mark.parametrize("check", [ONLY, THEN_SEND])
def test_a_profile_without_the_section_checks_nothing_and_sends_as_before(house: House, check: NumberCheck) -> None:
    text = re.sub(r"(?ms)^\[check\]\n.*?(?=^\[)", "", SHIPPED.read_text("utf-8"))
    (house.folder / "older.toml").write_text(text, encoding="utf-8")
    context = house.open(create=True, GATEWAY_PROFILE="older.toml")
    source = _list(house, 2, 本文="{登録日}から")
    with pytest.raises(UsageError) as stopped:
        house.batch(context, source, number_check=check)
    assert (stopped.value.code, stopped.value.facts["section"]) == ("profile.no_section", "check")
    assert send(context, house.batch(context, source)).states == {TAKEN: 2}


def test_the_other_kind_of_check_need_not_be_confirmed(house: House) -> None:
    house.gateway.knobs = Knobs(check_option=True)
    profile = _profile(house, [key for key in KEYS if key != "then_send"])
    context = house.open(create=True, GATEWAY_PROFILE=profile)
    _checked(house, context, _list(house, 1))
    assert [one["type"] for one in _parameters(house)] == ["check"]


def test_a_registered_check_stops_where_the_profile_confirms_it_no_longer(house: House, context: Context) -> None:
    batch = house.batch(context, _list(house, 2), number_check=ONLY)
    unconfirmed = house.open(GATEWAY_PROFILE=_profile(house, (), name="other.toml"))
    with pytest.raises(UsageError) as stopped:
        send(unconfirmed, batch)
    assert stopped.value.code == "check.not_confirmed"
    assert not house.gateway.messages


# The column of dates ----------------------------------------------------------------------------------------------


def _failed(context: Context, batch: Batch, *places: int) -> None:
    """Send a batch of which these messages fail."""
    send(context, batch)
    messages = sent(context, batch.batch_id)
    observe(context, *(result(messages[place], "失敗", context.now()) for place in places))


@pytest.mark.parametrize(("check", "again"), [(ONLY, False), (THEN_SEND, True)])
def test_from_failed_of_a_campaign_without_dates_says_how_to_make_a_list(
    house: House, context: Context, check: NumberCheck, *, again: bool
) -> None:
    _failed(context, house.batch(context, house.recipients(4), "spring"), 1, 2)
    asked = Request(context.workspace.root, "again", number_check=check)
    with pytest.raises(InputUnusable) as stopped, request_for(context, "spring", asked):
        pass
    facts = stopped.value.facts
    assert (stopped.value.code, facts["campaign"], facts["new"]) == (
        "from_failed.no_registration_date",
        "spring",
        "again",
    )
    assert facts["options"] == f"--check {check}" + " --again" * again
    unconfirmed = house.open(GATEWAY_PROFILE=_profile(house, (), name="other.toml"))
    with pytest.raises(UsageError), request_for(unconfirmed, "spring", asked):
        pass
    # As it says.
    with request_for(context, "spring", replace(asked, number_check=NumberCheck.NONE)) as request:
        assert request is not None
        made = context.workspace.batch_folder(dry_run(context, request).batch.batch_id) / "input.csv"
    header, *rows = csv.reader(made.read_text("utf-8").splitlines())
    for name in str(facts["names"]).split(", "):
        copy = house.write(f"{name}.csv", [[*header, name], *([*row, "20260401"] for row in rows)])
        assert validate(context, Request(copy, "again", number_check=check)).batch.totals.accepted == 2
    done = run(context, Request(copy, "again", number_check=check), permission=Permission(again=again))
    assert (done.stopped_by, done.sent and done.sent.messages) == (None, 2)
    assert [one["registrationdate"] for one in _parameters(house)[-2:]] == ["20260401"] * 2


def test_dates_go_through_campaigns_that_were_made_from_a_checked_one(house: House, context: Context) -> None:
    days = [["2026/4/1"], ["20260402"], ["2026-04-03 10:00"]]
    rows = [[house.number(row), "{x}\n様", *day] for row, day in enumerate(days)]
    source = house.write("l.csv", [["tel", "final_text", "登録日"], *rows])
    _failed(context, house.batch(context, source, "spring", number_check=THEN_SEND), 0, 1, 2)
    asked = Request(context.workspace.root, "summer")
    for origin, campaign, places in (("spring", "summer", (0, 2)), ("summer", "autumn", (0, 1))):
        with request_for(context, origin, replace(asked, campaign=campaign)) as request:
            assert request is not None
            _failed(context, validate(context, request).batch, *places)
    with request_for(context, "autumn", replace(asked, campaign="winter", number_check=ONLY)) as request:
        assert request is not None
        done = run(context, request)
    assert (done.stopped_by, done.sent and done.sent.messages) == (None, 2)
    dates = [(one["mobilenumber"], one["registrationdate"]) for one in _parameters(house)[-2:]]
    assert dates == [(house.number(0), "20260401"), (house.number(2), "20260403")]


def test_a_list_without_the_column_is_refused_as_a_whole(house: House, context: Context) -> None:
    for check in (ONLY, THEN_SEND):
        with pytest.raises(InputUnusable) as stopped:
            house.batch(context, house.recipients(2), number_check=check)
        assert stopped.value.code == "input.no_registration_date"


def test_rows_without_a_usable_date_are_rejected_and_the_others_are_checked(house: House, context: Context) -> None:
    days = ["20261123", "2026/11/23", "2026-11-23 10:00", "", "20261124", "2026/2/30", "x"]
    source = house.write("l.csv", [["tel", "Registration Date"], *([house.number(n), d] for n, d in enumerate(days))])
    validated = validate(context, Request(source, "c", number_check=ONLY))
    assert validated.codes == {
        "registrationdate.missing": 1,
        "registrationdate.future": 1,
        "registrationdate.format": 2,
    }
    send(context, validated.batch)
    assert {(one["mobilenumber"], one["registrationdate"]) for one in _parameters(house)} == {
        (house.number(row), "20261123") for row in range(3)
    }


def test_date_cells_of_a_workbook_are_read(house: House, context: Context) -> None:
    days = [date(2026, 4, 1), datetime.fromisoformat("2026-04-01T00:00"), "2026/4/1", 20260401]
    rows = [[house.number(row), day] for row, day in enumerate(days)]
    source = workbook(house.folder / "l.xlsx", {"a": [["電話番号", "登録日"], *rows]})
    _checked(house, context, source)
    assert [one["registrationdate"] for one in _parameters(house)] == ["20260401"] * 4


def test_without_a_check_the_column_is_a_column_like_any_other(house: House, context: Context) -> None:
    source = house.write("l.csv", [["tel", "本文", "登録日"], [house.number(0), "{登録日}から", "4月"]])
    assert house.sent(context, source).states == {TAKEN: 1}
    assert [message.text for message in house.gateway.messages] == ["4月から"]
    singly = house.write("m.csv", [["tel", "本文", "registrationdate"], [house.number(1), "二", "x"]])
    send(context, house.batch(context, singly), mode=Mode.SINGLE)
    assert "registrationdate" not in _parameters(house)[1]


# Not twice, and not in the way ------------------------------------------------------------------------------------


@BOTH_LEDGERS
def test_the_same_list_is_not_checked_twice_in_a_campaign(house: House, context: Context) -> None:
    source = _list(house, 5, 本文="x")
    first = _checked(house, context, source)
    again = house.batch(house.open(GATEWAY_PROFILE="./own.toml"), source, number_check=ONLY)
    assert again.batch_id == first.batch_id
    assert send(context, again) == Sent(0, 0, {TAKEN: 5}, 0, ONLY, Mode.SINGLE)
    # Nor by another list of the campaign, with another date and another text.
    rows = [[house.number(row), f"2026/5/{row + 1}", "y"] for row in range(3, 7)]
    other = house.batch(context, house.write("m.csv", [["tel", "登録日", "本文"], *rows]), number_check=ONLY)
    assert (other.totals.accepted, other.totals.already) == (2, 2)
    send(context, other)
    assert Counter(one["mobilenumber"] for one in _parameters(house)) == {house.number(row): 1 for row in range(7)}


@BOTH_LEDGERS
@pytest.mark.parametrize("campaign", ["c", "another"])
@pytest.mark.parametrize("check", [NumberCheck.NONE, THEN_SEND])
def test_who_was_checked_is_free_for_a_text_in_any_campaign(
    house: House, context: Context, campaign: str, check: NumberCheck
) -> None:
    source = _list(house, 4, 本文="お知らせです", smsid="")
    checks = _checked(house, context, source)
    batch = house.batch(context, source, campaign, number_check=check)
    assert (batch.totals.accepted, batch.totals.already) == (4, 0)
    assert batch.batch_id != checks.batch_id
    assert send(context, batch).states == {TAKEN: 4}
    assert len(house.gateway.messages) == 8


@BOTH_LEDGERS
def test_smsids_of_the_list_s_own_stay_free_for_the_texts(house: House, context: Context) -> None:
    rows = [[house.number(row), "20260401", "x", f"order{row}"] for row in range(3)]
    source = house.write("l.csv", [["tel", "registrationdate", "text", "smsid"], *rows])
    _checked(house, context, source)
    batch = house.batch(context, source)
    send(context, batch)
    assert house.smsids(context, batch.batch_id) == ["order0", "order1", "order2"]


def test_a_text_does_not_count_as_a_check(house: House, context: Context) -> None:
    source = _list(house, 3, 本文="x")
    house.sent(context, source)
    assert house.batch(context, source, number_check=ONLY).totals.accepted == 3


@BOTH_LEDGERS
def test_who_got_a_text_after_a_check_does_not_get_it_again(house: House, context: Context) -> None:
    source = _list(house, 3, 本文="x")
    _checked(house, context, source, THEN_SEND)
    assert house.batch(context, source).totals.already == 3


@BOTH_LEDGERS
@pytest.mark.parametrize(("waits", "served"), [(ONLY, NumberCheck.NONE), (NumberCheck.NONE, ONLY)])
def test_checks_that_are_unknown_are_not_told_of_texts_nor_texts_of_checks(
    house: House, context: Context, waits: NumberCheck, served: NumberCheck
) -> None:
    source = _list(house, 2, 本文="x")
    _checked(house, context, source, served)
    waiting = house.batch(context, source, number_check=waits)
    house.gateway.knobs = Knobs(check_option=True, html_200_nothing=True)
    with pytest.raises(OutcomeUnknown):
        send(context, waiting)
    again = house.batch(context, _list(house, 1, "m.csv", 本文="x"), number_check=served)
    assert (again.totals.already, unserved_elsewhere(context, again)) == (1, None)
    told = unserved_elsewhere(context, house.batch(context, _list(house, 1, "n.csv", 本文="y"), number_check=waits))
    assert told
    assert told.code == "run.waiting_unknown"


def test_in_a_campaign_with_repeats_a_number_is_checked_once(house: House, context: Context) -> None:
    rows = [[house.number(0), "20260401", "一"], [house.number(0), "20260401", "二"]]
    source = house.write("l.csv", [["tel", "registrationdate", "text"], *rows])
    batch = house.batch(context, source, repeats=True, number_check=ONLY)
    assert (batch.totals.accepted, batch.totals.rejected) == (1, 1)
    send(context, batch)
    second = house.write("m.csv", [["tel", "registrationdate"], [house.number(0), "20260402"]])
    assert house.batch(context, second, repeats=True, number_check=ONLY).totals.already == 1
    assert house.batch(context, source, repeats=True).totals.accepted == 2


@BOTH_LEDGERS
def test_the_same_numbers_in_another_campaign_are_checked_only_when_somebody_says_so(
    house: House, context: Context
) -> None:
    source = _list(house, 3, 本文="x")
    _checked(house, context, source)
    with pytest.raises(GuardStopped) as same:
        _checked(house, context, source, campaign="another")
    assert same.value.code == "guard.same_content"
    with pytest.raises(GuardStopped) as repeated:
        _checked(house, context, _list(house, 2, name="m.csv"), campaign="another")
    assert repeated.value.code == "guard.repeated_text"
    assert len(house.gateway.messages) == 3


def test_nobody_who_opted_out_is_checked(house: House, context: Context) -> None:
    add_optouts(context.ledger, [house.number(0)], "test", context.now())
    source = _list(house, 3)
    assert house.batch(context, source, number_check=ONLY).totals.rejected == 1


# What a verdict is ------------------------------------------------------------------------------------------------


def test_verdicts_are_counted_and_priced_and_everything_adds_up(house: House, context: Context) -> None:
    batch = _checked(house, context, _list(house, 9))
    assert next_step(context, batch) is Step.PULL
    found = _reconciled(house, context, batch)
    value = found.value
    assert {line.label: (line.messages, line.amount) for line in value.statuses} == {
        "本人": (3, 3 * CHECK),
        "他人": (3, 3 * CHECK),
        "判定不可": (3, Decimal(0)),
    }
    assert value.classes == {MessageClass.CHECKED: 9}
    assert (value.billable_messages, value.billable_units) == (6, 6)
    assert _amounts(found) == {"check": (9, 6, 6 * CHECK)}
    assert value.amount.untaxed == 6 * CHECK
    assert (value.balanced, found.exit) == (True, Exit.DONE)
    assert next_step(context, batch) is None
    assert pull_single(context, batch.batch_id).single.asked == 0


def test_verdicts_before_a_text_say_which_are_final(house: House, context: Context) -> None:
    batch = _checked(house, context, _list(house, 9, 本文="お知らせです"), THEN_SEND)
    house.clock.advance(timedelta(seconds=1))
    assert pull_single(context, batch.batch_id).single.named == 9
    early = reconcile(context, batch).value
    assert early.classes == {MessageClass.CHECKED: 3, MessageClass.PENDING: 6}
    assert {line.label for line in early.statuses} == {"本人", "他人", "判定不可"}
    assert pull_single(context, batch.batch_id).single.asked == 6
    found = _reconciled(house, context, batch)
    assert found.value.classes == {MessageClass.CHECKED: 3, MessageClass.DELIVERED: 6}
    assert _amounts(found) == {"check_then_send": (6, 6, 6 * Decimal("21.5")), "check": (3, 3, 3 * CHECK)}
    assert found.value.balanced
    # Whose number it is now: nobody of these is written to once more.
    assert unreached(context, "c") == {}


def test_a_text_that_never_comes_after_its_verdict_is_missing(house: House, context: Context) -> None:
    batch = _checked(house, context, _list(house, 3, 本文="お知らせです"), THEN_SEND)
    house.clock.advance(timedelta(seconds=1))
    pull_single(context, batch.batch_id)
    house.clock.advance(timedelta(days=9))
    found = reconcile(context, batch)
    assert found.value.classes == {MessageClass.CHECKED: 1, MessageClass.MISSING: 2}
    assert _breaks(found) == {BreakKind.MISSING_RESULT: 2}


def test_a_check_is_billed_also_where_the_text_did_not_arrive(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(check_option=True, fate="failed")
    batch = _checked(house, context, _list(house, 9, 本文="あ" * 40), THEN_SEND)
    found = _reconciled(house, context, batch)
    assert found.value.classes == {MessageClass.CHECKED: 3, MessageClass.FAILED: 6}
    assert _amounts(found) == {"check": (6, 6, 6 * CHECK), "check_then_send": (3, 0, Decimal(0))}
    assert found.value.balanced
    assert {smsid for smsids in unreached(context, "c").values() for smsid in smsids} == {
        line.smsid for line in found.lines if line.message_class is MessageClass.FAILED
    }


def test_nobody_is_unreached_by_a_check(house: House, context: Context) -> None:
    batch = _checked(house, context, _list(house, 3))
    (smsid, *_) = house.smsids(context, batch.batch_id)
    _heard(house, context, smsid, "失敗")
    assert reconcile(context, batch).value.classes[MessageClass.FAILED] == 1
    assert unreached(context, "c") == {}


def test_who_is_known_to_be_somebody_else_is_not_written_to_once_more_whatever_came_of_the_text(
    house: House, context: Context
) -> None:
    stories = {
        ("本人", "失敗"): True,
        ("判定不可", "失敗"): True,
        ("失敗",): True,
        ("他人", "失敗"): False,
        ("失敗", "他人"): False,
        ("他人", "本人", "失敗"): False,
    }
    batch = _checked(house, context, _list(house, len(stories), 本文="x"), THEN_SEND)
    messages = sent(context, batch.batch_id)
    for message, labels in zip(messages, stories, strict=True):
        times = [context.now() + timedelta(minutes=place) for place in range(len(labels))]
        observe(context, *(result(message, *pair) for pair in zip(labels, times, strict=True)))
    failed = {message.smsid for message, left in zip(messages, stories.values(), strict=True) if left}
    assert unreached(context, "c") == {batch.batch_id: failed}


def test_a_verdict_about_a_text_of_which_none_was_asked_decides_nothing(house: House, context: Context) -> None:
    source = _list(house, 2, 本文="x")
    house.sent(context, source)
    batch = house.batch(context, source)
    (smsid, *_) = house.smsids(context, batch.batch_id)
    _heard(house, context, smsid, "他人")
    found = reconcile(context, batch)
    assert found.value.classes == {MessageClass.PENDING: 2}
    assert (found.value.billable_messages, _amounts(found)) == (0, {"normal": (2, 0, Decimal(0))})


def test_checks_of_somebody_else_are_priced_as_checks(house: House, context: Context) -> None:
    source = _list(house, 1, 本文="x")
    house.sent(context, source)
    _heard(house, context, "stranger1", "他人")
    _heard(house, context, "stranger2", "送信済")
    foreign = reconcile(context, house.batch(context, source)).value.foreign
    assert (foreign.messages, foreign.billable_messages, foreign.unpriced) == (2, 2, 0)
    assert foreign.amount == CHECK + Decimal("8.8")


@BOTH_LEDGERS
def test_by_number_a_check_is_not_delivered_by_the_text_that_went_to_it_afterwards(
    house: House, context: Context
) -> None:
    columns = context.profile.layout.by_field
    source = _list(house, 1, 本文="x")
    with patch.dict(columns, {"smsid": columns["smsid"].model_copy(update={"direction": "send"})}):
        checks = _checked(house, context, source)
        house.clock.advance(timedelta(minutes=2))
        texts = house.batch(context, source)
        send(context, texts)
        (checked,), (text,) = (sent(context, batch.batch_id) for batch in (checks, texts))
        observe(context, replace(result(text, "送信済", context.now()), smsid=""))
        waiting = [reconcile(context, batch).value for batch in (checks, texts)]
        observe(context, replace(result(checked, "他人", context.now()), smsid=""))
        done = [reconcile(context, batch).value for batch in (checks, texts)]
    classes = [{MessageClass.PENDING: 1}, {MessageClass.DELIVERED: 1}]
    assert [(value.classes, value.breaks_by_kind) for value in waiting] == [(each, {}) for each in classes]
    classes = [{MessageClass.CHECKED: 1}, {MessageClass.DELIVERED: 1}]
    assert [(value.classes, value.breaks_by_kind) for value in done] == [(each, {}) for each in classes]
    assert [value.amount.untaxed for value in done] == [CHECK, Decimal("8.5")]


def test_a_verdict_that_the_profile_does_not_know_is_unmapped(house: House) -> None:
    house.gateway.knobs = Knobs(check_option=True)
    context = house.open(create=True, GATEWAY_PROFILE=_profile(house, KEYS))
    batch = _checked(house, context, _list(house, 20))
    found = _reconciled(house, context, batch)
    assert found.value.classes == {MessageClass.UNMAPPED: 20}
    assert _breaks(found) == {BreakKind.UNMAPPED_STATUS: 20}
    assert (found.value.billable_messages, found.exit) == (0, Exit.FINDINGS)


def test_a_check_without_a_price_is_unpriced_and_never_costs_what_a_text_does(house: House, context: Context) -> None:
    batch = _checked(house, context, _list(house, 20))
    text = resources.files("schemas").joinpath("tariffs/example.toml").read_text("utf-8")
    (house.folder / "u.toml").write_text(text.replace('kind = "check"', 'kind = "check_then_send"'), encoding="utf-8")
    unpriced = house.open(GATEWAY_PROFILE="./own.toml", TARIFF_FILE="u.toml")
    found = _reconciled(house, unpriced, batch)
    billed = found.value.billable_messages
    assert _breaks(found) == {BreakKind.UNPRICED: billed}
    assert found.value.amount.untaxed == 0
    source = _list(house, 3, name="m.csv", 本文="x")
    # Before a text, too: it stays away where the number is somebody else's now.
    for check in (ONLY, THEN_SEND):
        other = house.batch(unpriced, source, f"another {check}", number_check=check)
        with pytest.raises(GuardStopped) as stopped:
            send(unpriced, other, permission=Permission(again=True, max_cost=Decimal(1000)))
        assert (stopped.value.code, stopped.value.facts["count"]) == ("guard.unpriced", 3)


def test_a_check_alone_that_is_called_delivered_is_a_contradiction(house: House, context: Context) -> None:
    batch = _checked(house, context, _list(house, 4))
    (smsid, *_) = house.smsids(context, batch.batch_id)
    _heard(house, context, smsid, "送信済")
    found = reconcile(context, batch)
    assert _breaks(found) == {BreakKind.CONTRADICTION: 1}
    assert not found.value.balanced


# What stops it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("knobs", "code"),
    [({}, "606"), ({"check_option": True, "check_disabled": True}, "610"), ({"refuse_code": "608"}, "608")],
)
@pytest.mark.parametrize("check", [ONLY, THEN_SEND])
def test_an_answer_about_the_check_proves_nothing_and_stops_after_the_first(
    house: House, context: Context, check: NumberCheck, knobs: dict[str, Any], code: str
) -> None:
    house.gateway.knobs = Knobs(**knobs)
    batch = house.batch(context, _list(house, 5, 本文="x"), number_check=check)
    with pytest.raises(OutcomeUnknown) as stopped:
        send(context, batch)
    assert (stopped.value.code, stopped.value.facts["code"]) == ("check.answered", code)
    assert stopped.value.facts["meaning"] == context.meaning(code) != "?"
    assert not house.gateway.messages
    assert house.gateway.requests[SINGLE] == 1
    # A person decides, and once the account has the option the others follow.
    resolve(context, str(stopped.value.facts["dispatch"]), MessageState.REFUSED, actor="me", because="no option")
    house.gateway.knobs = Knobs(check_option=True)
    assert send(context, get_batch(context.ledger, batch.batch_id)).states == {TAKEN: 5}


def test_a_person_is_asked_about_numbers_and_not_about_a_text(house: House, context: Context) -> None:
    asked: list[Preview] = []

    def no(preview: Preview) -> bool:
        asked.append(preview)
        return False

    batch = house.batch(context, _list(house, 3, 本文="x"), number_check=ONLY)
    with pytest.raises(GuardStopped):
        send(context, batch, confirm=no)
    (preview,) = asked
    assert (preview.messages, preview.first_text, preview.number_check) == (3, "", ONLY)
    assert (preview.forecast.cost.lowest, preview.forecast.cost.highest) == (3 * CHECK, 3 * CHECK)
    texts = house.batch(context, _list(house, 2, 本文="あ" * 71, name="m.csv"), number_check=THEN_SEND)
    assert texts.totals.rejected == 2


def test_the_time_of_a_list_made_in_another_zone_is_japan_s(house: House, context: Context) -> None:
    # 00:30 on the 24th in Japan: in most of the world it is still the 23rd.
    house.clock.advance(timedelta(hours=15))
    assert context.now().astimezone(JST).day == 24
    source = house.write("l.csv", [["tel", "登録日"], [house.number(0), "2026/11/24"]])
    assert house.batch(context, source, number_check=ONLY).totals.accepted == 1


def test_accepted_csv_says_what_was_read(house: House, context: Context) -> None:
    batch = house.batch(context, _list(house, 1, 本文="x", コストセンター="営業部"), number_check=ONLY)
    path = context.workspace.batch_folder(batch.batch_id) / "accepted.csv"
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    shown = {name: row[name] for name in ("msisdn", "text", "registrationdate", "cost_centre", "characters")}
    assert shown == {
        "msisdn": house.number(0),
        "text": "",
        "registrationdate": "20260401",
        "cost_centre": "営業部",
        "characters": "0",
    }


@BOTH_LEDGERS
@pytest.mark.parametrize(("verdict", "there"), [("本人", 1), ("他人", 0)])
def test_a_text_that_is_to_follow_its_verdict_can_still_be_cancelled(
    house: House, context: Context, verdict: str, there: int
) -> None:
    house.gateway.knobs = Knobs(check_option=True, hold_seconds=3600)
    batch = _checked(house, context, _list(house, 1, 本文="x"), THEN_SEND)
    (message,) = sent(context, batch.batch_id)
    observe(context, result(message, verdict, context.now()))
    wanted = look_up(context, [batch.batch_id])
    done = cancel(context, wanted, actor="me")
    assert (wanted.there, len(done.final)) == (there, 1 - there)
    assert done.counts == ({CancelOutcome.CANCELLED: 1} if there else {})
