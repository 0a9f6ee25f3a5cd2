"""What is left to do for a batch: said from what the ledger knows and the reports that lie there, never guessed."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pipeline.context import Context
from pipeline.core.calendar import stamp
from pipeline.core.statuses import may_change
from pipeline.ledger.batches import count_states
from pipeline.ledger.cancelling import stop_of
from pipeline.ledger.plans import free_messages
from pipeline.ledger.results import last_waiting, observed_statuses
from pipeline.model import Batch, MessageState


class Step(StrEnum):
    """The command that takes a batch further."""

    SEND = "send"
    PULL = "pull"
    RECONCILE = "reconcile"


def next_step(context: Context, batch: Batch) -> Step | None:
    """Return what comes next for a registered batch; None when nothing is left to do."""
    if not batch.totals.accepted:
        return None
    states = count_states(context.ledger, batch.batch_id)
    if states.get(MessageState.UNKNOWN):
        return Step.PULL
    # What a process that died left in flight is looked at by the next one that sends.
    to_send = states.keys() & {MessageState.PLANNED, MessageState.IN_FLIGHT}
    unsent = batch.planned_at is None or to_send or free_messages(context.ledger, batch)
    if unsent and stop_of(context.ledger, batch.batch_id) is None:
        return Step.SEND
    if batch.planned_at is None:
        return None
    return _after_sending(context, batch)


def _after_sending(context: Context, batch: Batch) -> Step | None:
    """Results are pulled until the last one is final or overdue; then the batch is reconciled once more."""
    seen = observed_statuses(context.ledger, batch.batch_id)
    table = context.statuses
    final = [status for status in seen if not may_change(table.look_up(status), batch.number_check)]
    changes = list(seen.values())
    if (waiting := last_waiting(context.ledger, batch.batch_id, final)) is not None:
        deadline = waiting + timedelta(days=context.settings.results.deadline_days)
        if context.now() <= deadline:
            return Step.PULL
        changes.append(deadline)
    folder = context.workspace.batch_folder(batch.batch_id)
    reconciled = max((path.name for path in folder.glob("reconciliation-*.json")), default="")
    last = f"reconciliation-{stamp(max(changes))}" if changes else "reconciliation-"
    return Step.RECONCILE if reconciled < last else None
