from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from pipeline.simulator import EmbeddedGateway, Knobs, VirtualClock

if TYPE_CHECKING:
    from schemas.profile import Profile
    from tests.simulator.conftest import Client

SERVE = """
import sys
from importlib import resources
from pipeline.simulator import EmbeddedGateway, serve
from schemas.profile import parse_profile

profile = parse_profile(resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8"), "p")
caught = serve(EmbeddedGateway(profile, seed=1), lambda url: print(url, flush=True))
print(caught.name, flush=True)
"""


def test_it_stops_without_a_trace_and_can_still_be_read(profile: Profile, client_of: type[Client]) -> None:
    before = threading.active_count()
    with EmbeddedGateway(profile, seed=1) as gateway, requests.Session() as idle:
        client_of(gateway).send(client_of.row())
        idle.get(f"{gateway.url}/_/clock", timeout=5)
        assert threading.active_count() > before
    assert threading.active_count() == before
    assert len(gateway.messages) == 1
    with pytest.raises(requests.ConnectionError):
        requests.get(gateway.url, timeout=5)


def test_it_may_be_opened_again_on_its_port(profile: Profile) -> None:
    gateway = EmbeddedGateway(profile, seed=1)
    with gateway:
        url = gateway.url
    with gateway:
        assert gateway.url == url
        assert requests.get(f"{url}/_/clock", timeout=5).ok


def test_it_listens_on_loopback_alone_and_a_taken_port_is_an_error(profile: Profile, gateway: EmbeddedGateway) -> None:
    parts = urlsplit(gateway.url)
    assert parts.hostname == "127.0.0.1"
    with (
        pytest.raises(OSError, match=r"in use"),
        EmbeddedGateway(profile, seed=1, port=int(parts.port or 0)),
    ):
        pass
    # Another loopback address is another interface.
    with (
        pytest.raises(OSError, match=r"refused|reach|assign"),
        socket.create_connection(("127.0.0.2", parts.port), 2),
    ):
        pass


def test_it_stops_while_an_upload_is_coming(client: Client, gateway: EmbeddedGateway) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(gateway.url).port)) as connection:
        head = (
            "POST /api3/?smstexttype=csv&username=demo&password=demo-password HTTP/1.1\r\nHost: x\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n"
        )
        connection.sendall(head.encode())
        while not gateway.requests:
            pass
        gateway.__exit__(None, None, None)
    assert gateway.messages == ()
    assert client.gateway is gateway


def test_clock_over_http(gateway: EmbeddedGateway, clock: VirtualClock) -> None:
    with urllib.request.urlopen(f"{gateway.url}/_/clock", timeout=5) as answer:  # noqa: S310 - our own address
        assert json.load(answer) == {"now": "2026-11-23T09:30:00+09:00"}
    answer = requests.post(f"{gateway.url}/_/clock?advance=72h", timeout=5)
    assert answer.json() == {"now": "2026-11-26T09:30:00+09:00"}
    assert clock.now().day == 26
    assert requests.post(f"{gateway.url}/_/clock?advance=soon", timeout=5).status_code == 400


def test_messages_over_http(client: Client) -> None:
    client.send(client.row(text="一\n二", smsid="a1"), client.row(text="一\n二", smsid="a1"))
    lines = requests.get(f"{client.gateway.url}/_/messages", timeout=5).text.splitlines()
    (message,) = map(json.loads, lines)
    carrier = message.pop("carrier")
    assert carrier in {"Docomo", "au", "SoftBank", "Rakuten"}
    assert message == {
        "smsid": "a1",
        "msisdn": "09011112222",
        "text": "一\n二",
        "csvid": "CSV20261123000001",
        "registered_at": "2026-11-23T09:30:00+09:00",
        "copies": 2,
        "parameters": {},
    }


def test_knobs_over_http(client: Client) -> None:
    url = f"{client.gateway.url}/_/knobs"
    assert requests.post(url, json={"answer_csvid": False, "results_cap": 1}, timeout=5).json()["results_cap"] == 1
    assert client.gateway.knobs == Knobs(answer_csvid=False, results_cap=1)
    assert requests.post(url, json={"foreign": 2}, timeout=5).ok
    assert requests.get(url, timeout=5).json() == Knobs(foreign=2).as_json()
    for body in ('{"foreign": "2"}', "no json", "[]"):
        answer = requests.post(url, data=body, timeout=5)
        assert answer.status_code == 400
        assert answer.text.strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = process.stdout.readline().decode().strip()
        assert requests.get(f"{url}/_/clock", timeout=5).ok
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out.decode().strip(), err.decode()) == (0, number.name, "")


def test_signal_handlers_are_put_back(profile: Profile) -> None:
    from pipeline.simulator import serve  # noqa: PLC0415 - beside its only in-process use

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    caught = serve(EmbeddedGateway(profile, seed=1), lambda _url: signal.raise_signal(signal.SIGTERM))
    assert caught is signal.SIGTERM
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_time_passes_without_being_asked(profile: Profile, client_of: type[Client]) -> None:
    with EmbeddedGateway(profile, seed=1) as gateway:
        client = client_of(gateway)
        client.send(client.row())
        (message,) = gateway.messages
        start = (message.registered_at - timedelta(minutes=1)).strftime("%Y%m%d%H%M")
        end = (message.registered_at + timedelta(minutes=1)).strftime("%Y%m%d%H%M")
        assert len(client.results(startdate=start, enddate=end)) == 1
