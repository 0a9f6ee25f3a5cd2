"""The gateway through which a ledger sends: what was sent through another one was not sent to anybody here.

Whoever practises with the embedded gateway and then enters the real one has served everybody already, as far as the
ledger knows. The host's name is compared, neither port nor account; every name of this machine itself is one.
"""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy import select

from pipeline.errors import GuardStopped
from pipeline.ledger.belonging import Owner, note_owner, owner_of
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import dispatch

_KIND = "gateway"
_HERE = "localhost"


def other_gateway(ledger: Ledger, base_url: str) -> Owner | None:
    """Return the gateway through which the ledger has sent, where that is known to be another one; None else."""
    here, known = _host(base_url), owner_of(ledger, _KIND)
    if not here or known is None or known.mark == here:
        return None
    begun = select(dispatch.c.dispatch_id).where(dispatch.c.begun_at.is_not(None)).limit(1)
    with ledger.reading() as connection:
        return known if connection.execute(begun).one_or_none() else None


def stop_if_other_gateway(ledger: Ledger, base_url: str) -> None:
    """Refuse to send through another gateway than before: whom that one served counts as served.

    Raises ``GuardStopped`` (``ledger.other_gateway``).
    """
    if other := other_gateway(ledger, base_url):
        raise GuardStopped("ledger.other_gateway", before=other.host, since=other.since, now=_host(base_url))


def note_gateway(ledger: Ledger, now: datetime, base_url: str) -> None:
    """Record through which gateway the ledger sends, where it does not know; ``stop_if_other_gateway`` comes first."""
    here, known = _host(base_url), owner_of(ledger, _KIND)
    if here and (known is None or known.mark != here):
        note_owner(ledger, now, _KIND, here, here)


def adopt_gateway(ledger: Ledger, now: datetime, base_url: str, *, actor: str, because: str) -> Owner | None:
    """Record a person's word that it is the same account under another address; return where it was, None if here."""
    if other := other_gateway(ledger, base_url):
        here = _host(base_url)
        note_owner(ledger, now, _KIND, here, here, actor=actor, because=because)
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
