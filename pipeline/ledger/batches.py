"""Batches: registered when validated, frozen when planned."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select, update

from pipeline.errors import GuardStopped, UsageError
from pipeline.ledger.engines import blocks, new_rows
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import batch, campaign, event, is_live, is_not_taken, iso, message, moment
from pipeline.model import OPTED_OUT, Artefact, Batch, MessageState, NumberCheck, RowTotals

_SLICE = 5_000
_BLOCK = 50_000
#: tells the one file for people from those for machines, which are CSV
_WORKBOOK = ".xlsx"
#: the event that says of which campaign's unreached people a batch is made
_FROM_FAILED = "from_failed"
#: the event that says for which campaign a batch is a test message
_TRIAL = "trial"


def record_event(
    connection: Connection,
    now: datetime,
    kind: str,
    batch_id: str | None,
    dispatch_id: str | None = None,
    **detail: object,
) -> None:
    """Append to the event table; details never hold numbers or texts."""
    connection.execute(
        insert(event).values(
            at=iso(now),
            kind=kind,
            batch_id=batch_id,
            dispatch_id=dispatch_id,
            detail=json.dumps(detail, ensure_ascii=False),
        )
    )


def note_decision(ledger: Ledger, now: datetime, kind: str, batch_id: str, **detail: object) -> None:
    """Append what a person decided about a batch to the events."""
    with ledger.writing() as connection:
        record_event(connection, now, kind, batch_id, None, **detail)


def note_trial(ledger: Ledger, now: datetime, batch_id: str, *, campaign: str) -> None:
    """Append, once, that a batch is a test message for a campaign: whoever got it can still be written to."""
    with ledger.writing() as connection:
        if not is_trial(connection, batch_id):
            record_event(connection, now, _TRIAL, batch_id, campaign=campaign)


def is_trial(connection: Connection, batch_id: str) -> bool:
    """Say whether a batch is a test message."""
    query = select(event.c.event_id).where(event.c.batch_id == batch_id, event.c.kind == _TRIAL).limit(1)
    return connection.execute(query).one_or_none() is not None


def find_batch(ledger: Ledger, batch_id: str) -> Batch | None:
    """Return a batch, or None."""
    with ledger.reading() as connection:
        row = connection.execute(select(batch).where(batch.c.batch_id == batch_id)).one_or_none()
    return _batch(row) if row else None


def get_batch(ledger: Ledger, batch_id: str) -> Batch:
    """Return a batch that must exist."""
    found = find_batch(ledger, batch_id)
    if found is None:
        raise UsageError("batch.unknown", batch=batch_id)
    return found


def list_batches(ledger: Ledger) -> list[Batch]:
    """Return every batch, oldest first."""
    with ledger.reading() as connection:
        return [_batch(row) for row in connection.execute(select(batch).order_by(batch.c.registered_at))]


def _batch(row: Row[Any]) -> Batch:
    files = [Artefact(**stored) for stored in json.loads(row.artefacts)]
    registered = moment(row.registered_at)
    assert registered is not None  # noqa: S101 - the column is NOT NULL
    return Batch(
        batch_id=row.batch_id,
        campaign=row.campaign,
        run_date=date.fromisoformat(row.run_date),
        source_name=row.source_name,
        content_sha256=row.content_sha256,
        fingerprint=row.fingerprint,
        totals=RowTotals(row.rows, row.accepted, row.rejected, row.already),
        repaired=row.repaired,
        artefacts=tuple(file for file in files if not file.name.endswith(_WORKBOOK)),
        registered_at=registered,
        planned_at=moment(row.planned_at),
        workbook=next((file for file in files if file.name.endswith(_WORKBOOK)), None),
        number_check=NumberCheck(row.number_check),
        text_source=row.text_source,
    )


def campaign_repeats(ledger: Ledger, name: str) -> bool | None:
    """Say whether a campaign allows repeats; None where the ledger does not know the campaign."""
    with ledger.reading() as connection:
        found = connection.execute(select(campaign.c.repeats).where(campaign.c.name == name)).scalar_one_or_none()
    return None if found is None else bool(found)


def register_batch(ledger: Ledger, value: Batch, *, repeats: bool = False, origin: str | None = None) -> None:
    """Record a validated batch; validating it again replaces it until it is planned.

    ``origin`` is the campaign whose unreached people it is for.

    Raises ``UsageError`` (``campaign.repeats_differ``) when the campaign was first registered with another
    ``repeats``: half of its message keys would be of the one kind and half of the other, and none would protect.
    """
    totals = value.totals
    stored = {
        "campaign": value.campaign,
        "run_date": value.run_date.isoformat(),
        "source_name": value.source_name,
        "content_sha256": value.content_sha256,
        "fingerprint": value.fingerprint,
        "rows": totals.rows,
        "accepted": totals.accepted,
        "rejected": totals.rejected,
        "already": totals.already,
        "repaired": value.repaired,
        "artefacts": json.dumps([asdict(file) for file in (*value.artefacts, value.workbook) if file]),
        "registered_at": iso(value.registered_at),
        "number_check": value.number_check.value,
        "text_source": value.text_source,
    }
    with ledger.writing() as connection:
        connection.execute(
            new_rows(connection, campaign).values(
                name=value.campaign, first_seen=iso(value.registered_at), repeats=int(repeats)
            )
        )
        settled = connection.execute(select(campaign.c.repeats).where(campaign.c.name == value.campaign)).scalar_one()
        if bool(settled) != repeats:
            raise UsageError("campaign.repeats_differ", campaign=value.campaign)
        existing = connection.execute(
            select(batch.c.planned_at).where(batch.c.batch_id == value.batch_id)
        ).one_or_none()
        if existing is None:
            connection.execute(insert(batch).values(batch_id=value.batch_id, **stored))
        elif existing.planned_at is None:
            connection.execute(update(batch).where(batch.c.batch_id == value.batch_id).values(**stored))
        else:
            raise GuardStopped("batch.frozen", batch=value.batch_id)
        record_event(
            connection,
            value.registered_at,
            "validated",
            value.batch_id,
            rows=totals.rows,
            accepted=totals.accepted,
        )
        if origin is not None:
            record_event(connection, value.registered_at, _FROM_FAILED, value.batch_id, campaign=origin)


def origins(ledger: Ledger, batch_id: str) -> set[str]:
    """Return the campaigns whose unreached people a batch is for, and those that these in turn were made from."""
    found: set[str] = set()
    with ledger.reading() as connection:
        asked = event.c.batch_id == batch_id
        while (
            new := {
                json.loads(detail)["campaign"]
                for detail in connection.execute(
                    select(event.c.detail).where(event.c.kind == _FROM_FAILED, asked)
                ).scalars()
            }
            - found
        ):
            found |= new
            asked = event.c.batch_id.in_(select(batch.c.batch_id).where(batch.c.campaign.in_(new)))
    return found


def is_check(*, wanted: bool) -> ColumnElement[bool]:
    """Say that numbers are checked by a batch and nobody gets a text, or where not ``wanted``, that texts go out."""
    only = NumberCheck.ONLY.value
    return batch.c.number_check == only if wanted else batch.c.number_check != only


def made_from(ledger: Ledger, campaigns: AbstractSet[str]) -> set[str]:
    """Return the campaigns that were made for the unreached people of ``campaigns``, and those made from these."""
    if not campaigns:
        return set()
    query = (
        select(event.c.detail, batch.c.campaign)
        .join(batch, batch.c.batch_id == event.c.batch_id)
        .where(event.c.kind == _FROM_FAILED)
    )
    with ledger.reading() as connection:
        made = [(json.loads(row.detail)["campaign"], row.campaign) for row in connection.execute(query)]
    found: set[str] = set()
    while new := {name for origin, name in made if origin in found | campaigns} - found:
        found |= new
    return found


def served_keys(ledger: Ledger, campaign_name: str, keys: Sequence[str], *, but_batch: str) -> dict[str, str]:
    """Return smsid by message key for those ``keys`` that other batches of the campaign serve or may have served."""
    found: dict[str, str] = {}
    with ledger.reading() as connection:
        for part in slices(keys):
            query = select(message.c.message_key, message.c.smsid).where(
                message.c.campaign == campaign_name,
                message.c.message_key.in_(part),
                message.c.batch_id != but_batch,
                is_live(message),
            )
            found.update((row.message_key, row.smsid) for row in connection.execute(query))
    return found


def live_keys(ledger: Ledger, campaign_name: str, *, but_batch: str, checks: bool = False) -> Iterator[str]:
    """Yield all message keys that other batches of the campaign serve or may have served; or have checked.

    One pass over those batches' messages as they lie on disk: for whole lists, where asking for each key would not end.
    """
    others = select(batch.c.batch_id).where(
        batch.c.campaign == campaign_name, batch.c.batch_id != but_batch, is_check(wanted=checks)
    )
    query = select(message.c.message_key).where(message.c.batch_id.in_(others), is_live(message))
    with ledger.reading() as connection:
        yield from column_of(connection, query)


def column_of(connection: Connection, query: Select[tuple[str]]) -> Iterator[str]:
    """Yield the one column of a long result in large blocks, past the records that SQLAlchemy makes of each row."""
    for block in blocks(connection, query, _BLOCK):
        yield from map(itemgetter(0), block)


def waiting_elsewhere(
    ledger: Ledger, campaign_name: str, *, but_batch: str, checks: bool = False
) -> dict[str, dict[MessageState, int]]:
    """Count by batch those messages of the campaign's other batches that were not sent yet, or are unknown.

    They are texts, or ``checks`` of numbers: neither serves what the other is for.
    """
    open_ = [state.value for state in (MessageState.PLANNED, MessageState.IN_FLIGHT, MessageState.UNKNOWN)]
    query = (
        select(message.c.batch_id, message.c.state, func.count())
        .join(batch, batch.c.batch_id == message.c.batch_id)
        .where(is_check(wanted=checks), is_not_taken(message), message.c.state.in_(open_))
        .where(message.c.campaign == campaign_name, message.c.batch_id != but_batch)
        .group_by(message.c.batch_id, message.c.state)
        .order_by(message.c.batch_id)
    )
    found: dict[str, dict[MessageState, int]] = {}
    with ledger.reading() as connection:
        for batch_id, state, count in connection.execute(query):
            found.setdefault(batch_id, {})[MessageState(state)] = count
    return found


def used_smsids(ledger: Ledger, smsids: Sequence[str], *, but_batch: str) -> set[str]:
    """Return those ``smsids`` that another batch already uses."""
    found: set[str] = set()
    with ledger.reading() as connection:
        for part in slices(smsids):
            query = select(message.c.smsid).where(message.c.smsid.in_(part), message.c.batch_id != but_batch)
            found.update(connection.execute(query).scalars())
    return found


def slices(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut ``values`` into parts of which each fits into one statement."""
    for start in range(0, len(values), _SLICE):
        yield values[start : start + _SLICE]


def count_states(ledger: Ledger, batch_id: str) -> dict[MessageState, int]:
    """Count a batch's messages per state."""
    query = select(message.c.state, func.count()).where(message.c.batch_id == batch_id).group_by(message.c.state)
    with ledger.reading() as connection:
        return {MessageState(state): count for state, count in connection.execute(query)}


def count_refused(ledger: Ledger, batch_id: str) -> dict[str, int]:
    """Count those of a batch's messages that the gateway refused, by its code; a person's decision has none."""
    query = select(message.c.reason, func.count()).where(
        message.c.batch_id == batch_id, message.c.state == MessageState.REFUSED.value
    )
    counts: dict[str, int] = {}
    with ledger.reading() as connection:
        for reason, count in connection.execute(query.group_by(message.c.reason).order_by(message.c.reason)):
            by, _, code = reason.partition(":")
            if by in {"row", "request"} and code:
                counts[code] = counts.get(code, 0) + count
    return counts


def count_opted_out(ledger: Ledger, batch_id: str) -> int:
    """Count a batch's messages that were cancelled because their recipients opted out."""
    query = select(func.count()).where(message.c.batch_id == batch_id, message.c.reason == OPTED_OUT)
    with ledger.reading() as connection:
        return int(connection.execute(query).scalar_one())
