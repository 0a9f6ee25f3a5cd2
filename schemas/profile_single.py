"""What is asked about one message in the profile: the individual send, an other-person check, a cancellation."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import StringConstraints, model_validator

from pipeline.model import NumberCheck
from schemas.facts import Fact, Grade, Name, Record, repeated


class SingleParameter(Record):
    """One parameter of the individual send, and the field of a recipient that fills it."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*$")]
    filled_by: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    grade: Grade
    confirmed: bool | None = None
    note: str = ""


class Check(Record):
    """The other-person check (他人判定): what an individual send says besides, and who knows when a number was noted.

    ``only`` and ``then_send`` are the values of ``type_parameter``; ``columns`` are names of the column of a list that
    says on which day a number was noted.
    """

    type_parameter: Fact[Name]
    only: Fact[Name]
    then_send: Fact[Name]
    date_parameter: Fact[Name]
    date_format: Fact[Name]
    columns: tuple[Name, ...]

    def value(self, check: NumberCheck) -> Fact[str]:
        """Return what asks for a check and nothing else, or for one before the text."""
        return self.only if check is NumberCheck.ONLY else self.then_send

    def unconfirmed(self, check: NumberCheck) -> list[str]:
        """Name the keys that a request with this check needs and that are not confirmed."""
        needed = {
            "type_parameter": self.type_parameter,
            "only" if check is NumberCheck.ONLY else "then_send": self.value(check),
            "date_parameter": self.date_parameter,
            "date_format": self.date_format,
        }
        return [f"check.{name}" for name, fact in needed.items() if fact.confirmed is False]


class Single(Record):
    """Form of the individual send and of the individual result.

    ``busy_code`` alone in an answer says that nothing was taken; empty where an account's does not.
    """

    format: Fact[Literal["form", "json"]]
    busy_code: Fact[Annotated[str, StringConstraints(pattern=r"^([0-9]{3})?$")]]
    time_format: Fact[str]
    result_parameter: Fact[str]
    absent_code: Fact[Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]]
    parameter: tuple[SingleParameter, ...]

    @cached_property
    def by_field(self) -> dict[str, SingleParameter]:
        """Map the field of a recipient to the parameter that carries it."""
        return {parameter.filled_by: parameter for parameter in self.parameter}


class Cancel(Record):
    """Form of the request to cancel a message, and what its answer codes say; every other one says nothing."""

    parameter: Fact[Name]
    cancelled_code: Fact[Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]]
    absent_code: Fact[Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]]
    too_late_code: Fact[Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]]

    @model_validator(mode="after")
    def _each_once(self) -> Cancel:
        codes = [self.cancelled_code.value, self.absent_code.value, self.too_late_code.value]
        if twice := repeated("cancel", "code", codes):
            raise ValueError("; ".join(twice))
        return self
