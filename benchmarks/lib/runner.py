"""Run commands and measure each process: wall, CPU and peak memory. For all benchmarks; the standard library only.

A process that is started from a large one seems as large as that one (the kernel carries its peak over ``exec``):
whoever measures stays small, and leaves the making and comparing of files to other processes.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_BUSY = 0.5
_SHOWN = 2_000
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Run:
    """One run: seconds of wall time, seconds of CPU (user and system, all threads), peak memory in MiB."""

    wall: float
    cpu: float
    memory: float


class CommandFailed(Exception):  # noqa: N818 - a failure, named for what happened
    """A command ended with an exit status that it must not end with."""

    def __init__(self, command: Sequence[str | Path], status: int, log: Path) -> None:
        """Show the command, and the end of what it wrote."""
        tail = log.read_text(encoding="utf-8", errors="replace")[-_SHOWN:]
        super().__init__(f"{' '.join(map(str, command))} ended with {status}:\n{tail}")


def run(command: Sequence[str | Path], *, cwd: Path, log: Path, allowed: Iterable[int] = (0,)) -> Run:
    """Run a command with its output in ``log``. What earlier ones wrote is on the disk before its time begins."""
    os.sync()
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(list(map(str, command)), cwd=cwd, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in allowed:
        raise CommandFailed(command, process.returncode, log)
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / (_KIB if sys.platform == "linux" else _KIB**2))


def median(runs: Iterable[Run], part: Callable[[Run], float]) -> float:
    """Return the median of one of the measures."""
    return statistics.median(map(part, runs))


def medians(runs: Sequence[Run]) -> Run:
    """Return the median of each measure."""
    return Run(*(median(runs, part) for part in (lambda r: r.wall, lambda r: r.cpu, lambda r: r.memory)))


def peers_python(name: str, requirements: Path) -> Path:
    """Return the Python of an environment for peers, made when it is missing or ``requirements`` changed."""
    folder = ROOT / name
    stamp = folder / ".made"
    wanted = sha256(requirements.read_bytes()).hexdigest()
    python = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"peers: making {name} from {requirements.relative_to(ROOT)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        subprocess.run(
            [python, "-m", "pip", "--disable-pip-version-check", "-qq", "install", "-r", requirements], check=True
        )
        stamp.write_text(wanted, encoding="utf-8")
    return python


def machine(distributions: Iterable[str]) -> dict[str, str | int | float | Mapping[str, str]]:
    """Describe the machine, and the versions in this environment."""
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _KIB**3, 1),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in distributions},
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())


def busy() -> str | None:
    """Say so when other work runs on this machine: figures of a busy machine prove nothing."""
    load = os.getloadavg()[0]
    return f"the machine is busy (load {load:.1f}): these figures prove nothing" if load > _BUSY else None


def own_memory() -> float:
    """Return the peak memory of this process in MiB; no measured process can seem smaller."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (_KIB if sys.platform == "linux" else _KIB**2)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table: the first column to the left, the others to the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def versions(python: Path, packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of packages in another environment."""
    script = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    done = subprocess.run([python, "-c", script, *packages], check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def words(rows: int) -> str:
    """Write a number of rows: 10, 100k, 5M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if rows >= size and rows % size == 0:
            return f"{rows // size}{letter}"
    return str(rows)


def rows_of(text: str) -> int:
    """Read a number of rows."""
    factor = {"k": 1_000, "M": 1_000_000}.get(text[-1], 1)
    return int(text if factor == 1 else text[:-1]) * factor


def write_figures(path: Path, content: Mapping[str, object]) -> None:
    """Write figures as JSON, and say where they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"\nfigures: {path}")
