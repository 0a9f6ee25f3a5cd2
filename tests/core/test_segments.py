"""Billable parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.segments import Steps, parts

JAPAN = Steps(wide_single=70, wide_part=67, narrow_single=160, narrow_part=153)


@pytest.mark.parametrize(
    ("characters", "wide", "narrow"),
    [
        (0, 1, 1),
        (1, 1, 1),
        (70, 1, 1),
        (71, 2, 1),
        (134, 2, 1),
        (135, 3, 1),
        (160, 3, 1),
        (161, 3, 2),
        (201, 3, 2),
        (202, 4, 2),
        (306, 5, 2),
        (307, 5, 3),
        (660, 10, 5),
        (670, 10, 5),
    ],
)
def test_steps_of_the_japanese_carriers(characters: int, wide: int, narrow: int) -> None:
    assert parts(characters, double_byte=True, steps=JAPAN) == wide
    assert parts(characters, double_byte=False, steps=JAPAN) == narrow


@given(length=st.integers(0, 2000), part=st.integers(1, 200), spare=st.integers(0, 10), wide=st.booleans())
def test_parts_are_the_fewest_that_hold_the_text(length: int, part: int, spare: int, *, wide: bool) -> None:
    single = part + spare
    steps = Steps(single, part, 1, 1) if wide else Steps(1, 1, single, part)
    count = parts(length, double_byte=wide, steps=steps)
    if length <= single:
        assert count == 1
    else:
        assert (count - 1) * part < length <= count * part
