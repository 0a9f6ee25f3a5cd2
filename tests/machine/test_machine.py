"""Sending as a machine: whatever happens in whatever order, nobody gets a message twice and no row is forgotten.

Two processes share one installation and send to the embedded gateway, which counts copies. Processes die at any point,
answers are lost, results come late and in any order, people decide rightly and wrongly, cancel, opt out, and put an
older copy of the ledger back. After each step the ledger is compared with what the gateway has really taken.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing, suppress
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from pipeline.adapters.files import Workspace
from pipeline.adapters.gateway import Exchange, GatewayClient
from pipeline.config import load
from pipeline.errors import GatewayRefused, GuardStopped, MediasmsError, OutcomeUnknown, TryLater
from pipeline.ledger.batches import get_batch
from pipeline.ledger.dispatches import list_dispatches
from pipeline.ledger.optouts import add_optouts, list_optouts
from pipeline.ledger.results import record_pull, settle
from pipeline.model import LEGAL, Artefact, CancelOutcome, MessageState, Observation, ObservationPath
from pipeline.operations.cancel import cancel, look_up
from pipeline.operations.recover import recover
from pipeline.operations.resolve import resolve
from pipeline.operations.run import send_batch
from pipeline.simulator import EmbeddedGateway, Knobs, VirtualClock
from pipeline.stages import planning
from pipeline.stages import send as sending
from pipeline.stages.guards import Late, Permission, lost_attempts
from pipeline.stages.pull import pull
from pipeline.stages.reconcile import added_up, evidence_of, reconcile
from tests.stages.conftest import START, House
from tests.stages.test_send_repeats import registered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.model import GroupLine, MessageLine, Reconciliation, StatusLine

PLANNED, IN_FLIGHT, TAKEN = MessageState.PLANNED, MessageState.IN_FLIGHT, MessageState.TAKEN
REFUSED, UNKNOWN, CANCELLED = MessageState.REFUSED, MessageState.UNKNOWN, MessageState.CANCELLED

MOVES = {(before, after) for before, afters in LEGAL.items() for after in afters}
#: several moves of which the records are lost, at once
RECOVERED = {(PLANNED.value, UNKNOWN.value), (REFUSED.value, UNKNOWN.value)}

NUMBERS = [f"0901111000{digit}" for digit in range(7)]
BATCHES = ("bbbbbbbbbb", "cccccccccc", "dddddddddd")
WATCHED = """
    CREATE TABLE moves (before TEXT NOT NULL, after TEXT NOT NULL);
    CREATE TRIGGER born AFTER INSERT ON message WHEN NEW.state <> 'planned'
        BEGIN INSERT INTO moves VALUES ('nothing', NEW.state); END;
    CREATE TRIGGER moved AFTER UPDATE OF state ON message WHEN OLD.state <> NEW.state
        BEGIN INSERT INTO moves VALUES (OLD.state, NEW.state); END;
"""

#: the clock goes on by days: a person always says that an old list is still meant
LATE = Permission(late=Late("me", "x"))
TAKES_ALL = Knobs()
OUTCOMES = [
    TAKES_ALL,
    Knobs(dedupe_smsid=True),
    Knobs(hold_seconds=3600),
    Knobs(hold_seconds=3600, html_200=True),
    Knobs(html_200=True),
    Knobs(html_200_nothing=True),
    Knobs(accept_then_reset=True),
    Knobs(partial_counts=True),
    Knobs(http_502_after_taking=True),
    Knobs(http_503_before_reading=True),
    Knobs(refuse_code="596"),
    Knobs(refuse_code="550"),
    Knobs(reset_after_bytes=0),
]
RESULTS = [Knobs(), Knobs(results_cap=1), Knobs(results_delay=1800), Knobs(duplicate_results=True)]
#: where a process dies: before or after what is done there
POINTS: list[tuple[Any, str]] = [
    (planning, "_payload"),
    (planning, "plan_batch"),
    (planning, "plan_again"),
    (sending, "cancel_opted_out"),
    (sending, "begin_dispatch"),
    (Workspace, "mark_begun"),
    (GatewayClient, "upload"),
    (sending, "return_dispatch"),
    (sending, "end_dispatch"),
]
PROCESSES = st.sampled_from((0, 1))
MEANWHILE = ("send", "pull", "resolve", "opt_out")


class _CrashError(BaseException):
    """Not an Exception, as a kill is none."""


class Machine(RuleBasedStateMachine):
    """One installation, its two processes, its gateway and what people do."""

    made: ClassVar[set[tuple[str, str]]]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        profile = load(self.folder / "none.toml", {}, required=False).profile
        self.clock = VirtualClock(START, ticking=False)
        self.gateway = EmbeddedGateway(profile, seed=7, clock=self.clock).__enter__()
        self.house = House(self.folder, self.gateway, "sqlite:///workspace/ledger.sqlite3")
        self.house.environment["MEDIASMS_SEND_MAX_ROWS"] = "2"
        first = self.house.open(create=True)
        self.file = Path(str(first.ledger.engine.url.database))
        with closing(sqlite3.connect(self.file)) as ledger:
            ledger.executescript(WATCHED)
        self.processes = [first, self.house.open()]
        self.batches: dict[str, list[str]] = {}
        #: number → what the gateway may have of it at most, since somebody opted out
        self.barred: dict[str, int] = {}
        #: smsids of which a person said that they were refused, although the gateway had taken them
        self.lost: Counter[str] = Counter()
        #: and the other way round
        self.invented: set[str] = set()
        self.copy = self.folder / "copy.sqlite"
        self.files = count()

    def teardown(self) -> None:
        try:
            self.every_batch_adds_up()
        finally:
            self.house.close()
            self.gateway.__exit__(None, None, None)
            shutil.rmtree(self.folder)

    # What is there

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.file)) as ledger:
            return ledger.execute(query).fetchall()

    def states(self) -> dict[str, str]:
        return dict(self.rows("SELECT smsid, state FROM message"))

    def copies(self) -> Counter[str]:
        return Counter(self.house.copies())

    def received(self) -> Counter[str]:
        """Count the copies of each number."""
        found: Counter[str] = Counter()
        for message in self.gateway.messages:
            found[message.msisdn] += message.copies
        return found

    # What is done

    @precondition(lambda self: len(self.batches) < len(BATCHES))
    @rule(numbers=st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=5, unique=True), process=PROCESSES)
    def register(self, numbers: list[str], process: int = 0) -> None:
        batch_id = next(name for name in BATCHES if name not in self.batches)
        registered(self.processes[process], [(number, "お知らせ") for number in numbers], batch_id, repeats=False)
        self.batches[batch_id] = numbers

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), process=PROCESSES)
    def plan(self, data: st.DataObject, process: int) -> None:
        self.plan_one(data.draw(st.sampled_from(sorted(self.batches))), process)

    def plan_one(self, batch_id: str, process: int = 0) -> None:
        """Plan, and go away before anything is sent."""
        context = self.processes[process]
        batch = get_batch(context.ledger, batch_id)
        with context.campaign_lock(batch.campaign), suppress_codes("batch.outdated", "batch.frozen"):
            planning.plan(context, batch)

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), process=PROCESSES, knobs=st.sampled_from(OUTCOMES))
    def send(self, data: st.DataObject, process: int, knobs: Knobs) -> None:
        self.send_one(data.draw(st.sampled_from(sorted(self.batches))), process, knobs)

    def send_one(self, batch_id: str, process: int = 0, knobs: Knobs = TAKES_ALL, *more: str) -> None:
        self.gateway.knobs = knobs
        expected = suppress_codes("batch.outdated", "send.cancelled", *more)
        with suppress(OutcomeUnknown, GatewayRefused, TryLater), expected:
            send_batch(self.processes[process], batch_id, confirm=None, permission=LATE)

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def send_while_nobody_listens(self, data: st.DataObject) -> None:
        self.send_to_nobody(data.draw(st.sampled_from(sorted(self.batches))))

    def send_to_nobody(self, batch_id: str) -> None:
        with mock.patch.object(GatewayClient, "upload", return_value=Exchange(0, None, b"", "ConnectionError")):
            self.send_one(batch_id)

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), knobs=st.sampled_from(OUTCOMES), point=st.sampled_from(POINTS), after=st.booleans())
    def crash(self, data: st.DataObject, knobs: Knobs, point: tuple[Any, str], *, after: bool) -> None:
        self.crash_at(data.draw(st.sampled_from(sorted(self.batches))), knobs, point, after=after)

    def crash_at(self, batch_id: str, knobs: Knobs, point: tuple[Any, str], *, after: bool) -> None:
        """Die while sending; what the process knew is gone, and so is its lock."""
        real = getattr(*point)

        def dies(*arguments: Any, **named: Any) -> None:  # noqa: ANN401 - those of the function
            if after:
                real(*arguments, **named)
            raise _CrashError

        with mock.patch.object(*point, dies), suppress(_CrashError):
            self.send_one(batch_id, 0, knobs)
        self.processes[0].close()
        self.processes[0] = self.house.open()

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), knobs=st.sampled_from(OUTCOMES), action=st.sampled_from(MEANWHILE))
    def two_at_once(self, data: st.DataObject, knobs: Knobs, action: str) -> None:
        """Let the other process do something while an upload is on its way."""
        batch_id, number = data.draw(st.sampled_from(sorted(self.batches))), data.draw(st.sampled_from(NUMBERS))
        real = GatewayClient.upload

        def uploads(*arguments: Any) -> Exchange:  # noqa: ANN401 - those of the function
            exchange = real(*arguments)
            self.meanwhile(action, batch_id, number)
            return exchange

        with mock.patch.object(GatewayClient, "upload", uploads):
            self.send_one(batch_id, 0, knobs, "dispatch.changed")

    def meanwhile(self, action: str, batch_id: str, number: str) -> None:
        if action == "send":
            with pytest.raises(TryLater, match=r"lock\.held"):
                send_batch(self.processes[1], batch_id, confirm=None)
        elif action == "resolve":
            dispatch, *_ = list_dispatches(self.processes[1].ledger, batch_id)
            with pytest.raises(TryLater, match=r"lock\.held"):
                resolve(self.processes[1], dispatch.dispatch_id, REFUSED, actor="me", because="x")
        elif action == "pull":
            in_flight = {smsid for smsid, state in self.states().items() if state == IN_FLIGHT}
            pull(self.processes[1])
            assert in_flight <= {smsid for smsid, state in self.states().items() if state == IN_FLIGHT}
        else:
            self.opt_out(number)

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), process=PROCESSES, lost=st.booleans(), whole=st.booleans())
    def cancel(self, data: st.DataObject, process: int, *, lost: bool, whole: bool) -> None:
        """Cancel a batch or a message of it, here and at the gateway, whose answers may be lost."""
        batch_id = data.draw(st.sampled_from(sorted(self.batches)))
        smsids = self.rows(f"SELECT smsid FROM message WHERE batch_id = '{batch_id}' ORDER BY smsid")  # noqa: S608 - from the list above
        name = batch_id if whole or not smsids else data.draw(st.sampled_from(smsids))[0]
        self.cancel_one(name, process, lost=lost)

    def cancel_one(self, name: str, process: int = 0, *, lost: bool = False) -> None:
        """Cancel what is named: what waited is cancelled, what was asked about is left alone or settled, no more."""
        context = self.processes[process]
        real = GatewayClient.cancel

        def unheard(*arguments: Any) -> Exchange:  # noqa: ANN401 - those of the function
            exchange = real(*arguments)
            return Exchange(1, None, b"", "ReadTimeout") if lost else exchange

        before, copies = self.states(), self.copies()
        with mock.patch.object(GatewayClient, "cancel", unheard):
            done = cancel(context, look_up(context, [name]), actor="me")
        after = self.states()
        made = {(before[smsid], state) for smsid, state in after.items() if before[smsid] != state}
        assert made <= {(PLANNED, CANCELLED), (REFUSED, CANCELLED), (UNKNOWN, TAKEN)}
        assert not lost or CancelOutcome.CANCELLED not in done.counts
        assert self.copies() == copies

    @rule(number=st.sampled_from(NUMBERS))
    def opt_out(self, number: str) -> None:
        add_optouts(self.processes[1].ledger, [number], "letter", self.clock.now())
        in_flight = self.rows(f"SELECT count(*) FROM message WHERE msisdn = '{number}' AND state = 'in_flight'")[0][0]  # noqa: S608 - from the list above
        # What is on its way, or may have been when its process died, cannot be called back.
        self.barred.setdefault(number, self.received()[number] + in_flight)

    @rule(minutes=st.sampled_from((10, 90, 60 * 24 * 9)), process=PROCESSES, knobs=st.sampled_from(RESULTS))
    def pull(self, minutes: int, process: int, knobs: Knobs) -> None:
        self.clock.advance(timedelta(minutes=minutes))
        self.gateway.knobs = knobs
        pull(self.processes[process])
        self.gateway.knobs = TAKES_ALL

    @rule(random=st.randoms(use_true_random=False), repeated=st.booleans())
    def hear(self, random: Any, *, repeated: bool) -> None:  # noqa: ANN401 - a random.Random of hypothesis
        """Get some of the results, in any order."""
        named = [(message.smsid, message.msisdn) for message in self.gateway.messages]
        self.hear_of(random.sample(named, random.randint(0, len(named))) * (1 + repeated))

    def hear_of(self, named: list[tuple[str, str]]) -> None:
        rows = [
            Observation(path=ObservationPath.PULLED, smsid=smsid, msisdn=number, status="送信済", status_time=None)
            for smsid, number in named
        ]
        now, ledger = self.clock.now(), self.processes[1].ledger
        record_pull(ledger, Artefact(f"results-{next(self.files)}.csv", "0" * 64, 1), (now, now), rows, now)
        settle(ledger, now)

    @rule(data=st.data(), outcome=st.sampled_from((TAKEN, REFUSED)))
    def decide(self, data: st.DataObject, outcome: MessageState) -> None:
        open_ = self.rows("SELECT DISTINCT dispatch_id FROM message WHERE state IN ('unknown', 'in_flight')")
        if open_:
            self.decide_on(data.draw(st.sampled_from(sorted(open_)))[0], outcome)

    def decide_on(self, dispatch: str, outcome: MessageState) -> None:
        """Let a person say what happened to a dispatch; people err."""
        before = self.states()
        with suppress_codes("resolve.nothing"):
            resolve(self.processes[0], dispatch, outcome, actor="me", because="asked")
        person = {smsid for (smsid,) in self.rows("SELECT smsid FROM message WHERE reason = 'person:me'")}
        decided = {smsid for smsid in person if before[smsid] in {UNKNOWN, IN_FLIGHT}}
        copies = self.copies()
        if outcome is REFUSED:
            self.lost.update(smsid for smsid in decided if copies[smsid])
        else:
            self.invented |= {smsid for smsid in decided if not copies[smsid]}

    @rule()
    def back_up(self) -> None:
        with closing(sqlite3.connect(self.file)) as ledger, closing(sqlite3.connect(self.copy)) as copy:
            ledger.backup(copy)

    @precondition(lambda self: self.copy.exists())
    @rule()
    def restore(self) -> None:
        """Put an older copy back: if anything was begun since, nothing is sent until the present one is there again."""
        present = self.folder / "present.sqlite"
        with closing(sqlite3.connect(self.file)) as ledger, closing(sqlite3.connect(present)) as copy:
            ledger.backup(copy)
        self.put(self.copy)
        attempts = {row[:2]: row[2] for row in self.rows("SELECT batch_id, number, attempts FROM dispatch")}
        markers = self.processes[0].workspace.begun()
        if not any(attempts.get((mark.batch_id, mark.number), 0) < mark.attempts for mark in markers):
            known = {batch_id for (batch_id,) in self.rows("SELECT batch_id FROM batch")}
            self.batches = {batch_id: numbers for batch_id, numbers in self.batches.items() if batch_id in known}
            listed = set(list_optouts(self.processes[0].ledger))
            self.barred = {number: most for number, most in self.barred.items() if number in listed}
            return
        self.nothing_is_sent()
        self.put(present)

    def nothing_is_sent(self) -> None:
        before = self.house.uploads()
        for (batch_id,) in self.rows("SELECT batch_id FROM batch"):
            with pytest.raises(GuardStopped) as stopped:
                send_batch(self.processes[0], batch_id, confirm=None, permission=Permission(again=True))
            assert stopped.value.code == "ledger.went_back"
        assert self.house.uploads() == before

    @precondition(lambda self: self.copy.exists())
    @rule()
    def restore_for_good(self) -> None:
        """Put an older copy back and go on with it: what was begun since is recovered, handed in again if need be.

        Where the older ledger has another batch serve a number, somebody has to decide: until then nothing is sent.
        """
        present = self.folder / "present.sqlite"
        with closing(sqlite3.connect(self.file)) as ledger, closing(sqlite3.connect(present)) as copy:
            ledger.backup(copy)
        self.put(self.copy)
        context, moves = self.processes[0], self.rows("SELECT count(*) FROM moves")[0][0]
        known = {batch_id for (batch_id,) in self.rows("SELECT batch_id FROM batch")}
        begun = {mark.batch_id for mark in context.workspace.begun()}
        if begun - known:
            with suppress_codes("batch.outdated"), pytest.raises(GuardStopped, match=r"ledger\.batch_lost"):
                recover(context)
            self.nothing_is_sent()
            for batch_id in sorted(begun - known):
                registered(
                    context, [(number, "お知らせ") for number in self.batches[batch_id]], batch_id, repeats=False
                )
        with suppress_codes("batch.outdated"):
            recover(context)
        if any(lost_attempts(context)):
            self.nothing_is_sent()
            self.put(present)
            return
        made = self.rows(f"SELECT before, after FROM moves WHERE rowid > {moves}")  # noqa: S608 - a number
        assert set(made) <= MOVES | RECOVERED
        with closing(sqlite3.connect(self.file)) as ledger, ledger:
            for move in RECOVERED:
                ledger.execute(f"DELETE FROM moves WHERE rowid > {moves} AND before = ? AND after = ?", move)  # noqa: S608 - a number
        self.batches = {name: numbers for name, numbers in self.batches.items() if name in known | begun}
        listed = set(list_optouts(context.ledger))
        self.barred = {number: most for number, most in self.barred.items() if number in listed}

    def put(self, copy: Path) -> None:
        """Replace the ledger's file, while nobody has it open."""
        for process in self.processes:
            process.close()
        for beside in self.file.parent.glob(f"{self.file.name}*"):
            beside.unlink()
        shutil.copy(copy, self.file)
        self.processes = [self.house.open(), self.house.open()]

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def add_up(self, data: st.DataObject) -> None:
        """Reconcile: every equation holds, whatever has happened so far."""
        context = self.processes[0]
        batch = get_batch(context.ledger, data.draw(st.sampled_from(sorted(self.batches))))
        if batch.planned_at is not None:
            done = reconcile(context, batch)
            self.adds_up(done.value, list(done.lines))

    def adds_up(self, value: Reconciliation, lines: list[MessageLine]) -> None:
        """Every count and every yen of a batch is what its messages come to, and only what came can be billed."""
        assert [equation.name for equation in value.equations if not equation.holds] == []
        states = self.rows(f"SELECT state, count(*) FROM message WHERE batch_id = '{value.name}' GROUP BY state")  # noqa: S608 - from BATCHES
        assert {state.value: number for state, number in value.states.items() if number} == dict(states)
        expected = (
            len(lines),
            sum(line.billable for line in lines),
            sum(line.parts for line in lines if line.billable),
            sum((line.amount for line in lines if line.amount is not None), Decimal(0)),
        )
        added: list[Sequence[StatusLine | GroupLine]] = [value.statuses, *value.groups.values()]
        for parts in added:
            assert expected == (
                sum(part.messages for part in parts),
                sum(part.billable_messages for part in parts),
                sum(part.billable_units for part in parts),
                sum((part.amount for part in parts), Decimal(0)),
            )
        assert (value.messages, value.amount.untaxed) == (expected[0], expected[3])
        copies = self.copies()
        assert [line.smsid for line in lines if line.billable and not copies[line.smsid]] == []

    # What always holds

    @invariant()
    def nobody_gets_it_twice(self) -> None:
        sent = Counter(self.lost)
        number_of = dict(self.rows("SELECT smsid, msisdn FROM message"))
        allowed: Counter[str] = Counter()
        for smsid, times in sent.items():
            allowed[number_of.get(smsid, "")] += times
        assert [smsid for smsid, count in self.copies().items() if count > 1 + self.lost[smsid]] == []
        received = self.received()
        assert [number for number, count in received.items() if count > 1 + allowed[number]] == []
        assert [number for number, most in self.barred.items() if received[number] > most] == []

    @invariant()
    def no_row_is_forgotten(self) -> None:
        ledger = self.processes[0].ledger
        for batch_id, numbers in self.batches.items():
            found = self.rows(f"SELECT msisdn FROM message WHERE batch_id = '{batch_id}' ORDER BY row_number")  # noqa: S608 - from the list above
            planned = get_batch(ledger, batch_id).planned_at is not None
            assert [number for (number,) in found] == (numbers if planned else [])
            assert sum(dispatch.messages for dispatch in list_dispatches(ledger, batch_id)) == len(found)

    @invariant()
    def the_ledger_says_what_is_true(self) -> None:
        copies = self.copies()
        for smsid, state in self.states().items():
            if state == TAKEN:
                assert copies[smsid] or smsid in self.invented
            elif state in {PLANNED, REFUSED, CANCELLED}:
                assert not copies[smsid] or smsid in self.lost

    def every_batch_adds_up(self) -> None:
        """Ask it of all at the end of every run: after each step it would take longer than everything else."""
        context, now = self.processes[0], self.clock.now()
        for batch_id in self.batches:
            batch = get_batch(context.ledger, batch_id)
            if batch.planned_at is not None:
                value, lines = added_up(context, evidence_of(context, batch, now), None, now)
                self.adds_up(value, list(lines))

    @invariant()
    def only_legal_moves_are_made(self) -> None:
        made = {(before, after) for before, after in self.rows("SELECT DISTINCT before, after FROM moves")}
        assert made <= MOVES
        self.made.update(made)


class suppress_codes:  # noqa: N801 - as contextlib.suppress is spelled
    """Expect that a guard may stop with one of these codes, and no other failure."""

    def __init__(self, *codes: str) -> None:
        self.codes = codes

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        return isinstance(error, MediasmsError) and error.code in self.codes


class Fresh(Machine):
    """The machine with its own memory of the moves that were made."""

    made: ClassVar[set[tuple[str, str]]] = set()

    def check(self) -> None:
        self.nobody_gets_it_twice()
        self.no_row_is_forgotten()
        self.the_ledger_says_what_is_true()
        self.only_legal_moves_are_made()


def run(**options: Any) -> None:  # noqa: ANN401 - settings of hypothesis
    quiet = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, **options)
    run_state_machine_as_test(Fresh, settings=quiet)


@pytest.mark.unmeasured
def test_whatever_happens_nobody_gets_a_message_twice_and_no_row_is_forgotten() -> None:
    # Always the same runs, and no search for shorter ones when one fails: that is for the long profile.
    run(max_examples=30, stateful_step_count=15, derandomize=True, database=None, phases=[Phase.generate])


@pytest.mark.unmeasured
@pytest.mark.crash
@pytest.mark.timeout(3600)
def test_whatever_happens_at_length() -> None:
    run(max_examples=300, stateful_step_count=40)


@pytest.fixture
def machine() -> Iterator[Fresh]:
    made = Fresh()
    Fresh.made.clear()
    yield made
    made.check()
    made.teardown()


def heard(machine: Machine) -> list[tuple[str, str]]:
    return [(message.smsid, message.msisdn) for message in machine.gateway.messages]


def test_every_legal_move_is_made(machine: Fresh) -> None:
    """What the random runs may miss is made here, step by step; the table holds no move that nothing makes."""
    first, second, third = BATCHES
    machine.register(NUMBERS[:1])
    machine.send_to_nobody(first)
    machine.send_one(first, 0, Knobs(refuse_code="596"))
    machine.send_one(first, 1, Knobs(html_200=True))
    machine.hear_of(heard(machine))
    machine.check()
    machine.register(NUMBERS[2:5])
    machine.crash_at(second, Knobs(), (GatewayClient, "upload"), after=True)
    machine.decide_on(f"{second}-0001", REFUSED)
    machine.check()
    machine.hear_of(heard(machine)[1:2])
    machine.opt_out(NUMBERS[3])
    machine.send_to_nobody(second)
    machine.check()
    machine.hear_of(heard(machine))
    machine.check()
    machine.register([*NUMBERS[5:], NUMBERS[1]])
    machine.send_one(third, 0, Knobs(html_200=True))
    machine.decide_on(f"{third}-0001", REFUSED)
    machine.crash_at(third, Knobs(), (planning, "plan_again"), after=True)
    machine.hear_of(heard(machine))
    machine.check()
    machine.send_one(third)
    machine.check()
    assert machine.made == MOVES


def test_an_older_ledger_is_recovered_and_goes_on(machine: Fresh) -> None:
    first, second, _ = BATCHES
    machine.register(NUMBERS[:3])
    machine.back_up()
    machine.send_one(first)
    machine.register(NUMBERS[3:5])
    machine.send_one(second)
    machine.restore_for_good()
    assert set(machine.states().values()) == {UNKNOWN}
    machine.check()
    machine.send_one(first)
    machine.send_one(second, 1)
    machine.check()
    machine.hear_of(heard(machine))
    assert set(machine.states().values()) == {TAKEN}


def test_an_older_ledger_in_which_another_batch_serves_a_number_sends_nothing(machine: Fresh) -> None:
    first, second, _ = BATCHES
    machine.register(NUMBERS[:1])
    machine.plan_one(first)
    machine.back_up()
    machine.cancel_one(first)
    machine.register(NUMBERS[:1])
    machine.send_one(second)
    machine.restore_for_good()
    assert sorted(machine.states().values()) == [CANCELLED, TAKEN]
