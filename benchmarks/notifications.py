"""Measure how many result notifications a second the endpoint makes durable, and how long an answer takes.

Endpoint, ledger (a SQLite file, synchronous=FULL) and load are on one machine, the load in a process of its own over
kept-alive connections. Every answer counted is a 200, and afterwards every one of them is looked for in the ledger.
The figure depends on the disk and on everything else that the machine does: take it on a quiet one.

    python benchmarks/notifications.py                30 s each with 20 and with 50 connections
    python benchmarks/notifications.py --quick        3 s with 20: to try it, proves nothing
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lib.runner import busy, machine, table, write_figures

HERE = Path(__file__).resolve().parent
BAR = 500
_ACCOUNT = {"MEDIASMS_GATEWAY_USERNAME": "demo", "MEDIASMS_GATEWAY_PASSWORD": "demo-password"}
_URL = re.compile(r"http://127\.0\.0\.1:\d+/\S+?(?=\")")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one load brought."""

    connections: int
    answered: int
    per_second: float
    p50_ms: float
    p99_ms: float
    longest_ms: float
    recorded: int

    def line(self) -> list[str]:
        """Return its line of the table."""
        times = (f"{value:.0f} ms" for value in (self.p50_ms, self.p99_ms, self.longest_ms))
        return [str(self.connections), f"{self.answered:,}", f"{self.per_second:,.0f}", *times, f"{self.recorded:,}"]


def measure(command: list[str], folder: Path, connections: int, seconds: float) -> Finding:
    """Serve from a new ledger and load it."""
    home = Path(tempfile.mkdtemp(dir=folder))
    subprocess.run([*command, "init", "--quiet"], cwd=home, check=True, stdout=subprocess.DEVNULL)
    serve = [*command, "notifications", "serve", "--port", "0", "--json"]
    with (
        (home / "access.log").open("wb") as log,
        subprocess.Popen(serve, cwd=home, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        url = urlsplit(next(match[0] for line in process.stdout if (match := _URL.search(line))))
        load = [sys.executable, HERE / "lib/notifying.py", url.hostname, str(url.port), url.path]
        said = subprocess.run(
            [*map(str, load), str(connections), str(seconds)], check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        process.terminate()
    ledger = sqlite3.connect(next(home.rglob("*.sqlite3")))
    (recorded,) = ledger.execute("SELECT count(*) FROM observation").fetchone()
    ledger.close()
    found = Finding(connections=connections, recorded=recorded, **json.loads(said))
    assert found.recorded == found.answered
    return found


def main() -> int:
    """Measure, print, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 s with 20 connections")
    parser.add_argument("--seconds", type=float, default=30, help="default: 30")
    parser.add_argument("--connections", default="20,50", help="default: %(default)s")
    parser.add_argument("--command", default=str(Path(sys.executable).parent / "mediasms"))
    parser.add_argument("--folder", type=Path, help="where everything goes for a while (default: the system's)")
    parser.add_argument("--json", type=Path, default=HERE / "results/notifications.json")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seconds, arguments.connections = 3, "20"
    os.environ |= _ACCOUNT
    facts = machine(["uvicorn", "h11", "starlette", "sqlalchemy"])
    print("\n".join(f"{name}: {value}" for name, value in facts.items()))
    if warning := busy():
        print(f"warning: {warning}")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.folder) as folder:
        found = [
            measure(arguments.command.split(), Path(folder), int(connections), arguments.seconds)
            for connections in arguments.connections.split(",")
        ]
    heads = ["connections", "answered", f"a second (bar: {BAR})", "p50", "p99", "longest", "in the ledger"]
    print("\n" + table(heads, (each.line() for each in found)))
    content = {"machine": facts, "findings": [asdict(each) for each in found]}
    write_figures(arguments.json, content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
