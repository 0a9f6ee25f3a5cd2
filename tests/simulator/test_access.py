from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from pipeline.simulator import Knobs

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.simulator.conftest import Client

INTERFACES = ("/api/", "/api4/", "/api5/", "/cancelapi/")


def test_wrong_credentials_are_answered_with_401_in_body_and_status(client: Client) -> None:
    for auth in [("demo", "wrong-password"), ("nobody", "demo-password"), None]:
        client.auth = auth
        answer = client.send(client.row())
        assert (answer.status_code, answer.text) == (401, "401")
    assert client.gateway.messages == ()


def test_unreadable_credentials_are_wrong_ones(client: Client) -> None:
    for header in ["Basic ???", "Basic /w==", "Bearer ZGVtbzpkZW1vLXBhc3N3b3Jk", "Basic"]:
        answer = requests.get(f"{client.gateway.url}/api4/", headers={"Authorization": header}, timeout=5)
        assert answer.text == "401"


def test_credentials_may_be_parameters(client: Client) -> None:
    client.auth = None
    answer = client.send(client.row(), username="demo", password="demo-password")  # noqa: S106
    assert answer.text.startswith("200\n")


def test_ten_consecutive_401_block_the_address_for_everything(client: Client) -> None:
    client.auth = ("demo", "wrong-password")
    assert [client.ask_results().text for _ in range(11)] == ["401"] * 10 + ["555"]
    client.auth = ("demo", "demo-password")
    assert client.send(client.row()).text == "555"
    assert client.ask_results().text == "555"


def test_success_resets_the_count(client: Client) -> None:
    for _ in range(2):
        client.auth = ("demo", "wrong-password")
        assert {client.ask_results().text for _ in range(9)} == {"401"}
        client.auth = ("demo", "demo-password")
        assert client.ask_results().status_code == 200


def test_block_as_http_status(client: Client) -> None:
    client.gateway.knobs = Knobs(code_as_http_status=True)
    client.auth = None
    assert [client.ask_results().status_code for _ in range(11)][-1] == 555


def test_get_longer_than_the_limit_is_414(client: Client) -> None:
    assert client.ask_results(pad="x" * 8190).text == "414"


def test_rate_is_enforced_on_request(client: Client, gateway: EmbeddedGateway) -> None:
    gateway.knobs = Knobs(enforce_rate=True)
    with requests.Session() as session:
        answers = [session.get(f"{gateway.url}/api4/", auth=client.auth, timeout=5).text for _ in range(90)]
    assert answers[:80] == ["562"] * 80
    # On a machine so slow that 90 requests take longer than a second, nothing is too fast.
    assert set(answers[80:]) <= {"503", "562"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api3/"), ("PUT", "/api3/"), *((method, path) for method in ("PUT", "DELETE") for path in INTERFACES)],
)
def test_wrong_method_is_405(client: Client, method: str, path: str) -> None:
    assert requests.request(method, client.gateway.url + path, auth=client.auth, timeout=5).text == "405"


def test_requests_are_counted_whatever_their_answer(client: Client) -> None:
    client.send(client.row())
    client.auth = None
    client.send(client.row())
    client.ask_results()
    assert client.gateway.requests == {"/api3/": 2, "/api4/": 1}


def test_a_path_without_its_slash_is_no_interface(client: Client) -> None:
    answer = requests.get(f"{client.gateway.url}/api4", auth=client.auth, timeout=5, allow_redirects=False)
    assert answer.status_code == 404
