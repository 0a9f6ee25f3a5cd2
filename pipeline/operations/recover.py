"""Recover: after the ledger went back in time, enter every attempt that only its marker on disk still knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.adapters.csv_in import read_chunks
from pipeline.adapters.files import hash_file
from pipeline.adapters.marks import Mark, last_number, marker_name
from pipeline.context import Context
from pipeline.core.msisdn import canonical_result
from pipeline.errors import GuardStopped
from pipeline.ledger.batches import find_batch
from pipeline.ledger.dispatches import dispatch_id, dispatched
from pipeline.ledger.recovering import Lost, clear_places, recover_dispatch, smsids_of
from pipeline.model import Artefact, Batch, MessageState, Mode
from pipeline.stages.guards import lost_attempts
from pipeline.stages.planning import accepted_rows, payload_column, plan
from schemas.single import form_of

_CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many attempts were entered, and how many messages are unknown by them."""

    dispatches: int
    messages: int


def recover(context: Context) -> Recovered:
    """Enter lost attempts as unknown, batch by batch, under the lock of its campaign.

    Raises ``GuardStopped``, after all others have been entered, where the ledger does not even know a batch
    (``ledger.batch_lost``) or a batch does not hold all that was begun of it (``ledger.rows_lost``). Until somebody
    hands in its list again, nothing is sent.
    """
    lost: dict[str, list[Mark]] = {}
    for mark in lost_attempts(context):
        lost.setdefault(mark.batch_id, []).append(mark)
    dispatches = messages = 0
    strangers: list[str] = []
    gaps: list[GuardStopped] = []
    for batch_id, marks in lost.items():
        if (batch := find_batch(context.ledger, batch_id)) is None:
            strangers.append(batch_id)
            continue
        with context.campaign_lock(batch.campaign):
            found = list(_read(context, marks))
            if gap := _gap(context, batch, found):
                gaps.append(gap)
                continue
            if batch.planned_at is None:
                # What lies there was laid out by the plan that is lost.
                is_single = any(form_of(lost.payload.name) for lost in found)
                # No payload takes the place of one that lies there: killed now, what was begun is found again; and what
                # the latest ledger has planned must be as it was, should that one be put back.
                first = last_number(context.workspace.batch_folder(batch_id)) + 1
                plan(context, batch, Mode.SINGLE if is_single else Mode.CSV, first=first)
            for one in found:
                messages += recover_dispatch(context.ledger, one, context.now())
                dispatches += 1
    if strangers:
        folder = context.workspace.batch_folder(strangers[0])
        raise GuardStopped("ledger.batch_lost", batch=strangers[0], folder=str(folder), count=len(strangers))
    if gaps:
        raise gaps[0]
    return Recovered(dispatches, messages)


def _gap(context: Context, batch: Batch, found: Sequence[Lost]) -> GuardStopped | None:
    """Say so where rows were begun that the batch does not hold as the ledger knows it; None where it holds all.

    A message of another batch may count as serving such a row now. While it waits it may be the second one: it is
    cancelled. Only one that was taken keeps everybody from writing to its recipient for good.
    """
    missing = {smsid for one in found for smsid in one.smsids} - _held(context, batch)
    if not missing:
        return None
    numbers = _numbers(context, found, missing)
    served = context.workspace.checked(batch.batch_id, batch.artefact("already.csv"))
    others = [smsid for table in read_chunks(served, _CHUNK, {}) for smsid in table["smsid"].to_pylist()]
    places = clear_places(context.ledger, others, numbers, context.now())
    states = Counter(place.state for place in places)
    taken = Counter(place.msisdn for place in places if place.state is MessageState.TAKEN)
    if taken == Counter(place.msisdn for place in places) and taken >= numbers:
        return None
    facts = {
        "count": numbers.total(),
        "waiting": states[MessageState.PLANNED],
        "open": states[MessageState.UNKNOWN] + states[MessageState.IN_FLIGHT],
        "rejected": str(context.workspace.batch_folder(batch.batch_id) / "rejected.csv"),
    }
    return GuardStopped("ledger.rows_lost", batch=batch.batch_id, **facts)


def _held(context: Context, batch: Batch) -> set[str]:
    """Return the smsids of a batch's messages, or of the rows that will be."""
    if batch.planned_at is not None:
        return smsids_of(context.ledger, batch.batch_id)
    return {smsid for chunk in accepted_rows(context, batch) for smsid in chunk["smsid"].tolist()}


def _numbers(context: Context, found: Sequence[Lost], wanted: set[str]) -> Counter[str]:
    """Count the messages ``wanted`` by their numbers, as payloads have them."""
    numbers: Counter[str] = Counter()
    for one in found:
        if not wanted.isdisjoint(one.smsids):
            payload = context.workspace.batch_folder(one.batch_id) / one.payload.name
            column = payload_column(context, payload, "msisdn")["msisdn"].tolist()
            rows = zip(one.smsids, column, strict=True)
            numbers.update(canonical_result(number) for smsid, number in rows if smsid in wanted)
    return numbers


def _read(context: Context, marks: list[Mark]) -> Iterator[Lost]:
    for mark in marks:
        payload = _payload(context.workspace.batch_folder(mark.batch_id), mark)
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


def _payload(folder: Path, mark: Mark) -> Path:
    """Return the payload of what was begun. Where an old marker does not name it, it is the latest of its number."""
    if mark.payload:
        return folder / mark.payload
    marker = folder / marker_name(mark.number)
    # A plan in another mode, or with another encoding, may have been given up before this one.
    laid_out = [path for path in folder.glob(f"{marker.stem}.*") if path != marker]
    return max(laid_out, key=lambda path: path.stat().st_mtime, default=marker.with_suffix(".csv"))


def _smsids(context: Context, payload: Path) -> list[str]:
    """Return the smsids of a payload that lies on disk."""
    if not payload.exists():
        return []
    return [str(smsid) for smsid in payload_column(context, payload, "smsid")["smsid"].tolist()]
