"""What can be turned on the embedded gateway: options of an account, and ways to fail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from pipeline.simulator.stories import Kind

#: Fields that are faults. At most one is set, so that every test says what happened.
FAULTS = (
    "html_200",
    "html_200_nothing",
    "refuse_code",
    "reset_after_bytes",
    "accept_then_reset",
    "swallow",
    "slow_answer",
    "http_502_after_taking",
    "http_503_before_reading",
    "partial_counts",
    "redirect_to",
)

#: Groups in which knobs are shown; together they name every one.
GROUPS: dict[str, tuple[str, ...]] = {
    "answers": (
        "answer_csvid",
        "answer_counts",
        "answer_empty",
        "answer_date",
        "code_as_http_status",
        "enforce_rate",
        "throttle",
    ),
    "account": (
        "dedupe_smsid",
        "duplicate_check",
        "refuse_too_long",
        "refuse_platform_characters",
        "ng_words",
        "ng_words_refuse",
        "opted_out",
        "allowed_hours",
        "send_limit",
        "limit_as_status",
        "check_option",
        "check_disabled",
        "hold_seconds",
        "cancel_ignored",
    ),
    "results": (
        "numeric_status",
        "spaced_labels",
        "results_delay",
        "results_cap",
        "duplicate_results",
        "foreign",
        "fate",
        "single_result_of_csv",
    ),
    "notifications": (
        "notify_url",
        "notify_method",
        "notify_format",
        "notify_keep_parameters",
        "notify_attempts",
        "notify_interval",
        "notify_twice",
    ),
    "faults": (*FAULTS, "faults"),
}

_KINDS: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "int | None": (int, type(None)),
    "str": (str,),
    "str | None": (str, type(None)),
    "tuple[str, ...]": (tuple,),
}
#: field → what its text must look like, and how to say so
_FORMS: dict[str, tuple[str, str]] = {
    "refuse_code": (r"\d{3}", "three digits"),
    "allowed_hours": (r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", "hours like 09:00-18:00"),
    "notify_url": (r"https?://[!-~]+", "an address that starts with http:// or https://"),
    "notify_method": ("POST|GET", "POST or GET"),
    "notify_format": ("form|json", "form or json"),
    "fate": ("|".join(Kind), "one of " + ", ".join(Kind)),
}
_AT_LEAST_ONE = ("throttle", "notify_attempts", "notify_interval")


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """One setting of all knobs. Frozen: turning a knob means putting another ``Knobs`` in its place.

    Answers: ``answer_csvid`` and ``answer_counts`` give the two optional lines of a CSV send's answer; with
    ``answer_empty`` sends that are taken are answered with an empty body; ``answer_date`` gives the HTTP header
    ``Date``, by the gateway's clock;
    ``code_as_http_status`` puts codes below 600 into the HTTP status too; ``enforce_rate`` answers 503 above the
    profile's requests per (real) second; ``throttle`` reads bodies of sends at that many bytes a second.

    Account: ``dedupe_smsid`` rejects a known smsid with 587 instead of taking it again; ``duplicate_check`` lets
    the same number and text within a minute fail with 30; ``refuse_too_long`` answers 585 where texts are cut
    otherwise; ``refuse_platform_characters`` answers 585 to them; a text with one of ``ng_words`` fails with 36,
    or is answered 585 with ``ng_words_refuse``; numbers ``opted_out`` fail with 37; outside ``allowed_hours``
    (JST, like ``09:00-18:00``) messages fail with 27; beyond ``send_limit`` messages in all the answer is 402 and
    the rest of a file is not taken, or with ``limit_as_status`` it fails with 35; ``check_option`` and
    ``check_disabled`` decide about 606 and 610; messages wait ``hold_seconds`` before they go out and can be
    cancelled until then; ``cancel_ignored`` answers 200 to a cancellation and delivers all the same.

    Results: ``numeric_status`` and ``spaced_labels`` change the status; shown as they were ``results_delay``
    seconds ago, silently cut after ``results_cap`` rows, every row twice with ``duplicate_results``; ``foreign``
    messages of another system, registered together with the first upload, half of them without an smsid;
    ``fate`` decides for all messages taken from now on how they fare; ``single_result_of_csv`` lets the
    individual result know messages of CSV sends too.

    Notifications of messages sent with ``status=1`` go to ``notify_url`` with ``notify_method`` in
    ``notify_format``, at most ``notify_attempts`` times, ``notify_interval`` seconds apart, until they are answered
    with 200; ``notify_keep_parameters`` sends all parameters of the request back; ``notify_twice`` sends each
    again after it was accepted.

    Faults of the next ``faults`` sends (CSV or individual) that pass authentication; at most one of:

    - ``html_200``: takes everything, answers a HTML page with HTTP 200; ``html_200_nothing``: takes nothing
    - ``refuse_code``: reads and takes nothing, answers that code
    - ``reset_after_bytes``: reads at least that many bytes of the body, takes nothing, resets the connection
    - ``accept_then_reset``: takes everything, resets the connection
    - ``swallow``: takes everything, never answers; ``slow_answer``: answers after that many (real) seconds
    - ``http_502_after_taking``: takes everything; ``http_503_before_reading``: reads and takes nothing
    - ``partial_counts``: takes everything, the counts of a CSV send miss the last row
    - ``redirect_to``: reads and takes nothing, answers HTTP 307 to that address
    """

    answer_csvid: bool = True
    answer_counts: bool = True
    answer_empty: bool = False
    answer_date: bool = True
    code_as_http_status: bool = False
    enforce_rate: bool = False
    throttle: int | None = None

    dedupe_smsid: bool = False
    duplicate_check: bool = False
    refuse_too_long: bool = False
    refuse_platform_characters: bool = True
    ng_words: tuple[str, ...] = ()
    ng_words_refuse: bool = False
    opted_out: tuple[str, ...] = ()
    allowed_hours: str | None = None
    send_limit: int | None = None
    limit_as_status: bool = False
    check_option: bool = False
    check_disabled: bool = False
    hold_seconds: int = 0
    cancel_ignored: bool = False

    numeric_status: bool = False
    spaced_labels: bool = False
    results_delay: int = 0
    results_cap: int | None = None
    duplicate_results: bool = False
    foreign: int = 0
    fate: str | None = None
    single_result_of_csv: bool = False

    notify_url: str | None = None
    notify_method: str = "POST"
    notify_format: str = "form"
    notify_keep_parameters: bool = False
    notify_attempts: int = 5
    notify_interval: int = 60
    notify_twice: bool = False

    html_200: bool = False
    html_200_nothing: bool = False
    refuse_code: str | None = None
    reset_after_bytes: int | None = None
    accept_then_reset: bool = False
    swallow: bool = False
    slow_answer: int | None = None
    http_502_after_taking: bool = False
    http_503_before_reading: bool = False
    partial_counts: bool = False
    redirect_to: str | None = None
    faults: int = 1

    def __post_init__(self) -> None:
        """Refuse values of another type or form, negative numbers, and two faults at once."""
        for knob in fields(self):
            problem = _problem(knob.name, str(knob.type), getattr(self, knob.name))
            if problem:
                msg = f"{knob.name}: {problem}"
                raise ValueError(msg)
        together = [name for name in FAULTS if self._is_set(name)]
        if len(together) > 1:
            msg = f"only one fault at a time, not {' and '.join(together)}"
            raise ValueError(msg)

    @property
    def fault(self) -> str | None:
        """Name the fault of the next send, or None."""
        return next((name for name in FAULTS if self._is_set(name)), None) if self.faults else None

    def _is_set(self, name: str) -> bool:
        value = getattr(self, name)
        return value is not None and value is not False  # 0 bytes is a setting

    def as_json(self) -> dict[str, object]:
        """Return every knob by name, as JSON has it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values: object) -> Knobs:
        """Read knobs from a JSON object; those it does not name stand at their default.

        Raise ``ValueError`` that names what is wrong.
        """
        if not isinstance(values, Mapping):
            msg = "knobs are a JSON object"
            raise ValueError(msg)  # noqa: TRY004 - callers tell a bad setting by one class
        unknown = sorted(set(values) - {knob.name for knob in fields(cls)})
        if unknown:
            msg = f"no such knob: {', '.join(map(str, unknown))}"
            raise ValueError(msg)
        taken: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**taken)

    @classmethod
    def from_form(cls, values: Mapping[str, str]) -> Knobs:
        """Read knobs from the fields of a form, where an empty one is None and a list has a line for each entry.

        A switch that is not named is off. Raise ``ValueError`` that names what is wrong.
        """
        return cls.from_json(
            {
                knob.name: _from_field(knob.name, str(knob.type), values.get(knob.name, "").strip())
                for knob in fields(cls)
            }
        )


def _problem(name: str, kind: str, value: object) -> str:
    kinds = _KINDS[kind]
    # bool is an int to isinstance; JSON true is no number.
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        return f"expected {kind}"
    if isinstance(value, tuple) and not all(isinstance(part, str) and part for part in value):
        return "expected texts that are not empty"
    if isinstance(value, int) and value < (name in _AT_LEAST_ONE):
        return "must not be negative" if value < 0 else "must not be 0"
    if isinstance(value, str) and name in _FORMS and not _has_form(name, value):
        return f"expected {_FORMS[name][1]}"
    return ""


def _has_form(name: str, value: str) -> bool:
    return bool(re.fullmatch(_FORMS[name][0], value)) and (name != "notify_url" or _is_address(value))


def _is_address(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except ValueError:
        return False


def _from_field(name: str, kind: str, text: str) -> object:
    if kind == "bool":
        return bool(text)
    if kind == "tuple[str, ...]":
        return tuple(filter(None, (line.strip() for line in text.splitlines())))
    if not text and kind.endswith("None"):
        return None
    if kind.startswith("int"):
        if not re.fullmatch(r"[0-9]{1,12}", text):
            msg = f"{name}: expected {kind}"
            raise ValueError(msg)
        return int(text)
    return text
