from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import GuardStopped, UsageError
from pipeline.ledger import opening
from pipeline.ledger.backup import Copy, read_copy
from pipeline.operations.backup import backup
from pipeline.operations.migrate import migrate

if TYPE_CHECKING:
    from pipeline.context import Context
    from tests.stages.conftest import House


def _age(context: Context) -> None:
    """Make the ledger one of version 1 again."""
    with context.ledger.writing() as connection:
        connection.exec_driver_sql("DELETE FROM migration")
        connection.exec_driver_sql("INSERT INTO migration VALUES (1, 'then')")
        connection.exec_driver_sql("DROP TABLE cancellation")
        # SQLite drops no column that a rule of the table names.
        rule = ", \n\tCONSTRAINT number_check_known CHECK (number_check IN ('none', 'only', 'then-send'))"
        connection.exec_driver_sql("PRAGMA writable_schema = ON")
        changed = connection.exec_driver_sql(
            "UPDATE sqlite_schema SET sql = replace(sql, ?, '') WHERE name = 'batch' AND instr(sql, ?)", (rule, rule)
        )
        assert changed.rowcount == 1
        connection.exec_driver_sql("PRAGMA writable_schema = RESET")
        connection.exec_driver_sql("ALTER TABLE batch DROP COLUMN number_check")
        connection.exec_driver_sql("ALTER TABLE batch DROP COLUMN text_source")
        connection.exec_driver_sql("DROP TABLE optout")
        connection.exec_driver_sql("DROP TABLE stop")
        connection.exec_driver_sql("DROP TABLE pace")
        connection.exec_driver_sql("DROP INDEX not_taken")
        connection.exec_driver_sql("DROP TABLE closing")
        connection.exec_driver_sql("ALTER TABLE campaign DROP COLUMN repeats")
        connection.exec_driver_sql("ALTER TABLE message DROP COLUMN cost_centre")
        connection.exec_driver_sql("ALTER TABLE observation DROP COLUMN received_at")


def test_an_old_installation_works_after_it_was_migrated(house: House, context: Context) -> None:
    source = house.recipients(3)
    house.sent(context, source)
    _age(context)
    for create in (False, True):
        with pytest.raises(GuardStopped) as stopped:
            house.open(create=create)
        assert stopped.value.code == "ledger.older"
    # What stands in its write-ahead log belongs to it.
    file = house.folder / "before.sqlite3"
    backup(context.configuration, file)
    assert read_copy(file) == Copy(context.ledger.ledger_id, 1)
    with closing(sqlite3.connect(file)) as copy:
        assert copy.execute("SELECT count(*) FROM message").fetchone() == (3,)
    assert migrate(context.configuration, context.now()) == opening.VERSION
    assert migrate(context.configuration, context.now()) == opening.VERSION
    assert house.sent(house.open(), source).dispatches == 0
    assert house.uploads() == 1


def test_the_ledger_of_another_installation_is_not_migrated(context: Context) -> None:
    _age(context)
    (context.workspace.root / "ledger.id").write_text("another\n")
    with pytest.raises(GuardStopped) as stopped:
        migrate(context.configuration, context.now())
    assert stopped.value.code == "ledger.foreign"
    (context.workspace.root / "ledger.id").unlink()
    with pytest.raises(UsageError) as missing:
        migrate(context.configuration, context.now())
    assert missing.value.code == "workspace.missing"
    with context.ledger.reading() as connection:
        assert connection.exec_driver_sql("SELECT max(version) FROM migration").scalar_one() == 1
