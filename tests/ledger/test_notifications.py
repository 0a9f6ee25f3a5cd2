"""Notified results in the ledger, in both databases: each once, and what they settle."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.core.calendar import JST
from pipeline.errors import GuardStopped, OutcomeUnknown, TryLater
from pipeline.ledger import engines
from pipeline.ledger.evidence import batch_evidence
from pipeline.ledger.notifications import check_readable, record_notifications
from pipeline.model import MessageState, Observation, ObservationPath
from pipeline.operations.next_step import Step, next_step
from pipeline.operations.notifications import record
from pipeline.simulator import Knobs
from pipeline.stages import planning
from pipeline.stages.reconcile import reconcile
from tests.databases import POSTGRESQL

if TYPE_CHECKING:
    from pipeline.context import Context
    from pipeline.errors import MediasmsError
    from pipeline.model import Batch
    from tests.stages.conftest import House

ROW = Observation(
    path=ObservationPath.NOTIFIED,
    smsid="zzz1",
    msisdn="09011112222",
    status="1",
    status_time=None,
    extra='{"nul": "\\u0000\\udcff"}',
)
TIME = datetime(2026, 11, 23, 9, 31, tzinfo=JST)


def rows(context: Context) -> list[tuple[object, ...]]:
    with context.ledger.reading() as connection:
        found = connection.exec_driver_sql("SELECT smsid, status, status_time, pull_id, extra FROM observation")
        return sorted(tuple(row) for row in found)


def notify(context: Context, *smsids: str, status: str = "送信済") -> None:
    failed: list[MediasmsError] = []
    with context.ledger.reading() as connection:
        known = connection.exec_driver_sql("SELECT smsid, msisdn FROM message")
        numbers = {smsid: number for smsid, number in known}  # noqa: C416 - rows are no pairs to the type checker
    told = [replace(ROW, smsid=smsid, msisdn=numbers.get(smsid, ROW.msisdn), status=status) for smsid in smsids]
    record(context, told, failed.append)
    assert failed == []


def unknown(house: House, context: Context, count: int = 4) -> Batch:
    """Have a batch taken whose answer proves nothing."""
    house.gateway.knobs = Knobs(html_200=True)
    source = house.recipients(count)
    with pytest.raises(OutcomeUnknown):
        house.sent(context, source)
    return house.batch(context, source)


def test_each_observation_is_there_once(context: Context) -> None:
    now = context.now()
    assert record_notifications(context.ledger, [ROW, ROW, replace(ROW, status="3")], now) == []
    assert record_notifications(context.ledger, [ROW, replace(ROW, extra="")], now) == []
    record_notifications(context.ledger, [replace(ROW, status_time=TIME)], now)
    assert rows(context) == [
        ("zzz1", "1", "", None, ROW.extra),
        ("zzz1", "1", "2026-11-23T09:31:00.000000+09:00", None, ROW.extra),
        ("zzz1", "3", "", None, ROW.extra),
    ]
    assert json.loads(ROW.extra) == {"nul": "\0\udcff"}


def test_without_an_smsid_its_number_tells_it_apart(context: Context) -> None:
    nameless = replace(ROW, smsid="")
    record_notifications(context.ledger, [nameless, nameless, replace(nameless, msisdn="09011113333")], context.now())
    assert len(rows(context)) == 2


def test_values_as_long_as_they_may_be_fit_into_every_index(context: Context) -> None:
    longest = "あ" * 85
    row = replace(ROW, smsid=longest, status=longest, msisdn=longest)
    record_notifications(context.ledger, [row, replace(row, smsid="")], context.now())
    assert len(rows(context)) == 2


def test_a_notification_settles_its_own_message_and_no_other(house: House, context: Context) -> None:
    batch = unknown(house, context)
    first, second, *_ = house.smsids(context, batch.batch_id)
    notify(context, first, "not-ours")
    assert house.states(context, batch.batch_id) == {MessageState.TAKEN: 1, MessageState.UNKNOWN: 3}
    notify(context, first)
    notify(context, first, second, status="送信中")
    assert house.states(context, batch.batch_id) == {MessageState.TAKEN: 2, MessageState.UNKNOWN: 2}
    with context.ledger.reading() as connection:
        events = connection.exec_driver_sql("SELECT detail FROM event WHERE kind = 'settled'").scalars().all()
    assert [json.loads(detail) for detail in events] == [{"before": "unknown", "messages": 1}] * 2


def test_a_notification_settles_what_was_never_sent_and_leaves_what_is_on_its_way(
    house: House, context: Context
) -> None:
    batch = house.batch(context, house.recipients(4))
    planning.plan(context, batch)
    first, second, *_ = house.smsids(context, batch.batch_id)
    with context.ledger.writing() as connection:
        connection.exec_driver_sql(f"UPDATE message SET state = 'in_flight' WHERE smsid = '{second}'")  # noqa: S608 - an smsid of ours
    notify(context, first, second)
    assert house.states(context, batch.batch_id) == {
        MessageState.TAKEN: 1,
        MessageState.IN_FLIGHT: 1,
        MessageState.PLANNED: 2,
    }


def test_what_cannot_be_settled_now_is_recorded_all_the_same(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = unknown(house, context)
    (first, *_) = house.smsids(context, batch.batch_id)

    def busy(*_arguments: object) -> None:
        raise TryLater("ledger.busy", problem="locked")

    failed: list[MediasmsError] = []
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.operations.notifications.settle", busy)
        record(context, [replace(ROW, smsid=first, msisdn=house.number(0))], failed.append)
    assert [error.code for error in failed] == ["ledger.busy"]
    assert len(rows(context)) == 1
    assert house.states(context, batch.batch_id) == {MessageState.UNKNOWN: 4}
    notify(context, first, status="1")
    assert house.states(context, batch.batch_id) == {MessageState.TAKEN: 1, MessageState.UNKNOWN: 3}


def test_a_ledger_that_is_busy_fails_and_says_so(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_BUSY_SECONDS", 0.05)
    failed: list[MediasmsError] = []
    with context.ledger.writing(), pytest.raises(TryLater):
        record(context, [ROW], failed.append)
    assert [error.code for error in failed] == ["ledger.busy"]
    assert rows(context) == []


def test_orphans_are_reported_though_no_time_came_with_them(house: House, context: Context) -> None:
    source = house.recipients(4)
    house.sent(context, source)
    batch = house.batch(context, source)
    notify(context, f"{context.ledger.prefix}000000000000001", "foreign")
    kinds = {kind.value for kind in reconcile(context, batch).value.breaks_by_kind}
    assert "orphan_result" in kinds
    day = timedelta(days=1)
    now = context.now()
    assert len(batch_evidence(context.ledger, batch, now - day, now + day).observations) == 2
    assert len(batch_evidence(context.ledger, batch, now + day, now + 2 * day).observations) == 0


def test_notified_results_ask_for_a_reconciliation_and_not_for_a_pull(house: House, context: Context) -> None:
    source = house.recipients(4)
    house.sent(context, source)
    batch = house.batch(context, source)
    assert next_step(context, batch) is Step.PULL
    house.clock.advance(timedelta(hours=1))
    notify(context, *house.smsids(context, batch.batch_id))
    assert next_step(context, batch) is Step.RECONCILE
    reconcile(context, batch)
    assert next_step(context, batch) is None
    house.clock.advance(timedelta(hours=1))
    notify(context, *house.smsids(context, batch.batch_id), status="リダイレクト")
    assert next_step(context, batch) is Step.RECONCILE


def test_a_ledger_that_is_gone_is_not_made_anew(house: House, context: Context, database: str) -> None:
    check_readable(context.ledger)
    if database == POSTGRESQL:
        with context.ledger.writing() as connection:
            connection.exec_driver_sql("UPDATE identity SET ledger_id = 'moved-x'")
        with pytest.raises(GuardStopped) as gone:
            check_readable(context.ledger)
        assert gone.value.code == "ledger.moved"
        with pytest.raises(GuardStopped):
            record_notifications(context.ledger, [ROW], context.now())
        return
    file = Path(str(context.ledger.engine.url.database))
    for leftover in file.parent.glob(f"{file.name}*"):
        leftover.rename(house.folder / leftover.name)
    for act in (
        lambda: check_readable(context.ledger),
        lambda: record_notifications(context.ledger, [ROW], context.now()),
    ):
        with pytest.raises(GuardStopped) as missing:
            act()
        assert missing.value.code == "ledger.missing"
    assert not file.exists()
