"""What a reconciliation reads: messages and observations of batches as Arrow tables, past the records of SQLAlchemy.

Everything of one reconciliation is read in one transaction, and so is the database's own count of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from pipeline.core.calendar import merged, widened
from pipeline.core.evidence import MESSAGES, OBSERVATIONS, TIME, Evidence
from pipeline.core.numbering import ByNumber, leave_to_others
from pipeline.ledger.batches import list_batches
from pipeline.ledger.cancellations import cancelled_there
from pipeline.ledger.engines import blocks
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import iso, message, moment, observation
from pipeline.model import Batch, MessageState, MonthBy

_BLOCK = 50_000
#: read from each message's own row; the batch and its campaign are the same for all of a batch
_OF_A_BATCH = ("batch_id", "campaign")


def batch_evidence(
    ledger: Ledger, batch: Batch, start: datetime, end: datetime, *, by_number: ByNumber | None = None
) -> Evidence:
    """Read a batch, and the results of [start, end) that are of no message in this ledger.

    Where results are matched ``by_number``, those of other batches are left out.
    """
    batches = [batch] if by_number is None else list_batches(ledger)
    with ledger.reading() as connection:
        found = _read(ledger, connection, [batch], start, end)
        return found if by_number is None else _undisputed(connection, found, batches, (start, end), by_number)


def message_evidence(ledger: Ledger, batch: Batch, smsid: str) -> Evidence:
    """Read one message of a batch, and the results that name it."""
    with ledger.reading() as connection:
        rows = _observations(connection, select(*_columns()).where(observation.c.smsid == smsid))
        observations = pa.Table.from_batches(rows, OBSERVATIONS)
        return Evidence(
            messages=pa.Table.from_batches(_messages(connection, batch, message.c.smsid == smsid), MESSAGES),
            observations=observations,
            batches=(batch,),
            observed=len(observations),
            prefix=ledger.prefix,
            cancelled=cancelled_there(connection, [batch.batch_id], smsid),
        )


def month_evidence(  # noqa: PLR0913 - what a month is, and what belongs to it
    ledger: Ledger,
    start: datetime,
    end: datetime,
    month_by: MonthBy,
    around: timedelta,
    *,
    by_number: ByNumber | None = None,
) -> Evidence:
    """Read every batch that may have messages of the month [start, end), whole, and the results of no message.

    These are read ``around`` the month as well: rows of one message may lie on both sides of its border. By delivery a
    bill may come however long after its registration: what of anybody's has happened in the month is read from its
    first row on. Where results are matched ``by_number``, those of other batches are left out.
    """
    batches = list_batches(ledger)
    by_delivery = month_by is MonthBy.DELIVERED
    with ledger.reading() as connection:
        sent = _sent(connection)
        told = _told(connection, start, end, unsent=not by_delivery)
        first_known = min(start, _first_known(connection, start, end) or start) if by_delivery else start
        # By number, the bills of a batch are nobody's until it is read.
        earliest = first_known - by_number.margin if by_delivery and by_number is not None else start

        def may_belong(batch: Batch) -> bool:
            if batch.batch_id not in sent:  # nothing of it was planned; of rejected rows alone nothing will be
                return not batch.totals.accepted and start <= batch.registered_at < end
            first, last, unsent = sent[batch.batch_id]
            # What was not sent, as far as we know, belongs to the month of its batch, or of its bill.
            waiting = unsent and start <= batch.registered_at < end
            in_time = bool(first and last and first < end and last >= earliest)
            return in_time or waiting or batch.batch_id in told

        period = (min(start - around, first_known), end + around)
        found = _read(ledger, connection, list(filter(may_belong, batches)), *period)
        return found if by_number is None else _undisputed(connection, found, batches, period, by_number)


def _undisputed(
    connection: Connection,
    found: Evidence,
    batches: Sequence[Batch],
    period: tuple[datetime, datetime],
    by_number: ByNumber,
) -> Evidence:
    """Leave out what is, by number, of other batches: of those sent at a time with ours, and with these, and so on."""
    own = {batch.batch_id for batch in found.batches}
    times = _sent(connection).items()
    windows = {each: widened(first, last, by_number.margin) for each, (first, last, _) in times if first and last}
    shared = [
        (begin, end)
        for begin, end in merged(list(windows.values()))
        if any(begin <= windows[each][0] < end for each in own & windows.keys())
    ]
    others = [
        batch
        for batch in batches
        if batch.batch_id in windows.keys() - own
        and any(begin <= windows[batch.batch_id][0] < end for begin, end in shared)
    ]
    taken = message.c.state == MessageState.TAKEN.value
    messages = [part for batch in others for part in _messages(connection, batch, taken)]
    start, until = period
    beyond = [part for batch in others for part in _observations(connection, _of_batch(batch.batch_id))]
    beyond += [
        part
        for begin, end in shared
        for outside in ((begin, min(end, start)), (max(begin, until), end))
        if outside[0] < outside[1]
        for part in _observations(connection, _of_nobody(*outside).where(observation.c.smsid == ""))
    ]
    return leave_to_others(
        found,
        pa.Table.from_batches(messages, MESSAGES),
        pa.Table.from_batches(beyond, OBSERVATIONS),
        batches,
        by_number,
        cancelled_there(connection, [batch.batch_id for batch in others]),
    )


def _sent(connection: Connection) -> dict[str, tuple[datetime | None, datetime | None, bool]]:
    """Return of each batch when its first and its last message were sent, and whether any was not."""
    unsent = func.sum(case((message.c.sent_at.is_(None), 1), else_=0))
    query = select(message.c.batch_id, func.min(message.c.sent_at), func.max(message.c.sent_at), unsent)
    rows = connection.execute(query.group_by(message.c.batch_id))
    return {batch_id: (moment(first), moment(last), bool(waiting)) for batch_id, first, last, waiting in rows}


def _told(connection: Connection, start: datetime, end: datetime, *, unsent: bool) -> frozenset[str]:
    """Return the batches of whose messages something happened in [start, end), however long ago these were sent.

    Of those that are ``unsent``, as far as we know, also the registration tells when they were.
    """
    times = [observation.c.status_time, observation.c.registered_at]
    happened = or_(*(and_(time >= iso(start), time < iso(end)) for time in times))
    joined = observation.join(message, message.c.smsid == observation.c.smsid)
    query = select(message.c.batch_id).select_from(joined).where(happened).distinct()
    if unsent:
        query = query.where(message.c.sent_at.is_(None))
    return frozenset(connection.execute(query).scalars())


def _first_known(connection: Connection, start: datetime, end: datetime) -> datetime | None:
    """Return since when messages are known that are nobody's, and of which something happened in [start, end).

    Rows are about one message by their smsid; without one, by their number and their registration, which may be none.
    """
    then = observation.alias("then")
    happened = and_(then.c.status_time >= iso(start), then.c.status_time < iso(end))
    # ``stranger`` is number and registration of a row without an smsid; of those alike, the first has no more in it.
    named = observation.c.smsid.in_(select(then.c.smsid).where(then.c.smsid != "", happened))
    nameless = observation.c.stranger.in_(select(then.c.stranger).where(then.c.smsid == "", happened))
    query = select(func.min(_known_since())).where(
        _is_stranger(), or_(named, and_(observation.c.smsid == "", nameless))
    )
    return moment(connection.execute(query).scalar_one())


def _read(ledger: Ledger, connection: Connection, batches: Sequence[Batch], start: datetime, end: datetime) -> Evidence:
    messages = [part for batch in batches for part in _messages(connection, batch)]
    rows = [part for batch in batches for part in _observations(connection, _of_batch(batch.batch_id))]
    rows += _observations(connection, _of_nobody(start, end))
    return Evidence(
        messages=pa.Table.from_batches(messages, MESSAGES),
        observations=pa.Table.from_batches(rows, OBSERVATIONS),
        batches=tuple(batches),
        observed=_count(connection, batches, start, end),
        prefix=ledger.prefix,
        cancelled=cancelled_there(connection, [batch.batch_id for batch in batches]),
    )


def _messages(connection: Connection, batch: Batch, *wanted: ColumnElement[bool]) -> Iterator[pa.RecordBatch]:
    names = [name for name in MESSAGES.names if name not in _OF_A_BATCH]
    query = select(*(message.c[name] for name in names)).where(message.c.batch_id == batch.batch_id, *wanted)
    alike = {"batch_id": batch.batch_id, "campaign": batch.campaign}
    return _arrow(connection, query.order_by(message.c.row_number), names, MESSAGES, alike)


def _observations(connection: Connection, query: Select[Any]) -> Iterator[pa.RecordBatch]:
    return _arrow(connection, query, OBSERVATIONS.names, OBSERVATIONS, {})


def _columns() -> list[ColumnElement[Any]]:
    return [
        func.nullif(observation.c[name], "") if name == "status_time" else observation.c[name]
        for name in OBSERVATIONS.names
    ]


def _of_batch(batch_id: str) -> Select[Any]:
    joined = message.join(observation, message.c.smsid == observation.c.smsid)
    return select(*_columns()).select_from(joined).where(message.c.batch_id == batch_id)


def _of_nobody(start: datetime, end: datetime) -> Select[Any]:
    """Ask for the results of [start, end) that are of no message in this ledger."""
    return select(*_columns()).where(_is_stranger(), _within(start, end))


def _count(connection: Connection, batches: Sequence[Batch], start: datetime, end: datetime) -> int:
    """Count, in the database, what a reconciliation of the batches must account for."""
    strangers = select(func.count()).select_from(observation).where(_is_stranger(), _within(start, end))
    total = connection.execute(strangers).scalar_one()
    for batch in batches:
        ours = observation.c.smsid.in_(select(message.c.smsid).where(message.c.batch_id == batch.batch_id))
        total += connection.execute(select(func.count()).select_from(observation).where(ours)).scalar_one()
    return int(total)


def _is_stranger() -> ColumnElement[bool]:
    return ~select(message.c.smsid).where(message.c.smsid == observation.c.smsid).exists()


def _within(start: datetime, end: datetime) -> ColumnElement[bool]:
    when = _known_since()
    return and_(when >= iso(start), when < iso(end))


def _known_since() -> ColumnElement[Any]:
    """Return when a result says that its message was registered, else when it happened or, at the latest, came."""
    happened = func.nullif(observation.c.status_time, "")
    return func.coalesce(observation.c.registered_at, happened, observation.c.received_at)


def _arrow(
    connection: Connection, query: Select[Any], names: Sequence[str], schema: pa.Schema, alike: dict[str, str]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a query as Arrow; columns that are ``alike`` in all rows are not asked for."""
    for block in blocks(connection, query, _BLOCK):
        read = dict(zip(names, zip(*block, strict=True), strict=True))
        columns = [
            _column(read[field.name], field.type) if field.name in read else _repeated(alike[field.name], len(block))
            for field in schema
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _column(values: Iterable[Any], kind: pa.DataType) -> pa.Array:
    if kind == TIME:
        return pa.array(values, pa.string()).cast(TIME)
    if pa.types.is_dictionary(kind):
        return pc.dictionary_encode(pa.array(values, kind.value_type))
    if pa.types.is_boolean(kind):
        return pa.array(values, pa.int8()).cast(kind)
    return pa.array(values, kind)


def _repeated(value: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), count), pa.array([value], pa.string()))
