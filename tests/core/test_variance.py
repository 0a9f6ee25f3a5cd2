"""An invoice against our count: every yen is explained by something named, or unexplained."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.bill import bill_of
from pipeline.core.billing import MonthlyFee, Price, Rounding
from pipeline.core.invoice import Counts, Invoice, InvoiceItem, InvoiceTax
from pipeline.core.variance import VarianceCause, variance_of
from pipeline.errors import Bug
from pipeline.model import (
    Break,
    Cause,
    ForeignGroup,
    ForeignLine,
    MessageClass,
    MessageKind,
    MessageLine,
    Reconciliation,
    Restatement,
    Variance,
)
from tests.core.reconciled import duplicate, message, month_of, tariff

APRIL: Final = date(2024, 4, 1)


def yen(*values: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, values))


FEE: Final = MonthlyFee("基本料", Decimal(5000), APRIL, None)
PRICES: Final = (
    Price("au", APRIL, None, yen("8.5", "17.0")),
    Price("Docomo", APRIL, None, yen("9.2", "18.4")),
    Price("*", APRIL, None, yen("30"), MessageKind.OVERSEAS),
)
TARIFF: Final = tariff(*PRICES)
NORMAL: Final = MessageKind.NORMAL


def item(
    count: int | None,
    unit_price: str | None,
    amount: str,
    carrier: str = "au",
    kind: MessageKind | None = NORMAL,
    row: int = 2,
) -> InvoiceItem:
    price = None if unit_price is None else Decimal(unit_price)
    return InvoiceItem(row=row, kind=kind, name=carrier, count=count, unit_price=price, amount=Decimal(amount))


def invoice(*items: InvoiceItem, **more: object) -> Invoice:
    numbered = tuple(replace(one, row=row) for row, one in enumerate(items, 2))
    whole = Invoice(source_name="i.csv", sha256="0", month="2026-11", counts=Counts.MESSAGES, items=numbered)
    return replace(whole, **more)  # type: ignore[arg-type] # fields by name


def delivered(count: int, yen_: str = "8.5", carrier: str = "au", name: str = "d", parts: int = 1) -> list[MessageLine]:
    return [message(f"{name}{number}", amount=yen_, carrier=carrier, parts=parts) for number in range(count)]


def others(count: int, message_class: MessageClass, carrier: str = "au", parts: int = 1) -> list[MessageLine]:
    return [message(f"{message_class}{number}", message_class, carrier=carrier, parts=parts) for number in range(count)]


def compare(bill: Invoice, lines: list[MessageLine], value: Reconciliation | None = None) -> Variance:
    return variance_of(bill, value or month_of(lines), lines, TARIFF)


def explained(variance: Variance) -> Mapping[str, tuple[int, str]]:
    check(variance)
    return {one.cause: (one.messages, str(one.amount)) for one in variance.explanations}


def check(variance: Variance) -> None:
    """Check what always holds, in fractions."""
    parts = [Fraction(one.amount) for one in variance.explanations]
    difference = Fraction(variance.invoiced) - Fraction(variance.counted)
    assert difference == sum(parts, Fraction(variance.unexplained))
    assert Fraction(variance.invoiced) == sum(Fraction(line.invoiced_amount) for line in variance.lines)
    assert Fraction(variance.counted) == sum(Fraction(line.counted_amount) for line in variance.lines)
    assert difference == sum(Fraction(line.difference) for line in variance.lines)
    assert all(parts)
    order = [cause.value for cause in VarianceCause]
    assert [one.cause for one in variance.explanations] == sorted(
        {one.cause for one in variance.explanations}, key=order.index
    )


def test_an_invoice_that_says_what_we_count_leaves_nothing() -> None:
    lines = [*delivered(3), *delivered(2, "9.2", "Docomo", "e")]
    found = compare(invoice(item(3, "8.5", "25.5"), item(2, "9.2", "18.4", "Docomo")), lines)
    assert explained(found) == {}
    assert (found.invoiced, found.counted, found.unexplained) == (Decimal("43.9"), Decimal("43.9"), Decimal(0))
    assert (found.source_name, found.counts) == ("i.csv", "messages")
    assert [(line.line, line.kind, line.carrier, line.invoiced, line.counted) for line in found.lines] == [
        (2, "normal", "au", 3, 3),
        (3, "normal", "Docomo", 2, 2),
    ]


def test_what_the_invoice_has_not_stands_on_lines_of_its_own_and_stays_unexplained() -> None:
    lines = [*delivered(3), *delivered(2, "9.2", "Docomo", "e"), *delivered(1, "9.2", "Docomo", "f")]
    found = compare(invoice(item(3, "8.5", "25.5")), lines)
    assert explained(found) == {}
    assert found.unexplained == Decimal("-27.6")
    assert [(line.line, line.carrier, line.invoiced, line.counted) for line in found.lines] == [
        (2, "au", 3, 3),
        (0, "Docomo", 0, 3),
    ]


@pytest.mark.parametrize(
    ("message_class", "cause"),
    [
        (MessageClass.PARTIAL, "partial"),
        (MessageClass.MISSING, "missing"),
        (MessageClass.PENDING, "pending"),
        (MessageClass.UNMAPPED, "unmapped"),
        (MessageClass.UNKNOWN, "unknown"),
    ],
)
@pytest.mark.parametrize("carrier", ["au", ""])
def test_messages_that_may_be_on_the_invoice_explain_their_exact_number(
    message_class: MessageClass, cause: str, carrier: str
) -> None:
    lines = [*delivered(3), *others(2, message_class, carrier)]
    assert explained(compare(invoice(item(5, "8.5", "42.5")), lines)) == {cause: (2, "17.0")}
    for wrong in (4, 6):
        found = compare(invoice(item(wrong, "8.5", str(Decimal("8.5") * wrong))), lines)
        assert explained(found) == {}
        assert found.unexplained == Decimal("8.5") * (wrong - 3)


@pytest.mark.parametrize("message_class", [MessageClass.FAILED, MessageClass.CANCELLED, MessageClass.REFUSED])
def test_messages_that_cost_nothing_explain_nothing(message_class: MessageClass) -> None:
    found = compare(invoice(item(5, "8.5", "42.5")), [*delivered(3), *others(2, message_class)])
    assert explained(found) == {}
    assert found.unexplained == 17


def test_a_double_bill_is_explained_by_the_message_that_was_reported_twice() -> None:
    lines = delivered(3)
    value = month_of(lines, breaks=(duplicate(lines[0], 2), duplicate(lines[2])))
    found = compare(invoice(item(6, "8.5", "51.0")), lines, value)
    assert explained(found) == {"duplicate_billable": (3, "25.5")}
    assert found.unexplained == 0
    assert explained(compare(invoice(item(3, "8.5", "25.5")), lines, value)) == {}


def test_the_fewest_causes_that_make_up_the_number_are_taken() -> None:
    lines = [*delivered(1), *others(2, MessageClass.MISSING), *others(3, MessageClass.PENDING)]
    lines += others(5, MessageClass.UNKNOWN)
    assert explained(compare(invoice(item(6, "8.5", "51.0")), lines)) == {"unknown": (5, "42.5")}
    assert explained(compare(invoice(item(8, "8.5", "68.0")), lines)) == {
        "missing": (2, "17.0"),
        "unknown": (5, "42.5"),
    }


def test_delivered_messages_without_a_price_are_explained_at_the_invoice_s() -> None:
    lines = [*delivered(3), *(message(f"u{number}", carrier="au") for number in range(2))]
    assert explained(compare(invoice(item(5, "8.5", "42.5")), lines)) == {"unpriced": (2, "17.0")}
    # They are certain: a difference beyond them does not take that away.
    found = compare(invoice(item(6, "8.5", "51.0")), lines)
    assert explained(found) == {"unpriced": (2, "17.0")}
    assert found.unexplained == Decimal("8.5")


def strangers(messages: int, price: str | None = "8.5", carrier: str = "au", parts: int = 1) -> ForeignGroup:
    amount = None if price is None else Decimal(price)
    return ForeignGroup(kind=NORMAL, carrier=carrier, parts=parts, messages=messages, amount=amount)


def foreign(*groups: ForeignGroup) -> ForeignLine:
    """Return what a reconciliation says of messages that are not ours, one of which was not delivered."""
    messages = sum(group.messages for group in groups)
    return ForeignLine(
        messages=messages + 1,
        billable_messages=messages,
        billable_units=sum(group.messages * group.parts for group in groups),
        amount=sum((group.messages * (group.amount or Decimal(0)) for group in groups), Decimal(0)),
        unpriced=sum(group.messages for group in groups if group.amount is None),
        groups=groups,
    )


def test_foreign_messages_come_before_what_is_only_possible() -> None:
    lines = [*delivered(3), *others(2, MessageClass.PENDING)]
    value = month_of(lines, foreign=foreign(strangers(2)))
    assert explained(compare(invoice(item(5, "8.5", "42.5")), lines, value)) == {"foreign": (2, "17.0")}
    assert explained(compare(invoice(item(7, "8.5", "59.5")), lines, value)) == {
        "foreign": (2, "17.0"),
        "pending": (2, "17.0"),
    }


def test_foreign_messages_are_on_the_lines_of_their_carriers() -> None:
    lines = [*delivered(3), *delivered(2, "9.2", "Docomo", "e")]
    value = month_of(lines, foreign=foreign(strangers(1), strangers(1, "9.2", "Docomo")))
    bill = invoice(item(4, "8.5", "34.0"), item(3, "9.2", "27.6", "Docomo"))
    assert explained(compare(bill, lines, value)) == {"foreign": (2, "17.7")}
    # What is more on one line takes nothing from the other, and they explain a part of it.
    more = invoice(item(6, "8.5", "51.0"), item(3, "9.2", "27.6", "Docomo"))
    found = compare(more, lines, value)
    assert explained(found) == {"foreign": (2, "17.7")}
    assert found.unexplained == 17
    # Nor does a line that has less.
    less = compare(invoice(item(4, "8.5", "34.0"), item(1, "9.2", "9.2", "Docomo")), lines, value)
    assert explained(less) == {"foreign": (1, "8.5")}
    # Nor do those of one carrier explain what another one's line has more, at the same price.
    apart = compare(bill, lines, month_of(lines, foreign=foreign(strangers(2, "8.7", "SoftBank"))))
    assert explained(apart) == {}


def test_foreign_messages_of_several_parts_are_on_the_line_with_their_price() -> None:
    lines = [*delivered(3), *delivered(1, "17.0", name="e", parts=2)]
    value = month_of(lines, foreign=foreign(strangers(2, "17.0", parts=2)))
    bill = invoice(item(3, "8.5", "25.5"), item(3, "17.0", "51.0"))
    assert explained(compare(bill, lines, value)) == {"foreign": (2, "34.0")}
    units = invoice(item(9, "8.5", "76.5"), counts=Counts.UNITS)
    assert explained(compare(units, lines, value)) == {"foreign": (2, "34.0")}


def test_foreign_messages_whose_carrier_nobody_knows_may_be_on_any_line_of_their_kind() -> None:
    lines = [*delivered(3), *delivered(2, "9.2", "Docomo", "e")]
    bill = invoice(item(4, "8.5", "34.0"), item(3, "9.2", "27.6", "Docomo"))
    assert explained(compare(bill, lines, month_of(lines, foreign=foreign(strangers(2, None, ""))))) == {
        "foreign": (2, "17.7")
    }
    found = compare(bill, lines, month_of(lines, foreign=foreign(strangers(3, None, ""))))
    assert explained(found) == {}


def test_foreign_messages_are_invoiced_at_the_invoice_s_price() -> None:
    """What it differs from ours by is said of our own messages, and is no other difference of these."""
    lines = delivered(3)
    found = compare(invoice(item(5, "9", "45")), lines, month_of(lines, foreign=foreign(strangers(2))))
    assert explained(found) == {"foreign": (2, "18"), "price": (3, "1.5")}
    unpriced = compare(invoice(item(5, "8.5", "42.5")), lines, month_of(lines, foreign=foreign(strangers(2, None))))
    assert explained(unpriced) == {"foreign": (2, "17.0")}


@pytest.mark.parametrize(
    ("count", "causes"),
    [
        (4, {}),
        (5, {"foreign": (2, "17.0")}),
        (6, {"unpriced": (3, "25.5")}),
        (7, {"foreign": (2, "17.0")}),
        (8, {"foreign": (2, "17.0"), "unpriced": (3, "25.5")}),
        (9, {"foreign": (2, "17.0"), "unpriced": (3, "25.5")}),
    ],
)
def test_of_what_is_certain_the_whole_of_a_cause_explains_a_part(count: int, causes: dict[str, object]) -> None:
    lines = [*delivered(3), *(message(f"u{number}") for number in range(3)), *delivered(1, "9.2", "Docomo", "e")]
    bill = invoice(item(count, "8.5", str(count * Decimal("8.5"))), item(1, "9.2", "9.2", "Docomo"))
    assert explained(compare(bill, lines, month_of(lines, foreign=foreign(strangers(2))))) == causes


@pytest.mark.parametrize(("count", "whole"), [(4, True), (5, False)])
def test_on_several_lines_nothing_explains_a_part(count: int, *, whole: bool) -> None:
    lines = [*delivered(3), *delivered(2, "9.2", "Docomo", "e"), message("u", carrier=""), message("v", carrier="")]
    bill = invoice(item(count, "8.5", str(count * Decimal("8.5"))), item(3, "9.2", "27.6", "Docomo"))
    assert explained(compare(bill, lines)) == ({"unpriced": (2, "17.7")} if whole else {})


@pytest.mark.parametrize(
    "line", [foreign(strangers(3)), foreign(strangers(2, carrier="Docomo")), foreign()], ids=["more", "carrier", "none"]
)
def test_foreign_messages_that_do_not_fit_explain_nothing(line: ForeignLine) -> None:
    lines = delivered(3)
    bill = invoice(item(5, "8.5", "42.5"), item(0, "9.2", "0", "Docomo"))
    found = compare(bill, lines, month_of(lines, foreign=line))
    assert explained(found) == {}
    assert found.unexplained == 17


def test_another_unit_price_is_explained_by_the_messages_we_count() -> None:
    lines = [*delivered(3), *others(2, MessageClass.PENDING)]
    found = compare(invoice(item(5, "9.0", "45.0")), lines)
    assert explained(found) == {"pending": (2, "18.0"), "price": (3, "1.5")}


def test_a_line_without_a_unit_price_has_the_one_that_its_amount_makes() -> None:
    lines = [*delivered(3), *others(2, MessageClass.PENDING)]
    assert explained(compare(invoice(item(3, None, "27.0")), delivered(3))) == {"price": (3, "1.5")}
    assert explained(compare(invoice(item(5, None, "42.5")), lines)) == {"pending": (2, "17.0")}
    # Not where an average hides several prices, nor where there is none that can be written.
    mixed = [*lines, *delivered(1, "17.0", name="e", parts=2)]
    assert explained(compare(invoice(item(6, None, "60.0")), mixed)) == {}
    assert explained(compare(invoice(item(5, None, "200.000001")), lines)) == {}
    assert compare(invoice(item(3, None, "200")), delivered(2)).unexplained == 183


def test_what_is_invoiced_for_no_messages_is_no_difference_of_price() -> None:
    lines = [*delivered(3), *others(2, MessageClass.PENDING)]
    bill = invoice(item(3, "8.5", "25.5"), item(0, None, "100000", "Docomo"))
    for bill_ in (bill, replace(bill, items=(bill.items[0], replace(bill.items[1], kind=MessageKind.OVERSEAS)))):
        found = compare(bill_, lines)
        assert explained(found) == {}
        assert found.unexplained == 100_000
    assert compare(invoice(item(3, "8.5", "25.5"), item(0, None, "0", "Docomo")), lines).unexplained == 0


def test_a_line_without_a_count_has_the_one_that_price_and_amount_make() -> None:
    lines = [*delivered(3), *others(2, MessageClass.PENDING)]
    found = compare(invoice(item(None, "8.5", "42.5")), lines)
    assert explained(found) == {"pending": (2, "17.0")}
    assert found.lines[0].invoiced == 5
    assert compare(invoice(item(None, "8.5", "42.4")), lines).unexplained == Decimal("16.9")
    assert compare(invoice(item(None, None, "42.5")), lines).unexplained == 17


def test_a_line_whose_amount_is_not_count_times_price() -> None:
    assert explained(compare(invoice(item(3, "8.5", "25")), delivered(3))) == {"rounding": (0, "-0.5")}
    assert explained(compare(invoice(item(3, "8.5", "26.5")), delivered(3))) == {"arithmetic": (0, "1.0")}
    assert explained(compare(invoice(item(3, "8.5", "24.5")), delivered(3))) == {"arithmetic": (0, "-1.0")}


def test_messages_go_to_the_line_with_their_price() -> None:
    lines = [*delivered(3), *delivered(2, "17.0", name="e", parts=2), *others(1, MessageClass.PENDING, parts=2)]
    found = compare(invoice(item(3, "8.5", "25.5"), item(3, "17.0", "51.0")), lines)
    assert explained(found) == {"pending": (1, "17.0")}
    assert [(line.unit_price, line.counted) for line in found.lines] == [(Decimal("8.5"), 3), (Decimal(17), 2)]
    # One line has another price than the tariff: what belongs nowhere else belongs there.
    found = compare(invoice(item(3, "8.5", "25.5"), item(2, "16.0", "32.0")), lines)
    assert explained(found) == {"price": (2, "-2.0")}
    # Nothing tells on which of two lines: a line of its own.
    found = compare(invoice(item(3, "8.0", "24.0"), item(2, "16.0", "32.0")), lines)
    assert found.lines[-1].line == 0
    assert found.unexplained == Decimal("-3.5")


def test_lines_that_are_alike_are_one() -> None:
    bill = invoice(item(2, "8.5", "17.0"), item(1, "9.2", "9.2", "Docomo"), item(1, "8.5", "8.5", "AU"))
    found = compare(bill, [*delivered(3), *delivered(1, "9.2", "Docomo", "e")])
    assert explained(found) == {}
    assert [(line.line, line.invoiced, line.counted) for line in found.lines] == [(2, 3, 3), (3, 1, 1)]


def test_an_invoice_that_does_not_divide_by_carrier() -> None:
    lines = [*delivered(3), *delivered(2, "9.2", "Docomo", "e")]
    found = compare(invoice(item(3, "8.5", "25.5", ""), item(2, "9.2", "18.4", "")), lines)
    assert explained(found) == {}
    # One price for all: the difference of prices is exact, as a sum.
    assert explained(compare(invoice(item(5, "9", "45", "")), lines)) == {"price": (5, "1.1")}
    # What has a line of its own does not belong to the others.
    mixed = compare(invoice(item(3, "8.5", "25.5", ""), item(2, "9.2", "18.4", "Docomo")), lines)
    assert explained(mixed) == {}
    assert [line.counted for line in mixed.lines] == [3, 2]


def test_kinds_are_apart() -> None:
    abroad = [message("o", amount="30", carrier="", kind=MessageKind.OVERSEAS)]
    bill = invoice(item(3, "8.5", "25.5", ""), item(1, "30", "30", "", MessageKind.OVERSEAS))
    assert explained(compare(bill, [*delivered(3), *abroad])) == {}
    found = compare(invoice(item(4, "8.5", "34.0", "")), [*delivered(3), *abroad])
    assert (found.unexplained, found.lines[-1].kind) == (Decimal("-21.5"), "overseas")


def test_an_invoice_may_count_parts() -> None:
    lines = [*delivered(3), *delivered(2, "17.0", name="e", parts=2), *others(1, MessageClass.PENDING, parts=2)]
    found = compare(invoice(item(9, "8.5", "76.5"), counts=Counts.UNITS), lines)
    assert explained(found) == {"pending": (1, "17.0")}
    assert (found.counts, found.lines[0].counted) == ("units", 7)


def test_pending_messages_whose_carrier_nobody_knows_explain_all_lines_together() -> None:
    lines = [*delivered(3), *delivered(2, "9.2", "Docomo", "e"), *others(2, MessageClass.MISSING, "")]
    bill = invoice(item(4, "8.5", "34.0"), item(3, "9.2", "27.6", "Docomo"))
    assert explained(compare(bill, lines)) == {"missing": (2, "17.7")}
    # One of the lines may have no more than we count.
    one = invoice(item(5, "8.5", "42.5"), item(2, "9.2", "18.4", "Docomo"))
    assert explained(compare(one, lines)) == {"missing": (2, "17.0")}
    fewer = invoice(item(2, "8.5", "17.0"), item(5, "9.2", "46.0", "Docomo"))
    assert explained(compare(fewer, lines)) == {}


def test_messages_of_another_kind_explain_nothing() -> None:
    abroad = [message(f"o{number}", MessageClass.PENDING, carrier="", kind=MessageKind.OVERSEAS) for number in range(2)]
    lines = [*delivered(3), *abroad]
    bill = invoice(item(5, "8.5", "42.5"), item(0, "30", "0", "", MessageKind.OVERSEAS))
    assert explained(compare(bill, lines)) == {}
    bill = invoice(item(3, "8.5", "25.5"), item(2, "30", "60", "", MessageKind.OVERSEAS))
    assert explained(compare(bill, lines)) == {"pending": (2, "60")}


def test_messages_of_a_price_that_no_line_has_belong_on_the_one_that_states_none() -> None:
    lines = [*delivered(3), *delivered(2, "17.0", name="e", parts=2), *delivered(1, "25.5", name="f", parts=3)]
    found = compare(invoice(item(3, "8.5", "25.5"), item(3, None, "59.5")), lines)
    assert explained(found) == {}
    assert [line.counted for line in found.lines] == [3, 3]


def test_a_double_bill_without_an_amount_is_one_bill_and_a_message_without_a_day_has_no_price() -> None:
    lines = [*delivered(3), message("p", MessageClass.PENDING, day=None)]
    value = month_of(lines, breaks=(replace(duplicate(lines[0]), at_risk=None),))
    assert explained(compare(invoice(item(5, "8.5", "42.5")), lines, value)) == {
        "duplicate_billable": (1, "8.5"),
        "pending": (1, "8.5"),
    }


def test_the_lines_are_those_of_the_bill() -> None:
    with pytest.raises(Bug) as caught:
        compare(invoice(item(3, "8.5", "25.5")), delivered(2), month_of(delivered(3)))
    assert caught.value.code == "variance.lines"


def restatement(before: str, after: str, cause: Cause = Cause.RESULT, messages: int = 2) -> Restatement:
    return Restatement(cause=cause, messages=messages, before=Decimal(before), after=Decimal(after), smsids=("a",))


def test_what_changed_since_the_month_was_closed_explains_what_is_exactly_left() -> None:
    lines = delivered(5)
    changes = (restatement("0", "17.0"), restatement("9", "8.5", Cause.TARIFF, 1))
    value = month_of(lines, restatements=changes)
    assert explained(compare(invoice(item(3, "8.5", "25.5")), lines, value)) == {"restated": (2, "-17.0")}
    assert explained(compare(invoice(item(3, None, "26.0")), lines, value)) == {"restated": (3, "-16.5")}
    found = compare(invoice(item(4, "8.5", "34.0")), lines, value)
    assert explained(found) == {}
    assert found.unexplained == Decimal("-8.5")
    # Left after what explains itself: here the price of those we count.
    dearer = month_of(lines, restatements=(restatement("0", "18.0"),))
    assert explained(compare(invoice(item(3, "9.0", "27.0")), lines, dearer)) == {
        "price": (5, "2.5"),
        "restated": (2, "-18.0"),
    }


def test_fees_are_compared_by_name() -> None:
    value = replace(month_of(delivered(3)), bill=bill_of(month_of(delivered(3)), tariff(*PRICES, fees=(FEE,))))
    bill = invoice(item(3, "8.5", "25.5"), item(None, None, "6000", "基本料", None), item(1, None, "10", "x", None))
    found = compare(bill, delivered(3), value)
    assert explained(found) == {"fee": (0, "1010")}
    assert [(line.line, line.carrier, line.difference) for line in found.lines if line.kind == "fee"] == [
        (3, "基本料", Decimal(1000)),
        (4, "x", Decimal(10)),
    ]
    found = compare(invoice(item(3, "8.5", "25.5")), delivered(3), value)
    assert explained(found) == {"fee": (0, "-5000")}
    assert found.lines[-1].line == 0


def taxed(*items: InvoiceItem, tax: str, rate: str | None = None, fraction: str | None = None) -> Invoice:
    line = InvoiceTax(row=9, rate=None if rate is None else Decimal(rate), amount=Decimal(tax))
    return invoice(*items, taxes=(line,), fraction=None if fraction is None else Decimal(fraction))


@pytest.mark.parametrize("rate", [None, "0.1"])
def test_tax_follows_from_the_other_differences(rate: str | None) -> None:
    lines = [*delivered(3), *others(20, MessageClass.PENDING)]
    found = compare(taxed(item(23, "8.5", "195.5"), tax="19", rate=rate), lines)
    assert explained(found) == {"pending": (20, "170.0"), "tax": (0, "17")}
    assert (found.invoiced, found.counted, found.unexplained) == (Decimal("214.5"), Decimal("27.5"), Decimal(0))
    tax = found.lines[-1]
    assert (tax.line, tax.kind, tax.carrier) == (9, "tax", "10%" if rate else "")


def test_another_way_of_rounding_the_tax_is_rounding_and_another_tax_is_not() -> None:
    lines = delivered(3)
    assert explained(compare(taxed(item(3, "8.5", "25.5"), tax="3"), lines)) == {"rounding": (0, "1")}
    # Rounded up on every line: 2 + 2
    two = taxed(item(2, "8.5", "17.0"), item(2, "8.5", "17.0", "Docomo"), tax="4")
    assert explained(compare(two, [*delivered(2), *delivered(2, "8.5", "Docomo", "e")])) == {"rounding": (0, "1")}
    found = compare(taxed(item(3, "8.5", "25.5"), tax="5"), lines)
    assert explained(found) == {}
    assert found.unexplained == 3
    assert compare(taxed(item(3, "8.5", "25.5"), tax="2", rate="0.08"), lines).unexplained == 0
    other_rate = compare(taxed(item(3, "8.5", "25.5"), tax="2", rate="0.08"), lines)
    assert {line.carrier: line.difference for line in other_rate.lines if line.kind == "tax"} == {
        "10%": Decimal(-2),
        "8%": Decimal(2),
    }


def test_tax_with_and_without_a_rate_is_compared_together() -> None:
    lines = (
        InvoiceTax(row=8, rate=Decimal("0.1"), amount=Decimal(1)),
        InvoiceTax(row=9, rate=None, amount=Decimal(2)),
    )
    found = compare(invoice(item(3, "8.5", "25.5"), taxes=lines), delivered(3))
    assert explained(found) == {"rounding": (0, "1")}
    assert [(line.line, line.carrier, line.difference) for line in found.lines if line.kind == "tax"] == [
        (8, "", Decimal(1))
    ]


def test_a_rate_without_any_tax_does_not_take_the_explanation_of_the_tax_away() -> None:
    lines = [*delivered(3), *others(20, MessageClass.PENDING)]
    taxes = tuple(
        InvoiceTax(row=row, rate=Decimal(rate), amount=Decimal(yen_))
        for row, rate, yen_ in ((8, "0.1", "19"), (9, "0.08", "0"))
    )
    found = compare(invoice(item(23, "8.5", "195.5"), taxes=taxes), lines)
    assert explained(found) == {"pending": (20, "170.0"), "tax": (0, "17")}
    assert found.unexplained == 0
    assert [(line.line, line.carrier, line.invoiced_amount) for line in found.lines if line.kind == "tax"] == [
        (8, "10%", Decimal(19)),
        (9, "8%", Decimal(0)),
    ]
    # Nor is a tax of nothing explained where there should be one.
    nothing = invoice(item(3, "8.5", "25.5"), taxes=(replace(taxes[1], amount=Decimal(0)),))
    assert compare(nothing, delivered(3)).unexplained == -2


def test_a_total_that_is_rounded_as_our_bill_is_differs_by_nothing() -> None:
    lines = delivered(3)
    found = compare(taxed(item(3, "8.5", "25.5"), tax="2", fraction="-0.5"), lines)
    assert explained(found) == {}
    assert found.invoiced == found.counted == bill_of(month_of(lines), TARIFF).total == 27
    assert [
        (line.line, line.invoiced_amount, line.counted_amount) for line in found.lines if line.kind == "rounding"
    ] == [(0, Decimal("-0.5"), Decimal("-0.5"))]
    # Nothing is said of the rounding of a total that is not stated, nor where there is nothing to round.
    assert "rounding" not in {line.kind for line in compare(taxed(item(3, "8.5", "25.5"), tax="2"), lines).lines}
    whole = compare(taxed(item(2, "8.5", "17.0"), tax="1", fraction="0"), delivered(2))
    assert "rounding" not in {line.kind for line in whole.lines}


@pytest.mark.parametrize(
    ("rounding", "fraction", "difference"),
    [
        (Rounding.DOWN, "0", "0.5"),
        (Rounding.DOWN, "0.5", "1.0"),
        (Rounding.UP, "-0.5", "-1.0"),
        (Rounding.UP, "0", "-0.5"),
        (Rounding.HALF_UP, "0.5", None),
    ],
)
def test_a_total_that_is_rounded_otherwise_than_our_bill_is_rounding(
    rounding: Rounding, fraction: str, difference: str | None
) -> None:
    lines = delivered(3)
    own = tariff(*PRICES, rounding=rounding)
    ours = bill_of(month_of(lines), own)
    bill = taxed(item(3, "8.5", "25.5"), tax=str(ours.tax), fraction=fraction)
    found = variance_of(bill, month_of(lines), lines, own)
    assert explained(found) == ({"rounding": (0, difference)} if difference else {})
    assert found.unexplained == 0
    assert found.counted == ours.total
    assert found.invoiced == Decimal("25.5") + ours.tax + Decimal(fraction)


CARRIERS: Final = ("au", "Docomo", "")
SOME: Final = st.builds(
    lambda message_class, carrier, kind, parts, priced: (message_class, carrier, kind, parts, priced),
    st.sampled_from(MessageClass),
    st.sampled_from(CARRIERS),
    st.sampled_from([NORMAL, MessageKind.OVERSEAS]),
    st.integers(1, 2),
    st.booleans(),
)
AMOUNT: Final = st.decimals(min_value=-1000, max_value=99_999_999, places=6)
ITEMS: Final = st.lists(
    st.builds(
        lambda kind, carrier, count, unit, amount: InvoiceItem(
            row=2,
            kind=kind,
            name=carrier or ("fee" if kind is None else ""),
            count=count,
            unit_price=unit,
            amount=amount,
        ),
        st.sampled_from([NORMAL, MessageKind.OVERSEAS, None]),
        st.sampled_from(CARRIERS),
        st.none() | st.integers(-3, 30),
        st.none() | st.sampled_from(yen("8.5", "9.2", "17", "0")) | AMOUNT.filter(lambda price: 0 <= price < 10**7),
        AMOUNT | st.sampled_from(yen("8.5", "17", "25.5", "42.5", "100")),
    ),
    max_size=6,
)
TAXES: Final = st.lists(
    st.builds(
        lambda rate, amount: InvoiceTax(row=30, rate=rate, amount=Decimal(amount)),
        st.none() | st.sampled_from(yen("0.1", "0.08")),
        st.integers(0, 100),
    ),
    max_size=2,
).map(tuple)


def world(some: list[tuple[MessageClass, str, MessageKind, int, bool]]) -> list[MessageLine]:
    lines = []
    for number, (message_class, carrier, kind, parts, priced) in enumerate(some):
        price = (
            TARIFF.price(carrier, parts, date(2026, 11, 10), kind) if message_class is MessageClass.DELIVERED else None
        )
        amount = str(price) if price is not None and priced else None
        lines.append(message(f"m{number}", message_class, carrier=carrier, kind=kind, parts=parts, amount=amount))
    return lines


@pytest.mark.unmeasured
@settings(max_examples=400)
@given(
    st.lists(SOME, max_size=25),
    ITEMS,
    TAXES,
    st.sampled_from([None, *yen("0", "-0.5", "0.000001")]),
    st.sampled_from(Counts),
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from([(), (restatement("0", "8.5"),), (restatement("8.5", "0"), restatement("1", "2"))]),
    st.randoms(),
)
def test_invoiced_less_counted_is_explained_and_unexplained_on_any_invoice(
    some: list[tuple[MessageClass, str, MessageKind, int, bool]],
    items: list[InvoiceItem],
    taxes: tuple[InvoiceTax, ...],
    fraction: Decimal | None,
    counts: Counts,
    twice: int,
    unknown: int,
    changes: tuple[Restatement, ...],
    chance: random.Random,
) -> None:
    lines = world(some)
    breaks: tuple[Break, ...] = tuple(duplicate(line) for line in lines if line.billable)[:twice]
    value = month_of(lines, breaks=breaks, restatements=changes, foreign=foreign(strangers(unknown)))
    bill = invoice(*items, counts=counts, taxes=taxes, fraction=fraction)
    found = compare(bill, lines, value)
    check(found)
    # Nothing of either side is lost.
    ours = bill_of(value, TARIFF)
    assert found.counted == ours.untaxed + (ours.tax if taxes else 0) + (ours.fraction if fraction is not None else 0)
    assert found.invoiced == sum(one.amount for one in items) + sum(tax.amount for tax in taxes) + (fraction or 0)
    # Nothing is explained by messages that are not there.
    there: Counter[str] = Counter(
        "unpriced" if line.billable and line.amount is None else line.message_class.value for line in lines
    )
    there |= Counter({"duplicate_billable": len(breaks), "foreign": unknown})
    for one in found.explanations:
        if one.cause in {"price", "restated", "fee", "tax", "rounding", "arithmetic"}:
            continue
        assert 0 < one.messages <= there[one.cause]
    # The order of messages means nothing.
    chance.shuffle(lines)
    assert compare(bill, lines, value) == found


#: causes of which an invoice holds all or nothing
HELD: Final = ("", "unpriced", "duplicate_billable", "partial", "missing", "pending", "unmapped", "unknown")


@given(
    st.dictionaries(st.sampled_from(HELD), st.integers(1, 40)),
    st.sampled_from(HELD),
    st.sampled_from(["8.5", "9.25", "0.000001"]),
)
def test_an_invoice_that_holds_the_messages_of_one_cause_is_explained_to_the_yen(
    sizes: dict[str, int], held: str, price: str
) -> None:
    counted = sizes.get("", 0) + sizes.get("duplicate_billable", 0)
    lines = delivered(counted, price)
    lines += [message(f"u{number}") for number in range(sizes.get("unpriced", 0))]
    for message_class in MessageClass:
        lines += others(sizes.get(message_class.value, 0), message_class)
    breaks = tuple(duplicate(line) for line in lines[: sizes.get("duplicate_billable", 0)])
    count = counted + (sizes.get(held, 0) if held else 0)
    bill = invoice(item(count, price, str(Decimal(price) * count)))
    found = compare(bill, lines, month_of(lines, breaks=breaks))
    check(found)
    assert found.unexplained == 0
    assert sum(one.messages for one in found.explanations) == (0 if not held else sizes.get(held, 0)) or (
        # Other causes of the same size together, or before it, explain as well.
        sum(one.amount for one in found.explanations) == Decimal(price) * sizes.get(held, 0)
    )


@given(st.integers(1, 50), st.sampled_from(Rounding))
def test_rounding_rules_of_the_tariff_are_applied_to_both_sides(count: int, rounding: Rounding) -> None:
    lines = delivered(count)
    own = tariff(*PRICES, rounding=rounding)
    ours = bill_of(month_of(lines), own)
    bill = taxed(item(count, "8.5", str(ours.untaxed)), tax=str(ours.tax))
    found = variance_of(bill, month_of(lines), lines, own)
    check(found)
    assert not found.explanations
    assert found.unexplained == 0


#: what a carrier's messages of one number of parts cost, per message
COST: Final = {("au", 1): "8.5", ("au", 2): "17.0", ("Docomo", 1): "9.2", ("Docomo", 2): "18.4"}
#: how many messages there are of a carrier, a number of parts and a cause
SIZES: Final = st.dictionaries(st.tuples(st.sampled_from(sorted(COST)), st.sampled_from(HELD)), st.integers(1, 9))
#: of which carriers and causes the invoice holds all
ON_IT: Final = st.sets(st.tuples(st.sampled_from(["au", "Docomo"]), st.sampled_from(HELD[1:])))


@pytest.mark.unmeasured
@settings(max_examples=300)
@given(SIZES, ON_IT, st.sampled_from(Counts))
def test_an_invoice_made_of_whole_causes_is_explained_whatever_its_lines(
    sizes: dict[tuple[tuple[str, int], str], int],
    on_it: set[tuple[str, str]],
    counts: Counts,
) -> None:
    lines: list[MessageLine] = []
    breaks: list[Break] = []
    held: Counter[tuple[str, int]] = Counter()
    extra = Decimal(0)
    for number, (((carrier, parts), cause), count) in enumerate(sorted(sizes.items())):
        if cause == "unpriced" and counts is Counts.MESSAGES:
            continue  # without a price nothing tells on which of two lines it stands
        cost = COST[carrier, parts]
        more = count if (carrier, cause) in on_it else 0
        paid = cause in {"", "duplicate_billable"}
        message_class = MessageClass.DELIVERED if paid or cause == "unpriced" else MessageClass(cause)
        new = [
            message(f"{number}.{one}", message_class, carrier=carrier, parts=parts, amount=cost if paid else None)
            for one in range(count)
        ]
        lines += new
        breaks += [duplicate(line) for line in new if cause == "duplicate_billable"]
        held[carrier, parts] += count * paid + more
        extra += Decimal(cost) * more
    items = []
    if counts is Counts.UNITS:
        for carrier, unit in (("au", "8.5"), ("Docomo", "9.2")):
            units = sum(held[carrier, parts] * parts for parts in (1, 2))
            items.append(item(units, unit, str(Decimal(unit) * units), carrier))
    else:
        items = [item(held[key], COST[key], str(Decimal(COST[key]) * held[key]), key[0]) for key in COST]
    found = compare(invoice(*items, counts=counts), lines, month_of(lines, breaks=tuple(breaks)))
    check(found)
    assert found.invoiced - found.counted == extra
    assert found.unexplained == 0
    assert {one.cause for one in found.explanations} <= set(HELD)
