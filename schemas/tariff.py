"""The tariff: what the gateway's invoices are computed from, as data.

``parse_tariff`` takes the text of a tariff and returns a frozen ``Tariff`` or raises ``UsageError``
(``tariff.invalid``) that names file, table, carrier, kind and days. Amounts are read as ``Decimal``, never as float.
Nothing is left open: between two periods there is no gap, and on every day with a price or a fee there is a tax rate.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pipeline.core.billing import ANY_CARRIER, MonthlyFee, Price, Rounding, Tariff, TaxRate
from pipeline.core.segments import Steps
from pipeline.errors import UsageError
from pipeline.model import MessageKind
from schemas.profile import describe_problems


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _only_a_day(value: object) -> object:
    """Refuse what pydantic would take for a day: 20260401 as seconds since 1970, a time of a day."""
    if isinstance(value, (int, float, Decimal, datetime)):
        msg = "write a day, like 2026-04-01"
        raise ValueError(msg)  # noqa: TRY004 - the error that pydantic collects
    return value


def _only_a_number(value: object) -> object:
    if isinstance(value, bool):
        msg = "write a number"
        raise ValueError(msg)  # noqa: TRY004 - the error that pydantic collects
    return value


_Day = Annotated[date, BeforeValidator(_only_a_day)]
#: bounded so that sums are exact: see ``pipeline.core.billing``
_Yen = Annotated[Decimal, BeforeValidator(_only_a_number), Field(max_digits=13, decimal_places=6)]


class _Valid(_Record):
    start: _Day = Field(alias="from")
    end: _Day | None = Field(default=None, alias="until")

    @model_validator(mode="after")
    def _has_a_day(self) -> _Valid:
        if self.end is not None and self.end <= self.start:
            msg = f"until {self.end} leaves no day from {self.start} on"
            raise ValueError(msg)
        return self


class _Price(_Valid):
    carrier: str = Field(min_length=1)
    kind: MessageKind = MessageKind.NORMAL
    yen: tuple[_Yen, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rising(self) -> _Price:
        if any(yen < 0 for yen in self.yen):
            msg = f"{self._who}: a price cannot be negative"
            raise ValueError(msg)
        for count, (earlier, later) in enumerate(pairwise(self.yen), 2):
            if later < earlier:
                msg = f"{self._who}: more parts cannot cost less ({count} parts {later}, {count - 1} {earlier})"
                raise ValueError(msg)
        return self

    @property
    def _who(self) -> str:
        return f"{self.carrier} {self.kind} from {self.start}"


class _Steps(_Record):
    carrier: str = Field(min_length=1)
    wide_single: int = Field(ge=1)
    wide_part: int = Field(ge=1)
    narrow_single: int = Field(ge=1)
    narrow_part: int = Field(ge=1)

    @model_validator(mode="after")
    def _falling(self) -> _Steps:
        # A text one character longer would otherwise fit fewer parts, or still one.
        if self.wide_part > self.wide_single or self.narrow_part > self.narrow_single:
            msg = f"{self.carrier}: a part of a longer text cannot hold more than a single one"
            raise ValueError(msg)
        return self


class _Fee(_Valid):
    name: str = Field(min_length=1)
    yen: Annotated[_Yen, Field(ge=0)]

    @model_validator(mode="after")
    def _whole_months(self) -> _Fee:
        days = [day for day in (self.start, self.end) if day is not None and day.day != 1]
        if days:
            msg = f"{self.name}: a fee is monthly, it begins and ends with a month, not on {days[0]}"
            raise ValueError(msg)
        return self


class _Tax(_Valid):
    rate: Annotated[Decimal, BeforeValidator(_only_a_number), Field(ge=0, lt=1, max_digits=5, decimal_places=4)]


class _TariffFile(_Record):
    name: str = Field(min_length=1)
    rounding: Rounding = Rounding.DOWN
    price: tuple[_Price, ...] = Field(min_length=1)
    steps: tuple[_Steps, ...] = Field(min_length=1)
    tax: tuple[_Tax, ...] = Field(min_length=1)
    fee: tuple[_Fee, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> _TariffFile:
        problems = _problems("tax", "rate", self.tax)
        for carrier, kind in dict.fromkeys((price.carrier, price.kind) for price in self.price):
            periods = [price for price in self.price if (price.carrier, price.kind) == (carrier, kind)]
            problems += _problems("price", f"{carrier} {kind}", periods)
        for name in dict.fromkeys(fee.name for fee in self.fee):
            # A fee may pause: a month without it is a month without it.
            problems += _overlaps("fee", name, [fee for fee in self.fee if fee.name == name])
        carriers = [steps.carrier for steps in self.steps]
        problems += [
            f"steps: {carrier} is given more than once" for carrier in set(carriers) if carriers.count(carrier) > 1
        ]
        if ANY_CARRIER not in carriers:
            problems.append('steps: carrier "*" is missing')
        problems += [
            f"price: {price.carrier} {price.kind} {_period(price)} has days without a tax rate"
            for price in self.price
            if not self._is_taxed(price)
        ]
        problems += [
            f"fee: {fee.name} {_period(fee)} has days without a tax rate" for fee in self.fee if not self._is_taxed(fee)
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _is_taxed(self, period: _Valid) -> bool:
        """Say whether the tax rates, which have no gaps, span ``period``."""
        first, last = min(self.tax, key=lambda tax: tax.start), max(self.tax, key=lambda tax: tax.start)
        ends_in_time = last.end is None or (period.end is not None and period.end <= last.end)
        return first.start <= period.start and ends_in_time


def _period(period: _Valid) -> str:
    return f"from {period.start}" + (f" until {period.end}" if period.end else "")


def _problems(table: str, who: str, periods: Iterable[_Valid]) -> list[str]:
    """Name gaps and overlaps of the periods of one carrier and kind; the end is exclusive, None is open."""
    ordered = sorted(periods, key=lambda period: period.start)
    gaps = [
        f"{table}: {who} has a gap from {before.end} until {after.start}"
        for before, after in pairwise(ordered)
        if before.end is not None and before.end < after.start
    ]
    return gaps + _overlaps(table, who, ordered)


def _overlaps(table: str, who: str, periods: Iterable[_Valid]) -> list[str]:
    ordered = sorted(periods, key=lambda period: period.start)
    return [
        f"{table}: {who} from {after.start} begins before the one from {before.start} ends"
        for before, after in pairwise(ordered)
        if before.end is None or after.start < before.end
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
        prices=tuple(Price(price.carrier, price.start, price.end, price.yen, price.kind) for price in raw.price),
        steps={
            step.carrier: Steps(step.wide_single, step.wide_part, step.narrow_single, step.narrow_part)
            for step in raw.steps
        },
        taxes=tuple(TaxRate(tax.rate, tax.start, tax.end) for tax in raw.tax),
        fees=tuple(MonthlyFee(fee.name, fee.yen, fee.start, fee.end) for fee in raw.fee),
        rounding=raw.rounding,
    )
