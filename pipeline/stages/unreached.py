"""Unreached: the people whom a campaign has not reached, by evidence and not by its absence.

A message did not arrive if its latest final result says so, or if the gateway refused its row, and no other message
stands for it. Whoever is pending, missing or unknown is none of them; nor is he whose message, or another one of its
key, a person wanted the gateway to cancel, whatever came of that, or of which any result says that it was cancelled,
that it arrived, in part or whole, that the gateway is trying again, that he does not want to be written to, or that the
number is somebody else's by now. A wish counts, too, in another campaign that was made for the same people.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.context import Context
from pipeline.core.arrival import may_have_arrived
from pipeline.core.evidence import Evidence
from pipeline.core.statuses import StatusMeaning
from pipeline.errors import UsageError
from pipeline.ledger.batches import list_batches, made_from, origins
from pipeline.ledger.cancellations import unwanted_elsewhere, wanted_cancelled
from pipeline.ledger.evidence import batch_evidence
from pipeline.ledger.replacing import refused_rows, replaced_rows, shared_keys
from pipeline.model import Batch, BreakKind, MessageClass, NumberCheck, StatusClass
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
    refused, no_more = refused_rows(context.ledger, campaign), replaced_rows(context.ledger, campaign)
    failed: dict[str, set[str]] = {}
    served: set[str] = set()
    for batch in campaign_batches(context, campaign):
        failed[batch.batch_id], others = _read(context, batch, refused)
        served |= others
    no_more |= served
    for one, other in shared_keys(context.ledger, campaign):
        no_more |= {one, other} if one in served or other in served else set()
    no_more |= unwanted_elsewhere(context.ledger, campaign, _related(context, campaign, failed))
    return {batch_id: left for batch_id, smsids in failed.items() if (left := smsids - no_more)}


def _related(context: Context, campaign: str, batches: Iterable[str]) -> set[str]:
    """Return the other campaigns for the same people: those its ``batches`` were made from, and all made from these."""
    from_ = {name for batch_id in batches for name in origins(context.ledger, batch_id)}
    return (from_ | made_from(context.ledger, from_ | {campaign})) - {campaign}


def unreached_of(context: Context, campaigns: AbstractSet[str]) -> set[str]:
    """Return the smsids of all messages of these campaigns that did not arrive."""
    return {smsid for campaign in campaigns for smsids in unreached(context, campaign).values() for smsid in smsids}


def _read(context: Context, batch: Batch, refused: AbstractSet[str]) -> tuple[set[str], set[str]]:
    """Return those messages of a batch that failed, and those to whose numbers nothing more is to go by any result."""
    if batch.number_check is NumberCheck.ONLY:
        return set(), set()  # nothing of it was to reach anybody
    now = context.now()
    # No time in which results of nobody's message would be read: what names no message proves nothing about one.
    evidence = batch_evidence(context.ledger, batch, now, now)
    found = judged(context, evidence)
    doubtful = {one.smsid for one in found.breaks if one.kind in _DOUBTS}
    failed = {
        line.smsid
        for line in found.lines
        if (line.message_class is MessageClass.REFUSED and line.smsid in refused)
        or (line.message_class is MessageClass.FAILED and line.smsid not in doubtful)
    }
    messages, about = evidence.messages["smsid"], found.matches.message_of
    arrived = may_have_arrived(evidence.observations, about, context.statuses, len(messages))
    cancelled = {line.smsid for line in found.lines if line.message_class is MessageClass.CANCELLED}
    reached = set(messages.take(pa.array(arrived)).to_pylist())
    return failed, reached | cancelled | _no_more(context, batch, evidence)


def _no_more(context: Context, batch: Batch, evidence: Evidence) -> set[str]:
    """Return the smsids of messages that somebody wanted cancelled, or of which any result says the like.

    Any result, and not only the latest: what was cancelled may be said to have failed, and was not wanted all the same;
    so may a text after a verdict that its number is another person's.
    """
    labels = {status.name for status in context.profile.status if status.opted_out}
    seen = evidence.observations.select(["smsid", "status"])
    said = [
        status
        for status in pc.unique(seen["status"]).to_pylist()
        if (meaning := context.statuses.look_up(status))
        and (meaning.label in labels or meaning.means is StatusClass.CANCELLED or _is_another_person(meaning))
    ]
    told = seen.filter(pc.is_in(seen["status"], value_set=pa.array(said, pa.string())))["smsid"].to_pylist()
    return {*told, *wanted_cancelled(context.ledger, batch.batch_id)}


def _is_another_person(meaning: StatusMeaning) -> bool:
    """Say whether a status is a verdict after which no text may go to the number."""
    return meaning.means is StatusClass.VERDICT and not meaning.then_sent
