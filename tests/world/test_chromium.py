from __future__ import annotations

import re
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.world.conftest import Demo

pytestmark = pytest.mark.world
_MAKER = re.compile(r"^(?:https?://)?[a-z0-9.-]*(?:google|googleapis|gstatic|gvt1)\.com(?:[:/]|$)")


@contextmanager
def _proxy() -> Iterator[tuple[str, list[str]]]:
    """Stand where every request of the browser has to pass; answer none, keep their targets."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def _refuse(self) -> None:
            asked.append(self.path)
            self.send_error(502)

        do_GET = do_POST = do_CONNECT = do_HEAD = _refuse  # noqa: N815 - names of http.server

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _open(program: str, page: Path, folder: Path, *more: str) -> tuple[str, str, list[str]]:
    """Open a page; return its DOM, what its console said, and where it went."""
    with _proxy() as (address, asked):
        ended = subprocess.run(
            [
                program,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-dev-shm-usage",
                "--no-first-run",
                f"--user-data-dir={folder}",
                f"--proxy-server={address}",
                "--proxy-bypass-list=<-loopback>",
                "--enable-logging=stderr",
                *more,
                page.as_uri(),
            ],
            capture_output=True,
            timeout=110,
            check=True,
        )
    # The browser talks to its maker whatever page it shows; the pages themselves are searched for that below.
    asked = [target for target in asked if not _MAKER.search(target)]
    console = "\n".join(re.findall(r".*CONSOLE.*", ended.stderr.decode(errors="replace")))
    return ended.stdout.decode(), console, asked


def test_the_page_is_quiet_and_needs_nothing(demo: Demo, tool: Callable[[str], str], tmp_path: Path) -> None:
    dom, console, asked = _open(tool("chromium"), demo.page, tmp_path / "user", "--dump-dom")
    assert console == ""
    assert asked == []
    assert not re.search(r"google|gstatic|gvt1", demo.page.read_text("utf-8"))
    assert "MediaSMS 突合レポート" in dom
    assert demo.document["batch_id"] in dom
    assert f"{demo.document['messages']:,}" in dom


def test_the_page_can_be_seen(demo: Demo, tool: Callable[[str], str], tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    _open(tool("chromium"), demo.page, tmp_path / "user", f"--screenshot={picture}", "--window-size=1200,2000")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000


def test_a_page_that_is_not_quiet_would_be_noticed(tool: Callable[[str], str], tmp_path: Path) -> None:
    page = tmp_path / "loud.html"
    page.write_text('<img src="http://elsewhere.test/x.png"><script>console.error("loud")</script>', "utf-8")
    _, console, asked = _open(tool("chromium"), page, tmp_path / "user", "--dump-dom")
    assert "loud" in console
    assert asked == ["http://elsewhere.test/x.png"]
