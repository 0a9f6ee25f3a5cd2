"""Months: everything that belongs to one, what it should be invoiced at, and what has changed since it was closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pyarrow as pa

from pipeline.adapters.snapshots import read_snapshot, write_snapshot
from pipeline.context import Context
from pipeline.core.bill import bill_of
from pipeline.core.calendar import JST, month_days, stamp
from pipeline.core.placing import Placing, alike, place, places_of
from pipeline.core.restating import restated, snapshot
from pipeline.core.variance import variance_of
from pipeline.errors import UsageError
from pipeline.ledger.closing import Closing, began_at, list_closings, record_closing
from pipeline.ledger.decisions import decided_since
from pipeline.ledger.evidence import month_evidence
from pipeline.model import MessageLine, MonthSubject, Reconciliation, Restatement
from pipeline.stages.invoicing import read_invoice
from pipeline.stages.judging import matching_by_number
from pipeline.stages.reconcile import Reconciled, added_up, written


@dataclass(frozen=True, slots=True)
class Closed:
    """A month's reconciliation and the number of its closing; ``is_new`` where it was not the same already."""

    reconciled: Reconciled
    number: int
    is_new: bool


def reconcile_month(context: Context, month: str, *, invoice: Path | None = None, unmask: bool = False) -> Reconciled:
    """Reconcile what belongs to a month (YYYY-MM), of all batches, as of now, and write its reports.

    With an ``invoice`` every yen of difference is explained as far as it can be. Where the month was closed, it says
    what has changed since.
    """
    value, lines = _added_up(context, month)
    if closings := list_closings(context.ledger, month):
        changed = _restatements(context, _reported(context, closings), snapshot(lines, value))
        value = replace(_closed(value, closings[0].closed_at), restatements=changed)
    if invoice is not None:
        variance = variance_of(read_invoice(context, invoice, month), value, lines, context.tariff)
        value = replace(value, variance=variance)
    return written(context, context.workspace.month_folder(month), {}, value, lines, unmask=unmask)


def placed_on(context: Context, invoice: Path, month: str) -> Placing:
    """Return on which lines of an invoice the messages of its month (YYYY-MM) belong; nothing is written.

    Raises as ``read_invoice`` does.
    """
    read = read_invoice(context, invoice, month)
    _, lines = added_up_in(context, month, context.now())
    return place(alike(lines, {}, context.tariff), places_of(read.items), read.counts)


def close_month(context: Context, month: str, *, actor: str) -> Closed:
    """Close a month that is over: what it comes to now is kept, and every later difference is a restatement.

    Closed once more, it gets the next number, unless nothing has changed. The reports say that it is closed, so they
    are written when it is; where that was cut short, the next reports say it, and what that closing restated.
    Raises ``UsageError`` (``close.not_over``, ``close.nothing``), and ``TryLater`` while somebody else closes it.
    """
    if context.now() < _borders(month)[1]:
        raise UsageError("close.not_over", month=month)
    # What is compared, recorded and written is one closing: two at once would write one file and record both.
    with context.month_lock(month):
        value, lines = _added_up(context, month)
        kept = snapshot(lines, value)
        closings = list_closings(context.ledger, month)
        if not closings and not _has_something(context, month, value):
            raise UsageError("close.nothing", month=month)
        before = closings[0] if closings else None
        reported = _reported(context, closings) if closings else None
        changed = _restatements(context, reported, kept) if reported else ()
        is_new = before is None or bool(changed if before is reported else _restatements(context, before, kept))
        number = (before.number if before else 0) + is_new
        # What is decided while this is read and written comes after it.
        closed_at = value.as_of if before is None or is_new else before.closed_at
        if is_new:
            path = context.workspace.month_folder(month) / f"closing-{number:02d}.arrow"
            number = record_closing(
                context.ledger,
                month,
                write_snapshot(path, kept),
                closed_at,
                actor=actor,
                tariff_sha256=context.tariff.sha256,
                profile_sha256=context.profile.sha256,
            )
        value = replace(_closed(value, closed_at), restatements=changed)
        reconciled = written(context, context.workspace.month_folder(month), {}, value, lines)
        return Closed(reconciled, number, is_new=is_new)


def _has_something(context: Context, month: str, value: Reconciliation) -> bool:
    """Say whether a month has anything to freeze: messages, results, or the fees of a month that this ledger has seen.

    An account is charged its fees in a quiet month, too; but a month before this ledger began had other messages.
    """
    if not value.is_empty or value.foreign_rows or value.foreign.messages or value.breaks:
        return True
    return value.bill is not None and bool(value.bill.fees) and began_at(context.ledger) < _borders(month)[1]


def _reported(context: Context, closings: Sequence[Closing]) -> Closing:
    """Return of closings, the last one first, that which reports are compared with: the last that any report knows.

    Of one whose reports were cut short nobody has been told what it restated. Where no report is left, it is the last.
    """
    folder = context.workspace.month_folder(closings[0].month)
    last = max((path.name for path in folder.glob("reconciliation-*.json")), default="")
    known = (closing for closing in closings if last >= f"reconciliation-{stamp(closing.closed_at)}")
    return next(known, closings[0])


def _added_up(context: Context, month: str) -> tuple[Reconciliation, Iterable[MessageLine]]:
    """Add up what belongs to a month as of now, with its bill."""
    value, lines = added_up_in(context, month, context.now())
    return replace(value, bill=bill_of(value, context.tariff)), lines


def _closed(value: Reconciliation, closed_at: datetime) -> Reconciliation:
    """Return a month's value that says when it was closed."""
    assert isinstance(value.subject, MonthSubject)  # noqa: S101 - it was asked for
    return replace(value, subject=replace(value.subject, closed_at=closed_at))


def added_up_in(context: Context, month: str, now: datetime) -> tuple[Reconciliation, Iterable[MessageLine]]:
    """Read what may belong to a month, and reconcile what does."""
    first, end = _borders(month)
    around = timedelta(days=context.settings.results.deadline_days)
    month_by = context.settings.billing.month_by
    evidence = month_evidence(context.ledger, first, end, month_by, around, by_number=matching_by_number(context))
    return added_up(context, evidence, month, now)


def _borders(month: str) -> tuple[datetime, datetime]:
    first, end = (datetime.combine(day, time(), JST) for day in month_days(month))
    return first, end


def _restatements(context: Context, closing: Closing, now: pa.Table) -> tuple[Restatement, ...]:
    before = read_snapshot(context.workspace.checked_snapshot(closing.month, closing.snapshot))
    return restated(
        before,
        now,
        statuses=context.statuses,
        tariff_changed=context.tariff.sha256 != closing.tariff_sha256,
        profile_changed=context.profile.sha256 != closing.profile_sha256,
        decided=decided_since(context.ledger, closing.closed_at),
    )
