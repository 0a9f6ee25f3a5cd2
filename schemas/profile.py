"""The gateway profile: everything that is known about the gateway, as data with its grade.

Grades: **S** preview specification, **V** vendor's developer pages, **T** third-party clients, **A** assumption;
a fact that several sources carry in part shows them all (``S+V``). A fact with ``confirmed`` is one whose
error would change who receives what, or when: it does nothing until the profile says ``confirmed = true``, or names it
in ``[[confirmed]]``.

``parse_profile`` takes the text of a profile and returns a frozen ``Profile`` or raises ``UsageError``
(``profile.invalid``) that names file and key of every problem at once.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from pipeline.core.headers import canonical_header
from pipeline.core.statuses import canonical_label
from pipeline.errors import UsageError
from pipeline.model import Proof, RunAction, StatusClass
from schemas.confirmed import Confirmed, confirm
from schemas.facts import Count, Fact, Grade, Name, Record, repeated
from schemas.profile_single import Cancel, Check, Single

#: what a section that a profile of one's own lacks is copied from
SHIPPED: Final = Path(__file__).with_name("profiles") / "mediasms.toml"
S = TypeVar("S")


class Endpoint(Record):
    """Where an interface answers: a path under the base URL, or an absolute URL."""

    url: str
    method: Literal["GET", "POST"]
    grade: Grade
    confirmed: bool | None = None
    note: str = ""


class Endpoints(Record):
    """All interfaces of the gateway."""

    send_csv: Endpoint
    send_single: Endpoint
    results_csv: Endpoint
    result_single: Endpoint
    cancel: Endpoint


class Upload(Record):
    """Form of the CSV send request."""

    part: Fact[str]
    encode_parameter: Fact[str]
    encode_utf8: Fact[str]
    encode_cp932: Fact[str]
    encoding: Fact[Literal["utf-8", "cp932"]]
    text_type_parameter: Fact[str]
    text_type_text: Fact[str]
    text_type_template: Fact[str]


class UploadAnswer(Record):
    """Form of the CSV send answer, which depends on account options.

    ``counts``: "expected" where the account answers ``total|failed|ok`` (its absence then proves nothing),
    "absent" where the account has no such line.
    """

    taken_code: Fact[str]
    counts: Fact[Literal["expected", "absent"]]
    empty_body_is_taken: Fact[bool]


class ResultsQuery(Record):
    """Form of the results CSV request; the period is [start, end) in JST."""

    start_parameter: Fact[str]
    end_parameter: Fact[str]
    encode_parameter: Fact[str]
    time_format: Fact[str]
    encoding: Fact[Literal["utf-8", "cp932"]]
    status_time_format: Fact[str]
    registered_time_format: Fact[str]


class Notification(Record):
    """Names of the fields of a result notification; an empty name stands for a field that is not known.

    ``text``, ``links`` and ``credentials`` are never stored; whatever has no name here is kept as it came.
    """

    msisdn: Fact[Name]
    status: Fact[Name]
    smsid: Fact[Name]
    carrier: Fact[str]
    status_time: Fact[str]
    status_time_format: Fact[Name]
    clicks: Fact[tuple[Name, ...]]
    type: Fact[str]
    text: Fact[tuple[Name, ...]]
    links: Fact[tuple[Name, ...]]
    credentials: Fact[tuple[Name, ...]]
    encoding: Fact[Literal["utf-8", "cp932"]]
    answer: Fact[str]

    @model_validator(mode="after")
    def _each_once(self) -> Notification:
        single = (self.msisdn, self.status, self.smsid, self.carrier, self.status_time, self.type)
        several = (self.clicks, self.text, self.links, self.credentials)
        names = [fact.value for fact in single if fact.value] + [name for fact in several for name in fact.value]
        if twice := repeated("notification", "field", names):
            raise ValueError("; ".join(twice))
        return self

    @cached_property
    def unstored(self) -> frozenset[str]:
        """Return the names of fields that are never stored, without regard to case."""
        return frozenset(name.casefold() for fact in (self.text, self.links, self.credentials) for name in fact.value)


class Limits(Record):
    """Limits of the gateway; bytes are Shift_JIS bytes, characters are what the gateway counts."""

    requests_per_second: Fact[Count]
    get_bytes: Fact[Count]
    max_rows: Fact[Count]
    text_bytes: Fact[Count]
    text_characters: Fact[Count]
    long_text_bytes: Fact[Count]
    long_text_characters: Fact[Count]
    longest_characters: Fact[Count]
    carriers: Fact[tuple[Name, ...]]
    bytes_only: Fact[tuple[Name, ...]]
    shorter: Fact[tuple[Name, ...]]
    line_break: Fact[Count]
    short_link: Fact[Annotated[int, Field(ge=0)]]
    url_characters: Fact[Count]
    url_code_characters: Fact[Count]
    smsid_characters: Fact[Count]
    template_id_max: Fact[Count]
    title_min: Fact[Count]
    title_max: Fact[Count]
    username_min: Fact[Count]
    username_max: Fact[Count]
    password_min: Fact[Count]
    password_max: Fact[Count]
    cancel_value_characters: Fact[Count]
    lockout_answers: Fact[Count]

    @model_validator(mode="after")
    def _ordered(self) -> Limits:
        pairs = (
            ("title", self.title_min, self.title_max),
            ("username", self.username_min, self.username_max),
            ("password", self.password_min, self.password_max),
        )
        wrong = [f"{name}_min is greater than {name}_max" for name, low, high in pairs if low.value > high.value]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class Options(Record):
    """Options of the account."""

    overseas: Fact[bool]
    long_text: Fact[bool]


class Column(Record):
    """One column of the gateway CSV; ``number`` counts from 1."""

    number: int = Field(ge=1)
    field: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    direction: Literal["send", "result", "both"]
    grade: Grade
    confirmed: bool | None = None
    note: str = ""


class Layout(Record):
    """The gateway CSV: the same columns for sending and for results."""

    columns: Fact[int]
    request_line_end: Fact[Literal["\r\n", "\n"]]
    column: tuple[Column, ...]

    @cached_property
    def by_field(self) -> dict[str, Column]:
        """Map a field name to its column."""
        return {column.field: column for column in self.column}


class Status(Record):
    """One gateway status. ``label`` is canonical: NFKC, no white space; of label and number one may be unknown."""

    number: int | None = None
    label: Name | None = None
    means: StatusClass
    billable: bool = False
    clicked: bool = False
    #: the recipient does not want to be written to: not somebody to try once more
    opted_out: bool = False
    #: a verdict after which the text goes out, where one was to follow
    then_sent: bool = False
    grade: Grade
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Status:
        if self.number is None and self.label is None:
            msg = "a status has a label, a number or both"
            raise ValueError(msg)
        who = self.label if self.number is None else self.number
        if self.billable and self.means not in {StatusClass.DELIVERED, StatusClass.VERDICT}:
            msg = f"status {who}: only a delivered status or a verdict can be billable, not {self.means.value}"
            raise ValueError(msg)
        if self.then_sent and self.means is not StatusClass.VERDICT:
            msg = f"status {who}: only after a verdict is a text then_sent, not after {self.means.value}"
            raise ValueError(msg)
        return self

    @property
    def name(self) -> str:
        """Return the label, or the number where no label is known."""
        return self.label or str(self.number)


class AnswerCode(Record):
    """One answer code: what it proves about the request, and what the run does.

    ``next`` is what a person does, in both languages; empty where that is what all that prove the same ask for.
    ``stops_logins``: it answers a login, and until a person has seen to that, one more does harm.
    """

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
    meaning: str
    meaning_ja: str
    proves: Proof
    run: RunAction
    next: str = ""
    next_ja: str = ""
    stops_logins: bool = False
    grade: Grade

    @model_validator(mode="after")
    def _in_both_languages(self) -> AnswerCode:
        if bool(self.next) != bool(self.next_ja):
            msg = f"answer {self.code}: next and next_ja go together"
            raise ValueError(msg)
        return self


class Profile(Record):
    """All that is known about the gateway.

    A section that may be None is younger than profiles that people have of their own: without it nothing of what it is
    about is done (``required``), and everything else is as before.
    """

    name: str
    title: str
    version: int
    endpoints: Endpoints
    upload: Upload
    upload_answer: UploadAnswer
    single: Single
    check: Check | None = None
    cancel: Cancel | None = None
    results: ResultsQuery
    notification: Notification | None = None
    limits: Limits
    options: Options
    layout: Layout
    status: tuple[Status, ...]
    answer: tuple[AnswerCode, ...]
    headers: dict[str, tuple[Name, ...]]
    confirmed: tuple[Confirmed, ...] = ()
    _sha256: str = PrivateAttr("")

    @model_validator(mode="after")
    def _consistent(self) -> Profile:
        dates = self.check.columns if self.check else ()
        problems = [
            *repeated("single.parameter", "name", [parameter.name for parameter in self.single.parameter]),
            *repeated("single.parameter", "filled_by", [parameter.filled_by for parameter in self.single.parameter]),
            *repeated("layout.column", "number", [column.number for column in self.layout.column]),
            *repeated("layout.column", "field", [column.field for column in self.layout.column]),
            *repeated("status", "number", [status.number for status in self.status if status.number is not None]),
            *repeated("status", "label", [status.label for status in self.status if status.label]),
            *repeated("answer", "code", [answer.code for answer in self.answer]),
            *repeated("headers", "synonym", [*(each for names in self.headers.values() for each in names), *dates]),
        ]
        total = self.layout.columns.value
        problems += [
            f"layout.column: number {column.number} is beyond the {total} columns of the layout"
            for column in self.layout.column
            if column.number > total
        ]
        problems += [
            f"layout.column: field {needed!r} is missing"
            for needed in ("msisdn", "text", "smsid", "status", "status_time")
            if needed not in self.layout.by_field
        ]
        problems += [
            f"single.parameter: filled_by {needed!r} is missing"
            for needed in ("msisdn", "text", "smsid")
            if needed not in self.single.by_field
        ]
        problems += [
            f"headers: {field!r} is no field of the layout"
            for field in self.headers
            if field not in self.layout.by_field
        ]
        problems += [
            f"headers: {name!r} of {field} is never met, as names are compared in the form {form!r}"
            for field, names in [*self.headers.items(), ("check.columns", dates)]
            for name in names
            if name != (form := canonical_header(name))
        ]
        problems += [
            f"status: label {status.label!r} is never met, as labels are compared in the form {form!r}"
            for status in self.status
            if status.label is not None and status.label != (form := canonical_label(status.label))
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def model_post_init(self, context: Any, /) -> None:  # noqa: ANN401 - pydantic's signature
        """Take the hash of the profile's text from the context: no file can say its own hash."""
        self._sha256 = (context or {}).get("sha256", "")

    @property
    def sha256(self) -> str:
        """The hash of the text of the profile."""
        return self._sha256

    @property
    def lacking(self) -> list[str]:
        """Name the sections that it lacks."""
        return [name for name, section in self if section is None]

    @cached_property
    def status_by_label(self) -> dict[str, Status]:
        """Map a canonical label to its status."""
        return {status.label: status for status in self.status if status.label is not None}

    @cached_property
    def status_by_number(self) -> dict[str, Status]:
        """Map a status number, as text, to its status."""
        return {str(status.number): status for status in self.status if status.number is not None}

    @cached_property
    def answer_by_code(self) -> dict[str, AnswerCode]:
        """Map an answer code to its meaning."""
        return {answer.code: answer for answer in self.answer}


def required(section: S | None, name: str) -> S:
    """Return a section of a profile; raise ``UsageError`` (``profile.no_section``) where the profile lacks it."""
    if section is None:
        raise UsageError("profile.no_section", section=name, file=SHIPPED)
    return section


@lru_cache(maxsize=8)
def parse_profile(text: str, file: str) -> Profile:
    """Parse the text of a profile; ``file`` is its name in error messages.

    The same text gives the same frozen profile, once: reading a thousand lines of TOML takes longer than the rest of
    opening an installation.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError("profile.not_toml", file=file, problem=str(error)) from None
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    problems = [f"  {problem}" for problem in confirm(raw)]
    try:
        # By way of JSON, where strict types take an array for a tuple and a word for an enum, and nothing else.
        profile = Profile.model_validate_json(json.dumps(raw, default=_no_json), context={"sha256": sha256})
    except ValidationError as error:
        problems.insert(0, describe_problems(error))
    if problems:
        raise UsageError("profile.invalid", file=file, problems="\n".join(problems))
    return profile


def _no_json(moment: object) -> dict[str, str]:
    """Stand in for a date or time of TOML, which no key of a profile takes."""
    return {"date": str(moment)}


def describe_problems(error: ValidationError) -> str:
    """Return every problem on its own line, as ``key: what is wrong``, without the values."""
    return "\n".join(
        f"  {'.'.join(map(str, problem['loc'])) or '(whole file)'}: {problem['msg']}" for problem in error.errors()
    )
