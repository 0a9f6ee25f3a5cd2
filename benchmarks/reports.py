"""Measure the reports of a reconciliation: what each rendering costs beyond reconciling, and how fast the page opens.

Every rendering is a process of its own that reconciles the same Arrow files and writes one report; one that writes none
is what the others are compared with. The page is then opened in a headless Chromium, until it is painted.

    python benchmarks/reports.py                     100k and 1M messages (about 10 minutes)
    python benchmarks/reports.py --sizes 20k         to try it, proves nothing
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from lib.runner import ROOT, Run, busy, machine, medians, rows_of, run, table, words, write_figures

HERE = Path(__file__).resolve().parent
_NONE = "none"
_RENDERINGS = {"json": "json", "page": "html", "workbook": "xlsx"}
_OPENINGS = 5


def measure(size: int, folder: Path, repetitions: int) -> dict[str, list[Run]]:
    """Write every report of ``size`` messages and return the runs of each."""
    log = folder / "log"
    lib = HERE / "lib"
    run([sys.executable, lib / "evidence.py", "--messages", str(size), folder], cwd=ROOT, log=log)
    runs: dict[str, list[Run]] = {what: [] for what in (_NONE, *_RENDERINGS)}
    for _ in range(repetitions):
        for what, found in runs.items():
            out = folder / f"report.{_RENDERINGS.get(what, what)}"
            found.append(run([sys.executable, lib / "rendering.py", folder, what, out], cwd=ROOT, log=log))
    return runs


def opened(page: Path) -> list[float]:
    """Return the milliseconds of each opening of the page."""
    command = [sys.executable, HERE / "lib/showing.py", page, str(_OPENINGS)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    took: list[float] = json.loads(done.stdout)
    return took


def main() -> int:
    """Measure, print, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100k,1M", help="messages (default: %(default)s)")
    parser.add_argument("--repetitions", type=int, default=3, help="default: 3")
    parser.add_argument("--json", type=Path, default=HERE / "results/reports.json")
    arguments = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    facts = machine(["xlsxwriter", "jinja2"])
    print("\n".join(f"{name}: {value}" for name, value in facts.items()))
    if warning := busy():
        print(f"warning: {warning}")
    figures = []
    for size in map(rows_of, arguments.sizes.split(",")):
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            folder = Path(name)
            runs = measure(size, folder, arguments.repetitions)
            without = medians(runs[_NONE])
            rows = []
            for what, found in runs.items():
                each = medians(found)
                out = folder / f"report.{_RENDERINGS.get(what, what)}"
                bytes_ = f"{out.stat().st_size / 2**20:.1f}" if out.exists() else ""
                beyond = f"{each.cpu - without.cpu:.1f}", f"{each.memory - without.memory:.0f}"
                rows.append([what, f"{each.wall:.1f}", f"{each.cpu:.1f}", f"{each.memory:.0f}", *beyond, bytes_])
            head = ["", "wall s", "CPU s", "peak MiB", "CPU beyond", "peak beyond", "file MiB"]
            print(f"\n{words(size)} messages, medians of {arguments.repetitions}\n{table(head, rows)}", flush=True)
            took = opened(folder / "report.html")
            print(f"the page opens in {statistics.median(took):.0f} ms (median of {len(took)}; bar 1,000)")
            each_run = {what: [asdict(one) for one in found] for what, found in runs.items()}
            figures.append({"messages": size, "runs": each_run, "opened_ms": took})
    write_figures(arguments.json, {"machine": facts, "sizes": figures})
    return 0


if __name__ == "__main__":
    sys.exit(main())
