"""Cells of invoices as people and programs write them: numbers, months, tax rates."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

#: first year of the era Reiwa, less one
_REIWA = 2018
_LONGEST = 40
#: as many digits as a phone number, which no message may hold
_LONG_NUMBER = re.compile(r"(?:[0-9][^0-9]{0,2}){10}")
#: sign and currency in either order; the yen sign of CP932 is a backslash
_NUMBER = re.compile(
    r"(?P<sign>[-−▲△]?)[¥\\]?(?P<second>[-−▲△]?)(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?P<rest>\.[0-9]{1,6})?"
    r"(?:円|yen|jpy|通|件)?",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"\((?P<inner>[^()]*)\)")
_RATE = re.compile(r"(?P<rate>[0-9]{1,2}(?:\.[0-9]{1,2})?)%")
_RATE_REMARK = re.compile(r"\(?[0-9]{1,2}(?:\.[0-9]{1,2})?%(?:対象)?\)?")
_YEAR_MONTH = re.compile(r"(?P<year>20[0-9]{2})(?P<month>[0-9]{2})")
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[-+][0-9]{2}:?[0-9]{2})?)?"
#: a month, or a day of it, with one kind of mark between the numbers
_DATE = re.compile(
    r"(?:(?P<year>20[0-9]{2})|(?:令和|R)(?P<era>元|[0-9]{1,2}))(?P<mark>[-/.年])(?P<month>[0-9]{1,2})"
    rf"(?:月?度?(?:ご?利用)?分?|(?:(?!年)(?P=mark){_DAY}|月{_DAY}日){_TIME})"
)
#: what stands between the first and the last day of a month
_BETWEEN = re.compile(r"[-~〜–—]|から")
_LAST_DAY = re.compile(rf"(?:(?P<month>[0-9]{{1,2}})月)?{_DAY}日")


#: spaces that do not stand between two digits, which would be one number or two
_SPACES = re.compile(r"(?<![0-9])\s+|\s+(?![0-9])")
#: digits of these two forms only: NFKC would make 12 of 1²
_DIGITS = frozenset("0123456789０１２３４５６７８９")


def _plain(cell: str) -> str:
    return _SPACES.sub("", unicodedata.normalize("NFKC", cell))


def _has_odd_digits(cell: str) -> bool:
    return any(character.isnumeric() and character not in _DIGITS for character in cell)


def number_of(cell: str, digits: int) -> Decimal | None:
    """Return the number in a cell such as ``1,234``, ``¥1,234``, ``▲500`` or ``(500)``; None for anything else.

    At most ``digits`` stand before the point, 6 after it. Commas stand in front of three digits only.
    """
    plain = _plain(cell)
    bracketed = _BRACKETED.fullmatch(plain)
    found = _NUMBER.fullmatch(bracketed["inner"] if bracketed else plain)
    if found is None or _has_odd_digits(cell) or bool(found["sign"]) + bool(found["second"]) + bool(bracketed) > 1:
        return None
    whole = found["whole"].replace(",", "")
    if len(whole.lstrip("0")) > digits:
        return None
    number = Decimal(whole + (found["rest"] or ""))
    return -number if bracketed or found["sign"] or found["second"] else number


def month_of(cell: str) -> str | None:
    """Return the month in a cell such as ``2026-11``, ``2026年11月分``, ``202611`` or ``令和8年11月`` as YYYY-MM.

    It may be a day of the month, or its first and last; what names two months is None.
    """
    if _has_odd_digits(cell):
        return None
    plain = _plain(cell)
    if month := _one_month(plain):
        return month
    for between in _BETWEEN.finditer(plain):
        first, last = plain[: between.start()], plain[between.end() :].removesuffix("まで")
        if (month := _one_month(first)) and month in {_one_month(last), _month_of_last_day(last, month)}:
            return month
    return None


def _one_month(plain: str) -> str | None:
    found = _YEAR_MONTH.fullmatch(plain) or _DATE.fullmatch(plain)
    if found is None:
        return None
    era = found.groupdict().get("era")
    year = _REIWA + (1 if era == "元" else int(era)) if era else int(found["year"])
    month = int(found["month"])
    return f"{year}-{month:02d}" if 1 <= month <= 12 else None  # noqa: PLR2004 - months of a year


def _month_of_last_day(plain: str, month: str) -> str | None:
    """Return the month of a last day that is written without its year, or without its month, after one in ``month``."""
    found = _LAST_DAY.fullmatch(plain)
    return found and f"{month[:4]}-{int(found['month'] or month[5:]):02d}"


def rate_of(cell: str) -> Decimal | None:
    """Return the tax rate that a cell such as ``消費税(10%)`` names, as a share."""
    found = _RATE.search(_plain(cell))
    return Decimal(found["rate"]) / 100 if found else None


def without_rate(cell: str) -> str:
    """Return a cell without the tax rate in it."""
    return _RATE_REMARK.sub("", _plain(cell))


def shown_cell(cell: str) -> str:
    """Show a cell in a message, unless it is long or may be a phone number."""
    is_data = len(cell) > _LONGEST or _LONG_NUMBER.search(unicodedata.normalize("NFKC", cell))
    return "…" if is_data else cell
