"""The message lines of a reconciliation: made from its columns whenever somebody reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.calendar import JST
from pipeline.core.cells import Cell
from pipeline.core.kernels import matching as kernel
from pipeline.core.kernels import strings
from pipeline.core.kernels.matching import Times
from pipeline.core.kernels.strings import Mask
from pipeline.model import MessageLine

_BLOCK = 10_000
_NAMES = ("row_number", "smsid", "msisdn", "batch_id")


@dataclass(frozen=True, slots=True)
class MessageLines:
    """Every message of a reconciliation in the order of the table, as often as it is read; no line is kept.

    ``chosen`` are the rows of ``messages`` that are reported, ``cell_of`` says of each of these its cell.
    """

    messages: pa.Table
    chosen: NDArray[np.int64]
    cells: Sequence[Cell]
    cell_of: NDArray[np.int32]
    observed_at: Times
    by_number: Mask | None

    def __len__(self) -> int:
        """Return the number of messages."""
        return len(self.chosen)

    def __iter__(self) -> Iterator[MessageLine]:
        """Yield the lines."""
        for start in range(0, len(self.chosen), _BLOCK):
            yield from self._lines(slice(start, start + _BLOCK))

    def _lines(self, part: slice) -> Iterator[MessageLine]:
        rows = self.chosen[part]
        known = self.messages.select([*_NAMES, "sent_at"]).take(strings.indices(rows))
        by_number = self.by_number[rows].tolist() if self.by_number is not None else [False] * len(rows)
        cells = [self.cells[place] for place in self.cell_of[part].tolist()]
        sent, observed = (
            map(_moment, times.tolist()) for times in (kernel.times(known["sent_at"]), self.observed_at[rows])
        )
        columns = (known[name].to_pylist() for name in _NAMES)
        for row_number, smsid, msisdn, batch_id, sent_at, observed_at, cell, weak in zip(
            *columns, sent, observed, cells, by_number, strict=True
        ):
            yield MessageLine(
                row_number=row_number,
                smsid=smsid,
                msisdn=msisdn,
                batch_id=batch_id,
                campaign=cell.campaign,
                cost_centre=cell.cost_centre,
                kind=cell.kind,
                state=cell.state,
                message_class=cell.message_class,
                label=cell.label,
                carrier=cell.carrier,
                sent_at=sent_at,
                observed_at=observed_at,
                day=cell.day,
                parts=cell.parts,
                billable=cell.billable,
                amount=cell.amount,
                by_number=weak,
            )


def _moment(stored: int) -> datetime | None:
    found = kernel.moment(stored)
    return found.astimezone(JST) if found else None
