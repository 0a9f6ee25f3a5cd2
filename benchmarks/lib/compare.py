"""Compare what was made of a list; every difference is printed, and the exit status says whether there is one.

    python benchmarks/lib/compare.py LIST OURS          ours with what the list was made to give
    python benchmarks/lib/compare.py LIST OURS PEER     a peer's with ours: numbers, texts, lengths, rejected rows

The order of a peer's rows does not matter.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

_COMPARED = ("row_number", "msisdn", "text", "characters", "bytes")
_SHOWN = 3


def read(file: Path, columns: tuple[str, ...]) -> pa.Table:
    """Read columns as texts, in the order of row numbers."""
    table = csv.read_csv(
        file,
        read_options=csv.ReadOptions(block_size=16 << 20),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            include_columns=list(columns),
            column_types=dict.fromkeys(columns, pa.large_string()),
            strings_can_be_null=False,
        ),
    )
    number = table[columns[0]].cast(pa.int64())
    table = table.set_column(0, columns[0], number)
    in_order = pc.all(pc.less(number.slice(0, max(len(number) - 1, 0)), number.slice(1))).as_py()
    return table if in_order or len(number) < 2 else table.sort_by(columns[0])  # noqa: PLR2004 - nothing to sort


def rejected(folder: Path, name: str) -> npt.NDArray[np.int64]:
    """Return the numbers of the rejected rows, sorted."""
    return np.sort(read(folder / "rejected.csv", (name,))[name].to_numpy())


def against_list(source: Path, ours: Path) -> list[str]:
    """Compare our output with what the list was made to give."""
    expected = json.loads(source.with_name(source.name + ".json").read_text(encoding="utf-8"))
    table = read(ours / "rejected.csv", ("mediasms_row", "mediasms_code"))
    codes = Counter(code for cell in table["mediasms_code"].to_pylist() for code in cell.split("|"))
    numbers = read(ours / "accepted.csv", ("row_number", "msisdn"))
    found = [
        f"{name}: {value}, expected {wanted}"
        for name, value, wanted in (
            ("accepted", len(numbers), expected["accepted"]),
            ("codes", dict(sorted(codes.items())), expected["codes"]),
            ("sum of numbers", pc.sum(numbers["msisdn"].cast(pa.int64())).as_py() or 0, expected["number_sum"]),
        )
        if value != wanted
    ]
    wanted = np.load(source.with_name(source.name + ".rejected.npy"))
    return found + _sets(rejected(ours, "mediasms_row"), wanted, "the list")


def against_ours(ours: Path, peer: Path) -> list[str]:
    """Compare a peer's output with ours."""
    found = _sets(rejected(peer, "row_number"), rejected(ours, "mediasms_row"), "ours")
    if found:
        return found
    mine, other = read(ours / "accepted.csv", _COMPARED), read(peer / "accepted.csv", _COMPARED)
    if len(mine) != len(other):
        return [f"{len(other)} accepted rows, ours has {len(mine)}"]
    for name in _COMPARED:
        same = pc.equal(mine[name], other[name])
        if not pc.all(same).as_py():
            at = pc.indices_nonzero(pc.invert(same))
            rows = mine["row_number"].take(at.slice(0, _SHOWN)).to_pylist()
            found.append(f"{name} differs in {len(at)} rows: {rows}")
    return found


def _sets(found: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64], other: str) -> list[str]:
    lines = []
    for words, rows in (
        (f"rejected, but not in {other}", np.setdiff1d(found, wanted)),
        (f"not rejected, but in {other}", np.setdiff1d(wanted, found)),
    ):
        if len(rows):
            lines.append(f"{len(rows)} rows {words}: {rows[:_SHOWN].tolist()}")
    return lines


def main(source: str, ours: str, peer: str | None = None) -> int:
    """Print every difference and return how many there are."""
    found = against_ours(Path(ours), Path(peer)) if peer else against_list(Path(source), Path(ours))
    for line in found:
        print(line)
    return len(found)


if __name__ == "__main__":
    sys.exit(min(main(*sys.argv[1:]), 1))
