"""Messages against observations: every message ends in exactly one class, every difference is a break.

Rules of GATEWAY section 7: delivered if any billable row exists; else the latest final row; else the latest verdict
about the number, where one was asked for; else the latest pending row. A later non-billable final row is a
``contradiction`` and does not un-bill. A click follows 送信済 and never moves or doubles a bill. Row order means
nothing.

All messages pass at once, as columns: a result is looked up among the messages, the meaning of a status once for each
status that occurs, and what decides is the highest of integers into which rank, time and status are packed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.contradictions import (
    Found,
    contradicted,
    never_sent,
    not_cancelled,
    of_another_number,
    sent_to_another,
    unbelieved,
    without_doubtful,
)
from pipeline.core.evidence import Evidence
from pipeline.core.kernels import joining, strings
from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels.matching import NEVER, Codes, Times
from pipeline.core.kernels.strings import Mask, Positions
from pipeline.core.numbering import ByNumber, pair_by_number
from pipeline.core.observed import (
    BILL,
    CLASS,
    CLICK,
    DECIDED,
    FINAL,
    NOTHING,
    VERDICT,
    Rows,
    Sent,
    rank_of,
)
from pipeline.core.statuses import StatusTable, canonical_label
from pipeline.core.verdicts import first_bills, first_verdicts
from pipeline.model import BY_PERSON, BreakKind, MessageClass, MessageState, NumberCheck

_WITHOUT_FINAL = {
    MessageState.PLANNED: MessageClass.PLANNED,
    MessageState.IN_FLIGHT: MessageClass.UNKNOWN,
    MessageState.TAKEN: MessageClass.PENDING,
    MessageState.REFUSED: MessageClass.REFUSED,
    MessageState.UNKNOWN: MessageClass.UNKNOWN,
    MessageState.CANCELLED: MessageClass.CANCELLED,
}
_FALLING = np.array([False, False, False, True, True])


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When a message without a result is missing, seen from ``as_of``.

    ``by_number`` is set where the account's results name no smsid: by how much the window of a batch is widened when
    they are matched by number.
    """

    as_of: datetime
    result: timedelta
    by_number: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """What matching found, in columns: value i is about message i.

    ``labels`` and ``carriers`` are codes of ``label_names`` and ``carrier_names``; ``observed_at`` is the time of the
    deciding row, ``billed_at`` that of the first row that is billed, a verdict that was asked for among them; where a
    check is all that is billed, it is that row's carrier. ``parts`` is what results say of a message's parts, -1 for
    nothing. ``duplicates`` counts the bills of those that have several. ``registered_at`` is asked for messages that
    were not sent by us, as far as we know.
    ``message_of`` says of each observation which message it is about, -1 for none of ours. ``checks`` are the messages
    of which a check of the number is all that is billed, if anything is, ``checked_texts`` the others of which one was
    asked.
    """

    classes: NDArray[np.int8]
    labels: Codes
    label_names: tuple[str, ...]
    carriers: Codes
    carrier_names: tuple[str, ...]
    observed_at: Times
    billed_at: Times
    billable: Mask
    checks: Mask
    checked_texts: Mask
    parts: Codes
    by_number: Mask | None
    duplicates: Mapping[int, int]
    registered_at: Mapping[int, datetime]
    message_of: Positions
    breaks: tuple[Found, ...]


class _Labels:
    """The labels of reports and their codes."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def code(self, label: str) -> int:
        return self._codes.setdefault(label, len(self._codes))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._codes)


def match(evidence: Evidence, statuses: StatusTable, deadlines: Deadlines) -> Matches:
    """Class every message by everything that was observed about it."""
    messages, observations = evidence.messages, evidence.observations
    sent = Sent.of(messages)
    message_of, by_number = _message_of(evidence, statuses, sent, deadlines)
    others = of_another_number(observations["msisdn"], message_of, sent.msisdn)
    at = without_doubtful(message_of, others, sent)
    rows = Rows.of(observations, at, statuses)
    count, width, known = len(messages), len(rows.carriers), rows.known
    ranks = np.array([*(rank_of(meaning) for meaning in known), NOTHING])
    code = rows.place[rows.status] * np.int32(width) + rows.carrier
    best = kernel.best(count, at, when=rows.when, code=code, rank=np.repeat(ranks, width), falling=_FALLING)
    labels = _Labels()
    nothing = labels.code("")
    of_kind = np.array([*(labels.code(meaning.label) for meaning in known), nothing], np.int32)
    kind = best.code // width  # -1 stays -1: the last, which is nothing
    label = of_kind[kind]
    only, before_text = evidence.asked(NumberCheck.ONLY), evidence.asked(NumberCheck.THEN_SEND)
    then_sent = np.array([*(meaning.then_sent for meaning in known), False])[kind]
    checked = (best.rank == VERDICT) & (only | (before_text & ~then_sent))
    decided = (best.rank >= DECIDED) | checked
    class_of = np.array([*(CLASS[FINAL.get(meaning.means, MessageClass.UNKNOWN)] for meaning in known), 0], np.int8)
    answered = _answered(evidence.cancelled, messages["smsid"])
    classes = np.where(decided, class_of[kind], _without_final(sent, answered, deadlines))
    # Whatever a result of before says, such as that it waits.
    gone = answered & ~decided & (classes == CLASS[MessageClass.CANCELLED])
    label[gone], best.code[gone], best.time[gone] = nothing, -1, NEVER
    billed_texts = best.rank >= CLICK
    verdicts = first_verdicts(rows, only | before_text)
    charged = np.zeros(count, bool)
    charged[rows.at[verdicts]] = True
    checks = only | (before_text & ~billed_texts & (charged | checked))
    _show_clicks(label, rows, labels)
    _show_codes(label, classes, best.rank, sent, labels)
    unmapped = _unmapped(rows)
    open_ = _show_unmapped(label, classes, decided, unmapped, labels)
    best.code[open_], best.time[open_] = -1, NEVER
    seen = np.zeros(count + 1, bool)
    seen[at] = True
    seen = seen[:count]
    billed_at = first_bills(np.where(billed_texts, best.time, NEVER), rows, verdicts)
    alone = verdicts[~billed_texts[rows.at[verdicts]]]
    best.code[rows.at[alone]] = code[alone]
    carriers = _carriers(best.code, width, rows, seen)
    duplicates = _duplicates(rows, count)
    contradictions = (contradicted(rows, billed_texts), *unbelieved(sent, seen, classes, decided))
    otherwise = decided & (classes != CLASS[MessageClass.CANCELLED])
    return Matches(
        classes=classes,
        labels=label,
        label_names=labels.names,
        carriers=carriers,
        carrier_names=tuple(rows.carriers),
        observed_at=best.time,
        billed_at=billed_at,
        billable=billed_texts | charged,
        checks=checks,
        checked_texts=before_text & ~checks,
        parts=_parts(observations["parts_total"], at, count),
        by_number=by_number,
        duplicates=duplicates,
        registered_at=_registered(observations, at, sent.sent_at, seen),
        message_of=message_of,
        breaks=tuple(
            found
            for found in (
                *unmapped.breaks,
                Found(BreakKind.PHONE_MISMATCH, np.unique(message_of[others]), ()),
                Found(BreakKind.DUPLICATE_BILLABLE, np.array(sorted(duplicates), np.int64), ()),
                *contradictions,
                never_sent(only & billed_texts, label, labels.names),
                sent_to_another(rows, before_text & billed_texts),
                not_cancelled(rows, answered, otherwise, contradictions),
                Found(BreakKind.MISSING_RESULT, np.flatnonzero(classes == CLASS[MessageClass.MISSING]), ()),
            )
            if len(found.at)
        ),
    )


def _message_of(
    evidence: Evidence, statuses: StatusTable, sent: Sent, deadlines: Deadlines
) -> tuple[Positions, Mask | None]:
    """Return which message each observation is about, and where numbers say so too, of which messages they do."""
    messages, observations = evidence.messages, evidence.observations
    named = joining.positions(observations["smsid"], messages["smsid"])
    if deadlines.by_number is None:
        return named, None
    may = sent.are(MessageState.TAKEN)
    by = ByNumber(deadlines.by_number, statuses)
    paired = pair_by_number(messages, observations, may, sent.sent_at, by, evidence.batches, evidence.cancelled)
    by_number = np.zeros(len(messages), bool)
    by_number[paired[paired >= 0]] = True
    return np.where(paired >= 0, paired, named), by_number


def _answered(cancelled: frozenset[str], smsids: pa.ChunkedArray) -> Mask:
    """Say of which messages the gateway has answered that it cancelled them."""
    found = np.zeros(len(smsids), bool)
    if cancelled:
        at = joining.positions(pa.chunked_array([sorted(cancelled)], pa.large_string()), smsids)
        found[at[at >= 0]] = True
    return found


def _without_final(sent: Sent, answered: Mask, deadlines: Deadlines) -> NDArray[np.int8]:
    """Return the classes of messages by their state, or by the gateway's answer that it cancelled them."""
    of_state = np.array([CLASS[_WITHOUT_FINAL[state]] for state in sent.states] or [0], np.int8)
    classes: NDArray[np.int8] = of_state[sent.state]
    classes[answered & (classes == CLASS[MessageClass.PENDING])] = CLASS[MessageClass.CANCELLED]
    last = kernel.microseconds(deadlines.as_of - deadlines.result)
    overdue = (sent.sent_at < last) & (sent.sent_at != NEVER) & (classes == CLASS[MessageClass.PENDING])
    classes[overdue] = CLASS[MessageClass.MISSING]
    return classes


def _show_clicks(label: Codes, rows: Rows, labels: _Labels) -> None:
    """Let the label of a click win: it shows that the message arrived."""
    clicked = [rank_of(meaning) == CLICK for meaning in rows.meanings]
    chosen = rows.where(clicked)
    # Of several labels the first one stays, being written last.
    for name in sorted(
        {meaning.label for meaning, click in zip(rows.meanings, clicked, strict=True) if meaning and click},
        reverse=True,
    ):
        own = np.array([meaning is not None and meaning.label == name for meaning in rows.meanings])
        label[rows.at[chosen[own[rows.status[chosen]]]]] = labels.code(name)


def _show_codes(label: Codes, classes: NDArray[np.int8], rank: NDArray[np.int8], sent: Sent, labels: _Labels) -> None:
    """Let refused messages show the code of the refusal, or that a person decided, where no result says anything."""
    refused = np.flatnonzero((classes == CLASS[MessageClass.REFUSED]) & (rank == NOTHING))
    if len(refused):
        code = np.array([labels.code(_refusal(reason)) for reason in sent.reasons], np.int32)
        label[refused] = code[sent.reason[refused]]


def _refusal(reason: str) -> str:
    """Return the label of a refusal: the gateway's code; behind a person's decision stands who decided."""
    return BY_PERSON if reason.startswith(f"{BY_PERSON}:") else reason.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class _Unmapped:
    """Messages with statuses that the profile does not know: one entry for each, in the order of the statuses."""

    at: NDArray[np.integer]
    statuses: list[str]

    @property
    def breaks(self) -> tuple[Found, ...]:
        """Return a break for each."""
        return (Found(BreakKind.UNMAPPED_STATUS, self.at, self.statuses),)


def _unmapped(rows: Rows) -> _Unmapped:
    chosen = rows.where([meaning is None for meaning in rows.meanings])
    pairs = np.unique(np.stack((rows.at[chosen], rows.status[chosen])), axis=1)
    return _Unmapped(pairs[0], [rows.statuses[code] for code in pairs[1].tolist()])


def _show_unmapped(
    label: Codes, classes: NDArray[np.int8], decided: Mask, unmapped: _Unmapped, labels: _Labels
) -> NDArray[np.integer]:
    """Class messages of which only an unknown status speaks, show the first such status, and return which they are."""
    own = ~decided[unmapped.at]
    codes = np.array([labels.code(canonical_label(status)) for status in unmapped.statuses], np.int32)
    # Of several statuses the first one stays, being written last.
    label[unmapped.at[own][::-1]] = codes[own][::-1]
    classes[unmapped.at[own]] = CLASS[MessageClass.UNMAPPED]
    found: NDArray[np.integer] = unmapped.at[own]
    return found


def _carriers(code: Codes, width: int, rows: Rows, seen: Mask) -> Codes:
    """Return the carrier of the deciding row, else the last one in the alphabet that any row has."""
    carriers: Codes = np.where(code < 0, 0, code % width).astype(np.int32)
    without = (carriers == 0) & seen
    if without.any():
        chosen = np.flatnonzero(rows.at >= 0)
        chosen = chosen[without[rows.at[chosen]]]
        np.maximum.at(carriers, rows.at[chosen], rows.carrier[chosen])
    return carriers


def _parts(column: pa.ChunkedArray, at: Positions, count: int) -> Codes:
    """Return the highest number of parts that any row of a message has; -1 for none."""
    parts = np.full(count, -1, np.int32)
    if column.null_count < len(column):
        told = strings.numbers(column, -1)
        rows = np.flatnonzero((told >= 0) & (at >= 0))
        np.maximum.at(parts, at[rows], told[rows].astype(np.int32))
    return parts


def _duplicates(rows: Rows, count: int) -> dict[int, int]:
    """Count the different bills of messages that have several; a click is none."""
    bills = rows.where([rank_of(meaning) == BILL for meaning in rows.meanings])
    at = rows.at[bills]
    several = np.bincount(at, minlength=count) > 1
    chosen = bills[several[at]]
    timed = chosen[rows.when[chosen] != NEVER]
    pairs = np.unique(np.stack((rows.at[timed].astype(np.int64), rows.when[timed])), axis=1)
    messages, counts = np.unique(pairs[0], return_counts=True)
    return {int(message): int(many) for message, many in zip(messages, counts, strict=True) if many > 1}


def _registered(observations: pa.Table, at: Positions, sent_at: Times, seen: Mask) -> dict[int, datetime]:
    """Return the first registration of those messages that have results and, as far as we know, were not sent."""
    wanted = (sent_at == NEVER) & seen
    if not wanted.any():
        return {}
    when = kernel.times(observations["registered_at"])
    chosen = np.flatnonzero((at >= 0) & (when != NEVER))
    chosen = chosen[wanted[at[chosen]]]
    found: dict[int, datetime] = {}
    for message, registered in zip(at[chosen].tolist(), when[chosen].tolist(), strict=True):
        known = kernel.moment(registered)
        if known and (message not in found or known < found[message]):
            found[message] = known
    return found
