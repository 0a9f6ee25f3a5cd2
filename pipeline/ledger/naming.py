"""Whose smsid a message has: one of our making names one message of this ledger, a user's may name somebody else's."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import ColumnElement, FromClause, and_, func, literal, or_, select

from pipeline.core.answers import SMSID_EXISTS
from pipeline.ledger.tables import dispatch, observation
from pipeline.model import ObservationPath

_OWN, _CHUNK = dispatch.alias("own"), dispatch.alias("chunk")


# Conditions never change, and to put one together takes longer than to ask a small ledger.
@lru_cache(maxsize=16)
def can_be_asked_for(messages: FromClause, prefix: str) -> ColumnElement[bool]:
    """Say that a message's smsid is of our making and was not another one's before: see ``_is_named``."""
    same = and_(_CHUNK.c.batch_id == _OWN.c.batch_id, _CHUNK.c.chunk == _OWN.c.chunk)
    existed = (
        select(_CHUNK.c.dispatch_id)
        .select_from(_OWN.join(_CHUNK, same))
        .where(_OWN.c.dispatch_id == messages.c.dispatch_id, _CHUNK.c.answer_code.in_(SMSID_EXISTS))
        .correlate(messages)  # also from within the list of results, which is a query in between
        .exists()
    )
    return and_(is_of_our_making(messages, prefix), ~existed)


def is_about(messages: FromClause, prefix: str) -> ColumnElement[bool]:
    """Say that an observation with a message's smsid can be of no other message: see ``_is_named``."""
    silent = or_(observation.c.path == ObservationPath.FETCHED.value, observation.c.msisdn == "")
    same = and_(~silent, observation.c.msisdn == messages.c.msisdn)
    return or_(same, and_(silent, can_be_asked_for(messages, prefix)))


def is_of_our_making(messages: FromClause, prefix: str) -> ColumnElement[bool]:
    """Say that this ledger gave a message its smsid, and not a user."""
    begin = literal(prefix) + messages.c.batch_id
    return func.substr(messages.c.smsid, 1, func.length(begin)) == begin
