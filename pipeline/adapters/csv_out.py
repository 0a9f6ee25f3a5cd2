"""Tables as CSV: for our own machines with every text quoted, for the gateway with quotes where they are needed."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from pipeline.core.kernels import strings

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


def plain_lines(columns: Sequence[pa.Array], line_end: str) -> memoryview:
    """Return the lines of text columns in UTF-8; only texts that hold a quote, a comma or a line break are quoted.

    Most columns of the gateway's are empty in every row: they cost their commas and nothing else.
    """
    pieces: list[pa.Array | pa.Scalar] = [_quoted(columns[0])]
    between = ""
    for column in columns[1:]:
        between += ","
        if strings.sizes(column).any():
            pieces += [_text(between), _quoted(column)]
            between = ""
    lines = pc.binary_join_element_wise(*pieces, _text(between + line_end), _text(""))
    data, borders = strings.buffers(lines)
    return data[borders[0] : borders[-1]].data


def _quoted(column: pa.Array) -> pa.Array:
    """Return a column with those texts quoted that need it."""
    needed = pc.match_substring_regex(column, '[",\r\n]')
    quote = _text('"')
    whole = pc.binary_join_element_wise(quote, pc.replace_substring(column, '"', '""'), quote, _text(""))
    return pc.if_else(needed, whole, column)


def _text(value: str) -> pa.Scalar:
    return pa.scalar(value, pa.large_string())
