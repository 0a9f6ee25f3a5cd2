"""Time as the gateway sees it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.calendar import JST, jst_date, merged, parse_gateway_time, stamp, widened

FIXED = timezone(timedelta(hours=9))  # independent of the time zone database
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.sampled_from([UTC, JST]))  # noqa: DTZ001 - bounds are naive
margins = st.timedeltas(timedelta(0), timedelta(days=9))


def test_a_day_begins_at_midnight_in_japan() -> None:
    assert jst_date(datetime(2026, 11, 22, 14, 59, 59, tzinfo=UTC)) == date(2026, 11, 22)
    assert jst_date(datetime(2026, 11, 22, 15, 0, tzinfo=UTC)) == date(2026, 11, 23)


def test_a_stamp_is_in_jst() -> None:
    assert stamp(datetime(2026, 12, 31, 15, 4, 5, 999_999, tzinfo=UTC)) == "20270101T000405"


@given(moments, moments)
def test_stamps_sort_by_time(one: datetime, other: datetime) -> None:
    assert (stamp(one) < stamp(other)) <= (one < other)


def test_times_of_the_gateway() -> None:
    form = "%Y.%m.%d.%H.%M.%S"
    assert parse_gateway_time(" 2026.11.23.09.08.07\n", form) == datetime(2026, 11, 23, 9, 8, 7, tzinfo=FIXED)


@pytest.mark.parametrize(
    "text", ["", " ", "2026.11.23", "2026.11.31.09.08.07", "2026-11-23 09:08:07", "2026.11.23.09.08.07.1"]
)
def test_other_forms_are_no_time(text: str) -> None:
    assert parse_gateway_time(text, "%Y.%m.%d.%H.%M.%S") is None


@given(moments, margins, margins)
def test_a_widened_window_contains_its_period(start: datetime, length: timedelta, margin: timedelta) -> None:
    end = start + length
    since, until = widened(start, end, margin)
    assert since <= start - margin
    assert end + margin < until  # exclusive
    for edge in (since, until):
        assert (edge.second, edge.microsecond) == (0, 0)
        assert edge.utcoffset() == timedelta(hours=9)
    assert until - since <= length + 2 * margin + timedelta(minutes=2)


def test_a_window_that_ends_on_a_minute_still_contains_it() -> None:
    noon = datetime(2026, 11, 23, 12, 0, tzinfo=JST)
    assert widened(noon, noon, timedelta(0)) == (noon, noon + timedelta(minutes=1))


hours = st.integers(0, 40).map(lambda hour: datetime(2026, 11, 1, tzinfo=JST) + timedelta(hours=hour))
windows = st.lists(st.tuples(hours, hours).map(lambda pair: (min(pair), max(pair))), max_size=6)


def covered(spans: list[tuple[datetime, datetime]]) -> set[datetime]:
    return {
        start + timedelta(hours=hour) for start, end in spans for hour in range((end - start) // timedelta(hours=1))
    }


@given(windows)
def test_merged_windows_cover_the_same_time_without_touching(spans: list[tuple[datetime, datetime]]) -> None:
    before = list(spans)
    joined = merged(spans)
    assert spans == before
    assert covered(joined) == covered(spans)
    assert joined == sorted(joined)
    assert all(end < start for (_, end), (start, _) in pairwise(joined))
    assert all(any(a <= start and end <= b for a, b in joined) for start, end in spans)


def test_a_margin_is_real_time_in_zones_with_summer_time() -> None:
    start = datetime(2026, 3, 8, 12, 0, tzinfo=ZoneInfo("America/New_York"))  # the day summer time began
    since, _ = widened(start, start, timedelta(days=1))
    assert since <= start.astimezone(UTC) - timedelta(days=1)
