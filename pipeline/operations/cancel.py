"""Cancel: a person stops what has not left yet. It needs no lock: whoever sends asks before each dispatch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.context import Context
from pipeline.errors import GuardStopped, UsageError
from pipeline.ledger.batches import count_states, find_batch
from pipeline.ledger.cancelling import cancel_messages, states_of, stop_batch, waiting_of_batch
from pipeline.model import MessageState


@dataclass(frozen=True, slots=True)
class Cancellable:
    """What was named: ``batches``, single messages by ``smsids``, and how many of all of these still wait.

    Of a batch that is not planned yet, every accepted row does.
    """

    batches: tuple[str, ...]
    smsids: tuple[str, ...]
    waiting: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    """How many messages were cancelled; what was not touched, by state; ``late`` of those were named one by one."""

    messages: int
    late: int
    untouched: Mapping[MessageState, int]


def look_up(context: Context, names: Sequence[str]) -> Cancellable:
    """Say what ``names`` are, batches or messages. One that is neither is named by its position: it may be a number."""
    distinct = tuple(dict.fromkeys(names))
    found = {name: batch for name in distinct if (batch := find_batch(context.ledger, name))}
    batches = tuple(found)
    smsids = tuple(name for name in distinct if name not in batches)
    known = states_of(context.ledger, smsids)
    if unknown := [name for name in smsids if name not in known]:
        raise UsageError("cancel.unknown", position=names.index(unknown[0]) + 1)
    waiting = sum(
        waiting_of_batch(context.ledger, name) if batch.planned_at else batch.totals.accepted
        for name, batch in found.items()
    )
    return Cancellable(batches, smsids, waiting + sum(waits for _, waits in known.values()))


def cancel(context: Context, wanted: Cancellable, *, actor: str) -> Cancelled:
    """Cancel what waits. Raises ``GuardStopped`` (``cancel.nothing``) when nothing could be kept from leaving."""
    now = context.now()
    can_stop = [batch for batch in wanted.batches if _can_stop(context, batch)]
    messages = sum(stop_batch(context.ledger, batch, now, actor=actor) for batch in can_stop)
    messages += cancel_messages(context.ledger, wanted.smsids, now, actor=actor)
    untouched: Counter[MessageState] = Counter()
    for batch in wanted.batches:
        untouched.update(count_states(context.ledger, batch))
    single = Counter(state for state, _ in states_of(context.ledger, wanted.smsids).values())
    untouched += single
    del untouched[MessageState.CANCELLED]
    if not messages and not can_stop:
        raise GuardStopped("cancel.nothing", states=", ".join(f"{n} {state}" for state, n in untouched.items()) or "-")
    return Cancelled(messages, single.total() - single[MessageState.CANCELLED], untouched)


def _can_stop(context: Context, batch_id: str) -> bool:
    """Say whether anything of a batch can still be kept from leaving: what is in flight may come back unsent."""
    batch = find_batch(context.ledger, batch_id)
    in_flight = count_states(context.ledger, batch_id).get(MessageState.IN_FLIGHT, 0)
    unplanned = batch is not None and batch.planned_at is None
    return unplanned or bool(in_flight or waiting_of_batch(context.ledger, batch_id))
