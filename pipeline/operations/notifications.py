"""Take result notifications from the gateway until told to stop; each is in the ledger before it is acknowledged."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.adapters.notifications import Application, Endpoint, Recorder, Visit
from pipeline.adapters.senders import Credentials, Sources
from pipeline.adapters.serving import Place, serve
from pipeline.context import Context, credentials
from pipeline.errors import Exit, MediasmsError
from pipeline.ledger.notifications import check_readable, kept_open, record_notifications
from pipeline.ledger.results import settle
from pipeline.model import Observation
from schemas.notification import read_notification
from schemas.profile import required


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told what: where we listen, every request, and what kept notifications from being recorded or settled."""

    ready: Callable[[str], None]
    visited: Callable[[Visit], None]
    failed: Callable[[MediasmsError], None]


def serve_notifications(context: Context, told: Told) -> Exit:
    """Serve until a signal; return the exit code that says which. Raises ``UsageError`` where settings are missing."""
    settings, profile = context.settings.notifications, context.profile
    form = required(profile.notification, "notification")
    username, password = credentials(context.configuration, context.environment)
    endpoint = Endpoint(
        settings.path,
        Sources(settings.allow, settings.trusted_proxies),
        Credentials(username, password),
        settings.body_limit,
        form.encoding.value,
        form.answer.value,
        lambda fields: read_notification(fields, profile),
    )
    recorder = Recorder(
        lambda rows: record(context, rows, told.failed), lambda: check_readable(context.ledger), told.visited
    )
    place = Place(
        settings.host,
        settings.port,
        context.configuration.path(settings.cert_file) if settings.cert_file else None,
        context.configuration.path(settings.key_file) if settings.key_file else None,
    )
    with kept_open(context.ledger):
        caught = serve(Application(endpoint, recorder), place, told.ready)
    return Exit.INTERRUPTED if caught is signal.SIGINT else Exit.TERMINATED


def record(context: Context, rows: Sequence[Observation], failed: Callable[[MediasmsError], None]) -> None:
    """Commit observations, then settle what they prove.

    What cannot be settled now is settled by the next pull: the observations are there, and that is what is
    acknowledged.
    """
    now = context.now()
    try:
        proven = record_notifications(context.ledger, rows, now)
    except MediasmsError as error:
        failed(error)
        raise
    if proven:
        try:
            settle(context.ledger, now, proven)
        except MediasmsError as error:
            failed(error)
