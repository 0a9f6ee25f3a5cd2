"""What a dry run shows: lines for people, and the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.showing import show_next, validated_document

if TYPE_CHECKING:
    from pipeline.cli.main import Session
    from pipeline.operations.dry_run import DryRun

_SCHEMA = "mediasms/dry-run/1"


def show_dry_run(session: Session, dry: DryRun) -> dict[str, object]:
    """Print what would happen after validation, and everything that would stop it; return the document."""
    from pipeline.reports.forecast import forecast_document, forecast_lines

    output, rehearsed = session.output, dry.rehearsed
    output.say("forecast.title")
    for line in forecast_lines(rehearsed.forecast, output.language):
        output.line(line)
    if rehearsed.forecast.messages:
        facts = {} if rehearsed.seconds is None else {"seconds": rehearsed.seconds}
        output.say(f"forecast.mode.{rehearsed.mode}", **facts)
    if rehearsed.opted_out:
        output.say("forecast.opted_out", count=rehearsed.opted_out)
    for error in dry.stopped_by:
        output.failure(error)
    if not dry.stopped_by:
        show_next(session, dry.batch, dry.step, rehearsed.mode if rehearsed.mode == "single" else "auto")
    batch = {"batch_id": dry.batch.batch_id, "campaign": dry.batch.campaign, "run_date": dry.batch.run_date}
    document = validated_document(dry.validated, dry.step, dry.exit) if dry.validated else {**batch, "next": dry.step}
    if dry.stopped_by:
        document["error"] = dry.stopped_by[0].code
    return {
        **document,
        "schema": _SCHEMA,
        **forecast_document(rehearsed.forecast),
        "mode": rehearsed.mode.value,
        "seconds": rehearsed.seconds,
        "opted_out": rehearsed.opted_out,
        "stopped_by": [{"error": error.code, "exit": int(error.exit)} for error in dry.stopped_by],
        "exit": int(dry.exit),
    }
