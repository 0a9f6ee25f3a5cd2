"""Subscriber numbers: one canonical form, or the reason why there is none.

Canonical: domestic numbers are their 0-leading digits, overseas numbers their digits with country code.
Rules: GATEWAY section 5 (specification and the vendor's pages). A repair is made only where one reading
is possible, and each is named. libphonenumber does not gate: its metadata has flipped on 060.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

#: 11 digits: 020 060 070 080 090, then 1-9 (0204 were pagers); 14 digits: M2M
DOMESTIC = r"0(?:[6-9]0[1-9]|20[1-35-9])[0-9]{7}|0[26789]00[0-9]{10}"
CANONICAL = rf"^(?:{DOMESTIC}|[1-9][0-9]{{5,19}})$"

_PLAIN = rf"^(?:{DOMESTIC})$"
# The gateway itself takes hyphens (S): this spelling needs no repair to be named.
_HYPHENATED = r"^0(?:[6-9]0-[1-9]|20-[1-35-9])[0-9]{3}-[0-9]{4}$"

_DASHES = "-‐‑‒–—―−ー\uff70─━⁃˗－﹣〜～"
_SPACES = " \t\r\n\x0b\x0c\xa0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff"
_SEPARATORS = re.compile(rf"[{_SPACES}()（）.．・/／{re.escape(_DASHES)}]")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９＋", "0123456789+")
_FORMULA = re.compile(r'^="([^"]*)"$')
_PREFIX = re.compile(r"^tel[:：]", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"^[+-]?[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]+$")
_POINT_ZERO = re.compile(r"^([0-9]+)\.0+$")
_DOMESTIC = re.compile(DOMESTIC)
_MOBILE_PREFIX = re.compile(r"0[26789]0")
_LOST_ZERO = re.compile(r"[6-9]0[1-9][0-9]{7}")

_DOMESTIC_DIGITS = 11
_INTERNATIONAL_DIGITS = 12
_LOST_ZERO_DIGITS = 10
_OVERSEAS_MIN, _OVERSEAS_MAX = 6, 20


@dataclass(frozen=True, slots=True)
class Reading:
    """A number that could be read: its canonical form and the repairs it took."""

    msisdn: str
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A number that could not be read: a finding code and the facts of its message."""

    code: str
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MsisdnColumn:
    """A column of numbers after reading; ``unreadable`` and ``repairs`` are sparse, by position in the chunk."""

    values: pa.Array
    unreadable: dict[int, Unreadable]
    repairs: dict[int, tuple[str, ...]]


def read_msisdn(value: str, *, overseas: bool) -> Reading | Unreadable:
    """Read one number as people, spreadsheets and other systems write it."""
    repairs: list[str] = []
    rest = value.strip(" \t\r\n\u3000\xa0")
    if not rest:
        return Unreadable("phone.empty")
    if formula := _FORMULA.match(rest):
        rest = formula[1]
        repairs.append("phone.formula_quote")
    elif rest[0] in "'’":
        rest = rest[1:]
        repairs.append("phone.formula_quote")
    if prefix := _PREFIX.match(rest):
        rest = rest[prefix.end() :]
        repairs.append("phone.prefix")
    digits = rest.translate(_FULL_WIDTH)
    if digits != rest:
        repairs.append("phone.full_width")
    if _SCIENTIFIC.match(digits):
        return Unreadable("phone.scientific")
    if number := _POINT_ZERO.match(digits):
        digits = number[1]
        repairs.append("phone.spreadsheet_number")
    bare = _SEPARATORS.sub("", digits)
    if bare != digits:
        repairs.append("phone.separators")
    plus = bare.startswith("+")
    bare = bare.removeprefix("+")
    if wrong := re.search(r"[^0-9]", bare):
        character = wrong[0]
        return Unreadable("phone.letter", {"character": character, "position": value.find(character) + 1})
    if not bare:
        return Unreadable("phone.empty")
    reading = _read_digits(bare, plus=plus, overseas=overseas)
    if isinstance(reading, Reading):
        named = () if re.match(_HYPHENATED, value) else tuple(repairs)
        return Reading(reading.msisdn, (*named, *reading.repairs))
    return reading


def _read_digits(digits: str, *, plus: bool, overseas: bool) -> Reading | Unreadable:
    if digits.startswith("0081"):
        digits, plus = digits[2:], True
    if digits.startswith("81"):
        return _read_japan(digits)
    if digits.startswith("0") and not plus:
        return _read_domestic(digits, ())
    if not plus and _LOST_ZERO.fullmatch(digits):
        if overseas:
            return Unreadable("phone.ambiguous_overseas")
        return Reading("0" + digits, ("phone.lost_zero",))
    if overseas and not digits.startswith("0"):
        if len(digits) < _OVERSEAS_MIN:
            return Unreadable("phone.too_short", {"digits": len(digits)})
        if len(digits) > _OVERSEAS_MAX:
            return Unreadable("phone.too_long", {"digits": len(digits)})
        return Reading(digits, ("phone.international",) if plus else ())
    if plus or (_OVERSEAS_MIN <= len(digits) <= _OVERSEAS_MAX and not re.match(r"[6-9]0", digits)):
        return Unreadable("phone.overseas_disabled")
    # A mistyped domestic number: say what is wrong with it, not that it might be a foreign one.
    short = len(digits) <= _LOST_ZERO_DIGITS
    return Unreadable("phone.too_short" if short else "phone.too_long", {"digits": len(digits)})


def _read_japan(digits: str) -> Reading | Unreadable:
    """Read a number with country code 81: exactly 12 digits are a domestic mobile (S)."""
    domestic = digits[2:] if digits.startswith("810") else "0" + digits[2:]
    if _MOBILE_PREFIX.match(domestic) and len(domestic) != _DOMESTIC_DIGITS:
        size = len(domestic) + 1
        code = "phone.too_short" if size < _INTERNATIONAL_DIGITS else "phone.too_long"
        return Unreadable(code, {"digits": size})
    return _read_domestic(domestic, ("phone.international",))


def _read_domestic(digits: str, repairs: tuple[str, ...]) -> Reading | Unreadable:
    if _DOMESTIC.fullmatch(digits):
        return Reading(digits, repairs)
    if _MOBILE_PREFIX.match(digits) and len(digits) != _DOMESTIC_DIGITS:
        code = "phone.too_short" if len(digits) < _DOMESTIC_DIGITS else "phone.too_long"
        return Unreadable(code, {"digits": len(digits)})
    return Unreadable("phone.not_mobile", {"prefix": digits[: 4 if _MOBILE_PREFIX.match(digits) else 3]})


def read_column(column: pa.Array, *, overseas: bool) -> MsisdnColumn:
    """Read a column of texts without nulls; plain and hyphenated numbers never leave Arrow."""
    hyphenated = pc.match_substring_regex(column, _HYPHENATED)
    values = pc.if_else(hyphenated, pc.replace_substring(column, "-", ""), column)
    plain = pc.match_substring_regex(values, _PLAIN)
    others = pc.indices_nonzero(pc.invert(plain))
    read = [read_msisdn(value, overseas=overseas) for value in column.take(others).to_pylist()]
    unreadable: dict[int, Unreadable] = {}
    repairs: dict[int, tuple[str, ...]] = {}
    replacements: list[str] = []
    for position, reading in zip(others.to_pylist(), read, strict=True):
        if isinstance(reading, Unreadable):
            unreadable[position] = reading
            replacements.append("")
        else:
            replacements.append(reading.msisdn)
            if reading.repairs:
                repairs[position] = reading.repairs
    values = pc.replace_with_mask(values, pc.invert(plain), pa.array(replacements, values.type))
    return MsisdnColumn(values, unreadable, repairs)


def is_canonical(column: pa.Array) -> pa.Array:
    """Say for each value whether it is a canonical MSISDN."""
    return pc.match_substring_regex(column, CANONICAL)


def canonical_result(number: str) -> str:
    """Return the canonical form of a number in a result row, which has hyphens when domestic."""
    reading = read_msisdn(number, overseas=True)
    return reading.msisdn if isinstance(reading, Reading) else number.replace("-", "")


def hyphenated(msisdn: str) -> str:
    """Return a domestic number as people write it; other numbers unchanged."""
    if len(msisdn) == _DOMESTIC_DIGITS and msisdn.startswith("0"):
        return f"{msisdn[:3]}-{msisdn[3:7]}-{msisdn[7:]}"
    return msisdn


def mask(number: str) -> str:
    """Hide the middle of a number: ``090****5678``."""
    shown = 3
    if len(number) <= shown + 4:
        return "*" * len(number)
    return f"{number[:shown]}****{number[-4:]}"
