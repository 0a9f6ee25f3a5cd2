from __future__ import annotations

import csv
import subprocess
from typing import TYPE_CHECKING

import pytest
from python_calamine import CalamineWorkbook

from pipeline.adapters.inputs import open_input
from pipeline.messages import Language, label
from pipeline.model import CharacterAt, Finding, RejectedRow, RowTotals
from pipeline.reports.rejects import OWN_COLUMNS, RejectedWorkbook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.world
#: comma, quotes, UTF-8, values as stored, the first sheet only
_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,1"
COLUMNS = ["電話番号", "=header", "_x0041_", " both "]
VALUES = (
    "=1+1",
    "+81",
    "-5",
    "@SUM(A1)",
    "'quoted",
    "\ttab",
    "\rreturn",
    "line\nbreak\n",
    " blank ",
    "\u3000",
    "_x0041_",
    "\x01\x0b\x1b\x7f\x85\u2028",
    "<r><t>x</t></r>",
    "<r>a & b</r>",
    "https://example.com/",
    "09012345678",
    "1E5",
    "TRUE",
    "#N/A",
    "2026/11/20",
    "𠮷😀\u200b\u202e",
    "",
)


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "list-rejected.xlsx"
    with RejectedWorkbook(path, COLUMNS, language=Language.JA, source="list.csv") as book:
        for number, text in enumerate(VALUES, 2):
            finding = Finding(number, "=header", "field.platform_dependent", {"shown": "①"}, (CharacterAt(1, "①"),))
            book.add(RejectedRow(row_number=number, cells=cells(number, text), findings=(finding,)))
        totals = RowTotals(len(VALUES), 0, len(VALUES), 0)
        book.close({"field.platform_dependent": len(VALUES)}, totals, rejected_csv="rejected.csv")
    return path


def cells(number: int, text: str) -> tuple[str, ...]:
    return (f"090123456{number:02d}", text, text * 2, f"x{text}")


def convert(program: str, workbook: Path, kind: str, into: Path) -> Path:
    profile = f"-env:UserInstallation={(into / 'profile').as_uri()}"
    subprocess.run(
        [program, profile, "--headless", "--convert-to", kind, "--outdir", str(into / "out"), str(workbook)],
        capture_output=True,
        timeout=110,
        check=True,
    )
    (made,) = (into / "out").iterdir()
    return made


def check(lines: list[list[object]]) -> None:
    own = [label(f"reject.column.{name}", Language.JA) for name in OWN_COLUMNS]
    assert lines[0] == [*COLUMNS, *own]
    assert [tuple(line[: len(COLUMNS)]) for line in lines[1:]] == [
        cells(number, text) for number, text in enumerate(VALUES, 2)
    ]
    assert [line[-2] for line in lines[1:]] == [str(number) for number in range(2, len(VALUES) + 2)]


def test_a_workbook_saved_by_libreoffice_comes_back_cell_for_cell(
    workbook: Path, tool: Callable[[str], str], tmp_path: Path
) -> None:
    saved = convert(tool("soffice"), workbook, "xlsx", tmp_path)
    check([list(line) for line in CalamineWorkbook.from_path(saved).get_sheet_by_index(0).to_python()])


def test_a_workbook_saved_by_libreoffice_is_a_list_again(
    workbook: Path, tool: Callable[[str], str], tmp_path: Path
) -> None:
    # Its filter is there, but nothing is hidden by it.
    table = open_input(convert(tool("soffice"), workbook, "xlsx", tmp_path))
    rows = [row for chunk in table.chunks(table.first_record, header=True) for row in chunk.itertuples(index=False)]
    assert len(rows) == len(VALUES)


def test_a_sheet_saved_as_csv_by_libreoffice_comes_back_cell_for_cell(
    workbook: Path, tool: Callable[[str], str], tmp_path: Path
) -> None:
    saved = convert(tool("soffice"), workbook, _CSV, tmp_path)
    with saved.open(encoding="utf-8", newline="") as file:
        check([list(line) for line in csv.reader(file)])


def test_it_prints_with_its_header_and_says_that_it_is_personal_data(
    workbook: Path, tool: Callable[[str], str], tmp_path: Path
) -> None:
    pdf = convert(tool("soffice"), workbook, "pdf", tmp_path)
    shown = subprocess.run(
        [tool("pdftotext"), "-layout", str(pdf), "-"], capture_output=True, timeout=60, check=True
    ).stdout.decode()
    assert "mediasms_理由" in shown
    assert "個人情報" in shown
    assert "###" not in shown
