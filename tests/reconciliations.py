"""Reconciliations as the engine would make them: a batch, a month, and some that try to break a report."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline.core.calendar import JST
from pipeline.messages import Text
from pipeline.model import (
    Amount,
    BatchSubject,
    Bill,
    Break,
    BreakKind,
    Cause,
    Dimension,
    Equation,
    Explanation,
    Fee,
    ForeignGroup,
    ForeignLine,
    GroupLine,
    InvoiceLine,
    MessageClass,
    MessageKind,
    MessageLine,
    MessageState,
    MonthSubject,
    OpenCost,
    PriceLine,
    Reconciliation,
    RestatedSubject,
    Restatement,
    RowTotals,
    StatusLine,
    TaxLine,
    Variance,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

C, S, K, D = MessageClass, MessageState, BreakKind, Dimension

BATCH = BatchSubject(
    batch_id="kzvtbqrmwx",
    campaign="年末のご案内-2026-11-20",
    run_date=date(2026, 11, 20),
    source_name="recipients.csv",
)
MONTH = MonthSubject(month="2026-11", batches=41, closed_at=datetime(2026, 12, 10, 1, 0, tzinfo=UTC))

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
    (C.REFUSED, "560", 7, 0, 0, "0"),
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

PRICES = tuple(
    PriceLine(
        carrier=carrier,
        kind=kind,
        parts=parts,
        start=date(2026, 4, 1),
        end=end,
        amount=Decimal(price) * parts,
    )
    for carrier, kind, price, end in (
        ("Docomo", MessageKind.NORMAL, "8.80", None),
        ("au", MessageKind.NORMAL, "8.80", date(2027, 4, 1)),
        ("*", MessageKind.OVERSEAS, "24.125", None),
    )
    for parts in (1, 2, 3)
)


def lines_of(statuses: Sequence[tuple[MessageClass, str, int, int, int, str]]) -> tuple[StatusLine, ...]:
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


def divided(statuses: Sequence[StatusLine], names: Sequence[str], unpriced: int = 0) -> tuple[GroupLine, ...]:
    """Divide what ``statuses`` add up to between ``names``, each getting half of what is left, the last the rest."""
    left = [
        sum(line.messages for line in statuses),
        sum(line.messages for line in statuses if line.message_class is C.DELIVERED),
        sum(line.messages for line in statuses if line.message_class is C.FAILED),
        sum(line.billable_messages for line in statuses),
        sum(line.billable_units for line in statuses),
    ]
    amount = sum((line.amount for line in statuses), Decimal(0))
    groups = []
    for number, name in enumerate(names, 1):
        last = number == len(names)
        part = left if last else [count // 2 for count in left]
        yen = amount if last else (amount / 2).quantize(Decimal("0.01"))
        groups.append(
            GroupLine(
                name=name,
                messages=part[0],
                delivered=part[1],
                failed=part[2],
                billable_messages=part[3],
                billable_units=part[4],
                amount=yen,
                unpriced=unpriced if last else 0,
            )
        )
        left = [count - taken for count, taken in zip(left, part, strict=True)]
        amount -= yen
    return tuple(groups)


def hours(first: datetime, total: int, number: int, gap: int = 1) -> tuple[tuple[datetime, int], ...]:
    """Spread ``total`` deliveries over ``number`` hours: most of them early."""
    weights = [number - at for at in range(number)]
    counts = [total * weight // sum(weights) for weight in weights]
    counts[0] += total - sum(counts)
    return tuple((first + timedelta(hours=at * gap), count) for at, count in enumerate(counts) if count)


def make(statuses: tuple[StatusLine, ...], breaks: tuple[Break, ...] = (), **changed: object) -> Reconciliation:
    """Return a batch with these statuses, in which everything else fits them."""
    classes: dict[MessageClass, int] = {}
    for line in statuses:
        classes[line.message_class] = classes.get(line.message_class, 0) + line.messages
    messages = sum(classes.values())
    refused = classes.get(C.REFUSED, 0)
    untaxed = sum((line.amount for line in statuses), start=Decimal(0))
    observations = messages + 50
    values: dict[str, object] = {
        "subject": BATCH,
        "as_of": datetime(2026, 11, 22, 15, 30, 5, tzinfo=UTC),
        "totals": RowTotals(rows=messages + 160, accepted=messages, rejected=150, already=10),
        "repaired": 37,
        "states": {S.TAKEN: messages - refused, S.REFUSED: refused},
        "opted_out": 0,
        "by_number": 0,
        "oldest_pending": datetime(2026, 11, 20, 1, 12, tzinfo=UTC) if classes.get(C.PENDING) else None,
        "classes": classes,
        "statuses": statuses,
        "groups": {
            D.COST_CENTRE: divided(statuses, ("営業部", "0042", "")),
            D.CARRIER: divided(statuses, ("Docomo", "au", "SoftBank", "Rakuten", "")),
            D.DAY: divided(statuses, ("2026-11-20", "2026-11-21", "")),
            D.KIND: divided(statuses, ("normal",)),
        }
        if statuses
        else {},
        "deliveries": hours(datetime(2026, 11, 20, 1, 0, tzinfo=UTC), classes.get(C.DELIVERED, 0), 30),
        "foreign": ForeignLine(
            messages=120,
            billable_messages=118,
            billable_units=131,
            amount=Decimal("1152.80"),
            unpriced=2,
            groups=tuple(
                ForeignGroup(kind=MessageKind.NORMAL, carrier=carrier, parts=parts, messages=number, amount=price)
                for carrier, parts, number, price in (
                    ("", 1, 2, None),
                    ("Docomo", 1, 22, Decimal("8.5")),
                    ("Docomo", 2, 13, Decimal("17.0")),
                    ("Rakuten", 1, 1, Decimal("8.8")),
                    ("SoftBank", 1, 80, Decimal("9.2")),
                )
            ),
        ),
        "pending_cost": OpenCost(
            messages=classes.get(C.PENDING, 0), highest=classes.get(C.PENDING, 0) * Decimal("9.2"), unpriced=0
        ),
        "breaks": breaks,
        "equations": (
            Equation("input", messages + 160, {"accepted": messages, "rejected": 150, "already": 10}),
            Equation("accepted", messages, {"messages": messages}),
            Equation("messages", messages, {"planned": 0, **{name.value: n for name, n in classes.items()}}),
            Equation("observations", observations, {"matched": messages - 71, "foreign": 120, "orphan": 1}),
        ),
        "amount": Amount(untaxed=untaxed, tax=untaxed / 10),
        "tariff": "example-2026 (2026-04-01 -)",
        "prices": PRICES,
        "provenance": PROVENANCE,
        "meanings": {"560": Text("携帯番号が不正です", "mobile number is invalid")} if refused else {},
        **changed,
    }
    return Reconciliation(**values)  # type: ignore[arg-type]  # fields of it


def quiet_batch() -> Reconciliation:
    """A batch that balances."""
    return make(lines_of(STATUSES))


def breaks_of_every_kind() -> tuple[Break, ...]:
    return (
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
        Break(
            kind=K.DUPLICATE_BILLABLE,
            smsid="abckzvtbqrmwx0000024",
            row_number=24,
            facts={"label": "送信済", "results": "2"},
            at_risk=Decimal("8.80"),
        ),
        Break(
            kind=K.UNPRICED,
            smsid="abckzvtbqrmwx0000025",
            row_number=25,
            facts={"carrier": "Povo", "parts": "2"},
        ),
        Break(
            kind=K.AMOUNT_MISMATCH,
            smsid="abckzvtbqrmwx0000026",
            row_number=26,
            facts={"expected": "8.80", "billed": "17.60"},
            at_risk=Decimal("8.80"),
        ),
    )


def noisy_batch() -> Reconciliation:
    """A batch with breaks of every kind and an equation that fails."""
    statuses = (*lines_of(STATUSES), *lines_of(((C.UNMAPPED, "配信保留", 1, 0, 0, "0"),)))
    failing = Equation("input", 9_999, {"accepted": 9_800, "rejected": 150, "already": 10})
    return make(
        statuses,
        breaks_of_every_kind(),
        equations=(failing, *make(statuses).equations[1:]),
        opted_out=2,
        by_number=4,
    )


def noisy_month() -> Reconciliation:
    """A closed month that was restated, with an invoice that is not wholly explained."""
    statuses = lines_of(
        [(each, label, 31 * n, 31 * b, 31 * u, str(31 * Decimal(yen))) for each, label, n, b, u, yen in STATUSES]
    )
    batch = make(statuses)
    billed = batch.amount.untaxed + 30_000
    bill = Bill(
        messages=batch.amount.untaxed,
        fees=(
            Fee(name="基本料", amount=Decimal(25_000), tax_rate=Decimal("0.10")),
            Fee(name="長文オプション", amount=Decimal(5_000), tax_rate=Decimal("0.10")),
        ),
        taxes=(TaxLine(rate=Decimal("0.10"), untaxed=billed, tax=Decimal(282_429)),),
        rounding="down",
        untaxed=billed,
        tax=Decimal(282_429),
        total=billed // 1 + 282_429,
    )
    counted = batch.amount.untaxed
    lines = (
        InvoiceLine(
            line=2,
            kind="normal",
            carrier="Docomo",
            unit_price=Decimal("8.80"),
            invoiced=146_600,
            counted=146_522,
            invoiced_amount=Decimal("1397853.60"),
            counted_amount=Decimal("1397145.20"),
        ),
        InvoiceLine(
            line=3,
            kind="normal",
            carrier="",
            unit_price=None,
            invoiced=None,
            counted=146_521,
            invoiced_amount=counted - Decimal("1397145.20") + Decimal(1_500),
            counted_amount=counted - Decimal("1397145.20"),
        ),
        InvoiceLine(
            line=4,
            kind="fee",
            carrier="基本料",
            unit_price=Decimal(25_000),
            invoiced=1,
            counted=1,
            invoiced_amount=Decimal(25_000),
            counted_amount=Decimal(25_000),
        ),
        InvoiceLine(
            line=0,
            kind="fee",
            carrier="長文オプション",
            unit_price=None,
            invoiced=None,
            counted=1,
            invoiced_amount=Decimal(0),
            counted_amount=Decimal(5_000),
        ),
    )
    explanations = (
        Explanation(cause="duplicate_billable", messages=12, amount=Decimal("105.60")),
        Explanation(cause="foreign", messages=118, amount=Decimal("1152.80")),
        Explanation(cause="pending", messages=32, amount=Decimal(900)),
        Explanation(cause="fee", messages=0, amount=Decimal(-5_000)),
    )
    variance = Variance(
        source_name="請求書-202611.xlsx",
        counts="messages",
        lines=lines,
        explanations=explanations,
        invoiced=sum((line.invoiced_amount for line in lines), Decimal(0)),
        counted=billed,
        unexplained=Decimal("50.00"),
    )
    restatements = (
        Restatement(
            cause=Cause.RESULT,
            messages=3,
            before=Decimal(0),
            after=Decimal("26.40"),
            smsids=("abckzvtbqrmwx0000041", "abckzvtbqrmwx0000042", "abckzvtbqrmwx0000043"),
        ),
        Restatement(
            cause=Cause.TARIFF,
            messages=1_204,
            before=Decimal("10595.20"),
            after=Decimal("10234.00"),
            smsids=("abckzvtbqrmwx0000044",),
        ),
        *(
            Restatement(cause=cause, subject=subject, messages=messages, before=before, after=after, smsids=())
            for cause, subject, messages, before, after in (
                (Cause.TARIFF, RestatedSubject.FEE, 0, Decimal(25_000), Decimal(30_000)),
                (Cause.TARIFF, RestatedSubject.TAX, 0, Decimal(9_000), Decimal(9_500)),
                (Cause.TARIFF, RestatedSubject.FOREIGN, 0, Decimal("26.2"), Decimal("26.4")),
            )
        ),
    )
    days = tuple(f"2026-11-{day:02d}" for day in range(1, 31))
    return make(
        statuses,
        breaks_of_every_kind(),
        subject=MONTH,
        as_of=datetime(2026, 12, 12, 3, 0, tzinfo=UTC),
        oldest_pending=datetime(2026, 11, 28, 1, 12, tzinfo=UTC),
        groups={
            D.CAMPAIGN: divided(statuses, ("年末のご案内-2026-11-20", "督促-2026-11", "抽選結果")),
            D.COST_CENTRE: divided(statuses, ("営業部", "0042", "")),
            D.CARRIER: divided(statuses, ("Docomo", "au", "SoftBank", "Rakuten", ""), unpriced=1),
            D.DAY: divided(statuses, days),
            D.KIND: divided(statuses, ("normal", "overseas", "check")),
        },
        deliveries=hours(datetime(2026, 10, 31, 15, 0, tzinfo=UTC), batch.classes[C.DELIVERED], 120, gap=6),
        bill=bill,
        variance=variance,
        restatements=restatements,
    )


def quiet_month() -> Reconciliation:
    """An open month that balances, without an invoice."""
    return make(lines_of(STATUSES), subject=MonthSubject(month="2026-11", batches=1))


def hostile_batch() -> Reconciliation:
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
        subject=BatchSubject(
            batch_id="kzvtbqrmwx",
            campaign="</title><script>x</script>",
            run_date=date(2026, 11, 20),
            source_name="=cmd|' /C calc'!A0 09012345678.csv",
        ),
        groups={
            D.COST_CENTRE: divided(statuses, ("=1+1", "</script><script>x", "09012345678", "\x1b[31m")),
            D.CARRIER: divided(statuses, ("<b>Docomo", "[red]au", "@SUM(A1)")),
            D.DAY: divided(statuses, ("2026-11-20",)),
            D.KIND: divided(statuses, ("normal",)),
        },
        tariff="-1",
        prices=(
            PriceLine(
                carrier="=1+1",
                kind=MessageKind.NORMAL,
                parts=1,
                start=date(2026, 4, 1),
                end=None,
                amount=Decimal("12345678901234567.89"),
            ),
        ),
        provenance={"<b>": "&", "=1": "+1"},
        equations=(Equation("<i>", 1, {"=2": 1}),),
    )


def hostile_month() -> Reconciliation:
    """A month whose invoice and fees try to be something else."""
    value = hostile_batch()
    huge = Decimal("12345678901234567.89")
    return make(
        value.statuses,
        value.breaks,
        subject=MonthSubject(month="2026-11", batches=2),
        equations=value.equations,
        groups={**value.groups, D.CAMPAIGN: divided(value.statuses, ("=1+1", "</title><script>x", "08012345678"))},
        bill=Bill(
            messages=huge,
            fees=(Fee(name="=1+1 09012345678", amount=Decimal("0.1"), tax_rate=Decimal("0.1")),),
            taxes=(TaxLine(rate=Decimal("0.1"), untaxed=huge, tax=Decimal(1234567890123456)),),
            rounding="<i>",
            untaxed=huge + Decimal("0.1"),
            tax=Decimal(1234567890123456),
            total=huge // 1 + 1234567890123456,
        ),
        variance=Variance(
            source_name="=cmd 090-1234-5678.csv",
            counts="units",
            lines=(
                InvoiceLine(
                    line=1,
                    kind="@SUM(A1)",
                    carrier="<script>alert(1)</script>",
                    unit_price=huge,
                    invoiced=1,
                    counted=2,
                    invoiced_amount=huge,
                    counted_amount=Decimal(0),
                ),
            ),
            explanations=(Explanation(cause="=1+1", messages=1, amount=huge),),
            invoiced=huge,
            counted=Decimal(0),
            unexplained=Decimal(0),
        ),
        restatements=(
            Restatement(
                cause=Cause.DECISION,
                messages=1,
                before=Decimal(0),
                after=huge,
                smsids=("=1+1", "09012345678", "<img src=x>"),
            ),
        ),
    )


def empty_batch() -> Reconciliation:
    """A batch in which nothing was sent."""
    nobody = ForeignLine(messages=0, billable_messages=0, billable_units=0, amount=Decimal(0), unpriced=0)
    return make((), foreign=nobody, equations=(), prices=())


def message_lines(number: int) -> Iterator[MessageLine]:
    """Yield messages: every tenth failed, every hundredth without a result, every thousandth not sent."""
    start = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
    for row in range(1, number + 1):
        planned, silent, failed = row % 1000 == 0, row % 100 == 0, row % 10 == 0
        sent = start + timedelta(seconds=row // 80)
        yield MessageLine(
            row_number=row,
            smsid=f"abckzvtbqrmwx{row:07d}",
            msisdn=f"090{row % 100_000_000:08d}",
            batch_id="kzvtbqrmwx",
            campaign="年末のご案内-2026-11-20",
            cost_centre="営業部" if row % 3 else "0042",
            kind=MessageKind.NORMAL,
            state=S.PLANNED if planned else S.TAKEN,
            message_class=C.PLANNED if planned else C.PENDING if silent else C.FAILED if failed else C.DELIVERED,
            label="" if silent else "ドコモ圏外・OFF" if failed else "送信済",
            carrier="" if silent else "Docomo",
            sent_at=None if planned else sent,
            observed_at=None if silent else start + timedelta(seconds=row),
            day=None if planned else sent.astimezone(JST).date(),
            parts=1 + (row % 7 == 0),
            billable=not failed,
            amount=Decimal(0) if failed else Decimal("8.80") * (1 + (row % 7 == 0)),
            by_number=row % 50 == 7,
        )


def hostile_lines() -> list[MessageLine]:
    texts = (
        "=1+1",
        "+1",
        "-1",
        "@x",
        "<script>alert(1)</script>",
        "\x00\x1b]0;x\x07",
        "<r>x</r>",
        "_x0041_",
        ' a & "b" ',
        "09012345678",
    )
    return [
        MessageLine(
            row_number=row,
            smsid=text,
            msisdn="09012345678",
            batch_id="kzvtbqrmwx",
            campaign=text,
            cost_centre=text,
            kind=MessageKind.OVERSEAS,
            state=S.TAKEN,
            message_class=C.UNMAPPED,
            label=text,
            carrier=text,
            sent_at=None,
            observed_at=None,
            day=None,
            parts=1,
            billable=row == 1,
            amount=None if row == 1 else Decimal("12345678901234567.89"),
            by_number=False,
        )
        for row, text in enumerate(texts, 1)
    ]
