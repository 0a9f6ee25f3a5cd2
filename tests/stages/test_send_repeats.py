"""Campaigns that allow repeats: a number may be served again, a message never goes out twice."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from sqlalchemy import text as sql

from pipeline.adapters.files import write_durable
from pipeline.core import ids
from pipeline.errors import Bug, GatewayRefused, GuardStopped, OutcomeUnknown, UsageError
from pipeline.ledger.batches import campaign_repeats, get_batch, register_batch
from pipeline.ledger.dispatches import list_dispatches
from pipeline.messages import Language
from pipeline.model import Batch, MessageState, RowTotals
from pipeline.simulator import Knobs
from pipeline.stages import planning
from pipeline.stages.pull import pull
from pipeline.stages.send import Sent, send

if TYPE_CHECKING:
    from pipeline.context import Context
    from tests.stages.conftest import House

PLANNED, TAKEN = MessageState.PLANNED, MessageState.TAKEN
UNKNOWN, REFUSED = MessageState.UNKNOWN, MessageState.REFUSED
A, B, C = "09011110001", "09011110002", "09011110003"
#: with five rows an upload: A three times and B twice in the first chunk, A again in the second
ROWS = [(A, "一"), (B, "一"), (A, "二"), (A, "三"), (B, "二"), (C, "一"), (A, "四")]
DISPATCHES = [[(A, "一"), (B, "一")], [(A, "二"), (B, "二")], [(A, "三")], [(C, "一"), (A, "四")]]


def registered(
    context: Context,
    rows: list[tuple[str, str]],
    batch_id: str = "bbbbbbbbbb",
    *,
    repeats: bool = True,
    campaign: str = "c",
    **fields: list[str],
) -> Batch:
    """Register a batch of these accepted rows, as validation writes them: every text quoted."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(["row_number", "smsid", "msisdn", "text", *fields, "characters", "bytes", "double_byte"])
    for at, (number, text) in enumerate(rows):
        smsid = f"{context.ledger.prefix}{batch_id}{at + 2:07d}"
        more = [values[at] for values in fields.values()]
        writer.writerow([at + 2, smsid, number, text, *more, len(text), 2 * len(text), True])
    artefact = write_durable(context.workspace.batch_folder(batch_id) / "accepted.csv", buffer.getvalue().encode())
    batch = Batch(
        batch_id=batch_id,
        campaign=campaign,
        run_date=date(2026, 11, 23),
        source_name="list.csv",
        content_sha256=batch_id * 6,
        fingerprint="f",
        totals=RowTotals(len(rows), len(rows), 0, 0),
        repaired=0,
        artefacts=(artefact,),
        registered_at=context.now(),
    )
    register_batch(context.ledger, batch, repeats=repeats)
    return batch


def planned_rows(context: Context, batch: Batch) -> list[Any]:
    with context.ledger.reading() as connection:
        return list(
            connection.execute(
                sql(
                    "SELECT dispatch_id, chunk, live, msisdn, message_key, smsid, row_number, state "
                    "FROM message JOIN dispatch USING (dispatch_id) "
                    "WHERE message.batch_id = :batch ORDER BY number, row_number"
                ),
                {"batch": batch.batch_id},
            )
        )


def check_plan(context: Context, batch: Batch, rows: int) -> None:
    """Every row is planned once, no dispatch holds a number twice, no chunk has two live dispatches."""
    found = planned_rows(context, batch)
    assert sorted(row.row_number for row in found) == list(range(2, rows + 2))
    assert max(Counter((row.dispatch_id, row.msisdn) for row in found).values()) == 1
    live = {(row.dispatch_id, row.chunk) for row in found if row.live}
    assert len({chunk for _, chunk in live}) == len(live)
    assert len({row.message_key for row in found}) == rows


def got(house: House) -> Counter[tuple[str, str]]:
    return Counter((message.msisdn, message.text) for message in house.gateway.messages)


def test_the_later_rows_of_a_number_go_out_in_later_dispatches(house: House, context: Context) -> None:
    batch = registered(context, ROWS)
    assert send(context, batch) == Sent(4, 7, {TAKEN: 7})
    check_plan(context, batch, 7)
    by_row = dict(enumerate(ROWS, 2))
    dispatches: dict[str, list[tuple[str, str]]] = {}
    for row in planned_rows(context, batch):
        dispatches.setdefault(row.dispatch_id, []).append(by_row[row.row_number])
        assert row.msisdn == by_row[row.row_number][0]
    assert list(dispatches.values()) == DISPATCHES
    assert {found.number for found in list_dispatches(context.ledger, batch.batch_id)} == {1, 2, 3, 4}
    assert got(house) == Counter(ROWS)
    assert set(house.copies().values()) == {1}
    assert sorted(house.copies()) == house.smsids(context, batch.batch_id)


def test_a_second_run_sends_nothing(house: House, context: Context) -> None:
    batch = registered(context, ROWS)
    send(context, batch)
    after = house.open()
    assert send(after, get_batch(after.ledger, batch.batch_id)) == Sent(0, 0, {TAKEN: 7})
    assert house.uploads() == 4


def test_the_same_message_again_is_not_planned(house: House, context: Context) -> None:
    send(context, registered(context, ROWS))
    second = registered(context, [(C, "二"), (A, "四")], "cccccccccc")
    with pytest.raises(GuardStopped) as stopped:
        send(context, second)
    assert stopped.value.code == "batch.outdated"
    third = registered(context, [(C, "二"), (A, "五")], "dddddddddd")
    assert send(context, third).states == {TAKEN: 2}
    assert house.uploads() == 5


def test_the_same_message_twice_in_a_batch_is_not_planned(house: House, context: Context) -> None:
    with pytest.raises(GuardStopped) as stopped:
        send(context, registered(context, [(A, "一"), (A, "一")]))
    assert stopped.value.code == "batch.outdated"
    assert house.uploads() == 0


@pytest.mark.parametrize("repeats", [True, False])
def test_text_and_time_of_sending_are_part_of_the_key_only_where_repeats_are_allowed(*, repeats: bool) -> None:
    rows = pd.DataFrame({"row_number": [2, 3], "smsid": ["a", "b"], "msisdn": [A, B], "text": ["一", "二"]})
    rows = rows.assign(characters=1, bytes=2, double_byte=True)
    for time in ("", "2026.11.24.10.00"):
        planned = planning._messages(rows.assign(scheduled=time) if time else rows, repeats=repeats)
        keys = [ids.message_key(number, text, time, repeats=repeats) for number, text in ((A, "一"), (B, "二"))]
        assert planned["message_key"] == keys
        assert planned["text_digest"] == [ids.text_digest("一"), ids.text_digest("二")]
        assert (planned["row_number"], planned["smsid"], planned["double_byte"]) == ([2, 3], ["a", "b"], [1, 1])


def test_a_number_twice_where_repeats_are_not_allowed_never_leaves(house: House, context: Context) -> None:
    batch = registered(context, [(A, "一"), (A, "二")], repeats=False)
    with pytest.raises(Bug) as broken:
        send(context, batch)
    assert broken.value.code == "contract.broken"
    assert house.uploads() == 0
    assert house.states(context, batch.batch_id) == {}


def test_what_is_refused_as_a_whole_is_planned_again_part_by_part(house: House, context: Context) -> None:
    batch = registered(context, ROWS)
    house.gateway.knobs = Knobs(refuse_code="596")
    with pytest.raises(GatewayRefused):
        send(context, batch)
    refused = house.states(context, batch.batch_id)[REFUSED]
    again = house.open()
    sent = send(again, get_batch(again.ledger, batch.batch_id))
    assert sent.states == {TAKEN: 7}
    assert refused
    check_plan(again, batch, 7)
    assert got(house) == Counter(ROWS)
    assert send(again, get_batch(again.ledger, batch.batch_id)) == Sent(0, 0, {TAKEN: 7})


def test_several_refused_dispatches_are_each_planned_again_as_they_were(house: House, context: Context) -> None:
    batch = registered(context, ROWS)
    planning.plan(context, batch)
    with context.ledger.writing() as connection:
        connection.execute(sql("UPDATE message SET state = 'refused', reason = 'request:596'"))
    assert send(context, get_batch(context.ledger, batch.batch_id)) == Sent(4, 7, {TAKEN: 7})
    check_plan(context, batch, 7)
    by_row = dict(enumerate(ROWS, 2))
    dispatches: dict[str, list[tuple[str, str]]] = {}
    for row in planned_rows(context, batch):
        dispatches.setdefault(row.dispatch_id, []).append(by_row[row.row_number])
    assert list(dispatches) == [f"{batch.batch_id}-{number:04d}" for number in (5, 6, 7, 8)]
    assert list(dispatches.values()) == DISPATCHES
    assert got(house) == Counter(ROWS)


def test_an_unclear_answer_to_one_part_stops_the_others(house: House, context: Context) -> None:
    batch = registered(context, ROWS)
    house.gateway.knobs = Knobs(accept_then_reset=True)
    with pytest.raises(OutcomeUnknown):
        send(context, batch)
    assert house.states(context, batch.batch_id) == {UNKNOWN: 2, PLANNED: 5}
    assert pull(context, batch.batch_id).settled == {UNKNOWN: 2}
    assert send(context, get_batch(context.ledger, batch.batch_id)).states == {TAKEN: 7}
    check_plan(context, batch, 7)
    assert got(house) == Counter(ROWS)


def test_from_the_list_to_the_gateway_and_again(house: House, context: Context) -> None:
    source = house.write("list.csv", [["電話番号", "本文"], *map(list, ROWS), list(ROWS[0])])
    batch = house.batch(context, source, repeats=True)
    assert (batch.totals.accepted, batch.totals.rejected) == (7, 1)
    assert campaign_repeats(context.ledger, "c") is True
    assert send(context, batch).states == {TAKEN: 7}
    assert house.batch(context, source, repeats=True).planned_at
    longer = house.write("longer.csv", [["電話番号", "本文"], *map(list, ROWS), [A, "五"]])
    more = house.batch(context, longer, repeats=True)
    assert (more.totals.accepted, more.totals.already) == (1, 7)
    assert send(context, more).states == {TAKEN: 1}
    assert got(house) == Counter([*ROWS, (A, "五")])
    with pytest.raises(UsageError) as stopped:
        house.batch(context, longer)
    assert stopped.value.code == "campaign.repeats_differ"


def test_many_rows_of_few_numbers(house: House) -> None:
    context = house.open(create=True, SEND_MAX_ROWS="50")
    rows = [(f"0901111{number % 7:04d}", f"本文{number}") for number in range(120)]
    batch = registered(context, rows)
    assert send(context, batch).states == {TAKEN: 120}
    check_plan(context, batch, 120)
    assert got(house) == Counter(rows)


def test_repeated_texts_are_counted_pair_by_pair(house: House, context: Context) -> None:
    send(context, registered(context, [(A, "一"), (A, "二"), (B, "一")]))
    other = registered(context, [(A, "二"), (A, "一"), (A, "九"), (B, "九")], "cccccccccc", campaign="d")
    with pytest.raises(GuardStopped) as stopped:
        send(context, other)
    assert stopped.value.code == "guard.repeated_text"
    assert (stopped.value.facts["count"], stopped.value.facts["rows"]) == (
        2,
        "2 (c, 2026-11-23 09:30), 3 (c, 2026-11-23 09:30)",
    )
    assert house.uploads() == 2


def test_the_first_repeats_of_a_long_list_are_named_in_its_order(house: House, context: Context) -> None:
    """Over several uploads, whatever was sent where."""
    rows = [(house.number(row), "一") for row in range(12)]
    send(context, registered(context, rows[6:], "cccccccccc", campaign="d"))
    house.clock.advance(timedelta(hours=1))
    send(context, registered(context, rows[4:6], "dddddddddd", campaign="e"))
    with pytest.raises(GuardStopped) as stopped:
        send(context, registered(context, rows))
    named = "6 (e, 2026-11-23 10:30), 7 (e, 2026-11-23 10:30), 8 (d, 2026-11-23 09:30) …"
    assert (stopped.value.facts["count"], stopped.value.facts["rows"]) == (8, named)
    assert "0901" not in stopped.value.what(Language.JA) + stopped.value.what(Language.EN)


def test_rows_written_by_the_version_before_go_out(house: House, context: Context) -> None:
    batch = registered(context, ROWS[:2], repeats=False, text_digest=["old", "old"])
    assert send(context, batch).states == {TAKEN: 2}
    with context.ledger.reading() as connection:
        stored = connection.execute(sql("SELECT DISTINCT text_digest FROM message")).scalar_one()
    assert stored == ids.text_digest("一")
    assert house.uploads() == 1


def test_a_text_that_differs_in_blanks_at_its_end_is_the_same_message(house: House, context: Context) -> None:
    header = ["電話番号", "本文"]
    source = house.write("list.csv", [header, [A, "一"], [A, "一 \u3000"], [A, "一\n"], [A, "二 "], [B, "一 "]])
    batch = house.batch(context, source, repeats=True)
    assert (batch.totals.accepted, batch.totals.rejected) == (3, 2)
    assert send(context, batch).states == {TAKEN: 3}
    again = house.batch(context, house.write("again.csv", [header, [A, "一\n\n"], [A, "二"], [B, "一"]]), repeats=True)
    assert (again.totals.accepted, again.totals.already) == (0, 3)
    assert got(house) == Counter([(A, "一"), (A, "二 "), (B, "一 ")])
