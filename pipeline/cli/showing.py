"""What commands show of their outcomes: lines for people, and the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.messages import REPAIRS, WARNINGS, fill

if TYPE_CHECKING:
    from pipeline.cli.main import Session
    from pipeline.errors import Exit
    from pipeline.operations.run import Outcome
    from pipeline.stages.reconcile import Reconciled
    from pipeline.stages.validate import Validated


def show_outcome(session: Session, outcome: Outcome, correction: str | None = None) -> dict[str, object]:
    """Print how a run ended, and return its document. ``correction`` is the command that hands in corrected rows."""
    output = session.output
    show_validated(session, outcome.validated, correction)
    if outcome.sent and outcome.sent.dispatches:
        output.say("run.sent", count=outcome.sent.messages, dispatches=outcome.sent.dispatches)
    elif outcome.sent:
        output.say("run.nothing_to_send", batch=outcome.validated.batch.batch_id)
    show_reconciled(session, outcome.reconciled)
    document = dict(outcome.reconciled.document)
    if outcome.stopped_by:
        output.failure(outcome.stopped_by)
        document["error"] = outcome.stopped_by.code
    return document | {"exit": int(outcome.exit)}


def show_validated(session: Session, validated: Validated, correction: str | None) -> None:
    """Print what validation found, where the files are, and the command that hands in corrected rows."""
    from pipeline.reports.reject_words import explain

    output, batch = session.output, validated.batch
    totals, language = batch.totals, output.language
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
        output.say("validate.workbook", file=validated.workbook)
    if correction:
        output.say("validate.correct", command=correction)
    output.say("validate.files", folder=validated.folder)


def show_reconciled(session: Session, reconciled: Reconciled) -> None:
    """Print a reconciliation and where its reports are."""
    from pipeline.reports.terminal import reconciliation_lines

    session.output.show(reconciliation_lines(reconciled.value, session.output.language))
    for name, path in reconciled.artefacts.items():
        if name.startswith(("report", "reconciliation")):
            session.output.say("reconcile.file", file=path)


def validated_document(validated: Validated, code: Exit) -> dict[str, object]:
    """Return the document of a validation."""
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
