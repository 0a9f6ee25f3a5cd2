"""Validate: an input becomes accepted, rejected and repaired rows on disk, and a batch in the ledger."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

import pandas as pd

from pipeline.adapters.files import durable, hash_file, place_beside, write_through
from pipeline.adapters.inputs import Table, open_input
from pipeline.adapters.interruption import held
from pipeline.config import STANDARD
from pipeline.context import Context
from pipeline.core import ids
from pipeline.core.calendar import jst_date
from pipeline.core.digests import said, text_source
from pipeline.core.policy import NO_LIMIT, RejectLimit, read_reject_limit
from pipeline.core.templates import canonical_id
from pipeline.errors import GuardStopped, InputUnusable, UsageError
from pipeline.ledger.batches import campaign_repeats, find_batch, register_batch
from pipeline.model import Artefact, Batch, Finding, Mode, NumberCheck, RowTotals
from pipeline.reports.privacy import hidden, visible
from pipeline.reports.rejects import RejectedWorkbook
from pipeline.stages.checking import Check
from pipeline.stages.out import FILES, check_out
from schemas.deciding import deciding_sha256
from schemas.heading import Heading, layout_columns, read_heading
from schemas.single import stop_if_unconfirmed

_CHUNK = 50_000
#: the workbook while it is written
_PART = ".rejected.xlsx.part"
#: what a heading says of a sheet that may hold no list at all: a cover page, say
_NO_LIST = frozenset({"input.no_known_column", "input.no_phone_column"})
#: an input that was made, as it stands in the folder of its batch
MADE_INPUT = "input.csv"


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for: an input, its campaign and run date, and how its rows are to be judged.

    ``text`` is one text for the whole list, ``template`` the id of one template for it; ``repeats`` lets a number get
    several texts in the campaign. ``name`` stands for the input where the file is only a copy of it. ``origin`` is the
    campaign from whose unreached people the input was made: nobody else has it, so it is kept with the batch. ``mode``
    decides which columns can be sent at all. A ``number_check`` goes out one by one: no row of an upload can ask it.
    """

    source: Path
    campaign: str | None = None
    run_date: date | None = None
    text: str | None = None
    sheet: str | None = None
    layout: str | None = None
    repeats: bool = False
    name: str | None = None
    mode: Mode = Mode.AUTO
    origin: str | None = None
    number_check: NumberCheck = NumberCheck.NONE
    template: str | None = None

    @property
    def file(self) -> str:
        """Return the name of the input."""
        return self.name or self.source.name

    @property
    def single(self) -> bool:
        """Say whether its rows are to be judged as requests of their own."""
        return self.mode is Mode.SINGLE or self.number_check is not NumberCheck.NONE

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """A batch after validation; ``continued`` says that it was planned before and is only taken up again.

    ``codes``, ``rules`` and ``warnings`` count findings, repairs and remarks; ``warned`` are the first rows of each
    remark. ``workbook`` is the file for people. Of a batch that is taken up again ``uncounted`` says why not all of it
    can be counted. ``sheet`` is the one that was read, ``other_sheets`` are those that were not, with their rows.
    """

    batch: Batch
    folder: Path
    continued: bool
    codes: Mapping[str, int]
    rules: Mapping[str, int]
    warnings: Mapping[str, int]
    warned: Mapping[str, Sequence[int]] = field(default_factory=dict)
    examples: tuple[Finding, ...] = ()
    workbook: Path | None = None
    uncounted: GuardStopped | None = None
    sheet: str | None = None
    other_sheets: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def campaign_held(context: Context, request: Request) -> Iterator[Request]:
    """Hold the lock of a request's campaign, and yield the request with its campaign and run date settled.

    Midnight may pass before the batch is registered: what is sent then belongs to the campaign that is held.
    """
    now = context.now()
    campaign = request.named_campaign(now)
    with context.campaign_lock(campaign):
        yield replace(request, campaign=campaign, run_date=request.dated(now))


def validate(context: Context, request: Request, *, out: Path | None = None) -> Validated:
    """Check an input row by row. With ``out`` the files go there and the ledger is only read.

    Raises ``InputUnusable`` when the input cannot be used as a whole; then no file is left and nothing registered.
    With more rejected rows than ``max_rejects`` that is so too, except for the files that say what is wrong.
    """
    limit = read_reject_limit(given) if (given := context.settings.validation.max_rejects) else NO_LIMIT
    if out is not None:
        check_out(out, request.source, context.workspace.batches_folder())
    _stop_at_check(context, request)
    now = context.now()
    table = open_input(request.source, sheet=request.sheet)
    heading = _heading(context, request, table)
    # In a list of ours that came back, the other sheet counts and helps.
    others = table.other_sheets if heading.given == heading.columns else {}
    campaign = request.named_campaign(now)
    if campaign_repeats(context.ledger, campaign) is (not request.repeats):
        raise UsageError("campaign.repeats_differ", campaign=campaign)
    deciding = _fingerprint(context, request, table, heading)
    batch_id = ids.batch_id(campaign, table.sha256, deciding)
    known = find_batch(context.ledger, batch_id)
    if known and known.planned_at and out is None:
        return replace(_taken_up(context, request, known, limit), sheet=table.sheet, other_sheets=others)
    folder = out or context.workspace.batch_folder(batch_id)
    check = Check(
        context,
        table,
        heading,
        batch_id=batch_id,
        campaign=campaign,
        repeats=request.repeats,
        single=request.single,
        number_check=request.number_check,
    )
    part = folder / _PART
    with ExitStack() as stack:
        with held():  # what was made and not yet noted would stay behind
            files = stack.enter_context(durable(*(folder / name for name in FILES)))
            book = RejectedWorkbook(part, heading.given, language=context.language, source=request.file)
            workbook = stack.enter_context(book)
        check.run(files, workbook)
        totals = RowTotals(check.rows, check.accepted, check.rejected, check.already)
        workbook.close(check.codes, totals, rejected_csv=str(folder / "rejected.csv"))
        made = _hand_over(request, folder, out, totals)
        people = folder / made.name if made else None
        if limit.is_exceeded(totals.rejected, totals.rows):
            files[1].commit()
        _stop_at(limit, request, totals, people)
        artefacts = tuple(file.commit() for file in files)
        if request.origin is not None:
            artefacts = (write_through(folder / MADE_INPUT, partial(_copy, request.source)), *artefacts)
    batch = Batch(
        batch_id=batch_id,
        campaign=campaign,
        run_date=known.run_date if known else request.dated(now),
        source_name=request.file,
        content_sha256=table.sha256,
        fingerprint=deciding,
        totals=totals,
        repaired=check.rules.total(),
        artefacts=artefacts,
        registered_at=context.now(),
        workbook=made,
        number_check=request.number_check,
        text_source=_text_source(context, request, table, heading),
    )
    if out is None:
        register_batch(context.ledger, batch, repeats=request.repeats, origin=request.origin)
    return Validated(
        batch=batch,
        folder=folder,
        continued=False,
        codes=check.codes,
        rules=check.rules,
        warnings=check.warnings,
        warned=check.warned,
        examples=tuple(check.examples),
        workbook=people,
        sheet=table.sheet,
        other_sheets=others,
    )


def _stop_at_check(context: Context, request: Request) -> None:
    """Stop at a check of numbers that cannot be asked for: in an upload, with a text that goes to nobody, or yet."""
    if request.number_check is not NumberCheck.NONE and request.mode is Mode.CSV:
        raise UsageError("usage.check_mode")
    if request.number_check is NumberCheck.ONLY and request.text is not None:
        raise UsageError("usage.check_text")
    stop_if_unconfirmed(request.number_check, context.profile)


def _copy(source: Path, part: Path) -> None:
    shutil.copyfile(source, part)


def _taken_up(context: Context, request: Request, batch: Batch, limit: RejectLimit) -> Validated:
    """Return a planned batch as it stands: its rows are not checked again, what was found is counted in its files.

    A file that was changed or lost since is said to be, but does not hold up what the batch still has to do.
    """
    folder = context.workspace.batch_folder(batch.batch_id)
    workbook = _workbook(folder, batch)
    _stop_at(limit, request, batch.totals, rejects_of(context, batch))
    codes, rules, uncounted = Counter[str](), Counter[str](), None
    try:
        codes = _counted(context, batch, "rejected.csv", "mediasms_code")
        rules = _counted(context, batch, "repaired.csv", "rule")
    except GuardStopped as error:
        uncounted = error
    return Validated(
        batch=batch,
        folder=folder,
        continued=True,
        codes=codes,
        rules=rules,
        warnings={},
        workbook=workbook,
        uncounted=uncounted,
    )


def rejects_of(context: Context, batch: Batch) -> Path:
    """Return the file that says which rows of a batch were rejected and why: the one for people, while it is there."""
    folder = context.workspace.batch_folder(batch.batch_id)
    return _workbook(folder, batch) or folder / "rejected.csv"


def _workbook(folder: Path, batch: Batch) -> Path | None:
    made = folder / batch.workbook.name if batch.workbook else None
    return made if made and made.exists() else None


def _counted(context: Context, batch: Batch, name: str, column: str) -> Counter[str]:
    """Count the values of one column of a batch's file; a cell holds one or several with bars between them."""
    path = context.workspace.checked(batch.batch_id, batch.artefact(name))
    counts: Counter[str] = Counter()
    with pd.read_csv(
        path, usecols=[column], dtype="str", keep_default_na=False, na_filter=False, chunksize=_CHUNK, encoding="utf-8"
    ) as reader:
        for chunk in reader:
            for cell, count in Counter(chunk[column].tolist()).items():
                for value in cell.split("|"):
                    counts[value] += count
    return counts


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
    try:
        return read_heading(
            request.file,
            table.first_record,
            profile,
            text=request.text,
            template=_template(context, request),
            layout=layout,
            single=request.single,
            check=request.number_check,
        )
    except InputUnusable as error:
        if layout or not (table.sheet and table.other_sheets and error.code in _NO_LIST):
            raise
        sheets = ", ".join(visible(hidden(name)) for name in table.other_sheets)
        facts = {"sheet": visible(hidden(table.sheet)), "sheets": sheets, "names": error.facts["names"]}
        raise InputUnusable("input.another_sheet", file=request.file, **facts) from error


def _template(context: Context, request: Request) -> str | None:
    """Return the id of the template for the whole list. Raises ``UsageError`` (``usage.template*``) for a wrong one."""
    if request.template is None:
        return None
    limit = context.profile.limits.template_id_max.value
    template = canonical_id(request.template, limit)
    if not template:
        raise UsageError("usage.template", limit=limit)
    if template not in context.settings.templates and not context.settings.validation.unchecked_templates:
        raise UsageError("usage.template_unknown", template=template)
    return template


def _fingerprint(context: Context, request: Request, table: Table, heading: Heading) -> str:
    """Digest everything but campaign and content that decides what is sent.

    Of the profile that is what ``deciding_sha256`` says, and not the file: a comment in it must not leave an unplanned
    batch behind and make another one. The texts of templates are not among it: the gateway sends its own, and
    correcting what is known of them here must not make a batch that is half sent into another one.
    """
    chosen = ["unchecked templates"] * context.settings.validation.unchecked_templates
    if heading.template is not None:
        chosen.append(f"template {heading.template}")
    return ids.fingerprint(
        deciding_sha256(context.profile),
        *table.form,
        "-" if request.text is None else request.text,
        f"header={heading.header} strict={context.settings.validation.strict} repeats={request.repeats}",
        repr(sorted(context.replacements().items())),
        *heading.columns,
        # Only where it is asked for: what was registered before there were checks keeps its fingerprint.
        *([] if request.number_check is NumberCheck.NONE else [f"check={request.number_check}"]),
        *(f"\0{choice}" for choice in chosen),
    )


def _text_source(context: Context, request: Request, table: Table, heading: Heading) -> str:
    """Say where the texts come from, by which the same list is known to say something else in another campaign.

    That is one text or one template for the whole list, else the columns that hold texts or template ids, and the sheet
    that is read. Whatever else decides about texts is left out on purpose: what replaces characters, what is known of
    templates, which columns fill tags, what is repaired. Who corrects one of these does not mean another text, and the
    list must not go out once more by that.
    """
    sheet = table.sheet or ""
    if request.text is not None:
        return text_source("text", sheet, said(request.text, context.replacements(STANDARD)))
    if heading.template is not None:
        return text_source("template", sheet, heading.template)
    places = {name: place for place, name in enumerate(heading.columns)}
    named = [heading.roles.columns.get(role) for role in ("text", "template_id")]
    return text_source("columns", sheet, *("-" if name is None else str(places[name]) for name in named))


def _hand_over(request: Request, folder: Path, out: Path | None, totals: RowTotals) -> Artefact | None:
    """Put the workbook where people find it: beside the input, or in ``out``; None when no row was rejected.

    Its name is a path that counts from ``folder``.
    """
    part = folder / _PART
    try:
        if not totals.rejected:
            return None
        wanted = folder / "rejected.xlsx"
        if out is None and request.name is None:
            wanted = request.source.absolute().with_name(f"{request.stem}-rejected.xlsx")
        digest, size = hash_file(part), part.stat().st_size
        place = place_beside(part, wanted, otherwise=folder / "rejected.xlsx")
    finally:
        part.unlink(missing_ok=True)
    return Artefact(place.name if place.parent == folder else str(place), digest, size)
