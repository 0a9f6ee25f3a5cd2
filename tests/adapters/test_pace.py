"""The pace: turns that real processes take from one file, and what a server sees of them."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.adapters import pace
from pipeline.adapters.pace import Pace, pace_file, step_of, turns_of
from pipeline.errors import TryLater

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
RATE = 80
PROCESSES, EACH = 3, 60
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n200"


@contextmanager
def _listening() -> Iterator[tuple[str, list[float]]]:
    """Answer requests, and keep the moment at which each arrived."""
    arrived: list[float] = []
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                arrived.append(time.monotonic())
                with client:
                    client.recv(4096)
                    client.sendall(_ANSWER)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/", arrived
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join()


def _most_in_a_second(moments: list[float]) -> int:
    """Return how many of ``moments`` lie in the fullest window of one second."""
    ordered = sorted(moments)
    return max(sum(first <= moment < first + 1 for moment in ordered[at:]) for at, first in enumerate(ordered))


def test_processes_share_a_pace_and_a_server_never_sees_more_in_any_second(tmp_path: Path) -> None:
    with _listening() as (url, arrived):
        arguments = [str(tmp_path / "pace"), str(RATE), str(EACH), url]
        running = [
            subprocess.Popen([sys.executable, "-m", "tests.adapters.pacing", *arguments], cwd=ROOT)
            for _ in range(PROCESSES)
        ]
        assert [process.wait(timeout=60) for process in running] == [0] * PROCESSES
    assert len(arrived) == PROCESSES * EACH
    assert _most_in_a_second(arrived) <= RATE


def test_turns_are_a_step_apart_whoever_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "monotonic", lambda: 1000.0)
    one, other = (turns_of(tmp_path / "pace", RATE) for _ in range(2))
    found = [take() for _ in range(20) for take in (one, other)]
    assert found == pytest.approx([number * step_of(RATE) for number in range(40)], abs=1e-4)
    assert step_of(RATE) > 1 / RATE
    monkeypatch.setattr(pace, "monotonic", lambda: 1030.0)
    assert one() == 0


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"99999999999.0\n", b"\xff\xfe"])
def test_a_file_that_says_nothing_useful_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pace").write_bytes(content)
    assert (turns_of(tmp_path / "pace", RATE)() or 0) <= 0


def test_who_comes_too_late_takes_another_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    late = [0.1, 0.0]
    clock = [0.0]

    def take() -> float:
        taken.append(1)
        return 0.0

    def sleep(_: float) -> None:
        clock[0] += late.pop(0)

    monkeypatch.setattr(pace, "monotonic", lambda: clock[0])
    monkeypatch.setattr(pace, "sleep", sleep)
    Pace(take).wait()
    assert len(taken) == 2


def test_nobody_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TryLater) as crowded:
        Pace(lambda: 5.0).wait(patience=1)
    assert (crowded.value.code, crowded.value.facts) == ("pace.crowded", {"seconds": 1})
    # Somebody holds the lock and never gives it back.
    monkeypatch.setattr(pace, "PATIENCE_SECONDS", 0.05)
    file = tmp_path / "pace"
    with file.open("a+b") as held:
        assert pace._locked(held.fileno())
        with pytest.raises(TryLater):
            Pace(turns_of(file, RATE)).wait()


def test_the_file_is_the_users_own_or_lies_with_the_locks(tmp_path: Path) -> None:
    home, locks = tmp_path / "home", tmp_path / "locks"
    own = pace_file({"HOME": str(home)}, locks, "a")
    assert own.parent == home / ".local/state/mediasms"
    assert pace_file({"HOME": str(home), "XDG_STATE_HOME": str(tmp_path)}, locks, "a").parent == tmp_path / "mediasms"
    assert pace_file({}, locks, "a").parent == locks
    assert pace_file({"HOME": "/proc/none"}, locks, "a").parent == locks
    assert pace_file({}, locks, "b") != pace_file({}, locks, "a")
    with pytest.raises(TryLater):
        pace_file({}, Path("/proc/none"), "a")
