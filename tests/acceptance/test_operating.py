"""The commands by which a person looks and decides, as typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.simulator import Knobs

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

LIST = ("sample_data/recipients.csv", "--campaign", "demo")


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


def test_what_was_taken_cannot_be_cancelled(home: Home, gateway: EmbeddedGateway) -> None:
    batch = home.init()("run", *LIST, "--yes", "--json").document["batch_id"]
    late = home("cancel", batch, "--lang", "ja", "--json")
    assert (late.code, late.document["error"]) == (7, "cancel.nothing")
    assert len(gateway.messages) == 455


def test_an_old_run_date_and_a_low_limit_stop_the_run(home: Home, gateway: EmbeddedGateway) -> None:
    old = ("run", *LIST, "--run-date", "2026-01-05", "--yes")
    done = home.init()(*old)
    assert (done.code, "--late --because" in done.err) == (7, True)
    assert home(*old, "--late").code == 2
    assert home(*old, "--late", "--because", "").code == 2
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
