"""A process that takes turns from a file, or from a server, and says when it had each: run by tests of the pace."""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path

from pipeline.adapters.pace import Pace, turns_of


def main() -> None:
    """Ask the address ``count`` times, each time at the next turn of the file."""
    file, rate, count, url = sys.argv[1:]
    pace = Pace(turns_of(Path(file), int(rate)))
    for _ in range(int(count)):
        pace.wait()
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
            answer.read()


if __name__ == "__main__":
    main()
