"""The tariff: what the gateway's invoices are computed from, as data.

``parse_tariff`` takes the text of a tariff and returns a frozen ``Tariff`` or raises ``UsageError``
(``tariff.invalid``) that names file and key. Amounts are read as ``Decimal``, never as float.
"""

from __future__ import annotations

import hashlib
import tomllib
from datetime import date
from decimal import Decimal
from itertools import pairwise

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.core.billing import ANY_CARRIER, Price, Tariff, TaxRate
from pipeline.core.segments import Steps
from pipeline.errors import UsageError
from schemas.profile import describe_problems


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class _Price(_Record):
    carrier: str
    start: date = Field(alias="from")
    end: date | None = Field(default=None, alias="until")
    yen: tuple[Decimal, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rising(self) -> _Price:
        if any(yen < 0 for yen in self.yen):
            msg = "a price cannot be negative"
            raise ValueError(msg)
        if any(later < earlier for earlier, later in pairwise(self.yen)):
            msg = "more parts cannot cost less"
            raise ValueError(msg)
        return self


class _Steps(_Record):
    carrier: str
    wide_single: int = Field(ge=1)
    wide_part: int = Field(ge=1)
    narrow_single: int = Field(ge=1)
    narrow_part: int = Field(ge=1)


class _Tax(_Record):
    rate: Decimal = Field(ge=0, lt=1)
    start: date = Field(alias="from")
    end: date | None = Field(default=None, alias="until")


class _TariffFile(_Record):
    name: str
    price: tuple[_Price, ...] = Field(min_length=1)
    steps: tuple[_Steps, ...] = Field(min_length=1)
    tax: tuple[_Tax, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> _TariffFile:
        problems = _overlaps("tax", [("", tax.start, tax.end) for tax in self.tax])
        problems += _overlaps("price", [(price.carrier, price.start, price.end) for price in self.price])
        if ANY_CARRIER not in {steps.carrier for steps in self.steps}:
            problems.append('steps: carrier "*" is missing')
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _overlaps(table: str, periods: list[tuple[str, date, date | None]]) -> list[str]:
    """Name periods of one carrier that overlap; the end is exclusive, None is open."""
    ordered = sorted(periods, key=lambda period: (period[0], period[1]))
    return [
        f"{table}: {carrier or 'rate'} from {start} begins before the one from {earlier} ends"
        for (before, earlier, end), (carrier, start, _) in pairwise(ordered)
        if before == carrier and (end is None or start < end)
    ]


def parse_tariff(text: str, file: str) -> Tariff:
    """Parse the text of a tariff; ``file`` is its name in error messages."""
    try:
        raw = _TariffFile.model_validate(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        raise UsageError("tariff.not_toml", file=file, problem=str(error)) from None
    except ValidationError as error:
        raise UsageError("tariff.invalid", file=file, problems=describe_problems(error)) from None
    return Tariff(
        name=raw.name,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        prices=tuple(Price(price.carrier, price.start, price.end, price.yen) for price in raw.price),
        steps={
            step.carrier: Steps(step.wide_single, step.wide_part, step.narrow_single, step.narrow_part)
            for step in raw.steps
        },
        taxes=tuple(TaxRate(tax.rate, tax.start, tax.end) for tax in raw.tax),
    )
