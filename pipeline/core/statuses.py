"""Status labels of the gateway: brought to one form, then looked up; never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.model import NumberCheck, StatusClass

_WHITE_SPACE = re.compile(r"\s+")
_OPEN = (StatusClass.PENDING, StatusClass.NO_VERDICT)


def canonical_label(label: str) -> str:
    """Return a label after NFKC and removal of all white space, as the profile writes it."""
    bare = _WHITE_SPACE.sub("", unicodedata.normalize("NFKC", label))
    # Again: a kana and its voicing mark that stood apart may stand together now.
    return unicodedata.normalize("NFKC", bare)


@dataclass(frozen=True, slots=True)
class StatusMeaning:
    """What a status of the profile means; ``label`` is how reports show it.

    ``then_sent``: a verdict about a number after which the text goes out, where one was to follow.
    """

    label: str
    means: StatusClass
    billable: bool
    clicked: bool
    then_sent: bool = False


@dataclass(frozen=True, slots=True)
class StatusTable:
    """The statuses of a profile: looked up by label first, then by number (one label is ``403``)."""

    by_label: Mapping[str, StatusMeaning]
    by_number: Mapping[str, StatusMeaning]

    def look_up(self, status: str) -> StatusMeaning | None:
        """Return the meaning of a status as received; None when it is not in the profile."""
        key = canonical_label(status)
        return self.by_label.get(key) or self.by_number.get(key)


def may_change(meaning: StatusMeaning | None, check: NumberCheck) -> bool:
    """Say whether another status is to follow this one, for messages of which ``check`` was asked.

    What is not in the profile stays as it is: asking again would not explain it.
    """
    if meaning is None:
        return False
    if meaning.means is StatusClass.VERDICT:
        return check is NumberCheck.NONE or (check is NumberCheck.THEN_SEND and meaning.then_sent)
    return meaning.means in _OPEN
