"""A ledger of an earlier version is migrated as a whole, and only when asked to."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError, ProgrammingError

from pipeline.errors import Exit, GuardStopped, TryLater
from pipeline.ledger import check_ledger, create_ledger, engines, migrate_ledger, migrations, open_ledger, opening
from pipeline.ledger.batches import campaign_repeats, get_batch, register_batch
from pipeline.ledger.cancelling import stop_of
from pipeline.ledger.closing import last_closing, record_closing
from pipeline.ledger.optouts import add_optouts, list_optouts
from pipeline.model import Artefact
from tests.databases import POSTGRESQL, SQLITE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.context import Context
    from pipeline.ledger import Ledger

#: the tables of version 1 as that version made them, with a campaign, its batch and a message in them
VERSION_1 = """
CREATE TABLE identity (ledger_id TEXT NOT NULL, prefix TEXT NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY
    (ledger_id)) STRICT;
CREATE TABLE migration (version INTEGER NOT NULL, applied_at TEXT NOT NULL, PRIMARY KEY (version)) STRICT;
CREATE TABLE campaign (name TEXT NOT NULL, first_seen TEXT NOT NULL, PRIMARY KEY (name)) STRICT;
CREATE TABLE event (event_id INTEGER NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL, batch_id TEXT, dispatch_id
    TEXT, detail TEXT NOT NULL, PRIMARY KEY (event_id)) STRICT;
CREATE INDEX ix_event_batch_id ON event (batch_id);
CREATE TABLE pull (pull_id INTEGER NOT NULL, pulled_at TEXT NOT NULL, period_start TEXT NOT NULL, period_end TEXT
    NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL, rows INTEGER NOT NULL, new_rows
    INTEGER NOT NULL, PRIMARY KEY (pull_id), UNIQUE (file)) STRICT;
CREATE TABLE auth_failure (failure_id INTEGER NOT NULL, at TEXT NOT NULL, base_url TEXT NOT NULL, counts INTEGER NOT
    NULL, PRIMARY KEY (failure_id)) STRICT;
CREATE TABLE batch (batch_id TEXT NOT NULL, campaign TEXT NOT NULL, run_date TEXT NOT NULL, source_name TEXT NOT
    NULL, content_sha256 TEXT NOT NULL, fingerprint TEXT NOT NULL, rows INTEGER NOT NULL, accepted INTEGER NOT NULL,
    rejected INTEGER NOT NULL, already INTEGER NOT NULL, repaired INTEGER NOT NULL, artefacts TEXT NOT NULL,
    registered_at TEXT NOT NULL, planned_at TEXT, PRIMARY KEY (batch_id), CONSTRAINT rows_add_up CHECK (rows =
    accepted + rejected + already), FOREIGN KEY(campaign) REFERENCES campaign (name)) STRICT;
CREATE INDEX ix_batch_content_sha256 ON batch (content_sha256);
CREATE INDEX ix_batch_campaign ON batch (campaign);
CREATE TABLE observation (observation_id INTEGER NOT NULL, pull_id INTEGER, line INTEGER NOT NULL, path TEXT NOT
    NULL, smsid TEXT NOT NULL, msisdn TEXT NOT NULL, status TEXT NOT NULL, status_time TEXT NOT NULL, carrier TEXT
    NOT NULL, parts_delivered INTEGER, parts_total INTEGER, registered_at TEXT, extra TEXT NOT NULL, stranger TEXT
    NOT NULL, PRIMARY KEY (observation_id), CONSTRAINT seen_once UNIQUE (smsid, path, status, status_time,
    stranger), CONSTRAINT path_known CHECK (path IN ('pulled', 'fetched', 'notified')), FOREIGN KEY(pull_id)
    REFERENCES pull (pull_id)) STRICT;
CREATE INDEX observation_registered ON observation (registered_at);
CREATE TABLE dispatch (dispatch_id TEXT NOT NULL, batch_id TEXT NOT NULL, number INTEGER NOT NULL, chunk INTEGER NOT
    NULL, live INTEGER NOT NULL, payload_name TEXT NOT NULL, payload_sha256 TEXT NOT NULL, payload_size INTEGER NOT
    NULL, attempts INTEGER NOT NULL, begun_at TEXT, ended_at TEXT, answer_code TEXT, csvid TEXT, PRIMARY KEY
    (dispatch_id), UNIQUE (batch_id, number), FOREIGN KEY(batch_id) REFERENCES batch (batch_id)) STRICT;
CREATE UNIQUE INDEX one_live_dispatch_per_chunk ON dispatch (batch_id, chunk) WHERE live = 1;
CREATE TABLE message (smsid TEXT NOT NULL, batch_id TEXT NOT NULL, row_number INTEGER NOT NULL, campaign TEXT NOT
    NULL, message_key TEXT NOT NULL, msisdn TEXT NOT NULL, text_digest TEXT NOT NULL, characters INTEGER NOT NULL,
    double_byte INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT DEFAULT '' NOT NULL, dispatch_id TEXT NOT NULL,
    sent_at TEXT, PRIMARY KEY (smsid), UNIQUE (batch_id, row_number), CONSTRAINT one_row_per_msisdn_in_a_dispatch
    UNIQUE (dispatch_id, msisdn), CONSTRAINT state_known CHECK (state IN ('planned', 'in_flight', 'taken',
    'refused', 'unknown', 'cancelled')), FOREIGN KEY(batch_id) REFERENCES batch (batch_id), FOREIGN KEY(campaign)
    REFERENCES campaign (name), FOREIGN KEY(dispatch_id) REFERENCES dispatch (dispatch_id)) STRICT;
CREATE INDEX same_text_to_same_number ON message (msisdn, text_digest);
CREATE UNIQUE INDEX served_once ON message (campaign, message_key) WHERE state IN ('in_flight', 'planned', 'taken',
    'unknown');
INSERT INTO identity VALUES ('0123456789abcdef0123456789abcdef', 'abc', '2026-11-01T09:00:00.000000+09:00');
INSERT INTO migration VALUES (1, '2026-11-01T09:00:00.000000+09:00');
INSERT INTO campaign VALUES ('c', '2026-11-01T09:00:00.000000+09:00');
INSERT INTO batch VALUES ('bbbbbbbbbb', 'c', '2026-11-01', 'list.csv', 'h', 'f', 1, 1, 0, 0, 0, '[]',
    '2026-11-01T09:00:00.000000+09:00', '2026-11-01T09:00:01.000000+09:00');
INSERT INTO dispatch VALUES ('bbbbbbbbbb-0001', 'bbbbbbbbbb', 1, 1, 1, 'p', 's', 1, 1, 't', 't', '200', 'x');
INSERT INTO message VALUES ('abcbbbbbbbbbb0000002', 'bbbbbbbbbb', 2, 'c', '09011110001', '09011110001', 'd', 5, 1,
    'taken', '', 'bbbbbbbbbb-0001', '2026-11-01T09:00:02.000000+09:00');
"""


#: columns, indexes and rules of every table, without the names of schemas
POSTGRESQL_SHAPE = """
    SELECT table_name::text, 'column', column_name::text, is_nullable::text, data_type::text, collation_name::text,
        regexp_replace(column_default, '^nextval.*', 'counted') FROM information_schema.columns
        WHERE table_schema = current_schema()
    UNION ALL SELECT tablename::text, 'index', '', '', '', '', regexp_replace(indexdef, ' ON [^.]*[.]', ' ON ')
        FROM pg_indexes WHERE schemaname = current_schema()
    UNION ALL SELECT r.relname::text, 'rule', '', '', '', '',
        regexp_replace(pg_get_constraintdef(c.oid), 'REFERENCES [^.]*[.]', 'REFERENCES ')
        FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
        WHERE c.connamespace = current_schema()::regnamespace
"""


@pytest.fixture
def old(tmp_path: Path, database: str, request: pytest.FixtureRequest) -> str:
    """The address of a ledger of version 1."""
    if database == SQLITE:
        with sqlite3.connect(tmp_path / "old.sqlite3") as file:
            file.executescript(VERSION_1)
        file.close()
        return f"sqlite:///{tmp_path}/old.sqlite3"
    url: str = request.getfixturevalue("server").fresh()
    engine = engines.make_engine(url)
    with engine.connect() as connection:
        for statement in filter(str.strip, VERSION_1.split(";")):
            # A key that SQLite counts up by itself is a column of its own kind here.
            made = re.sub(r"((event|pull|observation|failure)_id) INTEGER NOT\s+NULL,", r"\1 BIGSERIAL,", statement)
            made = re.sub(r"(pull_id|payload_size|size) INTEGER", r"\1 BIGINT", made)
            connection.exec_driver_sql(engines.fitted(connection, made))
    engine.dispose()
    return url


@pytest.fixture
def ledger(old: str) -> Iterator[Ledger]:
    """The old ledger, opened to be migrated."""
    found = open_ledger(old, older=True)
    yield found
    found.close()


def _shape(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    """Return columns, indexes and references of every table."""
    found: dict[str, list[tuple[object, ...]]] = {}
    with ledger.reading() as connection:
        if connection.dialect.name == POSTGRESQL:
            rows = connection.exec_driver_sql(POSTGRESQL_SHAPE).all()
            return {name: sorted(tuple(row)[1:] for row in rows if row[0] == name) for name in {row[0] for row in rows}}
        tables = connection.exec_driver_sql("PRAGMA table_list").all()
        for table in tables:
            if table.schema == "main" and not table.name.startswith("sqlite_"):
                found[table.name] = [(table.wr, table.strict)]
                for pragma in ("table_info", "index_list", "foreign_key_list"):
                    rows = connection.exec_driver_sql(f"PRAGMA {pragma}({table.name})").all()
                    # Indexes are listed in the order in which they were made, which differs from ledger to ledger.
                    found[table.name] += sorted(tuple(row)[pragma == "index_list" :] for row in rows)
    return found


def test_an_old_ledger_is_only_opened_to_migrate_it(old: str, context: Context) -> None:
    with pytest.raises(GuardStopped) as stopped:
        open_ledger(old)
    assert (stopped.value.code, stopped.value.exit) == ("ledger.older", Exit.GUARD)
    assert stopped.value.facts == {"version": 1, "known": opening.VERSION}
    with pytest.raises(GuardStopped) as made:
        create_ledger(old, context.now())
    assert made.value.code == "ledger.older"


def test_a_migrated_ledger_is_like_a_new_one_and_keeps_what_it_knew(old: str, ledger: Ledger, context: Context) -> None:
    assert migrate_ledger(ledger, context.now()) == opening.VERSION
    again = open_ledger(old)
    assert (again.ledger_id, again.prefix) == (ledger.ledger_id, "abc")
    assert _shape(again) == _shape(context.ledger)
    assert check_ledger(again) == []
    batch = get_batch(again, "bbbbbbbbbb")
    assert batch.planned_at
    assert batch.text_source is None
    assert campaign_repeats(again, "c") is False
    assert list(list_optouts(again)) == []
    assert stop_of(again, "bbbbbbbbbb") is None
    assert add_optouts(again, ["09011110001"], "test", context.now()) == 1
    with again.reading() as connection:
        assert connection.exec_driver_sql("SELECT DISTINCT cost_centre FROM message").scalar_one() == ""
    assert last_closing(again, "2026-11") is None
    snapshot = Artefact("closing.arrow", "0" * 64, 1 << 40)
    hashes = {"tariff_sha256": "t", "profile_sha256": "p"}
    assert record_closing(again, "2026-11", snapshot, context.now(), actor="test", **hashes) == 1
    with pytest.raises(IntegrityError), again.writing() as connection:
        connection.exec_driver_sql("UPDATE campaign SET repeats = 2")
    again.close()


def test_migrating_twice_changes_nothing_more(ledger: Ledger, context: Context) -> None:
    for _ in range(2):
        migrate_ledger(ledger, context.now())
    with ledger.reading() as connection:
        assert connection.exec_driver_sql("SELECT version FROM migration").all() == [
            (version,) for version in range(1, opening.VERSION + 1)
        ]
        events = connection.exec_driver_sql("SELECT kind, detail FROM event").all()
    assert events == [("migrated", f'{{"version": {version}}}') for version in range(2, opening.VERSION + 1)]


def test_a_migration_that_fails_leaves_the_old_ledger(
    old: str, ledger: Ledger, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _shape(ledger)
    monkeypatch.setitem(migrations.STEPS, 2, (*migrations.STEPS[2], "CREATE TABLE optout (x TEXT)"))
    with pytest.raises((TryLater, ProgrammingError)):
        migrate_ledger(ledger, context.now())
    assert _shape(ledger) == before
    with pytest.raises(GuardStopped):
        open_ledger(old)


def test_there_is_a_step_to_every_version() -> None:
    assert sorted(migrations.STEPS) == list(range(2, opening.VERSION + 1))


def test_a_batch_of_the_version_before_can_be_registered_again(ledger: Ledger, context: Context) -> None:
    migrate_ledger(ledger, context.now())
    with pytest.raises(GuardStopped) as frozen:
        register_batch(ledger, get_batch(ledger, "bbbbbbbbbb"))
    assert frozen.value.code == "batch.frozen"
