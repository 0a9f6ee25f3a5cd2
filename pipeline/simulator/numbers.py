"""Subscriber numbers as the gateway takes and shows them (GATEWAY section 5)."""

from __future__ import annotations

import re

# 0204 were pagers. Japan in international form is a mobile only with all its 12 digits.
_DOMESTIC = re.compile(r"0(?:[6-9]0[1-9]|20[1-35-9])\d{7}|0[26-9]00\d{10}", re.ASCII)
_JAPAN = re.compile(r"81(?:[6-9]0[1-9]|20[1-35-9])\d{7}", re.ASCII)
_OVERSEAS = re.compile(r"(?!81)[1-9]\d{5,19}", re.ASCII)
_MOBILE_DIGITS = 11


def accepted_digits(cell: str, *, overseas: bool) -> str | None:
    """Return the digits of a number that the gateway takes, None for one it answers with 560."""
    digits = cell.replace("-", "")
    if _DOMESTIC.fullmatch(digits) or _JAPAN.fullmatch(digits):
        return digits
    return digits if overseas and _OVERSEAS.fullmatch(digits) else None


def is_overseas(digits: str) -> bool:
    """Say whether the number belongs to a carrier outside Japan."""
    return not digits.startswith(("0", "81"))


def shown(digits: str) -> str:
    """Return a number as results show it: with hyphens when it starts with 0, else without (S)."""
    if not digits.startswith("0"):
        return digits
    first, second = (3, 7) if len(digits) == _MOBILE_DIGITS else (4, 9)
    return f"{digits[:first]}-{digits[first:second]}-{digits[second:]}"
