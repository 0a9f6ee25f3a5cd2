from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.main import cli
from pipeline.ledger import machines


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--lang", "en"])


def test_a_copy_says_where_its_ledger_lives_until_a_person_adopts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(machines, "_IDS", (tmp_path / "none", tmp_path / "machine-id"))
    machine = tmp_path / "machine-id"
    machine.write_text("0123456789abcdef0123456789abcdef\n")
    assert run("init").exit_code == 0
    assert "nothing says" in run("ledger", "adopt", "--because", "?").output
    machine.write_text("fedcba9876543210fedcba9876543210\n")
    looked = run("status")
    assert looked.exit_code == 0
    assert "belongs to another machine" in looked.stderr
    checked = run("ledger", "check", "--config", "mediasms.toml")
    assert checked.exit_code == 7
    assert "mediasms ledger adopt --because TEXT" in checked.stderr
    assert run("ledger", "adopt", "--because", " ").exit_code == 2
    done = run("ledger", "adopt", "--because", "the old server is gone", "--json")
    assert (done.exit_code, json.loads(done.stdout)["exit"]) == (0, 0)
    assert json.loads(done.stdout)["adopted_from"]
    for arguments in (("ledger", "check"), ("status",)):
        after = run(*arguments)
        assert (after.exit_code, after.stderr) == (0, "")
