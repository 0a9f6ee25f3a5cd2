"""What can be turned on the embedded gateway: options of an account, and ways to fail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

#: Fields that are faults. At most one is set, so that every test says what happened.
FAULTS = (
    "html_200",
    "html_200_nothing",
    "refuse_code",
    "reset_after_bytes",
    "accept_then_reset",
    "swallow",
    "http_502_after_taking",
    "http_503_before_reading",
    "partial_counts",
    "redirect_to",
)

_KINDS: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "int | None": (int, type(None)),
    "str | None": (str, type(None)),
}
_CODE = re.compile(r"\d{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """One setting of all knobs. Frozen: turning a knob means putting another ``Knobs`` in its place.

    Account options: ``answer_csvid`` and ``answer_counts`` give the two optional lines of a send's answer;
    ``code_as_http_status`` puts codes below 600 into the HTTP status too; ``dedupe_smsid`` rejects a known
    smsid with 587 instead of taking it again; ``numeric_status`` and ``spaced_labels`` change column 12;
    ``enforce_rate`` answers 503 above the profile's requests per (real) second.

    Results: shown as they were ``results_delay`` seconds ago, silently cut after ``results_cap`` rows, every
    row twice with ``duplicate_results``; ``foreign`` messages of another system, registered together with the
    first upload, half of them without an smsid.

    Faults of the next ``faults`` sends that pass authentication; at most one of:

    - ``html_200``: takes everything, answers a HTML page with HTTP 200; ``html_200_nothing``: takes nothing
    - ``refuse_code``: reads and takes nothing, answers that code
    - ``reset_after_bytes``: reads at least that many bytes of the body, takes nothing, resets the connection
    - ``accept_then_reset``: takes everything, resets the connection
    - ``swallow``: takes everything, never answers
    - ``http_502_after_taking``: takes everything; ``http_503_before_reading``: reads and takes nothing
    - ``partial_counts``: takes everything, the counts miss the last row
    - ``redirect_to``: reads and takes nothing, answers HTTP 307 to that address
    """

    answer_csvid: bool = True
    answer_counts: bool = True
    code_as_http_status: bool = False
    dedupe_smsid: bool = False
    numeric_status: bool = False
    spaced_labels: bool = False
    enforce_rate: bool = False

    results_delay: int = 0
    results_cap: int | None = None
    duplicate_results: bool = False
    foreign: int = 0

    html_200: bool = False
    html_200_nothing: bool = False
    refuse_code: str | None = None
    reset_after_bytes: int | None = None
    accept_then_reset: bool = False
    swallow: bool = False
    http_502_after_taking: bool = False
    http_503_before_reading: bool = False
    partial_counts: bool = False
    redirect_to: str | None = None
    faults: int = 1

    def __post_init__(self) -> None:
        """Refuse values of another type, negative numbers, a code that is none, and two faults at once."""
        for knob in fields(self):
            value = getattr(self, knob.name)
            kinds = _KINDS[str(knob.type)]
            # bool is an int to isinstance; JSON true is no number.
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                msg = f"{knob.name}: expected {knob.type}"
                raise ValueError(msg)
            if isinstance(value, int) and value < 0:
                msg = f"{knob.name}: must not be negative"
                raise ValueError(msg)
        if self.refuse_code is not None and not _CODE.fullmatch(self.refuse_code):
            msg = "refuse_code: expected three digits"
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
        """Return every knob by name."""
        return asdict(self)

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
        return cls(**values)
