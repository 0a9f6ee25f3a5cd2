from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.calendar import JST
from pipeline.reports.timeline import timeline

START = datetime(2026, 11, 19, 15, tzinfo=UTC)  # midnight in Japan


def test_nothing_has_no_steps() -> None:
    assert timeline((), 10).steps == ()


def test_an_hour_without_deliveries_is_seen() -> None:
    by_day, steps = timeline(((START, 3), (START + timedelta(hours=3), 1)), 10)
    assert not by_day
    assert [number for _, number in steps] == [3, 0, 0, 1]
    assert steps[0][0] == datetime(2026, 11, 20, 0, tzinfo=JST)


def test_a_long_time_is_shown_by_days_of_japan() -> None:
    last = START - timedelta(hours=1)
    by_day, steps = timeline(((last - timedelta(days=2), 1), (last, 2), (START, 4)), 10)
    assert by_day
    assert [(f"{start:%d %H}", number) for start, number in steps] == [
        ("17 00", 1),
        ("18 00", 0),
        ("19 00", 2),
        ("20 00", 4),
    ]


@given(st.dictionaries(st.integers(0, 2_000), st.integers(1, 10**6), max_size=30), st.integers(1, 100))
def test_nothing_is_lost_and_steps_are_equal(found: dict[int, int], most: int) -> None:
    deliveries = [(START + timedelta(hours=hour), number) for hour, number in sorted(found.items())]
    by_day, steps = timeline(deliveries, most)
    assert sum(number for _, number in steps) == sum(found.values())
    gaps = {later - earlier for (earlier, _), (later, _) in itertools.pairwise(steps)}
    assert gaps <= {timedelta(days=1) if by_day else timedelta(hours=1)}
    assert by_day or len(steps) <= most
