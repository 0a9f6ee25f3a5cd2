"""The differences that a reconciliation found, each with the message it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.kernels import strings
from pipeline.core.matching import Matches
from pipeline.core.reported import Divided, Parts, Reported
from pipeline.model import Break, BreakKind


def message_breaks(columns: Reported, matches: Matches, cells: Divided) -> Iterator[Break]:
    """Yield what matching found about the messages that are reported, and those without a price."""
    reported = np.full(len(columns.table), -1, np.int64)
    reported[columns.chosen] = np.arange(len(columns.chosen))
    for found in matches.breaks:
        details = found.details or [""] * len(found.at)
        kept = [(at, detail) for at, detail in zip(found.at.tolist(), details, strict=True) if reported[at] >= 0]
        named = _named(columns.table, [at for at, _ in kept])
        for (at, detail), (smsid, row_number) in zip(kept, named, strict=True):
            at_risk = None
            if found.kind is BreakKind.DUPLICATE_BILLABLE:
                price = cells.cells[cells.of_row[reported[at]]].amount
                at_risk = None if price is None else price * (matches.duplicates[at] - 1)
            facts = {"label": detail} if detail else {}
            yield Break(kind=found.kind, smsid=smsid, row_number=row_number, facts=facts, at_risk=at_risk)
    unpriced = np.array([cell.billable and cell.amount is None for cell in cells.cells] or [False])
    rows = np.flatnonzero(unpriced[cells.of_row])
    named = _named(columns.table, columns.chosen[rows])
    for place, (smsid, row_number) in zip(cells.of_row[rows].tolist(), named, strict=True):
        facts = {"carrier": cells.cells[place].carrier, "parts": str(cells.cells[place].parts)}
        yield Break(kind=BreakKind.UNPRICED, smsid=smsid, row_number=row_number, facts=facts)


def part_breaks(columns: Reported, parts: Parts) -> Iterator[Break]:
    """Yield the messages whose parts are others in the results than by the tariff."""
    rows = np.flatnonzero((parts.reported >= 0) & (parts.reported != parts.computed))
    told, expected = parts.reported[rows].tolist(), parts.computed[rows].tolist()
    for reported, computed, (smsid, row_number) in zip(
        told, expected, _named(columns.table, columns.chosen[rows]), strict=True
    ):
        facts = {"reported": str(reported), "expected": str(computed)}
        yield Break(kind=BreakKind.SEGMENT_MISMATCH, smsid=smsid, row_number=row_number, facts=facts)


def _named(messages: pa.Table, rows: Sequence[int] | NDArray[np.int64]) -> list[tuple[str, int]]:
    """Return smsid and row number of some messages."""
    named = messages.select(["smsid", "row_number"]).take(strings.indices(np.asarray(rows, np.int64)))
    return list(zip(named["smsid"].to_pylist(), named["row_number"].to_pylist(), strict=True))
