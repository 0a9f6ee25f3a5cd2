from __future__ import annotations

import csv
import signal
from datetime import date
from importlib.resources import files
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from xlsxwriter import Workbook

from pipeline.adapters import interruption
from pipeline.adapters.files import DurableFile
from pipeline.errors import Bug, GuardStopped, InputUnusable, Interrupted, UsageError
from pipeline.ledger.batches import find_batch, list_batches, register_batch
from pipeline.messages import Language
from pipeline.model import MessageState, RowTotals
from pipeline.stages import checking
from pipeline.stages.checking import REJECTED_COLUMNS
from pipeline.stages.out import FILES
from pipeline.stages.send import send
from pipeline.stages.validate import Request, validate
from tests.adapters.books import workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.context import Context
    from tests.stages.conftest import House


PROFILE = files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _wide(number: str, text: str, smsid: str = "", **cells: str) -> list[str]:
    row = [""] * 64
    row[0], row[9], row[17] = number, text, smsid
    for name, value in cells.items():
        row[int(name.removeprefix("c")) - 1] = value
    return row


def test_rows_are_accepted_rejected_with_reasons_or_repaired(house: House, context: Context) -> None:
    source = house.write(
        "顧客.csv",
        [
            ["お名前", "携帯番号", "本文"],
            ["青木", "090-1234-5678", "{お名前}様"],
            ["井上", "9012345679", "こんにちは"],
            ["上田", "03-1234-5678", "①です{x}"],
            ["江口", "09012345678", "重複"],
            ["大野", "09012345670", ""],
            ["加藤", "08011112222", "♥と①"],
            ["木村", "abc", "長" * 71],
        ],
    )
    done = validate(context, Request(source, "c"))
    assert done.batch.totals == RowTotals(7, 2, 5, 0)
    assert not done.continued
    assert sum(done.codes.values()) >= 7
    accepted = _read(done.folder / "accepted.csv")
    assert [(row["row_number"], row["msisdn"], row["text"]) for row in accepted] == [
        ("2", "09012345678", "青木様"),
        ("3", "09012345679", "こんにちは"),
    ]
    prefix, batch_id = context.ledger.prefix, done.batch.batch_id
    assert [row["smsid"] for row in accepted] == [f"{prefix}{batch_id}0000002", f"{prefix}{batch_id}0000003"]
    rejected = _read(done.folder / "rejected.csv")
    assert list(rejected[0]) == ["お名前", "携帯番号", "本文", *REJECTED_COLUMNS]
    by_name = {row["お名前"]: row for row in rejected}
    assert list(by_name) == ["上田", "江口", "大野", "加藤", "木村"]
    assert by_name["上田"]["携帯番号"] == "03-1234-5678"
    assert by_name["上田"]["mediasms_row"] == "4"
    assert by_name["上田"]["mediasms_column"] == "携帯番号|本文"
    assert by_name["上田"]["mediasms_code"].split("|")[1] == "tag.unknown"
    assert by_name["江口"]["mediasms_code"] == "recipient.duplicate"
    assert by_name["大野"]["mediasms_code"] == "text.empty"
    assert by_name["加藤"]["mediasms_code"] == "text.platform_dependent"
    assert by_name["加藤"]["mediasms_characters"].startswith("1:♥(U+2665)")
    assert by_name["木村"]["mediasms_column"] == "携帯番号|本文"
    assert "text.too_many_characters" in by_name["木村"]["mediasms_code"]
    assert all(row["mediasms_message"] for row in rejected)
    repaired = _read(done.folder / "repaired.csv")
    assert ("3", "9012345679", "09012345679") in [(r["row_number"], r["before"], r["after"]) for r in repaired]
    assert done.batch.repaired == len(repaired)
    assert find_batch(context.ledger, batch_id) == done.batch


def test_reasons_are_given_in_the_language_asked_for(house: House, context: Context) -> None:
    source = house.recipients(2, text=" ")
    english = _read(validate(context, Request(source, "c")).folder / "rejected.csv")
    japanese = house.open(language=Language.JA)
    other = _read(validate(japanese, Request(source, "c")).folder / "rejected.csv")
    assert english[0]["mediasms_message"].isascii()
    assert not other[0]["mediasms_message"].isascii()
    assert english[0]["mediasms_code"] == other[0]["mediasms_code"] == "text.empty"


def test_a_corrected_file_in_the_same_campaign_sends_only_what_was_not_served(house: House, context: Context) -> None:
    rows = [["tel", "text"], *([house.number(row), "本文"] for row in range(5)), ["123", "本文"]]
    first = house.batch(context, house.write("first.csv", rows))
    send(context, first)
    corrected = house.write("corrected.csv", [*rows[:-1], [house.number(77), "本文"]])
    second = validate(context, Request(corrected, "c"))
    assert second.batch.totals == RowTotals(6, 1, 0, 5)
    served = _read(second.folder / "already.csv")
    assert [row["smsid"] for row in served] == house.smsids(context, first.batch_id)
    assert [row["row_number"] for row in served] == ["2", "3", "4", "5", "6"]
    assert send(context, second.batch).states == {MessageState.TAKEN: 1}
    assert len(house.copies()) == 6
    elsewhere = validate(context, Request(corrected, "another"))
    assert elsewhere.batch.totals.already == 0


def test_a_file_of_which_everything_was_served_has_nothing_to_send(house: House, context: Context) -> None:
    house.sent(context, house.recipients(5))
    batch = house.batch(context, house.recipients(5, "same.csv", text="別の本文"))
    assert batch.totals == RowTotals(5, 0, 0, 5)
    assert send(context, batch).states == {}
    assert house.uploads() == 1


def test_one_text_for_the_whole_list(house: House, context: Context) -> None:
    source = house.write("l.csv", [["tel", "名"], [house.number(1), "青木"], [house.number(2), "井上"]])
    one = validate(context, Request(source, "c", text="{名}様、予約のお知らせ"))
    assert [row["text"] for row in _read(one.folder / "accepted.csv")] == [
        "青木様、予約のお知らせ",
        "井上様、予約のお知らせ",
    ]
    other = validate(context, Request(source, "c", text="{名}様"))
    assert other.batch.batch_id != one.batch.batch_id
    assert other.batch.content_sha256 == one.batch.content_sha256
    assert other.batch.fingerprint != one.batch.fingerprint
    assert len(list_batches(context.ledger)) == 2


@pytest.mark.parametrize("sent", [False, True])
def test_a_comment_in_the_profile_makes_no_other_batch(house: House, *, sent: bool) -> None:
    own = house.folder / "own.toml"
    own.write_text(PROFILE, encoding="utf-8")
    house.environment["MEDIASMS_GATEWAY_PROFILE"] = "own.toml"
    context, source = house.open(create=True), house.recipients(3)
    batch = house.batch(context, source)
    if sent:
        send(context, batch)
    own.write_text(f"{PROFILE}# a note of ours\n", encoding="utf-8")
    after = house.open()
    assert after.profile.sha256 != context.profile.sha256
    again = validate(after, Request(source, "c"))
    assert (again.batch.batch_id, again.continued) == (batch.batch_id, sent)
    assert len(list_batches(after.ledger)) == 1
    own.write_text(PROFILE.replace("text_characters = { value = 70", "text_characters = { value = 60"), "utf-8")
    stricter = validate(house.open(), Request(source, "c"))
    assert (stricter.batch.batch_id != batch.batch_id, stricter.batch.totals.already) == (True, 3 if sent else 0)


def test_the_gateways_own_layout_needs_no_header(house: House, context: Context) -> None:
    rows = [
        _wide("090-1111-2222", "一", "own1a", c6="memo"),
        _wide("08033334444", "二", c14="unused"),
        _wide("1", "三"),
    ]
    done = validate(context, Request(house.write("g.csv", rows), "c"))
    assert done.batch.totals == RowTotals(3, 2, 1, 0)
    accepted = _read(done.folder / "accepted.csv")
    assert [(row["row_number"], row["memo"]) for row in accepted] == [("1", "memo"), ("2", "")]
    assert accepted[0]["smsid"] == "own1a"
    rejected = _read(done.folder / "rejected.csv")[0]
    assert (rejected["mediasms_row"], rejected["mediasms_column"]) == ("3", "msisdn")


def test_the_same_input_is_the_same_batch_until_it_is_planned_and_then_continues(
    house: House, context: Context
) -> None:
    source = house.recipients(3)
    first = validate(context, Request(source, "c", date(2026, 11, 22)))
    second = validate(context, Request(source, "c", date(2026, 11, 23)))
    assert (first.continued, second.continued) == (False, False)
    assert second.batch.batch_id == first.batch.batch_id
    assert second.batch.run_date == date(2026, 11, 22)
    send(context, second.batch)
    renamed = source.rename(house.folder / "renamed.csv")
    third = validate(context, Request(renamed, "c"))
    assert third.continued
    assert third.codes == {}
    assert third.batch.source_name == "list.csv"
    assert third.batch.planned_at is not None
    with pytest.raises(GuardStopped) as stopped:
        register_batch(context.ledger, first.batch)
    assert stopped.value.code == "batch.frozen"


def test_campaign_and_run_date_have_defaults(house: House, context: Context) -> None:
    batch = house.batch(context, house.recipients(1, "春の案内.csv"), None)
    assert (batch.campaign, batch.run_date) == ("春の案内-2026-11-23", date(2026, 11, 23))


def test_with_out_the_ledger_is_only_read(house: House, context: Context) -> None:
    out = house.folder / "out"
    source = house.recipients(3)
    done = validate(context, Request(source, "c"), out=out)
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    assert list_batches(context.ledger) == []
    house.sent(context, source)
    assert not validate(context, Request(source, "c"), out=out).continued
    assert done.folder == out


def test_an_own_smsid_is_kept_and_belongs_to_one_message_for_ever(house: House, context: Context) -> None:
    head = ["tel", "text", "smsid"]
    own = house.write("a.csv", [head, [house.number(1), "本文", "order7"], [house.number(2), "本文", ""]])
    first = house.batch(context, own, "spring")
    send(context, first)
    assert house.smsids(context, first.batch_id) == ["order7", f"{context.ledger.prefix}{first.batch_id}0000003"]
    again = house.write(
        "b.csv",
        [
            head,
            [house.number(3), "別", "order7"],
            [house.number(4), "別", "order8"],
            [house.number(5), "別", "order8"],
            [house.number(6), "別", "1E5"],
            [house.number(7), "別", "a b"],
        ],
    )
    done = validate(context, Request(again, "summer"))
    assert [row["mediasms_code"] for row in _read(done.folder / "rejected.csv")] == [
        "smsid.duplicate",
        "smsid.duplicate",
        "smsid.is_a_number",
        "smsid.characters",
    ]
    assert send(context, done.batch).states == {MessageState.TAKEN: 1}


@pytest.mark.parametrize("cover", [[["配信リスト 11月"]], [["名前", "本文"], ["青木", "x"]]])
def test_a_cover_page_names_the_sheets_that_may_be_meant(
    house: House, context: Context, cover: list[list[str]]
) -> None:
    recipients = [["tel", "本文"], [house.number(1), "x"]]
    path = workbook(house.folder / "l.xlsx", {"表紙": cover, "宛先": recipients, "空": []})
    with pytest.raises(InputUnusable) as stopped:
        validate(context, Request(path, "c"))
    assert stopped.value.code == "input.another_sheet"
    for language in Language:
        said = stopped.value.what(language) + stopped.value.hint(language)
        assert all(word in said for word in ("l.xlsx", "表紙", "宛先", "--sheet", "電話番号"))
        assert "空" not in said
    assert validate(context, Request(path, "c", sheet="宛先")).batch.totals.accepted == 1


@pytest.mark.parametrize(
    ("rows", "text", "code"),
    [
        ([["名前", "本文"], ["青木", "x"]], None, "input.no_phone_column"),
        ([["tel", "名前"], ["09011112222", "x"]], None, "input.no_text"),
        ([["tel", "本文"], ["09011112222", "x"]], "共通", "input.two_texts"),
        ([["tel", "携帯番号", "本文"], ["09011112222", "09011112223", "x"]], None, "input.doubled_column"),
        ([["tel", "本文", "名", "名"], ["09011112222", "x", "a", "b"]], None, "input.doubled_column"),
        ([["tel", "本文"]], None, "input.no_rows"),
        ([["tel", "本文"], ["09011112222", "x"], ["09011112223"]], None, "input.ragged"),
        ([], None, "input.empty"),
    ],
)
def test_an_input_that_cannot_be_used_leaves_nothing_behind(
    house: House, context: Context, rows: list[list[str]], text: str | None, code: str
) -> None:
    source = house.write("bad.csv", rows)
    with pytest.raises(InputUnusable) as stopped:
        validate(context, Request(source, "c", text=text))
    assert stopped.value.code == code
    assert list_batches(context.ledger) == []
    assert [path for path in (context.workspace.root / "batches").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("moment", range(1, 7))
def test_a_signal_while_the_files_are_being_made_leaves_nothing_behind(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """Between making a file and noting that it must go lies a moment too, and one between two files."""
    monkeypatch.setattr(interruption, "_state", interruption._State())
    opened: list[object] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)}

    def interrupting(make: Callable[..., None]) -> Callable[..., None]:
        def made(self: object, *given: object, **options: object) -> None:
            make(self, *given, **options)
            opened.append(self)
            if len(opened) == moment:
                signal.raise_signal(signal.SIGTERM)

        return made

    for kind in (DurableFile, TemporaryDirectory, Workbook):
        monkeypatch.setattr(kind, "__init__", interrupting(kind.__init__))
    interruption.install()
    try:
        with pytest.raises(Interrupted):
            validate(context, Request(house.recipients(3)))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert len(opened) == 6
    assert list(context.workspace.batches_folder().iterdir()) == []


def test_a_failure_keeps_the_files_of_the_validation_before(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = house.recipients(3)
    before = validate(context, Request(source, "c"))
    kept = {path.name: path.read_bytes() for path in before.folder.iterdir()}

    def full(*_arguments: object) -> None:
        raise Bug("contract.broken", contract="x", checks="y")

    with monkeypatch.context() as patched:
        patched.setattr(checking, "_explained", full)
        patched.setattr(checking.Check, "_accepted_rows", full)
        with pytest.raises(Bug):
            validate(context, Request(source, "c"))
    assert {path.name: path.read_bytes() for path in before.folder.iterdir()} == kept
    assert send(context, before.batch).states == {MessageState.TAKEN: 3}


def test_an_empty_header_cell_gets_a_name_of_its_own(house: House, context: Context) -> None:
    source = house.write("l.csv", [["tel", "本文", ""], [house.number(1), "x", "note"], ["1", "y", "z"]])
    done = validate(context, Request(source, "c"))
    assert "column 3" in _read(done.folder / "rejected.csv")[0]


def test_a_scheduled_time_that_the_profile_has_not_confirmed_stops_the_file(house: House, context: Context) -> None:
    row = [""] * 64
    row[0], row[9], row[16] = "09011112222", "お知らせです", "2027.01.01.10.00"
    source = house.write("later.csv", [row])
    with pytest.raises(UsageError) as caught:
        validate(context, Request(source, "c"))
    assert (caught.value.code, caught.value.facts["key"]) == ("profile.not_confirmed", "scheduled")
    listed = house.write("named.csv", [["tel", "本文", "送信予定日時"], ["09011112222", "x", "203001011000"]])
    with pytest.raises(UsageError) as caught:
        validate(context, Request(listed, "d"))
    assert caught.value.facts == {"key": "scheduled", "number": 17, "row": 2, "column": "送信予定日時"}


def test_rows_served_with_smsids_of_the_users_own_are_already_not_duplicates(house: House, context: Context) -> None:
    rows = [[house.number(row), "お知らせです", f"mine{row}"] for row in range(4)]
    house.sent(context, house.write("a.csv", [["電話番号", "本文", "smsid"], *rows[:3]]))
    totals = house.batch(context, house.write("b.csv", [["電話番号", "本文", "smsid"], *rows])).totals
    assert (totals.accepted, totals.rejected, totals.already) == (1, 0, 3)


HEADER = ["電話番号", "本文", "備考"]


def test_a_batch_that_is_taken_up_again_says_what_was_found(house: House, context: Context) -> None:
    long = "長" * 140_000
    rows = [
        ["9011112222", "お知らせです", "a"],
        ["03-1234-5678", "①", 'b "x"\r\ny'],
        ["1", "お知らせです", long],
        ["09011113333", "♥", ""],
        ["1", "お知らせです", ""],
    ]
    source = house.write("list.csv", [HEADER, *rows])
    first = validate(context, Request(source, "c"))
    send(context, first.batch)
    again = validate(context, Request(source, "c"))
    assert again.continued
    assert again.codes == first.codes != {}
    assert again.rules == first.rules == {"phone.lost_zero": 1}
    assert again.workbook == first.workbook == house.folder / "list-rejected.xlsx"
    assert again.batch.totals == first.batch.totals
    assert (again.examples, again.uncounted) == ((), None)
    assert again.batch.workbook == first.batch.workbook
    assert [file.name for file in again.batch.artefacts] == list(FILES)


def test_the_workbook_is_named_only_where_it_is(house: House, context: Context) -> None:
    source = house.write("list.csv", [HEADER, ["09011112222", "あ", ""], ["1", "い", ""]])
    (house.folder / "list-rejected.xlsx").write_bytes(b"somebody else's")
    first = validate(context, Request(source, "c"))
    assert first.workbook == house.folder / "list-rejected-2.xlsx"
    send(context, first.batch)
    first.workbook.write_bytes(b"corrected by a person")
    assert validate(context, Request(source, "c")).workbook == first.workbook
    first.workbook.unlink()
    assert validate(context, Request(source, "c")).workbook is None


def test_a_workbook_that_stays_with_the_batch_goes_where_the_batch_goes(house: House, context: Context) -> None:
    source = house.write("list.csv", [HEADER, ["09011112222", "あ", ""], ["1", "い", ""]])
    first = validate(context, Request(source, "c", name="stdin"))
    assert first.batch.workbook is not None
    assert first.batch.workbook.name == "rejected.xlsx"
    send(context, first.batch)
    assert validate(context, Request(source, "c", name="stdin")).workbook == first.folder / "rejected.xlsx"


@pytest.mark.parametrize(("damage", "code"), [(b"x", "artefact.changed"), (None, "artefact.missing")])
def test_what_was_changed_since_is_not_counted_but_does_not_stop_the_batch(
    house: House, context: Context, damage: bytes | None, code: str
) -> None:
    source = house.write("list.csv", [HEADER, ["09011112222", "あ", ""], ["1", "い", ""]])
    first = validate(context, Request(source, "c"))
    send(context, first.batch)
    path = first.folder / "rejected.csv"
    path.write_bytes(path.read_bytes() + damage) if damage else path.unlink()
    again = validate(context, Request(source, "c"))
    assert again.continued
    assert again.codes == {}
    assert again.uncounted is not None
    assert again.uncounted.code == code
    assert send(context, again.batch).states == {MessageState.TAKEN: 1}


def test_what_goes_out_but_deserves_a_look_is_counted_with_its_first_rows(house: House, context: Context) -> None:
    names = ["", "青木", *[""] * 7]
    rows = [[house.number(at), "{氏名}様" if at else "様", name] for at, name in enumerate(names)]
    rows.append(["02012345678", "{氏名}様", "機器"])
    rows.append(["", "{氏名}様", ""])
    done = validate(context, Request(house.write("l.csv", [["tel", "本文", "氏名"], *rows]), "c"))
    assert done.warnings == {"phone.m2m": 1, "tag.empty_value": 7}
    assert done.warned == {"phone.m2m": [11], "tag.empty_value": [4, 5, 6, 7, 8]}
    assert done.batch.totals.accepted == 10


def test_a_cost_centre_is_carried_to_the_accepted_rows_and_goes_to_no_gateway(house: House, context: Context) -> None:
    rows = [
        ["09011112222", "あ", "\u3000営業一課 "],
        ["09011112223", "い{部門}", "製造, 第二"],
        ["09011112224", "う", ""],
        ["09011112225", "え", "部" * 65],
    ]
    done = validate(context, Request(house.write("list.csv", [["電話番号", "本文", "部門"], *rows]), "c"))
    accepted = _read(done.folder / "accepted.csv")
    assert [row["cost_centre"] for row in accepted] == ["営業一課", "製造, 第二", ""]
    assert accepted[1]["text"] == "い製造, 第二"
    assert done.codes == {"cost_centre.too_long": 1}
    assert send(context, done.batch).states == {MessageState.TAKEN: 3}
    assert "営業一課" not in (done.folder / "dispatch-0001.csv").read_text("utf-8")


def _book(path: Path, rows: Sequence[Sequence[str | int]], *merged: str) -> Path:
    """Write a list of which every number is shown in yen, and some cells are merged."""
    with Workbook(path) as book:
        sheet, yen = book.add_worksheet(), book.add_format({"num_format": '"¥"#,##0'})
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row, yen)
        for cells in merged:
            sheet.merge_range(cells, "要確認")
    return path


def test_numbers_that_go_out_otherwise_than_they_are_shown_are_noted(house: House, context: Context) -> None:
    heading: list[str | int] = ["電話番号", "本文", "金額", "点", "仕入"]
    texts = ["様", "{点}点", "{金額}円", "{金額}円"]
    rows = [heading]
    rows += [[9011110000 + at, text, 1000 * at, at, at] for at, text in enumerate(texts)]
    done = validate(context, Request(_book(house.folder / "list.xlsx", rows), "c"))
    assert done.batch.totals.accepted == 4
    assert done.warnings == {"cell.unformatted 金額": 4, "cell.unformatted 点": 4}
    assert done.warned == {"cell.unformatted 金額": [2], "cell.unformatted 点": [2]}
    once = [[*row[:1], *row[2:]] for row in rows]
    again = validate(context, Request(_book(house.folder / "once.xlsx", once), "d", text="{仕入}"))
    assert again.warnings == {"cell.unformatted 仕入": 4}


def test_cells_merged_over_rows_matter_only_in_columns_that_are_used(house: House, context: Context) -> None:
    heading: list[str | int] = ["電話番号", "本文", "部門", "備考", "済"]
    rows = [heading]
    rows += [[9011110000 + at, "{備考}x" if at == 3 else "あ", "", "", ""] for at in range(4)]
    assert validate(context, Request(_book(house.folder / "a.xlsx", rows, "E2:E3"), "c")).batch.totals.accepted == 4
    for name, cells in (("b", "C2:C3"), ("c", "D2:D3"), ("d", "C4:E5")):
        with pytest.raises(InputUnusable) as stopped:
            validate(context, Request(_book(house.folder / f"{name}.xlsx", rows, "E2:E3", cells), name))
        assert stopped.value.facts["cells"] == cells
    once = [[*row[:1], *row[3:]] for row in rows]
    source = _book(house.folder / "e.xlsx", once, "C2:C3")
    with pytest.raises(InputUnusable) as stopped:
        validate(context, Request(source, "e", text="{済}です"))
    assert stopped.value.code == "input.merged_cells"
    assert validate(context, Request(source, "f", text="あ")).batch.totals.accepted == 4
    assert [batch.campaign for batch in list_batches(context.ledger)] == ["c", "f"]
