"""Sending one by one as a command: what it says, how it ends when it is told to, and what is asked for after it."""

from __future__ import annotations

import json
import re
import signal
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import Knobs
from tests.acceptance.conftest import ROOT
from tests.processes import wait_until

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

ROWS = 30


@pytest.fixture
def run(home: Home) -> tuple[str, ...]:
    """Write a list, and return the command that sends it one by one."""
    home.init()
    home.environment["XDG_STATE_HOME"] = str(home.folder / "state")
    rows = "".join(f"0901{row:07d},お知らせ{row}\n" for row in range(ROWS))
    (home.folder / "list.csv").write_text(f"電話番号,本文\n{rows}", encoding="utf-8")
    return ("run", "list.csv", "--campaign", "c", "--mode", "single", "--yes")


def test_a_list_goes_out_one_by_one_and_its_results_are_asked_for(
    home: Home, gateway: EmbeddedGateway, run: tuple[str, ...]
) -> None:
    gateway.knobs = Knobs(fate="at_once", results_cap=4)
    done = home(*run, "--json")
    assert (done.code, done.document["taken"]) == (0, ROWS), done.err
    assert (gateway.requests["/api/"], gateway.requests.get("/api3/", 0)) == (ROWS, 0)
    assert len(list((home.folder / "state/mediasms").glob("*.pace"))) == 1
    batch = done.document["batch_id"]
    gateway.clock.advance(timedelta(days=1))
    pulls = gateway.requests["/api4/"]
    asked = home("pull", batch, "--single", "--json").document
    assert gateway.requests["/api4/"] == pulls
    assert set(asked["single"]) == {"asked", "named", "absent", "new"}
    assert asked["single"]["named"] == asked["single"]["asked"] > 0
    assert "0 have a status" in home("pull", batch, "--single").out
    assert home(*run).code in {0, 1}
    assert {message.copies for message in gateway.messages} == {1}


def test_a_dry_run_names_the_mode_and_the_command_that_keeps_it(home: Home, run: tuple[str, ...]) -> None:
    dry = home(*run, "--dry-run", "--lang", "en")
    assert dry.code == 0, dry.err
    assert "how: one by one, which takes at least 1 s" in dry.out
    assert re.search(r"next: mediasms send \w+ --mode single$", dry.out, re.MULTILINE)
    uploads = home(*run, "--dry-run", "--mode", "csv", "--lang", "en", "--json")
    assert (uploads.document["mode"], uploads.document["seconds"]) == ("csv", None)


def test_a_period_is_not_asked_for_one_by_one(home: Home, gateway: EmbeddedGateway, run: tuple[str, ...]) -> None:
    assert run
    asked = home("pull", "--single", "--since", "2026-11-01", "--until", "2026-11-02")
    assert (asked.code, gateway.requests.get("/api5/", 0)) == (2, 0)


def test_the_mode_of_a_batch_does_not_change(home: Home, gateway: EmbeddedGateway, run: tuple[str, ...]) -> None:
    batch = home(*run, "--json").document["batch_id"]
    other = home("send", batch, "--mode", "csv", "--json")
    assert (other.code, other.document["error"]) == (7, "send.mode_fixed")
    assert home("send", batch, "--json").code == 0
    assert gateway.requests["/api/"] == ROWS


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_requests_without_an_answer_are_unknown_before_the_command_ends(
    home: Home, gateway: EmbeddedGateway, run: tuple[str, ...], number: int, code: int
) -> None:
    home.environment["MEDIASMS_GATEWAY_READ_TIMEOUT"] = "600"
    gateway.knobs = Knobs(swallow=True, results_delay=3600)
    running = home.start(*run, "--json")
    wait_until(lambda: gateway.messages)
    for _ in range(3):  # more than one changes nothing
        running.send_signal(number)
        time.sleep(0.1)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, "error" in json.loads(out)) == (code, True), err
    assert "Traceback" not in err.decode()
    (batch,) = home("status", "--json").document["batches"]
    assert batch["states"] == {"unknown": 1, "planned": ROWS - 1}
    # The next run asks for its result and goes on by itself.
    gateway.knobs = Knobs(fate="at_once")
    assert home(*run, "--json").document["taken"] == ROWS
    assert {message.copies for message in gateway.messages} == {1}


def test_every_test_that_the_page_names_exists() -> None:
    page = (ROOT / "docs/single-sends.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert named
    for file, name in named:
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")
