"""A pooler as PgBouncer is in transaction mode: each transaction goes to another server process."""

from __future__ import annotations

import secrets
import socket
import struct
import threading
from contextlib import suppress

_SSL_REQUESTS = (80877103, 80877104)
_QUERY, _SYNC, _READY, _KEY = b"Q", b"S", b"Z", b"K"


class Pooler:
    """A TCP port in front of a server's socket.

    Each client gets ``width`` server sessions, and every transaction of it the next of them. The client is told a
    process number that is made up, as real poolers do. A ``sly`` one is harder to tell: it passes the number of its
    first server session on, and keeps to that one until a lock was taken in it, as when nobody else is about.
    """

    def __init__(self, folder: str, *, width: int = 2, sly: bool = False) -> None:
        self._server = f"{folder}/.s.PGSQL.5432"
        self._width = width
        self._sly = sly
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, struct.error):
            start = self._startup(client)
            backends = [self._connect(start) for _ in range(self._width)]
            self._open += [backend for backend, _ in backends]
            greeting = backends[0][1]
            if not self._sly:
                at = greeting.index(_KEY) + 5
                greeting = greeting[:at] + secrets.token_bytes(4) + greeting[at + 4 :]
            client.sendall(greeting)
            turn, moves = 0, not self._sly
            while True:
                turn = (turn + moves) % self._width
                moves |= self._transaction(client, backends[turn][0])

    def _startup(self, client: socket.socket) -> bytes:
        while True:
            (length,) = struct.unpack("!I", _exactly(client, 4))
            rest = _exactly(client, length - 4)
            if struct.unpack("!I", rest[:4])[0] not in _SSL_REQUESTS:
                return struct.pack("!I", length) + rest
            client.sendall(b"N")

    def _connect(self, start: bytes) -> tuple[socket.socket, bytes]:
        backend = socket.socket(socket.AF_UNIX)
        backend.connect(self._server)
        backend.sendall(start)
        greeting = b""
        while True:
            kind, message = _message(backend)
            greeting += message
            if kind == _READY:
                return backend, greeting

    @staticmethod
    def _transaction(client: socket.socket, backend: socket.socket) -> bool:
        """Pass messages on until the server says that no transaction is open; say whether a lock was asked for."""
        locks = False
        while True:
            kind, message = _message(client)
            locks |= b"pg_try_advisory_lock" in message
            backend.sendall(message)
            if kind not in {_QUERY, _SYNC}:
                continue
            while True:
                kind, message = _message(backend)
                client.sendall(message)
                if kind == _READY:
                    break
            if message[-1:] == b"I":
                return locks


def _message(source: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(source, 5)
    (length,) = struct.unpack("!I", head[1:])
    return head[:1], head + _exactly(source, length - 4)


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = source.recv(count - len(data))
        if not part:
            raise ConnectionResetError
        data += part
    return data
