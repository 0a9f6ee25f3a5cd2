"""What messages cost: exact untaxed yen per message; tax is exact too, rounding belongs to the month's invoice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pipeline.core.segments import Steps, parts

#: the carrier whose steps and prices stand for every carrier the tariff does not name
ANY_CARRIER = "*"


@dataclass(frozen=True, slots=True)
class Price:
    """Price of a whole message by its number of parts, ``yen[0]`` for one part, valid on [start, end)."""

    carrier: str
    start: date
    end: date | None
    yen: tuple[Decimal, ...]

    def covers(self, day: date) -> bool:
        """Say whether the price is valid on ``day``."""
        return self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class TaxRate:
    """Consumption tax rate, valid on [start, end)."""

    rate: Decimal
    start: date
    end: date | None


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices, steps and tax rates. ``steps`` may hold ``*``; prices are per named carrier only, or for ``*``."""

    name: str
    sha256: str
    prices: tuple[Price, ...]
    steps: Mapping[str, Steps]
    taxes: tuple[TaxRate, ...]

    def price(self, carrier: str, count: int, day: date) -> Decimal | None:
        """Return the untaxed yen of a message of ``count`` parts; None where the tariff does not say."""
        for name in (carrier, ANY_CARRIER):
            for price in self.prices:
                if price.carrier == name and price.covers(day):
                    return price.yen[count - 1] if count <= len(price.yen) else None
        return None

    def parts(self, carrier: str, characters: int, *, double_byte: bool) -> int:
        """Return the number of parts of a text by the carrier's steps."""
        steps = self.steps.get(carrier) or self.steps[ANY_CARRIER]
        return parts(characters, double_byte=double_byte, steps=steps)

    def tax_rate(self, day: date) -> Decimal:
        """Return the consumption tax rate of ``day``; zero before the first one."""
        for tax in self.taxes:
            if tax.start <= day and (tax.end is None or day < tax.end):
                return tax.rate
        return Decimal(0)

    def cost_range(self, characters: int, *, double_byte: bool, day: date) -> tuple[Decimal, Decimal] | None:
        """Return lowest and highest untaxed yen of a message whose carrier is not known yet; None without a price."""
        costs = [
            yen
            for price in self.prices
            if price.covers(day)
            and (yen := self.price(price.carrier, self.parts(price.carrier, characters, double_byte=double_byte), day))
            is not None
        ]
        return (min(costs), max(costs)) if costs else None
