"""Header names of the input: brought to one form, then looked up among the profile's synonyms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

#: headers of the columns that we add to a list of rejected rows begin so, in every language
OWN_PREFIX = "mediasms_"

#: whom a message is charged to within the house: a column of ours that no gateway ever sees
COST_CENTRE = "cost_centre"
#: its names in canonical form, the plainest first: of several such columns the first name wins, the others stay columns
_COST_CENTRE_NAMES = (
    *("costcentre", "costcenter", "コストセンター", "コストセンタ", "原価センター", "原価センタ"),
    *("部門コード", "部署コード", "部門", "部署", "部門名", "部署名"),
)
_SHOWN = 20
_LONGEST = 30
_LONG_NUMBER = re.compile(r"(?:[0-9][^0-9]{0,2}){6}")
_IGNORED = re.compile(r"[\s_-]")


def canonical_header(name: str) -> str:
    """Return a header name after NFKC, lower case and removal of white space, ``-`` and ``_``."""
    bare = _IGNORED.sub("", unicodedata.normalize("NFKC", name).lower())
    # Again: a letter and a mark that stood apart may stand together now.
    return unicodedata.normalize("NFKC", bare)


def cost_centre_places(names: Sequence[str]) -> list[int]:
    """Return the places of the columns that hold the cost centre; more than one only where they have one name."""
    forms = [canonical_header(name) for name in names]
    found = next((name for name in _COST_CENTRE_NAMES if name in forms), None)
    return [place for place, form in enumerate(forms) if form == found]


def is_own_column(name: str) -> bool:
    """Say whether a column is one of ours, come back in a list of rejected rows: it is ignored."""
    return name.strip().lower().startswith(OWN_PREFIX)


def shown_name(name: str) -> str:
    """Show a name in a message, unless it holds a long number or is too long for a name."""
    is_data = len(name) > _LONGEST or _LONG_NUMBER.search(unicodedata.normalize("NFKC", name))
    return "…" if is_data else name


def shown_names(record: Sequence[str]) -> str:
    """Show the names of columns in a message; a record that holds a long number is no header, and is not shown."""
    if any(_LONG_NUMBER.search(unicodedata.normalize("NFKC", cell)) for cell in record):
        return "…"
    return ", ".join(record[:_SHOWN])
