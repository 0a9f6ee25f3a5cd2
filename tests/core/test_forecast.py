"""The forecast against a message by message reckoning that knows nothing of lengths, columns or groups."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.billing import ANY_CARRIER, Price, Tariff
from pipeline.core.forecast import NEAR, ROWS_SHOWN, CostRange, Forecast, Lengths, PartsLine, forecast
from pipeline.core.segments import Steps
from schemas.tariff import parse_tariff

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY: Final = date(2026, 11, 25)
EXAMPLE: Final = parse_tariff((files("schemas") / "tariffs" / "example.toml").read_text("utf-8"), "example.toml")
#: carriers that begin another part at other lengths, a price that does not rise, and one that ends at two parts
ODD: Final = Tariff(
    name="odd",
    sha256="",
    prices=(
        Price("A", date(2026, 1, 1), None, tuple(map(Decimal, ("3", "5.25", "8")))),
        Price("B", date(2026, 1, 1), None, tuple(map(Decimal, ("4", "4")))),
        Price("C", date(2027, 1, 1), None, (Decimal(1),)),
    ),
    steps={ANY_CARRIER: Steps(70, 67, 160, 153), "B": Steps(70, 66, 160, 153), "A": Steps(68, 65, 160, 153)},
    taxes=(),
)


def asked(messages: Sequence[tuple[int, int, bool]], tariff: Tariff = EXAMPLE, chunk: int = 3) -> Forecast:
    """Forecast messages of (row, characters, double-byte), a few at a time."""
    lengths = Lengths()
    for start in range(0, len(messages), chunk):
        rows, characters, double_byte = zip(*messages[start : start + chunk], strict=True)
        lengths.add(np.array(rows), np.array(characters), np.array(double_byte))
    return forecast(lengths, tariff, DAY)


def wide(*characters: int) -> list[tuple[int, int, bool]]:
    return [(row, count, True) for row, count in enumerate(characters, 2)]


def test_a_list_of_short_texts_has_one_part_everywhere() -> None:
    found = asked(wide(70, 70, 12))
    assert found == Forecast(
        messages=3,
        cost=CostRange(3 * Decimal("8.5"), 3 * Decimal("9.2")),
        unpriced=0,
        parts=(PartsLine(carriers=("Docomo", "au", "SoftBank", "Rakuten"), messages={1: 3}),),
        near=(),
    )


def test_carriers_that_count_differently_are_told_apart() -> None:
    found = asked(wide(133, 134, 135))
    assert found.parts == (
        PartsLine(carriers=("Docomo", "au", "SoftBank"), messages={2: 2, 3: 1}),
        PartsLine(carriers=("Rakuten",), messages={3: 3}),
    )


def test_what_is_nearly_cheaper_is_counted_with_its_rows_and_both_costs() -> None:
    found = asked(wide(71, 20, 73, 74, 72, 71, 71, 73))
    (near,) = found.near
    assert (near.parts, near.messages, near.least, near.most) == (1, 6, 1, 3)
    assert near.now == CostRange(6 * Decimal("17.0"), 6 * Decimal("18.4"))
    assert near.shorter == CostRange(6 * Decimal("8.5"), 6 * Decimal("9.2"))
    assert near.rows == (2, 4, 6, 7, 8)


def test_a_text_is_shortened_as_far_as_it_helps_and_no_further() -> None:
    """Beyond 134 it is a part more for most carriers, beyond 132 for Rakuten."""
    (all_of_them,) = asked(wide(135)).near
    assert (all_of_them.least, all_of_them.most, all_of_them.parts) == (3, 3, 2)
    (most_of_them,) = asked(wide(136)).near
    assert (most_of_them.least, most_of_them.most, most_of_them.parts) == (2, 2, 3)
    assert most_of_them.shorter == CostRange(Decimal("17.0"), Decimal("26.4"))


def test_what_costs_the_same_shorter_is_no_saving() -> None:
    tariff = Tariff("flat", "", (Price(ANY_CARRIER, DAY, None, (Decimal(5), Decimal(5))),), EXAMPLE.steps, ())
    assert asked(wide(71), tariff).near == ()
    assert asked(wide(71), tariff).parts == (PartsLine(carriers=("*", "Rakuten"), messages={2: 1}),)


def test_what_has_no_price_is_counted_and_not_in_the_cost() -> None:
    found = asked(wide(*[70] * 2, 3000), ODD)
    assert (found.unpriced, found.messages, found.cost) == (1, 3, CostRange(Decimal(8), Decimal("10.50")))


def test_nothing_costs_nothing() -> None:
    found = asked([])
    assert (found.messages, found.cost, found.unpriced, found.near) == (0, CostRange(), 0, ())


LISTS = st.lists(st.tuples(st.integers(1, 300), st.booleans()), max_size=40)


@given(LISTS, st.sampled_from([EXAMPLE, ODD]), st.integers(1, 7))
def test_it_is_what_message_by_message_comes_to(messages: list[tuple[int, bool]], tariff: Tariff, chunk: int) -> None:
    found = asked([(row, *message) for row, message in enumerate(messages, 2)], tariff, chunk)
    ranges = [tariff.cost_range(count, double_byte=double, day=DAY) for count, double in messages]
    priced = [costs for costs in ranges if costs]
    assert found.messages == len(messages)
    assert found.unpriced == len(messages) - len(priced)
    lowest = sum((low for low, _ in priced), Decimal(0))
    assert found.cost == CostRange(lowest, sum((high for _, high in priced), Decimal(0)))
    for line in found.parts:
        for carrier in line.carriers:
            assert line.messages == Counter(tariff.parts(carrier, n, double_byte=double) for n, double in messages)
    carriers = [carrier for line in found.parts for carrier in line.carriers]
    assert sorted(carriers) == sorted({"Docomo", "au", "SoftBank", "Rakuten"} if tariff is EXAMPLE else {"A", "B"})


@given(LISTS, st.sampled_from([EXAMPLE, ODD]))
def test_exactly_the_messages_that_three_characters_make_cheaper_are_near(
    messages: list[tuple[int, bool]], tariff: Tariff
) -> None:
    found = asked([(row, *message) for row, message in enumerate(messages, 2)], tariff)
    rows: dict[int, tuple[tuple[Decimal, Decimal], tuple[Decimal, Decimal]]] = {}
    for row, (count, double) in enumerate(messages, 2):
        now = tariff.cost_range(count, double_byte=double, day=DAY)
        offers = [tariff.cost_range(count - by, double_byte=double, day=DAY) for by in range(1, NEAR + 1) if by < count]
        best = min((offer[::-1] for offer in offers if offer), default=None)
        if now and best and best < now[::-1]:
            rows[row] = now, best[::-1]
    assert sum(near.messages for near in found.near) == len(rows)
    assert {row for near in found.near for row in near.rows} <= rows.keys()
    assert all(len(near.rows) == min(ROWS_SHOWN, near.messages) for near in found.near)
    assert sum((near.now.highest for near in found.near), Decimal(0)) == sum(
        (now[1] for now, _ in rows.values()), Decimal(0)
    )
    assert sum((near.shorter.lowest for near in found.near), Decimal(0)) == sum(
        (best[0] for _, best in rows.values()), Decimal(0)
    )
    assert all(near.shorter.highest <= near.now.highest for near in found.near)


def test_messages_of_unknown_length_are_counted_and_in_no_figure() -> None:
    known, unknown = wide(71, 70), [(9, 0, False), (10, 0, False)]
    found = asked([*known, *unknown])
    assert found == replace(asked(known), messages=4, unmeasured=2)
    assert found.plus(found).unmeasured == 4
    assert (asked(unknown).cost, asked(unknown).near) == (CostRange(), ())
