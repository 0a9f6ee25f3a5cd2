"""What commands show of their outcomes: lines for people, and the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.output import answer_document, failure_document
from pipeline.cli.sheets import sheets_document, show_sheets
from pipeline.cli.spelling import completed
from pipeline.messages import REPAIRS, WARNINGS, fill

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.cli.main import Session
    from pipeline.errors import Exit
    from pipeline.model import Batch, Reconciliation
    from pipeline.operations.next_step import Step
    from pipeline.operations.run import Outcome
    from pipeline.stages.reconcile import Reconciled
    from pipeline.stages.refusals import Refusal
    from pipeline.stages.send import Sent
    from pipeline.stages.validate import Validated


def show_outcome(session: Session, outcome: Outcome) -> dict[str, object]:
    """Print how a run ended after validation, and return its document."""
    output = session.output
    if outcome.sent and outcome.sent.dispatches:
        show_sent(session, outcome.sent)
    elif outcome.sent:
        validated = outcome.validated
        show_nothing_sent(session, validated.batch, validated.workbook or validated.folder / "rejected.csv")
    if outcome.sent:
        show_refusals(session, outcome.sent.refusals)
    if outcome.reconciled.value.opted_out:
        output.say("run.opted_out", count=outcome.reconciled.value.opted_out)
    show_reconciled(session, outcome.reconciled)
    document = dict(outcome.reconciled.document)
    if outcome.stopped_by:
        output.failure(outcome.stopped_by)
        document |= failure_document(outcome.stopped_by)
    read = sheets_document(outcome.validated.sheet, outcome.validated.other_sheets)
    return document | read | {"exit": int(outcome.exit)}


def show_sent(session: Session, sent: Sent) -> None:
    """Print how many messages the gateway took; of numbers that are only checked that no text was sent."""
    from pipeline.model import Mode, NumberCheck

    if sent.number_check is NumberCheck.ONLY:
        session.output.say("run.checked", count=sent.messages)
    else:
        said = "run.sent_singly" if sent.mode is Mode.SINGLE else "run.sent"
        session.output.say(said, count=sent.messages, dispatches=sent.dispatches)


def show_nothing_sent(session: Session, batch: Batch, rejects: Path) -> None:
    """Print why nothing went out: it has been dealt with, or no row was accepted; then also where the rejects are."""
    totals = batch.totals
    if totals.accepted or not totals.rejected:
        session.output.say("run.nothing_to_send", batch=batch.batch_id)
    else:
        facts = {"rejected": totals.rejected, "already": totals.already, "file": rejects}
        session.output.say("run.nothing_accepted", batch=batch.batch_id, **facts)


def show_refusals(session: Session, refusals: Sequence[Refusal]) -> None:
    """Print what the gateway has refused, a line for each code: what it means, and what to do about it."""
    for each in refusals:
        step = completed(each.step, session.output.config)
        session.output.say("run.refused", count=each.messages, code=each.code, meaning=each.meaning, step=step)


def refusals_document(refusals: Sequence[Refusal]) -> list[dict[str, object]]:
    """Return what the gateway has refused as JSON-ready data."""
    return [answer_document(each.code, each.meaning, each.step) | {"messages": each.messages} for each in refusals]


def show_validated(session: Session, validated: Validated, correction: str | None = None) -> None:
    """Print what validation found, where the files are, and ``correction``, which hands in corrected rows."""
    output, batch = session.output, validated.batch
    totals = batch.totals
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
    _show_found(session, validated)
    if validated.continued and totals.rejected and not validated.uncounted:
        output.say("validate.rejected", file=validated.folder / "rejected.csv")
    if validated.workbook:
        output.say("validate.workbook", file=validated.workbook)
    if correction:
        output.say("validate.correct", command=correction)
    output.say("validate.files", folder=validated.folder)


def _show_found(session: Session, validated: Validated) -> None:
    """Print codes with examples, repairs and remarks."""
    from pipeline.core.headers import shown_name
    from pipeline.reports.reject_words import explain

    output, batch = session.output, validated.batch
    language, examples, rejected = output.language, validated.examples, batch.totals.rejected
    for code, count in _most_first(validated.codes):
        output.say("validate.code", code=code, count=count)
    if validated.uncounted:
        output.say("validate.uncounted", problem=validated.uncounted.what(language))
    for finding in examples:
        reason = explain(finding, language)
        output.say("validate.example", row=finding.row_number, column=finding.column, reason=reason)
    if examples and len(examples) < rejected:
        output.say("validate.shown", shown=len(examples), total=rejected)
    if validated.rules:
        output.say("validate.repairs", repaired=batch.repaired)
    for rule, count in _most_first(validated.rules):
        output.say("validate.repair", rule=rule, count=count, what=fill(REPAIRS[rule], language, {}))
    for warning, count in validated.warnings.items():
        first = validated.warned.get(warning, ())
        rows = ", ".join(map(str, first)) + (" …" if count > len(first) else "")
        code, _, about = warning.partition(" ")
        facts = {"count": count, "rows": rows, "template": about, "column": shown_name(about)}
        output.say("validate.warning", text=fill(WARNINGS[code], language, facts))


def _most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def show_next(session: Session, batch: Batch, step: Step | None, mode: str = "auto") -> None:
    """Print the command that takes a batch further; sending goes by the ``mode`` that was looked at."""
    if step is None:
        session.output.say("validate.nothing_next", batch=batch.batch_id)
    else:
        options = [] if mode == "auto" or step != "send" else ["--mode", mode]
        session.output.say("validate.next", command=session.command(step, batch.batch_id, *options))


def show_reconciled(session: Session, reconciled: Reconciled) -> None:
    """Print a reconciliation and where its reports are."""
    from pipeline.reports.terminal import reconciliation_lines

    session.output.show(reconciliation_lines(reconciled.value, session.output.language))
    for name, path in reconciled.artefacts.items():
        if name.startswith(("report", "reconciliation")):
            session.output.say("reconcile.file", file=path)


def show_left_open(session: Session, value: Reconciliation) -> None:
    """Print what a month that is closed may still come to, and how much of it was not sent."""
    from pipeline.reports.wording import may_become_more

    output = session.output
    if at_most := may_become_more(value, output.language):
        output.say("close.open", month=value.name, at_most=at_most, command=session.command("status"))
    if unsent := value.attention.get("unsent"):
        output.say("close.unsent", month=value.name, count=unsent)


def validated_document(validated: Validated, step: Step | None, code: Exit) -> dict[str, object]:
    """Return the document of a validation; ``step`` is what comes next."""
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
        "continued": validated.continued,
        "rows": totals.rows,
        "accepted": totals.accepted,
        "rejected": totals.rejected,
        "already": totals.already,
        "repaired": batch.repaired,
        "codes": dict(validated.codes),
        "repairs": dict(validated.rules),
        "warnings": dict(validated.warnings),
        "uncounted": validated.uncounted.code if validated.uncounted else None,
        "examples": [
            {"row_number": finding.row_number, "column": finding.column, "code": finding.code}
            for finding in validated.examples
        ],
        "artifacts": artefacts,
        "next": step,
        "exit": int(code),
    }
