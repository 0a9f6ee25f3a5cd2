"""The gateway through which a ledger sends: what was sent through another one was not sent to anybody here.

Whoever practises with the embedded gateway and then enters the real one has served everybody already, as far as the
ledger knows. The host's name is compared, neither port nor account; every name of this machine itself is one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from pipeline.errors import GuardStopped
from pipeline.ledger.batches import record_event
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import dispatch, event, moment

#: the event that says through which gateway the ledger sends; the latest one counts
_KIND = "gateway"
_HERE = "localhost"


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway through which the ledger has sent: the name of its host, and since when."""

    host: str
    since: str


def other_gateway(ledger: Ledger, base_url: str) -> Gateway | None:
    """Return the gateway through which the ledger has sent, where that is known to be another one; None else."""
    here = _host(base_url)
    with ledger.reading() as connection:
        known = _known(connection, ledger)
        if not here or known is None or known.host == here:
            return None
        begun = select(dispatch.c.dispatch_id).where(dispatch.c.begun_at.is_not(None)).limit(1)
        return known if connection.execute(begun).one_or_none() else None


def stop_if_other_gateway(ledger: Ledger, base_url: str) -> None:
    """Refuse to send through another gateway than before: whom that one served counts as served.

    Raises ``GuardStopped`` (``ledger.other_gateway``).
    """
    if other := other_gateway(ledger, base_url):
        raise GuardStopped("ledger.other_gateway", before=other.host, since=other.since, now=_host(base_url))


def note_gateway(ledger: Ledger, now: datetime, base_url: str) -> None:
    """Record through which gateway the ledger sends, where it does not know; ``stop_if_other_gateway`` comes first."""
    here = _host(base_url)
    with ledger.reading() as connection:
        known = _known(connection, ledger)
    if here and (known is None or known.host != here):
        _record(ledger, now, here)


def adopt_gateway(ledger: Ledger, now: datetime, base_url: str, *, actor: str, because: str) -> Gateway | None:
    """Record a person's word that it is the same account under another address; return where it was, None if here."""
    if other := other_gateway(ledger, base_url):
        _record(ledger, now, _host(base_url), actor=actor, because=because)
    return other


def _host(base_url: str) -> str:
    """Return the host of an address; empty where there is none, or it is malformed, which whoever sends is told."""
    try:
        host = (urlsplit(base_url).hostname or "").rstrip(".")
    except ValueError:
        return ""
    try:
        return _HERE if ip_address(host).is_loopback else host
    except ValueError:
        return host


def _known(connection: Connection, ledger: Ledger) -> Gateway | None:
    query = select(event.c.at, event.c.detail).where(event.c.batch_id == ledger.ledger_id, event.c.kind == _KIND)
    row = connection.execute(query.order_by(event.c.event_id.desc()).limit(1)).one_or_none()
    return Gateway(json.loads(row.detail)["host"], f"{moment(row.at):%Y-%m-%d %H:%M}") if row else None


def _record(ledger: Ledger, now: datetime, host: str, **detail: str) -> None:
    # The ledger's own id stands in the place of a batch's, as where it says on which machine it lives.
    with ledger.writing() as connection:
        record_event(connection, now, _KIND, ledger.ledger_id, host=host, **detail)
