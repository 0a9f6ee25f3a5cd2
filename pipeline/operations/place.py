"""Where the ledger lies, as far as a person must know."""

from __future__ import annotations

from pathlib import Path

from pipeline.config import Configuration
from pipeline.context import Context
from pipeline.errors import GuardStopped
from pipeline.ledger import open_ledger
from pipeline.ledger.engines import describe_place, place_of_host


def stop_unless_known(configuration: Configuration, file: Path) -> None:
    """Refuse to make an empty ledger for a configuration ``file`` that is there: its own may only have been moved.

    Raises ``GuardStopped`` (``ledger.first_use``). With a ledger of several hosts that is there, a host is only added.
    """
    try:
        open_ledger(configuration.ledger_url, older=True, moved=True).close()
    except GuardStopped as stopped:
        if stopped.code not in {"ledger.missing", "ledger.not_a_ledger"}:
            raise
        raise GuardStopped("ledger.first_use", config=file, ledger=stopped.facts["file"]) from None


def tell_place(context: Context) -> None:
    """Say that the ledger lies in a folder of the host, where that is so."""
    engine = context.ledger.engine
    if (kind := place_of_host(engine)) is not None:
        context.warn("ledger.of_host", file=describe_place(engine), kind=kind)
