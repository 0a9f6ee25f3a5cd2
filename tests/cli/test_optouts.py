from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.main import cli

A, B = "09011112222", "08012345678"
MASKED = ["080****5678", "090****2222"]


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli, ["init"]).exit_code == 0


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    done = CliRunner().invoke(cli, ["optout", arguments[0], "--lang", "en", *arguments[1:]], input=stdin)
    if "--unmask" not in arguments:
        for number in (A, B):
            assert number not in done.output
    return done


def document(*arguments: str, stdin: str | bytes | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--json", stdin=stdin).stdout)
    return found


def test_add_list_remove() -> None:
    assert document("add", "090-1111-2222", B) == {"given": 2, "added": 2, "unreadable": [], "exit": 0}
    done = run("list")
    assert (done.exit_code, done.stdout.split()) == (0, MASKED)
    assert "2 numbers have opted out" in done.stderr
    assert run("list", "--unmask", "--quiet").output.split() == [B, A]
    assert document("list") == {"count": 2, "masked": True, "optouts": MASKED, "exit": 0}
    assert document("list", "--unmask")["optouts"] == [B, A]
    again = run("add", A)
    assert again.output == "1 numbers read; 0 of them are new on the list of opt-outs.\n"
    assert document("remove", A, "070-1234-5678") == {"given": 2, "removed": 1, "unreadable": [], "exit": 0}
    assert document("list")["count"] == 1


def test_numbers_come_from_standard_input() -> None:
    text = f"\ufeff{A}\r\n\r\n +81 80-1234-5678 \n"
    assert document("add", "-", stdin=text)["added"] == 2
    assert document("remove", "-", stdin=text)["removed"] == 2
    assert document("add", "-", stdin="")["given"] == 0


def test_one_unreadable_number_stops_all_and_is_named_by_its_place() -> None:
    done = run("add", A, "03-1234-5678", "-")
    assert done.exit_code == 3
    assert "number 2: Not a mobile number" in done.stdout
    assert "number 3: The phone number is empty" in done.stdout
    assert "error[optout.unreadable]: 2 of 3" in done.stderr
    found = document("add", "-", stdin=b"09011112222\n\x88\xc0\n")
    assert (found["error"], found["exit"], found["added"], found["given"]) == ("optout.unreadable", 3, 0, 2)
    assert [(one["position"], one["code"]) for one in found["unreadable"]] == [(2, "phone.letter")]
    assert document("list")["count"] == 0


def test_of_many_unreadable_numbers_the_first_are_shown() -> None:
    done = run("add", "-", stdin="1\n" * 25)
    assert done.stdout.count("  number ") == 20
    assert "(20 of 25 unreadable numbers shown)" in done.stdout
    assert len(document("add", "-", stdin="1\n" * 25)["unreadable"]) == 25


def test_import(tmp_path: Path) -> None:
    file = tmp_path / "stop.csv"
    file.write_text(f"氏名,電話番号\n山田,{A}\n田中,{B}\n", encoding="cp932")
    assert document("import", str(file)) == {"given": 2, "added": 2, "unreadable": [], "exit": 0}
    file.write_text(f"{A}\nx\n", encoding="utf-8")
    done = run("import", str(file))
    assert (done.exit_code, "row 2: " in done.stdout) == (3, True)
    missing = run("import", str(tmp_path / "none.csv"), "--json")
    assert (missing.exit_code, json.loads(missing.stdout)["error"]) == (3, "input.missing")


def test_in_japanese() -> None:
    done = CliRunner().invoke(cli, ["optout", "add", "--lang", "ja", A])
    assert done.output == "1 件を読み、うち 1 件を配信停止リストに新しく加えました。\n"


@pytest.mark.parametrize("arguments", [["add"], ["remove"], ["import"], ["list", "more"], ["other"]])
def test_wrong_usage(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli, ["optout", *arguments]).exit_code == 2
