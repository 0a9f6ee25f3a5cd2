"""The reconciliation of a batch or a month: matches, prices and breaks added up into one value and its lines.

Messages that are alike in everything that is added up are one cell. Prices are looked up once for each combination
that occurs, and money is count × price, exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.billing import Tariff
from pipeline.core.calendar import JST, month_phase
from pipeline.core.cells import Cell, counted, exact_amount, group_lines, status_lines
from pipeline.core.days import days_of, within
from pipeline.core.differences import message_breaks, part_breaks
from pipeline.core.evidence import Evidence
from pipeline.core.foreign import Strangers, known_since, price_foreign
from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels import strings
from pipeline.core.kernels.matching import NEVER
from pipeline.core.kernels.strings import Mask
from pipeline.core.lines import MessageLines
from pipeline.core.matching import Deadlines, Matches, match
from pipeline.core.observed import CLASSES
from pipeline.core.reported import Divided, Reported, count_parts, divide, open_cost
from pipeline.core.statuses import StatusTable
from pipeline.model import (
    OPTED_OUT,
    Batch,
    BatchSubject,
    Break,
    BreakKind,
    Dimension,
    Equation,
    MessageClass,
    MonthBy,
    MonthSubject,
    Reconciliation,
    RowTotals,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """Where messages end up and what they cost: their columns, cells and lines, and what was found about them."""

    matches: Matches
    columns: Reported
    divided: Divided
    lines: MessageLines
    breaks: tuple[Break, ...]


def judge(  # noqa: PLR0913 - each decides something else
    evidence: Evidence,
    month: str | None = None,
    *,
    statuses: StatusTable,
    tariff: Tariff,
    deadlines: Deadlines,
    month_by: MonthBy,
) -> Judged:
    """Judge the messages of some evidence, or those of it that belong to a ``month``, one by one."""
    matches = match(evidence, statuses, deadlines)
    columns = Reported.of(evidence, matches, month, month_by)
    parts = count_parts(columns, matches, tariff)
    divided = divide(columns, matches, parts.counted, tariff)
    lines = MessageLines(
        evidence.messages, columns.chosen, divided.cells, divided.of_row, matches.observed_at, matches.by_number
    )
    breaks = (*message_breaks(columns, matches, divided), *part_breaks(columns, parts))
    return Judged(matches, columns, divided, lines, breaks)


def reconcile(  # noqa: PLR0913 - each decides something else
    evidence: Evidence,
    month: str | None = None,
    *,
    statuses: StatusTable,
    tariff: Tariff,
    deadlines: Deadlines,
    month_by: MonthBy,
    provenance: Mapping[str, str],
) -> tuple[Reconciliation, MessageLines]:
    """Reconcile one batch; or those messages of several, and those foreign results, that belong to a ``month``.

    ``month`` is YYYY-MM. Only what the month has of them is reported; what else was read stands in the equations.
    """
    judged = judge(evidence, month, statuses=statuses, tariff=tariff, deadlines=deadlines, month_by=month_by)
    matches, columns, cells = judged.matches, judged.columns, judged.divided.cells
    totals = _totals(columns.batches)
    strangers = evidence.observations.take(strings.indices(np.flatnonzero(matches.message_of < 0)))
    ours = pc.starts_with(strangers["smsid"], evidence.prefix)
    lost = strangers.filter(ours)
    orphans = lost if month is None else lost.take(strings.indices(np.flatnonzero(_registered_in(lost, month))))
    foreign = price_foreign(
        strangers.filter(pc.invert(ours)),
        statuses,
        tariff,
        deadlines.as_of,
        month,
        delivered=month_by is MonthBy.DELIVERED,
        by_number=deadlines.by_number is not None,
    )
    found = [
        *judged.breaks,
        *(
            Break(kind=BreakKind.ORPHAN_RESULT, smsid=smsid, facts={"status": status})
            for smsid, status in zip(orphans["smsid"].to_pylist(), orphans["status"].to_pylist(), strict=True)
        ),
    ]
    if foreign.line.unpriced:
        facts = {"foreign": str(foreign.line.unpriced)}
        found.append(Break(kind=BreakKind.UNPRICED, smsid="", facts=facts))
    value = Reconciliation(
        subject=_subject(columns.batches, month, deadlines.as_of),
        as_of=deadlines.as_of,
        totals=totals,
        repaired=sum(batch.repaired for batch in columns.batches),
        states=counted(cells, lambda cell: cell.state),
        opted_out=columns.count_reason(OPTED_OUT),
        by_number=int(matches.by_number[columns.chosen].sum()) if matches.by_number is not None else 0,
        oldest_pending=columns.oldest(matches.classes == CLASSES.index(MessageClass.PENDING)),
        classes=counted(cells, lambda cell: cell.message_class),
        statuses=status_lines(cells),
        groups={
            dimension: group_lines(cells, dimension)
            for dimension in Dimension
            if dimension is not Dimension.CAMPAIGN or month is not None
        },
        deliveries=_deliveries(columns, matches),
        foreign=foreign.line,
        breaks=tuple(sorted(found, key=_order)),
        equations=_equations(
            evidence,
            totals,
            columns=columns,
            matches=matches,
            cells=cells,
            foreign=foreign,
            orphans=len(orphans),
            elsewhere=len(lost) - len(orphans),
        ),
        amount=exact_amount(cells, tariff),
        pending_cost=open_cost(columns, judged.divided, tariff, MessageClass.PENDING),
        unknown_cost=open_cost(columns, judged.divided, tariff, MessageClass.UNKNOWN),
        tariff=tariff.name,
        provenance=provenance,
    )
    return value, judged.lines


def _order(found: Break) -> tuple[str, str, int, tuple[str, ...]]:
    return (found.kind, found.smsid, found.row_number or 0, tuple(found.facts.values()))


def _subject(batches: Sequence[Batch], month: str | None, as_of: datetime) -> BatchSubject | MonthSubject:
    if month is not None:
        return MonthSubject(month=month, batches=len(batches), phase=month_phase(month, as_of))
    (batch,) = batches
    return BatchSubject(
        batch_id=batch.batch_id, campaign=batch.campaign, run_date=batch.run_date, source_name=batch.source_name
    )


def _totals(batches: Sequence[Batch]) -> RowTotals:
    totals = [batch.totals for batch in batches]
    return RowTotals(
        sum(each.rows for each in totals),
        sum(each.accepted for each in totals),
        sum(each.rejected for each in totals),
        sum(each.already for each in totals),
    )


def _registered_in(observations: pa.Table, month: str) -> Mask:
    """Say which observations are, as far as is known, about messages that were registered in a month."""
    return within(days_of(known_since(observations)), month)


def _deliveries(columns: Reported, matches: Matches) -> tuple[tuple[datetime, int], ...]:
    """Count first deliveries by the hour; JST is whole hours from UTC."""
    delivered = columns.of_each(matches.classes) == CLASSES.index(MessageClass.DELIVERED)
    when = columns.of_each(matches.observed_at)[delivered]
    hours, counts = np.unique(when[when != NEVER] // kernel.HOUR, return_counts=True)
    begins = (kernel.moment(hour * kernel.HOUR) for hour in hours.tolist())
    return tuple((begin.astimezone(JST), count) for begin, count in zip(begins, counts.tolist(), strict=True) if begin)


def _equations(  # noqa: PLR0913 - what is on their sides
    evidence: Evidence,
    totals: RowTotals,
    *,
    columns: Reported,
    matches: Matches,
    cells: Sequence[Cell],
    foreign: Strangers,
    orphans: int,
    elsewhere: int,
) -> tuple[Equation, ...]:
    """Set our counts against the totals of the inputs and the ledger's own count. In a month's there may be others."""
    messages = sum(cell.messages for cell in cells)
    classes = counted(cells, lambda cell: cell.message_class)
    matched = matches.message_of[matches.message_of >= 0]
    reported = np.zeros(len(columns.table), bool)
    reported[columns.chosen] = True
    own = int(reported[matched].sum())
    others = {
        "messages": columns.of_batches - messages,
        "observations": len(matched) - own + foreign.elsewhere + elsewhere,
    }
    besides = {name: {"other_months": count} if count else {} for name, count in others.items()}
    # Rows of a batch that was stopped before it was planned are no messages yet.
    _, planned = columns.words("batch_id")
    waiting = sum(batch.totals.accepted for batch in columns.batches if batch.batch_id not in planned)
    unplanned = {"not_planned": waiting} if waiting else {}
    return (
        Equation(
            "input",
            totals.rows,
            {"accepted": totals.accepted, "rejected": totals.rejected, "already": totals.already},
        ),
        Equation("accepted", totals.accepted, {"messages": messages, **unplanned, **besides["messages"]}),
        Equation("messages", messages, {each.value: classes[each] for each in MessageClass if each in classes}),
        Equation(
            "observations",
            evidence.observed,
            {"matched": own, "foreign": foreign.rows, "orphan": orphans, **besides["observations"]},
        ),
    )
