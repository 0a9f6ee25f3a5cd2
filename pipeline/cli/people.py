"""The commands by which a person looks and decides: status, cancel, resolve."""

from __future__ import annotations

import os
import sys

import click

from pipeline.cli.main import Session, common
from pipeline.cli.output import actor
from pipeline.errors import Exit, GuardStopped
from pipeline.messages import label


@click.command("status")
@click.argument("batch", required=False)
@common
def status_command(session: Session, *, batch: str | None) -> Exit:
    """Show batches, or the dispatches of one, and what to type next."""
    from pipeline.ledger.batches import count_states, get_batch, list_batches
    from pipeline.ledger.dispatches import list_dispatches

    with session.context() as context:
        batches = [get_batch(context.ledger, batch)] if batch else list_batches(context.ledger)
        rows: list[dict[str, object]] = []
        for found in batches:
            states = {
                state.value: count for state, count in sorted(count_states(context.ledger, found.batch_id).items())
            }
            dispatches = list_dispatches(context.ledger, found.batch_id)
            rows.append(
                {
                    "batch_id": found.batch_id,
                    "campaign": found.campaign,
                    "run_date": found.run_date.isoformat(),
                    "accepted": found.totals.accepted,
                    "states": states,
                    "dispatches": {
                        one.dispatch_id: {state.value: count for state, count in one.states.items()}
                        for one in dispatches
                    },
                }
            )
            shown = ", ".join(f"{count} {state}" for state, count in states.items()) or "-"
            session.output.say(
                "status.batch",
                batch=found.batch_id,
                campaign=found.campaign,
                run_date=found.run_date,
                states=shown,
            )
            for one in dispatches:
                if batch or one.is_unsettled:
                    counts = ", ".join(f"{count} {state.value}" for state, count in one.states.items())
                    since = one.begun_at.isoformat(timespec="seconds") if one.begun_at else "-"
                    session.output.say("status.dispatch", dispatch=one.dispatch_id, states=counts, since=since)
                if one.is_unsettled:
                    pull = session.command("pull", found.batch_id)
                    resolve = session.command("resolve", one.dispatch_id)
                    session.output.say("status.unsettled", pull=pull, resolve=resolve)
        if not batches:
            session.output.say("status.none")
    session.output.document({"batches": rows, "exit": 0})
    return Exit.DONE


@click.command("resolve")
@click.argument("dispatch")
@click.option("--as", "outcome", type=click.Choice(["taken", "refused"]), required=True)
@click.option("--because", required=True, help="Why you know.")
@common
def resolve_command(session: Session, *, dispatch: str, outcome: str, because: str) -> Exit:
    """Decide about the messages of a dispatch that are still unknown."""
    from pipeline.model import MessageState
    from pipeline.operations.resolve import resolve

    with session.context() as context:
        count = resolve(context, dispatch, MessageState(outcome), actor=actor(os.environ), because=because)
    session.output.say("resolve.done", count=count, outcome=outcome)
    session.output.document({"dispatch": dispatch, "resolved": count, "outcome": outcome, "exit": 0})
    return Exit.DONE


@click.command("cancel")
@click.argument("names", metavar="BATCH|SMSID...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def cancel_command(session: Session, *, names: tuple[str, ...], yes: bool) -> Exit:
    """Cancel what has not been sent yet, of a batch or message by message. A batch stays cancelled."""
    from pipeline.operations.cancel import cancel, look_up

    output = session.output
    with session.context() as context:
        wanted = look_up(context, names)
        asks = not yes and sys.stdin.isatty()
        if asks and not click.confirm(label("ask.cancel", output.language, count=wanted.waiting), err=True):
            raise GuardStopped("cancel.not_confirmed")
        done = cancel(context, wanted, actor=actor(os.environ))
    output.say("cancel.done", count=done.messages)
    for batch in wanted.batches:
        output.say("cancel.stopped", batch=batch)
    if done.untouched:
        shown = ", ".join(f"{count} {state}" for state, count in done.untouched.items())
        output.say("cancel.untouched", states=shown)
    # Whoever named a single message meant that one: that it has left is a finding.
    code = Exit.FINDINGS if done.late else Exit.DONE
    output.document(
        {
            "batches": list(wanted.batches),
            "smsids": list(wanted.smsids),
            "cancelled": done.messages,
            "late": done.late,
            "untouched": {state.value: count for state, count in done.untouched.items()},
            "exit": int(code),
        }
    )
    return code
