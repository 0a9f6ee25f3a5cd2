from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pipeline.messages import Language, Text
from pipeline.model import (
    BY_PERSON,
    Bill,
    Break,
    BreakKind,
    CancelOutcome,
    Dimension,
    MessageClass,
    MessageState,
    OpenCost,
    StatusLine,
)
from pipeline.reports.amounts import exact_sum
from pipeline.reports.wording import (
    bill_caption,
    bill_lines,
    break_details,
    carrier_name,
    cause_name,
    group_name,
    headings,
    message_kind,
    outcome_name,
    state_counts,
    state_name,
    status_name,
    unmapped_lines,
)

if TYPE_CHECKING:
    from pipeline.model import Reconciliation


@pytest.mark.parametrize(
    ("cause", "name"),
    [
        ("foreign", "not ours: other senders"),
        ("duplicate_billable", "duplicate billable"),
        ("pending", "pending"),
        ("tariff", "the tariff changed"),
        ("090-1234-5678", "090****5678"),
    ],
)
def test_a_cause_goes_by_its_word_and_an_unknown_one_by_itself(cause: str, name: str) -> None:
    assert cause_name(cause, Language.EN) == name


def test_states_and_outcomes_have_words_in_both_languages() -> None:
    for language, letters in ((Language.JA, r"^[^A-Za-z_]+$"), (Language.EN, r"^[A-Za-z: ]+$")):
        names = [*(state_name(each, language) for each in MessageState)]
        names += [outcome_name(each, language).replace("smsid", "") for each in CancelOutcome]
        assert [name for name in names if not re.match(letters, name)] == []
    counts = {MessageState.IN_FLIGHT: 1_200, MessageState.TAKEN: 3}
    assert state_counts(counts, Language.JA) == "送信処理中 1,200 通、受付済 3 通"
    assert state_counts(counts, Language.EN) == "1,200 in flight, 3 taken"
    assert state_counts({}, Language.JA) == "-"


def test_a_state_in_a_difference_is_named() -> None:
    found = Break(kind=BreakKind.CONTRADICTION, smsid="x", facts={"label": "送信済", "state": "in_flight"})
    assert break_details(found, Language.JA) == "ステータス：送信済、当方の記録：送信処理中"
    odd = Break(kind=BreakKind.CONTRADICTION, smsid="x", facts={"state": "09012345678"})
    assert break_details(odd, Language.EN) == "our record: 090****5678"


def test_a_refusal_is_named_with_what_its_code_means() -> None:
    meanings = {"560": Text("携帯番号が\x1b不正です", "a {number}")}
    line = StatusLine(
        message_class=MessageClass.REFUSED,
        label="560",
        messages=1,
        billable_messages=0,
        billable_units=0,
        amount=Decimal(0),
    )
    assert status_name(line, meanings, Language.JA) == "560：携帯番号が␛不正です"
    assert status_name(line, meanings, Language.EN) == "560: a {number}"
    assert status_name(replace(line, label="aoki"), meanings, Language.EN) == "aoki"
    assert status_name(replace(line, label=BY_PERSON), meanings, Language.EN) == "decided by a person"
    assert status_name(replace(line, label=BY_PERSON), meanings, Language.JA) == "担当者の判断"
    assert status_name(replace(line, label=BY_PERSON, message_class=MessageClass.FAILED), {}, Language.EN) == "person"
    assert status_name(replace(line, message_class=MessageClass.FAILED), meanings, Language.EN) == "560"
    assert status_name(replace(line, label=""), meanings, Language.EN) == "-"


def test_groups_are_named() -> None:
    assert group_name(Dimension.KIND, "overseas", Language.JA) == "海外"
    assert group_name(Dimension.CARRIER, "", Language.EN) == "(none)"
    assert group_name(Dimension.COST_CENTRE, "09012345678\x1b", Language.EN) == "090****5678␛"
    assert carrier_name("*", Language.EN) == "(all others)"
    assert message_kind("long", Language.EN) == "long"


def test_the_lines_of_a_bill_add_up_to_it(month: Reconciliation, hostile_month: Reconciliation) -> None:
    for value in (month, hostile_month):
        assert value.bill is not None
        lines = bill_lines(value.bill, Language.EN)
        assert exact_sum(amount for _, amount in lines) == value.bill.total
    assert month.bill is not None
    assert "(down)" in bill_caption(month.bill, Language.EN)


def test_a_month_says_whether_it_is_closed(month: Reconciliation, quiet_month: Reconciliation) -> None:
    assert dict(headings(month, Language.EN))["closed"] == "2026-12-10 10:00:00 JST"
    assert dict(headings(quiet_month, Language.EN))["closed"] == "not closed yet"
    assert headings(month, Language.EN)[0] == ("month", "2026-11")


def test_the_bill_is_the_headline_and_what_pending_messages_may_add(quiet_month: Reconciliation) -> None:
    cost = OpenCost(messages=3, highest=Decimal("27.6"), unpriced=0)
    said = dict(headings(replace(quiet_month, pending_cost=cost, invented=True), Language.EN))
    assert said["may become more"] == "up to JPY 27.6 more, untaxed (pending: 3)"
    assert said["tariff"].endswith("(invented prices: set tariff.file)")
    more = replace(quiet_month, pending_cost=replace(cost, unpriced=1))
    assert dict(headings(more, Language.EN))["may become more"].endswith("(pending: 3), without 1 that have no price")
    unknown = OpenCost(messages=1_200, highest=Decimal(10_000), unpriced=2)
    both = dict(headings(replace(more, unknown_cost=unknown), Language.EN))["may become more"]
    assert both == ("up to JPY 10,027.6 more, untaxed (pending: 3, unknown: 1,200), without 3 that have no price")
    only = replace(quiet_month, pending_cost=OpenCost(), unknown_cost=unknown)
    assert dict(headings(only, Language.JA))["今後増えうる額"] == (
        "最大 +10,000 円（税抜、受付不明 1,200 件）、単価のない 2 件を除く"
    )
    assert quiet_month.bill is None
    bill = Bill(
        messages=Decimal("8.5"),
        fees=(),
        taxes=(),
        rounding="down",
        untaxed=Decimal("8.5"),
        tax=Decimal(0),
        total=Decimal(8),
    )
    billed = dict(headings(replace(quiet_month, bill=bill), Language.EN))
    assert billed["expected invoice"] == "JPY 8 (messages: JPY 8.5 untaxed)"
    assert "may become more" not in dict(headings(replace(quiet_month, pending_cost=OpenCost()), Language.EN))


def test_a_status_that_is_a_number_is_shown_as_one(noisy: Reconciliation) -> None:
    statuses = tuple(replace(line, label="47") if line.label == "配信保留" else line for line in noisy.statuses)
    breaks = tuple(found for found in noisy.breaks if found.kind != "unmapped_status")
    lines = unmapped_lines(replace(noisy, statuses=statuses, breaks=breaks), Language.EN)
    assert lines[:3] == ["[[status]]", "number = 47", 'label = "47"']
    assert unmapped_lines(replace(noisy, statuses=noisy.statuses[:-1], breaks=breaks), Language.EN) == []
