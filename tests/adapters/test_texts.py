"""One text for a whole list: read by evidence, or refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.adapters.texts import LIMIT, read_message_text
from pipeline.errors import Exit, UsageError
from pipeline.messages import Language

TEXT = "{氏名}様、ご予約は明日です～。"


def read(folder: Path, data: bytes) -> str:
    path = folder / "text.txt"
    path.write_bytes(data)
    return read_message_text(path, [folder / "list.csv"])


def refused(folder: Path, data: bytes) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(folder, data)
    error = caught.value
    assert error.exit is Exit.USAGE
    for language in Language:
        assert "text.txt" in error.what(language)
        assert error.hint(language)
    return error


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_a_text_is_read_in_the_encodings_that_notepad_writes(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, TEXT.encode(encoding)) == TEXT
    assert read(tmp_path, b"hello") == "hello"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_one_line_break_at_the_end_is_the_files(tmp_path: Path, line_break: str) -> None:
    for given, expected in (
        ("a", "a"),
        ("a~", "a"),
        ("a~~", "a\n"),
        ("a~b~", "a\nb"),
        ("~a", "\na"),
        ("a \u3000~", "a \u3000"),
    ):
        assert read(tmp_path, given.replace("~", line_break).encode()) == expected


def test_what_no_encoding_reads_is_named_by_its_place(tmp_path: Path) -> None:
    error = refused(tmp_path, "あい".encode("cp932") + b"\x81\x7f")
    assert (error.code, error.facts["offset"], error.facts["bytes"]) == ("text_file.encoding", 4, "81 7f")
    odd = refused(tmp_path, b"\xff\xfe\x42\x30\x42")
    assert (odd.code, odd.facts["offset"]) == ("text_file.encoding", 4)


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        ("予約".encode() + "明日".encode("cp932"), 6),
        ("明日".encode("cp932") + "ご予約は明日です".encode(), 4),
        (b"\xef\xbb\xbf" + "明日".encode("cp932"), 3),
    ],
)
def test_a_mixture_is_never_read_as_cp932(tmp_path: Path, data: bytes, offset: int) -> None:
    error = refused(tmp_path, data)
    assert (error.code, error.facts["offset"]) == ("text_file.encoding", offset)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04...", "text_file.workbook"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "text_file.workbook"),
        (b"hello\0there", "text_file.binary"),
        ("明日 10:00".encode("utf-16-le"), "text_file.binary"),
        (b"x" * (LIMIT + 1), "text_file.too_large"),
        (b"", "text_file.empty"),
        ("\r\n \u3000\n".encode(), "text_file.empty"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, code: str) -> None:
    assert refused(tmp_path, data).code == code


def test_the_largest_text_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, b"x" * LIMIT) == "x" * LIMIT


def test_the_list_itself_is_no_text_whatever_it_is_called(tmp_path: Path) -> None:
    list_ = tmp_path / "list.csv"
    list_.write_text("tel,text\n09011112222,x\n" * 10_000)
    (tmp_path / "hard").hardlink_to(list_)
    (tmp_path / "soft").symlink_to(list_)
    for name in ("list.csv", "hard", "soft"):
        with pytest.raises(UsageError) as caught:
            read_message_text(tmp_path / name, [tmp_path / "absent.csv", list_])
        assert caught.value.code == "text_file.is_input"


def test_what_cannot_be_read_is_said_in_words(tmp_path: Path) -> None:
    for name, code in (("absent.txt", "text_file.missing"), (".", "text_file.unreadable")):
        with pytest.raises(UsageError) as caught:
            read_message_text(tmp_path / name, [])
        assert caught.value.code == code
        assert "Errno" not in str(caught.value)


def test_a_pipe_is_read() -> None:
    reading, writing = os.pipe()
    os.write(writing, TEXT.encode() + b"\n")
    os.close(writing)
    try:
        assert read_message_text(Path(f"/dev/fd/{reading}"), []) == TEXT
    finally:
        os.close(reading)
