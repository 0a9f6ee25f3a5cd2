"""The loop of an analyst: what came back is corrected in a spreadsheet and handed in again, and only that goes out."""

from __future__ import annotations

import csv
import io
import shlex
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.acceptance.conftest import read_csv

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Done, Home

#: texts that a spreadsheet takes for something else
HOSTILE = ("=1+1", "+特価", "-5度", "@店", "'引用", '"二重"', '=HYPERLINK("http://x")', "_x0041_")


def write(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def correct(path: Path, number: str) -> None:
    """Do what the file asks for: put right the number in each row."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, 1).value = f"{number}{row:04d}"
    book.save(path)


def test_only_corrected_rows_go_out_and_hostile_texts_survive(home: Home, gateway: EmbeddedGateway) -> None:
    good = [[f"0901234{row:04d}", "ご予約は明日です。", "x"] for row in range(5)]
    bad = [["03-1234-5678", text, "memo"] for text in HOSTILE]
    write(home.folder / "list.csv", [["電話番号", "本文", "備考"], *good, *bad])
    home.init()
    first = home("run", "list.csv", "--campaign", "c", "--yes", "--json")
    assert (first.code, first.document["accepted"], first.document["rejected"]) == (1, 5, len(bad))
    back = home.folder / "list-rejected.xlsx"
    again = home("run", back.name, "--campaign", "c", "--yes", "--json")
    assert (again.code, again.document["accepted"], again.document["rejected"]) == (1, 0, len(bad))
    correct(back, "0809999")
    last = home("run", back.name, "--campaign", "c", "--yes", "--json")
    assert (last.code, last.document["accepted"], last.document["rejected"]) == (0, len(bad), 0)
    sent = {message.text for message in gateway.messages if message.msisdn.startswith("0809999")}
    assert sent == set(HOSTILE)
    assert {message.copies for message in gateway.messages} == {1}
    assert len(gateway.messages) == len(good) + len(bad)


def test_what_came_back_twice_is_never_overwritten(home: Home) -> None:
    write(home.folder / "list.csv", [["tel", "text"], ["1", "あ"], ["2", "い"]])
    home.init()
    assert home("validate", "list.csv", "--campaign", "c").code == 1
    edited = home.folder / "list-rejected.xlsx"
    correct(edited, "0901111")
    kept = edited.read_bytes()
    assert home("validate", "list.csv", "--campaign", "c").code == 1
    assert edited.read_bytes() == kept
    assert (home.folder / "list-rejected-2.xlsx").exists()
    assert home("validate", "list.csv", "--campaign", "c").code == 1
    assert sorted(path.name for path in home.folder.glob("list-*")) == ["list-rejected-2.xlsx", "list-rejected.xlsx"]


def test_rejected_csv_can_be_handed_in_too(home: Home) -> None:
    write(home.folder / "list.csv", [["tel", "text"], ["03-1111-2222", "=あ"], ["09011112222", "い"]])
    home.init()
    assert home("validate", "list.csv", "--out", "out").code == 1
    path = home.folder / "out" / "rejected.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("03-1111-2222", "09033334444"), encoding="utf-8")
    done = home("validate", str(path), "--out", "again", "--json")
    assert (done.code, done.document["accepted"]) == (0, 1)
    assert [row["text"] for row in read_csv(home.folder / "again" / "accepted.csv")] == ["=あ"]


@pytest.mark.parametrize(("limit", "code"), [("2", 1), ("1", 3), ("66.7%", 1), ("66%", 3), ("many", 2)])
def test_with_too_many_rejected_rows_nothing_is_sent(
    home: Home, gateway: EmbeddedGateway, limit: str, code: int
) -> None:
    write(home.folder / "list.csv", [["tel", "text"], ["1", "あ"], ["2", "い"], ["09011112222", "う"]])
    home.init()
    done = home("run", "list.csv", "--yes", "--max-rejects", limit, "--json")
    assert done.code == code
    assert len(gateway.messages) == (1 if code == 1 else 0)
    if code == 3:
        assert done.document["error"] == "input.too_many_rejects"
        assert (home.folder / "list-rejected.xlsx").exists()
        assert home("status", "--json").document["batches"] == []
        assert not list(home.workspace.glob("batches/*/accepted.csv"))
        # The same list without the limit is not held up by what the first run left.
        assert home("run", "list.csv", "--yes").code == 1
        assert len(gateway.messages) == 1


def test_an_unusable_input_leaves_nothing_and_does_not_stop_the_others(home: Home) -> None:
    write(home.folder / "good.csv", [["tel", "text"], ["09011112222", "あ"]])
    (home.folder / "ragged.csv").write_text("tel,text\n09011113333,a\n09011114444,b,c\n")
    home.init()
    before = sorted(path for path in home.folder.rglob("*") if path.is_file())
    done = home("validate", "ragged.csv", "--json")
    assert (done.code, done.document["error"]) == (3, "input.ragged")
    left = [path for path in home.folder.rglob("*") if path.is_file() and path not in before]
    assert [path.parent.name for path in left] == ["locks"]
    both = home("validate", "ragged.csv", "good.csv", "--json")
    assert both.code == 3
    assert [run.get("error", run.get("accepted")) for run in both.document["runs"]] == ["input.ragged", 1]


def test_a_list_without_a_header_a_sheet_and_standard_input(home: Home) -> None:
    config = home.folder / "mediasms.toml"
    home.init()
    config.write_text(config.read_text(encoding="utf-8") + '\n[layouts.short]\ncolumns = ["電話番号", "名", "本文"]\n')
    write(home.folder / "bare.csv", [["09011112222", "青木", "{名}様"]])
    done = home("validate", "bare.csv", "--layout", "short", "--json")
    assert (done.code, done.document["accepted"]) == (0, 1)
    assert home("validate", "bare.csv", "--layout", "long").code == 2
    assert home("validate", "bare.csv").code == 3
    write(home.folder / "wide.csv", [["09011112222", "青木", "{名}様", "?"]])
    assert home("validate", "wide.csv", "--layout", "short").code == 3
    book = openpyxl.Workbook()
    book.worksheets[0].title = "表紙"
    sheet = book.create_sheet("宛先")
    sheet.append(["tel", "text"])
    sheet.append([9012345678, "あ"])
    book.save(home.folder / "book.xlsx")
    assert home("validate", "book.xlsx", "--sheet", "宛先", "--json").document["accepted"] == 1
    assert home("validate", "book.xlsx", "--sheet", "宛名").code == 2


def test_standard_input_is_a_list_like_any_other(home: Home) -> None:
    home.init()
    lines = io.StringIO("tel,text\n09011112222,あ\n1,い\n")
    done = home("validate", "-", "--campaign", "c", "--json", stdin=lines.getvalue().encode())
    assert (done.code, done.document["source"], done.document["rows"]) == (1, "stdin", 2)
    assert done.document["artifacts"]["rejected.xlsx"].endswith("rejected.xlsx")
    assert not list(home.workspace.glob(".*")), "nothing of standard input is left behind"


def test_strict_replacements_and_repeats(home: Home) -> None:
    rows = [["tel", "text"], ["9012345678", "あ"], ["09011112222", "㈱髙橋😀"], ["09011112222", "二通目"]]
    write(home.folder / "list.csv", rows)
    home.init()
    strict = home("validate", "list.csv", "--strict", "--json", "--out", "a").document
    assert strict["codes"] == {"phone.lost_zero": 1, "text.platform_dependent": 1}
    replaced = home("validate", "list.csv", "--replace", "standard", "--json", "--out", "b").document
    assert (replaced["codes"], replaced["repairs"]) == (
        {"recipient.duplicate": 1},
        {"phone.lost_zero": 1, "text.replaced": 1},
    )
    assert [row["text"] for row in read_csv(home.folder / "b" / "accepted.csv")] == ["あ", "(株)高橋"]
    (home.folder / "own.toml").write_text('[replace]\n"😀" = "(笑)"\n', encoding="utf-8")
    both = home("validate", "list.csv", "--replace", "standard", "--replace", "own.toml", "--json", "--out", "c")
    assert [row["text"] for row in read_csv(home.folder / "c" / "accepted.csv")] == ["あ", "(株)高橋(笑)"]
    assert both.code == 1
    (home.folder / "bad.toml").write_text('[replace]\n"あ" = "い"\n', encoding="utf-8")
    assert home("validate", "list.csv", "--replace", "bad.toml").code == 2
    repeats = home("validate", "list.csv", "--replace", "standard", "--allow-repeats", "--json", "--out", "d").document
    assert (repeats["accepted"], repeats["rejected"]) == (3, 0)


def test_rows_that_wait_in_another_batch_are_no_success(home: Home, gateway: EmbeddedGateway) -> None:
    write(home.folder / "list.csv", [["tel", "text"], ["09011112222", "あ"]])
    home.init()
    address = home.environment["MEDIASMS_GATEWAY_BASE_URL"]
    home.environment["MEDIASMS_GATEWAY_BASE_URL"] = "http://127.0.0.1:9"
    assert home("run", "list.csv", "--campaign", "c", "--yes").code == 4
    home.environment["MEDIASMS_GATEWAY_BASE_URL"] = address
    other = home("run", "list.csv", "--campaign", "c", "--yes", "--replace", "standard", "--json")
    assert (other.code, other.document["already"], other.document["error"]) == (7, 1, "run.waiting_planned")
    assert gateway.requests.get("/api3/", 0) == 0
    assert home("run", "list.csv", "--campaign", "c", "--yes").code == 0
    assert home("run", "list.csv", "--campaign", "c", "--yes", "--replace", "standard").code == 0
    assert [message.copies for message in gateway.messages] == [1]


def test_the_limit_of_rejects_holds_for_a_planned_batch_too(home: Home, gateway: EmbeddedGateway) -> None:
    write(home.folder / "list.csv", [["tel", "text"], ["09011112222", "あ"], ["1", "い"]])
    home.init()
    address = home.environment["MEDIASMS_GATEWAY_BASE_URL"]
    home.environment["MEDIASMS_GATEWAY_BASE_URL"] = "http://127.0.0.1:9"
    assert home("run", "list.csv", "--campaign", "c", "--yes").code == 4
    home.environment["MEDIASMS_GATEWAY_BASE_URL"] = address
    assert home("run", "list.csv", "--campaign", "c", "--yes", "--max-rejects", "0").code == 3
    assert gateway.requests.get("/api3/", 0) == 0


def test_the_files_of_out_never_replace_an_input(home: Home) -> None:
    home.init()
    write(home.folder / "rejected.csv", [["tel", "text"], ["09011112222", "あ"]])
    kept = (home.folder / "rejected.csv").read_bytes()
    assert home("validate", "rejected.csv", "--out", ".").code == 2
    assert (home.folder / "rejected.csv").read_bytes() == kept
    for name in ("a", "b"):
        (home.folder / name).mkdir()
        write(home.folder / name / "l.csv", [["tel", "text"], [f"0901111222{len(name)}", name]])
    assert home("validate", "a/l.csv", "b/l.csv", "--out", "o").code == 0
    texts = {read_csv(path)[0]["text"] for path in home.folder.glob("o/*/accepted.csv")}
    assert texts == {"a", "b"}


def test_failed_formulas_negative_numbers_and_rows_without_a_header_are_never_sent_or_shown(home: Home) -> None:
    home.init()
    rows = [
        ["tel", "text", "名"],
        ["09011112222", "{名}様", "#N/A"],
        ["09011113333", "#REF!", "青木"],
        ["-9063330009", "あ", "青木"],
        ["09011114444", "#1 {名}様", "# N/A"],
        ["09011115555", "{09012345678 山田}様", "青木"],
    ]
    write(home.folder / "list.csv", rows)
    done = home("validate", "list.csv", "--out", "o", "--json")
    assert done.document["codes"] == {"cell.spreadsheet_error": 2, "phone.letter": 1, "tag.unknown": 1}
    assert [row["text"] for row in read_csv(home.folder / "o" / "accepted.csv")] == ["#1 # N/A様"]
    assert "山田" not in home("validate", "list.csv", "--out", "p").out
    write(home.folder / "bare.csv", [["山田太郎", "9.01E+09", "明日のご予約"]])
    bare = home("validate", "bare.csv")
    assert bare.code == 3
    assert "山田" not in bare.out + bare.err


def suggested(done: Done, lead: str) -> list[str]:
    """Return the words of the command that was printed behind ``lead``, as a shell would cut them."""
    (line,) = [line for line in done.out.splitlines() if line.strip().startswith(lead)]
    program, *words = shlex.split(line.partition(lead)[2])
    assert program == "mediasms"
    return words


@pytest.mark.parametrize("out", [(), ("--out", "checked")])
def test_printed_commands_can_be_pasted(home: Home, gateway: EmbeddedGateway, out: tuple[str, ...]) -> None:
    """With everything that has to be quoted, another configuration, and a list that has no header."""
    config = home.folder / "店舗 1's.toml"
    assert home("init", "--config", config.name).code == 0
    config.write_text(config.read_text("utf-8") + '\n[layouts.short]\ncolumns = ["電話番号", "お名前"]\n', "utf-8")
    write(home.folder / "顧客 (春).csv", [["09011112222", "青木"], ["03-1", "井上"]])
    (home.folder / "本文 $1.txt").write_text("{お名前}様、ご予約は明日です。\n", encoding="utf-8")
    options = ("--layout", "short", "--text", "本文 $1.txt", "--campaign", "春 の `案内`", "--max-rejects", "50%")
    done = home("validate", "顧客 (春).csv", *options, "--config", config.name, *out)
    assert done.code == 1
    sent = home(*suggested(done, "next: "), "--json")
    assert sent.code == (1 if out else 0)
    assert len(gateway.messages) == 1
    again = suggested(done, "once they are corrected: ")
    correct(home.folder / again[1], "0901111")
    assert home(*again, "--yes", "--json").document["accepted"] == 1
    assert [message.text for message in gateway.messages][1:] == ["井上様、ご予約は明日です。"]


def test_after_a_failure_the_command_to_type_is_for_the_same_installation(home: Home) -> None:
    done = home("run", "list.csv", "--config", "absent.toml")
    assert done.code == 2
    assert "`mediasms init --config absent.toml`" in done.err
