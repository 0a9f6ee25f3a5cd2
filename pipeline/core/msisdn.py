"""Subscriber numbers: one canonical form, or the reason why there is none.

Canonical: domestic numbers are their 0-leading digits, overseas numbers their digits with country code.
Rules: GATEWAY section 5 (specification and the vendor's pages). A repair is made only where one reading
is possible, and each is named. libphonenumber does not gate: its metadata has flipped on 060.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

#: 11 digits: 020 060 070 080 090, then 1-9 (0204 were pagers); 14 digits: M2M
DOMESTIC = r"0(?:[6-9]0[1-9]|20[1-35-9])[0-9]{7}|0[26789]00[0-9]{10}"
CANONICAL = rf"^(?:{DOMESTIC}|[1-9][0-9]{{5,19}})$"

# The gateway itself takes hyphens (S): this spelling needs no repair to be named.
SPELLED = r"0(?:[6-9]0-[1-9]|20-[1-35-9])[0-9]{3}-[0-9]{4}"

_DASHES = "-‐‑‒–—―−ー\uff70─━⁃˗－﹣〜～"
_SPACES = " \t\x0b\x0c\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200C))) + "\u202f\u205f\u2060\u3000\ufeff"
_BIDI_MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_AROUND = f"{_SPACES}{_BIDI_MARKS}\r\n"
# No slash, middle dot or line break: two numbers in one cell must never become one.
#: what may stand between the digits of one number
BETWEEN = f"{_SPACES}{_BIDI_MARKS}()（）.．{_DASHES}"
_SEPARATOR = f"[{re.escape(BETWEEN)}]"
_SEPARATORS = re.compile(_SEPARATOR)
_SIGN = re.compile(rf"{_SEPARATOR}*\+")
_FINE = re.compile(rf"[0-9]|{_SEPARATOR}")
_DIGITS = re.compile(r"[0-9]+")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９＋", "0123456789+")
_FORMULA = re.compile(r'^="([^"]*)"$')
_PREFIX = re.compile(r"^tel[:：]", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"^[+\-－]?[0-9]+(?:[.．][0-9]*)?[eEｅＥ][+\-－]?[0-9]+$")
_DATE = re.compile(
    r"(?:(?:19|20)[0-9]{2}(?P<y>[/\-.年])(?:0?[1-9]|1[0-2])(?:(?P=y)|月)(?:0?[1-9]|[12][0-9]|3[01])日?"
    r"|(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12][0-9]|3[01])/(?:19|20)[0-9]{2}"
    r"|(?:0?[1-9]|1[0-2])月(?:0?[1-9]|[12][0-9]|3[01])日)(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)?"
)
#: a spreadsheet keeps 15 digits of a number and makes the others zero
_TRUNCATED = re.compile(r"[1-9][0-9]{14}0+")
_DOTTED = re.compile(r"[.．][0-9]{3,4}[.．]0000[^0-9]*$")
_TRUNK = re.compile("[(（]0[)）]")
#: a negative number is the result of a calculation
_NEGATIVE = re.compile(r"-[1-9][0-9]*")
_FRACTION = re.compile(r"(?!81)[1-9][0-9]*([.．])(?!0+$)[0-9]{1,2}")
_WHOLE_NUMBER = re.compile(r"\+?[0-9]+")
_SPELLED = re.compile(SPELLED)
_DOMESTIC = re.compile(DOMESTIC)
_MOBILE_PREFIX = re.compile(r"0[26789]0")
_LOST_ZERO = re.compile(r"[6-9]0[1-9][0-9]{7}")

_DOMESTIC_DIGITS = 11
_LOST_ZERO_DIGITS = 10
_OVERSEAS_MIN, _OVERSEAS_MAX = 6, 20
_SHOWN_FIRST, _HIDDEN, _SHOWN_LAST = 3, 4, 4


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


def read_msisdn(value: str, *, overseas: bool) -> Reading | Unreadable:
    """Read one number as people, spreadsheets and other systems write it."""
    return Reading(value) if _DOMESTIC.fullmatch(value) else _read_spelled(value, overseas=overseas)


def _read_spelled(value: str, *, overseas: bool) -> Reading | Unreadable:
    cell = _unwrapped(value)
    digits = cell.rest.translate(_FULL_WIDTH)
    if damage := _damage(digits):
        return Unreadable(damage)
    repairs = [*cell.repairs]
    if digits != cell.rest:
        repairs.append("phone.full_width")
    point = _point_zero(digits)
    if point is not None:
        digits = digits[:point]
        repairs.append("phone.spreadsheet_number")
    bare = _SEPARATORS.sub("", digits)
    if bare != digits or cell.spaced:
        repairs.append("phone.separators")
    plus = bare.startswith("+")
    bare = bare.removeprefix("+")
    if not bare:
        return Unreadable("phone.empty")
    if (strange := _strange(digits, bare)) is not None:
        return _letter(value, cell.start + strange)
    reading = _read_digits(bare, plus=plus, overseas=overseas)
    if isinstance(reading, Unreadable):
        return reading
    if (doubtful := _doubtful(reading, digits, point)) is not None:
        return _letter(value, cell.start + doubtful)
    named = () if _SPELLED.fullmatch(value.strip(" ")) else repairs
    return Reading(reading.msisdn, (*named, *reading.repairs))


def _strange(digits: str, bare: str) -> int | None:
    """Return the offset of the first character that a number cannot have, or of what makes it a calculation's."""
    if not _DIGITS.fullmatch(bare):
        return _first_strange(digits)
    if _NEGATIVE.fullmatch(digits):
        return 0
    fraction = _FRACTION.fullmatch(digits)
    return fraction.start(1) if fraction else None


def _doubtful(reading: Reading, digits: str, point: int | None) -> int | None:
    """Return the offset of what an overseas number, which has no fixed length, may have been misread at."""
    if reading.msisdn.startswith("0"):
        return None
    if point is not None and not _WHOLE_NUMBER.fullmatch(digits):
        return point  # "+1 415 555.0000" may well end in these zeros
    trunk = _TRUNK.search(digits)
    return trunk.start() if trunk else None  # "+44 (0)7911 …": most countries drop this zero abroad, some keep it


def _damage(digits: str) -> str:
    """Name what a spreadsheet did to a number that cannot be undone."""
    if _SCIENTIFIC.match(digits):
        return "phone.scientific"
    return "phone.date" if _DATE.fullmatch(digits) else ""


@dataclass(frozen=True, slots=True)
class _Cell:
    """What a cell holds within its wrapping: ``rest`` begins at offset ``start`` of the cell."""

    rest: str
    start: int
    spaced: bool
    repairs: tuple[str, ...]


def _unwrapped(value: str) -> _Cell:
    """Take away what stands around a number; ASCII spaces are not worth a word, other ones are ``spaced``."""
    start, end = _stripped(value, 0, len(value))
    outer = start, end
    repairs: list[str] = []
    if formula := _FORMULA.match(value[start:end]):
        start, end = start + formula.start(1), start + formula.end(1)
        repairs.append("phone.formula_quote")
    elif value[start:end].startswith(("'", "’")):
        start += 1
        repairs.append("phone.formula_quote")
    inner = start, end
    start, end = _stripped(value, start, end)
    around = [value[: outer[0]], value[outer[1] :], value[inner[0] : start], value[end : inner[1]]]
    if prefix := _PREFIX.match(value[start:end]):
        behind = start + prefix.end()
        start, end = _stripped(value, behind, end)
        around.append(value[behind:start])
        repairs.append("phone.prefix")
    return _Cell(value[start:end], start, bool("".join(around).strip(" ")), tuple(repairs))


def _stripped(value: str, start: int, end: int) -> tuple[int, int]:
    """Return the borders of ``value[start:end]`` without the spaces and line breaks around it."""
    left = value[start:end].lstrip(_AROUND)
    return end - len(left), end - len(left) + len(left.rstrip(_AROUND))


def _point_zero(digits: str) -> int | None:
    """Return where the ".0" begins that a spreadsheet appends: it never becomes a digit.

    A number whose last group is a dotted 0000 has two dots: that is nothing a spreadsheet writes.
    """
    if not ("." in digits or "．" in digits) or _DOTTED.search(digits):
        return None
    tail = digits[len(digits.rstrip("0" + BETWEEN)) :]
    point = re.search("[.．]", tail)
    if point is None or "0" not in tail[point.start() :]:
        return None
    return len(digits) - len(tail) + point.start()


def _first_strange(digits: str) -> int:
    """Return the offset of the first character that a number cannot have; one leading + is fine."""
    sign = _SIGN.match(digits)
    start = sign.end() if sign else 0
    return next(at for at in range(start, len(digits)) if not _FINE.match(digits[at]))


def _letter(value: str, offset: int) -> Unreadable:
    character = value[offset]
    # Control and format characters, spaces and marks cannot be seen in a message.
    hidden = unicodedata.category(character)[0] in "CZM"
    shown = f"U+{ord(character):04X}" if hidden else character
    return Unreadable("phone.letter", {"character": character, "position": offset + 1, "shown": shown})


def _read_digits(digits: str, *, plus: bool, overseas: bool) -> Reading | Unreadable:
    if not plus and _TRUNCATED.fullmatch(digits):
        return Unreadable("phone.truncated")
    if digits.startswith("0081"):
        digits, plus = digits[2:], True
    if digits.startswith("81"):
        return _read_japan(digits)
    if digits.startswith("0"):
        return _no_mobile(digits, "+") if plus else _read_domestic(digits, ())
    if not plus and _LOST_ZERO.fullmatch(digits):
        if overseas:
            return Unreadable("phone.ambiguous_overseas")
        return Reading("0" + digits, ("phone.lost_zero",))
    return _read_overseas(digits, plus=plus) if overseas else _no_overseas(digits, plus=plus)


def _read_overseas(digits: str, *, plus: bool) -> Reading | Unreadable:
    if len(digits) < _OVERSEAS_MIN:
        return Unreadable("phone.too_short", {"digits": len(digits)})
    if len(digits) > _OVERSEAS_MAX:
        return Unreadable("phone.too_long", {"digits": len(digits)})
    return Reading(digits, ("phone.plus",) if plus else ())


def _no_overseas(digits: str, *, plus: bool) -> Unreadable:
    """Say what is wrong with a number without 0 or 81: a mistyped domestic one is not called foreign."""
    if plus or (_OVERSEAS_MIN <= len(digits) <= _OVERSEAS_MAX and not re.match(r"[6-9]0", digits)):
        return Unreadable("phone.overseas_disabled")
    short = len(digits) <= _LOST_ZERO_DIGITS
    return Unreadable("phone.too_short" if short else "phone.too_long", {"digits": len(digits)})


def _read_japan(digits: str) -> Reading | Unreadable:
    """Read a number with country code 81: exactly 12 digits are a domestic mobile (S)."""
    domestic = digits[2:] if digits.startswith("810") else "0" + digits[2:]
    if _MOBILE_PREFIX.match(domestic) and len(domestic) != _DOMESTIC_DIGITS:
        # Counted as at home, because that is what the message compares them with.
        code = "phone.too_short" if len(domestic) < _DOMESTIC_DIGITS else "phone.too_long"
        return Unreadable(code, {"digits": len(domestic)})
    return _read_domestic(domestic, ("phone.international",))


def _read_domestic(digits: str, repairs: tuple[str, ...]) -> Reading | Unreadable:
    return Reading(digits, repairs) if _DOMESTIC.fullmatch(digits) else _no_mobile(digits)


def _no_mobile(digits: str, sign: str = "") -> Unreadable:
    """Say what is wrong with a number that begins with 0; after a + there is no such number at all."""
    mobile = _MOBILE_PREFIX.match(digits)
    if mobile and len(digits) != _DOMESTIC_DIGITS:
        code = "phone.too_short" if len(digits) < _DOMESTIC_DIGITS else "phone.too_long"
        return Unreadable(code, {"digits": len(digits)})
    return Unreadable("phone.not_mobile", {"prefix": sign + digits[: 4 if mobile else 3]})


def canonical_result(number: str) -> str:
    """Return the canonical form of a number in a result row, which has hyphens when domestic."""
    reading = read_msisdn(number, overseas=True)
    return reading.msisdn if isinstance(reading, Reading) else number.replace("-", "")


def mask(number: str) -> str:
    """Hide the middle of a number, ``090****5678``; one too short to hide four digits in is hidden as a whole."""
    if len(number) < _SHOWN_FIRST + _SHOWN_LAST + _HIDDEN:
        return "*" * len(number)
    return number[:_SHOWN_FIRST] + "*" * _HIDDEN + number[-_SHOWN_LAST:]
