"""Validate: an input becomes accepted, rejected and repaired rows on disk, and a batch in the ledger."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from pipeline.adapters.files import DurableFile, durable
from pipeline.adapters.tabular import TextTable, look_at
from pipeline.context import Context
from pipeline.core import ids
from pipeline.core.calendar import jst_date
from pipeline.core.examine import Examined, Limits, Roles, Uniqueness, digests, examine
from pipeline.core.headers import canonical_header
from pipeline.errors import InputUnusable, UsageError
from pipeline.ledger.batches import find_batch, register_batch, served_keys, used_smsids
from pipeline.messages import REPAIRS, ROWS, Language, fill
from pipeline.model import Batch, Finding, RowTotals
from schemas.profile import Profile
from schemas.recipients import (
    ACCEPTED_COLUMNS,
    GATEWAY_FIELDS,
    ROW_NUMBER,
    accepted_contract,
    enforce,
    input_contract,
)

#: how many rejected rows a summary shows
EXAMPLES = 5
FILES = ("accepted.csv", "rejected.csv", "already.csv", "repaired.csv")
#: our columns of rejected.csv, behind the input's own
REJECTED_COLUMNS = (
    "mediasms_row",
    "mediasms_column",
    "mediasms_code",
    "mediasms_message",
    "mediasms_characters",
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for: an input, its campaign and run date, and one text for the whole list if given."""

    source: Path
    campaign: str | None = None
    run_date: date | None = None
    text: str | None = None

    def dated(self, now: datetime) -> date:
        """Return the run date: the one asked for, else today in Japan."""
        return self.run_date or jst_date(now)

    def named_campaign(self, now: datetime) -> str:
        """Return the campaign: the one asked for, else input stem and run date."""
        return self.campaign or f"{self.source.stem}-{self.dated(now).isoformat()}"


@dataclass(frozen=True, slots=True)
class Validated:
    """A batch after validation; ``continued`` says that it was planned before and is only taken up again."""

    batch: Batch
    folder: Path
    continued: bool
    codes: Mapping[str, int]
    examples: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    """How an input will be read."""

    table: TextTable
    columns: list[str]
    header: bool
    roles: Roles


def validate(context: Context, request: Request, *, out: Path | None = None) -> Validated:
    """Check an input row by row. With ``out`` the files go there and the ledger is only read.

    Raises ``InputUnusable`` when the input cannot be used as a whole; then nothing is written.
    """
    plan = _look(request, context.profile)
    campaign = request.named_campaign(context.now())
    deciding = _fingerprint(context.profile, plan, request.text)
    batch_id = ids.batch_id(campaign, plan.table.sha256, deciding)
    known = find_batch(context.ledger, batch_id)
    if known and known.planned_at and out is None:
        return Validated(known, context.workspace.batch_folder(batch_id), continued=True, codes={})
    folder = out or context.workspace.batch_folder(batch_id)
    check = _Check(context, plan, campaign, batch_id)
    with durable(*(folder / name for name in FILES)) as files:
        check.run(files)
        totals = RowTotals(check.rows, check.accepted, check.rejected, check.already)
        artefacts = tuple(file.commit() for file in files)
    batch = Batch(
        batch_id=batch_id,
        campaign=campaign,
        run_date=known.run_date if known else request.dated(context.now()),
        source_name=request.source.name,
        content_sha256=plan.table.sha256,
        fingerprint=deciding,
        totals=totals,
        repaired=check.repaired,
        artefacts=artefacts,
        registered_at=context.now(),
    )
    if out is None:
        register_batch(context.ledger, batch)
    return Validated(batch, folder, continued=False, codes=check.codes, examples=tuple(check.examples))


def _look(request: Request, profile: Profile) -> _Plan:
    table = look_at(request.source)
    first = [cell.strip() for cell in table.first_record]
    synonyms = {name: field for field, names in profile.headers.items() for name in names}
    named = [(cell, synonyms.get(canonical_header(cell))) for cell in first]
    if any(field == "msisdn" for _, field in named):
        return _with_header(request, table, first, named)
    if len(first) == profile.layout.columns.value:
        by_number = {column.number: column for column in profile.layout.column}
        columns = [
            by_number[number].field if number in by_number else f"column {number}"
            for number in range(1, len(first) + 1)
        ]
        fields = {"msisdn", "text", "smsid", *GATEWAY_FIELDS}
        roles = Roles({name: name for name in columns if name in fields}, request.text)
        return _Plan(table, columns, header=False, roles=roles)
    raise InputUnusable(
        "input.no_phone_column",
        file=request.source.name,
        columns=", ".join(first[:20]),
        names=", ".join(profile.headers["msisdn"]),
    )


def _with_header(
    request: Request, table: TextTable, first: list[str], named: Sequence[tuple[str, str | None]]
) -> _Plan:
    doubled = sorted({cell for cell in first if cell and first.count(cell) > 1})
    fields = [field for _, field in named if field]
    doubled += sorted({field for field in fields if fields.count(field) > 1})
    if doubled:
        raise InputUnusable("input.doubled_column", file=request.source.name, columns=", ".join(doubled))
    columns = [cell or f"column {number}" for number, cell in enumerate(first, 1)]
    roles = Roles({field: cell for cell, field in named if field}, request.text)
    if request.text is None and "text" not in roles.columns:
        raise InputUnusable("input.no_text", file=request.source.name, columns=", ".join(columns[:20]))
    if request.text is not None and "text" in roles.columns:
        raise InputUnusable("input.two_texts", file=request.source.name, column=roles.columns["text"])
    return _Plan(table, columns, header=True, roles=roles)


def _fingerprint(profile: Profile, plan: _Plan, text: str | None) -> str:
    """Digest everything but campaign and content that decides what is sent."""
    return ids.fingerprint(
        profile.sha256,
        plan.table.encoding,
        plan.table.delimiter,
        "-" if text is None else text,
        *plan.columns,
    )


class _Check:
    """One pass over an input: what was counted, and what goes where."""

    def __init__(self, context: Context, plan: _Plan, campaign: str, batch_id: str) -> None:
        self._context = context
        self._plan = plan
        self._campaign = campaign
        self._batch_id = batch_id
        self._limits = limits_of(context.profile)
        self._unique = Uniqueness()
        self._input = input_contract(plan.columns)
        self._accepted = accepted_contract(
            text_bytes=self._limits.text_bytes,
            text_characters=self._limits.text_characters,
            smsid_characters=self._limits.smsid_characters,
        )
        self.rows = self.accepted = self.rejected = self.already = self.repaired = 0
        self.codes: dict[str, int] = {}
        self.examples: list[Finding] = []

    def run(self, files: tuple[DurableFile, ...]) -> None:
        """Read every chunk, check it, and write its rows."""
        accepted, rejected, already, repaired = files
        _write(accepted, [ACCEPTED_COLUMNS])
        _write(rejected, [[*self._plan.columns, *REJECTED_COLUMNS]])
        _write(already, [["row_number", "smsid"]])
        _write(repaired, [["row_number", "column", "rule", "what", "before", "after"]])
        language = self._context.language
        for chunk in self._plan.table.chunks(self._plan.columns, header=self._plan.header):
            enforce(self._input, chunk, "recipients")
            self._refuse_unconfirmed(chunk)
            found = examine(chunk, ROW_NUMBER, self._plan.roles, self._limits, GATEWAY_FIELDS)
            by_number = self._served(found)
            self._unique.check(found, self._plan.roles, self._used_smsids, by_number)
            numbers = found.fields["msisdn"]
            served = {at: by_number[numbers[at]] for at in found.accepted() if numbers[at] in by_number}
            positions = [position for position in found.accepted() if position not in served]
            self._write_accepted(accepted, found, positions)
            _write(rejected, self._rejected_lines(chunk, found, language))
            _write(already, ([found.row_numbers[position], smsid] for position, smsid in served.items()))
            what = {rule: fill(words, language, {}) for rule, words in REPAIRS.items()}
            kept = found.repairs
            _write(repaired, ([r.row_number, r.column, r.rule, what[r.rule], r.before, r.after] for r in kept))
            self.rows += len(chunk)
            self.accepted += len(positions)
            self.already += len(served)
            self.rejected += len(found.findings)
            self.repaired += len(kept)
            for position in sorted(found.findings):
                self.examples += found.findings[position][:1] if len(self.examples) < EXAMPLES else []
                for finding in found.findings[position]:
                    self.codes[finding.code] = self.codes.get(finding.code, 0) + 1
            self._context.progress("validate", self.rows, 0)
        if not self.rows:
            raise InputUnusable("input.no_rows", file=self._plan.table.path.name)

    def _refuse_unconfirmed(self, chunk: pd.DataFrame) -> None:
        """Stop at a cell that asks for something the profile has not confirmed: it would be silently ignored."""
        if self._plan.header:
            return
        for column in self._context.profile.layout.column:
            if column.confirmed is False and column.direction != "result":
                asking = chunk[chunk[column.field] != ""]
                if len(asking):
                    row = int(asking[ROW_NUMBER].iloc[0])
                    raise UsageError("profile.not_confirmed", key=column.field, number=column.number, row=row)

    def _used_smsids(self, smsids: list[str]) -> set[str]:
        return used_smsids(self._context.ledger, smsids, but_batch=self._batch_id)

    def _served(self, found: Examined) -> dict[str, str]:
        """Return, by number, the smsid of the message by which the campaign served it before."""
        numbers = found.fields["msisdn"]
        candidates = list(dict.fromkeys(numbers[position] for position in found.accepted()))
        return served_keys(self._context.ledger, self._campaign, candidates, but_batch=self._batch_id)

    def _write_accepted(self, file: DurableFile, found: Examined, positions: list[int]) -> None:
        if not positions:
            return
        prefix = self._context.ledger.prefix
        rows = [found.row_numbers[position] for position in positions]
        columns: dict[str, list[str]] = {
            name: [found.fields[name][position] for position in positions] for name in found.fields
        }
        columns["smsid"] = [
            own or ids.smsid(prefix, self._batch_id, row) for own, row in zip(columns["smsid"], rows, strict=True)
        ]
        table = pd.DataFrame(
            {
                ROW_NUMBER: rows,
                **{
                    name: pd.Series(columns[name], dtype="str") for name in ("smsid", "msisdn", "text", *GATEWAY_FIELDS)
                },
                "characters": [found.characters[position] for position in positions],
                "bytes": [found.size[position] for position in positions],
                "double_byte": [found.double_byte[position] for position in positions],
                "text_digest": pd.Series(digests(columns["text"]), dtype="str"),
            }
        )
        table = enforce(self._accepted, table, "accepted rows")[list(ACCEPTED_COLUMNS)]
        file.write(table.to_csv(header=False, index=False, lineterminator="\r\n").encode())

    def _rejected_lines(self, chunk: pd.DataFrame, found: Examined, language: Language) -> Iterable[list[object]]:
        """Yield each rejected row as it was given, with everything that is wrong with it."""
        for position in sorted(found.findings):
            findings = found.findings[position]
            own = [chunk[name].iloc[position] for name in self._plan.columns]
            yield [*own, *_explained(findings, language)]


def _explained(findings: Sequence[Finding], language: Language) -> list[object]:
    return [
        findings[0].row_number,
        "|".join(dict.fromkeys(finding.column for finding in findings)),
        "|".join(finding.code for finding in findings),
        " ".join(fill(ROWS[finding.code], language, finding.facts) for finding in findings),
        " ".join(str(character) for finding in findings for character in finding.characters),
    ]


def _write(file: DurableFile, lines: Iterable[Iterable[object]]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows(lines)
    file.write(buffer.getvalue().encode())


def limits_of(profile: Profile) -> Limits:
    """Return the limits of the account's options."""
    limits = profile.limits
    long_text = profile.options.long_text.value
    return Limits(
        overseas=profile.options.overseas.value,
        text_bytes=(limits.long_text_bytes if long_text else limits.text_bytes).value,
        text_characters=(limits.long_text_characters if long_text else limits.text_characters).value,
        line_break=limits.line_break.value,
        short_link=limits.short_link.value,
        url_characters=limits.url_characters.value,
        smsid_characters=limits.smsid_characters.value,
        title_min=limits.title_min.value,
        title_max=limits.title_max.value,
    )
