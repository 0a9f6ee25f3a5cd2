"""Which messages a person has decided about: events name them by row, in ranges, as uploads hold ranges of rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select

from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import cancellation, event, iso, message
from pipeline.model import CancelOutcome, MessageState

#: events by which a person changes what is known of messages
_DECISIONS = ("resolved", "cancelled")


def rows_about(connection: Connection, dispatch_id: str, state: MessageState, *only: ColumnElement[bool]) -> str:
    """Return the rows of those messages of a dispatch that are in ``state`` and meet ``only``, as ``2-5,9``."""
    query = select(message.c.row_number).where(
        message.c.dispatch_id == dispatch_id, message.c.state == state.value, *only
    )
    return _spelled(connection.execute(query.order_by(message.c.row_number)).scalars())


def decided_since(ledger: Ledger, since: datetime) -> set[str]:
    """Return the smsids of messages about which a person has decided after ``since``: resolved or cancelled.

    Only those that the decision itself has moved, wherever they went later, and those that the gateway cancelled for
    somebody.
    """
    query = select(event.c.batch_id, event.c.detail).where(event.c.kind.in_(_DECISIONS), event.c.at > iso(since))
    there = select(cancellation.c.smsid).where(
        cancellation.c.outcome == CancelOutcome.CANCELLED.value, cancellation.c.answered_at > iso(since)
    )
    with ledger.reading() as connection:
        found = set(connection.execute(there).scalars())
        for batch_id, detail in connection.execute(query).all():
            for first, last in _ranges(json.loads(detail).get("rows", "")):
                rows = message.c.row_number.between(first, last)
                found.update(
                    connection.execute(select(message.c.smsid).where(message.c.batch_id == batch_id, rows)).scalars()
                )
    return found


def _spelled(numbers: Iterable[int]) -> str:
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _ranges(spelled: str) -> Iterable[tuple[int, int]]:
    for part in filter(None, spelled.split(",")):
        first, _, last = part.partition("-")
        yield int(first), int(last or first)
