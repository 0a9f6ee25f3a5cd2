"""Requests of one message as they leave: their bytes, their connection, and what is known when they do not."""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from pipeline.adapters import gateway
from pipeline.adapters.gateway import Access, connected
from pipeline.errors import UsageError
from pipeline.messages import Language
from schemas.profile import parse_profile
from tests.adapters.test_gateway import Script, profile, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.single import Form

PROFILE = parse_profile(resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8"), "x")
BODY = b"mobilenumber=09011112222&smstext=%E3%81%82"


def kept(handler: BaseHTTPRequestHandler) -> None:
    """Answer on a connection that stays."""
    handler.send_response(200)
    handler.send_header("Content-Length", "3")
    handler.end_headers()
    handler.wfile.write(b"200")


@pytest.fixture
def peers() -> list[int]:
    return []


@pytest.fixture
def script(peers: list[int]) -> Iterator[Script]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        peers.append(handler.client_address[1])
        kept(handler)

    with serving(Script(answer)) as running:
        yield running


def access(url: str) -> Access:
    return Access(url, "user", "päss:wörd", connect_timeout=2, read_timeout=2)


@pytest.mark.parametrize(
    ("form", "kind"), [("form", "application/x-www-form-urlencoded"), ("json", "application/json")]
)
def test_a_request_leaves_once_as_it_was_planned(script: Script, form: Form, kind: str) -> None:
    """Whatever form the profile has today."""
    with connected(access(script.url), PROFILE) as client:
        exchange = client.single(BODY, form)
    (seen,) = script.seen
    assert (exchange.http_status, exchange.body, exchange.bytes_read) == (200, b"200", len(BODY))
    assert (seen.method, seen.target, seen.body) == ("POST", "/api/", BODY)
    assert (seen.headers["Content-Type"], seen.headers["Content-Length"]) == (kind, str(len(BODY)))
    assert seen.headers["Authorization"].startswith("Basic ")


def test_a_send_is_never_a_get_whatever_the_profile_says(script: Script) -> None:
    with connected(access(script.url), profile("send_single", method="GET")) as client:
        client.single(BODY, "form")
    assert (script.seen[0].method, script.seen[0].target) == ("POST", "/api/")


def test_the_next_message_goes_over_the_same_connection(script: Script, peers: list[int]) -> None:
    with connected(access(script.url), PROFILE) as client:
        for _ in range(3):
            client.single(BODY, "form")
        client.single_result("abc1")
    assert len(set(peers)) == 1
    assert script.seen[-1].target == "/api5/?smsid=abc1"


def test_no_connection_is_trusted_that_was_idle(
    script: Script, peers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "_IDLE_SECONDS", 0)
    with connected(access(script.url), PROFILE) as client:
        for _ in range(3):
            client.single(BODY, "form")
    assert len(set(peers)) == 3


def test_a_refused_connection_reads_not_a_byte() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with connected(access(f"http://127.0.0.1:{closed.getsockname()[1]}"), PROFILE) as client:
            exchange = client.single(BODY, "form")
    assert (exchange.bytes_read, exchange.http_status) == (0, None)


def test_an_address_above_the_limit_of_the_gateway_is_not_asked_for(script: Script) -> None:
    limits = PROFILE.limits
    few = PROFILE.model_copy(
        update={"limits": limits.model_copy(update={"get_bytes": limits.get_bytes.model_copy(update={"value": 40})})}
    )
    with connected(access(script.url), few) as client, pytest.raises(UsageError) as refused:
        client.single_result("a" * 50)
    assert refused.value.code == "gateway.address_too_long"
    assert all("414" in refused.value.what(language) for language in Language)
    assert script.seen == []
