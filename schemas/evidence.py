"""What one message that came back says about the profile: entry by entry, by its own evidence.

Plain thinking about a row that was read raw: a profile that is wrong about columns must not hide what is there.
Nothing of a text or a number gets into an entry: values are shown by their form, with a 9 for every digit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pipeline.core.calendar import parse_gateway_time
from pipeline.core.msisdn import canonical_result
from pipeline.core.statuses import canonical_label
from pipeline.model import Observation, StatusClass
from schemas.facts import Fact
from schemas.profile import Column, Endpoint, Profile
from schemas.profile_single import SingleParameter

_SHOWN = 40
_DIGIT = re.compile(r"\d")
_PARTS = re.compile(r"[0-9]+/[0-9]+")
_COUNT = re.compile(r"[0-9]+")
_SENDER = re.compile(r"[0-9-]+")
#: clocks here and there may differ by so much
_CLOCKS = timedelta(minutes=10)
_PENDING = {StatusClass.PENDING, StatusClass.NO_VERDICT}


class Verdict(StrEnum):
    """What the evidence says about an entry; what was not seen is neither."""

    CONFIRMED = "confirmed"
    NOT_SEEN = "not_seen"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the profile: what it says, what came (a value by its form, or a ``word`` about it), and the verdict.

    ``column`` is where what was looked for stands instead. ``toml`` are the lines that, at the end of the profile,
    confirm the entry as it is, or as the evidence has it; empty where nothing is to be set.
    """

    key: str
    says: str
    verdict: Verdict
    came: str = ""
    word: str = ""
    column: int | None = None
    toml: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The message that was sent: how it is recognised, and when its request began."""

    smsid: str
    msisdn: str
    fixed: str
    marker: str
    begun_at: datetime
    as_single: bool


def shown(value: str) -> str:
    """Return a value by its form: a 9 for every digit, and not all of what is long."""
    return _DIGIT.sub("9", value[:_SHOWN])


def rows_of(probe: Probe, records: Sequence[Sequence[str]], profile: Profile) -> list[Sequence[str]]:
    """Return the rows that are about the message, in whatever column says so; those with a final status last.

    Its smsid says so for certain. Only where it stands in no row its marker does: another message may have one alike.
    """
    named = [row for row in records if any(cell.strip() == probe.smsid for cell in row)]
    found = named or [row for row in records if any(_is_marked(cell, probe.marker) for cell in row)]
    return sorted(found, key=lambda row: is_final(row, profile))


def _is_marked(cell: str, marker: str) -> bool:
    """Say whether a cell holds a marker as it is: that of a day's first message begins that of its second."""
    return re.search(rf"{re.escape(marker)}(?![0-9-])", cell) is not None


def is_final(row: Sequence[str], profile: Profile) -> bool:
    """Say whether the status column of a row has a status after which nothing is waited for."""
    status = status_in(_cell(row, profile.layout.by_field["status"].number), profile)
    return status is not None and status not in _PENDING


def status_in(cell: str, profile: Profile) -> StatusClass | None:
    """Return what a status as it came means; None where the profile does not know it."""
    label = canonical_label(cell)
    known = profile.status_by_label.get(label) or profile.status_by_number.get(label)
    return known.means if known else None


def about_upload(profile: Profile, code: str | None, lines: Collection[str], *, taken: bool) -> Iterator[Entry]:
    """Compare the form of an upload's answer; ``lines`` name those that were there, ``taken`` is known by a result."""
    answer = profile.upload_answer
    has_counts = "counts" in lines
    came = ", ".join([*([code] if code else []), *(line for line in lines if line != "code")])
    key, fact = "upload_answer.counts", answer.counts
    if code != answer.taken_code.value:
        yield Entry(key=key, says=fact.value, verdict=Verdict.NOT_SEEN, came=came)
    elif has_counts == (fact.value == "expected"):
        yield confirmed(key, fact, came=came)
    else:
        other = "expected" if has_counts else "absent"
        yield _contradicted(key, fact, came=came, right=other)
    if "empty" in lines and taken:
        yield _contradicted(
            "upload_answer.empty_body_is_taken", answer.empty_body_is_taken, came="", word="empty", right=True
        )


def about_rows(profile: Profile, probe: Probe, rows: Sequence[Sequence[str]], now: datetime) -> Iterator[Entry]:
    """Compare the layout, and the forms of times and texts, with rows about the message, the best one last."""
    row, width, total = rows[-1], len(rows[-1]), profile.layout.columns
    if width != total.value:
        yield _contradicted("layout.columns", total, came=str(width), right=None)
    else:
        yield confirmed("layout.columns", total, came=str(width))
    looked_at = _checks(profile, probe, now)
    for column in profile.layout.column:
        if column.field in looked_at and column.direction != "send":
            yield from _about_column(profile, column, row, looked_at[column.field])
    yield from _about_tag(profile, probe, row)
    text = next((cell for cell in row if probe.fixed in cell), None)
    for key, fact in (
        ("results.encoding", profile.results.encoding),
        ("results.encode_parameter", profile.results.encode_parameter),
    ):
        if text is None:
            yield Entry(key=key, says=fact.value, verdict=Verdict.NOT_SEEN)
        else:
            yield confirmed(key, fact, word="readable")


_Check = Callable[[str], bool]


def _checks(profile: Profile, probe: Probe, now: datetime) -> dict[str, _Check]:
    """Return for each field what its cell must look like."""
    results = profile.results
    carriers = {name.casefold() for name in profile.limits.carriers.value}

    def near(form: str, until: datetime) -> _Check:
        def check(cell: str) -> bool:
            moment = parse_gateway_time(cell, form)
            return moment is not None and probe.begun_at - _CLOCKS <= moment <= until + _CLOCKS

        return check

    found: dict[str, _Check] = {
        "msisdn": lambda cell: canonical_result(cell) == probe.msisdn,
        "text": lambda cell: probe.fixed in cell,
        "status": lambda cell: status_in(cell, profile) is not None,
        "status_time": near(results.status_time_format.value, now),
        "scheduled": near(results.registered_time_format.value, probe.begun_at),
        "smsid": lambda cell: cell == probe.smsid,
        "carrier": lambda cell: cell.casefold() in carriers,
        "parts": lambda cell: _PARTS.fullmatch(cell) is not None,
    }
    for column in profile.layout.column:
        if column.field.startswith("clicks"):
            found[column.field] = lambda cell: _COUNT.fullmatch(cell) is not None
        elif column.field.startswith("sender_") and column.field.removeprefix("sender_").isdigit():
            found[column.field] = lambda cell: _SENDER.fullmatch(cell) is not None
    return found


#: fields that every result has, and by whose content they are found elsewhere
_UNMISTAKABLE = ("msisdn", "text", "smsid")
#: what has a form but could be anything of that form: it can be contradicted by its cell, and not confirmed
_VAGUE = ("clicks", "sender_")
#: field of a time → the fact that gives its form
_FORMS = {"status_time": "status_time_format", "scheduled": "registered_time_format"}


def _about_column(profile: Profile, column: Column, row: Sequence[str], check: _Check) -> Iterator[Entry]:
    key = key_of(column)
    cell = _cell(row, column.number)
    came = cell if column.field == "status" and check(cell) else shown(cell)
    if column.field == "text":
        came = ""
    form = _FORMS.get(column.field)
    if check(cell) and column.field.startswith(_VAGUE):
        yield Entry(key=key, says=column.field, verdict=Verdict.NOT_SEEN, came=came)
        return
    if check(cell):
        if column.confirmed is False:
            # That it holds the registered time in results says nothing about what it does when sending.
            yield Entry(key=key, says=column.field, verdict=Verdict.NOT_SEEN, came=came)
        else:
            word, toml = "text" if column.field == "text" else "", set_column(column)
            yield Entry(key=key, says=column.field, verdict=Verdict.CONFIRMED, came=came, word=word, toml=toml)
        if form:
            yield confirmed(f"results.{form}", getattr(profile.results, form), came=came)
        return
    elsewhere = [number for number, other in enumerate(row, 1) if check(other.strip())]
    missed = bool(cell) or (column.field in _UNMISTAKABLE and bool(elsewhere))
    verdict = Verdict.CONTRADICTED if missed else Verdict.NOT_SEEN
    at = elsewhere[0] if column.field in _UNMISTAKABLE and elsewhere else None
    yield Entry(key=key, says=column.field, verdict=verdict, came=came, column=at)
    if form:
        yield Entry(key=f"results.{form}", says=getattr(profile.results, form).value, verdict=verdict, came=came)


def _about_tag(profile: Profile, probe: Probe, row: Sequence[str]) -> Iterator[Entry]:
    """Compare the text that came back: the gateway has put our value in the place of the tag, or it has not."""
    sent = profile.single.by_field.get("info1") if probe.as_single else profile.layout.by_field.get("info1")
    text = next((cell for cell in row if probe.fixed in cell), None)
    if sent is None or text is None:
        return
    key = key_of(sent)
    if _is_marked(text, probe.marker):
        yield Entry(key=key, says="info1", verdict=Verdict.CONFIRMED, word="filled", toml=set_column(sent))
    else:
        yield Entry(key=key, says="info1", verdict=Verdict.CONTRADICTED, word="not_filled")


def about_period(profile: Profile, *, ours_outside: bool | None) -> Iterator[Entry]:
    """Compare the period's parameters: its row came for a period that holds the message, and not for another one.

    ``ours_outside`` says whether it came for the other one, None where nobody asked.
    """
    results = profile.results
    for name in ("start_parameter", "end_parameter", "time_format"):
        key, fact = f"results.{name}", getattr(results, name)
        if ours_outside is None:
            yield Entry(key=key, says=fact.value, verdict=Verdict.NOT_SEEN)
        elif ours_outside:
            yield Entry(key=key, says=fact.value, verdict=Verdict.CONTRADICTED, word="any_period")
        else:
            yield confirmed(key, fact, word="period")


def about_notification(profile: Profile, seen: Observation | None) -> Iterator[Entry]:
    """Compare the fields of a notification that reached the endpoint: it could be read, so its names are right."""
    names = profile.notification
    if names is None:
        return
    if seen is None:
        yield Entry(key="notification", says=names.smsid.value, verdict=Verdict.NOT_SEEN)
        return
    for name in ("smsid", "msisdn", "status"):
        yield confirmed(f"notification.{name}", getattr(names, name), word="notified")
    if names.carrier.value and seen.carrier:
        yield confirmed("notification.carrier", names.carrier, word="notified")
    if names.status_time.value and seen.status_time:
        yield confirmed("notification.status_time", names.status_time, word="notified")
        yield confirmed("notification.status_time_format", names.status_time_format, word="notified")


def about_endpoint(
    key: str, endpoint: Endpoint, *, answered: bool, refused: str | None = None, word: str = ""
) -> Entry:
    """Compare an address: it ``answered`` with what was asked for, or ``refused`` is what it said instead."""
    if answered:
        toml = _lines(endpoint, key, endpoint.url)
        return Entry(key=key, says=endpoint.url, verdict=Verdict.CONFIRMED, word=word, toml=toml)
    verdict = Verdict.CONTRADICTED if refused else Verdict.NOT_SEEN
    return Entry(key=key, says=endpoint.url, verdict=verdict, came=refused or "")


def confirmed(key: str, fact: Fact[Any], *, came: str = "", word: str = "") -> Entry:
    """Return the entry of a fact that the evidence bears out, with the line that says so."""
    return Entry(
        key=key,
        says=str(fact.value),
        verdict=Verdict.CONFIRMED,
        came=came,
        word=word,
        toml=_lines(fact, key, fact.value),
    )


def _contradicted(key: str, fact: Fact[Any], *, came: str, right: object, word: str = "") -> Entry:
    """Return the entry of a fact that the evidence denies; ``right`` is its value, where the evidence shows one."""
    toml = () if right is None else (*_confirmed(key, right), f"instead_of = {_toml(fact.value)}")
    return Entry(key=key, says=_said(fact.value), verdict=Verdict.CONTRADICTED, came=came, word=word, toml=toml)


def set_column(entry: Column | SingleParameter) -> tuple[str, ...]:
    """Return the lines that say of a column or a parameter that it is confirmed."""
    value = entry.field if isinstance(entry, Column) else entry.filled_by
    return _lines(entry, key_of(entry), value)


def key_of(entry: Column | SingleParameter) -> str:
    """Return what an entry of a list goes by."""
    if isinstance(entry, Column):
        return f"layout.column {entry.number}"
    return f"single.parameter {entry.name}"


def _lines(entry: Column | SingleParameter | Endpoint | Fact[Any], key: str, value: object) -> tuple[str, ...]:
    """Return the lines that confirm an entry; nothing where it is sure, or confirmed already."""
    is_open = set(entry.grade) & {"A", "T"} and entry.confirmed is not True
    return _confirmed(key, value) if is_open else ()


def _confirmed(key: str, value: object) -> tuple[str, ...]:
    return "[[confirmed]]", f"key = {_toml(key)}", f"value = {_toml(value)}"


def _toml(value: object) -> str:
    """Return a value as TOML has it; its texts, whole numbers and truth values are those of JSON."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cell(row: Sequence[str], number: int) -> str:
    return row[number - 1].strip() if number <= len(row) else ""
