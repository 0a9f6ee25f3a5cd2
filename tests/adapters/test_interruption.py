"""Signals: held back where something must be recorded, breaking an upload after a grace, ending everything else."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from pipeline.adapters import interruption
from pipeline.adapters.interruption import held, install, is_pending, uploading
from pipeline.errors import Exit, Interrupted, TryLater

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = [(signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)]


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(interruption, "_state", interruption._State())
    monkeypatch.setattr(interruption, "GRACE_SECONDS", 0.2)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    install()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _receive(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_ends_at_once_and_a_second_one_does_nothing(number: int, code: Exit) -> None:
    with pytest.raises(Interrupted) as ended:
        _receive(number)
    assert ended.value.exit is code
    _receive(signal.SIGINT)
    _receive(signal.SIGTERM)


def test_what_must_be_recorded_is_before_it_ends_whatever_else_goes_wrong() -> None:
    done: list[str] = []

    def work() -> None:
        with held():
            _receive(signal.SIGTERM)
            _receive(signal.SIGINT)
            assert is_pending()
            done.append("recorded")
            raise TryLater("gateway.unreachable", url="x", problem="x")

    with pytest.raises(Interrupted):
        work()
    assert done == ["recorded"]


def test_an_upload_may_finish_within_the_grace() -> None:
    done: list[str] = []

    def work() -> None:
        with held():
            with uploading():
                _receive(signal.SIGINT)
                time.sleep(0.05)
                done.append("answered")
            time.sleep(0.3)
            done.append("recorded")

    with pytest.raises(Interrupted):
        work()
    assert done == ["answered", "recorded"]


def test_an_upload_that_hangs_is_broken_off_after_the_grace() -> None:
    done: list[str] = []
    begun = time.monotonic()

    def work() -> None:
        with held():
            try:
                with uploading():
                    _receive(signal.SIGINT)
                    time.sleep(30)
            except Interrupted:
                _receive(signal.SIGINT)
                done.append("recorded")
                raise

    with pytest.raises(Interrupted):
        work()
    assert time.monotonic() - begun < 5
    assert done == ["recorded"]


def test_after_a_signal_no_upload_begins() -> None:
    def work() -> None:
        with held():
            _receive(signal.SIGINT)
            with uploading():
                pytest.fail("it began")

    with pytest.raises(Interrupted):
        work()


def test_a_signal_that_was_ignored_from_the_start_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    install()
    _receive(signal.SIGINT)
    assert not is_pending()
