from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.messages import Language
from pipeline.model import Equation, MessageClass, MonthPhase, MonthSubject, RowTotals, Variance
from pipeline.reports.verdict import to_look_at, tone, verdict
from tests.reconciliations import lines_of, make

if TYPE_CHECKING:
    from pipeline.model import Reconciliation

EMPTY: Final = "The ledger has no message of this month: nothing was compared."
BALANCED: Final = "Balanced: every count adds up and there are no differences."
ADDS_UP: Final = "The counts add up (balanced)."
C = MessageClass


def batch(*classes: tuple[MessageClass, int], rejected: int = 0) -> Reconciliation:
    """Return a batch with so many messages of these classes that balances."""
    value = make(lines_of([(each, "", number, 0, 0, "0") for each, number in classes]))
    messages = value.messages
    equations = (Equation("accepted", messages, {"messages": messages}),)
    return replace(value, totals=RowTotals(messages + rejected, messages, rejected, 0), equations=equations)


def test_it_is_good_only_where_there_is_nothing_to_look_at() -> None:
    value = batch((C.DELIVERED, 20), (C.PENDING, 2))
    assert (verdict(value, Language.EN), tone(value)) == (BALANCED, "good")
    assert (value.attention, to_look_at(value, Language.EN)) == ({}, None)


@pytest.mark.parametrize(
    ("classes", "rejected", "said", "how", "found"),
    [
        (
            ((C.UNKNOWN, 20),),
            0,
            "UNKNOWN: nobody knows whether the gateway took 20 of 20 messages (next: mediasms status kzvtbqrmwx).",
            "bad",
            {"unknown": 20},
        ),
        (((C.REFUSED, 20),), 0, "REFUSED: 20 of 20 messages.", "look", {"refused": 20}),
        (((C.PLANNED, 5), (C.DELIVERED, 2)), 0, "NOT SENT: 5 of 7 accepted.", "look", {"unsent": 5}),
        (((C.DELIVERED, 3),), 2, "Rejected: 2 of 5 rows.", "look", {"rejected": 2}),
    ],
)
def test_it_says_first_what_a_person_is_to_look_at_and_that_the_counts_add_up_last(
    classes: tuple[tuple[MessageClass, int], ...], rejected: int, said: str, how: str, found: dict[str, int]
) -> None:
    value = batch(*classes, rejected=rejected)
    assert value.balanced
    assert (verdict(value, Language.EN), tone(value)) == (f"{said} {ADDS_UP}", how)
    assert value.attention == found


def test_the_worst_comes_first() -> None:
    value = replace(batch((C.REFUSED, 1), (C.PLANNED, 2), (C.UNKNOWN, 3), rejected=4), opted_out=5)
    equations = (Equation("accepted", 6, {"messages": 7, "not_planned": 6}),)
    said = verdict(replace(value, equations=equations), Language.EN)
    words = ("UNKNOWN: nobody knows whether the gateway took 3 of 6", "NOT SENT: 8 of 6", "NOT balanced", "REFUSED: 1")
    assert sorted(words, key=said.index) == list(words)
    assert said.endswith("Cancelled, opted out: 5. Rejected: 4 of 10 rows.")


def test_it_counts_differences_and_tells_what_is_unexplained(month: Reconciliation) -> None:
    said = verdict(month, Language.JA)
    assert said.startswith(
        "不一致：確認が必要です（差異 39 件）。受付拒否：303,800 件のうち 217 件。締め後の変動：5 件"
    )
    assert said.endswith("請求額との差のうち 50.00 円 が説明できていません。")
    assert tone(month) == "bad"


def test_a_closed_month_that_was_restated_is_not_good(month: Reconciliation) -> None:
    restated = replace(batch((C.DELIVERED, 3)), subject=month.subject, restatements=month.restatements)
    said = f"RESTATED since the month was closed: 5. {ADDS_UP}"
    assert (verdict(restated, Language.EN), tone(restated)) == (said, "look")


def test_a_month_with_unknown_messages_leads_to_the_status_of_all(quiet_month: Reconciliation) -> None:
    value = replace(quiet_month, classes={**quiet_month.classes, C.UNKNOWN: 200})
    assert "took 200 of 9,800 messages (next: mediasms status)." in verdict(value, Language.EN)


def test_it_tells_a_difference_to_the_invoice_that_is_explained(quiet_month: Reconciliation) -> None:
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
    batches: int, phase: MonthPhase, said: str, how: str
) -> None:
    value = replace(batch((C.DELIVERED, 3)), subject=MonthSubject(month="2026-11", batches=batches, phase=phase))
    assert (verdict(value, Language.EN), tone(value)) == (said, how)
    failing = replace(value, equations=(Equation("input", 1, {}),))
    assert verdict(failing, Language.EN).startswith("NOT balanced")
    assert ("nothing was compared" in verdict(failing, Language.EN)) == (not batches)
    assert tone(failing) == "bad"


def test_the_last_line_names_all_of_it_and_no_exit_code(month: Reconciliation) -> None:
    value = batch((C.UNKNOWN, 4), (C.REFUSED, 1), rejected=2)
    said = "To look at: unknown whether taken: 4, rejected rows: 2, refused: 1"
    assert to_look_at(value, Language.EN) == said
    assert str(to_look_at(month, Language.EN)).endswith("restatements: 5, unexplained: JPY 50.00")
