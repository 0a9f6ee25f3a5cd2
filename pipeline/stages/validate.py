"""Validate: an input becomes accepted, rejected and repaired rows on disk, and a batch in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from pipeline.adapters.files import durable, place_beside
from pipeline.adapters.inputs import Table, open_input
from pipeline.context import Context
from pipeline.core import ids
from pipeline.core.calendar import jst_date
from pipeline.core.policy import NO_LIMIT, RejectLimit, read_reject_limit
from pipeline.errors import InputUnusable, UsageError
from pipeline.ledger.batches import campaign_repeats, find_batch, register_batch
from pipeline.model import Batch, Finding, RowTotals
from pipeline.reports.rejects import RejectedWorkbook
from pipeline.stages.checking import Check
from schemas.heading import Heading, layout_columns, read_heading

FILES = ("accepted.csv", "rejected.csv", "already.csv", "repaired.csv")


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for: an input, its campaign and run date, and how its rows are to be judged.

    ``text`` is one text for the whole list; ``repeats`` lets a number get several texts in the campaign. ``name``
    stands for the input where the file is only a copy of it.
    """

    source: Path
    campaign: str | None = None
    run_date: date | None = None
    text: str | None = None
    sheet: str | None = None
    layout: str | None = None
    repeats: bool = False
    name: str | None = None

    @property
    def file(self) -> str:
        """Return the name of the input."""
        return self.name or self.source.name

    @property
    def stem(self) -> str:
        """Return the name of the list: that of the input, or of the list whose rejected rows it holds."""
        return ids.list_name(Path(self.file).stem)

    def dated(self, now: datetime) -> date:
        """Return the run date: the one asked for, else today in Japan."""
        return self.run_date or jst_date(now)

    def named_campaign(self, now: datetime) -> str:
        """Return the campaign: the one asked for, else the list's name and the run date."""
        return self.campaign or f"{self.stem}-{self.dated(now).isoformat()}"


@dataclass(frozen=True, slots=True)
class Validated:
    """A batch after validation; ``continued`` says that it was planned before and is only taken up again.

    ``codes``, ``rules`` and ``warnings`` count findings, repairs and remarks; ``workbook`` is the file for people.
    ``sheet`` is the one that was read, and ``other_sheets`` those that were not, with the rows they hold.
    """

    batch: Batch
    folder: Path
    continued: bool
    codes: Mapping[str, int]
    rules: Mapping[str, int]
    warnings: Mapping[str, int]
    examples: tuple[Finding, ...] = ()
    workbook: Path | None = None
    sheet: str | None = None
    other_sheets: Mapping[str, int] = field(default_factory=dict)


def validate(context: Context, request: Request, *, out: Path | None = None) -> Validated:
    """Check an input row by row. With ``out`` the files go there and the ledger is only read.

    Raises ``InputUnusable`` when the input cannot be used as a whole; then no file is left and nothing registered.
    With more rejected rows than ``max_rejects`` that is so too, except for the files that say what is wrong.
    """
    limit = read_reject_limit(given) if (given := context.settings.validation.max_rejects) else NO_LIMIT
    if out is not None and request.source.resolve() in {(out / name).resolve() for name in FILES}:
        raise UsageError("out.is_input", file=str(request.source))
    table = open_input(request.source, sheet=request.sheet)
    heading = _heading(context, request, table)
    # In a list of ours that came back, the other sheet counts and helps.
    others = table.other_sheets if heading.given == heading.columns else {}
    campaign = request.named_campaign(context.now())
    if campaign_repeats(context.ledger, campaign) is (not request.repeats):
        raise UsageError("campaign.repeats_differ", campaign=campaign)
    deciding = _fingerprint(context, request, table, heading)
    batch_id = ids.batch_id(campaign, table.sha256, deciding)
    known = find_batch(context.ledger, batch_id)
    if known and known.planned_at and out is None:
        _stop_at(limit, request, known.totals, context.workspace.batch_folder(batch_id) / "rejected.csv")
        return Validated(
            known,
            context.workspace.batch_folder(batch_id),
            continued=True,
            codes={},
            rules={},
            warnings={},
            sheet=table.sheet,
            other_sheets=others,
        )
    folder = out or context.workspace.batch_folder(batch_id)
    check = Check(context, table, heading, batch_id=batch_id, campaign=campaign, repeats=request.repeats)
    with (
        durable(*(folder / name for name in FILES)) as files,
        RejectedWorkbook(
            folder / ".rejected.xlsx.part", heading.given, language=context.language, source=request.file
        ) as workbook,
    ):
        check.run(files, workbook)
        totals = RowTotals(check.rows, check.accepted, check.rejected, check.already)
        workbook.close(check.codes, totals, rejected_csv=str(folder / "rejected.csv"))
        people = _hand_over(request, folder, out, totals)
        if limit.is_exceeded(totals.rejected, totals.rows):
            files[1].commit()
        _stop_at(limit, request, totals, people)
        artefacts = tuple(file.commit() for file in files)
    batch = Batch(
        batch_id=batch_id,
        campaign=campaign,
        run_date=known.run_date if known else request.dated(context.now()),
        source_name=request.file,
        content_sha256=table.sha256,
        fingerprint=deciding,
        totals=totals,
        repaired=check.rules.total(),
        artefacts=artefacts,
        registered_at=context.now(),
    )
    if out is None:
        register_batch(context.ledger, batch, repeats=request.repeats)
    return Validated(
        batch,
        folder,
        continued=False,
        codes=check.codes,
        rules=check.rules,
        warnings=check.warnings,
        examples=tuple(check.examples),
        workbook=people,
        sheet=table.sheet,
        other_sheets=others,
    )


def _stop_at(limit: RejectLimit, request: Request, totals: RowTotals, where: Path | None) -> None:
    """Stop when too many rows are rejected; ``where`` is the file that says which."""
    if limit.is_exceeded(totals.rejected, totals.rows):
        facts = {"rejected": totals.rejected, "rows": totals.rows, "limit": limit, "workbook": where}
        raise InputUnusable("input.too_many_rejects", file=request.file, **facts)


def _heading(context: Context, request: Request, table: Table) -> Heading:
    profile, layouts = context.profile, context.settings.layouts
    layout = None
    if request.layout is not None:
        own = {name: settings.columns for name, settings in layouts.items()}
        layout = layout_columns(request.layout, profile, own)
    return read_heading(request.file, table.first_record, profile, text=request.text, layout=layout)


def _fingerprint(context: Context, request: Request, table: Table, heading: Heading) -> str:
    """Digest everything but campaign and content that decides what is sent."""
    return ids.fingerprint(
        context.profile.sha256,
        *table.form,
        "-" if request.text is None else request.text,
        f"header={heading.header} strict={context.settings.validation.strict} repeats={request.repeats}",
        repr(sorted(context.replacements().items())),
        *heading.columns,
    )


def _hand_over(request: Request, folder: Path, out: Path | None, totals: RowTotals) -> Path | None:
    """Put the workbook where people find it: beside the input, or in ``out``; None when no row was rejected."""
    part = folder / ".rejected.xlsx.part"
    if not totals.rejected:
        part.unlink()
        return None
    if out is None and request.name is None:
        wanted = request.source.absolute().with_name(f"{request.stem}-rejected.xlsx")
    else:
        wanted = folder / "rejected.xlsx"
    return place_beside(part, wanted, otherwise=folder / "rejected.xlsx")
