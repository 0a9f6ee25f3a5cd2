"""Contradictions: where what was observed of a message does not go together, or not with what we know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.kernels import joining, strings
from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels.matching import NEVER, Codes
from pipeline.core.kernels.strings import Mask, Positions
from pipeline.core.observed import CLASS, DECIDED, VERDICT, Rows, Sent, rank_of
from pipeline.model import BreakKind, MessageClass, MessageState, StatusClass

_UNTAKEN = (MessageState.REFUSED, MessageState.CANCELLED, MessageState.PLANNED)
#: how the reason of a message begins that is taken by a result, or by an answer that came late, and what it was before
_PROVEN = ("observed:", "answered:")


@dataclass(frozen=True, slots=True)
class Found:
    """Breaks of one kind: at which messages, and what is to be said of each."""

    kind: BreakKind
    at: NDArray[np.integer]
    details: Sequence[str]


def never_sent(delivered: Mask, label: Codes, names: Sequence[str]) -> Found:
    """Find messages that are called delivered although they carried no text: their numbers were only checked."""
    at = np.flatnonzero(delivered)
    return Found(BreakKind.CONTRADICTION, at, [names[code] for code in label[at].tolist()])


def sent_to_another(rows: Rows, texts: Mask) -> Found:
    """Find those ``texts`` that are billed although the last verdict about their number says that none follows it."""
    verdicts = rows.where([rank_of(meaning) == VERDICT for meaning in rows.meanings])
    verdicts = verdicts[texts[rows.at[verdicts]]]
    if not len(verdicts):
        return Found(BreakKind.CONTRADICTION, verdicts, ())
    keys = rows.when[verdicts], rows.place[rows.status[verdicts]], rows.carrier[verdicts]
    last = verdicts[kernel.last_of_each(rows.at[verdicts], *keys)]
    against = last[[not meaning.then_sent for meaning in rows.meanings_of(last)]]
    return Found(BreakKind.CONTRADICTION, rows.at[against], [meaning.label for meaning in rows.meanings_of(against)])


def of_another_number(observed: pa.ChunkedArray, at: Positions, msisdn: pa.ChunkedArray) -> Positions:
    """Return the results that name another number than their message has, however it is written."""
    other = joining.differing(observed, msisdn, at)
    others = kernel.canonical(kernel.texts(observed.take(strings.indices(other))))
    same = strings.mask(pc.equal(others, kernel.texts(msisdn.take(strings.indices(at[other])))))
    same |= strings.sizes(others) == 0  # asked for by its smsid, it names no number
    found: Positions = other[~same]
    return found


def without_doubtful(at: Positions, others: Positions, sent: Sent) -> Positions:
    """Let results of another number say nothing of a message that is not known to be taken: they may be another's."""
    doubtful = others[~sent.are(MessageState.TAKEN)[at[others]]]
    if not len(doubtful):
        return at
    found = at.copy()
    found[doubtful] = -1
    return found


def contradicted(rows: Rows, billable: Mask) -> Found:
    """Find billed messages whose last final row is no bill; at one moment the bill is the later one.

    Where no bill has a time, nothing says that it came first.
    """
    against = rows.where([rank_of(meaning) == DECIDED for meaning in rows.meanings])
    against = against[billable[rows.at[against]]]
    doubtful = np.zeros(len(billable), bool)
    doubtful[rows.at[against]] = True
    finals = rows.where([rank_of(meaning) >= DECIDED for meaning in rows.meanings])
    finals = finals[doubtful[rows.at[finals]]]
    if not len(finals):
        return Found(BreakKind.CONTRADICTION, finals, ())
    bills = np.array([meaning is not None and meaning.billable for meaning in rows.meanings])
    status, at, when = rows.status[finals], rows.at[finals], rows.when[finals]
    timed = np.zeros(len(billable), bool)
    timed[at[bills[status] & (when != NEVER)]] = True
    when = np.where(bills[status] & ~timed[at], np.iinfo(np.int64).max, when)
    last = kernel.last_of_each(at, when, bills[status], rows.place[status], rows.carrier[finals])
    last = finals[last[~bills[status[last]]]]
    return Found(BreakKind.CONTRADICTION, rows.at[last], [meaning.label for meaning in rows.meanings_of(last)])


def not_cancelled(rows: Rows, answered: Mask, otherwise: Mask, contradictions: Sequence[Found]) -> Found:
    """Find messages that the gateway said it had cancelled, in an answer or a result, and that ended ``otherwise``.

    Not those that are among the ``contradictions`` already.
    """
    told = [meaning is not None and meaning.means is StatusClass.CANCELLED for meaning in rows.meanings]
    said = answered.copy()
    said[rows.at[rows.where(told)]] = True
    said &= otherwise
    for reported in contradictions:
        said[reported.at] = False
    at = np.flatnonzero(said)
    return Found(BreakKind.CONTRADICTION, at, [MessageClass.CANCELLED.value] * len(at))


def unbelieved(sent: Sent, seen: Mask, classes: NDArray[np.int8], decided: Mask) -> tuple[Found, ...]:
    """Find messages that we believe, or believed, never to have been taken, and of which a result or an answer says so.

    Also those that an answer shows to have been taken twice.
    """
    agreed = sent.are(MessageState.CANCELLED) & (classes == CLASS[MessageClass.CANCELLED]) & decided
    proven = [
        reason.startswith(_PROVEN) and reason.partition(":")[2] != MessageState.UNKNOWN for reason in sent.reasons
    ]
    against = seen & sent.are(*_UNTAKEN) & ~agreed
    untaken = np.flatnonzero(against)
    states = [sent.states[code].value for code in sent.state[untaken].tolist()]
    believed = np.flatnonzero(np.array(proven or [False])[sent.reason] & ~against)
    before = [sent.reasons[code].partition(":")[2] for code in sent.reason[believed].tolist()]
    return (
        Found(BreakKind.CONTRADICTION, untaken, states),
        Found(BreakKind.CONTRADICTION, believed, before),
    )
