"""Numbers and errors of workbooks arrive as the sheet shows them, where that has one reading."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import xlsxwriter

from pipeline.adapters import opendocument, package
from pipeline.adapters.workbooks import open_workbook
from pipeline.errors import InputUnusable
from tests.adapters.books import changed, number, open_document, read, row


def formatted(path: Path, cells: list[tuple[float | str, str | int]]) -> Path:
    """Write a heading and a row of numbers under their formats: codes, or numbers of built-in ones."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 1, [f"h{at}" for at in range(len(cells))])
        for at, (cell, code) in enumerate(cells, 1):
            style = book.add_format({"num_format": code})
            if isinstance(cell, str):
                sheet.write_string(1, at, cell, style)
            else:
                sheet.write_number(1, at, cell, style)
    return path


def test_numbers_arrive_as_a_simple_format_shows_them(tmp_path: Path) -> None:
    cells: dict[tuple[float | str, str | int], str] = {
        (901.0, "0000"): "0901",
        (9012345678.0, "00000000000"): "09012345678",
        (1234567.0, "#,##0"): "1,234,567",
        (2178.0000000000005, 3): "2,178",
        (1234.5, 4): "1,234.50",
        (1234.0, 38): "1,234",
        (0.05, "0%"): "5%",
        (0.285, 10): "28.50%",
        (1234.0, '"¥"#,##0'): "1234",
        (1234.0, "General"): "1234",
        (1e-7, "0.00E+00"): "0.0000001",
        ("901", "0000"): "901",
        (1000001.0, "000-0000"): "1000001",
        (45000.0, "yyyy-mm-dd"): "2023-03-15",
    }
    table = open_workbook(formatted(tmp_path / "list.xlsx", list(cells)))
    assert read(table) == [(2, list(cells.values()))]
    told = ['"¥"#,##0', "0.00E+00", "000-0000"]
    assert table.unformatted == {list(cells).index(cell): (1, 2) for cell in cells if cell[1] in told}


def test_numbers_that_arrive_otherwise_than_they_are_shown_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        yen, signed, day = (book.add_format({"num_format": code}) for code in ('"¥"#,##0', "#,##0;▲#,##0", "m/d"))
        sheet.write_row(0, 1, ["金額", "残高", "日"])
        sheet.set_column(1, 1, None, yen)
        for at in range(1, 6):
            sheet.write(at, 1, "未定" if at == 1 else 1000 * at, yen)
            sheet.write_number(at, 2, -at if at > 3 else at, signed)
            sheet.write_number(at, 3, 46357 + at, day)
        sheet.write_blank(9, 1, None, yen)
    table = open_workbook(path)
    assert table.unformatted == {}
    for _ in range(2):
        assert [cells[:2] for _, cells in read(table)][2:] == [["3000", "3"], ["4000", "-4"], ["5000", "-5"]]
        assert table.unformatted == {0: (4, 3), 1: (2, 5)}


#: format and value in days → what is shown, and what arrives
TIMES: dict[tuple[str, float], tuple[str, str]] = {
    ("[h]:mm", 1.260416666666667): ("30:15", "30:15"),
    ("[h]:mm;@", 0.75): ("18:00", "18:00"),
    ("[h]:mm", -0.25): ("-6:00", "-6:00"),
    ("[hh]:mm:ss", 0.0625): ("01:30:00", "01:30:00"),
    ("[mm]:ss", 0.0625): ("90:00", "90:00"),
    ("mm:ss", 0.0625): ("30:00", "30:00"),
    ("h:mm", 0.3958333333333333): ("9:30", "9:30"),
    ("hh:mm", 0.3960069444444445): ("09:30", "09:30"),
    ("h:mm:ss", 0.99999): ("23:59:59", "23:59:59"),
    ('h"時"mm"分"', 0.3958333333333333): ("9時30分", "09:30"),
    ("h:mm AM/PM", 0.3958333333333333): ("9:30 AM", "09:30"),
    ("h:mm", 46361.3958333333333): ("9:30", "2026-12-05 09:30"),
    ("yyyy/m/d h:mm", 46361.999999): ("2026/12/6 0:00", "2026-12-06 00:00"),
}


def _iso(days: float) -> str:
    if days >= 40_000:
        moment = datetime(1899, 12, 30) + timedelta(days=days)  # noqa: DTZ001 - as a sheet holds it
        return f'office:value-type="date" office:date-value="{moment.isoformat()[:22]}"'
    minutes, seconds = divmod(round(abs(days) * 86_400, 3), 60)
    sign = "-" if days < 0 else ""
    length = f"{sign}PT{int(minutes // 60):02}H{int(minutes % 60):02}M{seconds:06.3f}S"
    return f'office:value-type="time" office:time-value="{length}"'


def test_times_arrive_as_a_simple_format_shows_them_from_either_kind_of_book(tmp_path: Path) -> None:
    excel = formatted(tmp_path / "list.xlsx", [(days, code) for code, days in TIMES])
    cells = [
        f"<table:table-cell {_iso(days)}><text:p>{shown}</text:p></table:table-cell>"
        for (_, days), (shown, _) in TIMES.items()
    ]
    heading = row(*(f"h{at}" for at in range(len(TIMES))))
    opened = open_document(tmp_path / "list.ods", {"a": heading + row(*cells)})
    for path in (excel, opened):
        table = open_workbook(path)
        assert read(table) == [(2, [arrives for _, arrives in TIMES.values()])], path.name
        told = [code for at, (code, _) in enumerate(TIMES) if at in table.unformatted]
        assert told == ['h"時"mm"分"', "h:mm AM/PM", "h:mm"], path.name


def test_negative_numbers_have_their_sign_and_colour_from_the_second_part_of_a_format(tmp_path: Path) -> None:
    cells: dict[tuple[float | str, str | int], str] = {
        (-1234.0, "#,##0;[Red]-#,##0"): "-1,234",
        (-1234.0, r"#,##0_ ;[赤]\-#,##0\ "): "-1,234",
        (-1234.0, "#,##0;-#,##0"): "-1,234",
        (-1234.5, "0.00;[Color 3]-0.00"): "-1234.50",
        (-1234.0, "#,##0;▲#,##0"): "-1234",
        (-1234.0, "#,##0;[Red]#,##0"): "-1234",
        (-1234.0, "#,##0;-#,##0.0"): "-1234",
    }
    table = open_workbook(formatted(tmp_path / "list.xlsx", list(cells)))
    assert read(table) == [(2, list(cells.values()))]
    assert sorted(table.unformatted) == [4, 5, 6]


@pytest.mark.parametrize("piece", [1, 77, 1 << 20])
def test_every_row_has_its_own_formats(tmp_path: Path, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "_PIECE", piece)
    path = tmp_path / "list.xlsx"
    expected = [(1, ["a", "b"])]
    with xlsxwriter.Workbook(path) as book:
        styles = [None, *(book.add_format({"num_format": code}) for code in ("0000", "#,##0"))]
        sheet = book.add_worksheet()
        sheet.write_row(0, 2, ["a", "b"])
        for at in range(1, 40):
            first, second = styles[at % 3], styles[at // 3 % 3]
            sheet.write_number(at, 2, at, first)
            sheet.write_number(at, 3, at * 1000, second)
            texts = [f"{at:04}" if at % 3 == 1 else str(at)]
            texts += [f"{at * 1000:04}" if at // 3 % 3 < 2 else f"{at * 1000:,}"]
            expected.append((at + 1, texts))
    assert read(open_workbook(path), header=False) == expected


def test_formats_are_looked_up_by_their_code_not_their_place(tmp_path: Path) -> None:
    path = formatted(tmp_path / "list.xlsx", [(901.0, "0000"), (902.0, '0"号&"')])
    changed(path, "xl/styles.xml", b'formatCode="0000"', b'formatCode="00&#48;00"')
    assert read(open_workbook(path)) == [(2, ["00901", "902"])]


def test_a_workbook_without_styles(tmp_path: Path) -> None:
    path = formatted(tmp_path / "list.xlsx", [(901.0, "0000")])
    changed(path, "xl/styles.xml", b"cellXfs", b"cellStyleXfs")
    assert read(open_workbook(path)) == [(2, ["901"])]


@pytest.mark.parametrize("piece", [1, 77, 1 << 20])
def test_numbers_of_an_open_document_arrive_as_it_shows_them(
    tmp_path: Path, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "_PIECE", piece)
    twice = 'table:number-columns-repeated="2"'
    note = "<office:annotation><text:p>a\n</text:p><text:p><text:tab/></text:p></office:annotation>"
    rows = [
        row(*"abcdefgh"),
        row(
            "<table:covered-table-cell/>",
            number("901", "0901", twice),
            f"<table:table-cell {twice}/>",
            number("1234.5", "1,234.50"),
            number("0.05", "5%"),
            number("1234", "<text:s/>1,234 "),
        ),
        row(number("901", "0901"), "x", attributes='table:number-rows-repeated="2"'),
        row(number("901", "¥901"), number("1234", "1.234"), number("1E+015", "1E+015"), number("0.3", "0")),
        row(number("901", "0901").replace("<text:p>", f"{note}<text:p>")),
        row(number("1234", "1,234").replace(' office:value="1234"', f' office:value="1234" {twice}')),
    ]
    path = open_document(tmp_path / "list.ods", {"前": rows[2], "a": "".join(rows)})
    empty = [""] * 6
    table = open_workbook(path, sheet="a")
    assert read(table) == [
        (2, ["", "0901", "0901", "", "", "1,234.50", "5%", "1,234"]),
        (3, ["0901", "x", *empty]),
        (4, ["0901", "x", *empty]),
        (5, ["901", "1234", "1000000000000000", "0", *empty[2:]]),
        (6, ["0901", "", *empty]),
        (7, ["1,234", "1,234", *empty]),
    ]
    assert table.unformatted == {0: (1, 5), 1: (1, 5)}


def test_errors_of_an_open_document_arrive_as_their_text(tmp_path: Path) -> None:
    marked = (
        '<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value=""'
        ' calcext:value-type="error"><text:p>{}</text:p></table:table-cell>'
    )
    rows = [
        row(*"abcd"),
        row("x", marked.format("#DIV/0!"), "", marked.format("Err:502")),
        # OpenOffice stores a failed calculation as the number 0.
        row(number("0", "#REF!"), number("0", "Err:522"), number("7", "No. 7"), marked.format("<text:span/>")),
    ]
    path = open_document(tmp_path / "list.ods", {"a": "".join(rows)})
    assert read(open_workbook(path)) == [
        (2, ["x", "#DIV/0!", "", "Err:502"]),
        (3, ["#REF!", "Err:522", "7", "#VALUE!"]),
    ]


def test_a_table_that_is_not_found_is_damage(tmp_path: Path) -> None:
    path = open_document(tmp_path / "list.ods", {"a": row("x")})
    with pytest.raises(InputUnusable) as caught:
        opendocument.look(path, "b")
    assert caught.value.code == "input.damaged"
