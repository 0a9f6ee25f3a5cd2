"""Run: validate, send, pull, reconcile, under the campaign's lock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from pipeline.context import Context
from pipeline.errors import Exit, GatewayRefused, GuardStopped, MediasmsError, OutcomeUnknown, TryLater, worst
from pipeline.ledger.batches import count_states, get_batch
from pipeline.ledger.cancelling import stop_of, waiting_of_batch
from pipeline.ledger.plans import refused_whole
from pipeline.model import Batch, MessageClass, Mode
from pipeline.stages.guards import NOTHING_PERMITTED, Permission, was_cancelled
from pipeline.stages.outlook import Preview
from pipeline.stages.pull import pull
from pipeline.stages.reconcile import Reconciled, reconcile
from pipeline.stages.send import Sent, send
from pipeline.stages.served import unserved_elsewhere
from pipeline.stages.validate import Request, Validated, campaign_held, validate

#: between two pulls while somebody waits
POLL_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: as far as it came, and what stopped it."""

    validated: Validated
    sent: Sent | None
    reconciled: Reconciled
    stopped_by: MediasmsError | None

    @property
    def is_unknown(self) -> bool:
        """Say whether it is still open what the gateway took."""
        return isinstance(self.stopped_by, OutcomeUnknown)

    @property
    def exit(self) -> Exit:
        """Return the exit code of the run: the most severe of what stopped it and what the reconciliation found."""
        return worst([self.stopped_by.exit, self.reconciled.exit]) if self.stopped_by else self.reconciled.exit


def run(  # noqa: PLR0913 - each is a choice of the person who runs it
    context: Context,
    request: Request,
    *,
    permission: Permission = NOTHING_PERMITTED,
    held_back: bool = False,
    before_send: Callable[[Batch], None] | None = None,
    wait: timedelta = timedelta(0),
    after_validate: Callable[[Validated], None] | None = None,
    confirm: Callable[[Preview], bool] | None = None,
    after_send: Callable[[], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Take one input the whole way. A failure after registration still ends in a reconciliation.

    ``held_back`` sends nothing of it, because what was sent before it in the same run has an unknown outcome. Where
    ``before_send`` raises, nothing of it is sent either.
    """
    with campaign_held(context, request) as settled:
        validated = validate(context, settled)
        if after_validate:
            after_validate(validated)
        sent: Sent | None = None
        stopped_by: MediasmsError | None = None
        try:
            if held_back:
                raise GuardStopped("run.held_back", batch=validated.batch.batch_id)
            if before_send:
                before_send(validated.batch)
            sent = send(context, validated.batch, mode=request.mode, permission=permission, confirm=confirm)
        except MediasmsError as error:
            stopped_by = error
    try:
        return _afterwards(context, validated, sent, stopped_by, wait, after_send, sleep)
    except MediasmsError as error:
        if stopped_by is None:
            raise
        # What stopped the sending is what a scheduler must hear, also where the reports could not be written.
        raise stopped_by from error


def _afterwards(  # noqa: PLR0913, PLR0917 - what a run has come to, and how it goes on
    context: Context,
    validated: Validated,
    sent: Sent | None,
    stopped_by: MediasmsError | None,
    wait: timedelta,
    after_send: Callable[[], None] | None,
    sleep: Callable[[float], None],
) -> Outcome:
    """Pull and reconcile, as long as somebody waits for results."""
    if after_send:
        after_send()
    try:
        batch = get_batch(context.ledger, validated.batch.batch_id)
        stopped_by = _pull(context, batch, stopped_by)
        reconciled = reconcile(context, batch)
    except TryLater as error:
        # That the ledger cannot be asked now never hides that an outcome is open.
        raise (stopped_by if isinstance(stopped_by, OutcomeUnknown) else error) from None
    # Of a test message the results of the batch say nothing.
    own = batch.batch_id
    is_of_batch = isinstance(stopped_by, OutcomeUnknown) and stopped_by.facts.get("batch", own) == own
    if is_of_batch and not reconciled.value.classes.get(MessageClass.UNKNOWN):
        stopped_by = _next_reason(context, batch, stopped_by)
    until = context.now() + wait
    while stopped_by is None and _is_open(reconciled) and context.now() < until:
        sleep(min(POLL_SECONDS, (until - context.now()).total_seconds()))
        stopped_by = _pull(context, batch, stopped_by)
        reconciled = reconcile(context, batch)
    stopped_by = stopped_by or unserved_elsewhere(context, batch)
    return Outcome(validated, sent, reconciled, stopped_by)


def _pull(context: Context, batch: Batch, stopped_by: MediasmsError | None) -> MediasmsError | None:
    """Pull what there is; that the results cannot be had now never hides what stopped the sending."""
    if isinstance(stopped_by, TryLater) or not any(count_states(context.ledger, batch.batch_id).values()):
        return stopped_by
    refused = stopped_by is not None and stopped_by.exit is Exit.REFUSED
    if stopped_by is not None and (refused or context.stops_logins(stopped_by.facts.get("code"))):
        return stopped_by
    try:
        pull(context, batch.batch_id)
    except MediasmsError as error:
        return stopped_by or error
    return stopped_by


def _next_reason(context: Context, batch: Batch, settled: MediasmsError | None) -> MediasmsError | None:
    """Return what keeps a batch from being done once results have ``settled`` all of it that was unknown.

    An open outcome comes before whatever else stopped the batch, and must not have hidden it. What only waits to be
    sent is no success either, but there is nothing left of that outcome to decide about.
    """
    if (stop := stop_of(context.ledger, batch.batch_id)) and stop.cancelled:
        return was_cancelled(batch, stop)
    if codes := refused_whole(context.ledger, batch.batch_id):
        # Of several the one that says that nothing may log in: what the others ask for does.
        code = min(codes, key=lambda code: (not context.stops_logins(code), code))
        return GatewayRefused("gateway.refused", **context.refusal(code))
    if not (waiting := waiting_of_batch(context.ledger, batch.batch_id)):
        return None
    if settled and settled.code == "send.unclear_twice":  # it says so itself
        return settled
    return OutcomeUnknown("run.settled", batch=batch.batch_id, waiting=waiting)


def _is_open(reconciled: Reconciled) -> bool:
    return bool(reconciled.value.classes.get(MessageClass.PENDING))


def send_batch(
    context: Context,
    batch_id: str,
    *,
    confirm: Callable[[Preview], bool] | None,
    mode: Mode = Mode.AUTO,
    permission: Permission = NOTHING_PERMITTED,
) -> Sent:
    """Send a registered batch under its campaign's lock, and say so where other batches do not serve its rows."""
    batch = get_batch(context.ledger, batch_id)
    with context.campaign_lock(batch.campaign):
        batch = get_batch(context.ledger, batch_id)
        sent = send(context, batch, mode=mode, permission=permission, confirm=confirm)
    return replace(sent, unserved=unserved_elsewhere(context, batch))
