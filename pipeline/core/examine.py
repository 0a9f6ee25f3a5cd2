"""The rules of a row, in one visible list: which rows go out, what was repaired, what is wrong with the others.

``examine`` takes a chunk of the input and returns the accepted rows in canonical form plus findings and repairs as
data. Uniqueness over the whole file is ``Uniqueness``: the first acceptable row of a number stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa

from pipeline.core import ids, msisdn, tags, text
from pipeline.model import CharacterAt, Finding, Repair

_SHOWN = 5
_SMSID = re.compile(r"^[A-Za-z0-9]+$")
_NUMBER_LIKE = re.compile(r"^[0-9]+(?:[eE][0-9]+)?$")
_TITLE = re.compile(r"^[A-Za-z0-9\-_.]+$")
_URL_CHARACTER = re.compile(r"[^!#-;=?-\[\]_a-z~%]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the account allows; bytes are Shift_JIS bytes, characters what the gateway counts."""

    overseas: bool
    text_bytes: int
    text_characters: int
    line_break: int
    short_link: int
    url_characters: int
    smsid_characters: int
    title_min: int
    title_max: int


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column of the input plays which role: field of the gateway → column name, or one text for all."""

    columns: Mapping[str, str]
    common_text: str | None = None

    def name(self, role: str) -> str:
        """Return the column that plays ``role``, or the role itself when it has none."""
        return self.columns.get(role, role)


@dataclass(slots=True)
class Examined:
    """A chunk after every rule: canonical columns by field (all rows), findings by position, repairs in order."""

    row_numbers: list[int]
    fields: dict[str, list[str]]
    characters: list[int]
    size: list[int]
    double_byte: list[bool]
    findings: dict[int, list[Finding]] = field(default_factory=dict)
    repairs: list[Repair] = field(default_factory=list)

    def reject(self, position: int, finding: Finding) -> None:
        """Add a finding to a row."""
        self.findings.setdefault(position, []).append(finding)

    def accepted(self) -> list[int]:
        """Return the positions of rows without a finding."""
        return [position for position in range(len(self.row_numbers)) if position not in self.findings]


def examine(chunk: pd.DataFrame, row_number: str, roles: Roles, limits: Limits, fields: Sequence[str]) -> Examined:
    """Apply every rule to a chunk. ``fields`` are the gateway fields a row may carry besides number and text."""
    rows: list[int] = chunk[row_number].tolist()
    columns = {str(name): _arrow(chunk[name]) for name in chunk.columns if name != row_number}
    empty = pa.array([""] * len(rows), pa.large_string())
    role = {name: columns.get(roles.columns.get(name, ""), empty) for name in (*fields, "msisdn", "smsid", "text")}
    if roles.common_text is not None:
        role["text"] = pa.array([roles.common_text] * len(rows), pa.large_string())
    numbers = msisdn.read_column(role["msisdn"], overseas=limits.overseas)
    repaired = text.repair_column(role["text"])
    values = {name: text.repair_column(column).values for name, column in columns.items()}
    info = {name: text.repair_column(role[name]).values for name in tags.INFO_TAGS}
    expanded = tags.expand(repaired.values, values, info, short_link=limits.short_link)
    sent, shown = text.repair_column(expanded.sent).values, text.repair_column(expanded.shown).values
    lengths = text.measure(shown, line_break=limits.line_break)
    found = Examined(
        rows,
        {name: role[name].to_pylist() for name in fields}
        | {
            "msisdn": numbers.values.to_pylist(),
            "text": sent.to_pylist(),
            "smsid": role["smsid"].to_pylist(),
        },
        lengths.characters.to_pylist(),
        lengths.size.to_pylist(),
        lengths.double_byte.to_pylist(),
    )
    found.fields |= {name: column.to_pylist() for name, column in info.items() if name in fields}
    _numbers(found, roles, role["msisdn"], numbers)
    _texts(found, roles, limits, given=role["text"], repaired=repaired, expanded=expanded, shown=shown)
    _links(found, roles, expanded, limits)
    _others(found, roles, limits)
    found.repairs = [repair for repair in found.repairs if repair.before != repair.after]
    return found


def _arrow(column: pd.Series) -> pa.Array:
    array = pa.array(column, pa.large_string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _numbers(found: Examined, roles: Roles, given: pa.Array, numbers: msisdn.MsisdnColumn) -> None:
    name = roles.name("msisdn")
    for position, unreadable in numbers.unreadable.items():
        found.reject(position, Finding(found.row_numbers[position], name, unreadable.code, unreadable.facts))
    for position, rules in numbers.repairs.items():
        row = found.row_numbers[position]
        before, after = given[position].as_py(), numbers.values[position].as_py()
        found.repairs += [Repair(row, name, rule, before, after) for rule in rules]


def _texts(  # noqa: PLR0913 - one pass over what the kernels found
    found: Examined,
    roles: Roles,
    limits: Limits,
    *,
    given: pa.Array,
    repaired: text.RepairedColumn,
    expanded: tags.Expansion,
    shown: pa.Array,
) -> None:
    name = roles.name("text")

    def finding(position: int, code: str, /, **facts: object) -> None:
        found.reject(position, Finding(found.row_numbers[position], name, code, facts))

    for position, rules in repaired.rules.items():
        before, after = given[position].as_py(), repaired.values[position].as_py()
        found.repairs += [Repair(found.row_numbers[position], name, rule, before, after) for rule in rules]
    for position, at in expanded.unclosed.items():
        finding(position, "tag.unclosed", position=at)
    for position, unknown in expanded.unknown.items():
        finding(position, "tag.unknown", tag=unknown[0])
    blank, forbidden = text.is_blank(shown).to_pylist(), text.has_forbidden(shown).to_pylist()
    for position in range(len(shown)):
        if position in expanded.unclosed or position in expanded.unknown:
            continue
        sent = found.fields["text"][position]
        if blank[position]:
            finding(position, "text.empty")
        elif tag := _value_tag(sent, shown[position].as_py(), expanded.gateway_tags.get(position, ())):
            finding(position, "tag.in_value", tag=tag)
        elif forbidden[position]:
            characters = text.forbidden_characters(shown[position].as_py())
            facts = {"shown": _first(characters)}
            row = found.row_numbers[position]
            found.reject(position, Finding(row, name, "text.platform_dependent", facts, characters))
        else:
            _lengths(found, position, name, limits)


def _lengths(found: Examined, position: int, name: str, limits: Limits) -> None:
    row, size, characters = found.row_numbers[position], found.size[position], found.characters[position]
    if size > limits.text_bytes:
        facts = {"size": size, "limit": limits.text_bytes}
        found.reject(position, Finding(row, name, "text.too_many_bytes", facts))
    if found.double_byte[position] and characters > limits.text_characters:
        facts = {"size": characters, "limit": limits.text_characters}
        found.reject(position, Finding(row, name, "text.too_many_characters", facts))


def _value_tag(sent: str, shown: str, template_tags: tuple[str, ...]) -> str | None:
    """Return a gateway tag that a value brought: more stand in ``sent`` than the template had, or in ``shown``."""
    in_sent, in_shown = re.findall(tags.GATEWAY_TAG, sent), re.findall(tags.GATEWAY_TAG, shown)
    if in_shown or len(in_sent) > len(template_tags):
        return str((in_shown or in_sent)[0])[1:-1]
    return None


def _links(found: Examined, roles: Roles, expanded: tags.Expansion, limits: Limits) -> None:
    for tag, name in tags.LINK_TAGS.items():
        urls = found.fields[name]
        for position, url in enumerate(urls):
            if url:
                code, facts = _url_fault(url, limits)
                if code:
                    found.reject(position, Finding(found.row_numbers[position], roles.name(name), code, facts))
            elif tag in expanded.gateway_tags.get(position, ()):
                row = found.row_numbers[position]
                found.reject(position, Finding(row, roles.name("text"), "url.tag_without_url", {"tag": tag}))


def _url_fault(url: str, limits: Limits) -> tuple[str, dict[str, object]]:
    if not re.match(r"https?://[^/]", url, re.IGNORECASE):
        return "url.scheme", {}
    if len(url) > limits.url_characters:
        return "url.too_long", {"size": len(url), "limit": limits.url_characters}
    if strange := _URL_CHARACTER.search(url.lower()):
        return "url.characters", {"shown": f"{strange.start() + 1}:{url[strange.start()]}"}
    return "", {}


def _others(found: Examined, roles: Roles, limits: Limits) -> None:
    """Check what the user gave besides number, text and links. A memo never reaches a phone: it may hold anything."""
    for position, smsid in enumerate(found.fields["smsid"]):
        if smsid and (code := _smsid_fault(smsid, limits)):
            row = found.row_numbers[position]
            found.reject(position, Finding(row, roles.name("smsid"), code, {"limit": limits.smsid_characters}))
    for position, title in enumerate(found.fields["title"]):
        if title and not _is_title(title, limits):
            row = found.row_numbers[position]
            title_limits = {"minimum": limits.title_min, "maximum": limits.title_max}
            found.reject(position, Finding(row, roles.name("title"), "title.characters", title_limits))
    for name in tags.INFO_TAGS:
        for position, value in enumerate(found.fields[name]):
            if value and (characters := text.forbidden_characters(value)):
                facts = {"shown": _first(characters)}
                row = found.row_numbers[position]
                found.reject(position, Finding(row, roles.name(name), "field.platform_dependent", facts, characters))


def _smsid_fault(smsid: str, limits: Limits) -> str | None:
    if not _SMSID.fullmatch(smsid) or len(smsid) > limits.smsid_characters:
        return "smsid.characters"
    return "smsid.is_a_number" if _NUMBER_LIKE.fullmatch(smsid) else None


def _is_title(title: str, limits: Limits) -> bool:
    fits = limits.title_min <= len(title) <= limits.title_max
    return fits and bool(_TITLE.fullmatch(title)) and not title.isdigit()


def _first(characters: Sequence[CharacterAt]) -> str:
    """Show the first few characters that cannot be sent."""
    return ", ".join(map(str, characters[:_SHOWN]))


class Uniqueness:
    """The first acceptable row of each number and each smsid in a file."""

    def __init__(self) -> None:
        """Start with a file in which nothing was seen."""
        self._first: dict[str, dict[str, int]] = {"msisdn": {}, "smsid": {}}

    def check(
        self, found: Examined, roles: Roles, used: Callable[[list[str]], set[str]], served: Collection[str] = ()
    ) -> None:
        """Reject rows that repeat a number or an smsid of an earlier row.

        ``used`` says which smsids are taken; a number in ``served`` keeps the smsid it was served with.
        """
        own = [smsid for smsid in found.fields["smsid"] if smsid]
        taken = used(own) if own else set()
        for position in found.accepted():
            row = found.row_numbers[position]
            number, smsid = found.fields["msisdn"][position], found.fields["smsid"][position]
            if (first := self._first["msisdn"].get(number)) is not None:
                found.reject(position, Finding(row, roles.name("msisdn"), "recipient.duplicate", {"first": first}))
            elif smsid and number not in served and (smsid in taken or smsid in self._first["smsid"]):
                facts = {"first": self._first["smsid"].get(smsid, "-")}
                found.reject(position, Finding(row, roles.name("smsid"), "smsid.duplicate", facts))
            else:
                self._first["msisdn"][number] = row
                if smsid:
                    self._first["smsid"][smsid] = row


def digests(texts: Sequence[str]) -> list[str]:
    """Return the digest of each text."""
    return [ids.text_digest(value) for value in texts]
