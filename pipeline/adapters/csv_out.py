"""Tables as CSV for machines: UTF-8, every text quoted, CRLF."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv as pacsv

# More rows at once than the default 1,024: a call per column and batch adds up.
_OPTIONS = pacsv.WriteOptions(include_header=False, eol="\r\n", batch_size=8192)


def csv_lines(table: pa.Table) -> memoryview:
    """Return the lines of a table, without a header."""
    sink = pa.BufferOutputStream()
    pacsv.write_csv(table, sink, _OPTIONS)
    return memoryview(sink.getvalue())
