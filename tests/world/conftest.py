from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Demo:
    """What a run of the demo left."""

    document: dict[str, Any]
    workbook: Path
    page: Path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    shutil.copytree(ROOT / "sample_data", folder / "sample_data")
    ended = subprocess.run(
        [sys.executable, "-m", "pipeline", "demo", "--json", "--lang", "ja"],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("MEDIASMS_")},
        capture_output=True,
        timeout=90,
        check=True,
    )
    (batch,) = (folder / "mediasms-demo/workspace/batches").iterdir()
    (workbook,) = batch.glob("report-*.xlsx")
    (page,) = batch.glob("report-*.html")
    return Demo(json.loads(ended.stdout), workbook, page)


@pytest.fixture(scope="session")
def tool() -> Any:  # noqa: ANN401 - a callable
    """Find a program; a missing one fails the test."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.fail(f"{name} is not installed")
        return path

    return find
