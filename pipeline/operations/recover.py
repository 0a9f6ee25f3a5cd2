"""Recover: after the ledger went back in time, enter every attempt that only its marker on disk still knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.adapters.files import hash_file
from pipeline.adapters.marks import Mark, marker_name
from pipeline.context import Context
from pipeline.errors import GuardStopped
from pipeline.ledger.batches import find_batch
from pipeline.ledger.dispatches import dispatch_id, dispatched
from pipeline.ledger.recovering import Lost, recover_dispatch
from pipeline.model import Artefact, Mode
from pipeline.stages.guards import lost_attempts
from pipeline.stages.planning import payload_column, plan
from schemas.single import form_of

_PAYLOADS = (".csv", ".form", ".json")


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many attempts were entered, and how many messages are unknown by them."""

    dispatches: int
    messages: int


def recover(context: Context) -> Recovered:
    """Enter lost attempts as unknown, batch by batch, under the lock of its campaign.

    Raises ``GuardStopped`` (``ledger.batch_lost``) when the ledger does not even know the batch, after all others have
    been entered: until somebody hands in its list again, nothing is sent.
    """
    lost: dict[str, list[Mark]] = {}
    for mark in lost_attempts(context):
        lost.setdefault(mark.batch_id, []).append(mark)
    dispatches = messages = 0
    strangers: list[str] = []
    for batch_id, marks in lost.items():
        if (batch := find_batch(context.ledger, batch_id)) is None:
            strangers.append(batch_id)
            continue
        with context.campaign_lock(batch.campaign):
            # Before anything is planned again: a plan writes its payloads where these lie.
            found = list(_read(context, marks))
            if batch.planned_at is None:
                # What lies there was laid out by the plan that is lost.
                is_single = any(form_of(lost.payload.name) for lost in found)
                plan(context, batch, Mode.SINGLE if is_single else Mode.CSV)
            for one in found:
                messages += recover_dispatch(context.ledger, one, context.now())
                dispatches += 1
    if strangers:
        folder = context.workspace.batch_folder(strangers[0])
        raise GuardStopped("ledger.batch_lost", batch=strangers[0], folder=str(folder), count=len(strangers))
    return Recovered(dispatches, messages)


def _read(context: Context, marks: list[Mark]) -> Iterator[Lost]:
    for mark in marks:
        marker = context.workspace.batch_folder(mark.batch_id) / marker_name(mark.number)
        # A plan in another mode may have been given up before this one: the later file is what was begun.
        laid_out = [path for path in map(marker.with_suffix, _PAYLOADS) if path.exists()]
        payload = max(laid_out, key=lambda path: path.stat().st_mtime, default=marker.with_suffix(".csv"))
        # Without its payload a dispatch is what the ledger says it is, if it says anything.
        smsids = _smsids(context, payload) or list(
            dispatched(context.ledger, dispatch_id(mark.batch_id, mark.number)).values()
        )
        if not smsids:
            raise GuardStopped("artefact.missing", file=str(payload))
        artefact = Artefact(payload.name, "", 0)
        if payload.exists():
            artefact = Artefact(payload.name, hash_file(payload), payload.stat().st_size)
        yield Lost(
            batch_id=mark.batch_id,
            number=mark.number,
            attempt=mark.attempts,
            payload=artefact,
            smsids=smsids,
            begun_at=mark.begun_at,
        )


def _smsids(context: Context, payload: Path) -> list[str]:
    """Return the smsids of a payload that lies on disk."""
    if not payload.exists():
        return []
    return [str(smsid) for smsid in payload_column(context, payload, "smsid")["smsid"].tolist()]
