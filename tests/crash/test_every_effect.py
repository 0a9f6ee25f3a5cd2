"""A run is killed before and after each of its effects, and run again: nobody gets it twice, nobody is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import Knobs
from tests.crash.place import (
    ACCEPTED,
    FINDINGS,
    LATE,
    UNKNOWN,
    at_most_once,
    every_edge,
    free,
    kill_at_each,
    killed,
    see_through,
    told_the_truth,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.crash.place import Place, Places

RESULTS = {
    "on time": Knobs(),
    "late": Knobs(results_delay=LATE),
    "partial": Knobs(results_cap=2),
}
DEDUPES = {
    "on time": Knobs(dedupe_smsid=True),
    "late": Knobs(dedupe_smsid=True, results_delay=LATE),
    "partial": Knobs(dedupe_smsid=True, results_cap=2),
}
#: the whole matrix is cut into so many tests, for several processes
SHARES = 6


def _effects(places: Places, knobs: Knobs | None = None, mutant: tuple[str, ...] = ()) -> list[str]:
    """Return the effects of a run that nobody kills, in their order."""
    with places(knobs) as place:
        assert place.run(watched=True, mutant=list(mutant)) == FINDINGS
        return place.effects


def test_a_run_that_nobody_kills_has_every_kind_of_effect(places: Places) -> None:
    with places() as place:
        code = place.run(watched=True)
        assert at_most_once(place) + told_the_truth(place, code) == []
        assert set(place.copies().values()) == {1}
        assert len(place.copies()) == ACCEPTED
        effects = place.effects
    names = [effect.partition(" ")[0] for effect in effects]
    assert set(names) == {"open", "write", "fsync", "rename", "link", "remove", "mkdir", "commit", "upload"}
    order = [
        "commit plan_batch",
        "commit begin_dispatch",
        "rename dispatch-0001.begun",
        "upload head",
        "upload first byte",
        "upload last byte",
        "upload answer",
        "commit end_dispatch",
    ]
    assert [effect for effect in effects if effect in order][: len(order)] == order
    verbs = {effect.removeprefix("commit ") for effect in effects if effect.startswith("commit ")}
    assert verbs >= {"register_batch", "adopt_in_flight", "settle", "cancel_opted_out", "note_auth", "record_pull"}


@pytest.mark.parametrize("share", range(3))
def test_a_kill_after_each_effect_of_an_upload(places: Places, share: int) -> None:
    edges, effects = _edges_of_an_upload(places)
    assert len(edges) > 12
    assert kill_at_each(places, edges[share::3], effects, RESULTS["on time"]) == {}


def test_a_kill_after_each_commit_and_each_part_of_an_upload_with_a_server(shared_places: Places) -> None:
    """The effects between these are on files, and with a file as the ledger each is one to be killed at."""
    edges, effects = _edges_of_an_upload(shared_places)
    seen = [edge for edge in edges if effects[edge[0] - 1].startswith(("commit", "upload"))]
    assert len(seen) > 6
    assert kill_at_each(shared_places, seen, effects, RESULTS["on time"]) == {}


def _edges_of_an_upload(places: Places) -> tuple[list[tuple[int, str]], list[str]]:
    """Return the edge after each effect of a run from the plan to the end of its first upload, and all effects."""
    effects = _effects(places)
    first = effects.index("commit plan_batch") + 1
    last = effects.index("commit end_dispatch") + 1
    return [(number, "after") for number in range(first, last + 1)], effects


@pytest.mark.crash
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("results", RESULTS)
@pytest.mark.parametrize("gateway", [RESULTS, DEDUPES], ids=["takes again", "dedupes"])
def test_a_kill_before_and_after_every_effect(
    either: Places,
    record_property: Callable[[str, object], None],
    gateway: dict[str, Knobs],
    results: str,
    share: int,
) -> None:
    knobs = gateway[results]
    effects = _effects(either, knobs)
    edges = every_edge(effects)[share::SHARES]
    record_property("kills at an effect", len(edges))
    assert kill_at_each(either, edges, effects, knobs) == {}


def _killed_once(place: Place, effects: list[str], where: str) -> list[str]:
    """Kill a run; where nothing of it arrived, let a person say so, and the next run has to plan again."""
    problems = killed(place, effects.index(where) + 1, "after")
    if where == "upload head":
        assert place.run() == UNKNOWN
        problems += free(place)
    return problems


@pytest.mark.crash
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("where", ["upload last byte", "upload head"], ids=["settles", "plans again"])
def test_a_kill_at_every_effect_of_the_run_after_a_kill(
    places: Places, record_property: Callable[[str, object], None], where: str, when: str
) -> None:
    first = _effects(places)
    with places() as place:
        assert _killed_once(place, first, where) == []
        place.run(watched=True)
        second = place.effects
    wrong = {}
    for number, effect in enumerate(second, 1):
        with places() as place:
            problems = _killed_once(place, first, where) or killed(place, number, when) or see_through(place)
        if problems:
            wrong[f"{when} {number} ({effect})"] = problems
    record_property("kills of the run after a kill", len(second))
    assert wrong == {}


def _mutated(places: Places, mutant: tuple[str, ...], where: str) -> list[str]:
    """Kill a broken product after an effect and see it through with the whole one; return what the harness finds."""
    effects = _effects(places, mutant=mutant)
    with places() as place:
        found = killed(place, effects.index(where) + 1, "after", mutant)
        place.run()
        return found + at_most_once(place)


def test_an_intent_that_is_recorded_after_the_upload_is_found_by_its_duplicates(places: Places) -> None:
    found = _mutated(places, ("intent late", "marker late"), "upload last byte")
    assert sum(problem.endswith(": 2 copies") for problem in found) == 3


def test_an_intent_that_is_recorded_after_the_upload_is_found_even_where_the_marker_prevents_duplicates(
    places: Places,
) -> None:
    effects = _effects(places, mutant=("intent late",))
    with places() as place:
        found = killed(place, effects.index("upload last byte") + 1, "after", ("intent late",))
        assert sum(problem.endswith(": out, but planned") for problem in found) == 3
        assert told_the_truth(place, place.run())[0].startswith("exit 7")
        assert set(place.copies().values()) == {1}


def test_a_marker_that_is_not_written_is_found(places: Places) -> None:
    found = _mutated(places, ("no marker",), "upload last byte")
    assert sum(problem.endswith(": out, but without a marker") for problem in found) == 6
