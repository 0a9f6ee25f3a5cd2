"""The life of a message: everything that is known about it, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.errors import MediasmsError
from pipeline.model import Batch, Break, CancelOutcome, Dispatch, MessageLine, Observation, Repair, SentMessage


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
class Life:
    """The life of one message, every part in the order of time.

    ``row`` is its row of ``accepted.csv``. ``unread`` are the files of its batch that were changed or lost since, for
    which ``row`` or ``repairs`` is empty. ``dispatches`` are all that have held it, and ``meanings`` what their answer
    codes mean.
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
    tariff: str
    cancellations: tuple[AskedToCancel, ...] = ()
