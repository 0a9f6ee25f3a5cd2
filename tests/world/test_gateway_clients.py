"""The embedded gateway satisfies clients it has never seen: every printed line of curl, and Node.js' own library."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from pipeline.config import load_profile
from pipeline.core.calendar import JST
from pipeline.simulator import EmbeddedGateway, VirtualClock
from pipeline.simulator.trying import DEFAULT_PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.world

Served = tuple["subprocess.Popen[bytes]", dict[str, str]]
NODE = Path(__file__).with_name("node_client.cjs")


def _serving(*more: str) -> Iterator[Served]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEDIASMS_")}
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "gateway", "serve", "--port", "0", "--lang", "en", *more],
        env=environment,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        said = b""
        while b"# attempts to notify\n" not in said or not said.endswith(b"/_/notifications\n"):
            assert select.select([process.stdout], [], [], 60)[0]
            said += os.read(process.stdout.fileno(), 65_536)
        first, *rest = said.decode().split("\n\n# ")
        found = {"url": first.split()[2]} | dict(part.strip().split("\n", 1) for part in rest)
        yield process, found
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


@pytest.fixture
def served() -> Iterator[Served]:
    yield from _serving()


@pytest.fixture
def served_with_tls(tmp_path: Path) -> Iterator[Served]:
    certificate = trustme.CA().issue_cert("127.0.0.1")
    cert, key = tmp_path / "the chain.pem", tmp_path / "key.pem"
    certificate.cert_chain_pems[0].write_to_path(cert)
    certificate.private_key_pem.write_to_path(key)
    yield from _serving("--cert", str(cert), "--key", str(key))


def _run_every_line(lines: dict[str, str]) -> dict[str, str]:
    said: dict[str, str] = {}
    for what, line in lines.items():
        ended = subprocess.run(["/bin/sh", "-c", line], capture_output=True, timeout=30, check=False)
        assert (ended.returncode, ended.stderr) == (0, b""), what
        said[what] = ended.stdout.decode()
    return said


def _as_documented(said: dict[str, str]) -> None:
    code, _, counts = said["CSV send"].splitlines()
    assert (code, counts) == ("200", "1|0|1")
    assert said["individual send (form)"] == "200"
    assert said["individual send (JSON)"] == '{"result":"200"}'
    assert said["individual send, scheduled"] == "200"
    assert said["cancel"] == "200"
    assert json.loads(said["knobs (allow the other-person check)"])["check_option"] is True
    assert said["other-person check"] == "200"
    assert said["individual result"].startswith("200\n")
    assert len(said["results CSV"].splitlines()) == 4
    assert (
        json.loads(said["knobs (here: where notifications go)"])["notify_url"] == "http://127.0.0.1:8026/notifications"
    )
    assert json.loads(said["register templates"]) == {"12": "{info1}様 ご予約の確認です"}
    assert json.loads(said["advance the clock"])["now"]
    assert len(said["messages received"].splitlines()) == 5


def test_every_printed_line_works(tool: Callable[[str], str], served: Served) -> None:
    tool("curl")
    _, lines = served
    url = lines.pop("url")
    assert url.startswith("http://")
    _as_documented(_run_every_line(lines))


def test_every_printed_line_works_with_tls(tool: Callable[[str], str], served_with_tls: Served) -> None:
    tool("curl")
    _, lines = served_with_tls
    assert lines.pop("url").startswith("https://")
    _as_documented(_run_every_line(lines))


def test_curl_writes_bodies_in_its_own_ways(tool: Callable[[str], str], served: Served, tmp_path: Path) -> None:
    _, lines = served
    url = lines["url"]
    rows = "".join(
        f"0901111{n:04d}," + "," * 8 + "x" * 60 + "," * 8 + f"c{n}" + "," * 46 + "\r\n" for n in range(9_999)
    )
    (tmp_path / "list.csv").write_text(rows, "utf-8", newline="")
    curl = [tool("curl"), "-sS", "-u", "demo:demo-password"]
    upload = ["-F", f"file=@{tmp_path / 'list.csv'}", f"{url}/api3/?smstexttype=csv"]

    def run(*arguments: str) -> str:
        return subprocess.run([*curl, *arguments], capture_output=True, timeout=60, check=True).stdout.decode()

    for header in ("Expect: 100-continue", "Transfer-Encoding: chunked", "Expect:"):
        assert run("-H", header, *upload).splitlines()[2] == "9999|0|9999", header
    message = ["-F", "mobilenumber=09011112222", "-F", "smstext=こんにちは"]
    assert run(*message, f"{url}/api/") == "200"
    assert run("-d", "mobilenumber=09011112222&smstext=そのままのUTF-8", f"{url}/api/") == "200"
    assert run("-G", "-d", "mobilenumber=09011112222", "--data-urlencode", "smstext=a b", f"{url}/api/") == "200"


def test_node_writes_bodies_in_its_own_ways(tool: Callable[[str], str], served: Served) -> None:
    _, lines = served
    ended = subprocess.run(
        [tool("node"), str(NODE), lines["url"]], capture_output=True, timeout=60, check=False, text=True
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["fetched"].splitlines()[2] == "1|0|1"
    for name in ("chunked", "sized", "expected"):
        _, status, text = found[name]
        assert (status, text.splitlines()[2]) == (200, "1|0|1"), name
    assert found["form"][1:] == found["got"][1:] == [200, "200"]
    assert found["json"] == {"result": "200"}
    assert found["result"] == [True, 200, "200\n処理中\n"]


def test_every_line_of_the_page_about_the_gateway_works() -> None:
    page = (Path(__file__).parents[2] / "docs/gateway.md").read_text("utf-8")
    found = re.findall(r"```sh\n(.*?curl.*?)\n```", page)
    clock = VirtualClock(datetime(2026, 11, 23, 9, 30, tzinfo=JST), ticking=False)
    profile = load_profile("mediasms", Path())
    with EmbeddedGateway(profile, seed=1, username="demo", password=DEFAULT_PASSWORD, clock=clock) as gateway:
        said = [_said(line.replace("http://127.0.0.1:8025", gateway.url)) for line in found]
    results = [answer for answer in said if answer.startswith("090-1111-2222,")]
    codes = [answer.split()[0] for answer in said if not answer.startswith(("{", "090-"))]
    assert (len(results), codes) == (1, ["200"] * 6)
    assert '{"result":"200"}' in said


def _said(line: str) -> str:
    return subprocess.run(line, shell=True, capture_output=True, text=True, check=True, timeout=60).stdout.strip()  # noqa: S602 - a line of our own page
