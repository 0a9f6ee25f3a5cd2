"""Cells of workbooks: as a person would type them, numbered as the sheet numbers them, and nothing lost in silence."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import python_calamine as calamine
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.adapters import excel, package
from pipeline.adapters.workbooks import OLE, as_text, open_workbook
from pipeline.errors import InputUnusable, UsageError
from pipeline.messages import Language
from tests.adapters.books import SHEET, changed, ods, read, refused, workbook


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (9012345678, "9012345678"),
        (9012345678.0, "9012345678"),
        (819012345678, "819012345678"),
        (999999999999999.0, "999999999999999"),
        (1e15, "1000000000000000"),
        (9.01234567890123e20, "901234567890123000000"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (-1.0, "-1"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1.5, "1.5"),
        (1e-7, "0.0000001"),
        (True, "TRUE"),
        (False, "FALSE"),
        (date(2026, 11, 23), "2026-11-23"),
        (datetime.fromisoformat("2026-11-23T04:05"), "2026-11-23 04:05"),
        (datetime.fromisoformat("2026-11-23"), "2026-11-23 00:00"),
        (datetime.fromisoformat("2026-11-23T04:05:06"), "2026-11-23 04:05:06"),
        (time(4, 5), "04:05"),
        (time(4, 5, 6), "04:05:06"),
        (timedelta(hours=30, minutes=1, seconds=2), "30:01:02"),
        (-timedelta(minutes=1), "-0:01:00"),
        ("0x", "0x"),
    ],
)
def test_a_cell_is_what_a_person_would_type(cell: Any, text: str) -> None:  # noqa: ANN401 - any cell
    assert as_text(cell) == text


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
            | st.sampled_from(["=1+1", "+81", "-", "@x", "'090", "_x000D_", "_x005F_", "a\r\nb\rc\nd", " x ", "\t"]),
            min_size=3,
            max_size=3,
        ),
        max_size=5,
    )
)
def test_text_arrives_verbatim(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    # What XML cannot hold, Excel writes as _xHHHH_, and so does xlsxwriter.
    path = workbook(tmp_path_factory.mktemp("book") / "list.xlsx", {"a": [["p", "q", "r"], *rows]})
    assert read(open_workbook(path)) == [(number, row) for number, row in enumerate(rows, 2) if any(row)]


def test_numbers_dates_and_the_rest_arrive_through_a_file(tmp_path: Path) -> None:
    cells = [
        9012345678,
        1.5,
        1e15,
        True,
        date(2026, 11, 23),
        datetime.fromisoformat("2026-11-23T04:05"),
        time(4, 5, 6),
        "x",
    ]
    path = workbook(tmp_path / "list.xlsx", {"a": [[f"h{number}" for number in range(len(cells))], cells]})
    texts = ["9012345678", "1.5", "1000000000000000", "TRUE", "2026-11-23", "2026-11-23 04:05", "04:05:06", "x"]
    assert read(open_workbook(path)) == [(2, texts)]


@pytest.mark.parametrize("block", [1, 2, 3, 1000])
def test_rows_are_numbered_as_the_sheet_numbers_them(tmp_path: Path, block: int) -> None:
    rows: list[list[Any]] = [["tel", "text"], [], ["1", "a"], [None, ""], ["2"], [], ["3", "b"], [None, "c"]]
    path = workbook(tmp_path / "list.xlsx", {"a": rows}, down=2, right=1)
    table = open_workbook(path, block=block)
    assert (table.first_record, table.first_row, table.records) == (("tel", "text"), 3, 10)
    assert read(table) == [(5, ["1", "a"]), (7, ["2", ""]), (9, ["3", "b"]), (10, ["", "c"])]
    assert read(table, header=False)[0] == (3, ["tel", "text"])
    assert read(table) == read(table)


def test_cells_beside_the_table_are_named(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["tel", "text", ""], ["1", "a", ""], ["2", "b", None, "memo"]]
    path = workbook(tmp_path / "list.xlsx", {"a": rows})
    assert open_workbook(path).first_record == ("tel", "text")
    assert refused(path) == ("input.ragged", {"row": 3, "found": 4, "expected": 2})


def test_sheets_are_chosen_by_name(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", {"空": [], "名簿": [["tel"], ["1"]], "二": [["x", "y"], ["2", "3"]]})
    table = open_workbook(path)
    assert table.form == ("workbook", "xlsx", "名簿")
    assert table.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert read(open_workbook(path, sheet="二")) == [(2, ["2", "3"])]
    with pytest.raises(UsageError) as unknown:
        open_workbook(path, sheet="三")
    assert (unknown.value.code, unknown.value.facts["sheets"]) == ("input.no_sheet", "空, 名簿, 二")
    with pytest.raises(InputUnusable) as empty:
        open_workbook(path, sheet="空")
    assert empty.value.code == "input.empty"


def test_an_empty_workbook(tmp_path: Path) -> None:
    assert refused(workbook(tmp_path / "list.xlsx", {"a": [], "b": [[" "], []]})) == ("input.empty", {})


def test_errors_arrive_as_their_text(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("first").write_formula(0, 0, "=1/0", None, "#DIV/0!")
        sheet = book.add_worksheet("second")
        sheet.write_row(1, 1, ["a", "b", "c"])
        sheet.write_formula(2, 1, "=NA()", None, "#N/A")
        sheet.write_string(2, 2, "#N/A")
        sheet.write_formula(3, 3, '=VLOOKUP("<&>",A1:B2,2)', None, "#REF!")
        sheet.write_formula(4, 2, '="x"', None, "x")
    assert read(open_workbook(path, sheet="second")) == [
        (3, ["#N/A", "#N/A", ""]),
        (4, ["", "", "#REF!"]),
        (5, ["", "x", ""]),
    ]
    assert open_workbook(path).first_record == ("#DIV/0!",)


@pytest.mark.parametrize(("error", "shown"), [("#SPILL!", "#SPILL!"), ("#TOMORROW!", "#VALUE!")])
def test_an_error_that_the_reader_does_not_know_is_named_with_its_cell(tmp_path: Path, error: str, shown: str) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write_formula(1, 0, "=NA()", None, "#N/A")
        sheet.write_formula(2, 1, "=A1#", None, "#REF!")
        sheet.write_string(3, 1, "#TODAY!")
    assert read(open_workbook(path)) == [(2, ["#N/A", ""]), (3, ["", "#REF!"]), (4, ["", "#TODAY!"])]
    changed(path, SHEET, b"<v>#REF!</v>", f"<v>{error}</v>".encode())
    assert refused(path) == ("input.cell_error", {"cell": "B3", "shown": shown})


def test_errors_are_found_over_the_borders_of_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        for row in range(1, 9):
            sheet.write_formula(row, 0, "=NA()", None, "#N/A")
            sheet.write_number(row, 1, row)
    expected = [(row + 1, ["#N/A", str(row)]) for row in range(1, 9)]
    for piece in (1, 7, 50, 333):
        monkeypatch.setattr(package, "_PIECE", piece)
        assert read(open_workbook(path)) == expected


@pytest.mark.parametrize("value", [b"", b"<v></v>", b"<v/>", b"<v />"])
def test_a_formula_without_its_result_stops_the_file(tmp_path: Path, value: bytes) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write_formula(1, 1, '="09"&"0"', None, 77)
    changed(path, SHEET, b"<v>77</v>", value)
    assert refused(path) == ("input.uncalculated", {"cell": "B2"})


def test_a_formula_whose_result_is_an_empty_text_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write_string(1, 0, "1")
        sheet.write_formula(1, 1, '=""', None, "x")
    changed(path, SHEET, b"<v>x</v>", b"<v></v>")
    assert read(open_workbook(path)) == [(2, ["1", ""])]


def test_a_cell_far_away_is_named_before_memory_runs_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write_string(1_000_000, 16_000, "x")
    assert refused(path) == ("input.too_wide", {})
    monkeypatch.setattr(excel, "_AREA", 100 * 200)
    for rows, code in ((100, "input.ragged"), (101, "input.too_wide")):
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, ["a", "b"])
            sheet.write_string(1, 199, "x")
            sheet.write_string(rows - 1, 1, "x")
        assert refused(path)[0] == code


def test_open_documents_of_too_many_cells(tmp_path: Path) -> None:
    row = (
        '<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"'
    )
    cell = f'<text:p>x</text:p></table:table-cell></table:table-row>{row} office:value-type="string"><text:p>x</text:p>'
    assert refused(ods(tmp_path / "list.ods", cell=cell)) == ("input.too_wide", {})


def test_macros_make_another_kind(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsm", {"a": [["tel"], ["1"]]})
    types = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    changed(path, "[Content_Types].xml", types, b"application/vnd.ms-excel.sheet.macroEnabled.main+xml")
    assert open_workbook(path).form == ("workbook", "xlsm", "a")


def test_open_documents_are_read(tmp_path: Path) -> None:
    table = open_workbook(ods(tmp_path / "list.ods"))
    assert (table.form, table.first_record) == (("workbook", "ods", "名簿"), ("tel", "9012345678"))


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("<text:p>a<text:tab/>b</text:p>", "tab"),
        ("<text:p>a<text:line-break/>b</text:p>", "line-break"),
        ("<text:p><text:ruby><text:ruby-base>山</text:ruby-base></text:ruby></text:p>", "ruby"),
    ],
)
@pytest.mark.parametrize("piece", [1, 10, 1 << 20])
def test_what_open_documents_do_not_tell_exactly_stops_the_file(
    tmp_path: Path, cell: str, what: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "_PIECE", piece)
    facts = {"sheet": "名簿", "cell": "A1", "what": what}
    assert refused(ods(tmp_path / "list.ods", cell=cell)) == ("input.odf_content", facts)


def test_a_cell_without_end_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "_CELL_SIZE", 4000)
    monkeypatch.setattr(package, "_PIECE", 1000)
    assert refused(ods(tmp_path / "list.ods", cell=f"<text:p>{'x' * 5000}</text:p>"))[0] == "input.damaged"


def test_passwords_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(ods(tmp_path / "a.ods", "<manifest:encryption-data/>"))[0] == "input.encrypted"
    # An encrypted workbook of today is a file of the old format with this stream in its directory.
    for before in (512, (1 << 20) - 9):
        envelope = tmp_path / "b.xlsx"
        envelope.write_bytes(OLE + bytes(before - 8) + "EncryptedPackage".encode("utf-16-le") + bytes(999))
        assert refused(envelope)[0] == "input.encrypted"
    # A password of the old format itself is calamine's to find.
    path = tmp_path / "c.xls"
    path.write_bytes(OLE)

    def locked(_: Path) -> None:
        raise calamine.PasswordError

    monkeypatch.setattr(calamine, "CalamineWorkbook", SimpleNamespace(from_path=locked))
    assert refused(path)[0] == "input.encrypted"


def test_encrypted_members_are_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "c.xlsx", {"a": [["tel"]]})
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\1\2")
    data[at + 8] |= 1
    path.write_bytes(data)
    assert refused(path)[0] == "input.encrypted"


@pytest.mark.parametrize(
    ("member", "kind"),
    [
        ("word/document.xml", "Word"),
        ("ppt/presentation.xml", "PowerPoint"),
        ("Index/Document.iwa", "Numbers / Pages / Keynote"),
        ("list.csv", "ZIP"),
    ],
)
def test_zip_files_that_are_no_workbooks(tmp_path: Path, member: str, kind: str) -> None:
    path = tmp_path / "list.xlsx"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(member, "x")
    assert refused(path) == ("input.not_a_table", {"kind": kind})


def test_a_binary_workbook_is_named_as_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsb"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("xl/workbook.bin", "x")
    assert refused(path) == ("input.xlsb", {})
    for language in Language:
        assert ".xlsx" in InputUnusable("input.xlsb", file=path.name).hint(language)


def test_old_office_files_that_are_no_workbooks(tmp_path: Path) -> None:
    path = tmp_path / "list.xls"
    path.write_bytes(OLE + bytes(5000))
    assert refused(path)[0] == "input.damaged"


def test_a_bomb_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/workbook.xml", "x")
        with file.open(SHEET, "w") as sheet:
            for _ in range(101):
                sheet.write(bytes(1 << 20))
    assert refused(path)[0] == "input.bomb"
    book = workbook(tmp_path / "good.xlsx", {"a": [["tel"]]})
    monkeypatch.setattr(package, "_UNPACKED", 1000)
    assert refused(book)[0] == "input.bomb"
    monkeypatch.undo()
    monkeypatch.setattr(package, "_ENTRIES", 3)
    assert refused(book)[0] == "input.bomb"


def test_members_that_share_their_bytes_are_a_bomb(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", {"a": [["tel"]]})
    data = path.read_bytes()
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    directory, count = data[start:end] * 50, 50 * struct.unpack_from("<H", data, end + 8)[0]
    record = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), start, 0)
    path.write_bytes(data[:start] + directory + record)
    assert refused(path)[0] == "input.bomb"


def test_a_member_that_says_less_than_it_unpacks_to_is_damaged(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", {"a": [["tel"], ["x" * 5000]]})
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        size = file.getinfo(SHEET).file_size
    at = data.index(SHEET.encode(), data.index(b"PK\1\2")) - 46
    assert struct.unpack_from("<L", data, at + 24)[0] == size
    struct.pack_into("<L", data, at + 24, size // 2)
    path.write_bytes(data)
    assert refused(path)[0] == "input.damaged"


def test_damaged_workbooks_are_named_wherever_they_are_cut(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "list.xlsx", {"a": [["tel"], ["1"]]}).read_bytes()
    path = tmp_path / "cut.xlsx"
    for size in range(4, len(whole) - 22, 97):
        path.write_bytes(whole[:size])
        assert refused(path)[0] == "input.damaged"


def test_any_damaged_byte_is_found_or_harmless(tmp_path: Path) -> None:
    rows = [["tel", "text"], ["09011112222", "こんにちは"]]
    whole = workbook(tmp_path / "list.xlsx", {"a": rows}).read_bytes()
    path = tmp_path / "bad.xlsx"
    for at in range(0, len(whole), 31):
        data = bytearray(whole)
        data[at] ^= 0x41
        path.write_bytes(data)
        with suppress(InputUnusable):
            assert read(open_workbook(path)) == [(2, rows[1])]


def test_broken_xml_is_damage(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", {"a": [["tel"], ["1"]]})
    changed(path, SHEET, b"</sheetData>", b"<")
    assert refused(path)[0] == "input.damaged"
    path = workbook(tmp_path / "list.xlsx", {"a": [["tel"], ["1"]]})
    changed(path, "xl/_rels/workbook.xml.rels", b"worksheets/sheet1.xml", b"worksheets/none.xml")
    assert refused(path)[0] == "input.damaged"
