"""Lists as LibreOffice saves them, in every format it offers to analysts, read back cell for cell."""

from __future__ import annotations

import subprocess
from datetime import date
from typing import TYPE_CHECKING

import pytest
import xlsxwriter

from pipeline.adapters.inputs import open_input, refuse_merged
from pipeline.errors import InputUnusable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.world
_HEADER = ["電話番号", "本文", "備考"]
_ROWS = [
    ["09012345678", "こんにちは、表ソ能さん", "a,b;c d"],
    ["+81 90-1234-5678", "一行目\n二行目\n\n四行目", '"引用"と""二重""'],
    ["='090", "=1+1", "'090"],
    ["０９０", "  前後  ", '5" disk'],
    ["#N/A", "～－∥￠￡￢―①髙﨑ｱﾞ", "-1"],
    ["0012", "TRUE", "1e5"],
]
#: field separator, quotes, character set, first line, formats, language, quote all text, content as shown
_CSV = "csv:Text - txt - csv (StarCalc):{separator},34,{charset},1,,0,{quote},true"
_UTF_8, _WINDOWS_932, _UTF_16 = 76, 60, 65535


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet("名簿")
        for number, row in enumerate([_HEADER, *_ROWS[:3], [], *_ROWS[3:]]):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, cell)
    return path


@pytest.fixture
def saved(tool: Callable[[str], str], tmp_path: Path) -> Callable[[Path, str], Path]:
    program = tool("soffice")

    def save(path: Path, kind: str) -> Path:
        command = [program, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless"]
        command += ["--convert-to", kind, "--outdir", str(tmp_path / "out"), str(path)]
        subprocess.run(command, capture_output=True, timeout=110, check=True)
        (made,) = (tmp_path / "out").glob(f"*.{kind.partition(':')[0]}")
        return made

    return save


def read(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], list[tuple[int, list[str]]]]:
    table = open_input(path)
    chunks = list(table.chunks(table.first_record, header=True))
    rows = [(int(row[0]), list(row[1:])) for chunk in chunks for row in chunk.itertuples(index=False)]
    return table.form, table.first_record, rows


def expected() -> list[tuple[int, list[str]]]:
    return list(zip([2, 3, 4, 6, 7, 8], _ROWS, strict=True))


@pytest.mark.parametrize("quote", ["true", "false"])
@pytest.mark.parametrize(
    ("separator", "charset", "form"),
    [
        (44, _UTF_8, ("text", "utf-8", ",")),
        (44, _WINDOWS_932, ("text", "cp932", ",")),
        (9, _UTF_8, ("text", "utf-8", "\t")),
        (9, _UTF_16, ("text", "utf-16-le", "\t")),
        (59, _WINDOWS_932, ("text", "cp932", ";")),
    ],
)
def test_text_of_every_kind(
    book: Path, saved: Callable[[Path, str], Path], separator: int, charset: int, form: tuple[str, ...], quote: str
) -> None:
    path = saved(book, _CSV.format(separator=separator, charset=charset, quote=quote))
    assert read(path) == (form, tuple(_HEADER), expected())


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_workbooks_of_every_kind(book: Path, saved: Callable[[Path, str], Path], kind: str) -> None:
    assert read(saved(book, kind)) == (("workbook", kind, "名簿"), tuple(_HEADER), expected())


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_values_and_calculated_cells(tmp_path: Path, saved: Callable[[Path, str], Path], kind: str) -> None:
    source = tmp_path / "values.xlsx"
    with xlsxwriter.Workbook(source) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ["number", "fraction", "date", "formula", "end"])
        sheet.write_row(1, 0, [9012345678, 0.25])
        sheet.write_datetime(1, 2, date(2026, 11, 23), made.add_format({"num_format": "yyyy-mm-dd"}))
        if kind == "xls":
            # LibreOffice writes 0 into an xls for a formula that it has not calculated itself.
            sheet.write_string(1, 3, "09012345678")
        else:
            sheet.write_formula(1, 3, '="0"&A2', None, "09012345678")
        sheet.write_string(1, 4, "end")
    (row,) = read(saved(source, kind))[2]
    assert row == (2, ["9012345678", "0.25", "2026-11-23", "09012345678", "end"])


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_errors(tmp_path: Path, saved: Callable[[Path, str], Path], kind: str) -> None:
    source = tmp_path / "values.xlsx"
    with xlsxwriter.Workbook(source) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ["error", "end"])
        sheet.write_formula(1, 0, "=1/0", None, "#DIV/0!")
        sheet.write_formula(2, 0, "=NA()", None, "#N/A")
        sheet.write_column(1, 1, ["end", "end"])
        sheet.write_comment(2, 1, "a note\n of two lines")
    assert read(saved(source, kind))[2] == [(2, ["#DIV/0!", "end"]), (3, ["#N/A", "end"])]


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_hidden_rows_stop_the_file(tmp_path: Path, saved: Callable[[Path, str], Path], kind: str) -> None:
    source = tmp_path / "hidden.xlsx"
    with xlsxwriter.Workbook(source) as made:
        for name in ("filter", "height", "group", "empty", "column"):
            sheet = made.add_worksheet(name)
            sheet.write_row(0, 0, ["tel", "city"])
            for row in range(1, 9):
                sheet.write_row(row, 0, [str(row), "東京" if row % 4 else "大阪"])
        sheet = made.get_worksheet_by_name("filter")
        sheet.autofilter(0, 0, 8, 1)
        sheet.filter_column(1, "x == 東京")
        for row in (4, 8):
            sheet.set_row(row, None, None, {"hidden": True})
        made.get_worksheet_by_name("height").set_row(3, 0)
        for row in (5, 6):
            made.get_worksheet_by_name("group").set_row(row, None, None, {"level": 1, "hidden": True})
        for row in (20, 21, 22):
            made.get_worksheet_by_name("empty").set_row(row, None, None, {"hidden": True})
        made.get_worksheet_by_name("column").set_column(1, 1, None, None, {"hidden": True})
    path = saved(source, kind)
    for sheet, count, row in (("filter", 2, 5), ("height", 1, 4), ("group", 2, 6)):
        with pytest.raises(InputUnusable) as caught:
            open_input(path, sheet=sheet)
        assert caught.value.code == "input.hidden_rows"
        assert caught.value.facts == {"file": path.name, "sheet": sheet, "count": count, "row": row}
    for sheet in ("empty", "column"):
        table = open_input(path, sheet=sheet)
        assert sum(len(chunk) for chunk in table.chunks(table.first_record, header=True)) == 8


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_cells_merged_over_rows_stop_the_file(tmp_path: Path, saved: Callable[[Path, str], Path], kind: str) -> None:
    source = tmp_path / "merged.xlsx"
    with xlsxwriter.Workbook(source) as made:
        for name, cells in (("rows", "C3:C4"), ("both", "C3:D5"), ("columns", "C3:D3")):
            sheet = made.add_worksheet(name)
            sheet.write_row(0, 0, ["tel", "city", "部門", "課"])
            for row in range(1, 9):
                sheet.write_row(row, 0, [str(row), "東京"])
            sheet.merge_range(cells, "営業")
    path = saved(source, kind)
    for sheet, cells in (("rows", "C3:C4"), ("both", "C3:D5")):
        with pytest.raises(InputUnusable) as caught:
            refuse_merged(open_input(path, sheet=sheet), [2])
        assert caught.value.code == "input.merged_cells"
        refuse_merged(open_input(path, sheet=sheet), [0, 1])
        assert caught.value.facts == {"file": path.name, "sheet": sheet, "count": 1, "cells": cells}
    table = open_input(path, sheet="columns")
    assert sum(len(chunk) for chunk in table.chunks(table.first_record, header=True)) == 8


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_hidden_and_other_sheets(tmp_path: Path, saved: Callable[[Path, str], Path], kind: str) -> None:
    source = tmp_path / "sheets.xlsx"
    with xlsxwriter.Workbook(source) as made:
        for name, rows in (("控え", 1), ("名簿", 2), ("空", 0), ("Q&A 'x' 2", 3)):
            made.add_worksheet(name).write_column(0, 0, [name] * rows)
        made.get_worksheet_by_name("控え").hide()
        made.get_worksheet_by_name("名簿").activate()
        made.get_worksheet_by_name("名簿").set_first_sheet()
    path = saved(source, kind)
    with pytest.raises(InputUnusable) as caught:
        open_input(path)
    assert (caught.value.code, caught.value.facts["sheets"]) == ("input.hidden_sheet", "名簿, 空, Q&A 'x' 2")
    assert open_input(path, sheet="控え").first_record == ("控え",)
    with xlsxwriter.Workbook(source) as made:
        for name, rows in (("名簿", 2), ("空", 0), ("Q&A 'x' 2", 3)):
            made.add_worksheet(name).write_column(0, 0, [name] * rows)
    path.unlink()
    table = open_input(saved(source, kind))
    assert (table.sheet, table.other_sheets) == ("名簿", {"Q&A 'x' 2": 3})
    assert open_input(path, sheet="Q&A 'x' 2").first_record == ("Q&A 'x' 2",)


#: a number, its format, what LibreOffice shows
_FORMATS = [
    (901, "0000", "0901"),
    (9012345678, "00000000000", "09012345678"),
    (1234567, "#,##0", "1,234,567"),
    (2178.0000000000005, "#,##0", "2,178"),
    (1234.5, "#,##0.00", "1,234.50"),
    (1234, "#,##0_ ;[Red]\\-#,##0\\ ", "1,234"),
    (1234, '_ * #,##0_ ;_ * \\-#,##0_ ;_ * "-"_ ;_ @_ ', "1,234"),
    (1234, "#,###", "1,234"),
    (-1234, "#,##0", "-1,234"),
    (0.05, "0%", "5%"),
    (0.285, "0.0%", "28.5%"),
    (2.675, "0.00", "2.68"),
    (12.5, "0", "13"),
    (901, "General", "901"),
]
#: formats that are not applied
_PLAIN = [(901, '"¥"#,##0', "901"), (1000001, "000-0000", "1000001"), (901, "0.00E+00", "901")]


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_numbers_arrive_as_libreoffice_shows_them(
    tmp_path: Path, saved: Callable[[Path, str], Path], kind: str
) -> None:
    cells = [*_FORMATS, *_PLAIN]
    source = tmp_path / "formats.xlsx"
    with xlsxwriter.Workbook(source) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, [f"h{at}" for at in range(len(cells))])
        for column, (number, code, _) in enumerate(cells):
            sheet.write_number(1, column, number, made.add_format({"num_format": code}))
    expected = [text for _, _, text in cells]
    assert read(source)[2] == [(2, expected)]
    assert read(saved(source, kind))[2] == [(2, expected)]
    # As text, LibreOffice writes what it shows.
    shown = read(saved(source, _CSV.format(separator=44, charset=_UTF_8, quote="false")))[2][0][1]
    assert [text.strip() for text in shown[: len(_FORMATS)]] == expected[: len(_FORMATS)]


def test_a_tab_in_an_open_document_is_not_dropped(tmp_path: Path, saved: Callable[[Path, str], Path]) -> None:
    source = tmp_path / "values.xlsx"
    with xlsxwriter.Workbook(source) as made:
        made.add_worksheet().write_string(0, 0, "a\tb")
    with pytest.raises(InputUnusable) as caught:
        open_input(saved(source, "ods"))
    assert (caught.value.code, caught.value.facts["what"]) == ("input.odf_content", "tab")
    assert (caught.value.facts["sheet"], caught.value.facts["cell"]) == ("Sheet1", "A1")


@pytest.mark.parametrize(("kind", "code"), [("html", "input.html"), ("pdf", "input.not_a_table")])
def test_what_is_no_table(book: Path, saved: Callable[[Path, str], Path], kind: str, code: str) -> None:
    path = saved(book, kind)
    with pytest.raises(InputUnusable) as caught:
        open_input(path.rename(path.with_suffix(".csv")))
    assert caught.value.code == code
