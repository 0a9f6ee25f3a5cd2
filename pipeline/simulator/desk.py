"""What the account decides about a message whose form is right: its text, and whether it will go out."""

from __future__ import annotations

import hashlib
import threading
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pipeline.simulator.clock import parse_moment
from pipeline.simulator.stories import AU, OPTED_OUT, Storyteller
from pipeline.simulator.texts import Cutter, expand, has_platform_characters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.simulator.knobs import Knobs
    from pipeline.simulator.store import Store
    from schemas.profile import Profile

NG_WORD = "NGワード"
OVER_LIMIT = "送信上限"
REPEATED = "重複不可"
OUTSIDE_HOURS = "SMS送信許可時間外"

URL_FIELDS = {"URL": "originalurl", "URL2": "originalurl2", "URL3": "originalurl3", "URL4": "originalurl4"}
INFO_FIELDS = ("info1", "info2", "info3", "info4")

_BLANK = " \u3000\r\n"
_WINDOW = timedelta(minutes=1)
_JAPAN, _JAPAN_DIGITS = "81", 12


class Composed(NamedTuple):
    """A text as it goes out, and whether there is a link in it."""

    text: str
    linked: bool


class Desk:
    """The account's rules and templates. Used by the server's thread; templates may be set by any."""

    def __init__(self, profile: Profile, teller: Storyteller, store: Store) -> None:
        """Begin with every template number registered, each with a text that names it."""
        self.profile = profile
        self.teller = teller
        self._store = store
        self._cutter = Cutter(profile)
        self._templates: dict[str, str] | None = None
        self._lock = threading.Lock()
        self._recent: dict[bytes, datetime] = {}

    @property
    def templates(self) -> dict[str, str] | None:
        """The registered texts by number; None while every number has one that names it."""
        with self._lock:
            return None if self._templates is None else dict(self._templates)

    @templates.setter
    def templates(self, templates: Mapping[str, str] | None) -> None:
        with self._lock:
            self._templates = (
                None if templates is None else {str(int(number)): text for number, text in templates.items()}
            )

    def template(self, number: str) -> str | None:
        """Return the text of a template, None for a number that is not registered."""
        if not (number.isascii() and number.isdigit()) or len(number) > len(str(self._template_max)):
            return None
        if int(number) > self._template_max:
            return None
        with self._lock:
            if self._templates is None:
                return f"テンプレート{int(number)} {{info1}}"
            return self._templates.get(str(int(number)))

    @property
    def _template_max(self) -> int:
        return self.profile.limits.template_id_max.value

    def compose(
        self, template: str, infos: Mapping[str, str], urls: Mapping[str, str], digits: str, knobs: Knobs
    ) -> Composed | None:
        """Return the text that goes out, None when it is refused.

        Refused: nothing but blanks and line breaks; and, as the knobs say, what is too long instead of being
        cut, platform-dependent characters, words that are not wanted.
        """
        text, linked = expand(template, infos, urls, self.profile.limits.short_link.value)
        if not text.strip(_BLANK):
            return None
        if knobs.refuse_platform_characters and has_platform_characters(text):
            return None
        if knobs.refuse_too_long and self._cutter.is_too_long(text):
            return None
        if knobs.ng_words_refuse and any(word in text for word in knobs.ng_words):
            return None
        return Composed(self._cutter.cut(text, characters_count=self.teller.carrier(digits) != AU), linked)

    def due(self, scheduled: str, now: datetime, knobs: Knobs, *forms: str) -> str | None:
        """Return when a message goes out (ISO 8601, empty for at once), None for a time that is none or has passed.

        ``scheduled`` is empty or a minute in one of ``forms``.
        """
        if not scheduled:
            return (now + timedelta(seconds=knobs.hold_seconds)).isoformat() if knobs.hold_seconds else ""
        found = [moment for form in forms if (moment := parse_moment(scheduled, form)) is not None]
        if not found or found[0] < now.replace(second=0, microsecond=0):
            return None
        return found[0].isoformat()

    def room(self, knobs: Knobs) -> int | None:
        """Return how many more messages the account may send, None for any number."""
        return None if knobs.send_limit is None else max(0, knobs.send_limit - len(self._store))

    def verdict(self, digits: str, text: str, due: str, now: datetime, knobs: Knobs) -> str:
        """Return the status with which a message fails although it is taken, empty where its story decides."""
        if knobs.opted_out and _person(digits) in _people(knobs.opted_out):
            return OPTED_OUT
        if any(word in text for word in knobs.ng_words):
            return NG_WORD
        if knobs.duplicate_check and self._is_repeated(digits, text, now):
            return REPEATED
        out_at = datetime.fromisoformat(due) if due else now
        return "" if _is_allowed(out_at, knobs.allowed_hours) else OUTSIDE_HOURS

    def _is_repeated(self, digits: str, text: str, now: datetime) -> bool:
        key = hashlib.blake2b(f"{_person(digits)}\x1f{text}".encode(), digest_size=16).digest()
        # In order of time, so those out of the window stand first.
        while self._recent and now - self._recent[first := next(iter(self._recent))] >= _WINDOW:
            del self._recent[first]
        if key in self._recent:
            return True
        self._recent[key] = now
        return False


def _person(digits: str) -> str:
    """Return the domestic form of a number, so that both forms of one person's are the same."""
    return "0" + digits[2:] if digits.startswith(_JAPAN) and len(digits) == _JAPAN_DIGITS else digits


@lru_cache(1)
def _people(numbers: tuple[str, ...]) -> frozenset[str]:
    return frozenset(_person(number.replace("-", "")) for number in numbers)


def _is_allowed(moment: datetime, hours: str | None) -> bool:
    if hours is None:
        return True
    start, _, end = hours.partition("-")
    minute = f"{moment:%H:%M}"
    return start <= minute < end if start <= end else not end <= minute < start
