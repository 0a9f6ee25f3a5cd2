"""Dry run: what running an input or sending a batch would do and cost. Nothing is planned, and nothing leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.context import Context
from pipeline.errors import Exit, MediasmsError
from pipeline.ledger.batches import get_batch
from pipeline.model import Batch, Mode
from pipeline.operations.next_step import Step, next_step
from pipeline.stages.guards import NOTHING_PERMITTED, Permission
from pipeline.stages.rehearse import Rehearsed, rehearse
from pipeline.stages.served import unserved_elsewhere
from pipeline.stages.validate import Request, Validated, campaign_held, validate


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would happen; ``stopped_by`` is in the order in which it would: the first is how a real run would end.

    ``validated`` is None where a batch was named. ``step`` is what takes the batch further.
    """

    batch: Batch
    validated: Validated | None
    rehearsed: Rehearsed
    stopped_by: tuple[MediasmsError, ...]
    step: Step | None

    @property
    def exit(self) -> Exit:
        """Return the exit code that a real run would begin with: of results that are still to come it knows nothing."""
        if self.stopped_by:
            return self.stopped_by[0].exit
        findings = self.rehearsed.opted_out or (self.validated and self.batch.totals.rejected)
        return Exit.FINDINGS if findings else Exit.DONE


def dry_run(
    context: Context,
    request: Request,
    *,
    permission: Permission = NOTHING_PERMITTED,
    after_validate: Callable[[Validated], None] | None = None,
) -> DryRun:
    """Validate an input, which registers it, and rehearse sending it."""
    with campaign_held(context, request) as settled:
        validated = validate(context, settled)
        if after_validate:
            after_validate(validated)
        rehearsed = rehearse(context, validated.batch, mode=request.mode, permission=permission)
    return _dry(context, validated.batch, validated, rehearsed)


def dry_send(
    context: Context, batch_id: str, *, mode: Mode = Mode.AUTO, permission: Permission = NOTHING_PERMITTED
) -> DryRun:
    """Rehearse sending a registered batch under its campaign's lock."""
    batch = get_batch(context.ledger, batch_id)
    with context.campaign_lock(batch.campaign):
        batch = get_batch(context.ledger, batch_id)
        rehearsed = rehearse(context, batch, mode=mode, permission=permission)
    return _dry(context, batch, None, rehearsed)


def _dry(context: Context, batch: Batch, validated: Validated | None, rehearsed: Rehearsed) -> DryRun:
    """Add to a rehearsal what is said after sending: which rows other batches do not serve."""
    elsewhere = unserved_elsewhere(context, batch)
    stopped_by = (*rehearsed.stopped_by, *([elsewhere] if elsewhere else []))
    return DryRun(batch, validated, rehearsed, stopped_by, next_step(context, batch))
