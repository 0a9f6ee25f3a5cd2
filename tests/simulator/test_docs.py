"""docs/embedded-gateway.md and docs/gateway.md hold knobs, parameters, codes and lines to try, as the code has them."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.calendar import JST
from pipeline.messages import LABELS, Language
from pipeline.reports.answer_codes import answer_document, answer_table
from pipeline.simulator import Knobs
from pipeline.simulator.knobs import GROUPS
from pipeline.simulator.trying import lines
from schemas.parameters import PARAMETERS

if TYPE_CHECKING:
    from schemas.profile import Profile

GATEWAY = Path(__file__).parents[2] / "docs/gateway.md"
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


def entries(value: object, key: str) -> dict[str, dict[str, Any]]:
    """Flatten a profile to its graded entries by key."""
    if isinstance(value, (list, tuple)):
        found: dict[str, dict[str, Any]] = {}
        for part in value:
            if isinstance(part, dict):
                found |= entries(part, f"{key} {part.get('number', part.get('name'))}")
        return found
    if not isinstance(value, dict):
        return {}
    if "grade" in value:
        return {key: value}
    found = {}
    for name, part in value.items():
        found |= entries(part, f"{key}.{name}" if key else name)
    return found


def key_table(profile: Profile, prefixes: list[str]) -> str:
    rows = []
    for key, entry in entries(profile.model_dump(mode="json"), "").items():
        if not any(key == prefix or key.startswith((f"{prefix}.", f"{prefix} ")) for prefix in prefixes):
            continue
        value = entry.get("value", entry.get("url", entry.get("filled_by", entry.get("field"))))
        shown = ascii(value) if isinstance(value, str) and not value.isprintable() else str(value)
        notes = [entry["note"]] if entry["note"] else []
        notes += ["*does nothing*"] if entry.get("confirmed") is False else []
        rows.append(
            f"| `{key}` | `{shown or ' '}` | {entry['grade']} | {'; '.join(notes)} |".replace(
                "total|failed|ok", r"total\|failed\|ok"
            )
        )
    return "\n".join(["| profile key | value | grade | |", "|---|---|---|---|", *rows])


def test_every_interface_has_its_entries_of_the_profile(profile: Profile) -> None:
    page = GATEWAY.read_text("utf-8")
    blocks = re.findall(r"<!-- keys: (.*?) -->\n(.*?)\n?<!-- /keys -->", page, re.DOTALL)
    for prefixes, table in blocks:
        assert table == key_table(profile, prefixes.split()), key_table(profile, prefixes.split())
    held = {key for _, table in blocks for key in re.findall(r"^\| `(.*?)` ", table, re.MULTILINE)}
    of_others = ("limits", "options", "status", "answer")
    missing = [key for key in entries(profile.model_dump(mode="json"), "") if key not in held]
    assert [key for key in missing if not key.startswith(of_others)] == []


def test_the_table_of_answer_codes_is_the_profile_s(profile: Profile) -> None:
    page = GATEWAY.read_text("utf-8")
    assert f"<!-- codes -->\n{answer_table(profile)}<!-- /codes -->\n" in page, answer_table(profile)


def test_every_interface_has_its_line_in_the_gateway_s_page(profile: Profile) -> None:
    page = GATEWAY.read_text("utf-8")
    found = lines(profile, "http://127.0.0.1:8025", "demo", NOW)
    sends = ("send_csv", "send_single", "send_json", "schedule", "check")
    for name in (*sends, "results_csv", "result_single", "check_option", "knobs", "cancel"):
        assert f"```sh\n{found[name]}\n```" in page, found[name]


def test_every_code_says_what_comes_next(profile: Profile) -> None:
    for language in Language:
        for code, cells in answer_document(profile, language).items():
            assert all(cells.values()), code
    said = answer_document(profile, Language.EN)
    assert said["587"]["upload"] != said["586"]["upload"]
    assert said["514"]["result"] != said["550"]["result"]
    assert said["503"]["single"] != said["502"]["single"]
    assert (
        len({said[code]["next"] for code in ("401", "402", "503", "555", "585", "587", "606", "608", "610", "666")})
        == 10
    )
