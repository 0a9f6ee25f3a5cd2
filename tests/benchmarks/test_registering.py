"""What ``benchmarks/send.py`` measures is the product as it is: a batch that is planned, also beside old messages."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

from tests.benchmarks.running import LIB, run

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = 300, 200


def test_a_batch_is_planned_as_it_is_inserted_and_a_ledger_takes_old_messages(tmp_path: Path) -> None:
    (seconds,) = json.loads(run(LIB / "registering.py", tmp_path, NEW, 1))
    assert min(seconds["plan"], seconds["insert"], seconds["bare"]) > 0
    ledger = tmp_path / "0/workspace/ledger.sqlite3"
    run(LIB / "registering.py", "fill", ledger, OLD)
    with sqlite3.connect(ledger) as connection:
        counted = connection.execute(
            "SELECT batch_id, state, count(*) FROM message GROUP BY 1, 2 ORDER BY 1"
        ).fetchall()
    assert counted == [("bbbbbbbbbb", "planned", NEW), ("old", "taken", OLD)]
