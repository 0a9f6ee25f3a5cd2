"""Results as a test wants them: recorded as if a file with these rows had been pulled."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from pipeline.ledger.batches import sent_messages
from pipeline.ledger.results import record_pull, settle
from pipeline.model import Artefact, Observation, ObservationPath

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.context import Context
    from pipeline.model import SentMessage

_FILES = count(1)


def sent(context: Context, batch_id: str) -> list[SentMessage]:
    return list(sent_messages(context.ledger, batch_id))


def result(
    message: SentMessage,
    status: str,
    at: datetime,
    *,
    msisdn: str | None = None,
    carrier: str = "Docomo",
    parts: tuple[int, int] | None = None,
    line: int = 1,
) -> Observation:
    """Return a row of the results about a message."""
    return Observation(
        path=ObservationPath.PULLED,
        smsid=message.smsid,
        msisdn=msisdn or message.msisdn,
        status=status,
        status_time=at,
        carrier=carrier,
        parts_delivered=parts and parts[0],
        parts_total=parts and parts[1],
        registered_at=message.sent_at,
        line=line,
    )


def observe(context: Context, *rows: Observation) -> str:
    """Record rows as one pulled file, and settle what they say; return the name of the file."""
    now, name = context.now(), f"results-{next(_FILES):04d}.csv"
    record_pull(context.ledger, Artefact(name, "0" * 64, 1), (now, now), rows, now)
    settle(context.ledger, now)
    return name
