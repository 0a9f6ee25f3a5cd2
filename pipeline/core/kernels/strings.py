"""Columns of text as numpy sees them: bytes and offsets, without a copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]
Mask = NDArray[np.bool_]
Positions = NDArray[np.int64]


def of(series: pd.Series) -> pa.Array:
    """Return a column of a table as one Arrow array, without a copy where it is one."""
    column = pa.array(series, pa.large_string())
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def buffers(column: pa.Array) -> tuple[Bytes, Offsets]:
    """Return the bytes of a large_string column without nulls, and the offsets of its ``len + 1`` borders in them."""
    _, offsets, data = column.buffers()
    borders = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    return np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8), borders


def sizes(column: pa.Array) -> Offsets:
    """Return how many bytes each value has."""
    return np.diff(buffers(column)[1])


def compact(column: pa.Array) -> pa.Array:
    """Return the column with its bytes to itself, beginning at offset 0."""
    data, borders = buffers(column)
    first, last = int(borders[0]), int(borders[-1])
    return from_buffers(data[first:last], borders - first)


def from_buffers(data: Bytes, borders: Offsets) -> pa.Array:
    """Make a large_string column of bytes that are known to be UTF-8."""
    buffers_ = [None, pa.py_buffer(np.ascontiguousarray(borders)), pa.py_buffer(np.ascontiguousarray(data))]
    return pa.LargeStringArray.from_buffers(len(borders) - 1, *buffers_[1:])


def constant(value: str, count: int) -> pa.Array:
    """Return a column of ``count`` times the same text."""
    return pa.repeat(pa.scalar(value, pa.large_string()), count)


def texts(values: list[str]) -> pa.Array:
    """Make a column of texts."""
    return pa.array(values, pa.large_string())


def mask(array: pa.Array | pa.ChunkedArray) -> Mask:
    """Return a boolean column without nulls as a mask."""
    parts = [_bits(part, part.buffers()[1]) for part in _chunks(array)]
    return parts[0] if len(parts) == 1 else np.concatenate([*parts, np.empty(0, bool)])


def numbers(array: pa.Array | pa.ChunkedArray, missing: int = 0) -> NDArray[Any]:
    """Return a column of numbers or times as numpy has them, ``missing`` where there is none; without a copy if it can.

    Arrow's own way takes pandas into the process, which costs more than the rest.
    """
    kind = array.type.to_pandas_dtype() if not pa.types.is_timestamp(array.type) else np.int64
    parts = []
    for part in _chunks(array):
        validity, data = part.buffers()
        own = (
            np.frombuffer(data, kind)[part.offset : part.offset + len(part)] if data is not None else np.empty(0, kind)
        )
        if part.null_count:
            own = np.where(_bits(part, validity), own, kind(missing))
        parts.append(own)
    return parts[0] if len(parts) == 1 else np.concatenate([*parts, np.empty(0, kind)])


def _chunks(array: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return array.chunks if isinstance(array, pa.ChunkedArray) else [array]


def _bits(part: pa.Array, buffer: pa.Buffer | None) -> Mask:
    if buffer is None:
        return np.ones(len(part), bool)
    bits = np.unpackbits(np.frombuffer(buffer, np.uint8), bitorder="little", count=part.offset + len(part))
    return bits[part.offset :].view(bool)


def indices(positions: NDArray[np.integer]) -> pa.Array:
    """Return positions as Arrow wants them."""
    whole = np.ascontiguousarray(positions, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(whole), [None, pa.py_buffer(whole)])


def at(column: pa.Array, positions: NDArray[np.integer]) -> pa.Array:
    """Return the values at ``positions``."""
    return column.take(indices(positions))


def put(column: pa.Array, positions: Positions, values: pa.Array) -> pa.Array:
    """Return the column with ``values`` in place at ``positions``, which rise."""
    if not len(positions):
        return column
    chosen = np.zeros(len(column), dtype=bool)
    chosen[positions] = True
    return pc.replace_with_mask(column, pa.array(chosen), values)


def rows_of(places: Positions, borders: Offsets) -> Positions:
    """Return for each place among the bytes the row it belongs to."""
    return np.searchsorted(borders, places, side="right") - 1


@dataclass(frozen=True, slots=True)
class Chosen:
    """A column put together from several: value i is value ``source[i]`` of all ``parts`` in a row.

    It is made only where it is asked for: memory that is touched for the first time costs more than the copy.
    """

    parts: tuple[pa.Array, ...]
    source: Positions

    def at(self, positions: Positions) -> pa.Array:
        """Return the values at ``positions``."""
        taken = pa.chunked_array(self.parts).take(pa.array(self.source[positions]))
        return taken.chunk(0) if taken.num_chunks == 1 else taken.combine_chunks()
