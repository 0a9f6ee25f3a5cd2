"""The fixtures of the stages: an verb of the ledger is tried in the same house."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.databases import BOTH

_path = Path(__file__).parents[1] / "stages" / "conftest.py"
_spec = importlib.util.spec_from_file_location("house_for_ledger", _path)
assert _spec is not None
assert _spec.loader is not None
_stages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_stages)

house = _stages.house
context = _stages.context


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> str:
    """Every verb and every rule is tried in both databases."""
    return str(request.param)
