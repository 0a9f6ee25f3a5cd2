"""The endpoint for result notifications as a process, and what may be asked of it."""

from __future__ import annotations

import http.client
import re
import signal
import sqlite3
import subprocess
import sys
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import requests

from tests.acceptance.conftest import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.conftest import Home

USERNAME = "demo"
ACCOUNT = (USERNAME, PASSWORD)
ACCOUNT_VARIABLES = {"MEDIASMS_GATEWAY_USERNAME": USERNAME, "MEDIASMS_GATEWAY_PASSWORD": PASSWORD}
BASIC = "Basic " + b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
NUMBER = "09012345678"
_URL = re.compile(r"https?://\S+/notifications")
_STARTING = """
import sys
{patch}
from pipeline.cli.main import main
sys.argv[0] = "mediasms"
main()
"""


@dataclass
class Served:
    """A process that takes notifications; ``log`` is what it says."""

    home: Home
    process: subprocess.Popen[bytes]
    url: str
    log: Path
    said: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        return self.url.removesuffix("/notifications")

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def notify(self, smsid: str, status: str = "1", **headers: str) -> requests.Response:
        fields = {"mobilenumber": NUMBER, "status": status, "smsid": smsid, "smstext": "ひみつ"}
        return requests.post(self.url, data=fields, headers=headers, auth=ACCOUNT, timeout=60)

    def end(self, *signals: signal.Signals) -> int:
        for number in signals:
            self.process.send_signal(number)
        return self.process.wait(60)

    def recorded(self) -> dict[str, list[tuple[str, str, str]]]:
        """Return status, number and extra of what is in the ledger, by smsid."""
        ledger = sqlite3.connect(self.home.workspace / "ledger.sqlite3")
        try:
            found: dict[str, list[tuple[str, str, str]]] = {}
            for smsid, *row in ledger.execute("SELECT smsid, status, msisdn, extra FROM observation"):
                found.setdefault(smsid, []).append(tuple(row))
            return found
        finally:
            ledger.close()


@contextmanager
def serving(home: Home, *arguments: str, patch: str = "", **more: str) -> Iterator[Served]:
    """Run the endpoint; ``patch`` is Python that runs before it. Afterwards nothing private stands in what it said."""
    log = home.folder / "access.log"
    command = [sys.executable, "-c", _STARTING.format(patch=patch), "notifications", "serve", "--port", "0", *arguments]
    with (
        log.open("wb") as stderr,
        subprocess.Popen(
            command,
            cwd=home.folder,
            env=home.variables(**ACCOUNT_VARIABLES, **more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
        ) as process,
    ):
        served = Served(home, process, "", log)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                served.said.append(line.decode())
                if found := _URL.search(line.decode()):
                    served.url = found[0]
                    break
            assert served.url, log.read_text("utf-8")
            yield served
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(20)
    said = log.read_text("utf-8")
    home.nothing_private("".join(served.said) + said)
    assert NUMBER not in said
    assert "ひみつ" not in said
    assert "Traceback" not in said


class Line:
    """One kept-alive connection that notifies."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def notify(self, smsid: str) -> int:
        body = urlencode({"mobilenumber": NUMBER, "status": "1", "smsid": smsid})
        headers = {"Authorization": BASIC, "Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", "/notifications", body, headers)
        with self._connection.getresponse() as answer:
            answer.read()
            return answer.status

    def close(self) -> None:
        self._connection.close()
