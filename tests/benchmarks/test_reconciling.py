"""What ``benchmarks/reconcile.py`` measures is the product as it is, from files and from a ledger alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.running import LIB, run

if TYPE_CHECKING:
    from pathlib import Path

_MEASURED = """
import sys
sys.path.insert(0, sys.argv[1])
import reconciling
reconciling.main(*sys.argv[2:])
sys.exit("pandas" if "pandas" in sys.modules else 0)
"""


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evidence")
    run(LIB / "evidence.py", "--messages", "3000", folder)
    return folder


def test_a_ledger_that_is_filled_for_measuring_reconciles_as_the_files_do(evidence: Path, tmp_path: Path) -> None:
    ledger, from_files, from_ledger = (tmp_path / name for name in ("ledger.sqlite3", "files.csv", "ledger.csv"))
    run(LIB / "filling.py", evidence, ledger)
    run(LIB / "reconciling.py", evidence, from_files)
    run(LIB / "reconciling.py", evidence, from_ledger, ledger)
    assert len(from_files.read_bytes()) > 1_000
    assert from_ledger.read_bytes() == from_files.read_bytes()


def test_reconciling_loads_no_pandas(evidence: Path, tmp_path: Path) -> None:
    # It would take longer than reconciling several hundred thousand messages. A plain value beside a column is enough:
    # Arrow asks pandas what it is.
    run("-c", _MEASURED, LIB, evidence, tmp_path / "files.csv")
