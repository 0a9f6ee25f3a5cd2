"""Header names of an input: brought to one form, then looked up in the profile's synonyms."""

from __future__ import annotations

import re
import unicodedata

_IGNORED = re.compile(r"[\s\-_]+")


def canonical_header(name: str) -> str:
    """Return a header name after NFKC, in lower case, without white space, hyphens and underscores."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", name).lower())
