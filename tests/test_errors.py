"""Failures: the code raised is the code in the catalogue, and the other way round."""

from __future__ import annotations

import ast
from itertools import combinations
from pathlib import Path
from string import Formatter
from typing import Final

import pytest

import pipeline
import schemas
from pipeline import errors
from pipeline.errors import MEANINGS, SEVERITY, Exit, MediasmsError, worst
from pipeline.messages import FAILURES, Language

CLASSES: Final = {
    name: value for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, MediasmsError)
}
MODULES: Final = sorted(
    module for package in (pipeline, schemas) for folder in package.__path__ for module in Path(folder).rglob("*.py")
)


def calls() -> list[tuple[str, ast.Call]]:
    """Return every call of an error class with its place."""
    return [
        (f"{module.name}:{node.lineno}", node)
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id in CLASSES)
            or (isinstance(node.func, ast.Attribute) and node.func.attr in CLASSES)
        )
    ]


def codes(call: ast.Call) -> list[str | None]:
    """Return the codes a call may raise; None stands for what only the run decides."""
    if not call.args:
        return [None]
    first = call.args[0]
    choices = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
    return [
        choice.value if isinstance(choice, ast.Constant) and isinstance(choice.value, str) else None
        for choice in choices
    ]


def test_every_code_raised_is_in_the_catalogue() -> None:
    found = calls()
    assert len(found) > 40
    assert [place for place, call in found if None in codes(call)] == []
    assert [(place, code) for place, call in found for code in codes(call) if code not in FAILURES] == []


def test_every_code_of_the_catalogue_is_raised() -> None:
    raised = {code for _, call in calls() for code in codes(call)}
    assert sorted(FAILURES.keys() - raised) == []


def test_every_call_gives_the_facts_its_words_need() -> None:
    for place, call in calls():
        given = {keyword.arg for keyword in call.keywords}
        for code in codes(call):
            if code is None or None in given:  # **facts
                continue
            texts = [text for pair in FAILURES[code] for text in pair]
            needed = {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}
            assert (place, code, sorted(needed - given, key=str)) == (place, code, [])


@pytest.mark.parametrize("name", CLASSES)
def test_a_failure_speaks_both_languages(name: str) -> None:
    failure = CLASSES[name]("config.missing", file="x.toml")
    assert failure.exit in MEANINGS
    for language in Language:
        assert "x.toml" in failure.what(language)
        assert failure.hint(language)
    assert str(failure) == "config.missing: there is no configuration x.toml."
    assert failure.args == ("config.missing", {"file": "x.toml"})


def test_every_exit_code_of_a_failure() -> None:
    assert {name: int(failure.exit) for name, failure in CLASSES.items()} == {
        "MediasmsError": 70,
        "UsageError": 2,
        "InputUnusable": 3,
        "TryLater": 4,
        "OutcomeUnknown": 5,
        "GatewayRefused": 6,
        "GuardStopped": 7,
        "Bug": 70,
    }


def test_the_worst_outcome_is_the_first_by_severity() -> None:
    assert worst([]) is Exit.DONE
    for earlier, later in combinations(SEVERITY, 2):
        assert worst([later, earlier]) is worst([earlier, later, earlier]) is earlier
    assert [int(exit_code) for exit_code in SEVERITY] == [143, 130, 70, 5, 7, 6, 3, 2, 4, 1, 0]
