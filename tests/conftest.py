"""What every test can ask for, and what a run says at its end: how many cases the long loops went through."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.databases import POSTGRESQL, Server, serve
from tests.processes import NO_AUTHORITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.terminal import TerminalReporter

#: a folder that is kept in memory, and how many bytes it must have free to be used
MEMORY, ROOM = Path("/dev/shm"), 4 << 30  # noqa: S108 - pytest makes folders in it that nobody else can enter


def pytest_configure() -> None:
    # Who runs the tests in the background has SIGINT ignored, and every process that a test starts would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(NO_AUTHORITIES)
    # What a disk holds after a loss of power is worked out from what was synced (tests/crash/test_power_loss.py); for
    # all else waiting for a disk shows nothing, and it is a quarter of the time.
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_finish() -> None:
    # Thousands of tests are hundreds of thousands of objects that stay: to look at them again and again for garbage is
    # an eighth of the time.
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Measure no coverage while a test marked ``unmeasured`` runs: line by line it would take twice as long."""
    if not item.get_closest_marker("unmeasured"):
        return (yield)
    here, elsewhere = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(here)
        threading.settrace(elsewhere)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server; it is started by the first test that asks for it."""
    yield from serve()


@pytest.fixture
def database() -> str:
    """The kind of database a test's ledger lies in; folders and modules that try both replace this."""
    return "sqlite"


@pytest.fixture
def ledger_url(database: str, request: pytest.FixtureRequest) -> str:
    """Where a test's ledger is to lie."""
    if database == POSTGRESQL:
        server: Server = request.getfixturevalue("server")
        return server.fresh()
    return "sqlite:///workspace/ledger.sqlite3"


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    counted: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if isinstance(value, int):
                    counted[name] += value
                else:
                    terminalreporter.write_line(f"{name}: {value}")
    for name, total in counted.items():
        terminalreporter.write_line(f"{name}: {total}")
