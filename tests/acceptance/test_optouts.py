"""Somebody opts out when the batch is planned: the others get their message, and the command says what became of it."""

from __future__ import annotations

import re
import socket
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

RUN = ("run", "list.csv", "--campaign", "c", "--yes")
NUMBERS = [f"0901000{row:04d}" for row in range(5)]


@pytest.fixture
def batch(home: Home, gateway: EmbeddedGateway) -> str:
    """A batch that is planned, because the gateway was out of reach, with one recipient who has opted out since."""
    url = home.environment["MEDIASMS_GATEWAY_BASE_URL"]
    assert url == gateway.url
    home.init()
    (home.folder / "list.csv").write_text(
        "電話番号,本文\n" + "".join(f"{number},お知らせです\n" for number in NUMBERS), encoding="utf-8"
    )
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        home.environment["MEDIASMS_GATEWAY_BASE_URL"] = f"http://127.0.0.1:{taken.getsockname()[1]}"
    done = home(*RUN, "--json")
    assert (done.code, done.document["opted_out"]) == (4, 0)
    home.environment["MEDIASMS_GATEWAY_BASE_URL"] = url
    assert home("optout", "add", "-", stdin=NUMBERS[2].encode()).code == 0
    found: str = done.document["batch_id"]
    return found


def _documented(section: str) -> list[str]:
    """Return the keys that a section of the documentation describes."""
    page = (Path(__file__).parents[2] / "docs/json.md").read_text(encoding="utf-8")
    _, _, rest = page.partition(f"# {section}\n")
    rows = [line for line in rest.partition("\n# ")[0].splitlines() if line.startswith("| `")]
    return [key for row in rows for key in re.findall(r"`(\w+)`", row.split("|")[1])]


def _others(gateway: EmbeddedGateway) -> bool:
    """Say whether everybody but who opted out has exactly one message."""
    others = [number for number in NUMBERS if number != NUMBERS[2]]
    return Counter(message.msisdn for message in gateway.messages) == Counter(others)


def test_the_run_goes_on_and_reports_it(home: Home, gateway: EmbeddedGateway, batch: str) -> None:
    done = home(*RUN)
    assert (done.code, done.err) == (1, "")
    assert "sent: 4 messages taken in 1 upload(s)." in done.out
    assert "cancelled: 1 messages to numbers that opted out" in done.out
    assert _others(gateway)
    assert home.states(batch) == {"cancelled": 1, "taken": 4}

    # Neither the next run nor coming off the list changes that, and nothing is sent again.
    assert home("optout", "remove", "-", stdin=NUMBERS[2].encode()).code == 0
    again = home(*RUN, "--lang", "ja")
    assert again.code == 1
    assert "取消：配信停止を希望した番号宛の 1 通は送信しません" in again.out
    for command in (RUN, ("reconcile", batch)):
        document = home(*command, "--json").document
        assert (document["opted_out"], document["cancelled"], document["classes"]["cancelled"]) == (1, 1, 1)
        assert (document["taken"], document["planned"], document["balanced"], document["exit"]) == (4, 0, True, 1)
        assert all(equation["holds"] for equation in document["equations"])
    assert _others(gateway)


@pytest.mark.parametrize("as_json", [True, False])
def test_sending_goes_on_and_reports_it(home: Home, gateway: EmbeddedGateway, batch: str, *, as_json: bool) -> None:
    for dispatches, sent in ((1, 4), (0, 0)):
        done = home("send", batch, *(["--json"] if as_json else []))
        assert (done.code, done.err) == (1, "")
        if as_json:
            assert list(done.document) == _documented("The sending document")
            assert done.document == {
                "batch_id": batch,
                "dispatches": dispatches,
                "sent": sent,
                "states": {"cancelled": 1, "taken": 4},
                "opted_out": 1,
                "refusals": [],
                "exit": 1,
            }
        else:
            assert "cancelled: 1 messages to numbers that opted out" in done.out
    assert _others(gateway)
    assert [detail for detail in home.details() if detail.startswith("cancelled")] == [
        'cancelled {"reason": "opted_out", "messages": 1, "rows": "4"}'
    ]
