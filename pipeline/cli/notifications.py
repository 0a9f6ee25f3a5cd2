"""The endpoint that the gateway notifies of results."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from pipeline.cli.main import Session, common
from pipeline.errors import Exit

if TYPE_CHECKING:
    from pipeline.adapters.notifications import Visit


@click.group("notifications")
def notifications_command() -> None:
    """Results that the gateway notifies by itself."""


@notifications_command.command("serve")
@click.option("--host", help="Address to listen on; default notifications.host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; default notifications.port, 0: any free one.")
@common
def notifications_serve(session: Session, *, host: str | None, port: int | None) -> Exit:
    """Take result notifications until SIGTERM; each is in the ledger before it is acknowledged."""
    from pipeline.operations.notifications import Told, serve_notifications

    flags = {key: value for key, value in {"host": host, "port": port}.items() if value is not None}
    output = session.output
    with session.context(flags={"notifications": flags}) as context:
        settings = context.settings.notifications

        def ready(url: str) -> None:
            if not settings.host.is_loopback and settings.cert_file is None:
                output.urge("notifications.cleartext", host=settings.host)
            username = context.settings.gateway.username
            output.say("notifications.ready", url=f"{url}{settings.path}", health=f"{url}/healthz")
            output.say("notifications.enter", path=settings.path, username=username)
            output.document({"url": f"{url}{settings.path}", "health": f"{url}/healthz", "username": username})
            sys.stdout.flush()

        def visited(visit: Visit) -> None:
            # A log that cannot be written must not turn what is durable into a failure.
            with suppress(OSError):
                output.note(
                    "notifications.visit",
                    source=visit.source,
                    method=visit.method,
                    path=visit.path,
                    status=visit.status,
                    reason=f" {visit.reason}" if visit.reason else "",
                    milliseconds=round(visit.milliseconds),
                )

        ended = serve_notifications(context, Told(ready, visited, output.failure))
    with suppress(OSError):
        output.urge("notifications.stopped")
    return ended
