"""What must never happen is a constraint of the database, not a habit."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError

from pipeline.core.answers import Verdict
from pipeline.errors import Bug, GuardStopped, UsageError
from pipeline.ledger.batches import get_batch, list_batches
from pipeline.ledger.dispatches import (
    Attempt,
    adopt_in_flight,
    begin_dispatch,
    end_dispatch,
    get_dispatch,
    list_dispatches,
    resolve_dispatch,
    return_dispatch,
)
from pipeline.ledger.moving import move
from pipeline.ledger.plans import PlannedDispatch, plan_again, plan_batch
from pipeline.ledger.tables import moment
from pipeline.model import LEGAL, Artefact, MessageState, RunAction
from pipeline.stages.send import send
from tests.databases import BOTH, POSTGRESQL
from tests.stages.conftest import opened_house

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from pipeline.context import Context
    from pipeline.model import Batch
    from tests.stages.conftest import House

_OBSERVATION = """INSERT INTO observation (observation_id, pull_id, line, path, smsid, msisdn, status, status_time,
    carrier, parts_delivered, parts_total, registered_at, extra, stranger) VALUES"""
FORBIDDEN = {
    "an smsid twice": "INSERT INTO message SELECT * FROM message WHERE row_number = 2",
    "a message served twice in a campaign": """
        INSERT INTO message SELECT 'other', batch_id, 99, campaign, message_key, '09099999999', text_digest,
        characters, double_byte, 'unknown', '', dispatch_id, NULL, '' FROM message WHERE row_number = 2""",
    "a row of a batch twice": """
        INSERT INTO message SELECT 'other', batch_id, row_number, campaign, 'key', '09099999999', text_digest,
        characters, double_byte, 'planned', '', dispatch_id, NULL, '' FROM message WHERE row_number = 2""",
    "a number twice in a dispatch": """
        INSERT INTO message SELECT 'other', batch_id, 99, campaign, 'key', msisdn, text_digest,
        characters, double_byte, 'refused', '', dispatch_id, NULL, '' FROM message WHERE row_number = 2""",
    "a state nobody knows": "UPDATE message SET state = 'lost'",
    "a message without a dispatch": "UPDATE message SET dispatch_id = 'none'",
    "a message of no batch": "UPDATE message SET batch_id = 'none'",
    "a message of no campaign": "UPDATE message SET campaign = 'none'",
    "a message without a number": "UPDATE message SET msisdn = NULL",
    "two live dispatches of a chunk": "UPDATE dispatch SET chunk = 1",
    "a dispatch number twice": "UPDATE dispatch SET number = 1",
    "a dispatch of no batch": "UPDATE dispatch SET batch_id = 'none'",
    "totals that do not add up": "UPDATE batch SET rejected = rejected + 1",
    "a batch of no campaign": "UPDATE batch SET campaign = 'none'",
    "a batch twice": "INSERT INTO batch SELECT * FROM batch",
    "a text for a number": "UPDATE dispatch SET attempts = 'many'",
    "repeats that are neither allowed nor not": "UPDATE campaign SET repeats = 2",
    "a closing before the first": "INSERT INTO closing VALUES ('2026-11', 0, 't', 'a', 'n', 's', 1, 't', 'p')",
    "a closing twice": """
        INSERT INTO closing VALUES ('2026-11', 1, 't', 'a', 'n', 's', 1, 't', 'p'),
        ('2026-11', 1, 't', 'a', 'n', 's', 1, 't', 'p')""",
    "an opt-out of no number": "INSERT INTO optout VALUES (NULL, 't', 'x')",
    "an opt-out from nowhere": "INSERT INTO optout VALUES ('09011112222', 't', NULL)",
    "an observation by an unknown path": f"""
        {_OBSERVATION}
        (1, NULL, 1, 'heard', 's', '0', 'x', '', '', NULL, NULL, NULL, '', '')""",
    "an observation of no pull": f"""
        {_OBSERVATION}
        (1, 77, 1, 'pulled', 's', '0', 'x', '', '', NULL, NULL, NULL, '', '')""",
    "an observation twice": f"""
        {_OBSERVATION}
        (1, NULL, 1, 'pulled', 's', '0', 'x', '', '', NULL, NULL, NULL, '', ''),
        (2, NULL, 2, 'pulled', 's', '0', 'x', '', '', NULL, NULL, NULL, '', '')""",
}


def _sent(house: House, context: Context) -> Batch:
    """Send a batch in two dispatches."""
    found = house.batch(context, house.recipients(7))
    send(context, found)
    return get_batch(context.ledger, found.batch_id)


@pytest.fixture
def batch(house: House, context: Context) -> Batch:
    """A batch that went out in two dispatches."""
    return _sent(house, context)


@pytest.fixture(scope="module", params=BOTH)
def kept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[House, Context, Batch]]:
    """The same for every test that leaves the ledger as it was."""
    url = "sqlite:///workspace/ledger.sqlite3"
    if request.param == POSTGRESQL:
        url = request.getfixturevalue("server").fresh()
    with opened_house(tmp_path_factory.mktemp("kept"), url) as house:
        context = house.open(create=True)
        yield house, context, _sent(house, context)


class _UndoneError(Exception):
    pass


@contextmanager
def _undone(context: Context) -> Iterator[Connection]:
    """Open a transaction that is rolled back."""
    with suppress(_UndoneError), context.ledger.writing() as connection:
        yield connection
        raise _UndoneError


@pytest.mark.parametrize("statement", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_the_database_refuses(kept: tuple[House, Context, Batch], statement: str) -> None:
    house, context, batch = kept
    with pytest.raises(DatabaseError) as refused, context.ledger.writing() as connection:
        connection.execute(sql(statement))
    # PostgreSQL finds out that a text is no number before it comes to the rules.
    assert isinstance(refused.value, IntegrityError | DataError)
    assert house.number(0) not in f"{refused.value} {refused.value.orig} {refused.value.params}"
    assert list_batches(context.ledger) == [batch]


def test_a_refused_message_frees_its_key(context: Context, batch: Batch) -> None:
    with context.ledger.writing() as connection:
        connection.execute(sql("UPDATE message SET state = 'refused' WHERE row_number = 2"))
        moved = connection.execute(
            sql(
                "INSERT INTO message SELECT 'other', batch_id, 99, campaign, message_key, '09099999999', "
                "text_digest, characters, double_byte, 'planned', '', dispatch_id, NULL, '' "
                "FROM message WHERE row_number = 2"
            )
        )
    assert moved.rowcount == 1
    assert batch.planned_at is not None


@pytest.mark.parametrize("before", MessageState)
@pytest.mark.parametrize("after", MessageState)
def test_only_legal_changes_are_made(
    kept: tuple[House, Context, Batch], before: MessageState, after: MessageState
) -> None:
    _, context, batch = kept
    dispatch = list_dispatches(context.ledger, batch.batch_id)[0].dispatch_id
    with _undone(context) as connection:
        connection.execute(sql("UPDATE message SET state = :state"), {"state": before.value})
        if after in LEGAL[before]:
            assert move(connection, dispatch, before, after) == 5
            assert move(connection, dispatch, before, after) == 0
        else:
            with pytest.raises(Bug) as illegal:
                move(connection, dispatch, before, after)
            assert illegal.value.code == "state.illegal"


def test_nothing_of_a_failed_transaction_stays(context: Context, batch: Batch) -> None:
    def interrupted() -> None:
        with context.ledger.writing() as connection:
            connection.execute(sql("UPDATE message SET state = 'unknown'"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list_dispatches(context.ledger, batch.batch_id)[0].states == {MessageState.TAKEN: 5}


def test_verbs_are_compare_and_set(context: Context, batch: Batch) -> None:
    dispatch, other = list_dispatches(context.ledger, batch.batch_id)
    now, ledger = context.now(), context.ledger
    assert begin_dispatch(ledger, dispatch, now) is None
    with pytest.raises(Bug) as returned:
        return_dispatch(ledger, dispatch, now, "x")
    assert returned.value.code == "dispatch.changed_in_flight"
    attempt = Attempt(other, {}, None)
    assert end_dispatch(ledger, attempt, Verdict(MessageState.REFUSED, "596", RunAction.STOP), now, "late") == 0
    assert get_dispatch(ledger, other.dispatch_id).states == {MessageState.TAKEN: 2}
    named = {"x": (MessageState.CANCELLED, "1")}
    with pytest.raises(Bug) as illegal:
        end_dispatch(ledger, attempt, Verdict(MessageState.TAKEN, "200", RunAction.STOP, named), now, "")
    assert illegal.value.code == "state.illegal"
    with pytest.raises(Bug):
        resolve_dispatch(ledger, other, MessageState.PLANNED, now, actor="me", because="x")
    assert adopt_in_flight(ledger, "c", now) == 0


def test_a_batch_is_planned_once_and_in_full(house: House, context: Context, batch: Batch) -> None:
    artefact = Artefact("x.csv", "0" * 64, 1)
    with pytest.raises(GuardStopped) as frozen:
        plan_batch(context.ledger, batch, [], context.now())
    assert frozen.value.code == "batch.frozen"
    fresh = house.batch(context, house.recipients(3, "fresh.csv", 40))
    with pytest.raises(Bug) as totals:
        plan_batch(context.ledger, fresh, [], context.now())
    assert totals.value.code == "totals.messages"
    assert get_batch(context.ledger, fresh.batch_id).planned_at is None
    smsids = house.smsids(context, batch.batch_id)
    with pytest.raises(GuardStopped) as changed:
        plan_again(context.ledger, batch, PlannedDispatch(9, 1, artefact, {}), smsids[:2], context.now())
    assert changed.value.code == "dispatch.changed"
    assert len(list_dispatches(context.ledger, batch.batch_id)) == 2


def test_what_is_not_there_is_a_usage_error(context: Context) -> None:
    with pytest.raises(UsageError) as missing:
        get_batch(context.ledger, "none")
    assert missing.value.code == "batch.unknown"
    with pytest.raises(UsageError) as dispatch:
        get_dispatch(context.ledger, "none-0001")
    assert dispatch.value.code == "dispatch.unknown"
    assert moment(None) is None
