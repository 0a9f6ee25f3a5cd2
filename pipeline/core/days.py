"""JST days by the column, as days since 1970."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from pipeline.core.calendar import jst_date, month_days
from pipeline.core.kernels.matching import DAY, HOUR, NEVER, Times
from pipeline.core.kernels.strings import Mask

_EPOCH = date(1970, 1, 1)
_JST = 9 * HOUR


def days_of(moments: Times) -> NDArray[np.int64]:
    """Return the days of times; for ``NEVER`` a day long before all others."""
    return (np.maximum(moments, NEVER + _JST) + _JST) // DAY


def day_of(number: int) -> date:
    """Return a day since 1970."""
    return _EPOCH + timedelta(days=number)


def day_number(moment: datetime) -> int:
    """Return the day of a time."""
    return (jst_date(moment) - _EPOCH).days


def within(days: NDArray[np.int64], month: str) -> Mask:
    """Say which days are in a month (YYYY-MM)."""
    first, end = month_days(month)
    found: Mask = (days >= (first - _EPOCH).days) & (days < (end - _EPOCH).days)
    return found
