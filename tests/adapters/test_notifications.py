"""What the notification endpoint is made of: bodies, senders, and the commits that many requests share."""

from __future__ import annotations

import asyncio
import base64
import threading
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest

from pipeline.adapters.group_commit import GroupCommit, TooManyWaitingError
from pipeline.adapters.notification_bodies import BodyUnusableError, read_fields
from pipeline.adapters.notifications import Application, Endpoint, Recorder, Visit
from pipeline.adapters.senders import Credentials, Sources
from pipeline.errors import TryLater
from pipeline.model import Observation, ObservationPath

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping, Sequence

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = 'multipart/form-data; boundary="xx"'


def multipart(*parts: tuple[str, bytes]) -> bytes:
    body = b"".join(
        b'--xx\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value + b"\r\n"
        for name, value in parts
    )
    return body + b"--xx--\r\n"


@pytest.mark.parametrize(
    ("query", "kind", "body", "fields"),
    [
        (b"", FORM, "status=送信済&smsid=a+b%2Bc&empty=&bare".encode(), ["送信済", "a b+c", "", ""]),
        (b"status=%E9%80%81%E4%BF%A1%E6%B8%88", "", b"", ["送信済"]),
        (b"a=1&&b=2&", "", b"c=3\r\n", ["1", "2", "3"]),
        (b"", f"{FORM}; charset=Shift_JIS", "a=送信済".encode("cp932"), ["送信済"]),
        (b"", f"{FORM}; charset=Windows-31J", b"a=%91%97%90%4D%8D%CF", ["送信済"]),
        (b"", f"{FORM};charset=US-ASCII", b"a=1", ["1"]),
        (b"", FORM, b"a=%FFx", ["\udcffx"]),
        (b"", FORM, b"a=%zz%", ["%zz%"]),
        (b"", MULTIPART, multipart(("a", "送信済".encode()), ("b", b"1\r\n2")), ["送信済", "1\r\n2"]),
        (b"", MULTIPART + "; charset=cp932", multipart(("a", "送信済".encode("cp932"))), ["送信済"]),
        (b"", JSON, '{"a":"送信済","b":1,"c":1.50,"d":null,"e":[1,{"f":true}]}'.encode(),
         ["送信済", "1", "1.50", None, ["1", {"f": True}]]),
        (b"", JSON, b'\xef\xbb\xbf{"a":1e400,"b":NaN}', ["1e400", "NaN"]),
        (b"", JSON, b'{"a":1,"a":2}', ["1", "2"]),
        (b"", f"{JSON}; charset=cp932", '{"a":"送信済"}'.encode("cp932"), ["送信済"]),
        (b"", JSON, b'{"a":"\\ud800\\u0000"}', ["\ud800\0"]),
        (b"", "text/plain", b"", []),
    ],
)  # fmt: skip
def test_a_body_is_read_in_its_encoding(query: bytes, kind: str, body: bytes, fields: list[object]) -> None:
    assert [value for _, value in read_fields(query, kind, body, "utf-8")] == fields


def test_names_are_read_too_and_an_account_may_send_shift_jis() -> None:
    assert read_fields(b"%82%A0=1", FORM, "い=2".encode("cp932"), "cp932") == [("あ", "1"), ("い", "2")]


@pytest.mark.parametrize(
    ("kind", "body", "status", "reason"),
    [
        ("text/plain", b"a=1", 415, "body.type"),
        ("application/xml", b"<a/>", 415, "body.type"),
        (f"{FORM}; charset=utf-16", b"a=1", 415, "body.charset"),
        (JSON, b"", 400, "body.json"),
        (JSON, b"{", 400, "body.json"),
        (JSON, b"[]", 400, "body.json"),
        (JSON, b'"a"', 400, "body.json"),
        (JSON, b'{"a":"\x00"}', 400, "body.json"),
        (JSON, b"[" * 60_000, 400, "body.json"),
        (JSON, b'{"a":' + b"[" * 60_000, 400, "body.json"),
        ("multipart/form-data", b"x", 400, "body.multipart"),
        (MULTIPART, b"x", 400, "body.multipart"),
        (MULTIPART, multipart(("a", b"1"))[:-8], 400, "body.multipart"),
        ("multipart/form-data; boundary=" + "x" * 300, b"x", 400, "body.multipart"),
        (FORM, b"a&" * 2_000, 400, "body.fields"),
    ],
)
def test_what_cannot_be_read_is_refused(kind: str, body: bytes, status: int, reason: str) -> None:
    with pytest.raises(BodyUnusableError) as caught:
        read_fields(b"", kind, body, "utf-8")
    assert (caught.value.status, caught.value.reason) == (status, reason)


def basic(pair: bytes, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(pair).decode()}"


def test_only_the_accounts_credentials_are_let_in() -> None:
    account = Credentials("demo", "päss:wört")
    right = "demo:päss:wört".encode()
    assert account.are_in(basic(right))
    assert account.are_in(basic(right, "BASIC").replace(" ", "   "))
    for wrong in (
        "",
        "Basic",
        "Basic %%%",
        "Basic \u3042",
        basic(b"demo:"),
        basic(b"demo"),
        basic(right + b"x"),
        basic(right[:-1]),
        basic(right.upper()),
        basic(right, "Bearer"),
        basic("demo:päss:wört".encode("latin-1")),
    ):
        assert not account.are_in(wrong)


OURS = Sources((ip_network("203.0.113.0/24"), ip_network("2001:db8::/32")), (ip_network("10.0.0.0/8"),))


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("198.51.100.1", ["203.0.113.9"], "198.51.100.1"),
        ("::ffff:203.0.113.9", [], "203.0.113.9"),
        ("fe80::1%eth0", [], "fe80::1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.1,10.2.3.4"], "198.51.100.1"),
        ("10.0.0.1", ["2001:db8::7 , 10.9.9.9"], "2001:db8::7"),
        ("10.0.0.1", ["203.0.113.9, unknown"], None),
        ("10.0.0.1", [""], None),
        ("", ["203.0.113.9"], None),
    ],
)
def test_a_proxy_is_believed_and_nobody_else(peer: str, forwarded: list[str], source: str | None) -> None:
    assert OURS.source(peer, forwarded) == (ip_address(source) if source else None)


def test_sources_outside_the_list_are_not_allowed() -> None:
    assert OURS.allows(ip_address("203.0.113.9"))
    assert OURS.allows(ip_address("2001:db8::1"))
    assert not OURS.allows(ip_address("203.0.114.9"))
    assert not OURS.allows(None)
    assert Sources().allows(ip_address("198.51.100.1"))
    assert Sources().allows(None)


def committing(write: Callable[[Sequence[int]], None], use: Callable[[GroupCommit[int]], Awaitable[None]]) -> None:
    async def run() -> None:
        commits = GroupCommit[int](write)
        commits.start()
        try:
            await use(commits)
        finally:
            await commits.close(20)

    asyncio.run(run())


def test_what_comes_while_one_transaction_is_written_goes_into_the_next_one() -> None:
    groups: list[list[int]] = []
    first, go_on = threading.Event(), threading.Event()

    def write(rows: Sequence[int]) -> None:
        groups.append(list(rows))
        first.set()
        assert go_on.wait(20)

    async def use(commits: GroupCommit[int]) -> None:
        begun = asyncio.ensure_future(commits.commit(0, 20))
        await asyncio.to_thread(first.wait, 20)
        others = [asyncio.ensure_future(commits.commit(row, 20)) for row in range(1, 1_501)]
        await asyncio.sleep(0)
        assert not begun.done()
        go_on.set()
        await asyncio.gather(begun, *others)

    committing(write, use)
    assert [len(group) for group in groups] == [1, 1_000, 500]
    assert [row for group in groups for row in group] == list(range(1_501))


def test_one_bad_row_does_not_keep_the_others_out() -> None:
    written: list[int] = []

    def write(rows: Sequence[int]) -> None:
        if 3 in rows:
            raise ValueError
        written.extend(rows)

    async def use(commits: GroupCommit[int]) -> None:
        said = await asyncio.gather(*(commits.commit(row, 20) for row in range(6)), return_exceptions=True)
        assert [type(each) for each in said] == [type(None)] * 3 + [ValueError] + [type(None)] * 2

    committing(write, use)
    assert sorted(written) == [0, 1, 2, 4, 5]


def test_what_the_ledger_says_concerns_all_of_a_group() -> None:
    asked: list[int] = []

    def write(rows: Sequence[int]) -> None:
        asked.append(len(rows))
        raise TryLater("ledger.busy", problem="locked")

    async def use(commits: GroupCommit[int]) -> None:
        said = await asyncio.gather(*(commits.commit(row, 20) for row in range(6)), return_exceptions=True)
        assert {type(each) for each in said} == {TryLater}

    committing(write, use)
    assert sum(asked) == 6


def test_who_gives_up_while_waiting_is_not_written() -> None:
    groups: list[list[int]] = []
    first, go_on = threading.Event(), threading.Event()

    def write(rows: Sequence[int]) -> None:
        groups.append(list(rows))
        first.set()
        assert go_on.wait(20)

    async def use(commits: GroupCommit[int]) -> None:
        begun = asyncio.ensure_future(commits.commit(0, 20))
        await asyncio.to_thread(first.wait, 20)
        with pytest.raises(TimeoutError):
            await commits.commit(1, 0.01)
        last = asyncio.ensure_future(commits.commit(2, 20))
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(begun, last)

    committing(write, use)
    assert groups == [[0], [2]]


def test_more_than_can_be_written_soon_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.adapters.group_commit._MOST_WAITING", 2)
    first, go_on = threading.Event(), threading.Event()
    written: list[int] = []

    def write(rows: Sequence[int]) -> None:
        first.set()
        assert go_on.wait(20)
        written.extend(rows)

    async def use(commits: GroupCommit[int]) -> None:
        waiting = [asyncio.ensure_future(commits.commit(0, 20))]
        await asyncio.to_thread(first.wait, 20)
        waiting += [asyncio.ensure_future(commits.commit(row, 20)) for row in (1, 2)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyWaitingError):
            await commits.commit(3, 20)
        go_on.set()
        await asyncio.gather(*waiting)

    committing(write, use)
    assert written == [0, 1, 2]


def test_closing_writes_what_still_waits() -> None:
    written: list[int] = []
    go_on = threading.Event()

    def write(rows: Sequence[int]) -> None:
        assert go_on.wait(20)
        written.extend(rows)

    async def run() -> None:
        commits = GroupCommit[int](write)
        commits.start()
        waiting = [asyncio.ensure_future(commits.commit(row, 20)) for row in range(5)]
        await asyncio.sleep(0.05)
        closing = asyncio.ensure_future(commits.close(20))
        await asyncio.sleep(0.05)
        go_on.set()
        await asyncio.gather(closing, *waiting)

    asyncio.run(run())
    assert sorted(written) == [0, 1, 2, 3, 4]


class Asked:
    """The endpoint asked without a server: ``events`` are what comes in of a body, each at once, then nothing more."""

    def __init__(self, write: Callable[[Sequence[Observation]], None], read: Callable[[object], Observation]) -> None:
        self.visits: list[Visit] = []
        self._recorder = Recorder(write, lambda: None, self.visits.append)
        self._endpoint = Endpoint(
            "/notifications", Sources(), Credentials("demo", "secret"), 1_024, "utf-8", "OK", read
        )

    def __call__(self, *events: dict[str, object]) -> int:
        coming = list(events)
        sent: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            if coming:
                return coming.pop(0)
            await asyncio.sleep(60)
            raise AssertionError

        async def send(message: MutableMapping[str, object]) -> None:
            sent.append(dict(message))

        async def run() -> None:
            application = Application(self._endpoint, self._recorder)
            application.start()
            try:
                await application(dict(_SCOPE), receive, send)
            finally:
                await application.close()

        asyncio.run(run())
        status = sent[0]["status"]
        assert isinstance(status, int)
        return status


_SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/notifications",
    "query_string": b"",
    "headers": [(b"authorization", basic(b"demo:secret").encode()), (b"x-forwarded-for", b"198.51.100.1")],
    "client": ("203.0.113.9", 1),
}
_OBSERVED = Observation(path=ObservationPath.NOTIFIED, smsid="a", msisdn="09011112222", status="1", status_time=None)
_WHOLE = {"type": "http.request", "body": b"a=1", "more_body": False}
_PART = {"type": "http.request", "body": b"a=1", "more_body": True}


def _ok(_rows: object) -> None: ...


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.adapters.notifications._BODY_SECONDS", 0.01)
    asked = Asked(_ok, lambda _fields: _OBSERVED)
    assert asked(_PART) == 408
    assert asked(_PART, {"type": "http.disconnect"}) == 400
    assert asked(*[_PART | {"body": b"x" * 1_000}] * 2) == 413
    assert asked(_PART, _WHOLE) == 200
    assert [visit.reason for visit in asked.visits] == ["body.slow", "body.cut_off", "body.too_large", ""]
    assert {visit.source for visit in asked.visits} == {"203.0.113.9"}


def test_a_bug_is_named_without_what_it_says() -> None:
    def broken(_fields: object) -> Observation:
        raise KeyError("09011112222")

    asked = Asked(_ok, broken)
    assert asked(_WHOLE) == 500
    assert [visit.reason for visit in asked.visits] == ["KeyError"]


def test_what_cannot_be_written_is_to_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_rows: object) -> None:
        raise OSError("09011112222")

    def busy(_rows: object) -> None:
        raise TryLater("ledger.busy", problem="locked")

    reasons = []
    for write in (full, busy):
        asked = Asked(write, lambda _fields: _OBSERVED)
        assert asked(_WHOLE) == 503
        reasons += [visit.reason for visit in asked.visits]
    monkeypatch.setattr("pipeline.adapters.group_commit._MOST_WAITING", 0)
    asked = Asked(_ok, lambda _fields: _OBSERVED)
    assert asked(_WHOLE) == 503
    assert [*reasons, asked.visits[0].reason] == ["OSError", "ledger.busy", "ledger.behind"]
