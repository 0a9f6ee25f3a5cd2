from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from pipeline.cli import main, people
from pipeline.cli.asking import asker
from pipeline.cli.main import cli
from pipeline.cli.options import Span
from pipeline.cli.output import Output, _Bar, actor, detect_language
from pipeline.core.forecast import CostRange, Forecast
from pipeline.errors import Bug, Exit, GuardStopped, Interrupted
from pipeline.messages import Language, label
from pipeline.stages.outlook import Preview

COMMANDS = ["demo", "init", "run", "validate", "send", "pull", "reconcile", "status", "resolve", "doctor"]
GROUPS = [
    *(("optout", name) for name in ("add", "remove", "import", "list")),
    *(("config", "show"), ("profile", "show"), ("profile", "check"), ("ledger", "check"), ("gateway", "serve")),
]


def _output(language: Language = Language.EN, *, as_json: bool = False, quiet: bool = False) -> Output:
    return Output(language, as_json=as_json, quiet=quiet, log_format="text")


@pytest.mark.parametrize("path", [(), *((name,) for name in COMMANDS), *GROUPS])
def test_every_command_has_help(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(cli, [*path, "--help"])
    assert done.exit_code == 0
    assert "Usage:" in done.output
    if path in GROUPS or path in [(name,) for name in COMMANDS]:
        for option in ("--config", "--json", "--quiet", "--log-format", "--lang"):
            assert option in done.output


def test_help_lists_commands_in_the_order_of_work() -> None:
    shown = CliRunner().invoke(cli, ["--help"]).output
    places = [shown.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize("arguments", [["absent"], ["run"], ["status", "--absent"], ["send"]])
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli, arguments).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "reconcile.what"),
        (["abc", "--month", "2026-11"], "reconcile.what"),
        (["--month", "2026-13"], "reconcile.month"),
        (["--month", "2026-1"], "reconcile.month"),
        (["--month", "November"], "reconcile.month"),
        (["--month", "2026-11-01"], "reconcile.month"),
    ],
)
def test_a_reconciliation_is_of_a_batch_or_of_a_month(arguments: list[str], code: str) -> None:
    done = CliRunner().invoke(cli, ["reconcile", *arguments, "--json", "--lang", "en"])
    assert done.exit_code == 2
    assert f"error[{code}]" in done.stderr
    assert "2026-11" in done.stderr


@pytest.mark.parametrize("language", Language)
def test_the_gateway_s_codes_are_a_table_in_the_language_asked_for(language: Language) -> None:
    done = CliRunner().invoke(cli, ["codes", "--gateway", "--lang", language.value])
    assert done.exit_code == 0
    assert not re.search(r"(?m)<br>|^\|", done.stdout)
    other = Language.EN if language is Language.JA else Language.JA
    for name in ("answer.column.next", "answer.proves.nothing_taken", "answer.to.result"):
        assert label(name, language) in done.stdout
        assert label(name, other) not in done.stdout
    listed = re.findall(r"(?m)^([0-9]{3}) \(", done.stdout)
    document = json.loads(CliRunner().invoke(cli, ["codes", "--gateway", "--json"]).stdout)
    assert listed == list(document["codes"])
    assert max(cell_len(line) for line in done.stdout.splitlines()) <= 100


def test_version() -> None:
    assert CliRunner().invoke(cli, ["--version"], prog_name="mediasms").output.startswith("mediasms, version ")


@pytest.mark.parametrize(
    ("text", "span"),
    [("0s", timedelta(0)), ("30m", timedelta(minutes=30)), ("2h", timedelta(hours=2)), ("1d", timedelta(days=1))],
)
def test_spans(text: str, span: timedelta) -> None:
    assert Span().convert(text, None, None) == span
    assert Span().convert(span, None, None) == span


@pytest.mark.parametrize("text", ["", "30", "m", "-1s", "1w", "1.5h"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Span().convert(text, None, None)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, Language.EN),
        ({"LANG": "ja_JP.UTF-8"}, Language.JA),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, Language.EN),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "JA_jp"}, Language.JA),
        ({"LC_ALL": "", "LANG": "ja"}, Language.JA),
    ],
)
def test_language_of_the_locale(environment: dict[str, str], language: Language) -> None:
    assert detect_language(environment) is language


def test_who_is_at_work() -> None:
    assert actor({"SUDO_USER": "hanako", "USER": "root"}) == "hanako"
    assert actor({"USER": "taro"}) == "taro"
    assert actor({}) == str(os.getuid())


def _raise(error: BaseException) -> Exit:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), Exit.INTERRUPTED),
        (click.Abort(), Exit.INTERRUPTED),
        (Interrupted(Exit.INTERRUPTED), Exit.INTERRUPTED),
        (Interrupted(Exit.TERMINATED), Exit.TERMINATED),
        (BrokenPipeError(), Exit.DONE),
        (GuardStopped("resolve.nothing", dispatch="x-0001"), Exit.GUARD),
        (Bug("state.illegal", before="a", after="b"), Exit.BUG),
        (RuntimeError("090-1234-5678"), Exit.BUG),
    ],
)
def test_whatever_is_raised_becomes_an_exit_code(
    error: BaseException, code: Exit, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main._guarded(_output(), lambda: _raise(error)) is code
    assert "5678" not in "".join(capsys.readouterr())


def test_clicks_own_errors_are_left_to_click() -> None:
    with pytest.raises(click.UsageError):
        main._guarded(_output(), lambda: _raise(click.UsageError("no")))


def test_a_failure_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    error = GuardStopped("resolve.nothing", dispatch="x-0001")
    main._guarded(_output(as_json=True), lambda: _raise(error))
    out, err = capsys.readouterr()
    assert json.loads(out) == {"error": "resolve.nothing", "exit": 7}
    assert err.startswith("error[resolve.nothing]: ")
    assert "hint: " in err


def test_quiet_keeps_results_and_failures(capsys: pytest.CaptureFixture[str]) -> None:
    output = _output(quiet=True)
    output.note("demo.gateway", url="http://127.0.0.1:1")
    output.say("ledger.good")
    output.failure(GuardStopped("resolve.nothing", dispatch="x-0001"))
    out, err = capsys.readouterr()
    assert out == "the ledger is sound.\n"
    assert "embedded" not in err
    assert "x-0001" in err


class _Terminal:
    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.said = getattr(self, "said", "") + text
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""


@pytest.mark.parametrize("output", [_output(quiet=True), _output(as_json=True), _output()])
def test_progress_is_silent_where_nobody_watches(output: Output, capsys: pytest.CaptureFixture[str]) -> None:
    output.progress()("send", 1, 2)
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = _output(Language.JA).progress()
    progress("validate", 1_000, 0)
    progress("validate", 2_000, 0)  # too soon after the one before
    progress("send", 100, 100)
    assert re.fullmatch(r"\r検証 1,000.*\x1b\[K\r送信 100 %\x1b\[K\n", terminal.said)


def test_progress_says_how_fast_and_how_long() -> None:
    bar = _Bar(Language.EN)
    bar("validate", 0, 0)
    assert bar.line(250_000, 1_000_000, 2.0) == "validating  25 %  125,000 rows/s  0:06 left"


def _declining(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put somebody at the terminal who says no; return what they are asked."""
    asked: list[str] = []

    def no(text: str, *, err: bool, default: bool, **_: object) -> bool:
        asked.append(text.removesuffix(" [y/N]"))
        return default or not err

    monkeypatch.setattr(sys, "stdin", _Terminal())
    monkeypatch.setattr(click, "prompt", no)
    return asked


@pytest.mark.parametrize("unpriced", [0, 2])
def test_on_a_terminal_run_asks(
    unpriced: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = main.Session(_output())
    assert asker(session, yes=False) is None
    asked = _declining(monkeypatch)
    assert asker(session, yes=True) is None
    ask = asker(session, yes=False)
    assert ask is not None
    cost = CostRange(Decimal("25.5"), Decimal("27.6"))
    expected = Forecast(messages=3, cost=cost, unpriced=unpriced, parts=(), near=())
    assert ask(Preview(3, "09010000301", "hello", expected)) is False
    assert asked == ["Send 3 messages?"]
    out, err = capsys.readouterr()
    assert out == ""
    for part in ("25.5", "27.6", "hello", "090****0301"):
        assert part in err
    assert "09010000301" not in err


def test_after_a_test_message_a_person_is_asked_whether_it_arrived(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = _declining(monkeypatch)
    cost = CostRange(Decimal("25.5"), Decimal("27.6"))
    preview = Preview(3, "09010000301", "hello", Forecast(messages=3, cost=cost, unpriced=0, parts=(), near=()))
    for sent in (True, False):
        trial = SimpleNamespace(sent=sent, cost=CostRange(Decimal("8.5"), Decimal("9.2")))
        ask = asker(main.Session(_output()), yes=False, trying=SimpleNamespace(trial=trial))  # type: ignore[arg-type]  # all that is looked at
        assert ask is not None
        assert ask(preview) is False
        assert ("with the test message (untaxed): 34.0 to 36.8 yen" in capsys.readouterr().err) is sent
    assert asked == ["Did the test message arrive as wanted? Send 3 messages?"] * 2


def test_what_is_damaged_in_a_ledger_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert runner.invoke(cli, ["init"]).exit_code == 0
    monkeypatch.setattr("pipeline.ledger.check_ledger", lambda _: ["row 3 missing from index"])
    done = runner.invoke(cli, ["ledger", "check"])
    assert done.exit_code == 7
    assert "row 3 missing from index" in done.output


def test_several_inputs_of_validate_make_one_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, number in (("a.csv", "090-1000-0301"), ("b.csv", "123")):
        (tmp_path / name).write_text(f"mobile,text\r\n{number},hello\r\n", encoding="utf-8")
    runner = CliRunner()
    assert runner.invoke(cli, ["init"]).exit_code == 0
    done = runner.invoke(cli, ["validate", "a.csv", "b.csv", "--run-date", "2026-11-23", "--json"])
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    said = runner.invoke(cli, ["validate", "a.csv", "b.csv", "--run-date", "2026-11-23", "--lang", "en"]).output
    assert said.index("== a.csv\n") < said.index("accepted 1") < said.index("== b.csv\n") < said.index("rejected 1")
    assert "==" not in runner.invoke(cli, ["validate", "a.csv", "--lang", "en"]).output
    assert [one["campaign"] for one in document["runs"]] == ["a-2026-11-23", "b-2026-11-23"]
    assert [one["exit"] for one in document["runs"]] == [0, 1]


def test_a_file_that_is_missing_is_blamed_on_what_was_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("mobile,text\r\n090-1000-0301,hello\r\n", encoding="utf-8")
    runner = CliRunner()
    assert runner.invoke(cli, ["init"]).exit_code == 0
    for words, key in (
        (["validate", "a.csv", "--replace", "nix.toml"], "--replace"),
        (["profile", "check", "nix.toml"], "profile check"),
    ):
        done = runner.invoke(cli, [*words, "--lang", "ja"])
        assert done.exit_code == 2
        assert f"error[config.unreadable]: {key}" in done.output
        assert "nix.toml を読めません" in done.output


def test_a_reader_who_leaves_early_is_no_failure(tmp_path: Path) -> None:
    ended = subprocess.run(  # noqa: S602 - a pipe, of words written here
        f"{sys.executable} -m pipeline profile show 2>err | head -1",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.decode().startswith("name = ")
    assert b"Traceback" not in (tmp_path / "err").read_bytes()


def test_help_does_not_load_the_heavy_libraries() -> None:
    code = (
        "import sys; from pipeline.cli.main import cli\n"
        "try: cli(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'pandas', 'pyarrow', 'numpy', 'sqlalchemy', 'requests', 'pandera', 'starlette', 'rich'}\n"
        "sys.exit(repr(heavy & sys.modules.keys()) if heavy & sys.modules.keys() else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr


def test_on_a_terminal_cancel_asks_with_the_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("mobile,text\r\n090-1000-0301,hello\r\n", encoding="utf-8")
    runner = CliRunner()
    assert runner.invoke(cli, ["init"]).exit_code == 0
    batch = json.loads(runner.invoke(cli, ["validate", "a.csv", "--json"]).stdout)["batch_id"]
    monkeypatch.setattr(people, "sys", SimpleNamespace(stdin=_Terminal()))
    declined = runner.invoke(cli, ["cancel", batch], input="n\n")
    assert declined.exit_code == 7
    assert "1 messages wait here and will not be sent; 0 are at the gateway" in declined.output
    assert json.loads(runner.invoke(cli, ["status", batch, "--json"]).stdout)["batches"][0]["stopped"] is None
    # Nothing is a no, and what cannot be understood is asked again.
    for answers in ("\n", "いいえ\n", "ja\nＮ\n"):
        assert runner.invoke(cli, ["cancel", batch, "--lang", "ja"], input=answers).exit_code == 7
    assert runner.invoke(cli, ["cancel", batch, "--lang", "ja"], input="はい\n").exit_code == 0
    assert json.loads(runner.invoke(cli, ["status", batch, "--json"]).stdout)["batches"][0]["stopped"]["actor"]
