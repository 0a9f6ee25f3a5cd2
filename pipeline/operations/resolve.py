"""Resolve: a person decides what nothing proves. It touches only messages that are still unknown."""

from __future__ import annotations

from pipeline.context import Context
from pipeline.errors import GuardStopped
from pipeline.ledger.batches import get_batch
from pipeline.ledger.dispatches import adopt_in_flight, get_dispatch, resolve_dispatch
from pipeline.ledger.results import settle
from pipeline.model import MessageState


def resolve(context: Context, dispatch_id: str, outcome: MessageState, *, actor: str, because: str) -> int:
    """Record the decision for a dispatch; return how many messages it settled. Results come first."""
    batch = get_batch(context.ledger, get_dispatch(context.ledger, dispatch_id).batch_id)
    with context.campaign_lock(batch.campaign):
        now = context.now()
        adopt_in_flight(context.ledger, batch.campaign, now)
        settle(context.ledger, now)
        dispatch = get_dispatch(context.ledger, dispatch_id)
        if not dispatch.states.get(MessageState.UNKNOWN):
            raise GuardStopped("resolve.nothing", dispatch=dispatch_id)
        return resolve_dispatch(context.ledger, dispatch, outcome, now, actor=actor, because=because)
