"""Inventory: do the files that the ledger knows of lie in the workspace? By size; contents are checked in use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.adapters.marks import Mark, marker_name
from pipeline.context import Context
from pipeline.ledger.batches import list_batches
from pipeline.ledger.dispatches import list_dispatches
from pipeline.model import Artefact, Dispatch
from pipeline.operations.next_step import Step, next_step


@dataclass(frozen=True, slots=True)
class Gap:
    """What of a batch is gone, or has another size: artefacts and markers by name, or its whole folder.

    ``stops`` is the file for want of which the batch cannot be sent; None where nothing is to be sent, or can be.
    ``is_over``: the batch has its results, or never gets any more, so that its files may be gone on purpose.
    """

    batch_id: str
    files: tuple[str, ...]
    has_folder: bool
    is_over: bool
    stops: Path | None

    @property
    def is_finding(self) -> bool:
        """Say whether somebody should look: not where a batch that is over was cleared away as a whole."""
        return self.has_folder or not self.is_over


def gaps(context: Context) -> Iterator[Gap]:
    """Yield what is not there, batch by batch."""
    marked = _marked(context)
    for batch in list_batches(context.ledger):
        dispatches = list_dispatches(context.ledger, batch.batch_id)
        unmarked = {marker_name(one.number) for one in dispatches if _is_unmarked(one, marked)}
        folder = context.workspace.batch_folder(batch.batch_id)
        known = {found.name: found for found in (*batch.artefacts, *(one.payload for one in dispatches))}
        lost = {name for name, artefact in known.items() if _is_lost(folder / name, artefact)}
        if lost or unmarked:
            step = next_step(context, batch)
            needed = _needed(dispatches) if step is Step.SEND else set()
            stops = min((folder / name for name in lost & needed), default=None)
            is_over = step not in {Step.SEND, Step.PULL}
            yield Gap(batch.batch_id, tuple(sorted(lost | unmarked)), folder.is_dir(), is_over, stops)


def mark_again(context: Context) -> int:
    """Write markers again that are gone, or say less than the ledger knows; return how many.

    Not where a whole folder is gone: that is for a person to bring back, or was cleared away.
    """
    marked = _marked(context)
    count = 0
    for batch in list_batches(context.ledger):
        if context.workspace.batch_folder(batch.batch_id).is_dir():
            dispatches = list_dispatches(context.ledger, batch.batch_id)
            unmarked = [one for one in dispatches if _is_unmarked(one, marked)]
            if unmarked:
                marks = [
                    Mark(batch.batch_id, one.number, one.attempts, one.begun_at, one.payload.name)
                    for one in unmarked
                    if one.begun_at
                ]
                context.workspace.mark_group_begun(batch.batch_id, marks)
            count += len(unmarked)
    return count


def _marked(context: Context) -> dict[tuple[str, int], int]:
    """Return by batch and number how often each dispatch was begun, as its marker says."""
    return {(mark.batch_id, mark.number): mark.attempts for mark in context.workspace.begun()}


def _is_unmarked(dispatch: Dispatch, marked: dict[tuple[str, int], int]) -> bool:
    # One that came back without a byte read may have failed for want of its marker.
    return dispatch.begun_at is not None and marked.get((dispatch.batch_id, dispatch.number), 0) < dispatch.attempts


def _is_lost(path: Path, artefact: Artefact) -> bool:
    # A payload that was gone when its dispatch was recovered is known by its name only.
    return bool(artefact.sha256) and not (path.is_file() and path.stat().st_size == artefact.size)


def _needed(dispatches: list[Dispatch]) -> set[str]:
    """Return the names of what sending the rest of a batch reads."""
    return {"accepted.csv", *(one.payload.name for one in dispatches if one.is_planned)}
