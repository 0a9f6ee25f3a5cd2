"""Inputs that the fuzzer of the reader (tests/fuzz) or its relatives found, each with what must come of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.adapters.inputs import open_input
from pipeline.errors import InputUnusable


def outcome(folder: Path, data: bytes) -> str | list[list[str]]:
    path = folder / "list.csv"
    path.write_bytes(data)
    try:
        table = open_input(path)
        columns = [f"c{number}" for number in range(len(table.first_record))]
        return [row for chunk in table.chunks(columns, header=False) for row in chunk[columns].to_numpy().tolist()]
    except InputUnusable as error:
        return error.code


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf\xaf",
        b"\xef\xbb\xbf\xfd|\\",
        # a truncated download
        b"\xef\xbb\xbfmobile,text\r\n09011112222,caf\xc3",
        # another program appended its rows
        b"\xef\xbb\xbfmobile,text\r\n09011112222,\x83\x5c\x95\x5c\r\n",
    ],
)
def test_a_byte_order_mark_says_utf_8_and_nothing_else(tmp_path: Path, data: bytes) -> None:
    assert outcome(tmp_path, data) == "input.encoding"


@pytest.mark.timeout(3)
def test_comments_of_a_web_page_take_no_time(tmp_path: Path) -> None:
    assert outcome(tmp_path, b"<!-- -->" * 30 + b"<p>") == [["<!-- -->" * 30 + "<p>"]]
