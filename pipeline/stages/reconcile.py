"""Reconcile: what was sent against what came back and what it costs, as one value and its renderings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from pipeline.adapters.files import write_durable, write_through
from pipeline.context import Context
from pipeline.core.calendar import stamp, widened
from pipeline.core.evidence import Evidence
from pipeline.core.reconciling import reconcile as add_up
from pipeline.errors import Exit
from pipeline.ledger.evidence import batch_evidence
from pipeline.ledger.results import open_windows
from pipeline.messages import Language, Text
from pipeline.model import Batch, MessageClass, MessageLine, Reconciliation
from pipeline.reports.answer_codes import meaning_of
from pipeline.reports.document import dumps, reconciliation_document
from pipeline.reports.page import render_page
from pipeline.reports.workbook import write_workbook
from pipeline.stages.judging import deadlines, matching_by_number


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A reconciliation, its files by name, its JSON document and the exit code that its findings ask for.

    ``lines`` may be read as often as anybody wants; each time they are made anew.
    """

    value: Reconciliation
    lines: Iterable[MessageLine]
    artefacts: Mapping[str, str]
    document: Mapping[str, object]
    exit: Exit


def reconcile(context: Context, batch: Batch, *, unmask: bool = False) -> Reconciled:
    """Reconcile a batch as of now and write its reports."""
    now = context.now()
    evidence = evidence_of(context, batch, now)
    value, lines = added_up(context, evidence, None, now)
    folder = context.workspace.batch_folder(batch.batch_id)
    files = {artefact.name: str(folder / artefact.name) for artefact in batch.artefacts}
    return written(context, folder, files, value, lines, unmask=unmask)


def evidence_of(context: Context, batch: Batch, now: datetime) -> Evidence:
    """Read everything that a batch is reconciled by."""
    return batch_evidence(context.ledger, batch, *_window(context, batch, now), by_number=matching_by_number(context))


def exit_of(value: Reconciliation) -> Exit:
    """Return what the findings of a reconciliation ask a scheduler to do."""
    if value.classes.get(MessageClass.UNKNOWN):
        return Exit.UNKNOWN
    return Exit.FINDINGS if value.findings else Exit.DONE


def added_up(
    context: Context, evidence: Evidence, month: str | None, now: datetime
) -> tuple[Reconciliation, Iterable[MessageLine]]:
    """Reconcile evidence, or what of it belongs to a month, by this installation's profile, tariff and settings."""
    value, lines = add_up(
        evidence,
        month,
        statuses=context.statuses,
        tariff=context.tariff,
        deadlines=deadlines(context, now),
        month_by=context.settings.billing.month_by,
        provenance=_provenance(context),
    )
    invented = context.settings.tariff.file is None
    codes = {line.label for line in value.statuses if line.message_class is MessageClass.REFUSED}
    known = [answer for answer in context.profile.answer if answer.code in codes]
    meanings = {one.code: Text(meaning_of(one, Language.JA), meaning_of(one, Language.EN)) for one in known}
    return replace(value, prices=context.tariff.price_lines, invented=invented, meanings=meanings), lines


def _window(context: Context, batch: Batch, now: datetime) -> tuple[datetime, datetime]:
    """Return the period in which results of other messages are reported with this batch."""
    sent = open_windows(context.ledger, now, batch.batch_id)
    ((first, last),) = sent.get(batch.batch_id) or [(batch.registered_at, batch.registered_at)]
    return widened(first, last, context.pull_margin)


def _provenance(context: Context) -> dict[str, str]:
    profile, tariff = context.profile, context.tariff
    return {
        "version": version("mediasms-pipeline"),
        "profile": f"{profile.name} {profile.version}",
        "profile_sha256": profile.sha256,
        "tariff_sha256": tariff.sha256,
        "ledger": context.ledger.ledger_id[:12],
    }


def written(  # noqa: PLR0913 - what is written, where, and how
    context: Context,
    folder: Path,
    files: Mapping[str, str],
    value: Reconciliation,
    lines: Iterable[MessageLine],
    *,
    unmask: bool = False,
) -> Reconciled:
    """Write the reports of a reconciliation into ``folder``, beside the ``files`` it belongs to.

    With ``unmask`` the workbook shows whole numbers.
    """
    number = 1
    moment = stamp(value.as_of)
    while (folder / f"reconciliation-{moment}-{number:02d}.json").exists():
        number += 1
    paths: dict[str, Path] = {
        "json": folder / f"reconciliation-{moment}-{number:02d}.json",
        "xlsx": folder / f"report-{moment}-{number:02d}.xlsx",
        "html": folder / f"report-{moment}-{number:02d}.html",
    }
    names = {**files, **{path.name: str(path) for path in paths.values()}}
    exit_code = exit_of(value)
    document = reconciliation_document(value, artifacts=names, exit_code=exit_code)
    write_durable(paths["html"], render_page(value, lines, context.language).encode())
    write_through(paths["xlsx"], lambda part: write_workbook(part, value, lines, context.language, unmask=unmask))
    write_durable(paths["json"], dumps(document).encode())
    return Reconciled(value, lines, names, document, exit_code)
