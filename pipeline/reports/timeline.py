"""Deliveries over time as equal steps: an hour or a day without any is a gap that must be seen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pipeline.core.calendar import JST

if TYPE_CHECKING:
    from collections.abc import Sequence

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class Timeline(NamedTuple):
    """Steps from the first to the last delivery: their beginnings in JST and how many there were in each."""

    by_day: bool
    steps: tuple[tuple[datetime, int], ...]


def timeline(deliveries: Sequence[tuple[datetime, int]], most: int) -> Timeline:
    """Spread ``deliveries`` per hour over every hour, or over every day when that would be more than ``most`` steps."""
    if not deliveries:
        return Timeline(by_day=False, steps=())
    hours = [(hour.astimezone(JST).replace(minute=0, second=0, microsecond=0), number) for hour, number in deliveries]
    first, last = min(hours)[0], max(hours)[0]
    by_day = (last - first) // _HOUR >= most
    if by_day:
        hours = [(hour.replace(hour=0), number) for hour, number in hours]
        first, last = first.replace(hour=0), last.replace(hour=0)
    width = _DAY if by_day else _HOUR
    counts = [0] * ((last - first) // width + 1)
    for hour, number in hours:
        counts[(hour - first) // width] += number
    return Timeline(by_day, tuple((first + at * width, number) for at, number in enumerate(counts)))
