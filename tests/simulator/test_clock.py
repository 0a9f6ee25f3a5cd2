from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.core.calendar import JST
from pipeline.simulator import VirtualClock
from pipeline.simulator.clock import parse_span


def test_a_clock_runs_and_jumps() -> None:
    clock = VirtualClock(datetime(2026, 11, 22, 15, tzinfo=UTC))
    first = clock.now()
    assert first.date().isoformat() == "2026-11-23"
    assert first.tzinfo is JST
    time.sleep(0.01)
    assert clock.now() > first
    clock.advance(timedelta(days=3))
    assert clock.now() - first > timedelta(days=3)


def test_a_clock_starts_now() -> None:
    assert abs(VirtualClock().now() - datetime.now(JST)) < timedelta(seconds=5)


def test_a_clock_refuses_what_is_no_time() -> None:
    with pytest.raises(ValueError, match="forward"):
        VirtualClock().advance(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="aware"):
        VirtualClock(datetime(2026, 11, 23))  # noqa: DTZ001 - the mistake to be refused


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("72h", timedelta(hours=72)),
        ("1d12h", timedelta(hours=36)),
    ],
)
def test_spans(text: str, span: timedelta) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize("text", ["", "72", "h", "-1h", "1h1d"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(ValueError, match="span"):
        parse_span(text)
