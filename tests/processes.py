"""What processes that tests start have in common: their coverage, whom they trust, and waiting for them."""

from __future__ import annotations

import inspect
import os
import time
from typing import TYPE_CHECKING

import coverage

if TYPE_CHECKING:
    from collections.abc import Callable

#: Tests reach loopback only, and name an authority of their own where they need one. Those of the machine would be
#: read again for every client of the gateway, hundreds of them each time.
NO_AUTHORITIES = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}
_PREFIX = "COVERAGE_"


def unmeasured() -> dict[str, str]:
    """Return the environment for a process that only forks.

    It is not measured: each child would write down all that it had seen, which takes longer than most commands do.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}


def measured() -> dict[str, str]:
    """Return what a forked process must find in its environment to be measured where we are."""
    return {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)}


def prepare_to_measure() -> None:
    """Let a process that only forks know its own modules by their files: coverage asks for that when it starts."""
    inspect.stack()


def measure() -> None:
    """Measure this process from here on, if its environment asks for it."""
    coverage.process_startup()


def wait_until(happened: Callable[[], object]) -> None:
    """Wait until something that another process does has happened, for at most a minute; fail when it has not."""
    deadline = time.monotonic() + 60
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.02)  # nothing in this process hears of it
    assert happened()
