"""One entry for whatever is handed in: content decides, and what is no table is refused by its right name."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import xlsxwriter

from pipeline.adapters import inputs
from pipeline.adapters.inputs import Table, open_input, spooled
from pipeline.errors import InputUnusable, TryLater, UsageError
from pipeline.messages import FAILURES, Language
from pipeline.messages.inputs import INPUT_FAILURES

if TYPE_CHECKING:
    from collections.abc import Iterable

CSV: Final = "tel,text\r\n09011112222,こんにちは\r\n"
HTML: Final = "<html><body><table><tr><td>tel</td></tr></table></body></html>"


def refused(path: Path, sheet: str | None = None) -> tuple[str, dict[str, object]]:
    with pytest.raises((InputUnusable, UsageError)) as caught:
        open_input(path, sheet=sheet)
    for language in Language:
        assert caught.value.what(language)
        assert caught.value.hint(language)
    return caught.value.code, caught.value.facts


def workbook(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("名簿")
        for row, line in enumerate(CSV.splitlines()):
            sheet.write_row(row, 0, line.split(","))
    return path


def cells(table: Table) -> list[list[object]]:
    return [row for chunk in table.chunks(table.first_record, header=True) for row in chunk.to_numpy().tolist()]


def test_text_and_workbook_read_alike_whatever_their_names(tmp_path: Path) -> None:
    text = tmp_path / "list.xlsx"
    text.write_text(CSV, "utf-8", newline="")
    book = workbook(tmp_path / "book.xlsx").rename(tmp_path / "list.csv")
    tables = [open_input(text), open_input(book)]
    assert [table.form for table in tables] == [("text", "utf-8", ","), ("workbook", "xlsx", "名簿")]
    assert [table.name for table in tables] == ["list.xlsx", "list.csv"]
    assert [table.records for table in tables] == [2, 2]
    assert [cells(table) for table in tables] == [[[2, "09011112222", "こんにちは"]]] * 2


@pytest.mark.parametrize("before", ["", "\ufeff", "\r\n  \n", "<!-- saved -->\n", "\ufeff<!DOCTYPE html>\n"])
@pytest.mark.parametrize("page", [HTML, HTML.upper(), "<table border=1>", "<meta charset=x><table>", "<!doctype HTML>"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_web_page_is_named_whatever_its_name_says(tmp_path: Path, before: str, page: str, encoding: str) -> None:
    path = tmp_path / "list.xls"
    path.write_text(before + page, encoding)
    assert refused(path) == ("input.html", {"file": "list.xls"})


def test_xml_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "list.xls"
    start = '<?xml version="1.0"?>\n'
    path.write_text(start + '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">')
    assert refused(path)[0] == "input.xml_spreadsheet"
    path.write_text(start + HTML)
    assert refused(path)[0] == "input.html"
    path.write_text(start + "<list/>")
    assert refused(path) == ("input.not_a_table", {"file": "list.xls", "kind": "XML"})


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (gzip.compress(CSV.encode(), mtime=0), "gzip"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"{\\rtf1\\ansi", "RTF"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"PAR1\x15\x04", "Parquet"),
        (json.dumps([{"tel": "1"}]).encode(), "JSON"),
        (json.dumps({"tel": "1"}, indent=2).encode(), "JSON"),
        (json.dumps([["tel", "text"]]).encode(), "JSON"),
        (b"\xef\xbb\xbf" + json.dumps(["tel", "text"]).encode(), "JSON"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, data: bytes, kind: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(data)
    assert refused(path) == ("input.not_a_table", {"file": "list.csv", "kind": kind})


@pytest.mark.parametrize(
    "text", ["{name}様,tel\n1,2\n", "[1],b\n1,2\n", "<tel>,b\n1,2\n", '"<html>",b\n1,2\n', "{,b\n1,2\n", "PK,b\n1,2\n"]
)
def test_what_only_looks_like_something_else_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text)
    assert len(cells(open_input(path))) == 1


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "start", ["<!-- -->" * 400, "<!-- " * 700, '{"' * 2000, '["' * 2000, ',""' * 20_000, ',"""' * 20_000]
)
def test_no_beginning_takes_long_to_tell(tmp_path: Path, start: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"{start}x")
    with suppress(InputUnusable):
        open_input(path)


def test_a_zip_of_csv_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("list.csv", CSV)
    assert refused(path) == ("input.not_a_table", {"file": "list.csv", "kind": "ZIP"})


def test_sheets_belong_to_workbooks(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(CSV, "utf-8")
    assert refused(path, "名簿") == ("input.sheet_of_text", {"file": "list.csv", "sheet": "名簿"})
    book = workbook(tmp_path / "list.xlsx")
    assert open_input(book, sheet="名簿").form == ("workbook", "xlsx", "名簿")
    assert refused(book, "名簿2")[0] == "input.no_sheet"


def test_what_is_not_there_or_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.csv")[0] == "input.missing"
    assert refused(tmp_path)[0] == "input.not_a_file"
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe")[0] == "input.not_a_file"


def test_what_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.csv"
    path.write_text(CSV, "utf-8")

    def locked(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(inputs, "open_text", locked)
    assert refused(path) == ("input.unreadable", {"file": str(path), "problem": "Permission denied"})


class Pipe(io.RawIOBase):
    """Standard input: it gives a little at a time and cannot be read twice."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:  # noqa: ANN401 - any buffer
        data = self._data.read(min(len(into), 7))
        into[: len(data)] = data
        return len(data)


@pytest.mark.parametrize("book", [False, True])
def test_standard_input_is_read_like_a_file_and_leaves_nothing(tmp_path: Path, *, book: bool) -> None:
    data = workbook(tmp_path / "list.xlsx").read_bytes() if book else CSV.encode()
    folder = tmp_path / "spool"
    folder.mkdir()
    with spooled(io.BufferedReader(Pipe(data)), folder) as path:
        assert path.parent.stat().st_mode & 0o077 == 0
        table = open_input(path)
        assert table.name == "stdin"
        assert cells(table) == [[2, "09011112222", "こんにちは"]]
    assert list(folder.iterdir()) == []

    class Stopped(Exception):  # noqa: N818 - an interruption, not an error
        pass

    with pytest.raises(Stopped), spooled(io.BytesIO(data), folder):
        raise Stopped
    assert list(folder.iterdir()) == []


def test_a_full_disk_asks_to_try_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        number = errno.ENOSPC

        def writelines(self, _pieces: Iterable[Any], /) -> None:
            raise OSError(self.number, os.strerror(self.number))

    monkeypatch.setattr(Path, "open", lambda _path, _mode: Full())
    with pytest.raises(TryLater) as caught, spooled(io.BytesIO(b"x"), tmp_path):
        pytest.fail("nothing to work on")
    assert caught.value.code == "files.not_writable"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TryLater), spooled(io.BytesIO(b"x"), tmp_path / "none"):
        pytest.fail("nothing to work on")
    monkeypatch.setattr(Full, "number", errno.EIO)
    with pytest.raises(OSError, match="Input/output"), spooled(io.BytesIO(b"x"), tmp_path):
        pytest.fail("nothing to work on")


def test_no_failure_shows_a_cell(tmp_path: Path) -> None:
    """Whatever is wrong with a file, numbers and texts in it end up in no message."""
    number, text = "09012345678", "秘密の本文"
    path = tmp_path / "list.csv"
    row = f"{number},{text}"
    for data in (
        f"tel,text\n{row},x\n".encode(),
        f'tel,text\n{number},"{text}\n'.encode(),
        f'tel,text\n{number},"{text}"{text}\n'.encode(),
        f"tel,text\n{row}\0\n".encode(),
        f"tel,text\n{row}\n".encode() + b"\xff\n",
        f"tel,text\n{row}\n".encode("cp932") + b"\x81\x39\n",
        f"tel,text\n{row}".encode() + b"x" * (2 << 20),
    ):
        path.write_bytes(data)
        with pytest.raises(InputUnusable) as caught:
            cells(open_input(path))
        for language in Language:
            said = caught.value.what(language) + caught.value.hint(language)
            assert number not in said
            assert text not in said


def test_every_text_about_inputs_stands_in_the_catalogue() -> None:
    assert INPUT_FAILURES.items() <= FAILURES.items()
    assert not [code for code in FAILURES if code.startswith("input.") and code not in INPUT_FAILURES]
