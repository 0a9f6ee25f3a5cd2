"""The commands of the daily work: run, and each of its stages."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.asking import Trying, asker
from pipeline.cli.forecasting import show_dry_run
from pipeline.cli.main import Session, common
from pipeline.cli.options import MODE, Asked, Permitted, Span, judging, judging_or_failed, permitting
from pipeline.cli.output import actor, failure_document
from pipeline.cli.showing import (
    refusals_document,
    show_left_open,
    show_next,
    show_nothing_sent,
    show_outcome,
    show_reconciled,
    show_refusals,
    show_sent,
    show_validated,
    validated_document,
)
from pipeline.errors import Exit, MediasmsError, UsageError, worst

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.context import Context
    from pipeline.stages.validate import Request, Validated

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would go out and cost, and what would stop it.")
#: after so many batches with an unknown outcome, one after the other, a run sends no more
_UNKNOWN_IN_A_ROW = 2
_MONTH = re.compile("20[0-9]{2}-(0[1-9]|1[0-2])")


def _for_each(
    session: Session, asked: Asked, work: Callable[[Context, Request], tuple[Exit, dict[str, object]]]
) -> Exit:
    """Do the same for every input: one that fails does not stop the others. Leave one document."""
    outcomes: list[Exit] = []
    documents: list[dict[str, object]] = []
    with session.context(flags=asked.flags) as context, ExitStack() as stack:
        for request in asked.requests(context, stack):
            if len(asked.inputs) > 1:
                session.output.say("run.input", file=request.file)
            try:
                code, document = work(context, request)
            except MediasmsError as error:
                session.output.failure(error)
                document = {"input": request.file, **failure_document(error), "exit": int(error.exit)}
                code = error.exit
            outcomes.append(code)
            documents.append(document)
    if not documents:
        session.output.say("from_failed.nobody", campaign=asked.from_failed)
    code = worst(outcomes)
    session.output.document(documents[0] if len(documents) == 1 else {"runs": documents, "exit": int(code)})
    return code


@click.command("run")
@judging_or_failed
@click.option("--wait", type=Span(), default="0s", show_default=True, help="Wait for results at most this long.")
@click.option("--test-to", metavar="NUMBER", help="First send the first message to your own phone; - reads it.")
@_DRY_RUN
@permitting
@common
def run_command(
    session: Session,
    *,
    wait: timedelta,
    test_to: str | None,
    dry_run: bool,
    **options: Any,  # noqa: ANN401 - click's options
) -> Exit:
    """Validate, send, pull and reconcile."""
    from pipeline.operations import dry_run as rehearsal
    from pipeline.operations.run import run

    permitted = Permitted(**{name: options.pop(name) for name in Permitted.__dataclass_fields__})
    asked = Asked(**options)
    asked.check()
    permission = permitted.permission()
    number = asked.own_number(test_to)
    unknown_in_a_row = 0

    def after_validate(validated: Validated) -> None:
        show_validated(session, validated, _correction(session, asked, validated))

    def rehearse(context: Context, request: Request) -> tuple[Exit, dict[str, object]]:
        trying = None if number is None else Trying(session, context, request, number, permission)
        dry = rehearsal.dry_run(context, request, permission=permission, after_validate=after_validate)
        return dry.exit, show_dry_run(session, dry) | (trying.rehearse(dry) if trying else {})

    def work(context: Context, request: Request) -> tuple[Exit, dict[str, object]]:
        nonlocal unknown_in_a_row
        trying = None if number is None else Trying(session, context, request, number, permission)
        outcome = run(
            context,
            request,
            permission=permission,
            before_send=trying,
            held_back=unknown_in_a_row >= _UNKNOWN_IN_A_ROW,
            wait=wait,
            after_validate=after_validate,
            confirm=asker(session, yes=permitted.yes, trying=trying),
        )
        if outcome.is_unknown:
            unknown_in_a_row += 1
        elif outcome.sent and outcome.sent.dispatches:
            unknown_in_a_row = 0
        return outcome.exit, show_outcome(session, outcome) | (trying.document() if trying else {})

    return _for_each(session, asked, rehearse if dry_run else work)


def _correction(session: Session, asked: Asked, validated: Validated) -> str | None:
    """Return the command that hands in the rejected rows again, once a person has corrected them."""
    if validated.workbook is None:
        return None
    return session.command(*asked.words(validated.workbook, validated.batch.campaign, corrected=True))


@click.command("validate")
@judging
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write the files here; register nothing.")
@common
def validate_command(session: Session, *, out: Path | None, **options: Any) -> Exit:  # noqa: ANN401 - click's options
    """Check an input; nothing leaves the machine."""
    from pipeline.operations.next_step import next_step
    from pipeline.stages.validate import campaign_held, validate

    asked = Asked(**options)
    folders: set[Path] = set()

    def work(context: Context, request: Request) -> tuple[Exit, dict[str, object]]:
        # Files of several inputs would overwrite each other.
        folder = out / request.stem if out and len(asked.inputs) > 1 else out
        if folder in folders:
            folder = folder.with_name(f"{folder.name}-{len(folders) + 1}")
        if folder is not None:
            folders.add(folder)
        with campaign_held(context, request) as settled:
            validated = validate(context, settled, out=folder)
        show_validated(session, validated, _correction(session, asked, validated))
        step = next_step(context, validated.batch) if out is None else None
        if out is None:
            show_next(session, validated.batch, step, asked.mode)
        elif validated.batch.totals.accepted and request.name is None:
            words = asked.words(request.source, validated.batch.campaign)
            session.output.say("validate.next", command=session.command(*words))
        code = Exit.FINDINGS if validated.batch.totals.rejected else Exit.DONE
        return code, validated_document(validated, step, code)

    return _for_each(session, asked, work)


@click.command("send")
@click.argument("batch")
@MODE
@_DRY_RUN
@permitting
@common
def send_command(session: Session, *, batch: str, mode: str, dry_run: bool, **options: Any) -> Exit:  # noqa: ANN401 - click's options
    """Send what is planned of a batch."""
    from pipeline.ledger.batches import get_batch
    from pipeline.model import Mode
    from pipeline.operations.dry_run import dry_send
    from pipeline.operations.run import send_batch
    from pipeline.stages.validate import rejects_of

    permitted = Permitted(**options)
    permission = permitted.permission()
    if dry_run:
        with session.context() as context:
            dry = dry_send(context, batch, mode=Mode(mode), permission=permission)
        session.output.document(show_dry_run(session, dry))
        return dry.exit
    with session.context() as context:
        confirm = asker(session, yes=permitted.yes)
        sent = send_batch(context, batch, mode=Mode(mode), permission=permission, confirm=confirm)
        if sent.dispatches:
            show_sent(session, sent)
        else:
            found = get_batch(context.ledger, batch)
            show_nothing_sent(session, found, rejects_of(context, found))
    show_refusals(session, sent.refusals)
    if sent.opted_out:
        session.output.say("run.opted_out", count=sent.opted_out)
    document = {
        "batch_id": batch,
        "dispatches": sent.dispatches,
        "sent": sent.messages,
        "states": {state.value: count for state, count in sent.states.items()},
        "refusals": refusals_document(sent.refusals),
        "opted_out": sent.opted_out,
        "exit": int(sent.exit),
    }
    if sent.unserved:
        session.output.failure(sent.unserved)
        document |= failure_document(sent.unserved)
    session.output.document(document)
    return sent.exit


@click.command("pull")
@click.argument("batch", required=False)
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="Begin of the period, JST.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="End of the period, JST.")
@click.option("--single", is_flag=True, help="Only ask, one by one, for what was sent one by one.")
@common
def pull_command(
    session: Session, *, batch: str | None, since: datetime | None, until: datetime | None, single: bool
) -> Exit:
    """Pull the results of a batch, of a period, or of everything that is open."""
    from pipeline.core.calendar import JST
    from pipeline.ledger.batches import get_batch
    from pipeline.stages.pull import pull, pull_single

    if (since is None) != (until is None):
        raise UsageError("pull.period")
    if since and until and since >= until:
        raise UsageError("pull.period_order")
    if single and since:
        raise UsageError("pull.single_period")
    period = (since.replace(tzinfo=JST), until.replace(tzinfo=JST)) if since and until else None
    with session.context() as context:
        if batch:
            get_batch(context.ledger, batch)
        pulled = pull_single(context, batch) if single else pull(context, batch, period=period)
    settled = {state.value: count for state, count in pulled.settled.items()}
    heard = pulled.single
    if not single:
        session.output.say("pull.done", files=len(pulled.files), rows=pulled.rows, new=pulled.new - heard.recorded.new)
    if single or heard.asked:
        counts = {"asked": heard.asked, "named": heard.named, "absent": heard.absent, "new": heard.recorded.new}
        session.output.say("pull.single", **counts)
    document = {
        "files": list(pulled.files),
        "rows": pulled.rows,
        "new": pulled.new,
        "settled": settled,
        "single": {"asked": heard.asked, "named": heard.named, "absent": heard.absent, "new": heard.recorded.new},
        "exit": 0,
    }
    session.output.document(document)
    return Exit.DONE


@click.command("reconcile")
@click.argument("batch", required=False)
@click.option("--month", metavar="YYYY-MM", help="All batches: what belongs to this month, in Japan.")
@click.option("--invoice", type=click.Path(path_type=Path), help="The month's invoice: explain the difference.")
@click.option("--unmask", is_flag=True, help="Show whole numbers in the workbook.")
@common
def reconcile_command(
    session: Session, *, batch: str | None, month: str | None, invoice: Path | None, unmask: bool
) -> Exit:
    """Reconcile a batch, or a month, with its results and price it."""
    from pipeline.ledger.batches import get_batch
    from pipeline.stages.months import reconcile_month
    from pipeline.stages.reconcile import reconcile
    from pipeline.stages.served import unserved_elsewhere

    if (batch is None) == (month is None):
        raise UsageError("reconcile.what")
    if invoice is not None and month is None:
        raise UsageError("reconcile.invoice")
    wanted = None if month is None else _month(month)
    unserved: MediasmsError | None = None
    with session.context() as context:
        if wanted is not None:
            reconciled = reconcile_month(context, wanted, invoice=invoice, unmask=unmask)
        else:
            found = get_batch(context.ledger, str(batch))
            reconciled = reconcile(context, found, unmask=unmask)
            unserved = unserved_elsewhere(context, found)
    show_reconciled(session, reconciled)
    if unserved:
        # Only said: the messages of this batch are reconciled, and those people have none in it.
        facts = {"problem": unserved.what(context.language), "hint": unserved.hint(context.language)}
        session.output.urge("reconcile.unserved", **facts)
    session.output.document(reconciled.document)
    return reconciled.exit


@click.command("close")
@click.option("--month", metavar="YYYY-MM", required=True, help="Which month, in Japan.")
@common
def close_command(session: Session, *, month: str) -> Exit:
    """Freeze what a month comes to; whatever changes later is a restatement."""
    from pipeline.stages.months import close_month

    wanted = _month(month)
    with session.context() as context:
        closed = close_month(context, wanted, actor=actor(os.environ))
    show_reconciled(session, closed.reconciled)
    session.output.say("close.done" if closed.is_new else "close.unchanged", month=month, number=closed.number)
    show_left_open(session, closed.reconciled.value)
    session.output.document({**closed.reconciled.document, "closing": closed.number})
    return closed.reconciled.exit


def _month(text: str) -> str:
    if not _MONTH.fullmatch(text):
        raise UsageError("reconcile.month", month=text)
    return text
