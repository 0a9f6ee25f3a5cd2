"""Reconciliation against a second, naive reading of GATEWAY section 7, on random worlds."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

import pytest

from pipeline.core.billing import Price, Tariff, TaxRate
from pipeline.core.matching import Deadlines, StatusMeaning, StatusTable
from pipeline.core.reconciling import Strangers, reconcile
from pipeline.core.segments import Steps
from pipeline.model import (
    Batch,
    BreakKind,
    MessageClass,
    MessageLine,
    MessageState,
    Observation,
    ObservationPath,
    Reconciliation,
    RowTotals,
    SentMessage,
    StatusClass,
)

MONTH: Final = datetime(2026, 3, 31, 14, 0, tzinfo=UTC)  # 23:00 in Japan: an hour later the tariff changes
AS_OF: Final = MONTH + timedelta(days=10)
RESULT: Final = timedelta(days=8)
#: label: (number, class, billable, clicked)
TABLE: Final = {
    "送信済": ("1", "delivered", True, False),
    "リダイレクト": ("3", "delivered", True, True),
    "失敗": ("0", "failed", False, False),
    "403": ("5", "failed", False, False),
    "一部": ("32", "partial", False, False),
    "取消": ("34", "cancelled", False, False),
    "処理中": ("11", "pending", False, False),
    "-": ("33", "no_verdict", False, False),
}
_MEANINGS: Final = {
    label: StatusMeaning(label, StatusClass(means), billable, clicked)
    for label, (_, means, billable, clicked) in TABLE.items()
}
STATUSES: Final = StatusTable(_MEANINGS, {TABLE[label][0]: meaning for label, meaning in _MEANINGS.items()})
#: (carrier, yen per part before April, from April), in tenths
YEN: Final = {"Docomo": (81, 85), "au": (83, 87), "Rakuten": (71, 75)}
TARIFF: Final = Tariff(
    "naive",
    "0" * 64,
    tuple(
        Price(carrier, start, end, tuple(Decimal(tenths * count) / 10 for count in (1, 2, 3)))
        for carrier, (old, new) in YEN.items()
        for start, end, tenths in (
            (date(2026, 1, 1), date(2026, 4, 1), old),
            (date(2026, 4, 1), None, new),
        )
    ),
    {"*": Steps(70, 67, 160, 153), "Rakuten": Steps(70, 66, 160, 153)},
    (
        TaxRate(Decimal("0.08"), date(2014, 4, 1), date(2026, 4, 1)),
        TaxRate(Decimal("0.10"), date(2026, 4, 1), None),
    ),
)


@dataclass
class World:
    messages: list[SentMessage] = field(default_factory=list)
    rows: dict[str, list[Observation]] = field(default_factory=dict)
    foreign: list[Observation] = field(default_factory=list)
    orphans: list[Observation] = field(default_factory=list)

    @property
    def observed(self) -> int:
        return sum(map(len, self.rows.values())) + len(self.foreign) + len(self.orphans)


def observation(smsid: str, msisdn: str, status: str, time: datetime | None, **more: object) -> Observation:
    known: dict[str, object] = {"path": ObservationPath.PULLED, "status": status, "status_time": time}
    return Observation(**{**known, "smsid": smsid, "msisdn": msisdn, **more})  # type: ignore[arg-type]


def random_world(seed: int) -> World:
    chance = random.Random(seed)  # noqa: S311 - worlds must come back by their seed
    world = World()
    labels = [*TABLE, "未知"]
    for number in range(chance.randint(0, 40)):
        smsid = f"s{number}"
        state = chance.choice([MessageState.TAKEN] * 6 + list(MessageState))
        msisdn = f"090{10000000 + number:08d}"
        sent_at = None
        if state in {MessageState.TAKEN, MessageState.UNKNOWN, MessageState.IN_FLIGHT}:
            sent_at = MONTH + timedelta(minutes=chance.randint(-60, 180))
            if chance.random() < 0.1:
                sent_at = AS_OF - RESULT - timedelta(seconds=chance.choice([-1, 0, 1]))
        reason = chance.choice(["answer:560", "585"])
        if state is MessageState.CANCELLED and chance.random() < 0.5:
            reason = "opted_out"
        size = chance.choice([1, 70, 71, 133, 134, 135, 160, 161, 201])
        world.messages.append(
            SentMessage(
                row_number=number + 2,
                smsid=smsid,
                msisdn=msisdn,
                state=state,
                reason=reason,
                characters=size,
                double_byte=chance.random() < 0.7,
                sent_at=sent_at,
            )
        )
        carrier = chance.choice([*YEN, "Unheard", ""])
        parts = chance.choice([None, None, 1, 2, 3, 4])
        times = chance.sample(range(1, 5000), chance.choice([0, 1, 1, 2, 3, 5]))
        for minute in times:
            label = chance.choice(labels)
            if label in TABLE and chance.random() < 0.3:
                label = TABLE[label][0]
            phone = msisdn if chance.random() < 0.95 else "09099999999"
            hyphened = f"{phone[:3]}-{phone[3:7]}-{phone[7:]}"
            time = MONTH + timedelta(minutes=minute)
            world.rows.setdefault(smsid, []).append(
                observation(smsid, hyphened, label, time, carrier=carrier, parts_total=parts)
            )
    for number in range(chance.randint(0, 8)):
        smsid = chance.choice(["", f"other{number}"])
        carrier = chance.choice([*YEN, "Unheard"])
        registered = chance.choice([None, MONTH + timedelta(minutes=59), MONTH + timedelta(minutes=60)])
        parts = chance.choice([None, 1, 2, 9])
        world.foreign += [
            observation(
                smsid,
                f"080{number:08d}",
                chance.choice(labels),
                MONTH + timedelta(minutes=minute),
                carrier=carrier,
                parts_total=parts,
                registered_at=registered,
            )
            for minute in chance.sample(range(1, 200), chance.randint(1, 3))
        ]
    for number in range(chance.randint(0, 2)):
        world.orphans.append(observation(f"lost{number}", "08000000000", "送信済", MONTH))
    for rows in [*world.rows.values(), world.foreign]:
        chance.shuffle(rows)
    return world


def run(world: World) -> tuple[Reconciliation, list[MessageLine]]:
    accepted = len(world.messages)
    batch = Batch(
        batch_id="b",
        campaign="c",
        run_date=date(2026, 3, 31),
        source_name="s.csv",
        content_sha256="0",
        fingerprint="0",
        totals=RowTotals(accepted + 5, accepted, 3, 2),
        repaired=1,
        artefacts=(),
        registered_at=MONTH,
    )
    return reconcile(
        batch,
        iter(world.messages),
        world.rows,
        Strangers(world.foreign, world.orphans),
        observed=world.observed,
        statuses=STATUSES,
        tariff=TARIFF,
        deadlines=Deadlines(AS_OF, RESULT),
        provenance={"k": "v"},
    )


# ---- the naive reading: no code of the product, exact fractions, one rule after another


def label_of(row: Observation) -> str:
    numbers = {number: label for label, (number, *_) in TABLE.items()}
    return row.status if row.status in TABLE else numbers.get(row.status, "")


def naive_price(carrier: str, parts: int, moment: datetime) -> Fraction | None:
    if carrier not in YEN or parts > 3:
        return None
    april = (moment + timedelta(hours=9)).date() >= date(2026, 4, 1)
    return Fraction(YEN[carrier][april] * parts, 10)


def naive_parts(message: SentMessage, carrier: str) -> int:
    single, part = (70, 66 if carrier == "Rakuten" else 67) if message.double_byte else (160, 153)
    count = 1
    if message.characters > single:
        while count * part < message.characters:
            count += 1
    return count


def naive_class(message: SentMessage, rows: list[Observation]) -> str:
    means = {TABLE[label_of(row)][1] for row in rows if label_of(row)}
    if "delivered" in means:
        return "delivered"
    final = [row for row in rows if label_of(row) and TABLE[label_of(row)][1] in {"failed", "partial", "cancelled"}]
    if final:
        final.sort(key=lambda row: row.status_time or MONTH)
        return TABLE[label_of(final[-1])][1]
    if any(not label_of(row) for row in rows):
        return "unmapped"
    if message.state is MessageState.TAKEN:
        late = message.sent_at is not None and message.sent_at + RESULT < AS_OF
        return "missing" if late else "pending"
    return "unknown" if message.state is MessageState.IN_FLIGHT else message.state.value


@pytest.mark.parametrize("seed", range(120))
def test_a_random_world_reads_as_the_naive_reference_reads_it(  # noqa: PLR0915 - one pass, rule by rule
    seed: int,
) -> None:
    world = random_world(seed)
    value, lines = run(world)
    classes: Counter[str] = Counter()
    breaks: Counter[str] = Counter(orphan_result=len(world.orphans))
    untaxed = tax = Fraction(0)
    bills = units = 0
    assert [line.smsid for line in lines] == [message.smsid for message in world.messages]
    for message, line in zip(world.messages, lines, strict=True):
        rows = world.rows.get(message.smsid, [])
        name = naive_class(message, rows)
        classes[name] += 1
        assert line.message_class.value == name
        assert line.billable is (name == "delivered")
        carrier = rows[0].carrier if rows else ""
        computed = naive_parts(message, carrier)
        reported = rows[0].parts_total if rows else None
        parts = reported or computed
        assert (line.carrier, line.parts) == (carrier, parts)
        breaks["segment_mismatch"] += reported is not None and reported != computed
        breaks["phone_mismatch"] += any(row.msisdn == "090-9999-9999" for row in rows)
        breaks["unmapped_status"] += any(not label_of(row) for row in rows)
        breaks["missing_result"] += name == "missing"
        unsent = message.state.value in {"planned", "refused", "cancelled"}
        agreed = name == "cancelled" and any(label_of(row) == "取消" for row in rows)
        breaks["contradiction"] += bool(rows) and unsent and not (agreed and message.state.value == "cancelled")
        if name != "delivered":
            assert line.amount is None
            continue
        bills += 1
        units += parts
        sent = sorted(row.status_time for row in rows if label_of(row) == "送信済" and row.status_time)
        clicks = sorted(row.status_time for row in rows if label_of(row) == "リダイレクト" and row.status_time)
        final = [row for row in rows if label_of(row) not in {"", "-", "処理中"}]
        final.sort(key=lambda row: row.status_time or MONTH)
        breaks["contradiction"] += not TABLE[label_of(final[-1])][2]
        breaks["duplicate_billable"] += len(sent) > 1
        moment = message.sent_at or (sent or clicks)[0]
        price = naive_price(carrier, parts, moment)
        if price is None:
            breaks["unpriced"] += 1
            assert line.amount is None
            continue
        assert line.amount is not None
        assert Fraction(line.amount) == price
        untaxed += price
        april = (moment + timedelta(hours=9)).date() >= date(2026, 4, 1)
        tax += price * (Fraction(10, 100) if april else Fraction(8, 100))
        risks = [
            found.at_risk
            for found in value.breaks
            if found.smsid == message.smsid and found.kind is BreakKind.DUPLICATE_BILLABLE
        ]
        assert [Fraction(risk) for risk in risks if risk is not None] == (
            [price * (len(sent) - 1)] if len(sent) > 1 else []
        )
    breaks["unpriced"] += value.foreign.unpriced > 0
    assert {kind.value: count for kind, count in value.breaks_by_kind.items()} == +breaks
    assert {kind.value: count for kind, count in value.classes.items()} == classes
    assert value.opted_out == sum(message.reason == "opted_out" for message in world.messages)
    assert Fraction(value.amount.untaxed) == untaxed
    assert Fraction(value.amount.tax) == tax
    assert Fraction(value.amount.total) == untaxed + tax
    assert (value.messages, value.billable_messages, value.billable_units) == (
        len(world.messages),
        bills,
        units,
    )
    assert all(equation.holds for equation in value.equations)
    assert value.balanced is (not +breaks)
    check_lines(value, lines)


def check_lines(value: Reconciliation, lines: list[MessageLine]) -> None:
    """The lines per status are the messages added up, and stand in the order of the classes."""
    by_status: dict[tuple[str, str], list[MessageLine]] = defaultdict(list)
    for line in lines:
        by_status[line.message_class.value, line.label].append(line)
    assert {(line.message_class.value, line.label) for line in value.statuses} == by_status.keys()
    for status in value.statuses:
        own = by_status[status.message_class.value, status.label]
        assert status.messages == len(own)
        assert status.billable_messages == sum(line.billable for line in own)
        assert status.billable_units == sum(line.parts for line in own if line.billable)
        assert status.amount == sum((line.amount or Decimal(0) for line in own), Decimal(0))
    order = list(MessageClass)
    ranks = [(order.index(line.message_class), -line.messages, line.label) for line in value.statuses]
    assert ranks == sorted(ranks)
    assert list(value.breaks) == sorted(value.breaks, key=lambda found: (found.kind.value, found.smsid))


@pytest.mark.parametrize("seed", range(60))
def test_foreign_messages_are_priced_once_each(seed: int) -> None:
    world = random_world(seed)
    foreign = run(world)[0].foreign
    groups: dict[object, list[Observation]] = defaultdict(list)
    for row in world.foreign:
        groups[row.smsid, row.msisdn, "" if row.smsid else row.registered_at].append(row)
    bills = units = unpriced = 0
    amount = Fraction(0)
    for rows in groups.values():
        billed = sorted(
            (row for row in rows if label_of(row) in {"送信済", "リダイレクト"}),
            key=lambda row: row.status_time or MONTH,
        )
        if billed:
            bills += 1
            parts = billed[0].parts_total or 1
            units += parts
            moment = billed[0].registered_at or billed[0].status_time or MONTH
            price = naive_price(billed[0].carrier, parts, moment)
            unpriced += price is None
            amount += price or 0
    assert (foreign.messages, foreign.billable_messages, foreign.billable_units, foreign.unpriced) == (
        len(groups),
        bills,
        units,
        unpriced,
    )
    assert Fraction(foreign.amount) == amount


@pytest.mark.parametrize("seed", range(40))
def test_row_order_never_changes_the_reconciliation(seed: int) -> None:
    world = random_world(seed)
    expected = run(world)
    for rows in [*world.rows.values(), world.foreign, world.orphans]:
        rows.reverse()
    assert run(world) == expected


def test_a_foreign_message_may_come_back_in_several_rows_and_days() -> None:
    first, second = MONTH - timedelta(days=1), MONTH
    rows = [
        observation("", "08000000001", "失敗", first, carrier="au", registered_at=first),
        observation("", "08000000001", "送信済", second, carrier="au", registered_at=first),
        observation("", "08000000001", "リダイレクト", second, carrier="au", registered_at=first),
        observation("", "08000000001", "送信済", second, carrier="au", registered_at=second),
        observation("", "08000000002", "処理中", None, carrier="au"),
    ]
    foreign = run(World(foreign=rows))[0].foreign
    assert (foreign.messages, foreign.billable_messages, foreign.billable_units) == (3, 2, 2)
    assert foreign.amount == Decimal("16.6")


def test_an_unpriced_foreign_message_is_an_alarm_of_its_own() -> None:
    value, _ = run(World(foreign=[observation("x", "08000000001", "送信済", MONTH, carrier="Unheard")]))
    assert [(found.kind, found.smsid, found.facts) for found in value.breaks] == [
        (BreakKind.UNPRICED, "", {"foreign": "1"})
    ]
    assert not value.balanced


def test_a_bill_without_any_time_falls_on_its_registration_or_on_no_tariff() -> None:
    taken = SentMessage(
        row_number=2,
        smsid="a",
        msisdn="09010000000",
        state=MessageState.TAKEN,
        reason="",
        characters=5,
        double_byte=True,
        sent_at=None,
    )
    for registered, amount in ((MONTH, Decimal("8.3")), (None, None)):
        row = observation("a", "09010000000", "送信済", None, carrier="au", registered_at=registered)
        value, lines = run(World([taken], {"a": [row]}))
        assert lines[0].amount == amount
        assert lines[0].observed_at is None
        assert value.balanced is (amount is not None)


def test_rows_the_ledger_counts_but_we_do_not_see_unbalance() -> None:
    world = random_world(1)
    accepted = len(world.messages)
    batch = Batch(
        batch_id="b",
        campaign="c",
        run_date=date(2026, 3, 31),
        source_name="s.csv",
        content_sha256="0",
        fingerprint="0",
        totals=RowTotals(accepted + 1, accepted + 1, 0, 0),
        repaired=0,
        artefacts=(),
        registered_at=MONTH,
    )
    value, _ = reconcile(
        batch,
        world.messages,
        world.rows,
        Strangers(world.foreign, world.orphans),
        observed=world.observed + 1,
        statuses=STATUSES,
        tariff=TARIFF,
        deadlines=Deadlines(AS_OF, RESULT),
        provenance={},
    )
    assert {equation.name: equation.holds for equation in value.equations} == {
        "input": True,
        "accepted": False,
        "messages": True,
        "observations": False,
    }
    assert not value.balanced


def test_an_empty_batch_is_balanced() -> None:
    value, lines = run(World())
    assert not lines
    assert not value.statuses
    assert value.messages == value.amount.total == 0
    assert value.balanced
