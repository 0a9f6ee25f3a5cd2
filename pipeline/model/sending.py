"""What is sent and what is observed of it: artefacts, batches, dispatches, messages, observations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from pipeline.model.rows import RowTotals
from pipeline.model.words import MessageState, NumberCheck, ObservationPath


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file of a batch: written once, its sha256 in the ledger, checked again when read."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One input in a campaign.

    ``workbook`` is what was made for people to correct: it may lie anywhere, and it may be edited, moved or deleted.
    ``number_check`` says whether its messages are checks of numbers, or texts that a check comes before.
    ``text_source`` says where its texts come from; None of a batch of before that was recorded.
    """

    batch_id: str
    campaign: str
    run_date: date
    source_name: str
    content_sha256: str
    fingerprint: str
    totals: RowTotals
    repaired: int
    artefacts: tuple[Artefact, ...]
    registered_at: datetime
    planned_at: datetime | None = None
    workbook: Artefact | None = None
    number_check: NumberCheck = NumberCheck.NONE
    text_source: str | None = None

    def artefact(self, name: str) -> Artefact:
        """Return the artefact called ``name``."""
        return next(artefact for artefact in self.artefacts if artefact.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """One upload of one chunk of a batch. ``states`` counts its messages per state; its own state derives from it."""

    dispatch_id: str
    batch_id: str
    number: int
    payload: Artefact
    attempts: int
    begun_at: datetime | None
    ended_at: datetime | None
    answer_code: str | None
    csvid: str | None
    states: Mapping[MessageState, int]

    @property
    def messages(self) -> int:
        """Number of messages the dispatch holds."""
        return sum(self.states.values())

    @property
    def is_planned(self) -> bool:
        """Say whether the dispatch is waiting to be sent."""
        return self.states.get(MessageState.PLANNED, 0) > 0

    @property
    def is_unsettled(self) -> bool:
        """Say whether the outcome of any of its messages is open."""
        return bool(self.states.get(MessageState.UNKNOWN, 0) or self.states.get(MessageState.IN_FLIGHT, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message as the ledger knows it. ``characters`` is what the gateway counts after expansion."""

    row_number: int
    smsid: str
    msisdn: str
    state: MessageState
    reason: str
    characters: int
    double_byte: bool
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One result row about a message. ``status`` is the gateway's label or number as received."""

    path: ObservationPath
    smsid: str
    msisdn: str
    status: str
    status_time: datetime | None
    carrier: str = ""
    parts_delivered: int | None = None
    parts_total: int | None = None
    registered_at: datetime | None = None
    line: int = 0
    extra: str = ""
