"""A process that has imported the product and what it needs, and forks into a command for every order.

What an order becomes is a real ``mediasms``: its own process, arguments, environment, folder and signals; it ends as
``python -m pipeline`` does. Only the time in which everything is imported is saved.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pipeline
from tests.processes import measure, prepare_to_measure, unmeasured

_ROOM = 1 << 20
#: the plain one: coverage puts one in its place that saves what the functions at the end have saved already
_end = os._exit


class Zygote:
    """The other end: hand in orders here."""

    def __init__(self) -> None:
        """Start the process; it ends when this object is closed, or with its owner."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.zygote", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=unmeasured() | {"LANG": "C.UTF-8"},
            cwd=Path(__file__).parents[2],
        )
        theirs.close()
        self._orders = ours

    def run(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], stdin: bytes, timeout: float
    ) -> tuple[int, bytes, bytes]:
        """Run a command; return its exit code (minus the signal that killed it) and what it wrote."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin)
            given.seek(0)
            order = json.dumps([list(arguments), str(folder), dict(environment)]).encode()
            # An answer of its own for each order: several may be under way.
            answer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with answer, theirs:
                files = [given.fileno(), out.fileno(), err.fileno(), theirs.fileno()]
                socket.send_fds(self._orders, [order], files)
                theirs.close()
                answer.settimeout(timeout)
                child = int(answer.recv(_ROOM))
                try:
                    code = int(answer.recv(_ROOM))
                except TimeoutError:
                    os.kill(child, signal.SIGKILL)
                    raise
            out.seek(0)
            err.seek(0)
            return code, out.read(), err.read()

    def close(self) -> None:
        """End the process."""
        self._orders.close()
        self._process.wait(10)


def _become(order: bytes, files: Sequence[int]) -> None:
    arguments, folder, environment = json.loads(order)
    for target, file in enumerate(files):
        os.dup2(file, target)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    measure()
    sys.argv = ["pipeline", *arguments]
    sys.path.insert(0, folder)
    code: object = 0
    try:
        runpy.run_module("pipeline", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code
    finally:
        # All but taking every imported module apart again, which takes longer than most commands.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    _end(code if isinstance(code, int) else 0)


def _serve(orders: socket.socket) -> None:
    for found in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        if not found.name.startswith(("pipeline.simulator", "pipeline.__main__")):
            importlib.import_module(found.name)
    prepare_to_measure()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        order, files, _, _ = socket.recv_fds(orders, _ROOM, 4)
        if not order:
            return
        if not os.fork():
            break
        for file in files:
            os.close(file)
    orders.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, last = files
    answer = socket.socket(fileno=last)
    child = os.fork()
    if not child:
        answer.close()
        _become(order, streams)
        return
    answer.send(str(child).encode())
    answer.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
