"""The commands that only ask, as typed: what would be sent and cost, and what became of a message."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.acceptance.conftest import ROOT

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

LIST = ("sample_data/recipients.csv", "--campaign", "demo")


def test_a_dry_run_says_what_a_run_would_cost_and_sends_nothing(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    done = home("run", *LIST, "--dry-run")
    assert done.code == 1
    assert "dry run: nothing was sent." in done.out
    assert "would go out: 455 messages" in done.out
    assert "expected cost (untaxed): 3,867.5 to 4,186.0 yen" in done.out
    document = home("run", *LIST, "--dry-run", "--json", "--lang", "ja").document
    assert document["cost"] == {"lowest": "3867.5", "highest": "4186.0"}
    assert (document["messages"], document["rejected"], document["exit"]) == (455, 54, 1)
    batch = document["batch_id"]
    assert f"next: mediasms send {batch}" in home("send", batch, "--dry-run").out
    assert (gateway.messages, gateway.requests) == ((), {})
    assert home("send", batch, "--yes").code == 0
    assert len(gateway.messages) == 455
    again = home("send", batch, "--dry-run", "--json").document
    assert (again["messages"], again["next"], again["exit"]) == (0, "pull", 0)


def test_what_would_stop_the_run_is_said_with_its_exit_code(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    dear = home("run", *LIST, "--dry-run", "--max-cost", "4185.9")
    assert (dear.code, "error[guard.max_cost]" in dear.err) == (7, True)
    assert "expected cost (untaxed): 3,867.5 to 4,186.0 yen" in dear.out
    assert home("run", *LIST, "--dry-run", "--max-cost", "4186").code == 1
    old = home("run", *LIST, "--dry-run", "--run-date", "2026-01-05", "--campaign", "old", "--json")
    assert (old.code, old.document["error"], old.document["messages"]) == (7, "guard.late", 455)
    assert [found["error"] for found in old.document["stopped_by"]] == ["guard.late"]
    assert gateway.requests == {}


def test_a_dry_run_needs_no_account(home: Home) -> None:
    assert home.init()("run", *LIST, "--dry-run").code == 1
    assert home("run", *LIST, "--yes").code == 2


def test_texts_that_are_a_little_too_long_are_found(home: Home) -> None:
    """With the long-text option; the rows are named, the texts are not."""
    profile = (ROOT / "schemas/profiles/mediasms.toml").read_text("utf-8")
    (home.folder / "own.toml").write_text(
        profile.replace("long_text = { value = false", "long_text = { value = true"), encoding="utf-8"
    )
    rows = [f"0901000{row:04d},{'長' * length}" for row, length in enumerate((70, 71, 73, 74, 200))]
    (home.folder / "long.csv").write_text("\n".join(["電話番号,本文", *rows, ""]), encoding="utf-8")
    home.environment["MEDIASMS_GATEWAY_PROFILE"] = "own.toml"
    done = home.init()("run", "long.csv", "--dry-run")
    assert done.code == 0, done
    assert "2 messages are 1-3 characters over 1 part(s): 34.0 to 36.8 yen, shortened 17.0 to 18.4 yen" in done.out
    assert "(rows 3, 4)." in done.out
    assert "parts (Rakuten):" in done.out
    assert "長長" not in done.out + done.err


def test_the_life_of_a_message_is_told_without_its_number(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()("run", *LIST, "--yes")
    gateway.clock.advance(timedelta(days=3))
    assert home("pull").code == 0
    # What becomes of a message is decided by its smsid, which is another one in every ledger.
    traced = ((row, home("trace", row["smsid"])) for row in home.accepted() if int(row["row_number"]) >= 11)
    row, done = next((row, done) for row, done in traced if "送信済" in done.out and "separators removed" in done.out)
    assert done.code == 0
    for said in (
        f"recipients.csv, row {row['row_number']}",
        "separators removed",
        "送信済",
        "answer 200",
        "event ",
        "price ",
    ):
        assert said in done.out
    assert row["text"] not in done.out
    by_number = home("trace", "-", "--json", stdin=f"{row['msisdn']}\n\n".encode())
    assert by_number.document["messages"] == home("trace", row["smsid"], "--json", "--lang", "ja").document["messages"]
    assert (by_number.document["masked"], by_number.document["total"]) == (True, 1)
    assert home("trace", row["smsid"], "--lang", "ja").code == 0


def test_what_cannot_be_traced_is_a_usage_error(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()("run", "sample_data/clinic-3-rows.csv", "--yes")
    assert len(gateway.messages) == 1
    (row,) = home.accepted()
    near = home("trace", row["smsid"].upper(), "--json")
    assert (near.code, near.document["error"], row["smsid"] in near.err) == (2, "trace.similar", True)
    unknown = home("trace", "0901234", "--json")
    assert (unknown.code, unknown.document["error"], "0901234" in unknown.err) == (2, "trace.unknown", False)
    assert home("trace", "-", stdin=b"a\nb\n").code == 2
    assert home("trace", "-", stdin=b"").code == 2
    nobody = home("trace", "-", stdin=b"090-9999-9999\n")
    assert (nobody.code, "there is no message to this number" in nobody.out) == (0, True)


def test_many_messages_to_a_number_are_limited_and_counted(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    for number in range(3):
        (home.folder / f"{number}.csv").write_text(f"電話番号,本文\n09010000001,その{number}\n", encoding="utf-8")
    home("run", *(f"{number}.csv" for number in range(3)), "--yes")
    assert len(gateway.messages) == 3
    done = home("trace", "-", "--limit", "2", stdin=b"09010000001")
    assert "2 of 3 messages shown, newest first" in done.out
    assert done.out.count("  input ") == 2
    shown = subprocess.run(
        [sys.executable, "-m", "pipeline", "trace", "-", "--unmask"],
        cwd=home.folder,
        env=home.variables(),
        input=b"09010000001",
        capture_output=True,
        check=True,
    )
    assert shown.stdout.decode().count("→ 09010000001:") == 3
    assert "その2" in shown.stdout.decode()


def test_those_who_were_not_reached_are_written_to_in_a_new_campaign(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()("run", *LIST, "--yes")
    gateway.clock.advance(timedelta(days=3))
    home("pull")
    statuses = home("reconcile", home("status", "--json").document["batches"][0]["batch_id"], "--json").document
    failed = statuses["classes"]["failed"] - statuses["statuses"].get("配信停止希望", 0)
    assert failed > 10
    asking = ("run", "--from-failed", "demo", "--campaign", "again")
    dry = home(*asking, "--dry-run", "--json").document
    assert (dry["source"], dry["messages"], dry["exit"]) == ("from-failed-demo.csv", failed, 0)
    assert len(gateway.messages) == 455
    done = home(*asking, "--yes", "--json")
    assert (done.document["taken"], done.document["campaign"], done.document["batch_id"]) == (
        failed,
        "again",
        dry["batch_id"],
    )
    assert "input.csv" in done.document["artifacts"]
    assert len(gateway.messages) == 455 + failed
    assert {message.copies for message in gateway.messages} == {1}
    repeated = home(*asking, "--yes")
    assert f"nothing to send: batch {dry['batch_id']}" in repeated.out
    assert len(gateway.messages) == 455 + failed


def test_what_does_not_go_with_from_failed_is_a_usage_error(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()("run", "sample_data/clinic-3-rows.csv", "--campaign", "clinic", "--yes")
    text = home.folder / "text.txt"
    text.write_text("お知らせ", encoding="utf-8")
    asking = ("run", "--from-failed", "clinic")
    for arguments, code in (
        ((*asking, "--campaign", "new", "sample_data/clinic-3-rows.csv"), "usage.from_failed"),
        ((*asking, "--campaign", "new", "--text", "text.txt"), "usage.from_failed"),
        (asking, "usage.from_failed_campaign"),
        ((*asking, "--campaign", "clinic"), "usage.from_failed_campaign"),
        (("run", "--from-failed", "nobody", "--campaign", "new"), "campaign.unknown"),
    ):
        done = home(*arguments, "--json")
        assert (done.code, done.document["error"]) == (2, code)
    assert (home("run").code, "Missing argument 'INPUT...'" in home("run").err) == (2, True)
    assert len(gateway.messages) == 1
    nobody = home(*asking, "--campaign", "new", "--yes")
    assert (nobody.code, "nobody is known not to have been reached by campaign clinic" in nobody.out) == (0, True)
    assert home(*asking, "--campaign", "new", "--json").document == {"runs": [], "exit": 0}
