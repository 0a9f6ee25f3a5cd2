"""Guards before sending: what a person must look at, or has looked at, before anything of a batch goes out."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import pandas as pd

from pipeline.adapters.marks import Mark
from pipeline.context import Context
from pipeline.core.calendar import jst_date, parse_gateway_time
from pipeline.core.digests import Text, template_of
from pipeline.core.forecast import Forecast
from pipeline.errors import GuardStopped, MediasmsError, OutcomeUnknown
from pipeline.ledger.batches import campaign_repeats
from pipeline.ledger.cancelling import Stop
from pipeline.ledger.dispatches import attempts_by_dispatch, dispatch_id, list_dispatches
from pipeline.ledger.gateways import stop_if_other_gateway
from pipeline.ledger.machines import stop_if_elsewhere
from pipeline.ledger.repeats import unclear_repeats
from pipeline.ledger.results import settle
from pipeline.model import Batch, Dispatch, MessageState, NumberCheck
from pipeline.stages.planning import accepted_rows, digests, payload_column, rows_with
from pipeline.stages.refusals import unclear_answer, what_was_heard
from pipeline.stages.repeats import stop_if_repeated

_SCHEDULED = "scheduled"
#: days that a run date may be ahead of the day in Japan: a scheduler may name the next one
_AHEAD = 1
_TEMPLATE = "template_id"


@dataclass(frozen=True, slots=True)
class Late:
    """A person's word that an old batch is still meant to go out, or with ``early`` one of a day to come."""

    actor: str
    because: str
    early: bool = False

    @property
    def kind(self) -> str:
        """Return what it is called where it is recorded."""
        return "early" if self.early else "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What a person permits beforehand: that the same goes out ``again``, or ``late``, and how much it may cost.

    ``max_cost`` is in untaxed yen; None is no limit.
    """

    again: bool = False
    late: Late | None = None
    max_cost: Decimal | None = None


#: nobody has said anything
NOTHING_PERMITTED = Permission()


def check_place(context: Context) -> None:
    """Refuse to send from a place where something else is known, or done, than there was: the first that is wrong."""
    for guard in guards_of_place(context):
        guard()


def guards_of_place(context: Context) -> list[Callable[[], object]]:
    """Return what must hold of the place from which anything is sent: this ledger, this machine, this gateway."""
    url = context.settings.gateway.base_url
    return [
        partial(check_markers, context),
        partial(stop_if_elsewhere, context.ledger),
        partial(stop_if_other_gateway, context.ledger, url),
    ]


def check_markers(context: Context) -> None:
    """Refuse to send when a marker knows of an attempt that the ledger does not: it went back in time."""
    for mark in lost_attempts(context):
        raise GuardStopped("ledger.went_back", dispatch=dispatch_id(mark.batch_id, mark.number))


def lost_attempts(context: Context) -> Iterator[Mark]:
    """Yield the marks of what was begun, but not as far as the ledger knows."""
    # In this order: what another process begins meanwhile stands in the ledger before its marker is there.
    marks = list(context.workspace.begun())
    known = attempts_by_dispatch(context.ledger)
    for mark in marks:
        if known.get((mark.batch_id, mark.number), 0) < mark.attempts:
            yield mark


def stop_if_unsettled(context: Context, batch: Batch) -> None:
    """Stop when the outcome of any message is open; what to decide about is one dispatch, or the batch.

    Before it is called so, what has been recorded is settled: a result may be here before the answer. What the gateway
    answered is said, too: 402, or 606 to a check, name a cause and prove nothing.
    """
    if not _unsettled(context, batch):
        return
    with suppress(MediasmsError):
        settle(context.ledger, context.now())
    if unsettled := _unsettled(context, batch):
        count = sum(one.states.get(MessageState.UNKNOWN, 0) for one in unsettled)
        decide = unsettled[0].dispatch_id if len(unsettled) == 1 else batch.batch_id
        facts = {"batch": batch.batch_id, "messages": count, "dispatch": decide}
        answers = [known for one in unsettled if (known := unclear_answer(context, one))]
        if not answers:
            heard = what_was_heard(context, batch.batch_id)[unsettled[0].dispatch_id]
            raise OutcomeUnknown("send.unknown", heard=heard, **facts)
        # Of several the one that says that nothing may log in: what the others ask for does.
        answer = min(answers, key=lambda known: (not known.stops_logins, known.code))
        is_check = batch.number_check is not NumberCheck.NONE
        facts |= context.refusal(answer.code, batch.batch_id)
        raise OutcomeUnknown("check.answered" if is_check and not answer.stops_logins else "send.answered", **facts)


def _unsettled(context: Context, batch: Batch) -> list[Dispatch]:
    return [one for one in list_dispatches(context.ledger, batch.batch_id) if one.is_unsettled]


def is_off_date(context: Context, batch: Batch, late: Late | None) -> bool:
    """Say whether the run date is older than allowed, or further ahead: no run waits for its date.

    Raises ``GuardStopped`` when nobody said that this is meant.
    """
    limit = context.settings.send.max_age_days
    days = (jst_date(context.now()) - batch.run_date).days
    facts = {"batch": batch.batch_id, "run_date": batch.run_date.isoformat()}
    if days > limit and (late is None or late.early):
        raise GuardStopped("guard.late", **facts, days=days, limit=limit)
    if days < -_AHEAD and not (late and late.early):
        raise GuardStopped("guard.early", **facts, days=-days)
    return not -_AHEAD <= days <= limit


def stop_if_dear(batch: Batch, expected: Forecast, limit: Decimal) -> None:
    """Stop when the messages may cost more than ``limit`` untaxed yen, or when nobody knows what some of them cost."""
    if expected.unmeasured:
        raise GuardStopped("guard.unmeasured", batch=batch.batch_id, count=expected.unmeasured, limit=limit)
    if expected.unpriced:
        raise GuardStopped("guard.unpriced", batch=batch.batch_id, count=expected.unpriced, limit=limit)
    if expected.cost.highest > limit:
        raise GuardStopped("guard.max_cost", batch=batch.batch_id, highest=expected.cost.highest, limit=limit)


def stop_if_template_corrected(context: Context, batch: Batch, waiting: Container[str]) -> None:
    """Stop when the campaign has a message for the same number by the same template, in which other tags were known.

    Where a number may get several texts, the values of the tags tell them apart. Once the tags are corrected, nobody
    knows whether these two are one: then this one does not go out in this campaign, whatever was decided (``--again``).
    """
    if not campaign_repeats(context.ledger, batch.campaign) or batch.number_check is NumberCheck.ONLY:
        return
    found: set[Text] = set()
    for chunk in accepted_rows(context, batch):
        if _TEMPLATE not in chunk.columns:
            return  # nor in the next: they are of one file
        rows = rows_with(chunk, waiting)
        rows = rows[rows[_TEMPLATE] != ""]
        found |= unclear_repeats(context.ledger, batch, list(zip(rows["msisdn"].tolist(), digests(rows), strict=True)))
    if found:
        templates = ", ".join(sorted({template_of(digest) for _, digest in found}, key=int))
        facts = {"count": len(found), "templates": templates, "campaign": batch.campaign}
        raise GuardStopped("guard.template_corrected", batch=batch.batch_id, **facts)


def guards_of(
    context: Context, batch: Batch, waiting: Container[str], permission: Permission
) -> list[Callable[[], object]]:
    """Return what a batch must pass before anything ``waiting`` of it leaves, in order, but for its cost.

    Sending asks one after the other, and a rehearsal asks all.
    """

    def on_time() -> None:
        stop_if_time_passed(context, batch, (rows_with(chunk, waiting) for chunk in accepted_rows(context, batch)))

    guards: list[Callable[[], object]] = [
        on_time,
        partial(is_off_date, context, batch, permission.late),
        partial(stop_if_template_corrected, context, batch, waiting),
    ]
    return guards if permission.again else [*guards, partial(stop_if_repeated, context, batch, waiting)]


def was_cancelled(batch: Batch, stop: Stop) -> GuardStopped:
    """Return the failure that says who has stopped a batch."""
    when = f"{stop.at:%Y-%m-%d %H:%M}"
    return GuardStopped("send.cancelled", batch=batch.batch_id, actor=stop.actor, at=when, messages=stop.cancelled)


def stop_if_time_passed(context: Context, batch: Batch, chunks: Iterable[pd.DataFrame]) -> None:
    """Stop when the time for which any of these accepted rows is scheduled has passed."""
    now, form = context.now(), context.profile.results.registered_time_format.value
    passed = 0
    for chunk in chunks:
        if _SCHEDULED not in chunk.columns:
            return  # nor in the next: they are of one file, which then need not be read
        passed += sum(has_passed(cell, form, now) for cell in chunk[_SCHEDULED].tolist())
    if passed:
        raise GuardStopped("guard.scheduled_passed", batch=batch.batch_id, count=passed)


def stop_if_payload_passed(context: Context, batch: Batch, payload: Path) -> None:
    """Ask the same of one upload just before it begins: the uploads before it may have taken hours.

    Only where the profile sends scheduled times at all: reading every payload once more is not free.
    """
    column = context.profile.layout.by_field.get(_SCHEDULED)
    if column is None or column.confirmed is False:
        return
    stop_if_time_passed(context, batch, [payload_column(context, payload, _SCHEDULED)])


def has_passed(cell: str, form: str, now: datetime) -> bool:
    """Say whether a cell is a time, and one that has passed."""
    moment = parse_gateway_time(cell, form)
    return moment is not None and moment <= now
