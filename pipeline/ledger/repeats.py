"""Repeats: what went out before, in another campaign or by a template known otherwise. The guards ask for it."""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial

from sqlalchemy import ColumnElement, Connection, func, or_, select, true

from pipeline.core.digests import Text, Texts
from pipeline.ledger.batches import is_check, is_trial, slices
from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import (
    batch,
    cancellation,
    dispatch,
    event,
    is_cancelled_by_person,
    iso,
    message,
    moment,
    stop,
)
from pipeline.model import Batch, MessageState, NumberCheck

_served = message.c.state.in_([MessageState.IN_FLIGHT.value, MessageState.TAKEN.value, MessageState.UNKNOWN.value])


@dataclass(frozen=True, slots=True)
class Earlier:
    """In which campaign a text went to its number before, and when; None where nobody knows."""

    campaign: str
    sent_at: datetime | None


class Overtaken(Exception):  # noqa: N818 - no failure: whoever hears it looks again
    """Another campaign has begun to send since a sender looked at the others."""


@dataclass(slots=True)
class Seen:
    """Up to which event of the ledger a sender has looked at what other campaigns begin."""

    event_id: int

    def check(self, connection: Connection, batch_id: str) -> None:
        """Raise ``Overtaken`` where another campaign than the batch's has begun anything since; else all is seen.

        Asked in the transaction that begins: writers come one after the other, so of two that begin at once the second
        one finds the first.
        """
        newest = _newest(connection)
        since = (event.c.event_id > self.event_id) & (event.c.kind == "begun") & (event.c.batch_id != batch_id)
        # One after the other: joined, the database would go through all batches to come to a few events.
        if others := set(connection.execute(select(event.c.batch_id).where(since).distinct()).scalars()):
            own = select(batch.c.campaign).where(batch.c.batch_id == batch_id).scalar_subquery()
            elsewhere = select(batch.c.batch_id).where(batch.c.batch_id.in_(others), batch.c.campaign != own)
            if connection.execute(elsewhere.limit(1)).one_or_none():
                raise Overtaken
        self.event_id = newest


def look_at_others(ledger: Ledger) -> Seen:
    """Return up to where the ledger is now: to be asked for before one looks at what the others sent."""
    with ledger.reading() as connection:
        return Seen(_newest(connection))


def _newest(connection: Connection) -> int:
    """Return the number of the last event; 0 where there is none."""
    return connection.execute(select(func.max(event.c.event_id))).scalar_one() or 0


def texts_of(ledger: Ledger, dispatches: Collection[str]) -> list[tuple[int, Text]]:
    """Return row number and text (MSISDN, digest) of every message of some dispatches, by row number."""
    columns = (message.c.row_number, message.c.msisdn, message.c.text_digest)
    query = select(*columns).where(message.c.dispatch_id.in_(dispatches)).order_by(message.c.row_number)
    with ledger.reading() as connection:
        return [(row.row_number, (row.msisdn, row.text_digest)) for row in connection.execute(query)]


def same_content_elsewhere(ledger: Ledger, value: Batch, unreached: Collection[str] = ()) -> str | None:
    """Return another campaign in which the same content was sent, or None; ``unreached`` smsids do not count.

    It is the same list, with texts that are not known to be others. A check of its numbers is another thing than a text
    to them.
    """
    query = (
        select(batch.c.campaign, message.c.smsid)
        .join(message, message.c.batch_id == batch.c.batch_id)
        .where(batch.c.content_sha256 == value.content_sha256, batch.c.campaign != value.campaign, _served)
        .where(is_check(wanted=value.number_check is NumberCheck.ONLY), _may_say(value.text_source))
        .limit(len(unreached) + 1)
    )
    with ledger.reading() as connection:
        return next((row.campaign for row in connection.execute(query) if row.smsid not in unreached), None)


def cancelled_before(ledger: Ledger, value: Batch) -> str | None:
    """Return another batch of the campaign with the same content of which a person wanted anything cancelled, or None.

    The same list makes another batch once the settings that decide about it are others, or a newer version reads it:
    what was not to go out then is not to go out now.
    """
    of_batch = message.c.batch_id == batch.c.batch_id
    by_person = select(message.c.smsid).where(of_batch, is_cancelled_by_person(message))
    stopped = select(stop.c.batch_id).where(stop.c.batch_id == batch.c.batch_id)
    asked = select(cancellation.c.smsid).where(cancellation.c.batch_id == batch.c.batch_id)
    query = (
        select(batch.c.batch_id)
        .where(batch.c.content_sha256 == value.content_sha256, batch.c.campaign == value.campaign)
        .where(batch.c.batch_id != value.batch_id, _may_say(value.text_source))
        .where(is_check(wanted=value.number_check is NumberCheck.ONLY))
        .where(or_(stopped.exists(), asked.exists(), by_person.exists()))
        .limit(1)
    )
    with ledger.reading() as connection:
        return connection.execute(query).scalar_one_or_none()


def _may_say(source: str | None) -> ColumnElement[bool]:
    """Say that a batch's texts are not known to be others than those from ``source``: absence is no evidence.

    Only sources of one kind can be told apart: what a template says next to a text, nobody here knows.
    """
    if source is None:
        return true()
    same_kind = batch.c.text_source.startswith(source.partition(":")[0] + ":")
    return or_(batch.c.text_source.is_(None), batch.c.text_source == source, ~same_kind)


def anything_sent_elsewhere(ledger: Ledger, campaign_name: str, since: datetime) -> bool:
    """Say whether another campaign has begun to send anything after ``since``; if not, no text is a repeat.

    A message is sent when its dispatch begins, and of dispatches there are few.
    """
    query = (
        select(dispatch.c.dispatch_id)
        .join(batch, batch.c.batch_id == dispatch.c.batch_id)
        .where(batch.c.campaign != campaign_name, dispatch.c.begun_at >= iso(since))
        .limit(1)
    )
    with ledger.reading() as connection:
        return connection.execute(query).one_or_none() is not None


def repeats_elsewhere(  # noqa: PLR0913, PLR0917 - what went out, where, when, and what of it does not count
    ledger: Ledger,
    campaign_name: str,
    texts: Collection[Text],
    since: datetime,
    unreached: Container[str] = (),
    ever: Collection[str] = (),
) -> dict[Text, Earlier]:
    """Return those ``texts`` (MSISDN, digest) that went out, or may have, in another campaign after ``since``.

    They are pairs because a campaign that allows repeats has several texts for one number. One by a template that was
    known otherwise then counts: nobody can tell that it is another. ``unreached`` smsids are
    known not to have arrived, and do not count; nor do test messages, which went to somebody who asked for them. In the
    campaigns ``ever`` it does not matter when they went out. Of several it is the latest that is told.
    """
    wanted = Texts(texts)
    found: dict[Text, Earlier] = {}
    soon = message.c.sent_at >= iso(since)
    sent = soon | message.c.campaign.in_(ever) if ever else soon
    columns = (message.c.msisdn, message.c.text_digest, message.c.smsid, message.c.batch_id)
    with ledger.reading() as connection:
        is_test = cache(partial(is_trial, connection))
        for part in slices(wanted.numbers()):
            query = select(*columns, message.c.campaign, message.c.sent_at).where(
                message.c.msisdn.in_(part),
                message.c.campaign != campaign_name,
                sent,
                _served,
            )
            for row in sorted(connection.execute(query).all(), key=lambda row: row.sent_at or ""):
                same = wanted.same(row.msisdn, row.text_digest)
                if same and row.smsid not in unreached and not is_test(row.batch_id):
                    found |= dict.fromkeys(same, Earlier(row.campaign, moment(row.sent_at)))
    return found


def unclear_repeats(ledger: Ledger, value: Batch, texts: Collection[Text]) -> set[Text]:
    """Return those ``texts`` that another batch of the campaign may serve by the same template, known otherwise.

    Whatever became of that message: one that was refused may be planned again. Of a test message there are none: the
    text is corrected because of what its recipient saw.
    """
    wanted = Texts(texts)
    others = select(batch.c.batch_id).where(
        batch.c.campaign == value.campaign, batch.c.batch_id != value.batch_id, is_check(wanted=False)
    )
    found: set[Text] = set()
    with ledger.reading() as connection:
        if is_trial(connection, value.batch_id):
            return found
        for part in slices(wanted.numbers()):
            query = select(message.c.msisdn, message.c.text_digest).where(
                message.c.msisdn.in_(part), message.c.batch_id.in_(others)
            )
            for row in connection.execute(query).all():
                found |= wanted.unclear(row.msisdn, row.text_digest)
    return found
