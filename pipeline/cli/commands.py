"""The commands of the daily work: run, and each of its stages."""

from __future__ import annotations

import re
import shlex
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.main import Session, common
from pipeline.cli.output import actor
from pipeline.cli.sheets import sheets_document, show_sheets
from pipeline.errors import Exit, MediasmsError, UsageError, worst
from pipeline.messages import REPAIRS, WARNINGS, fill, label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.context import Context
    from pipeline.operations.run import Outcome
    from pipeline.stages.reconcile import Reconciled
    from pipeline.stages.send import Preview
    from pipeline.stages.validate import Request, Validated

_SPAN = re.compile(r"^(\d+)([smhd])$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_INPUT = click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path))
_CAMPAIGN = click.option("--campaign", help="Scope of 'not twice'; default: input name and run date.")
_RUN_DATE = click.option("--run-date", type=click.DateTime(["%Y-%m-%d"]), help="Logical date; default today in Japan.")
_TEXT = click.option("--text", type=click.Path(path_type=Path), help="One text for the whole list.")
_READING = (
    click.option("--sheet", help="Sheet of a workbook; default the first that holds anything."),
    click.option("--layout", help="Columns of a list without a header: a [layouts] entry, or gateway."),
)
_RULES = (
    click.option("--strict", is_flag=True, help="Reject what would be repaired."),
    click.option("--max-rejects", help="Send nothing when more rows are rejected: a count (20) or a share (5%)."),
    click.option("--replace", multiple=True, help="Replace characters that cannot be sent: standard, or a TOML file."),
    click.option("--allow-repeats", is_flag=True, help="A number may get several texts in this campaign."),
)


class Span(click.ParamType[timedelta]):
    """A span of time such as 30m."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read a number and one of s, m, h, d."""
        if isinstance(value, timedelta):
            return value
        match = _SPAN.match(str(value))
        if match is None:
            self.fail("a number and one of s, m, h, d, as in 30m", param, ctx)
        return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def _judging(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say how an input is read and judged."""
    for option in reversed((_INPUT, _CAMPAIGN, _RUN_DATE, _TEXT, *_READING, *_RULES)):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the options of ``_judging`` said."""

    inputs: tuple[Path, ...]
    campaign: str | None
    run_date: datetime | None
    text: Path | None
    sheet: str | None
    layout: str | None
    strict: bool
    max_rejects: str | None
    replace: tuple[str, ...]
    allow_repeats: bool

    @property
    def flags(self) -> dict[str, dict[str, object]]:
        """Return the settings among them."""
        given = {"strict": self.strict or None, "max_rejects": self.max_rejects, "replacements": self.replace or None}
        return {"validation": {key: value for key, value in given.items() if value is not None}}

    def requests(self, context: Context, stack: ExitStack) -> Iterator[Request]:
        """Yield what is asked of each input; standard input is spooled for as long as the ``stack`` is open."""
        from pipeline.adapters.inputs import spooled
        from pipeline.config import read_text
        from pipeline.stages.validate import Request

        content = read_text(self.text).replace("\r\n", "\n").removesuffix("\n") if self.text else None
        day: date | None = self.run_date.date() if self.run_date else None
        for given in self.inputs:
            is_stdin = str(given) == "-"
            source = stack.enter_context(spooled(sys.stdin.buffer, context.workspace.root)) if is_stdin else given
            name = "stdin" if is_stdin else None
            yield Request(source, self.campaign, day, content, self.sheet, self.layout, self.allow_repeats, name)


def _for_each(
    session: Session, asked: _Asked, work: Callable[[Context, Request], tuple[Exit, dict[str, object]]]
) -> Exit:
    """Do the same for every input: one that fails does not stop the others. Leave one document."""
    outcomes: list[Exit] = []
    documents: list[dict[str, object]] = []
    with session.context(flags=asked.flags) as context, ExitStack() as stack:
        for request in asked.requests(context, stack):
            try:
                code, document = work(context, request)
            except MediasmsError as error:
                session.output.failure(error)
                code, document = error.exit, {"input": request.file, "error": error.code, "exit": int(error.exit)}
            outcomes.append(code)
            documents.append(document)
    code = worst(outcomes)
    session.output.document(documents[0] if len(documents) == 1 else {"runs": documents, "exit": int(code)})
    return code


@click.command("run")
@_judging
@click.option("--wait", type=Span(), default="0s", show_default=True, help="Wait for results at most this long.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--again", is_flag=True, help="Send although the same went out in another campaign.")
@common
def run_command(session: Session, *, wait: timedelta, yes: bool, again: bool, **options: Any) -> Exit:  # noqa: ANN401 - click's options
    """Validate, send, pull and reconcile."""
    from pipeline.operations.run import run

    def work(context: Context, request: Request) -> tuple[Exit, dict[str, object]]:
        outcome = run(
            context,
            request,
            again=again,
            wait=wait,
            after_validate=lambda validated: show_validated(session, validated),
            confirm=_asker(session, yes=yes),
        )
        return outcome.exit, show_outcome(session, context, outcome)

    return _for_each(session, _Asked(**options), work)


def _asker(session: Session, *, yes: bool) -> Callable[[Preview], bool] | None:
    """Return what asks a person before anything is sent; None where nobody is there to answer."""
    if yes or not sys.stdin.isatty():
        return None
    return lambda preview: _ask(session, preview)


def _ask(session: Session, preview: Preview) -> bool:
    from pipeline.core.msisdn import mask

    language = session.output.language
    facts = {"number": mask(preview.first_msisdn), "text": preview.first_text}
    click.echo(label("ask.preview", language, low=preview.lowest, high=preview.highest, **facts), err=True)
    if preview.unpriced:
        click.echo(label("ask.unpriced", language, count=preview.unpriced), err=True)
    return click.confirm(label("ask.send", language, count=preview.messages), err=True)


def show_outcome(session: Session, context: Context, outcome: Outcome) -> dict[str, object]:
    """Print how a run ended, and return its document."""
    output = session.output
    if outcome.sent and outcome.sent.dispatches:
        output.say("run.sent", count=outcome.sent.messages, dispatches=outcome.sent.dispatches)
    elif outcome.sent:
        output.say("run.nothing_to_send", batch=outcome.validated.batch.batch_id)
    show_reconciled(session, outcome.reconciled)
    document = dict(outcome.reconciled.document)
    if outcome.stopped_by:
        output.failure(outcome.stopped_by)
        document["error"] = outcome.stopped_by.code
    del context
    read = sheets_document(outcome.validated.sheet, outcome.validated.other_sheets)
    return document | read | {"exit": int(outcome.exit)}


def show_validated(session: Session, validated: Validated) -> None:
    """Print what validation found, and where the files are."""
    from pipeline.reports.reject_words import explain

    output, batch = session.output, validated.batch
    totals, language = batch.totals, output.language
    show_sheets(output, validated.sheet, validated.other_sheets)
    if validated.continued:
        output.say("validate.continued", batch=batch.batch_id, campaign=batch.campaign, run_date=batch.run_date)
    output.say(
        "validate.totals",
        rows=totals.rows,
        accepted=totals.accepted,
        rejected=totals.rejected,
        already=totals.already,
    )
    for code, count in sorted(validated.codes.items(), key=lambda item: (-item[1], item[0])):
        output.say("validate.code", code=code, count=count)
    for finding in validated.examples:
        reason = explain(finding, language)
        output.say("validate.example", row=finding.row_number, column=finding.column, reason=reason)
    if len(validated.examples) < totals.rejected and validated.examples:
        output.say("validate.shown", shown=len(validated.examples), total=totals.rejected)
    if validated.rules:
        output.say("validate.repairs", repaired=batch.repaired)
    for rule, count in sorted(validated.rules.items(), key=lambda item: (-item[1], item[0])):
        output.say("validate.repair", rule=rule, count=count, what=fill(REPAIRS[rule], language, {}))
    for warning, count in validated.warnings.items():
        output.say("validate.warning", text=fill(WARNINGS[warning], language, {"count": count}))
    if validated.workbook:
        output.say("validate.workbook", file=validated.workbook, campaign=shlex.quote(batch.campaign))
    output.say("validate.files", folder=validated.folder)


def show_reconciled(session: Session, reconciled: Reconciled) -> None:
    """Print a reconciliation and where its reports are."""
    from pipeline.reports.terminal import reconciliation_lines

    session.output.show(reconciliation_lines(reconciled.value, session.output.language))
    for name, path in reconciled.artefacts.items():
        if name.startswith(("report", "reconciliation")):
            session.output.say("reconcile.file", file=path)


@click.command("validate")
@_judging
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write the files here; register nothing.")
@common
def validate_command(session: Session, *, out: Path | None, **options: Any) -> Exit:  # noqa: ANN401 - click's options
    """Check an input; nothing leaves the machine."""
    from pipeline.stages.validate import validate

    asked = _Asked(**options)
    folders: set[Path] = set()

    def work(context: Context, request: Request) -> tuple[Exit, dict[str, object]]:
        # Files of several inputs would overwrite each other.
        folder = out / request.stem if out and len(asked.inputs) > 1 else out
        if folder in folders:
            folder = folder.with_name(f"{folder.name}-{len(folders) + 1}")
        if folder is not None:
            folders.add(folder)
        with context.campaign_lock(request.named_campaign(context.now())):
            validated = validate(context, request, out=folder)
        show_validated(session, validated)
        if out is None:
            session.output.say("validate.next", batch=validated.batch.batch_id)
        code = Exit.FINDINGS if validated.batch.totals.rejected else Exit.DONE
        return code, _validated_document(validated, code)

    return _for_each(session, asked, work)


def _validated_document(validated: Validated, code: Exit) -> dict[str, object]:
    batch, totals = validated.batch, validated.batch.totals
    artefacts = {found.name: str(validated.folder / found.name) for found in batch.artefacts}
    if validated.workbook:
        artefacts["rejected.xlsx"] = str(validated.workbook)
    return {
        "schema": "mediasms/validation/1",
        "batch_id": batch.batch_id,
        "campaign": batch.campaign,
        "run_date": batch.run_date,
        "source": batch.source_name,
        **sheets_document(validated.sheet, validated.other_sheets),
        "rows": totals.rows,
        "accepted": totals.accepted,
        "rejected": totals.rejected,
        "already": totals.already,
        "repaired": batch.repaired,
        "codes": dict(validated.codes),
        "repairs": dict(validated.rules),
        "warnings": dict(validated.warnings),
        "examples": [
            {"row_number": finding.row_number, "column": finding.column, "code": finding.code}
            for finding in validated.examples
        ],
        "artifacts": artefacts,
        "exit": int(code),
    }


@click.command("send")
@click.argument("batch")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--again", is_flag=True, help="Send although the same went out in another campaign.")
@common
def send_command(session: Session, *, batch: str, yes: bool, again: bool) -> Exit:
    """Send what is planned of a batch."""
    from pipeline.operations.run import send_batch

    with session.context() as context:
        sent = send_batch(context, batch, again=again, confirm=_asker(session, yes=yes))
    if sent.dispatches:
        session.output.say("run.sent", count=sent.messages, dispatches=sent.dispatches)
    else:
        session.output.say("run.nothing_to_send", batch=batch)
    states = {state.value: count for state, count in sent.states.items()}
    session.output.document(
        {"batch_id": batch, "dispatches": sent.dispatches, "sent": sent.messages, "states": states, "exit": 0}
    )
    return Exit.DONE


@click.command("pull")
@click.argument("batch", required=False)
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="Begin of the period, JST.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="End of the period, JST.")
@common
def pull_command(session: Session, *, batch: str | None, since: datetime | None, until: datetime | None) -> Exit:
    """Pull the results of a batch, of a period, or of everything that is open."""
    from pipeline.core.calendar import JST
    from pipeline.ledger.batches import get_batch
    from pipeline.stages.pull import pull

    if (since is None) != (until is None) or (since and until and since >= until):
        raise UsageError("pull.period")
    period = (since.replace(tzinfo=JST), until.replace(tzinfo=JST)) if since and until else None
    with session.context() as context:
        if batch:
            get_batch(context.ledger, batch)
        pulled = pull(context, batch, period=period)
    settled = {state.value: count for state, count in pulled.settled.items()}
    session.output.say("pull.done", files=len(pulled.files), rows=pulled.rows, new=pulled.new)
    document = {
        "files": list(pulled.files),
        "rows": pulled.rows,
        "new": pulled.new,
        "settled": settled,
        "exit": 0,
    }
    session.output.document(document)
    return Exit.DONE


@click.command("reconcile")
@click.argument("batch")
@common
def reconcile_command(session: Session, *, batch: str) -> Exit:
    """Reconcile a batch with its results and price it."""
    from pipeline.ledger.batches import get_batch
    from pipeline.stages.reconcile import reconcile

    with session.context() as context:
        reconciled = reconcile(context, get_batch(context.ledger, batch))
    show_reconciled(session, reconciled)
    session.output.document(reconciled.document)
    return reconciled.exit


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
                    session.output.say("status.unsettled", batch=found.batch_id, dispatch=one.dispatch_id)
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
    import os

    from pipeline.model import MessageState
    from pipeline.operations.resolve import resolve

    with session.context() as context:
        count = resolve(context, dispatch, MessageState(outcome), actor=actor(os.environ), because=because)
    session.output.say("resolve.done", count=count, outcome=outcome)
    session.output.document({"dispatch": dispatch, "resolved": count, "outcome": outcome, "exit": 0})
    return Exit.DONE
