"""The first message of a list goes to the operator's own phone first; without it nothing of the list leaves."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.adapters.gateway import Exchange, GatewayClient
from pipeline.errors import Exit, GuardStopped, OutcomeUnknown
from pipeline.ledger.batches import list_batches
from pipeline.model import MessageState, Mode
from pipeline.operations.run import run
from pipeline.operations.trial import try_out
from pipeline.simulator import Knobs
from pipeline.stages import rehearse
from pipeline.stages.guards import Permission
from pipeline.stages.send import send
from pipeline.stages.validate import Request

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.context import Context
    from pipeline.model import Batch
    from pipeline.operations.run import Outcome
    from pipeline.operations.trial import Trial
    from pipeline.stages.outlook import Preview
    from tests.stages.conftest import House

OWN = "090-9999-1234"
OWN_DIGITS = "09099991234"


class Runner:
    """Runs lists with a test message, and keeps what became of it."""

    def __init__(self, house: House, number: str = OWN) -> None:
        self.house = house
        self.number = number
        self.trial: Trial | None = None

    def __call__(self, context: Context, source: Path, campaign: str = "c", **choices: Any) -> Outcome:  # noqa: ANN401 - choices of run, and what is permitted
        confirm, mode = choices.pop("confirm", None), choices.pop("mode", Mode.AUTO)
        permission = Permission(**choices)
        self.trial = None

        def before_send(batch: Batch) -> None:
            self.trial = try_out(context, batch, self.number, mode=mode, permission=permission)

        request = Request(source, campaign, mode=mode)
        return run(context, request, permission=permission, confirm=confirm, before_send=before_send)

    @property
    def untried(self) -> bool:
        return self.trial is None

    def to_us(self) -> list[str]:
        digits = self.number.replace("-", "")
        return [message.text for message in self.house.gateway.messages if message.msisdn == digits]


@pytest.fixture
def runner(house: House) -> Runner:
    house.gateway.knobs = Knobs(fate="at_once")
    return Runner(house)


def test_a_name_between_braces_is_no_tag_of_the_test_message(house: House, context: Context, runner: Runner) -> None:
    rows = [["電話番号", "本文", "氏名", "memo"], [house.number(1), "{氏名}様", "{memo}", "pays late"]]
    assert runner(context, house.write("l.csv", rows)).stopped_by is None
    assert [message.text for message in house.gateway.messages] == ["{memo}様"] * 2


@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE])
def test_a_message_by_template_is_tried_by_its_template(house: House, mode: Mode) -> None:
    (house.folder / "mediasms.toml").write_text('[templates]\n12 = "{info1}様 ご予約は明日です"\n', encoding="utf-8")
    house.gateway.knobs = Knobs(fate="at_once")
    house.gateway.templates = {"12": "{info1}様 ご予約は明日です"}
    runner = Runner(house)
    rows = [["電話番号", "template_id", "info1"], [house.number(1), "12", "山田"], [house.number(2), "12", "佐藤"]]
    assert runner(house.open(create=True), house.write("l.csv", rows), mode=mode).stopped_by is None
    assert runner.to_us() == ["山田様 ご予約は明日です"]
    assert len(house.gateway.messages) == 3


def test_it_goes_first_with_the_text_of_the_first_row_and_is_of_no_campaign_but_its_own(
    house: House, context: Context, runner: Runner
) -> None:
    rows = [
        ["電話番号", "本文", "info1", "部門"],
        *([house.number(row), f"{{info1}}様 {row}", "山田", "営業"] for row in range(3)),
    ]
    seen: list[int] = []

    def confirm(_: Preview) -> bool:
        seen.append(len(house.gateway.messages))
        return True

    done = runner(context, house.write("list.csv", rows), confirm=confirm)
    assert (done.exit, seen, runner.to_us()) == (Exit.DONE, [1], ["山田様 0"])
    assert house.gateway.messages[0].msisdn == OWN_DIGITS
    assert runner.trial is not None
    assert (runner.trial.sent, runner.trial.batch.campaign, runner.trial.batch.totals.rows) == (True, "c-test", 1)
    assert done.reconciled.value.totals.rows == 3
    assert sum(done.reconciled.value.classes.values()) == 3


def test_the_same_text_goes_to_the_same_phone_once_unless_asked_for(
    house: House, context: Context, runner: Runner
) -> None:
    source = house.recipients(3)
    declined = runner(context, source, confirm=lambda _: False)
    assert (declined.exit, len(runner.to_us())) == (Exit.GUARD, 1)
    assert runner(house.open(), source, confirm=lambda _: False).exit is Exit.GUARD
    assert runner.trial is not None
    assert (runner.trial.sent, len(runner.to_us())) == (False, 1)
    runner(context, source, again=True, confirm=lambda _: False)
    assert len(runner.to_us()) == 2
    assert runner(context, source).exit is Exit.DONE
    assert (len(runner.to_us()), len(house.gateway.messages)) == (2, 5)
    # Everything was sent: there is nothing to try any more.
    assert runner(context, source, again=True).exit is Exit.DONE
    assert runner.untried
    assert len(house.gateway.messages) == 5


@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE])
def test_a_template_of_unknown_text_is_tried_once_for_the_same_values(house: House, mode: Mode) -> None:
    house.gateway.knobs = Knobs(fate="at_once")
    house.gateway.templates = {"12": "{info1}様"}
    context, runner = house.open(create=True, VALIDATION_UNCHECKED_TEMPLATES="true"), Runner(house)
    for number, name in enumerate(("山田", "山田", "佐藤", "山田")):
        rows = [["電話番号", "template_id", "info1"], [house.number(1), "12", name], [house.number(2), "12", "林"]]
        done = runner(context, house.write(f"{number}.csv", rows), mode=mode, confirm=lambda _: False)
        assert (done.exit, runner.trial and runner.trial.sent) == (Exit.GUARD, number in {0, 2})
    assert runner.to_us() == ["山田様", "佐藤様"]
    # Known now, it can stand among the others.
    (house.folder / "mediasms.toml").write_text('[templates]\n12 = "{info1}様"\n', encoding="utf-8")
    done = runner(house.open(), house.folder / "0.csv", mode=mode)
    assert (done.stopped_by, len(house.gateway.messages)) == (None, 5)


def test_what_was_tried_one_way_is_tried_when_the_list_goes_another_way(
    house: House, context: Context, runner: Runner
) -> None:
    source = house.recipients(3)
    runner(context, source, mode=Mode.CSV, confirm=lambda _: False)
    assert runner(context, source, mode=Mode.SINGLE).stopped_by is None
    assert (len(runner.to_us()), len(house.gateway.messages)) == (1, 4)


def test_what_only_single_sends_have_is_tried_by_a_single_send(house: House, context: Context, runner: Runner) -> None:
    cells = [house.number(1), "詳しくは {URL}", "https://example.jp/", "ab"]
    source = house.write("l.csv", [["電話番号", "本文", "originalurl", "originalurlcode"], cells])
    assert runner(context, source, mode=Mode.SINGLE).stopped_by is None
    assert [message.msisdn for message in house.gateway.messages] == [OWN_DIGITS, house.number(1)]


def test_what_was_unknown_is_asked_for_before_the_list_is_tried(
    house: House, context: Context, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sending would ask, settle it and go on with the others: they are tried as well."""
    house.gateway.knobs = Knobs(fate="at_once", accept_then_reset=True, faults=1)
    source = house.recipients(3)
    batch = house.batch(context, source, mode=Mode.SINGLE)
    with monkeypatch.context() as patched:
        patched.setattr(GatewayClient, "single_result", lambda *_: Exchange(20, 404, b"514", ""))
        with pytest.raises(OutcomeUnknown):
            send(context, batch, mode=Mode.SINGLE)
    assert house.states(context, batch.batch_id) == {MessageState.UNKNOWN: 1, MessageState.PLANNED: 2}
    assert runner(context, source, mode=Mode.SINGLE).stopped_by is None
    assert [message.msisdn for message in house.gateway.messages][1] == OWN_DIGITS
    assert len(house.gateway.messages) == 4


def test_a_list_whose_rehearsal_stops_is_not_sent_whatever_sending_would_find(
    house: House, context: Context, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise GuardStopped("own_phone.rejected", codes="x")

    monkeypatch.setattr(rehearse, "stop_if_unplannable", stopped)
    done = runner(context, house.recipients(3))
    assert (done.stopped_by and done.stopped_by.code, runner.untried) == ("own_phone.rejected", True)
    assert len(house.gateway.messages) == 0


def test_a_corrected_text_is_tried_again(house: House, context: Context, runner: Runner) -> None:
    for number, text in enumerate(("一つめ", "二つめ")):
        runner(context, house.recipients(3, f"{number}.csv", text=text), confirm=lambda _: False)
    assert runner.to_us() == ["一つめ", "二つめ"]


def test_who_tries_it_out_and_is_in_the_list_gets_the_lists_own_message_too(house: House, context: Context) -> None:
    runner = Runner(house, house.number(0))
    for number in range(2):
        source = house.recipients(3, f"{number}.csv", text=f"お知らせ{number}")
        done = runner(context, source, f"c{number}")
        assert (done.exit, done.sent and done.sent.messages) == (Exit.DONE, 3)
        assert runner.to_us().count(f"お知らせ{number}") == 2


def test_another_campaigns_message_to_the_same_phone_still_stops_the_list(house: House, context: Context) -> None:
    house.sent(context, house.recipients(1), "before")
    runner = Runner(house, house.number(0))
    done = runner(context, house.recipients(3, "other.csv"))
    assert (done.stopped_by and done.stopped_by.code, runner.trial) == ("guard.repeated_text", None)
    assert len(house.gateway.messages) == 1


@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE])
@pytest.mark.parametrize(
    ("knobs", "end", "code"),
    [
        pytest.param(Knobs(refuse_code="401"), Exit.REFUSED, "trial.refused", id="refused"),
        pytest.param(Knobs(html_200_nothing=True), Exit.UNKNOWN, "trial.unknown", id="unknown"),
        pytest.param(Knobs(ng_words=("知ら",), ng_words_refuse=True), Exit.REFUSED, "trial.refused", id="row refused"),
    ],
)
def test_one_that_was_not_taken_stops_everything(
    house: House, context: Context, runner: Runner, mode: Mode, knobs: Knobs, end: Exit, code: str
) -> None:
    house.gateway.knobs = knobs
    source = house.recipients(3)
    stopped = runner(context, source, mode=mode)
    assert (stopped.exit, stopped.stopped_by and stopped.stopped_by.code) == (end, code)
    assert [batch.campaign for batch in list_batches(context.ledger) if batch.planned_at] == ["c-test"]
    assert len(house.gateway.messages) == 0
    house.gateway.knobs = Knobs(fate="at_once")
    again = runner(house.open(), source, mode=mode)
    if end is Exit.REFUSED:
        assert (again.exit, len(runner.to_us()), len(house.gateway.messages)) == (Exit.DONE, 1, 4)
    else:
        assert (again.exit, len(house.gateway.messages)) == (Exit.UNKNOWN, 0)


def test_one_whose_answer_was_lost_is_settled_by_its_result(house: House, context: Context, runner: Runner) -> None:
    house.gateway.knobs = Knobs(html_200=True, results_delay=3600)
    source = house.recipients(3)
    assert runner(context, source).exit is Exit.UNKNOWN
    house.gateway.knobs = Knobs(fate="at_once")
    assert runner(house.open(), source).exit is Exit.DONE
    assert (len(runner.to_us()), len(house.gateway.messages)) == (1, 4)


def test_what_stops_the_list_stops_its_test_message_before(house: House, context: Context, runner: Runner) -> None:
    source = house.recipients(3)
    dear = runner(context, source, max_cost=Decimal(30))
    assert (dear.stopped_by and dear.stopped_by.code, runner.trial) == ("guard.max_cost", None)
    # The list alone would cost no more than 27.6 yen, and with its test message 36.8.
    assert (house.uploads(), house.gateway.messages) == (0, ())
    assert runner(context, source, max_cost=Decimal("36.8")).exit is Exit.DONE


def test_a_test_message_is_known_by_its_event_and_not_by_its_name(house: House, context: Context) -> None:
    """A campaign that somebody has called so is one like any other."""
    house.sent(context, house.recipients(1), "c-test")
    with pytest.raises(GuardStopped) as stopped:
        house.sent(context, house.recipients(3, "list2.csv"))
    assert stopped.value.code == "guard.repeated_text"
    assert partial(house.states, context, list_batches(context.ledger)[0].batch_id)() == {MessageState.TAKEN: 1}
