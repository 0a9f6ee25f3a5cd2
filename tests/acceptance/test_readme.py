"""The README is executed, and what it lists is compared with what it lists it from."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import MEANINGS
from tests.acceptance.documents import CONSOLE, execute

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _between(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, re.DOTALL)
    assert found
    return found[1]


def exit_codes() -> str:
    rows = [f"| {int(code)} | {meaning} | {advice} |" for code, (meaning, advice) in MEANINGS.items()]
    return "\n".join(["| exit | meaning | a scheduler should |", "|---|---|---|", *rows, ""])


def _entries(value: Any, key: str) -> list[tuple[str, dict[str, Any]]]:  # noqa: ANN401 - TOML
    """Flatten a profile to its graded entries; one of a list has its number or code in its key."""
    if isinstance(value, list):
        return [
            found
            for part in value
            if isinstance(part, dict)
            for found in _entries(part, f"{key} {part.get('number', part.get('code'))}")
        ]
    if not isinstance(value, dict):
        return []
    if "grade" in value:
        return [(key, value)]
    return [found for name, part in value.items() for found in _entries(part, f"{key}.{name}" if key else name)]


def assumptions() -> str:
    profile = tomllib.loads((ROOT / "schemas/profiles/mediasms.toml").read_text(encoding="utf-8"))
    rows: list[str] = []
    codes: dict[tuple[str, str, str], list[str]] = {}
    for key, entry in _entries(profile, ""):
        if entry["grade"] not in {"A", "T/A"}:
            continue
        if key.startswith("answer "):
            kind = (entry["proves"].replace("_", " "), entry["run"].replace("_", " "), entry["grade"])
            codes.setdefault(kind, []).append(entry["code"])
            continue
        value = entry.get("value", entry.get("url", entry.get("field")))
        shown = f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"
        note = "; ".join(
            part
            for part in (entry.get("note", ""), "*does nothing*" if entry.get("confirmed") is False else "")
            if part
        )
        rows.append(f"| `{key}` | {shown} | {entry['grade']} | {note} |")
    for (proves, run, grade), found in codes.items():
        rows.append(f"| `answer` {' '.join(found)} | proves {proves}, then {run} | {grade} | meaning not public |")
    return "\n".join(["| profile key | assumed | grade | |", "|---|---|---|---|", *rows, ""])


def test_exit_codes_are_those_of_the_program() -> None:
    assert _between("exit codes") == exit_codes()


def test_assumptions_are_those_of_the_profile() -> None:
    assert _between("assumptions") == assumptions()


def test_every_console_block_is_executable() -> None:
    assert len(CONSOLE.findall(README)) == README.count("```console") > 0


def test_console_blocks_do_what_they_say(home: Home, gateway: EmbeddedGateway) -> None:
    shutil.rmtree(home.folder / "sample_data")  # a folder of its own has none
    execute(README, home)
    assert [message.copies for message in gateway.messages] == [1]


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
