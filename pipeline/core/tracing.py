"""The life of a message: everything that is known about it, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.errors import MediasmsError
from pipeline.model import (
    Batch,
    Break,
    CancelOutcome,
    Dispatch,
    InvoiceLine,
    MessageLine,
    Observation,
    Repair,
    SentMessage,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A message and where it belongs."""

    message: SentMessage
    batch_id: str
    dispatch_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An observation, and when and from which file it came; both None where it was not pulled."""

    observation: Observation
    pulled_at: datetime | None
    file: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event about a message, its dispatch or its batch; ``detail`` never holds a number or a text."""

    at: datetime
    kind: str
    dispatch_id: str | None
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedToCancel:
    """A request to the gateway to cancel a message; without ``outcome`` its answer was never recorded."""

    asked_at: datetime
    actor: str
    answered_at: datetime | None
    outcome: CancelOutcome | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Priced:
    """A message as the reconciliation sees it; ``reported`` are its parts as the gateway counted them, if it did."""

    line: MessageLine
    breaks: tuple[Break, ...]
    reported: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoiced:
    """What of the invoice of its month (YYYY-MM) a message belongs on; ``source_name`` is None where none was given.

    ``lines`` is that line, of row 0 where the invoice has none; for a message that we do not count, all that it may
    stand on. ``closed_at`` is when the month was closed last.
    """

    month: str
    closed_at: datetime | None
    source_name: str | None = None
    lines: tuple[InvoiceLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The life of one message, every part in the order of time.

    ``row`` is its row of ``accepted.csv``. ``unread`` are the files of its batch that were changed or lost since, for
    which ``row`` or ``repairs`` is empty. ``dispatches`` are all that have held it, and ``meanings`` what their answer
    codes mean; ``refusal`` is what the code means with which the gateway refused this message, None where it did not.
    """

    placed: Placed
    batch: Batch
    row: Mapping[str, str]
    repairs: tuple[Repair, ...]
    unread: tuple[MediasmsError, ...]
    dispatches: tuple[Dispatch, ...]
    meanings: Mapping[str, str]
    seen: tuple[Seen, ...]
    happened: tuple[Happened, ...]
    priced: Priced
    invoiced: Invoiced
    tariff: str
    cancellations: tuple[AskedToCancel, ...] = ()
    refusal: str | None = None
