"""One row of an upload: taken as it will be sent, or rejected with a code."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pipeline.simulator.answers import (
    INVALID_NUMBER,
    INVALID_SMSID,
    INVALID_TEMPLATE,
    INVALID_TEXT,
    INVALID_TIME,
    INVALID_TITLE,
    INVALID_URL,
    REPEATED_SMSID,
)
from pipeline.simulator.desk import INFO_FIELDS, OVER_LIMIT, URL_FIELDS
from pipeline.simulator.numbers import accepted_digits, is_overseas
from pipeline.simulator.store import Batch, Taken

if TYPE_CHECKING:
    from pipeline.simulator.desk import Composed, Desk
    from pipeline.simulator.knobs import Knobs
    from pipeline.simulator.store import Store
    from schemas.profile import Layout

TextType = Literal["text", "template"]

_SMSID = re.compile(r"[A-Za-z0-9]*")
_URL = re.compile(r"https?://\S+")
_TITLE = re.compile(r"(?![0-9]+\Z)[A-Za-z0-9._-]*")
# Not echoed although both ways: results show these in a form of their own.
_OWN_FORM = {"msisdn", "text", "scheduled", "smsid"}
_ECHO_CHARACTERS = 255
_NAMED_CHARACTERS = 64
_COMPACT = "%Y%m%d%H%M"


def echoed(layout: Layout) -> list[str]:
    """Return the fields that results repeat as they were sent."""
    return [column.field for column in layout.column if column.direction == "both" and column.field not in _OWN_FORM]


def echo_limit(field: str) -> int | None:
    """Return how much of a value results repeat; None for links, which have a limit of their own: all of it."""
    return None if field in URL_FIELDS.values() else _ECHO_CHARACTERS


class Intake:
    """Judges the rows of one upload: keeps the taken ones, writes down the rejected ones.

    ``is_over_limit`` once the account's limit was reached: what came after that row was not looked at.
    """

    def __init__(self, desk: Desk, store: Store, text_type: TextType, knobs: Knobs, now: datetime) -> None:
        """Begin an upload that is registered ``now``."""
        self.batch = Batch()
        self.failed = 0
        self.reject_lines = bytearray()
        self.is_over_limit = False
        self._desk = desk
        self._profile = desk.profile
        self._text_type = text_type
        self._knobs = knobs
        self._now = now
        self._room = desk.room(knobs)
        self._store = store
        self._seen: set[str] = set()
        self._at = {column.field: column.number - 1 for column in self._profile.layout.column}
        self._echo = [(self._at[field], echo_limit(field)) for field in echoed(self._profile.layout)]
        self._fate = knobs.fate or ""
        self._held_until = desk.due("", now, knobs)
        self._has_rules = bool(knobs.opted_out or knobs.ng_words or knobs.duplicate_check or knobs.allowed_hours)
        self._times = (self._profile.results.registered_time_format.value, _COMPACT)

    def __call__(self, row: list[str]) -> None:
        """Take or reject one row of the layout's width."""
        if self.is_over_limit:
            return
        judged = self._judge(row)
        if judged is None:
            self.is_over_limit = True
        elif isinstance(judged, Taken):
            self.batch.add(judged)
        else:
            self.failed += 1
            named = " ".join(row[0][:_NAMED_CHARACTERS].splitlines())
            self.reject_lines += f"{named},{judged}\n".encode()

    def _cell(self, row: list[str], field: str) -> str:
        return row[self._at[field]] if field in self._at else ""

    def _judge(self, row: list[str]) -> Taken | str | None:
        """Return the message, or the code that rejects the row, or None beyond the limit."""
        digits = accepted_digits(self._cell(row, "msisdn"), overseas=self._profile.options.overseas.value)
        if digits is None:
            return INVALID_NUMBER
        smsid = self._cell(row, "smsid")
        urls = {tag: self._cell(row, field) for tag, field in URL_FIELDS.items()}
        scheduled = self._cell(row, "scheduled")
        due = self._desk.due(scheduled, self._now, self._knobs, *self._times) if scheduled else self._held_until
        wrong = self._wrong_form(smsid, urls, self._cell(row, "title") if is_overseas(digits) else "")
        if wrong or due is None:
            return wrong or INVALID_TIME
        template = self._template(row)
        if template is None:
            return INVALID_TEMPLATE
        infos = {field: self._cell(row, field) for field in INFO_FIELDS} if "{" in template else {}
        composed = self._desk.compose(template, infos, urls, digits, self._knobs)
        if composed is None:
            return INVALID_TEXT
        # The smsid last: one that was rejected for another reason may come again.
        return REPEATED_SMSID if self._is_repeated(smsid) else self._taken(row, smsid, digits, composed, due)

    def _taken(self, row: list[str], smsid: str, digits: str, composed: Composed, due: str) -> Taken | None:
        is_full = self._room is not None and len(self.batch) >= self._room
        if is_full and not self._knobs.limit_as_status:
            return None
        verdict = self._desk.verdict(digits, composed.text, due, self._now, self._knobs) if self._has_rules else ""
        return Taken(
            smsid,
            digits,
            composed.text,
            composed.linked,
            tuple([row[at][:limit] for at, limit in self._echo]),
            due=due,
            fate=self._fate,
            verdict=OVER_LIMIT if is_full else verdict,
        )

    def _is_repeated(self, smsid: str) -> bool:
        if not self._knobs.dedupe_smsid or not smsid:
            return False
        if smsid in self._seen or self._store.knows(smsid):
            return True
        self._seen.add(smsid)
        return False

    def _wrong_form(self, smsid: str, urls: dict[str, str], title: str) -> str | None:
        limits = self._profile.limits
        if not _SMSID.fullmatch(smsid) or len(smsid) > limits.smsid_characters.value:
            return INVALID_SMSID
        if any(url and not self._is_url(url) for url in urls.values()):
            return INVALID_URL
        # A title is the sender's name of messages that go overseas, and of no others (S).
        if title and not (_TITLE.fullmatch(title) and limits.title_min.value <= len(title) <= limits.title_max.value):
            return INVALID_TITLE
        return None

    def _template(self, row: list[str]) -> str | None:
        if self._text_type == "text":
            return self._cell(row, "text")
        return self._desk.template(self._cell(row, "template_id"))

    def _is_url(self, url: str) -> bool:
        return len(url) <= self._profile.limits.url_characters.value and bool(_URL.fullmatch(url))
