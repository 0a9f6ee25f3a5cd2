"""Matching by number: for accounts whose results name no smsid. Weaker evidence, which settles nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.evidence import Evidence
from pipeline.core.kernels import joining, strings
from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels.matching import NEVER, Codes, Times
from pipeline.core.kernels.strings import Mask, Positions
from pipeline.core.statuses import StatusTable
from pipeline.model import Batch, MessageState, NumberCheck, StatusClass

_MINUTE = 60 * kernel.SECOND
#: what rows say of one of the gateway's messages: that its text has ended, that it was cancelled, or a verdict
_ENDED, _CANCELLED, _VERDICT = 1, 2, 4
_SAYS = {
    **dict.fromkeys((StatusClass.DELIVERED, StatusClass.PARTIAL, StatusClass.FAILED), _ENDED),
    StatusClass.CANCELLED: _CANCELLED,
    StatusClass.VERDICT: _VERDICT,
}


class _Key(NamedTuple):
    """What tells the gateway's messages to one number apart: their registration, and which they are of those alike.

    Verdicts stand for themselves, beside what else is said of one message, or of another one of that minute.
    """

    registered: int
    again: int
    is_verdict: bool


class _Group(NamedTuple):
    """Rows about one of the gateway's messages: since when, and what they say."""

    since: int
    key: _Key
    says: int


@dataclass(frozen=True, slots=True)
class ByNumber:
    """How results are matched by number.

    ``margin`` widens the window of a batch at both ends; ``statuses`` tell which results say that a message was
    cancelled, and which only a check or only a text can have.
    """

    margin: timedelta
    statuses: StatusTable


def pair_by_number(  # noqa: PLR0913, PLR0917 - ours, theirs, and what tells them apart
    messages: pa.Table,
    observations: pa.Table,
    may: Mask,
    sent_at: Times,
    by_number: ByNumber,
    batches: Iterable[Batch],
    cancelled: frozenset[str] = frozenset(),
) -> Positions:
    """Return for each observation without an smsid the message it is about; -1 for none.

    Rows with one number and one time of registration are about one message of the gateway, unless they are alike: then
    about as many as there are (``repetitions``). In the order of their times
    these go one to one to our messages to that number, in the order in which they were sent: to those that ``may`` have
    results, and only within the time in which their batch was sent, ``margin`` more at both ends.

    What a text has come to is never of a message whose number was only checked, and a verdict never of one of which
    none was asked, as the ``batches`` say; where one minute has both, each takes its own, and a text after a check
    both. What says neither, such as a pending status, may be of any.

    The gateway has those messages that other rows name by their smsids, as notifications do, whatever became of the
    others: they go first, to what was registered since they were sent, and where there is nothing, after the others.
    Next are those of which the gateway has answered that it ``cancelled`` them, to what says so too, unless a row that
    names them knows better; the rest is for all others first, such as a corrected message to the same number.
    """
    found = np.full(len(observations), -1, np.int64)
    rows = np.flatnonzero(strings.sizes(kernel.texts(observations["smsid"])) == 0)
    ours = np.flatnonzero(may & (sent_at != NEVER))
    if not len(rows) or not len(ours):
        return found
    msisdn = messages["msisdn"].take(strings.indices(ours))
    numbers = pa.chunked_array([pc.unique(msisdn)])
    named = kernel.canonical(kernel.texts(observations["msisdn"].take(strings.indices(rows))))
    number = joining.positions(msisdn, numbers)
    observed = joining.positions(pa.chunked_array([named]), numbers)
    rows, observed = rows[observed >= 0], observed[observed >= 0]
    registered = kernel.times(observations["registered_at"])[rows]
    when = kernel.times(observations["status_time"])[rows]
    again = repetitions(observations.take(strings.indices(rows)))
    said = _said(observations["status"], by_number.statuses)
    keys = list(map(_Key, registered.tolist(), again.tolist(), (said[rows] == _VERDICT).tolist()))
    groups = _groups(observed, keys, when, said[rows])
    begin, end = _windows(messages, ours, sent_at, by_number.margin)
    checks = _checks(messages, ours, batches)
    sure, gone = _certain(messages, observations, said, cancelled)
    pairs: dict[tuple[int, _Key], int] = {}
    done: set[int] = set()
    in_order = np.lexsort((ours, sent_at[ours], number))
    for at, since, alike in _turns(in_order, sure[ours], gone[ours], sent_at[ours]):
        waiting = groups.get(int(number[at]), []) if at not in done else []
        for own in _own(waiting, checks[at], (max(begin[at], since), end[at]), alike=alike):
            pairs[int(number[at]), own.key] = int(ours[at])
            done.add(at)
            waiting.remove(own)
    found[rows] = np.array([pairs.get(key, -1) for key in zip(observed.tolist(), keys, strict=True)], np.int64)
    return found


def repetitions(observations: pa.Table) -> NDArray[np.int64]:
    """Number rows without an smsid that have the same number, times and status: 0 for the first of them.

    What one file has twice, and therefore the ledger, is about two messages: none of them ends twice at one moment.
    """
    texts = [kernel.texts(observations[name]) for name in ("msisdn", "status")]
    codes = [strings.numbers(pc.dictionary_encode(column).indices) for column in texts]
    times = [kernel.times(observations[name]) for name in ("registered_at", "status_time")]
    codes += [np.unique(each, return_inverse=True)[1] for each in times]
    divided = kernel.Division(len(observations), [(each, int(each.max(initial=0)) + 1) for each in codes])
    carrier, _ = kernel.words(observations["carrier"])
    return kernel.numbered(divided.of_row, carrier, strings.numbers(observations["parts_total"]))


def leave_to_others(  # noqa: PLR0913, PLR0917 - ours, theirs, and what tells them apart
    evidence: Evidence,
    messages: pa.Table,
    beyond: pa.Table,
    batches: Sequence[Batch],
    by_number: ByNumber,
    cancelled: frozenset[str] = frozenset(),
) -> Evidence:
    """Take out of some evidence the results that are, by number, about ``messages`` of other batches.

    These and ours are given their results together, in the order of all ``batches``: so a result is of the same
    message, whichever batches are asked about. ``beyond`` has what the evidence lacks for that: results of other times,
    and those that name ``messages`` by their smsids; ``cancelled`` are those of them that the gateway has cancelled.
    """
    ours = len(evidence.messages)
    together = pa.concat_tables([evidence.messages, messages])
    batch, names = kernel.words(together["batch_id"])
    place = {each.batch_id: number for number, each in enumerate(batches)}
    rank = np.array([place[name] for name in names] or [0])[batch]
    order = np.lexsort((strings.numbers(together["row_number"]), rank))
    together = together.take(strings.indices(order))
    state, states = kernel.words(together["state"])
    may = np.array([each == MessageState.TAKEN for each in states] or [False])[state]
    observations = pa.concat_tables([evidence.observations, beyond])
    gone = evidence.cancelled | cancelled
    sent_at = kernel.times(together["sent_at"])
    paired = pair_by_number(together, observations, may, sent_at, by_number, batches, gone)
    paired = paired[: len(evidence.observations)]
    theirs = (paired >= 0) & (np.append(order, -1)[paired] >= ours)
    kept = evidence.observations.take(strings.indices(np.flatnonzero(~theirs)))
    return replace(evidence, observations=kept, observed=evidence.observed - int(theirs.sum()))


def _said(statuses: pa.ChunkedArray, table: StatusTable) -> Codes:
    """Return what each row says of its message."""
    codes, names = kernel.words(statuses)

    meanings = [table.look_up(name) for name in names]
    says = [_SAYS.get(meaning.means, 0) if meaning else 0 for meaning in meanings]
    said: Codes = np.array(says or [0], np.int32)[codes]
    return said


def _own(waiting: Sequence[_Group], check: NumberCheck, within: tuple[int, int], *, alike: bool) -> Sequence[_Group]:
    """Return what is said of one of our messages: the first that may be, and what goes with it.

    That is a verdict, or what else is said of a message with one, of the same registration. Only ``alike`` are those
    that say that it was cancelled.
    """
    may_be = [each for each in waiting if _may_be(each, check)]
    begin, end = within
    fits = (each for each in may_be if begin <= each.since < end and (not alike or each.says & _CANCELLED))
    first = next(fits, None)
    if first is None:
        return ()
    beside = (first.key.registered, not first.key.is_verdict)
    others = (each for each in may_be if (each.key.registered, each.key.is_verdict) == beside)
    return [first, *islice(others, 1)]


def _may_be(group: _Group, check: NumberCheck) -> bool:
    """Say whether a message of which this check was asked can have got what some rows say."""
    if group.key.is_verdict:
        return check is not NumberCheck.NONE
    return check is not NumberCheck.ONLY or not group.says & _ENDED


def _checks(messages: pa.Table, ours: Positions, batches: Iterable[Batch]) -> list[NumberCheck]:
    """Return which check was asked of each of ``ours``."""
    asked = {each.batch_id: each.number_check for each in batches}
    batch, names = kernel.words(messages["batch_id"])
    return [asked[names[code]] for code in batch[ours].tolist()]


def _certain(messages: pa.Table, observations: pa.Table, said: Codes, cancelled: frozenset[str]) -> tuple[Mask, Mask]:
    """Say which messages the gateway has because a row names them by their smsids, and which it has cancelled.

    It has not cancelled what such a row calls sent or failed.
    """
    at = joining.positions(observations["smsid"], messages["smsid"])
    named, ended = np.zeros(len(messages), bool), np.zeros(len(messages), bool)
    named[at[at >= 0]] = True
    ended[at[(at >= 0) & (said & _ENDED > 0)]] = True
    answered = pa.array(sorted(cancelled), pa.large_string())
    gone = strings.mask(pc.is_in(messages["smsid"], value_set=answered)) & ~ended
    return named & ~gone, gone


def _turns(in_order: Positions, named: Mask, gone: Mask, sent_at: Times) -> Iterator[tuple[int, int, bool]]:
    """Yield in which order messages are given their rows.

    With each: since when these may have been registered, and whether they must say that it was cancelled.
    """
    named, gone = named[in_order], gone[in_order]
    first, cancelled, rest = (in_order[some].tolist() for some in (named, gone, ~gone & ~named))
    yield from ((at, int(sent_at[at]) // _MINUTE * _MINUTE, False) for at in first)
    yield from ((at, NEVER, True) for at in cancelled)
    yield from ((at, NEVER, False) for at in (*rest, *first, *cancelled))


def _groups(number: Positions, keys: Sequence[_Key], when: Times, said: Codes) -> dict[int, list[_Group]]:
    """Return the gateway's messages to each number, in order of time."""
    first: dict[tuple[int, _Key], int] = {}
    says: dict[tuple[int, _Key], int] = {}
    for which, key, time, one in zip(number.tolist(), keys, when.tolist(), said.tolist(), strict=True):
        known = (key.registered if key.registered != NEVER else time, first.get((which, key), NEVER))
        first[which, key] = min((each for each in known if each != NEVER), default=NEVER)
        says[which, key] = says.get((which, key), 0) | one
    groups: dict[int, list[_Group]] = {}
    for (which, key), begin in first.items():
        groups.setdefault(which, []).append(_Group(begin, key, says[which, key]))
    for each in groups.values():
        each.sort()
    return groups


def _windows(
    messages: pa.Table, ours: np.ndarray[tuple[int], np.dtype[np.int64]], sent_at: Times, margin: timedelta
) -> tuple[list[int], list[int]]:
    """Return from when to when results of each of ``ours`` may be registered: while its batch was sent, in minutes."""
    batch, batches = kernel.words(messages["batch_id"])
    wide = margin // timedelta(microseconds=1)
    first = np.full(len(batches), np.iinfo(np.int64).max)
    last = np.full(len(batches), NEVER)
    np.minimum.at(first, batch[ours], sent_at[ours])
    np.maximum.at(last, batch[ours], sent_at[ours])
    begin = (first - wide) // _MINUTE * _MINUTE
    end = ((last + wide) // _MINUTE + 1) * _MINUTE
    return begin[batch[ours]].tolist(), end[batch[ours]].tolist()
