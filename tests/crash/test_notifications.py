"""The endpoint for result notifications killed under load: what was acknowledged is in the ledger, always."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import Home
from tests.acceptance.serving import Line, Served, serving
from tests.acceptance.zygote import Zygote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINES = 12
#: acknowledges before anything is written: the mistake that the harness must find
_TOO_EARLY = """
from pipeline.adapters.group_commit import GroupCommit
async def commit(self, row, patience):
    with self._changed:
        self._waiting.append((row, self._loop.create_future()))
        self._changed.notify()
GroupCommit.commit = commit
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    zygote = Zygote()
    yield Home(tmp_path_factory.mktemp("killed"), zygote).init()
    zygote.close()


@dataclass
class Load:
    """Clients that notify one thing after the other over kept-alive connections until these break."""

    numbers: Iterator[int]
    acknowledged: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)

    def on(self, served: Served, seconds: float) -> None:
        """Load the endpoint and kill it ``seconds`` after its first answers."""
        before = len(self.acknowledged)
        threads = [threading.Thread(target=self._notify, args=(served.port,)) for _ in range(_LINES)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 60
        while len(self.acknowledged) < before + _LINES and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(seconds)
        served.process.kill()
        for thread in threads:
            thread.join(60)
        assert len(self.acknowledged) >= before + _LINES

    def _notify(self, port: int) -> None:
        line = Line(port)
        try:
            while True:
                smsid = f"kill{next(self.numbers)}"
                self.unanswered.add(smsid)
                if line.notify(smsid) == 200:
                    self.acknowledged.add(smsid)
                    self.unanswered.discard(smsid)
        except (OSError, HTTPException):
            line.close()


def _kills(home: Home, kills: int, seed: int, patch: str = "") -> tuple[Load, int]:
    """Kill at random moments; return the load, and how many acknowledged notifications are not in the ledger."""
    chosen = random.Random(seed)  # noqa: S311 - moments to kill at
    load = Load(itertools.count())
    for _ in range(kills):
        with serving(home, "--quiet", patch=patch) as served:
            load.on(served, chosen.uniform(0, 0.4))
        if lost := load.acknowledged - served.recorded().keys():
            return load, len(lost)
    return load, 0


def _run(home: Home, kills: int, record_property: object) -> None:
    seed = int(os.environ.get("CRASH_SEED", "") or random.SystemRandom().getrandbits(32))
    print(f"CRASH_SEED={seed}")  # noqa: T201 - shown where it fails
    load, lost = _kills(home, kills, seed)
    assert lost == 0, f"CRASH_SEED={seed}"
    assert callable(record_property)
    record_property("notification endpoints killed", kills)
    record_property("notifications acknowledged before a kill", len(load.acknowledged))
    # The gateway repeats what was not acknowledged; some of it is there already, and nothing is there twice.
    with serving(home, "--quiet") as served:
        for smsid in sorted(load.unanswered):
            assert served.notify(smsid).status_code == 200
        recorded = served.recorded()
    assert recorded.keys() == load.acknowledged | load.unanswered
    assert {len(rows) for rows in recorded.values()} == {1}


def test_what_was_acknowledged_survives_ten_kills(home: Home, record_property: object) -> None:
    _run(home, 10, record_property)


@pytest.mark.crash
@pytest.mark.timeout(1800)
def test_what_was_acknowledged_survives_many_kills(tmp_path: Path, home: Home, record_property: object) -> None:
    fresh = Home(tmp_path, home.zygote).init()
    _run(fresh, 100, record_property)


def test_an_answer_before_the_commit_is_found(tmp_path: Path, home: Home) -> None:
    fresh = Home(tmp_path, home.zygote).init()
    _, lost = _kills(fresh, 5, 1, _TOO_EARLY)
    assert lost
    shutil.rmtree(tmp_path)
