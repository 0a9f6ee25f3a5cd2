"""Tables that we wrote as CSV for machines, read again: by columns, chunk by chunk."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

_BLOCK = 8 << 20


def read_chunks(path: Path, rows: int, types: Mapping[str, pa.DataType]) -> Iterator[pa.Table]:
    """Yield a CSV with a header in tables of ``rows`` rows, the last one of fewer; none when there are no rows.

    Columns without a type in ``types`` are texts as they stand, empty ones too.
    """
    with path.open(encoding="utf-8", newline="") as file:
        names = next(csv.reader(file))
    convert = pacsv.ConvertOptions(column_types={name: types.get(name, pa.large_string()) for name in names})
    options = pacsv.ReadOptions(block_size=_BLOCK)
    waiting: list[pa.RecordBatch] = []
    count = 0
    with pacsv.open_csv(path, options, pacsv.ParseOptions(newlines_in_values=True), convert) as reader:
        for block in reader:
            rest = block
            while count + rest.num_rows >= rows:
                yield _table([*waiting, rest.slice(0, rows - count)])
                rest = rest.slice(rows - count)
                waiting, count = [], 0
            waiting.append(rest)
            count += rest.num_rows
    if count:
        yield _table(waiting)


def _table(blocks: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(blocks).combine_chunks()
