"""The repertoire against glibc, who has its own tables."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from pipeline.core.text import repertoire

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.world
#: what Windows and JIS write differently at the same place
_SINGLE = {0x5C: "¥", 0x7E: "‾"}


@pytest.fixture
def convert(tool: Callable[[str], str]) -> Callable[..., bytes]:
    program = tool("iconv")
    said = subprocess.run([program, "--version"], capture_output=True, check=True).stdout.decode()
    assert "GLIBC" in said or "GNU libc" in said

    def run(data: bytes, source: str, target: str, *, lenient: bool = False) -> bytes:
        flags = ["-c"] if lenient else []
        ended = subprocess.run(
            [program, *flags, "-f", source, "-t", target], input=data, capture_output=True, check=not lenient
        )
        return ended.stdout

    return run


def _sendable() -> list[str]:
    return sorted(repertoire() - {"\n"})


def test_cp932_of_glibc_writes_what_we_count(convert: Callable[..., bytes]) -> None:
    characters = _sendable()
    lines = convert("\n".join(characters).encode(), "UTF-8", "CP932").split(b"\n")
    assert lines == [character.encode("cp932") for character in characters]
    assert convert(b"\n".join(lines), "CP932", "UTF-8").decode().split("\n") == characters


def test_shift_jis_of_glibc_knows_exactly_our_double_bytes(convert: Callable[..., bytes]) -> None:
    leads = [*range(0x81, 0xA0), *range(0xE0, 0xFD)]
    trails = [*range(0x40, 0x7F), *range(0x80, 0xFD)]
    codes = [bytes((lead, trail)) for lead in leads for trail in trails]
    there = convert(b"\n".join(codes), "SHIFT_JIS", "UTF-8", lenient=True).decode().split("\n")
    assert len(there) == len(codes)
    back = convert("\n".join(there).encode(), "UTF-8", "SHIFT_JIS").split(b"\n")
    known = {code for code, again in zip(codes, back, strict=True) if code == again}
    ours = {data for character in _sendable() if len(data := character.encode("cp932")) == 2}
    assert ours == known
    assert len(known) == 6879  # JIS X 0208


def test_shift_jis_of_glibc_knows_our_single_bytes(convert: Callable[..., bytes]) -> None:
    singles = [data for character in _sendable() if len(data := character.encode("cp932")) == 1]
    lines = convert(b"\n".join(singles), "SHIFT_JIS", "UTF-8").decode().split("\n")
    expected = [_SINGLE.get(data[0], data.decode("cp932")) for data in singles]
    assert lines == expected
    assert len(lines) == 95 + 63
