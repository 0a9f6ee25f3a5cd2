"""Which results are one observation, in both databases: each once, however often it comes, and none for another."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from itertools import permutations
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.core.calendar import JST
from pipeline.ledger.notifications import record_notifications
from pipeline.model import Observation, ObservationPath
from pipeline.stages.reconcile import reconcile
from tests.operations.observing import observe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.context import Context
    from tests.stages.conftest import House

    Record = Callable[[Context, Sequence[Observation]], object]

TIME: Final = datetime(2026, 11, 23, 9, 31, tzinfo=JST)
#: of another system, which gives all numbers of a list one smsid
ROW: Final = Observation(
    path=ObservationPath.PULLED,
    smsid="web",
    msisdn="090-1111-2222",
    status="送信済",
    status_time=TIME,
    carrier="Docomo",
    registered_at=TIME,
)
NUMBERS: Final = ("090-1111-2222", "08011112222", "4479112345")


def notify(context: Context, rows: Sequence[Observation]) -> None:
    told = [replace(row, path=ObservationPath.NOTIFIED, registered_at=None) for row in rows]
    record_notifications(context.ledger, told, context.now())


def pull(context: Context, rows: Sequence[Observation]) -> None:
    observe(context, *rows)


def seen(context: Context) -> Counter[tuple[str, str, str]]:
    with context.ledger.reading() as connection:
        found = connection.exec_driver_sql("SELECT smsid, msisdn, stranger FROM observation")
        return Counter((smsid, msisdn, stranger) for smsid, msisdn, stranger in found)


@pytest.mark.parametrize("record", [pull, notify])
def test_rows_of_several_numbers_under_one_smsid_are_each_there_once(context: Context, record: Record) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for place, order in enumerate(permutations(NUMBERS)):
        rows = [replace(ROW, smsid=f"web{place}", msisdn=msisdn) for msisdn in order]
        for part in ([rows[0]], rows, rows[::-1], rows[1:], [rows[2]], [*rows, *rows]):
            record(context, part)
        expected += Counter((f"web{place}", msisdn) for msisdn in order)
        # The first one has the key that it had before there were numbers in any.
        keys = {msisdn: stranger for smsid, msisdn, stranger in seen(context) if smsid == f"web{place}"}
        assert [keys[msisdn] for msisdn in order] == ["", *(msisdn.replace("-", "") for msisdn in order[1:])]
    assert Counter({(smsid, msisdn): count for (smsid, msisdn, _), count in seen(context).items()}) == expected


@pytest.mark.parametrize("record", [pull, notify])
def test_a_number_that_is_spelled_otherwise_or_not_named_is_no_other(context: Context, record: Record) -> None:
    for smsid, first in (("a", "090-1111-2222"), ("b", "09011112222"), ("c", "")):
        for msisdn in (first, "09011112222", "090-1111-2222", "819011112222", "", first):
            record(context, [replace(ROW, smsid=smsid, msisdn=msisdn)])
    assert Counter(smsid for smsid, _, _ in seen(context)) == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize("order", [1, -1])
def test_each_number_under_one_smsid_of_another_system_is_a_bill(house: House, context: Context, order: int) -> None:
    source = house.recipients(1)
    house.sent(context, source)
    now = context.now()
    rows = [replace(ROW, msisdn=msisdn, status_time=now, registered_at=now) for msisdn in NUMBERS[:2]]
    pull(context, rows[::order])
    pull(context, rows)
    foreign = reconcile(context, house.batch(context, source)).value.foreign
    assert (foreign.messages, foreign.billable_messages, foreign.unpriced) == (2, 2, 0)
