"""Entries of a profile that were confirmed: ``[[confirmed]]``, which may be added at the end of the file.

``doctor --probe`` prints what a message has borne out in this form. Each entry names what it is about as the probe does
(``results.encoding``, ``layout.column 18``) and the value that was seen, so that it never confirms another one: where
the profile says something else by now, it is an error. ``instead_of`` is what the profile said when the gateway was
seen to do otherwise; the value then takes its place.
"""

from __future__ import annotations

from typing import Any

from schemas.facts import Name, Record


class Confirmed(Record):
    """One entry that was confirmed, and with which value."""

    key: Name
    value: Any
    instead_of: Any = None


def confirm(raw: dict[str, Any]) -> list[str]:
    """Set in the tables of a profile what its ``[[confirmed]]`` say; return what of these is wrong.

    What has not the form of such an entry is left to the contract of the profile.
    """
    problems: list[str] = []
    seen: set[str] = set()
    given = raw.get("confirmed")
    for number, each in enumerate(given if isinstance(given, list) else []):
        if not isinstance(each, dict) or not isinstance(key := each.get("key"), str) or "value" not in each:
            continue
        entry, name = _entry(raw, key)
        if key in seen:
            problems.append(f"confirmed.{number}: {key} is confirmed more than once")
        elif entry is None:
            problems.append(f"confirmed.{number}: {key} is no entry of this profile that could be confirmed")
        elif entry[name] != each.get("instead_of", each["value"]):
            problems.append(f"confirmed.{number}: {key} says something else in this profile than what was confirmed")
        else:
            entry |= {name: each["value"], "confirmed": True}
        seen.add(key)
    return problems


def _entry(raw: dict[str, Any], key: str) -> tuple[dict[str, Any] | None, str]:
    """Return the entry that a key names, and which of its keys holds its value."""
    place, _, which = key.partition(" ")
    found: object = raw
    for name in place.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    if which and isinstance(found, list):
        alike = (each for each in found if isinstance(each, dict))
        found = next((each for each in alike if which == str(each.get("number", each.get("name")))), None)
    if not isinstance(found, dict) or "grade" not in found:
        return None, ""
    name = next((name for name in ("value", "url", "field", "filled_by") if name in found), "")
    return (found, name) if name else (None, "")
