from __future__ import annotations

import csv
import re
import subprocess
import zipfile
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pipeline.messages import Language
from pipeline.reports.workbook import write_workbook
from tests import reconciliations
from tests.renderings import cells

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.world.conftest import Demo

pytestmark = pytest.mark.world
#: comma, quotes, UTF-8, values as stored, formulas calculated, every sheet
_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"


def _convert(program: str, workbook: Path, kind: str, into: Path) -> list[Path]:
    subprocess.run(
        [
            program,
            f"-env:UserInstallation={(into / 'profile').as_uri()}",
            "--headless",
            "--convert-to",
            kind,
            "--outdir",
            str(into / "out"),
            str(workbook),
        ],
        capture_output=True,
        timeout=110,
        check=True,
    )
    return sorted((into / "out").iterdir())


def test_recalculated_totals_are_those_of_the_document(demo: Demo, tool: Callable[[str], str], tmp_path: Path) -> None:
    sheets: dict[str, list[list[str]]] = {}
    for path in _convert(tool("soffice"), demo.workbook, _CSV, tmp_path):
        with path.open(encoding="utf-8", newline="") as file:
            sheets[path.stem.rpartition("-")[2]] = list(csv.reader(file))
    assert set(sheets) == {"サマリー", "内訳", "推移", "差異", "明細", "根拠"}
    summary = sheets["サマリー"]
    amounts = {row[0]: row[1] for row in summary if len(row) > 1}
    expected = demo.document["amount"]
    assert Decimal(amounts["税抜金額"]) == Decimal(expected["untaxed"])
    assert Decimal(amounts["消費税（端数処理前）"]) == Decimal(expected["tax"])
    assert Decimal(amounts["税込金額（端数処理前）"]) == Decimal(expected["total"])

    totals = [row for row in summary if row[0] == "合計"]
    assert totals[0][2] == str(demo.document["messages"])
    whole = totals[1]
    assert whole[2:5] == [str(demo.document[name]) for name in ("messages", "billable_messages", "billable_units")]
    assert Decimal(whole[5]) == Decimal(expected["untaxed"])
    text = "\n".join(",".join(row) for row in summary)
    assert "✗" not in text
    assert not re.search(r"#(?:REF|NAME|VALUE|DIV|N/A|NUM)|###", text)
    assert sum(row[0] == "✓ 一致" or "✓ 一致" in row for row in summary) == len(demo.document["equations"])
    assert sum(bool(row and row[0].isdigit()) for row in sheets["明細"]) == demo.document["messages"]


def test_the_printed_workbook_has_text_and_amount(demo: Demo, tool: Callable[[str], str], tmp_path: Path) -> None:
    (pdf,) = _convert(tool("soffice"), demo.workbook, "pdf", tmp_path)
    shown = subprocess.run(
        [tool("pdftotext"), "-layout", str(pdf), "-"], capture_output=True, timeout=60, check=True
    ).stdout.decode()
    assert "MediaSMS 突合レポート" in shown
    # The sheet shows every decimal the amounts have.
    assert f"{Decimal(demo.document['amount']['untaxed']).normalize():,}" in shown
    assert demo.document["batch_id"] in shown
    assert "###" not in shown


def _without_our_values(workbook: Path, into: Path) -> None:
    """Copy a workbook with its formulas, but not with what we say they come to."""
    with zipfile.ZipFile(workbook) as source, zipfile.ZipFile(into, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, re.sub(rb"(<f>[^<]*</f>)<v>[^<]*</v>", rb"\1", data))


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", ["batch", "month", "hostile"])
def test_every_formula_comes_to_what_we_say(
    tool: Callable[[str], str], tmp_path: Path, name: str, language: Language
) -> None:
    value = {
        "batch": reconciliations.noisy_batch,
        "month": reconciliations.noisy_month,
        "hostile": reconciliations.hostile_month,
    }[name]()
    ours, bare = tmp_path / "ours.xlsx", tmp_path / "bare.xlsx"
    write_workbook(ours, value, reconciliations.message_lines(50), language)
    _without_our_values(ours, bare)
    sheets: dict[str, list[list[str]]] = {}
    for path in _convert(tool("soffice"), bare, _CSV, tmp_path):
        with path.open(encoding="utf-8", newline="") as file:
            sheets[path.stem.removeprefix("bare-")] = list(csv.reader(file))
    live, cached = cells(ours)
    compared = 0
    for sheet in live.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type != "f" or cell.column is None or cell.row is None:
                    continue
                said = cached[sheet.title][cell.coordinate].value
                come_to = sheets[sheet.title][cell.row - 1][cell.column - 1]
                equal = come_to == said if isinstance(said, str) else Decimal(come_to) == Decimal(str(said))
                assert equal, (sheet.title, cell.coordinate, cell.value, said, come_to)
                compared += 1
    assert compared > 20
