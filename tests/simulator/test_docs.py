"""docs/embedded-gateway.md holds every knob, every parameter and every line to try, as the code has them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.calendar import JST
from pipeline.messages import LABELS
from pipeline.simulator import Knobs
from pipeline.simulator.knobs import GROUPS
from pipeline.simulator.trying import lines
from schemas.parameters import PARAMETERS

if TYPE_CHECKING:
    from schemas.profile import Profile

PAGE = Path(__file__).parents[2] / "docs/embedded-gateway.md"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=JST)


def knob_table(group: str) -> str:
    defaults = Knobs().as_json()
    rows = [f"| `{name}` | `{_shown(defaults[name])}` | {_meaning(name)} |" for name in GROUPS[group]]
    return "\n".join(["| knob | default | what it does |", "|---|---|---|", *rows])


def parameter_table() -> str:
    rows = []
    for parameter in PARAMETERS:
        notes = [f"needs the option {parameter.option}"] if parameter.option else []
        notes += [parameter.note] if parameter.note else []
        required = "required" if parameter.required else ""
        rows.append(
            f"| {parameter.interface} | `{parameter.name}` | {required} | {parameter.code} | {parameter.grade} "
            f"| {'; '.join(notes)} |"
        )
    return "\n".join(["| interface | parameter | | code outside | grade | note |", "|---|---|---|---|---|---|", *rows])


def _meaning(name: str) -> str:
    return LABELS[f"gateway.knob.{name}"].en.replace("|", r"\|")


def _shown(value: object) -> str:
    return (
        "[]"
        if value == []
        else str(value).lower()
        if isinstance(value, bool)
        else "null"
        if value is None
        else str(value)
    )


def test_every_knob_stands_there() -> None:
    page = PAGE.read_text("utf-8")
    for group in GROUPS:
        assert knob_table(group) in page, knob_table(group)


def test_every_parameter_stands_there() -> None:
    assert parameter_table() in PAGE.read_text("utf-8"), parameter_table()


def test_every_line_to_try_stands_there(profile: Profile) -> None:
    page = PAGE.read_text("utf-8")
    for line in lines(profile, "http://127.0.0.1:8025", "demo", NOW).values():
        assert f"```sh\n{line}\n```" in page, line
