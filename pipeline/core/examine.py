"""A chunk of the input, examined: what goes out in canonical form, what was repaired, what is wrong.

The kernels decide the rows that no rule can have anything against, and make the frequent repairs. Every other row is
read alone and asked rule by rule (``pipeline.core.rules``). Which way a row took cannot be told from the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core import tags
from pipeline.core.headers import COST_CENTRE
from pipeline.core.kernels import expansion, msisdns, strings, texts
from pipeline.core.kernels.strings import Mask, Positions
from pipeline.core.moments import read_day
from pipeline.core.msisdn import Reading
from pipeline.core.policy import Limits, Policy, Roles
from pipeline.core.row import Row
from pipeline.core.rules import (
    COST_CENTRE_CHARACTERS,
    ERROR_STARTS,
    REGISTRATION_DATE,
    findings,
    rules_for,
)
from pipeline.core.templates import canonical_id
from pipeline.core.text import TWINS
from pipeline.model import ExpandedText, Finding, Repair

_MENDING = {
    "text.line_break": (("\r\n", "\n"), ("\r", "\n")),
    "text.tab": (("\t", " "),),
    "text.canonical": tuple(TWINS.items()),
}
#: every error of a spreadsheet begins with the first, or holds the second
_NUMBER_SIGN, _NUMBERED = ord("#"), b"r:"
_NUMBERED_ERROR = "Err:5[0-9]{2}"
#: RE2 counts no further than 1,000
_REPEATS = 990
_MENDABLE = f"[\r\t{''.join(TWINS)}]"
_SCHEMA = pa.schema(
    [("row_number", pa.int64()), *((name, pa.large_string()) for name in ("column", "rule", "before", "after"))]
)


_NOWHERE: Positions = np.empty(0, np.int64)


@dataclass(slots=True)
class Examined:
    """A chunk after every rule that looks at one row.

    ``fields`` holds every row's canonical values by field (number, smsid, and the fields the input has), ``texts`` its
    text, what the gateway counts of it and whether a tag in it has an empty value (``hollow``); they mean something
    only for rows without a finding. ``findings`` is sparse, by position. ``repairs`` is a table of row_number, column,
    rule, before, after. ``expanded`` holds the text of rejected rows whose tags were understood, without the parts.
    """

    row_numbers: NDArray[np.int64]
    fields: dict[str, pa.Array]
    texts: strings.Chosen
    characters: NDArray[np.int32]
    size: NDArray[np.int32]
    double_byte: Mask
    hollow: Mask
    repairs: pa.Table
    findings: dict[int, list[Finding]] = field(default_factory=dict)
    expanded: dict[int, ExpandedText] = field(default_factory=dict)

    def reject(self, position: int, finding: Finding) -> None:
        """Add a finding to a row."""
        self.findings.setdefault(position, []).append(finding)

    def accepted(self) -> Positions:
        """Return the positions of rows without a finding."""
        fine = np.ones(len(self.row_numbers), dtype=bool)
        fine[list(self.findings)] = False
        return np.flatnonzero(fine)

    def values(self, positions: Positions) -> dict[str, pa.Array]:
        """Return the canonical values of some rows, by field."""
        return {name: strings.at(column, positions) for name, column in self.fields.items()} | {
            "text": self.texts.at(positions)
        }


def examine(chunk: pd.DataFrame, row_number: str, roles: Roles, policy: Policy, fields: Sequence[str]) -> Examined:
    """Apply every rule to a chunk. ``fields`` are the gateway fields a row may carry besides number and text."""
    cells = {str(name): strings.of(chunk[name]) for name in chunk.columns if name != row_number}
    return _Screening(chunk[row_number].to_numpy(), cells, roles, policy, fields).examined()


def _plainly_fine(name: str, limits: Limits) -> str:
    """Return a pattern of what no rule has anything against in a field; other values are looked at one by one."""
    if name in tags.LINK_TAGS.values():
        return rf"^https?://[A-Za-z0-9][!#-;=?-\[\]_A-Za-z~%]{{0,{max(min(limits.url_characters - 9, _REPEATS), 0)}}}$"
    if name == "smsid":
        return rf"^[A-Za-z][A-Za-z0-9]{{0,{min(limits.smsid_characters - 1, _REPEATS)}}}$"
    if name == "title":
        return rf"^[A-Za-z][A-Za-z0-9\-_.]{{{limits.title_min - 1},{limits.title_max - 1}}}$"
    if name == "template_id":
        # Other spellings of a number, and what may be beyond the limit, are left to the rules.
        digits = len(str(limits.template_id_max + 1)) - 1
        return rf"^(?:0|[1-9][0-9]{{0,{digits - 1}}})$" if digits else "^0$"
    if name == COST_CENTRE:
        # Nothing to trim, nothing too long, no error; what else may be white space than RE2 knows is left to the rules.
        return rf"(?s)^[^#\s\p{{Z}}\p{{C}}](?:.{{0,{COST_CENTRE_CHARACTERS - 2}}}[^\s\p{{Z}}\p{{C}}])?$"
    return "^$"


def _may_fail(column: pa.Array) -> Mask:
    """Say for each text whether it may hold what a spreadsheet shows for a formula that failed."""
    found = texts.has_byte(column, _NUMBER_SIGN)
    where = texts.with_pair(column, _NUMBERED)
    if len(where):  # few lists hold any, and the pattern costs as much as everything else
        found[where] |= strings.mask(pc.match_substring_regex(strings.at(column, where), _NUMBERED_ERROR))
    return found


@dataclass(frozen=True, slots=True)
class _Repaired:
    """Cells of a ``column`` that the kernels repaired, and what became of them."""

    column: str
    rule: str
    positions: Positions
    after: pa.Array


@dataclass(frozen=True, slots=True)
class _Screened:
    """Texts as given, and what became of the ``suspects`` among them; ``lengths`` are those after tags."""

    given: pa.Array
    suspects: Positions
    filled: pa.Array
    lengths: texts.Lengths
    hollow: Mask

    def sent(self, where: Positions, alone: pa.Array) -> strings.Chosen:
        """Return the texts as sent, of which those at ``where`` were read ``alone``."""
        source = np.arange(len(self.given))
        source[self.suspects] = len(source) + np.arange(len(self.suspects))
        source[where] = len(source) + len(self.suspects) + np.arange(len(where))
        return strings.Chosen((self.given, self.filled, alone), source)


@dataclass(frozen=True, slots=True)
class _Those:
    """Columns of some of the rows, made when one is asked for."""

    columns: Mapping[str, pa.Array]
    positions: Positions

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> pa.Array:
        return strings.at(self.columns[name], self.positions)


class _Screening:
    """What the kernels say about a chunk; ``look`` collects the rows they leave to the rules."""

    def __init__(
        self,
        numbers: NDArray[np.int64],
        cells: Mapping[str, pa.Array],
        roles: Roles,
        policy: Policy,
        fields: Sequence[str],
    ) -> None:
        self._numbers = numbers
        self._cells = cells
        self._roles = roles
        self._policy = policy
        self._look = np.zeros(len(numbers), dtype=bool)
        self._repairs: list[_Repaired] = []
        self._links: dict[str, Mask] = {}
        self._fields = [name for name in fields if name in roles.columns]

    def examined(self) -> Examined:
        """Screen every column, then ask the rules about what is left."""
        read = {"msisdn": self._read_numbers()}
        screened = self._screen_texts()
        read |= {name: self._cells[self._roles.columns[name]] for name in (*self._fields, *self._own_smsid())}
        limits, lengths = self._policy.limits, screened.lengths
        self._look |= lengths.size > limits.text_bytes
        self._look |= lengths.double_byte & (lengths.characters > limits.text_characters)
        for name in self._roles.columns:
            self._screen_field(name)
        if self._policy.strict:
            for repair in self._repairs:
                self._look[repair.positions] = True
        found = Examined(
            row_numbers=self._numbers,
            fields=read,
            texts=screened.sent(_NOWHERE, strings.texts([])),
            characters=lengths.characters,
            size=lengths.size,
            double_byte=lengths.double_byte,
            hollow=screened.hollow,
            repairs=_SCHEMA.empty_table(),
        )
        self._ask_the_rules(found, screened)
        return found

    def _own_smsid(self) -> list[str]:
        return ["smsid"] if "smsid" in self._roles.columns else []

    def _read_numbers(self) -> pa.Array:
        name = self._roles.columns["msisdn"]
        read = msisdns.read_column(self._cells[name], overseas=self._policy.limits.overseas)
        self._look[read.unread] = True
        for rule, positions in read.repairs.items():
            self._repairs.append(_Repaired(name, rule, positions, strings.at(read.values, positions)))
        return read.values

    def _screen_texts(self) -> _Screened:
        """Say what becomes of the texts; those that are not clean after repairs and tags are left to the rules."""
        count, line_break = len(self._numbers), self._policy.limits.line_break
        name = self._roles.columns.get("text")
        if self._roles.common_text is not None:
            given, even = strings.constant(self._roles.common_text, count), np.zeros(count, dtype=bool)
        else:
            given = self._cells[name] if name else strings.constant("", count)
        given, unseen = self._with_templates(given)
        if self._roles.common_text is None:
            even = texts.is_even(given)
        suspects = np.flatnonzero(~even)
        lengths = texts.measure(given, line_break=line_break, even=np.ones(count, dtype=bool))
        blank = texts.is_blank(given)
        part = self._mended(strings.at(given, suspects), suspects)
        info = {tag: self._cells[self._roles.columns[tag]] for tag in tags.INFO_TAGS if tag in self._roles.columns}
        # Of a final text with any other brace nothing is known by its pieces: it is read alone.
        values = _Those({} if self._roles.final else self._cells, suspects)
        done = expansion.expand(part, values, _Those(info, suspects), self._policy.limits.short_link)
        again = texts.is_even(done.shown) & ~done.odd
        lengths.put(suspects, texts.measure(done.shown, line_break=line_break, even=again))
        blank[suspects] = texts.is_blank(done.shown)
        self._look |= _may_fail(given)
        if self._policy.sends_text:
            self._look |= blank & ~unseen
        self._look[suspects] |= _may_fail(done.shown)
        others = np.flatnonzero(~again)
        unclean = done.odd[others] | texts.needs_a_look(strings.at(done.shown, others))
        self._look[suspects[others[unclean]]] = True
        for tag, used in done.links.items():
            self._links[tag] = np.zeros(count, dtype=bool)
            self._links[tag][suspects[used]] = True
        hollow = np.zeros(count, dtype=bool)
        hollow[suspects] = done.hollow
        return _Screened(given, suspects, done.sent, lengths, hollow)

    def _with_templates(self, given: pa.Array) -> tuple[pa.Array, Mask]:
        """Put the texts of templates in the place of texts; say also which go out without anybody knowing theirs."""
        unseen = np.zeros(len(given), dtype=bool)
        name, known = self._roles.columns.get("template_id"), self._policy.templates
        where = _NOWHERE if name is None else np.flatnonzero(strings.mask(pc.not_equal(self._cells[name], "")))
        if name is None or not len(where):
            return given, unseen
        found = pc.index_in(strings.at(self._cells[name], where), value_set=strings.texts(list(known)))
        places = found.fill_null(len(known)).to_numpy()
        unseen[where] = places == len(known)
        if not self._policy.unchecked_templates:
            self._look |= unseen
        own = np.ones(len(where), dtype=bool)
        if self._roles.common_text is None:
            own = ~texts.is_blank(strings.at(given, where))
        self._look[where[own]] = True
        return strings.put(given, where, strings.at(strings.texts([*known.values(), ""]), places)), unseen

    def _mended(self, part: pa.Array, suspects: Positions) -> pa.Array:
        """Make the frequent repairs of texts; kana in two pieces and chosen replacements are left to single rows."""
        name = self._roles.columns.get("text")
        broken = np.flatnonzero(strings.mask(pc.match_substring_regex(part, _MENDABLE)))
        if not len(broken) or name is None or self._policy.replacements:
            return part
        odd = strings.mask(pc.match_substring_regex(strings.at(part, broken), rf"\{{[^{{}}]*{_MENDABLE}"))
        self._look[suspects[broken[odd]]] = True
        mended = strings.at(part, broken)
        changed = []
        for rule, pairs in _MENDING.items():
            before = mended
            for old, new in pairs:
                mended = pc.replace_substring(mended, old, new)
            changed.append((rule, np.flatnonzero(strings.mask(pc.not_equal(before, mended)))))
        for rule, where in changed:
            self._repairs.append(_Repaired(name, rule, suspects[broken[where]], strings.at(mended, where)))
        return strings.put(part, broken, mended)

    def _screen_field(self, name: str) -> None:
        """Leave to the rules whatever a field holds that is not plainly fine."""
        column = self._cells[self._roles.columns[name]]
        if name in tags.INFO_TAGS or (name == "memo" and self._policy.shift_jis):
            self._look |= texts.needs_a_look(column)
        elif name not in {"msisdn", "text", "memo"}:
            filled = strings.mask(pc.not_equal(column, ""))
            where = np.flatnonzero(filled)
            fine = pc.match_substring_regex(strings.at(column, where), _plainly_fine(name, self._policy.limits))
            self._look[where] |= ~strings.mask(fine)
            if name == REGISTRATION_DATE:
                self._look |= ~filled
            if name == COST_CENTRE:
                self._look |= strings.mask(pc.starts_with(column, ERROR_STARTS[-1]))
            for tag, used in self._links.items():
                if tags.LINK_TAGS[tag] == name:
                    self._look |= used & ~filled

    def _ask_the_rules(self, found: Examined, screened: _Screened) -> None:
        """Read the rows the kernels left alone one by one, and put what they are into the columns."""
        for tag, used in self._links.items():
            if tags.LINK_TAGS[tag] not in self._roles.columns:
                self._look |= used
        where = np.flatnonzero(self._look)
        cells = {name: strings.at(column, where).to_pylist() for name, column in self._cells.items()}
        rows = [
            Row(number, dict(zip(cells, values, strict=True)), self._roles, self._policy)
            for number, *values in zip(self._numbers[where].tolist(), *cells.values(), strict=True)
        ]
        asked = rules_for(self._roles)
        for position, row in zip(where.tolist(), rows, strict=True):
            if wrong := findings(row, asked):
                found.findings[position] = wrong
                if row.is_sayable:
                    found.expanded[position] = self._expanded(row)
        self._put_right(found, screened, where, rows)
        rejected = {(wrong.row_number, wrong.column) for several in found.findings.values() for wrong in several}
        found.repairs = self._repair_table(
            [repair for row in rows for repair in row.repairs if (repair.row_number, repair.column) not in rejected]
        )

    def _put_right(self, found: Examined, screened: _Screened, where: Positions, rows: Sequence[Row]) -> None:
        """Put the values of rows that the rules had nothing against into the columns."""
        sound = [at not in found.findings for at in where.tolist()]
        where, rows = where[sound], [row for row, fine in zip(rows, sound, strict=True) if fine]
        values = [self._canonical(row) for row in rows]
        for name, column in found.fields.items():
            found.fields[name] = strings.put(column, where, strings.texts([value[name] for value in values]))
        found.texts = screened.sent(where, strings.texts([row.sent for row in rows]))
        found.size[where] = [row.length.size for row in rows]
        found.characters[where] = [row.length.characters for row in rows]
        found.double_byte[where] = [row.length.double_byte for row in rows]
        found.hollow[where] = [row.is_hollow for row in rows]

    def _expanded(self, row: Row) -> ExpandedText:
        length = row.length
        cut_by = self._policy.limits.cut_by(length.size, length.characters, double_byte=length.double_byte)
        return ExpandedText(text=row.shown, size=length.size, characters=length.characters, parts={}, cut_by=cut_by)

    def _canonical(self, row: Row) -> dict[str, str]:
        """Return a row's values as they go out."""
        values = {name: row.given(name) for name in (*self._fields, *self._own_smsid())} | row.info
        if row.scheduled:
            values["scheduled"] = row.scheduled.strftime(self._policy.scheduled_format)
        if day := read_day(row.given(REGISTRATION_DATE).strip()):
            values[REGISTRATION_DATE] = day.isoformat().replace("-", "")
        if "template_id" in values:
            values["template_id"] = canonical_id(values["template_id"], self._policy.limits.template_id_max)
        if COST_CENTRE in values:
            values[COST_CENTRE] = values[COST_CENTRE].strip()
        number = row.phone.msisdn if isinstance(row.phone, Reading) else ""
        return values | {"msisdn": number}

    def _repair_table(self, singly: Sequence[Repair]) -> pa.Table:
        """Put the repairs of the kernels and those of single rows into one table, by row."""
        tables = [
            pa.table(
                [
                    pa.array([getattr(repair, name) for repair in singly], kind)
                    for name, kind in zip(_SCHEMA.names, _SCHEMA.types, strict=True)
                ],
                schema=_SCHEMA,
            )
        ]
        for repair in self._repairs:
            alone = ~self._look[repair.positions]
            kept = repair.positions[alone]
            same = (strings.constant(value, len(kept)) for value in (repair.column, repair.rule))
            cells = strings.at(self._cells[repair.column], kept), repair.after.filter(pa.array(alone))
            tables.append(pa.table([pa.array(self._numbers[kept]), *same, *cells], schema=_SCHEMA))
        return pa.concat_tables(tables).sort_by([("row_number", "ascending"), ("rule", "ascending")])
