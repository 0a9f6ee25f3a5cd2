"""Guards before sending: what a person must look at, or has looked at, before anything of a batch goes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd

from pipeline.context import Context
from pipeline.core.calendar import jst_date, parse_gateway_time
from pipeline.errors import GuardStopped, OutcomeUnknown
from pipeline.ledger.dispatches import attempts_by_dispatch, dispatch_id, list_dispatches
from pipeline.model import Batch, MessageState
from pipeline.stages.planning import payload_column

_SCHEDULED = "scheduled"


@dataclass(frozen=True, slots=True)
class Late:
    """A person's word that an old batch is still meant to go out."""

    actor: str
    because: str


def check_markers(context: Context) -> None:
    """Refuse to send when a marker knows of an attempt that the ledger does not: it went back in time."""
    for batch_id, number, _ in lost_attempts(context):
        raise GuardStopped("ledger.went_back", dispatch=dispatch_id(batch_id, number))


def lost_attempts(context: Context) -> Iterator[tuple[str, int, int]]:
    """Yield batch, number and attempt of what was begun by its marker, but not as far as the ledger knows."""
    known = attempts_by_dispatch(context.ledger)
    for batch_id, number, attempt in context.workspace.begun():
        if known.get((batch_id, number), 0) < attempt:
            yield batch_id, number, attempt


def stop_if_unsettled(context: Context, batch: Batch) -> None:
    """Stop when the outcome of any message is open; what to decide about is one dispatch, or the batch."""
    unsettled = [one for one in list_dispatches(context.ledger, batch.batch_id) if one.is_unsettled]
    if unsettled:
        count = sum(one.states.get(MessageState.UNKNOWN, 0) for one in unsettled)
        decide = unsettled[0].dispatch_id if len(unsettled) == 1 else batch.batch_id
        raise OutcomeUnknown("send.unknown", batch=batch.batch_id, messages=count, dispatch=decide)


def is_late(context: Context, batch: Batch, late: Late | None) -> bool:
    """Say whether the run date is older than allowed; raise ``GuardStopped`` when nobody said that this is meant."""
    limit = context.settings.send.max_age_days
    days = (jst_date(context.now()) - batch.run_date).days
    if days > limit and late is None:
        facts = {"run_date": batch.run_date.isoformat(), "days": days, "limit": limit}
        raise GuardStopped("guard.late", batch=batch.batch_id, **facts)
    return days > limit


def stop_if_dear(batch: Batch, highest: Decimal, unpriced: int, limit: Decimal) -> None:
    """Stop when the messages may cost more than ``limit`` untaxed yen, or when nobody knows what some of them cost."""
    if unpriced:
        raise GuardStopped("guard.unpriced", batch=batch.batch_id, count=unpriced, limit=limit)
    if highest > limit:
        raise GuardStopped("guard.max_cost", batch=batch.batch_id, highest=highest, limit=limit)


def stop_if_time_passed(context: Context, batch: Batch, chunks: Iterable[pd.DataFrame]) -> None:
    """Stop when the time for which any of these accepted rows is scheduled has passed."""
    now, form = context.now(), context.profile.results.registered_time_format.value
    passed = sum(
        _has_passed(cell, form, now)
        for chunk in chunks
        if _SCHEDULED in chunk.columns
        for cell in chunk[_SCHEDULED].tolist()
    )
    if passed:
        raise GuardStopped("guard.scheduled_passed", batch=batch.batch_id, count=passed)


def stop_if_payload_passed(context: Context, batch: Batch, payload: Path) -> None:
    """Ask the same of one upload just before it begins: the uploads before it may have taken hours.

    Only where the profile sends scheduled times at all: reading every payload once more is not free.
    """
    column = context.profile.layout.by_field.get(_SCHEDULED)
    if column is None or column.confirmed is False:
        return
    stop_if_time_passed(context, batch, [payload_column(context, payload, _SCHEDULED)])


def _has_passed(cell: str, form: str, now: datetime) -> bool:
    moment = parse_gateway_time(cell, form)
    return moment is not None and moment <= now
