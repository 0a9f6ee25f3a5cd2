"""Served: the rows of a batch that count as served by other batches of its campaign. Are they?"""

from __future__ import annotations

from pipeline.adapters.csv_in import read_chunks
from pipeline.context import Context
from pipeline.errors import GuardStopped, MediasmsError, OutcomeUnknown
from pipeline.ledger.batches import waiting_elsewhere
from pipeline.ledger.optouts import opted_out
from pipeline.ledger.replacing import unserved_messages
from pipeline.model import Batch, MessageState, NumberCheck

_CHUNK = 50_000
#: so many rows are named; already.csv has all
_SHOWN = 5


def unserved_elsewhere(context: Context, batch: Batch) -> MediasmsError | None:
    """Say so when rows count as served by a batch that was not sent, is unknown, or serves them no more.

    That is no success: without this nobody would write to these people, and nobody would know.
    """
    if not batch.totals.already:
        return None
    checks = batch.number_check is NumberCheck.ONLY
    waiting = waiting_elsewhere(context.ledger, batch.campaign, but_batch=batch.batch_id, checks=checks)
    for other, states in waiting.items():
        count = sum(states.values())
        if set(states) == {MessageState.PLANNED}:
            return GuardStopped("run.waiting_planned", batch=other, count=count)
        return OutcomeUnknown("run.waiting_unknown", batch=other, count=count)
    try:
        return _abandoned(context, batch)
    except GuardStopped as error:  # the file that would say which rows was changed or lost
        return error


def _abandoned(context: Context, batch: Batch) -> MediasmsError | None:
    """Compare the messages that served the batch's rows with those of the campaign that are still meant to."""
    unserved = unserved_messages(context.ledger, batch.campaign)
    out = opted_out(context.ledger, [msisdn for _, msisdn in unserved.values()])
    others = {smsid: other for smsid, (other, msisdn) in unserved.items() if msisdn not in out}
    if not others:
        return None
    path = context.workspace.checked(batch.batch_id, batch.artefact("already.csv"))
    rows = {
        row: others[smsid]
        for table in read_chunks(path, _CHUNK, {})
        for row, smsid in zip(*(table[name].to_pylist() for name in ("row_number", "smsid")), strict=True)
        if smsid in others
    }
    if not rows:
        return None
    shown = ", ".join(list(rows)[:_SHOWN]) + (" …" if len(rows) > _SHOWN else "")
    facts = {"count": len(rows), "rows": shown, "other": next(iter(rows.values())), "campaign": batch.campaign}
    return GuardStopped("run.unserved", batch=batch.batch_id, file=batch.source_name, **facts)
