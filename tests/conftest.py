"""What every test run says at its end: how many cases the long loops went through, and with which seeds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


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
