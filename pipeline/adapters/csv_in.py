"""Tables that we wrote as CSV for machines, read again: by columns, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from pipeline.adapters.tabular import open_text
from pipeline.core.kernels import strings

_BLOCK = 8 << 20


def read_chunks(path: Path, rows: int, types: Mapping[str, pa.DataType]) -> Iterator[pa.Table]:
    """Yield a CSV with a header in tables of ``rows`` rows, the last one of fewer; none when there are no rows.

    Columns without a type in ``types`` are texts as they stand, empty ones too.
    """
    # By the reader of inputs: Arrow's own cutting loses a line feed where a block ends within a CR LF of a cell.
    found = open_text(path, block=_BLOCK)
    names = found.first_record
    waiting: list[pa.RecordBatch] = []
    count = 0
    for frame in found.chunks(names, header=True):
        columns = [strings.of(frame[name]).cast(types.get(name, pa.large_string())) for name in names]
        rest = pa.RecordBatch.from_arrays(columns, names=list(names))
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
