"""A command that cancels at the gateway is killed at its effects, and run again: it never says what is not true."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import Knobs
from tests.crash.place import ACCEPTED, FINDINGS, LATER, UNKNOWN, at_most_once, every_edge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.crash.place import Place, Places

HOLD = Knobs(hold_seconds=3600, fate="at_once")
GUARD = 7
SHARES = 4
#: what may be killed in the short run: the first of these, and the last
FIRST, LAST = ("commit ask_to_cancel", "cancel answer"), ("cancel first byte", "cancel answer", "commit settle")


@contextmanager
def _taken(places: Places) -> Iterator[tuple[Place, tuple[str, ...]]]:
    """Have a batch that waits at the gateway, and the command that cancels it."""
    with places(HOLD) as place:
        assert place.run() == FINDINGS, place.said
        yield place, ("cancel", place.document["batch_id"], "--yes", "--json")


def _effects(places: Places) -> list[str]:
    with _taken(places) as (place, command):
        assert place.run(*command, watched=True) == 0, place.said
        return place.effects


def _outcomes(place: Place) -> set[tuple[str, str]]:
    return set(place.query("SELECT smsid, outcome FROM cancellation WHERE outcome IS NOT NULL"))


def _see_through(place: Place, command: tuple[str, ...]) -> list[str]:
    """Cancel again, and wait for what results say; return what was not true."""
    code = place.run(*command)
    problems = at_most_once(place)
    if code not in {0, UNKNOWN, GUARD}:
        problems.append(f"exit {code}: {place.said}")
    asked = place.document["gateway"]
    if sum(asked.values()) != ACCEPTED or (code == UNKNOWN) != ("unclear" in asked) or "too_late" in asked:
        problems.append(f"exit {code} with {asked}")
    place.advance(LATER)
    place.run()
    cancelled = set(place.query("SELECT smsid FROM observation WHERE status = 'キャンセル済'"))
    if len(cancelled) != ACCEPTED or place.document["classes"] != {"cancelled": ACCEPTED}:
        problems.append(f"in the end {len(cancelled)} results, {place.document['classes']}")
    problems += [f"{smsid}: said {outcome}" for smsid, outcome in _outcomes(place) if outcome in {"too_late", "absent"}]
    problems += [f"break {kind}" for kind in place.document["breaks"]]
    return problems


def _killed_at_each(places: Places, edges: Iterable[tuple[int, str]], effects: list[str]) -> dict[str, list[str]]:
    wrong: dict[str, list[str]] = {}
    for number, when in edges:
        with _taken(places) as (place, command):
            code = place.run(*command, watched=True, stop=(number, when))
            place.wait_for_others()
            problems = [f"was not killed: exit {code}"] if code != -signal.SIGKILL else _see_through(place, command)
        if problems:
            wrong[f"{when} {number} ({effects[number - 1]})"] = problems
    return wrong


def test_the_intent_comes_before_the_first_byte_and_the_answers_after_the_last(places: Places) -> None:
    effects = _effects(places)
    heads = [number for number, effect in enumerate(effects) if effect == "cancel head"]
    answers = [number for number, effect in enumerate(effects) if effect == "cancel answer"]
    assert len(heads) == len(answers) == ACCEPTED
    assert effects.index("commit ask_to_cancel") < heads[0]
    assert answers[-1] < effects.index("commit answer_cancellations")


def test_a_kill_after_effects_of_cancelling(places: Places) -> None:
    effects = _effects(places)
    last = {effect: number for number, effect in enumerate(effects, 1)}
    numbers = [effects.index(kind) + 1 for kind in FIRST] + [last[kind] for kind in LAST]
    assert _killed_at_each(places, [(number, "after") for number in numbers], effects) == {}


@pytest.mark.crash
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("share", range(SHARES))
def test_a_kill_around_every_effect_of_cancelling(
    either: Places, record_property: Callable[[str, object], None], share: int
) -> None:
    effects = _effects(either)
    edges = every_edge(effects)[share::SHARES]
    record_property("kills at an effect of cancelling", len(edges))
    assert _killed_at_each(either, edges, effects) == {}
