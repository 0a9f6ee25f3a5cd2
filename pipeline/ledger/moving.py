"""Messages change their state here and nowhere else: only as the vocabulary allows, and only from where they are."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, update

from pipeline.errors import Bug
from pipeline.ledger.replacing import is_served_by_another
from pipeline.ledger.tables import message
from pipeline.model import LEGAL, MessageState

#: the reason of what is unknown without any answer
INTERRUPTED = "interrupted"


def move(
    connection: Connection,
    wanted: str | Sequence[str],
    before: MessageState,
    after: MessageState,
    *only: ColumnElement[bool],
    **values: object,
) -> int:
    """Change every message of a dispatch, or of several, that is in ``before`` and meets ``only``; return how many."""
    if after not in LEGAL[before]:
        raise Bug("state.illegal", before=before.value, after=after.value)
    owner = message.c.dispatch_id
    owned = owner == wanted if isinstance(wanted, str) else owner.in_(wanted)
    moved = connection.execute(
        update(message).where(owned, message.c.state == before.value, *only).values(state=after.value, **values)
    )
    return moved.rowcount


def was_adopted() -> ColumnElement[bool]:
    """Say that a message is unknown because its sender was taken for dead, or gave up; its answer may come yet."""
    return (message.c.state == MessageState.UNKNOWN.value) & (message.c.reason == INTERRUPTED)


def may_be_planned_again() -> ColumnElement[bool]:
    """Say that a message was refused but may still be sent.

    Only a refusal of the whole request, or a person's, frees a message; a refused row needs another input, and what
    another batch of the campaign has served since stays refused.
    """
    whole = message.c.reason.startswith("request:") | message.c.reason.startswith("person:")
    return (message.c.state == MessageState.REFUSED.value) & whole & ~is_served_by_another(message)
