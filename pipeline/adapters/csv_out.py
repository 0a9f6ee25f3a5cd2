"""Tables as CSV for machines: UTF-8, every text quoted, CRLF."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv as pacsv

# More rows at once than the default 1,024: a call per column and batch adds up.
_OPTIONS = pacsv.WriteOptions(include_header=False, eol="\r\n", batch_size=8192)
#: bytes of a number and its delimiter, at most; of the quotes and the delimiter of a text
_CELL = 24


class CsvLines:
    """The lines of tables, one after the other in the same memory: touching new memory costs more than writing it."""

    def __init__(self) -> None:
        """Begin without memory."""
        self._memory = bytearray()

    def of(self, table: pa.Table) -> memoryview:
        """Return the lines of a table, without a header; they last until the next ones are asked for."""
        # Every byte of a text may be a quote, which is written twice.
        most = 2 * table.nbytes + _CELL * table.num_rows * table.num_columns
        if most > len(self._memory):
            self._memory = bytearray(most)
        sink = pa.FixedSizeBufferWriter(pa.py_buffer(self._memory))
        pacsv.write_csv(table, sink, _OPTIONS)
        return memoryview(self._memory)[: sink.tell()]
