"""Runs that are killed at random moments of real time while they upload, and run again until nothing is left."""

from __future__ import annotations

import os
import random
import secrets
from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import Knobs
from tests.crash.place import FINDINGS, LATE, at_most_once, see_through

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.crash.place import Place, Places

RUNS, SHARES = 300, 6
#: many small uploads: most of a run's time is spent in one
ROWS, MAX_ROWS = 60, "10"
RESULTS = {"on time": Knobs(), "late": Knobs(results_delay=LATE), "partial": Knobs(results_cap=25)}


def _prepare(place: Place) -> None:
    place.write(ROWS)
    place.environment["MEDIASMS_SEND_MAX_ROWS"] = MAX_ROWS


def _uploading(places: Places) -> float:
    """Return how long the uploads of a run take, in seconds."""
    with places() as place:
        _prepare(place)
        assert place.run() == FINDINGS
        marks = [path.stat().st_mtime for path in place.folder.glob("workspace/batches/*/*.begun")]
        assert len(marks) == ROWS // int(MAX_ROWS)
        return max(marks) - min(marks)


def _one(places: Places, chance: random.Random, longest: float) -> tuple[str, bool, list[str]]:
    """Kill one run; return what was drawn, whether it died while it sent, and what was wrong."""
    drawn, moment = chance.choice(list(RESULTS)), chance.uniform(0, longest)
    with places(RESULTS[drawn]) as place:
        _prepare(place)
        place.run(kill_after=moment)
        place.wait_for_others()
        states = set(place.states().values())
        problems = at_most_once(place) or see_through(place)
        return (
            f"results {drawn} after {moment:.4f} s",
            "in_flight" in states or {"planned", "taken"} <= states,
            problems,
        )


@pytest.mark.crash
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("share", range(SHARES))
def test_runs_killed_at_random_moments(
    places: Places, record_property: Callable[[str, object], None], share: int
) -> None:
    seed = os.environ.get("CRASH_SEED") or str(secrets.randbelow(1 << 32))
    record_property(f"seed {share}", seed)
    chance = random.Random(f"{seed} {share}")  # noqa: S311 - reproducible, not secret
    longest = _uploading(places)
    runs = [_one(places, chance, longest) for _ in range(RUNS // SHARES)]
    sending = sum(was_sending for _, was_sending, _ in runs)
    record_property("kills at a random moment", len(runs))
    record_property("of these while sending", sending)
    assert {drawn: problems for drawn, _, problems in runs if problems} == {}, f"CRASH_SEED={seed}"
    # How many die while they send depends on how busy the machine is now and was when the time was taken.
    assert sending > len(runs) // 5
