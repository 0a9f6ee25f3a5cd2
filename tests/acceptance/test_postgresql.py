"""The whole command with a ledger that several hosts share."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import Knobs
from tests.processes import wait_until

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home
    from tests.databases import Server

RUN = ("run", "sample_data/recipients.csv", "--campaign", "demo", "--yes", "--json")
SECRET = "pw-Mori9Kawa"  # noqa: S105 - of nobody: the server of the tests asks for none


@pytest.fixture
def shared(home: Home, server: Server) -> str:
    """The address of a ledger in a server, with a password in it."""
    home.environment["MEDIASMS_LEDGER_URL"] = server.fresh().replace("postgres:@", f"postgres:{SECRET}@")
    return home.environment["MEDIASMS_LEDGER_URL"]


def _uploads(gateway: EmbeddedGateway) -> int:
    return gateway.requests.get("/api3/", 0)


def test_the_whole_way(home: Home, gateway: EmbeddedGateway, shared: str) -> None:
    assert SECRET in shared
    assert home("run", "sample_data/recipients.csv").code == 2
    home.init()
    assert home.init()
    done = home(*RUN)
    assert (done.code, done.document["taken"]) == (1, 455)
    assert home(*RUN).document["taken"] == 455
    assert _uploads(gateway) == 1
    assert not (home.workspace / "ledger.sqlite3").exists()
    said = [home(*words) for words in (("ledger", "check"), ("ledger", "migrate"), ("doctor",), ("config", "show"))]
    assert [each.code for each in said] == [0, 0, 0, 0]
    assert SECRET not in "".join(each.out + each.err for each in said)
    assert "ledger.url = postgresql://***@" in said[-1].out


def test_of_two_runs_the_second_names_the_first(home: Home, gateway: EmbeddedGateway, shared: str) -> None:
    assert shared
    home.init()
    gateway.knobs = Knobs(swallow=True, results_delay=3600)
    first = home.start(*RUN)
    wait_until(lambda: gateway.messages)
    second = home(*RUN)
    assert (second.code, second.document["error"]) == (4, "lock.held")
    assert f"pid {first.pid}, " in second.err
    assert SECRET not in second.out + second.err
    # The first dies without a word: its lock goes with it, and what it had begun is an open outcome for the next.
    first.kill()
    first.communicate(timeout=30)
    deadline = time.monotonic() + 60
    while (third := home(*RUN)).code == 4 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert (third.code, third.document["unknown"]) == (5, 455)
    assert _uploads(gateway) == 1
    assert {message.copies for message in gateway.messages} == {1}


def test_a_server_cut_off_in_the_middle_is_not_exit_4(
    home: Home, gateway: EmbeddedGateway, server: Server, shared: str
) -> None:
    server.run("DO $$ BEGIN CREATE ROLE runner LOGIN SUPERUSER; EXCEPTION WHEN duplicate_object THEN END $$")
    home.environment["MEDIASMS_LEDGER_URL"] = shared.replace("postgres:", "runner:")
    home.environment["MEDIASMS_GATEWAY_READ_TIMEOUT"] = "3"
    home.init()
    gateway.knobs = Knobs(swallow=True, results_delay=3600)
    running = home.start(*RUN)
    wait_until(lambda: gateway.messages)
    # Every session of the run, also the one that keeps its lock, and no new one until it has ended.
    server.run("ALTER ROLE runner NOLOGIN")
    server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'runner'")
    out, err = running.communicate(timeout=60)
    server.run("ALTER ROLE runner LOGIN")
    assert (running.returncode, json.loads(out)["error"]) == (5, "send.unrecorded")
    assert SECRET not in out.decode() + err.decode()
    done = home(*RUN)
    assert (done.code, done.document["unknown"]) == (5, 455)
    assert _uploads(gateway) == 1


def test_a_ledger_moves_from_the_file_to_the_server(home: Home, gateway: EmbeddedGateway, server: Server) -> None:
    home.init()
    assert home(*RUN).document["taken"] == 455
    url = server.fresh()
    refused = home("ledger", "copy", url.replace("postgres:@", f"postgres:{SECRET}@"), "--json")
    assert (refused.code, refused.document["error"]) == (2, "ledger.copy_password")
    moved = home("ledger", "copy", url, "--json")
    assert (moved.code, moved.document["tables"]["message"]) == (0, 455)
    assert home(*RUN).document == {"error": "ledger.moved", "exit": 7}
    home.environment["MEDIASMS_LEDGER_URL"] = url
    assert home(*RUN).document["taken"] == 455
    assert _uploads(gateway) == 1
