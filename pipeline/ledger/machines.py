"""Where a ledger lives: an embedded one on a machine, a shared one on a server. A copy would send everything once more.

A machine is known by a digest of its own id. A host's name proves nothing: it may change, in containers with every
start. Only Linux is asked; where a machine has no id nothing is known, and nothing is refused.

A server's database is another one after it was restored, or another server took over: what was sent since the backup,
or had not reached that other server, is not in it. Each host has marks of what it began itself, and of nothing else.
"""

from __future__ import annotations

import hashlib
import socket
from datetime import datetime
from pathlib import Path

from pipeline.errors import GuardStopped
from pipeline.ledger.belonging import Owner, note_owner, owner_of
from pipeline.ledger.engines import describe_place, incarnation, is_shared
from pipeline.ledger.opening import Ledger

#: where Linux keeps the id of a machine: given when it was installed, and another one for each
_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
#: what stands there in an image that was never started
_NO_ID = frozenset({"", "uninitialized"})


def machine_elsewhere(ledger: Ledger) -> Owner | None:
    """Return where the ledger lives, where that is known to be another machine or database than this."""
    here, home = _here(ledger), owner_of(ledger, _kind(ledger))
    return home if here is not None and home is not None and home.mark != here else None


def elsewhere(ledger: Ledger) -> GuardStopped | None:
    """Say so where the ledger lives elsewhere: ``ledger.elsewhere``, or ``ledger.other_server`` of a shared one."""
    if (home := machine_elsewhere(ledger)) is None:
        return None
    if is_shared(ledger.engine.dialect):
        return GuardStopped("ledger.other_server", host=home.host, since=home.since)
    return GuardStopped("ledger.elsewhere", host=home.host, since=home.since)


def stop_if_elsewhere(ledger: Ledger) -> None:
    """Refuse to send from a copy: what the one over there sends is not recorded in this one, and the other way round.

    Raises what ``elsewhere`` says.
    """
    if refusal := elsewhere(ledger):
        raise refusal


def note_machine(ledger: Ledger, now: datetime) -> None:
    """Record that the ledger lives here, where it does not know its place yet."""
    if owner_of(ledger, _kind(ledger)) is None and (here := _here(ledger)) is not None:
        note_owner(ledger, now, _kind(ledger), here, _name(ledger))


def adopt_machine(ledger: Ledger, now: datetime, *, actor: str, because: str) -> Owner | None:
    """Record a person's word that the ledger lives here now; return where it lived, None where it is no other place."""
    home, here = machine_elsewhere(ledger), _here(ledger)
    if home is not None and here is not None:
        note_owner(ledger, now, _kind(ledger), here, _name(ledger), actor=actor, because=because)
    return home


def _kind(ledger: Ledger) -> str:
    return "server" if is_shared(ledger.engine.dialect) else "machine"


def _name(ledger: Ledger) -> str:
    return describe_place(ledger.engine) if is_shared(ledger.engine.dialect) else socket.gethostname()


def _here(ledger: Ledger) -> str | None:
    """Return what tells this place from all others; None where that is not known."""
    return incarnation(ledger.engine) if is_shared(ledger.engine.dialect) else _machine()


def _machine() -> str | None:
    """Return the digest of this machine's id; None where it has none. The id itself is not for others to know."""
    for place in _IDS:
        try:
            found = place.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        if found not in _NO_ID:
            return hashlib.sha256(f"mediasms {found}".encode()).hexdigest()
    return None
