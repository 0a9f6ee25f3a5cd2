from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home


def test_a_long_day_says_no_number(home: Home, gateway: EmbeddedGateway) -> None:
    """Every command prints what it prints for people; the home looks at all of it, and at the ledger's events."""
    home.init()
    done = home("run", "sample_data/recipients.csv", "--campaign", "demo", "--yes", "--lang", "ja")
    assert (done.code, len(gateway.messages)) == (1, 455)
    batch = home("status", "--json").document["batches"][0]["batch_id"]
    for arguments in (
        ("status",),
        ("status", batch),
        ("pull",),
        ("pull", batch, "--lang", "ja"),
        ("reconcile", batch),
        ("reconcile", batch, "--lang", "ja"),
        ("send", batch),
        ("validate", "sample_data/recipients.csv", "--out", "again"),
        ("validate", "sample_data/recipients-cp932.csv", "--out", "cp932"),
        ("validate", "sample_data/gateway-64.csv", "--out", "gateway"),
        ("run", "sample_data/recipients.csv", "--campaign", "demo", "--dry-run"),
        ("send", batch, "--dry-run"),
        ("run", "--from-failed", "demo", "--campaign", "again", "--yes"),
        ("trace", home.accepted()[0]["smsid"]),
        ("trace", home.accepted()[1]["msisdn"], "--lang", "ja"),
        ("config", "show"),
        ("ledger", "check"),
    ):
        assert home(*arguments).code in {0, 1}, arguments
    for path in home.workspace.glob("batches/*/report-*.html"):
        home.nothing_private(path.read_text("utf-8"))
    for path in home.workspace.glob("batches/*/reconciliation-*.json"):
        home.nothing_private(path.read_text("utf-8"))


def test_the_password_is_nowhere_in_the_workspace(home: Home, gateway: EmbeddedGateway) -> None:
    home.init()("run", "sample_data/clinic-3-rows.csv", "--yes")
    assert len(gateway.messages) == 1
    secret = gateway.password.encode()
    for path in home.workspace.rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes(), path.name
