"""Every fault also meets individual sends; what is taken is the same as for uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from pipeline.simulator import Knobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator.conftest import Client


@pytest.mark.parametrize(
    ("knobs", "status", "body", "taken"),
    [
        (Knobs(html_200=True), 200, "<!DOCTYPE html>", 1),
        (Knobs(html_200_nothing=True), 200, "<!DOCTYPE html>", 0),
        (Knobs(refuse_code="402"), 200, "402", 0),
        (Knobs(refuse_code="402", code_as_http_status=True), 402, "402", 0),
        (Knobs(http_502_after_taking=True), 502, "<html>", 1),
        (Knobs(http_503_before_reading=True), 503, "503", 0),
        (Knobs(redirect_to="http://127.0.0.1:1/"), 307, "", 0),
        (Knobs(slow_answer=0), 200, "200", 1),
        (Knobs(partial_counts=True), 200, "200", 1),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_answers_that_mislead(client: Client, method: str, knobs: Knobs, status: int, body: str, taken: int) -> None:
    client.gateway.knobs = knobs
    message = {"mobilenumber": "09011112222", "smstext": "x"}
    answer = requests.request(
        method,
        f"{client.gateway.url}/api/",
        params=message if method == "GET" else None,
        data=message if method == "POST" else None,
        auth=client.auth,
        timeout=10,
        allow_redirects=False,
    )
    assert answer.status_code == status
    assert answer.text.startswith(body)
    assert len(client.gateway.messages) == taken
    assert client.single(smsid="a1") == "200"


@pytest.mark.parametrize(
    ("knobs", "taken"),
    [
        (Knobs(reset_after_bytes=0), 0),
        (Knobs(reset_after_bytes=10), 0),
        (Knobs(reset_after_bytes=10_000), 0),
        (Knobs(accept_then_reset=True), 1),
    ],
)
def test_resets(client: Client, knobs: Knobs, taken: int) -> None:
    client.gateway.knobs = knobs
    with pytest.raises(requests.ConnectionError):
        client.single()
    assert len(client.gateway.messages) == taken


@pytest.mark.parametrize("knobs", [Knobs(swallow=True), Knobs(slow_answer=5)])
def test_no_answer_in_time(client: Client, knobs: Knobs) -> None:
    client.gateway.knobs = knobs
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{client.gateway.url}/api/",
            data={"mobilenumber": "09011112222", "smstext": "x"},
            auth=client.auth,
            timeout=0.5,
        )
    assert len(client.gateway.messages) == 1


def test_success_without_a_body(client: Client) -> None:
    client.gateway.knobs = Knobs(answer_empty=True)
    assert client.single() == ""
    assert client.send(client.row()).text == ""
    assert client.single(mobilenumber="x") == "560"
    assert client.send(client.row(), encode="x").text == "597"
    assert sum(message.copies for message in client.gateway.messages) == 2


def test_a_refusal_in_json(client: Client) -> None:
    client.gateway.knobs = Knobs(refuse_code="550")
    url = f"{client.gateway.url}/api/"
    assert requests.post(url, json={"mobilenumber": "x"}, auth=client.auth, timeout=5).json() == {"result": "550"}


def test_bodies_may_be_read_slowly(client: Client) -> None:
    client.gateway.knobs = Knobs(throttle=1_000_000)
    assert client.send(*client.many(500, "x" * 40)).text.endswith("\n500|0|500\n")
    assert client.single() == "200"
    client.gateway.knobs = Knobs(throttle=1)
    url = f"{client.gateway.url}/api3/?smstexttype=csv"
    with pytest.raises(requests.ReadTimeout):
        requests.post(url, files={"file": client.csv(client.row())}, auth=client.auth, timeout=0.5)
    assert sum(message.copies for message in client.gateway.messages) == 501


def test_a_client_that_leaves_in_the_middle_of_a_form(client: Client) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"mobilenumber=09011112222&"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        requests.post(f"{client.gateway.url}/api/", data=pieces(), auth=client.auth, timeout=5)
    assert client.single(smsid="a2") == "200"
    assert [message.smsid for message in client.gateway.messages] == ["a2"]
