"""Where the ledger lies, as far as a person must know."""

from __future__ import annotations

from pipeline.context import Context
from pipeline.ledger.engines import describe_place, place_of_host


def tell_place(context: Context) -> None:
    """Say that the ledger lies in a folder of the host, where that is so."""
    engine = context.ledger.engine
    if (kind := place_of_host(engine)) is not None:
        context.warn("ledger.of_host", file=describe_place(engine), kind=kind)
