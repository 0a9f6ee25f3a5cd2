"""Yen and counts as text and as spreadsheet numbers: exact, never in scientific notation, never rounded."""

from __future__ import annotations

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import TYPE_CHECKING

from pipeline.messages import Language, label

if TYPE_CHECKING:
    from collections.abc import Iterable

#: decimal digits that survive decimal → double → decimal, and all that a spreadsheet keeps
SPREADSHEET_DIGITS = 15


# The default context would round a sum to 28 digits.
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Add up ``amounts`` without rounding."""
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def plain(amount: Decimal) -> str:
    """Return ``amount`` as digits and a point, as machines read it; trailing zeros stay as they are."""
    return format(_unsigned_zero(amount), "f")


def grouped(amount: Decimal) -> str:
    """Return ``amount`` with thousands separators, as people read it; nothing is 0, however it was added up."""
    return "0" if amount.is_zero() else format(amount, ",f")


def yen(amount: Decimal, language: Language) -> str:
    """Return ``amount`` with separators and currency.

    The currency is a word: CP932 terminals cannot show U+00A5.
    """
    return label("report.yen", language, amount=grouped(amount))


def count(number: int) -> str:
    """Return ``number`` with thousands separators."""
    return f"{number:,}"


def share(part: int, whole: int) -> str:
    """Return ``part`` of ``whole`` in percent with one decimal; never 0.0 % or 100.0 % for what is not."""
    if part == 0 or whole == 0:
        return "0%"
    if part == whole:
        return "100%"
    tenths = (part * 2000 + whole) // (whole * 2)
    if tenths == 0:
        return "<0.1%"
    if tenths == 1000:  # noqa: PLR2004 - 100.0 %
        return ">99.9%"
    return f"{tenths // 10}.{tenths % 10}%"


def percent(rate: Decimal) -> str:
    """Return a rate in percent, exactly: 0.10 is 10%."""
    shown = plain(_EXACT.multiply(rate, 100))
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown) + "%"


def decimal_places(amount: Decimal) -> int:
    """Count the digits after the point."""
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def spreadsheet_number(amount: Decimal) -> float | None:
    """Return ``amount`` as a double that shows exactly the same digits, or None when there is none.

    A spreadsheet keeps 15 significant digits: 12345678901234567.89 would silently become 12345678901234600.
    """
    significant = "".join(map(str, amount.as_tuple().digits)).strip("0")
    return float(_unsigned_zero(amount)) if len(significant) <= SPREADSHEET_DIGITS else None


def _unsigned_zero(amount: Decimal) -> Decimal:
    # copy_abs and not abs(): abs rounds to the context's precision.
    return amount.copy_abs() if amount.is_zero() else amount
