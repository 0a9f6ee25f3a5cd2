"""Migrate: bring the ledger to the version of this program. The one request that may open an older one."""

from __future__ import annotations

from datetime import datetime

from pipeline.adapters.files import Workspace
from pipeline.config import Configuration
from pipeline.ledger import migrate_ledger, open_ledger


def migrate(configuration: Configuration, now: datetime) -> int:
    """Migrate the ledger of an installation, after checking that it is its own; return the version it has now."""
    workspace = Workspace(configuration.path(configuration.settings.workspace.path))
    workspace.ledger_id()
    ledger = open_ledger(configuration.ledger_url, older=True)
    try:
        workspace.check_belongs_to(ledger.ledger_id)
        return migrate_ledger(ledger, now)
    finally:
        ledger.close()
