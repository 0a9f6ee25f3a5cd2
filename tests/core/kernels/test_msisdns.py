"""Numbers by the column: what ``read_msisdn`` says of each cell."""

from __future__ import annotations

import random
import re
from typing import Final

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.kernels import msisdns
from pipeline.core.msisdn import CANONICAL, DOMESTIC, Reading, read_msisdn
from tests.core.comparing import NUMBERS, WHOLE_NUMBERS, number_of

domestic: Final = st.builds("0{}0{:08d}".format, st.sampled_from("26789"), st.integers(0, 10**8 - 1))
#: all that can stand in spellings which the kernel reads itself, and some that it must leave alone
scribble: Final = st.one_of(
    st.text(alphabet="0123456789０９+＋ -ー\u3000()\u200e\nx", max_size=22),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["", " ", "\u3000", "+", '="']),
        domestic,
        st.sampled_from(["", " ", '"', ".0"]),
    ),
)
both_accounts: Final = pytest.mark.parametrize("overseas", [False, True], ids=["japan", "overseas"])


def column_of(values: list[str], skipped: int = 0) -> pa.Array:
    return pa.array(values, pa.large_string())[skipped:]


def assert_read_as_alone(values: list[str], skipped: int, *, overseas: bool) -> int:
    """Compare with reading each cell alone; return how many the kernel read."""
    kept = values[skipped:]
    found = msisdns.read_column(column_of(values, skipped), overseas=overseas)
    unread = set(found.unread.tolist())
    assert len(found.values) == len(kept)
    for at, (value, read) in enumerate(zip(kept, found.values.to_pylist(), strict=True)):
        alone = read_msisdn(value, overseas=overseas)
        rules = {rule for rule, positions in found.repairs.items() if at in positions}
        if at in unread:
            # Left to the rules: as given, and nothing is said to be repaired.
            assert (read, rules) == (value, set())
        else:
            assert alone == Reading(read, alone.repairs if isinstance(alone, Reading) else ())
            assert isinstance(alone, Reading)
            assert (ascii(value), rules) == (ascii(value), set(alone.repairs))
    return len(kept) - len(unread)


@both_accounts
def test_every_spelling_in_one_column(*, overseas: bool) -> None:
    random_ = random.Random(20261123)  # noqa: S311 - not for secrets
    spelled = [form.format(n=number_of(random_)) for form in NUMBERS for _ in range(60)]
    spelled += [WHOLE_NUMBERS[at % len(WHOLE_NUMBERS)] for at in range(500)]
    random_.shuffle(spelled)
    assert assert_read_as_alone(spelled, 7, overseas=overseas) > 1000


@both_accounts
@settings(deadline=None, max_examples=100)
@given(values=st.lists(scribble, max_size=8), skipped=st.integers(0, 3))
def test_what_the_kernel_reads_is_what_is_read_alone(values: list[str], skipped: int, *, overseas: bool) -> None:
    assert_read_as_alone(values, skipped, overseas=overseas)


@pytest.mark.parametrize(
    "spelling",
    [
        *("090{}", "090-{}", " 090{} ", "９０{}", "０９０{}", "090ー{}", "(090){}", "+8190{}", "＋8190{}", "+81-90-{}"),
        *("8190{}", "81090{}", "008190{}", "0081090{}", '="090{}"', '="+8190{}"', "090{}.0", "90{}", "90{}.0", "90-{}"),
        *("\u3000090{}", "090\u00a0{}", "\u202a090{}\u202c", "+81 (0)90 {}"),
    ],
)
def test_usual_spellings_are_read_by_the_kernel(spelling: str) -> None:
    assert assert_read_as_alone([spelling.format("12345678")], 0, overseas=False) == 1


@both_accounts
@pytest.mark.parametrize("prefix", [f"{lead:02d}{third}" for lead in range(100) for third in "01"])
def test_every_beginning_of_a_number(prefix: str, *, overseas: bool) -> None:
    numbers = [prefix + digit + "1234567" for digit in "0123456789"]
    spelled = [form.format(number) for number in numbers for form in ("{}", " {}", "{}.0", "+{}", "81{}", "0081{}")]
    spelled += [number[1:] for number in numbers]
    assert_read_as_alone(spelled, 0, overseas=overseas)
    plain = msisdns.is_plain(column_of(numbers)).tolist()
    assert plain == [re.fullmatch(DOMESTIC, number) is not None for number in numbers]


@both_accounts
@pytest.mark.parametrize(
    "value",
    [
        # Spelled as the gateway takes it, but wrapped: then the hyphens are worth a word.
        *('="090-1234-5678"', '=" 090-1234-5678"', "'090-1234-5678", "tel:090-1234-5678", "090-1234-5678.0"),
        # A sign stands before every digit, once.
        *("81+9012345678", "8+19012345678", "+81+9012345678", "++819012345678", "+ 81 9012345678", "(+81)9012345678"),
        *("819012345678+", "00+819012345678", "+00819012345678", "+09012345678", "＋81＋9012345678", "-+819012345678"),
        # Spaces within are separators, spaces around are not.
        *(" 090-1234-5678", "090- 1234-5678", "090 -1234-567", " 0901-234-5678 ", " ( 09012345678", "09012345678 )"),
    ],
)
def test_signs_wrappings_and_spaces(value: str, *, overseas: bool) -> None:
    assert_read_as_alone([value, "09012345678", value], 0, overseas=overseas)


@both_accounts
def test_a_cell_that_is_too_long_to_be_counted_spoils_no_other(*, overseas: bool) -> None:
    long = [" " * 300 + "09012345678", "-" * 256 + "09012345678", "0" * 5000, "＋" * 300]
    long.append("+8190" + "-" * 190 + "12345678")
    assert_read_as_alone([cell for value in long for cell in (value, "+81 90-1234-5678")], 0, overseas=overseas)


def test_a_column_of_nothing() -> None:
    for values in ([], ["", ""]):
        found = msisdns.read_column(column_of(values), overseas=False)
        assert (found.values.to_pylist(), len(found.unread), found.repairs) == (values, len(values), {})
        assert msisdns.as_integers(column_of(values)).tolist() == [-1] * len(values)


def test_what_is_canonical() -> None:
    yes = ["09012345678", "02001234567890", "447911123456", "1" * 6, "1" * 20]
    no = ["", "09012345678\n", "090-1234-5678", "05012345678", "08001234567", "02041234567", "1" * 5, "1" * 21]
    no += ["+44791112", "0901234567８", "٠٩٠١٢٣٤٥٦٧٨"]
    assert msisdns.is_canonical(column_of(yes + no)).tolist() == [True] * len(yes) + [False] * len(no)


@settings(deadline=None, max_examples=60)
@given(values=st.lists(st.one_of(domestic, scribble), max_size=8), skipped=st.integers(0, 2))
def test_canonical_and_integers_row_by_row(values: list[str], skipped: int) -> None:
    column, kept = column_of(values, skipped), values[skipped:]
    canonical = [re.match(CANONICAL, value) is not None and "\n" not in value for value in kept]
    assert msisdns.is_canonical(column).tolist() == canonical
    integers = [int(value) if re.fullmatch(DOMESTIC, value) and len(value) == 11 else -1 for value in kept]
    assert msisdns.as_integers(column).tolist() == integers
    assert msisdns.is_plain(column).tolist() == [integer >= 0 for integer in integers]


@pytest.mark.parametrize("place", range(11))
def test_one_wrong_byte_makes_a_number_not_plain(place: int) -> None:
    number = "09012345678"
    cells = [number[:place] + chr(code) + number[place + 1 :] for code in range(0x80)]
    expected = [re.fullmatch(DOMESTIC, cell) is not None for cell in cells]
    assert msisdns.is_plain(column_of(cells)).tolist() == expected
    assert np.flatnonzero(msisdns.as_integers(column_of(cells)) >= 0).tolist() == np.flatnonzero(expected).tolist()
