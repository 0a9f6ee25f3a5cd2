from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pipeline.model import (
    Amount,
    Break,
    BreakKind,
    Equation,
    ForeignLine,
    MessageClass,
    MessageLine,
    MessageState,
    Reconciliation,
    RowTotals,
    StatusLine,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

C, S, K = MessageClass, MessageState, BreakKind

#: (class, label, messages, billable messages, billable units, untaxed yen)
STATUSES = (
    (C.DELIVERED, "送信済", 8_512, 8_512, 9_240, "81312.00"),
    (C.DELIVERED, "リダイレクト", 941, 941, 1_003, "8826.40"),
    (C.PARTIAL, "長文一部受信", 3, 0, 0, "0"),
    (C.FAILED, "ソフトバンク圏外・OFF", 118, 0, 0, "0"),
    (C.FAILED, "ドコモ圏外・OFF", 96, 0, 0, "0"),
    (C.FAILED, "au圏外・OFF", 71, 0, 0, "0"),
    (C.FAILED, "403", 12, 0, 0, "0"),
    (C.CANCELLED, "キャンセル済", 5, 0, 0, "0"),
    (C.REFUSED, "", 7, 0, 0, "0"),
    (C.PENDING, "送信中", 22, 0, 0, "0"),
    (C.PENDING, "", 10, 0, 0, "0"),
    (C.MISSING, "", 3, 0, 0, "0"),
)

PROVENANCE = {
    "version": "0.1.0",
    "profile": "mediasms 1",
    "profile_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "results_sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
}


def lines_of(statuses: tuple[tuple[MessageClass, str, int, int, int, str], ...]) -> tuple[StatusLine, ...]:
    return tuple(
        StatusLine(
            message_class=message_class,
            label=label,
            messages=messages,
            billable_messages=billable,
            billable_units=units,
            amount=Decimal(amount),
        )
        for message_class, label, messages, billable, units, amount in statuses
    )


def make(statuses: tuple[StatusLine, ...], breaks: tuple[Break, ...] = (), **changed: object) -> Reconciliation:
    classes: dict[MessageClass, int] = {}
    for line in statuses:
        classes[line.message_class] = classes.get(line.message_class, 0) + line.messages
    messages = sum(classes.values())
    refused = classes.get(C.REFUSED, 0)
    untaxed = sum((line.amount for line in statuses), start=Decimal(0))
    observations = messages + 50
    values: dict[str, object] = {
        "batch_id": "kzvtbqrmwx",
        "campaign": "年末のご案内-2026-11-20",
        "run_date": date(2026, 11, 20),
        "source_name": "recipients.csv",
        "as_of": datetime(2026, 11, 22, 15, 30, 5, tzinfo=UTC),
        "totals": RowTotals(rows=messages + 160, accepted=messages, rejected=150, already=10),
        "repaired": 37,
        "states": {S.TAKEN: messages - refused, S.REFUSED: refused},
        "opted_out": 0,
        "classes": classes,
        "statuses": statuses,
        "foreign": ForeignLine(
            messages=120, billable_messages=118, billable_units=131, amount=Decimal("1152.80"), unpriced=2
        ),
        "breaks": breaks,
        "equations": (
            Equation("input", messages + 160, {"accepted": messages, "rejected": 150, "already": 10}),
            Equation("accepted", messages, {"messages": messages}),
            Equation("messages", messages, {"planned": 0, **{name.value: n for name, n in classes.items()}}),
            Equation("observations", observations, {"matched": messages - 71, "foreign": 120, "orphan": 1}),
        ),
        "amount": Amount(untaxed=untaxed, tax=untaxed / 10),
        "tariff": "example-2026 (2026-04-01 –)",
        "provenance": PROVENANCE,
        **changed,
    }
    return Reconciliation(**values)  # type: ignore[arg-type]


@pytest.fixture
def quiet() -> Reconciliation:
    """A batch that balances."""
    return make(lines_of(STATUSES))


@pytest.fixture
def noisy() -> Reconciliation:
    """A batch with breaks of every kind and an equation that fails."""
    kinds = (
        Break(
            kind=K.PHONE_MISMATCH,
            smsid="abckzvtbqrmwx0000017",
            row_number=17,
            facts={"sent_msisdn": "09012345678", "reported_msisdn": "81312345678"},
            at_risk=Decimal("8.80"),
        ),
        Break(kind=K.ORPHAN_RESULT, smsid="abcqqqqqqqqqq0000001", facts={"label": "送信済"}),
        Break(
            kind=K.SEGMENT_MISMATCH,
            smsid="abckzvtbqrmwx0000021",
            row_number=21,
            facts={"expected": "2", "reported": "3"},
            at_risk=Decimal("8.80"),
        ),
        Break(kind=K.UNMAPPED_STATUS, smsid="abckzvtbqrmwx0000022", row_number=22, facts={"label": "配信保留"}),
        *(
            Break(
                kind=K.MISSING_RESULT,
                smsid=f"abckzvtbqrmwx{row:07d}",
                row_number=row,
                at_risk=Decimal("8.80"),
            )
            for row in range(100, 131)
        ),
        Break(
            kind=K.CONTRADICTION,
            smsid="abckzvtbqrmwx0000023",
            row_number=23,
            facts={"label": "送信済", "state": "refused"},
        ),
    )
    statuses = (*lines_of(STATUSES), *lines_of(((C.UNMAPPED, "配信保留", 1, 0, 0, "0"),)))
    failing = Equation("input", 9_999, {"accepted": 9_800, "rejected": 150, "already": 10})
    return make(statuses, kinds, equations=(failing, *make(statuses).equations[1:]))


@pytest.fixture
def hostile() -> Reconciliation:
    """Everything that comes from outside tries to be something else; yen that no double can carry."""
    statuses = lines_of(
        (
            (C.UNMAPPED, "=1+1", 3, 0, 0, "0.1"),
            (C.UNMAPPED, "<script>alert(1)</script>", 2, 0, 0, "0.2"),
            (C.UNMAPPED, "@x", 1, 0, 0, "-0"),
            (C.UNMAPPED, "\x1b[31mred\x07", 1, 0, 0, "0E+2"),
            (C.UNMAPPED, "<r><t>raw</t></r>", 1, 0, 0, "1E+3"),
            (C.UNMAPPED, "[bold]markup[/]", 1, 0, 0, "0"),
            (C.UNMAPPED, "０９０-１２３４-５６７８", 1, 0, 0, "0"),
            (C.DELIVERED, "送信済", 10, 10, 10, "12345678901234567.89"),
        )
    )
    breaks = (
        Break(
            kind=K.ORPHAN_RESULT,
            smsid="=HYPERLINK('http://x')",
            facts={"label": '"><img src=x onerror=alert(1)>', "+": "@sum", "sent_msisdn": "447911123456"},
            at_risk=Decimal("98765432109876543.21"),
        ),
        Break(kind=K.ORPHAN_RESULT, smsid="09012345678", facts={"label": "{{ 7*7 }}\u202e\ud800"}),
        Break(kind=K.ORPHAN_RESULT, smsid="+819012345678", facts={"reported": "070 1234 5678"}),
    )
    return make(
        statuses,
        breaks,
        campaign="</title><script>x</script>",
        source_name="=cmd|' /C calc'!A0 09012345678.csv",
        tariff="-1",
        provenance={"<b>": "&", "=1": "+1"},
        equations=(Equation("<i>", 1, {"=2": 1}),),
    )


@pytest.fixture
def message_lines() -> Callable[[int], Iterator[MessageLine]]:
    """Return a source of ``n`` messages: every tenth failed, every hundredth without a result."""
    start = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)

    def lines(number: int) -> Iterator[MessageLine]:
        for row in range(1, number + 1):
            silent, failed = row % 100 == 0, row % 10 == 0
            yield MessageLine(
                row_number=row,
                smsid=f"abckzvtbqrmwx{row:07d}",
                msisdn=f"090{row % 100_000_000:08d}",
                state=S.TAKEN,
                message_class=C.PENDING if silent else C.FAILED if failed else C.DELIVERED,
                label="" if silent else "ドコモ圏外・OFF" if failed else "送信済",
                carrier="" if silent else "docomo",
                observed_at=None if silent else start + timedelta(seconds=row),
                parts=1 + (row % 7 == 0),
                billable=not failed,
                amount=Decimal(0) if failed else Decimal("8.80") * (1 + (row % 7 == 0)),
            )

    return lines


@pytest.fixture
def hostile_lines() -> list[MessageLine]:
    texts = ("=1+1", "+1", "-1", "@x", "<script>alert(1)</script>", "\x00\x1b]0;x\x07", "<r>x</r>", "_x0041_")
    return [
        MessageLine(
            row_number=row,
            smsid=text,
            msisdn="09012345678",
            state=S.TAKEN,
            message_class=C.UNMAPPED,
            label=text,
            carrier=text,
            observed_at=None,
            parts=1,
            billable=row == 1,
            amount=None if row == 1 else Decimal("12345678901234567.89"),
        )
        for row, text in enumerate(texts, 1)
    ]


@pytest.fixture
def empty() -> Reconciliation:
    """A batch in which nothing was sent."""
    nobody = ForeignLine(messages=0, billable_messages=0, billable_units=0, amount=Decimal(0), unpriced=0)
    return make((), foreign=nobody, equations=())
