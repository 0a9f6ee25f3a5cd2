"""A network between the product and the embedded gateway that breaks where it is told to: real sockets on loopback."""

from __future__ import annotations

import http.client
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

HOST = "127.0.0.1"
UPLOAD, RESULTS = "/api3/", "/api4/"
#: nothing here waits longer, whatever the other side does
_PATIENCE = 20.0
_NO_LINGER = struct.pack("ii", 1, 0)


class Request:
    """One request on its way: what is done with it is up to a fault."""

    def __init__(self, client: socket.socket, upstream: tuple[str, int], head: bytes) -> None:
        self.head = head
        self.method, self.target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        lines = [line.partition(b":") for line in head.split(b"\r\n")[1:] if line]
        self.headers = {name.decode().lower(): value.strip().decode() for name, _, value in lines}
        self.length = int(self.headers.get("content-length", "0"))
        self._client = client
        self._upstream = upstream

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def body(self, length: int | None = None) -> bytes:
        """Read so much of the body, by default all."""
        wanted = self.length if length is None else length
        data = b""
        while len(data) < wanted and (piece := self._client.recv(wanted - len(data))):
            data += piece
        return data

    def forward(self, body: bytes) -> tuple[int, bytes]:
        """Let the gateway have the whole request; return its answer."""
        connection = http.client.HTTPConnection(*self._upstream, timeout=_PATIENCE)
        try:
            connection.request(self.method, self.target, body or None, self.headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def forward_cut(self, body: bytes) -> None:
        """Let the gateway have only a part of the request."""
        with socket.create_connection(self._upstream, _PATIENCE) as part:
            part.sendall(self.head + body)

    def reply(self, status: int, body: bytes, *headers: str, length: int | None = None) -> None:
        self._client.sendall(answer(status, body, *headers, length=length))

    def dribble(self, data: bytes, pause: float) -> None:
        """Send a byte, wait, send the next."""
        for position in range(len(data)):
            self._client.sendall(data[position : position + 1])
            time.sleep(pause)

    def raw(self, data: bytes) -> None:
        self._client.sendall(data)

    def reset(self) -> None:
        """Have the connection end with a TCP reset when it is closed."""
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)

    def silence(self) -> None:
        """Say nothing until the client leaves."""
        self._client.recv(1)


def answer(status: int, body: bytes, *headers: str, length: int | None = None) -> bytes:
    """Return an answer on the wire; ``length`` is what it claims."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


Fault = Callable[[Request], None]


class Wire:
    """The way to a gateway. ``fault`` gets the next request to ``path``; the connection ends after it."""

    def __init__(self, upstream: str, tls: ssl.SSLContext | None = None) -> None:
        host, _, port = upstream.removeprefix("http://").partition(":")
        self.upstream = (host, int(port))
        self.tls = tls
        self.fault: Fault | None = None
        self.path = UPLOAD
        self.drop_connections = False
        #: heads of requests that arrived, and TLS handshakes that failed
        self.heads: list[bytes] = []
        self.failures: list[str] = []
        self._lock = threading.Lock()
        self._server = _Server((HOST, 0), _Handler)
        self._server.wire = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{HOST}:{self.port}"

    @property
    def is_whole(self) -> bool:
        """Say that no fault waits for its request."""
        return self.fault is None

    def take_fault(self, path: str) -> Fault | None:
        with self._lock:
            if path != self.path:
                return None
            fault, self.fault = self.fault, None
            return fault

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    wire: Wire
    # Connections that a client keeps open must not hold up the end; their threads end with their sockets.
    daemon_threads = True
    block_on_close = False


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        wire, client = self.server.wire, self.request
        client.settimeout(_PATIENCE)
        if wire.drop_connections:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            return
        try:
            if wire.tls:
                client = self.request = wire.tls.wrap_socket(client, server_side=True)
            self._serve(wire, client)
        except ssl.SSLError as error:
            wire.failures.append(error.reason)
        except OSError:
            return  # the client has left: what that means is for the product to say

    def _serve(self, wire: Wire, client: socket.socket) -> None:
        while head := _head(client):
            wire.heads.append(head)
            request = Request(client, wire.upstream, head)
            if fault := wire.take_fault(request.path):
                fault(request)
                return
            request.reply(*request.forward(request.body()))

    def finish(self) -> None:
        self.request.close()


def _head(client: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        piece = client.recv(1)
        if not piece:
            return b""
        data += piece
    return data
