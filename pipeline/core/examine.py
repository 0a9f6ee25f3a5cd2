"""The rules of a row, in one visible list: which rows go out, what was repaired, what is wrong with the others.

``examine`` takes a chunk of the input and returns the accepted rows in canonical form plus findings and repairs as
data. Uniqueness over the whole file is ``Uniqueness``: the first acceptable row of a number stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core import ids, msisdn, tags, text
from pipeline.model import Finding, Repair

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
    """Which column of the input plays which role: field of the gateway → column name. ``text`` may be a whole file's."""

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


def examine(
    chunk: pd.DataFrame, row_number: str, roles: Roles, limits: Limits, fields: Sequence[str]
) -> Examined:
    """Apply every rule to a chunk. ``fields`` are the gateway fields a row may carry besides number and text."""
    rows: list[int] = chunk[row_number].tolist()
    columns = {str(name): _arrow(chunk[name]) for name in chunk.columns if name != row_number}
    empty = pa.array([""] * len(rows), pa.large_string())
    role = {
        name: columns.get(roles.columns.get(name, ""), empty) for name in (*fields, "msisdn", "smsid", "text")
    }
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
    _texts(found, roles, role["text"], repaired, expanded, shown, limits)
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
    given: pa.Array,
    repaired: text.RepairedColumn,
    expanded: tags.Expansion,
    shown: pa.Array,
    limits: Limits,
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
    whole = [
        position for position in range(len(shown)) if position not in expanded.unclosed | expanded.unknown
    ]
    blank, forbidden = text.is_blank(shown).to_pylist(), text.has_forbidden(shown).to_pylist()
    in_value = pc.match_substring_regex(shown, tags.GATEWAY_TAG).to_pylist()
    for position in whole:
        if blank[position]:
            finding(position, "text.empty")
            continue
        if in_value[position] or _value_tag(
            found.fields["text"][position], expanded.gateway_tags.get(position, ())
        ):
            tag = re.search(tags.GATEWAY_TAG, shown[position].as_py()) or re.search(
                tags.GATEWAY_TAG, found.fields["text"][position]
            )
            finding(position, "tag.in_value", tag=tag[0][1:-1] if tag else "")
            continue
        if forbidden[position]:
            characters = text.forbidden_characters(shown[position].as_py())
            facts = {"shown": ", ".join(map(str, characters[:_SHOWN]))}
            row = found.row_numbers[position]
            found.reject(position, Finding(row, name, "text.platform_dependent", facts, characters))
            continue
        if found.size[position] > limits.text_bytes:
            finding(position, "text.too_many_bytes", size=found.size[position], limit=limits.text_bytes)
        if found.double_byte[position] and found.characters[position] > limits.text_characters:
            size = found.characters[position]
            finding(position, "text.too_many_characters", size=size, limit=limits.text_characters)


def _value_tag(sent: str, template_tags: tuple[str, ...]) -> bool:
    """Say whether the text we send holds more gateway tags than the template did: then a value brought one."""
    return len(re.findall(tags.GATEWAY_TAG, sent)) > len(template_tags)


def _links(found: Examined, roles: Roles, expanded: tags.Expansion, limits: Limits) -> None:
    for tag, name in tags.LINK_TAGS.items():
        urls = found.fields[name]
        for position, url in enumerate(urls):
            if url:
                code, facts = _url_fault(url, limits)
                if code:
                    found.reject(
                        position, Finding(found.row_numbers[position], roles.name(name), code, facts)
                    )
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

    def finding(position: int, name: str, code: str, /, **facts: object) -> None:
        found.reject(position, Finding(found.row_numbers[position], roles.name(name), code, facts))

    for position, smsid in enumerate(found.fields["smsid"]):
        if not smsid:
            continue
        if not _SMSID.match(smsid) or len(smsid) > limits.smsid_characters:
            finding(position, "smsid.characters", limit=limits.smsid_characters)
        elif _NUMBER_LIKE.match(smsid):
            finding(position, "smsid.is_a_number")
    for position, title in enumerate(found.fields["title"]):
        fits = (
            limits.title_min <= len(title) <= limits.title_max and _TITLE.match(title) and not title.isdigit()
        )
        if title and not fits:
            finding(position, "title.characters", minimum=limits.title_min, maximum=limits.title_max)
    for name in tags.INFO_TAGS:
        for position, value in enumerate(found.fields[name]):
            if value and (characters := text.forbidden_characters(value)):
                facts = {"shown": ", ".join(map(str, characters[:_SHOWN]))}
                row = found.row_numbers[position]
                found.reject(
                    position, Finding(row, roles.name(name), "field.platform_dependent", facts, characters)
                )


class Uniqueness:
    """The first acceptable row of each number and each smsid in a file."""

    def __init__(self) -> None:
        """Start with a file in which nothing was seen."""
        self._first: dict[str, dict[str, int]] = {"msisdn": {}, "smsid": {}}

    def check(self, found: Examined, roles: Roles, used: Callable[[list[str]], set[str]]) -> None:
        """Reject rows that repeat a number or an smsid of an earlier row; ``used`` says which smsids are taken."""
        own = [smsid for smsid in found.fields["smsid"] if smsid]
        taken = used(own) if own else set()
        for position in found.accepted():
            row = found.row_numbers[position]
            number, smsid = found.fields["msisdn"][position], found.fields["smsid"][position]
            if (first := self._first["msisdn"].get(number)) is not None:
                found.reject(
                    position, Finding(row, roles.name("msisdn"), "recipient.duplicate", {"first": first})
                )
            elif smsid and (smsid in taken or smsid in self._first["smsid"]):
                facts = {"first": self._first["smsid"].get(smsid, "-")}
                found.reject(position, Finding(row, roles.name("smsid"), "smsid.duplicate", facts))
            else:
                self._first["msisdn"][number] = row
                if smsid:
                    self._first["smsid"][smsid] = row


def digests(texts: Sequence[str]) -> list[str]:
    """Return the digest of each text."""
    return [ids.text_digest(value) for value in texts]
