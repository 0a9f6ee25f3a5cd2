"""Columns as numpy sees them, and rows that are alike: compared with plain Python."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.kernels import matching, strings

if TYPE_CHECKING:
    from collections.abc import Sequence


def cut(values: Sequence[Any], kind: pa.DataType, chance: random.Random) -> pa.ChunkedArray:
    """Cut a column anywhere, each piece with something before it in its buffers."""
    at = chance.randint(0, len(values))
    parts = [pa.array([values[0], *part], kind).slice(1) for part in (values[:at], values[at:])] if values else []
    return pa.chunked_array(parts, kind)


@pytest.mark.parametrize("seed", range(30))
def test_columns_are_read_as_arrow_reads_them(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - cases must come back by their seed
    count = chance.randint(0, 40)
    numbers = [chance.choice([None, 0, -5, 7]) for _ in range(count)]
    assert strings.numbers(cut(numbers, pa.int32(), chance), -1).tolist() == [-1 if n is None else n for n in numbers]
    flags = [chance.random() < 0.5 for _ in range(count)]
    assert strings.mask(cut(flags, pa.bool_(), chance)).tolist() == flags
    begin = datetime(2026, 11, 30, tzinfo=UTC)
    moments = [chance.choice([None, begin + timedelta(microseconds=n)]) for n in range(count)]
    times = matching.times(cut(moments, pa.timestamp("us", "UTC"), chance))
    assert [matching.moment(each) for each in times.tolist()] == moments
    assert times.tolist() == [matching.NEVER if each is None else matching.microseconds(each) for each in moments]
    words = [chance.choice(["い", "あ", ""]) for _ in range(count)]
    for kind in (pa.string(), pa.dictionary(pa.int32(), pa.string())):
        codes, known = matching.words(cut(words, kind, chance))
        assert [known[code] for code in codes.tolist()] == words
        assert known == sorted(set(known))
    places = np.array([n for n in range(count) if chance.random() < 0.5], np.int32)
    assert pa.array(words).take(strings.indices(places)).to_pylist() == [words[n] for n in places.tolist()]


@pytest.mark.parametrize("sizes", [(2, 3), (5, 1, 4), (3000, 3000), (100, 100, 100, 100, 100), ()])
@pytest.mark.parametrize("count", [0, 1, 500])
def test_rows_that_are_alike_are_one_cell(sizes: tuple[int, ...], count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "_BLOCK", 64)
    chance = np.random.default_rng(count)
    columns = [chance.integers(0, size, count) // 2 for size in sizes]
    divided = matching.Division(count, [(column, size) for column, size in zip(columns, sizes, strict=True)])
    rows = list(zip(*(column.tolist() for column in columns), strict=True)) if sizes else [()] * count
    cells = list(divided.rows())
    assert {cell[:-1]: cell[-1] for cell in cells if cell[-1]} == Counter(rows)
    assert [cells[place][:-1] for place in divided.of_row.tolist()] == rows


@pytest.mark.parametrize("seed", range(20))
def test_the_first_and_the_last_row_of_each(seed: int) -> None:
    chance = np.random.default_rng(seed)
    count = seed * 3
    at, major, minor = (chance.integers(0, 4, count) for _ in range(3))
    groups: dict[int, list[tuple[int, int, int]]] = {}
    for place, (of, one, two) in enumerate(zip(at.tolist(), major.tolist(), minor.tolist(), strict=True)):
        groups.setdefault(of, []).append((one, two, place))
    first = {
        int(at[place]): (int(major[place]), int(minor[place])) for place in matching.first_of_each(at, major, minor)
    }
    last = {int(at[place]): (int(major[place]), int(minor[place])) for place in matching.last_of_each(at, major, minor)}
    assert first == {of: min(rows)[:2] for of, rows in groups.items()}
    assert last == {of: max(rows)[:2] for of, rows in groups.items()}
