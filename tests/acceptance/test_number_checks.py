"""The other-person check as a command: what it asks for first, what it says, and what its reports show."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import Knobs
from tests.acceptance.conftest import ROOT, read_csv

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

PAGE = ROOT / "docs/other-person-check.md"
LABELS = {"本人", "他人", "判定不可"}


@pytest.fixture
def run(home: Home) -> tuple[str, ...]:
    """Write a list, one row of which has no date, and return the command that checks it."""
    home.init()
    home.environment["XDG_STATE_HOME"] = str(home.folder / "state")
    rows = "".join(f"0901{row:07d},2026/4/{row + 1},お知らせ\n" for row in range(8))
    (home.folder / "list.csv").write_text(f"電話番号,登録日,本文\n{rows}09018888888,,x\n", encoding="utf-8")
    return ("run", "list.csv", "--campaign", "c", "--check", "only", "--yes")


def _confirm(home: Home) -> None:
    """Do what the page says: confirm the parameters, and enter the verdicts."""
    text = (ROOT / "schemas/profiles/mediasms.toml").read_text(encoding="utf-8")
    head, section = text.split("\n[check]\n")
    section, rest = section.split("\n\n", 1)
    (verdicts,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    confirmed = section.replace("confirmed = false", "confirmed = true")
    (home.folder / "own.toml").write_text(f"{head}\n[check]\n{confirmed}\n\n{rest}\n{verdicts}", encoding="utf-8")
    assert home("profile", "check", "own.toml").code == 0
    home.environment["MEDIASMS_GATEWAY_PROFILE"] = "./own.toml"


def test_nothing_is_asked_before_the_profile_says_how(
    home: Home, gateway: EmbeddedGateway, run: tuple[str, ...]
) -> None:
    for command in (run, ("validate", *run[1:-1])):
        refused = home(*command)
        assert refused.code == 2
        for key in ("type_parameter", "only", "date_parameter", "date_format"):
            assert f"check.{key}" in refused.err
    _confirm(home)
    assert home(*run, "--mode", "csv").code == 2
    assert home(*run, "--text", "sample_data/text.txt").code == 2
    assert home("run", "list.csv", "--check", "perhaps").code == 2
    assert gateway.requests == {}


def test_numbers_are_checked_once_and_their_verdicts_are_reported(
    home: Home, gateway: EmbeddedGateway, run: tuple[str, ...]
) -> None:
    _confirm(home)
    gateway.knobs = Knobs(check_option=True)
    dry = home(*run, "--dry-run", "--json")
    assert (dry.document["rows"], dry.document["accepted"], gateway.requests) == (9, 8, {})
    done = home(*run)
    assert done.code == 1  # a row has no date
    assert "8 numbers taken for an other-person check; no text was sent" in done.out
    correction = next(line for line in done.out.splitlines() if "rejected.xlsx" in line and "mediasms run" in line)
    assert "--check only" in correction
    assert [row["mediasms_code"] for row in home.rejected()] == ["registrationdate.missing"]
    (batch,) = home("status", "--json").document["batches"]
    gateway.clock.advance(timedelta(hours=1))
    again = home(*run, "--json").document
    assert gateway.requests["/api/"] == 8
    assert (again["taken"], sum(again["classes"].values()), again["classes"]["checked"] > 0) == (8, 8, True)
    assert set(again["statuses"]) <= LABELS
    (kind,) = again["groups"]["kind"]
    assert (kind["name"], kind["messages"]) == ("check", 8)
    shown = home("reconcile", batch["batch_id"], LANG="ja_JP.UTF-8").out
    assert "判定のみ" in shown
    assert {message.text for message in gateway.messages} == {""}
    (accepted,) = home.workspace.glob("batches/*/accepted.csv")
    assert {row["text"] for row in read_csv(accepted)} == {""}
    # The same list goes out as it stands, in the same campaign.
    home.environment["MEDIASMS_SEND_SINGLE_BELOW"] = "0"
    texts = home("run", "list.csv", "--campaign", "c", "--yes", "--json").document
    assert (texts["taken"], texts["already"]) == (9, 0)


def test_every_code_and_key_of_the_page_exists() -> None:
    page = PAGE.read_text(encoding="utf-8")
    profile = (ROOT / "schemas/profiles/mediasms.toml").read_text(encoding="utf-8")
    section = profile.split("\n[check]\n")[1].split("\n\n")[0]
    assert {line.partition(" ")[0] for line in section.splitlines()} == set(re.findall(r"`check\.(\w+)`", page))
    for code in re.findall(r"^\| (\d{3}) \|", page, re.MULTILINE):
        assert f'code = "{code}"' in profile
