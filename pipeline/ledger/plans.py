"""Plans: which message goes out in which dispatch, committed before anything of it may leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, repeat

from sqlalchemy import ColumnElement, Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from pipeline.errors import Bug, GuardStopped
from pipeline.ledger.batches import record_event
from pipeline.ledger.dispatches import dispatch_id
from pipeline.ledger.engines import insert_rows
from pipeline.ledger.moving import may_be_planned_again
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import batch, dispatch, iso, message
from pipeline.model import Artefact, Batch, MessageState

_SLICE = 5_000
#: so many rows are worth an insert of their own
_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class PlannedDispatch:
    """A chunk laid out as a payload on disk, with its messages as columns of the message table."""

    number: int
    chunk: int
    payload: Artefact
    messages: Mapping[str, Sequence[object]]


def plan_batch(ledger: Ledger, value: Batch, planned: Iterable[PlannedDispatch], now: datetime) -> None:
    """Commit the intent: every message and every dispatch of a batch, in one transaction.

    Dispatches are taken one by one, so that no more than one, or a few small ones, are in memory.
    """
    try:
        with ledger.writing() as connection:
            frozen = connection.execute(
                update(batch)
                .where(batch.c.batch_id == value.batch_id, batch.c.planned_at.is_(None))
                .values(planned_at=iso(now))
            )
            if frozen.rowcount != 1:
                raise GuardStopped("batch.frozen", batch=value.batch_id)
            count = dispatches = 0
            for several in _together(planned):
                made = [_dispatch_row(value, chunk) for chunk in several]
                dispatches += insert_rows(connection, dispatch, list(made[0]), (tuple(row.values()) for row in made))
                wholes = [_whole(value, chunk) for chunk in several]
                # Columns in which all rows are alike do not end.
                rows = chain.from_iterable(zip(*columns.values(), strict=False) for columns in wholes)
                count += insert_rows(connection, message, list(wholes[0]), rows)
            if count != value.totals.accepted:
                raise Bug("totals.messages", accepted=value.totals.accepted, messages=count)
            record_event(connection, now, "planned", value.batch_id, messages=count, dispatches=dispatches)
    except IntegrityError:
        # Between validation and sending another batch of the campaign has served one of these rows.
        raise GuardStopped("batch.outdated", batch=value.batch_id) from None


def _whole(value: Batch, chunk: PlannedDispatch) -> dict[str, Iterable[object]]:
    """Return the columns of a dispatch's messages with those in which all its rows are alike."""
    alike = {
        "batch_id": value.batch_id,
        "campaign": value.campaign,
        "dispatch_id": dispatch_id(value.batch_id, chunk.number),
        "state": MessageState.PLANNED.value,
    }
    return {**chunk.messages, **{name: repeat(same) for name, same in alike.items()}}


def _together(planned: Iterable[PlannedDispatch]) -> Iterator[list[PlannedDispatch]]:
    """Gather small dispatches: those of one message would take long to insert one by one."""
    gathered: list[PlannedDispatch] = []
    rows = 0
    for chunk in planned:
        gathered.append(chunk)
        rows += len(chunk.messages["smsid"])
        if rows >= _TOGETHER:
            yield gathered
            gathered, rows = [], 0
    if gathered:
        yield gathered


def _dispatch_row(value: Batch, chunk: PlannedDispatch) -> dict[str, object]:
    return {
        "dispatch_id": dispatch_id(value.batch_id, chunk.number),
        "batch_id": value.batch_id,
        "number": chunk.number,
        "chunk": chunk.chunk,
        "live": 1,
        "payload_name": chunk.payload.name,
        "payload_sha256": chunk.payload.sha256,
        "payload_size": chunk.payload.size,
        "attempts": 0,
    }


def planned_smsids(ledger: Ledger, batch_id: str) -> set[str]:
    """Return the smsids of a batch that are planned."""
    query = select(message.c.smsid).where(message.c.batch_id == batch_id, message.c.state == MessageState.PLANNED.value)
    with ledger.reading() as connection:
        return set(connection.execute(query).scalars())


def free_messages(ledger: Ledger, value: Batch) -> dict[int, list[str]]:
    """Return smsids by chunk of messages that must be planned again before they can be sent: refused and withdrawn."""
    return _by_chunk(ledger, value, may_be_planned_again() | _is_withdrawn(value.batch_id))


def refused_whole(ledger: Ledger, batch_id: str) -> set[str]:
    """Return the codes with which whole requests of a batch were refused that are still to be sent again."""
    query = select(message.c.reason).where(message.c.batch_id == batch_id, may_be_planned_again()).distinct()
    with ledger.reading() as connection:
        reasons = [reason.partition(":") for reason in connection.execute(query).scalars()]
    return {code for by, _, code in reasons if by == "request"}


def withdrawn_messages(ledger: Ledger, value: Batch) -> dict[int, list[str]]:
    """Return smsids by chunk of planned messages whose dispatch must never go out, and which need another one."""
    return _by_chunk(ledger, value, _is_withdrawn(value.batch_id))


def _is_withdrawn(batch_id: str) -> ColumnElement[bool]:
    """Say that a planned message's dispatch must not go out: its payload holds one that must not be in it any more.

    A result has shown that one to be taken, or it was cancelled; or an attempt that the ledger had forgotten took it.
    """
    beside = message.alias("beside")
    # One list of dispatches: looking at its neighbours for each message would read a dispatch as often as it has rows.
    changed = select(beside.c.dispatch_id).where(
        beside.c.batch_id == batch_id, beside.c.state != MessageState.PLANNED.value
    )
    replaced = select(dispatch.c.dispatch_id).where(dispatch.c.batch_id == batch_id, dispatch.c.live == 0)
    withdrawn = message.c.dispatch_id.in_(changed) | message.c.dispatch_id.in_(replaced)
    return (message.c.state == MessageState.PLANNED.value) & withdrawn


def _by_chunk(ledger: Ledger, value: Batch, wanted: ColumnElement[bool]) -> dict[int, list[str]]:
    query = (
        select(dispatch.c.chunk, message.c.smsid)
        .join(dispatch, dispatch.c.dispatch_id == message.c.dispatch_id)
        .where(message.c.batch_id == value.batch_id, wanted)
        .order_by(message.c.row_number)
    )
    found: dict[int, list[str]] = {}
    with ledger.reading() as connection:
        for chunk, smsid in connection.execute(query):
            found.setdefault(chunk, []).append(smsid)
    return found


def plan_again(ledger: Ledger, value: Batch, again: PlannedDispatch, smsids: Sequence[str], now: datetime) -> None:
    """Commit a new dispatch for messages that are free or withdrawn; they keep their smsids."""
    plan_group_again(ledger, value, [(again, smsids)], now)


def plan_group_again(
    ledger: Ledger, value: Batch, group: Iterable[tuple[PlannedDispatch, Sequence[str]]], now: datetime
) -> None:
    """Commit several new dispatches, each with the smsids of its messages, in one transaction."""
    with ledger.writing() as connection:
        for again, smsids in group:
            _plan_again(connection, value, again, smsids, now)


def _plan_again(
    connection: Connection, value: Batch, again: PlannedDispatch, smsids: Sequence[str], now: datetime
) -> None:
    free = [MessageState.REFUSED.value, MessageState.PLANNED.value]
    connection.execute(
        update(dispatch).where(dispatch.c.batch_id == value.batch_id, dispatch.c.chunk == again.chunk).values(live=0)
    )
    connection.execute(insert(dispatch).values(_dispatch_row(value, again)))
    new = dispatch_id(value.batch_id, again.number)
    moved = 0
    for start in range(0, len(smsids), _SLICE):
        moved += connection.execute(
            update(message)
            .where(message.c.smsid.in_(smsids[start : start + _SLICE]), message.c.state.in_(free))
            .values(state=MessageState.PLANNED.value, reason="", dispatch_id=new, sent_at=None)
        ).rowcount
    if moved != len(smsids):
        raise GuardStopped("dispatch.changed", dispatch=new)
    record_event(connection, now, "planned_again", value.batch_id, new, messages=moved)
