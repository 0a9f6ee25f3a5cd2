"""The commands by which a person looks and decides: status, cancel, resolve."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from pipeline.cli.asking import confirmed
from pipeline.cli.main import Session, common
from pipeline.cli.output import actor, answer_document, failure_document, must_be_reason
from pipeline.cli.showing import refusals_document
from pipeline.cli.spelling import completed
from pipeline.errors import Exit, GuardStopped
from pipeline.messages import label

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.operations.cancel import Cancelled, Named
    from pipeline.operations.status import Open, Standing
    from pipeline.stages.refusals import Refusal

#: so many batches with something unknown are shown, and so many others: it must fit on a screen
_UNKNOWN, _OTHERS = 10, 10
#: so many unknown uploads of a batch are shown with what to type, where no batch is named
_UPLOADS = 3
#: so many dispatches of a batch are listed; ``--json`` has them all
_DISPATCHES = 100
#: so many messages are named for each outcome of a cancellation; ``--json`` has them all
_SMSIDS = 5


@click.command("status")
@click.argument("batch", required=False)
@common
def status_command(session: Session, *, batch: str | None) -> Exit:
    """Show batches, or the dispatches of one: what is unknown, since when, and what to type next."""
    from pipeline.ledger.batches import get_batch, list_batches
    from pipeline.ledger.machines import elsewhere
    from pipeline.operations.status import standing

    output = session.output
    with session.context() as context:
        batches = [get_batch(context.ledger, batch)] if batch else list_batches(context.ledger)
        found = [standing(context, one) for one in batches]
        hours = context.settings.results.settle_after_hours
        away = elsewhere(context.ledger)
    if away:
        output.urge("status.elsewhere", what=away.what(output.language))
    unclear = [one for one in found if one.unknown]
    others = [one for one in found if not one.unknown]
    if batch is None:
        _show_all(session, unclear, others, hours)
    else:
        for one in found:
            _show_standing(session, one, hours=hours, whole=True)
        _show_unknown(session, unclear)
    if not found:
        output.say("status.none")
    output.document({"batches": [_document(one) for one in found], "exit": 0})
    return Exit.DONE


def _show_all(session: Session, unclear: list[Standing], others: list[Standing], hours: int) -> None:
    """Print on one screen what is unknown, in all, and of the others those that a person has most to do with."""
    for one in unclear[:_UNKNOWN]:
        _show_standing(session, one, hours=hours, whole=False)
    if len(unclear) > _UNKNOWN:
        session.output.say("status.more_unknown", count=len(unclear) - _UNKNOWN)
    _show_unknown(session, unclear)
    # The latest of those that are open, and of the rest; they stand in the order in which they came.
    ranked = sorted(enumerate(others), key=lambda each: (not each[1].in_flight, each[1].is_done, -each[0]))
    for _, one in sorted(ranked[:_OTHERS], key=lambda each: each[0]):
        _show_standing(session, one, hours=hours, whole=False)
    if hidden := ranked[_OTHERS:]:
        left = sum(not one.is_done for _, one in hidden)
        session.output.say("status.hidden", count=len(hidden), open=left)


def _show_unknown(session: Session, unclear: list[Standing]) -> None:
    """Print how much is unknown in all."""
    uploads = [open_ for one in unclear for open_ in one.unknown]
    if uploads:
        since = _clock(min(open_.since for open_ in uploads))
        count = sum(open_.messages for open_ in uploads)
        session.output.say("status.unknown", count=count, dispatches=len(uploads), since=since)


def _clock(moment: datetime) -> str:
    from pipeline.core.calendar import JST

    return f"{moment.astimezone(JST):%Y-%m-%d %H:%M}"


def _show_standing(session: Session, one: Standing, *, hours: int, whole: bool) -> None:
    """Print a batch; its dispatches if it is ``whole`` that is asked for; and what is open, with what to type."""
    from pipeline.reports.wording import named_counts, outcome_name, state_counts

    say, batch, language = session.output.say, one.batch, session.output.language
    states = state_counts(dict(sorted(one.states.items())), language)
    if not one.states and batch.totals.accepted:
        states = label("status.not_planned", language, count=batch.totals.accepted)
    say("status.batch", batch=batch.batch_id, campaign=batch.campaign, run_date=batch.run_date, states=states)
    if whole:
        # Of single sends there are as many as messages: what is open comes first, and stays in its order.
        for dispatch in sorted(one.dispatches, key=lambda found: not found.is_unsettled)[:_DISPATCHES]:
            since = _clock(dispatch.begun_at) if dispatch.begun_at else "-"
            states = state_counts(dispatch.states, language)
            say("status.dispatch", dispatch=dispatch.dispatch_id, states=states, since=since)
        if len(one.dispatches) > _DISPATCHES:
            say("status.more_dispatches", count=len(one.dispatches) - _DISPATCHES)
    if one.stop:
        say("status.stopped", actor=one.stop.actor, at=_clock(one.stop.at), count=one.stop.cancelled)
    if one.cancellations:
        asked = [(outcome_name(outcome, language), count) for outcome, count in one.cancellations.items()]
        say("status.cancellations", counts=named_counts(asked, language))
    for each in one.refusals:
        say("status.refused", count=each.messages, code=each.code, meaning=each.meaning)
    if one.in_flight:
        say("status.in_flight", count=one.in_flight, send=session.command("send", batch.batch_id))
    _show_opens(session, one, hours=hours, whole=whole)
    if one.step and not one.unknown and not one.in_flight:
        say("status.next", command=session.command(one.step, batch.batch_id))


def _show_opens(session: Session, one: Standing, *, hours: int, whole: bool) -> None:
    """Print what is unknown of a batch; not all of many uploads, unless it is ``whole`` that is asked for."""
    batch_id = one.batch.batch_id
    shown = one.unknown if whole else one.unknown[:_UPLOADS]
    for open_ in shown:
        _show_open(session, open_, batch_id, hours)
    if hidden := len(one.unknown) - len(shown):
        session.output.say("status.more_uploads", count=hidden, status=session.command("status", batch_id))


def _show_open(session: Session, open_: Open, batch_id: str, hours: int) -> None:
    """Print what is unknown, what the gateway said to it, and what to type."""
    facts: dict[str, object] = {
        "dispatch": open_.dispatch_id,
        "count": open_.messages,
        "since": _clock(open_.since),
        "until": _clock(open_.until),
        "hours": hours,
        "pull": session.command("pull", batch_id),
        "heard": open_.heard,
    }
    if answer := open_.answer:
        step = completed(answer.step, session.output.config)
        session.output.say("status.answered", code=answer.code, meaning=answer.meaning, step=step, **facts)
    else:
        session.output.say("status.overdue" if open_.overdue else "status.unsettled", **facts)
    session.output.say("status.decide", resolve=session.command("resolve", open_.dispatch_id))


def _document(one: Standing) -> dict[str, object]:
    return {
        "batch_id": one.batch.batch_id,
        "campaign": one.batch.campaign,
        "run_date": one.batch.run_date.isoformat(),
        "accepted": one.batch.totals.accepted,
        "states": {state.value: count for state, count in sorted(one.states.items())},
        "dispatches": {
            dispatch.dispatch_id: {state.value: count for state, count in dispatch.states.items()}
            for dispatch in one.dispatches
        },
        "unknown": [
            {
                "dispatch": open_.dispatch_id,
                "messages": open_.messages,
                "since": open_.since.isoformat(),
                "overdue": open_.overdue,
                "answer": _answer(open_.answer),
                "heard": open_.heard,
            }
            for open_ in one.unknown
        ],
        "stopped": {"actor": one.stop.actor, "at": one.stop.at.isoformat()} if one.stop else None,
        "cancellations": {outcome.value: count for outcome, count in one.cancellations.items()},
        "refusals": refusals_document(one.refusals),
        "next": one.step,
    }


def _answer(answer: Refusal | None) -> dict[str, object] | None:
    return None if answer is None else answer_document(answer.code, answer.meaning, answer.step)


@click.command("resolve")
@click.argument("dispatch", metavar="DISPATCH|BATCH")
@click.option("--as", "outcome", type=click.Choice(["taken", "refused"]), required=True)
@click.option("--because", required=True, help="Why you know.")
@common
def resolve_command(session: Session, *, dispatch: str, outcome: str, because: str) -> Exit:
    """Decide about the messages of a dispatch, or of a batch, that are still unknown."""
    from pipeline.model import MessageState
    from pipeline.operations.resolve import resolve

    must_be_reason(because)
    with session.context() as context:
        count = resolve(context, dispatch, MessageState(outcome), actor=actor(os.environ), because=because)
    language = session.output.language
    # What was typed is shown as it was typed, with its word where that is another one.
    if (shown := label(f"state.{outcome}", language)) != outcome:
        shown = label("trace.labelled", language, name=shown, label=outcome)
    session.output.say("resolve.done", count=count, outcome=shown)
    session.output.document({"dispatch": dispatch, "resolved": count, "outcome": outcome, "exit": 0})
    return Exit.DONE


@click.command("cancel")
@click.argument("names", metavar="BATCH|SMSID...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def cancel_command(session: Session, *, names: tuple[str, ...], yes: bool) -> Exit:
    """Cancel what has not left, and ask the gateway to cancel what has. A batch stays cancelled."""
    from pipeline.operations.cancel import cancel, look_up

    output = session.output
    with session.context() as context:
        wanted = look_up(context, names)
        counts = {"waiting": wanted.waiting, "there": wanted.there}
        asks = not yes and sys.stdin.isatty()
        if asks and not confirmed(label("ask.cancel", output.language, **counts)):
            raise GuardStopped("cancel.not_confirmed")
        done = cancel(context, wanted, actor=actor(os.environ))
    _show_cancelled(session, wanted, done)
    if done.problem:
        output.failure(done.problem)
    output.document(_cancelled_document(wanted, done))
    return done.exit


def _show_cancelled(session: Session, wanted: Named, done: Cancelled) -> None:
    """Print what does not leave any more, and what the gateway said of the others, with the first few of each."""
    from pipeline.reports.wording import state_counts

    say, language = session.output.say, session.output.language
    if done.messages or (not wanted.batches and not done.outcomes):
        say("cancel.done", count=done.messages)
    for batch in done.stopped:
        say("cancel.stopped", batch=batch)
    if done.outcomes:
        say("cancel.asked", count=len(done.outcomes))
    for name, smsids in _by_outcome(done).items():
        shown = ", ".join(map(_shown, smsids[:_SMSIDS]))
        if len(smsids) > _SMSIDS:
            shown = label("cancel.more", language, smsids=shown)
        outcome = label(f"cancel.outcome.{name}", language)
        say("cancel.outcome", count=len(smsids), outcome=outcome, smsids=shown)
    if done.untouched:
        say("cancel.untouched", states=state_counts(done.untouched, language))


def _by_outcome(done: Cancelled) -> dict[str, list[str]]:
    """Return the smsids of what was away, by what became of them."""
    found: dict[str, list[str]] = {}
    for smsid, outcome in done.outcomes.items():
        found.setdefault(outcome.value, []).append(smsid)
    rest = {"before": list(done.before), "final": list(done.final)}
    return found | {name: smsids for name, smsids in rest.items() if smsids}


def _shown(smsid: str) -> str:
    """Return an smsid, which may be the user's own, so that it shows no number."""
    from pipeline.reports.privacy import hidden, visible

    return visible(hidden(smsid))


def _cancelled_document(wanted: Named, done: Cancelled) -> dict[str, object]:
    outcomes = _by_outcome(done)
    problem = failure_document(done.problem) if done.problem else {}
    return {
        "batches": list(wanted.batches),
        "smsids": [_shown(smsid) for smsid in wanted.smsids],
        "cancelled": done.messages,
        "stopped": list(done.stopped),
        "gateway": {name: len(smsids) for name, smsids in outcomes.items()},
        "outcomes": {_shown(smsid): name for name, smsids in outcomes.items() for smsid in smsids},
        "late": done.late,
        "untouched": {state.value: count for state, count in done.untouched.items()},
        **problem,
        "exit": int(done.exit),
    }
