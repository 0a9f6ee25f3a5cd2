"""Measure sending against curl, planning against a bare insert, and a batch in an old ledger against one in a new.

Every side runs as a process of its own, turn by turn; what is printed are ratios of medians. Both sides of an upload go
to the same embedded gateway, which reads every row.

    python benchmarks/send.py             everything but the old ledger (about 20 minutes)
    python benchmarks/send.py --full      and a ledger that holds 20 million messages (20 GiB of disk, an hour)
    python benchmarks/send.py --quick     small, once: to try it, proves nothing
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from lib.runner import ROOT, CommandFailed, Run, busy, machine, medians, own_memory, run, table, write_figures

HERE = Path(__file__).resolve().parent
DISPATCH = 10_000
OLD_ROWS, OLD_BATCH = 20_000_000, 100_000
_URL = re.compile(r"http://127\.0\.0\.1:\d+")
_ACCOUNT = {"MEDIASMS_GATEWAY_USERNAME": "demo", "MEDIASMS_GATEWAY_PASSWORD": "demo-password"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A ratio (or MiB), what it compares, and the bar it must meet."""

    what: str
    value: float
    unit: str = "×"
    bar: str = ""

    def line(self) -> list[str]:
        """Return its line of the table."""
        return [self.what, f"{self.value:.2f} {self.unit}", self.bar]


@dataclass(frozen=True, slots=True)
class Bench:
    """With what is measured, where, and how often."""

    command: Path
    folder: Path
    repetitions: int

    @property
    def log(self) -> Path:
        """Return the file in which the output of each process stands."""
        return self.folder / "log"

    @contextmanager
    def gateway(self) -> Iterator[str]:
        """Run an embedded gateway in a process of its own and yield its address."""
        serve = [str(self.command), "gateway", "serve", "--port", "0"]
        with subprocess.Popen(serve, cwd=self.folder, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            found = next(match for line in process.stdout if (match := _URL.search(line)))
            os.environ["MEDIASMS_GATEWAY_BASE_URL"] = found[0]
            try:
                yield found[0]
            finally:
                process.terminate()

    def home(self, rows: int, old: int = 0) -> tuple[Path, str]:
        """Make an installation with a validated batch; return its folder and the batch."""
        home = Path(tempfile.mkdtemp(dir=self.folder))
        source = self.folder / f"{rows}.csv"
        if not source.exists():
            run([sys.executable, HERE / "lib/recipients.py", "--rows", str(rows), source], cwd=ROOT, log=self.log)
        run([self.command, "init"], cwd=home, log=self.log)
        if old:
            ledger = next(home.rglob("*.sqlite*"))
            run([sys.executable, HERE / "lib/registering.py", "fill", ledger, str(old)], cwd=ROOT, log=self.log)
        run([self.command, "validate", source, "--campaign", "c"], cwd=home, log=self.log, allowed=(0, 1))
        return home, next(home.rglob("batches/*")).name

    def send(self, home: Path, batch: str) -> Run:
        """Send a batch: guards, plan, payloads, ledger and uploads."""
        return run([self.command, "send", batch, "--yes"], cwd=home, log=self.log)

    def curl(self, url: str, files: list[Path]) -> Run:
        """Upload files with curl, over one connection."""
        config = self.folder / "curl.conf"
        run([sys.executable, HERE / "lib/uploading.py", "config", url, *files], cwd=ROOT, log=config)
        return run(["curl", "--silent", "--show-error", "--config", config], cwd=self.folder, log=self.log)

    def dispatches(self, rows: int) -> Iterator[Finding]:
        """Compare sending a batch of many dispatches with curl on the same files."""
        ours, theirs = [], []
        for _ in range(self.repetitions):
            with self.gateway() as url:
                home, batch = self.home(rows)
                ours.append(self.send(home, batch))
                theirs.append(self.curl(url, sorted(home.rglob("dispatch-*.csv"))))
            shutil.rmtree(home)
        mine, other = medians(ours), medians(theirs)
        title = f"{rows // DISPATCH} dispatches of {DISPATCH:,} rows"
        yield Finding(what=f"{title}: ours", value=mine.wall, unit="s")
        yield Finding(what=f"{title}: curl", value=other.wall, unit="s")
        yield Finding(what=f"{title}: ours / curl", value=mine.wall / other.wall, bar="≤ 1.5, ambition 1.2")

    def upload(self, mebibytes: int) -> Iterator[Finding]:
        """Compare one large upload with curl on the same file."""
        home, batch = self.home(DISPATCH)
        with self.gateway():
            self.send(home, batch)
        part = next(home.rglob("dispatch-*.csv")).read_bytes()
        large = self.folder / "large.csv"
        with large.open("wb") as file:
            for _ in range((mebibytes << 20) // len(part)):
                file.write(part)
        del part
        sides: dict[str, list[Run]] = {"nothing": [], "upload": [], "curl": []}
        uploading = [sys.executable, HERE / "lib/uploading.py"]
        with self.gateway() as url:
            for _ in range(self.repetitions):
                for side in ("nothing", "upload"):
                    sides[side].append(run([*uploading, side, url, large], cwd=ROOT, log=self.log))
                sides["curl"].append(self.curl(url, [large]))
        large.unlink()
        bare, mine, other = (medians(sides[side]) for side in sides)
        title = f"one upload of {mebibytes} MiB"
        start = mine.wall - bare.wall
        yield Finding(what=f"{title}: ours, without start-up", value=start, unit="s")
        yield Finding(what=f"{title}: curl", value=other.wall, unit="s")
        yield Finding(what=f"{title}: ours / curl", value=start / other.wall, bar="≤ 1.4, ambition 1.1")
        grown = mine.memory - bare.memory
        yield Finding(what=f"{title}: beyond the bare process", value=grown, unit="MiB", bar="≤ 40")

    def registering(self, rows: int) -> Iterator[Finding]:
        """Compare planning with a bare insert of the same rows."""
        where = self.folder / "registering"
        out = self.folder / "registering.json"
        script = [sys.executable, HERE / "lib/registering.py", where, str(rows), str(self.repetitions)]
        run(script, cwd=ROOT, log=out)
        shutil.rmtree(where)
        turns = json.loads(out.read_text(encoding="utf-8"))
        median = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
        title = f"registering {rows:,} messages"
        for name in ("layout", "insert", "bare"):
            yield Finding(what=f"{title}: {name}", value=median[name], unit="s")
        ratios = statistics.median(turn["plan"] / turn["bare"] for turn in turns)
        yield Finding(what=f"{title}: ours / bare insert", value=ratios, bar="≤ 2")

    def old_ledger(self, old: int, rows: int) -> Iterator[Finding]:
        """Compare a batch in a ledger that holds many messages with the same batch in an empty one."""
        sides: dict[int, list[Run]] = {0: [], old: []}
        for _ in range(self.repetitions):
            for held, runs in sides.items():
                with self.gateway():
                    home, batch = self.home(rows, held)
                    runs.append(self.send(home, batch))
                shutil.rmtree(home)
        few, many = medians(sides[0]), medians(sides[old])
        title = f"sending {rows:,} rows"
        yield Finding(what=f"{title}, empty ledger", value=few.wall, unit="s")
        yield Finding(what=f"{title}, {old:,} messages in it", value=many.wall, unit="s")
        yield Finding(what=f"{title}, old ledger / empty", value=many.wall / few.wall, bar="≤ 1.3")


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a hundredth of everything, once")
    parser.add_argument("--full", action="store_true", help="also a ledger that holds 20 million messages")
    parser.add_argument("--only", default="dispatches,upload,registering,old_ledger", help="default: %(default)s")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the sizes (default: 1)")
    parser.add_argument("--repetitions", type=int, default=3, help="default: 3")
    parser.add_argument("--command", type=Path, default=Path(sys.executable).parent / "mediasms")
    parser.add_argument("--folder", type=Path, help="where everything goes for a while (default: the system's)")
    parser.add_argument("--json", type=Path, default=HERE / "results/send.json")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.scale, arguments.repetitions = 0.01, 1
    return arguments


def main() -> int:
    """Measure, print, and write the figures as JSON."""
    arguments = options()
    os.environ |= {**_ACCOUNT, "MEDIASMS_SEND_MAX_ROWS": str(DISPATCH)}
    facts = machine(["requests", "requests-toolbelt", "sqlalchemy", "pandas", "pyarrow"])
    print("\n".join(f"{name}: {value}" for name, value in facts.items()))
    if warning := busy():
        print(f"warning: {warning}")
    scale, only = arguments.scale, arguments.only.split(",")
    million = max(int(1_000_000 * scale), DISPATCH)
    found: list[Finding] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.folder) as folder:
        bench = Bench(arguments.command.absolute(), Path(folder), arguments.repetitions)
        sides = {
            "dispatches": bench.dispatches(million),
            "upload": bench.upload(max(int(500 * scale), 2)),
            "registering": bench.registering(million),
            "old_ledger": bench.old_ledger(int(OLD_ROWS * scale), int(OLD_BATCH * scale)),
        }
        try:
            for name, findings in sides.items():
                if name in only and (arguments.full or name != "old_ledger"):
                    for finding in findings:
                        found.append(finding)
                        print("  ".join(finding.line()), flush=True)
        except CommandFailed as failure:
            sys.exit(f"bench: {failure}")
    print("\n" + table(["", "", "bar"], (each.line() for each in found)))
    facts["own_memory_mib"] = round(own_memory(), 1)
    content = {"machine": facts, "scale": scale, "findings": [asdict(each) for each in found]}
    write_figures(arguments.json, content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
