"""What every part of a profile is made of: values with the grade of their source."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Grade = Annotated[str, StringConstraints(pattern=r"^[SVTA]([+/][SVTA])*$")]
Name = Annotated[str, StringConstraints(min_length=1)]
Count = Annotated[int, Field(ge=1)]
T = TypeVar("T")


class Record(BaseModel):
    """Part of a profile: frozen, and without any key that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Fact(Record, Generic[T]):
    """One value of the profile with its grade; ``confirmed`` is None where no confirmation is asked for."""

    value: T
    grade: Grade
    confirmed: bool | None = None
    note: str = ""


def repeated(place: str, key: str, values: list[int] | list[str]) -> list[str]:
    """Name what is given more than once among the values of a key."""
    seen: set[int | str] = set()
    twice: list[int | str] = []
    for value in values:
        if value in seen and value not in twice:
            twice.append(value)
        seen.add(value)
    return [f"{place}: {key} {value!r} is given more than once" for value in twice]
