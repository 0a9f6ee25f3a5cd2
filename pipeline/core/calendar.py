"""Time as the gateway sees it: JST, to the minute or the second."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.model import MonthPhase

JST = ZoneInfo("Asia/Tokyo")


def jst_date(moment: datetime) -> date:
    """Return the calendar day of an aware ``moment`` in Japan."""
    return moment.astimezone(JST).date()


def month_days(month: str) -> tuple[date, date]:
    """Return the first day of a month (YYYY-MM) and of the one after it."""
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=31)).replace(day=1)


def month_phase(month: str, moment: datetime) -> MonthPhase:
    """Say where a month (YYYY-MM) stands at a ``moment``."""
    first, after = month_days(month)
    today = jst_date(moment)
    return MonthPhase.FUTURE if today < first else MonthPhase.RUNNING if today < after else MonthPhase.OVER


def stamp(moment: datetime) -> str:
    """Return ``moment`` as it stands in names of files: JST, sortable, to the second."""
    return moment.astimezone(JST).strftime("%Y%m%dT%H%M%S")


def parse_gateway_time(text: str, form: str) -> datetime | None:
    """Parse a time of the results CSV (JST); None when it is empty or does not have the form."""
    try:
        return datetime.strptime(text.strip(), form).replace(tzinfo=JST)
    except ValueError:
        return None


def widened(start: datetime, end: datetime, margin: timedelta) -> tuple[datetime, datetime]:
    """Return the whole minutes that contain [start - margin, end + margin].

    The gateway's period is inclusive at its start, exclusive at its end and cut to minutes.
    """
    # JST first: in a zone with summer time, subtraction follows the clock on the wall, not the time that passed.
    floor = (start.astimezone(JST) - margin).replace(second=0, microsecond=0)
    ceiling = (end.astimezone(JST) + margin).replace(second=0, microsecond=0) + timedelta(minutes=1)
    return floor, ceiling


def merged(windows: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Join windows that touch or overlap, in order of time."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(windows):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
