"""What of a profile decides what is sent: by it the same list is known again, whatever else is edited in the file."""

from __future__ import annotations

import hashlib
import json

from schemas.facts import Record
from schemas.profile import Column, Profile

#: the sections by which a list is read, judged and laid out
_SECTIONS = ("upload", "single", "check", "limits", "options", "layout", "headers")
#: what stands there besides: where a fact is from, how much at a time, and how results are asked for
_BESIDE = frozenset(
    {"grade", "note", "requests_per_second", "lockout_answers", "busy_code", "result_parameter", "absent_code"}
)


def deciding_sha256(profile: Profile) -> str:
    """Digest the values of a profile that decide what is sent and to whom.

    The rule: the sections for reading, judging and laying out a list, and the form of a scheduled time. Not in it are
    the text of the file, grades and notes, addresses, everything about answers, results and statuses, and columns that
    only results have. Of ``confirmed`` it counts whether a value is held back by it. In doubt a value is in it: under
    another digest a list makes another batch, of which nobody gets a message twice; under the same one a row that was
    rejected would not be looked at again.
    """
    deciding = {name: _plain(getattr(profile, name)) for name in _SECTIONS}
    deciding["scheduled"] = profile.results.registered_time_format.value
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Record):
        # By name: iterating a record would also yield what it has looked up and kept meanwhile.
        fields = {name: _plain(getattr(value, name)) for name in type(value).model_fields.keys() - _BESIDE}
        return fields | ({"confirmed": fields["confirmed"] is not False} if "confirmed" in fields else {})
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value if not (isinstance(one, Column) and one.direction == "result")]
    return value
