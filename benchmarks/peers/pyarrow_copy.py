"""The floor: read a list with pyarrow in a stream and write the same columns again; no rule at all.

python benchmarks/peers/pyarrow_copy.py FILE FOLDER ENCODING
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

_BLOCK = 16 << 20


def main(source: str, folder: str, encoding: str) -> None:
    """Copy ``source`` as text into ``folder``."""
    with Path(source).open(encoding=encoding) as file:
        names = file.readline().rstrip("\n").split(",")
    reader = csv.open_csv(
        source,
        read_options=csv.ReadOptions(block_size=_BLOCK, encoding=encoding),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, quoted_strings_can_be_null=False
        ),
    )
    with csv.CSVWriter(Path(folder) / "copy.csv", reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


if __name__ == "__main__":
    main(*sys.argv[1:])
