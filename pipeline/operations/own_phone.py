"""Own phone: one message to the operator, on the way that every list takes: checked, planned, sent at most once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, count

from pipeline.adapters.inputs import laid_down
from pipeline.context import Context
from pipeline.core.msisdn import Reading, read_msisdn
from pipeline.core.tracing import Placed
from pipeline.errors import GuardStopped, UsageError
from pipeline.ledger.batches import list_batches
from pipeline.ledger.dispatches import list_dispatches
from pipeline.ledger.tracing import messages_to
from pipeline.model import Batch
from pipeline.stages.checking import csv_bytes
from pipeline.stages.validate import Request, validate

#: of the messages to one phone so many of the latest are looked at
_MANY = 1_000


def read_number(context: Context, given: str) -> str:
    """Return the canonical form of the operator's number. Raises ``UsageError`` (``own_phone.unreadable``)."""
    reading = read_msisdn(given.strip(), overseas=context.profile.options.overseas.value)
    if not isinstance(reading, Reading):
        raise UsageError("own_phone.unreadable")
    return reading.msisdn


def unused(context: Context, name: str) -> str:
    """Return the first of ``name``, ``name-2``, … under which nothing was ever planned."""
    used = {batch.campaign for batch in list_batches(context.ledger) if batch.planned_at}
    return next(one for one in chain([name], (f"{name}-{number}" for number in count(2))) if one not in used)


def attempts(context: Context, batch: Batch) -> int:
    """Return how often anything of a batch has begun to leave."""
    return sum(dispatch.attempts for dispatch in list_dispatches(context.ledger, batch.batch_id))


def latest_messages(context: Context, msisdn: str) -> list[Placed]:
    """Return the latest messages to a phone, newest first."""
    return messages_to(context.ledger, msisdn, _MANY)[0]


def message_of(context: Context, batch: Batch, msisdn: str) -> Placed:
    """Return the one message of a batch, which is to this number."""
    return next(one for one in latest_messages(context, msisdn) if one.batch_id == batch.batch_id)


def hand_in(context: Context, request: Request, row: Mapping[str, str]) -> Batch:
    """Check a list of one row, which registers it; the caller holds the campaign's lock.

    Raises ``GuardStopped`` (``own_phone.rejected``) when the row cannot go out, with the codes that say why.
    """
    with laid_down([csv_bytes([tuple(row), tuple(row.values())])], context.workspace.root) as path:
        validated = validate(context, replace(request, source=path))
    if validated.batch.totals.rejected:
        raise GuardStopped("own_phone.rejected", codes=", ".join(validated.codes))
    return validated.batch
