"""Answering: what the gateway's answers say by the profile, for everything that asks it something."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from pipeline.adapters.gateway import Exchange
from pipeline.context import Context
from pipeline.core.answers import Answer, parse_answer
from pipeline.errors import GatewayRefused, GuardStopped, OutcomeUnknown, TryLater, UsageError
from pipeline.ledger.logins import note_auth
from pipeline.model import Proof
from schemas.profile import Endpoint

#: how long the gateway may be busy before the rest is left for later; first and longest pause, in seconds
_BUSY_SECONDS, _FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 0.5, 8.0


def read_answer(context: Context, exchange: Exchange) -> Answer | None:
    """Read the answer to a send; None where there was none, which proves nothing."""
    if exchange.http_status is None:
        return None
    form = context.profile.upload_answer
    empty_is_taken = form.empty_body_is_taken.value and form.empty_body_is_taken.confirmed is True
    return parse_answer(exchange.http_status, exchange.body, context.documented, empty_is_taken=empty_is_taken)


def lines_of(answer: Answer | None, body: bytes) -> tuple[str, ...]:
    """Name the lines of an answer by their form, for who compares it with the profile; their values stay out."""
    if answer is None:
        return ()
    found = {
        "empty": not body.strip(),
        "code": answer.code is not None,
        "csvid": answer.csvid is not None,
        "counts": answer.counts is not None,
        "rejects": bool(answer.rejects),
        "strange": bool(answer.strange),
    }
    return tuple(name for name, is_there in found.items() if is_there)


def codes_of_nothing_taken(context: Context) -> list[str]:
    """Return the codes that prove that nothing of a request was taken."""
    return [code for code, known in context.documented.items() if known.proves is Proof.NOTHING_TAKEN]


@contextmanager
def must_be_recorded(context: Context, dispatch_id: str, messages: int) -> Iterator[None]:
    """Say that an outcome is open when the ledger could not take it: something was tried, so it is not for later.

    What was proven is lost with this process then: the next one finds the dispatch in flight.
    """
    try:
        yield
    except (TryLater, GuardStopped, UsageError) as error:
        facts = {"dispatch": dispatch_id, "messages": messages}
        raise OutcomeUnknown("send.unrecorded", problem=error.what(context.language), **facts) from None


def pauses_while_busy() -> Iterator[float]:
    """Yield pauses that grow, each a little random so that processes do not come back together."""
    pause, total = _FIRST_PAUSE, 0.0
    while total < _BUSY_SECONDS:
        drawn = pause * random.uniform(0.5, 1.5)  # noqa: S311 - to spread requests, not a secret
        total += drawn
        yield drawn
        pause = min(pause * 2, _LONGEST_PAUSE)


def too_busy(context: Context) -> TryLater:
    """Say that the gateway was busy for too long."""
    return TryLater("gateway.busy", code=context.profile.single.busy_code.value, seconds=int(_BUSY_SECONDS))


def unreachable(context: Context, endpoint: Endpoint, exchange: Exchange) -> TryLater:
    """Return the failure that says where results could not be had."""
    return TryLater("results.unreachable", url=context.gateway.address(endpoint), problem=exchange.problem)


def no_results(context: Context, code: str | None, http_status: int | None) -> NoReturn:
    """Say why there are no results: refused by a documented code, else to be had later. A refused login is counted."""
    no_login = context.stops_logins(code)
    if context.is_failed_login(code):
        note_auth(context.ledger, context.settings.gateway.base_url, context.now(), failed=True)
    known = context.profile.answer_by_code.get(code or "")
    if known is None or (known.proves is Proof.UNKNOWN and not no_login):
        raise TryLater("results.unavailable", code=code or f"HTTP {http_status}", meaning=context.meaning(code))
    raise GatewayRefused("gateway.refused", **context.refusal(code))
