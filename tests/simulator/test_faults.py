"""Each fault does what it says: to the client, and to what is taken."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from pipeline.simulator import EmbeddedGateway, Knobs

if TYPE_CHECKING:
    from tests.simulator.conftest import Client


def is_reset(error: BaseException) -> bool:
    """Say whether a reset by the peer (or a write into one) is the cause of what requests raised."""
    causes: list[BaseException | None] = [error]
    while causes[-1] is not None:
        causes.append(causes[-1].__cause__ or causes[-1].__context__)
    return any(isinstance(cause, ConnectionResetError | BrokenPipeError) for cause in causes)


def test_html_with_everything_taken(client: Client) -> None:
    client.gateway.knobs = Knobs(html_200=True)
    answer = client.send(*client.many(3))
    assert answer.status_code == 200
    assert answer.text.startswith("<!DOCTYPE html>")
    assert len(client.gateway.messages) == 3


def test_html_with_nothing_taken(client: Client) -> None:
    client.gateway.knobs = Knobs(html_200_nothing=True)
    assert client.send(*client.many(3)).text.startswith("<!DOCTYPE html>")
    assert client.gateway.messages == ()


@pytest.mark.parametrize(("as_status", "code", "status"), [(False, "596", 200), (True, "596", 596), (True, "666", 200)])
def test_refusal_by_code(client: Client, as_status: bool, code: str, status: int) -> None:  # noqa: FBT001
    client.gateway.knobs = Knobs(refuse_code=code, code_as_http_status=as_status)
    answer = client.send(*client.many(3))
    assert (answer.status_code, answer.text) == (status, code)
    assert client.gateway.messages == ()


@pytest.mark.parametrize("size", [0, 1, 1_000_000, 100_000_000])
def test_reset_in_the_middle_of_the_body(client: Client, size: int) -> None:
    client.gateway.knobs = Knobs(reset_after_bytes=size)
    with pytest.raises(requests.ConnectionError) as raised:
        client.send(*client.many(30_000, "x" * 60))
    assert is_reset(raised.value)
    assert client.gateway.messages == ()


def test_a_client_that_leaves_before_its_reset(client: Client, gateway: EmbeddedGateway) -> None:
    gateway.knobs = Knobs(reset_after_bytes=1_000_000)
    with socket.create_connection(("127.0.0.1", urlsplit(gateway.url).port)) as connection:
        target = b"/api3/?username=demo&password=demo-password"
        connection.sendall(b"POST " + target + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx")
    gateway.knobs = Knobs()
    assert client.send(client.row()).text.startswith("200\n")


def test_reset_after_everything_was_taken(client: Client) -> None:
    client.gateway.knobs = Knobs(accept_then_reset=True)
    with pytest.raises(requests.ConnectionError) as raised:
        client.send(*client.many(3))
    assert is_reset(raised.value)
    assert len(client.gateway.messages) == 3


def test_a_raw_socket_sees_the_reset(client: Client, gateway: EmbeddedGateway) -> None:
    gateway.knobs = Knobs(accept_then_reset=True)
    request = requests.Request(
        "POST",
        f"{gateway.url}/api3/?smstexttype=csv",
        files={"file": client.csv(client.row())},
        auth=client.auth,
    ).prepare()
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    assert isinstance(request.body, bytes)
    with socket.create_connection(("127.0.0.1", urlsplit(gateway.url).port), timeout=5) as connection:
        connection.sendall(f"POST {request.path_url} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode() + request.body)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_swallowed_without_an_answer(client: Client, gateway: EmbeddedGateway) -> None:
    gateway.knobs = Knobs(swallow=True)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{gateway.url}/api3/?smstexttype=csv",
            files={"file": client.csv(*client.many(3))},
            auth=client.auth,
            timeout=0.5,
        )
    assert len(gateway.messages) == 3


def test_a_swallowed_request_does_not_hold_up_the_end(client: Client, gateway: EmbeddedGateway) -> None:
    gateway.knobs = Knobs(swallow=True)
    raised: list[Exception] = []

    def send() -> None:
        try:
            client.send(client.row())
        except requests.RequestException as error:
            raised.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    while not gateway.messages:
        pass
    gateway.__exit__(None, None, None)
    sender.join(5)
    assert len(raised) == 1


def test_bad_gateway_after_taking(client: Client) -> None:
    client.gateway.knobs = Knobs(http_502_after_taking=True)
    assert client.send(*client.many(3)).status_code == 502
    assert len(client.gateway.messages) == 3


def test_unavailable_before_reading(client: Client) -> None:
    client.gateway.knobs = Knobs(http_503_before_reading=True)
    answer = client.send(*client.many(3))
    assert (answer.status_code, answer.text) == (503, "503")
    assert client.gateway.messages == ()


def test_wrong_counts(client: Client) -> None:
    client.gateway.knobs = Knobs(partial_counts=True)
    assert client.send(*client.many(3)).text == "200\nCSV20261123000001\n2|0|2\n"
    assert len(client.gateway.messages) == 3


def test_redirect(client: Client) -> None:
    client.gateway.knobs = Knobs(redirect_to=f"{client.gateway.url}/elsewhere/")
    answer = client.send(*client.many(3))
    assert (answer.status_code, answer.headers["Location"]) == (307, f"{client.gateway.url}/elsewhere/")
    assert client.gateway.messages == ()


def test_faults_are_used_up_by_sends_alone(client: Client) -> None:
    client.gateway.knobs = Knobs(http_503_before_reading=True, faults=2)
    client.ask_results()
    client.auth = None
    client.send(client.row())
    client.auth = ("demo", "demo-password")
    assert [client.send(client.row()).status_code for _ in range(3)] == [503, 503, 200]
    assert client.gateway.knobs.faults == 0
