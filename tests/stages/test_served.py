"""Rows that count as served by another list of the campaign: what becomes of them when that one serves nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.ledger.batches import get_batch
from pipeline.ledger.cancelling import cancel_messages, stop_batch
from pipeline.ledger.optouts import add_optouts
from pipeline.model import MessageState
from pipeline.operations.resolve import resolve
from pipeline.operations.run import run
from pipeline.simulator import Knobs
from pipeline.stages.send import send
from pipeline.stages.served import unserved_elsewhere
from pipeline.stages.validate import Request

if TYPE_CHECKING:
    from pipeline.context import Context
    from pipeline.model import Batch
    from tests.stages.conftest import House


def planned(house: House) -> tuple[Batch, Batch]:
    """Plan a list that cannot be sent now, and send another one in which the first two rows are the same people."""
    nobody = house.open(GATEWAY_BASE_URL="http://127.0.0.1:9")
    first = run(nobody, Request(house.recipients(2, "a.csv"), "c")).validated.batch
    second = run(house.open(), Request(house.recipients(3, "b.csv"), "c"))
    assert second.stopped_by is not None
    assert second.stopped_by.code == "run.waiting_planned"
    return first, second.validated.batch


def test_a_list_that_was_cancelled_serves_nobody(house: House, context: Context) -> None:
    first, second = planned(house)
    stop_batch(context.ledger, first.batch_id, context.now(), actor="me")
    again = run(context, Request(house.folder / "b.csv", "c"))
    assert again.validated.continued
    assert again.stopped_by is not None
    assert (again.exit, again.stopped_by.code) == (7, "run.unserved")
    facts = {"count": 2, "rows": "2, 3", "other": first.batch_id, "campaign": "c"}
    assert again.stopped_by.facts == facts | {"batch": second.batch_id, "file": "b.csv"}
    # What it says helps: these rows in a list of their own.
    rows = [["電話番号", "本文"], *([house.number(row), "お知らせです"] for row in (1, 0))]
    house.sent(context, house.write("rest.csv", rows))
    assert run(context, Request(house.folder / "b.csv", "c")).stopped_by is None
    assert sorted(message.msisdn for message in house.gateway.messages) == [house.number(row) for row in range(3)]


def test_a_list_that_was_resolved_as_refused_serves_nobody_until_it_goes_out_again(
    house: House, context: Context
) -> None:
    house.gateway.knobs = Knobs(html_200_nothing=True, faults=1)
    first = run(context, Request(house.recipients(1, "a.csv"), "c")).validated.batch
    second = run(context, Request(house.recipients(2, "b.csv"), "c")).validated.batch
    resolve(context, first.batch_id, MessageState.REFUSED, actor="me", because="nothing there")
    stopped = unserved_elsewhere(context, second)
    assert stopped is not None
    assert (stopped.code, stopped.facts["other"]) == ("run.unserved", first.batch_id)
    send(context, get_batch(context.ledger, first.batch_id))
    assert unserved_elsewhere(context, second) is None


def test_who_is_not_to_be_written_to_is_not_left_out(house: House, context: Context) -> None:
    """One opted out before the list left; the other one was cancelled, and opted out later."""
    first, second = planned(house)
    add_optouts(context.ledger, [house.number(0)], source="t", now=context.now())
    assert send(context, get_batch(context.ledger, first.batch_id)).opted_out == 1
    assert unserved_elsewhere(context, second) is None
    nobody = house.open(GATEWAY_BASE_URL="http://127.0.0.1:9")
    third = run(nobody, Request(house.recipients(1, "d.csv", 9), "c")).validated.batch
    last = run(context, Request(house.recipients(2, "e.csv", 9), "c")).validated.batch
    cancel_messages(context.ledger, house.smsids(context, third.batch_id), context.now(), actor="me")
    assert unserved_elsewhere(context, last) is not None
    add_optouts(context.ledger, [house.number(9)], source="t", now=context.now())
    assert unserved_elsewhere(context, last) is None


def test_a_list_of_which_nobody_knows_any_more_who_was_served_says_so(house: House, context: Context) -> None:
    first, second = planned(house)
    (context.workspace.batch_folder(second.batch_id) / "already.csv").unlink()
    stop_batch(context.ledger, first.batch_id, context.now(), actor="me")
    stopped = unserved_elsewhere(context, second)
    assert stopped is not None
    assert stopped.code == "artefact.missing"
