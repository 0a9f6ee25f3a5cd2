"""Header names of the input: brought to one form, then looked up among the profile's synonyms."""

from __future__ import annotations

import re
import unicodedata

_IGNORED = re.compile(r"[\s_-]")


def canonical_header(name: str) -> str:
    """Return a header name after NFKC, lower case and removal of white space, ``-`` and ``_``."""
    bare = _IGNORED.sub("", unicodedata.normalize("NFKC", name).lower())
    # Again: a letter and a mark that stood apart may stand together now.
    return unicodedata.normalize("NFKC", bare)
