from __future__ import annotations

import pytest

from pipeline.simulator import Knobs
from pipeline.simulator.knobs import FAULTS, GROUPS


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
        ({"ng_words": "bad"}, "ng_words: expected tuple"),
        ({"ng_words": [1]}, "ng_words: expected texts"),
        ({"opted_out": [""]}, "opted_out: expected texts"),
        ({"allowed_hours": "9-18"}, "hours like 09:00-18:00"),
        ({"notify_url": "ftp://x.test/"}, "an address"),
        ({"notify_url": "http:///"}, "an address"),
        ({"notify_url": "http://[::1/"}, "an address"),
        ({"notify_url": "http://x.test:99999/"}, "an address"),
        ({"notify_url": "http://x.test/あ"}, "an address"),
        ({"notify_method": "PUT"}, "POST or GET"),
        ({"notify_format": "xml"}, "form or json"),
        ({"notify_attempts": 0}, "notify_attempts: must not be 0"),
        ({"throttle": 0}, "throttle: must not be 0"),
        ({"fate": "lucky"}, "fate: expected one of at_once"),
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
    knobs = Knobs(refuse_code="596", faults=3, results_cap=10, answer_counts=False, ng_words=("a", "b"))
    assert Knobs.from_json(knobs.as_json()) == knobs


def test_knobs_survive_a_form() -> None:
    knobs = Knobs(refuse_code="596", results_cap=10, answer_counts=False, ng_words=("a", "b c"), results_delay=0)
    form = {
        name: "\r\n".join(value) if isinstance(value, list) else str(value)
        for name, value in knobs.as_json().items()
        if value is not None and value is not False
    }
    assert Knobs.from_form(form) == knobs
    with pytest.raises(ValueError, match="foreign: expected int"):
        Knobs.from_form(form | {"foreign": "-1"})
    with pytest.raises(ValueError, match="results_delay: expected int"):
        Knobs.from_form(form | {"results_delay": ""})


def test_every_knob_has_its_group() -> None:
    shown = [name for names in GROUPS.values() for name in names]
    assert sorted(shown) == sorted(Knobs().as_json())
    assert set(FAULTS) < set(GROUPS["faults"])


def test_no_fault_without_faults_left() -> None:
    assert Knobs(swallow=True).fault == "swallow"
    assert Knobs(reset_after_bytes=0).fault == "reset_after_bytes"
    assert Knobs(swallow=True, faults=0).fault is None
    assert Knobs().fault is None
