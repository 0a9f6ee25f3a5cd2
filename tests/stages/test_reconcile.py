from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from pipeline.core.calendar import JST
from pipeline.errors import Exit, OutcomeUnknown
from pipeline.ledger import dispatches
from pipeline.ledger.results import settle
from pipeline.model import Dimension, MessageClass, MonthPhase, MonthSubject
from pipeline.operations.cancel import cancel, look_up
from pipeline.simulator import Knobs
from pipeline.stages.months import reconcile_month
from pipeline.stages.pull import pull
from pipeline.stages.reconcile import reconcile
from pipeline.stages.send import send
from tests.operations.observing import observe, result, sent

if TYPE_CHECKING:
    from pipeline.context import Context
    from pipeline.ledger import Ledger
    from pipeline.ledger.repeats import Seen
    from pipeline.model import Batch, Dispatch
    from tests.stages.conftest import House

PRICES = {
    "Docomo": Decimal("8.5"),
    "au": Decimal("8.5"),
    "SoftBank": Decimal("9.2"),
    "Rakuten": Decimal("8.8"),
}
BILLED = {"送信済", "リダイレクト"}


def test_numbers_agree_with_an_independent_count_of_the_results(house: House, context: Context) -> None:
    source = house.recipients(30)
    house.sent(context, source)
    house.clock.advance(timedelta(days=3))
    (name,) = pull(context).files
    with Path(name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    carrier = {row[17]: row[19] for row in rows}
    last = {row[17]: row[11] for row in sorted(rows, key=lambda row: row[12])}
    billed = {row[17] for row in rows if row[11] in BILLED}
    labels = Counter("送信済" if smsid in billed else label for smsid, label in last.items())
    untaxed = sum((PRICES[carrier[smsid]] for smsid in billed), Decimal(0))

    value = reconcile(context, house.batch(context, source)).value
    assert value.messages == 30 == len(last)
    assert value.billable_messages == value.billable_units == len(billed)
    assert {line.label: line.messages for line in value.statuses} == labels
    assert value.amount.untaxed == untaxed
    assert value.amount.tax == untaxed * Decimal("0.10")
    assert value.balanced
    assert value.equations[3].total == len(rows)


def test_everything_is_written_and_never_overwritten(house: House, context: Context) -> None:
    source = house.recipients(5)
    house.sent(context, source)
    house.clock.advance(timedelta(days=3))
    pull(context)
    batch = house.batch(context, source)
    first, second = reconcile(context, batch), reconcile(context, batch)
    assert first.exit is Exit.DONE
    paths = [Path(path) for done in (first, second) for path in done.artefacts.values()]
    assert all(path.stat().st_size for path in paths)
    reports = [
        {path.name for path in map(Path, done.artefacts.values()) if "-2026" in path.name} for done in (first, second)
    ]
    assert reports[0].isdisjoint(reports[1])
    assert {name.rpartition(".")[2] for name in reports[0]} == {"json", "xlsx", "html"}
    assert len(list(first.lines)) == len(list(first.lines)) == 5
    written = next(path for path in paths if path.suffix == ".json")
    assert json.loads(written.read_text(encoding="utf-8")) == json.loads(json.dumps(first.document))
    assert first.document["exit"] == 0
    assert first.document["balanced"] is True


def test_rejected_rows_are_findings(house: House, context: Context) -> None:
    source = house.write("l.csv", [["tel", "text"], [house.number(1), "本文"], ["1", "本文"]])
    house.sent(context, source)
    house.clock.advance(timedelta(days=3))
    pull(context)
    assert reconcile(context, house.batch(context, source)).exit is Exit.FINDINGS


def test_pending_is_no_finding_but_missing_is(house: House, context: Context) -> None:
    source = house.recipients(5)
    house.sent(context, source)
    batch = house.batch(context, source)
    assert reconcile(context, batch).exit is Exit.DONE
    house.clock.advance(timedelta(days=9))
    late = reconcile(context, batch)
    assert late.exit is Exit.FINDINGS
    assert {kind.value: count for kind, count in late.value.breaks_by_kind.items()} == {"missing_result": 5}


def test_an_open_outcome_decides_the_exit_code(house: House, context: Context) -> None:
    source = house.recipients(5)
    house.gateway.knobs = Knobs(accept_then_reset=True)
    with pytest.raises(OutcomeUnknown):
        house.sent(context, source)
    assert reconcile(context, house.batch(context, source)).exit is Exit.UNKNOWN


def test_a_batch_that_was_only_registered_can_be_looked_at(house: House, context: Context) -> None:
    value = reconcile(context, house.batch(context, house.recipients(5))).value
    assert (value.messages, value.totals.accepted, value.balanced) == (0, 5, True)
    assert value.equations[1].terms == {"messages": 0, "not_planned": 5}


def split(house: House, context: Context) -> list[Batch]:
    """Send two batches: one in two dispatches on both sides of midnight at a month's end in Japan, one before it."""
    midnight = datetime(2026, 12, 1, tzinfo=JST)
    house.clock.advance(midnight - timedelta(minutes=1) - house.clock.now())
    early = house.recipients(3, "early.csv", first=100)
    house.sent(context, early, "early")
    source = house.recipients(10)
    begun = dispatches.begin_dispatch

    def at_midnight(ledger: Ledger, value: Dispatch, _now: datetime, seen: Seen | None) -> int | None:
        if value.number == 2:
            house.clock.advance(midnight - house.clock.now())
        return begun(ledger, value, house.clock.now(), seen)

    with patch("pipeline.stages.send.begin_dispatch", at_midnight):
        house.sent(context, source, "late")
    house.clock.advance(timedelta(days=3))
    pull(context)
    return [house.batch(context, early, "early"), house.batch(context, source, "late")]


def test_a_campaign_over_midnight_is_split_between_its_months(house: House, context: Context) -> None:
    batches = split(house, context)
    november, december = (reconcile_month(context, month) for month in ("2026-11", "2026-12"))
    assert [done.value.messages for done in (november, december)] == [8, 5]
    assert [done.value.subject for done in (november, december)] == [
        MonthSubject(month="2026-11", batches=2),
        MonthSubject(month="2026-12", batches=1, phase=MonthPhase.RUNNING),
    ]
    campaigns = {line.name: line.messages for line in november.value.groups[Dimension.CAMPAIGN]}
    assert campaigns == {"early": 3, "late": 5}
    assert [line.name for line in november.value.groups[Dimension.DAY]] == ["2026-11-30"]
    assert [line.name for line in december.value.groups[Dimension.DAY]] == ["2026-12-01"]
    whole = [reconcile(context, batch).value.amount for batch in batches]
    months = [november.value.amount, december.value.amount]
    assert sum(amount.untaxed for amount in months) == sum(amount.untaxed for amount in whole)
    assert sum(amount.tax for amount in months) == sum(amount.tax for amount in whole)
    for done in (november, december):
        assert all(equation.holds for equation in done.value.equations)
        assert {line.day.isoformat()[:7] for line in done.lines if line.day} == {done.value.name}
    assert december.value.equations[1].terms == {"messages": 5, "other_months": 5}
    assert reconcile_month(context, "2027-01").value.messages == 0


def test_a_months_reports_lie_in_its_folder_and_are_never_overwritten(house: House, context: Context) -> None:
    split(house, context)
    first, second = reconcile_month(context, "2026-12"), reconcile_month(context, "2026-12")
    folder = context.workspace.root / "months" / "2026-12"
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted([*first.artefacts, *second.artefacts])
    assert {name.rpartition("-")[2] for name in names} == {
        f"{number:02d}.{kind}" for number in (1, 2) for kind in ("json", "xlsx", "html")
    }
    assert all(Path(path).parent == folder for path in first.artefacts.values())
    written = next(path for name, path in first.artefacts.items() if name.endswith(".json"))
    assert json.loads(Path(written).read_text(encoding="utf-8")) == json.loads(json.dumps(first.document))


def test_a_month_goes_by_delivery_where_the_settings_say_so(house: House, context: Context) -> None:
    midnight = datetime(2026, 12, 1, tzinfo=JST)
    house.clock.advance(midnight - timedelta(seconds=1) - house.clock.now())
    house.sent(context, house.recipients(10))
    house.clock.advance(timedelta(days=3))
    pull(context)
    by_delivery = house.open(BILLING_MONTH_BY="delivered")
    taken = reconcile_month(context, "2026-11").value
    assert taken.messages == 10
    november, december = (reconcile_month(by_delivery, month).value for month in ("2026-11", "2026-12"))
    assert november.billable_messages == 0
    assert december.messages == december.billable_messages == taken.billable_messages > 0
    assert november.messages + december.messages == 10
    assert december.amount.untaxed == taken.amount.untaxed


def test_results_without_smsid_are_matched_by_number_and_settle_nothing(house: House, context: Context) -> None:
    source = house.recipients(5)
    house.sent(context, source)
    house.clock.advance(timedelta(days=3))
    pull(context)
    with context.ledger.writing() as connection:
        connection.exec_driver_sql("UPDATE observation SET stranger = smsid, smsid = ''")
        connection.exec_driver_sql("UPDATE message SET state = 'unknown' WHERE row_number = 2")
    batch = house.batch(context, source)
    assert reconcile(context, batch).value.by_number == 0
    columns = context.profile.layout.by_field
    with patch.dict(columns, {"smsid": columns["smsid"].model_copy(update={"direction": "send"})}):
        done = reconcile(context, batch)
    assert done.value.by_number == 4
    assert [line.by_number for line in done.lines] == [False, True, True, True, True]
    assert done.value.classes[MessageClass.UNKNOWN] == 1
    assert done.exit is Exit.UNKNOWN
    assert settle(context.ledger, context.now()) == {}


def test_by_number_what_was_cancelled_leaves_its_results_to_the_corrected_message_of_another_campaign(
    house: House, context: Context
) -> None:
    house.gateway.knobs = Knobs(hold_seconds=3600, fate="at_once")
    columns = context.profile.layout.by_field
    with patch.dict(columns, {"smsid": columns["smsid"].model_copy(update={"direction": "send"})}):
        wrong = house.batch(context, house.recipients(1))
        send(context, wrong)
        cancel(context, look_up(context, [wrong.batch_id]), actor="me")
        house.clock.advance(timedelta(minutes=2))
        right = house.batch(context, house.recipients(1, "right.csv", text="訂正です"), "corrected")
        send(context, right)
        (message,) = sent(context, right.batch_id)
        observe(context, replace(result(message, "送信済", context.now() + timedelta(hours=1)), smsid=""))
        values = [reconcile(context, batch).value for batch in (wrong, right)]
    classes = [{MessageClass.CANCELLED: 1}, {MessageClass.DELIVERED: 1}]
    assert [(value.classes, value.breaks_by_kind) for value in values] == [(each, {}) for each in classes]
