"""Every Unicode code point in a text, in a value behind a tag, in an info cell and in a number."""

from __future__ import annotations

import unicodedata
from typing import Final

import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.kernels import expansion, msisdns, texts
from pipeline.core.msisdn import Reading, read_msisdn
from tests.core.comparing import ACCOUNT, COLUMNS, NAME, ROLES, comparable, examined, verdicts
from tests.core.reference import BETWEEN, DOTS, FULL_WIDTH, NARROW, REPERTOIRE, judge, read_number

#: Unicode scalar values: what can stand in a file
SCALARS: Final = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
COLUMN: Final = pa.array(SCALARS, pa.large_string())
SENDABLE: Final = np.array([character in REPERTOIRE for character in SCALARS])
BRACES: Final = np.array([character in "{}｛" for character in SCALARS])


def number_with(character: str) -> str:
    return f"0901111{character}2222"


def test_in_a_text_and_in_an_info_cell() -> None:
    assert len(SCALARS) == 1_112_064
    assert np.array_equal(texts.has_forbidden(COLUMN), ~SENDABLE)
    assert np.array_equal(texts.needs_a_look(COLUMN), ~SENDABLE | BRACES)
    lengths = texts.measure(COLUMN, line_break=2, even=texts.is_even(COLUMN))
    wide = np.array([character not in NARROW for character in SCALARS])
    breaks = np.array([character == "\n" for character in SCALARS])
    assert np.array_equal(lengths.characters[SENDABLE], (1 + breaks)[SENDABLE])
    assert np.array_equal(lengths.size[SENDABLE], (1 + wide + breaks)[SENDABLE])


@pytest.mark.unmeasured
def test_in_a_value_behind_a_tag() -> None:
    templates = pa.array(["あ{v}{info1}b"] * len(SCALARS), pa.large_string())
    done = expansion.expand(templates, {"v": COLUMN}, {"info1": COLUMN}, 19)
    assert not done.odd.any()
    assert done.sent.equals(pa.array([f"あ{character}{{info1}}b" for character in SCALARS], pa.large_string()))
    assert done.shown.equals(pa.array([f"あ{character}{character}b" for character in SCALARS], pa.large_string()))
    assert np.array_equal(texts.needs_a_look(done.shown), ~SENDABLE | BRACES)


@pytest.mark.unmeasured
@pytest.mark.parametrize("overseas", [False, True], ids=["japan", "overseas"])
def test_in_a_number_by_the_kernel(*, overseas: bool) -> None:
    """What the kernel reads is exactly what separates; dots, digits and all others it leaves alone."""
    cells = pa.array([number_with(character) for character in SCALARS], pa.large_string())
    found = msisdns.read_column(cells, overseas=overseas)
    separates = np.array([character in BETWEEN - DOTS for character in SCALARS])
    unread = np.ones(len(SCALARS), dtype=bool)
    unread[found.unread] = False
    assert np.array_equal(unread, separates)
    assert set(found.values.filter(pa.array(separates)).to_pylist()) == {"09011112222"}
    assert {rule: places.tolist() for rule, places in found.repairs.items()} == {
        "phone.separators": np.flatnonzero(separates).tolist()
    }


def read_alone(character: str) -> tuple[str, tuple[str, ...]] | str:
    reading = read_msisdn(number_with(character), overseas=False)
    return (reading.msisdn, reading.repairs) if isinstance(reading, Reading) else reading.code


#: what may look like a digit, a dash or a space to somebody
LIKELY: Final = [
    character
    for character in SCALARS
    if character < "\u3400" or "\uf900" <= character < "\U00010000" or unicodedata.category(character)[0] in "NPZ"
]


@pytest.mark.unmeasured
def test_in_a_number_read_alone() -> None:
    wrong = [ascii(one) for one in LIKELY if read_alone(one) != read_number(number_with(one), overseas=False)]
    assert wrong == []
    read = {one for one in LIKELY if not isinstance(read_alone(one), str)}
    assert read == set(BETWEEN)
    digits = {one for one in LIKELY if read_alone(one) == "phone.too_long"}
    assert digits == {*"0123456789", *FULL_WIDTH} - {"＋"}


def everywhere(character: str) -> dict[str, str]:
    """Return a row that has the character in its text, a value, an info cell and its number."""
    cells = {"電話番号": number_with(character), "本文": f"a{character}b{{{NAME}}}{{info1}}", NAME: f"c{character}"}
    return dict.fromkeys(COLUMNS, "") | cells | {"info1": f"{character}d"}


def different(characters: list[str]) -> list[str]:
    rows = [everywhere(character) for character in characters]
    found = []
    for character, row, got in zip(characters, rows, verdicts(examined(rows)), strict=True):
        want = comparable(judge(ACCOUNT, ROLES, row))
        if got != want:
            found.append(f"{character!a}: {got!a}, not {want!a}")
    return found


@pytest.mark.unmeasured
def test_in_a_whole_row() -> None:
    """Each character that can be sent or repaired, and of the others some of every block."""
    special = [*sorted(REPERTOIRE)[::3], *(chr(code) for code in range(0x3100)), *SCALARS[0x3100::701]]
    assert different(special) == []


@pytest.mark.scale
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("start", range(0, len(SCALARS), 50_000))
def test_every_one_in_a_whole_row(start: int) -> None:
    characters = SCALARS[start : start + 50_000]
    assert different(characters) == []
    expected = [read_number(number_with(one), overseas=False) for one in characters]
    assert [read_alone(one) for one in characters] == expected
