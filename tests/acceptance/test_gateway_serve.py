"""What ``mediasms gateway serve`` prints, and what it never prints."""

from __future__ import annotations

import json
import os
import select
import signal
import urllib.request
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import Home


def until(home: Home, *arguments: str, end: str) -> tuple[str, str]:
    """Start the server, read until a line begins with ``end``, stop it; return what it said."""
    running = home.start("gateway", "serve", "--port", "0", *arguments)
    said = ""
    try:
        assert running.stdout is not None
        while not any(line.startswith(end) for line in said.splitlines()):
            assert select.select([running.stdout], [], [], 30)[0]
            piece = os.read(running.stdout.fileno(), 65_536).decode()
            assert piece, said
            said += piece
        url = next(word for word in said.replace('"', " ").split() if word.startswith("http://127"))
        with urllib.request.urlopen(url.rstrip("/,") + "/", timeout=20) as answer:  # noqa: S310 - our own address
            assert answer.status == 200
    finally:
        running.send_signal(signal.SIGTERM)
        _, err = running.communicate(timeout=30)
    return said, err.decode()


def test_it_prints_address_credentials_and_a_line_for_each_interface(home: Home) -> None:
    home.environment.pop("MEDIASMS_GATEWAY_PASSWORD", None)
    said, err = until(home, "--lang", "ja", end="# 結果通知の記録")
    assert err == ""
    assert "パスワード demo-password" in said
    for path in ("/api3/", "/api/", "/api4/", "/api5/", "/cancelapi/", "/_/knobs", "/_/templates", "/_/clock"):
        assert path in said


def test_a_password_from_the_environment_is_never_printed(home: Home) -> None:
    home.environment["MEDIASMS_GATEWAY_PASSWORD"] = "pw-Kumo7Hare"  # noqa: S105 - of the embedded gateway
    said, err = until(home, "--lang", "en", end="# attempts to notify")
    assert "pw-Kumo7Hare" not in said + err
    assert "password $MEDIASMS_GATEWAY_PASSWORD" in said


def test_one_document_for_programs(home: Home) -> None:
    said, _ = until(home, "--json", end="}")
    document = json.loads(said)
    assert document["username"] == "demo"
    names = {"send_csv", "send_single", "send_json", "result_single", "results_csv", "cancel", "check"}
    assert names <= document["curl"].keys()


@pytest.mark.parametrize("options", [("--cert", "x.pem"), ("--key", "x.pem"), ("--cert", "x.pem", "--key", "y.pem")])
def test_a_certificate_that_cannot_be_used_is_a_usage_error(home: Home, options: tuple[str, ...]) -> None:
    done = home("gateway", "serve", "--port", "0", *options, "--json")
    assert (done.code, done.document["error"]) == (2, "gateway.certificate")


def test_a_key_that_is_none_is_a_usage_error(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "none.pem"
    file.write_text("none", "utf-8")
    done = home("gateway", "serve", "--port", "0", "--cert", str(file), "--key", str(file), "--json")
    assert (done.code, done.document["error"]) == (2, "gateway.certificate")
