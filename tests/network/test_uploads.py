"""An upload over a network that breaks: what is known after it, what is said, and what running it again does."""

from __future__ import annotations

import socket
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import Knobs
from tests.crash.place import ACCEPTED, FINDINGS, LATE, MAX_ROWS, UNKNOWN, at_most_once, see_through, told_the_truth
from tests.network.wire import HOST, UPLOAD, Wire, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.crash.place import Place, Places
    from tests.network.wire import Fault, Request

TRY_LATER = 4
#: seconds; long enough for an answer that does come, also on a busy machine
TIMEOUT = 2
PAGE = b"<!DOCTYPE html><html><head><title>200</title></head><body>200</body></html>"
ALL_PLANNED = {"planned": ACCEPTED}
FIRST_UNKNOWN = {"unknown": MAX_ROWS, "planned": ACCEPTED - MAX_ROWS}


def _reset_after(share: Callable[[int], int]) -> Fault:
    """Take a share of the body, hand on so much, then reset."""

    def fault(request: Request) -> None:
        length = share(request.length)
        part = request.body(length)
        if length < request.length:
            request.forward_cut(part)
        else:
            request.forward(part)
        request.reset()

    return fault


def _instead(status: int, body: bytes, *headers: str, length: int | None = None) -> Fault:
    """Let the gateway take everything, and answer something else."""

    def fault(request: Request) -> None:
        request.forward(request.body())
        request.reply(status, body, *headers, length=length)

    return fault


def _swallow(request: Request) -> None:
    request.forward(request.body())
    request.silence()


def _too_late(request: Request) -> None:
    status, body = request.forward(request.body())
    time.sleep(TIMEOUT * 2)
    request.reply(status, body)


def _garbage(request: Request) -> None:
    request.forward(request.body())
    request.raw(b"\x00\xff\x15\x03 no HTTP at all\r\n\r\n")


def _page_without_taking(request: Request) -> None:
    request.body()
    request.reply(200, PAGE)


def _half_a_status_line(request: Request) -> None:
    request.forward(request.body())
    request.raw(b"HTTP/1.1 20")


#: fault → whether the gateway has the messages after it
UNKNOWN_OUTCOMES: dict[str, tuple[Fault, bool]] = {
    "reset at byte 0": (_reset_after(lambda _: 0), False),
    "reset after the first byte": (_reset_after(lambda _: 1), False),
    "reset half way": (_reset_after(lambda length: length // 2), False),
    "reset before the last byte": (_reset_after(lambda length: length - 1), False),
    "reset after the last byte": (_reset_after(lambda length: length), True),
    "answer swallowed": (_swallow, True),
    "answer too late": (_too_late, True),
    "garbage": (_garbage, True),
    "half a status line": (_half_a_status_line, True),
    "page with 200": (_instead(200, PAGE), True),
    "page with 200, nothing taken": (_page_without_taking, False),
    "empty answer": (_instead(200, b""), True),
    "answer cut short": (_instead(200, b"200\n", length=400), True),
    "502 after all": (_instead(502, b"Bad Gateway"), True),
    "503 after all": (_instead(503, b"503"), True),
    "504 after all": (_instead(504, PAGE), True),
}


def _uploads(place: Place) -> int:
    return place.gateway.requests.get(UPLOAD, 0)


def _on(place: Place, wire: Wire) -> None:
    place.environment["MEDIASMS_GATEWAY_BASE_URL"] = wire.url
    place.environment["MEDIASMS_GATEWAY_READ_TIMEOUT"] = str(TIMEOUT)


@pytest.mark.parametrize("name", UNKNOWN_OUTCOMES)
def test_a_broken_upload_is_unknown_until_there_is_evidence(places: Places, name: str) -> None:
    fault, arrives = UNKNOWN_OUTCOMES[name]
    with places(Knobs(results_delay=LATE)) as place, Wire(place.gateway.url) as wire:
        _on(place, wire)
        wire.fault = fault
        assert place.run() == UNKNOWN, place.said
        place.wait_for_others()
        assert wire.is_whole
        assert Counter(place.states().values()) == FIRST_UNKNOWN
        assert set(place.copies().values()) == ({1} if arrives else set())
        assert at_most_once(place) + told_the_truth(place, UNKNOWN) == []
        assert "mediasms pull" in place.said

        uploads = _uploads(place)
        assert place.run() == UNKNOWN
        assert _uploads(place) == uploads
        assert Counter(place.states().values()) == FIRST_UNKNOWN
        assert see_through(place) == []


def _sends_when_it_is_back(place: Place, url: str) -> None:
    """Nothing left the machine: the next run over a whole network sends everything, once."""
    assert Counter(place.states().values()) == ALL_PLANNED
    assert place.copies() == {}
    place.environment["MEDIASMS_GATEWAY_BASE_URL"] = url
    assert place.run() == FINDINGS
    assert Counter(place.states().values()) == {"taken": ACCEPTED}
    assert at_most_once(place) == []


def test_a_refused_connection_leaves_everything_planned(places: Places) -> None:
    with places() as place, socket.socket() as closed:
        closed.bind((HOST, 0))
        place.environment["MEDIASMS_GATEWAY_BASE_URL"] = f"http://{HOST}:{closed.getsockname()[1]}"
        for _ in range(2):
            assert place.run() == TRY_LATER
            assert "nothing is sent twice" in place.said
        _sends_when_it_is_back(place, place.gateway.url)


def test_a_connection_that_is_dropped_at_once_is_planned_or_unknown_but_never_repeated(places: Places) -> None:
    with places(Knobs(results_delay=LATE)) as place, Wire(place.gateway.url) as wire:
        _on(place, wire)
        wire.drop_connections = True
        code = place.run()
        # Whether a byte of the body was read before the reset arrived is chance, and the product knows which it was.
        assert (code, Counter(place.states().values())) in [(TRY_LATER, ALL_PLANNED), (UNKNOWN, FIRST_UNKNOWN)]
        assert place.copies() == {}
        wire.drop_connections = False
        assert see_through(place) == []


def test_a_slow_answer_is_an_answer(places: Places) -> None:
    def slow(request: Request) -> None:
        status, body = request.forward(request.body())
        request.dribble(answer(status, body), 0.03)

    with places() as place, Wire(place.gateway.url) as wire:
        _on(place, wire)
        wire.fault = slow
        started = time.monotonic()
        assert place.run() == FINDINGS, place.said
        assert time.monotonic() - started > 2
        assert Counter(place.states().values()) == {"taken": ACCEPTED}
        assert at_most_once(place) == []


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_unknown_and_no_credential_follows_it(places: Places, status: int) -> None:
    with (
        places(Knobs(results_delay=LATE)) as place,
        Wire(place.gateway.url) as wire,
        Wire(place.gateway.url) as elsewhere,
    ):
        _on(place, wire)

        def redirect(request: Request) -> None:
            request.body()
            request.reply(status, b"", f"Location: http://localhost:{elsewhere.port}{request.target}")

        wire.fault = redirect
        assert place.run() == UNKNOWN
        assert Counter(place.states().values()) == FIRST_UNKNOWN
        assert place.copies() == {}
        assert place.run() == UNKNOWN
        assert _uploads(place) == 0
        assert see_through(place) == []
        assert elsewhere.heads == []
        assert all(b"Authorization: Basic" in head for head in wire.heads)
