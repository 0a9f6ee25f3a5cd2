"""What decides: columns against one row after the other, whatever the width of their times."""

from __future__ import annotations

import random
from typing import Final

import numpy as np
import pytest

from pipeline.core.kernels.matching import NEVER, best

FALLING: Final = np.array([False, True])


def deciding(rows: list[tuple[int, int]], rank: list[int]) -> tuple[int, int, int]:
    """Return rank, time and code of the deciding one of (time, code)."""
    known = [(rank[code], time, code) for time, code in rows if rank[code] >= 0]
    highest = max((each[0] for each in known), default=-1)
    of_it = [(time, code) for own, time, code in known if own == highest]
    if not of_it:
        return -1, NEVER, -1
    if not FALLING[highest]:
        return (highest, *max(of_it))
    return (highest, *min(of_it, key=lambda each: (each[0] == NEVER, *each)))


@pytest.mark.parametrize("last", [0, 1, 2, 3, 1 << 40, 1 << 59, 1 << 61])
@pytest.mark.parametrize("seed", range(20))
def test_columns_decide_as_one_row_after_the_other(last: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - rows must come back by their seed
    rank = [chance.choice([-1, 0, 1]) for _ in range(chance.randint(1, 5))]
    moments = [NEVER, 0, last // 2, last] if seed % 4 else [0, last // 2, last]
    rows = [
        (chance.randrange(-1, 6), chance.choice(moments), chance.randrange(len(rank)))
        for _ in range(chance.randint(0, 40))
    ]
    at, when, code = (np.array([row[column] for row in rows], np.int64) for column in range(3))
    found = best(6, at, when=when, code=code, rank=np.array(rank), falling=FALLING)
    for number in range(6):
        own = [(time, kind) for of, time, kind in rows if of == number]
        assert (found.rank[number], found.time[number], found.code[number]) == deciding(own, rank)
