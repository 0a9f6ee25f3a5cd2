"""First contact: one message to the operator's own phone, and what came back of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.adapters.gateway import Exchange
from pipeline.errors import Exit, GatewayRefused, GuardStopped, OutcomeUnknown, TryLater, UsageError
from pipeline.ledger.batches import list_batches
from pipeline.ledger.optouts import add_optouts
from pipeline.model import MessageState, Mode
from pipeline.operations.probe import probe
from pipeline.reports.probe import lines_to_set
from pipeline.simulator import Knobs
from schemas.evidence import Entry, Verdict
from schemas.profile import parse_profile
from tests.acceptance.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pipeline.adapters.files import DurableFile
    from pipeline.context import Context
    from pipeline.operations.probe import Probed
    from tests.stages.conftest import House

OWN = "090-1234-5678"
PROFILE = (ROOT / "schemas/profiles/mediasms.toml").read_text("utf-8")
CONFIRMED, NOT_SEEN, CONTRADICTED = Verdict.CONFIRMED, Verdict.NOT_SEEN, Verdict.CONTRADICTED


def by_key(probed: Probed) -> dict[str, Entry]:
    found = {entry.key: entry for entry in probed.entries}
    assert len(found) == len(probed.entries)
    return found


@pytest.fixture
def waiting(house: House) -> Callable[[float], None]:
    """Let time pass by the gateway's clock while a probe waits: in two steps every message is back."""
    house.gateway.knobs = Knobs(fate="at_once")
    return lambda _seconds: house.clock.advance(timedelta(minutes=2))


def with_profile(house: House, *changes: tuple[str, str]) -> Context:
    """Open the house with a profile of its own, which the gateway does not share."""
    text = PROFILE
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    (house.folder / "own.toml").write_text(text, encoding="utf-8")
    return house.open(create=True, GATEWAY_PROFILE="own.toml")


def test_one_message_goes_out_and_what_comes_back_bears_the_profile_out(
    house: House, context: Context, waiting: Callable[[float], None]
) -> None:
    done = probe(context, OWN, wait=timedelta(minutes=10), sleep=waiting)
    assert (done.exit, done.sent, done.is_back, done.stopped_by) == (Exit.DONE, True, True, None)
    (message,) = house.gateway.messages
    assert message.text.endswith("probe-2026-11-23")
    found = by_key(done)
    assert not [key for key, entry in found.items() if entry.verdict is CONTRADICTED]
    confirmed = {key for key, entry in found.items() if entry.verdict is CONFIRMED}
    assert confirmed >= {
        "upload_answer.counts",
        "endpoints.results_csv",
        *(f"results.{name}" for name in ("start_parameter", "end_parameter", "time_format")),
        *(f"results.{name}" for name in ("encoding", "status_time_format", "registered_time_format")),
        *(f"layout.column {number}" for number in (1, 2, 10, 12, 13, 18, 20)),
    }
    assert found["layout.column 47"].verdict is CONFIRMED or found["layout.column 47"].verdict is NOT_SEEN
    assert found["notification"].verdict is NOT_SEEN
    assert found["layout.column 1"].came == "999-9999-9999"


def test_the_lines_to_set_make_a_profile_that_says_so(context: Context, waiting: Callable[[float], None]) -> None:
    done = probe(context, OWN, wait=timedelta(minutes=10), sleep=waiting)
    pasted = "\n".join(lines_to_set(done.entries))
    profile = parse_profile(f"{PROFILE}\n{pasted}\n", "own.toml")
    before = flat(parse_profile(PROFILE, "own.toml").model_dump(exclude={"confirmed"}))
    after = flat(profile.model_dump(exclude={"confirmed"}))
    changed = {key: value for key, value in after.items() if before[key] != value}
    shown = {entry.key for entry in done.entries if entry.verdict is CONFIRMED and entry.toml}
    assert changed == {f"{key}.confirmed": True for key in shown}
    assert shown >= {"results.start_parameter", "endpoints.results_csv", "layout.column 20"}
    # Where it holds the registered time, nobody knows what it does when sending.
    assert profile.layout.by_field["scheduled"].confirmed is False


def flat(value: object, key: str = "") -> dict[str, object]:
    """Return the values of a profile by key; those of columns and parameters by number or name."""
    if isinstance(value, dict):
        pairs = [(f"{key}.{name}" if key else name, part) for name, part in value.items()]
    elif isinstance(value, tuple) and value and isinstance(value[0], dict):
        pairs = [(f"{key} {part.get('number') or part.get('name') or part}", part) for part in value]
    else:
        return {key: value}
    return {name: each for found, part in pairs for name, each in flat(part, found).items()}


def test_what_the_gateway_does_otherwise_can_be_pasted_too(
    house: House, context: Context, waiting: Callable[[float], None]
) -> None:
    waiting(0)
    house.gateway.knobs = Knobs(answer_counts=False, fate="at_once")
    done = probe(context, OWN, wait=timedelta(minutes=10), sleep=waiting)
    assert by_key(done)["upload_answer.counts"].verdict is CONTRADICTED
    profile = parse_profile("\n".join([PROFILE, *lines_to_set(done.entries)]), "own.toml")
    counts = profile.upload_answer.counts
    assert (counts.value, counts.confirmed) == ("absent", True)


def test_running_it_again_goes_on_and_a_second_one_is_deliberate(
    house: House, context: Context, waiting: Callable[[float], None]
) -> None:
    first = probe(context, OWN)
    assert (first.exit, first.sent, first.is_back) == (Exit.DONE, True, False)
    again = probe(house.open(), OWN, may_repeat=True)
    assert (again.sent, again.is_back, again.batch.batch_id) == (False, False, first.batch.batch_id)
    back = probe(house.open(), OWN, wait=timedelta(minutes=10), sleep=waiting)
    assert (back.sent, back.is_back) == (False, True)
    assert len(house.gateway.messages) == 1
    with pytest.raises(GuardStopped) as stopped:
        probe(context, OWN)
    assert stopped.value.code == "probe.repeated"
    second = probe(context, OWN, may_repeat=True)
    assert (second.sent, second.batch.campaign) == (True, "probe-2026-11-23-2")
    assert len({message.text for message in house.gateway.messages}) == 2


def test_it_goes_on_also_when_the_profile_was_edited_meanwhile(
    house: House, context: Context, waiting: Callable[[float], None]
) -> None:
    first = probe(context, OWN)
    edited = with_profile(house, ('value = "registrationdate"', 'value = "regdate"'))
    back = probe(edited, OWN, wait=timedelta(minutes=10), sleep=waiting)
    assert (back.batch.batch_id, back.sent, back.is_back) == (first.batch.batch_id, False, True)
    assert len(house.gateway.messages) == 1


def test_a_second_phone_on_the_same_day_is_told_apart(
    house: House, context: Context, waiting: Callable[[float], None]
) -> None:
    """The marker of the first message begins that of the second."""
    probe(context, OWN)
    house.clock.advance(timedelta(seconds=5))
    probe(context, "080-1111-2222", may_repeat=True)
    done = probe(context, OWN, wait=timedelta(minutes=10), sleep=waiting)
    assert (done.is_back, done.exit) == (True, Exit.DONE)
    assert not [entry for entry in done.entries if entry.verdict is CONTRADICTED]


def test_after_midnight_it_still_goes_on(house: House, context: Context) -> None:
    probe(context, OWN)
    house.clock.advance(timedelta(hours=16))
    assert probe(context, OWN).sent is False
    assert len(house.gateway.messages) == 1


def test_a_person_who_says_no_has_sent_nothing(house: House, context: Context) -> None:
    for answer in (False, True):
        if answer:
            assert probe(context, OWN, confirm=lambda _: True).sent
        else:
            with pytest.raises(GuardStopped):
                probe(context, OWN, confirm=lambda _: False)
            assert house.uploads() == 0
    assert [batch.campaign for batch in list_batches(context.ledger)] == ["probe-2026-11-23"]


def test_a_lost_answer_is_settled_by_the_result_and_not_sent_again(
    house: House, context: Context, waiting: Callable[[float], None]
) -> None:
    house.gateway.knobs = Knobs(html_200=True, results_delay=3600)
    lost = probe(context, OWN)
    assert (lost.exit, isinstance(lost.stopped_by, OutcomeUnknown)) == (Exit.UNKNOWN, True)
    house.gateway.knobs = Knobs(fate="at_once")
    found = probe(house.open(), OWN, wait=timedelta(minutes=10), sleep=waiting)
    assert (found.exit, found.sent, found.stopped_by) == (Exit.DONE, False, None)
    assert by_key(found)["upload_answer.counts"].verdict is NOT_SEEN
    assert len(house.gateway.messages) == 1


def test_a_refusal_says_so_and_the_next_one_may_go_out(house: House, context: Context) -> None:
    refused = probe(house.open(GATEWAY_PASSWORD="wrong-one"), OWN, wait=timedelta(minutes=10))  # noqa: S106 - no secret
    assert (refused.exit, isinstance(refused.stopped_by, GatewayRefused)) == (Exit.REFUSED, True)
    assert house.pulls() == 0
    assert by_key(refused)["upload_answer.counts"].came == "401"
    assert probe(context, OWN).sent
    assert len(house.gateway.messages) == 1


def test_nothing_left_is_for_later(house: House, context: Context) -> None:
    house.gateway.__exit__(None, None, None)
    try:
        with pytest.raises(TryLater):
            probe(context, OWN)
    finally:
        house.gateway.__enter__()
    assert house.states(context, list_batches(context.ledger)[0].batch_id) == {MessageState.PLANNED: 1}


def test_single_sends_bear_out_the_individual_result(context: Context, waiting: Callable[[float], None]) -> None:
    done = probe(context, OWN, mode=Mode.SINGLE, wait=timedelta(minutes=10), sleep=waiting)
    found = by_key(done)
    assert (done.exit, done.is_back) == (Exit.DONE, True)
    for key in ("endpoints.result_single", "single.result_parameter", "single.parameter info1"):
        assert found[key].verdict is CONFIRMED
    assert "upload_answer.counts" not in found


@pytest.mark.parametrize(
    ("changes", "key", "came"),
    [
        pytest.param((('"%Y.%m.%d.%H.%M.%S"', '"%Y-%m-%d"'),), "results.status_time_format", "9999.99.99", id="time"),
        pytest.param((('counts = { value = "expected"', 'counts = { value = "absent"'),), "upload_answer.counts",
                     "200, csvid, counts", id="counts"),
        pytest.param((('["docomo", "au", "SoftBank", "Rakuten"]', '["others"]'), ('bytes_only = { value = ["au"]',
                     'bytes_only = { value = ["others"]'), ('shorter = { value = ["docomo"]',
                     'shorter = { value = ["others"]')), "layout.column 20", "", id="carrier"),
        pytest.param((('label = "送信済"', 'label = "送信完了"'),), "layout.column 12", "送信済", id="status"),
    ],
)  # fmt: skip
def test_what_the_gateway_does_otherwise_is_a_finding(
    house: House,
    waiting: Callable[[float], None],
    changes: tuple[tuple[str, str], ...],
    key: str,
    came: str,
) -> None:
    context = with_profile(house, *changes)
    done = probe(context, OWN, wait=timedelta(minutes=10), sleep=waiting)
    entry = by_key(done)[key]
    assert entry.verdict is CONTRADICTED
    assert entry.came.startswith(came)
    assert done.exit is Exit.FINDINGS or isinstance(done.stopped_by, OutcomeUnknown)


def test_an_address_that_is_another_one_is_a_finding(house: House) -> None:
    context = with_profile(house, ('url = "/api4/"', 'url = "/results/"'))
    done = probe(context, OWN, wait=timedelta(minutes=10))
    entry = by_key(done)["endpoints.results_csv"]
    assert (entry.verdict, entry.says, entry.came) == (CONTRADICTED, "/results/", "404")


def test_rows_that_cannot_be_recorded_are_looked_at_all_the_same(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def results(_start: datetime, _end: datetime, into: DurableFile) -> Exchange:
        (message,) = house.gateway.messages
        cells = ["090-1234-5678", *[""] * 16, message.smsid, *[""] * 45]
        into.write(f"{','.join(cells)}\n".encode())
        return Exchange(0, 200, b"", "")

    monkeypatch.setattr(context.gateway, "results", results)
    done = probe(context, OWN, wait=timedelta(minutes=10))
    found = by_key(done)
    assert (found["layout.columns"].came, found["layout.columns"].verdict) == ("63", CONTRADICTED)
    assert found["layout.column 18"].verdict is CONFIRMED
    assert (done.exit, done.stopped_by and done.stopped_by.code) == (Exit.FINDINGS, "results.columns")


def test_results_that_are_cut_off_say_nothing_about_the_profile(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def results(_start: datetime, _end: datetime, into: DurableFile) -> Exchange:
        into.write(b"090-1234")
        return Exchange(0, 200, b"", "")

    monkeypatch.setattr(context.gateway, "results", results)
    done = probe(context, OWN)
    assert not [entry for entry in done.entries if entry.verdict is CONTRADICTED]
    assert (done.exit, done.stopped_by and done.stopped_by.code) == (Exit.INPUT, "results.cut_off")


def test_an_account_that_answers_with_nothing_is_found_out(house: House, context: Context) -> None:
    house.gateway.knobs = Knobs(answer_empty=True, fate="at_once")
    lost = probe(context, OWN)
    assert lost.exit is Exit.DONE or lost.exit is Exit.FINDINGS
    entry = by_key(lost)["upload_answer.empty_body_is_taken"]
    assert entry.verdict is CONTRADICTED
    assert entry.toml[-2:] == ("value = true", "instead_of = false")


def test_a_period_that_is_ignored_is_found_out(
    context: Context, waiting: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = context.gateway
    results = gateway.results
    day = timedelta(days=1)
    monkeypatch.setattr(gateway, "results", lambda start, end, into: results(start - day, end + day, into))
    done = probe(context, OWN, wait=timedelta(minutes=10), sleep=waiting)
    assert by_key(done)["results.start_parameter"].verdict is CONTRADICTED


def test_numbers_that_cannot_be_written_to(house: House, context: Context) -> None:
    with pytest.raises(UsageError) as unreadable:
        probe(context, "0901234")
    assert "0901234" not in str(unreadable.value)
    add_optouts(context.ledger, ["09012345678"], "test", context.now())
    with pytest.raises(GuardStopped) as rejected:
        probe(context, OWN)
    assert (rejected.value.code, rejected.value.facts["codes"]) == ("own_phone.rejected", "recipient.opted_out")
    assert house.uploads() == 0
