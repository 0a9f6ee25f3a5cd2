"""Looking up texts among texts: as a dictionary would, whatever their lengths and however the columns are cut."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.kernels import joining

if TYPE_CHECKING:
    from collections.abc import Sequence

#: lengths: all alike, a word exactly, around words, too short for one, too long for a byte
LENGTHS: Final = {
    "alike": (20, 20),
    "a word": (8, 8),
    "around words": (8, 33),
    "short": (0, 12),
    "long": (200, 300),
}


def column(texts: Sequence[str], chance: random.Random) -> pa.ChunkedArray:
    """Cut a column anywhere, each piece with something before it in its buffers."""
    cuts = sorted(chance.sample(range(len(texts) + 1), min(3, len(texts))))
    parts = [texts[start:end] for start, end in zip([0, *cuts], [*cuts, len(texts)], strict=True)]
    arrays = [pa.array(["behind", *part], pa.large_string()).slice(1) for part in parts]
    return pa.chunked_array(arrays, pa.large_string())


def text(chance: random.Random, length: int) -> str:
    """Texts that share their beginnings and ends, and end in the middle of a word."""
    return "".join(chance.choices("ab", k=length))


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("seed", range(20))
def test_texts_are_found_as_a_dictionary_finds_them(
    seed: int, lengths: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "_BLOCK", 7)
    chance = random.Random(seed)  # noqa: S311 - cases must come back by their seed
    among = list({text(chance, chance.randint(*lengths)) for _ in range(chance.randint(0, 80))})
    others = [text(chance, chance.randint(0, lengths[1] + 9)) for _ in range(40)]
    near = [known[:-1] + "c" for known in among if known] + ["c" + known[1:] for known in among if known]
    wanted = [*chance.choices([*among, *others, *near, ""], k=150)]
    places = {known: place for place, known in enumerate(among)}
    found = joining.positions(column(wanted, chance), column(among, chance))
    assert found.tolist() == [places.get(each, -1) for each in wanted]
    if among:
        where = np.where(found < 0, np.arange(len(found)) % len(among), found)
        where[::9] = -1
        different = joining.differing(column(wanted, chance), column(among, chance), where)
        assert different.tolist() == [
            place
            for place, (one, other) in enumerate(zip(wanted, where.tolist(), strict=True))
            if other >= 0 and among[other] != one
        ]


def test_hashes_that_meet_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """When every text has the same hash, there is no table for most of them, and the slow way finds all."""
    monkeypatch.setattr(joining, "_hashed", lambda words: np.zeros(len(words[0]), np.uint64))
    chance = random.Random(0)  # noqa: S311 - as above
    for count in (1, joining._ROUNDS, joining._ROUNDS + 1, 60):
        texts = [f"text{number:06d}" for number in range(count)]
        found = joining.positions(column([*texts, "text9999990"], chance), column(texts, chance))
        assert found.tolist() == [*range(count), -1]
