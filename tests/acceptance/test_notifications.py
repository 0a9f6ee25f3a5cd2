"""The endpoint for result notifications as a real process on loopback."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import ssl
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
import requests
import trustme

from tests.acceptance.conftest import Home
from tests.acceptance.serving import ACCOUNT, ACCOUNT_VARIABLES, BASIC, NUMBER, Served, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.acceptance.zygote import Zygote
    from tests.databases import Server

FORM = "application/x-www-form-urlencoded"
#: says when a notification was read and waits to be committed
TELLING = """
from pipeline.adapters.group_commit import GroupCommit
import sys
def telling(self, row, patience, commit=GroupCommit.commit):
    print("waiting", file=sys.stderr, flush=True)
    return commit(self, row, 60)
GroupCommit.commit = telling
"""
HURRY = "from pipeline.adapters import notifications; notifications._COMMIT_SECONDS = 0.3"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> Iterator[Served]:
    """One endpoint for all tests that only ask it something."""
    home = Home(tmp_path_factory.mktemp("notified"), zygote).init()
    with serving(home) as found:
        yield found
        assert found.end(signal.SIGTERM) == 143


def send(served: Served, *pieces: bytes) -> bytes:
    """Send raw bytes and return all that comes back until the other side closes or is silent."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            answer = b""
            while more := connection.recv(65_536):
                answer += more
        except (TimeoutError, ConnectionError):
            pass
        return answer


def request(body: bytes, kind: str = FORM, *, head: str = "", close: bool = True, method: str = "POST") -> bytes:
    lines = [
        f"{method} /notifications HTTP/1.1", "Host: x", f"Authorization: {BASIC}", f"Content-Type: {kind}",
        f"Content-Length: {len(body)}", *head.splitlines(), *(["Connection: close"] if close else []),
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


FIELDS = {"mobilenumber": "090-1234-5678", "status": "送信済", "x": "未知", "smstext": "ひみつ", "clicks": "2"}
EXTRA = {"x": "未知", "clicks": "2"}


@pytest.mark.parametrize(
    "way", ["get", "form", "form-cp932", "json", "json-numbers", "multipart", "query-and-body", "chunked"]
)
def test_every_way_to_notify(served: Served, way: str) -> None:
    fields = FIELDS | {"smsid": f"way{way}"}
    raw = "&".join(f"{name}={value}" for name, value in fields.items())
    query: dict[str, str] = {}
    kind, body = FORM, urlencode(fields).encode()
    match way:
        case "get":
            query, kind, body = fields, "", b""
        case "form-cp932":
            kind, body = f"{FORM}; charset=Shift_JIS", raw.encode("cp932")
        case "json":
            kind, body = "application/json", json.dumps(fields).encode()
        case "json-numbers":
            kind, body = "application/json", json.dumps(fields | {"clicks": 2}, ensure_ascii=False).encode()
        case "multipart":
            files = {name: (None, value) for name, value in fields.items()}
            prepared = requests.Request("POST", served.url, files=files).prepare()
            assert isinstance(prepared.body, bytes)
            kind, body = prepared.headers["Content-Type"], prepared.body
        case "query-and-body":
            query, body = {"mobilenumber": fields.pop("mobilenumber")}, urlencode(fields).encode()
    pieces = (body[at : at + 7] for at in range(0, len(body), 7)) if way == "chunked" else body
    answer = requests.request(
        "GET" if way == "get" else "POST",
        served.url,
        params=query,
        data=pieces,
        headers={"Content-Type": kind} if kind else {},
        auth=ACCOUNT,
        timeout=60,
    )
    assert (answer.status_code, answer.text) == (200, "OK")
    ((status, msisdn, extra),) = served.recorded()[f"way{way}"]
    assert (status, msisdn, json.loads(extra)) == ("送信済", NUMBER, EXTRA)


def test_the_same_again_is_acknowledged_and_recorded_once(served: Served) -> None:
    for _ in range(3):
        assert served.notify("again").status_code == 200
    assert served.notify("again", "3").status_code == 200
    assert sorted(status for status, *_ in served.recorded()["again"]) == ["1", "3"]


def test_a_status_that_nobody_knows_is_kept(served: Served) -> None:
    assert served.notify("odd", "新しい状態").status_code == 200
    assert served.recorded()["odd"][0][0] == "新しい状態"


@pytest.mark.parametrize(
    "header",
    ["", BASIC[:-2], BASIC + "AAAA", "Basic !", BASIC.replace("Basic", "Bearer"), f"Basic {'A' * 10_000}"],
)
def test_without_the_accounts_credentials_nothing_is_learnt(served: Served, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = requests.post(served.url, data={"smsid": "no"}, headers=headers, timeout=60)
    assert (answer.status_code, answer.text) == (401, "Unauthorized")
    assert answer.headers["www-authenticate"] == 'Basic realm="mediasms"'
    assert "no" not in served.recorded()


def test_other_methods_and_places(served: Served) -> None:
    for method in ("HEAD", "PUT", "DELETE", "OPTIONS"):
        answer = requests.request(method, served.url, auth=ACCOUNT, timeout=60)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    for path in ("/", "/notifications/", f"/notifications/{NUMBER}"):
        assert requests.get(f"{served.base}{path}", auth=ACCOUNT, timeout=60).status_code == 404
    assert "?" in served.log.read_text("utf-8")


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        (FORM, b"mobilenumber=09012345678&status=1&smsid=" + b"x" * 300, 400),
        (FORM, b"mobilenumber=09012345678&smsid=bad", 400),
        (FORM, b"status=1&smsid=bad", 400),
        (FORM, b"", 400),
        (FORM, b"mobilenumber=09012345678&status=1&smsid=bad%00", 400),
        (FORM, b"mobilenumber=09012345678&status=%91%97%90M%8D%CF&smsid=bad", 400),
        (FORM, b"\x00\xff\xfe&&==&%", 400),
        ("application/json", b'{"mobilenumber":"09012345678","status":1,"smsid":"bad"', 400),
        ("application/json", b'{"mobilenumber":"09012345678","status":1,"smsid":{"a":1}}', 400),
        ("application/json", b"[" * 60_000, 400),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1", 400),
        ("multipart/form-data", b"--x--", 400),
        ("text/xml", b"<status>1</status>", 415),
        (f"{FORM}; charset=ebcdic", b"a=1", 415),
        (FORM, b"a=" + b"1" * 65_536, 413),
    ],
)
def test_hostile_bodies_are_refused_without_a_word(served: Served, kind: str, body: bytes, status: int) -> None:
    answer = requests.post(served.url, data=body, headers={"Content-Type": kind}, auth=ACCOUNT, timeout=60)
    assert answer.status_code == status
    assert answer.text in {"Bad Request", "Unsupported Media Type", "Request Entity Too Large", "Content Too Large"}
    assert "bad" not in served.recorded()


def test_a_body_that_does_not_say_how_long_it_is_has_the_same_limit(served: Served) -> None:
    head = request(b"", head="Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
    answer = send(served, head, *(b"4000\r\n" + b"a" * 0x4000 + b"\r\n" for _ in range(5)), b"0\r\n\r\n")
    assert status_of(answer) == 413


def test_hostile_requests_leave_the_endpoint_standing(served: Served) -> None:
    good = b"mobilenumber=09012345678&status=1&smsid=hostile"
    assert status_of(send(served, request(good, head="X: " + "h" * 1_000_000))) in {0, 400}
    assert status_of(send(served, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")) in {0, 400}
    assert status_of(send(served, b"nonsense\r\n\r\n")) in {0, 400}
    assert status_of(send(served, request(good, head="Content-Length: 3"))) in {0, 400}
    assert status_of(send(served, request(good, head="Transfer-Encoding: chunked"))) in {0, 400}
    assert status_of(send(served, request(good, method="G\u00e9T"))) in {0, 400, 405}
    strange = request(good + b"host").replace(b"Host: x", b"Host: [")
    assert status_of(send(served, strange)) in {200, 400}
    with socket.create_connection(("127.0.0.1", served.port)) as gone:
        gone.sendall(request(good + b"half", close=False)[:-4])
    assert served.recorded().get("hostilehalf") is None
    assert served.notify("standing").status_code == 200


def test_requests_in_a_row_are_answered_in_order(served: Served) -> None:
    bodies = [f"mobilenumber={NUMBER}&status=1&smsid=row{number}".encode() for number in range(20)]
    bodies[7] = b"nonsense"
    answer = send(served, b"".join(request(body, close=number == 19) for number, body in enumerate(bodies)))
    found = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert found == [200] * 7 + [400] + [200] * 12
    assert {f"row{number}" for number in range(20) if number != 7} <= served.recorded().keys()


def test_a_client_may_ask_before_it_sends(served: Served) -> None:
    body = f"mobilenumber={NUMBER}&status=1&smsid=expect".encode()
    answer = send(served, request(body, head="Expect: 100-continue"))
    assert b"100 Continue" in answer
    assert b"HTTP/1.1 200" in answer


def test_slow_clients_keep_nobody_waiting(served: Served) -> None:
    lazy = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(50)]
    for connection in lazy:
        connection.sendall(b"POST /notifications HTTP/1.1\r\nHost: x\r\n")
    assert served.notify("quick").status_code == 200
    for connection in lazy:
        connection.close()


def test_the_log_has_who_when_and_what_came_of_it_but_no_query(served: Served) -> None:
    query = {"mobilenumber": NUMBER, "status": "1", "smsid": "logged", "secretname": "x"}
    assert requests.get(served.url, params=query, auth=ACCOUNT, timeout=60).status_code == 200
    assert requests.get(served.url, params=query, timeout=60).status_code == 401
    lines = served.log.read_text("utf-8").splitlines()
    assert any(line.startswith("127.0.0.1 GET /notifications 200 ") for line in lines)
    assert any(line.startswith("127.0.0.1 GET /notifications 401 credentials ") for line in lines)
    assert not any(word in line for line in lines for word in ("secretname", "logged", "mobilenumber", NUMBER))


def test_it_says_where_it_is_and_what_to_enter(served: Served) -> None:
    assert served.base in "".join(served.said)
    assert requests.get(f"{served.base}/healthz", timeout=60).text == "OK"


def test_only_known_addresses_may_notify_and_only_our_proxy_may_say_whose_it_is(home: Home) -> None:
    home.init()
    lists = {
        "MEDIASMS_NOTIFICATIONS_ALLOW": "203.0.113.0/24, 2001:db8::/32",
        "MEDIASMS_NOTIFICATIONS_TRUSTED_PROXIES": "127.0.0.1",
    }
    with serving(home, "--json", "--log-format", "json", **lists) as served:
        for forwarded, status in [
            ("203.0.113.7", 200),
            ("2001:db8::1", 200),
            ("198.51.100.1", 403),
            ("203.0.113.7, 198.51.100.1", 403),
            ("198.51.100.1, 203.0.113.7", 200),
            ("nonsense", 403),
        ]:
            assert served.notify("from", **{"X-Forwarded-For": forwarded}).status_code == status, forwarded
        assert served.notify("from").status_code == 403
        assert requests.get(f"{served.base}/healthz", timeout=60).status_code == 200
        assert served.end(signal.SIGINT) == 130
        entries = [json.loads(line) for line in served.log.read_text("utf-8").splitlines()]
    assert entries[0]["message"].startswith("203.0.113.7 POST /notifications 200 ")
    assert {entry["code"] for entry in entries} == {"notifications.visit", "notifications.stopped"}


def test_while_the_ledger_is_locked_nothing_is_acknowledged_and_nothing_is_lost(home: Home) -> None:
    home.init()
    with serving(home, patch=HURRY) as served, closing(sqlite3.connect(home.workspace / "ledger.sqlite3")) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        answer = served.notify("later")
        assert (answer.status_code, answer.text) == (503, "Service Unavailable")
        assert served.notify("given-up").status_code == 503
        assert requests.get(f"{served.base}/healthz", timeout=60).status_code == 200
        other.execute("ROLLBACK")
        deadline = time.monotonic() + 60
        while served.notify("later").status_code != 200 and time.monotonic() < deadline:
            pass
        assert len(served.recorded()["later"]) == 1
        assert served.end(signal.SIGTERM) == 143
    assert "ledger.slow" in served.log.read_text("utf-8")


def test_a_ledger_that_is_gone_is_503_until_it_is_back(home: Home) -> None:
    home.init()
    with serving(home) as served:
        assert served.notify("before").status_code == 200
        file = home.workspace / "ledger.sqlite3"
        away = [(path, home.folder / path.name) for path in home.workspace.glob(f"{file.name}*")]
        for path, moved in away:
            path.rename(moved)
        assert requests.get(f"{served.base}/healthz", timeout=60).status_code == 503
        assert served.notify("meanwhile").status_code == 503
        assert not file.exists()
        for path, moved in away:
            moved.rename(path)
        assert served.notify("meanwhile").status_code == 200
        assert requests.get(f"{served.base}/healthz", timeout=60).status_code == 200
        assert served.recorded().keys() == {"before", "meanwhile"}
        assert served.end(signal.SIGTERM) == 143
    assert "ledger.missing" in served.log.read_text("utf-8")


def test_what_was_accepted_is_finished_before_it_stops(home: Home) -> None:
    home.init()
    with serving(home, patch=TELLING) as served, closing(sqlite3.connect(home.workspace / "ledger.sqlite3")) as other:
        idle = socket.create_connection(("127.0.0.1", served.port))
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        answers: list[int] = []
        threads = [
            threading.Thread(target=lambda number=number: answers.append(served.notify(f"last{number}").status_code))
            for number in range(5)
        ]
        for thread in threads:
            thread.start()
        _until(lambda: served.log.read_text("utf-8").count("waiting") == 5)
        for _ in range(3):  # more than one changes nothing
            served.process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
        _until(lambda: _refuses(served))
        other.execute("ROLLBACK")
        for thread in threads:
            thread.join(60)
        assert served.end(signal.SIGTERM) == 143
        assert answers == [200] * 5
        assert served.recorded().keys() == {f"last{number}" for number in range(5)}
        idle.close()
    assert "every notification that was acknowledged" in served.log.read_text("utf-8")


def test_a_ledger_that_is_put_back_while_it_is_served_stays_whole(home: Home) -> None:
    home.init()
    with serving(home) as served:
        assert served.notify("before").status_code == 200
        assert home("ledger", "backup", "copy.sqlite3").code == 0
        assert served.notify("lost").status_code == 200
        restored = home("ledger", "restore", "copy.sqlite3")
        assert restored.code == 0, restored.err
        assert served.notify("after").status_code == 200
        assert served.end(signal.SIGTERM) == 143
        assert served.recorded().keys() == {"before", "after"}
    assert home("ledger", "check").code == 0


def test_a_ledger_that_several_hosts_share(home: Home, server: Server) -> None:
    with server.schema() as url:
        home.environment["MEDIASMS_LEDGER_URL"] = url
        home.init()
        schema = url.rpartition("search_path%3D")[2]
        with serving(home) as one, serving(home) as other:
            assert [one.notify("shared").status_code, other.notify("shared").status_code] == [200, 200]
            server.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'"
            )
            assert one.notify("after").status_code in {200, 503}
            assert one.notify("after").status_code == 200
            assert requests.get(f"{one.base}/healthz", timeout=60).status_code == 200
            assert one.end(signal.SIGTERM) == other.end(signal.SIGTERM) == 143
        found = server.run(f"SELECT smsid FROM {schema}.observation ORDER BY smsid")  # noqa: S608 - our own name
        assert found == [("after",), ("shared",)]


def _until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert happened()


def _refuses(served: Served) -> bool:
    """Say whether nobody listens any more."""
    try:
        socket.create_connection(("127.0.0.1", served.port), timeout=5).close()
    except OSError:
        return True
    return False


def test_over_tls_with_a_certificate_of_its_own(home: Home) -> None:
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(home.folder / "ca.pem")
    server.cert_chain_pems[0].write_to_path(home.folder / "cert.pem")
    server.private_key_pem.write_to_path(home.folder / "key.pem")
    files = {"MEDIASMS_NOTIFICATIONS_CERT_FILE": "cert.pem", "MEDIASMS_NOTIFICATIONS_KEY_FILE": "key.pem"}
    with serving(home.init(), **files) as served:
        assert served.url.startswith("https://")
        fields = {"mobilenumber": NUMBER, "status": "1", "smsid": "tls"}
        answer = requests.post(served.url, data=fields, auth=ACCOUNT, verify=str(home.folder / "ca.pem"), timeout=60)
        assert answer.status_code == 200
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", served.port)) as plain, old.wrap_socket(plain) as spoken:
            assert spoken.version() in {"TLSv1.2", "TLSv1.3"}
    (home.folder / "key.pem").write_text("no key")
    home.environment |= ACCOUNT_VARIABLES | files
    assert home("notifications", "serve", "--port", "0").code == 2


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ALLOW", "203.0.113.5/24", "notifications.allow"),
        ("ALLOW", "gateway.example", "notifications.allow"),
        ("TRUSTED_PROXIES", "0.0.0.0/0", "notifications.trusted_proxies"),
        ("HOST", "localhost", "notifications.host"),
        ("PORT", "70000", "notifications.port"),
        ("PATH", "/a?b=c", "notifications.path"),
        ("PATH", "/healthz", "notifications.path"),
        ("BODY_LIMIT", "12", "notifications.body_limit"),
        ("CERT_FILE", "cert.pem", "cert_file and key_file go together"),
        ("HOST", "203.0.113.1", "notifications.address"),
    ],
)
def test_settings_that_make_no_sense_are_refused(home: Home, name: str, value: str, said: str) -> None:
    home.init()
    home.environment |= ACCOUNT_VARIABLES | {f"MEDIASMS_NOTIFICATIONS_{name}": value}
    done = home("notifications", "serve")
    assert done.code == 2
    assert said in done.err


def test_without_an_account_or_with_a_taken_port_it_does_not_start(home: Home) -> None:
    home.init()
    done = home("notifications", "serve", "--port", "0", MEDIASMS_GATEWAY_USERNAME="demo")
    assert (done.code, "gateway.password" in done.err, "gateway.base_url" in done.err) == (2, True, False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        home.environment |= ACCOUNT_VARIABLES
        assert home("notifications", "serve", "--port", port).code == 2


def test_who_listens_to_the_world_without_tls_is_warned(home: Home) -> None:
    home.init()
    with serving(home, "--host", "0.0.0.0", "--lang", "ja") as served:  # noqa: S104 - that is what is warned of
        assert "暗号化" in served.log.read_text("utf-8")
        assert "Basic 認証" in "".join([*served.said, *(_rest(served))])


def _rest(served: Served) -> list[str]:
    assert served.process.stdout is not None
    return [served.process.stdout.readline().decode() for _ in range(5)]
