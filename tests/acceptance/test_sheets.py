"""Lists in workbooks: what is said about sheets, what stops the file, and numbers as the sheet shows them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.acceptance.conftest import ROOT, read_csv

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

HEADER = ["電話番号", "本文", "名"]


def book(path: Path, sheets: dict[str, list[list[Any]]], *, hidden: dict[str, list[int]] | None = None) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for number in (hidden or {}).get(name, ()):
            sheet.row_dimensions[number].hidden = True
    made.save(path)
    return path


def test_the_sheet_and_the_others_are_named(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    list_, more = [HEADER, ["09011112222", "{名}様", "青木"]], [["a"], ["b"], ["c"]]
    book(home.folder / "list.xlsx", {"名簿": list_, "予備\x7f09011112222": more, "空": []})
    told = {"sheet": "名簿", "other_sheets": {"予備␡090****2222": 3}}
    said = home("validate", "list.xlsx", "--lang", "ja").out
    assert "シート「名簿」を読みました。" in said
    assert "予備␡090****2222（3 行）" in said
    document = home("validate", "list.xlsx", "--json").document
    assert document | told == document
    run = home("run", "list.xlsx", "--campaign", "c", "--yes", "--json").document
    assert run | told == run
    # Taken up again it says the same; a sheet that was chosen needs no remark about others.
    again = home("run", "list.xlsx", "--campaign", "c", "--yes", "--lang", "en").out
    assert "read sheet 名簿." in again
    assert "(3 rows)" in again
    chosen = home("validate", "list.xlsx", "--sheet", "名簿", "--json").document
    assert (chosen["sheet"], chosen["other_sheets"]) == ("名簿", {})
    assert [message.copies for message in gateway.messages] == [1]
    (home.folder / "list.csv").write_text("tel,text\n09011113333,a\n")
    text = home("validate", "list.csv", "--json").document
    assert (text["sheet"], text["other_sheets"]) == (None, {})
    assert "read sheet" not in home("validate", "list.csv").out


def test_a_filter_that_is_left_on_stops_the_list_with_the_way_out(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    rows = [HEADER, *([f"0901111000{row}", "あ", "青木"] for row in range(5))]
    book(home.folder / "list.xlsx", {"名簿": rows}, hidden={"名簿": [3, 5]})
    done = home("run", "list.xlsx", "--yes", "--json")
    assert (done.code, done.document["error"]) == (3, "input.hidden_rows")
    for language, words in (
        ("ja", ("名簿", "2 行", "3 行目", "--sheet")),
        ("en", ("名簿", "2 row", "row 3", "--sheet")),
    ):
        said = home("validate", "list.xlsx", "--lang", language).err
        assert [word for word in words if word not in said] == []
    assert not gateway.messages
    assert home("status", "--json").document["batches"] == []


def test_a_list_of_rejected_rows_comes_back_unless_its_filter_is_on(home: Home) -> None:
    home.init()
    rows = [HEADER, ["1", "あ", "青木"], ["09011112222", "い", "井上"], ["2", "う", "上田"]]
    book(home.folder / "list.xlsx", {"名簿": rows})
    assert home("validate", "list.xlsx", "--campaign", "c").code == 1
    path = home.folder / "list-rejected.xlsx"
    made = openpyxl.load_workbook(path)
    made.worksheets[0].cell(2, 1).value = "09033334444"
    made.save(path)
    done = home("validate", path.name, "--campaign", "c", "--json").document
    # Our own second sheet counts and helps: it is no list that was forgotten.
    assert (done["accepted"], done["rejected"], done["other_sheets"]) == (1, 1, {})
    made.worksheets[0].row_dimensions[3].hidden = True
    made.save(path)
    assert home("validate", path.name, "--campaign", "c", "--json").document["error"] == "input.hidden_rows"


def test_a_first_sheet_that_is_hidden(home: Home) -> None:
    home.init()
    path = book(home.folder / "list.xlsx", {"控え": [["x"]], "名簿": [HEADER, ["09011112222", "あ", "青木"]]})
    made = openpyxl.load_workbook(path)
    made["控え"].sheet_state = "hidden"
    made.active = 1
    made.save(path)
    done = home("validate", "list.xlsx")
    assert done.code == 3
    assert "input.hidden_sheet" in done.err
    assert "名簿" in done.err
    assert home("validate", "list.xlsx", "--sheet", "名簿").code == 0


def test_numbers_reach_the_text_as_the_sheet_shows_them(home: Home) -> None:
    home.init()
    header = ["電話番号", "本文", "会員", "金額", "割引", "率"]
    path = book(
        home.folder / "list.xlsx",
        {"名簿": [header, [9011112222, "{会員} {金額}円 {割引} {率}", 901, 1980 * 1.1, 0.05, 1e-7]]},
    )
    made = openpyxl.load_workbook(path)
    for column, code in ((1, "00000000000"), (3, "0000"), (4, "#,##0_ "), (5, "0%"), (6, "0.00E+00")):
        made["名簿"].cell(2, column).number_format = code
    made.save(path)
    done = home("validate", "list.xlsx", "--out", "o", "--json").document
    assert (done["accepted"], done["repairs"], done["warnings"]) == (1, {}, {"cell.unformatted 率": 1})
    assert "列「率」の数値・時刻 1 件" in home("validate", "list.xlsx", "--out", "p", "--lang", "ja").out
    assert [row["text"] for row in read_csv(home.folder / "o" / "accepted.csv")] == ["0901 2,178円 5% 0.0000001"]


@pytest.mark.parametrize("format_", ["General", "#,##0", "0.00", "#,##0.00"])
def test_a_phone_number_is_read_whatever_its_format(home: Home, format_: str) -> None:
    home.init()
    path = book(home.folder / "list.xlsx", {"名簿": [HEADER, [9011112222, "あ", "青木"]]})
    made = openpyxl.load_workbook(path)
    made["名簿"].cell(2, 1).number_format = format_
    made.save(path)
    assert home("validate", "list.xlsx", "--json").document["accepted"] == 1


def test_an_opt_out_list_says_which_sheet_it_took(home: Home) -> None:
    home.init()
    path = book(home.folder / "stop.xlsx", {"一": [["tel"], ["09011112222"]], "二": [["tel"], ["09011113333"]]})
    done = home("optout", "import", path.name, "--json").document
    assert (done["added"], done["sheet"], done["other_sheets"]) == (1, "一", {"二": 2})
    assert "(2 rows)" in home("optout", "import", path.name).out
    book(path, {"一": [["tel"], ["09011112222"], ["09011113333"]]}, hidden={"一": [3]})
    assert home("optout", "import", path.name).code == 3


def test_the_validation_document_is_described(home: Home) -> None:
    home.init()
    (home.folder / "list.csv").write_text("tel,text\n09011113333,a\n")
    document = home("validate", "list.csv", "--json").document
    _, described = (ROOT / "docs/json.md").read_text(encoding="utf-8").split("# The validation document")
    described, *_ = described.split("\n# ")
    rows = [line.split("|")[1] for line in described.splitlines() if line.startswith("|")]
    assert list(document) == re.findall(r"`(\w+)`", " ".join(rows))
