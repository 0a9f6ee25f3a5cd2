"""Validate: an input becomes accepted, rejected and repaired rows on disk, and a batch in the ledger."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.adapters.csv_out import csv_lines
from pipeline.adapters.files import DurableFile, durable, place_beside
from pipeline.adapters.inputs import Table, open_input
from pipeline.compute import in_order
from pipeline.config import STANDARD
from pipeline.context import Context
from pipeline.core import ids
from pipeline.core.calendar import JST, jst_date
from pipeline.core.examine import Examined, examine
from pipeline.core.kernels import strings
from pipeline.core.kernels.smsids import smsid_column
from pipeline.core.policy import NO_LIMIT, Limits, Policy, read_reject_limit
from pipeline.core.text import repair_text
from pipeline.core.uniqueness import Ledgered, Uniqueness, message_keys
from pipeline.errors import InputUnusable, UsageError
from pipeline.ledger.batches import campaign_repeats, find_batch, live_keys, register_batch, served_keys, used_smsids
from pipeline.ledger.optouts import list_optouts
from pipeline.messages import Language
from pipeline.model import Batch, ExpandedText, Finding, RejectedRow, RowTotals
from pipeline.reports.reject_words import explain
from pipeline.reports.rejects import RejectedWorkbook
from schemas.heading import Heading, layout_columns, read_heading
from schemas.profile import Profile
from schemas.recipients import (
    GATEWAY_FIELDS,
    ROW_NUMBER,
    accepted_columns,
    accepted_contract,
    enforce,
    input_contract,
)

#: how many rejected rows a summary shows
EXAMPLES = 5
FILES = ("accepted.csv", "rejected.csv", "already.csv", "repaired.csv")
REPAIRED_COLUMNS = ("row_number", "column", "rule", "before", "after")
#: our columns of rejected.csv, behind the input's own
REJECTED_COLUMNS = (
    "mediasms_row",
    "mediasms_column",
    "mediasms_code",
    "mediasms_message",
    "mediasms_characters",
    "mediasms_suggestion",
)
_M2M = "020"


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
    """

    batch: Batch
    folder: Path
    continued: bool
    codes: Mapping[str, int]
    rules: Mapping[str, int]
    warnings: Mapping[str, int]
    examples: tuple[Finding, ...] = ()
    workbook: Path | None = None


def validate(context: Context, request: Request, *, out: Path | None = None) -> Validated:
    """Check an input row by row. With ``out`` the files go there and the ledger is only read.

    Raises ``InputUnusable`` when the input cannot be used as a whole; then no file is left and nothing registered.
    With more rejected rows than ``max_rejects`` that is so too, except for the files that say what is wrong.
    """
    limit = read_reject_limit(given) if (given := context.settings.validation.max_rejects) else NO_LIMIT
    table = open_input(request.source, sheet=request.sheet)
    heading = _heading(context, request, table)
    campaign = request.named_campaign(context.now())
    if campaign_repeats(context.ledger, campaign) is (not request.repeats):
        raise UsageError("campaign.repeats_differ", campaign=campaign)
    deciding = _fingerprint(context, request, table, heading)
    batch_id = ids.batch_id(campaign, table.sha256, deciding)
    known = find_batch(context.ledger, batch_id)
    if known and known.planned_at and out is None:
        return Validated(known, context.workspace.batch_folder(batch_id), True, {}, {}, {})  # noqa: FBT003 - continued
    folder = out or context.workspace.batch_folder(batch_id)
    check = _Check(context, request, table, heading, batch_id)
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
            raise InputUnusable(
                "input.too_many_rejects",
                file=request.file,
                rejected=totals.rejected,
                rows=totals.rows,
                limit=limit,
                workbook=people,
            )
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
    examples = tuple(check.examples)
    return Validated(batch, folder, False, check.codes, check.rules, check.warnings, examples, people)  # noqa: FBT003


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


class _Check:
    """One pass over an input: what was counted, and what goes where."""

    def __init__(self, context: Context, request: Request, table: Table, heading: Heading, batch_id: str) -> None:
        self._context = context
        self._table = table
        self._heading = heading
        self._batch_id = batch_id
        self._campaign = request.named_campaign(context.now())
        self._policy = policy_of(context)
        text = heading.roles.common_text
        common = None if text is None else repair_text(text, self._policy.replacements)[0]
        self._roles = replace(heading.roles, common_text=common)
        self._fields = [name for name in GATEWAY_FIELDS if name in self._roles.columns]
        self._repeats = request.repeats
        self._unique = Uniqueness(self._ledgered(), repeats=request.repeats)
        self._input = input_contract(heading.columns)
        limits = self._policy.limits
        self._accepted = accepted_contract(
            self._fields,
            text_bytes=limits.text_bytes,
            text_characters=limits.text_characters,
            smsid_characters=limits.smsid_characters,
        )
        self.rows = self.accepted = self.rejected = self.already = 0
        self.codes: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self.examples: list[Finding] = []

    def run(self, files: tuple[DurableFile, ...], workbook: RejectedWorkbook) -> None:
        """Read every chunk, check it, and write its rows."""
        accepted, rejected, already, repaired = files
        _write(accepted, [accepted_columns(self._fields)])
        _write(rejected, [[*self._heading.given, *REJECTED_COLUMNS]])
        _write(already, [["row_number", "smsid"]])
        _write(repaired, [REPAIRED_COLUMNS])
        for chunk, found in in_order(self._examined, self._chunks()):
            out, served = self._unique.check(found, self._roles)
            self._write_accepted(accepted, found, out)
            repaired.write(csv_lines(found.repairs))
            for counted in found.repairs.column("rule").value_counts().to_pylist():
                self.rules[counted["values"]] += counted["counts"]
            self._write_rejected(rejected, workbook, chunk, found)
            _write(already, self._served(found, served))
            self.rows += len(chunk)
            self.accepted += len(out)
            self.already += len(served)
            self.rejected += len(found.findings)
            self._context.progress("validate", self.rows, max(self._table.records, self.rows))
        if not self.rows:
            raise InputUnusable("input.no_rows", file=self._table.name)

    def _chunks(self) -> Iterator[pd.DataFrame]:
        yield from self._table.chunks(self._heading.columns, header=self._heading.header)

    def _examined(self, chunk: pd.DataFrame) -> tuple[pd.DataFrame, Examined]:
        enforce(self._input, chunk, "recipients")
        chunk = chunk[[ROW_NUMBER, *self._heading.given]]
        self._refuse_unconfirmed(chunk)
        return chunk, examine(chunk, ROW_NUMBER, self._roles, self._policy, self._fields)

    def _refuse_unconfirmed(self, chunk: pd.DataFrame) -> None:
        """Stop at a cell that asks for something the profile has not confirmed: it would be silently ignored."""
        for column in self._context.profile.layout.column:
            name = self._roles.columns.get(column.field)
            if name is None and not self._heading.header and column.field in chunk.columns:
                name = column.field
            if name is not None and column.confirmed is False and column.direction != "result":
                asking = chunk[chunk[name] != ""]
                if len(asking):
                    row = int(asking[ROW_NUMBER].iloc[0])
                    raise UsageError("profile.not_confirmed", key=column.field, number=column.number, row=row)

    def _ledgered(self) -> Ledgered:
        ledger, batch_id = self._context.ledger, self._batch_id
        return Ledgered(
            served=list(live_keys(ledger, self._campaign, but_batch=batch_id)),
            opted_out=list(list_optouts(ledger)),
            used_smsids=lambda smsids: used_smsids(ledger, smsids, but_batch=batch_id),
        )

    def _served(self, found: Examined, positions: strings.Positions) -> Iterator[tuple[int, str]]:
        """Yield row and smsid of the message by which the campaign served it before."""
        if not len(positions):
            return
        columns = {name: strings.at(column, positions).to_pylist() for name, column in found.columns.items()}
        keys = message_keys(columns, repeats=self._repeats)
        known = served_keys(self._context.ledger, self._campaign, keys, but_batch=self._batch_id)
        for row, key in zip(found.row_numbers[positions].tolist(), keys, strict=True):
            yield row, known[key]

    def _write_accepted(self, file: DurableFile, found: Examined, positions: strings.Positions) -> None:
        if not len(positions):
            return
        chosen = pa.array(positions)
        columns = {name: column.take(chosen) for name, column in found.columns.items()}
        rows = pa.array(found.row_numbers[positions])
        smsids = smsid_column(self._context.ledger.prefix, self._batch_id, rows)
        if own := columns.get("smsid"):
            smsids = pc.if_else(pc.equal(own, ""), smsids, own)
        if m2m := pc.sum(pc.starts_with(columns["msisdn"], _M2M)).as_py():
            self.warnings["phone.m2m"] += m2m
        table = pa.table(
            {
                ROW_NUMBER: rows,
                "smsid": smsids,
                "msisdn": columns["msisdn"],
                "text": columns["text"],
                **{name: columns[name] for name in self._fields},
                "characters": found.characters[positions],
                "bytes": found.size[positions],
                "double_byte": found.double_byte[positions],
            }
        )
        checked = enforce(self._accepted, table.to_pandas(), "accepted rows")
        file.write(csv_lines(pa.Table.from_pandas(checked, preserve_index=False)))

    def _write_rejected(
        self, file: DurableFile, workbook: RejectedWorkbook, chunk: pd.DataFrame, found: Examined
    ) -> None:
        """Write each rejected row as it was given, with everything that is wrong with it."""
        where = sorted(found.findings)
        cells = chunk[list(self._heading.given)].iloc[where].itertuples(index=False, name=None)
        lines = []
        for position, given in zip(where, cells, strict=True):
            findings = found.findings[position]
            row = int(found.row_numbers[position])
            self.codes.update(finding.code for finding in findings)
            if len(self.examples) < EXAMPLES:
                self.examples.append(findings[0])
            lines.append([*given, *_explained(findings, self._context.language)])
            expanded = self._with_parts(found.expanded.get(position))
            workbook.add(RejectedRow(row_number=row, cells=given, findings=tuple(findings), expanded=expanded))
        _write(file, lines)

    def _with_parts(self, expanded: ExpandedText | None) -> ExpandedText | None:
        """Add the number of billable parts at each carrier."""
        if expanded is None:
            return None
        wide, tariff = expanded.size > expanded.characters, self._context.tariff
        carriers = self._policy.limits.carriers
        parts = {name: tariff.parts(name, expanded.characters, double_byte=wide) for name in carriers}
        return replace(expanded, parts=parts)


def _explained(findings: Sequence[Finding], language: Language) -> list[object]:
    return [
        findings[0].row_number,
        "|".join(dict.fromkeys(finding.column for finding in findings)),
        "|".join(finding.code for finding in findings),
        " ".join(explain(finding, language) for finding in findings),
        " ".join(str(character) for finding in findings for character in finding.characters),
        " ".join(f"{finding.column}={finding.suggestion}" for finding in findings if finding.suggestion),
    ]


def _write(file: DurableFile, lines: Iterable[Iterable[object]]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows(lines)
    file.write(buffer.getvalue().encode())


def policy_of(context: Context) -> Policy:
    """Return what decides about rows: the account's limits, and the choices of this installation and run."""
    return Policy(
        limits=limits_of(context.profile),
        now=context.now().astimezone(JST),
        strict=context.settings.validation.strict,
        replacements=context.replacements(),
        suggestions=context.replacements(STANDARD),
        scheduled_format=context.profile.results.registered_time_format.value,
    )


def limits_of(profile: Profile) -> Limits:
    """Return the limits of the account's options."""
    limits = profile.limits
    long_text = profile.options.long_text.value
    return Limits(
        overseas=profile.options.overseas.value,
        text_bytes=(limits.long_text_bytes if long_text else limits.text_bytes).value,
        text_characters=(limits.long_text_characters if long_text else limits.text_characters).value,
        longest_characters=limits.longest_characters.value,
        line_break=limits.line_break.value,
        short_link=limits.short_link.value,
        url_characters=limits.url_characters.value,
        code_characters=limits.url_code_characters.value,
        smsid_characters=limits.smsid_characters.value,
        template_id_max=limits.template_id_max.value,
        title_min=limits.title_min.value,
        title_max=limits.title_max.value,
        carriers=limits.carriers.value,
        bytes_only=limits.bytes_only.value,
        shorter=limits.shorter.value if long_text else (),
    )
