"""Numbers: spellings as people and spreadsheets write them, and what must never be read into them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.msisdn import (
    CANONICAL,
    Reading,
    Unreadable,
    canonical_result,
    mask,
    read_msisdn,
)
from pipeline.messages import REPAIRS, ROWS, Language, fill

NUMBER: Final = "09012345678"
# Typed from GATEWAY section 5, by code point so that an editor cannot change one.
DASHES: Final = [
    chr(code)
    for code in (
        *(0x2D, 0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0x30FC, 0xFF70, 0x2500, 0x2501),
        *(0x2043, 0x02D7, 0xFF0D, 0xFE63, 0x301C, 0xFF5E),
    )
]
SPACES: Final = [chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) == "Zs"]

BIDI_MARKS: Final = list(map(chr, (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))))

domestic: Final = st.one_of(
    st.from_regex(r"0[6-9]0[1-9][0-9]{7}", fullmatch=True).filter(str.isascii),
    st.from_regex(r"020[1-35-9][0-9]{7}", fullmatch=True).filter(str.isascii),
)
m2m: Final = st.from_regex(r"0[26789]00[0-9]{10}", fullmatch=True)
foreign: Final = st.from_regex(r"[1-79][0-9]{5,19}|8(?:[02-9][0-9]{4,18})", fullmatch=True)
# Text that comes close to numbers, so that every branch is met.
scribble: Final = st.one_of(
    st.text(),
    st.text(alphabet="0123456789０９٣①²-ー.+＋eE ='\"’tel:()\n\t\u3000\u200b81", max_size=22),
    st.builds("{}{}".format, st.sampled_from(["", "+", "+81", "0081", "81", "tel:", "'"]), domestic | m2m | foreign),
)
both_accounts: Final = pytest.mark.parametrize("overseas", [False, True], ids=["japan", "overseas"])


def read(value: str, *, overseas: bool = False) -> str:
    """Return the canonical form, or the code of the reason why there is none."""
    reading = read_msisdn(value, overseas=overseas)
    return reading.msisdn if isinstance(reading, Reading) else reading.code


def repairs(value: str, *, overseas: bool = False) -> tuple[str, ...]:
    reading = read_msisdn(value, overseas=overseas)
    assert isinstance(reading, Reading), reading
    return reading.repairs


def hyphenated(number: str) -> str:
    """Return a domestic number as people write it; longer ones stay as they are."""
    return f"{number[:3]}-{number[3:7]}-{number[7:]}" if len(number) == 11 else number


def test_that_eighteen_dashes_were_typed() -> None:
    assert len(set(DASHES)) == 18


@both_accounts
@pytest.mark.parametrize("separator", [*DASHES, *SPACES, *BIDI_MARKS, "\t", "\v", "\f", "."], ids=ascii)
def test_separators_are_removed(separator: str, *, overseas: bool) -> None:
    assert read(separator.join(("090", "1234", "5678")), overseas=overseas) == NUMBER
    assert read(separator.join(("+81", "90", "1234", "5678")), overseas=overseas) == NUMBER
    assert read(separator.join(NUMBER), overseas=overseas) == NUMBER


@both_accounts
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("09012345678", ()),
        ("090-1234-5678", ()),
        ("020-1234-5678", ()),
        ("090 1234 5678", ("phone.separators",)),
        ("(090)1234-5678", ("phone.separators",)),
        ("（090）1234－5678", ("phone.separators",)),
        ("090.1234.5678", ("phone.separators",)),
        ("0901-234-5678", ("phone.separators",)),
        ("０９０１２３４５６７８", ("phone.full_width",)),
        ("０９０ー１２３４ー５６７８", ("phone.full_width", "phone.separators")),
        ("+819012345678", ("phone.international",)),
        ("＋819012345678", ("phone.full_width", "phone.international")),
        ("819012345678", ("phone.international",)),
        ("819012345678.0", ("phone.spreadsheet_number", "phone.international")),
        ("00819012345678", ("phone.international",)),
        ("8109012345678", ("phone.international",)),
        ("+81(0)90-1234-5678", ("phone.separators", "phone.international")),
        ("+81 090 1234 5678", ("phone.separators", "phone.international")),
        ("tel:09012345678", ("phone.prefix",)),
        ("TEL：090-1234-5678", ("phone.prefix", "phone.separators")),
        ("tel:+81-90-1234-5678", ("phone.prefix", "phone.separators", "phone.international")),
        ('="09012345678"', ("phone.formula_quote",)),
        ('="090-1234-5678"', ("phone.formula_quote", "phone.separators")),
        ("'09012345678", ("phone.formula_quote",)),
        ("’09012345678", ("phone.formula_quote",)),
        ("090.1234.5678.0", ("phone.spreadsheet_number", "phone.separators")),
        ("(09012345678.0)", ("phone.spreadsheet_number", "phone.separators")),
        ("tel: ０９０１２３４５６７８．００", ("phone.prefix", "phone.full_width", "phone.spreadsheet_number")),
        (" 09012345678 ", ()),
        (" 090-1234-5678 ", ()),
        ("\u300009012345678", ("phone.separators",)),
        ("090-1234-5678\n", ("phone.separators",)),
        ('=" 09012345678"', ("phone.formula_quote",)),
        ("\u202a09012345678\u202c", ("phone.separators",)),
    ],
)
def test_spellings_of_one_number_and_their_repairs(value: str, expected: tuple[str, ...], *, overseas: bool) -> None:
    number = "02012345678" if value.startswith("020") else NUMBER
    assert read(value, overseas=overseas) == number
    assert repairs(value, overseas=overseas) == expected


@pytest.mark.parametrize(
    ("value", "japan", "overseas"),
    [
        # a lost zero has one reading only where overseas numbers are off
        ("9012345678", NUMBER, "phone.ambiguous_overseas"),
        ("9012345678.0", NUMBER, "phone.ambiguous_overseas"),
        ("90-1234-5678", NUMBER, "phone.ambiguous_overseas"),
        ("6012345678", "06012345678", "phone.ambiguous_overseas"),
        ("9002345678", "phone.too_short", "9002345678"),
        # what a spreadsheet appends is never a digit, however it is dressed
        ('="9012345678.0 "', NUMBER, "phone.ambiguous_overseas"),
        ("９０１２３４５６７８．０", NUMBER, "phone.ambiguous_overseas"),
        ("tel: 9012345678.0", NUMBER, "phone.ambiguous_overseas"),
        ("90-1234-5678.0", NUMBER, "phone.ambiguous_overseas"),
        ("(9012345678.0)", NUMBER, "phone.ambiguous_overseas"),
        ("9012345678. 0", NUMBER, "phone.ambiguous_overseas"),
        ("9012345678.0.0", NUMBER, "phone.ambiguous_overseas"),
        ("0901234567.0", "phone.too_short", "phone.too_short"),
        ("+447911123456.0", "phone.overseas_disabled", "447911123456"),
        # zeros that belong to the number, or may
        ("090.1234.0000", "09012340000", "09012340000"),
        ("+1.415.555.0000", "phone.overseas_disabled", "14155550000"),
        ("+1 415 555.0000", "phone.overseas_disabled", "phone.letter"),
        ("+33.1.23.45.67.00", "phone.overseas_disabled", "phone.letter"),
        # no country code begins with 0
        ("+09012345678", "phone.not_mobile", "phone.not_mobile"),
        ("+0312345678", "phone.not_mobile", "phone.not_mobile"),
        ("+0901234567", "phone.too_short", "phone.too_short"),
        # Japan, but no mobile
        ("05012345678", "phone.not_mobile", "phone.not_mobile"),
        ("0312345678", "phone.not_mobile", "phone.not_mobile"),
        ("0120-123-456", "phone.not_mobile", "phone.not_mobile"),
        ("0570-012-345", "phone.not_mobile", "phone.not_mobile"),
        ("0800-123-4567", "phone.not_mobile", "phone.not_mobile"),
        ("02041234567", "phone.not_mobile", "phone.not_mobile"),
        ("+81312345678", "phone.not_mobile", "phone.not_mobile"),
        ("+815012345678", "phone.not_mobile", "phone.not_mobile"),
        ("+818001234567", "phone.not_mobile", "phone.not_mobile"),
        ("812041234567", "phone.not_mobile", "phone.not_mobile"),
        # wrong lengths
        ("0901234567", "phone.too_short", "phone.too_short"),
        ("090123456789", "phone.too_long", "phone.too_long"),
        ("81901234567", "phone.too_short", "phone.too_short"),
        ("8190123456789", "phone.too_long", "phone.too_long"),
        ("+81901234567", "phone.too_short", "phone.too_short"),
        ("00819012345", "phone.too_short", "phone.too_short"),
        ("901234567", "phone.too_short", "901234567"),
        # M2M
        ("02001234567890", "02001234567890", "02001234567890"),
        ("06001234567890", "06001234567890", "06001234567890"),
        ("07001234567890", "07001234567890", "07001234567890"),
        ("08001234567890", "08001234567890", "08001234567890"),
        ("09001234567890", "09001234567890", "09001234567890"),
        ("0900123456789", "phone.too_long", "phone.too_long"),
        ("0200123456789", "phone.too_long", "phone.too_long"),
        ("020012345678901", "phone.too_long", "phone.too_long"),
        ("+8102001234567890", "phone.too_long", "phone.too_long"),
        # overseas
        ("+14155550123", "phone.overseas_disabled", "14155550123"),
        ("447911123456", "phone.overseas_disabled", "447911123456"),
        ("123456", "phone.overseas_disabled", "123456"),
        ("12345", "phone.too_short", "phone.too_short"),
        ("1" * 20, "phone.overseas_disabled", "1" * 20),
        ("1" * 21, "phone.too_long", "phone.too_long"),
        ("+905321234567", "phone.overseas_disabled", "905321234567"),
        # not a number
        ("", "phone.empty", "phone.empty"),
        (" \u3000\n", "phone.empty", "phone.empty"),
        ("-", "phone.empty", "phone.empty"),
        ('=""', "phone.empty", "phone.empty"),
        ("tel:", "phone.empty", "phone.empty"),
        ("+", "phone.empty", "phone.empty"),
        ("9.01E+09", "phone.scientific", "phone.scientific"),
        ("9.01234567e9", "phone.scientific", "phone.scientific"),
        ("9E9", "phone.scientific", "phone.scientific"),
        ("+8.19E+11", "phone.scientific", "phone.scientific"),
        ('="9.01E+09"', "phone.scientific", "phone.scientific"),
        ("９．０１Ｅ＋０９", "phone.scientific", "phone.scientific"),
        # a spreadsheet took the digits for a date
        ("2026/11/23", "phone.date", "phone.date"),
        ("2026-1-5", "phone.date", "phone.date"),
        ("2026.01.05", "phone.date", "phone.date"),
        ("2026年1月5日", "phone.date", "phone.date"),
        ("11/23/2026", "phone.date", "phone.date"),
        ("1月5日", "phone.date", "phone.date"),
        ("2026/11/23 10:00", "phone.date", "phone.date"),
        ("2026-11-23T9:00:00", "phone.date", "phone.date"),
        ('="2026/11/23"', "phone.date", "phone.date"),
        (" ２０２６/１１/２３ ", "phone.date", "phone.date"),
        ("2026/13/23", "phone.letter", "phone.letter"),
        ("2026/11/32", "phone.letter", "phone.letter"),
        ("2026/11-23", "phone.letter", "phone.letter"),
        ("1826/11/23", "phone.letter", "phone.letter"),
        ("2026-13-23", "phone.overseas_disabled", "20261323"),
        ("13/23/2026", "phone.letter", "phone.letter"),
        ("2026/11/23 10", "phone.letter", "phone.letter"),
        # a spreadsheet keeps 15 digits
        ("1234567890123450", "phone.truncated", "phone.truncated"),
        ("123456789012345000", "phone.truncated", "phone.truncated"),
        ("100000000000000000", "phone.truncated", "phone.truncated"),
        ("8190123456789010", "phone.truncated", "phone.truncated"),
        # a sign shows that the cell was no number to the spreadsheet
        ("+1234567890123450", "phone.overseas_disabled", "1234567890123450"),
        ("123456789012345", "phone.overseas_disabled", "123456789012345"),
        ("1234567890123451", "phone.overseas_disabled", "1234567890123451"),
        ("0123456789012340", "phone.not_mobile", "phone.not_mobile"),
        ("①9012345678", "phone.letter", "phone.letter"),
        ("0901234567²", "phone.letter", "phone.letter"),
        ("٠٩٠١٢٣٤٥٦٧٨", "phone.letter", "phone.letter"),
        ("O9012345678", "phone.letter", "phone.letter"),
        ("090-1234-5678 09012345678", "phone.too_long", "phone.too_long"),
        ("090-1234-5678,", "phone.letter", "phone.letter"),
        ("090+12345678", "phone.letter", "phone.letter"),
        ("++819012345678", "phone.letter", "phone.letter"),
    ],
)
def test_readings(value: str, japan: str, overseas: str) -> None:
    assert read(value) == japan
    assert read(value, overseas=True) == overseas


@pytest.mark.parametrize("prefix", ["020", "060", "070", "080", "090"])
@pytest.mark.parametrize("fourth", "0123456789")
def test_the_fourth_digit(prefix: str, fourth: str) -> None:
    number = f"{prefix}{fourth}1234567"
    mobile = fourth != "0" and prefix + fourth != "0204"
    for spelling in (number, hyphenated(number), "+81" + number[1:], "0081" + number[1:], "81" + number[1:]):
        assert read(spelling) == (number if mobile else "phone.not_mobile")


@both_accounts
@pytest.mark.parametrize(
    ("value", "position", "shown"),
    [
        ("090-12e4-5678", 7, "e"),
        ("090＋12345678", 4, "＋"),
        ("tel:0901234567t", 15, "t"),
        ("'090'12345678", 5, "'"),
        ('=" 090 Ｘ2345678"', 8, "Ｘ"),
        ("+81+9012345678", 4, "+"),
        ("090\u200d12345678", 4, "U+200D"),
        ("090\u309912345678", 4, "U+3099"),
    ],
    ids=ascii,
)
def test_a_letter_is_named_with_its_position_in_the_cell(
    value: str, position: int, shown: str, *, overseas: bool
) -> None:
    facts = {"character": value[position - 1], "position": position, "shown": shown}
    assert read_msisdn(value, overseas=overseas) == Unreadable("phone.letter", facts)
    for language in Language:
        assert shown in fill(ROWS["phone.letter"], language, facts)


@pytest.mark.parametrize("between", ["/", "／", "・", "･", "\n", "\r\n", ",", "、"], ids=ascii)
def test_two_numbers_in_a_cell_never_become_one(between: str) -> None:
    reading = read_msisdn(f"6591234567{between}6597654321", overseas=True)
    assert isinstance(reading, Unreadable)
    assert (reading.code, reading.facts["position"]) == ("phone.letter", 11)


def test_the_repair_of_an_overseas_number_does_not_speak_of_a_domestic_form() -> None:
    assert repairs("+447911123456", overseas=True) == ("phone.plus",)
    assert repairs("447911123456", overseas=True) == ()


_WRAPPERS: Final = ["{}", "'{}", '="{}"', "tel:{}", "TEL：{}", " {}\u3000", "'tel:{}", "\xa0{}\n"]


@st.composite
def decorated(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a canonical domestic number and a spelling of it."""
    number = draw(domestic)
    digits = draw(
        st.sampled_from([number, "+81" + number[1:], "0081" + number[1:], "81" + number[1:], "+81(0)" + number[1:]])
    )
    # A dot before zeros at the end is a spreadsheet's.
    dots = [] if number.endswith("0") else ["."]
    separators = st.text(alphabet=st.sampled_from([*DASHES, *SPACES, *BIDI_MARKS, *dots, "(", ")"]), max_size=2)
    parts = [digits[0], *(character for digit in digits[1:] for character in (draw(separators), digit))]
    spelled = "".join(parts)
    if draw(st.booleans()):
        spelled = spelled.translate(str.maketrans("0123456789+", "０１２３４５６７８９＋"))
    return number, draw(st.sampled_from(_WRAPPERS)).format(spelled)


@both_accounts
@settings(deadline=None, max_examples=100)
@given(spelling=decorated())
def test_every_decoration_of_a_number_reads_back(spelling: tuple[str, str], *, overseas: bool) -> None:
    number, spelled = spelling
    assert read(spelled, overseas=overseas) == number


@settings(deadline=None, max_examples=200)
@given(domestic)
def test_a_lost_zero_is_restored_or_ambiguous(number: str) -> None:
    if number.startswith("020"):
        assert read(number[1:]) == "phone.overseas_disabled"
        return
    for spelled in (number[1:], f"{number[1:]}.0", f"{number[1:3]}-{number[3:7]}-{number[7:]}"):
        assert read(spelled) == number
        assert "phone.lost_zero" in repairs(spelled)
        assert read(spelled, overseas=True) == "phone.ambiguous_overseas"


@settings(deadline=None, max_examples=300)
@given(domestic | m2m)
def test_canonical_domestic_numbers_are_fixed_points(number: str) -> None:
    for overseas in (False, True):
        assert read_msisdn(number, overseas=overseas) == Reading(number)
    assert canonical_result(number) == canonical_result(hyphenated(number)) == number


@pytest.mark.unmeasured
@settings(deadline=None, max_examples=300)
@given(foreign)
def test_canonical_overseas_numbers_are_fixed_points_unless_ambiguous(number: str) -> None:
    """A bare 10-digit 90… is also a domestic number without its zero: only a result row says it bare.

    And zeros from the 16th digit on may be a spreadsheet's, but not behind a sign.
    """
    assert read("+" + number, overseas=True) == number
    truncated = {"phone.truncated"} if len(number) > 15 and not number[15:].strip("0") else set()
    assert read(number, overseas=True) in {number, "phone.ambiguous_overseas", *truncated}
    assert canonical_result(number) == number


@pytest.mark.unmeasured
@both_accounts
@settings(deadline=None, max_examples=500)
@given(value=scribble)
def test_whatever_is_read_is_canonical_and_whatever_is_said_has_a_text(value: str, *, overseas: bool) -> None:
    reading = read_msisdn(value, overseas=overseas)
    if isinstance(reading, Reading):
        assert re.fullmatch(CANONICAL, reading.msisdn)
        assert overseas or reading.msisdn.startswith("0")
        assert not reading.msisdn.startswith("81")
        assert set(reading.repairs) <= REPAIRS.keys()
        assert len(set(reading.repairs)) == len(reading.repairs)
    else:
        for language in Language:
            assert fill(ROWS[reading.code], language, reading.facts)


@pytest.mark.parametrize("number", [NUMBER, "02001234567890", "447911123456", "1" * 6, "1" * 20])
def test_what_is_canonical(number: str) -> None:
    assert re.search(CANONICAL, number)


@pytest.mark.parametrize(
    "value",
    ["", "090-1234-5678", "05012345678", "08001234567", "02041234567", "1" * 5, "1" * 21, "+44791112", f"x{NUMBER}"],
)
def test_what_is_not_canonical(value: str) -> None:
    assert not re.search(CANONICAL, value)


def test_numbers_of_result_rows() -> None:
    assert canonical_result("090-1111-2222") == "09011112222"
    assert canonical_result("9012345678") == "9012345678"
    assert canonical_result("03-1234-5678") == "0312345678"


def test_a_mask_shows_how_a_number_begins_and_ends() -> None:
    assert mask(NUMBER) == "090****5678"
    assert mask("1234567") == "*******"
    assert mask("") == ""


@given(st.text(alphabet="0123456789", min_size=11, max_size=20))
def test_a_mask_never_shows_the_middle(number: str) -> None:
    assert mask(number) == number[:3] + "****" + number[-4:]


@given(st.text(alphabet="0123456789", max_size=10))
def test_a_number_too_short_to_hide_four_digits_in_is_hidden(number: str) -> None:
    assert mask(number) == "*" * len(number)
