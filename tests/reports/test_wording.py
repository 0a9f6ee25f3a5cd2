from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.messages import Language, Text
from pipeline.model import (
    Bill,
    Break,
    BreakKind,
    CancelOutcome,
    Dimension,
    Equation,
    MessageClass,
    MessageState,
    MonthPhase,
    MonthSubject,
    PendingCost,
    RowTotals,
    StatusLine,
    Variance,
)
from pipeline.reports.amounts import exact_sum
from pipeline.reports.wording import (
    bill_caption,
    bill_lines,
    break_details,
    carrier_name,
    cause_name,
    exit_reason,
    group_name,
    headings,
    message_kind,
    outcome_name,
    state_counts,
    state_name,
    status_name,
    tone,
    unmapped_lines,
    verdict,
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


def test_the_verdict_counts_and_tells_what_is_unexplained(month: Reconciliation) -> None:
    assert verdict(month, Language.JA) == (
        "不一致：確認が必要です（差異 39 件）。請求額との差のうち 50.00 円 が説明できていません。"
    )


def test_the_verdict_says_first_what_was_not_sent(quiet: Reconciliation) -> None:
    accepted = quiet.totals.accepted
    equations = (Equation("accepted", accepted, {"messages": accepted - 3, "not_planned": 3}),)
    unsent = replace(quiet, equations=equations, classes={**quiet.classes, MessageClass.PLANNED: 2})
    said = verdict(unsent, Language.EN)
    assert said.startswith(f"NOT SENT: 5 of {accepted:,} accepted. ")
    assert "NOT SENT" not in verdict(quiet, Language.EN)


def test_the_verdict_tells_a_difference_to_the_invoice_that_is_explained(quiet_month: Reconciliation) -> None:
    variance = Variance(
        source_name="i.csv",
        counts="messages",
        lines=(),
        explanations=(),
        invoiced=Decimal("108.5"),
        counted=Decimal(100),
        unexplained=Decimal(0),
    )
    assert "JPY 8.5, is explained" in verdict(replace(quiet_month, variance=variance), Language.EN)


def test_a_month_says_whether_it_is_closed(month: Reconciliation, quiet_month: Reconciliation) -> None:
    assert dict(headings(month, Language.EN))["closed"] == "2026-12-10 10:00:00 JST"
    assert dict(headings(quiet_month, Language.EN))["closed"] == "not closed yet"
    assert headings(month, Language.EN)[0] == ("month", "2026-11")


EMPTY: Final = "The ledger has no message of this month: nothing was compared."
BALANCED: Final = "Balanced: every count adds up and there are no differences."


@pytest.mark.parametrize(
    ("batches", "phase", "said", "how"),
    [
        (0, MonthPhase.FUTURE, f"{EMPTY} The month has not begun.", "open"),
        (0, MonthPhase.OVER, EMPTY, "open"),
        (2, MonthPhase.OVER, BALANCED, "good"),
        (2, MonthPhase.RUNNING, f"{BALANCED} The month is not over: what it comes to will change.", "good"),
    ],
)
def test_a_month_is_balanced_only_where_something_was_compared(
    batches: int, phase: MonthPhase, said: str, how: str, quiet_month: Reconciliation
) -> None:
    value = replace(quiet_month, subject=MonthSubject(month="2026-11", batches=batches, phase=phase))
    assert (verdict(value, Language.EN), tone(value)) == (said, how)
    failing = replace(value, equations=(Equation("input", 1, {}),))
    assert verdict(failing, Language.EN).startswith("NOT balanced")
    assert ("nothing was compared" in verdict(failing, Language.EN)) == (not batches)
    assert tone(failing) == "bad"


def test_the_last_line_names_why_the_exit_code_is_1(quiet_month: Reconciliation, month: Reconciliation) -> None:
    clean = replace(quiet_month, totals=RowTotals(3, 3, 0, 0), classes={})
    assert (exit_reason(clean, Language.EN), clean.findings) == (None, {})
    rejected = replace(clean, totals=RowTotals(5, 3, 2, 0))
    assert verdict(rejected, Language.EN).startswith("Balanced")
    assert exit_reason(rejected, Language.EN) == "To look at (exit 1): rejected rows: 2"
    assert str(exit_reason(month, Language.EN)).endswith("restatements: 5, unexplained: JPY 50.00")
    unknown = replace(rejected, classes={MessageClass.UNKNOWN: 4})
    assert "(exit 5): 4" in str(exit_reason(unknown, Language.EN))


def test_the_bill_is_the_headline_and_what_pending_messages_may_add(quiet_month: Reconciliation) -> None:
    cost = PendingCost(messages=3, highest=Decimal("27.6"), unpriced=0)
    said = dict(headings(replace(quiet_month, pending_cost=cost, invented=True), Language.EN))
    assert said["may become more"] == "up to JPY 27.6 more, untaxed (3 pending)"
    assert said["tariff"].endswith("(invented prices: set tariff.file)")
    more = replace(quiet_month, pending_cost=replace(cost, unpriced=1))
    assert dict(headings(more, Language.EN))["may become more"].endswith("(3 pending), without 1 that have no price")
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
    assert "may become more" not in dict(headings(replace(quiet_month, pending_cost=PendingCost()), Language.EN))


def test_a_status_that_is_a_number_is_shown_as_one(noisy: Reconciliation) -> None:
    statuses = tuple(replace(line, label="47") if line.label == "配信保留" else line for line in noisy.statuses)
    breaks = tuple(found for found in noisy.breaks if found.kind != "unmapped_status")
    lines = unmapped_lines(replace(noisy, statuses=statuses, breaks=breaks), Language.EN)
    assert lines[:3] == ["[[status]]", "number = 47", 'label = "47"']
    assert unmapped_lines(replace(noisy, statuses=noisy.statuses[:-1], breaks=breaks), Language.EN) == []
