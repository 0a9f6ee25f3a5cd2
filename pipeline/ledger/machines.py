"""The machine on which an embedded ledger lives: a copy of it elsewhere would send everything once more.

A ledger knows its machine by a digest of the machine's own id. A host's name proves nothing: it may change, in
containers with every start. Only Linux is asked; where a machine has no id nothing is known, and nothing is refused.
"""

from __future__ import annotations

import hashlib
import json
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select

from pipeline.errors import GuardStopped
from pipeline.ledger.batches import record_event
from pipeline.ledger.engines import is_shared
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import event, moment

#: where Linux keeps the id of a machine: given when it was installed, and another one for each
_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
#: what stands there in an image that was never started
_NO_ID = frozenset({"", "uninitialized"})
#: the event that says on which machine the ledger lives; the latest one counts
_KIND = "machine"


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that a ledger says it lives on: the digest of its id, the name it had, and since when."""

    digest: str
    host: str
    since: str


def machine_elsewhere(ledger: Ledger) -> Machine | None:
    """Return the machine on which the ledger lives, where that is known to be another one than this."""
    here = _here()
    if here is None or is_shared(ledger.engine.dialect):
        return None
    with ledger.reading() as connection:
        home = _home(connection, ledger)
    return home if home is not None and home.digest != here else None


def stop_if_elsewhere(ledger: Ledger) -> None:
    """Refuse to send from a copy: what the one over there sends is not recorded in this one, and the other way round.

    Raises ``GuardStopped`` (``ledger.elsewhere``).
    """
    if home := machine_elsewhere(ledger):
        raise GuardStopped("ledger.elsewhere", host=home.host, since=home.since)


def note_machine(ledger: Ledger, now: datetime) -> None:
    """Record that the ledger lives here, where it does not know its machine yet."""
    here = _here()
    if here is None or is_shared(ledger.engine.dialect):
        return
    with ledger.reading() as connection:
        home = _home(connection, ledger)
    if home is None:
        _record(ledger, now, here)


def adopt_machine(ledger: Ledger, now: datetime, *, actor: str, because: str) -> Machine | None:
    """Record a person's word that the ledger lives here now; return where it lived, None where it is no other place."""
    home = machine_elsewhere(ledger)
    here = _here()
    if home is not None and here is not None:
        _record(ledger, now, here, actor=actor, because=because)
    return home


def _here() -> str | None:
    """Return the digest of this machine's id; None where it has none. The id itself is not for others to know."""
    for place in _IDS:
        try:
            found = place.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        if found not in _NO_ID:
            return hashlib.sha256(f"mediasms {found}".encode()).hexdigest()
    return None


def _home(connection: Connection, ledger: Ledger) -> Machine | None:
    query = select(event.c.at, event.c.detail).where(event.c.batch_id == ledger.ledger_id, event.c.kind == _KIND)
    row = connection.execute(query.order_by(event.c.event_id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    detail = json.loads(row.detail)
    return Machine(detail["digest"], detail["host"], f"{moment(row.at):%Y-%m-%d %H:%M}")


def _record(ledger: Ledger, now: datetime, digest: str, **detail: str) -> None:
    # The ledger's own id stands in the place of a batch's: by it the event is found at once among those of years.
    with ledger.writing() as connection:
        facts = {"digest": digest, "host": socket.gethostname(), **detail}
        record_event(connection, now, _KIND, ledger.ledger_id, **facts)
