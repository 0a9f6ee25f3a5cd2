"""Results that the gateway notifies: as many as have come, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import select

from pipeline.errors import GuardStopped
from pipeline.ledger import engines
from pipeline.ledger.opening import Ledger
from pipeline.ledger.results import SETTLED_BY_EVIDENCE, add_new, stored
from pipeline.ledger.tables import identity, is_not_taken, message
from pipeline.model import Observation


def record_notifications(ledger: Ledger, rows: Sequence[Observation], now: datetime) -> list[str]:
    """Record observations that are not there yet; return the smsids among them that ``settle`` has something to say of.

    They are durable when this returns, and none is where it raises. Nothing is settled in the same transaction: what
    was observed stays, whatever may be wrong with what we thought before.
    """
    named = {row.smsid for row in rows if row.smsid}
    open_states = [state.value for state in SETTLED_BY_EVIDENCE]
    # For days nothing else may open the ledger of this process: a file that was taken away must not be made anew.
    engines.must_exist(ledger.engine)
    with ledger.writing() as connection:
        add_new(connection, [stored(row, received_at=now) for row in rows])
        query = select(message.c.smsid).where(is_not_taken(message), message.c.state.in_(open_states))
        return sorted(connection.execute(query.where(message.c.smsid.in_(named))).scalars())


@contextmanager
def kept_open(ledger: Ledger) -> Iterator[None]:
    """Keep an idle connection to a SQLite file, for who writes often and little.

    Each transaction has a connection of its own; the last one that is closed writes the log back into the file and
    removes it, which takes longer than the transaction itself.
    """
    if engines.is_shared(ledger.engine.dialect):
        yield
        return
    with ledger.engine.connect():
        yield


def check_readable(ledger: Ledger) -> None:
    """Raise what is wrong where the ledger cannot be read, or is not the one any more that was opened."""
    engines.must_exist(ledger.engine)
    with ledger.reading() as connection:
        if connection.execute(select(identity.c.ledger_id)).scalar_one_or_none() != ledger.ledger_id:
            raise GuardStopped("ledger.moved")
