"""Put messages and results into a new ledger, as sending and pulling would have.

python benchmarks/lib/filling.py FOLDER LEDGER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from reconciling import BATCH, read, the_batch

from pipeline.ledger import Ledger, create_ledger
from pipeline.ledger.batches import register_batch
from pipeline.ledger.engines import insert_rows
from pipeline.ledger.plans import PlannedDispatch, plan_batch
from pipeline.ledger.tables import message, observation
from pipeline.model import Artefact

_JST = ZoneInfo("Asia/Tokyo")
_DISPATCH = 10_000
_NOW = datetime(2026, 11, 30, 14, 30, tzinfo=UTC)


def main(source: str, file: str) -> None:
    """Fill a ledger that is not there yet."""
    messages, results = (read(Path(source) / f"{name}.arrow") for name in ("messages", "results"))
    ledger = create_ledger(f"sqlite:///{file}", _NOW, prefix="abc")
    batch = the_batch(len(messages))
    register_batch(ledger, batch)
    plan_batch(ledger, batch, _planned(messages), _NOW)
    with ledger.writing() as connection:
        for start in range(0, len(messages), _DISPATCH):
            part = messages.slice(start, _DISPATCH)
            rows = zip(_times(part["sent_at"]), part["smsid"].to_pylist(), strict=True)
            connection.exec_driver_sql("UPDATE message SET state = 'taken', sent_at = ? WHERE smsid = ?", list(rows))
    _observe(ledger, results)
    ledger.close()


def _planned(messages: pa.Table) -> Iterator[PlannedDispatch]:
    for number, start in enumerate(range(0, len(messages), _DISPATCH), 1):
        part = messages.slice(start, _DISPATCH)
        names = ("row_number", "smsid", "msisdn", "characters", "cost_centre")
        columns = {name: part[name].to_pylist() for name in names if name in message.c}
        columns |= {
            "double_byte": list(map(int, part["double_byte"].to_pylist())),
            "text_digest": [f"{row:024x}" for row in columns["row_number"]],
            "message_key": columns["msisdn"],
        }
        yield PlannedDispatch(number, number, Artefact(f"dispatch-{number:04d}.csv", "0" * 64, 1), columns)


def _observe(ledger: Ledger, results: pa.Table) -> None:
    names = [column.name for column in observation.columns if column.name not in {"observation_id", "pull_id"}]
    with ledger.writing() as connection:
        for start in range(0, len(results), _DISPATCH):
            part = results.slice(start, _DISPATCH)
            columns = {name: part[name].to_pylist() for name in ("smsid", "msisdn", "status", "carrier", "parts_total")}
            columns |= {
                "line": range(len(part)),
                "path": ["pulled"] * len(part),
                "status_time": _times(part["status_time"]),
                "registered_at": _times(part["registered_at"]),
                "parts_delivered": columns["parts_total"],
                "extra": [""] * len(part),
                "stranger": [""] * len(part),
                "received_at": [None] * len(part),
            }
            insert_rows(connection, observation, names, zip(*(columns[name] for name in names), strict=True))


def _times(column: pa.ChunkedArray) -> list[str]:
    """Write times as the ledger does: with microseconds, in JST."""
    local = pc.local_timestamp(column.cast(pa.timestamp("us", str(_JST))))
    return [f"{text.replace(' ', 'T')}+09:00" for text in local.cast(pa.string()).to_pylist()]


if __name__ == "__main__":
    assert BATCH
    main(*sys.argv[1:])
