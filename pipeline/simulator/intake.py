"""One row of an upload: taken as it will be sent, or rejected with a code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from pipeline.simulator.numbers import accepted_digits
from pipeline.simulator.store import Batch, Taken
from pipeline.simulator.stories import AU, Storyteller
from pipeline.simulator.texts import Cutter, expand

if TYPE_CHECKING:
    from schemas.profile import Layout, Profile

TextType = Literal["text", "template"]

INVALID_NUMBER = "560"
INVALID_TEMPLATE = "570"
INVALID_SMSID = "574"
INVALID_TEXT = "585"
REPEATED_SMSID = "587"
INVALID_URL = "590"

_SMSID = re.compile(r"[A-Za-z0-9]*")
_NUMBER = re.compile(r"[0-9]{1,9}")
_URL = re.compile(r"https?://\S+")
_URL_FIELDS = {"URL": "originalurl", "URL2": "originalurl2", "URL3": "originalurl3", "URL4": "originalurl4"}
_INFO_FIELDS = ("info1", "info2", "info3", "info4")
_BLANK = " \u3000\r\n"
# Not echoed although both ways: results show these in a form of their own.
_OWN_FORM = {"msisdn", "text", "scheduled", "smsid"}
_ECHO_CHARACTERS = 255
_NAMED_CHARACTERS = 64


def echoed(layout: Layout) -> list[str]:
    """Return the fields that results repeat as they were sent."""
    return [column.field for column in layout.column if column.direction == "both" and column.field not in _OWN_FORM]


class Intake:
    """Judges the rows of one upload: keeps the taken ones, writes down the rejected ones."""

    def __init__(
        self, profile: Profile, teller: Storyteller, text_type: TextType, known_smsids: set[str] | None
    ) -> None:
        """Begin an upload; ``known_smsids`` are rejected when repeated, None takes them again."""
        self.batch = Batch()
        self.failed = 0
        self.reject_lines = bytearray()
        self._profile = profile
        self._teller = teller
        self._text_type = text_type
        self._known = known_smsids
        self._cutter = Cutter(profile)
        self._at = {column.field: column.number - 1 for column in profile.layout.column}
        self._echo = echoed(profile.layout)

    def __call__(self, row: list[str]) -> None:
        """Take or reject one row of the layout's width."""
        judged = self._judge(row)
        if isinstance(judged, Taken):
            self.batch.add(judged)
            return
        self.failed += 1
        named = " ".join(row[0][:_NAMED_CHARACTERS].splitlines())
        self.reject_lines += f"{named},{judged}\n".encode()

    def _cell(self, row: list[str], field: str) -> str:
        return row[self._at[field]] if field in self._at else ""

    def _judge(self, row: list[str]) -> Taken | str:
        digits = accepted_digits(self._cell(row, "msisdn"), overseas=self._profile.options.overseas.value)
        if digits is None:
            return INVALID_NUMBER
        smsid = self._cell(row, "smsid")
        if not _SMSID.fullmatch(smsid) or len(smsid) > self._profile.limits.smsid_characters.value:
            return INVALID_SMSID
        urls = {tag: self._cell(row, field) for tag, field in _URL_FIELDS.items()}
        if any(url and not self._is_url(url) for url in urls.values()):
            return INVALID_URL
        template = self._template(row)
        if template is None:
            return INVALID_TEMPLATE
        infos = {field: self._cell(row, field) for field in _INFO_FIELDS}
        text, linked = expand(template, infos, urls, self._profile.limits.short_link.value)
        return self._refused_text_or_smsid(smsid, text) or Taken(
            smsid,
            digits,
            self._cutter.cut(text, characters_count=self._teller.carrier(digits) != AU),
            linked,
            tuple(self._echoed(row, field) for field in self._echo),
        )

    def _refused_text_or_smsid(self, smsid: str, text: str) -> str | None:
        """Look at the smsid last: one that was rejected for another reason may come again."""
        if not text.strip(_BLANK):
            return INVALID_TEXT
        if self._known is not None and smsid:
            if smsid in self._known:
                return REPEATED_SMSID
            self._known.add(smsid)
        return None

    def _template(self, row: list[str]) -> str | None:
        """Return the row's text; every template number is registered here, with a text that names it."""
        if self._text_type == "text":
            return self._cell(row, "text")
        number = self._cell(row, "template_id")
        known = _NUMBER.fullmatch(number) and int(number) <= self._profile.limits.template_id_max.value
        return f"テンプレート{int(number)} {{info1}}" if known else None

    def _is_url(self, url: str) -> bool:
        return len(url) <= self._profile.limits.url_characters.value and bool(_URL.fullmatch(url))

    def _echoed(self, row: list[str], field: str) -> str:
        # URLs were checked against their own limit and must come back whole.
        value = self._cell(row, field)
        return value if field in _URL_FIELDS.values() else value[:_ECHO_CHARACTERS]
