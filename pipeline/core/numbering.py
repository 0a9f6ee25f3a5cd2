"""Matching by number: for accounts whose results name no smsid. Weaker evidence, which settles nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.evidence import Evidence
from pipeline.core.kernels import joining, strings
from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels.matching import NEVER, Times
from pipeline.core.kernels.strings import Mask, Positions
from pipeline.core.statuses import StatusTable
from pipeline.model import MessageState, StatusClass

_MINUTE = 60 * kernel.SECOND
#: what tells the gateway's messages to one number apart: their registration, and which they are of those alike
_Key: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ByNumber:
    """How results are matched by number.

    ``margin`` widens the window of a batch at both ends; ``statuses`` tell which results say that a message was
    cancelled.
    """

    margin: timedelta
    statuses: StatusTable


def pair_by_number(  # noqa: PLR0913, PLR0917 - ours, theirs, and what tells them apart
    messages: pa.Table,
    observations: pa.Table,
    may: Mask,
    sent_at: Times,
    by_number: ByNumber,
    cancelled: frozenset[str] = frozenset(),
) -> Positions:
    """Return for each observation without an smsid the message it is about; -1 for none.

    Rows with one number and one time of registration are about one message of the gateway, unless they are alike: then
    about as many as there are (``repetitions``). In the order of their times
    these go one to one to our messages to that number, in the order in which they were sent: to those that ``may`` have
    results, and only within the time in which their batch was sent, ``margin`` more at both ends.

    The gateway has those messages that other rows name by their smsids, as notifications do, whatever became of the
    others: they go first, to what was registered since they were sent, and where there is nothing, last. Next are those
    of which the gateway has answered that it ``cancelled`` them, to what says so too; the rest is for the others first,
    such as a corrected message to the same number.
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
    apart = list(zip(registered.tolist(), again.tolist(), strict=True))
    groups = _groups(observed, apart, when)
    begin, end = _windows(messages, ours, sent_at, by_number.margin)
    says_so = _cancelled(observations["status"].take(strings.indices(rows)), by_number.statuses)
    ends = {(int(observed[at]), apart[at]) for at in np.flatnonzero(says_so)}
    gone = strings.mask(pc.is_in(messages["smsid"], value_set=pa.array(sorted(cancelled), pa.large_string())))[ours]
    pairs: dict[tuple[int, _Key], int] = {}
    done: set[int] = set()
    in_order = np.lexsort((ours, sent_at[ours], number))
    for at, since, alike in _turns(in_order, _named(messages, observations)[ours], gone, sent_at[ours]):
        waiting = groups.get(int(number[at]), []) if at not in done else []
        for place, (time, key) in enumerate(waiting):
            if max(begin[at], since) <= time < end[at] and (not alike or (int(number[at]), key) in ends):
                pairs[int(number[at]), key] = int(ours[at])
                done.add(at)
                del waiting[place]
                break
    keys = zip(observed.tolist(), apart, strict=True)
    found[rows] = np.array([pairs.get(key, -1) for key in keys], np.int64)
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
    batches: Sequence[str],
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
    place = {name: number for number, name in enumerate(batches)}
    rank = np.array([place[name] for name in names] or [0])[batch]
    order = np.lexsort((strings.numbers(together["row_number"]), rank))
    together = together.take(strings.indices(order))
    state, states = kernel.words(together["state"])
    may = np.array([each == MessageState.TAKEN for each in states] or [False])[state]
    observations = pa.concat_tables([evidence.observations, beyond])
    gone = evidence.cancelled | cancelled
    paired = pair_by_number(together, observations, may, kernel.times(together["sent_at"]), by_number, gone)
    paired = paired[: len(evidence.observations)]
    theirs = (paired >= 0) & (np.append(order, -1)[paired] >= ours)
    kept = evidence.observations.take(strings.indices(np.flatnonzero(~theirs)))
    return replace(evidence, observations=kept, observed=evidence.observed - int(theirs.sum()))


def _named(messages: pa.Table, observations: pa.Table) -> Mask:
    """Say which messages any row names by its smsid."""
    named = np.zeros(len(messages), bool)
    at = joining.positions(observations["smsid"], messages["smsid"])
    named[at[at >= 0]] = True
    return named


def _cancelled(statuses: pa.ChunkedArray, table: StatusTable) -> Mask:
    """Say which statuses are that a message was cancelled."""
    codes, names = kernel.words(statuses)
    meanings = [table.look_up(name) for name in names]
    says_so: Mask = np.array([one is not None and one.means is StatusClass.CANCELLED for one in meanings] or [False])[
        codes
    ]
    return says_so


def _turns(in_order: Positions, named: Mask, gone: Mask, sent_at: Times) -> Iterator[tuple[int, int, bool]]:
    """Yield in which order messages are given their rows.

    With each: since when these may have been registered, and whether they must say that it was cancelled.
    """
    named, gone = named[in_order], gone[in_order]
    first, cancelled, rest = (in_order[some].tolist() for some in (named, gone & ~named, ~gone & ~named))
    yield from ((at, int(sent_at[at]) // _MINUTE * _MINUTE, False) for at in first)
    yield from ((at, NEVER, True) for at in cancelled)
    yield from ((at, NEVER, False) for at in (*rest, *cancelled, *first))


def _groups(number: Positions, keys: Sequence[_Key], when: Times) -> dict[int, list[tuple[int, _Key]]]:
    """Return the gateway's messages to each number as (time, key), in order of time."""
    first: dict[tuple[int, _Key], int] = {}
    for which, key, time in zip(number.tolist(), keys, when.tolist(), strict=True):
        known = (key[0] if key[0] != NEVER else time, first.get((which, key), NEVER))
        first[which, key] = min((each for each in known if each != NEVER), default=NEVER)
    groups: dict[int, list[tuple[int, _Key]]] = {}
    for (which, key), begin in first.items():
        groups.setdefault(which, []).append((begin, key))
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
