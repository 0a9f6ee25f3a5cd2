"""Reconciliation: single rules, written out. ``test_worlds`` compares whole worlds with a reference."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.core.matching import Deadlines
from pipeline.core.reconciling import reconcile
from pipeline.model import (
    BatchSubject,
    BreakKind,
    Dimension,
    MessageClass,
    MessageKind,
    MessageState,
    MonthBy,
    MonthPhase,
    MonthSubject,
    Observation,
    OpenCost,
    Reconciliation,
)
from tests.core.naive import Sent, batch_of, evidence_of, observed
from tests.core.worlds import ABROAD, AS_OF, BORDER, RESULT, STATUSES, TARIFF, YEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.core.lines import MessageLines

NUMBER: Final = "09011112222"
MINUTE: Final = timedelta(minutes=1)


def run(
    messages: Sequence[Sent] = (),
    rows: Sequence[Observation] = (),
    *,
    month: str | None = None,
    month_by: MonthBy = MonthBy.TAKEN,
    counted: int | None = None,
    accepted: int | None = None,
    by_number: timedelta | None = None,
    registered: datetime = BORDER - MINUTE,
) -> tuple[Reconciliation, MessageLines]:
    batch = batch_of(registered=registered, accepted=len(messages) if accepted is None else accepted)
    return reconcile(
        evidence_of(messages, rows, batch, counted=counted),
        month,
        statuses=STATUSES,
        tariff=TARIFF,
        deadlines=Deadlines(AS_OF, RESULT, by_number=by_number),
        month_by=month_by,
        provenance={},
    )


def sent(smsid: str = "a", at: datetime | None = BORDER, **more: object) -> Sent:
    return Sent(smsid=smsid, sent_at=at, **more)  # type: ignore[arg-type]  # fields of it


def row(status: str, time: datetime | None, smsid: str = "a", **more: object) -> Observation:
    return observed(smsid, NUMBER, status, time, **{"carrier": "au", **more})


@pytest.mark.parametrize(
    ("moment", "day", "amount"),
    [
        (BORDER - timedelta(microseconds=1), date(2026, 3, 31), "8.3"),
        (BORDER, date(2026, 4, 1), "8.7"),
    ],
)
def test_days_months_prices_and_taxes_change_at_midnight_in_japan(moment: datetime, day: date, amount: str) -> None:
    messages, rows = [sent(at=moment)], [row("送信済", BORDER + timedelta(days=1))]
    for month in ("2026-03", "2026-04"):
        value, lines = run(messages, rows, month=month)
        if month == f"{day:%Y-%m}":
            (line,) = lines
            assert (line.day, line.amount) == (day, Decimal(amount))
            rate = Decimal("0.08") if day.month == 3 else Decimal("0.10")
            assert value.amount.tax == Decimal(amount) * rate
        else:
            assert not len(lines)
            assert value.messages == value.amount.total == 0


def test_a_month_by_delivery_goes_by_the_first_bill_and_a_click_never_moves_it() -> None:
    before = BORDER - MINUTE
    messages = [sent(at=before - MINUTE)]
    rows = [row("リダイレクト", before - MINUTE), row("送信済", BORDER), row("送信済", BORDER + MINUTE)]
    months = {
        month: run(messages, rows, month=month, month_by=MonthBy.DELIVERED)[0] for month in ("2026-03", "2026-04")
    }
    assert months["2026-03"].messages == 0
    assert months["2026-04"].amount.untaxed == Decimal("8.7")
    assert [line.name for line in months["2026-04"].groups[Dimension.DAY]] == ["2026-04-01"]
    clicked = run(
        messages, [row("送信済", before), row("リダイレクト", BORDER)], month="2026-03", month_by=MonthBy.DELIVERED
    )
    assert clicked[0].amount.untaxed == Decimal("8.3")


def test_what_was_not_delivered_belongs_to_the_day_it_was_sent_and_else_to_its_batch() -> None:
    messages = [
        sent("failed", BORDER - MINUTE),
        sent("open", BORDER, row_number=3),
        sent("planned", None, state=MessageState.PLANNED, row_number=4),
    ]
    rows = [row("失敗", BORDER + timedelta(days=2), "failed")]
    _, lines = run(messages, rows, month_by=MonthBy.DELIVERED)
    assert {line.smsid: line.day for line in lines} == {
        "failed": date(2026, 3, 31),
        "open": date(2026, 4, 1),
        "planned": date(2026, 3, 31),
    }


def test_two_bills_are_one_with_the_other_at_risk() -> None:
    rows = [row("送信済", BORDER + number * MINUTE) for number in (1, 2, 3, 3)]
    value, _ = run([sent()], rows)
    assert (value.billable_messages, value.amount.untaxed) == (1, Decimal("8.7"))
    (found,) = value.breaks
    assert (found.kind, found.smsid, found.row_number) == (BreakKind.DUPLICATE_BILLABLE, "a", 2)
    assert found.at_risk == 2 * Decimal("8.7")


def test_what_is_pending_may_come_to_the_price_of_the_dearest_carrier() -> None:
    """By its length, its kind and the prices of its day."""
    lately = AS_OF - timedelta(days=1)
    messages = [
        sent("a", lately, characters=70),
        sent("b", lately, row_number=3, characters=71),
        sent("c", lately, row_number=4, msisdn="14155550000"),
        sent("d", lately, row_number=5),
        sent("e", lately, row_number=6, characters=700),
    ]
    rows = [row("処理中", lately, "a"), row("送信済", lately, "d")]
    dearest = max(new for _, new in YEN.values())
    april, _ = run(messages, rows, month="2026-04")
    highest = Decimal(dearest + 2 * dearest) / 10 + ABROAD[0]
    assert april.pending_cost == OpenCost(messages=4, highest=highest, unpriced=1)
    assert april.unknown_cost == OpenCost()


@pytest.mark.parametrize("state", [MessageState.UNKNOWN, MessageState.IN_FLIGHT])
def test_what_nobody_knows_may_come_to_the_same_and_is_counted_on_its_own(state: MessageState) -> None:
    lately = AS_OF - timedelta(days=1)
    messages = [sent("a", lately, state=state, characters=71), sent("b", lately, row_number=3, state=state)]
    messages += [sent("c", lately, row_number=4), sent("d", lately, row_number=5, state=MessageState.PLANNED)]
    april, _ = run(messages, [], month="2026-04")
    dearest = Decimal(max(new for _, new in YEN.values())) / 10
    assert april.unknown_cost == OpenCost(messages=2, highest=3 * dearest)
    assert april.pending_cost == OpenCost(messages=1, highest=dearest)


def test_an_overseas_number_is_a_kind_of_its_own() -> None:
    message = sent(msisdn="14155550000")
    value, lines = run([message], [observed("a", "14155550000", "送信済", BORDER, carrier="AT&T")])
    (line,) = lines
    assert (line.kind, line.amount) == (MessageKind.OVERSEAS, Decimal("25.5"))
    assert [(group.name, group.amount) for group in value.groups[Dimension.KIND]] == [("overseas", Decimal("25.5"))]


def test_a_batch_has_no_campaigns_and_a_month_has() -> None:
    messages = [sent(cost_centre="A"), sent("b", campaign="d", row_number=3)]
    value, _ = run(messages)
    assert isinstance(value.subject, BatchSubject)
    assert value.groups.keys() == set(Dimension) - {Dimension.CAMPAIGN}
    month, _ = run(messages, month="2026-04")
    assert month.subject == MonthSubject(month="2026-04", batches=1, phase=MonthPhase.RUNNING)
    assert month.name == "2026-04"
    assert {line.name: line.messages for line in month.groups[Dimension.CAMPAIGN]} == {"c": 1, "d": 1}
    assert {line.name: line.messages for line in month.groups[Dimension.COST_CENTRE]} == {"A": 1, "": 1}


def test_a_foreign_message_may_come_back_in_several_rows_and_days() -> None:
    first, second = BORDER - timedelta(days=1), BORDER
    numbers = {"au": "08000000001"}
    rows = [
        observed("", numbers["au"], status, time, carrier="au", registered_at=registered)
        for status, time, registered in (
            ("失敗", first, first),
            ("送信済", second, first),
            ("リダイレクト", second, first),
            ("送信済", second, second),
        )
    ]
    rows.append(observed("", "08000000002", "処理中", None, carrier="au"))
    foreign = run([], rows)[0].foreign
    assert (foreign.messages, foreign.billable_messages, foreign.billable_units) == (3, 2, 2)
    assert foreign.amount == Decimal("17.0")
    march = run([], rows, month="2026-03")[0]
    assert (march.foreign.messages, march.foreign.amount) == (1, Decimal("8.3"))
    assert all(equation.holds for equation in march.equations)


def test_an_unpriced_foreign_message_is_an_alarm_of_its_own() -> None:
    value, _ = run([], [observed("x", "08000000001", "送信済", BORDER, carrier="Unheard")])
    assert [(found.kind, found.smsid, found.facts) for found in value.breaks] == [
        (BreakKind.UNPRICED, "", {"foreign": "1"})
    ]
    assert not value.balanced


def test_orphans_are_alarms_and_no_messages() -> None:
    value, _ = run([sent()], [observed("lost1", NUMBER, "送信済", BORDER, carrier="au"), row("送信済", BORDER)])
    assert [(found.kind, found.smsid, found.facts) for found in value.breaks] == [
        (BreakKind.ORPHAN_RESULT, "lost1", {"status": "送信済"})
    ]
    assert value.foreign.messages == 0
    assert value.equations[3].terms == {"matched": 1, "foreign": 0, "orphan": 1}


@pytest.mark.parametrize("registered", [BORDER, None])
def test_a_bill_without_any_time_falls_on_its_registration_or_on_that_of_its_batch(
    registered: datetime | None,
) -> None:
    value, lines = run([sent(at=None)], [row("送信済", None, registered_at=registered)])
    (line,) = lines
    assert line.day == (date(2026, 4, 1) if registered else date(2026, 3, 31))
    assert (line.amount, line.observed_at) == (Decimal("8.7") if registered else Decimal("8.3"), None)
    assert value.balanced


def test_rows_the_ledger_counts_but_we_do_not_see_unbalance() -> None:
    value, _ = run([sent()], [row("送信済", BORDER)], counted=2, accepted=2)
    assert {equation.name: equation.holds for equation in value.equations} == {
        "input": True,
        "accepted": False,
        "messages": True,
        "observations": False,
    }
    assert not value.balanced


@pytest.mark.parametrize("month", [None, "2026-03"])
def test_an_empty_batch_is_balanced(month: str | None) -> None:
    value, lines = run(month=month)
    assert not list(lines)
    assert not value.statuses
    assert value.messages == value.amount.total == 0
    assert value.balanced


def test_numbers_are_matched_one_to_one_in_the_order_of_time() -> None:
    messages = [sent(f"a{number}", BORDER + number * MINUTE, row_number=number + 2) for number in range(3)]
    rows = [
        observed("", "090-1111-2222", status, None, carrier="au", registered_at=BORDER + minute * MINUTE)
        for status, minute in (("失敗", 1), ("処理中", 0), ("送信済", 0), ("送信済", 60))
    ]
    value, lines = run(messages, rows, by_number=timedelta(minutes=5))
    assert [(line.message_class, line.by_number) for line in lines] == [
        (MessageClass.DELIVERED, True),
        (MessageClass.FAILED, True),
        (MessageClass.MISSING, False),
    ]
    assert value.by_number == 2
    # What was registered an hour later is somebody else's.
    assert (value.foreign.messages, value.foreign.billable_messages) == (1, 1)
    assert all(not line.by_number for line in run(messages, rows)[1])


@pytest.mark.parametrize("state", [MessageState.UNKNOWN, MessageState.IN_FLIGHT, MessageState.PLANNED])
def test_a_number_settles_nothing(state: MessageState) -> None:
    rows = [observed("", NUMBER, "送信済", BORDER, carrier="au", registered_at=BORDER)]
    value, lines = run([sent(state=state)], rows, by_number=timedelta(minutes=5))
    (line,) = lines
    assert line.message_class is (MessageClass.PLANNED if state is MessageState.PLANNED else MessageClass.UNKNOWN)
    assert (line.billable, line.by_number, value.foreign.billable_messages) == (False, False, 1)


def test_deliveries_are_counted_by_the_hour_in_japan() -> None:
    messages = [sent(f"a{number}", row_number=number + 2) for number in range(4)]
    times = (0, 59, 60)
    rows = [row("送信済", BORDER + minute * MINUTE, f"a{at}") for at, minute in enumerate(times)]
    rows += [row("リダイレクト", BORDER + timedelta(hours=5), "a0"), row("失敗", BORDER, "a3")]
    value, _ = run(messages, rows)
    assert [(begin.isoformat(), count) for begin, count in value.deliveries] == [
        ("2026-04-01T00:00:00+09:00", 2),
        ("2026-04-01T01:00:00+09:00", 1),
    ]


def test_the_oldest_pending_message_is_one_that_was_sent() -> None:
    waits = AS_OF.astimezone(UTC) - timedelta(days=1)
    messages = [sent("a", waits), sent("b", waits + MINUTE, row_number=3), sent("c", None, row_number=4)]
    assert run(messages)[0].oldest_pending == waits
    assert run([sent("c", None)])[0].oldest_pending is None


def test_lines_show_times_as_clocks_in_japan_do() -> None:
    (line,) = run([sent()], [row("送信済", BORDER + MINUTE)])[1]
    assert line.sent_at is not None
    assert line.observed_at is not None
    assert (line.sent_at.isoformat(), line.observed_at.isoformat()) == (
        "2026-04-01T00:00:00+09:00",
        "2026-04-01T00:01:00+09:00",
    )


@pytest.mark.parametrize(("characters", "breaks", "parts"), [(0, 0, 3), (20, 1, 3)])
def test_of_a_template_nobody_knew_only_the_results_say_the_parts(characters: int, breaks: int, parts: int) -> None:
    rows = [row("送信済", BORDER + MINUTE, parts_delivered=3, parts_total=3)]
    value, lines = run([sent(characters=characters, double_byte=bool(characters))], rows)
    assert [line.parts for line in lines] == [parts]
    assert sum(found.kind is BreakKind.SEGMENT_MISMATCH for found in value.breaks) == breaks
