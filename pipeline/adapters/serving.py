"""A server for the notification endpoint: listens, serves until a signal, finishes what it accepted, and ends."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from types import FrameType

import uvicorn

from pipeline.adapters.notifications import Application
from pipeline.errors import UsageError

_BACKLOG = 1024
#: more at once get 503 and come again
_CONNECTIONS = 1_000
#: longer than proxies keep an idle connection (nginx: 60 s), so that none meets one that is just being closed
_KEEP_ALIVE_SECONDS = 75
_GRACE_SECONDS = 15
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen; with certificate and key over TLS, else a proxy has to see to that."""

    host: IPv4Address | IPv6Address
    port: int
    cert_file: Path | None = None
    key_file: Path | None = None


def serve(application: Application, place: Place, ready: Callable[[str], None]) -> signal.Signals:
    """Serve until SIGINT or SIGTERM and return which came first; for the main thread.

    ``ready`` gets the base URL once connections are accepted. Raises ``UsageError`` when the address is taken or the
    certificate cannot be used.
    """
    listener = _listen(place)
    with listener:
        scheme = "https" if place.cert_file else "http"
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        config = uvicorn.Config(
            application,
            ws="none",
            loop="asyncio",
            http="h11",
            lifespan="off",
            log_config=None,
            # It would print tracebacks and addresses; what is to be said is said by the application.
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ssl_certfile=place.cert_file,
            ssl_keyfile=place.key_file,
        )
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            raise UsageError("notifications.tls", problem=error.strerror or type(error).__name__) from None
        server = _Server(config, lambda: ready(f"{scheme}://{shown}:{port}"))
        return asyncio.run(_run(server, application, listener))


async def _run(server: _Server, application: Application, listener: socket.socket) -> signal.Signals:
    application.start()
    await server.serve([listener])
    await application.close()
    assert server.caught is not None  # noqa: S101 - nothing else ends it
    return server.caught


def _listen(place: Place) -> socket.socket:
    family = socket.AF_INET6 if place.host.version == 6 else socket.AF_INET  # noqa: PLR2004 - IP
    # The protocol is named, else asyncio leaves Nagle's algorithm on and answers wait for acknowledgements.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((str(place.host), place.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise UsageError("notifications.address", host=place.host, port=place.port, problem=error.strerror) from None
    return listener


class _Server(uvicorn.Server):
    """uvicorn that ends by our signals, and waits for them instead of polling."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.caught: signal.Signals | None = None
        self._ready = ready
        self._stopping = asyncio.Event()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve; signals stay with us to the end of the process: a second one must not break what the first began."""
        loop = asyncio.get_running_loop()

        def stop(number: int, _frame: FrameType | None) -> None:
            if self.caught is None:
                self.caught = signal.Signals(number)
                loop.call_soon_threadsafe(self._stopping.set)

        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, stop)
        await self._serve(sockets)

    async def main_loop(self) -> None:
        """Wait for a signal."""
        self._ready()
        await self._stopping.wait()
