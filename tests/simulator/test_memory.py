"""A large upload costs neither memory nor disk: 500 MB stream through a server of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

# Prints the URL, and at its end: bytes of memory at the peak above those at the start, files written.
SERVER = """
import os, resource, sys
from importlib import resources
from pathlib import Path
from pipeline.simulator import EmbeddedGateway, serve
from schemas.profile import parse_profile

def peak():
    status = Path("/proc/self/status")  # ru_maxrss starts at the parent's peak on Linux
    if status.exists():
        return 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

written = []
def audit(event, arguments):
    if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        written.append(arguments[0])

profile = parse_profile(resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8"), "p")
gateway = EmbeddedGateway(profile, seed=1)
sys.addaudithook(audit)
before = []
def ready(url):
    before.append(peak())
    print(url, flush=True)
serve(gateway, ready)
print(peak() - before[0], len(written), flush=True)
"""

ROWS = 55_000
TEXT = "お知らせです。" * 430  # 9,030 bytes
MEBIBYTE = 1 << 20


def pieces() -> Iterator[bytes]:
    yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="big.csv"\r\n\r\n'
    middle = ("," * 9 + TEXT + "," * 8).encode()
    end = b"," * 46 + b"\r\n"
    for first in range(0, ROWS, 100):
        yield b"".join(
            f"0901{number:07d}".encode() + middle + f"abc{number:06d}".encode() + end
            for number in range(first, first + 100)
        )
    yield b"\r\n--b--\r\n"


def test_500_megabytes_stream_through() -> None:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = process.stdout.readline().decode().strip()
        size = 0
        with socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=60) as connection:
            head = (
                "POST /api3/?smstexttype=csv&username=demo&password=demo-password HTTP/1.1\r\nHost: x\r\n"
                "Content-Type: multipart/form-data; boundary=b\r\n"
                "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            )
            connection.sendall(head.encode())
            for piece in pieces():
                size += len(piece)
                connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        process.terminate()
        out, _ = process.communicate(timeout=20)
    growth, files = map(int, out.split())
    assert size > 500_000_000
    assert f"\n{ROWS}|0|{ROWS}\n".encode() in answer
    assert growth < 64 * MEBIBYTE
    assert files == 0
