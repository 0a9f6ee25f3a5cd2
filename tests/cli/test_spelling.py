"""Suggested commands: whole, quoted, and for the installation that suggests them."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import pytest

from pipeline.cli.main import Session
from pipeline.cli.options import Asked, judging
from pipeline.cli.output import Output
from pipeline.cli.spelling import CONFIG, completed, spelled
from pipeline.errors import GuardStopped
from pipeline.messages import Language

ELSEWHERE = Path("/srv/送信 店舗/mediasms.toml")


def asked(**options: Any) -> Asked:  # noqa: ANN401 - click's options
    nothing = dict.fromkeys(
        ("campaign", "run_date", "text", "template", "sheet", "layout", "max_rejects", "number_check")
    )
    flags = {"strict": False, "replace": (), "unchecked_templates": False, "allow_repeats": False, "mode": "auto"}
    return Asked(**{"inputs": (), **nothing, **flags, **options})


def test_the_usual_configuration_is_not_named() -> None:
    assert spelled(CONFIG, "send", "bcdfghjkmn") == "mediasms send bcdfghjkmn"
    assert completed("Run `mediasms init`.", CONFIG) == "Run `mediasms init`."


def test_another_configuration_is_named_and_everything_is_quoted() -> None:
    command = spelled(ELSEWHERE, "run", Path("顧客 1's.xlsx"), "--campaign", "$spring `x`")
    assert shlex.split(command) == [
        *("mediasms", "run", "顧客 1's.xlsx", "--campaign", "$spring `x`", "--config", str(ELSEWHERE))
    ]
    hint = completed("`mediasms pull b`、または `mediasms resolve b-0001 --as taken --because 理由`", ELSEWHERE)
    quoted = f"--config {shlex.quote(str(ELSEWHERE))}"
    assert hint == (f"`mediasms pull b {quoted}`、または `mediasms resolve b-0001 --as taken --because 理由 {quoted}`")


def test_the_hint_of_a_failure_names_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(Language.EN, as_json=False, quiet=False, log_format="text", config=Path("other.toml"))
    output.failure(GuardStopped("guard.not_confirmed", batch="bcdfghjkmn"))
    assert "`mediasms send bcdfghjkmn --config other.toml`" in capsys.readouterr().err
    assert Session(output).command("pull") == "mediasms pull --config other.toml"


def test_every_option_that_judges_is_said_again() -> None:
    options = {
        "campaign": "given",
        "run_date": datetime(2026, 11, 23),  # noqa: DTZ001 - as click reads a date
        "text": Path("本文.txt"),
        "template": "12",
        "sheet": "宛先",
        "layout": "short",
        "max_rejects": "5%",
        "replace": ("standard", "own.toml"),
        "strict": True,
        "unchecked_templates": True,
        "allow_repeats": True,
        "mode": "single",
        "number_check": "then-send",
    }

    @click.command()
    @judging
    def command(**given: Any) -> dict[str, Any]:  # noqa: ANN401 - click's options
        return given

    words = asked(**options).words(Path("-list.csv"), "given")
    assert words[0] == "run"
    given = command.main([str(word) for word in words[1:]], standalone_mode=False)
    assert given == {"inputs": (Path("-list.csv"),), **options}
    assert set(given) == set(Asked.__dataclass_fields__) - {"from_failed"}  # that is where rows come from


def test_what_was_not_given_is_not_said() -> None:
    assert asked().words(Path("list.csv"), "c") == ["run", "list.csv", "--campaign", "c"]


def test_corrected_rows_have_a_first_sheet_and_a_header() -> None:
    words = asked(sheet="宛先", layout="short", strict=True).words(Path("list-rejected.xlsx"), "c", corrected=True)
    assert words == ["run", "list-rejected.xlsx", "--campaign", "c", "--strict"]
