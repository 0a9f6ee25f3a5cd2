"""What messages and months cost by the tariff: exact untaxed yen per message, a rounding rule for the month's bill.

Amounts have at most 7 digits before and 6 after the point, rates at most 4: sums of 10 milliard messages and their
tax have at most 28 digits, so that the default context of ``Decimal`` never rounds one of them.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from pipeline.core.segments import Steps, parts
from pipeline.errors import Bug
from pipeline.model import MessageKind, PriceLine

#: the carrier whose steps and prices stand for every carrier the tariff does not name
ANY_CARRIER = "*"


class Rounding(StrEnum):
    """How amounts of a month's bill become whole yen; half a yen goes up with ``half_up``."""

    DOWN = "down"
    HALF_UP = "half_up"
    UP = "up"

    def whole_yen(self, amount: Decimal) -> Decimal:
        """Return ``amount`` as whole yen."""
        return amount.quantize(Decimal(1), _MODES[self])


_MODES = {
    Rounding.DOWN: decimal.ROUND_DOWN,
    Rounding.HALF_UP: decimal.ROUND_HALF_UP,
    Rounding.UP: decimal.ROUND_UP,
}


@dataclass(frozen=True, slots=True)
class Price:
    """Price of a whole message by its number of parts, ``yen[0]`` for one part, valid on [start, end)."""

    carrier: str
    start: date
    end: date | None
    yen: tuple[Decimal, ...]
    kind: MessageKind = MessageKind.NORMAL

    def covers(self, day: date) -> bool:
        """Say whether the price is valid on ``day``."""
        return _covers(self.start, self.end, day)


@dataclass(frozen=True, slots=True)
class TaxRate:
    """Consumption tax rate, valid on [start, end)."""

    rate: Decimal
    start: date
    end: date | None


@dataclass(frozen=True, slots=True)
class MonthlyFee:
    """A fixed fee, untaxed yen for every month whose last day lies in [start, end)."""

    name: str
    yen: Decimal
    start: date
    end: date | None

    def covers(self, day: date) -> bool:
        """Say whether the fee is due for the month that ends on ``day``."""
        return _covers(self.start, self.end, day)


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices, steps, fees and tax rates. ``steps`` may hold ``*``; prices are per named carrier only, or for ``*``."""

    name: str
    sha256: str
    prices: tuple[Price, ...]
    steps: Mapping[str, Steps]
    taxes: tuple[TaxRate, ...]
    fees: tuple[MonthlyFee, ...] = ()
    rounding: Rounding = Rounding.DOWN

    @property
    def price_lines(self) -> tuple[PriceLine, ...]:
        """Return every price of the tariff, as reports show them."""
        return tuple(
            PriceLine(carrier=price.carrier, kind=price.kind, parts=count, start=price.start, end=price.end, amount=yen)
            for price in self.prices
            for count, yen in enumerate(price.yen, 1)
        )

    def price(self, carrier: str, count: int, day: date, kind: MessageKind = MessageKind.NORMAL) -> Decimal | None:
        """Return the untaxed yen of a message of ``count`` parts; None where the tariff does not say.

        A kind without prices has none: it never costs what another kind costs.
        """
        for name in (carrier, ANY_CARRIER):
            for price in self.prices:
                if price.carrier == name and price.kind is kind and price.covers(day):
                    return price.yen[count - 1] if 1 <= count <= len(price.yen) else None
        return None

    def parts(self, carrier: str, characters: int, *, double_byte: bool) -> int:
        """Return the number of parts of a text by the carrier's steps."""
        steps = self.steps.get(carrier) or self.steps[ANY_CARRIER]
        return parts(characters, double_byte=double_byte, steps=steps)

    def tax_rate(self, day: date) -> Decimal:
        """Return the consumption tax rate of ``day``.

        Raises ``Bug`` (``tariff.no_rate``) where there is none: on every day with a price or a fee there is one, as
        the tariff was checked when it was loaded.
        """
        for tax in self.taxes:
            if _covers(tax.start, tax.end, day):
                return tax.rate
        raise Bug("tariff.no_rate", tariff=self.name, day=day)

    def cost_range(
        self, characters: int, *, double_byte: bool, day: date, kind: MessageKind = MessageKind.NORMAL
    ) -> tuple[Decimal, Decimal] | None:
        """Return lowest and highest untaxed yen of a message whose carrier is not known yet; None without a price.

        After a check the text may stay away: then the check alone is billed, and has a price of its own.
        """
        costs = self._costs(characters, double_byte=double_byte, day=day, kind=kind)
        if costs and kind is MessageKind.CHECK_THEN_SEND:
            alone = self._costs(0, double_byte=False, day=day, kind=MessageKind.CHECK)
            costs = [*costs, *alone] if alone else []
        return (min(costs), max(costs)) if costs else None

    def _costs(self, characters: int, *, double_byte: bool, day: date, kind: MessageKind) -> list[Decimal]:
        """Return what a message costs at each carrier that has a price for it."""
        # A carrier that has steps of its own may still be priced by "*".
        carriers = {price.carrier for price in self.prices} | self.steps.keys()
        return [
            yen
            for carrier in carriers
            if (yen := self.price(carrier, self.parts(carrier, characters, double_byte=double_byte), day, kind))
            is not None
        ]


def _covers(start: date, end: date | None, day: date) -> bool:
    return start <= day and (end is None or day < end)
