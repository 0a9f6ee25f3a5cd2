"""Measure the reconciliation of a batch against the same classes and amounts in DuckDB, polars and pandas.

All sides read the same Arrow files, each in a process of its own, turn by turn; what is printed are ratios of medians.
A peer counts only if its amounts are ours, to the yen. Our side does the whole reconciliation: phones compared, breaks,
foreign results, parts, every dimension, the equations. Memory and CPU are the operating system's figures for the
process, start-up included.

    python benchmarks/reconcile.py                     1M messages with 1.3M results (about 5 minutes)
    python benchmarks/reconcile.py --sizes 1M,10M      and ten times as many (16 GiB of memory for pandas)
    python benchmarks/reconcile.py --quick             a small batch, once: to try it, proves nothing
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
from collections.abc import Iterator
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
SIZES, QUICK_SIZES = "1M", "50k"
OURS, LEDGER = "ours", "ledger"
#: the side from a ledger is measured up to this size: to fill one takes longer than everything else
_LEDGER_LIMIT = 1_000_000
#: from so many messages on the bars bind: below, it is all start-up
_BINDING = 1_000_000


@dataclass(frozen=True, slots=True)
class Peer:
    """Another tool: its script and arguments, the bar for its CPU time over ours, and what it leaves out."""

    script: str
    arguments: tuple[str, ...]
    bar: str


PEERS = {
    "duckdb": Peer("duckdb_reconcile.py", ("2",), "≥ 0.77, ambition > 1"),
    "duckdb-1": Peer("duckdb_reconcile.py", ("1",), "≥ 0.77, ambition > 1"),
    "polars": Peer("polars_reconcile.py", (), "ambition > 1"),
    "pandas": Peer("pandas_reconcile.py", (), "> 1"),
}
#: what none of the peers does
LEFT_OUT = "comparing phones, breaks, foreign results, cost centres, kinds, hours, equations, a line for each message"


@dataclass(slots=True)
class Bench:
    """What is measured, with what, and where."""

    folder: Path
    sizes: tuple[int, ...]
    sides: tuple[str, ...]
    repetitions: int
    peers: Path | None
    runs: dict[int, dict[str, list[Run]]] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    def measure(self) -> None:
        """Measure everything."""
        for size in self.sizes:
            sides = [side for side in self.sides if side != LEDGER or size <= _LEDGER_LIMIT]
            source = self.folder / words(size)
            source.mkdir()
            self._lib("evidence.py", "--messages", str(size), str(source))
            if LEDGER in sides:
                self._lib("filling.py", str(source), str(source / "ledger.sqlite3"))
            self.runs[size] = {side: [] for side in sides}
            for turn in range(self.repetitions):
                for side in sides:
                    self.runs[size][side].append(self._run(side, source))
                    if not turn and lines(self.folder / f"{side}.csv") != lines(self.folder / f"{OURS}.csv"):
                        self.differences.append(f"{side}, {words(size)}")
            self._report(size)
            for file in source.iterdir():
                file.unlink()

    def _lib(self, script: str, *arguments: str) -> Run:
        os.environ["PYTHONPATH"] = str(ROOT)
        return run([sys.executable, HERE / "lib" / script, *arguments], cwd=ROOT, log=self.folder / "log")

    def _run(self, side: str, source: Path) -> Run:
        out = str(self.folder / f"{side}.csv")
        if side in PEERS:
            assert self.peers is not None
            peer = PEERS[side]
            command = [self.peers, HERE / "peers" / peer.script, source, out, *peer.arguments]
            return run(command, cwd=self.folder, log=self.folder / "log")
        ledger = [str(source / "ledger.sqlite3")] if side == LEDGER else []
        return self._lib("reconciling.py", str(source), out, *ledger)

    def median(self, side: str, size: int) -> Run | None:
        """Return the medians of a side, if it was measured."""
        runs = self.runs.get(size, {}).get(side)
        return medians(runs) if runs else None

    def counts(self, side: str, size: int) -> bool:
        """Say whether the figures of a side count: its amounts were ours."""
        return f"{side}, {words(size)}" not in self.differences

    def _report(self, size: int) -> None:
        print(f"\n{words(size)} messages, medians of {self.repetitions}")
        ours = self.median(OURS, size)
        rows = []
        for side in self.runs[size]:
            found = self.median(side, size)
            assert found is not None
            assert ours is not None
            ratios = [f"{a / b:.2f}" for a, b in zip(asdict(found).values(), asdict(ours).values(), strict=True)]
            ratios = ratios if self.counts(side, size) else ["differs"] * 3
            rows.append([side, f"{found.wall:.2f}", f"{found.cpu:.2f}", f"{found.memory:.0f}", *ratios])
        head = ["", "wall s", "CPU s", "peak MiB", "wall / ours", "CPU / ours", "peak / ours"]
        print(table(head, rows), flush=True)


def lines(file: Path) -> list[list[str]]:
    """Read an output: class, label, carrier, day, messages, bills, units, yen."""
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.reader(text))


def findings(bench: Bench) -> Iterator[tuple[str, str, str]]:
    """Yield what the bars ask for, with its value and its bar."""
    for size in bench.sizes:
        ours = bench.median(OURS, size)
        for side, peer in PEERS.items():
            found = bench.median(side, size)
            if ours and found and bench.counts(side, size):
                what, binding = f"{side} / ours, {words(size)}", size >= _BINDING
                yield f"{what}: CPU", f"{found.cpu / ours.cpu:.2f} ×", peer.bar if binding else ""
                yield f"{what}: wall", f"{found.wall / ours.wall:.2f} ×", peer.bar if binding else ""
                least = "≥ 1" if binding and side == "duckdb" else ""
                yield f"{what}: peak memory", f"{found.memory / ours.memory:.2f} ×", least
    small, large = (bench.median(OURS, size) for size in (bench.sizes[0], bench.sizes[-1]))
    if small and large and len(bench.sizes) > 1:
        growth = large.cpu / bench.sizes[-1] / (small.cpu / bench.sizes[0])
        what = f"CPU of a message, {words(bench.sizes[-1])} / {words(bench.sizes[0])}: ours"
        yield what, f"{growth:.2f} ×", "≤ 1.1"


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = (OURS, *PEERS, LEDGER)
    parser.add_argument("--quick", action="store_true", help=f"size {QUICK_SIZES}, once")
    parser.add_argument("--sizes", help=f"messages, ascending (default: {SIZES})")
    parser.add_argument("--sides", default=",".join(known), help="default: %(default)s")
    parser.add_argument("--repetitions", type=int, default=5, help="default: 5")
    parser.add_argument("--folder", type=Path, help="where files go for a while (default: the system's)")
    parser.add_argument(
        "--json", type=Path, default=HERE / "results/reconcile.json", help="default: benchmarks/results/reconcile.json"
    )
    arguments = parser.parse_args()
    arguments.sizes = arguments.sizes or (QUICK_SIZES if arguments.quick else SIZES)
    arguments.repetitions = 1 if arguments.quick else arguments.repetitions
    wanted = arguments.sides.split(",")
    if strangers := set(wanted) - set(known):
        parser.error(f"no such side: {', '.join(sorted(strangers))}")
    if OURS not in wanted:
        parser.error("without ours nothing is compared")
    arguments.sides = tuple(side for side in known if side in wanted)
    arguments.sizes = tuple(sorted(map(rows_of, arguments.sizes.split(","))))
    return arguments


def main() -> int:
    """Measure, print, and write the figures as JSON; return 1 when a peer's amounts were not ours."""
    arguments = options()
    wanted = [side for side in arguments.sides if side in PEERS]
    peers = peers_python(".venv-peers", HERE / "peers/requirements.txt") if wanted else None
    facts: dict[str, Any] = machine(["pyarrow", "numpy", "sqlalchemy"])
    if peers:
        facts["peers"] = versions(peers, sorted({side.partition("-")[0] for side in wanted}))
    print("\n".join(f"{name}: {value}" for name, value in facts.items()))
    if warning := busy():
        print(f"warning: {warning}")
    print(f"no peer does: {LEFT_OUT}")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.folder) as folder:
        bench = Bench(Path(folder), arguments.sizes, arguments.sides, arguments.repetitions, peers)
        try:
            bench.measure()
        except CommandFailed as failure:
            sys.exit(f"bench: {failure}")
    print()
    found = list(findings(bench))
    print(table(["", "", "bar"], found))
    for each in bench.differences:
        print(f"error: {each}: other amounts than ours")
    facts["own_memory_mib"] = round(own_memory(), 1)
    write(arguments.json, bench, facts, found)
    return 1 if bench.differences else 0


def write(file: Path, bench: Bench, facts: dict[str, Any], found: list[tuple[str, str, str]]) -> None:
    """Write every run and every finding."""
    content = {
        "machine": facts,
        "runs": [
            {
                "messages": size,
                "side": side,
                "counts": bench.counts(side, size),
                "runs": [asdict(each) for each in runs],
            }
            for size, sides in bench.runs.items()
            for side, runs in sides.items()
        ],
        "findings": found,
        "differences": bench.differences,
    }
    write_figures(file, content)


if __name__ == "__main__":
    sys.exit(main())
