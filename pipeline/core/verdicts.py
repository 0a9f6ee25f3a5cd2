"""Bills of verdicts about numbers: of them the first one counts, so that nothing that comes later moves a bill."""

from __future__ import annotations

import numpy as np

from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels.matching import NEVER, Times
from pipeline.core.kernels.strings import Mask, Positions
from pipeline.core.observed import VERDICT, Rows, rank_of
from pipeline.core.statuses import StatusMeaning


def first_verdicts(rows: Rows, asked: Mask) -> Positions:
    """Return the first billed verdict of each message of which one was ``asked``, whatever became of it afterwards.

    At one moment the carrier decides.
    """
    found = rows.where([rank_of(meaning) == VERDICT and _is_billed(meaning) for meaning in rows.meanings])
    found = found[asked[rows.at[found]]]
    late = np.where(rows.when[found] == NEVER, np.iinfo(np.int64).max, rows.when[found])
    first = kernel.first_of_each(rows.at[found], late, rows.carrier[found])
    chosen: Positions = found[first]
    return chosen


def first_bills(texts: Times, rows: Rows, verdicts: Positions) -> Times:
    """Return when each message was first billed: for its verdict, or its text, of which ``texts`` are the times."""
    timed = verdicts[rows.when[verdicts] != NEVER]
    found = texts.copy()
    found[rows.at[timed]] = rows.when[timed]
    earlier = (texts != NEVER) & (texts < found)
    found[earlier] = texts[earlier]
    return found


def _is_billed(meaning: StatusMeaning | None) -> bool:
    return meaning is not None and meaning.billable
