"""The life of a message, from the ledger and the files of its batch."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from pipeline.core.tracing import Invoiced
from pipeline.errors import GatewayRefused, InputUnusable, UsageError
from pipeline.ledger.batches import get_batch
from pipeline.messages import Language
from pipeline.model import Break, BreakKind, MessageClass, MessageState
from pipeline.operations.trace import trace
from pipeline.simulator import Knobs
from pipeline.stages.months import close_month, reconcile_month
from pipeline.stages.reconcile import reconcile
from pipeline.stages.send import send
from tests.databases import BOTH
from tests.operations.observing import observe, result, sent

if TYPE_CHECKING:
    from pipeline.context import Context
    from tests.stages.conftest import House


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> str:
    """What is asked of the ledger is asked of each kind."""
    return str(request.param)


def test_everything_about_a_message_is_found(house: House, context: Context) -> None:
    rows = [["電話番号", "本文", "部門"], [house.number(1), "あ", ""], ["0901-000-0002", "い\r\nう", " 営業 "]]
    batch = house.batch(context, house.write("list.csv", rows))
    send(context, batch)
    _, message = sent(context, batch.batch_id)
    at = context.now()
    later = observe(context, result(message, "送信済", at + timedelta(minutes=2), parts=(2, 2), line=7))
    house.clock.advance(timedelta(hours=1))
    early = observe(context, result(message, "処理中", at + timedelta(minutes=1), line=3))
    (life,) = trace(context, message.smsid, limit=1).lives
    assert life.placed.message == message
    assert (life.batch.source_name, message.row_number, life.row["cost_centre"]) == ("list.csv", 3, "営業")
    assert life.row["text"] == "い\nう"
    assert {(repair.column, repair.rule) for repair in life.repairs} == {
        ("電話番号", "phone.separators"),
        ("本文", "text.line_break"),
    }
    (dispatch,) = life.dispatches
    assert (dispatch.attempts, dispatch.answer_code, life.meanings) == (1, "200", {"200": "success"})
    assert [(seen.observation.status, seen.file, seen.observation.line) for seen in life.seen] == [
        ("処理中", early, 3),
        ("送信済", later, 7),
    ]
    assert [seen.pulled_at for seen in life.seen] == [at + timedelta(hours=1), at]
    line = life.priced.line
    assert (line.message_class, line.amount, line.parts, life.priced.reported) == (
        MessageClass.DELIVERED,
        Decimal("17.0"),
        2,
        2,
    )
    assert [found.kind for found in life.priced.breaks] == [BreakKind.SEGMENT_MISMATCH]
    assert [happened.kind for happened in life.happened] == ["validated", "planned", "begun", "ended"]
    assert life.unread == ()


def test_it_is_what_the_reconciliation_says(house: House, context: Context) -> None:
    """Class, price and breaks of every message, however it fared."""
    batch = house.batch(context, house.recipients(9))
    send(context, batch)
    at = context.now()
    labels = ["送信済", "リダイレクト", "送信中", "ドコモ圏外・OFF", "ドコモ一部受信", "キャンセル済", "謎"]
    rows = [result(*pair, at) for pair in zip(sent(context, batch.batch_id), labels, strict=False)]
    observe(
        context, *rows, *(result(one, "送信済", at + timedelta(hours=1)) for one in sent(context, batch.batch_id)[:1])
    )
    observe(context, result(sent(context, batch.batch_id)[1], "失敗", at, msisdn=house.number(99)))
    reconciled = reconcile(context, batch)
    breaks: list[Break] = []
    for line in reconciled.lines:
        (life,) = trace(context, line.smsid, limit=1).lives
        assert life.priced.line == line
        breaks += life.priced.breaks
    assert sorted(map(repr, breaks)) == sorted(map(repr, reconciled.value.breaks))
    assert {found.kind for found in breaks} >= {BreakKind.DUPLICATE_BILLABLE, BreakKind.PHONE_MISMATCH}
    assert len({line.message_class for line in reconciled.lines}) == 6


def test_it_is_what_the_reconciliation_says_where_results_name_no_smsid(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(3))
    send(context, batch)
    house.clock.advance(timedelta(minutes=5))
    pairs = zip(sent(context, batch.batch_id), ["送信済", "失敗"], strict=False)
    observe(context, *(replace(result(*pair, context.now()), smsid="") for pair in pairs))
    columns = context.profile.layout.by_field
    with patch.dict(columns, {"smsid": columns["smsid"].model_copy(update={"direction": "send"})}):
        lines = list(reconcile(context, batch).lines)
        for line in lines:
            (life,) = trace(context, line.smsid, limit=1).lives
            assert life.priced.line == line
    assert [line.label for line in lines] == ["送信済", "失敗", ""]


def test_the_line_of_the_invoice_is_the_one_that_the_month_is_compared_by(house: House, context: Context) -> None:
    """Also where only the whole month tells it: au's price is on no line, and one line is left for it."""
    batch = house.batch(context, house.recipients(6))
    send(context, batch)
    docomo, au, softbank, failed, pending, clicked = sent(context, batch.batch_id)
    at = context.now()
    observe(
        context,
        result(docomo, "送信済", at),
        result(au, "送信済", at, carrier="au"),
        result(softbank, "送信済", at, carrier="SoftBank"),
        result(failed, "失敗", at),
        result(pending, "送信中", at),
        result(clicked, "リダイレクト", at, parts=(2, 2)),
    )
    rows = [
        ["対象月", "種別", "キャリア", "通数", "単価", "金額"],
        ["2026年11月", "国内SMS", "ドコモ", "1", "8.5", "8.5"],
        ["2026年11月", "国内SMS", "ドコモ", "1", "17.0", "17"],
        ["2026年11月", "国内SMS", "KDDI", "1", "7.5", "7.5"],
        ["2026年10月", "国内SMS", "ソフトバンク", "1", "9.2", "9.2"],
    ]
    path = house.write("i.csv", rows)
    found = {}
    for message in sent(context, batch.batch_id):
        (life,) = trace(context, message.smsid, limit=1, invoice=path).lives
        assert (life.invoiced.month, life.invoiced.source_name) == ("2026-11", "i.csv")
        found[message] = [(line.line, line.counted, line.invoiced) for line in life.invoiced.lines]
    assert found == {
        docomo: [(2, 1, 1)],
        au: [(4, 1, 1)],
        softbank: [(0, 1, 0)],
        failed: [],
        pending: [(2, 1, 1)],
        clicked: [(3, 1, 1)],
    }
    variance = reconcile_month(context, "2026-11", invoice=path).value.variance
    assert variance is not None
    assert {line.line: (line.counted, line.invoiced) for line in variance.lines if line.kind == "normal"} == {
        2: (1, 1),
        3: (1, 1),
        4: (1, 1),
        0: (1, 0),
    }


def test_an_invoice_of_another_month_has_no_line_for_it(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(1))
    send(context, batch)
    (message,) = sent(context, batch.batch_id)
    observe(context, result(message, "送信済", context.now()))
    rows = [["対象月", "キャリア", "通数", "金額"], ["2026年12月", "ドコモ", "1", "8.5"]]
    (life,) = trace(context, message.smsid, limit=1, invoice=house.write("i.csv", rows)).lives
    assert (life.invoiced.source_name, life.invoiced.lines) == ("i.csv", ())
    with pytest.raises(InputUnusable) as refused:
        trace(context, message.smsid, limit=1, invoice=house.write("i.csv", [*rows, ["2026年11月", "x", "1", "8.5"]]))
    assert refused.value.code == "invoice.carrier"


def test_whether_the_month_is_closed_is_told_without_an_invoice(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(1))
    send(context, batch)
    (message,) = sent(context, batch.batch_id)
    observe(context, result(message, "送信済", context.now()))
    (life,) = trace(context, message.smsid, limit=1).lives
    assert life.invoiced == Invoiced(month="2026-11", closed_at=None)
    house.clock.advance(timedelta(days=9))
    close_month(context, "2026-11", actor="me")
    (life,) = trace(context, message.smsid, limit=1).lives
    assert life.invoiced == Invoiced(month="2026-11", closed_at=context.now())


def test_the_messages_to_a_number_are_shown_newest_first(house: House, context: Context) -> None:
    batches = []
    for day, campaign in enumerate("abc"):
        batches.append(house.batch(context, house.recipients(2, f"{campaign}.csv", text=f"本文{day}"), campaign))
        send(context, batches[-1])
        house.clock.advance(timedelta(hours=1))
    waiting = house.batch(context, house.recipients(2, "d.csv", text="本文d"), "d")
    house.gateway.knobs = Knobs(refuse_code="596")
    with pytest.raises(GatewayRefused):
        send(context, waiting)
    for spelled in (house.number(1), "090-1000-0001", "+81 90 1000 0001", "９０１００００001"):
        traced = trace(context, spelled, limit=3)
        assert traced.total == 4
        assert [life.batch.campaign for life in traced.lives] == ["d", "c", "b"]
        assert {life.placed.message.msisdn for life in traced.lives} == {house.number(1)}
    assert trace(context, "09099999999", limit=3).total == 0
    assert trace(context, "+1 212 555 0100", limit=3).lives == ()


def test_a_message_that_was_refused_and_sent_again_has_two_uploads(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(2))
    house.gateway.knobs = Knobs(refuse_code="596", faults=1)
    with pytest.raises(GatewayRefused):
        send(context, batch)
    send(context, get_batch(context.ledger, batch.batch_id))
    (life,) = trace(context, sent(context, batch.batch_id)[0].smsid, limit=1).lives
    assert [dispatch.answer_code for dispatch in life.dispatches] == ["596", "200"]
    assert life.placed.message.state is MessageState.TAKEN
    kinds = [happened.kind for happened in life.happened]
    assert kinds == ["validated", "planned", "begun", "ended", "planned_again", "begun", "ended"]
    assert life.meanings.keys() == {"596", "200"}


def test_another_upload_of_the_batch_is_not_the_message_s(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(7))
    send(context, batch)
    first, *_, last = sent(context, batch.batch_id)
    for message, number in ((first, 1), (last, 2)):
        (life,) = trace(context, message.smsid, limit=1).lives
        assert [dispatch.number for dispatch in life.dispatches] == [number]
        names = {happened.dispatch_id for happened in life.happened if happened.dispatch_id}
        assert names == {f"{batch.batch_id}-{number:04d}"}


@pytest.mark.parametrize(("name", "code"), [("accepted.csv", "artefact.changed"), ("repaired.csv", "artefact.missing")])
def test_a_file_that_cannot_be_trusted_is_named_and_the_rest_is_told(
    name: str, code: str, house: House, context: Context
) -> None:
    batch = house.batch(context, house.recipients(1))
    send(context, batch)
    path = context.workspace.batch_folder(batch.batch_id) / name
    path.write_text("x") if code.endswith("changed") else path.unlink()
    (life,) = trace(context, sent(context, batch.batch_id)[0].smsid, limit=1).lives
    assert [error.code for error in life.unread] == [code]
    assert life.priced.line.message_class is MessageClass.PENDING


@pytest.mark.parametrize("wanted", ["nothing", "0901", "", "03-1234-5678", "%", "a\0b", "\ud800"], ids=ascii)
def test_what_is_neither_is_refused_without_repeating_it(wanted: str, house: House, context: Context) -> None:
    house.sent(context, house.recipients(1))
    with pytest.raises(UsageError) as refused:
        trace(context, wanted, limit=1)
    assert (refused.value.code, refused.value.facts) == ("trace.unknown", {})


def test_capitals_are_told_apart_and_the_other_spelling_is_offered(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(1))
    send(context, batch)
    (message,) = sent(context, batch.batch_id)
    with pytest.raises(UsageError) as refused:
        trace(context, message.smsid.upper(), limit=1)
    assert refused.value.code == "trace.similar"
    assert f"`mediasms trace {message.smsid}`" in refused.value.hint(Language.EN)
