from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import Exit, OutcomeUnknown
from pipeline.simulator import Knobs
from pipeline.stages.pull import pull
from pipeline.stages.reconcile import reconcile

if TYPE_CHECKING:
    from pipeline.context import Context
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
    assert len(first.lines) == 5
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
    assert (value.messages, value.totals.accepted, value.balanced) == (0, 5, False)
