"""Lists as LibreOffice saves them, in every format it offers to analysts, read back cell for cell."""

from __future__ import annotations

import subprocess
from datetime import date
from typing import TYPE_CHECKING

import pytest
import xlsxwriter

from pipeline.adapters.inputs import open_input
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


def test_errors(tmp_path: Path, saved: Callable[[Path, str], Path]) -> None:
    source = tmp_path / "values.xlsx"
    with xlsxwriter.Workbook(source) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ["error", "end"])
        sheet.write_formula(1, 0, "=1/0", None, "#DIV/0!")
        sheet.write_string(1, 1, "end")
    assert read(saved(source, "xlsx"))[2] == [(2, ["#DIV/0!", "end"])]
    with pytest.raises(InputUnusable) as caught:
        open_input(saved(source, "ods"))
    assert (caught.value.code, caught.value.facts["what"]) == ("input.odf_content", "error")


def test_a_tab_in_an_open_document_is_not_dropped(tmp_path: Path, saved: Callable[[Path, str], Path]) -> None:
    source = tmp_path / "values.xlsx"
    with xlsxwriter.Workbook(source) as made:
        made.add_worksheet().write_string(0, 0, "a\tb")
    with pytest.raises(InputUnusable) as caught:
        open_input(saved(source, "ods"))
    assert (caught.value.code, caught.value.facts["what"]) == ("input.odf_content", "tab")


@pytest.mark.parametrize(("kind", "code"), [("html", "input.html"), ("pdf", "input.not_a_table")])
def test_what_is_no_table(book: Path, saved: Callable[[Path, str], Path], kind: str, code: str) -> None:
    path = saved(book, kind)
    with pytest.raises(InputUnusable) as caught:
        open_input(path.rename(path.with_suffix(".csv")))
    assert caught.value.code == code
