"""A new campaign for those whom another one has not reached."""

from __future__ import annotations

import csv
from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING

import openpyxl
import pytest

from pipeline.errors import Exit, GuardStopped
from pipeline.ledger.batches import list_batches
from pipeline.ledger.optouts import add_optouts
from pipeline.model import MessageState, RowTotals
from pipeline.operations.cancel import cancel, look_up
from pipeline.operations.dry_run import dry_run, dry_send
from pipeline.operations.from_failed import request_for
from pipeline.operations.run import run, send_batch
from pipeline.stages.guards import Permission
from pipeline.stages.planning import plan
from pipeline.stages.send import send
from pipeline.stages.validate import Request, validate
from tests.operations.observing import observe, result, sent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.context import Context
    from pipeline.model import Batch
    from pipeline.operations.run import Outcome
    from tests.stages.conftest import House

TAKEN = MessageState.TAKEN
AGAIN = Permission(again=True)


def again_from(context: Context, origin: str, campaign: str, *, again: bool = False) -> Outcome | None:
    """Run a campaign for those whom ``origin`` has not reached."""
    with request_for(context, origin, Request(context.workspace.root, campaign)) as request:
        return None if request is None else run(context, request, permission=Permission(again=again))


def failing(context: Context, batch: Batch, *places: int, waiting: int = -1) -> list[str]:
    """Let all messages of a batch be delivered, but for some that fail, and one that is ``waiting``."""
    send(context, batch)
    messages = sent(context, batch.batch_id)
    at = context.now() + timedelta(minutes=5)
    labels = ["失敗" if place in places else "送信済" for place in range(len(messages))]
    rows = [result(message, label, at) for message, label in zip(messages, labels, strict=True)]
    observe(context, *(row for place, row in enumerate(rows) if place != waiting))
    return [messages[place].msisdn for place in places]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def last_batch(context: Context) -> Batch:
    return list_batches(context.ledger)[-1]


def messages_to(house: House, numbers: Sequence[str]) -> dict[str, int]:
    taken = [message.msisdn for message in house.gateway.messages]
    return {number: taken.count(number) for number in numbers}


def test_those_who_were_not_reached_are_written_to_once_more(house: House, context: Context) -> None:
    failed = failing(context, house.batch(context, house.recipients(7), "spring"), 1, 4)
    done = again_from(context, "spring", "again")
    assert done is not None
    assert (done.stopped_by, done.sent and done.sent.messages) == (None, 2)
    batch = done.validated.batch
    assert (batch.source_name, batch.campaign, batch.totals.accepted) == ("from-failed-spring.csv", "again", 2)
    assert [message.msisdn for message in sent(context, batch.batch_id)] == failed
    assert messages_to(house, failed) == dict.fromkeys(failed, 2)
    assert len(house.gateway.messages) == 9
    kept = context.workspace.checked(batch.batch_id, batch.artefact("input.csv"))
    assert [row["msisdn"] for row in read(kept)] == failed
    assert list(context.workspace.root.glob(".stdin*")) == []


def test_running_it_again_sends_nothing_twice(house: House, context: Context) -> None:
    origin = house.batch(context, house.recipients(7), "spring")
    failed = failing(context, origin, 1, 4, waiting=5)
    first = again_from(context, "spring", "again")
    second = again_from(house.open(), "spring", "again")
    assert first is not None
    assert second is not None
    assert second.validated.continued
    assert second.validated.batch.batch_id == first.validated.batch.batch_id
    assert len(house.gateway.messages) == 9
    # A result that comes late adds one, and only one.
    late = sent(context, origin.batch_id)[5]
    observe(context, result(late, "失敗", context.now() + timedelta(days=1)))
    third = again_from(context, "spring", "again")
    assert third is not None
    assert (third.stopped_by, third.sent and third.sent.messages) == (None, 1)
    assert third.validated.batch.totals == RowTotals(3, 1, 0, 2)
    assert messages_to(house, [*failed, late.msisdn]) == dict.fromkeys([*failed, late.msisdn], 2)


def test_what_is_carried_over(house: House, context: Context) -> None:
    rows = [
        ["電話番号", "本文", "氏名", "info1", "url", "memo", "部門", "smsid", "senddatetime"],
        [house.number(1), "{氏名}様\n{info1} {URL}", "青木", "一", "https://example.jp/a", "m,1", " 営業 ", "own1", ""],
        [house.number(2), "{氏名}様\n{info1} {URL}", "井上", "二", "https://example.jp/b", '"', "", "own2", ""],
    ]
    failing(context, house.batch(context, house.write("l.csv", rows), "spring"), 0, 1)
    done = again_from(context, "spring", "again")
    assert done is not None
    accepted = read(done.validated.folder / "accepted.csv")
    before = read(context.workspace.batch_folder(list_batches(context.ledger)[0].batch_id) / "accepted.csv")
    same = ("msisdn", "text", "info1", "originalurl", "memo", "cost_centre", "characters", "bytes")
    assert [[row[name] for name in same] for row in accepted] == [[row[name] for name in same] for row in before]
    assert accepted[0]["text"] == "青木様\n{info1} {URL}"
    assert {row["smsid"] for row in accepted}.isdisjoint({"own1", "own2"})
    assert "scheduled" not in accepted[0]


@pytest.mark.parametrize("typed", ["{memo}", "{cost_centre}", "{final_text}", "{msisdn}", "{x}", "{"])
def test_what_somebody_typed_between_braces_arrives_as_it_did(typed: str, house: House, context: Context) -> None:
    """A name is no tag, neither the first time nor the second: it would bring him our memo, or cost him the message."""
    rows = [["電話番号", "本文", "氏名", "memo", "部門"], [house.number(1), "{氏名}様", typed, "pays late", "sales"]]
    failing(context, house.batch(context, house.write("l.csv", rows), "spring"), 0)
    done = again_from(context, "spring", "again")
    assert done is not None
    assert [message.text for message in house.gateway.messages] == [f"{typed}様"] * 2
    assert done.stopped_by is None


def test_rejected_rows_of_a_made_list_come_back_with_final_texts(house: House, context: Context) -> None:
    """Their workbook is handed in like any list: it has to say itself that its texts are final."""
    rows = [["電話番号", "本文", "氏名", "memo"], [house.number(1), "{氏名}様", "{memo}", "pays late"]]
    failing(context, house.batch(context, house.write("l.csv", rows), "spring"), 0)
    with request_for(context, "spring", Request(context.workspace.root, "again")) as request:
        assert request is not None
        made = request.source.read_bytes().replace(house.number(1).encode(), b"1")
    broken = context.workspace.root / "made.csv"
    broken.write_bytes(made)
    workbook = validate(context, Request(broken, "again", name="from-failed-spring.csv", origin="spring")).workbook
    assert workbook is not None
    book = openpyxl.load_workbook(workbook)
    sheet = book.worksheets[0]
    sheet["A2"] = house.number(1)
    book.save(context.workspace.root / "corrected.xlsx")
    assert run(context, Request(context.workspace.root / "corrected.xlsx", "again"), permission=AGAIN).exit is Exit.DONE
    assert [message.text for message in house.gateway.messages] == ["{memo}様"] * 2


def test_several_batches_with_other_columns_are_one_list(house: House, context: Context) -> None:
    first = house.write(
        "a.csv", [["電話番号", "本文", "部門"], [house.number(1), "あ", "営業"], [house.number(2), "い", ""]]
    )
    second = house.write("b.csv", [["電話番号", "本文", "memo"], [house.number(3), "う", "m"]])
    failing(context, house.batch(context, first, "spring"), 1)
    failing(context, house.batch(context, second, "spring"), 0)
    done = again_from(context, "spring", "again")
    assert done is not None
    rows = [
        (row["msisdn"], row["final_text"], row["memo"], row["cost_centre"])
        for row in read(done.validated.folder / "input.csv")
    ]
    assert rows == [(house.number(2), "い", "", ""), (house.number(3), "う", "m", "")]


def test_nobody_is_nobody(house: House, context: Context) -> None:
    failing(context, house.batch(context, house.recipients(3), "spring"))
    assert again_from(context, "spring", "again") is None
    assert len(list_batches(context.ledger)) == 1


def test_who_has_opted_out_is_left_out(house: House, context: Context) -> None:
    failed = failing(context, house.batch(context, house.recipients(5), "spring"), 1, 2)
    add_optouts(context.ledger, failed[:1], source="t", now=context.now())
    done = again_from(context, "spring", "again")
    assert done is not None
    assert (done.validated.batch.totals.rows, done.sent and done.sent.messages) == (1, 1)
    add_optouts(context.ledger, failed, source="t", now=context.now())
    assert again_from(context, "spring", "another") is None


def test_the_guard_does_not_count_what_is_proven_to_have_failed_and_counts_the_rest(
    house: House, context: Context
) -> None:
    failed = failing(context, house.batch(context, house.recipients(5), "spring"), 1, 2)
    assert again_from(context, "spring", "again") is not None
    stopped = again_from(context, "spring", "third")  # the campaign before it may still reach them
    assert stopped is not None
    assert (stopped.stopped_by and stopped.stopped_by.code, stopped.exit) == ("guard.same_content", Exit.GUARD)
    assert messages_to(house, failed) == dict.fromkeys(failed, 2)
    meant = again_from(context, "spring", "third", again=True)
    assert meant is not None
    assert messages_to(house, failed) == dict.fromkeys(failed, 3)


@pytest.mark.parametrize(
    ("label", "code"), [("送信済", "guard.repeated_text"), (None, "guard.repeated_text"), ("失敗", None)]
)
def test_two_campaigns_made_from_one_know_of_each_other_however_long_ago(
    label: str | None, code: str | None, house: House, context: Context
) -> None:
    """The list is another one by then, and the days of the guard are over: the text still is the same."""
    origin = house.batch(context, house.recipients(3), "spring")
    failed = failing(context, origin, 1, waiting=2)
    first = again_from(context, "spring", "first")
    assert first is not None
    if label:
        (message,) = sent(context, first.validated.batch.batch_id)
        observe(context, result(message, label, context.now() + timedelta(minutes=5)))
    house.clock.advance(timedelta(days=8))
    observe(context, result(sent(context, origin.batch_id)[2], "失敗", context.now()))
    second = again_from(context, "spring", "second")
    assert second is not None
    assert (second.stopped_by and second.stopped_by.code) == code
    assert messages_to(house, failed) == {failed[0]: 2 if code else 3}


def test_whom_somebody_wanted_cancelled_in_the_campaign_made_before_is_not_written_to(
    house: House, context: Context
) -> None:
    """Not by a new list, and not by one that was made before somebody said so."""
    failed = failing(context, house.batch(context, house.recipients(5), "spring"), 1, 2)
    made: dict[str, Batch] = {}
    for campaign in ("again", "before"):
        with request_for(context, "spring", Request(context.workspace.root, campaign)) as request:
            assert request is not None
            made[campaign] = validate(context, request).batch
    plan(context, made["again"])
    unwanted = house.smsids(context, made["again"].batch_id)[0]
    assert dry_send(context, made["before"].batch_id).stopped_by == ()
    cancel(context, look_up(context, [unwanted]), actor="hanako")
    send_batch(context, made["again"].batch_id, confirm=None)
    observe(context, result(sent(context, made["again"].batch_id)[1], "失敗", context.now()))
    (stopped,) = dry_send(context, made["before"].batch_id).stopped_by
    assert (stopped.code, stopped.facts["count"]) == ("guard.repeated_text", 1)
    later = again_from(context, "spring", "later")
    assert later is not None
    assert (later.stopped_by, later.sent and later.sent.messages) == (None, 1)
    assert messages_to(house, failed) == {failed[0]: 1, failed[1]: 3}


def test_the_same_text_from_a_third_campaign_stops_it(house: House, context: Context) -> None:
    failed = failing(context, house.batch(context, house.recipients(5), "spring"), 1, 2)
    rows = [["電話番号", "本文"], [failed[0], "お知らせです"]]
    send(context, house.batch(context, house.write("other.csv", rows), "other"), permission=AGAIN)
    stopped = again_from(context, "spring", "again")
    assert stopped is not None
    assert stopped.stopped_by is not None
    assert (stopped.stopped_by.code, stopped.stopped_by.facts["count"]) == ("guard.repeated_text", 1)


def test_who_failed_twice_is_tried_a_third_time(house: House, context: Context) -> None:
    """All of the second campaign's fail again: the third has the very same content."""
    failed = failing(context, house.batch(context, house.recipients(5), "spring"), 1, 2)
    second = again_from(context, "spring", "again")
    assert second is not None
    at = context.now() + timedelta(minutes=9)
    observe(context, *(result(one, "失敗", at) for one in sent(context, second.validated.batch.batch_id)))
    third = again_from(context, "again", "third")
    assert third is not None
    assert (third.stopped_by, third.sent and third.sent.messages) == (None, 2)
    assert messages_to(house, failed) == dict.fromkeys(failed, 3)


def test_a_result_that_arrives_before_sending_stops_the_batch_that_was_made(house: House, context: Context) -> None:
    """Between the list and its sending somebody was reached after all; it is the evidence of then that counts."""
    origin = house.batch(context, house.recipients(3), "spring")
    failing(context, origin, 0, 1)
    with request_for(context, "spring", Request(context.workspace.root, "again")) as request:
        assert request is not None
        assert dry_run(context, request).exit is Exit.DONE
    batch = last_batch(context)
    assert dry_send(context, batch.batch_id).stopped_by == ()
    observe(context, result(sent(context, origin.batch_id)[0], "送信済", context.now() + timedelta(days=1)))
    assert [error.code for error in dry_send(context, batch.batch_id).stopped_by] == ["guard.repeated_text"]
    with pytest.raises(GuardStopped):
        send_batch(context, batch.batch_id, confirm=None)
    assert len(house.gateway.messages) == 3


def test_a_late_result_counts_however_long_ago_the_message_was_sent(house: House, context: Context) -> None:
    """The gateway retries for weeks; the days within which a text is a repeat have nothing to do with it."""
    origin = house.batch(context, house.recipients(3), "spring")
    failing(context, origin, 0, 1)
    house.clock.advance(timedelta(days=context.settings.send.repeat_guard_days + 1))
    with request_for(context, "spring", Request(context.workspace.root, "again")) as request:
        assert request is not None
        assert dry_run(context, request).exit is Exit.DONE
    batch = last_batch(context)
    observe(context, result(sent(context, origin.batch_id)[0], "送信済", context.now()))
    with pytest.raises(GuardStopped) as stopped:
        send_batch(context, batch.batch_id, confirm=None)
    assert (stopped.value.code, stopped.value.facts["count"]) == ("guard.repeated_text", 1)
    assert len(house.gateway.messages) == 3


def test_a_later_send_of_the_batch_knows_where_it_comes_from(house: House, context: Context) -> None:
    failing(context, house.batch(context, house.recipients(3), "spring"), 0, 1)
    with request_for(context, "spring", Request(context.workspace.root, "again")) as request:
        assert request is not None
        validate(context, request)
    assert send_batch(context, last_batch(context).batch_id, confirm=None).states == {TAKEN: 2}


@pytest.mark.parametrize(("damage", "code"), [(True, "artefact.changed"), (False, "artefact.missing")])
def test_rows_that_were_changed_or_lost_are_not_sent(damage: bool, code: str, house: House, context: Context) -> None:  # noqa: FBT001 - a case
    batch = house.batch(context, house.recipients(3), "spring")
    failing(context, batch, 0)
    path = context.workspace.batch_folder(batch.batch_id) / "accepted.csv"
    path.write_bytes(path.read_bytes().replace(b"0901", b"0801")) if damage else path.unlink()
    with pytest.raises(GuardStopped) as stopped:
        again_from(context, "spring", "again")
    assert stopped.value.code == code


def test_overseas_numbers_are_read_again_as_they_are(house: House) -> None:
    """A number of another country that begins like a mobile number of Japan keeps its +."""
    text = (files("schemas") / "profiles" / "mediasms.toml").read_text("utf-8")
    (house.folder / "own.toml").write_text(text.replace("overseas = { value = false", "overseas = { value = true"))
    abroad = house.open(create=True, GATEWAY_PROFILE="own.toml")
    numbers = ["+9012345678", "+12125550100"]
    batch = house.batch(
        abroad, house.write("l.csv", [["tel", "本文"], *[[number, "hi"] for number in numbers]]), "spring"
    )
    assert batch.totals.accepted == 2
    failing(abroad, batch, 0, 1)
    done = again_from(abroad, "spring", "again")
    assert done is not None
    assert [message.msisdn for message in sent(abroad, done.validated.batch.batch_id)] == ["9012345678", "12125550100"]
