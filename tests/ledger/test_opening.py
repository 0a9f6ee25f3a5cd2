from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DatabaseError

from pipeline.errors import Exit, GuardStopped, TryLater, UsageError
from pipeline.ledger import check_ledger, create_ledger, engines, migrate_ledger, open_ledger, opening
from pipeline.ledger.locks import held
from tests.databases import SQLITE

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from pipeline.context import Context
    from tests.stages.conftest import House


def _ledger(house: House) -> Path:
    return house.folder / "workspace" / "ledger.sqlite3"


def _run(transaction: AbstractContextManager[Connection], *statements: str) -> None:
    with transaction as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _fails(house: House, code: str) -> None:
    with pytest.raises(GuardStopped) as stopped:
        house.open()
    assert stopped.value.code == code
    assert stopped.value.exit is Exit.GUARD


def test_only_init_makes_a_ledger(house: House) -> None:
    with pytest.raises(UsageError) as stopped:
        house.open()
    assert stopped.value.code == "workspace.missing"
    assert not _ledger(house).exists()


@pytest.mark.parametrize("database", [SQLITE])
def test_what_is_committed_is_on_disk_and_references_hold(house: House, context: Context) -> None:
    for ledger in (context.ledger, house.open().ledger):
        with ledger.reading() as connection:
            found = [connection.execute(sql(f"PRAGMA {name}")).scalar_one() for name in ("synchronous", "foreign_keys")]
            # 2 is FULL: a commit returns when its log is on the disk.
            assert found == [2, 1]
            assert connection.execute(sql("PRAGMA journal_mode")).scalar_one() == "wal"


@pytest.mark.parametrize("database", [SQLITE])
def test_a_deleted_ledger_is_not_made_anew(house: House, context: Context) -> None:
    context.close()
    for file in _ledger(house).parent.glob("ledger.sqlite3*"):
        file.unlink()
    _fails(house, "ledger.missing")
    assert not _ledger(house).exists()
    with pytest.raises(GuardStopped) as stopped:
        house.open(create=True)
    assert stopped.value.code == "ledger.foreign"


def test_another_ledger_is_refused(house: House, context: Context) -> None:
    create_ledger(f"sqlite:///{house.folder}/other.sqlite3", context.now()).close()
    with pytest.raises(GuardStopped) as stopped:
        house.open(LEDGER_URL="sqlite:///other.sqlite3")
    assert stopped.value.code == "ledger.foreign"


def test_making_it_twice_keeps_it(house: House, context: Context) -> None:
    again = house.open(create=True)
    assert (again.ledger.ledger_id, again.ledger.prefix) == (context.ledger.ledger_id, context.ledger.prefix)
    assert migrate_ledger(again.ledger, context.now()) == opening.VERSION
    assert check_ledger(again.ledger) == []


@pytest.mark.parametrize("database", [SQLITE])
def test_broken_references_are_found(house: House, context: Context) -> None:
    with sqlite3.connect(_ledger(house)) as connection:
        connection.execute("INSERT INTO batch VALUES ('b','none','d','s','c','f',0,0,0,0,0,'[]','t',NULL,'none',NULL)")
    connection.close()
    assert check_ledger(context.ledger) == ["foreign key: batch 1"]


def test_a_newer_ledger_is_refused(house: House, context: Context) -> None:
    with context.ledger.writing() as connection:
        connection.execute(sql("INSERT INTO migration VALUES (99, 'later')"))
    _fails(house, "ledger.newer")


@pytest.mark.parametrize("database", [SQLITE])
def test_a_file_that_is_no_database_is_damaged(house: House, context: Context) -> None:
    context.close()
    _ledger(house).write_bytes(b"no database at all" * 500)
    _fails(house, "ledger.damaged")


@pytest.mark.parametrize("database", [SQLITE])
def test_another_database_is_no_ledger(house: House, context: Context) -> None:
    context.close()
    with sqlite3.connect(house.folder / "x.sqlite3") as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    with pytest.raises(GuardStopped) as stopped:
        open_ledger(f"sqlite:///{house.folder}/x.sqlite3")
    assert stopped.value.code == "ledger.not_a_ledger"


@pytest.mark.parametrize("database", [SQLITE])
def test_damage_found_later_is_a_guard(context: Context) -> None:
    with pytest.raises(GuardStopped) as stopped, context.ledger.reading():
        raise DatabaseError("x", None, sqlite3.DatabaseError("malformed"))
    assert stopped.value.code == "ledger.damaged"


@pytest.mark.parametrize("database", [SQLITE])
def test_a_ledger_that_cannot_be_opened_is_to_be_looked_at(house: House, context: Context) -> None:
    context.close()
    _ledger(house).with_name("ledger.sqlite3-wal").mkdir()
    _fails(house, "ledger.cannot_open")


@pytest.mark.parametrize("database", [SQLITE])
@pytest.mark.parametrize(("why", "code"), [("mount", "ledger.read_only"), ("rights", "ledger.no_permission")])
def test_a_ledger_that_may_not_be_written_is_not_for_later(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, why: str, code: str
) -> None:
    # SQLite itself refuses here; what the system says of folder and file is made up, since a test may run as root.
    if why == "mount":
        monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_flag=os.ST_RDONLY))
    else:
        monkeypatch.setattr(os, "access", lambda *_arguments: False)
    with pytest.raises(UsageError) as stopped:
        _run(context.ledger.reading(), "PRAGMA query_only = ON", "DELETE FROM optout")
    assert (stopped.value.code, stopped.value.exit) == (code, Exit.USAGE)
    assert stopped.value.facts == {"file": str(_ledger(house))}


@pytest.mark.parametrize("database", [SQLITE])
def test_a_full_disk_is_said_and_for_later(context: Context) -> None:
    large = "INSERT INTO optout VALUES (hex(zeroblob(1000000)), 't', 'x')"
    with pytest.raises(TryLater) as stopped:
        _run(context.ledger.writing(), "PRAGMA max_page_count = 1", large)
    assert (stopped.value.code, stopped.value.exit) == ("ledger.full", Exit.TRY_LATER)
    assert check_ledger(context.ledger) == []


@pytest.mark.parametrize("database", [SQLITE])
def test_a_disk_that_does_not_answer_is_said_and_for_later(context: Context) -> None:
    broken = sqlite3.OperationalError("disk I/O error")
    broken.sqlite_errorname = "SQLITE_IOERR_WRITE"
    with pytest.raises(TryLater) as stopped, context.ledger.reading():
        raise DatabaseError("x", None, broken)
    assert (stopped.value.code, stopped.value.facts) == ("ledger.disk", {"problem": "disk I/O error"})


@pytest.mark.parametrize("database", [SQLITE])
def test_a_lock_that_cannot_be_made_is_said(tmp_path: Path, context: Context) -> None:
    (tmp_path / "locks").write_text("no folder")
    with pytest.raises(TryLater) as stopped, held(tmp_path / "locks" / "x.lock", context.now()):
        pass
    assert stopped.value.code == "files.not_writable"


def test_a_ledger_that_is_busy_is_for_later(house: House, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_BUSY_SECONDS", 0)
    other = house.open()
    with context.ledger.writing(), pytest.raises(TryLater) as stopped, other.ledger.writing():
        pass
    assert stopped.value.code == "ledger.busy"


@pytest.mark.parametrize("database", [SQLITE])
def test_other_databases_are_not_known(context: Context) -> None:
    with pytest.raises(UsageError) as stopped:
        open_ledger("mysql://somewhere/x")
    assert stopped.value.facts == {"scheme": "mysql"}
    assert context.ledger.prefix.isalpha()


@pytest.mark.parametrize("database", [SQLITE])
def test_a_lock_names_its_holder_and_is_free_afterwards(tmp_path: Path, context: Context) -> None:
    path = tmp_path / "deep" / "x.lock"
    with held(path, context.now()):
        with pytest.raises(TryLater) as stopped, held(path, context.now()):
            pass
        assert "pid" in str(stopped.value.facts["holder"])
    with held(path, context.now()):
        pass
