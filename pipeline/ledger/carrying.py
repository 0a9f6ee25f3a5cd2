"""Carrying over: what people decided since a backup goes from the ledger that is set aside into its successor.

What was sent since is told by marks on disk. That somebody opted out, or cancelled what had not left, stands in the
ledger alone: an older one would write to these people.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pipeline.ledger.backup import identify
from pipeline.ledger.opening import VERSION
from pipeline.ledger.tables import iso

# Both are one ledger, of one version: their tables have the same columns in the same order.
_OPTOUTS = "INSERT OR IGNORE INTO optout SELECT * FROM old.optout"
#: batches that were stopped, and younger than the backup: once they are known to be, nobody sends them
_FORGOTTEN = """
    CREATE TEMP TABLE forgotten AS
    SELECT batch_id FROM old.stop WHERE batch_id NOT IN (SELECT batch_id FROM main.batch)
"""
_CAMPAIGNS = """
    INSERT OR IGNORE INTO campaign SELECT * FROM old.campaign
    WHERE name IN (SELECT campaign FROM old.batch WHERE batch_id IN (SELECT batch_id FROM forgotten))
"""
_BATCHES = "INSERT INTO batch SELECT * FROM old.batch WHERE batch_id IN (SELECT batch_id FROM forgotten)"
_UNPLANNED = "UPDATE batch SET planned_at = NULL WHERE batch_id IN (SELECT batch_id FROM forgotten)"
_STOPS = "INSERT OR IGNORE INTO stop SELECT * FROM old.stop"
#: what the gateway was asked and has answered since
_ASKED = """
    INSERT INTO cancellation SELECT * FROM old.cancellation WHERE smsid IN (SELECT smsid FROM main.message)
    ON CONFLICT (smsid, number) DO UPDATE
    SET answered_at = excluded.answered_at, outcome = excluded.outcome, code = excluded.code
    WHERE cancellation.outcome IS NULL AND excluded.outcome IS NOT NULL
"""
#: messages that a person has cancelled one by one
_ALONE = """
    CREATE TEMP TABLE alone AS
    SELECT smsid, batch_id, substr(reason, length('person:') + 1) AS actor FROM old.message
    WHERE state = 'cancelled' AND reason LIKE 'person:%' AND batch_id NOT IN (SELECT batch_id FROM main.stop)
"""
_WISHES = """
    INSERT OR IGNORE INTO cancellation (smsid, number, batch_id, asked_at, actor, answered_at, outcome)
    SELECT smsid, 1, batch_id, :now, actor, :now, 'unsent' FROM alone
    WHERE smsid IN (SELECT smsid FROM main.message WHERE state <> 'cancelled')
"""
_MISSING = """
    SELECT DISTINCT batch_id
    FROM (SELECT smsid, batch_id FROM alone UNION ALL SELECT smsid, batch_id FROM old.cancellation)
    WHERE smsid NOT IN (SELECT smsid FROM main.message) AND batch_id NOT IN (SELECT batch_id FROM main.stop)
    ORDER BY batch_id
"""
_EVENT = "INSERT INTO event (at, kind, detail) VALUES (:now, 'carried_over', :detail)"


@dataclass(frozen=True, slots=True)
class Carried:
    """How many opt-outs, stopped batches and messages that a person wants cancelled were carried over.

    ``missing`` are batches of which single messages were cancelled that the backup does not know yet.
    """

    optouts: int
    batches: int
    messages: int
    missing: tuple[str, ...]


def carry_over(old: Path, into: Path, now: datetime) -> Carried | None:
    """Enter what people decided since the copy ``into`` was made, all of it or nothing.

    None where nobody knows what that is: ``old`` is gone, cannot be read, or one of them is of another version.
    """
    before, after = identify(old), identify(into)
    if before is None or before != after or before.version != VERSION:
        return None
    try:
        with closing(sqlite3.connect(f"{into.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            connection.execute("ATTACH ? AS old", (f"{old.absolute().as_uri()}?mode=rw",))
            with connection:
                connection.execute("BEGIN")
                return _carried(connection, iso(now))
    except sqlite3.Error:
        return None


def _carried(connection: sqlite3.Connection, now: str) -> Carried:
    optouts = connection.execute(_OPTOUTS).rowcount
    for statement in (_FORGOTTEN, _CAMPAIGNS, _BATCHES, _UNPLANNED):
        connection.execute(statement)
    batches = connection.execute(_STOPS).rowcount
    messages = connection.execute(_ASKED).rowcount
    connection.execute(_ALONE)
    messages += connection.execute(_WISHES, {"now": now}).rowcount
    missing = tuple(batch_id for (batch_id,) in connection.execute(_MISSING))
    carried = Carried(optouts, batches, messages, missing)
    connection.execute(_EVENT, {"now": now, "detail": json.dumps(asdict(carried))})
    return carried
