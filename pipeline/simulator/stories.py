"""What happens to a message after it was taken: a story told from seed, number and smsid, always the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING

from pipeline.model import StatusClass
from pipeline.simulator.numbers import is_overseas

if TYPE_CHECKING:
    from schemas.profile import Profile

PROCESSING = "処理中"
DELIVERED = "送信済"
CLICKED = "リダイレクト"
BLOCKED = "403"
OPTED_OUT = "配信停止希望"
OVERSEAS_FAILED = "失敗"

# How the other-person check words its verdicts is not public: an assumption, for trying the way they take.
CHECKED_SAME = "本人"
CHECKED_OTHER = "他人"
CHECKED_UNKNOWN = "判定不可"
_CHECKED = {CHECKED_SAME: 80, CHECKED_OTHER: 15, CHECKED_UNKNOWN: 5}

#: carrier as results name it → (weight in percent, how its status labels begin)
CARRIERS: dict[str, tuple[int, str]] = {
    "Docomo": (41, "ドコモ"),
    "au": (28, "au"),
    "SoftBank": (21, "ソフトバンク"),
    "Rakuten": (10, "Rakuten"),
}
OVERSEAS = "International"
AU = "au"

_LONG_TEXT_PARTIAL = "長文一部受信"
_RETRY = timedelta(minutes=30)
_SLOW = timedelta(hours=30)
_CLICKS_IN = 4


class Kind(StrEnum):
    """The ways a message can fare."""

    AT_ONCE = "at_once"
    RETRIED = "retried"
    FAILED = "failed"
    SLOW = "slow"
    PARTIAL = "partial"
    BLOCKED = "blocked"
    OPTED_OUT = "opted_out"


#: in thousandths; together 1,000
WEIGHTS: dict[Kind, int] = {
    Kind.AT_ONCE: 800,
    Kind.RETRIED: 70,
    Kind.FAILED: 70,
    Kind.SLOW: 20,
    Kind.PARTIAL: 15,
    Kind.BLOCKED: 10,
    Kind.OPTED_OUT: 15,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One result row to be: ``after`` registration, the status label, clicks so far, the share received."""

    after: timedelta
    label: str
    clicks: int = 0
    received: StatusClass = StatusClass.FAILED


class _Draw:
    """Small numbers out of one digest: reproducible everywhere, unlike the hash of a str."""

    def __init__(self, seed: int, *words: str) -> None:
        digest = hashlib.blake2b("\x1f".join((str(seed), *words)).encode(), digest_size=16)
        self._rest = int.from_bytes(digest.digest())

    def below(self, limit: int) -> int:
        self._rest, number = divmod(self._rest, limit)
        return number

    def weighted(self, weights: dict[str, int]) -> str:
        number = self.below(sum(weights.values()))
        bounds = zip(weights, accumulate(weights.values()), strict=True)
        return next(name for name, bound in bounds if number < bound)


class Storyteller:
    """Tells carriers and events of messages from one seed."""

    def __init__(self, profile: Profile, seed: int) -> None:
        """Collect each carrier's own labels from the profile's statuses."""
        self._seed = seed
        self._failures: dict[str, list[str]] = {OVERSEAS: [OVERSEAS_FAILED]}
        self._partial: dict[str, str] = {OVERSEAS: _LONG_TEXT_PARTIAL}
        for carrier, (_, prefix) in CARRIERS.items():
            own = [
                (status.label, status.means)
                for status in profile.status
                if status.label and status.label.startswith(prefix)
            ]
            failures = [label for label, means in own if means is StatusClass.FAILED]
            self._failures[carrier] = failures or [OVERSEAS_FAILED]
            partial = [label for label, means in own if means is StatusClass.PARTIAL]
            self._partial[carrier] = partial[0] if partial else _LONG_TEXT_PARTIAL

    def carrier(self, digits: str) -> str:
        """Return the carrier of a number: it does not change from message to message."""
        if is_overseas(digits):
            return OVERSEAS
        weights = {name: weight for name, (weight, _) in CARRIERS.items()}
        return _Draw(self._seed, digits).weighted(weights)

    def kind(self, digits: str, smsid: str) -> Kind:
        """Return how the message fares."""
        return Kind(_Draw(self._seed, digits, smsid).weighted({kind.value: n for kind, n in WEIGHTS.items()}))

    def checked(self, digits: str, smsid: str) -> str:
        """Return the verdict of the other-person check about a number."""
        return _Draw(self._seed, digits, smsid, "checked").weighted(_CHECKED)

    def events(self, digits: str, smsid: str, *, linked: bool, fate: str = "") -> list[Event]:
        """Return the events of a message in order of time; a click only where its text has a link.

        ``fate`` is the kind of story, empty for the one the seed decides on.
        """
        carrier, kind = self.carrier(digits), Kind(fate) if fate else self.kind(digits, smsid)
        draw = _Draw(self._seed, digits, smsid, "events")
        first = timedelta(seconds=2 + draw.below(180))
        out_of_reach = next((label for label in self._failures[carrier] if "圏外" in label), OVERSEAS_FAILED)

        if kind is Kind.BLOCKED:
            return [Event(first, BLOCKED)]
        if kind is Kind.OPTED_OUT:
            return [Event(first, OPTED_OUT)]
        if kind is Kind.PARTIAL:
            return [Event(first, self._partial[carrier], received=StatusClass.PARTIAL)]
        if kind is Kind.FAILED:
            failures = self._failures[carrier]
            last = failures[draw.below(len(failures))]
            return [*_attempts(first, draw.below(2), out_of_reach), Event(first + _RETRY * 2, last)]

        tries = 1 + draw.below(2) if kind is Kind.RETRIED else 0
        arrived = first + _RETRY * tries + (_SLOW if kind is Kind.SLOW else timedelta(0))
        told = [
            *_attempts(first, tries, out_of_reach),
            Event(arrived, DELIVERED, received=StatusClass.DELIVERED),
        ]
        if linked and draw.below(_CLICKS_IN) == 0:
            click = arrived + timedelta(minutes=5 + draw.below(596))
            told.append(Event(click, CLICKED, clicks=1, received=StatusClass.DELIVERED))
        return told


def _attempts(first: timedelta, count: int, label: str) -> list[Event]:
    return [Event(first + _RETRY * attempt, label) for attempt in range(count)]
