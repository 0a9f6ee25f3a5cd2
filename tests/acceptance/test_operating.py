"""The commands by which a person looks and decides, as typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
