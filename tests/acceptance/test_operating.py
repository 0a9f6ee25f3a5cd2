"""The commands by which a person looks and decides, as typed."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.simulator import Knobs

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

LIST = ("sample_data/recipients.csv", "--campaign", "demo")
#: the command with a clock that is three days fast
LATER = """
import datetime as real, pipeline.cli.main as m
class Fast(real.datetime):
    @classmethod
    def now(cls, tz=None):
        return real.datetime.now(tz) + real.timedelta(days=3)
m.datetime = Fast
m.main()
"""


def test_a_batch_is_cancelled_and_stays_so(home: Home, gateway: EmbeddedGateway) -> None:
    batch = home.init()("validate", *LIST, "--json").document["batch_id"]
    done = home("cancel", batch)
    assert (done.code, f"batch {batch} is stopped" in done.out) == (0, True)
    run = home("run", *LIST, "--yes")
    assert run.code == 7
    assert f"`mediasms status {batch}`" in run.err
    assert gateway.messages == ()
    nothing = home("cancel", "09010000301", "--json")
    assert (nothing.code, nothing.document["error"]) == (2, "cancel.unknown")
    assert "argument 1" in nothing.err


def test_what_waits_at_the_gateway_is_cancelled_there(home: Home, gateway: EmbeddedGateway) -> None:
    gateway.knobs = Knobs(hold_seconds=3600, fate="at_once")
    rows = "".join(f"0901{row:07d},お知らせ,{name}\n" for row, name in enumerate(["x1", "x2", "x3"]))
    (home.folder / "list.csv").write_text(f"電話番号,本文,smsid\n{rows}", encoding="utf-8")
    batch = home.init()("run", "list.csv", "--campaign", "c", "--yes", "--json").document["batch_id"]
    one = home("cancel", "x2", "--json")
    assert (one.code, one.document["outcomes"]) == (0, {"x2": "cancelled"})
    done = home("cancel", batch)
    assert done.code == 0, done.err
    assert "at the gateway: 2 messages asked about" in done.out
    assert "2 cancelled; in this campaign their numbers stay served (x1, x3)" in done.out
    assert "1 cancelled before (x2)" in done.out
    assert "3 cancelled" in home("status", batch).out
    assert "200 (cancelled)" in home("trace", "x1").out
    found = home("reconcile", batch, "--json").document
    assert (found["classes"], found["breaks"]) == ({"cancelled": 3}, {})
    nothing = home("cancel", batch, "--lang", "ja", "--json")
    assert (nothing.code, nothing.document["error"]) == (7, "cancel.nothing")
    assert nothing.document["gateway"] == {"before": 3}
    assert "取り消せたものはありません（以前に取り消されています 3 通）" in nothing.err
    said = home("status", batch, "--lang", "ja").out
    assert f"{batch}-0001  受付済 3 通  開始" in said
    assert "取消依頼：取り消された 3 通\n" in said
    assert home.states(batch) == {"taken": 3}


def test_what_has_left_the_gateway_is_too_late(home: Home, gateway: EmbeddedGateway) -> None:
    gateway.knobs = Knobs(results_delay=3600)
    (home.folder / "list.csv").write_text("電話番号,本文\n09010000301,お知らせ\n", encoding="utf-8")
    batch = home.init()("run", "list.csv", "--campaign", "c", "--yes", "--json").document["batch_id"]
    late = home("cancel", batch, "--json")
    assert (late.code, late.document["gateway"], late.document["error"]) == (7, {"too_late": 1}, "cancel.nothing")
    assert "nothing could be cancelled (1 too late)" in late.err
    assert len(gateway.messages) == 1


def test_what_is_refused_is_said_with_what_it_means_and_what_to_do(home: Home, gateway: EmbeddedGateway) -> None:
    gateway.knobs = Knobs(ng_words=("お知らせ",), ng_words_refuse=True)
    rows = "".join(f"0901{row:07d},お知らせ,{name}\n" for row, name in enumerate(["x1", "x2"]))
    (home.folder / "list.csv").write_text(f"電話番号,本文,smsid\n{rows}", encoding="utf-8")
    done = home.init()("run", "list.csv", "--campaign", "c", "--yes")
    assert done.code == 1, done
    assert (
        "sent: 0 messages taken in 1 upload(s).\nrefused: 2 messages with 585 (text is empty or too long). " in done.out
    )
    assert "Correct the text: empty, blanks only" in done.out
    assert "585: text is empty or too long" in done.out
    (batch,) = home("status", "--json").document["batches"]
    (refused,) = batch["refusals"]
    assert (refused["code"], refused["messages"], refused["meaning"]) == ("585", 2, "text is empty or too long")
    assert "  2 通は拒否：585（本文が空か、長すぎます）\n" in home("status", batch["batch_id"], "--lang", "ja").out
    assert "class refused (585: text is empty or too long)" in home("trace", "x1").out
    assert home("trace", "x2", "--json", "--lang", "ja").document["messages"][0]["meaning"] == "本文が空か、長すぎます"
    found = home("reconcile", batch["batch_id"], "--json").document
    assert found["meanings"] == {"585": {"ja": "本文が空か、長すぎます", "en": "text is empty or too long"}}
    again = home("send", batch["batch_id"], "--json").document
    assert (again["sent"], again["refusals"]) == (0, [refused])


def test_an_old_run_date_and_a_low_limit_stop_the_run(home: Home, gateway: EmbeddedGateway) -> None:
    old = ("run", *LIST, "--run-date", "2026-01-05", "--yes")
    done = home.init()(*old)
    assert (done.code, "--late --because" in done.err) == (7, True)
    assert home(*old, "--late").code == 2
    assert home(*old, "--late", "--because", " ").code == 2
    assert home(*old, "--late", "--early", "--because", "x").code == 2
    late = (*old, "--late", "--because", "the holidays")
    dear = home(*late, "--max-cost", "100", "--json")
    assert (dear.code, dear.document["error"]) == (7, "guard.max_cost")
    assert home(*late, "--max-cost", "many").code == 2
    assert gateway.messages == ()
    assert home(*late, "--max-cost", "100000").code == 1
    assert any(detail.startswith("late ") and "the holidays" in detail for detail in home.details())


def test_after_two_unknown_batches_in_a_row_the_run_sends_no_more(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    gateway.knobs = Knobs(html_200=True, faults=2, results_delay=3600)
    names = []
    for number in range(4):
        names.append(f"list{number}.csv")
        (home.folder / names[-1]).write_text(f"電話番号,本文\n0901000{number:04d},お知らせ\n", encoding="utf-8")
    done = home("run", *names, "--yes", "--json")
    assert done.code == 5
    assert [run.get("error") for run in done.document["runs"]] == ["send.unknown"] * 2 + ["run.held_back"] * 2
    assert gateway.requests["/api3/"] == 2
    gateway.knobs = Knobs(results_delay=0)
    again = home("run", *names[2:], "--yes", "--json")
    assert again.code == 0
    assert {message.copies for message in gateway.messages} == {1}


def test_an_answer_that_proves_nothing_is_said_in_text_in_json_and_by_status(
    home: Home, gateway: EmbeddedGateway
) -> None:
    home.init()
    gateway.knobs = Knobs(refuse_code="402", results_delay=3600)
    done = home("run", *LIST, "--yes")
    assert "402 (sending limit reached" in done.err
    assert "BATCH" not in done.err
    assert "Ask the vendor to raise it" in done.err
    again = home("run", *LIST, "--yes", "--json")
    assert (again.code, again.document["error"], again.document["answer"]["code"]) == (5, "send.answered", "402")
    batch = again.document["batch_id"]
    assert f"Ask the vendor to raise it. `mediasms pull {batch}` shows" in again.document["answer"]["next"]
    said = home("status", "--lang", "ja").out
    assert f"`mediasms pull {batch}` で受付分を確かめてください" in said
    assert "402（送信上限に達しました" in said
    assert "サポートに上限の引き上げを依頼" in said
    (one,) = home("status", batch, "--json").document["batches"]
    assert one["unknown"][0]["answer"] == again.document["answer"]
    sent = home("send", batch, "--yes", "--json").document
    assert (sent["error"], sent["answer"]) == ("send.answered", again.document["answer"])


def test_a_batch_that_was_never_planned_says_how_many_wait(home: Home) -> None:
    home.init()("validate", *LIST)
    assert "  455 not sent\n" in home("status").out
    assert "  未送信 455 通\n" in home("status", "--lang", "ja").out


def test_status_says_what_is_unknown_and_what_to_type(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    assert "no batches yet" in home("status").out
    gateway.knobs = Knobs(html_200_nothing=True)
    batch = home("run", *LIST, "--yes", "--json").document["batch_id"]
    said = home("status").out
    assert f"{batch}-0001: 455 messages unknown since " in said
    assert f"next: mediasms pull {batch}\n" in said
    for outcome, language in (("taken", "en"), ("refused", "ja")):
        line = next(line for line in home("status", "--lang", language).out.splitlines() if f"--as {outcome} " in line)
        words = shlex.split(line[line.index("mediasms") :])
        assert words[1:5] == ["resolve", f"{batch}-0001", "--as", outcome]
        pasted = home(*words[1:])
        assert (pasted.code, "error[usage.because]" in pasted.err) == (2, True), "the placeholder is no reason"
    assert "unknown: 455 messages in 1 upload(s)" in said
    assert "  受付不明 455 通\n" in home("status", "--lang", "ja").out
    (found,) = home("status", batch, "--json").document["batches"]
    assert [(one["messages"], one["overdue"]) for one in found["unknown"]] == [(455, False)]
    assert found["next"] == "pull"
    assert "for more than 24 hours" in home("status", batch, python=("-c", LATER)).out
    assert "管理画面" in home("status", "--lang", "ja", python=("-c", LATER)).out
    assert home("resolve", f"{batch}-0001", "--as", "refused", "--because", " ").code == 2
    done = home("resolve", f"{batch}-0001", "--as", "refused", "--because", "not in the console", "--lang", "ja")
    assert (done.code, done.out) == (0, "455 通を 受付拒否（refused） としました。\n")
    detail = next(detail for detail in home.details() if detail.startswith("resolved"))
    assert "not in the console" in detail
    assert '"actor": ' in detail
    assert f"next: mediasms send {batch}\n" in home("status").out
    assert home("cancel", batch).code == 0
    stopped = home("status", batch).out
    assert "cancelled by " in stopped
    assert "next:" not in stopped


def test_clocks_that_differ_are_said_and_hide_no_results(home: Home, gateway: EmbeddedGateway) -> None:
    gateway.knobs = Knobs(fate="at_once")
    gateway.clock.advance(timedelta(hours=1))
    home.init()
    run = home("run", *LIST, "--yes", "--quiet", "--json")
    gateway.clock.advance(timedelta(minutes=5))
    pulled = home("pull", run.document["batch_id"], "--json")
    assert pulled.document["new"] >= 455
    for done in (run, pulled):
        assert done.err.count(" minutes apart. Set this machine's clock") == 1
    assert "時計のずれ（最後に分かったとき）" in home("doctor", "--lang", "ja").err


def test_status_keeps_to_one_screen(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()
    names = [f"list{number}.csv" for number in range(14)]
    for number, name in enumerate(names):
        # Of the youngest nothing can be sent: nothing is left to do.
        cell = f"0901000{number:04d}" if number < 13 else "1"
        (home.folder / name).write_text(f"電話番号,本文\n{cell},お知らせ\n", encoding="utf-8")
    gateway.knobs = Knobs(html_200_nothing=True)
    batch = home("run", names[0], "--yes", "--json").document["batch_id"]
    assert home("validate", *names[1:]).code == 1
    first, *lines = home("status").out.splitlines()
    assert first.startswith(f"{batch}  list0")
    assert sum(f"resolve {batch}-0001 --as refused" in line for line in lines) == 1
    total = next(at for at, line in enumerate(lines) if line.startswith("unknown: 1 messages in 1 upload(s)"))
    # What is open comes before what is done, and then the latest.
    shown = [line.split()[1].rpartition("-20")[0] for line in lines[total + 1 :] if "  list" in line]
    assert shown == [f"list{number}" for number in range(3, 13)]
    assert lines[-1] == "(and 3 more, 2 of them with something left to do: `mediasms status BATCH`, or --json)"
    assert len(home("status", "--json").document["batches"]) == 14


def test_a_ledger_that_was_restored_must_be_recovered_first(home: Home, gateway: EmbeddedGateway) -> None:
    batch = home.init()("validate", *LIST, "--json").document["batch_id"]
    saved = home("ledger", "backup", "saved.sqlite3", "--json")
    assert (saved.code, saved.document["size"]) == (0, (home.folder / "saved.sqlite3").stat().st_size)
    assert home("ledger", "backup", "saved.sqlite3").code == 2
    assert home("send", batch).code == 0
    restored = home("ledger", "restore", "saved.sqlite3")
    assert restored.code == 0
    assert "the ledger that was there: " in restored.out
    assert "next: mediasms ledger check --recover\n" in restored.out
    for command in (("ledger", "check"), ("send", batch), ("doctor",)):
        done = home(*command)
        assert (done.code, "`mediasms ledger check --recover`" in done.err) == (7, True)
    recovered = home("ledger", "check", "--recover", "--json").document
    assert (recovered["recovered_dispatches"], recovered["recovered_messages"]) == (1, 455)
    assert home.states(batch) == {"unknown": 455}
    assert home("pull", batch, "--json").document["settled"] == {"unknown": 455}
    assert home("send", batch, "--json").document["dispatches"] == 0
    assert home("ledger", "check", "--recover").out == "the ledger is sound.\n"
    assert {message.copies for message in gateway.messages} == {1}
