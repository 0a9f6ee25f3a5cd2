"""The gateway client against a real small server on loopback: what left, what came back, and to whom."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline.adapters import gateway
from pipeline.adapters.files import durable
from pipeline.adapters.gateway import Access, GatewayClient, connected, read_secret
from pipeline.config import load_profile
from pipeline.errors import UsageError
from schemas.profile import Profile
from schemas.upload import UploadForm

PROFILE: Final = load_profile("mediasms", Path())
START, END = datetime(2026, 11, 22, 15, 0, tzinfo=UTC), datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@dataclass
class Seen:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)


@dataclass
class Script:
    """What the server answers, and what it saw."""

    answer: Callable[[BaseHTTPRequestHandler], None] = lambda handler: plain(handler, 200, b"200")
    seen: list[Seen] = field(default_factory=list)
    url: str = ""


def plain(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    if "Content_Length" not in headers:
        handler.send_header("Content-Length", str(len(body)))
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(body)
    handler.close_connection = True


@contextmanager
def serving(script: Script) -> Iterator[Script]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.seen.append(Seen(self.command, self.path, dict(self.headers.items()), body))
            script.answer(self)

        do_GET = do_POST = handle_any  # noqa: N815 - the names http.server asks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - its signature
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def script() -> Iterator[Script]:
    with serving(Script()) as running:
        yield running


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    path = tmp_path / "payload-0001.csv"
    path.write_bytes("09011112222,,,,,,,,,本文\r\n".encode() * 20_000)
    return path


def access(url: str, *, read_timeout: float = 2, proxy: str | None = None) -> Access:
    return Access(url, "user", "päss:wörd", connect_timeout=2, read_timeout=read_timeout, proxy=proxy)


def profile(endpoint: str, **changed: str) -> Profile:
    endpoints = PROFILE.endpoints
    new = getattr(endpoints, endpoint).model_copy(update=changed)
    return PROFILE.model_copy(update={"endpoints": endpoints.model_copy(update={endpoint: new})})


def test_an_upload_leaves_once_and_whole(script: Script, payload: Path) -> None:
    progress: list[tuple[int, int]] = []
    with connected(access(script.url), PROFILE) as client:
        exchange = client.upload(payload, lambda done, total: progress.append((done, total)))
    (seen,) = script.seen
    assert (exchange.http_status, exchange.body, exchange.problem) == (200, b"200", "")
    assert exchange.bytes_read == len(seen.body) == int(seen.headers["Content-Length"])
    assert (seen.method, urlsplit(seen.target).path) == ("POST", "/api3/")
    assert seen.query == {"encode": ["utf8"], "smstexttype": ["csv"]}
    boundary = seen.headers["Content-Type"].partition("boundary=")[2].encode()
    assert seen.headers["Content-Type"].startswith("multipart/form-data;")
    head, _, rest = seen.body.partition(b"\r\n\r\n")
    assert b'name="file"; filename="payload-0001.csv"' in head
    assert rest == payload.read_bytes() + b"\r\n--" + boundary + b"--\r\n"
    assert progress[-1] == (len(seen.body), len(seen.body))
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)


def test_the_credential_is_sent_as_utf_8_and_never_in_the_address(script: Script, payload: Path) -> None:
    with connected(access(script.url), PROFILE) as client:
        client.upload(payload)
    kind, _, value = script.seen[0].headers["Authorization"].partition(" ")
    assert (kind, base64.b64decode(value).decode()) == ("Basic", "user:päss:wörd")
    assert "user" not in script.seen[0].target


@pytest.mark.parametrize(
    ("form", "query"),
    [
        (UploadForm(), {"encode": ["utf8"], "smstexttype": ["csv"]}),
        (UploadForm(by_template=True), {"encode": ["utf8"], "smstexttype": ["id"]}),
        (UploadForm(encoding="cp932"), {"encode": ["shiftjis"], "smstexttype": ["csv"]}),
        (UploadForm(by_template=True, encoding="cp932"), {"encode": ["shiftjis"], "smstexttype": ["id"]}),
    ],
)
def test_an_upload_is_announced_as_the_name_of_its_payload_says(
    script: Script, payload: Path, form: UploadForm, query: dict[str, list[str]]
) -> None:
    named = payload.rename(payload.with_name(form.payload(7)))
    assert (UploadForm.of(named.name), named.name.startswith("dispatch-0007.")) == (form, True)
    upload = PROFILE.upload.model_copy(
        update={"encoding": PROFILE.upload.encoding.model_copy(update={"value": "cp932"})}
    )
    # What the profile says today is not asked: the payload was written before.
    with connected(access(script.url), PROFILE.model_copy(update={"upload": upload})) as client:
        client.upload(named)
    assert script.seen[0].query == query


def test_results_in_cp932_are_asked_for_as_the_profile_says(script: Script, payload: Path) -> None:
    results = PROFILE.results.model_copy(
        update={"encoding": PROFILE.results.encoding.model_copy(update={"value": "cp932"})}
    )
    changed = PROFILE.model_copy(update={"results": results})
    with connected(access(script.url), changed) as client, durable(payload.parent / "r.csv") as (file,):
        client.results(START, END, file)
    assert [seen.query["encode"] for seen in script.seen] == [["shiftjis"]]


def test_a_refused_connection_reads_not_a_byte(payload: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with connected(access(url), PROFILE) as client:
            exchange = client.upload(payload)
    assert (exchange.bytes_read, exchange.http_status, exchange.body) == (0, None, b"")
    assert exchange.problem == "ConnectionError"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_and_no_credential_goes_elsewhere(script: Script, payload: Path, status: int) -> None:
    with serving(Script()) as other:
        script.answer = lambda handler: plain(handler, status, b"", Location=f"{other.url}/api3/")
        with connected(access(script.url), PROFILE) as client:
            exchange = client.upload(payload)
            with durable(payload.parent / "r.csv") as (file,):
                assert client.results(START, END, file).http_status == status
        assert exchange.http_status == status
        assert other.seen == []
    assert len(script.seen) == 2


def test_the_environment_changes_nothing(
    script: Script, payload: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(Script()) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        with connected(access(script.url), PROFILE) as client:
            assert client.upload(payload).http_status == 200
        assert proxy.seen == []
    assert b"user:" in base64.b64decode(script.seen[0].headers["Authorization"].partition(" ")[2])


def test_a_proxy_of_the_configuration_is_used(script: Script, payload: Path) -> None:
    with connected(access("http://localhost:9", proxy=script.url), PROFILE) as client:
        assert client.upload(payload).http_status == 200
    assert script.seen[0].target.startswith("http://localhost:9/api3/")


@pytest.mark.parametrize(("status", "body"), [(200, b""), (401, b"401"), (500, b"<html>"), (503, b""), (200, b"\xff")])
def test_every_answer_comes_back_as_it_is(script: Script, payload: Path, status: int, body: bytes) -> None:
    script.answer = lambda handler: plain(handler, status, body)
    with connected(access(script.url), PROFILE) as client:
        exchange = client.upload(payload)
    assert (exchange.http_status, exchange.body, exchange.problem) == (status, body, "")
    assert len(script.seen) == 1


def truncated(handler: BaseHTTPRequestHandler) -> None:
    plain(handler, 200, b"200\n", Content_Length="100")


def broken_chunk(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(b"4\r\n200\n\r\n9\r\n4|0")
    handler.close_connection = True


def hung_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"200\n")
    handler.close_connection = True


@pytest.mark.parametrize("answer", [truncated, broken_chunk, hung_up, nonsense])
def test_an_answer_cut_short_has_no_status(
    script: Script, payload: Path, answer: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    script.answer = answer
    with connected(access(script.url), PROFILE) as client:
        exchange = client.upload(payload)
    assert (exchange.http_status, exchange.body) == (None, b"")
    assert exchange.problem
    assert exchange.bytes_read == len(script.seen[0].body)
    assert len(script.seen) == 1


def test_a_silent_gateway_has_no_status(script: Script, payload: Path) -> None:
    silent = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        silent.wait(5)
        handler.close_connection = True

    script.answer = answer
    try:
        with connected(access(script.url, read_timeout=0.2), PROFILE) as client:
            exchange = client.upload(payload)
    finally:
        silent.set()
    assert (exchange.http_status, exchange.problem) == (None, "ReadTimeout")
    assert exchange.bytes_read == len(script.seen[0].body)


def test_an_endless_answer_is_no_answer(script: Script, payload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "_ANSWER_LIMIT", 1000)
    script.answer = lambda handler: plain(handler, 200, b"x" * 1001)
    with connected(access(script.url), PROFILE) as client:
        exchange = client.upload(payload)
    assert (exchange.http_status, exchange.body, exchange.problem) == (None, b"", "answer too long")


def test_results_stream_into_a_file(script: Script, tmp_path: Path) -> None:
    csv = b"090-1111-2222,\n" * 40_000
    script.answer = lambda handler: plain(handler, 200, csv)
    with connected(access(script.url), PROFILE) as client, durable(tmp_path / "r.csv") as (file,):
        exchange = client.results(START, END, file)
        assert file.commit().size == len(csv)
    assert (exchange.http_status, exchange.problem) == (200, "")
    assert (tmp_path / "r.csv").read_bytes() == csv
    assert csv.startswith(exchange.body)
    assert len(exchange.body) < len(csv)
    (seen,) = script.seen
    assert (seen.method, urlsplit(seen.target).path) == ("GET", "/api4/")
    assert seen.query == {
        "startdate": ["202611230000"],
        "enddate": ["202611240000"],
        "encode": ["utf8"],
    }


def test_a_bare_code_instead_of_results_is_returned(script: Script, tmp_path: Path) -> None:
    script.answer = lambda handler: plain(handler, 200, b"401\r\n")
    with connected(access(script.url), PROFILE) as client, durable(tmp_path / "r.csv") as (file,):
        assert client.results(START, END, file).body == b"401\r\n"


def test_results_may_be_asked_for_with_post(script: Script, tmp_path: Path) -> None:
    changed = profile("results_csv", method="POST")
    with connected(access(script.url), changed) as client, durable(tmp_path / "r.csv") as (file,):
        client.results(START, END, file)
    (seen,) = script.seen
    assert (seen.method, seen.query) == ("POST", {})
    assert parse_qs(seen.body.decode())["startdate"] == ["202611230000"]


def test_results_cut_short_have_no_status(script: Script, tmp_path: Path) -> None:
    script.answer = truncated
    with connected(access(script.url), PROFILE) as client, durable(tmp_path / "r.csv") as (file,):
        assert client.results(START, END, file).http_status is None
    assert not (tmp_path / "r.csv").exists()


def test_an_endpoint_may_have_another_host(script: Script, payload: Path) -> None:
    with serving(Script()) as other:
        with connected(access(script.url), profile("send_csv", url=f"{other.url}/up")) as client:
            assert client.upload(payload).http_status == 200
        assert [urlsplit(seen.target).path for seen in other.seen] == ["/up"]
    assert script.seen == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "gateway.base_url"),
        ("sms.example.jp", "gateway.base_url"),
        ("ftp://sms.example.jp", "gateway.base_url"),
        ("https://", "gateway.base_url"),
        ("https:///api", "gateway.base_url"),
        ("http://sms.example.jp", "gateway.not_https"),
        ("http://127.0.0.1.example.jp", "gateway.not_https"),
        ("http://localhost@sms.example.jp", "gateway.not_https"),
        ("https://user:secret@sms.example.jp", "gateway.credentials_in_url"),
        ("https://user@sms.example.jp", "gateway.credentials_in_url"),
        ("http://u:p@localhost", "gateway.credentials_in_url"),
    ],
)
def test_an_address_must_be_safe(url: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        GatewayClient(access(url), PROFILE)
    assert caught.value.code == code
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://sms.example.jp/base", "http://localhost:1", "http://[::1]:1"])
def test_an_address_that_is_safe(url: str) -> None:
    GatewayClient(access(url), PROFILE).close()


@pytest.mark.parametrize(
    ("written", "secret"),
    [(b"s3cret\n", "s3cret"), (b"s3cret\r\n", "s3cret"), (b"s3cret", "s3cret"), (b" a b \n\n", " a b \n"), (b"", "")],
)
def test_a_secret_is_read_without_its_line_end(tmp_path: Path, written: bytes, secret: str) -> None:
    path = tmp_path / "password"
    path.write_bytes(written)
    assert read_secret(path) == secret


def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_secret(tmp_path / "none")
    assert (caught.value.code, caught.value.facts["file"]) == ("config.secret_file", str(tmp_path / "none"))


def _stall(listener: socket.socket, until: threading.Event, *, first: bool) -> None:
    """Answer one request if there is to be a ``first`` one, then read nothing more."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as stream:
        if first:
            lines = iter(stream.readline, b"\r\n")
            length = next(
                int(line.split(b":")[1]) for line in list(lines) if line.lower().startswith(b"content-length")
            )
            stream.read(length)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n200")
        until.wait(30)


@pytest.mark.parametrize("reused", [False, True])
def test_each_timeout_is_its_own(tmp_path: Path, payload: Path, reused: bool) -> None:  # noqa: FBT001 - a case
    """A server that reads nothing: only the timeout for writing ends it, on a new connection and on one kept open."""
    large = tmp_path / "large.csv"
    large.write_bytes(payload.read_bytes() * 40)
    stuck = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_stall, args=(listener, stuck), kwargs={"first": reused})
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        access_ = Access(url, "user", "päss:wörd", connect_timeout=60, read_timeout=60, write_timeout=0.3)
        begun = time.monotonic()
        with connected(access_, PROFILE) as client:
            if reused:
                assert client.upload(payload).body == b"200"
            exchange = client.upload(large)
        stuck.set()
        thread.join()
    assert exchange.http_status is None
    assert 0 < exchange.bytes_read < large.stat().st_size
    assert time.monotonic() - begun < 30
