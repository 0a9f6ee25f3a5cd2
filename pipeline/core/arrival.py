"""Arrival: of which messages any result says that they arrived, in part or whole, or may still arrive.

The class of a message is that of the row which decides (GATEWAY section 7); to write to somebody once more, no row may
speak against it. Row order means nothing, and a time that is not known proves no order.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels.matching import NEVER
from pipeline.core.kernels.strings import Mask, Positions
from pipeline.core.statuses import StatusMeaning, StatusTable
from pipeline.model import StatusClass

_ARRIVED = {StatusClass.DELIVERED, StatusClass.PARTIAL}
_FINAL = {*_ARRIVED, StatusClass.FAILED, StatusClass.CANCELLED}


def may_have_arrived(observations: pa.Table, message_of: Positions, table: StatusTable, count: int) -> Positions:
    """Return which of ``count`` messages arrived, or are on their way, by any result about them.

    ``message_of`` says of each observation which message it is about, -1 for none. On its way is what a pending status
    says that is not proven to be older than the last final one: the gateway is trying again.
    """
    codes, names = kernel.words(observations["status"])
    meanings = [table.look_up(name) for name in names]
    when = kernel.times(observations["status_time"])

    def rows(wanted: Callable[[StatusMeaning], bool]) -> Positions:
        fits: Mask = np.array([meaning is not None and wanted(meaning) for meaning in meanings] or [False])
        return np.flatnonzero(fits[codes] & (message_of >= 0))

    # A verdict about a number may be billed, and is no text that arrived.
    arrived = rows(lambda meaning: meaning.clicked or meaning.means in _ARRIVED)
    final = rows(lambda meaning: meaning.means in _FINAL)
    last = np.full(count, NEVER, np.int64)
    np.maximum.at(last, message_of[final], when[final])
    pending = rows(lambda meaning: meaning.means is StatusClass.PENDING)
    trying = pending[(when[pending] == NEVER) | (when[pending] >= last[message_of[pending]])]
    return np.unique(message_of[np.concatenate((arrived, trying))])
