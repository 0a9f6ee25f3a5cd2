"""Checking an input: chunk after chunk is read, examined, decided and written."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.adapters.csv_out import CsvLines
from pipeline.adapters.files import DurableFile
from pipeline.adapters.inputs import Table, refuse_merged
from pipeline.compute import in_order
from pipeline.config import STANDARD
from pipeline.context import Context
from pipeline.core.calendar import JST
from pipeline.core.examine import Examined, examine
from pipeline.core.kernels import strings
from pipeline.core.kernels.smsids import smsid_column
from pipeline.core.policy import Limits, Policy
from pipeline.core.tags import repaired_literals
from pipeline.core.uniqueness import CHECK_KEY, Ledgered, Uniqueness, message_keys
from pipeline.errors import InputUnusable, UsageError
from pipeline.ledger.batches import live_keys, served_keys, used_smsids
from pipeline.ledger.optouts import list_optouts
from pipeline.messages import Language
from pipeline.model import ExpandedText, Finding, NumberCheck, RejectedRow
from pipeline.reports.reject_words import explain
from pipeline.reports.rejects import RejectedWorkbook
from pipeline.stages.used import UsedColumns
from schemas.heading import TEMPLATE_COLUMN, Heading
from schemas.profile import Profile
from schemas.recipients import (
    ACCEPTED_FIELDS,
    INPUT_ROW,
    ROW_NUMBER,
    accepted_columns,
    accepted_contract,
    enforce,
    input_contract,
)

#: how many rejected rows a summary shows
EXAMPLES = 5
ALREADY_COLUMNS = ("row_number", "smsid")
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
#: begin the names of remarks; the id of the template follows, or the name of the column
UNCHECKED = "template.unchecked "
UNFORMATTED = "cell.unformatted "


@dataclass(slots=True)
class _Decided:
    """A chunk of which every row is decided: positions accepted and served before, repairs, and rows to look at."""

    chunk: pd.DataFrame
    found: Examined
    accepted: strings.Positions
    served: strings.Positions
    rules: Counter[str] = field(default_factory=Counter)
    warned: dict[str, list[int]] = field(default_factory=dict)


class Check:
    """One pass over an input: what was counted, and what goes where."""

    def __init__(  # noqa: PLR0913 - what decides about an input
        self,
        context: Context,
        table: Table,
        heading: Heading,
        *,
        batch_id: str,
        campaign: str,
        repeats: bool,
        single: bool = False,
        number_check: NumberCheck = NumberCheck.NONE,
    ) -> None:
        """Prepare to check ``table``, read as ``heading`` says; with ``single`` its rows go out one by one."""
        sends_text = number_check is not NumberCheck.ONLY
        self._context = context
        self._table = table
        self._heading = heading
        self._batch_id = batch_id
        self._campaign = campaign
        self._policy = replace(policy_of(context, repeats=repeats, single=single), sends_text=sends_text)
        text = heading.roles.common_text
        common = None if text is None else repaired_literals(text, self._policy.replacements)
        self._roles = replace(heading.roles, common_text=common)
        self._fields = [name for name in ACCEPTED_FIELDS if name in self._roles.columns]
        # A number is checked once, whatever texts it may get.
        self._repeats = repeats and sends_text
        self._single = single
        self._number_check = number_check
        self._unique = Uniqueness(self._ledgered(), repeats=self._repeats)
        self._input = input_contract(heading.columns)
        self._used = UsedColumns(heading, self._policy.templates)
        limits = self._policy.limits
        self._contract = accepted_contract(
            self._fields,
            text_bytes=limits.text_bytes,
            text_characters=limits.text_characters,
            smsid_characters=limits.smsid_characters,
            sends_text=sends_text,
        )
        self.rows = self.accepted = self.rejected = self.already = 0
        self.codes: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self.warned: dict[str, list[int]] = {}
        self.examples: list[Finding] = []

    def run(self, files: tuple[DurableFile, ...], workbook: RejectedWorkbook) -> None:
        """Read every chunk, check it, and write its rows.

        Chunks are examined on other threads, and one more writes accepted rows and repairs, chunk after chunk; what
        must see every row in its order, and what is written about single rows, happens on this one.
        """
        accepted, rejected, already, repaired = files
        lines = CsvLines()

        def written(decided: _Decided) -> _Decided:
            repaired.write(lines.of(self._repairs(decided)))
            accepted.write(lines.of(self._accepted_rows(decided)))
            return decided

        refuse_merged(self._table, self._used.places)
        _write(accepted, [accepted_columns(self._fields)])
        _write(rejected, [[*self._heading.given, *REJECTED_COLUMNS]])
        _write(already, [ALREADY_COLUMNS])
        _write(repaired, [REPAIRED_COLUMNS])
        for decided in in_order(written, self._decided(), workers=1):
            chunk, found = decided.chunk, decided.found
            self._look_at_tags(chunk)
            self._write_rejected(rejected, workbook, chunk, found)
            _write(already, self._served(found, decided.served))
            self.rules += decided.rules
            for code, warned in decided.warned.items():
                self.warnings[code] += len(warned)
                first = self.warned.setdefault(code, [])
                first += warned[: EXAMPLES - len(first)]
            self.rows += len(chunk)
            self.accepted += len(decided.accepted)
            self.already += len(decided.served)
            self.rejected += len(found.findings)
            self._context.progress("validate", self.rows, max(self._table.records, self.rows))
        if not self.rows:
            raise InputUnusable("input.no_rows", file=self._table.name)
        self._note_unformatted()

    def _look_at_tags(self, chunk: pd.DataFrame) -> None:
        """Find out which columns the texts name, where it matters; stop at a cell over several rows in one of them."""
        merged = [place for places, _ in self._table.merged for place in places]
        self._used.look(chunk, [*merged, *self._table.unformatted])
        if merged:
            refuse_merged(self._table, self._used.places)

    def _note_unformatted(self) -> None:
        """Note the columns of which a message or a report shows numbers otherwise than the sheet does."""
        for place, name in self._used.worded.items():
            if place in self._table.unformatted:
                count, row = self._table.unformatted[place]
                self.warnings[f"{UNFORMATTED}{name}"] = count
                self.warned[f"{UNFORMATTED}{name}"] = [row]

    def _decided(self) -> Iterator[_Decided]:
        chunks = self._table.chunks(self._heading.columns, header=self._heading.header)
        for chunk, found in in_order(self._examined, chunks):
            yield _Decided(chunk, found, *self._unique.check(found, self._roles))

    def _examined(self, chunk: pd.DataFrame) -> tuple[pd.DataFrame, Examined]:
        enforce(self._input, chunk, "recipients")
        chunk = chunk[[INPUT_ROW, *self._heading.given]]
        if (template := self._heading.template) is not None:
            chunk = chunk.assign(**{TEMPLATE_COLUMN: pd.Series(template, index=chunk.index, dtype="str")})
        self._refuse_unconfirmed(chunk)
        return chunk, examine(chunk, INPUT_ROW, self._roles, self._policy, self._fields)

    def _refuse_unconfirmed(self, chunk: pd.DataFrame) -> None:
        """Stop at a cell that asks for something the profile has not confirmed: it would be silently ignored."""
        if self._single:
            for parameter in self._context.profile.single.parameter:
                if parameter.confirmed is False and (name := self._roles.columns.get(parameter.filled_by)) is not None:
                    asking = chunk[chunk[name] != ""]
                    if len(asking):
                        row = int(asking[INPUT_ROW].iloc[0])
                        raise UsageError("single.not_confirmed", key=parameter.name, row=row)
            return
        for column in self._context.profile.layout.column:
            name = self._roles.columns.get(column.field)
            if name is None and not self._heading.header and column.field in chunk.columns:
                name = column.field
            if name is not None and column.confirmed is False and column.direction != "result":
                asking = chunk[chunk[name] != ""]
                if len(asking):
                    row = int(asking[INPUT_ROW].iloc[0])
                    facts = {"key": column.field, "number": column.number, "row": row, "column": name}
                    raise UsageError("profile.not_confirmed", **facts)

    def _ledgered(self) -> Ledgered:
        ledger, batch_id = self._context.ledger, self._batch_id
        checks = self._number_check is NumberCheck.ONLY
        keys = live_keys(ledger, self._campaign, but_batch=batch_id, checks=checks)
        return Ledgered(
            served=[key.removeprefix(CHECK_KEY) for key in keys] if checks else list(keys),
            opted_out=list(list_optouts(ledger)),
            used_smsids=lambda smsids: used_smsids(ledger, smsids, but_batch=batch_id),
        )

    def _served(self, found: Examined, positions: strings.Positions) -> Iterator[tuple[int, str]]:
        """Yield row and smsid of the message by which the campaign served it before."""
        if not len(positions):
            return
        columns = {name: column.to_pylist() for name, column in found.values(positions).items()}
        keys = message_keys(columns, repeats=self._repeats, check=self._number_check)
        known = served_keys(self._context.ledger, self._campaign, keys, but_batch=self._batch_id)
        for row, key in zip(found.row_numbers[positions].tolist(), keys, strict=True):
            yield row, known[key]

    def _repairs(self, decided: _Decided) -> pa.Table:
        """Count the repairs of a chunk and return them."""
        repairs = decided.found.repairs
        for counted in repairs.column("rule").value_counts().to_pylist():
            decided.rules[counted["values"]] = counted["counts"]
        return repairs

    def _accepted_rows(self, decided: _Decided) -> pa.Table:
        """Lay out the accepted rows of a chunk, held to their contract."""
        found = decided.found
        columns = found.values(decided.accepted)
        rows = pa.array(found.row_numbers[decided.accepted])
        smsids = smsid_column(self._context.ledger.prefix, self._batch_id, rows)
        if own := columns.get("smsid"):
            smsids = pc.if_else(pc.equal(own, ""), smsids, own)
        m2m = strings.mask(pc.starts_with(columns["msisdn"], _M2M))
        for code, where in (("phone.m2m", m2m), ("tag.empty_value", found.hollow[decided.accepted])):
            if where.any():
                decided.warned[code] = found.row_numbers[decided.accepted[where]].tolist()
        if "template_id" in columns:
            self._note_unchecked(decided, columns["template_id"])
        table = pa.table(
            {
                ROW_NUMBER: rows,
                "smsid": smsids,
                "msisdn": columns["msisdn"],
                "text": columns["text"],
                **{name: columns[name] for name in self._fields},
                "characters": found.characters[decided.accepted],
                "bytes": found.size[decided.accepted],
                "double_byte": found.double_byte[decided.accepted],
            }
        )
        checked = enforce(self._contract, table.to_pandas(), "accepted rows")
        return pa.Table.from_pandas(checked, preserve_index=False)

    @staticmethod
    def _note_unchecked(decided: _Decided, templates: pa.Array) -> None:
        """Note the rows of each template whose text nobody here knows."""
        found = decided.found
        unseen = decided.accepted[found.characters[decided.accepted] == 0]
        names = strings.at(templates, np.searchsorted(decided.accepted, unseen)).to_pylist()
        for row, name in zip(found.row_numbers[unseen].tolist(), names, strict=True):
            decided.warned.setdefault(f"{UNCHECKED}{name}", []).append(row)

    def _write_rejected(
        self, file: DurableFile, workbook: RejectedWorkbook, chunk: pd.DataFrame, found: Examined
    ) -> None:
        """Write each rejected row as it was given, with everything that is wrong with it."""
        where = np.array(sorted(found.findings), np.int64)
        cells = [strings.at(strings.of(chunk[name]), where).to_pylist() for name in self._heading.given]
        lines = []
        for position, given in zip(where.tolist(), zip(*cells, strict=True), strict=True):
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
    file.write(csv_bytes(lines))


def csv_bytes(lines: Iterable[Iterable[object]]) -> bytes:
    """Return lines as they stand in a batch's files."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows(lines)
    return buffer.getvalue().encode()


def policy_of(context: Context, *, repeats: bool, single: bool) -> Policy:
    """Return what decides about rows: the account's limits, and the choices of this installation and run.

    Where a number may get several texts, each has to be known: what is in a template tells two messages apart.
    """
    validation = context.settings.validation
    return Policy(
        limits=limits_of(context.profile),
        now=context.now().astimezone(JST),
        strict=validation.strict,
        templates=context.settings.templates,
        unchecked_templates=validation.unchecked_templates and not repeats,
        shift_jis=context.upload_encoding == "cp932" and not single,
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
