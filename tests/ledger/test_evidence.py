"""What a reconciliation reads from the ledger: as it was recorded, and no more than may belong to it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import update

from pipeline.core.calendar import JST
from pipeline.core.evidence import MESSAGES, OBSERVATIONS, Evidence
from pipeline.core.numbering import ByNumber
from pipeline.ledger import evidence as reading
from pipeline.ledger.batches import get_batch
from pipeline.ledger.evidence import batch_evidence, month_evidence
from pipeline.ledger.notifications import record_notifications
from pipeline.ledger.results import record_pull
from pipeline.ledger.tables import batch as batches
from pipeline.ledger.tables import iso, message
from pipeline.model import Artefact, Batch, MonthBy, Observation, ObservationPath

if TYPE_CHECKING:
    from pipeline.context import Context
    from tests.stages.conftest import House

START: Final = datetime(2026, 11, 1, tzinfo=JST)
END: Final = datetime(2026, 12, 1, tzinfo=JST)
MOMENT: Final = timedelta(microseconds=1)
DAY: Final = timedelta(days=1)
FILES: Final = count()


def observed(smsid: str, time: datetime | None, **more: Any) -> Observation:  # noqa: ANN401 - fields of a result
    known = {"msisdn": "09010000000", "status": "送信済", "carrier": "au", "registered_at": time}
    return Observation(**{"path": ObservationPath.PULLED, "smsid": smsid, "status_time": time, **known, **more})


def pulled(context: Context, *rows: Observation) -> None:
    file = Artefact(f"results-{next(FILES):04d}.csv", "0" * 64, 1)
    record_pull(context.ledger, file, (START, END), rows, context.now())


def sent_at(context: Context, batch: Batch, *times: datetime | None) -> None:
    """Let the messages of a batch have been sent at these times, in the order of their rows."""
    with context.ledger.writing() as connection:
        for row, time in enumerate(times, 2):
            own = (message.c.batch_id == batch.batch_id, message.c.row_number == row)
            connection.execute(update(message).where(*own).values(state="taken", sent_at=iso(time) if time else None))


@pytest.fixture
def batch(house: House, context: Context) -> Batch:
    """A batch of four messages that has not been sent."""
    from pipeline.stages.planning import plan  # noqa: PLC0415 - only here

    found = house.batch(context, house.recipients(4))
    plan(context, found)
    return get_batch(context.ledger, found.batch_id)


def smsids(found: Evidence) -> list[str]:
    return list(found.messages["smsid"].to_pylist())


def test_everything_is_read_as_it_was_recorded(context: Context, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_BLOCK", 3)
    late = START + 10 * DAY + MOMENT
    sent_at(context, batch, START, late, None)
    with context.ledger.writing() as connection:
        connection.execute(update(message).where(message.c.row_number == 3).values(cost_centre="総務"))
    names = smsids(batch_evidence(context.ledger, batch, START, END))
    rows = [
        observed(names[0], late, parts_total=2),
        observed(names[1], None, status="処理中", carrier=""),
        observed("web", START),
        observed("", END - MOMENT, msisdn="09055555555"),
        observed("later", END),
    ]
    pulled(context, *rows)
    found = batch_evidence(context.ledger, batch, START, END)
    assert found.messages.schema == MESSAGES
    assert found.observations.schema == OBSERVATIONS
    assert found.observed == len(found.observations) == 4
    assert (found.batches, found.prefix) == ((batch,), context.ledger.prefix)
    messages = found.messages.to_pylist()
    assert [line["row_number"] for line in messages] == [2, 3, 4, 5]
    assert [line["sent_at"] for line in messages] == [START, late, None, None]
    assert [line["cost_centre"] for line in messages] == ["", "総務", "", ""]
    assert [line["state"] for line in messages] == ["taken", "taken", "taken", "planned"]
    assert {line["batch_id"] for line in messages} == {batch.batch_id}
    assert {line["campaign"] for line in messages} == {batch.campaign}
    assert {(line["characters"], line["double_byte"]) for line in messages} == {(6, True)}
    own = {line["smsid"]: line for line in found.observations.to_pylist()}
    for row in rows[:-1]:
        assert own[row.smsid] == {name: getattr(row, name, None) for name in OBSERVATIONS.names}


def test_an_empty_batch_has_empty_tables(house: House, context: Context) -> None:
    found = batch_evidence(context.ledger, house.batch(context, house.recipients(1)), START, END)
    assert (len(found.messages), len(found.observations), found.observed) == (0, 0, 0)
    assert found.messages.schema == MESSAGES


def month(context: Context, month_by: MonthBy = MonthBy.TAKEN) -> Evidence:
    return month_evidence(context.ledger, START, END, month_by, DAY)


@pytest.mark.parametrize(
    ("times", "belongs"),
    [
        ((START, START, START, START), True),
        ((START - MOMENT, START - MOMENT, START - MOMENT, START), True),
        ((END - MOMENT, END, END, END), True),
        ((START - MOMENT,) * 4, False),
        ((END,) * 4, False),
    ],
)
def test_a_month_reads_the_batches_of_which_something_was_sent_in_it(
    context: Context, batch: Batch, times: tuple[datetime, ...], *, belongs: bool
) -> None:
    sent_at(context, batch, *times)
    assert bool(month(context).batches) is belongs
    assert len(month(context).messages) == (4 if belongs else 0)


def test_a_month_by_delivery_reads_what_was_sent_before_it(context: Context, batch: Batch) -> None:
    """However long before, and only where something of it happened in the month."""
    sent_at(context, batch, *[START - 100 * DAY] * 4)
    smsid = smsids(batch_evidence(context.ledger, batch, START, END))[0]
    for outside in (START - MOMENT, END):
        pulled(context, observed(smsid, outside))
        assert not month(context, MonthBy.DELIVERED).batches
    pulled(context, observed(smsid, END - MOMENT))
    assert not month(context).batches
    assert month(context, MonthBy.DELIVERED).batches == (batch,)


def test_what_was_not_sent_is_read_with_the_month_of_its_batch(context: Context, batch: Batch) -> None:
    assert month(context).batches == (batch,)
    with context.ledger.writing() as connection:
        connection.execute(update(batches).values(registered_at=iso(END)))
    assert not month(context).batches


def test_a_batch_of_rejected_rows_belongs_to_its_month_and_one_that_nobody_planned_to_none(
    house: House, context: Context
) -> None:
    house.batch(context, house.recipients(2))
    rejected = house.batch(context, house.write("r.csv", [["電話番号", "本文"], ["1", "本文"]]), "d")
    assert [found.batch_id for found in month(context).batches] == [rejected.batch_id]


def test_results_of_nobody_are_read_around_the_month(context: Context) -> None:
    times = [START - DAY - MOMENT, START - DAY, START, END, END + DAY - MOMENT, END + DAY]
    pulled(context, *(observed(f"web{number}", time) for number, time in enumerate(times)))
    pulled(context, observed("timeless", START, registered_at=None), observed("never", None))
    found = month(context)
    assert sorted(found.observations["smsid"].to_pylist()) == ["timeless", "web1", "web2", "web3", "web4"]
    assert found.observed == 5


def test_rows_of_one_file_that_are_alike_are_kept_however_often_they_are_pulled(context: Context) -> None:
    one, other, named = observed("", START), observed("", START, msisdn="09055555555"), observed("web", START)
    for rows in ([one, one, other, named, named], [one], [other, one, one, one], [one, one]):
        pulled(context, *rows)
    found = month(context).observations.to_pylist()
    counts = Counter((row["smsid"], row["msisdn"]) for row in found)
    assert counts == {("", one.msisdn): 3, ("", other.msisdn): 1, ("web", named.msisdn): 1}


def test_results_of_nobody_with_a_late_bill_are_read_with_its_month(context: Context) -> None:
    pulled(context, *(observed(f"web{days}", START, registered_at=START - days * DAY) for days in (59, 161)))
    assert not len(month(context).observations)
    found = month(context, MonthBy.DELIVERED)
    assert sorted(found.observations["smsid"].to_pylist()) == ["web161", "web59"]
    assert found.observed == 2


def test_results_of_nobody_without_a_registration_are_of_when_they_came(context: Context) -> None:
    notified = {"path": ObservationPath.NOTIFIED, "registered_at": None}
    rows = [observed("timeless", None, **notified), observed("timed", START, **notified)]
    record_notifications(context.ledger, [*rows, observed("", START, **notified)], context.now())
    read = {row["smsid"]: row for row in month(context).observations.to_pylist()}
    assert {row["registered_at"] for row in read.values()} == {None}
    assert {name: (row["status_time"], row["received_at"]) for name, row in read.items()} == {
        "timeless": (None, context.now()),
        "timed": (START, context.now()),
        "": (START, context.now()),
    }


def test_by_number_what_is_of_another_batch_is_left_out(house: House, context: Context) -> None:
    from pipeline.stages.planning import plan  # noqa: PLC0415 - only here

    margin, minute = timedelta(minutes=5), timedelta(minutes=1)
    times = [END - 4 * minute, END + 2 * minute, END + 11 * minute, END + DAY]
    found = []
    for number, time in enumerate(times):
        source = house.recipients(1, f"{number}.csv", text=f"本文{number}")
        plan(context, planned := house.batch(context, source, f"c{number}"))
        found.append(planned)
        sent_at(context, planned, time)
    rows = [
        observed("", time + minute, msisdn=house.number(0), status=str(number)) for number, time in enumerate(times[:3])
    ]
    pulled(context, *rows, observed("", END + 11 * minute, msisdn="08099999999", status="web"))

    def statuses(evidence: Evidence) -> list[str]:
        assert evidence.observed == len(evidence.observations)
        return sorted(evidence.observations["status"].to_pylist())

    def read(by_number: ByNumber | None) -> list[list[str]]:
        periods = [(time - margin, time + margin) for time in times]
        evidence = [
            batch_evidence(context.ledger, each, *period, by_number=by_number)
            for each, period in zip(found, periods, strict=True)
        ]
        assert [len(each.messages) for each in evidence] == [1] * len(found)
        return list(map(statuses, evidence))

    by_number = ByNumber(margin, context.statuses)
    assert read(None) == [["0"], ["0", "1"], ["2", "web"], []]
    assert read(by_number) == [["0"], ["1"], ["2", "web"], []]
    november = month_evidence(context.ledger, START, END, MonthBy.TAKEN, DAY, by_number=by_number)
    assert (statuses(november), [each.campaign for each in november.batches]) == (["0", "web"], ["c0"])


def test_the_ledgers_own_count_sees_what_was_read(context: Context, batch: Batch) -> None:
    sent_at(context, batch, *[START] * 4)
    names = smsids(month(context))
    pulled(context, *(observed(name, START) for name in names), observed("web", START))
    assert (month(context).observed, len(month(context).observations)) == (5, 5)
