"""Time planning a batch, and a bare bulk insert of the same rows into the same tables; print seconds as JSON.

    python benchmarks/lib/registering.py FOLDER ROWS REPETITIONS
    python benchmarks/lib/registering.py fill LEDGER ROWS     put messages of another campaign into a ledger

Both sides write to tables made by the product, with every constraint and index, in one transaction each, with the same
pragmas. Sides take turns, each into a ledger of its own.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from pipeline.adapters.files import hash_file
from pipeline.config import load
from pipeline.context import Context, build_context
from pipeline.core.calendar import JST
from pipeline.ledger import plans
from pipeline.ledger.batches import register_batch
from pipeline.messages import Language
from pipeline.model import Artefact, Batch, RowTotals
from pipeline.stages import planning

_BATCH = "bbbbbbbbbb"
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
_TABLES = ("campaign", "batch", "dispatch", "message")
_STEP, _START, _NUMBERS = 104_729_003, 31_415_926, 90_000_000
_DISPATCH = 10_000


def number(row: int) -> str:
    """Return the number of a row: each comes once, in no order."""
    return f"090{(row * _STEP + _START) % _NUMBERS + _NUMBERS // 9:08d}"


def registered(folder: Path, rows: int) -> tuple[Context, Batch]:
    """Make an installation with a registered batch."""
    settings = {"MEDIASMS_SEND_MAX_ROWS": str(_DISPATCH)}
    configuration = load(folder / "mediasms.toml", settings, required=False)
    context = build_context(configuration, settings, lambda: datetime.now(JST), Language.EN, create=True)
    path = context.workspace.batch_folder(_BATCH) / "accepted.csv"
    path.parent.mkdir(parents=True)
    table = pa.table(
        {
            "row_number": np.arange(rows) + 2,
            "smsid": [f"{context.ledger.prefix}{_BATCH}{row + 2:07d}" for row in range(rows)],
            "msisdn": [number(row) for row in range(rows)],
            "text": [
                f'【重要】ご来店日のご案内です。\n予約番号{row:08d}、"店頭"の係までどうぞ。' for row in range(rows)
            ],
            "characters": np.full(rows, 50),
            "bytes": np.full(rows, 95),
            "double_byte": np.ones(rows, bool),
        }
    )
    pacsv.write_csv(table, path, pacsv.WriteOptions(eol="\r\n"))
    batch = Batch(
        batch_id=_BATCH,
        campaign="c",
        run_date=context.now().date(),
        source_name="list.csv",
        content_sha256="0" * 64,
        fingerprint="f",
        totals=RowTotals(rows, rows, 0, 0),
        repaired=0,
        artefacts=(Artefact("accepted.csv", hash_file(path), path.stat().st_size),),
        registered_at=context.now(),
    )
    register_batch(context.ledger, batch)
    return context, batch


def planned(context: Context, batch: Batch) -> dict[str, float]:
    """Plan the batch; return seconds, those of the inserts, and how much memory the process needed beyond before."""
    inserting = 0.0
    insert = plans.insert_rows

    def timed(*arguments: object) -> int:
        nonlocal inserting
        start = time.perf_counter()
        count = insert(*arguments)  # type: ignore[arg-type]  # those of insert_rows
        inserting += time.perf_counter() - start
        return count

    plans.insert_rows = timed
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    planning.plan(context, batch)
    wall = time.perf_counter() - start
    plans.insert_rows = insert
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"plan": wall, "insert": inserting, "layout": wall - inserting, "grown_mib": grown}


def bare(source: Path, target: Path) -> float:
    """Insert the rows of a ledger into an empty copy of it; return seconds."""
    old = sqlite3.connect(source)
    new = sqlite3.connect(target, isolation_level=None)
    for pragma in _PRAGMAS:
        new.execute(f"PRAGMA {pragma}")
    for (statement,) in old.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"):
        new.execute(statement)
    tables = {name: old.execute(f"SELECT * FROM {name}").fetchall() for name in _TABLES}  # noqa: S608 - names above
    start = time.perf_counter()
    new.execute("BEGIN IMMEDIATE")
    for name, rows in tables.items():
        marks = ", ".join("?" * len(rows[0]))
        new.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608 - as above
    new.execute("COMMIT")
    wall = time.perf_counter() - start
    assert new.execute("SELECT count(*) FROM message").fetchone() == (len(tables["message"]),)
    old.close()
    new.close()
    return wall


def compared(folder: Path, rows: int, repetitions: int) -> Iterator[dict[str, float]]:
    """Yield the seconds of each turn."""
    for turn in range(repetitions):
        home = folder / str(turn)
        home.mkdir(parents=True)
        context, batch = registered(home, rows)
        seconds = planned(context, batch)
        yield seconds | {"bare": bare(Path(str(context.ledger.engine.url.database)), home / "bare.sqlite")}
        context.close()


def fill(ledger: Path, rows: int) -> None:
    """Put ``rows`` messages that were taken in another campaign into a ledger."""
    connection = sqlite3.connect(ledger, isolation_level=None)
    now = datetime(2026, 1, 5, 10, tzinfo=JST).isoformat(timespec="microseconds")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO campaign (name, first_seen) VALUES ('old', ?)", (now,))
    connection.execute(
        "INSERT INTO batch (batch_id, campaign, run_date, source_name, content_sha256, fingerprint, rows, accepted,"
        " rejected, already, repaired, artefacts, registered_at, planned_at)"
        " VALUES ('old', 'old', '2026-01-05', 'l', 'x', 'f', ?, ?, 0, 0, 0, '[]', ?, ?)",
        (rows, rows, now, now),
    )
    connection.execute(
        "INSERT INTO dispatch VALUES ('old-0001', 'old', 1, 1, 1, 'p', 'x', 1, 1, ?, ?, '200', NULL)", (now, now)
    )
    connection.executemany(
        "INSERT INTO message (smsid, batch_id, row_number, campaign, message_key, msisdn, text_digest, characters,"
        " double_byte, state, reason, dispatch_id, sent_at)"
        " VALUES (?, 'old', ?, 'old', ?, ?, ?, 50, 1, 'taken', '', 'old-0001', ?)",
        (
            (f"old{row:09d}", row, f"080{row:08d}", f"080{row:08d}", f"{row * _STEP % 2**96:024x}", now)
            for row in range(rows)
        ),
    )
    connection.execute("COMMIT")
    connection.close()


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        fill(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(list(compared(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))))
