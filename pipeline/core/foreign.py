"""Results of the account that are not ours: what they cost, one bill for each message, as for ours."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.billing import Tariff
from pipeline.core.days import day_of, days_of, within
from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels import strings
from pipeline.core.kernels.matching import NEVER, Codes, Times
from pipeline.core.kernels.strings import Mask, Positions
from pipeline.core.numbering import repetitions
from pipeline.core.statuses import StatusTable
from pipeline.model import ForeignGroup, ForeignLine, MessageKind, StatusClass

#: what a stranger's message can be to the tariff, by its code
_KINDS = (MessageKind.NORMAL, MessageKind.OVERSEAS, MessageKind.CHECK, MessageKind.CHECK_THEN_SEND)


@dataclass(frozen=True, slots=True)
class Strangers:
    """The messages of a period, its rows, and how many rows are of others."""

    line: ForeignLine
    rows: int
    elsewhere: int


def price_foreign(  # noqa: PLR0913 - what prices and days depend on
    observations: pa.Table,
    statuses: StatusTable,
    tariff: Tariff,
    as_of: datetime,
    month: str | None,
    *,
    delivered: bool,
    by_number: bool,
) -> Strangers:
    """Price the account's other messages: one for each smsid, number and registration.

    Another system may use an smsid for many messages, of one number or several; without one there are as many as have
    rows that are alike (``repetitions``). A message belongs to the day it was
    registered, or with ``delivered`` to that of its first bill. Of a ``month`` (YYYY-MM) only its own are counted.
    """
    known = known_since(observations)
    group, registered = _groups(observations, known, by_number=by_number)
    count = int(group.max(initial=-1)) + 1
    status, names = kernel.words(observations["status"])
    carrier, carriers = kernel.words(observations["carrier"])
    parts = strings.numbers(observations["parts_total"])
    when = kernel.times(observations["status_time"])
    meanings = [statuses.look_up(name) for name in names]
    bills = np.array([meaning is not None and meaning.billable for meaning in meanings] or [False])[status]
    is_verdict = [meaning is not None and meaning.means is StatusClass.VERDICT for meaning in meanings]
    texts = bills & ~np.array(is_verdict or [False])[status]
    # The first bill of each, else its first row; nothing depends on the order of rows, and what has no time comes last.
    late = np.where(when == NEVER, np.iinfo(np.int64).max, when)
    first = kernel.first_of_each(group, ~bills, late, carrier, parts, status)
    billed = bills[first]
    # Where a verdict and a text are billed it is one bill: of the text's carrier and parts, from the first of them on.
    shown = kernel.first_of_each(group, ~texts, ~bills, late, carrier, parts, status)
    entered = np.where(registered != NEVER, registered, known)
    day = _days(group, entered, when[first], billed if delivered else np.zeros(count, bool), as_of)
    own = within(day, month) if month is not None else np.ones(count, bool)
    rows = int(own[group].sum()) if len(group) else 0
    overseas = kernel.is_overseas(kernel.canonical(strings.at(kernel.texts(observations["msisdn"]), first)))
    checked = np.zeros(count, bool)
    checked[group[bills & ~texts]] = True
    of_checks = np.where(texts[shown], *map(_KINDS.index, (MessageKind.CHECK_THEN_SEND, MessageKind.CHECK)))
    kinds = np.where(checked, of_checks, overseas)
    chosen = np.flatnonzero(own & billed)
    first_day = int(day.min(initial=0))
    divided = kernel.Division(
        len(chosen),
        [
            (carrier[shown[chosen]], len(carriers)),
            (parts[shown[chosen]], int(parts.max(initial=0)) + 1),
            (day[chosen] - first_day, int(day.max(initial=0)) - first_day + 1),
            (kinds[chosen], len(_KINDS)),
        ],
    )
    alike: Counter[tuple[MessageKind, str, int, Decimal | None]] = Counter()
    for of, told, since, kind, messages in divided.rows():
        price = tariff.price(carriers[of], told or 1, day_of(first_day + since), _KINDS[kind])
        alike[_KINDS[kind], carriers[of], told or 1, price] += messages
    groups = tuple(
        ForeignGroup(kind=kind, carrier=name, parts=count, messages=messages, amount=price)
        for (kind, name, count, price), messages in sorted(alike.items(), key=_order)
    )
    line = ForeignLine(
        messages=int(own.sum()),
        billable_messages=len(chosen),
        billable_units=sum(group.messages * group.parts for group in groups),
        amount=sum((group.messages * group.amount for group in groups if group.amount is not None), Decimal(0)),
        unpriced=sum(group.messages for group in groups if group.amount is None),
        groups=groups,
    )
    return Strangers(line, rows, len(observations) - rows)


def _order(
    group: tuple[tuple[MessageKind, str, int, Decimal | None], int],
) -> tuple[MessageKind, str, int, bool, Decimal]:
    (kind, carrier, parts, price), _ = group
    return kind, carrier, parts, price is None, price or Decimal(0)


def known_since(observations: pa.Table) -> Times:
    """Return when each row says that its message was registered, else when it happened or, at the latest, came."""
    since = kernel.times(observations["registered_at"])
    for name in ("status_time", "received_at"):
        since = np.where(since == NEVER, kernel.times(observations[name]), since)
    return since


def _groups(observations: pa.Table, known: Times, *, by_number: bool) -> tuple[Codes, Times]:
    """Return of each row which message it is about, and when that was registered; ``NEVER`` where it is not known.

    A row that names an smsid and no registration, as notifications do, is about the last message with its smsid and
    number that was registered before it, else about the first one; where there are none and results name no smsid, of
    those to its number.
    """
    smsid, msisdn = (_codes(observations[name]) for name in ("smsid", "msisdn"))
    named = strings.sizes(kernel.texts(observations["smsid"])) > 0
    nameless = np.flatnonzero(~named)
    told = kernel.times(observations["registered_at"])
    registered = told.copy()
    silent = np.flatnonzero(named & (told == NEVER))
    registered[silent] = _registrations(
        _divided(smsid, msisdn), told, np.flatnonzero(named & (told != NEVER)), known, silent
    )
    if by_number:
        silent = silent[registered[silent] == NEVER]
        theirs = nameless[told[nameless] != NEVER]
        registered[silent] = _registrations(msisdn, told, theirs, known, silent)
        smsid[silent[registered[silent] != NEVER]] = smsid[nameless[:1]]
    again = np.zeros(len(observations), np.int64)
    if len(nameless):
        again[nameless] = repetitions(observations.take(strings.indices(nameless)))
    return _divided(smsid, msisdn, np.unique(registered, return_inverse=True)[1], again), registered


def _registrations(
    alike: NDArray[np.integer], registered: Times, told: Positions, known: Times, silent: Positions
) -> Times:
    """Return for each ``silent`` row the last registration before it among the ``told`` rows that are ``alike``.

    Without one it is their first; ``NEVER`` where there are none.
    """
    moments = np.unique(np.concatenate((registered[told], known[silent])))

    def places(rows: Positions, times: Times) -> NDArray[np.int64]:
        return alike[rows].astype(np.int64) * len(moments) + np.searchsorted(moments, times[rows])

    there = np.unique(places(told, registered))
    at = np.searchsorted(there, places(silent, known), side="right") - 1

    def are_alike() -> Mask:
        found: Mask = (at >= 0) & (at < len(there))
        found[found] = there[at[found]] // len(moments) == alike[silent[found]]
        return found

    at += ~are_alike()
    found = np.full(len(silent), NEVER)
    found[are_alike()] = moments[there[at[are_alike()]] % len(moments)]
    return found


def _divided(*columns: NDArray[np.integer]) -> Codes:
    """Return a code of each row, the same for the same codes in all columns."""
    return kernel.Division(len(columns[0]), [(each, int(each.max(initial=0)) + 1) for each in columns]).of_row


def _codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    encoded = pc.dictionary_encode(kernel.texts(column))
    codes: NDArray[np.int64] = strings.numbers(encoded.indices).astype(np.int64)
    return codes


def _days(group: Codes, entered: Times, when: Times, by_bill: Mask, as_of: datetime) -> NDArray[np.int64]:
    """Return the day of each message: of ``when`` where its bill decides, else of the first that is known of it."""
    known = entered != NEVER
    first = np.full(len(when), np.iinfo(np.int64).max)
    np.minimum.at(first, group[known], entered[known])
    first[first == np.iinfo(np.int64).max] = kernel.microseconds(as_of)
    return days_of(np.where(by_bill & (when != NEVER), when, first))
