"""The life of a message in words and as data: no number and no text unless they are asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

import pytest

from pipeline.core.calendar import JST
from pipeline.core.tracing import AskedToCancel, Happened, Invoiced, Life, Placed, Priced, Seen
from pipeline.errors import GuardStopped
from pipeline.messages import Language
from pipeline.model import (
    BY_PERSON,
    Artefact,
    Batch,
    Break,
    BreakKind,
    CancelOutcome,
    Dispatch,
    InvoiceLine,
    MessageClass,
    MessageKind,
    MessageLine,
    MessageState,
    Observation,
    ObservationPath,
    Repair,
    RowTotals,
    SentMessage,
)
from pipeline.reports.trace import trace_document, trace_lines

AT: Final = datetime(2026, 11, 23, 9, 30, tzinfo=JST)
NUMBER, OTHER = "09010000001", "08012345678"
MESSAGE: Final = SentMessage(
    row_number=4,
    smsid="abcdefghjk0000004",
    msisdn=NUMBER,
    state=MessageState.TAKEN,
    reason="",
    characters=12,
    double_byte=True,
    sent_at=AT,
)
LINE: Final = MessageLine(
    row_number=4,
    smsid=MESSAGE.smsid,
    msisdn=NUMBER,
    batch_id="bbbbbbbbbb",
    campaign="spring",
    cost_centre="",
    kind=MessageKind.NORMAL,
    sent_at=AT,
    day=date(2026, 11, 23),
    by_number=False,
    state=MessageState.TAKEN,
    message_class=MessageClass.DELIVERED,
    label="送信済",
    carrier="Docomo",
    observed_at=AT,
    parts=2,
    billable=True,
    amount=Decimal("17.0"),
)


def seen(status: str, minutes: int, msisdn: str = "090-1000-0001", **more: object) -> Seen:
    row = Observation(
        path=ObservationPath.PULLED,
        smsid=MESSAGE.smsid,
        msisdn=msisdn,
        status=status,
        status_time=AT + timedelta(minutes=minutes),
        carrier="Docomo",
        line=7,
    )
    return Seen(observation=replace(row, **more), pulled_at=AT + timedelta(hours=1), file="results-1.csv")  # type: ignore[arg-type]  # fields of it


LIFE: Final = Life(
    placed=Placed(message=MESSAGE, batch_id="bbbbbbbbbb", dispatch_id="bbbbbbbbbb-0001"),
    batch=Batch(
        batch_id="bbbbbbbbbb",
        campaign="spring",
        run_date=date(2026, 11, 23),
        source_name=f"{OTHER}.csv",
        content_sha256="",
        fingerprint="",
        totals=RowTotals(3, 3, 0, 0),
        repaired=1,
        artefacts=(),
        registered_at=AT,
    ),
    row={"text": f"{OTHER}へ\nどうぞ", "bytes": "24", "cost_centre": "営業\x1b[31m"},
    repairs=(Repair(4, "電話番号", "phone.separators", "090-1000-0001", NUMBER),),
    unread=(GuardStopped("artefact.missing", file="repaired.csv"),),
    dispatches=(
        Dispatch(
            dispatch_id="bbbbbbbbbb-0001",
            batch_id="bbbbbbbbbb",
            number=1,
            payload=Artefact("dispatch-0001.csv", "", 1),
            attempts=1,
            begun_at=AT,
            ended_at=AT + timedelta(seconds=2),
            answer_code="200",
            csvid="CSV1",
            states={MessageState.TAKEN: 3},
        ),
    ),
    meanings={"200": "success"},
    seen=(seen("処理中", 1), seen("送信済", 2, OTHER, parts_total=2, parts_delivered=2)),
    happened=(
        Happened(at=AT, kind="validated", dispatch_id=None, detail={"rows": 3, "accepted": 3}),
        Happened(
            at=AT, kind="resolved", dispatch_id="bbbbbbbbbb-0001", detail={"because": f"asked {OTHER}", "x": None}
        ),
    ),
    priced=Priced(
        LINE,
        (Break(kind=BreakKind.SEGMENT_MISMATCH, smsid=MESSAGE.smsid, facts={"reported": "2", "expected": "1"}),),
        2,
    ),
    invoiced=Invoiced(month="2026-11", closed_at=None),
    tariff="example",
)
ON_LINE: Final = InvoiceLine(
    line=3,
    kind="normal",
    carrier="Docomo",
    unit_price=Decimal("17.0"),
    invoiced=1204,
    counted=1203,
    invoiced_amount=Decimal("20468.0"),
    counted_amount=Decimal("20451.0"),
)


WHOLE: Final = """\
abcdefghjk0000004 → 090****0001: taken; class delivered (送信済)
  input    080****5678.csv, row 4 (campaign spring, batch bbbbbbbbbb, run date 2026-11-23)
  checked  12 characters, 24 bytes
  cost centre 営業␛[31m
  repaired 電話番号: separators removed
  note     the file repaired.csv is gone.
  upload   bbbbbbbbbb-0001: attempts 1, begun 2026-11-23 09:30:00 JST, ended 2026-11-23 09:30:02 JST, answer 200 (success), csvid CSV1
  result   2026-11-23 09:31:00 JST  処理中  Docomo  pulled 2026-11-23 10:30:00 JST (results-1.csv, line 7)
  result   2026-11-23 09:32:00 JST  送信済  Docomo  2/2  080****5678  pulled 2026-11-23 10:30:00 JST (results-1.csv, line 7)
  price    JPY 17.0 untaxed: Docomo, 2 part(s) as the gateway counted, tariff example of 2026-11-23
  invoice  none given (--invoice); month 2026-11: domestic, Docomo, 2 part(s), JPY 17.0
  break    segment mismatch: reported: 2, expected: 1
  event    2026-11-23 09:30:00 JST  validated  rows=3  accepted=3
  event    2026-11-23 09:30:00 JST  resolved  bbbbbbbbbb-0001  because=asked 080****5678
"""  # noqa: E501 - as they are printed


def test_one_screen_tells_it_all() -> None:
    assert "\n".join([*trace_lines(LIFE, Language.EN, unmask=False), ""]) == WHOLE


@pytest.mark.parametrize("language", Language)
def test_numbers_and_texts_are_shown_only_when_asked_for(language: Language) -> None:
    document = json.dumps(trace_document(LIFE, unmask=False), ensure_ascii=False)
    for shown in ("\n".join(trace_lines(LIFE, language, unmask=False)), document):
        assert NUMBER not in shown
        assert OTHER not in shown
        assert "どうぞ" not in shown
    open_ = "\n".join(trace_lines(LIFE, language, unmask=True))
    assert f"{OTHER}へ␊どうぞ" in open_
    assert f"090-1000-0001 → {NUMBER}" in open_
    assert "\x1b" not in open_
    data = trace_document(LIFE, unmask=True)
    assert (data["msisdn"], data["text"], data["source"]) == (NUMBER, f"{OTHER}へ\nどうぞ", f"{OTHER}.csv")


def test_programs_read_codes_and_decimal_strings() -> None:
    data = trace_document(LIFE, unmask=False)
    assert data["price"] == {
        "billable": True,
        "amount": "17.0",
        "carrier": "Docomo",
        "parts": 2,
        "parts_reported": 2,
        "day": "2026-11-23",
        "tariff": "example",
    }
    assert (data["class"], data["label"], data["state"], data["unread"]) == (
        "delivered",
        "送信済",
        "taken",
        ["artefact.missing"],
    )
    assert data["repairs"] == [{"column": "電話番号", "rule": "phone.separators"}]
    assert "text" not in data
    assert json.loads(json.dumps(data)) == data


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"billable": False, "amount": None}, "  price    not billed"),
        (
            {"amount": None, "carrier": ""},
            "  price    tariff example of 2026-11-23 has none: ?, 2 part(s) as the gateway counted",
        ),
    ],
)
def test_why_there_is_no_price(change: dict[str, object], expected: str) -> None:
    line = replace(LINE, **change)  # type: ignore[arg-type]  # fields of it
    life = replace(LIFE, priced=replace(LIFE.priced, line=line))
    assert expected in list(trace_lines(life, Language.EN, unmask=False))


def test_what_was_never_sent_has_no_upload_times_and_no_results() -> None:
    waiting = replace(LIFE.dispatches[0], begun_at=None, ended_at=None, answer_code=None, csvid=None)
    life = replace(LIFE, dispatches=(waiting,), seen=(), priced=replace(LIFE.priced, reported=None))
    lines = list(trace_lines(life, Language.EN, unmask=False))
    assert "  upload   bbbbbbbbbb-0001: attempts 1, begun -, ended -, answer -, csvid -" in lines
    assert "  result   none yet" in lines
    assert any("2 part(s) as computed" in line for line in lines)


def test_a_refusal_that_a_person_decided_says_so() -> None:
    line = replace(LINE, state=MessageState.REFUSED, message_class=MessageClass.REFUSED, label=BY_PERSON)
    life = replace(LIFE, priced=replace(LIFE.priced, line=line), refusal=None)
    first, *_ = trace_lines(life, Language.EN, unmask=False)
    assert "refused (decided by a person)" in first
    assert trace_document(life, unmask=False)["label"] == BY_PERSON


def test_a_result_that_was_not_pulled_says_how_it_came() -> None:
    notified = Seen(
        observation=replace(seen("送信済", 2).observation, path=ObservationPath.NOTIFIED), pulled_at=None, file=None
    )
    lines = list(trace_lines(replace(LIFE, seen=(notified,)), Language.EN, unmask=False))
    assert "  result   2026-11-23 09:32:00 JST  送信済  Docomo  notified" in lines


def test_every_request_to_cancel_is_told_with_its_answer() -> None:
    def asked(outcome: CancelOutcome | None, code: str | None) -> AskedToCancel:
        return AskedToCancel(asked_at=AT, actor=OTHER, answered_at=AT if outcome else None, outcome=outcome, code=code)

    life = replace(LIFE, cancellations=(asked(None, None), asked(CancelOutcome.TOO_LATE, "550")))
    lines = list(trace_lines(life, Language.EN, unmask=False))
    assert "  cancel   asked 2026-11-23 09:30:00 JST by 080****5678: no answer was recorded" in lines
    assert "  cancel   asked 2026-11-23 09:30:00 JST by 080****5678: 550 (too late)" in lines
    assert trace_document(life, unmask=False)["cancellations"] == [
        {"asked_at": AT.isoformat(), "actor": "080****5678", "answered_at": None, "outcome": None, "answer": None},
        {
            "asked_at": AT.isoformat(),
            "actor": "080****5678",
            "answered_at": AT.isoformat(),
            "outcome": "too_late",
            "answer": "550",
        },
    ]
    for language in Language:
        for outcome in (*CancelOutcome, None):
            assert list(trace_lines(replace(LIFE, cancellations=(asked(outcome, None),)), language, unmask=False))


@pytest.mark.parametrize(
    ("lines", "change", "expected"),
    [
        (
            (ON_LINE,),
            {},
            ["{file}, line 3: domestic Docomo, unit price JPY 17.0, {invoiced}, {counted}"],
        ),
        (
            (ON_LINE, replace(ON_LINE, line=4, carrier="", unit_price=None, invoiced=None)),
            {"billable": False, "amount": None, "message_class": MessageClass.PENDING},
            [
                "{maybe} {file}, line 3: domestic Docomo, unit price JPY 17.0, {invoiced}, {counted}",
                "{maybe} {file}, line 4: domestic, unit price -, invoiced - for JPY 20,468.0, {counted}",
            ],
        ),
        (
            (replace(ON_LINE, line=0, invoiced=0, invoiced_amount=Decimal(0)),),
            {},
            ["on no line of {file}: domestic, Docomo, 2 part(s), JPY 17.0"],
        ),
        (
            (),
            {"billable": False, "amount": None, "message_class": MessageClass.FAILED, "carrier": ""},
            ["on no line of {file}: domestic, ?, 2 part(s), failed"],
        ),
    ],
)
def test_the_line_of_the_invoice(
    lines: tuple[InvoiceLine, ...], change: dict[str, object], expected: list[str]
) -> None:
    line = replace(LINE, **change)  # type: ignore[arg-type]  # fields of it
    invoiced = Invoiced(month="2026-11", closed_at=None, source_name=f"{OTHER}.csv", lines=lines)
    life = replace(LIFE, priced=replace(LIFE.priced, line=line), invoiced=invoiced)
    shown = [said for said in trace_lines(life, Language.EN, unmask=False) if said.startswith("  invoice")]
    words = {
        "file": "080****5678.csv of month 2026-11",
        "maybe": "not counted by us; if invoiced, it is in",
        "invoiced": "invoiced 1,204 for JPY 20,468.0",
        "counted": "counted 1,203 for JPY 20,451.0",
    }
    assert shown == ["  invoice  " + said.format(**words) for said in expected]
    data = trace_document(life, unmask=False)["invoice"]
    assert isinstance(data, dict)
    assert (data["month"], data["source"]) == ("2026-11", "080****5678.csv")
    assert [each["line"] for each in data["lines"]] == [each.line for each in lines]


def test_a_closed_month_and_a_missing_price_are_said_without_an_invoice() -> None:
    line = replace(LINE, amount=None)
    life = replace(LIFE, priced=replace(LIFE.priced, line=line), invoiced=Invoiced(month="2026-11", closed_at=AT))
    shown = list(trace_lines(life, Language.EN, unmask=False))
    closed = "month 2026-11 (closed 2026-11-23 09:30:00 JST)"
    assert f"  invoice  none given (--invoice); {closed}: domestic, Docomo, 2 part(s), no price" in shown
