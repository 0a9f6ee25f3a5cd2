"""Times and durations of a sheet as text, as the format of their cell shows them.

Only formats with one reading are applied: hours and minutes with or without seconds, and minutes with seconds, of a day
or counted on (``[h]:mm``). A time is rounded to the second; what a format does not show is cut off, as programs do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time, timedelta

#: a language whose digits are those of every other one, and what programs write behind a format of their own list
_AROUND = re.compile(r"^\[\$-(?:409|411)\]|;@$", re.IGNORECASE)
_SHOWN = re.compile(r"-?(\d+):[0-5]\d(:[0-5]\d)?", re.ASCII)
_COUNTED = re.compile(r"\[([hms]+)\]", re.IGNORECASE)
_ADDED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|[_*].', re.DOTALL)
_ISO = re.compile(r"(-)?P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", re.ASCII)
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


@dataclass(frozen=True, slots=True)
class Clock:
    """How a format shows a time: its first ``unit`` in seconds, with how many ``digits``; ``counted``: on and on."""

    unit: int
    digits: int
    seconds: bool
    counted: bool

    def show(self, cell: time | timedelta) -> str | None:
        """Return what the cell shows; None for a negative time of the day, which every program shows otherwise."""
        total = seconds_of(cell)
        if total < 0 and not self.counted:
            return None
        over = _DAY if self.unit == _HOUR else _HOUR
        first, rest = divmod(abs(total) if self.counted else total % over, self.unit)
        sign = "-" if total < 0 else ""
        if self.unit == _MINUTE:
            return f"{sign}{first:0{self.digits}}:{rest:02}"
        return f"{sign}{first:0{self.digits}}:{rest // _MINUTE:02}" + (f":{rest % _MINUTE:02}" if self.seconds else "")


def seconds_of(cell: time | timedelta) -> int:
    """Return a time of the day, or a duration, in whole seconds."""
    if isinstance(cell, timedelta):
        return round(cell.total_seconds())
    return cell.hour * _HOUR + cell.minute * _MINUTE + round(cell.second + cell.microsecond / 1e6)


def time_of(seconds: int) -> time:
    """Return the time of the day after so many seconds, of whatever day."""
    return time(seconds // _HOUR % 24, seconds // _MINUTE % 60, seconds % 60)


def read_clock(code: str) -> Clock | None:
    """Return the clock that a format such as ``[h]:mm`` gives; None where it is not a simple one."""
    bare = _AROUND.sub("", code).lower()
    for unit, name in ((_HOUR, "h"), (_MINUTE, "m")):
        behind = r":mm(:ss)?" if unit == _HOUR else r"(:ss)"
        if found := re.fullmatch(rf"(?:\[({name}{{1,2}})\]|({name}{{1,2}})){behind}", bare):
            counted, plain, seconds = found.groups()
            return Clock(unit, len(counted or plain), seconds is not None, counted is not None)
    return None


def is_unread_clock(code: str) -> bool:
    """Say whether a format that is no simple clock shows nothing but a time all the same."""
    bare = _ADDED.sub("", _COUNTED.sub(r"\1", code)).lower()
    return bool(re.search("[hs]", bare)) and not re.search("[ydge]", bare)


def read_shown_clock(shown: str, cell: time | timedelta) -> Clock | None:
    """Return the clock under which ``cell`` is shown so; None where what is shown is no simple one."""
    found = _SHOWN.fullmatch(shown)
    if found is None:
        return None
    digits = len(found[1]) if found[1].startswith("0") else 1
    units = (_HOUR,) if found[2] else (_HOUR, _MINUTE)
    clocks = (Clock(unit, digits, found[2] is not None, counted) for unit in units for counted in (True, False))
    return next((clock for clock in clocks if clock.show(cell) == shown), None)


def read_length(text: str) -> time | timedelta | None:
    """Return a duration in ISO form, as a time of the day where it is one; None for anything else."""
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    sign, *parts = found.groups()
    days, hours, minutes, seconds = (float(part or 0) for part in parts)
    total = round(days * _DAY + hours * _HOUR + minutes * _MINUTE + seconds)
    if sign or total >= _DAY:
        return timedelta(seconds=-total if sign else total)
    return time_of(total)
