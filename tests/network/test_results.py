"""Results over a network that breaks: nothing half is counted, and pulling again brings what was missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.simulator import Knobs
from tests.crash.place import ACCEPTED, FINDINGS, LATER, at_most_once, told_the_truth
from tests.network.wire import RESULTS, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.crash.place import Place, Places
    from tests.network.wire import Request

DONE, INPUT, TRY_LATER = 0, 3, 4
#: columns of a results row, in characters: enough to be in the middle of one
CUT = 30
COUNTED = ("statuses", "billable_messages", "billable_units", "amount", "breaks", "equations", "balanced")


@pytest.fixture
def sent(places: Places) -> Iterator[tuple[Place, Wire]]:
    """A batch that was sent over a wire, and has its results ready but not pulled."""
    with places() as place, Wire(place.gateway.url) as wire:
        place.environment["MEDIASMS_GATEWAY_BASE_URL"] = wire.url
        place.environment["MEDIASMS_GATEWAY_READ_TIMEOUT"] = "2"
        assert place.run() == FINDINGS
        place.advance(LATER)
        wire.path = RESULTS
        yield place, wire
        assert at_most_once(place) == []


def _observations(place: Place) -> int:
    count: int = place.query("SELECT count(*) FROM observation")[0][0]
    return count


def _changed(change: Callable[[bytes], bytes], length: Callable[[bytes], int] = len) -> Callable[[Request], None]:
    def fault(request: Request) -> None:
        status, body = request.forward(b"")
        request.reply(status, change(body), length=length(body))

    return fault


def _reset(request: Request) -> None:
    _, body = request.forward(b"")
    request.reply(200, body[:CUT], length=len(body))
    request.reset()


def _page(_: bytes) -> bytes:
    return b"<html><body>maintenance</body></html>\n"


BROKEN: dict[str, tuple[Callable[[Request], None], int]] = {
    "reset half way": (_reset, TRY_LATER),
    "cut, and shorter than announced": (_changed(lambda body: body[:-CUT]), TRY_LATER),
    "cut in the middle of a row": (_changed(lambda body: body[:-CUT], lambda body: len(body) - CUT), INPUT),
    "page instead of rows": (_changed(_page, lambda _: len(_page(b""))), INPUT),
    "503": (lambda request: request.reply(503, b"503"), TRY_LATER),
    "502 with a page": (lambda request: request.reply(502, _page(b"")), TRY_LATER),
    "redirect": (lambda request: request.reply(302, b"", "Location: http://localhost:9/"), TRY_LATER),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_results_are_not_counted_and_are_pulled_again(sent: tuple[Place, Wire], name: str) -> None:
    place, wire = sent
    fault, code = BROKEN[name]
    before = _observations(place)
    wire.fault = fault
    assert place.run("pull", "--json") == code, place.said
    assert wire.is_whole
    assert _observations(place) == before
    assert place.run("pull", "--json") == DONE, place.said
    assert _observations(place) > before
    code = place.run()
    assert told_the_truth(place, code) == []
    assert place.document["taken"] == ACCEPTED


def _reconciled(place: Place) -> dict[str, Any]:
    assert place.run("reconcile", place.query("SELECT batch_id FROM batch")[0][0], "--json") == FINDINGS
    return {name: place.document[name] for name in COUNTED}


def test_results_that_come_twice_count_once(sent: tuple[Place, Wire]) -> None:
    place, wire = sent
    assert place.run("pull") == DONE
    once, rows = _reconciled(place), _observations(place)
    wire.fault = _changed(lambda body: body * 2, lambda body: len(body) * 2)
    assert place.run("pull") == DONE
    place.gateway.knobs = Knobs(duplicate_results=True)
    assert place.run("pull") == DONE
    assert (_reconciled(place), _observations(place)) == (once, rows)


def test_results_that_are_capped_settle_only_what_they_name(places: Places) -> None:
    with places(Knobs(accept_then_reset=True, results_cap=1)) as place:
        assert place.run() == 5
        assert sorted(place.states().values()) == ["planned", "planned", "taken", "unknown", "unknown"]
        place.gateway.knobs = Knobs()
        assert place.run() == 5
        assert place.run() == FINDINGS
        assert set(place.states().values()) == {"taken"}
        assert at_most_once(place) == []
