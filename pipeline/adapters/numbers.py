"""Numbers of a sheet as text: plain, or as the format of their cell shows them.

Plain is the shortest decimal that reads back as the same number, never in scientific notation. Only formats with one
reading are applied: zeros in front, decimals, thousands separators, per cent. Under every other one (a currency,
words, conditions) a number stays plain, and so does one that has more digits than a spreadsheet holds: a person sees
something else, and is told.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

#: up to here a spreadsheet holds every digit of a whole number
_EXACT = 1e15
_CODE = re.compile(r"(?:(#,##[0#])|(0+))(?:\.(0{1,9}))?(%)?")
_SHOWN = re.compile(r"-?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,9}))?(%)?", re.ASCII)
#: a space as wide as a character, a character that fills the cell
_PADDING = re.compile(r"[_*].", re.DOTALL)
#: what a format adds to a number, or says about it
_ADDED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]', re.DOTALL)
_DATE = re.compile("[ymdhsg]", re.IGNORECASE)
_COLOUR = re.compile(
    r"^\[(?:black|blue|cyan|green|magenta|red|white|yellow|color ?\d+|[黒青水緑紫赤白黄])\]", re.IGNORECASE
)
_CONDITION = re.compile(r"\[[<>=]")
#: so many formats of a cell are for positive numbers, negative ones, and zero
_OWN_ZERO = 3
#: a longer number is a subscriber's or an id rather than an amount: its digits stay together, whatever the format
_GROUPED = 9


def plain(number: float) -> str:
    """Return the shortest decimal that reads back as ``number``, without ``.0``."""
    if abs(number) < _EXACT and number == int(number):
        return str(int(number))
    return f"{Decimal(repr(number)):f}".removesuffix(".0") if math.isfinite(number) else repr(number)


@dataclass(frozen=True, slots=True)
class Shape:
    """How a format shows a number: at least ``digits`` before the point, ``decimals`` behind it."""

    digits: int = 1
    decimals: int = 0
    grouped: bool = False
    percent: bool = False
    #: whether it is the format of negative numbers too, and of zero
    negative: bool = True
    zero: bool = True

    def show(self, number: float) -> str | None:
        """Return what the cell shows; None for a number that has another format, or no certain one."""
        if not abs(number) < _EXACT or (number < 0 and not self.negative):
            return None
        if number == int(number) and not self.percent:
            whole, rest = str(abs(int(number))), "0" * self.decimals
        else:
            # Spreadsheets round what they show from 15 digits: what is behind these is noise of a calculation.
            value = Decimal(f"{number:.15g}") * (100 if self.percent else 1)
            value = value.quantize(Decimal((0, (1,), -self.decimals)), ROUND_HALF_UP)
            whole, _, rest = f"{abs(value):f}".partition(".")
        is_zero = not whole.strip("0") and not rest.strip("0")
        if is_zero and (number < 0 or not self.zero):
            return None  # of a small negative number one program makes 0, another one -0
        grouped = self.grouped and len(whole) <= _GROUPED
        whole = f"{int(whole):,}" if grouped else whole.zfill(self.digits)
        return "".join(("-" if number < 0 else "", whole, "." if rest else "", rest, "%" if self.percent else ""))


def read_format(code: str) -> Shape | None:
    """Return the shape that a format such as ``#,##0.00;[Red]-#,##0.00`` gives; None where it is not a simple one."""
    sections = code.split(";")
    first = _PADDING.sub("", sections[0])
    found = _CODE.fullmatch(first)
    if found is None or _CONDITION.search(code):
        return None
    grouped, zeros, decimals, percent = found.groups()
    return Shape(
        len(zeros or "0"),
        len(decimals or ""),
        grouped is not None,
        percent is not None,
        negative=len(sections) == 1 or _negative(sections[1]) == f"-{first}",
        zero=len(sections) < _OWN_ZERO and grouped != "#,###",
    )


def _negative(section: str) -> str:
    """Return the part of a format for negative numbers without its colour and the space that is left beside them."""
    return _COLOUR.sub("", _PADDING.sub("", section)).removesuffix("\\ ").replace("\\-", "-")


def is_unread(code: str) -> bool:
    """Say whether numbers look otherwise under a format that has no shape than they do when plain; dates are none."""
    bare = _PADDING.sub("", code)
    return bare not in {"", "General", "@"} and not _DATE.search(_ADDED.sub("", bare).replace("General", ""))


def read_shown(shown: str, number: float) -> Shape | None:
    """Return the shape in which ``number`` is shown; None where what is shown is anything but this number."""
    found = _SHOWN.fullmatch(shown)
    if found is None:
        return None
    whole, decimals, percent = found.groups()
    shape = _shape(len(whole) if whole[0] == "0" else 1, len(decimals or ""), "," in whole, percent is not None)
    return shape if shape.show(number) == shown else None


@cache
def _shape(digits: int, decimals: int, grouped: bool, percent: bool) -> Shape:  # noqa: FBT001 - a row of facts
    """Return the one shape of these facts: a sheet has few, and many cells."""
    return Shape(digits, decimals, grouped, percent)
