"""The embedded gateway satisfies clients it has never seen: every printed line of curl, and Node.js' own library."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import trustme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.world

Served = tuple["subprocess.Popen[bytes]", dict[str, str]]

# Its own multipart, a sized and a chunked body, one agent whose connection is kept, JSON, Expect: 100-continue.
NODE = """
const http = require("node:http");
const base = process.argv[2];
const auth = "Basic " + Buffer.from("demo:demo-password").toString("base64");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const row = (number, smsid) => [number, ...Array(8).fill(""), "こんにちは", ...Array(7).fill(""), smsid, ...Array(46).fill("")].join(",");

function ask(path, method, headers, pieces) {
  return new Promise((resolve, reject) => {
    const request = http.request(base + path, { method, agent, headers: { authorization: auth, ...headers } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (piece) => (text += piece));
      answer.on("end", () => resolve([request.reusedSocket, answer.statusCode, text]));
    });
    request.on("error", reject);
    const send = () => { for (const piece of pieces) request.write(piece); request.end(); };
    if (headers.expect) request.on("continue", send); else send();
  });
}

(async () => {
  const form = new FormData();
  form.append("file", new Blob([row("09011112222", "n1") + "\\r\\n"]), "日本語.csv");
  const own = await fetch(base + "/api3/?smstexttype=csv", { method: "POST", body: form, headers: { authorization: auth } });
  const found = { fetched: await own.text() };
  const multipart = new Response(form);
  const body = Buffer.from(await multipart.arrayBuffer());
  const type = { "content-type": multipart.headers.get("content-type") };
  found.chunked = await ask("/api3/?smstexttype=csv", "POST", type, [body.subarray(0, 10), body.subarray(10)]);
  found.sized = await ask("/api3/?smstexttype=csv", "POST", { ...type, "content-length": body.length }, [body]);
  found.expected = await ask("/api3/?smstexttype=csv", "POST", { ...type, "content-length": body.length, expect: "100-continue" }, [body]);
  const message = { mobilenumber: "09011112222", smstext: "こんにちは", status: "1", smsid: "n2" };
  found.form = await ask("/api/", "POST", { "Content-Type": "application/x-www-form-urlencoded" }, [new URLSearchParams(message).toString()]);
  const asked = await fetch(base + "/api/", { method: "POST", headers: { authorization: auth, "content-type": "application/json" }, body: JSON.stringify({ ...message, smsid: "n3" }) });
  found.json = await asked.json();
  found.got = await ask("/api/?" + new URLSearchParams({ ...message, smsid: "n4" }), "GET", {}, []);
  found.result = await ask("/api5/?smsid=n2", "GET", {}, []);
  agent.destroy();
  console.log(JSON.stringify(found));
})();
"""


def _serving(*more: str) -> Iterator[Served]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEDIASMS_")}
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "gateway", "serve", "--port", "0", "--lang", "en", *more],
        env=environment,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        found: dict[str, str] = {}
        what = ""
        while "attempts to notify" not in found:
            assert select.select([process.stdout], [], [], 60)[0]
            line = process.stdout.readline().decode().rstrip("\n")
            if line.startswith("listening on "):
                found["url"] = line.split()[2]
            elif line.startswith("# "):
                what = line.removeprefix("# ")
            elif what and line:
                found[what], what = line, ""
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
        ended = subprocess.run(["sh", "-c", line], capture_output=True, timeout=30, check=False)
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
    assert said["individual result"].startswith("200\n")
    assert len(said["results CSV"].splitlines()) == 4
    assert json.loads(said["knobs (here: where notifications go)"])["notify_url"] == "http://127.0.0.1:8026/"
    assert json.loads(said["register templates"]) == {"12": "{info1}様 ご予約の確認です"}
    assert json.loads(said["advance the clock"])["now"]
    assert len(said["messages received"].splitlines()) == 4


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


def test_node_writes_bodies_in_its_own_ways(tool: Callable[[str], str], served: Served, tmp_path: Path) -> None:
    script = tmp_path / "client.cjs"
    script.write_text(NODE, "utf-8")
    _, lines = served
    ended = subprocess.run(
        [tool("node"), str(script), lines["url"]], capture_output=True, timeout=60, check=False, text=True
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
