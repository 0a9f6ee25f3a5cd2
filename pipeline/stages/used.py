"""Which columns of a list come into its messages: those that play a role, and those that its texts name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd
import pyarrow.compute as pc

from pipeline.core import tags
from pipeline.core.headers import COST_CENTRE
from pipeline.core.kernels import strings
from schemas.heading import Heading

#: fields of which somebody reads the value as it is, in the message or in a report
_WORDED = ("text", *tags.INFO_TAGS, "memo", "title", COST_CENTRE)


class UsedColumns:
    """The columns that are used; which ones texts of their own name is known when all of these were looked at."""

    def __init__(self, heading: Heading, templates: Mapping[str, str]) -> None:
        """Begin with the roles, and with what a text for the whole list and the ``templates`` name."""
        roles = heading.roles
        self._heading = heading
        self._roles = roles.columns
        known = [roles.common_text or "", *(templates.values() if "template_id" in roles.columns else ())]
        self._tagged = {name for name in heading.columns for text in known if _tag(name) in text}

    @property
    def places(self) -> list[int]:
        """The places of all that are used, as far as it is known."""
        used = {*self._roles.values(), *self._tagged}
        return [place for place, name in enumerate(self._heading.columns) if name in used]

    @property
    def worded(self) -> dict[int, str]:
        """The places and names of those whose values somebody reads as they are."""
        read = {self._roles[field] for field in _WORDED if field in self._roles} | self._tagged
        return {place: name for place, name in enumerate(self._heading.columns) if name in read}

    def look(self, chunk: pd.DataFrame, places: Iterable[int]) -> None:
        """Note which of the columns at ``places`` the texts of a chunk name."""
        text = self._roles.get("text")
        if text is None or self._heading.roles.final:
            return
        columns = self._heading.columns
        for name in {columns[place] for place in places if place < len(columns)} - self._tagged:
            if pc.any(pc.match_substring(strings.of(chunk[text]), _tag(name))).as_py():
                self._tagged.add(name)


def _tag(name: str) -> str:
    return f"{{{name}}}"
