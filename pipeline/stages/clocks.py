"""Clocks: the gateway's beside ours. Results are asked for by sending time, so a wrong one of them hides results."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.context import Context
from pipeline.core.calendar import JST
from pipeline.errors import MediasmsError
from pipeline.ledger.clocks import last_clock, last_sending, note_clock

if TYPE_CHECKING:
    from pipeline.adapters.gateway import Exchange

#: so far apart clocks may be before anybody is told; the margin of a pull is wider
_BOUND = timedelta(minutes=1)


def compare_clocks(context: Context, exchange: Exchange, batch_id: str | None = None) -> None:
    """Compare the gateway's clock, by its answer, with ours; note and say how far they are apart, once.

    It is noted for the ``batch_id`` that was being sent: its results lie there by the gateway's clock. Without a date
    in the answer nothing is known, and nothing is said.
    """
    if exchange.gateway_time is None:
        return
    now, clocks = context.now(), context.clocks
    ahead = exchange.gateway_time - now
    # That it cannot be noted must not hide what became of the messages.
    with suppress(MediasmsError):
        if abs(ahead - _noted(context, batch_id)) > _BOUND:
            note_clock(context.ledger, now, ahead, batch_id)
            clocks.noted[batch_id] = ahead
    if abs(ahead) > _BOUND and abs(ahead - clocks.told) > _BOUND:
        clocks.told = ahead
        context.warn("clock.differs", ours=_shown(now), theirs=_shown(exchange.gateway_time), minutes=_minutes(ahead))


def _noted(context: Context, batch_id: str | None) -> timedelta:
    """Return what is noted already; outside of batches also by earlier commands, so that an end of it is noted."""
    noted = context.clocks.noted
    if batch_id not in noted:
        last = None if batch_id else last_clock(context.ledger)
        noted[batch_id] = last[1] if last else timedelta(0)
    return noted[batch_id]


def tell_known_clock(context: Context) -> None:
    """Say what was noted last, where nobody asks the gateway now, and whether our own clock went back."""
    last = last_clock(context.ledger)
    if last and abs(last[1]) > _BOUND:
        at, ahead = last
        context.warn("clock.differed", ours=_shown(at), theirs=_shown(at + ahead), minutes=_minutes(ahead))
    tell_clock_went_back(context)


def tell_clock_went_back(context: Context, batch_id: str | None = None) -> None:
    """Say that something was sent after now: our clock was wrong then, or is now."""
    now, last = context.now(), last_sending(context.ledger, batch_id)
    if last and last - now > _BOUND:
        context.warn("clock.went_back", ours=_shown(now), sent=_shown(last))


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(JST):%Y-%m-%d %H:%M:%S}"


def _minutes(ahead: timedelta) -> int:
    return round(abs(ahead) / timedelta(minutes=1))
