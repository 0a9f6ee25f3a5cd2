"""Copy: move an installation's ledger to the server that several hosts share."""

from __future__ import annotations

from datetime import datetime

from pipeline.adapters.files import Workspace
from pipeline.config import Configuration
from pipeline.ledger import open_ledger
from pipeline.ledger.copying import copy_ledger
from pipeline.ledger.machines import stop_if_elsewhere
from pipeline.ledger.opening import MOVED


def copy(configuration: Configuration, url: str, now: datetime) -> dict[str, int]:
    """Copy the ledger of an installation to ``url``, after checking that it is its own; return rows by table."""
    workspace = Workspace(configuration.path(configuration.settings.workspace.path))
    workspace.ledger_id()
    ledger = open_ledger(configuration.ledger_url, moved=True)
    try:
        workspace.check_belongs_to(ledger.ledger_id.removeprefix(MOVED))
        stop_if_elsewhere(ledger)
        return copy_ledger(ledger, url, now)
    finally:
        ledger.close()
