"""A process that has imported the whole product once and forks a child for every command it is asked to run.

Orders come in as JSON lines, one answer goes out for each. A child is a real ``mediasms``: its own process, real files,
real HTTP; only its clock may be ahead, its effects may be counted, and it may be killed before or after one of them.
"""

from __future__ import annotations

import fcntl
import gc
import http.client
import importlib
import json
import os
import pkgutil
import signal
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pandas as pd
import pandera.pandas as pa
import psycopg  # noqa: F401 - so that no child has to
import pyarrow  # noqa: ICN001 - pandera has the name pa

import pipeline.adapters.gateway
import pipeline.cli.main
import pipeline.cli.optouts
import pipeline.cli.tools
import pipeline.operations.cancel
import pipeline.operations.next_step
import pipeline.operations.resolve
import pipeline.operations.run
import pipeline.reports.terminal
from pipeline.adapters import files
from pipeline.config import STANDARD, load, load_replacements
from pipeline.core.kernels import texts
from pipeline.ledger import Ledger, dispatches
from pipeline.reports import page
from pipeline.stages import send
from tests.processes import measure, prepare_to_measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EFFECTS = "effects.txt"
OUT = "out.json"
ERR = "err.txt"
_CRASHED = 99


@dataclass(frozen=True)
class Order:
    """One command: where, with which environment, and how it is to end.

    ``stop`` is the number of an effect and "before" or "after"; ``kill_after`` are seconds of real time
    after the first marker of an upload; ``ahead`` are seconds by which the clock is fast. ``mutant`` breaks the product
    on purpose.
    """

    folder: str
    arguments: list[str]
    environment: dict[str, str]
    ahead: float = 0
    watched: bool = False
    stop: tuple[int, str] | None = None
    kill_after: float | None = None
    mutant: list[str] = field(default_factory=list)

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


class Effects:
    """Counts effects, writes their names down, and ends the process at the one that was asked for."""

    def __init__(self, journal: int, stop: tuple[int, str] | None) -> None:
        self._journal = journal
        self._stop = tuple(stop) if stop else None
        self._count = 0
        #: requests of one message leave from threads of their own
        self._one_at_a_time = threading.Lock()

    @contextmanager
    def effect(self, verb: str, *objects: str) -> Iterator[None]:
        with self._one_at_a_time:
            self._count += 1
            number = self._count
            os.write(self._journal, ("\t".join((verb, *objects)) + "\n").encode())
        self._die_at(number, "before")
        yield
        self._die_at(number, "after")

    def _die_at(self, number: int, when: str) -> None:
        if self._stop == (number, when):
            os.kill(os.getpid(), signal.SIGKILL)

    def around(
        self,
        owner: Any,  # noqa: ANN401 - a class or a module
        attribute: str,
        facts: Callable[..., tuple[str, ...]],
        *,
        if_: Callable[..., bool] = lambda *_, **__: True,
    ) -> None:
        """Make every call of ``owner.attribute`` an effect; ``facts`` and ``if_`` get its arguments."""
        plain = getattr(owner, attribute)

        def counted(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - those of what is wrapped
            if not if_(*arguments, **named):
                return plain(*arguments, **named)
            with self.effect(*facts(*arguments, **named)):
                return plain(*arguments, **named)

        patch.object(owner, attribute, counted).start()

    def watch(self) -> None:
        """Count commits, what happens to files, and the upload."""
        self._watch_ledger()
        self.around(
            files.DurableFile, "__init__", lambda _, path, **__: ("open", str(path.with_name(f".{path.name}.part")))
        )
        self.around(files.DurableFile, "write", lambda file, _: ("write", str(file._part)))
        self.around(os, "fsync", lambda handle: ("fsync", _path_of(handle)))
        self.around(os, "mkdir", lambda path, *_: ("mkdir", str(path)), if_=lambda path, *_: not Path(path).exists())
        self.around(Path, "replace", lambda path, target: ("rename", str(path), str(target)))
        self.around(Path, "hardlink_to", lambda path, target: ("link", str(target), str(path)))
        self.around(Path, "unlink", lambda path, **_: ("remove", str(path)), if_=lambda path, **_: path.exists())
        self._watch_upload()

    def _watch_ledger(self) -> None:
        plain = Ledger.writing

        @contextmanager
        def writing(ledger: Ledger) -> Iterator[Any]:
            verb = sys._getframe(2).f_code.co_name  # beyond contextlib
            with ExitStack() as around_commit, plain(ledger) as connection:
                yield connection
                around_commit.enter_context(self.effect("commit", verb))

        patch.object(Ledger, "writing", writing).start()

    def _watch_upload(self) -> None:
        client, plain = pipeline.adapters.gateway.GatewayClient, http.client.HTTPConnection.send
        here = threading.local()

        def watch(verb: str) -> None:
            send = getattr(client, verb)

            def watched(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - those of upload, single and cancel
                here.sending = verb
                answer = send(*arguments, **named)
                here.sending = ""
                with self.effect(verb, "answer"):
                    return answer

            patch.object(client, verb, watched).start()

        def watched_send(connection: http.client.HTTPConnection, data: Any) -> None:  # noqa: ANN401 - as http.client has it
            verb = getattr(here, "sending", "")
            if not verb:
                plain(connection, data)
                return
            pieces = {"head": data} if data.startswith(b"POST ") else _pieces(data)
            for name, piece in pieces.items():
                with self.effect(verb, name):
                    plain(connection, piece)

        watch("upload")
        watch("single")
        watch("cancel")
        patch.object(http.client.HTTPConnection, "send", watched_send).start()


def _path_of(handle: int) -> str:
    if sys.platform == "darwin":
        return fcntl.fcntl(handle, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0").decode()
    return str(Path(f"/proc/self/fd/{handle}").readlink())


def _pieces(data: bytes) -> dict[str, bytes]:
    return {"first byte": data[:1], "middle": data[1:-1], "last byte": data[-1:]}


def _break(mutant: list[str]) -> None:
    """Break the order of intent and effect: what a harness that can fail must find."""
    begin, mark = dispatches.begin_dispatch, files.Workspace.mark_group_begun
    upload = pipeline.adapters.gateway.GatewayClient.upload
    late: list[Callable[[], object]] = []

    def begin_later(*arguments: Any) -> int:  # noqa: ANN401 - those of begin_dispatch
        late.append(lambda: begin(*arguments))
        attempt: int = arguments[1].attempts + 1
        return attempt

    def mark_later(*arguments: Any) -> None:  # noqa: ANN401 - those of mark_group_begun
        late.append(lambda: mark(*arguments))

    def upload_first(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - those of upload
        answer = upload(*arguments, **named)
        while late:
            late.pop(0)()
        return answer

    if "intent late" in mutant:
        patch.object(send, "begin_dispatch", begin_later).start()
    if "marker late" in mutant:
        patch.object(files.Workspace, "mark_group_begun", mark_later).start()
    if "no fsync" in mutant:
        patch.object(files, "fsync_folder", lambda _: None).start()
    if "no marker" in mutant:
        patch.object(files.Workspace, "mark_group_begun", lambda *_: None).start()
    patch.object(pipeline.adapters.gateway.GatewayClient, "upload", upload_first).start()


def _fast_clock(ahead: float) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Ahead:
            moment = super().now(tz) + timedelta(seconds=ahead)
            return cls.fromtimestamp(moment.timestamp(), tz)

    patch.object(pipeline.cli.main, "datetime", Ahead).start()


def _redirect(name: str, number: int) -> None:
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(handle, number)
    os.close(handle)


def _be(order: Order) -> int:
    """Be the command; return its exit code."""
    os.chdir(order.folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    _redirect(OUT, 1)
    _redirect(ERR, 2)
    os.environ.clear()
    os.environ.update(order.environment)
    measure()
    _fast_clock(order.ahead)
    if order.mutant:
        _break(order.mutant)
    if order.watched:
        Effects(os.open(EFFECTS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), order.stop).watch()
    sys.argv = ["mediasms", *order.arguments]
    try:
        pipeline.cli.main.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return _CRASHED


def _wait_for_an_upload(folder: Path, child: int) -> None:
    while not any(folder.glob("workspace/batches/*/*.begun")):
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return
        time.sleep(0.001)


def _bear(order: Order) -> int:
    """Fork the command and wait for its end; return its exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        code = _CRASHED
        try:
            code = _be(order)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    if order.kill_after is not None:
        _wait_for_an_upload(Path(order.folder), child)
        time.sleep(order.kill_after)
        os.kill(child, signal.SIGKILL)  # not reaped yet, so the id is still its own
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _warm_up() -> None:
    """Load what is loaded when it is first used, so that no child has to."""
    for found in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        if not found.name.startswith(("pipeline.simulator", "pipeline.__main__")):
            importlib.import_module(found.name)
    load(Path("none.toml"), {}, required=False)
    load_replacements([STANDARD], Path())
    texts.needs_a_look(pyarrow.array(["x"], pyarrow.large_string()))
    pa.DataFrameSchema({"a": pa.Column(str)}).validate(pd.DataFrame({"a": ["x"]}))
    page._template()
    prepare_to_measure()


def main() -> None:
    """Serve orders until there are no more."""
    _warm_up()
    gc.freeze()
    for line in sys.stdin:
        status = _bear(Order(**json.loads(line)))
        print(status, flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
