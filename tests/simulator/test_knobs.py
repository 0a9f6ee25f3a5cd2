from __future__ import annotations

import pytest

from pipeline.simulator import Knobs


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([], "JSON object"),
        ({"html_20": True}, "no such knob: html_20"),
        ({"html_200": 1}, "html_200: expected bool"),
        ({"foreign": True}, "foreign: expected int"),
        ({"foreign": -1}, "must not be negative"),
        ({"results_cap": "7"}, "results_cap: expected int"),
        ({"refuse_code": "59"}, "three digits"),
        (
            {"swallow": True, "reset_after_bytes": 0},
            "only one fault at a time, not reset_after_bytes and swallow",
        ),
    ],
)
def test_bad_knobs_are_named(values: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Knobs.from_json(values)


def test_knobs_survive_json() -> None:
    knobs = Knobs(refuse_code="596", faults=3, results_cap=10, answer_counts=False)
    assert Knobs.from_json(knobs.as_json()) == knobs


def test_no_fault_without_faults_left() -> None:
    assert Knobs(swallow=True).fault == "swallow"
    assert Knobs(reset_after_bytes=0).fault == "reset_after_bytes"
    assert Knobs(swallow=True, faults=0).fault is None
    assert Knobs().fault is None
