"""A run that sends one by one is killed at its effects, and run again: nobody gets it twice, nobody is forgotten."""

from __future__ import annotations

import random
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import Knobs
from tests.crash.place import (
    ACCEPTED,
    FINDINGS,
    RUN,
    at_most_once,
    every_edge,
    kill_at_each,
    killed,
    see_through,
    told_the_truth,
)
from tests.crash.test_every_effect import DEDUPES, RESULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.crash.place import Place, Places

SHARES = 6
#: enough for several groups on their way at once
ROWS = 60
#: what may be killed in the short run: the first of each, which goes alone, and the last of a group
KINDS = (
    "commit plan_batch",
    "commit begin_singles",
    "rename dispatch-0001.begun",
    "rename dispatch-0005.begun",
    "single head",
    "single first byte",
    "single last byte",
    "single answer",
    "commit end_singles",
)


@contextmanager
def _single(places: Places, knobs: Knobs | None = None, connections: int = 1) -> Iterator[Place]:
    with places(knobs) as place:
        place.command = (*RUN, "--mode", "single")
        place.environment["MEDIASMS_SEND_CONNECTIONS"] = str(connections)
        yield place


def _effects(places: Places, knobs: Knobs | None = None) -> list[str]:
    with _single(places, knobs) as place:
        assert place.run(watched=True) == FINDINGS, place.said
        return place.effects


def test_intent_and_markers_of_a_group_come_before_the_first_byte_of_any_of_it(places: Places) -> None:
    with _single(places) as place:
        code = place.run(watched=True)
        assert at_most_once(place) + told_the_truth(place, code) == []
        assert list(place.copies().values()) == [1] * ACCEPTED
        effects = place.effects
    begun = [number for number, effect in enumerate(effects) if effect == "commit begin_singles"]
    heads = [number for number, effect in enumerate(effects) if effect == "single head"]
    marks = [effects.index(f"rename dispatch-{number:04d}.begun") for number in range(1, ACCEPTED + 1)]
    # The first request goes alone; the others begin together.
    assert begun[0] < marks[0] < heads[0] < begun[1] < marks[1] < marks[-1] < heads[1]
    assert len(begun) == 2


@pytest.mark.parametrize("share", [0, *(pytest.param(share, marks=pytest.mark.crash) for share in (1, 2))])
def test_a_kill_after_effects_of_requests(either: Places, share: int) -> None:
    effects = _effects(either)
    last = {effect: number for number, effect in enumerate(effects, 1)}
    numbers = {effects.index(kind) + 1 for kind in KINDS} | {last[kind] for kind in KINDS}
    edges = [(number, "after") for number in sorted(numbers)]
    assert len(edges) > len(KINDS)
    assert kill_at_each(partial(_single, either), edges[share::3], effects, RESULTS["on time"]) == {}


@pytest.mark.crash
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("results", RESULTS)
@pytest.mark.parametrize("gateway", [RESULTS, DEDUPES], ids=["takes again", "dedupes"])
def test_a_kill_before_and_after_every_effect_of_requests(
    either: Places,
    record_property: Callable[[str, object], None],
    gateway: dict[str, Knobs],
    results: str,
    share: int,
) -> None:
    knobs = gateway[results]
    effects = _effects(either, knobs)
    edges = every_edge(effects)[share::SHARES]
    record_property("kills at an effect of single sends", len(edges))
    assert kill_at_each(partial(_single, either), edges, effects, knobs) == {}


def _killed_on_the_way(places: Places, seed: object, count: int) -> dict[str, list[str]]:
    """Kill runs over several connections at any of their effects, whichever thread has it; return what was wrong."""
    chance = random.Random(f"{seed}")  # noqa: S311 - reproducible, not secret
    wrong: dict[str, list[str]] = {}
    for _ in range(count):
        knobs = chance.choice([*RESULTS.values(), *DEDUPES.values()])
        # Among so many effects this is in the middle of the sending, wherever exactly.
        number, when = chance.randrange(ROWS * 4 + 150, ROWS * 8), chance.choice(["before", "after"])
        with _single(places, knobs, connections=4) as place:
            place.write(ROWS)
            problems = killed(place, number, when) or see_through(place)
        if problems:
            wrong[f"{when} {number}"] = problems
    return wrong


def test_kills_with_several_requests_on_their_way(places: Places) -> None:
    assert _killed_on_the_way(places, "short", 2) == {}


@pytest.mark.crash
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("share", range(SHARES))
def test_many_kills_with_several_requests_on_their_way(
    places: Places, record_property: Callable[[str, object], None], share: int
) -> None:
    record_property("kills with several requests on their way", 20)
    assert _killed_on_the_way(places, share, 20) == {}


def test_markers_that_are_not_written_are_found(places: Places) -> None:
    with _single(places) as place:
        assert place.run(watched=True, mutant=["no marker"]) == FINDINGS
        number = place.effects.index("single last byte") + 1
    with _single(places) as place:
        found = killed(place, number, "after", ("no marker",))
    assert [problem.partition(": ")[2] for problem in found] == ["out, but without a marker"]
