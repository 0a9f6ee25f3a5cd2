"""The login guard that every stage passes before it talks to the gateway."""

from __future__ import annotations

from pipeline.context import Context
from pipeline.errors import GuardStopped
from pipeline.ledger.logins import auth_failures


def stop_after_failed_logins(context: Context) -> None:
    """Refuse to try a login that was refused too often: at 10 the gateway blocks the address."""
    limit = context.settings.send.auth_failures
    if auth_failures(context.ledger, context.settings.gateway.base_url) >= limit:
        raise GuardStopped("guard.auth_failures", count=limit)
