"""The gateway profile: everything that is known about the gateway, as data with its grade.

Grades: **S** preview specification, **V** vendor's developer pages, **T** third-party clients, **A** assumption;
a fact that several sources carry in part shows them all (``S+V``). A fact with ``confirmed`` is one whose
error would change who receives what, or when: it does nothing until the profile says ``confirmed = true``.

``parse_profile`` takes the text of a profile and returns a frozen ``Profile`` or raises ``UsageError``
(``profile.invalid``) that names file and key of every problem at once.
"""

from __future__ import annotations

import hashlib
import tomllib
from functools import cached_property
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from pipeline.errors import UsageError
from pipeline.model import Proof, RunAction, StatusClass

Grade = Annotated[str, StringConstraints(pattern=r"^[SVTA]([+/][SVTA])*$")]
T = TypeVar("T")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Fact(_Record, Generic[T]):
    """One value of the profile with its grade; ``confirmed`` is None where no confirmation is asked for."""

    value: T
    grade: Grade
    confirmed: bool | None = None
    note: str = ""


class Endpoint(_Record):
    """Where an interface answers: a path under the base URL, or an absolute URL."""

    url: str
    method: Literal["GET", "POST"]
    grade: Grade
    confirmed: bool | None = None
    note: str = ""


class Endpoints(_Record):
    """All interfaces of the gateway."""

    send_csv: Endpoint
    send_single: Endpoint
    results_csv: Endpoint
    result_single: Endpoint
    cancel: Endpoint


class Upload(_Record):
    """Form of the CSV send request."""

    part: Fact[str]
    encode_parameter: Fact[str]
    encode_utf8: Fact[str]
    encode_cp932: Fact[str]
    encoding: Fact[Literal["utf-8", "cp932"]]
    text_type_parameter: Fact[str]
    text_type_text: Fact[str]
    text_type_template: Fact[str]


class UploadAnswer(_Record):
    """Form of the CSV send answer, which depends on account options.

    ``counts``: "expected" where the account answers ``total|failed|ok`` (its absence then proves nothing),
    "absent" where the account has no such line.
    """

    taken_code: Fact[str]
    counts: Fact[Literal["expected", "absent"]]
    empty_body_is_taken: Fact[bool]


class ResultsQuery(_Record):
    """Form of the results CSV request; the period is [start, end) in JST."""

    start_parameter: Fact[str]
    end_parameter: Fact[str]
    encode_parameter: Fact[str]
    time_format: Fact[str]
    encoding: Fact[Literal["utf-8", "cp932"]]
    status_time_format: Fact[str]
    registered_time_format: Fact[str]


class Limits(_Record):
    """Limits of the gateway; bytes are Shift_JIS bytes, characters are what the gateway counts."""

    requests_per_second: Fact[int]
    get_bytes: Fact[int]
    max_rows: Fact[int]
    text_bytes: Fact[int]
    text_characters: Fact[int]
    long_text_bytes: Fact[int]
    long_text_characters: Fact[int]
    line_break: Fact[int]
    short_link: Fact[int]
    url_characters: Fact[int]
    url_code_characters: Fact[int]
    smsid_characters: Fact[int]
    template_id_max: Fact[int]
    title_min: Fact[int]
    title_max: Fact[int]
    username_min: Fact[int]
    username_max: Fact[int]
    password_min: Fact[int]
    password_max: Fact[int]
    cancel_value_characters: Fact[int]
    lockout_answers: Fact[int]


class Options(_Record):
    """Options of the account."""

    overseas: Fact[bool]
    long_text: Fact[bool]


class Column(_Record):
    """One column of the gateway CSV; ``number`` counts from 1."""

    number: int = Field(ge=1)
    field: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    direction: Literal["send", "result", "both"]
    grade: Grade
    confirmed: bool | None = None
    note: str = ""


class Layout(_Record):
    """The gateway CSV: the same columns for sending and for results."""

    columns: Fact[int]
    request_line_end: Fact[Literal["\r\n", "\n"]]
    column: tuple[Column, ...]

    @cached_property
    def by_field(self) -> dict[str, Column]:
        """Map a field name to its column."""
        return {column.field: column for column in self.column}


class Status(_Record):
    """One gateway status. ``label`` is canonical: NFKC, no white space; None where only the number is known."""

    number: int
    label: str | None = None
    means: StatusClass
    billable: bool = False
    clicked: bool = False
    grade: Grade
    note: str = ""

    @model_validator(mode="after")
    def _billable_is_delivered(self) -> Status:
        if self.billable and self.means is not StatusClass.DELIVERED:
            msg = f"status {self.number}: only a delivered status can be billable, not {self.means.value}"
            raise ValueError(msg)
        return self


class AnswerCode(_Record):
    """One answer code: what it proves about the request, and what the run does."""

    code: Annotated[str, StringConstraints(pattern=r"^\d{3}$")]
    meaning: str
    meaning_ja: str
    proves: Proof
    run: RunAction
    grade: Grade


class Profile(_Record):
    """All that is known about the gateway."""

    name: str
    title: str
    version: int
    endpoints: Endpoints
    upload: Upload
    upload_answer: UploadAnswer
    results: ResultsQuery
    limits: Limits
    options: Options
    layout: Layout
    status: tuple[Status, ...]
    answer: tuple[AnswerCode, ...]
    headers: dict[str, tuple[str, ...]]
    sha256: str

    @model_validator(mode="after")
    def _consistent(self) -> Profile:
        problems = [
            *_repeated("layout.column", "number", [column.number for column in self.layout.column]),
            *_repeated("layout.column", "field", [column.field for column in self.layout.column]),
            *_repeated("status", "number", [status.number for status in self.status]),
            *_repeated("status", "label", [status.label for status in self.status if status.label]),
            *_repeated("answer", "code", [answer.code for answer in self.answer]),
            *_repeated("headers", "synonym", [name for names in self.headers.values() for name in names]),
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
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @cached_property
    def status_by_label(self) -> dict[str, Status]:
        """Map a canonical label to its status."""
        return {status.label: status for status in self.status if status.label is not None}

    @cached_property
    def status_by_number(self) -> dict[str, Status]:
        """Map a status number, as text, to its status."""
        return {str(status.number): status for status in self.status}

    @cached_property
    def answer_by_code(self) -> dict[str, AnswerCode]:
        """Map an answer code to its meaning."""
        return {answer.code: answer for answer in self.answer}


def _repeated(place: str, key: str, values: list[int] | list[str]) -> list[str]:
    seen: set[int | str] = set()
    twice: list[int | str] = []
    for value in values:
        if value in seen and value not in twice:
            twice.append(value)
        seen.add(value)
    return [f"{place}: {key} {value!r} is given more than once" for value in twice]


def parse_profile(text: str, file: str) -> Profile:
    """Parse the text of a profile; ``file`` is its name in error messages."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError("profile.not_toml", file=file, problem=str(error)) from None
    try:
        return Profile.model_validate(
            {**raw, "sha256": hashlib.sha256(text.encode()).hexdigest()}, strict=False
        )
    except ValidationError as error:
        raise UsageError("profile.invalid", file=file, problems=describe_problems(error)) from None


def describe_problems(error: ValidationError) -> str:
    """Return every problem on its own line, as ``key: what is wrong``, without the values."""
    return "\n".join(
        f"  {'.'.join(map(str, problem['loc'])) or '(whole file)'}: {problem['msg']}"
        for problem in error.errors()
    )
