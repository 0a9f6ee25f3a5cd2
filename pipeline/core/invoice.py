"""An invoice of one month as it was read: what is asked for, before anything is compared."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from pipeline.model import MessageKind


class Counts(StrEnum):
    """What the counts of an invoice are."""

    MESSAGES = "messages"
    UNITS = "units"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceItem:
    """Messages of one kind, or a fixed fee, on one line of an invoice; untaxed yen.

    ``row`` is the record of the file, from 1 with the header. ``kind`` is None for a fee, and ``name`` then its name;
    else ``name`` is the carrier, empty where the invoice does not divide by it. What is not stated is None.
    """

    row: int
    kind: MessageKind | None
    name: str
    count: int | None
    unit_price: Decimal | None
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceTax:
    """Tax on an invoice; ``rate`` is None where it is not stated."""

    row: int
    rate: Decimal | None
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherMonth:
    """A line of another month (YYYY-MM): it is listed and not added up."""

    row: int
    month: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """What an invoice says of one month (YYYY-MM).

    ``fraction`` is what the stated total adds to the sum of the lines, or, below zero, leaves out of it: less than one
    yen. It is None where no total of the month is stated.
    """

    source_name: str
    sha256: str
    month: str
    counts: Counts
    items: tuple[InvoiceItem, ...]
    taxes: tuple[InvoiceTax, ...] = ()
    fraction: Decimal | None = None
    others: tuple[OtherMonth, ...] = ()
