from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from openpyxl import Workbook

from pipeline.errors import InputUnusable
from pipeline.ledger.optouts import list_optouts
from pipeline.operations.optout import Change, import_optouts, opt_in, opt_out

if TYPE_CHECKING:
    from pipeline.context import Context
    from tests.stages.conftest import House

A, B = "09011112222", "08012345678"


def _codes(change: Change) -> list[tuple[int, str]]:
    return [(found.row_number, found.code) for found in change.unreadable]


def test_numbers_are_read_as_validation_reads_them(context: Context) -> None:
    spelled = ["090-1111-2222", "+81 80 1234 5678", "９０１１１１２２２２", '="09011112222"']
    assert opt_out(context, enumerate(spelled, 1), "test") == Change(4, 2)
    assert list(list_optouts(context.ledger)) == [B, A]
    assert opt_in(context, [(1, "81-90-1111-2222"), (2, "070-9999-9999")]) == Change(2, 1)
    assert list(list_optouts(context.ledger)) == [B]


def test_one_number_that_cannot_be_read_stops_all(context: Context) -> None:
    opt_out(context, [(1, A)], "test")
    numbers = list(enumerate([B, "", "03-1234-5678", A, "090111122"], 1))
    for done in (opt_out(context, numbers, "test"), opt_in(context, numbers)):
        assert (done.given, done.changed) == (5, 0)
        assert _codes(done) == [(2, "phone.empty"), (3, "phone.not_mobile"), (5, "phone.too_short")]
        assert list(list_optouts(context.ledger)) == [A]


def test_nothing_given_changes_nothing(context: Context) -> None:
    assert opt_out(context, [], "test") == opt_in(context, []) == Change(0, 0)


def _sources(context: Context) -> set[str]:
    with context.ledger.reading() as connection:
        return set(connection.exec_driver_sql("SELECT DISTINCT source FROM optout").scalars())


@pytest.mark.parametrize(
    ("rows", "encoding"),
    [
        ([["090-1111-2222"], ["08012345678"]], "utf-8"),
        ([["電話番号"], ["090-1111-2222"], ["08012345678"]], "cp932"),
        ([["氏名", "携帯電話", "備考"], ["山田", "090-1111-2222", ""], ["田中", "８０１２３４５６７８", "x"]], "utf-8"),
        ([["Tel", "名前"], ["090-1111-2222", ""], ["08012345678", "a"], ["", ""]], "utf-8"),
    ],
)
def test_a_file_is_read_by_its_phone_column_or_its_only_one(
    house: House, context: Context, rows: list[list[str]], encoding: str
) -> None:
    source = house.write("stop.csv", rows, encoding)
    assert import_optouts(context, source) == Change(2, 2)
    assert list(list_optouts(context.ledger)) == [B, A]
    assert _sources(context) == {"file:stop.csv"}
    assert import_optouts(context, source) == Change(2, 0)


def test_rows_that_cannot_be_read_are_named_by_their_row_and_nothing_is_taken(house: House, context: Context) -> None:
    rows = [["tel", "text"], [A, "x"], ["", "y"], [B, "z"], ["1234", "z"]]
    change = import_optouts(context, house.write("stop.csv", rows))
    assert (change.given, change.changed) == (4, 0)
    assert _codes(change) == [(3, "phone.empty"), (5, "phone.too_short")]
    assert list(list_optouts(context.ledger)) == []


def test_a_single_column_whose_header_nobody_knows_is_no_guess(house: House, context: Context) -> None:
    change = import_optouts(context, house.write("stop.csv", [["配信停止の方"], [A]]))
    assert _codes(change) == [(1, "phone.letter")]
    assert list(list_optouts(context.ledger)) == []


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([["氏名", "番号"], ["山田", A]], "input.no_phone_column"),
        ([["山田", A], ["田中", B]], "input.no_phone_column"),
        ([["tel", "携帯"], [A, B]], "input.doubled_column"),
        ([], "input.empty"),
    ],
)
def test_a_file_of_which_nobody_knows_the_column_is_not_used(
    house: House, context: Context, rows: list[list[str]], code: str
) -> None:
    with pytest.raises(InputUnusable) as stopped:
        import_optouts(context, house.write("stop.csv", rows))
    assert stopped.value.code == code
    assert A not in str(stopped.value)
    assert list(list_optouts(context.ledger)) == []


def test_a_workbook_is_read_by_the_sheet_that_is_named(house: House, context: Context) -> None:
    book = Workbook()
    book.active.append(["note"])  # type: ignore[union-attr]
    sheet = book.create_sheet("停止")
    for cells in (["電話番号", "受付日"], [A, "2026-11-01"], [f"'{B}", "2026-11-02"]):
        sheet.append(cells)
    book.save(house.folder / "stop.xlsx")
    assert import_optouts(context, house.folder / "stop.xlsx", sheet="停止") == Change(2, 2, sheet="停止")
    assert list(list_optouts(context.ledger)) == [B, A]


def test_only_numbers_that_are_merged_over_rows_stop_a_workbook(house: House, context: Context) -> None:
    book = Workbook()
    sheet, path = book.worksheets[0], house.folder / "stop.xlsx"
    for row in (["tel", "理由"], [A, "本人の希望"], [B, ""]):
        sheet.append(row)
    sheet.merge_cells("B2:B3")
    book.save(path)
    assert import_optouts(context, path).changed == 2
    sheet.merge_cells("A3:A4")
    book.save(path)
    with pytest.raises(InputUnusable) as stopped:
        import_optouts(context, path)
    assert (stopped.value.code, stopped.value.facts["cells"]) == ("input.merged_cells", "A3:A4")


def test_a_file_that_is_not_there(house: House, context: Context) -> None:
    with pytest.raises(InputUnusable) as stopped:
        import_optouts(context, house.folder / "none.csv")
    assert stopped.value.code == "input.missing"


def test_a_list_of_many_blocks(house: House, context: Context) -> None:
    rows = [[house.number(row)] for row in range(30_000)]
    assert import_optouts(context, house.write("stop.csv", rows)) == Change(30_000, 30_000)
    assert list(list_optouts(context.ledger)) == [row[0] for row in rows]
