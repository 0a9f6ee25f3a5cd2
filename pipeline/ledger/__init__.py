"""The ledger: what was intended, what was done, what was seen. Verbs are single transactions, compare-and-set."""

from pipeline.ledger.migrations import migrate_ledger
from pipeline.ledger.opening import Ledger, check_ledger, create_ledger, open_ledger

__all__ = ["Ledger", "check_ledger", "create_ledger", "migrate_ledger", "open_ledger"]
