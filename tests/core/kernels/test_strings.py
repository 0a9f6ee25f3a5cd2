"""Columns as bytes and offsets: slices, empty columns and columns of nothing come out as they went in."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.kernels import strings


def column_of(values: list[str], start: int = 0, stop: int | None = None) -> pa.Array:
    """Return a slice of a column, as the chunk of a reader may be."""
    return pa.array(values, pa.large_string())[start:stop]


@given(values=st.lists(st.text(max_size=4), max_size=8), start=st.integers(0, 3), stop=st.integers(0, 8))
def test_buffers_are_the_bytes_of_the_values(values: list[str], start: int, stop: int) -> None:
    column = column_of(values, start, max(start, stop))
    for form in (column, strings.compact(column)):
        data, borders = strings.buffers(form)
        octets = data.tobytes()
        pieces = [octets[low:high].decode() for low, high in pairwise(borders.tolist())]
        assert pieces == column.to_pylist() == form.to_pylist()
    compact = strings.compact(column)
    assert compact.offset == 0
    assert strings.buffers(compact)[1][0] == 0
    assert len(strings.buffers(compact)[0]) == len("".join(column.to_pylist()).encode())


def test_a_column_made_of_buffers_is_valid() -> None:
    made = strings.from_buffers(np.frombuffer("あb".encode(), np.uint8), np.array([0, 3, 3, 4]))
    made.validate(full=True)
    assert (made.type, made.to_pylist()) == (pa.large_string(), ["あ", "", "b"])


@given(
    values=st.lists(st.text(max_size=2), min_size=1, max_size=8),
    chosen=st.sets(st.integers(0, 7)),
    start=st.integers(0, 2),
)
def test_values_are_taken_and_put_by_position(values: list[str], chosen: set[int], start: int) -> None:
    column = column_of(values, start)
    where = np.array(sorted(at for at in chosen if at < len(column)), np.int64)
    given_ = column.to_pylist()
    assert strings.at(column, where).to_pylist() == [given_[at] for at in where]
    new = [f"new {at}" for at in where]
    expected = [f"new {at}" if at in chosen else value for at, value in enumerate(given_)]
    assert strings.put(column, where, strings.texts(new)).to_pylist() == expected


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_constant_column(count: int) -> None:
    made = strings.constant("あ", count)
    assert (made.type, made.to_pylist()) == (pa.large_string(), ["あ"] * count)


def test_places_among_bytes_belong_to_rows() -> None:
    borders = np.array([0, 2, 2, 5])
    assert strings.rows_of(np.array([0, 1, 2, 4]), borders).tolist() == [0, 0, 2, 2]


def test_a_chunked_mask_is_one_array() -> None:
    assert strings.mask(pa.chunked_array([[True], [False, True]])).tolist() == [True, False, True]
