"""What is special about a ledger that several hosts share."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import func, make_url, select
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError

from pipeline.adapters.gateway import Exchange
from pipeline.errors import Exit, GuardStopped, MediasmsError, OutcomeUnknown, TryLater, UsageError
from pipeline.ledger import check_ledger, create_ledger, engines, open_ledger
from pipeline.ledger.batches import list_batches, live_keys
from pipeline.ledger.dispatches import adopt_in_flight, begin_dispatch, list_dispatches
from pipeline.ledger.locks import campaign_lock, lock_key
from pipeline.ledger.machines import adopt_machine
from pipeline.ledger.optouts import add_optouts
from pipeline.ledger.tables import optout
from pipeline.model import MessageState
from pipeline.operations.run import run, send_batch
from pipeline.stages import planning
from pipeline.stages.validate import Request
from tests.databases import POSTGRESQL
from tests.pooler import Pooler
from tests.stages.conftest import House

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from pipeline.context import Context
    from tests.databases import Server

PLANNED, TAKEN = MessageState.PLANNED, MessageState.TAKEN
PASSWORD = "pw-Kumo7Hare"  # noqa: S105 - of nobody


@pytest.fixture
def database() -> str:
    return POSTGRESQL


def _schema(url: str) -> str:
    return str(make_url(url).query["options"]).removeprefix("-csearch_path=")


def _stopped(url: str) -> MediasmsError:
    with pytest.raises(MediasmsError) as stopped:
        open_ledger(url)
    return stopped.value


def test_what_is_not_there_is_not_made(house: House, context: Context, server: Server, ledger_url: str) -> None:
    empty = server.fresh()
    assert _stopped(empty).code == "ledger.not_a_ledger"
    assert server.run(f"SELECT count(*) FROM pg_tables WHERE schemaname = '{_schema(empty)}'") == [(0,)]  # noqa: S608 - a schema of ours
    missing = make_url(server.uri).set(database="nowhere").render_as_string(hide_password=False)
    for call in (open_ledger, lambda url: create_ledger(url, context.now())):
        with pytest.raises(GuardStopped) as stopped:
            call(missing)
        assert (stopped.value.code, stopped.value.exit) == ("ledger.no_database", Exit.GUARD)
    server.run(f"DROP SCHEMA {_schema(ledger_url)} CASCADE")
    with pytest.raises(GuardStopped) as lost:
        house.open()
    assert lost.value.code == "ledger.not_a_ledger"


def test_a_database_of_somebody_else_is_left_alone(context: Context, server: Server) -> None:
    url = server.fresh()
    server.run(f"CREATE TABLE {_schema(url)}.theirs (a TEXT)")
    with pytest.raises(GuardStopped) as stopped:
        create_ledger(url, context.now())
    assert stopped.value.code == "ledger.not_a_ledger"


def test_another_ledger_is_refused(house: House, context: Context, server: Server) -> None:
    other = server.fresh()
    create_ledger(other, context.now()).close()
    with pytest.raises(GuardStopped) as stopped:
        house.open(LEDGER_URL=other)
    assert stopped.value.code == "ledger.foreign"


def test_no_text_shows_the_password(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    server.run(
        f"DO $$ BEGIN CREATE ROLE clerk LOGIN PASSWORD '{PASSWORD}'; EXCEPTION WHEN duplicate_object THEN END $$"
    )
    urls = {
        f"postgresql://clerk:{PASSWORD}@127.0.0.1:{port}/x": "ledger.busy",
        f"postgresql://clerk:{PASSWORD}@127.0.0.1:{PASSWORD}/x": "ledger.url_malformed",
        f"postgresql://clerk:half@{PASSWORD}@host/x": "ledger.url_malformed",
        f"postgresql://clerk@host/{PASSWORD}@x": "ledger.url_malformed",
        f"postgresql://clerk:{PASSWORD}@/nowhere?host={server.folder}": "ledger.no_database",
        f"postgresql://nobody:{PASSWORD}@/postgres?host={server.folder}": "ledger.denied",
        f"postgres:{PASSWORD}": "ledger.url",
    }
    for url, code in urls.items():
        failure = _stopped(url)
        assert failure.code == code
        assert PASSWORD not in f"{failure} {failure.facts} {failure.__cause__!r}"


def test_a_user_without_rights_is_told_so(server: Server, ledger_url: str, context: Context) -> None:
    server.run("DO $$ BEGIN CREATE ROLE guest LOGIN; EXCEPTION WHEN duplicate_object THEN END $$")
    url = make_url(ledger_url).set(username="guest").render_as_string(hide_password=False)
    with pytest.raises((UsageError, GuardStopped)) as stopped:
        open_ledger(url)
    assert stopped.value.code in {"ledger.denied", "ledger.not_a_ledger"}
    assert list_batches(context.ledger) == []


def test_without_the_driver_the_hint_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert _stopped("postgresql://x/y").code == "ledger.no_driver"


def test_what_is_committed_is_on_disk_whatever_the_role_says(context: Context, server: Server, ledger_url: str) -> None:
    server.run("DO $$ BEGIN CREATE ROLE hasty LOGIN SUPERUSER; EXCEPTION WHEN duplicate_object THEN END $$")
    server.run("ALTER ROLE hasty SET synchronous_commit = off")
    ledger = open_ledger(make_url(ledger_url).set(username="hasty").render_as_string(hide_password=False))
    with ledger.reading() as connection:
        assert connection.execute(sql("SHOW synchronous_commit")).scalar_one() == "on"
    ledger.close()
    assert context.ledger.ledger_id == ledger.ledger_id


def test_a_server_that_only_reads_is_for_later(server: Server, ledger_url: str, context: Context) -> None:
    server.run("DO $$ BEGIN CREATE ROLE reader LOGIN SUPERUSER; EXCEPTION WHEN duplicate_object THEN END $$")
    ledger = open_ledger(make_url(ledger_url).set(username="reader").render_as_string(hide_password=False))
    with pytest.raises(TryLater) as stopped, ledger.reading() as connection:
        connection.exec_driver_sql("DELETE FROM optout")
    assert stopped.value.code == "ledger.busy"
    ledger.close()
    assert list_batches(context.ledger) == []


def test_a_refused_row_is_not_quoted(context: Context) -> None:
    add_optouts(context.ledger, ["09011112222"], "x", context.now())
    rows = [{"msisdn": "09011112222", "added_at": "t", "source": "x"}] * 2
    calls: list[Callable[[Connection], object]] = [
        lambda connection: engines.insert_many(connection, optout, rows),
        lambda connection: connection.execute(optout.insert(), rows),
    ]
    for call in calls:
        with pytest.raises(IntegrityError, match="duplicate key") as refused, context.ledger.writing() as connection:
            call(connection)
        error = refused.value
        assert "0901111" not in f"{error} {error.args} {vars(error)} {error.__cause__!r}"


def test_many_rows_are_a_stream(context: Context) -> None:
    with context.ledger.writing() as connection:
        assert engines.insert_many(connection, optout, []) == 0
        odd = ["a\tb", "c\\d", "e\nf", "\\N", "ｇ"]
        rows = ({"msisdn": value, "added_at": "t", "source": "x"} for value in odd)
        assert engines.insert_many(connection, optout, rows) == 5
        assert set(connection.execute(select(optout.c.msisdn)).scalars()) == set(odd)


def test_a_lost_rule_is_found(context: Context, server: Server, ledger_url: str) -> None:
    schema = _schema(ledger_url)
    assert check_ledger(context.ledger) == []
    server.run(f"DROP INDEX {schema}.served_once")
    server.run(f"ALTER TABLE {schema}.batch DROP CONSTRAINT rows_add_up")
    server.run(f"ALTER TABLE {schema}.observation DROP CONSTRAINT observation_pull_id_fkey")
    server.run(f"DROP TABLE {schema}.auth_failure")
    assert sorted(check_ledger(context.ledger)) == [
        "constraint: rows_add_up",
        "foreign key: observation",
        "index: served_once",
        "table: auth_failure",
    ]


@pytest.mark.parametrize("own_schema", [False, True])
def test_writers_queue_and_see_what_the_one_before_did(
    house: House, context: Context, server: Server, ledger_url: str, *, own_schema: bool
) -> None:
    # A role may look into a schema of its own first: it is the same ledger, and one queue.
    path = f"{_schema(server.fresh())},{_schema(ledger_url)}"
    other = house.open(LEDGER_URL=server.at(path) if own_schema else ledger_url)
    seen: list[int] = []
    first_is_in = threading.Event()

    def second() -> None:
        first_is_in.wait()
        with other.ledger.writing() as connection:
            seen.append(connection.execute(select(func.count()).select_from(optout)).scalar_one())

    thread = threading.Thread(target=second)
    thread.start()
    with context.ledger.writing() as connection:
        first_is_in.set()
        engines.insert_many(connection, optout, [{"msisdn": "0", "added_at": "t", "source": "x"}])
        thread.join(0.3)
        assert thread.is_alive()
    thread.join()
    assert seen == [1]


def test_a_reader_sees_one_state_and_stops_nobody(house: House, context: Context) -> None:
    other = house.open()
    count = select(func.count()).select_from(optout)
    with context.ledger.reading() as connection:
        assert connection.execute(count).scalar_one() == 0
        add_optouts(other.ledger, ["0"], "x", other.now())
        assert connection.execute(count).scalar_one() == 0


def test_a_lock_names_its_holder_and_is_free_afterwards(house: House, context: Context) -> None:
    other = house.open()
    with context.campaign_lock("c"):
        with pytest.raises(TryLater) as stopped, other.campaign_lock("c"):
            pass
        with other.campaign_lock("d"), context.campaign_lock("e"):
            assert len(context.ledger.locks) == 2
    holder = str(stopped.value.facts["holder"])
    assert holder.startswith("pid ")
    assert socket.gethostname()[:19] in holder
    assert holder.endswith(", 2026-11-23 09:30 JST")
    with other.campaign_lock("c"):
        assert context.ledger.locks == {}
    assert house.uploads() == 0


_HOLDER = """
import datetime, sys
from pipeline.ledger import open_ledger
from pipeline.ledger.locks import campaign_lock
now = datetime.datetime.now(datetime.timezone.utc)
with campaign_lock(open_ledger(sys.argv[1]), "c", now):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(ledger_url: str, context: Context) -> Iterator[subprocess.Popen[str]]:
    """Another process that works on campaign c, as another host would."""
    assert context.ledger
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, ledger_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield other
        other.kill()


def test_the_lock_of_a_killed_process_is_free(house: House, context: Context, holder: subprocess.Popen[str]) -> None:
    batch = house.batch(context, house.recipients(5))
    with pytest.raises(TryLater) as stopped:
        send_batch(context, batch.batch_id, confirm=None)
    assert (stopped.value.code, stopped.value.exit) == ("lock.held", Exit.TRY_LATER)
    assert f"pid {holder.pid}, " in str(stopped.value.facts["holder"])
    assert house.uploads() == 0
    holder.kill()
    holder.wait()
    for _ in range(50):
        try:
            assert send_batch(context, batch.batch_id, confirm=None).states == {TAKEN: 5}
            break
        except TryLater:
            threading.Event().wait(0.1)  # the server has yet to read that its client is gone
    assert house.uploads() == 1


def test_a_run_that_lost_its_lock_begins_nothing_more(house: House, context: Context, server: Server) -> None:
    batch = house.batch(context, house.recipients(12))

    def cut(_stage: str, _done: int, _total: int) -> None:
        for process in context.ledger.locks.values():
            server.run(f"SELECT pg_terminate_backend({process}, 5000)")

    context.progress = cut
    with pytest.raises(TryLater) as stopped:
        send_batch(context, batch.batch_id, confirm=None)
    assert (stopped.value.code, stopped.value.exit) == ("lock.lost", Exit.TRY_LATER)
    # The dispatch that was under way has its answer; the next one was not begun.
    assert house.uploads() == 1
    assert house.states(context, batch.batch_id) == {TAKEN: 5, PLANNED: 7}
    again = house.open()
    assert send_batch(again, batch.batch_id, confirm=None).states == {TAKEN: 12}
    assert house.uploads() == 3


@pytest.mark.parametrize("answered", [True, False], ids=["an answer", "not a byte left"])
def test_an_answer_that_cannot_be_recorded_is_an_open_outcome(
    house: House, context: Context, *, answered: bool
) -> None:
    source = house.recipients(12)
    batch = house.batch(context, source)
    upload = context.gateway.upload

    def then_the_server_is_gone(*arguments: Any) -> Exchange:  # noqa: ANN401 - of upload
        exchange = upload(*arguments) if answered else Exchange(0, None, b"", "refused")
        context.ledger.close()
        monkeypatch.setattr(psycopg, "connect", gone)
        return exchange

    def gone(*_arguments: object, **_named: object) -> None:
        raise psycopg.OperationalError

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(context.gateway, "upload", then_the_server_is_gone)
        with pytest.raises(OutcomeUnknown) as stopped:
            run(context, Request(source, "c"))
    assert (stopped.value.code, stopped.value.exit) == ("send.unrecorded", Exit.UNKNOWN)
    assert house.states(house.open(), batch.batch_id) == {MessageState.IN_FLIGHT: 5, PLANNED: 7}
    again = house.open()
    with pytest.raises(OutcomeUnknown) as unknown:
        send_batch(again, batch.batch_id, confirm=None)
    assert unknown.value.code == "send.unknown"
    assert house.uploads() == answered


def test_a_run_whose_lock_went_to_another_adopts_and_begins_nothing(
    house: House, context: Context, server: Server
) -> None:
    planning.plan(context, house.batch(context, house.recipients(12)))
    batch = list_batches(context.ledger)[0]
    first, second, _ = list_dispatches(context.ledger, batch.batch_id)
    other = house.open()
    with context.campaign_lock("c"):
        for process in context.ledger.locks.values():
            server.run(f"SELECT pg_terminate_backend({process}, 5000)")
        with other.campaign_lock("c"):
            begin_dispatch(other.ledger, first, other.now())
            calls: list[Callable[[], object]] = [
                lambda: adopt_in_flight(context.ledger, "c", context.now()),
                lambda: begin_dispatch(context.ledger, second, context.now()),
            ]
            for call in calls:
                with pytest.raises(TryLater) as stopped:
                    call()
                assert stopped.value.code == "lock.lost"
            assert house.states(context, batch.batch_id) == {MessageState.IN_FLIGHT: 5, PLANNED: 7}
    # Nobody may hold it now, though it is the same ledger that asks.
    key = lock_key(context.ledger, "c")
    with context.ledger.reading() as connection:
        assert engines.lock_holder(connection, key) == (None, "?")


@pytest.mark.parametrize("sly", [False, True])
@pytest.mark.parametrize("width", [2, 3])
def test_a_pooler_is_refused(house: House, context: Context, server: Server, *, sly: bool, width: int) -> None:
    batch = house.batch(context, house.recipients(5))
    pooler = Pooler(server.folder, width=width, sly=sly)
    url = make_url(house.environment["MEDIASMS_LEDGER_URL"])
    through = url.set(host="127.0.0.1", port=pooler.port).difference_update_query(["host"])
    through = through.update_query_dict({"sslmode": "disable", "gssencmode": "disable"})
    address = through.render_as_string(hide_password=False)
    try:
        with pytest.raises(UsageError) as stopped:
            send_batch(house.open(LEDGER_URL=address), batch.batch_id, confirm=None)
    finally:
        pooler.close()
    assert (stopped.value.code, stopped.value.exit) == ("ledger.pooled", Exit.USAGE)
    assert house.uploads() == 0
    assert house.states(context, batch.batch_id) == {}


def test_the_test_pooler_lets_a_plain_client_through(server: Server) -> None:
    pooler = Pooler(server.folder, width=2)
    try:
        with psycopg.connect(
            f"postgresql://postgres@127.0.0.1:{pooler.port}/postgres?sslmode=disable&gssencmode=disable",
            autocommit=True,
        ) as connection:
            numbers = [connection.execute("SELECT pg_backend_pid()").fetchone() for _ in range(4)]
    finally:
        pooler.close()
    assert numbers[0] == numbers[2] != numbers[1] == numbers[3]


def test_long_columns_come_in_blocks(house: House, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.ledger.batches._BLOCK", 2)
    planning.plan(context, house.batch(context, house.recipients(7)))
    assert sorted(live_keys(context.ledger, "c", but_batch="none")) == [house.number(row) for row in range(7)]


def test_a_lock_on_a_closed_server_is_for_later(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_arguments: object, **_named: object) -> None:
        raise psycopg.OperationalError

    context.ledger.close()
    monkeypatch.setattr(psycopg, "connect", gone)
    with (
        pytest.raises(TryLater) as stopped,
        campaign_lock(context.ledger, "c", context.now()),
    ):
        pass
    assert stopped.value.code == "ledger.busy"


def _made_anew(server: Server, ledger_url: str) -> None:
    """Do to the ledger what restoring a dump with ``--clean`` does: the tables that were there are made once more."""
    made = f"{_schema(ledger_url)}.identity"
    server.run(f"CREATE TABLE {made}_anew (LIKE {made} INCLUDING ALL)")
    server.run(f"INSERT INTO {made}_anew SELECT * FROM {made}")  # noqa: S608 - a schema of ours
    server.run(f"DROP TABLE {made}")
    server.run(f"ALTER TABLE {made}_anew RENAME TO identity")


def test_a_database_that_was_restored_sends_nothing_until_a_person_has_seen_to_it(
    house: House, context: Context, server: Server, ledger_url: str
) -> None:
    """Another host with a workspace of its own has no marks of what was sent since the backup."""
    source = house.recipients(3)
    house.sent(context, source)
    there = House(house.folder / "other", house.gateway, ledger_url)
    there.folder.mkdir()
    other = there.open(create=True)
    house.sent(context, house.recipients(3, "more.csv", first=10))
    _made_anew(server, ledger_url)
    more = there.recipients(3, "more.csv", first=10)
    for each, sending in ((house, context), (there, other)):
        with pytest.raises(GuardStopped) as stopped:
            each.sent(sending, more)
        assert (stopped.value.code, stopped.value.exit) == ("ledger.other_server", Exit.GUARD)
    assert set(house.copies().values()) == {1}
    assert adopt_machine(other.ledger, other.now(), actor="me", because="recovered on each host") is not None
    for each, sending in ((house, context), (there, other)):
        assert each.sent(sending, more).states == {TAKEN: 3}
    there.close()


def test_what_tells_a_database_is_its_cluster_its_history_itself_and_its_tables(
    context: Context, server: Server, ledger_url: str
) -> None:
    found = engines.incarnation(context.ledger.engine)
    assert found is not None
    cluster, history, database, _ = found.split("/")
    assert server.run("SELECT (pg_control_system()).system_identifier::text") == [(cluster,)]
    assert history == "00000001"
    assert server.run("SELECT oid::text FROM pg_database WHERE datname = current_database()") == [(database,)]
    _made_anew(server, ledger_url)
    assert engines.incarnation(context.ledger.engine) != found


def test_where_a_server_does_not_tell_nothing_is_known(
    house: House, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_INCARNATION", "SELECT no_such_function()")
    assert engines.incarnation(context.ledger.engine) is None
    assert house.sent(context, house.recipients(3)).states == {TAKEN: 3}
