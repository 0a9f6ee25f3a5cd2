"""Run a part of a benchmark, small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIB = ROOT / "benchmarks/lib"


def run(*arguments: object) -> str:
    """Run Python with ``arguments``, and return what it printed."""
    command = [sys.executable, *map(str, arguments)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
