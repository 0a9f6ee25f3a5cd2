"""What differs between the two databases: connecting, transactions, and the few statements of a dialect.

SQLite is one file on one host. PostgreSQL is shared by several; its driver is an optional extra. Everything else in
``pipeline.ledger`` is written once.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Engine,
    Insert,
    Select,
    Table,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from pipeline.errors import GuardStopped, UsageError
from pipeline.ledger.explaining import explained, roll_back
from pipeline.ledger.file_systems import host_folder, refuse_network
from pipeline.ledger.tables import metadata

if TYPE_CHECKING:
    import psycopg

_POSTGRESQL = "postgresql"
_SQLITE_URL = "sqlite:///"
#: how long a transaction waits for another one that writes: many runs wait for each other's large plans, and what an
#: upload brought must be recorded
_BUSY_SECONDS = 60.0
#: how long SQLite itself waits, deaf to signals
_DEAF_SECONDS = 1.0
#: how long a writer may stand still before the server ends it, so that a frozen process does not stop every host
_IDLE_SECONDS = 120
#: first half of the key under which writers queue
_WRITERS = 0x6D736D73
#: second half: the table itself, so that each ledger has its own queue, and one queue whatever a role's search_path
#: says; before there is a table, the schema in which it will be made
_QUEUE = f"{_WRITERS}, hashtext(coalesce(to_regclass('identity')::oid::text, current_schema()))"
#: a peer that has vanished is noticed by both sides within a minute: locks of a lost host become free
_KEEPALIVE = {"idle": 30, "interval": 10, "count": 3}


def is_shared(dialect: Dialect) -> bool:
    """Say whether several hosts may use the database: then the server keeps the locks."""
    return dialect.name == _POSTGRESQL


def make_engine(url: str) -> Engine:
    """Return an engine that hands out connections without a transaction: ``begin_*`` open them.

    Raises ``UsageError`` for another kind of database, a malformed address or a driver that is not installed. Neither
    these nor any later text quotes the address: it may hold a password.
    """
    scheme = url.partition(":")[0]
    if url.startswith(_SQLITE_URL):
        return _sqlite(url)
    if scheme == _POSTGRESQL:
        return _postgresql(url)
    raise UsageError("ledger.url", scheme=scheme)


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={"timeout": min(_DEAF_SECONDS, _BUSY_SECONDS)},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise UsageError("ledger.url_malformed") from None
    # An @ in a password divides the address too late, and errors would name the rest of the password as a host.
    if "@" in f"{address.host}{address.database}":
        raise UsageError("ledger.url_malformed")
    return address.set(drivername="postgresql+psycopg")


def _postgresql(url: str) -> Engine:
    keepalives = {f"keepalives_{name}": value for name, value in _KEEPALIVE.items()}
    try:
        engine = create_engine(
            _address(url),
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            # A connection that died while nobody used it is replaced before a transaction, never inside one.
            pool_pre_ping=True,
            connect_args={"autocommit": True, "client_encoding": "utf8", "connect_timeout": 10, **keepalives},
        )
    except ModuleNotFoundError:
        raise UsageError("ledger.no_driver") from None
    event.listen(engine, "connect", _configure_session)
    return engine


_SESSION = """
    SELECT pg_backend_pid(),
        set_config('tcp_keepalives_idle', %(idle)s, false),
        set_config('tcp_keepalives_interval', %(interval)s, false),
        set_config('tcp_keepalives_count', %(count)s, false),
        set_config('synchronous_commit', CASE current_setting('synchronous_commit')
            WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)
"""


def _configure_session(connection: psycopg.Connection[tuple[Any, ...]], _record: object) -> None:
    """Prepare a session: what is committed is on disk, and nobody stands between us and the server.

    A pooler makes up the process number that it tells its clients when they connect, since their statements go to
    whichever server process is free. Locks of a session would then belong to nobody in particular.
    """
    values = {name: str(value) for name, value in _KEEPALIVE.items()}
    row = connection.execute(_SESSION, values).fetchone()
    if row is None or row[0] != connection.info.backend_pid:
        raise UsageError("ledger.pooled")


#: another cluster, another line of its history (a restored backup, a server that took over), another database, or
#: tables that were made anew (a restored dump)
_INCARNATION = """
    SELECT concat_ws('/', (pg_control_system()).system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8),
        (SELECT oid FROM pg_database WHERE datname = current_database()), to_regclass('identity')::oid)
"""


def incarnation(engine: Engine) -> str | None:
    """Return what tells a PostgreSQL ledger from its copies and from its own past; None where the server hides it."""
    with explained(), engine.connect() as connection:
        try:
            return str(connection.exec_driver_sql(_INCARNATION).scalar_one())
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            return None


def describe_place(engine: Engine) -> str:
    """Name the database for a message: the file, or server and database; never user and password."""
    if not is_shared(engine.dialect):
        return str(engine.url.database)
    host = engine.url.host or engine.url.query.get("host") or "localhost"
    return f"{host}/{engine.url.database or ''}"


def prepare_place(engine: Engine) -> None:
    """Make what a new SQLite file needs; a PostgreSQL database is made by its administrator."""
    if not is_shared(engine.dialect):
        file = Path(str(engine.url.database))
        refuse_network(file)
        file.parent.mkdir(parents=True, exist_ok=True)


def place_of_host(engine: Engine) -> str | None:
    """Return the type of file system where a SQLite file lies in a folder of the host."""
    return None if is_shared(engine.dialect) else host_folder(Path(str(engine.url.database)))


def must_exist(engine: Engine) -> None:
    """Refuse a database that is not there. Opening a missing SQLite file would make it."""
    if is_shared(engine.dialect):
        with explained(), engine.connect():
            return
    file = Path(str(engine.url.database))
    refuse_network(file)
    if not file.exists():
        raise GuardStopped("ledger.missing", file=describe_place(engine))


def begin_reading(connection: Connection) -> None:
    """Open a transaction that only reads, and sees one state of the ledger from its first statement to its last."""
    if is_shared(connection.dialect):
        connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    else:
        connection.exec_driver_sql("BEGIN")


def begin_writing(connection: Connection) -> None:
    """Open a transaction that alone may write from its beginning, so that what a verb compares is what it sets.

    SQLite has BEGIN IMMEDIATE. On PostgreSQL every writer of the ledger first takes one advisory lock, which ends with
    the transaction. READ COMMITTED is meant: each statement after the lock sees what all writers before have committed,
    while the snapshot of a stricter level would be from before the wait. SERIALIZABLE would let two verbs run and then
    refuse one of them, and a verb that is run again by itself is what this product must not have.
    """
    if is_shared(connection.dialect):
        wait = max(1, int(_BUSY_SECONDS * 1000))
        connection.exec_driver_sql(
            "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE;"
            f"SET LOCAL lock_timeout = {wait};"
            f"SET LOCAL idle_in_transaction_session_timeout = {_IDLE_SECONDS * 1000};"
            f"SELECT pg_advisory_xact_lock({_QUEUE})"
        )
    else:
        _begin_immediate(connection)


def _begin_immediate(connection: Connection) -> None:
    """Wait for whoever writes, in short turns: between them a signal is heard."""
    until = monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as error:
            if getattr(error.orig, "sqlite_errorname", "") != "SQLITE_BUSY" or monotonic() >= until:
                raise
        else:
            return


def new_rows(connection: Connection, table: Table) -> Insert:
    """Return an insert that leaves out rows which are there already."""
    if is_shared(connection.dialect):
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def insert_many(connection: Connection, table: Table, rows: Iterable[Mapping[str, object]]) -> int:
    """Insert many rows that name the same columns; return how many."""
    every = iter(rows)
    first = next(every, None)
    if first is None:
        return 0
    names = list(first)
    return insert_rows(connection, table, names, (tuple(row[name] for name in names) for row in chain([first], every)))


def insert_rows(connection: Connection, table: Table, names: Sequence[str], rows: Iterable[tuple[object, ...]]) -> int:
    """Insert rows of the columns ``names``; return how many. PostgreSQL takes them as a stream (COPY).

    They go to the driver as they are: a mapping for each row and SQLAlchemy's look at it cost more than the insert.
    """
    quoted = connection.dialect.identifier_preparer.quote
    columns = ", ".join(map(quoted, names))
    if not is_shared(connection.dialect):
        listed = list(rows)
        if listed:
            marks = ", ".join("?" * len(names))
            connection.exec_driver_sql(f"INSERT INTO {quoted(table.name)} ({columns}) VALUES ({marks})", listed)  # noqa: S608 - our own names
        return len(listed)
    count = 0
    statement = f"COPY {quoted(table.name)} ({columns}) FROM STDIN"
    driver = connection.connection.dbapi_connection
    assert driver is not None  # noqa: S101 - the connection is in a transaction
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[attr-defined]  # psycopg's own
            for row in rows:
                copy.write_row(row)
                count += 1
    except driver_errors(connection) as error:
        raise DBAPIError.instance(statement, None, error, driver_errors(connection)) from None
    return count


def try_lock(connection: Connection, key: int, holder: str) -> int | None:
    """Take a lock of the session under the name ``holder``; return the number of its server process, None if held.

    The name goes into ``application_name``: every session may read it, and it dies with the session as the lock does.
    Each statement is a transaction of its own, so a pooler that hands them to several server processes is found here,
    should it have told the true process number when we connected. Raises ``UsageError`` (``ledger.pooled``).
    """
    connection.execute(text("SELECT set_config('application_name', :holder, false)"), {"holder": holder})
    taken, process = connection.execute(text("SELECT pg_try_advisory_lock(:key), pg_backend_pid()"), {"key": key}).one()
    if not taken:
        return None
    # While another transaction is open, a pooler must give the two of them different server processes.
    with connection.engine.connect() as other:
        begin_reading(other)
        elsewhere = other.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        here = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        keeper = lock_holder(connection, key)[0]
        roll_back(other)
    if elsewhere == process or here != process or keeper != process:
        raise UsageError("ledger.pooled")
    return int(process)


def lock_holder(connection: Connection, key: int) -> tuple[int | None, str]:
    """Return the number of the server process that keeps a lock, and the name of its session; None and "?" for none."""
    # A key of 64 bits stands in two columns; objsubid 1 tells it from a key in two halves.
    row = connection.execute(
        text("""
            SELECT l.pid, a.application_name FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND l.classid::bigint = :high AND l.objid::bigint = :low
        """),
        {"high": key >> 32 & 0xFFFFFFFF, "low": key & 0xFFFFFFFF},
    ).one_or_none()
    return (row[0], row[1] or "?") if row else (None, "?")


def unlock(connection: Connection, key: int) -> None:
    """Give a lock of the session back by ending the session: nothing of it may outlive the run in a pool of ours."""
    with suppress(DBAPIError):  # when the connection is gone, the lock is too
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
    connection.invalidate()


def count_on(connection: Connection, table: Table) -> None:
    """Let keys that the database counts up go on after the highest one there is."""
    counted = table.autoincrement_column
    if counted is None or not is_shared(connection.dialect):
        return
    highest = connection.execute(select(func.max(counted))).scalar_one()
    if highest is not None:
        sequence = func.pg_get_serial_sequence(table.name, counted.name)
        connection.execute(select(func.setval(sequence, highest)))


def driver_errors(connection: Connection) -> type[Exception]:
    """Return the class of everything that the database's driver raises."""
    found: type[Exception] = connection.dialect.loaded_dbapi.Error
    return found


def blocks(connection: Connection, query: Select[Any], size: int) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield a long result in blocks of ``size`` rows.

    SQLite's driver reads as it is asked. PostgreSQL's would take the whole result into memory first, but for a cursor
    that stays in the server.
    """
    if is_shared(connection.dialect):
        yield from connection.execute(query.execution_options(yield_per=size)).partitions()
        return
    cursor = connection.execute(query).cursor
    assert cursor is not None  # noqa: S101 - a SELECT always has one
    while block := cursor.fetchmany(size):
        yield block


def fitted(connection: Connection, statement: str) -> str:
    """Return a statement of a migration, written for SQLite, as this database wants it."""
    if not is_shared(connection.dialect):
        return statement
    without = re.sub(r"\)\s*(WITHOUT ROWID, )?STRICT\s*$", ")", statement)
    without = re.sub(r"\bsize INTEGER\b", "size BIGINT", without)
    return re.sub(r"\bTEXT\b", 'TEXT COLLATE "C"', without)


def integrity(connection: Connection) -> list[str]:
    """Return what the database's own checks find.

    SQLite reads every page and every reference. PostgreSQL keeps references by itself; here somebody may have dropped
    or switched off a rule, which is asked.
    """
    if is_shared(connection.dialect):
        return _lost_rules(connection)
    found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check") if row[0] != "ok"]
    found += [f"foreign key: {row[0]} {row[1]}" for row in connection.exec_driver_sql("PRAGMA foreign_key_check")]
    return found


def _lost_rules(connection: Connection) -> list[str]:
    seen = inspect(connection)
    found = [f"table: {name}" for name in sorted(metadata.tables.keys() - set(seen.get_table_names()))]
    for table in metadata.sorted_tables:
        if f"table: {table.name}" in found:
            continue
        there = {index["name"] for index in seen.get_indexes(table.name) if index["unique"]}
        found += [f"index: {index.name}" for index in table.indexes if index.unique and index.name not in there]
        checks = {check["name"] for check in seen.get_check_constraints(table.name)}
        checks |= {unique["name"] for unique in seen.get_unique_constraints(table.name)}
        found += [
            f"constraint: {rule.name}"
            for rule in table.constraints
            if isinstance(rule.name, str) and rule.name not in checks
        ]
        wanted = len(table.foreign_key_constraints)
        if len(seen.get_foreign_keys(table.name)) < wanted:
            found.append(f"foreign key: {table.name}")
    invalid = text(
        "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "WHERE NOT i.indisvalid AND pg_table_is_visible(c.oid)"
    )
    found += [f"index: {row[0]}" for row in connection.execute(invalid)]
    return found
