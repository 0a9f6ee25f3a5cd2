"""A ledger moves to the shared server once, as a whole, and is never usable in two places."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text as sql

from pipeline.errors import Exit, GuardStopped, MediasmsError, UsageError
from pipeline.ledger import copying, engines, open_ledger, opening
from pipeline.ledger.batches import list_batches
from pipeline.ledger.copying import copy_ledger
from pipeline.ledger.dispatches import begin_dispatch, list_dispatches, return_dispatch
from pipeline.ledger.optouts import add_optouts, list_optouts
from pipeline.model import MessageState
from pipeline.operations.copy import copy
from pipeline.stages import planning
from pipeline.stages.pull import pull
from tests.databases import SQLITE

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine

    from pipeline.context import Context
    from pipeline.ledger import Ledger
    from tests.databases import Server
    from tests.stages.conftest import House

PLANNED, TAKEN = MessageState.PLANNED, MessageState.TAKEN


@pytest.fixture
def database() -> str:
    return SQLITE


@pytest.fixture
def target(server: Server) -> str:
    return server.fresh()


def _everything(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    names = ("batch", "campaign", "dispatch", "message", "observation", "optout", "pull", "auth_failure", "migration")
    with ledger.reading() as connection:
        return {
            name: sorted(tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}"))  # noqa: S608 - a table of ours
            for name in names
        }


def _fails(code: str, house: House, url: str = "sqlite:///workspace/ledger.sqlite3") -> None:
    with pytest.raises(MediasmsError) as stopped:
        house.open(LEDGER_URL=url)
    assert (stopped.value.code, stopped.value.exit) == (code, Exit.GUARD)


def test_everything_is_copied_and_work_goes_on_only_there(house: House, context: Context, target: str) -> None:
    house.sent(context, house.recipients(7))
    house.clock.advance(timedelta(minutes=10))
    pull(context)
    add_optouts(context.ledger, ["09099999999"], "test", context.now())
    planning.plan(context, house.batch(context, house.recipients(3, "more.csv", 20, text="次です")))
    before = _everything(context.ledger)
    counts = copy(context.configuration, target, context.now())
    assert counts["message"] == 10
    assert counts["identity"] == 1

    _fails("ledger.moved", house)
    with pytest.raises(GuardStopped) as open_before:
        add_optouts(context.ledger, ["09088888888"], "late", context.now())
    assert open_before.value.code == "ledger.moved"

    moved = house.open(LEDGER_URL=target)
    assert (moved.ledger.ledger_id, moved.ledger.prefix) == (context.ledger.ledger_id, context.ledger.prefix)
    assert _everything(moved.ledger) == before
    assert list(list_optouts(moved.ledger)) == ["09099999999"]
    # Keys that are counted up go on where they were.
    assert add_optouts(moved.ledger, ["09088888888"], "later", moved.now()) == 1
    pull(moved)
    assert house.sent(moved, house.folder / "more.csv").states == {TAKEN: 3}
    assert house.sent(moved, house.folder / "list.csv").dispatches == 0


def test_a_ledger_is_copied_to_an_empty_place_only(house: House, context: Context, target: str) -> None:
    add_optouts(context.ledger, ["0"], "test", context.now())
    house.open(LEDGER_URL=target, WORKSPACE_PATH="other", create=True)
    with pytest.raises(GuardStopped) as stopped:
        copy(context.configuration, target, context.now())
    assert stopped.value.code == "ledger.copy_not_empty"
    assert list(list_optouts(house.open().ledger)) == ["0"]


def test_only_from_a_file_to_a_server(context: Context, target: str, house: House) -> None:
    for url in ("sqlite:///other.sqlite3", context.configuration.ledger_url):
        with pytest.raises(UsageError) as stopped:
            copy(context.configuration, url, context.now())
        assert stopped.value.code == "ledger.copy_way"
    shared = house.open(LEDGER_URL=target, WORKSPACE_PATH="other", create=True)
    with pytest.raises(UsageError) as back:
        copy_ledger(shared.ledger, "sqlite:///other.sqlite3", context.now())
    assert back.value.code == "ledger.copy_way"


def test_what_is_in_flight_is_waited_for(house: House, context: Context, target: str) -> None:
    planning.plan(context, house.batch(context, house.recipients(3)))
    (dispatch,) = list_dispatches(context.ledger, list_batches(context.ledger)[0].batch_id)
    begin_dispatch(context.ledger, dispatch, context.now())
    with pytest.raises(GuardStopped) as stopped:
        copy(context.configuration, target, context.now())
    assert stopped.value.code == "ledger.copy_in_flight"
    return_dispatch(context.ledger, dispatch, context.now(), "x")
    assert copy(context.configuration, target, context.now())["message"] == 3


def test_a_copy_that_fails_leaves_the_source(
    house: House, context: Context, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_optouts(context.ledger, ["0"], "test", context.now())
    monkeypatch.setattr(engines, "insert_many", lambda *_: 0)
    with pytest.raises(MediasmsError) as stopped:
        copy(context.configuration, target, context.now())
    assert stopped.value.code == "ledger.copy_differs"
    assert list(list_optouts(house.open().ledger)) == ["0"]
    monkeypatch.undo()
    assert copy(context.configuration, target, context.now())["optout"] == 1


def test_after_a_crash_the_same_command_completes_the_copy(
    house: House, context: Context, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Both places have committed; the copy has yet to take the identity.
    opened: list[Engine] = []
    alone = opening.alone

    def killed_at_the_second(engine: Engine) -> AbstractContextManager[Connection]:
        opened.append(engine)
        if len(opened) > 1:
            raise KeyboardInterrupt
        return alone(engine)

    monkeypatch.setattr(copying, "alone", killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        copy(context.configuration, target, context.now())
    monkeypatch.undo()
    _fails("ledger.moved", house)
    _fails("ledger.copy_unfinished", house, target)
    assert copy(context.configuration, target, context.now())["identity"] == 1
    assert house.open(LEDGER_URL=target).ledger.ledger_id == context.ledger.ledger_id
    for _ in range(2):
        with pytest.raises(GuardStopped) as done:
            copy(context.configuration, target, context.now())
        assert done.value.code == "ledger.moved"


def test_events_of_the_move_stand_in_both(context: Context, target: str) -> None:
    copy(context.configuration, target, context.now())
    ledger = open_ledger(target)
    for found, kinds in ((ledger, ["copied"]), (open_ledger(context.configuration.ledger_url, moved=True), ["moved"])):
        with found.reading() as connection:
            assert list(connection.execute(sql("SELECT kind FROM event WHERE kind <> 'machine'")).scalars()) == kinds
        found.close()
