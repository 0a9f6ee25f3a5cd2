from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.databases import POSTGRESQL, Server, serve

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server; it is started by the first test that asks for it."""
    yield from serve()


@pytest.fixture
def database() -> str:
    """The kind of database a test's ledger lies in; folders and modules that try both replace this."""
    return "sqlite"


@pytest.fixture
def ledger_url(database: str, request: pytest.FixtureRequest) -> str:
    """Where a test's ledger is to lie."""
    if database == POSTGRESQL:
        server: Server = request.getfixturevalue("server")
        return server.fresh()
    return "sqlite:///workspace/ledger.sqlite3"
