"""Doctor: is this installation fit to send? Nothing leaves the machine."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.adapters.gateway import check_address
from pipeline.context import Context, missing_settings
from pipeline.ledger import check_ledger
from pipeline.ledger.logins import auth_failures, note_auth
from pipeline.stages.guards import check_place


@dataclass(frozen=True, slots=True)
class Health:
    """What was found; empty tuples and zero mean all is well."""

    missing_settings: tuple[str, ...]
    ledger_problems: tuple[str, ...]
    auth_failures: int


def examine_installation(context: Context, *, reset_auth: bool) -> Health:
    """Check settings, ledger and markers; with ``reset_auth`` forget refused logins first.

    Raises what a run would raise before it sends: ``UsageError`` for an address or credentials that cannot work.
    """
    url = context.settings.gateway.base_url
    if reset_auth:
        note_auth(context.ledger, url, context.now(), failed=False)
    check_place(context)
    missing = tuple(missing_settings(context.configuration, context.environment))
    if url:
        check_address(url)
    if not missing:
        _ = context.gateway  # it is made, and asked for nothing
    return Health(
        missing,
        tuple(check_ledger(context.ledger)),
        auth_failures(context.ledger, url),
    )
