from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

from schemas.profile import parse_profile
from tests.crash.place import Nursery, Places

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


@pytest.fixture(scope="module")
def places(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Places:
    text = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
    return Places(tmp_path_factory.mktemp("places"), nursery, parse_profile(text, "mediasms.toml"))
