"""Restatements: every changed message under one cause, and amounts that add up to the difference exactly."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core import restating
from pipeline.core.restating import SNAPSHOT, restated, snapshot
from pipeline.core.statuses import StatusMeaning, StatusTable
from pipeline.model import BY_PERSON, Cause, MessageClass, MessageKind, MessageLine, Restatement, StatusClass
from tests.core.reconciled import message

DELIVERED: Final = MessageClass.DELIVERED
ZERO: Final = Decimal(0)
_LEARNT: Final = StatusMeaning("再送待機", StatusClass.FAILED, billable=False, clicked=False)
STATUSES: Final = StatusTable({_LEARNT.label: _LEARNT}, {"99": _LEARNT})


def changes(
    before: list[MessageLine],
    after: list[MessageLine],
    *,
    tariff: bool = False,
    profile: bool = False,
    decided: tuple[str, ...] = (),
) -> tuple[Restatement, ...]:
    return restated(
        snapshot(before),
        snapshot(after),
        statuses=STATUSES,
        tariff_changed=tariff,
        profile_changed=profile,
        decided=decided,
    )


def test_a_snapshot_holds_the_facts_and_the_exact_amount() -> None:
    line = message(
        "a1",
        amount="8.50",
        carrier="Docomo",
        parts=2,
        label="送信済",
        kind=MessageKind.OVERSEAS,
        day=date(2026, 11, 30),
    )
    table = snapshot([line, message("a2", MessageClass.MISSING, day=None)])
    assert table.schema == SNAPSHOT
    assert table.to_pylist() == [
        {
            "smsid": "a1",
            "message_class": "delivered",
            "label": "送信済",
            "carrier": "Docomo",
            "parts": 2,
            "day": date(2026, 11, 30),
            "kind": "overseas",
            "billable": True,
            "amount": "8.50",
        },
        {
            "smsid": "a2",
            "message_class": "missing",
            "label": "",
            "carrier": "au",
            "parts": 1,
            "day": None,
            "kind": "normal",
            "billable": False,
            "amount": None,
        },
    ]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5])
def test_a_snapshot_is_made_in_pieces(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restating, "_CHUNK", 2)
    lines = [message(f"m{number}", amount="8.5") for number in range(count)]
    table = snapshot(iter(lines))
    assert table["smsid"].to_pylist() == [line.smsid for line in lines]
    assert table.schema == SNAPSHOT
    assert changes(lines, lines) == ()


def test_nothing_changed_is_no_restatement() -> None:
    lines = [message("a", amount="8.5"), message("b", MessageClass.MISSING, day=None)]
    assert changes(lines, list(reversed(lines)), tariff=True, profile=True, decided=("a", "b")) == ()
    assert changes([], []) == ()
    # The same number written differently is the same amount.
    assert changes(lines, [message("a", amount="8.500"), lines[1]], tariff=True) == ()


PENDING: Final = message("a", MessageClass.PENDING, label="処理中")
ARRIVED: Final = message("a", DELIVERED, label="送信済", amount="8.5")
UNMAPPED: Final = message("a", MessageClass.UNMAPPED, label="再送待機")
LEARNT: Final = message("a", MessageClass.FAILED, label="再送待機")
BILLED: Final = message("a", DELIVERED, label="再送待機", amount="8.5")


@pytest.mark.parametrize(
    ("before", "after", "tariff", "profile", "decided", "cause"),
    [
        (PENDING, ARRIVED, False, False, False, Cause.RESULT),
        (PENDING, ARRIVED, True, True, False, Cause.RESULT),
        (PENDING, ARRIVED, True, True, True, Cause.DECISION),
        (UNMAPPED, LEARNT, False, True, False, Cause.PROFILE),
        (UNMAPPED, BILLED, True, True, False, Cause.PROFILE),
        (UNMAPPED, LEARNT, True, False, False, Cause.RESULT),
        (UNMAPPED, LEARNT, False, True, True, Cause.DECISION),
        # the label of a number that had none
        (replace(UNMAPPED, label="99"), LEARNT, False, True, False, Cause.PROFILE),
        (replace(UNMAPPED, label="99"), BILLED, True, True, False, Cause.PROFILE),
        (replace(UNMAPPED, label="99"), LEARNT, False, False, False, Cause.RESULT),
        (replace(UNMAPPED, label="98"), LEARNT, False, True, False, Cause.RESULT),
        (replace(UNMAPPED, label="99"), ARRIVED, False, True, False, Cause.RESULT),
        # another carrier: no profile can do that
        (UNMAPPED, replace(LEARNT, carrier="Docomo"), False, True, False, Cause.RESULT),
        (ARRIVED, replace(ARRIVED, amount=Decimal(9)), True, False, False, Cause.TARIFF),
        (ARRIVED, replace(ARRIVED, amount=Decimal(9)), True, True, True, Cause.TARIFF),
        (ARRIVED, replace(ARRIVED, amount=None), True, False, False, Cause.TARIFF),
        # steps belong to the tariff; without another tariff a result brought the number of parts
        (ARRIVED, replace(ARRIVED, parts=2, amount=Decimal(17)), True, False, False, Cause.TARIFF),
        (ARRIVED, replace(ARRIVED, parts=2, amount=Decimal(17)), False, False, False, Cause.RESULT),
        (ARRIVED, replace(ARRIVED, day=date(2026, 11, 11)), True, True, False, Cause.RESULT),
        (ARRIVED, replace(ARRIVED, day=None), False, False, False, Cause.RESULT),
        (ARRIVED, replace(ARRIVED, kind=MessageKind.OVERSEAS), False, False, False, Cause.RESULT),
    ],
)
def test_the_cause(
    before: MessageLine, after: MessageLine, cause: Cause, *, tariff: bool, profile: bool, decided: bool
) -> None:
    (found,) = changes([before], [after], tariff=tariff, profile=profile, decided=("a",) if decided else ())
    assert found == Restatement(
        cause=cause, messages=1, before=before.amount or ZERO, after=after.amount or ZERO, smsids=("a",)
    )


def test_time_alone_restates_nothing() -> None:
    """A result that is overdue now was open then: nothing has come in either case."""
    for label in ("", "処理中"):
        pending = message("a", MessageClass.PENDING, label=label)
        missing = replace(pending, message_class=MessageClass.MISSING)
        assert changes([pending], [missing], tariff=True, profile=True, decided=("a",)) == ()
        assert changes([missing], [pending]) == ()
        assert [one.cause for one in changes([pending], [replace(missing, label="承認待ち")])] == [Cause.RESULT]


def test_how_a_refusal_is_called_restates_nothing() -> None:
    """The decision of a person had that person's name once."""
    refused = message("a", MessageClass.REFUSED, label="aoki")
    assert changes([refused], [replace(refused, label=BY_PERSON)]) == ()
    assert changes([refused], [replace(refused, message_class=MessageClass.UNKNOWN, label="")])[0].messages == 1


def test_messages_that_come_into_the_month_or_leave_it() -> None:
    stays = message("stays", amount="8.5")
    gone, came = message("gone", amount="17.0"), message("came", amount="9.2")
    assert changes([stays, gone], [came, stays], tariff=True, profile=True) == (
        Restatement(
            cause=Cause.RESULT, messages=2, before=Decimal("17.0"), after=Decimal("9.2"), smsids=("came", "gone")
        ),
    )
    assert [(one.cause, one.smsids) for one in changes([gone], [came], decided=("came",))] == [
        (Cause.RESULT, ("gone",)),
        (Cause.DECISION, ("came",)),
    ]


def test_the_first_messages_are_named_in_order() -> None:
    names = [f"m{number:02d}" for number in range(30)]
    before = [message(name, MessageClass.PENDING) for name in names]
    (found,) = changes(before, [message(name, amount="8.5") for name in reversed(names)])
    assert found.messages == 30
    assert found.smsids == tuple(names[:10])
    assert found.after == Decimal("8.5") * 30


def test_snapshots_come_back_from_a_file_with_other_types_of_text() -> None:
    table = snapshot([PENDING])
    stored = pa.table({name: table[name] for name in reversed(SNAPSHOT.names)})
    stored = stored.set_column(stored.schema.get_field_index("smsid"), "smsid", stored["smsid"].cast(pa.string()))
    after = snapshot([ARRIVED])
    (found,) = restated(stored, after, statuses=STATUSES, tariff_changed=False, profile_changed=False, decided=())
    assert found.after == Decimal("8.5")


AMOUNT: Final = st.none() | st.decimals(min_value=0, max_value=9_999_999, places=6).map(str)


def lines_of(smsids: list[str]) -> st.SearchStrategy[list[MessageLine]]:
    one = st.builds(
        lambda message_class, label, carrier, parts, day, yen: message(
            "x", message_class, label=label, carrier=carrier, parts=parts, day=date(2026, 11, day), amount=yen
        ),
        st.sampled_from([DELIVERED, MessageClass.FAILED, MessageClass.PENDING, MessageClass.MISSING]),
        st.sampled_from(["", "送信済"]),
        st.sampled_from(["au", ""]),
        st.integers(1, 2),
        st.integers(1, 2),
        AMOUNT,
    )
    return st.lists(st.none() | one, min_size=len(smsids), max_size=len(smsids)).map(
        lambda some: [replace(line, smsid=smsid) for smsid, line in zip(smsids, some, strict=True) if line]
    )


def naive(
    before: list[MessageLine], after: list[MessageLine], *, tariff: bool, profile: bool, decided: set[str]
) -> dict[Cause, tuple[set[str], Fraction, Fraction]]:
    """Return what has changed, message by message, with fractions."""
    olds, news = {line.smsid: line for line in before}, {line.smsid: line for line in after}
    found: dict[Cause, tuple[set[str], Fraction, Fraction]] = {}
    for smsid in olds.keys() | news.keys():
        old, new = olds.get(smsid), news.get(smsid)
        cause = cause_of(old, new, tariff=tariff, profile=profile)
        if cause is None and old is not None and new is not None and old.amount == new.amount:
            continue
        if cause is not None and smsid in decided:
            cause = Cause.DECISION
        cause = cause or Cause.TARIFF
        smsids, was, is_ = found.get(cause, (set(), Fraction(0), Fraction(0)))
        amounts = [Fraction(line.amount) if line and line.amount is not None else Fraction(0) for line in (old, new)]
        found[cause] = (smsids | {smsid}, was + amounts[0], is_ + amounts[1])
    return found


def cause_of(old: MessageLine | None, new: MessageLine | None, *, tariff: bool, profile: bool) -> Cause | None:
    """Return why the facts of a message differ, a person's decision aside; None where they are the same."""
    if old is None or new is None:
        return Cause.RESULT
    names = ("message_class", "billable", "label", "carrier", "parts", "day", "kind")
    differ = {name for name in names if getattr(old, name) != getattr(new, name)}
    if {old.message_class, new.message_class} == {MessageClass.PENDING, MessageClass.MISSING}:
        differ.remove("message_class")
    if not differ:
        return None
    if profile and differ <= {"message_class", "billable"}:
        return Cause.PROFILE
    return Cause.TARIFF if tariff and differ == {"parts"} else Cause.RESULT


SMSIDS: Final = [f"m{number}" for number in range(12)]


@pytest.mark.unmeasured
@settings(max_examples=300)
@given(lines_of(SMSIDS), lines_of(SMSIDS), st.booleans(), st.booleans(), st.sets(st.sampled_from(SMSIDS)), st.randoms())
def test_restatements_are_what_a_naive_comparison_finds(
    before: list[MessageLine],
    after: list[MessageLine],
    tariff: bool,  # noqa: FBT001 - drawn
    profile: bool,  # noqa: FBT001 - drawn
    decided: set[str],
    chance: random.Random,
) -> None:
    found = changes(before, after, tariff=tariff, profile=profile, decided=tuple(decided))
    expected = naive(before, after, tariff=tariff, profile=profile, decided=decided)
    assert {one.cause: (one.messages, set(one.smsids), Fraction(one.before), Fraction(one.after)) for one in found} == {
        cause: (len(smsids), set(sorted(smsids)[:10]), was, is_) for cause, (smsids, was, is_) in expected.items()
    }
    # What is restated is the whole difference of the totals.
    totals = [sum((Fraction(line.amount or 0) for line in lines), Fraction(0)) for lines in (before, after)]
    assert sum((Fraction(one.after) - Fraction(one.before) for one in found), Fraction(0)) == totals[1] - totals[0]
    # The order of rows means nothing.
    chance.shuffle(before)
    chance.shuffle(after)
    assert changes(before, after, tariff=tariff, profile=profile, decided=tuple(decided)) == found
