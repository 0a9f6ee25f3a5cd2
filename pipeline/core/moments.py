"""Days and minutes as people and spreadsheets write them: the year first, in four digits, or they are not read.

``12/1/2026`` is a day of December or of January, ``26/12/1`` of any of three years: nobody is asked to guess. Days
have one rule, whether they stand alone or before the time of a minute.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time

from pipeline.core.calendar import JST

#: how the gateway writes a minute, in a request of its own and in a column of its CSV
_GATEWAY_FORMS = ("%Y%m%d%H%M", "%Y.%m.%d.%H.%M")
_WRITTEN = re.compile(
    r"(?P<year>(?:19|20)[0-9]{2})"
    r"(?:([0-9]{2})([0-9]{2})|(?P<mark>[-/.])([0-9]{1,2})(?P=mark)([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日)"
    r"(?:(?:[ \u3000]+|T)(?P<clock>[0-9]{1,2}:[0-9]{2})(?::(?P<seconds>[0-9]{2}(?:\.[0-9]{1,9})?))?"
    r"(?: ?(?:\+09:00|JST))?)?"
)
#: the groups of that pattern that hold a month or a day, of which two are filled
_MONTH_AND_DAY = frozenset({2, 3, 5, 6, 7, 8})


def read_day(given: str) -> date | None:
    """Return a day, the time behind it left out; None where it is no real one."""
    found = _WRITTEN.fullmatch(given)
    return _day(found) if found else None


def read_minute(given: str) -> datetime | None:
    """Return a minute in Japan; None where it is no real one, has no time, or seconds that would be cut off.

    A time of another zone is none either: it stands for one in Japan, but hardly anybody means that.
    """
    if moment := _of_gateway(given):
        return moment
    found = _WRITTEN.fullmatch(given)
    if found is None or found["clock"] is None or (found["seconds"] or "").strip("0."):
        return None
    day, (hour, minute) = _day(found), map(int, found["clock"].split(":"))
    try:
        return datetime.combine(day, time(hour, minute), JST) if day else None
    except ValueError:
        return None


def is_of_gateway(given: str) -> bool:
    """Say whether a minute is written as the gateway writes it: no repair is needed."""
    return _of_gateway(given) is not None


def _of_gateway(given: str) -> datetime | None:
    for form in _GATEWAY_FORMS:
        try:
            moment = datetime.strptime(given, form).replace(tzinfo=JST)
        except ValueError:
            continue
        if moment.strftime(form) == given:  # strptime is lenient about leading zeros
            return moment
    return None


def _day(found: re.Match[str]) -> date | None:
    month, day = (int(part) for at, part in enumerate(found.groups(), 1) if at in _MONTH_AND_DAY and part)
    try:
        return date(int(found["year"]), month, day)
    except ValueError:
        return None
