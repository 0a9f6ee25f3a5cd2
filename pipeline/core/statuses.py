"""Status labels of the gateway: brought to one form, then looked up; never guessed."""

from __future__ import annotations

import re
import unicodedata

_WHITE_SPACE = re.compile(r"\s+")


def canonical_label(label: str) -> str:
    """Return a label after NFKC and removal of all white space, as the profile writes it."""
    bare = _WHITE_SPACE.sub("", unicodedata.normalize("NFKC", label))
    # Again: a kana and its voicing mark that stood apart may stand together now.
    return unicodedata.normalize("NFKC", bare)
