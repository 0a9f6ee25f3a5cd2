"""Tables of the ledger. Rules live in the database: what must never happen is a constraint, not a habit.

Times are ISO 8601 texts in JST; states and paths are checked against the vocabulary of ``pipeline.model``.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    MetaData,
    Table,
    TextClause,
    UniqueConstraint,
    literal,
    text,
)
from sqlalchemy import Text as AnyText

from pipeline.core.calendar import JST
from pipeline.model import LIVE, CancelOutcome, MessageState, NumberCheck, ObservationPath

metadata = MetaData()
#: compared byte by byte, as SQLite does, whatever the language of a PostgreSQL database
Text = AnyText().with_variant(AnyText(collation="C"), "postgresql")
#: SQLite's whole numbers have 64 bits; for sizes and what is counted for years PostgreSQL's shall too
_Long = Integer().with_variant(BigInteger(), "postgresql")


def _one_of(column: str, vocabulary: type[StrEnum]) -> CheckConstraint:
    values = ", ".join(f"'{member.value}'" for member in vocabulary)
    return CheckConstraint(f"{column} IN ({values})", name=f"{column}_known")


#: states of messages about which something may still happen here, other than by what is taken and stays so
_OPEN = frozenset(MessageState) - {MessageState.TAKEN}


def _in(states: frozenset[MessageState]) -> TextClause:
    return text("state IN (" + ", ".join(f"'{state.value}'" for state in sorted(states)) + ")")


identity = Table(
    "identity",
    metadata,
    Column("ledger_id", Text, primary_key=True),
    Column("prefix", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    sqlite_strict=True,
)
migration = Table(
    "migration",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("applied_at", Text, nullable=False),
    sqlite_strict=True,
)
campaign = Table(
    "campaign",
    metadata,
    Column("name", Text, primary_key=True),
    Column("first_seen", Text, nullable=False),
    # Whether a number may be served more than once: fixed when the campaign is first seen.
    Column("repeats", Integer, CheckConstraint("repeats IN (0, 1)"), nullable=False, server_default=text("0")),
    sqlite_strict=True,
)
batch = Table(
    "batch",
    metadata,
    Column("batch_id", Text, primary_key=True),
    Column("campaign", ForeignKey("campaign.name"), nullable=False, index=True),
    Column("run_date", Text, nullable=False),
    Column("source_name", Text, nullable=False),
    Column("content_sha256", Text, nullable=False, index=True),
    Column("fingerprint", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("already", Integer, nullable=False),
    Column("repaired", Integer, nullable=False),
    Column("artefacts", Text, nullable=False),
    Column("registered_at", Text, nullable=False),
    Column("planned_at", Text),
    # Whether its messages are checks of numbers, or texts that one comes before.
    Column("number_check", Text, nullable=False, server_default=text("'none'")),
    # Where its texts come from, to tell two sendings of one list apart; nothing where nobody has recorded it.
    Column("text_source", Text),
    _one_of("number_check", NumberCheck),
    CheckConstraint("rows = accepted + rejected + already", name="rows_add_up"),
    sqlite_strict=True,
)
dispatch = Table(
    "dispatch",
    metadata,
    Column("dispatch_id", Text, primary_key=True),
    Column("batch_id", ForeignKey("batch.batch_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("chunk", Integer, nullable=False),
    Column("live", Integer, nullable=False),
    Column("payload_name", Text, nullable=False),
    Column("payload_sha256", Text, nullable=False),
    Column("payload_size", _Long, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("begun_at", Text),
    Column("ended_at", Text),
    Column("answer_code", Text),
    Column("csvid", Text),
    UniqueConstraint("batch_id", "number"),
    Index(
        "one_live_dispatch_per_chunk",
        "batch_id",
        "chunk",
        unique=True,
        sqlite_where=text("live = 1"),
        postgresql_where=text("live = 1"),
    ),
    sqlite_strict=True,
)
message = Table(
    "message",
    metadata,
    Column("smsid", Text, primary_key=True),
    Column("batch_id", ForeignKey("batch.batch_id"), nullable=False),
    Column("row_number", Integer, nullable=False),
    Column("campaign", ForeignKey("campaign.name"), nullable=False),
    Column("message_key", Text, nullable=False),
    Column("msisdn", Text, nullable=False),
    Column("text_digest", Text, nullable=False),
    Column("characters", Integer, nullable=False),
    Column("double_byte", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("dispatch_id", ForeignKey("dispatch.dispatch_id"), nullable=False),
    Column("sent_at", Text),
    # Whom the sender books it on: a column of the input, empty where there is none.
    Column("cost_centre", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("batch_id", "row_number"),
    UniqueConstraint("dispatch_id", "msisdn", name="one_row_per_msisdn_in_a_dispatch"),
    Index("served_once", "campaign", "message_key", unique=True, sqlite_where=_in(LIVE), postgresql_where=_in(LIVE)),
    # The few that are not taken, among those of all years: what is asked about them does not read the others.
    Index("not_taken", "batch_id", sqlite_where=_in(_OPEN), postgresql_where=_in(_OPEN)),
    Index("same_text_to_same_number", "msisdn", "text_digest"),
    _one_of("state", MessageState),
    sqlite_strict=True,
)
event = Table(
    "event",
    metadata,
    Column("event_id", _Long, primary_key=True),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("batch_id", Text, index=True),
    Column("dispatch_id", Text),
    Column("detail", Text, nullable=False),
    sqlite_strict=True,
)
pull = Table(
    "pull",
    metadata,
    Column("pull_id", _Long, primary_key=True),
    Column("pulled_at", Text, nullable=False),
    Column("period_start", Text, nullable=False),
    Column("period_end", Text, nullable=False),
    Column("file", Text, nullable=False, unique=True),
    Column("sha256", Text, nullable=False),
    Column("size", _Long, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("new_rows", Integer, nullable=False),
    sqlite_strict=True,
)
observation = Table(
    "observation",
    metadata,
    Column("observation_id", _Long, primary_key=True),
    Column("pull_id", ForeignKey("pull.pull_id")),
    Column("line", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("smsid", Text, nullable=False),
    Column("msisdn", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_time", Text, nullable=False),
    Column("carrier", Text, nullable=False),
    Column("parts_delivered", Integer),
    Column("parts_total", Integer),
    Column("registered_at", Text),
    Column("extra", Text, nullable=False),
    # A row without an smsid is told apart by its number, its registration and, from the second of those alike on, which
    # of them it is in its file; one with an smsid by its number, where a row of another number has the same key.
    Column("stranger", Text, nullable=False),
    # When it reached us, where no pull says so.
    Column("received_at", Text),
    UniqueConstraint("smsid", "path", "status", "status_time", "stranger", name="seen_once"),
    Index("observation_registered", "registered_at"),
    _one_of("path", ObservationPath),
    sqlite_strict=True,
)
# A batch that a person has stopped: nothing of it that waits ever goes out.
stop = Table(
    "stop",
    metadata,
    Column("batch_id", ForeignKey("batch.batch_id"), primary_key=True),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    sqlite_strict=True,
)
# Every request to the gateway to cancel a message, and its answer. No answer: the process died before it was recorded.
cancellation = Table(
    "cancellation",
    metadata,
    Column("smsid", ForeignKey("message.smsid"), primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True, autoincrement=False),
    Column("batch_id", ForeignKey("batch.batch_id"), nullable=False, index=True),
    Column("asked_at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("answered_at", Text),
    Column("outcome", Text),
    Column("code", Text),
    _one_of("outcome", CancelOutcome),
    sqlite_strict=True,
)
optout = Table(
    "optout",
    metadata,
    Column("msisdn", Text, primary_key=True),
    Column("added_at", Text, nullable=False),
    Column("source", Text, nullable=False),
    # The table is its own index: listing it in order reads it once from front to back.
    sqlite_with_rowid=False,
    sqlite_strict=True,
)
# What a month was closed with: a month that is closed again gets the next number, and nothing is ever overwritten.
closing = Table(
    "closing",
    metadata,
    Column("month", Text, primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True, autoincrement=False),
    Column("closed_at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", _Long, nullable=False),
    Column("tariff_sha256", Text, nullable=False),
    Column("profile_sha256", Text, nullable=False),
    sqlite_strict=True,
)
# The next turn of an address from which requests leave, for hosts that share it: seconds since 1970 by the server's
# clock. A text, because whole numbers of both databases do not go so far in one type.
pace = Table(
    "pace",
    metadata,
    Column("egress", Text, primary_key=True),
    Column("turn", Text, nullable=False),
    sqlite_strict=True,
)
auth_failure = Table(
    "auth_failure",
    metadata,
    Column("failure_id", _Long, primary_key=True),
    Column("at", Text, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("counts", Integer, nullable=False),
    sqlite_strict=True,
)


def is_live(messages: FromClause) -> ColumnElement[bool]:
    """Say that a message serves its key, in the very words of ``served_once``."""
    return _is_in(messages, LIVE)


def is_not_taken(messages: FromClause) -> ColumnElement[bool]:
    """Say that a message is in any state but taken, in the very words of the index ``not_taken``."""
    return _is_in(messages, _OPEN)


def is_cancelled_by_person(messages: FromClause) -> ColumnElement[bool]:
    """Say that a person cancelled a message before it left."""
    return (messages.c.state == MessageState.CANCELLED.value) & messages.c.reason.startswith("person:")


def _is_in(messages: FromClause, states: frozenset[MessageState]) -> ColumnElement[bool]:
    """Repeat the condition of a partial index literally: with bound values SQLite would read the whole table."""
    return messages.c.state.in_([literal(state.value, literal_execute=True) for state in sorted(states)])


def iso(moment: datetime) -> str:
    """Return a time as the ledger stores it: JST, so that texts sort as times do."""
    return moment.astimezone(JST).isoformat(timespec="microseconds")


def moment(stored: str | None) -> datetime | None:
    """Return a stored time; None for none."""
    return datetime.fromisoformat(stored) if stored else None
