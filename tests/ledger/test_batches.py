from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event
from sqlalchemy import text as sql

from pipeline.errors import Exit, UsageError
from pipeline.ledger import batches
from pipeline.ledger.batches import (
    campaign_repeats,
    list_batches,
    live_keys,
    register_batch,
    served_keys,
    waiting_elsewhere,
)
from pipeline.ledger.cancellations import unwanted_elsewhere
from pipeline.ledger.dispatches import adopt_in_flight
from pipeline.ledger.plans import free_messages
from pipeline.ledger.repeats import Earlier, repeats_elsewhere, same_content_elsewhere
from pipeline.ledger.replacing import refused_rows, replaced_rows, shared_keys, unserved_messages
from pipeline.ledger.results import settle
from pipeline.model import MessageState
from pipeline.stages.guards import Permission
from pipeline.stages.send import send
from tests.databases import POSTGRESQL

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.context import Context
    from pipeline.model import Batch
    from tests.stages.conftest import House


def _sent(house: House, context: Context, name: str, first: int, campaign: str = "c") -> Batch:
    batch = house.batch(context, house.recipients(4, name, first, text=name), campaign)
    send(context, batch)
    return batch


def test_live_keys_are_those_of_the_other_batches_of_the_campaign(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_BLOCK", 3)
    first = _sent(house, context, "a.csv", 0)
    second = _sent(house, context, "b.csv", 10)
    _sent(house, context, "c.csv", 20, campaign="d")
    numbers = [house.number(row) for row in (0, 1, 2, 3, 10, 11, 12, 13)]
    assert sorted(live_keys(context.ledger, "c", but_batch="none")) == numbers
    assert sorted(live_keys(context.ledger, "c", but_batch=first.batch_id)) == numbers[4:]
    assert sorted(live_keys(context.ledger, "c", but_batch=second.batch_id)) == numbers[:4]
    assert list(live_keys(context.ledger, "none", but_batch=first.batch_id)) == []
    smsids = house.smsids(context, first.batch_id)
    for state in MessageState:
        with context.ledger.writing() as connection:
            connection.execute(
                sql("UPDATE message SET state = :state WHERE smsid = :smsid"),
                {"state": state.value, "smsid": smsids[0]},
            )
        live = state not in {MessageState.REFUSED, MessageState.CANCELLED}
        assert (numbers[0] in set(live_keys(context.ledger, "c", but_batch="none"))) is live
        found = served_keys(context.ledger, "c", numbers[:2], but_batch="none")
        assert found == ({numbers[0]: smsids[0]} if live else {}) | {numbers[1]: smsids[1]}


def _scans(context: Context, call: Callable[[], object]) -> list[str]:
    """Return which tables the database reads as a whole for the statements of ``call``.

    Reading those messages that are not taken is not reading all there ever were, and a ledger has one identity.
    """
    seen: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_more: object) -> None:
        if statement.startswith(("SELECT", "UPDATE")):
            seen.append((statement, parameters))

    event.listen(context.ledger.engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(context.ledger.engine, "before_cursor_execute", note)
    explain, scan = "EXPLAIN QUERY PLAN", "SCAN"
    with context.ledger.reading() as connection:
        if connection.dialect.name == POSTGRESQL:
            explain, scan = "EXPLAIN", "Seq Scan on message"
            # Nothing is faster than reading a table of three rows; what has no index is read all the same.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        steps = [
            str(row[-1]).strip(" ->")
            for statement, parameters in seen
            for row in connection.exec_driver_sql(f"{explain} {statement}", parameters)  # type: ignore[arg-type]  # as they were bound
        ]
    assert steps
    few = ("USING INDEX not_taken", "SCAN identity")
    return [step for step in steps if step.startswith(scan) and not any(name in step for name in few)]


def test_no_lookup_reads_all_messages_there_ever_were(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    calls: list[Callable[[], object]] = [
        lambda: list(live_keys(context.ledger, "c", but_batch="x")),
        lambda: served_keys(context.ledger, "c", ["a", "b"], but_batch="x"),
        lambda: free_messages(context.ledger, batch),
        lambda: repeats_elsewhere(context.ledger, "c", [("a", "b")], context.now()),
        lambda: repeats_elsewhere(context.ledger, "c", [("a", "b")], context.now(), (), {"d"}),
        lambda: refused_rows(context.ledger, "c"),
        lambda: replaced_rows(context.ledger, "c"),
        lambda: waiting_elsewhere(context.ledger, "c", but_batch="x"),
        lambda: waiting_elsewhere(context.ledger, "c", but_batch="x", checks=True),
        lambda: shared_keys(context.ledger, "c"),
        lambda: unserved_messages(context.ledger, "c"),
        lambda: unwanted_elsewhere(context.ledger, "c", {"d", "e"}),
        lambda: adopt_in_flight(context.ledger, "c", context.now()),
        lambda: settle(context.ledger, context.now()),
    ]
    for call in calls:
        assert _scans(context, call) == []


def test_repeated_texts_are_pairs(house: House, context: Context) -> None:
    _sent(house, context, "a.csv", 0)
    with context.ledger.reading() as connection:
        sent = connection.execute(sql("SELECT DISTINCT text_digest FROM message")).scalar_one()
    texts = [(house.number(0), sent), (house.number(0), "x"), (house.number(1), "x"), (house.number(2), sent)]
    earlier = Earlier("c", context.now())
    assert repeats_elsewhere(context.ledger, "d", texts, context.now()) == {texts[0]: earlier, texts[3]: earlier}
    assert repeats_elsewhere(context.ledger, "c", texts, context.now()) == {}
    assert repeats_elsewhere(context.ledger, "d", [], context.now()) == {}


def test_of_several_repeats_the_latest_is_told(house: House, context: Context) -> None:
    """One that nobody knows the time of is none that is later."""
    start = context.now()
    for number, campaign in enumerate(("c", "d", "e")):
        house.clock.advance(timedelta(hours=1))
        batch = house.batch(context, house.recipients(2, f"{number}.csv", number), campaign)
        send(context, batch, permission=Permission(again=True))
    with context.ledger.writing() as connection:
        connection.execute(sql("UPDATE message SET sent_at = NULL WHERE campaign = 'e'"))
        digest = connection.execute(sql("SELECT DISTINCT text_digest FROM message")).scalar_one()
    texts = [(house.number(row), digest) for row in range(4)]
    found = repeats_elsewhere(context.ledger, "x", texts, start, (), {"c", "d", "e"})
    assert {row: found[text].campaign for row, text in enumerate(texts)} == {0: "c", 1: "d", 2: "d", 3: "e"}
    assert (found[texts[2]].sent_at, found[texts[3]].sent_at) == (start + timedelta(hours=2), None)


def test_texts_that_are_not_known_to_be_others_are_the_same_content(house: House, context: Context) -> None:
    batch = _sent(house, context, "a.csv", 0)
    sources = (None, "text:1", "text:2", "template:1")
    others = set()
    for stored in sources:
        with context.ledger.writing() as connection:
            connection.execute(sql("UPDATE batch SET text_source = :stored"), {"stored": stored})
        for asked in sources:
            value = replace(batch, campaign="d", text_source=asked)
            if same_content_elsewhere(context.ledger, value) != "c":
                others.add((stored, asked))
    assert others == {("text:1", "text:2"), ("text:2", "text:1")}


@pytest.mark.parametrize("repeats", [False, True])
def test_whether_repeats_are_allowed_is_fixed_by_the_first_batch(
    house: House, context: Context, *, repeats: bool
) -> None:
    batch = house.batch(context, house.recipients(3))
    one = replace(batch, batch_id="b" * 10, campaign="new")
    assert campaign_repeats(context.ledger, "new") is None
    register_batch(context.ledger, one, repeats=repeats)
    assert campaign_repeats(context.ledger, "new") is repeats
    before = list_batches(context.ledger)
    for other in (one, replace(one, batch_id="d" * 10)):
        with pytest.raises(UsageError) as stopped:
            register_batch(context.ledger, other, repeats=not repeats)
        assert (stopped.value.code, stopped.value.exit) == ("campaign.repeats_differ", Exit.USAGE)
    assert list_batches(context.ledger) == before
    assert campaign_repeats(context.ledger, "new") is repeats
    register_batch(context.ledger, replace(one, batch_id="d" * 10), repeats=repeats)
    assert len(list_batches(context.ledger)) == len(before) + 1
    assert campaign_repeats(context.ledger, "c") is False
