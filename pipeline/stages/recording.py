"""Record: results become observations of the ledger, and what they prove is settled before anything else is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.context import Context
from pipeline.ledger.results import record_pull, settle
from pipeline.model import Artefact, MessageState, Observation


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many results were new, and how many messages they settled from which state."""

    new: int = 0
    settled: Counter[MessageState] = field(default_factory=Counter)

    def __add__(self, other: Recorded) -> Recorded:
        """Add two up."""
        return Recorded(self.new + other.new, self.settled + other.settled)


def record(
    context: Context, artefact: Artefact, period: tuple[datetime, datetime], rows: Sequence[Observation]
) -> Recorded:
    """Record the results of a file and settle by them: whatever fails afterwards, what they prove is not left open."""
    now = context.now()
    new = record_pull(context.ledger, artefact, period, rows, now)
    return Recorded(new, Counter(settle(context.ledger, now)))
