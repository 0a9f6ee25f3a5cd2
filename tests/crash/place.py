"""One installation whose commands may be killed, the gateway it sends to, and what must hold whatever happens."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import requests

from pipeline.simulator import EmbeddedGateway, Knobs, VirtualClock
from tests.crash.nursery import EFFECTS, ERR, OUT, Order
from tests.processes import NO_AUTHORITIES, measured, unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from schemas.profile import Profile
    from tests.databases import Server

ROOT = Path(__file__).parents[2]
ACCEPTED, MAX_ROWS = 5, 3
RUN = ("run", "list.csv", "--campaign", "c", "--yes", "--json")
#: of a result; and how far time is put on to get it
LATE, LATER = 7200, timedelta(hours=3)
FINDINGS, UNKNOWN = 1, 5
_SESSIONS = """
    SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


class Nursery:
    """The process that bears commands."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nursery"],
            cwd=ROOT,
            env=unmeasured(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def bear(self, order: Order) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(order.line())
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate(timeout=60)


class Place:
    """A fresh copy of an installation, with a list of five good rows and a bad one, and a gateway of its own."""

    def __init__(self, folder: Path, nursery: Nursery, gateway: EmbeddedGateway, url: str | None = None) -> None:
        self.folder = folder
        self.nursery = nursery
        self.gateway = gateway
        self.url = url
        self.ahead = timedelta(0)
        self.accepted = ACCEPTED
        self.is_measured = True
        #: how a run is asked for where no other command is given
        self.command: tuple[str, ...] = RUN
        self.environment = {
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            **NO_AUTHORITIES,
            "MEDIASMS_GATEWAY_BASE_URL": gateway.url,
            "MEDIASMS_GATEWAY_USERNAME": gateway.username,
            "MEDIASMS_GATEWAY_PASSWORD": gateway.password,
            "MEDIASMS_SEND_MAX_ROWS": str(MAX_ROWS),
        }
        if url:
            self.environment["MEDIASMS_LEDGER_URL"] = url

    def run(self, *arguments: str, **how: Any) -> int:  # noqa: ANN401 - fields of Order
        """Run a command, the one for a run unless another is given; return its exit code, negative for a signal."""
        order = Order(
            str(self.folder),
            list(arguments or self.command),
            self.environment | (measured() if self.is_measured else {}),
            ahead=self.ahead.total_seconds(),
            **how,
        )
        return self.nursery.bear(order)

    def write(self, rows: int = ACCEPTED) -> None:
        """Write the list: good rows, and one more that is rejected."""
        self.accepted = rows
        good = [[f"0901{row:07d}", f"お知らせ{row}です"] for row in range(rows)]
        with (self.folder / "list.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["電話番号", "本文"], *good, ["03-1", "x"]])

    def advance(self, by: timedelta) -> None:
        """Put the clocks of both sides on."""
        self.gateway.clock.advance(by)
        self.ahead += by

    @property
    def operations(self) -> list[list[str]]:
        """What the last watched run did, in its order: verb, then paths or names."""
        return [line.split("\t") for line in (self.folder / EFFECTS).read_text().splitlines()]

    @property
    def effects(self) -> list[str]:
        return [f"{verb} {Path(objects[-1]).name}" for verb, *objects in self.operations]

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / OUT).read_text())
        return found

    @property
    def said(self) -> str:
        return (self.folder / ERR).read_text()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the ledger, past the product."""
        if self.url:
            with psycopg.connect(self.url, autocommit=True) as session:
                return session.execute(sql.encode()).fetchall()
        ledger = self.folder / "workspace/ledger.sqlite3"
        connection = sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def states(self) -> dict[str, str]:
        return dict(self.query("SELECT smsid, state FROM message"))

    def copies(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for message in self.gateway.messages:
            found[message.smsid] += message.copies
        return dict(found)

    def markers(self) -> dict[str, int]:
        """Return how often each dispatch was begun, by its id, as the files say."""
        paths = self.folder.glob("workspace/batches/*/dispatch-*.begun")
        return {
            f"{path.parent.name}-{path.stem.removeprefix('dispatch-')}": int(path.read_text().partition(" ")[0] or 0)
            for path in paths
        }

    def wait_for_others(self) -> None:
        """Wait until what a dead process left on the way has been dealt with.

        At the gateway every connection from before has ended, with what was asked on it, and two looks see the same;
        in a PostgreSQL server the sessions have ended that it had.
        """
        # Who connects is served in turn: what came before this is known to the gateway now.
        requests.get(f"{self.gateway.url}/_/clock", headers={"Connection": "close"}, timeout=60)
        server = self.gateway._server
        assert server is not None
        before = -1
        while (
            before != (now := len(self.gateway.messages))
            or server.server_state.connections
            or server.server_state.tasks
            or (self.url and self.query(_SESSIONS) != [(0,)])
        ):
            before = now
            time.sleep(0.02)


def at_most_once(place: Place) -> list[str]:
    """Return what is wrong with what went out, at any moment: it went out twice, or without a recorded intent."""
    copies, states = place.copies(), place.states()
    problems = [f"{smsid}: {count} copies" for smsid, count in copies.items() if count > 1]
    may_be_out = {"in_flight", "unknown", "taken"}
    problems += [f"{smsid}: out, but {states.get(smsid)}" for smsid in copies if states.get(smsid) not in may_be_out]
    markers = place.markers()
    owners = dict(place.query("SELECT smsid, dispatch_id FROM message"))
    problems += [f"{smsid}: out, but without a marker" for smsid in copies if owners.get(smsid) not in markers]
    problems += [
        f"{smsid}: never out, but taken" for smsid, state in states.items() if state == "taken" and smsid not in copies
    ]
    return problems


def told_the_truth(place: Place, code: int) -> list[str]:
    """Return what is wrong with what a whole run said, and with what the ledger holds after it."""
    if code not in {FINDINGS, UNKNOWN}:
        return [f"exit {code}: {place.said}"]
    states, document = place.states(), place.document
    counts = Counter(states.values())
    problems = [
        f"{state}: said {document[state]}, is {counts[state]}"
        for state in ("planned", "in_flight", "taken", "refused", "unknown", "cancelled")
        if document[state] != counts[state]
    ]
    with next(place.folder.glob("workspace/batches/*/accepted.csv")).open(encoding="utf-8", newline="") as file:
        if sorted(row["smsid"] for row in csv.DictReader(file)) != sorted(states):
            problems.append("accepted rows are not the messages")
    if (code == UNKNOWN) != bool(counts["unknown"] or counts["planned"]):
        problems.append(f"exit {code} with {dict(counts)}")
    if (document["rows"], document["accepted"], len(states)) != (place.accepted + 1, place.accepted, place.accepted):
        problems.append(f"{document['rows']} rows, {document['accepted']} accepted, {len(states)} messages")
    problems += [f"equation {found['name']}" for found in document["equations"] if not found["holds"]]
    problems += [f"break {kind}" for kind in document["breaks"]]
    if counts["in_flight"] or counts["refused"] or counts["cancelled"]:
        problems.append(f"states {dict(counts)}")
    return problems


def see_through(place: Place) -> list[str]:
    """Run until nothing is left to do, as a scheduler and at last an operator would; return what is wrong on the way.

    Results are waited for; what no result names although all are there never reached the gateway, and a person who has
    looked says so.
    """
    problems = at_most_once(place)
    code = 0
    for results_are_whole in (False, True, True):
        before = place.states()
        if results_are_whole:
            place.gateway.knobs = Knobs(dedupe_smsid=place.gateway.knobs.dedupe_smsid)
        code = place.run()
        problems += at_most_once(place) + told_the_truth(place, code)
        if problems or code == FINDINGS or (results_are_whole and place.states() == before):
            break
        place.advance(LATER)
    if problems:
        return problems
    if code == UNKNOWN:
        problems += _as_a_person_decides(place)
    if set(place.states().values()) != {"taken"} or set(place.copies()) != set(place.states()):
        problems.append(f"in the end {place.states()}, out {place.copies()}")
    return problems


def _as_a_person_decides(place: Place) -> list[str]:
    states, copies = place.states(), place.copies()
    problems = [f"{smsid}: out, but still {states[smsid]}" for smsid in copies if states[smsid] != "taken"]
    problems += free(place)
    code = place.run()
    return problems + at_most_once(place) + told_the_truth(place, code)


def free(place: Place) -> list[str]:
    """Decide, as a person who has looked, that what is unknown was not taken; return what is wrong.

    Of uploads that is one, of requests of one message as many as had begun together.
    """
    unknown = place.query("SELECT DISTINCT dispatch_id, batch_id FROM message WHERE state = 'unknown'")
    if len(unknown) != 1 and (not unknown or "single" not in place.command):
        return [f"unknown dispatches: {unknown}"]
    code = place.run(
        "resolve", unknown[0][len(unknown) > 1], "--as", "refused", "--because", "the console shows nothing"
    )
    return [f"resolve: {place.said}"] if code else []


class Places:
    """Makes places from one template; each is thrown away when it is left.

    With a PostgreSQL server the ledger lies there, for each place in a schema of its own.
    """

    def __init__(self, folder: Path, nursery: Nursery, profile: Profile, server: Server | None = None) -> None:
        self._folder = folder
        self._nursery = nursery
        self._profile = profile
        self._server = server
        self._template = folder / "template"
        self._template.mkdir()
        with EmbeddedGateway(profile, seed=7) as gateway:
            place = Place(self._template, nursery, gateway)
            place.write()
            if server is None:
                assert place.run("init") == 0, place.said

    @contextmanager
    def __call__(self, knobs: Knobs | None = None) -> Iterator[Place]:
        folder = self._folder / "place"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._template, folder)
        with EmbeddedGateway(self._profile, seed=7, clock=VirtualClock(), knobs=knobs or Knobs()) as gateway:
            if self._server is None:
                yield Place(folder, self._nursery, gateway)
                return
            with self._server.schema() as url:
                place = Place(folder, self._nursery, gateway, url)
                assert place.run("init") == 0, place.said
                yield place


#: how often a run is tried that ends before the effect at which it is to be killed
_TRIES = 3


def killed(place: Place, number: int, when: str, mutant: tuple[str, ...] = ()) -> list[str]:
    """Kill a run at an effect; return what is wrong right after it."""
    code = place.run(watched=True, stop=(number, when), mutant=list(mutant))
    place.wait_for_others()
    if code != -signal.SIGKILL:
        return [f"was not killed: exit {code}"]
    return at_most_once(place)


def every_edge(effects: Sequence[str]) -> list[tuple[int, str]]:
    """Return both sides of every effect."""
    return [(number, when) for number in range(1, len(effects) + 1) for when in ("before", "after")]


def kill_at_each(
    places: Callable[[Knobs], AbstractContextManager[Place]],
    edges: Iterable[tuple[int, str]],
    effects: Sequence[str],
    knobs: Knobs,
) -> dict[str, list[str]]:
    """Kill a run at each edge and see it through; return what was wrong, by edge.

    Coverage is measured at the first: at the others the same lines run, and measuring them takes half of the time.
    Answers that come together are recorded together, so a run may have fewer effects than the one that was counted:
    where it is over before it could be killed, it is done once more.
    """
    wrong: dict[str, list[str]] = {}
    for at, (number, when) in enumerate(edges):
        for _ in range(_TRIES):
            with places(knobs) as place:
                place.is_measured = at == 0
                problems = killed(place, number, when)
                over = bool(problems) and len(place.effects) < number
                problems = problems or see_through(place)
            if not over:
                break
        if problems:
            wrong[f"{when} {number} ({effects[number - 1]})"] = problems
    return wrong
