from __future__ import annotations

import re
import tempfile
import tracemalloc
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from pipeline.core.headers import is_own_column
from pipeline.messages import REPAIRS, ROWS, Language, label
from pipeline.messages.rejects import ADVICE, FAMILY_ADVICE
from pipeline.model import CharacterAt, ExpandedText, Finding, RejectedRow, RowTotals
from pipeline.reports import rejects
from pipeline.reports.reject_cells import fitting, lines_of, width
from pipeline.reports.reject_words import advise, cell_note, explain, explain_code, length_in_words, named
from pipeline.reports.rejects import OWN_COLUMNS, RejectedWorkbook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

COLUMNS = ("電話番号", "氏名", "text", "memo")
HOSTILE = (
    "=1+1",
    "+81",
    "-5",
    "@SUM(A1)",
    "'quoted",
    "\ttab",
    "\rreturn",
    "a\r\nb",
    "line\nbreak\n",
    " blank ",
    "\u3000",
    "_x0041_",
    "_x005F_x0041_",
    "_x0041_x0042_",
    "_x0041\x01",
    "\x00\x01\x0b\x1b\x7f\x85\u2028",
    "<r><t>x</t></r>",
    "<r>a & b</r>",
    "&lt;]]>",
    "https://example.com/",
    "mailto:a@example.com",
    "\\\\host\\share",
    "09012345678",
    "1E5",
    "TRUE",
    "#N/A",
    "2026/11/20",
    "𠮷😀\u200b\u202e",
    "\ufeffx",
)


def row(
    number: int, *cells: str, findings: Sequence[Finding] = (), expanded: ExpandedText | None = None
) -> RejectedRow:
    return RejectedRow(row_number=number, cells=cells, findings=tuple(findings), expanded=expanded)


def write(
    path: Path,
    rows: Iterable[RejectedRow],
    columns: Sequence[str] = COLUMNS,
    language: Language = Language.EN,
    counts: Mapping[str, int] | None = None,
    **options: int,
) -> None:
    with RejectedWorkbook(path, columns, language=language, source="=list.csv", **options) as book:
        number = 0
        for number, rejected in enumerate(rows, 1):  # noqa: B007 - the count is the point
            book.add(rejected)
        totals = RowTotals(rows=number + 7, accepted=5, rejected=number, already=2)
        book.close(counts or {}, totals, rejected_csv="rejected.csv")


def read(path: Path) -> list[list[object]]:
    return [list(line) for line in CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()]


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


SAMPLE = [
    row(
        2,
        "0901234567",
        "山田",
        "こん\u200bにちは①",
        "",
        findings=[
            Finding(2, "電話番号", "phone.too_short", {"digits": 10}),
            Finding(
                2,
                "text",
                "text.platform_dependent",
                {"shown": "3:\u200b(U+200B), 7:①(U+2460)"},
                (CharacterAt(3, "\u200b"), CharacterAt(7, "①")),
            ),
        ],
        expanded=ExpandedText(
            text="こん\u200bにちは①",
            size=14,
            characters=7,
            parts={"docomo": 1, "SoftBank": 2},
            cut_by=("docomo", "SoftBank"),
        ),
    ),
    row(5, "", "佐藤", "やあ", "x", findings=[Finding(5, "電話番号", "phone.empty")]),
    row(9, "８１90", "", "hi", "", findings=[Finding(9, "電話番号", "phone.lost_zero", {}, (), "09012345678")]),
    row(12, "09012345678", "", "{x}", "", findings=[Finding(12, "no such column", "tag.unknown", {"tag": "x"})]),
]

odd = st.text(alphabet="_x0041F5<r>/\x01\r\n\t =+-@'&;", max_size=24)
any_text = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=40)


@given(st.lists(st.one_of(odd, any_text), min_size=1, max_size=12))
@example(list(HOSTILE))
@settings(max_examples=60, deadline=None)
def test_cells_come_back_byte_for_byte(cells: list[str]) -> None:
    columns = ["n", *(f"=c{number}" for number in range(len(cells)))]
    with folder() as place:
        write(place / "x.xlsx", [row(2, "0", *cells), row(3, "1", *cells[::-1])], columns)
        header, first, second = read(place / "x.xlsx")
    own = len(OWN_COLUMNS)
    assert header[:-own] == columns
    assert first[:-own] == ["0", *cells]
    assert second[:-own] == ["1", *cells[::-1]]


def test_what_no_workbook_can_hold_comes_back_as_a_character_that_cannot_be_sent(tmp_path: Path) -> None:
    write(tmp_path / "x.xlsx", [row(2, "0", "a\ufffeb\uffffc", "\ud800")], ["n", "a", "b"])
    assert read(tmp_path / "x.xlsx")[1][:3] == ["0", "a\ufffdb\ufffdc", "\ufffd"]


@pytest.mark.parametrize("language", Language)
def test_every_cell_is_text_and_nothing_acts(tmp_path: Path, language: Language) -> None:
    path = tmp_path / "x.xlsx"
    rows = [row(n, f"0901234567{n % 10}", text, text, text) for n, text in enumerate(HOSTILE, 2)]
    write(path, [*SAMPLE, *rows], language=language)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    cells = [cell for line in sheet.iter_rows() for cell in line]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    assert all(cell.number_format == "@" for cell in cells if cell.has_style)
    # A cell that is empty, or below the last row, has its column's format.
    columns = list(sheet.column_dimensions.values())
    assert {column.number_format for column in columns} == {"@"}
    assert {place for column in columns for place in range(column.min or 0, (column.max or 0) + 1)} == set(range(1, 11))
    assert not any(cell.hyperlink for cell in cells)
    assert not sheet.conditional_formatting


@pytest.mark.parametrize("language", Language)
def test_the_sheet_is_ready_to_work_with(tmp_path: Path, language: Language) -> None:
    path = tmp_path / "x.xlsx"
    write(path, [*SAMPLE, row(20, "0" * 30, "長" * 300, "a", "b")], language=language)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    header = [cell.value for cell in sheet[1]]
    assert header[:4] == list(COLUMNS)
    assert header[4:] == [label(f"reject.column.{name}", language) for name in OWN_COLUMNS]
    assert [is_own_column(str(name)) for name in header] == [False] * 4 + [True] * 6
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == "A1:J6"
    assert sheet.print_title_rows == "$1:$1"
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", False)
    widths = [sheet.column_dimensions[letter].width for letter in "ABCD"]
    assert widths[0] == pytest.approx(32, abs=1)
    assert widths[1] == pytest.approx(60, abs=1)
    assert sheet.row_dimensions[6].height == pytest.approx(6 * 17 + 4, abs=1)
    assert sheet["A2"].font.name == "Yu Gothic"
    assert sheet["A2"].alignment.wrap_text
    assert book.active is sheet


def test_offending_cells_are_marked_and_say_why(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    write(path, SAMPLE)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    marked = {cell.coordinate for line in sheet.iter_rows() for cell in line if cell.fill.bgColor and cell.font.bold}
    assert marked == {*(f"{letter}1" for letter in "ABCDEFGHIJ"), "A2", "C2", "A3", "A4"}
    notes = {cell.coordinate: cell.comment.text for line in sheet.iter_rows() for cell in line if cell.comment}
    assert notes.keys() == {"E1", "A2", "C2", "A3", "A4"}
    assert notes["C2"].splitlines() == [
        explain(SAMPLE[0].findings[1], Language.EN).replace("\u200b", "\ufffd"),
        "Character 3: U+200B ZERO WIDTH SPACE",
        "Character 7: ① (U+2460)",
    ]
    assert notes["A3"] == "The phone number is empty. → Enter the number, or delete the row."
    assert notes["A4"].endswith("Suggestion: 09012345678")


def test_our_columns_say_everything_about_a_row(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    write(path, SAMPLE)
    _, first, second, third, fourth = (line[4:] for line in read(path))
    assert str(first[0]).splitlines()[0] == (
        "電話番号: The phone number is too short (10 digits). A mobile number has 11. → Look up the right number."
    )
    assert str(first[0]).splitlines()[1].startswith("text: The text contains")
    assert first[1:] == [
        "",
        "こん\ufffdにちは①",
        "14 bytes, 7 characters, parts: docomo 1, SoftBank 2; cut by docomo, SoftBank",
        "2",
        "phone.too_short|text.platform_dependent",
    ]
    assert second[1:4] == ["", "", ""]
    assert third[1] == "電話番号: 09012345678"
    assert "--strict" in str(third[0])
    assert str(fourth[0]).startswith("no such column: There is no column for the tag {x}.")


@pytest.mark.parametrize("language", Language)
def test_the_second_sheet_counts_and_helps(tmp_path: Path, language: Language) -> None:
    path = tmp_path / "x.xlsx"
    write(path, SAMPLE, language=language, counts={"phone.empty": 1, "url.scheme": 12_345, "phone.letter": 12_345})
    sheet = openpyxl.load_workbook(path).worksheets[1]
    lines = [[cell.value for cell in line] for line in sheet.iter_rows()]
    assert lines[0][0] == label("reject.title", language, source="=list.csv")
    assert label("reject.personal", language) in [line[0] for line in lines]
    totals = {line[0]: line[1] for line in lines if isinstance(line[1], int)}
    assert [totals[label(f"reject.total.{n}", language)] for n in ("rows", "accepted", "rejected", "already")] == [
        11,
        5,
        4,
        2,
    ]
    assert [line[:2] for line in lines[-3:]] == [["phone.letter", 12_345], ["url.scheme", 12_345], ["phone.empty", 1]]
    assert lines[-1][2:] == [explain_code("phone.empty", language), advise("phone.empty", language)]
    assert {cell.data_type for line in sheet.iter_rows() for cell in line if cell.value is not None} == {"s", "n"}
    told = " ".join(str(line[0]) for line in lines)
    assert "rejected.csv" not in told
    assert "2,000" not in told


def test_rows_over_the_limit_are_counted_and_said_to_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    write(path, (row(n, "1", "", "", "") for n in range(2, 1502)), limit=1000)
    book = openpyxl.load_workbook(path)
    assert book.worksheets[0].max_row == 1001
    expected = "1,000 of 1,500 rows shown; all are in rejected.csv (which can be handed in again too)."
    assert book.worksheets[1]["A3"].value == expected


def test_notes_are_limited_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejects, "NOTES_LIMIT", 3)
    path = tmp_path / "x.xlsx"
    write(path, [*SAMPLE, *SAMPLE])
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    assert sum(cell.comment is not None for line in sheet.iter_rows(min_row=2) for cell in line) == 3
    assert all(sheet[place].font.bold for place in ("A4", "A6", "C6"))
    told = [str(cell.value) for cell in book.worksheets[1]["A"]]
    assert any(line.startswith("Only the first 3 cells") for line in told)


def test_a_cell_that_does_not_fit_is_cut_and_the_row_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    write(path, [row(2, "1", "a" * 32_767, "😀" * 20_000, "<r>" + "&" * 30_000 + "</r>")])
    line = read(path)[1]
    assert line[1] == "a" * 32_767
    assert line[2] == "😀" * 16_383 + "…"
    assert line[3] == "<r>" + "&" * 30_000 + "</r>"
    assert line[4] == (
        "text: 20000 characters do not fit into a cell of a workbook, so its end is left out here. "
        "Do not fix this row here; fix it in rejected.csv."
    )


def test_columns_that_do_not_fit_are_said_to_be_missing_in_every_row(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    columns = [f"c{number}" for number in range(16_380)]
    columns[1] = "n" * 40_000
    findings = [Finding(2, "c16379", "phone.empty")]
    write(path, [row(2, *(["1"] * 16_380), findings=findings)], columns)
    header, line = read(path)
    assert len(header) == len(line) == 16_384
    reasons = str(line[16_378]).splitlines()
    assert "40000 characters do not fit" in reasons[0]
    assert reasons[1].startswith("The last 2 columns do not fit")
    assert reasons[2].startswith("c16379: The phone number is empty.")


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first, second = tmp_path / "1.xlsx", tmp_path / "other/2.xlsx"
    write(first, SAMPLE)
    write(second, SAMPLE)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["1.xlsx", "2.xlsx", "other"]


@pytest.mark.parametrize("number", [1, 300])
def test_a_run_that_fails_leaves_nothing_behind(tmp_path: Path, number: int) -> None:
    def rows() -> Iterator[RejectedRow]:
        yield from SAMPLE * number
        raise OSError

    with pytest.raises(OSError, match=r"^$"):
        write(tmp_path / "x.xlsx", rows())
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_the_failure_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").mkdir()
    with pytest.raises(IsADirectoryError):
        write(tmp_path / "x.xlsx", SAMPLE)
    assert [path.name for path in tmp_path.iterdir()] == ["x.xlsx"]


def test_any_file_name_is_named(tmp_path: Path) -> None:
    source = "\udcff" + "&" * 250 + ".csv"
    with RejectedWorkbook(tmp_path / "x.xlsx", COLUMNS, language=Language.JA, source=source) as book:
        book.close({}, RowTotals(0, 0, 0, 0), rejected_csv="rejected.csv")
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx").worksheets[1]
    assert str(sheet["A1"].value).endswith("\ufffd" + "&" * 250 + ".csv")
    assert sheet.oddFooter is not None
    assert str(sheet.oddFooter.left.text).startswith("個人情報")


def test_no_rows_make_a_workbook_too(tmp_path: Path) -> None:
    write(tmp_path / "x.xlsx", [])
    assert read(tmp_path / "x.xlsx")[0][:4] == list(COLUMNS)


def test_memory_is_that_of_the_rows_shown(tmp_path: Path) -> None:
    def peak(number: int) -> int:
        tracemalloc.start()
        write(tmp_path / "x.xlsx", (SAMPLE[n % 4] for n in range(number)), limit=1_000)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(10)
    assert peak(20_000) < peak(1_000) + 100_000


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("code", [*ROWS, *REPAIRS])
def test_every_code_is_explained_with_a_way_out(code: str, language: Language) -> None:
    assert not re.search(r"\{\w+\}", explain_code(code, language))
    assert advise(code, language)
    assert ("--strict" in explain_code(code, language)) == (code in REPAIRS)


def test_advice_is_given_for_codes_that_exist() -> None:
    assert ADVICE.keys() <= ROWS.keys()
    assert FAMILY_ADVICE.keys() <= {code.partition(".")[0] for code in ROWS}


def test_a_repair_that_was_not_made_is_said_to_be_one() -> None:
    finding = Finding(2, "電話番号", "phone.separators")
    assert explain(finding, Language.EN).startswith("The value needs a correction (normally: separators removed).")
    assert "区切り記号" in explain(finding, Language.JA)


@pytest.mark.parametrize(
    ("text", "japanese", "english"), [("①②Ⅲ㎡㈱№℡", " ほか 2 字", " and 2 more"), ("①②Ⅲ㎡㈱", "", "")]
)
def test_characters_that_are_not_named_are_counted(text: str, japanese: str, english: str) -> None:
    characters = tuple(CharacterAt(at, character) for at, character in enumerate(text, 1))
    shown = ", ".join(map(str, characters[:5]))
    finding = Finding(2, "本文", "text.platform_dependent", {"shown": shown}, characters)
    assert f"{shown}{japanese}" in explain(finding, Language.JA)
    assert f"{shown}{english}." in explain(finding, Language.EN)


def test_a_position_counts_where_the_character_stands() -> None:
    finding = Finding(2, "text", "text.platform_dependent", {"shown": ""}, (CharacterAt(4, "①"),))
    expanded = ExpandedText(text="山田様①", size=8, characters=4, parts={}, cut_by=())
    assert cell_note("{氏名}①", [finding], expanded, Language.EN).splitlines()[-1] == (
        "Character 4 of the text as sent: ① (U+2460)"
    )
    assert cell_note("abc①", [finding], None, Language.JA).splitlines()[-1] == "4文字目：① (U+2460)"
    many = Finding(
        2, "text", "text.platform_dependent", {"shown": ""}, tuple(CharacterAt(n, "①") for n in range(1, 21))
    )
    assert cell_note("①" * 20, [many], None, Language.EN).splitlines()[-1] == "and 12 more"


def test_characters_are_named() -> None:
    assert named("\x07") == "U+0007"
    assert named("\u202e") == "U+202E RIGHT-TO-LEFT OVERRIDE"
    assert named("\u3099") == "U+3099 COMBINING KATAKANA-HIRAGANA VOICED SOUND MARK"
    assert named("𠮷") == "𠮷 (U+20BB7)"


def test_length_in_words() -> None:
    text = ExpandedText(text="x", size=142, characters=71, parts={"docomo": 2, "SoftBank": 2}, cut_by=("docomo",))
    assert length_in_words(text, Language.EN) == "142 bytes, 71 characters, 2 parts; cut by docomo"
    assert length_in_words(text, Language.JA) == "142バイト、71文字、分割数 2。docomo では途中で切れます"
    short = ExpandedText(text="x", size=1, characters=1, parts={"docomo": 1}, cut_by=())
    assert length_in_words(short, Language.EN) == "1 bytes, 1 characters, 1 part"


def test_room_is_measured_as_a_japanese_page_has_it() -> None:
    assert [width(text) for text in ("abc", "日本語", "ﾊﾝｶｸ", "é①", "한글", "😀")] == [3, 6, 4, 2, 4, 2]
    assert [lines_of(text, 10) for text in ("", "abc", "日本語日本語", "a\n\nb", "a" * 21)] == [1, 1, 2, 3, 3]
    assert fitting("a" * 32_767) == "a" * 32_767
    assert fitting("a" * 32_768) == "a" * 32_766 + "…"
