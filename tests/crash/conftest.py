from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

from schemas.profile import Profile, parse_profile
from tests.crash.place import Nursery, Places
from tests.databases import BOTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Server


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


@pytest.fixture(scope="module")
def profile() -> Profile:
    text = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
    return parse_profile(text, "mediasms.toml")


@pytest.fixture(scope="module")
def places(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory, profile: Profile) -> Places:
    """Make places whose ledger is a file."""
    return Places(tmp_path_factory.mktemp("places"), nursery, profile)


@pytest.fixture(scope="module")
def shared_places(
    nursery: Nursery, tmp_path_factory: pytest.TempPathFactory, profile: Profile, server: Server
) -> Places:
    """Make places whose ledger is in a PostgreSQL server."""
    return Places(tmp_path_factory.mktemp("places"), nursery, profile, server)


@pytest.fixture(params=["places", "shared_places"], ids=BOTH)
def either(request: pytest.FixtureRequest) -> Places:
    """Make places whose ledger is in one database, then in the other."""
    found: Places = request.getfixturevalue(request.param)
    return found
