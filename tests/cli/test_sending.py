"""What the commands that send say when nothing went out, and how they count what did."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.cli.main import cli
from pipeline.config import load
from pipeline.core.calendar import JST
from pipeline.simulator import EmbeddedGateway, Knobs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

GOOD, OTHER, BAD = "090-1111-2222", "080-1111-2222", "123"


@pytest.fixture(autouse=True)
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedGateway]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with EmbeddedGateway(load(tmp_path / "none.toml", {}, required=False).profile, seed=7) as made:
        monkeypatch.setenv("MEDIASMS_GATEWAY_BASE_URL", made.url)
        monkeypatch.setenv("MEDIASMS_GATEWAY_USERNAME", made.username)
        monkeypatch.setenv("MEDIASMS_GATEWAY_PASSWORD", made.password)
        assert CliRunner().invoke(cli, ["init"]).exit_code == 0
        yield made


def said(*arguments: str, code: int = 0, language: str = "en") -> str:
    done = CliRunner().invoke(cli, [*arguments, "--lang", language], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def a_list(*numbers: str) -> tuple[str, ...]:
    rows = "".join(f"{number},お知らせ{at}\n" for at, number in enumerate(numbers))
    Path("list.csv").write_text(f"電話番号,本文\n{rows}", encoding="utf-8")
    return ("run", "list.csv", "--campaign", "c")


def test_a_list_of_which_no_row_was_accepted_is_not_called_dealt_with(gateway: EmbeddedGateway) -> None:
    run = a_list(BAD, BAD)
    out = said(*run, code=1)
    (line,) = re.findall("^nothing to send: .*$", out, re.MULTILINE)
    why = r"no row of batch (\w+) was accepted \(2 rejected, 0 already served\)"
    found = re.fullmatch(rf"nothing to send: {why}\. rejected rows: (.*)", line)
    assert found, line
    assert (Path(found[2]).name, Path(found[2]).exists()) == ("list-rejected.xlsx", True)
    assert "処理済み" not in said(*run, code=1, language="ja")
    Path(found[2]).unlink()
    for command in (run, ("send", found[1])):
        (line,) = re.findall("^nothing to send: .*$", said(*command, code=int(command is run)), re.MULTILINE)
        assert line.endswith(f"{found[1]}/rejected.csv")
    assert gateway.requests == {}


@pytest.mark.parametrize("numbers", [(GOOD,), (GOOD, BAD)], ids=["all accepted", "one rejected"])
def test_what_was_sent_has_been_dealt_with(numbers: tuple[str, ...]) -> None:
    run, code = a_list(*numbers), int(BAD in numbers)
    said(*run, code=code)
    assert "has already been dealt with." in said(*run, code=code)
    Path("list.csv").rename("other.csv")
    # All of it is served by the batch before.
    Path("other.csv").write_text(f"電話番号,本文\n{GOOD},別\n", encoding="utf-8")
    assert "has already been dealt with." in said("run", "other.csv", "--campaign", "c")


@pytest.mark.parametrize(("mode", "counted"), [("csv", "1 upload(s)"), ("single", "2 single request(s)")])
def test_single_sends_are_counted_as_requests(mode: str, counted: str) -> None:
    out = said(*a_list(GOOD, OTHER), "--mode", mode)
    assert f"sent: 2 messages taken in {counted}." in out


def document(*arguments: str, code: int = 0) -> dict[str, object]:
    done = CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == code, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_who_counts_as_served_by_a_list_that_was_cancelled_is_named_by_whatever_sends_or_reconciles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = ("--campaign", "c")
    Path("a.csv").write_text(f"電話番号,本文\n{GOOD},お知らせ\n", encoding="utf-8")
    Path("b.csv").write_text(f"電話番号,本文\n{GOOD},訂正\n{OTHER},訂正\n", encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setenv("MEDIASMS_GATEWAY_BASE_URL", "http://127.0.0.1:1")
        said("run", "a.csv", *given, code=4)
    first = str(document("validate", "a.csv", *given)["batch_id"])
    second = str(document("validate", "b.csv", *given)["batch_id"])
    dry = document("send", second, "--dry-run", code=7)
    assert (dry["error"], dry["exit"]) == ("run.waiting_planned", 7)
    said("cancel", first, "--yes")
    assert "error[run.unserved]: 1 rows of b.csv (2)" in said("send", second, "--dry-run", code=7)
    out = said("send", second, code=7)
    assert "sent: 1 messages taken in 1 upload(s)." in out
    assert f"error[run.unserved]: 1 rows of b.csv (2) count as served by batch {first}" in out
    again = document("send", second, code=7)
    assert (again["states"], again["error"], again["exit"]) == ({"taken": 1}, "run.unserved", 7)
    assert f"not among what was reconciled: 1 rows of b.csv (2) count as served by batch {first}" in said(
        "reconcile", second
    )
    Path("rest.csv").write_text(f"電話番号,本文\n{GOOD},訂正\n", encoding="utf-8")
    said("run", "rest.csv", *given)
    said("send", second)
    assert "not among" not in said("reconcile", second)


class InTwoMonths(datetime):
    """The clock of the command in two months."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + timedelta(days=62)


def test_a_month_that_is_closed_says_what_it_may_still_come_to(
    gateway: EmbeddedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIASMS_SEND_MAX_ROWS", "1")  # of two uploads the first is unknown, and the other one waits
    gateway.knobs = Knobs(html_200_nothing=True)
    month = f"{datetime.now(JST):%Y-%m}"
    said(*a_list(GOOD, "080-1111-2222"), code=5)
    monkeypatch.setattr(main, "datetime", InTwoMonths)
    for language, closed in (("en", "is closed"), ("ja", "前回の締め")):
        out = said("close", "--month", month, code=5, language=language)
        assert closed in out
        at_most = {
            "en": r"up to JPY [\d.]+ more, untaxed \(unknown: 1\)",
            "ja": r"最大 \+[\d.]+ 円（税抜、受付不明 1 件）",
        }
        # once among the headings, once where it is closed
        assert len(re.findall(at_most[language], out.replace("\n", " "))) == 2
        *_, left_open, unsent = out.splitlines()
        assert left_open.endswith("mediasms status")
        assert {"en": "not sent of {}: 1.", "ja": "{} に登録された 1 件は送信していません"}[language].format(
            month
        ) in unsent
