"""Status: where every batch stands, what is unknown and since when, and what comes next. It changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.context import Context
from pipeline.ledger.batches import count_states
from pipeline.ledger.cancellations import count_cancellations
from pipeline.ledger.cancelling import Stop, stop_of
from pipeline.ledger.dispatches import list_dispatches
from pipeline.model import Batch, CancelOutcome, Dispatch, MessageState
from pipeline.operations.next_step import Step, next_step
from pipeline.stages.refusals import Refusal, explained, refusals, unclear_answer, what_was_heard


@dataclass(frozen=True, slots=True)
class Open:
    """A dispatch whose outcome is open: how many messages, since when, and until when results may still name them.

    ``overdue``: that time is over. No result settles them any more; a person looks them up and decides. ``answer``:
    what the gateway said to it, where that is a documented answer that proves nothing; ``heard``: what is recorded of
    whatever it said, in words.
    """

    dispatch_id: str
    messages: int
    since: datetime
    until: datetime
    overdue: bool
    heard: str
    answer: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a batch stands. ``in_flight`` is being sent, or was left so by a process that died.

    ``cancellations`` counts what the gateway was asked to cancel, by what it answered last, ``refusals`` what it has
    refused, by its code.
    """

    batch: Batch
    states: Mapping[MessageState, int]
    dispatches: tuple[Dispatch, ...]
    unknown: tuple[Open, ...]
    stop: Stop | None
    step: Step | None
    cancellations: Mapping[CancelOutcome, int]
    refusals: tuple[Refusal, ...]

    @property
    def in_flight(self) -> int:
        """Number of messages in flight."""
        return self.states.get(MessageState.IN_FLIGHT, 0)

    @property
    def is_done(self) -> bool:
        """Say whether nothing is left to do and nothing is open."""
        return self.step is None and not self.unknown and not self.in_flight


def standing(context: Context, batch: Batch) -> Standing:
    """Say where a batch stands."""
    dispatches = tuple(list_dispatches(context.ledger, batch.batch_id))
    states = count_states(context.ledger, batch.batch_id)
    unknown: tuple[Open, ...] = ()
    if MessageState.UNKNOWN in states:
        heard = what_was_heard(context, batch.batch_id)
        unknown = tuple(
            _open(context, batch, one, count, heard[one.dispatch_id])
            for one in dispatches
            if (count := one.states.get(MessageState.UNKNOWN, 0))
        )
    stop = stop_of(context.ledger, batch.batch_id)
    asked = count_cancellations(context.ledger, batch.batch_id)
    refused = refusals(context, batch.batch_id) if MessageState.REFUSED in states else ()
    return Standing(batch, states, dispatches, unknown, stop, next_step(context, batch), asked, refused)


def _open(context: Context, batch: Batch, dispatch: Dispatch, count: int, heard: str) -> Open:
    # The end of the upload, where somebody saw it; else its beginning.
    since = dispatch.ended_at or dispatch.begun_at or batch.registered_at
    until = since + timedelta(hours=context.settings.results.settle_after_hours)
    known = unclear_answer(context, dispatch)
    answer = explained(context, batch.batch_id, known.code, count) if known else None
    return Open(dispatch.dispatch_id, count, since, until, overdue=context.now() > until, heard=heard, answer=answer)
