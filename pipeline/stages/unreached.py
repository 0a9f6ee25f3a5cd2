"""Unreached: the people whom a campaign has not reached, by evidence and not by its absence.

A message did not arrive if its latest final result says so, or if the gateway refused its row. Whoever is pending,
missing, unknown, received a part, was cancelled or does not want to be written to is none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from pipeline.context import Context
from pipeline.core.reconciling import Priced
from pipeline.errors import UsageError
from pipeline.ledger.batches import list_batches, refused_rows, sent_messages
from pipeline.ledger.results import observations_of
from pipeline.model import Batch, BreakKind, MessageClass
from pipeline.stages.judging import judged

#: with these nobody knows what the results say, or whom they speak of
_DOUBTS = {BreakKind.PHONE_MISMATCH, BreakKind.UNMAPPED_STATUS}


def campaign_batches(context: Context, campaign: str) -> list[Batch]:
    """Return the batches of a campaign that must exist, oldest first."""
    found = [batch for batch in list_batches(context.ledger) if batch.campaign == campaign]
    if not found:
        raise UsageError("campaign.unknown", campaign=campaign)
    return found


def unreached(context: Context, campaign: str) -> dict[str, set[str]]:
    """Return by batch the smsids of the messages of a campaign that did not arrive."""
    refused = refused_rows(context.ledger, campaign)
    return {
        batch.batch_id: smsids
        for batch in campaign_batches(context, campaign)
        if (smsids := set(_unreached(context, batch, refused)))
    }


def unreached_of(context: Context, campaigns: AbstractSet[str]) -> set[str]:
    """Return the smsids of all messages of these campaigns that did not arrive."""
    return {smsid for campaign in campaigns for smsids in unreached(context, campaign).values() for smsid in smsids}


def _unreached(context: Context, batch: Batch, refused: AbstractSet[str]) -> Iterator[str]:
    opted_out = {status.label or str(status.number) for status in context.profile.status if status.opted_out}
    messages = sent_messages(context.ledger, batch.batch_id)
    for found in judged(context, messages, observations_of(context.ledger, batch.batch_id)):
        line = found.line
        is_refused = line.message_class is MessageClass.REFUSED and line.smsid in refused
        if is_refused or (
            line.message_class is MessageClass.FAILED and _is_proven(found) and line.label not in opted_out
        ):
            yield line.smsid


def _is_proven(found: Priced) -> bool:
    return not any(one.kind in _DOUBTS for one in found.breaks)
