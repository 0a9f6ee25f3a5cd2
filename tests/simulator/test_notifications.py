"""Result notifications, received by a real server of the standard library."""

from __future__ import annotations

import base64
import json
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from pipeline.simulator import EmbeddedGateway, Knobs, VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schemas.profile import Profile
    from tests.simulator.conftest import Client

LOGIN = "Basic " + base64.b64encode(b"demo:demo-password").decode()


class Received(NamedTuple):
    method: str
    path: str
    kind: str
    login: str
    fields: dict[str, str]


class Endpoint:
    """A customer's endpoint that answers what it is told, then 200."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[int] = []
        self.release = threading.Event()
        self.release.set()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                endpoint.take(self)

            def do_GET(self) -> None:
                endpoint.take(self)

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/results?k=v"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        kind = request.headers.get("Content-Type", "")
        parts = urlsplit(request.path)
        text = body.decode() if request.command == "POST" else parts.query
        fields = json.loads(text) if "json" in kind else dict(parse_qsl(text, keep_blank_values=True))
        self.received.append(
            Received(request.command, request.path, kind, request.headers.get("Authorization", ""), fields)
        )
        status = self.answers.pop(0) if self.answers else 200
        self.release.wait(20)
        if not status:
            request.close_connection = True
            return
        request.send_response(status)
        if status == 302:
            request.send_header("Location", self.url)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint()
    yield found
    found.close()


def statuses(endpoint: Endpoint) -> list[str]:
    return [one.fields["status"] for one in endpoint.received]


def test_a_notification_has_the_fields_of_the_gateway(client: Client, clock: VirtualClock, endpoint: Endpoint) -> None:
    client.gateway.knobs = Knobs(notify_url=endpoint.url, fate="at_once")
    client.single(smsid="a1", status="1", smstext="{URL}です", originalurl="https://a.test/", memo="x", type="t")
    client.single(smsid="a2", status="0")
    client.single(smsid="a3")
    assert client.gateway.has_notified()
    assert endpoint.received == []
    clock.advance(timedelta(minutes=5))
    assert client.gateway.has_notified()
    (one,) = endpoint.received
    assert one[:4] == ("POST", "/results?k=v", "application/x-www-form-urlencoded", LOGIN)
    text = one.fields.pop("smstext")
    assert text == client.gateway.messages[0].text
    assert one.fields == {
        "mobilenumber": "09011112222",
        "smsid": "a1",
        "status": "送信済",
        "clicks": "0",
        "clicks2": "0",
        "clicks3": "0",
        "clicks4": "0",
        "originalurl": "https://a.test/",
        "type": "t",
    }
    (attempt,) = client.gateway.notifications
    assert (attempt.smsid, attempt.label, attempt.attempt, attempt.answer) == ("a1", "送信済", 1, 200)


def test_original_parameters_may_come_back(client: Client, clock: VirtualClock, endpoint: Endpoint) -> None:
    client.gateway.knobs = Knobs(
        notify_url=endpoint.url, fate="at_once", notify_keep_parameters=True, notify_format="json", numeric_status=True
    )
    client.single(smsid="a1", status="1", info3="三", own="mine", username="demo", password="demo-password")  # noqa: S106 - of the embedded gateway
    clock.advance(timedelta(minutes=5))
    assert client.gateway.has_notified()
    (one,) = endpoint.received
    assert one.kind == "application/json; charset=utf-8"
    assert (one.fields["own"], one.fields["info3"], one.fields["status"]) == ("mine", "三", "1")
    assert not {"username", "password"} & one.fields.keys()


def test_get_on_request(client: Client, clock: VirtualClock, endpoint: Endpoint) -> None:
    client.gateway.knobs = Knobs(notify_url=endpoint.url, fate="at_once", notify_method="GET")
    client.single(smsid="a1", status="1")
    clock.advance(timedelta(minutes=5))
    assert client.gateway.has_notified()
    (one,) = endpoint.received
    assert (one.method, one.login, one.fields["k"], one.fields["status"]) == ("GET", LOGIN, "v", "送信済")


def test_every_result_of_a_message_is_told_in_order(client: Client, clock: VirtualClock, endpoint: Endpoint) -> None:
    client.gateway.knobs = Knobs(notify_url=endpoint.url, fate="retried")
    client.single(smsid="a1", status="1", smstext="{URL}", originalurl="https://a.test/")
    clock.advance(timedelta(days=2))
    assert client.gateway.has_notified()
    assert statuses(endpoint) == [row[11] for row in client.results()]
    assert "送信済" in statuses(endpoint)
    assert len(endpoint.received) >= 2


def test_it_tries_again_until_200(client: Client, clock: VirtualClock, endpoint: Endpoint) -> None:
    client.gateway.knobs = Knobs(notify_url=endpoint.url, fate="at_once", notify_interval=600)
    endpoint.answers = [500, 302, 204, 0]
    client.single(smsid="a1", status="1")
    clock.advance(timedelta(minutes=5))
    for attempts in (1, 2, 3, 4, 5, 5):
        assert client.gateway.has_notified()
        assert len(endpoint.received) == attempts
        clock.advance(timedelta(minutes=10))
    assert [one.answer for one in client.gateway.notifications] == [500, 302, 204, None, 200]
    assert [one.attempt for one in client.gateway.notifications] == [1, 2, 3, 4, 5]


def test_it_gives_up_in_the_end_but_not_on_the_next_result(
    client: Client, clock: VirtualClock, endpoint: Endpoint
) -> None:
    client.gateway.knobs = Knobs(notify_url=endpoint.url, fate="retried", notify_attempts=2)
    endpoint.answers = [503, 503]
    client.single(smsid="a1", status="1")
    clock.advance(timedelta(days=1))
    assert client.gateway.has_notified()
    answers = [one.answer for one in client.gateway.notifications]
    assert answers[:3] == [503, 503, 200]
    assert 503 not in answers[2:]


def test_nobody_there(client: Client, clock: VirtualClock) -> None:
    for url in ("http://127.0.0.1:1/", "http://127.0.0.2:1/", "https://127.0.0.1:1/"):
        client.gateway.knobs = Knobs(notify_url=url, fate="at_once", notify_attempts=2)
        client.single(smsid="a1", status="1")
        clock.advance(timedelta(minutes=10))
        assert client.gateway.has_notified()
    assert [one.answer for one in client.gateway.notifications] == [None] * 6
    client.gateway.knobs = Knobs(fate="at_once")
    client.single(smsid="a1", status="1")
    clock.advance(timedelta(minutes=10))
    assert client.gateway.has_notified()
    assert len(client.gateway.notifications) == 6


def test_twice_when_asked_for(client: Client, clock: VirtualClock, endpoint: Endpoint) -> None:
    client.gateway.knobs = Knobs(notify_url=endpoint.url, fate="at_once", notify_twice=True)
    client.single(smsid="a1", status="1")
    clock.advance(timedelta(minutes=5))
    assert client.gateway.has_notified()
    assert statuses(endpoint) == ["送信済", "送信済"]


def test_a_cancellation_is_told_at_once(client: Client, clock: VirtualClock, endpoint: Endpoint) -> None:
    client.gateway.knobs = Knobs(notify_url=endpoint.url, fate="at_once")
    endpoint.answers = [500]
    client.single(smsid="a1", status="1", senddatetime="202611231000")
    client.single(smsid="a2", status="1")
    clock.advance(timedelta(minutes=4))
    assert client.gateway.has_notified()
    assert client.post("/cancelapi/", smsid="a1") == "200"
    assert client.gateway.has_notified()
    clock.advance(timedelta(hours=2))
    assert client.gateway.has_notified()
    assert [
        (one.fields["smsid"], one.fields["status"]) for one in endpoint.received if one.fields["smsid"] == "a1"
    ] == [("a1", "キャンセル済")]
    assert statuses(endpoint).count("送信済") == 2


def test_with_a_clock_that_ticks_nobody_has_to_ask(
    profile: Profile, client_of: type[Client], endpoint: Endpoint
) -> None:
    knobs = Knobs(notify_url=endpoint.url, opted_out=("09011112222",))
    with EmbeddedGateway(profile, seed=1, knobs=knobs) as gateway:
        client_of(gateway).single(smsid="a1", status="1")
        deadline = time.monotonic() + 20
        while not endpoint.received and time.monotonic() < deadline:
            time.sleep(0.05)
    assert statuses(endpoint) == ["配信停止希望"]


def test_an_endpoint_that_hangs_does_not_hold_up_the_end(
    opened: Callable[..., EmbeddedGateway], client_of: type[Client], clock: VirtualClock, endpoint: Endpoint
) -> None:
    gateway = opened(knobs=Knobs(notify_url=endpoint.url, fate="at_once"))
    endpoint.release.clear()
    client_of(gateway).single(smsid="a1", status="1")
    clock.advance(timedelta(minutes=5))
    deadline = time.monotonic() + 20
    while not endpoint.received and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not gateway.has_notified(seconds=0.01)
    gateway.__exit__(None, None, None)
    assert len(endpoint.received) == 1


def test_attempts_over_http(client: Client, clock: VirtualClock, endpoint: Endpoint) -> None:
    client.gateway.knobs = Knobs(notify_url=endpoint.url, fate="blocked")
    client.single(smsid="a1", status="1")
    clock.advance(timedelta(minutes=5))
    assert client.gateway.has_notified()
    (line,) = requests.get(f"{client.gateway.url}/_/notifications", timeout=5).text.splitlines()
    assert json.loads(line) == {
        "at": "2026-11-23T09:35:00+09:00",
        "smsid": "a1",
        "label": "403",
        "attempt": 1,
        "answer": 200,
    }


def test_no_more_are_followed_than_fit(
    client: Client, clock: VirtualClock, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.simulator.notifications._MOST", 2)
    client.gateway.knobs = Knobs(notify_url=endpoint.url, fate="at_once")
    for number in range(4):
        client.single(smsid=f"a{number}", status="1")
    clock.advance(timedelta(minutes=5))
    assert client.gateway.has_notified()
    assert sorted(one.fields["smsid"] for one in endpoint.received) == ["a0", "a1"]
