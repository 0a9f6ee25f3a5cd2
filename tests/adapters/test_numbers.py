"""Numbers as text: every digit, no scientific notation, and what a simple format shows."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters.numbers import Shape, is_unread, plain, read_format, read_shown

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite | st.integers())
def test_plain_is_the_shortest_decimal_of_a_number(number: float) -> None:
    text = plain(number)
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text)
    assert Decimal(text) == Decimal(repr(number))
    assert not text.endswith(".0")


@given(finite)
def test_plain_reads_back_as_the_same_number(number: float) -> None:
    assert float(plain(number)) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1e15, "1000000000000000"),
        (9.01234567890123e20, "901234567890123000000"),
        (1e-7, "0.0000001"),
        (-2.5e-8, "-0.000000025"),
        (0.1 + 0.2, "0.30000000000000004"),
        (-0.0, "0"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_plain_numbers(number: float, text: str) -> None:
    assert plain(number) == text


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("0000", 901.0, "0901"),
        ("0000", 90123.0, "90123"),
        ("0000", -35.0, "-0035"),
        ("00000000000", 9012345678.0, "09012345678"),
        ("0", 2178.0000000000005, "2178"),
        ("0", 12.5, "13"),
        ("0", 0.4, "0"),
        ("00.0", 1.25, "01.3"),
        ("0.00", 3, "3.00"),
        ("0.00", 1.005, "1.01"),
        ("#,##0", 1234567.0, "1,234,567"),
        ("#,##0", -1234.5, "-1,235"),
        ("#,##0", 0.0, "0"),
        ("#,##0.00", 1234.5, "1,234.50"),
        ("#,###", 1234.0, "1,234"),
        ("0%", 0.05, "5%"),
        ("0%", 1.0, "100%"),
        ("0.0%", 0.285, "28.5%"),
        # what fills a cell or leaves a space is nothing that is seen
        ("#,##0_ ;[Red]\\-#,##0\\ ", 1234.0, "1,234"),
        ('_ * #,##0_ ;_ * \\-#,##0_ ;_ * "-"_ ;_ @_ ', 1234.0, "1,234"),
        # a calculation's noise: spreadsheets round what they show from 15 digits
        ("0", 2.4999999999999996, "3"),
    ],
)
def test_formats_with_one_reading_are_applied(code: str, number: float, shown: str) -> None:
    shape = read_format(code)
    assert shape is not None
    assert shape.show(number) == shown


@pytest.mark.parametrize(
    "code",
    [
        "",
        "General",
        "@",
        "0.00E+00",
        "# ?/?",
        '"¥"#,##0',
        "[$¥-411]#,##0",
        '0"円"',
        "000-0000",
        "#,##0,",
        "##0",
        "0.0#",
        "[<=999]000;0000",
        "0;[>100]0.0",
        "0.0000000000",
        "yyyy-mm-dd",
    ],
)
def test_other_formats_are_not_guessed(code: str) -> None:
    assert read_format(code) is None


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [
        # another format is theirs
        ("#,##0;[Red](#,##0)", -1234.0, "-1234"),
        ('0.0;-0.0;"-"', 0.0, "0"),
        ("#,###", 0.0, "0"),
        ("#,###", 0.2, "0.2"),
        # one program shows 0, another one -0
        ("0", -0.3, "-0.3"),
        # not every digit is known
        ("#,##0", 1e15, "1000000000000000"),
        ("0000", float("inf"), "inf"),
        # a subscriber number keeps its digits together
        ("#,##0", 9012345678.0, "9012345678"),
        ("#,##0", 819012345678.0, "819012345678"),
    ],
)
def test_a_number_whose_shape_is_not_certain_is_plain(code: str, number: float, text: str) -> None:
    shape = read_format(code)
    assert shape is not None
    shown = shape.show(number)
    assert (shown or plain(number)) == text


@pytest.mark.parametrize(
    ("code", "told"),
    [
        *(("", False), ("General", False), ("General_ ", False), ("@", False)),
        *(("yyyy-mm-dd", False), ('yyyy"年"m"月"d"日"', False), ("[h]:mm", False), ("mm:ss.0", False)),
        *(('[$-411]ggge"年"m"月"d"日"', False), ("h:mm AM/PM", False), ("dd\\.mm\\.yy", False)),
        *(('"¥"#,##0', True), ("[$¥-411]#,##0", True), ('0"円"', True), ('0"日"', True), ('General"名"', True)),
        *(
            ("000-0000", True),
            ("0.00E+00", True),
            ("# ?/?", True),
            ("[<=999]000;0000", True),
            (";;;", True),
            ('"済"', True),
        ),
    ],
)
def test_formats_that_show_something_else_are_told_from_dates(code: str, told: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_unread(code) is told


@given(st.integers(-(10**9) + 1, 10**9 - 1), st.integers(1, 12))
def test_whole_numbers_keep_every_digit_in_every_shape(number: int, digits: int) -> None:
    for shape in (Shape(digits), Shape(grouped=True), Shape(digits, decimals=2)):
        shown = shape.show(float(number))
        assert shown is not None
        assert Decimal(shown.replace(",", "")) == number
        assert read_shown(shown, float(number)) is not None


@given(st.decimals(0, 10**6, places=5), st.integers(0, 4))
def test_what_is_shown_is_the_number_rounded_half_up(value: Decimal, decimals: int) -> None:
    shown = Shape(decimals=decimals).show(float(value))
    assert shown is not None
    assert Decimal(shown) == value.quantize(Decimal(10) ** -decimals, ROUND_HALF_UP)


@pytest.mark.parametrize(
    ("shown", "number", "is_told"),
    [
        ("0901", 901.0, True),
        ("1,234", 1234.0, True),
        ("1,234.50", 1234.5, True),
        ("5%", 0.05, True),
        ("-1,235", -1234.5, True),
        ("2178", 2178.0000000000005, True),
        ("1.234", 1234.0, False),  # thousands, in another language
        ("1234", 1.0, False),
        ("0,901", 901.0, False),
        ("¥901", 901.0, False),
        ("1E+15", 1e15, False),
        ("０９０１", 901.0, False),
        ("", 901.0, False),
    ],
)
def test_what_is_shown_tells_the_shape_only_where_it_is_the_number(shown: str, number: float, is_told: bool) -> None:  # noqa: FBT001 - a column of the table
    shape = read_shown(shown, number)
    assert (shape is not None) is is_told
    if shape:
        assert shape.show(number) == shown
