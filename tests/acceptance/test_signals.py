"""A run that is told to end while its upload is on the way, as a process."""

from __future__ import annotations

import signal
import socket
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import Knobs
from tests.processes import wait_until

if TYPE_CHECKING:
    from pipeline.simulator import EmbeddedGateway
    from tests.acceptance.conftest import Home

#: seconds, for a busy machine; what would not end by itself waits for much longer
PATIENCE = 60
PASSWORD = "pw-Kumo7Hare"  # noqa: S105 - of a gateway that never reads it
#: after it has written something, it has not yet written the rest: on any machine there is time for a signal
WRITES_SLOWLY = """
import runpy, time
from pipeline.adapters.files import DurableFile
write = DurableFile.write
def write_and_wait(file, data):
    write(file, data)
    time.sleep(300)
DurableFile.write = write_and_wait
runpy.run_module("pipeline", run_name="__main__", alter_sys=True)
"""
RUN = ("run", "sample_data/recipients.csv", "--campaign", "demo", "--yes", "--json")


@pytest.mark.parametrize(("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (15, 143, "terminated")])
def test_an_upload_without_an_answer_is_unknown_before_the_command_ends(
    home: Home, gateway: EmbeddedGateway, number: int, code: int, word: str
) -> None:
    home.init()
    home.environment["MEDIASMS_GATEWAY_READ_TIMEOUT"] = "600"
    gateway.knobs = Knobs(swallow=True, results_delay=3600)
    running = home.start(*RUN)
    wait_until(lambda: gateway.messages)
    for _ in range(3):  # more than one changes nothing
        running.send_signal(number)
        time.sleep(0.1)
    out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, f'"error": "{word}"' in out.decode()) == (code, True)
    assert "`mediasms status`" in err.decode()
    assert "Traceback" not in err.decode()
    # The ledger knew before the process was gone: nobody had to take it up first.
    (batch,) = home("status", "--json").document["batches"]
    assert batch["states"] == {"unknown": 455}
    assert any(detail.startswith("interrupted ") for detail in home.details())
    gateway.clock.advance(timedelta(days=1))
    assert home("pull", batch["batch_id"], "--json").document["settled"] == {"unknown": 455}
    assert home(*RUN).code == 1
    assert {message.copies for message in gateway.messages} == {1}


def test_an_upload_that_is_slow_to_be_read_is_given_up(home: Home) -> None:
    """A server that takes the connection and reads nothing: the socket's buffer fills, and writing hangs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        home.environment |= {
            "MEDIASMS_GATEWAY_BASE_URL": f"http://127.0.0.1:{listener.getsockname()[1]}",
            "MEDIASMS_GATEWAY_USERNAME": "demo",
            "MEDIASMS_GATEWAY_PASSWORD": PASSWORD,
            "MEDIASMS_GATEWAY_CONNECT_TIMEOUT": "600",
        }
        home.init()
        running = home.start(*RUN)
        connection, _ = listener.accept()
        with connection:
            connection.recv(1)
            time.sleep(0.2)
            running.terminate()
            running.communicate(timeout=PATIENCE)
        assert running.returncode == 143
    (batch,) = home("status", "--json").document["batches"]
    assert batch["states"] == {"unknown": 455}


def test_a_signal_while_rows_are_checked_leaves_nothing_behind(home: Home) -> None:
    home.init()
    lines = "".join(f"090{number:08d},お知らせ\n" for number in range(10_000_000, 10_400_000))
    (home.folder / "long.csv").write_text("電話番号,本文\n" + lines, encoding="utf-8")
    running = home.start("validate", "long.csv", "--json", python=("-c", WRITES_SLOWLY))
    wait_until(lambda: list(home.workspace.glob("batches/*/.*.part")))
    running.terminate()
    running.communicate(timeout=PATIENCE)
    assert running.returncode == 143
    assert list(home.workspace.glob("batches/*")) == []
    assert home("status", "--json").document["batches"] == []
