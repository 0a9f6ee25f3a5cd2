"""Reconciliation against an independent reference on random worlds: every count and every yen."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.model import Break, BreakKind, Dimension, MessageClass, MonthBy, Reconciliation
from tests.core.reference_money import Result, Rules, grouped, read
from tests.core.worlds import (
    ABROAD,
    AS_OF,
    CHECKED,
    CHECKS,
    MARGIN,
    PREFIX,
    RESULT,
    TABLE,
    THEN_SENT,
    YEN,
    World,
    batch_world,
    random_world,
    reconciled,
)

if TYPE_CHECKING:
    from pipeline.model import MessageLine

RULES: Final = Rules(TABLE, YEN, ABROAD, CHECKS, CHECKED, THEN_SENT, AS_OF, RESULT, MARGIN, PREFIX)
MONTHS: Final = ("2026-03", "2026-04")
OPEN: Final = (MessageClass.PENDING, MessageClass.MISSING)


def reference(world: World, month: str | None, month_by: MonthBy) -> Result:
    registered = {batch.batch_id: batch.registered_at for batch in world.batches}
    delivered = month_by is MonthBy.DELIVERED
    return read(world.files(), RULES, registered, month, delivered=delivered, by_number=world.by_number)


@pytest.mark.unmeasured
@pytest.mark.parametrize("seed", range(200))
def test_a_random_world_reads_as_the_reference_reads_it(seed: int) -> None:
    world = random_world(seed)
    month_by = MonthBy.DELIVERED if seed % 2 else MonthBy.TAKEN
    for month in MONTHS:
        check(world, month, month_by)
    check(batch_world(world), None, month_by)


def check(world: World, month: str | None, month_by: MonthBy) -> None:
    value, lines = reconciled(world, month, month_by)
    expected = reference(world, month, month_by)
    said = list(expected.messages.values())
    assert [line.smsid for line in lines] == list(expected.messages)
    for line, one in zip(lines, said, strict=True):
        assert line_of(line) == {name: one[name] for name in line_of(line)}, line.smsid
    assert Counter(map(break_of, value.breaks)) == expected.breaks
    assert list(value.breaks) == sorted(value.breaks, key=lambda found: (found.kind.value, found.smsid))
    check_sums(value, expected)
    check_equations(world, value, expected, month)


def line_of(line: MessageLine) -> dict[str, object]:
    return {
        "class": line.message_class.value,
        "label": line.label,
        "carrier": line.carrier,
        "parts": line.parts,
        "day": line.day,
        "kind": line.kind.value,
        "billable": line.billable,
        "amount": line.amount,
        "observed_at": line.observed_at,
        "state": line.state.value,
        "campaign": line.campaign,
        "cost_centre": line.cost_centre,
        "batch_id": line.batch_id,
        "msisdn": line.msisdn,
        "sent_at": line.sent_at.astimezone(UTC).isoformat() if line.sent_at else "",
        "by_number": line.by_number,
    }


def break_of(found: Break) -> tuple[str, str, int | None, str, Decimal | None]:
    return (found.kind.value, found.smsid, found.row_number, " ".join(found.facts.values()), found.at_risk)


def check_sums(value: Reconciliation, expected: Result) -> None:
    said = list(expected.messages.values())
    assert Counter(value.states) == Counter(one["state"] for one in said)
    assert Counter(value.classes) == Counter(one["class"] for one in said)
    assert value.opted_out == sum(one["reason"] == "opted_out" for one in said)
    assert value.by_number == sum(one["by_number"] for one in said)
    waiting = [one["sent_at"] for one in said if one["class"] == "pending" and one["sent_at"]]
    assert (value.oldest_pending.isoformat() if value.oldest_pending else None) == jst_text(min(waiting, default=None))
    for open_class, cost in (("pending", value.pending_cost), ("unknown", value.unknown_cost)):
        more = [one["more"] for one in said if one["class"] == open_class]
        assert (cost.messages, cost.unpriced) == (len(more), more.count(None))
        assert cost.highest == sum((each for each in more if each is not None), Decimal(0))
    statuses = {}
    for one in said:
        one["status"] = f"{one['class']} {one['label']}"
    for line in value.statuses:
        key = f"{line.message_class.value} {line.label}"
        statuses[key] = (line.messages, line.billable_messages, line.billable_units, line.amount)
    assert statuses == {
        key: (messages, bills, units, amount)
        for key, (messages, _, _, bills, units, amount, _) in grouped(said, "status").items()
    }
    for dimension, lines in value.groups.items():
        found = {
            line.name: (
                line.messages,
                line.delivered,
                line.failed,
                line.billable_messages,
                line.billable_units,
                line.amount,
                line.unpriced,
            )
            for line in lines
        }
        assert found == grouped(said, dimension.value)
    assert value.amount.untaxed == sum((one["amount"] or 0 for one in said), Decimal(0))
    assert value.amount.tax == expected.tax
    hours = Counter(
        one["observed_at"].replace(minute=0, second=0, microsecond=0)
        for one in said
        if one["class"] == "delivered" and one["observed_at"]
    )
    assert list(value.deliveries) == sorted(hours.items())
    foreign = value.foreign
    assert expected.foreign == {
        "messages": foreign.messages,
        "billable": foreign.billable_messages,
        "units": foreign.billable_units,
        "amount": foreign.amount,
        "unpriced": foreign.unpriced,
        "groups": sum(
            (Counter({(each.carrier, each.parts, each.amount): each.messages}) for each in foreign.groups), Counter()
        ),
    }


def jst_text(cell: str | None) -> str | None:
    if cell is None:
        return None
    local = datetime.fromisoformat(cell) + timedelta(hours=9)
    return local.isoformat().replace("+00:00", "+09:00")


def check_equations(world: World, value: Reconciliation, expected: Result, month: str | None) -> None:
    terms = {equation.name: {name: n for name, n in equation.terms.items() if n} for equation in value.equations}
    counts = expected.terms
    seen = {name: counts.get(name, 0) for name in ("matched", "foreign", "orphan", "other_months")}
    assert terms["observations"] == {name: count for name, count in seen.items() if count}
    touched = {one["batch_id"] for one in expected.messages.values()}
    batches = [batch for batch in world.batches if month is None or batch.batch_id in touched]
    empty = [batch for batch in world.batches if not batch.totals.accepted and month is not None]
    batches += [batch for batch in empty if f"{batch.registered_at + timedelta(hours=9):%Y-%m}" == month]
    accepted = sum(batch.totals.accepted for batch in batches)
    assert value.totals.accepted == accepted
    assert value.totals.rows == sum(batch.totals.rows for batch in batches)
    assert value.totals.rejected == sum(batch.totals.rejected for batch in batches)
    assert value.repaired == len(batches)
    others = {"other_months": accepted - len(expected.messages)} if accepted > len(expected.messages) else {}
    own = {"messages": len(expected.messages)} if expected.messages else {}
    assert terms["accepted"] == own | others
    assert all(equation.holds for equation in value.equations)
    assert value.balanced is (not expected.breaks)


@pytest.mark.unmeasured
@pytest.mark.parametrize("seed", range(40))
def test_shuffling_or_repeating_results_changes_nothing(seed: int) -> None:
    world = random_world(seed)
    expected = {month: reconciled(world, month) for month in MONTHS}
    chance = random.Random(seed)  # noqa: S311 - worlds must come back by their seed
    chance.shuffle(world.rows)
    for month in MONTHS:
        assert reconciled(world, month, chunks=chance.randint(1, 9)) == expected[month]
    named = [row for row in world.rows if row["smsid"] and not row["smsid"].startswith(f"{PREFIX}lost")]
    world.rows += [dict(row) for row in named]
    for month in MONTHS:
        value, lines = reconciled(world, month)
        before, before_lines = expected[month]
        assert lines == before_lines
        assert (value.statuses, value.groups, value.amount) == (before.statuses, before.groups, before.amount)
        assert (value.breaks, value.foreign, value.deliveries) == (before.breaks, before.foreign, before.deliveries)


@pytest.mark.parametrize("seed", range(40))
def test_without_their_results_messages_are_only_pending_or_missing(seed: int) -> None:
    world = random_world(seed)
    _, before = reconciled(world, "2026-03")
    chance = random.Random(seed)  # noqa: S311 - worlds must come back by their seed
    dropped = {message["smsid"] for message in world.messages if chance.random() < 0.5}
    answered = {message["smsid"] for message in world.messages if message["answered"]}
    world.rows = [row for row in world.rows if row["smsid"] not in dropped]
    _, after = reconciled(world, "2026-03")
    lines = {line.smsid: line for line in after}
    for line in before:
        now = lines.get(line.smsid)
        if line.smsid not in dropped:
            assert now == line or world.by_number
        elif now is not None and now.state.value == "taken" and not world.by_number:
            assert now.message_class in ((MessageClass.CANCELLED,) if now.smsid in answered else OPEN)
            assert not now.billable


@pytest.mark.unmeasured
@pytest.mark.parametrize("month_by", MonthBy)
@pytest.mark.parametrize("seed", range(40))
def test_untaxed_amounts_add_up_over_everything(seed: int, month_by: MonthBy) -> None:
    world = random_world(seed)
    total = Decimal(0)
    messages = 0
    for month in ("2026-02", *MONTHS):
        value, lines = reconciled(world, month, month_by)
        for group in value.groups.values():
            assert sum((line.amount for line in group), Decimal(0)) == value.amount.untaxed
            assert sum(line.messages for line in group) == value.messages
        assert Dimension.CAMPAIGN in value.groups
        total += value.amount.untaxed
        messages += len(lines)
    whole = Decimal(0)
    for number in range(3):
        whole += reconciled(alone(world, number), None, month_by)[0].amount.untaxed
    assert messages == len(world.messages)
    assert total == whole or world.by_number


def alone(world: World, number: int) -> World:
    """Return the world of one of its batches alone."""
    messages = [message for message in world.messages if message["batch_id"] == f"b{number}"]
    known = {message["smsid"] for message in messages}
    rows = [row for row in world.rows if not row["smsid"] or row["smsid"] in known]
    return World(world.by_number, messages, rows, [world.batches[number]])


def test_the_worlds_have_everything_in_them() -> None:
    kinds: Counter[BreakKind] = Counter()
    classes: Counter[MessageClass] = Counter()
    weak = 0
    for seed in range(60):
        for month in MONTHS:
            value, _ = reconciled(random_world(seed), month)
            kinds.update(value.breaks_by_kind)
            classes.update(value.classes)
            weak += value.by_number
    assert kinds.keys() == set(BreakKind) - {BreakKind.AMOUNT_MISMATCH}
    assert classes.keys() == set(MessageClass)
    assert weak
