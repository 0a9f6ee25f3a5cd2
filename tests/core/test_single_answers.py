"""Answers to a message that was sent alone, and to the question for its result: what they prove, and what not."""

from __future__ import annotations

from importlib import resources

import pytest

from pipeline.core.answers import Reading, SingleResult, judge_single, parse_answer, parse_single_result
from pipeline.model import MessageState, RunAction
from schemas.profile import parse_profile

PROFILE = parse_profile(resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8"), "x")
DOCUMENTED = {answer.code: Reading(answer.proves, answer.run) for answer in PROFILE.answer}
PAGE = b"<html><body>503 Service Unavailable</body></html>"


def _judged(status: int, body: bytes, *, repeated: bool = False, busy_code: str = "503") -> tuple[str, str] | None:
    answer = parse_answer(status, body, DOCUMENTED, empty_is_taken=False)
    verdict = judge_single(answer, body, DOCUMENTED, busy_code=busy_code, repeated=repeated)
    return None if verdict is None else (verdict.others.value, verdict.run.value)


TAKEN, REFUSED, STOPPED = ("taken", "go_on"), ("refused", "go_on"), ("refused", "stop")
UNKNOWN = ("unknown", "stop")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"200", TAKEN),
        (201, b"200\r\n", TAKEN),
        (200, b'{"result":"200"}', TAKEN),
        (500, b"200", UNKNOWN),
        (200, b"", UNKNOWN),
        (200, PAGE, UNKNOWN),
        (200, b'{"result":200}', UNKNOWN),
        (200, b"560", REFUSED),
        (560, b"", REFUSED),
        (200, b'{"result":"585"}', REFUSED),
        (401, b"401", STOPPED),
        (200, b"596", STOPPED),
        (200, b"402", UNKNOWN),
        (200, b"999", UNKNOWN),
        (502, b"502", UNKNOWN),
        (302, b"", UNKNOWN),
        # Busy: only where that is all there is.
        (503, b"503", None),
        (200, b"503\n", None),
        (200, b'{"result":"503"}', None),
        (503, b"", UNKNOWN),
        (503, PAGE, UNKNOWN),
        (503, b"503\nretry later", UNKNOWN),
    ],
)
def test_what_an_answer_proves(status: int, body: bytes, expected: tuple[str, str] | None) -> None:
    assert _judged(status, body) == expected


def test_an_account_whose_503_proves_nothing_says_so_in_its_profile() -> None:
    assert _judged(503, b"503", busy_code="") == UNKNOWN


@pytest.mark.parametrize("code", [b"587", b"624"])
def test_a_known_smsid_is_evidence_only_after_an_earlier_attempt(code: bytes) -> None:
    assert _judged(200, code) == ("unknown", RunAction.STOP.value)
    assert _judged(200, code, repeated=True) == (MessageState.TAKEN.value, RunAction.GO_ON.value)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, "200\n送信済\n", SingleResult("200", "送信済")),
        (200, "\ufeff200\r\n 1 \r\n", SingleResult("200", "1")),
        (200, "200", SingleResult("200")),
        (200, "200\n" + "x" * 41, SingleResult("200")),
        (200, "514", SingleResult("514")),
        (514, "", SingleResult("514")),
        (200, "587", SingleResult("587")),
        (200, "<html>200\n送信済</html>", SingleResult(None)),
        (502, "200\n送信済", SingleResult(None)),
        (503, "503", SingleResult("503")),
    ],
)
def test_a_result_is_a_code_and_a_status_on_its_own_line(status: int, body: str, expected: SingleResult) -> None:
    assert parse_single_result(status, body.encode(), DOCUMENTED) == expected


def test_bytes_that_are_no_text_are_no_status() -> None:
    assert parse_single_result(200, b"200\n\x91\x97\x90M\x8d\xcf", DOCUMENTED) == SingleResult("200")
