"""Requests of one message over a network that breaks: what is known after each, and what running it again does."""

from __future__ import annotations

import socket
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import Knobs
from tests.crash.place import ACCEPTED, FINDINGS, LATE, RUN, UNKNOWN, at_most_once, see_through, told_the_truth
from tests.network.test_uploads import TIMEOUT, TRY_LATER, UNKNOWN_OUTCOMES
from tests.network.wire import HOST, Wire

if TYPE_CHECKING:
    from tests.crash.place import Place, Places
    from tests.network.wire import Request

SINGLE = "/api/"
#: their answer is one of a single send: alone in its body it says that nothing was taken
BUSY = "503 after all"


def _on(place: Place, wire: Wire) -> None:
    place.command = (*RUN, "--mode", "single")
    place.environment["MEDIASMS_GATEWAY_BASE_URL"] = wire.url
    place.environment["MEDIASMS_GATEWAY_READ_TIMEOUT"] = str(TIMEOUT)
    wire.path = SINGLE


def _requests(place: Place) -> int:
    return place.gateway.requests.get(SINGLE, 0)


# At the first request, which is alone, and at a later one, when several are on their way.
@pytest.mark.parametrize("moment", ["first", pytest.param("later", marks=pytest.mark.crash)])
@pytest.mark.parametrize("name", [name for name in UNKNOWN_OUTCOMES if name != BUSY])
def test_a_broken_request_is_settled_by_its_result_or_stays_unknown(places: Places, name: str, moment: str) -> None:
    fault, arrives = UNKNOWN_OUTCOMES[name]
    with places(Knobs(results_delay=LATE)) as place, Wire(place.gateway.url) as wire:
        _on(place, wire)

        def first_passes(request: Request) -> None:
            request.reply(*request.forward(request.body()))
            wire.fault = fault

        wire.fault = fault if moment == "first" else first_passes
        code = place.run()
        place.wait_for_others()
        assert wire.is_whole
        states = Counter(place.states().values())
        if arrives:
            assert (code, states) == (FINDINGS, {"taken": ACCEPTED}), place.said
        else:
            assert (code, states["unknown"]) == (UNKNOWN, 1), place.said
            assert states.keys() <= {"unknown", "taken", "planned"}
        assert at_most_once(place) + told_the_truth(place, code) == []

        requests = _requests(place)
        assert place.run() == code
        assert _requests(place) == requests
        assert Counter(place.states().values()) == states
        assert see_through(place) == []


def test_a_refused_connection_leaves_everything_planned(places: Places) -> None:
    with places() as place, socket.socket() as closed:
        closed.bind((HOST, 0))
        place.command = (*RUN, "--mode", "single")
        place.environment["MEDIASMS_GATEWAY_BASE_URL"] = f"http://{HOST}:{closed.getsockname()[1]}"
        for _ in range(2):
            assert place.run() == TRY_LATER
        assert Counter(place.states().values()) == {"planned": ACCEPTED}
        place.environment["MEDIASMS_GATEWAY_BASE_URL"] = place.gateway.url
        assert place.run() == FINDINGS
        assert at_most_once(place) == []
        assert set(place.states().values()) == {"taken"}


def test_a_page_with_503_after_taking_is_no_reason_to_send_again(places: Places) -> None:
    with places(Knobs(results_delay=LATE)) as place, Wire(place.gateway.url) as wire:
        _on(place, wire)

        def taken_but_busy(request: Request) -> None:
            request.forward(request.body())
            request.reply(503, b"<html>503 Service Unavailable</html>")

        wire.fault = taken_but_busy
        assert place.run() == FINDINGS, place.said
        assert list(place.copies().values()) == [1] * ACCEPTED
