"""Rehearse: everything that sending a batch would ask, answered without a plan, a login or a byte to the gateway.

Nothing is written, in the ledger or beside it: sending decides again, under the same lock and by then known facts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pipeline.adapters.pace import step_of
from pipeline.context import Context
from pipeline.core.forecast import Forecast
from pipeline.errors import MediasmsError
from pipeline.ledger.batches import count_opted_out
from pipeline.ledger.cancelling import stop_of
from pipeline.ledger.plans import free_messages
from pipeline.model import Batch, Mode
from pipeline.stages.guards import (
    NOTHING_PERMITTED,
    Permission,
    guards_of,
    guards_of_place,
    stop_if_dear,
    stop_if_unsettled,
    was_cancelled,
)
from pipeline.stages.login import stop_after_failed_logins
from pipeline.stages.outlook import about_to_go, preview, wanted
from pipeline.stages.planning import mode_of, stop_if_unplannable

_Guard = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would go out, and everything that would stop it, in the order in which sending would find it.

    ``mode`` is how it would go out, ``seconds`` how long single sends would take at least, by the pace alone; None for
    uploads. ``opted_out`` counts messages that are cancelled or would be, because their recipients have opted out.
    """

    mode: Mode
    seconds: int | None
    forecast: Forecast
    opted_out: int
    stopped_by: tuple[MediasmsError, ...]


def rehearse(
    context: Context, batch: Batch, *, mode: Mode = Mode.AUTO, permission: Permission = NOTHING_PERMITTED
) -> Rehearsed:
    """Say what sending a batch would do now in a ``mode``; the caller holds the campaign lock.

    The gateway's address and password are not asked for: like validation, this needs neither.
    """
    willing = wanted(context, batch)
    waiting = about_to_go(context, batch, free_messages(context.ledger, batch))
    opted_out = count_opted_out(context.ledger, batch.batch_id)
    opted_out += len(waiting - willing) if batch.planned_at else batch.totals.accepted - len(willing)
    waiting &= willing
    expected = preview(context, batch, waiting).forecast
    stop = stop_of(context.ledger, batch.batch_id)
    going = mode_of(context, batch, Mode.AUTO if batch.planned_at else mode)

    def cancelled() -> None:
        if stop and (stop.cancelled or waiting or batch.planned_at is None):
            raise was_cancelled(batch, stop)

    always = guards_of_place(context)
    always += [partial(mode_of, context, batch, mode), partial(stop_if_unsettled, context, batch), cancelled]
    sending = guards_of(context, batch, waiting, permission)
    if permission.max_cost is not None:
        sending.append(partial(stop_if_dear, batch, expected, permission.max_cost))
    if batch.planned_at is None:
        sending.append(partial(stop_if_unplannable, context, batch, going))
    sending.append(partial(stop_after_failed_logins, context))
    asked = [*always, *sending] if waiting else always
    stopped_by = tuple(error for guard in asked if (error := _stopped(guard)))
    return Rehearsed(going, _seconds(context, going, expected.messages), expected, opted_out, stopped_by)


def _seconds(context: Context, mode: Mode, messages: int) -> int | None:
    """Return how many seconds single sends take at least: each waits for a turn."""
    step = step_of(context.profile.limits.requests_per_second.value)
    return math.ceil(messages * step) if mode is Mode.SINGLE else None


def _stopped(guard: _Guard) -> MediasmsError | None:
    try:
        guard()
    except MediasmsError as error:
        return error
    return None
