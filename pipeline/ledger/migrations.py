"""From one version of the ledger to the next, in order. A step is written once and never edited."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select, text

from pipeline.ledger.batches import record_event
from pipeline.ledger.engines import fitted
from pipeline.ledger.opening import VERSION, Ledger
from pipeline.ledger.tables import iso, migration

#: version → statements that lead to it from the one before. Literal, because ``tables`` goes on changing. Written for
#: SQLite; ``fitted`` makes them PostgreSQL's.
STEPS: dict[int, tuple[str, ...]] = {
    2: (
        "ALTER TABLE campaign ADD COLUMN repeats INTEGER DEFAULT 0 NOT NULL CHECK (repeats IN (0, 1))",
        """CREATE TABLE optout (
            msisdn TEXT NOT NULL, added_at TEXT NOT NULL, source TEXT NOT NULL, PRIMARY KEY (msisdn)
        ) WITHOUT ROWID, STRICT""",
    ),
    3: (
        """CREATE TABLE stop (
            batch_id TEXT NOT NULL, at TEXT NOT NULL, actor TEXT NOT NULL, PRIMARY KEY (batch_id),
            FOREIGN KEY(batch_id) REFERENCES batch (batch_id)
        ) STRICT""",
        """CREATE INDEX not_taken ON message (batch_id)
            WHERE state IN ('cancelled', 'in_flight', 'planned', 'refused', 'unknown')""",
    ),
    4: (
        "ALTER TABLE message ADD COLUMN cost_centre TEXT DEFAULT '' NOT NULL",
        """CREATE TABLE closing (
            month TEXT NOT NULL, number INTEGER NOT NULL CHECK (number >= 1), closed_at TEXT NOT NULL,
            actor TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
            tariff_sha256 TEXT NOT NULL, profile_sha256 TEXT NOT NULL, PRIMARY KEY (month, number)
        ) STRICT""",
        "ALTER TABLE observation ADD COLUMN received_at TEXT",
        "CREATE TABLE pace (egress TEXT NOT NULL, turn TEXT NOT NULL, PRIMARY KEY (egress)) STRICT",
    ),
    5: (
        """ALTER TABLE batch ADD COLUMN number_check TEXT DEFAULT 'none' NOT NULL
            CONSTRAINT number_check_known CHECK (number_check IN ('none', 'only', 'then-send'))""",
        """CREATE TABLE cancellation (
            smsid TEXT NOT NULL, number INTEGER NOT NULL CHECK (number >= 1), batch_id TEXT NOT NULL,
            asked_at TEXT NOT NULL, actor TEXT NOT NULL, answered_at TEXT, outcome TEXT, code TEXT,
            PRIMARY KEY (smsid, number), CONSTRAINT outcome_known CHECK (
                outcome IN ('cancelled', 'too_late', 'absent', 'busy', 'refused', 'unclear', 'unsent')
            ), FOREIGN KEY(smsid) REFERENCES message (smsid), FOREIGN KEY(batch_id) REFERENCES batch (batch_id)
        ) STRICT""",
        "CREATE INDEX ix_cancellation_batch_id ON cancellation (batch_id)",
    ),
    6: ("ALTER TABLE batch ADD COLUMN text_source TEXT",),
}


def migrate_ledger(ledger: Ledger, now: datetime) -> int:
    """Bring the ledger to the version this program knows, in one transaction; return that version."""
    with ledger.writing() as connection:
        version = int(connection.execute(select(func.max(migration.c.version))).scalar_one())
        for following in range(version + 1, VERSION + 1):
            for statement in STEPS[following]:
                connection.execute(text(fitted(connection, statement)))
            connection.execute(insert(migration).values(version=following, applied_at=iso(now)))
            record_event(connection, now, "migrated", None, version=following)
    return VERSION
