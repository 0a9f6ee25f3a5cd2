"""Checks of numbers among everything else: what a verdict and the text after it cost, when, and what goes together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.core.matching import Deadlines
from pipeline.core.reconciling import reconcile
from pipeline.model import BreakKind, MessageKind, MonthBy, NumberCheck
from tests.core.naive import Sent, batch_of, evidence_of, observed
from tests.core.worlds import AS_OF, BORDER, CHECKED, CHECKS, RESULT, STATUSES, TARIFF

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline.model import Observation, Reconciliation

ONLY, THEN_SEND = NumberCheck.ONLY, NumberCheck.THEN_SEND
MINUTE: Final = timedelta(minutes=1)
CHECK, BOTH = CHECKS["au"], CHECKED[0]


def row(status: str, time: datetime | None, smsid: str = "a", **more: object) -> Observation:
    return observed(smsid, "09011112222", status, time, **{"carrier": "au", "registered_at": BORDER - MINUTE, **more})


def run(
    rows: Sequence[Observation],
    *checks: NumberCheck,
    month: str | None = None,
    month_by: MonthBy = MonthBy.DELIVERED,
    as_of: datetime = AS_OF,
) -> Reconciliation:
    """Reconcile messages to one number, each a minute after the one before, of a batch with its own check."""
    sent = [
        Sent(smsid="abc"[place], sent_at=BORDER + (place - 3) * MINUTE, batch_id=f"b{place}")
        for place in range(len(checks))
    ]
    batches = [
        replace(batch_of(f"b{place}", registered=BORDER - 5 * MINUTE, accepted=1), number_check=check)
        for place, check in enumerate(checks)
    ]
    return reconcile(
        evidence_of(sent, rows, *batches),
        month,
        statuses=STATUSES,
        tariff=TARIFF,
        deadlines=Deadlines(as_of, RESULT),
        month_by=month_by,
        provenance={},
    )[0]


@pytest.mark.parametrize(
    ("check", "later", "amount"),
    [
        (THEN_SEND, "失敗", CHECK),
        (THEN_SEND, "処理中", CHECK),
        (THEN_SEND, "本人", CHECK),
        (THEN_SEND, "判定不可", CHECK),
        (THEN_SEND, "送信済", BOTH),
        (ONLY, "他人", CHECK),
        (ONLY, "判定不可", CHECK),
    ],
)
def test_what_comes_after_a_billed_verdict_never_moves_its_bill(
    check: NumberCheck, later: str, amount: Decimal
) -> None:
    # Of another carrier, for which a check has another price.
    rows = [row("本人", BORDER - MINUTE), row(later, BORDER + MINUTE, carrier="Docomo")]
    for told in permutations(rows):
        march, april = (run(told, check, month=month) for month in ("2026-03", "2026-04"))
        assert (march.amount.untaxed, march.billable_messages, april.messages) == (amount, 1, 0)


def test_a_text_that_is_billed_before_its_verdict_has_its_bill_then() -> None:
    rows = [row("送信済", BORDER - MINUTE), row("本人", BORDER + MINUTE)]
    assert run(rows, THEN_SEND, month="2026-03").amount.untaxed == BOTH
    # What has no time moves nothing.
    assert run([row("本人", None), rows[0]], THEN_SEND, month="2026-03").amount.untaxed == BOTH
    # Nor does a verdict that nobody asked for.
    rows = [row("本人", BORDER - MINUTE), row("送信済", BORDER + MINUTE)]
    assert run(rows, NumberCheck.NONE, month="2026-04").billable_messages == 1


@pytest.mark.parametrize("first", [-1, 1])
def test_a_check_and_a_text_of_somebody_else_are_one_bill_of_both(first: int) -> None:
    rows = [
        row("本人", BORDER + first * MINUTE, "z"),
        row("送信済", BORDER + 2 * MINUTE, "z", carrier="Docomo", parts_total=1),
        row("他人", BORDER + 3 * MINUTE, "y"),
        row("失敗", BORDER + 4 * MINUTE, "y"),
        row("判定不可", BORDER + 2 * MINUTE, "x"),
        row("送信済", BORDER + 3 * MINUTE, "x"),
    ]
    for told in permutations(rows[:4]):
        march, april = (run([*told, *rows[4:]], month=month).foreign for month in ("2026-03", "2026-04"))
        both, rest = (march, april) if first < 0 else (april, april)
        groups = {(group.kind, group.carrier): (group.messages, group.amount) for group in rest.groups + both.groups}
        assert groups == {
            (MessageKind.CHECK_THEN_SEND, "Docomo"): (1, BOTH),
            (MessageKind.CHECK, "au"): (1, CHECK),
            (MessageKind.NORMAL, "au"): (1, Decimal("8.7")),
        }
        assert march.messages + april.messages == 3


@pytest.mark.parametrize(
    ("check", "statuses", "billed", "more"),
    [
        (THEN_SEND, (), 0, BOTH),
        (THEN_SEND, ("判定不可",), 0, BOTH),
        (THEN_SEND, ("本人",), CHECK, BOTH - CHECK),
        (THEN_SEND, ("本人", "処理中"), CHECK, BOTH - CHECK),
        (THEN_SEND, ("他人",), CHECK, 0),
        (THEN_SEND, ("本人", "送信済"), BOTH, 0),
        (ONLY, (), 0, CHECK),
        (ONLY, ("処理中",), 0, CHECK),
        (NumberCheck.NONE, ("本人",), 0, Decimal("8.3")),
    ],
)
def test_what_a_message_may_become_is_what_its_text_adds_to_a_check_that_is_billed(
    check: NumberCheck, statuses: tuple[str, ...], billed: Decimal, more: Decimal
) -> None:
    rows = [row(status, BORDER + place * MINUTE) for place, status in enumerate(statuses)]
    value = run(rows, check, as_of=BORDER + MINUTE)
    assert (value.amount.untaxed, value.pending_cost.highest) == (billed, more)
    assert (value.pending_cost.messages, value.pending_cost.unpriced) == (int(bool(more)), 0)


@pytest.mark.parametrize(
    ("check", "statuses", "details"),
    [
        (THEN_SEND, ("他人", "送信済"), ["他人"]),
        (THEN_SEND, ("本人", "他人", "送信済"), ["他人"]),
        (THEN_SEND, ("他人", "リダイレクト", "処理中"), ["他人"]),
        (THEN_SEND, ("他人", "送信済", "失敗"), ["他人", "失敗"]),
        (THEN_SEND, ("他人", "本人", "送信済"), []),
        (THEN_SEND, ("本人", "送信済"), []),
        (THEN_SEND, ("送信済",), []),
        (THEN_SEND, ("他人", "失敗"), []),
        (THEN_SEND, ("他人",), []),
        (ONLY, ("他人", "送信済"), ["送信済"]),
        (NumberCheck.NONE, ("他人", "送信済"), []),
    ],
)
def test_a_text_that_went_out_after_a_verdict_that_forbids_it_contradicts(
    check: NumberCheck, statuses: tuple[str, ...], details: list[str]
) -> None:
    rows = [row(status, BORDER + place * MINUTE) for place, status in enumerate(statuses)]
    for told in permutations(rows):
        value = run(told, check)
        assert {found.kind for found in value.breaks} == ({BreakKind.CONTRADICTION} if details else set())
        assert sorted("".join(found.facts.values()) for found in value.breaks) == sorted(details)
