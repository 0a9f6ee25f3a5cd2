"""The embedded gateway as a running server: in a background thread, on loopback and nowhere else."""

from __future__ import annotations

import asyncio
import queue
import signal
import socket
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

import uvicorn

from pipeline.simulator.application import application
from pipeline.simulator.clock import VirtualClock
from pipeline.simulator.knobs import Knobs
from pipeline.simulator.misbehaviour import ResettableProtocol
from pipeline.simulator.state import GatewayState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from pipeline.simulator.notifications import Notification
    from pipeline.simulator.store import Message
    from schemas.profile import Profile

_LOOPBACK = "127.0.0.1"
_BACKLOG = 1024
_AS_IT_SHOULD = Knobs()
# Longer than any pause of a client, so that none meets a connection that is just being closed.
_KEEP_ALIVE_SECONDS = 600


class EmbeddedGateway:
    """The gateway of ``profile`` as a context manager: a real HTTP server while the block runs.

    ``seed`` decides carriers and what happens to each message. Port 0 takes a free one. Leaving the block
    ends every connection and joins the thread; what was taken can still be read.
    """

    def __init__(  # noqa: PLR0913 - all but profile and seed have a default
        self,
        profile: Profile,
        *,
        seed: int,
        username: str = "demo",
        password: str = "demo-password",  # noqa: S107 - guards nothing but demo messages
        clock: VirtualClock | None = None,
        port: int = 0,
        knobs: Knobs = _AS_IT_SHOULD,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        """Open the account; nothing listens yet. ``certificate``: files of a chain and of its key, for TLS."""
        self.clock = clock or VirtualClock()
        self.username = username
        self.password = password
        self._state = GatewayState(profile, seed=seed, credentials=(username, password), clock=self.clock)
        self._state.knobs = knobs
        self._port = port
        self._certificate = certificate
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Listen and serve; raise ``OSError`` when the port is taken or the certificate cannot be used."""
        encryption = None if self._certificate is None else _encryption(*self._certificate)
        listener = _listen(self._port)
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            application(self._state),
            http=ResettableProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        config.load()
        config.ssl = encryption
        self._server = _Server(config)
        self._state.notifications.start()
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="embedded-gateway")
        self._thread.start()
        self._server.ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every connection and the thread."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
            self._state.notifications.stop()
        self._server = self._thread = None

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"{'http' if self._certificate is None else 'https'}://{_LOOPBACK}:{self._port}"

    @property
    def knobs(self) -> Knobs:
        """The knobs; assign others between requests. Their ``faults`` count down as faults happen."""
        return self._state.knobs

    @knobs.setter
    def knobs(self, knobs: Knobs) -> None:
        self._state.knobs = knobs

    @property
    def messages(self) -> tuple[Message, ...]:
        """What was taken, one entry per smsid and number, with how many copies."""
        return self._state.messages()

    @property
    def templates(self) -> dict[str, str] | None:
        """Texts of templates by number; None while every number has one that names it."""
        return self._state.desk.templates

    @templates.setter
    def templates(self, templates: Mapping[str, str] | None) -> None:
        self._state.desk.templates = templates

    @property
    def notifications(self) -> tuple[Notification, ...]:
        """The latest attempts to notify, the oldest first."""
        return tuple(self._state.notifications.log)

    def has_notified(self, *, seconds: float = 10) -> bool:
        """Wait until every notification that is due was accepted or given up; False when that takes longer."""
        return self._state.notifications.settled(seconds)

    @property
    def requests(self) -> dict[str, int]:
        """How many requests came, by path, whatever their answer."""
        return dict(self._state.requests)


def _listen(port: int) -> socket.socket:
    """Bind here, not in uvicorn, so that the port is known, and connections queue, before the thread runs."""
    # asyncio turns off Nagle's algorithm only where the protocol is named: without it every answer on a
    # connection that is kept waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_LOOPBACK, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _encryption(chain: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(chain, key)
    return context


class _Server(uvicorn.Server):
    """uvicorn that another thread can stop, and that stops at once where the original polls and lingers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        # Not gracefully: an answer that never comes (a swallowed upload) must not hold up the end.
        while self.server_state.connections or self.server_state.tasks:
            for connection in list(self.server_state.connections):
                if connection.transport is not None:
                    connection.transport.abort()
            await asyncio.sleep(0.001)
            # Nobody is left to be answered; some may still be as slow as they were told to be.
            for task in () if self.server_state.connections else tuple(self.server_state.tasks):
                task.cancel()


def serve(gateway: EmbeddedGateway, on_ready: Callable[[str], None] | None = None) -> signal.Signals:
    """Run ``gateway`` until SIGINT or SIGTERM and return which; for the main thread, prints nothing.

    ``on_ready`` gets the URL once the gateway listens.
    """
    # SimpleQueue.put may interrupt itself, so it is safe in a signal handler.
    received: queue.SimpleQueue[int] = queue.SimpleQueue()
    before = {
        number: signal.signal(number, lambda caught, _frame: received.put(caught))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with gateway:
            if on_ready is not None:
                on_ready(gateway.url)
            return signal.Signals(received.get())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
