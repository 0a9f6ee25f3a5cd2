from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.main import cli
from pipeline.ledger import machines
from pipeline.ledger.carrying import Carried
from pipeline.operations import backup


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
    assert "has belonged to another machine" in looked.stderr
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


def test_the_check_says_which_files_are_gone_and_stops_where_sending_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("init").exit_code == 0
    Path("list.csv").write_text("電話番号,本文\n09011112222,お知らせです\n", encoding="utf-8")
    batch = json.loads(run("validate", "list.csv", "--json").stdout)["batch_id"]
    folder = tmp_path / "workspace" / "batches" / batch
    assert json.loads(run("ledger", "check", "--json").stdout) == {"problems": [], "missing": {}, "exit": 0}
    (folder / "rejected.csv").unlink()
    found = run("ledger", "check")
    assert found.exit_code == 1
    assert f"batch {batch}: 1 files that the ledger knows are gone or of another size (rejected.csv)" in found.stderr
    document = json.loads(run("ledger", "check", "--recover", "--json").stdout)
    assert (document["missing"], document["marked_again"], document["exit"]) == ({batch: ["rejected.csv"]}, 0, 1)
    (folder / "accepted.csv").unlink()
    stopped = run("ledger", "check")
    assert (stopped.exit_code, stopped.stdout) == (7, "")
    assert f"the file {folder / 'accepted.csv'} is gone" in stopped.stderr


def test_restoring_says_what_has_to_be_entered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("init").exit_code == 0
    assert run("ledger", "backup", "saved.sqlite3").exit_code == 0
    assert run("optout", "add", "09011112222").exit_code == 0
    restored = run("ledger", "restore", "saved.sqlite3")
    assert restored.exit_code == 0
    assert "carried over: 1 opt-outs, 0 cancelled batches, 0 messages" in restored.stdout
    assert run("optout", "list").stdout == "090****2222\n"
    for file in (tmp_path / "workspace").glob("ledger.sqlite3*"):
        file.unlink()
    lost = run("ledger", "restore", "saved.sqlite3")
    assert lost.exit_code == 1
    assert "opt-outs and cancellations since the backup are lost" in lost.stderr
    assert "mediasms optout add" in lost.stderr
    assert json.loads(run("ledger", "restore", "saved.sqlite3", "--json").stdout)["carried"] == {
        "optouts": 0,
        "batches": 0,
        "messages": 0,
        "missing": [],
    }


def test_restoring_names_the_batches_whose_cancelled_messages_it_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    carried = Carried(0, 0, 0, ("aaaaaaaaaa", "bbbbbbbbbb"))
    monkeypatch.setattr(backup, "carry_over", lambda *_: carried)
    assert run("init").exit_code == 0
    assert run("ledger", "backup", "saved.sqlite3").exit_code == 0
    restored = run("ledger", "restore", "saved.sqlite3")
    assert restored.exit_code == 1
    assert "aaaaaaaaaa, bbbbbbbbbb" in restored.stderr
    assert "mediasms cancel SMSID..." in restored.stderr
