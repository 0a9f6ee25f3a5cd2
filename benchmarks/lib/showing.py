"""Open a page in a headless Chromium and print how many milliseconds each opening took, as JSON.

python benchmarks/lib/showing.py PAGE TIMES
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.world.browser import Browser


def main(page: str, times: str) -> None:
    """Measure from the order to open it until it is loaded, laid out and painted."""
    program = shutil.which("chromium") or sys.exit("chromium is not installed")
    took = []
    with tempfile.TemporaryDirectory() as profile, Browser(program, Path(profile)) as browser:
        browser.open(Path(page))  # the first opening starts the browser's own parts
        for _ in range(int(times)):
            start = time.perf_counter()
            browser.open(Path(page))
            browser.run("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
            took.append((time.perf_counter() - start) * 1_000)
    print(json.dumps(took))


if __name__ == "__main__":
    main(*sys.argv[1:])
