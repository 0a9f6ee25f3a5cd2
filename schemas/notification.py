"""A result notification: fields under the names of the profile, read into an observation.

Kept are number, smsid, status and, where the profile names them, time and carrier; everything else goes into ``extra``
as it came, but for the text, its parts, links and credentials, which are never stored.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable

from pipeline.core.calendar import parse_gateway_time
from pipeline.core.msisdn import canonical_result
from pipeline.model import Observation, ObservationPath
from schemas.profile import Profile, required

#: longest value of a field that we read; an index of PostgreSQL takes no more than 2,704 bytes of a row
LONGEST_BYTES = 255


class NotificationUnusableError(ValueError):
    """A notification that is no observation: ``reason`` names the field and what is wrong, never a value."""

    def __init__(self, field: str, problem: str) -> None:
        """Keep the reason."""
        self.reason = f"{field}.{problem}"
        super().__init__(self.reason)


def read_notification(fields: Iterable[tuple[str, object]], profile: Profile) -> Observation:
    """Read the fields of one notification: text, or what JSON has; bytes that are no text are surrogates in it.

    An unknown status is kept as it is. A notification without an smsid is a stranger's, as such a row of a results CSV
    is. Raises ``NotificationUnusableError`` when number or status are missing, or when a field that we read comes twice
    with different values, is too long, or holds what is no text.
    """
    names = required(profile.notification, "notification")
    given: dict[str, list[object]] = {}
    for name, value in fields:
        given.setdefault(name, []).append(value)

    def read(field: str, name: str, *, needed: bool = False) -> str:
        return _text(field, given.pop(name, []), needed=needed) if name else ""

    msisdn = read("msisdn", names.msisdn.value, needed=True)
    status = read("status", names.status.value, needed=True)
    smsid = read("smsid", names.smsid.value)
    carrier = read("carrier", names.carrier.value)
    time = read("status_time", names.status_time.value)
    status_time = parse_gateway_time(time, names.status_time_format.value)
    if time and status_time is None:
        given[names.status_time.value] = [time]
    extra = {
        name: values[0] if len(values) == 1 else values
        for name, values in given.items()
        if name.casefold() not in names.unstored
    }
    return Observation(
        path=ObservationPath.NOTIFIED,
        smsid=smsid,
        msisdn=canonical_result(msisdn),
        status=status,
        status_time=status_time,
        carrier=carrier,
        extra=_json(extra) if extra else "",
    )


def _text(field: str, values: list[object], *, needed: bool) -> str:
    texts = {value.strip() for value in values if isinstance(value, str)}
    if any(value is not None and not isinstance(value, str) for value in values):
        raise NotificationUnusableError(field, "unreadable")
    if len(texts) > 1:
        raise NotificationUnusableError(field, "twice")
    value = texts.pop() if texts else ""
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
        raise NotificationUnusableError(field, "unreadable")
    if len(value.encode()) > LONGEST_BYTES:
        raise NotificationUnusableError(field, "too_long")
    if needed and not value:
        raise NotificationUnusableError(field, "missing")
    return value


def _json(extra: dict[str, object]) -> str:
    """Write what has no lone surrogate in it: those become escapes, from which the bytes can be read back."""
    return json.dumps(extra, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
