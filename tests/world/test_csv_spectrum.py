"""The corpus that readers of CSV in many languages are tested with, as its publisher packs it."""

from __future__ import annotations

import json
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from pipeline.adapters.inputs import open_input
from schemas.recipients import INPUT_ROW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.world
_CASES = {
    "comma_in_quotes",
    "empty",
    "empty_crlf",
    "escaped_quotes",
    "json",
    "location_coordinates",
    "newlines",
    "newlines_crlf",
    "quotes_and_newlines",
    "simple",
    "simple_crlf",
    "utf8",
}


def test_every_case_reads_as_its_json_says(tool: Callable[[str], str], tmp_path: Path) -> None:
    subprocess.run(
        [tool("npm"), "pack", "csv-spectrum@2.0.0"], cwd=tmp_path, capture_output=True, timeout=200, check=True
    )
    (archive,) = tmp_path.glob("*.tgz")
    with tarfile.open(archive) as package:
        package.extractall(tmp_path, filter="data")
    cases = {path.stem: path for path in (tmp_path / "package/csvs").glob("*.csv")}
    assert set(cases) == _CASES
    for case, path in cases.items():
        expected = json.loads((tmp_path / f"package/json/{case}.json").read_text("utf-8"))
        if case == "location_coordinates":
            # Its JSON is one object, not a list, and names another telephone number than its CSV.
            assert expected["Contact Phone Number"] == "1234567890"
            expected = [expected | {"Contact Phone Number": "2095257564"}]
        table = open_input(path)
        chunks = list(table.chunks(table.first_record, header=True))
        found = [dict(row) for chunk in chunks for row in chunk.drop(columns=INPUT_ROW).to_dict("records")]
        assert found == expected, case
