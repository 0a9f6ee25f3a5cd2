"""A month is reconciled, compared with its invoice, closed, and restated when something comes late."""

from __future__ import annotations

import csv
import random
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from pipeline.core.billing import MonthlyFee
from pipeline.core.calendar import JST
from pipeline.errors import Exit, GatewayRefused, GuardStopped, OutcomeUnknown, TryLater, UsageError
from pipeline.ledger.batches import get_batch, list_batches
from pipeline.ledger.cancelling import cancel_messages
from pipeline.ledger.closing import list_closings, record_closing
from pipeline.ledger.notifications import record_notifications
from pipeline.ledger.plans import free_messages
from pipeline.model import (
    BY_PERSON,
    BreakKind,
    Cause,
    MessageClass,
    MessageState,
    Mode,
    MonthPhase,
    MonthSubject,
    Observation,
    ObservationPath,
    OpenCost,
    RestatedSubject,
)
from pipeline.operations.resolve import resolve
from pipeline.simulator import Knobs
from pipeline.stages import singly
from pipeline.stages.guards import Late, Permission
from pipeline.stages.months import added_up_in, close_month, reconcile_month
from pipeline.stages.planning import plan_free_again
from pipeline.stages.pull import pull
from pipeline.stages.reconcile import reconcile
from pipeline.stages.send import send
from schemas.tariff import parse_tariff
from tests.databases import BOTH
from tests.operations.observing import observe, result, sent

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.context import Context
    from pipeline.model import Batch, Reconciliation
    from pipeline.stages.reconcile import Reconciled
    from tests.stages.conftest import House

MONTH = "2026-11"


def _sent_and_pulled(house: House, context: Context, days: int = 2) -> None:
    house.sent(context, house.recipients(30))
    house.clock.advance(timedelta(days=days))
    pull(context)


def _invoice(house: House, found: Reconciled, more: int = 0, *below: list[str]) -> Path:
    """Write the invoice that the gateway's operator would: what is billed by carrier, with ``more`` than is right.

    ``below`` are the rows after these.
    """
    billed: Counter[tuple[str, Decimal]] = Counter()
    for line in found.lines:
        if line.amount is not None:
            billed[line.carrier, line.amount] += 1
    if more:
        (first, *_) = billed
        billed[first] += more
    lines = [
        ["2026年11月", "国内SMS", carrier, str(count), str(price), f"{count * price}"]
        for (carrier, price), count in billed.items()
    ]
    assert found.value.bill is not None
    lines += [["2026年11月", fee.name, "", "", "", str(fee.amount)] for fee in found.value.bill.fees]
    path = house.folder / "invoice.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["対象月", "種別", "キャリア", "通数", "単価", "金額"], *lines, *below])
    return path


def _until_december(house: House) -> None:
    house.clock.advance(timedelta(days=9))


def test_an_invoice_that_is_right_leaves_nothing_unexplained(house: House, context: Context) -> None:
    _sent_and_pulled(house, context)
    plain = reconcile_month(context, MONTH)
    assert plain.value.bill is not None
    assert plain.value.bill.messages == plain.value.amount.untaxed > 0
    assert plain.value.variance is None
    found = reconcile_month(context, MONTH, invoice=_invoice(house, plain)).value
    assert found.variance is not None
    assert found.bill is not None
    assert (found.variance.invoiced, found.variance.unexplained) == (found.bill.untaxed, Decimal(0))
    assert found.variance.explanations == ()
    assert found.balanced
    assert found.prices == context.tariff.price_lines


def test_a_total_in_whole_yen_is_that_of_the_bill(house: House, context: Context) -> None:
    house.sent(context, house.recipients(31))
    house.clock.advance(timedelta(days=2))
    pull(context)
    plain = reconcile_month(context, MONTH)
    bill = plain.value.bill
    assert bill is not None
    assert bill.fraction  # else this test shows nothing
    tax = ["2026年11月", "消費税(10%)", "", "", "", str(bill.tax)]
    total = ["2026年11月", "合計", "", "", "", str(bill.total)]
    found = reconcile_month(context, MONTH, invoice=_invoice(house, plain, 0, tax, total)).value
    assert found.variance is not None
    assert found.variance.explanations == ()
    assert found.variance.invoiced == found.variance.counted == bill.total
    assert found.balanced


def test_an_amount_for_no_messages_is_a_finding(house: House, context: Context) -> None:
    _sent_and_pulled(house, context)
    plain = reconcile_month(context, MONTH)
    nothing = ["2026年11月", "国内SMS", "楽天", "0", "", "100000"]
    found = reconcile_month(context, MONTH, invoice=_invoice(house, plain, 0, nothing))
    assert found.value.variance is not None
    assert found.value.variance.unexplained == 100_000
    assert found.exit is Exit.FINDINGS


def test_a_month_without_messages_compares_nothing(house: House, context: Context) -> None:
    for month, phase in ((MONTH, MonthPhase.RUNNING), ("2026-10", MonthPhase.OVER), ("2026-12", MonthPhase.FUTURE)):
        found = reconcile_month(context, month)
        assert found.value.subject == MonthSubject(month=month, batches=0, phase=phase)
        assert found.value.is_empty
        assert (found.exit, found.document["empty"], found.document["findings"]) == (Exit.DONE, True, {})
        assert found.document["invented"]
    nothing = reconcile_month(context, "2026-10")
    invoice = _invoice(house, nothing, 0, ["2026年10月", "国内SMS", "ドコモ", "2", "8.5", "17"])
    asked = reconcile_month(context, "2026-10", invoice=invoice)
    assert asked.value.variance is not None
    assert asked.value.variance.unexplained == 17
    assert (asked.exit, asked.document["findings"]) == (Exit.FINDINGS, {"unexplained": 1})


def test_a_month_with_messages_is_not_empty_and_tells_what_is_pending(house: House, context: Context) -> None:
    house.sent(context, house.recipients(3))
    value = reconcile_month(context, MONTH).value
    assert not value.is_empty
    assert value.pending_cost == OpenCost(messages=3, highest=3 * Decimal("9.2"))


def test_what_is_invoiced_too_much_is_a_number_and_a_finding(house: House, context: Context) -> None:
    _sent_and_pulled(house, context)
    plain = reconcile_month(context, MONTH)
    found = reconcile_month(context, MONTH, invoice=_invoice(house, plain, more=3))
    assert found.value.variance is not None
    price = next(line.amount for line in plain.lines if line.amount is not None)
    assert found.value.variance.unexplained == 3 * price
    assert found.exit is Exit.FINDINGS


def test_a_month_that_is_not_over_is_not_closed(house: House, context: Context) -> None:
    _sent_and_pulled(house, context)
    with pytest.raises(UsageError) as stopped:
        close_month(context, MONTH, actor="me")
    assert stopped.value.code == "close.not_over"


def _without_fees(context: Context) -> Context:
    object.__setattr__(context.configuration, "tariff", replace(context.tariff, fees=()))
    return context


@pytest.mark.parametrize("month", ["2020-01", "2026-10", MONTH])
def test_a_month_in_which_nothing_was_is_not_closed(house: House, context: Context, month: str) -> None:
    _until_december(house)
    if month == MONTH:  # the ledger was there already: an account with a fee is charged it
        _without_fees(context)
    with pytest.raises(UsageError) as stopped:
        close_month(context, month, actor="me")
    assert (stopped.value.code, stopped.value.facts) == ("close.nothing", {"month": month})
    assert list_closings(context.ledger, month) == []
    assert not context.workspace.month_folder(month).exists()


def test_a_month_of_fees_alone_is_closed(house: House, context: Context) -> None:
    _until_december(house)
    closed = close_month(context, MONTH, actor="me")
    assert closed.reconciled.value.bill is not None
    assert (closed.number, closed.reconciled.value.bill.total) == (1, Decimal(5500))
    again = close_month(_without_fees(context), MONTH, actor="me")
    assert again.reconciled.value.bill is not None
    assert (again.number, again.reconciled.value.bill.total) == (2, Decimal(0))


def test_a_month_of_results_that_are_not_ours_is_closed(context: Context) -> None:
    at = datetime(2025, 3, 4, 5, tzinfo=JST)
    observe(context, replace(_notified("web1"), path=ObservationPath.PULLED, registered_at=at, status_time=at))
    closed = close_month(_without_fees(context), "2025-03", actor="me")
    assert closed.reconciled.value.foreign.messages == 1


def test_nothing_that_came_late_is_no_restatement(house: House, context: Context) -> None:
    _sent_and_pulled(house, context)
    _until_december(house)
    closed = close_month(context, MONTH, actor="me")
    assert (closed.number, closed.is_new, closed.reconciled.value.restatements) == (1, True, ())
    written = closed.reconciled.value
    assert isinstance(written.subject, MonthSubject)
    assert written.subject.closed_at == written.as_of
    again = close_month(context, MONTH, actor="me")
    assert (again.number, again.is_new) == (1, False)
    subject = reconcile_month(context, MONTH).value.subject
    assert isinstance(subject, MonthSubject)
    assert subject.closed_at is not None


def _closed_without_results(house: House, context: Context) -> Reconciliation:
    house.gateway.knobs = Knobs(results_delay=14 * 86400)
    _sent_and_pulled(house, context)
    _until_december(house)
    return close_month(context, MONTH, actor="me").reconciled.value


def test_results_that_come_after_the_closing_restate_the_month(house: House, context: Context) -> None:
    before = _closed_without_results(house, context)
    assert before.amount.untaxed == 0
    house.clock.advance(timedelta(days=10))
    pull(context, period=(before.as_of - timedelta(days=30), before.as_of))
    after = reconcile_month(context, MONTH)
    (change,) = after.value.restatements
    assert change.cause is Cause.RESULT
    assert (change.before, change.after) == (Decimal(0), after.value.amount.untaxed)
    assert change.messages == 30
    assert after.exit is Exit.FINDINGS
    assert close_month(context, MONTH, actor="me").number == 2
    assert reconcile_month(context, MONTH).value.restatements == ()


def test_another_tariff_restates_a_closed_month(house: House, context: Context) -> None:
    _sent_and_pulled(house, context)
    _until_december(house)
    before = close_month(context, MONTH, actor="me").reconciled.value
    prices = '[[price]]\ncarrier = "*"\nfrom = 2024-04-01\nyen = ["10"]\n'
    steps = '[[steps]]\ncarrier = "*"\nwide_single = 70\nwide_part = 67\nnarrow_single = 160\nnarrow_part = 153\n'
    tariff = parse_tariff(f'name = "new"\n[[tax]]\nrate = "0.10"\nfrom = 2019-10-01\n{steps}{prices}', "new.toml")
    object.__setattr__(context.configuration, "tariff", tariff)
    after = reconcile_month(context, MONTH).value
    change, fees = after.restatements
    assert (change.subject, fees.subject) == (RestatedSubject.MESSAGES, RestatedSubject.FEE)
    assert (change.cause, fees.cause, fees.messages) == (Cause.TARIFF, Cause.TARIFF, 0)
    assert change.difference == after.amount.untaxed - before.amount.untaxed != 0
    assert before.bill is not None
    assert after.bill is not None
    assert change.difference + fees.difference == after.bill.untaxed - before.bill.untaxed


def test_a_snapshot_that_was_changed_is_not_believed(house: House, context: Context) -> None:
    _closed_without_results(house, context)
    path = context.workspace.month_folder(MONTH) / "closing-01.arrow"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(GuardStopped) as stopped:
        reconcile_month(context, MONTH)
    assert stopped.value.code == "artefact.changed"
    path.unlink()
    with pytest.raises(GuardStopped) as missing:
        reconcile_month(context, MONTH)
    assert missing.value.code == "artefact.missing"


def test_time_alone_restates_nothing(house: House, context: Context) -> None:
    """What was pending when the month was closed is missing when its deadline has passed."""
    house.sent(context, house.recipients(3))
    house.clock.advance(timedelta(days=7, hours=20))
    assert close_month(context, MONTH, actor="me").reconciled.value.classes[MessageClass.PENDING] == 3
    house.clock.advance(timedelta(days=3))
    after = reconcile_month(context, MONTH).value
    assert (after.classes[MessageClass.MISSING], after.restatements) == (3, ())
    assert close_month(context, MONTH, actor="me").is_new is False


def test_a_month_is_closed_by_one_at_a_time(house: House, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one that closes it meanwhile, and knows of more, would write the same file."""
    _sent_and_pulled(house, context)
    _until_december(house)
    tried = []

    def meanwhile(*given: Any, **named: Any) -> int:  # noqa: ANN401 - passed on
        with pytest.raises(TryLater) as stopped:
            close_month(house.open(), MONTH, actor="other")
        tried.append(stopped.value.code)
        return record_closing(*given, **named)

    monkeypatch.setattr("pipeline.stages.months.record_closing", meanwhile)
    assert close_month(context, MONTH, actor="me").number == 1
    assert tried == ["lock.held"]
    assert reconcile_month(context, MONTH).value.restatements == ()


def _interrupted(context: Context, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Let a closing end where it takes a ``step``."""

    def stopped(*_: Any, **__: Any) -> None:  # noqa: ANN401 - not looked at
        raise TryLater("ledger.busy", problem="locked")

    with monkeypatch.context() as patched:
        patched.setattr(f"pipeline.stages.months.{step}", stopped)
        with pytest.raises(TryLater):
            close_month(context, MONTH, actor="me")


def test_no_report_says_that_a_month_is_closed_before_it_is(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    _sent_and_pulled(house, context)
    _until_december(house)
    folder = context.workspace.month_folder(MONTH)
    _interrupted(context, monkeypatch, "record_closing")
    assert list(folder.glob("report*")) == list(folder.glob("reconciliation-*.json")) == []
    assert reconcile_month(context, MONTH).document["closed_at"] is None
    house.clock.advance(timedelta(hours=1))
    closed = close_month(context, MONTH, actor="me")
    assert (closed.number, closed.is_new) == (1, True)
    assert closed.reconciled.document["closed_at"] == context.now().isoformat()


def test_reports_of_a_closing_that_were_cut_short_are_written_by_the_next_one(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what that closing restated: its reports would have been the only ones to say so."""
    before = _closed_without_results(house, context)
    house.clock.advance(timedelta(days=10))
    pull(context, period=(before.as_of - timedelta(days=30), before.as_of))
    changed = reconcile_month(context, MONTH).value.restatements
    assert changed
    house.clock.advance(timedelta(hours=1))
    second = context.now()
    _interrupted(context, monkeypatch, "written")
    house.clock.advance(timedelta(hours=1))
    again = close_month(context, MONTH, actor="me")
    assert (again.number, again.is_new, again.reconciled.value.restatements) == (2, False, changed)
    assert again.reconciled.document["closed_at"] == second.isoformat()
    # Now that it is said, nothing has changed any more.
    assert reconcile_month(context, MONTH).value.restatements == ()
    assert close_month(context, MONTH, actor="me").reconciled.value.restatements == ()


def test_a_month_whose_reports_were_moved_away_is_compared_with_its_last_closing(
    house: House, context: Context
) -> None:
    before = _closed_without_results(house, context)
    for path in context.workspace.month_folder(MONTH).glob("re*"):
        path.unlink()
    house.clock.advance(timedelta(days=10))
    pull(context, period=(before.as_of - timedelta(days=30), before.as_of))
    assert reconcile_month(context, MONTH).value.restatements


def _causes(context: Context, month: str = MONTH) -> list[tuple[Cause, tuple[str, ...]]]:
    return [(one.cause, one.smsids) for one in reconcile_month(context, month).value.restatements]


def test_a_decision_is_about_those_messages_that_it_moved(house: House, context: Context) -> None:
    """Of one upload a result has settled one message, a person the others."""
    batch = house.batch(context, house.recipients(3))
    house.gateway.knobs = Knobs(html_200=True, results_delay=100 * 86400)
    with pytest.raises(OutcomeUnknown):
        send(context, batch)
    by_result, by_person, _ = sent(context, batch.batch_id)
    observe(context, result(by_result, "送信中", context.now()))
    _until_december(house)
    close_month(context, MONTH, actor="me")
    house.clock.advance(timedelta(days=1))
    assert resolve(context, f"{batch.batch_id}-0001", MessageState.TAKEN, actor="me", because="x") == 2
    at = context.now()
    observe(context, *(result(one, "送信済", at) for one in (by_result, by_person)))
    assert dict(_causes(context)) == {
        Cause.RESULT: (by_result.smsid,),
        Cause.DECISION: tuple(one.smsid for one in sent(context, batch.batch_id)[1:]),
    }


def test_what_a_person_gave_up_is_decided_also_when_it_was_sent_again(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(2))
    house.gateway.knobs = Knobs(html_200_nothing=True)
    with pytest.raises(OutcomeUnknown):
        send(context, batch)
    _until_december(house)
    close_month(context, MONTH, actor="me")
    house.clock.advance(timedelta(days=1))
    resolve(context, f"{batch.batch_id}-0001", MessageState.REFUSED, actor="me:0", because="x")
    smsids = tuple(house.smsids(context, batch.batch_id))
    assert _causes(context) == [(Cause.DECISION, smsids)]
    (line,) = reconcile(context, batch).value.statuses
    assert (line.message_class, line.label) == (MessageClass.REFUSED, BY_PERSON)
    house.gateway.knobs = Knobs()
    send(context, get_batch(context.ledger, batch.batch_id), permission=Permission(late=Late("me", "x")))
    assert _causes(context) == [(Cause.DECISION, smsids)]


def test_what_a_person_cancelled_is_decided(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(4))
    house.gateway.knobs = Knobs(refuse_code="596", faults=1)
    with pytest.raises(GatewayRefused):
        send(context, batch)
    _until_december(house)
    close_month(context, MONTH, actor="me")
    house.clock.advance(timedelta(days=1))
    smsids = house.smsids(context, batch.batch_id)
    assert cancel_messages(context.ledger, [smsids[0], smsids[1], smsids[3]], context.now(), actor="me") == 3
    assert _causes(context) == [(Cause.DECISION, (smsids[0], smsids[1], smsids[3]))]


def test_fees_and_tax_rates_restate_a_closed_month(house: House, context: Context) -> None:
    """They are of no message: what differs is the bill."""
    _sent_and_pulled(house, context)
    _until_december(house)
    before = close_month(context, MONTH, actor="me").reconciled.value.bill
    old = context.tariff
    fees = (*old.fees, MonthlyFee("x", Decimal(9999), date(2024, 4, 1), None))
    object.__setattr__(context.configuration, "tariff", replace(old, sha256="1" * 64, fees=fees))
    found = reconcile_month(context, MONTH)
    (fee,) = found.value.restatements
    assert fee.subject is RestatedSubject.FEE
    assert (fee.cause, fee.messages, fee.difference, found.exit) == (Cause.TARIFF, 0, Decimal(9999), Exit.FINDINGS)
    taxes = tuple(replace(one, rate=Decimal("0.2")) for one in old.taxes)
    object.__setattr__(context.configuration, "tariff", replace(old, sha256="2" * 64, taxes=taxes))
    after = reconcile_month(context, MONTH).value
    (tax,) = after.restatements
    assert before is not None
    assert after.bill is not None
    assert (tax.subject, tax.cause, tax.before, tax.after) == (
        RestatedSubject.TAX,
        Cause.TARIFF,
        before.tax,
        after.bill.tax,
    )
    assert close_month(context, MONTH, actor="me").number == 2
    assert reconcile_month(context, MONTH).value.restatements == ()


def test_a_late_result_that_is_not_ours_restates_a_closed_month(house: House, context: Context) -> None:
    _sent_and_pulled(house, context)
    _until_december(house)
    before = close_month(context, MONTH, actor="me").reconciled.value
    (batch,) = list_batches(context.ledger)
    at = before.as_of - timedelta(days=6)
    row = replace(result(sent(context, batch.batch_id)[0], "送信済", at), smsid="web1", registered_at=at)
    observe(context, row)
    after = reconcile_month(context, MONTH).value
    (change,) = after.restatements
    assert (change.cause, change.messages, change.smsids) == (Cause.RESULT, 1, ())
    assert change.subject is RestatedSubject.FOREIGN
    assert (change.before, change.after) == (before.foreign.amount, after.foreign.amount)
    assert change.difference > 0


def _learnt(house: House) -> Context:
    """Open the house with a profile in which a status has a number and a meaning that it had not."""
    text = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
    status = '[[status]]\nnumber = 99\nlabel = "新状態"\nmeans = "delivered"\nbillable = true\ngrade = "A"\n'
    (house.folder / "own.toml").write_text(f"{text}\n{status}", encoding="utf-8")
    return house.open(GATEWAY_PROFILE="./own.toml")


@pytest.mark.parametrize("status", ["新状態", "99"])
def test_what_a_status_means_now_restates_for_the_profiles_sake(house: House, context: Context, status: str) -> None:
    house.sent(context, house.recipients(1))
    (message,) = sent(context, list_batches(context.ledger)[0].batch_id)
    ours = result(message, status, context.now())
    observe(context, ours, replace(ours, smsid="web1"))
    _until_december(house)
    before = close_month(context, MONTH, actor="me").reconciled.value
    learnt = _learnt(house)
    changes = reconcile_month(learnt, MONTH).value.restatements
    assert [(one.cause, one.subject, one.messages) for one in changes] == [
        (Cause.PROFILE, RestatedSubject.MESSAGES, 1),
        (Cause.PROFILE, RestatedSubject.FOREIGN, 1),
    ]
    # A result that has come as well may be why.
    observe(learnt, replace(ours, smsid="web2"))
    found = reconcile_month(learnt, MONTH).value
    assert [(one.cause, one.messages) for one in found.restatements] == [(Cause.RESULT, 2), (Cause.PROFILE, 1)]
    assert (before.foreign_rows, found.foreign_rows) == (1, 2)


def _notified(smsid: str, status: str = "送信済") -> Observation:
    """Return a result as the gateway notifies it: without any time."""
    return Observation(
        path=ObservationPath.NOTIFIED, smsid=smsid, msisdn="08011112222", status=status, status_time=None, line=0
    )


def _months(context: Context, *months: str) -> list[Reconciliation]:
    found = [reconcile_month(context, month).value for month in months]
    assert all(equation.holds for value in found for equation in value.equations)
    return found


def test_a_notification_of_a_delivery_moves_no_message_to_another_month(house: House) -> None:
    context = house.open(create=True, BILLING_MONTH_BY="delivered")
    house.clock.advance(timedelta(days=7, hours=10))
    house.sent(context, house.recipients(1))
    (message,) = sent(context, list_batches(context.ledger)[0].batch_id)
    house.clock.advance(timedelta(hours=10))
    observe(context, result(message, "送信済", context.now() - timedelta(minutes=3)))
    before = _months(context, MONTH, "2026-12")
    record_notifications(context.ledger, [replace(_notified(message.smsid), msisdn=message.msisdn)], context.now())
    after = _months(context, MONTH, "2026-12")
    assert [value.messages for value in after] == [value.messages for value in before] == [0, 1]
    assert after[1].deliveries == before[1].deliveries != ()


def test_by_delivery_a_foreign_message_is_in_the_month_of_its_bill(house: House) -> None:
    context = house.open(create=True, BILLING_MONTH_BY="delivered")
    registered, billed = datetime(2026, 10, 20, 12, tzinfo=JST), datetime(2026, 11, 2, 12, tzinfo=JST)
    row = replace(_notified("web1"), path=ObservationPath.PULLED, carrier="Docomo", line=1)
    observe(context, replace(row, registered_at=registered, status_time=billed))
    values = _months(context, "2026-10", MONTH, "2026-12")
    assert [value.foreign.billable_messages for value in values] == [0, 1, 0]


@pytest.mark.parametrize("days", [10, 100])
def test_by_delivery_a_message_is_in_the_month_of_its_bill_however_late(house: House, days: int) -> None:
    context = house.open(create=True, BILLING_MONTH_BY="delivered")
    house.sent(context, house.recipients(1))
    (message,) = sent(context, list_batches(context.ledger)[0].batch_id)
    house.clock.advance(timedelta(days=days))
    now = context.now()
    observe(context, result(message, "送信済", now))
    values = _months(context, MONTH, f"{now:%Y-%m}")
    assert [value.messages for value in values] == [0, 1]


@pytest.mark.parametrize("names", [True, False], ids=["smsid", "number"])
@pytest.mark.parametrize("seed", range(3))
def test_by_delivery_every_bill_is_in_the_month_of_its_first_row_however_late(
    house: House, seed: int, *, names: bool
) -> None:
    """Ours and others', with an smsid or by number, against a count of one message after another."""
    chance = random.Random(seed)  # noqa: S311 - the same results in every run
    context = house.open(create=True, BILLING_MONTH_BY="delivered")
    begin = context.now()
    first: dict[str, datetime] = {}
    for number in range(3):
        house.sent(context, house.recipients(3, f"{number}.csv", number * 10, text=f"本文{number}"), f"c{number}")
        house.clock.advance(timedelta(days=chance.choice([1, 20, 45])))
    ours = [one for batch in list_batches(context.ledger) for one in sent(context, batch.batch_id)]
    others = [replace(ours[0], smsid=f"web{at}", msisdn=f"0802222{at:04d}") for at in range(8)]
    rows = []
    for at, one in enumerate([*ours, *others]):
        registered = one.sent_at if one in ours else begin + timedelta(days=chance.randint(0, 60), minutes=at)
        assert registered is not None
        for late in chance.sample(range(250), chance.randint(0, 3)):
            status = chance.choice(["送信済", "送信済", "失敗", "処理中"])
            row = replace(result(one, status, registered + timedelta(days=late, minutes=at)), registered_at=registered)
            rows.append(row if names else replace(row, smsid=""))
            if status == "送信済":
                assert row.status_time is not None
                first[one.smsid] = min(row.status_time, first.get(one.smsid, row.status_time))
    chance.shuffle(rows)
    observe(context, *rows)
    expected = {True: Counter[str](), False: Counter[str]()}
    mine = {one.smsid for one in ours}
    for smsid, time in first.items():
        expected[smsid in mine][f"{time.astimezone(JST):%Y-%m}"] += 1
    columns = context.profile.layout.by_field
    direction = columns["smsid"].direction if names else "send"
    months = [f"{year}-{month:02d}" for year in (2026, 2027) for month in range(1, 13)][9:]
    with patch.dict(columns, {"smsid": columns["smsid"].model_copy(update={"direction": direction})}):
        values = {month: added_up_in(context, month, context.now())[0] for month in months}
    assert all(equation.holds for value in values.values() for equation in value.equations)
    assert +Counter({month: value.billable_messages for month, value in values.items()}) == expected[True]
    assert +Counter({month: value.foreign.billable_messages for month, value in values.items()}) == expected[False]


@pytest.mark.parametrize("timed", [True, False], ids=["when", "registered"])
def test_a_bill_for_what_was_not_sent_as_far_as_we_know_is_in_its_month(
    house: House, context: Context, *, timed: bool
) -> None:
    batch = house.batch(context, house.recipients(7))  # two uploads
    house.gateway.knobs = Knobs(refuse_code="596")
    with pytest.raises(GatewayRefused):
        send(context, batch)
    message = sent(context, batch.batch_id)[6]
    assert message.sent_at is None
    house.clock.advance(timedelta(days=100))
    now = context.now()
    observe(context, replace(result(message, "送信済", now), registered_at=now, status_time=now if timed else None))
    values = _months(context, MONTH, f"{now:%Y-%m}")
    assert [value.billable_messages for value in values] == [0, 1]


def _given_up_in_november(house: House, context: Context, knobs: Knobs, mode: Mode) -> Batch:
    """Let a message leave an hour before December, its answer be lost, and a person say in December: refused."""
    house.clock.advance(datetime(2026, 11, 30, 23, 0, tzinfo=JST) - house.clock.now())
    house.gateway.knobs = replace(knobs, faults=1)
    batch = house.batch(context, house.recipients(1))
    with patch.object(singly, "ask_unknown", lambda *_: None), pytest.raises(OutcomeUnknown):
        send(context, batch, mode=mode)
    house.clock.advance(timedelta(hours=2))
    resolve(context, batch.batch_id, MessageState.REFUSED, actor="me", because="x")
    house.gateway.knobs = Knobs(dedupe_smsid=True)
    return get_batch(context.ledger, batch.batch_id)


@pytest.mark.parametrize("database", BOTH)
@pytest.mark.parametrize("mode", [Mode.CSV, Mode.SINGLE])
@pytest.mark.parametrize(
    ("second", "knobs"),
    [
        ("says that it exists", Knobs(html_200=True)),
        ("is planned", Knobs(html_200=True)),
        ("is lost", Knobs(html_200=True)),
        ("took it after all", Knobs(html_200_nothing=True)),
    ],
)
def test_of_two_attempts_the_one_that_brought_a_message_decides_its_month(
    house: House, context: Context, mode: Mode, second: str, knobs: Knobs
) -> None:
    batch = _given_up_in_november(house, context, knobs, mode)
    match second:
        case "is planned":
            plan_free_again(context, batch, free_messages(context.ledger, batch))
        case "is lost":
            house.gateway.knobs = Knobs(html_200_nothing=True)
            with patch.object(singly, "ask_unknown", lambda *_: None), pytest.raises(OutcomeUnknown):
                send(context, batch)
        case "took it after all":
            house.clock.advance(timedelta(seconds=25))  # its registration says the minute
            house.gateway.knobs = Knobs(html_200=True)
            with patch.object(singly, "ask_unknown", lambda *_: None), pytest.raises(OutcomeUnknown):
                send(context, batch)
        case _:
            assert send(context, batch).states == {MessageState.TAKEN: 1}
    house.clock.advance(timedelta(days=1))
    pull(context, batch.batch_id)
    assert house.states(context, batch.batch_id) == {MessageState.TAKEN: 1}
    assert set(house.copies().values()) == {1}
    months = [sum(value.classes.values()) for value in _months(context, MONTH, "2026-12")]
    assert months == ([0, 1] if second == "took it after all" else [1, 0])


def test_notified_strangers_are_in_the_month_in_which_they_reached_us(house: House, context: Context) -> None:
    lost = _notified(f"{context.ledger.prefix}lost0001")
    record_notifications(context.ledger, [lost, _notified("web1")], context.now())
    house.clock.advance(timedelta(days=40))
    november, december, january = _months(context, MONTH, "2026-12", "2027-01")
    assert [found.kind for found in november.breaks if found.kind is BreakKind.ORPHAN_RESULT]
    assert november.foreign.billable_messages == 1
    for value in (december, january):
        assert not value.breaks
        assert value.foreign.messages == 0


def test_by_number_two_messages_of_one_minute_are_two_bills(house: House, context: Context) -> None:
    number = house.number(1)
    batch = house.batch(context, house.write("l.csv", [["tel", "text"], [number, "一"], [number, "二"]]), repeats=True)
    send(context, batch)
    row = replace(result(sent(context, batch.batch_id)[0], "送信済", context.now()), smsid="")
    observe(context, row, row)
    observe(context, row, row)  # once more, as pulls overlap
    columns = context.profile.layout.by_field
    with patch.dict(columns, {"smsid": columns["smsid"].model_copy(update={"direction": "send"})}):
        values = [reconcile(context, batch).value, *_months(context, MONTH)]
    for value in values:
        assert (value.classes, value.foreign.messages) == ({MessageClass.DELIVERED: 2}, 0)


def test_by_number_the_row_of_what_a_notification_names_is_no_bill_of_another(house: House, context: Context) -> None:
    for campaign, text in (("a", "あ"), ("b", "い")):
        house.sent(context, house.recipients(1, f"{campaign}.csv", text=text), campaign)
        house.clock.advance(timedelta(minutes=4))
    batches = list_batches(context.ledger)
    messages = [sent(context, batch.batch_id)[0] for batch in batches]
    record_notifications(context.ledger, [_notified(messages[1].smsid)], context.now())
    observe(context, replace(result(messages[1], "送信済", context.now()), smsid=""))
    columns = context.profile.layout.by_field
    with patch.dict(columns, {"smsid": columns["smsid"].model_copy(update={"direction": "send"})}):
        values = [reconcile(context, batch).value for batch in batches]
        (month,) = _months(context, MONTH)
    assert [value.classes for value in values] == [{MessageClass.PENDING: 1}, {MessageClass.DELIVERED: 1}]
    assert month.classes == {MessageClass.PENDING: 1, MessageClass.DELIVERED: 1}


def test_by_number_a_bill_is_of_one_batch_and_of_one_month(house: House, context: Context) -> None:
    house.clock.advance(timedelta(days=7, hours=14, minutes=28))
    for campaign, text in (("a", "あ"), ("b", "い")):
        house.sent(context, house.recipients(1, f"{campaign}.csv", text=text), campaign)
        house.clock.advance(timedelta(minutes=4))
    house.clock.advance(timedelta(minutes=30))
    batches = list_batches(context.ledger)
    statuses = ("送信済", "失敗")
    rows = [
        replace(result(sent(context, batch.batch_id)[0], status, context.now()), smsid="")
        for batch, status in zip(batches, statuses, strict=True)
    ]
    observe(context, *rows)
    columns = context.profile.layout.by_field
    with patch.dict(columns, {"smsid": columns["smsid"].model_copy(update={"direction": "send"})}):
        values = [reconcile(context, batch).value for batch in batches]
        values += _months(context, MONTH, "2026-12")
    assert [[line.label for line in value.statuses] for value in values] == [[status] for status in statuses * 2]
    assert all(value.balanced and value.by_number == 1 and not value.foreign.messages for value in values)
