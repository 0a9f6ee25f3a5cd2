"""Replacing: messages of a campaign that do not serve their key, and whether others of that key stand for them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, and_, select

from pipeline.ledger.opening import Ledger
from pipeline.ledger.tables import is_live, is_not_taken, message
from pipeline.model import OPTED_OUT, MessageState

#: how the reason of a message begins that the gateway refused by a line of its own
_REFUSED_ROW = "row:"


def refused_rows(ledger: Ledger, campaign_name: str) -> set[str]:
    """Return the smsids of a campaign's rows that the gateway refused one by one and that nothing replaced since."""
    alone = message.c.reason.startswith(_REFUSED_ROW) & (message.c.state == MessageState.REFUSED.value)
    return _not_taken(ledger, campaign_name, alone, ~_is_replaced())


def replaced_rows(ledger: Ledger, campaign_name: str) -> set[str]:
    """Return the smsids of a campaign's messages that do not serve their key and for which another one stands."""
    return _not_taken(ledger, campaign_name, ~is_live(message), _is_replaced())


def unserved_messages(ledger: Ledger, campaign_name: str) -> dict[str, tuple[str, str]]:
    """Return by smsid the batch and MSISDN of a campaign's messages that were refused or cancelled and not replaced.

    Those are left out that were cancelled because their recipients opted out.
    """
    query = select(message.c.smsid, message.c.batch_id, message.c.msisdn).where(
        is_not_taken(message),
        message.c.campaign == campaign_name,
        ~is_live(message),
        message.c.reason != OPTED_OUT,
        ~is_served_by_another(message),
    )
    with ledger.reading() as connection:
        return {row.smsid: (row.batch_id, row.msisdn) for row in connection.execute(query)}


def shared_keys(ledger: Ledger, campaign_name: str) -> list[tuple[str, str]]:
    """Return the smsids of each two messages of a campaign that have one key; the first one does not serve it."""
    other = message.alias("other")
    query = (
        select(message.c.smsid, other.c.smsid)
        .join(other, has_the_key_of(other, message))
        .where(is_not_taken(message), message.c.campaign == campaign_name, ~is_live(message))
    )
    with ledger.reading() as connection:
        return [(one, two) for one, two in connection.execute(query)]


def _not_taken(ledger: Ledger, campaign_name: str, *wanted: ColumnElement[bool]) -> set[str]:
    query = select(message.c.smsid).where(is_not_taken(message), message.c.campaign == campaign_name, *wanted)
    with ledger.reading() as connection:
        return set(connection.execute(query).scalars())


def _is_replaced() -> ColumnElement[bool]:
    """Say that another message of the same key stands instead: it may have been served, or was refused later."""
    other = message.alias("other")
    refused_later = (
        (other.c.state == MessageState.REFUSED.value)
        & other.c.reason.startswith(_REFUSED_ROW)
        & (
            (other.c.sent_at > message.c.sent_at)
            | ((other.c.sent_at == message.c.sent_at) & (other.c.smsid > message.c.smsid))
        )
    )
    return select(other.c.smsid).where(has_the_key_of(other, message), is_live(other) | refused_later).exists()


def is_served_by_another(one: FromClause) -> ColumnElement[bool]:
    """Say that another message of the campaign serves the key of ``one``, or is meant to."""
    other = message.alias("other")
    return select(other.c.smsid).where(has_the_key_of(other, one), is_live(other)).exists()


def has_the_key_of(other: FromClause, one: FromClause) -> ColumnElement[bool]:
    """Say that another message has the key of ``one``; the number, a part of the key, has an index of its own."""
    return and_(
        other.c.msisdn == one.c.msisdn,
        other.c.campaign == one.c.campaign,
        other.c.message_key == one.c.message_key,
        other.c.smsid != one.c.smsid,
    )
