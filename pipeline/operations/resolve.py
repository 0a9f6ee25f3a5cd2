"""Resolve: a person decides what nothing proves. It touches only messages that are still unknown."""

from __future__ import annotations

from pipeline.context import Context
from pipeline.errors import GuardStopped
from pipeline.ledger.batches import find_batch, get_batch
from pipeline.ledger.dispatches import adopt_in_flight, get_dispatch, list_dispatches, resolve_dispatch
from pipeline.ledger.results import settle
from pipeline.model import MessageState


def resolve(context: Context, wanted: str, outcome: MessageState, *, actor: str, because: str) -> int:
    """Record the decision for a dispatch, or for all that is unknown of a batch; return how many messages it settled.

    Results come first.
    """
    batch = find_batch(context.ledger, wanted)
    whole = batch is not None
    if batch is None:
        batch = get_batch(context.ledger, get_dispatch(context.ledger, wanted).batch_id)
    with context.campaign_lock(batch.campaign):
        now = context.now()
        adopt_in_flight(context.ledger, batch.campaign, now)
        settle(context.ledger, now)
        listed = list_dispatches(context.ledger, batch.batch_id) if whole else [get_dispatch(context.ledger, wanted)]
        unknown = [one for one in listed if one.states.get(MessageState.UNKNOWN)]
        if not unknown:
            raise GuardStopped("resolve.nothing", dispatch=wanted)
        return sum(resolve_dispatch(context.ledger, one, outcome, now, actor=actor, because=because) for one in unknown)
