"""Answers that are none: a reset connection, silence. And the transport that makes a real reset possible."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_RESET = "mediasms.reset"
# On, with no time to linger: closing throws away what is buffered and sends RST instead of FIN.
_NO_LINGER = struct.pack("ii", 1, 0)


class ResettableProtocol(H11Protocol):
    """uvicorn's HTTP protocol that lets the application reset its connection.

    ASGI has no message for that, and raising an error only makes uvicorn answer 500. ``scope["extensions"]``
    is the place ASGI gives servers for more, so the application is wrapped to find the reset there.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed through to uvicorn unseen
        """Wrap the application."""
        super().__init__(*args, **kwargs)
        application = self.app

        async def resettable(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - uvicorn's types are private
            scope.setdefault("extensions", {})[_RESET] = self.reset
            # Cancelled at the server's end, when the client is gone: nothing to report.
            with contextlib.suppress(asyncio.CancelledError):
                await application(scope, receive, send)

        self.app = resettable

    def reset(self) -> None:
        """Close the connection with a TCP reset."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()


class Silence(Response):
    """No answer at all, until the client leaves."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - an ASGI signature
        """Wait for the client to leave."""
        while (await receive())["type"] != "http.disconnect":
            pass


class Reset(Silence):
    """A reset connection instead of an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reset, then wait until the server has noticed, so that it does not answer for us."""
        scope["extensions"][_RESET]()
        await super().__call__(scope, receive, send)
