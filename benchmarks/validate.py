"""Measure ``mediasms validate FILE --out FOLDER`` against bare pyarrow and against the same rules in other tools.

Every side runs as a process of its own on the same files, turn by turn; what is printed are ratios of medians. A peer
counts only if its output equals ours. Memory and CPU are the operating system's figures for that process.

    python benchmarks/validate.py                    everything (about 15 minutes)
    python benchmarks/validate.py --quick            small files, once: to try it, proves nothing
    python benchmarks/validate.py --sizes 1M,5M --sides ours,pyarrow
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lib.runner import (
    ROOT,
    CommandFailed,
    Run,
    busy,
    machine,
    medians,
    own_memory,
    peers_python,
    rows_of,
    run,
    table,
    versions,
    words,
    write_figures,
)

HERE = Path(__file__).resolve().parent
FEW, MANY = 50, 5_000
SIZES, QUICK_SIZES = "100k,1M,5M,10M", "100k,300k"
STARTUP_ROWS, STARTUP_RUNS = 10, 7
OURS, FLOOR = "ours", "pyarrow"

_BYTES_A_ROW = 185
_SMALL = 1_000_000
_SLOPE_LIMIT = 5_000_000
_ID_BYTES = 16  # of each row that uniqueness over the whole file may keep


@dataclass(frozen=True, slots=True)
class Peer:
    """Another tool with the same rules: up to which size it is measured, and what it leaves out."""

    script: str
    limit: int
    ambition: str
    cannot: str


PEERS = {
    "polars": Peer(
        "polars_rules.py",
        5_000_000,
        "1.5",
        "one pass over tags (a value that holds one of our tags would be filled in again), input in CP932",
    ),
    "duckdb": Peer(
        "duckdb_rules.py",
        5_000_000,
        "3",
        "one pass over tags, the order of rows (compared after sorting), input in CP932 without an extension",
    ),
    "pandera": Peer(
        "pandera_rules.py",
        1_000_000,
        "6",
        "tags and repairs of texts in columns (a Python loop over the rows that need them), one pass over tags",
    ),
    "frictionless": Peer("frictionless_rules.py", 100_000, "20", "anything in columns (a Python check, row by row)"),
}
#: what none of the peers does, so it is never compared
LEFT_OUT = "codes, messages and positions of what is wrong, the list of repairs, smsids, gateway fields, fsync"


@dataclass(frozen=True, slots=True, order=True)
class List:
    """A list of recipients that sides are measured on."""

    rows: int
    templates: int = FEW
    encoding: str = "utf-8"

    @property
    def name(self) -> str:
        """Return the name of its file."""
        return f"{self.templates}-{self.encoding}-{self.rows}.csv"

    @property
    def title(self) -> str:
        """Return what a reader should know about it."""
        return f"{words(self.rows)} rows, {self.templates:,} templates, {self.encoding}"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Which sizes answer which question."""

    all: tuple[int, ...]

    @property
    def slope(self) -> tuple[int, int] | None:
        """Return the two sizes whose difference is the cost of a row."""
        fitting = [size for size in self.all if size <= _SLOPE_LIMIT]
        return (fitting[-2], fitting[-1]) if len(fitting) > 1 else None

    @property
    def memory(self) -> tuple[int, int] | None:
        """Return the two sizes whose peaks are compared."""
        return (self.all[-2], self.all[-1]) if len(self.all) > 1 else None

    @property
    def constant(self) -> tuple[int, int] | None:
        """Return the two sizes between which the cost of a row must not grow."""
        slope = self.slope
        return (slope[0], self.all[-1]) if slope else None


@dataclass(slots=True)
class Bench:
    """What is measured, with what, and where."""

    command: Path
    folder: Path
    sizes: Sizes
    sides: tuple[str, ...]
    repetitions: int
    peers: Path | None
    runs: dict[List, dict[str, list[Run]]] = field(default_factory=dict)
    startup: list[Run] = field(default_factory=list)
    differences: dict[str, list[str]] = field(default_factory=dict)

    def plan(self) -> Iterator[tuple[List, tuple[str, ...]]]:
        """Yield each list with the sides that are measured on it."""
        base = tuple(side for side in self.sides if side in {OURS, FLOOR})
        for size in self.sizes.all:
            yield List(size), tuple(side for side in self.sides if side not in PEERS or size <= PEERS[side].limit)
        for size in self.sizes.slope or ():
            fast = tuple(side for side in self.sides if side in PEERS and size <= min(_SMALL, PEERS[side].limit))
            yield List(size, MANY), base + tuple(side for side in fast if side != "frictionless")
            yield List(size, FEW, "cp932"), base

    def measure(self) -> None:
        """Measure everything."""
        home = self.folder / "home"
        home.mkdir()
        run([self.command, "init"], cwd=home, log=self.folder / "init.log")
        run(
            [sys.executable, HERE / "lib/repertoire.py", self.folder / "repertoire.json"],
            cwd=ROOT,
            log=self.folder / "log",
        )
        if OURS in self.sides:
            few = self._made(List(STARTUP_ROWS))
            self.startup = [self._run(OURS, List(STARTUP_ROWS), few) for _ in range(STARTUP_RUNS)]
        for what, sides in self.plan():
            file = self._made(what)
            repetitions = self.repetitions if what.rows <= _SMALL else (self.repetitions + 1) // 2
            self.runs[what] = {side: [] for side in sides}
            for turn in range(repetitions):
                for side in sides:
                    self.runs[what][side].append(self._run(side, what, file))
                if not turn and OURS in sides:
                    self._compare(what, file, sides)
            self._report(what)
            for leftover in self.folder.glob(f"{what.name}*"):
                leftover.unlink()
            for side in sides:
                shutil.rmtree(self.folder / side)

    def _made(self, what: List) -> Path:
        file = self.folder / what.name
        options = ["--rows", words(what.rows), "--templates", str(what.templates), "--encoding", what.encoding]
        run([sys.executable, HERE / "lib/recipients.py", *options, file], cwd=ROOT, log=self.folder / "log")
        return file

    def _run(self, side: str, what: List, file: Path) -> Run:
        out = self.folder / side
        shutil.rmtree(out, ignore_errors=True)
        log = self.folder / f"{side}.log"
        if side == OURS:  # 1: done, and there are rejected rows
            return run(
                [self.command, "validate", file, "--out", out], cwd=self.folder / "home", log=log, allowed=(0, 1)
            )
        out.mkdir()
        if side == FLOOR:
            return run([sys.executable, HERE / "peers/pyarrow_copy.py", file, out, what.encoding], cwd=out, log=log)
        assert self.peers is not None
        shutil.copy(self.folder / "repertoire.json", out)
        return run([self.peers, HERE / "peers" / PEERS[side].script, file, out], cwd=out, log=log)

    def _compare(self, what: List, file: Path, sides: Sequence[str]) -> None:
        for side in sides:
            if side == FLOOR:
                continue
            peer = [] if side == OURS else [self.folder / side]
            log = self.folder / "compare.log"
            run(
                [sys.executable, HERE / "lib/compare.py", file, self.folder / OURS, *peer],
                cwd=ROOT,
                log=log,
                allowed=(0, 1),
            )
            if lines := log.read_text(encoding="utf-8").splitlines():
                self.differences[f"{side}, {what.title}"] = lines

    def counts(self, side: str, what: List) -> bool:
        """Say whether the figures of a side count: its output was the right one."""
        return f"{side}, {what.title}" not in self.differences

    def median(self, side: str, what: List) -> Run | None:
        """Return the medians of a side, if it was measured."""
        runs = self.runs.get(what, {}).get(side)
        return medians(runs) if runs else None

    def slope(self, side: str, templates: int = FEW, encoding: str = "utf-8") -> Run | None:
        """Return what a million rows more cost a side; memory in MiB likewise."""
        if self.sizes.slope is None:
            return None
        low, high = self.sizes.slope
        small, large = (self.median(side, List(size, templates, encoding)) for size in (low, high))
        if small is None or large is None:
            return None
        millions = (high - low) / 1_000_000
        return Run(
            (large.wall - small.wall) / millions,
            (large.cpu - small.cpu) / millions,
            (large.memory - small.memory) / millions,
        )

    def _report(self, what: List) -> None:
        print(f"\n{what.title}, medians of {len(next(iter(self.runs[what].values())))}")
        ours = self.median(OURS, what)
        rows = []
        for side in self.runs[what]:
            found = self.median(side, what)
            assert found is not None
            ratios = [ratio(found.wall, ours.wall), ratio(found.cpu, ours.cpu)] if ours else ["", ""]
            ratios = ratios if self.counts(side, what) else ["differs"] * 2
            rows.append([side, f"{found.wall:.2f}", f"{found.cpu:.2f}", f"{found.memory:.0f}", *ratios])
        print(table(["", "wall s", "CPU s", "peak MiB", "wall / ours", "CPU / ours"], rows), flush=True)


def ratio(value: float, base: float) -> str:
    """Write a ratio."""
    return f"{value / base:.2f}" if base > 0 else "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a bar asks for: seconds (s), MiB or a ratio (×), of wall time, CPU and peak memory where it is asked."""

    what: str
    unit: str = "×"
    wall: float | None = None
    cpu: float | None = None
    memory: float | None = None
    bar: str = ""

    def line(self) -> list[str]:
        """Return its line of the table."""
        cells = ("" if value is None else f"{value:.2f} {self.unit}" for value in (self.wall, self.cpu, self.memory))
        return [self.what, *cells, self.bar]


def divided(what: str, value: Run, base: Run, bar: str = "") -> Finding:
    """Return the ratios of the times of two sides."""
    return Finding(what=what, wall=value.wall / base.wall, cpu=value.cpu / base.cpu, bar=bar)


def findings(bench: Bench) -> Iterator[Finding]:
    """Yield what the bars ask for."""
    if bench.startup:
        start = medians(bench.startup)
        what = f"start-up: {STARTUP_ROWS} rows"
        yield Finding(what=what, unit="s", wall=start.wall, cpu=start.cpu, bar="≤ 1 s")
    yield from _slopes(bench)
    yield from _peers(bench)
    yield from _growth(bench)


def _slopes(bench: Bench) -> Iterator[Finding]:
    if bench.sizes.slope is None:
        return
    low, high = map(words, bench.sizes.slope)
    plain = bench.slope(OURS)
    for title, templates, encoding in (
        ("50 templates", FEW, "utf-8"),
        ("5,000 templates", MANY, "utf-8"),
        ("cp932", FEW, "cp932"),
    ):
        ours, floor = (bench.slope(side, templates, encoding) for side in (OURS, FLOOR))
        for side, found in (("ours", ours), ("bare pyarrow", floor)):
            if found:
                what = f"slope {low} → {high}, {title}: {side}, of 1M rows"
                yield Finding(what=what, unit="s", wall=found.wall, cpu=found.cpu)
        if ours and floor:
            bar = "≤ 3.0, ambition 2.0" if encoding == "utf-8" else ""
            yield divided(f"slope {low} → {high}, {title}: ours / bare pyarrow", ours, floor, bar)
        if ours and plain and ours != plain:
            yield divided(f"slope {low} → {high}: ours, {title} / plain", ours, plain)


def _peers(bench: Bench) -> Iterator[Finding]:
    for what, sides in bench.runs.items():
        ours = bench.median(OURS, what)
        for side in sides:
            found = bench.median(side, what)
            if ours and found and side in PEERS and bench.counts(side, what):
                peer = PEERS[side]
                bar = f"> 1, ambition {peer.ambition}" if what.rows >= min(_SMALL, peer.limit) else ""
                yield divided(f"{side} / ours, {what.title}", found, ours, bar)


def _growth(bench: Bench) -> Iterator[Finding]:
    """Yield how memory and the CPU of a row grow; our memory without what uniqueness may keep of each row."""
    for side, kept, most, bar in ((OURS, _ID_BYTES, "ambition ≤ 700 MiB", "≤ 1.15"), (FLOOR, 0, "", "")):
        low, high = bench.sizes.memory or (0, 0)
        small, large = bench.median(side, List(low)), bench.median(side, List(high))
        if small and large:
            yield Finding(what=f"peak memory, {words(high)}: {side}", unit="MiB", memory=large.memory, bar=most)
            growth = (large.memory - kept * high / 2**20) / (small.memory - kept * low / 2**20)
            beyond = f", beyond {kept} bytes a row" if kept else ""
            yield Finding(what=f"peak memory, {words(high)} / {words(low)}: {side}{beyond}", memory=growth, bar=bar)
    low, high = bench.sizes.constant or (0, 0)
    small, large = bench.median(OURS, List(low)), bench.median(OURS, List(high))
    if small and large:
        start = medians(bench.startup).cpu
        growth = (large.cpu - start) / high / ((small.cpu - start) / low)
        yield Finding(what=f"CPU of a row beyond start-up, {words(high)} / {words(low)}: ours", cpu=growth, bar="≤ 1.1")


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = (OURS, FLOOR, *PEERS)
    parser.add_argument("--quick", action="store_true", help=f"sizes {QUICK_SIZES}, once")
    parser.add_argument("--sizes", help=f"rows, ascending (default: {SIZES})")
    parser.add_argument("--sides", default=",".join(known), help="default: %(default)s")
    parser.add_argument(
        "--repetitions", type=int, default=5, help="up to 1M rows; larger lists half as often (default: 5)"
    )
    parser.add_argument(
        "--command", type=Path, default=Path(sys.executable).parent / "mediasms", help="the installed command"
    )
    parser.add_argument("--folder", type=Path, help="where lists and outputs go for a while (default: the system's)")
    parser.add_argument(
        "--json", type=Path, default=HERE / "results/validate.json", help="default: benchmarks/results/validate.json"
    )
    arguments = parser.parse_args()
    arguments.sizes = arguments.sizes or (QUICK_SIZES if arguments.quick else SIZES)
    arguments.repetitions = 1 if arguments.quick else arguments.repetitions
    wanted = arguments.sides.split(",")
    if strangers := set(wanted) - set(known):
        parser.error(f"no such side: {', '.join(sorted(strangers))}")
    arguments.sides = tuple(side for side in known if side in wanted)
    arguments.sizes = Sizes(tuple(sorted(map(rows_of, arguments.sizes.split(",")))))
    return arguments


def enough_space(folder: Path, largest: int, sides: int) -> None:
    """Stop when the largest list and what every side makes of it have no room."""
    needed = largest * _BYTES_A_ROW * (2 + sides)
    free = shutil.disk_usage(folder).free
    if free < needed:
        sys.exit(
            f"bench: {folder} has {free >> 20:,} MiB free, {needed >> 20:,} are needed; name another with --folder"
        )


def main() -> int:
    """Measure, print, and write the figures as JSON; return 1 when an output was not the right one."""
    arguments = options()
    wanted = [side for side in arguments.sides if side in PEERS]
    peers = peers_python(".venv-peers", HERE / "peers/requirements.txt") if wanted else None
    facts: dict[str, Any] = machine(["pyarrow", "pandas", "numpy", "pandera"])
    if peers:
        facts["peers"] = versions(peers, wanted)
    print("\n".join(f"{name}: {value}" for name, value in facts.items()))
    if warning := busy():
        print(f"warning: {warning}")
    for side in wanted:
        print(f"{side} cannot express: {PEERS[side].cannot}")
    print(f"no peer does, so it is not compared: {LEFT_OUT}")
    if OURS not in arguments.sides:
        print("warning: without ours nothing is compared: these figures prove nothing")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.folder) as folder:
        enough_space(Path(folder), arguments.sizes.all[-1], 2)
        bench = Bench(
            arguments.command.absolute(), Path(folder), arguments.sizes, arguments.sides, arguments.repetitions, peers
        )
        try:
            bench.measure()
        except CommandFailed as failure:
            sys.exit(f"bench: {failure}")
    print()
    found = list(findings(bench))
    print(table(["", "wall", "CPU", "memory", "bar"], (each.line() for each in found)))
    for where, lines in bench.differences.items():
        print(f"error: {where}: {'; '.join(lines)}")
    facts["own_memory_mib"] = round(own_memory(), 1)
    write(arguments.json, bench, facts, found)
    return 1 if bench.differences else 0


def write(file: Path, bench: Bench, facts: dict[str, Any], found: list[Finding]) -> None:
    """Write every run and every finding."""
    content = {
        "machine": facts,
        "startup": [asdict(each) for each in bench.startup],
        "runs": [
            {
                "list": asdict(what),
                "side": side,
                "counts": bench.counts(side, what),
                "runs": [asdict(each) for each in runs],
            }
            for what, sides in bench.runs.items()
            for side, runs in sides.items()
        ],
        "findings": [asdict(each) for each in found],
        "differences": bench.differences,
    }
    write_figures(file, content)


if __name__ == "__main__":
    sys.exit(main())
