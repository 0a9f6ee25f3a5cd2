"""Reconcile: what was sent against what came back and what it costs, as one value and its renderings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from pipeline.adapters.files import write_durable, write_through
from pipeline.context import Context
from pipeline.core.calendar import stamp, widened
from pipeline.core.matching import Deadlines
from pipeline.core.reconciling import Strangers
from pipeline.core.reconciling import reconcile as add_up
from pipeline.errors import Exit
from pipeline.ledger.batches import sent_messages
from pipeline.ledger.results import count_observations, observations_of, open_windows, strangers
from pipeline.model import Batch, MessageClass, MessageLine, Reconciliation
from pipeline.reports.document import dumps, reconciliation_document
from pipeline.reports.page import render_page
from pipeline.reports.workbook import write_workbook


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A reconciliation, its files by name, its JSON document and the exit code that its findings ask for."""

    value: Reconciliation
    lines: tuple[MessageLine, ...]
    artefacts: Mapping[str, str]
    document: Mapping[str, object]
    exit: Exit


def reconcile(context: Context, batch: Batch) -> Reconciled:
    """Reconcile a batch as of now and write its reports."""
    now = context.now()
    start, end = _window(context, batch, now)
    unmatched = list(strangers(context.ledger, start, end))
    prefix = context.ledger.prefix
    value, lines = add_up(
        batch,
        sent_messages(context.ledger, batch.batch_id),
        observations_of(context.ledger, batch.batch_id),
        Strangers(
            [row for row in unmatched if not row.smsid.startswith(prefix)],
            [row for row in unmatched if row.smsid.startswith(prefix)],
        ),
        observed=count_observations(context.ledger, batch.batch_id, start, end),
        statuses=context.statuses,
        tariff=context.tariff,
        deadlines=Deadlines(now, timedelta(days=context.settings.results.deadline_days)),
        provenance=_provenance(context),
    )
    exit_code = exit_of(value)
    artefacts, document = _write(context, batch, value, lines, exit_code)
    return Reconciled(value, tuple(lines), artefacts, document, exit_code)


def exit_of(value: Reconciliation) -> Exit:
    """Return what the findings of a reconciliation ask a scheduler to do."""
    if value.classes.get(MessageClass.UNKNOWN):
        return Exit.UNKNOWN
    return Exit.DONE if value.balanced and not value.totals.rejected and not value.opted_out else Exit.FINDINGS


def _window(context: Context, batch: Batch, now: datetime) -> tuple[datetime, datetime]:
    """Return the period in which results of other messages are reported with this batch."""
    sent = open_windows(context.ledger, now, batch.batch_id)
    first, last = sent[0] if sent else (batch.registered_at, batch.registered_at)
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


def _write(
    context: Context, batch: Batch, value: Reconciliation, lines: list[MessageLine], exit_code: Exit
) -> tuple[dict[str, str], dict[str, object]]:
    folder = context.workspace.batch_folder(batch.batch_id)
    number = 1
    moment = stamp(value.as_of)
    while (folder / f"reconciliation-{moment}-{number:02d}.json").exists():
        number += 1
    paths: dict[str, Path] = {
        "json": folder / f"reconciliation-{moment}-{number:02d}.json",
        "xlsx": folder / f"report-{moment}-{number:02d}.xlsx",
        "html": folder / f"report-{moment}-{number:02d}.html",
    }
    names = {artefact.name: str(folder / artefact.name) for artefact in batch.artefacts}
    names |= {path.name: str(path) for path in paths.values()}
    document = reconciliation_document(value, artifacts=names, exit_code=exit_code)
    write_through(paths["xlsx"], lambda part: write_workbook(part, value, lines, context.language))
    write_durable(paths["html"], render_page(value, lines, context.language).encode())
    write_durable(paths["json"], dumps(document).encode())
    return names, document
