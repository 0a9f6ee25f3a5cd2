"""What was sent and what was observed, as columns: what matching and the search for contradictions read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels.matching import Codes, Times
from pipeline.core.kernels.strings import Mask, Positions
from pipeline.core.statuses import StatusMeaning, StatusTable
from pipeline.model import MessageClass, MessageState, StatusClass

#: classes by their code
CLASSES = tuple(MessageClass)
CLASS = {message_class: code for code, message_class in enumerate(CLASSES)}
#: the class of a message whose deciding row is of such a status
FINAL = {
    StatusClass.DELIVERED: MessageClass.DELIVERED,
    StatusClass.PARTIAL: MessageClass.PARTIAL,
    StatusClass.FAILED: MessageClass.FAILED,
    StatusClass.CANCELLED: MessageClass.CANCELLED,
    StatusClass.VERDICT: MessageClass.CHECKED,
}
#: ranks of rows: the highest decides; of bills the first that has a time, of everything else the last
NOTHING, PENDING, VERDICT, DECIDED, CLICK, BILL = -1, 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Rows:
    """The observations as columns: of which message, of which status and carrier, when.

    ``known`` are the meanings that occur, in an order that nothing else decides; ``place`` says of each status which of
    them it has, behind all of them where it has none.
    """

    at: Positions
    status: Codes
    statuses: list[str]
    carrier: Codes
    carriers: list[str]
    when: Times
    meanings: list[StatusMeaning | None]
    known: list[StatusMeaning]
    place: Codes

    @classmethod
    def of(cls, observations: pa.Table, at: Positions, table: StatusTable) -> Rows:
        """Take the columns of a table; ``at`` says of which message each observation is, -1 for none."""
        status, statuses = kernel.words(observations["status"])
        carrier, carriers = kernel.words(observations["carrier"])
        if carriers[:1] != [""]:  # the carrier of messages without results
            carrier, carriers = carrier + np.int32(1), ["", *carriers]
        when = kernel.times(observations["status_time"])
        meanings = [table.look_up(each) for each in statuses]
        known = sorted({meaning for meaning in meanings if meaning}, key=order_of)
        places = {meaning: number for number, meaning in enumerate(known)}
        place = np.array([places[each] if each else len(known) for each in meanings] or [0], np.int32)
        return cls(at, status, statuses, carrier, carriers, when, meanings, known, place)

    def where(self, wanted: Sequence[bool]) -> NDArray[np.int64]:
        """Return which rows of messages have a status for which ``wanted`` is true."""
        if not any(wanted):
            return np.empty(0, np.int64)
        chosen = np.flatnonzero(np.array(wanted)[self.status])
        return chosen[self.at[chosen] >= 0]

    def meanings_of(self, rows: NDArray[np.integer]) -> list[StatusMeaning]:
        """Return the meaning of each of some rows that have one."""
        return [self.known[place] for place in self.place[self.status[rows]].tolist()]


@dataclass(frozen=True, slots=True)
class Sent:
    """The messages as columns, as far as matching asks about them."""

    msisdn: pa.ChunkedArray
    state: Codes
    states: tuple[MessageState, ...]
    reason: Codes
    reasons: list[str]
    sent_at: Times

    @classmethod
    def of(cls, messages: pa.Table) -> Sent:
        """Take the columns of a table."""
        state, states = kernel.words(messages["state"])
        reason, reasons = kernel.words(messages["reason"])
        sent_at = kernel.times(messages["sent_at"])
        known = tuple(map(MessageState, states))
        return cls(messages["msisdn"], state, known, reason, reasons, sent_at)

    def are(self, *states: MessageState) -> Mask:
        """Say which messages are in one of the states."""
        return np.array([state in states for state in self.states] or [False])[self.state]


def rank_of(meaning: StatusMeaning | None) -> int:
    """Return how much a row of this meaning decides."""
    if meaning is None:
        return NOTHING
    if meaning.means is StatusClass.VERDICT:
        return VERDICT
    if meaning.means in FINAL:
        return (CLICK if meaning.clicked else BILL) if meaning.billable else DECIDED
    return PENDING if meaning.means is StatusClass.PENDING else NOTHING


def order_of(meaning: StatusMeaning) -> tuple[str, str, bool, bool]:
    """Order meanings: at one moment the label decides."""
    return (meaning.label, meaning.means.value, meaning.billable, meaning.clicked)
