"""Trace: the life of one message, or of the latest ones to a number, from the ledger and the files of their batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.adapters.csv_in import read_chunks
from pipeline.context import Context
from pipeline.core.msisdn import Reading, read_msisdn
from pipeline.core.placing import Placing
from pipeline.core.tracing import Invoiced, Life, Placed, Priced
from pipeline.errors import GuardStopped, InputUnusable, MediasmsError, UsageError
from pipeline.ledger.batches import get_batch
from pipeline.ledger.cancellations import cancellations_of
from pipeline.ledger.closing import last_closing
from pipeline.ledger.dispatches import dispatches_with
from pipeline.ledger.evidence import message_evidence
from pipeline.ledger.tracing import events_about, find_message, messages_to, observations_about, similar_smsid
from pipeline.model import Batch, MessageClass, MessageLine, Repair
from pipeline.stages.judging import by_number, judged
from pipeline.stages.months import placed_on
from pipeline.stages.reconcile import evidence_of
from schemas.recipients import ROW_NUMBER

_CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Traced:
    """The lives that are shown, newest first, of ``total``."""

    lives: tuple[Life, ...]
    total: int


def trace(context: Context, wanted: str, *, limit: int, invoice: Path | None = None) -> Traced:
    """Trace an smsid, or the latest ``limit`` messages to a number, which may be none.

    An ``invoice`` is that of the month of each message, as far as its lines do not say otherwise. Raises ``UsageError``
    (``trace.unknown``, ``trace.similar``) for what is neither, and as ``read_invoice`` does.
    """
    on_invoice = _Invoices(context, invoice)
    # Whatever else is given is no smsid, and not every database takes every character.
    is_word = wanted.isascii() and wanted.isalnum()
    if is_word and (placed := find_message(context.ledger, wanted)):
        return Traced((_life(context, placed, on_invoice),), 1)
    reading = read_msisdn(wanted, overseas=context.profile.options.overseas.value)
    if not isinstance(reading, Reading):
        reading = read_msisdn(wanted, overseas=True)  # of an account that had the option once
    if not isinstance(reading, Reading):
        if is_word and (near := similar_smsid(context.ledger, wanted)):
            raise UsageError("trace.similar", smsid=near)
        raise UsageError("trace.unknown")
    found, total = messages_to(context.ledger, reading.msisdn, limit)
    return Traced(tuple(_life(context, placed, on_invoice) for placed in found), total)


class _Invoices:
    """The invoice that was given, as that of every month that is asked for; each is reconciled once."""

    def __init__(self, context: Context, path: Path | None) -> None:
        self._context = context
        self._path = path
        self._placings: dict[str, Placing | None] = {}

    def of(self, line: MessageLine) -> Invoiced:
        """Say which line of it a message belongs on."""
        month = f"{line.day:%Y-%m}"
        closing = last_closing(self._context.ledger, month)
        known = Invoiced(month=month, closed_at=closing.closed_at if closing else None)
        if self._path is None:
            return known
        if month not in self._placings:
            self._placings[month] = self._placing(self._path, month)
        placing = self._placings[month]
        lines = placing.lines_of(line, self._context.tariff) if placing else ()
        return replace(known, source_name=self._path.name, lines=lines)

    def _placing(self, path: Path, month: str) -> Placing | None:
        try:
            return placed_on(self._context, path, month)
        except InputUnusable as error:
            if error.code != "invoice.no_lines":  # it is of other months
                raise
            return None


def _life(context: Context, placed: Placed, on_invoice: _Invoices) -> Life:
    batch = get_batch(context.ledger, placed.batch_id)
    dispatches = dispatches_with(context.ledger, placed.batch_id, placed.dispatch_id)
    seen = observations_about(context.ledger, placed.message.smsid)
    priced = _priced(context, batch, placed.message.smsid)
    unread: list[MediasmsError] = []
    rows = _rows(context, batch, "accepted.csv", placed.message.row_number, unread)
    repairs = _rows(context, batch, "repaired.csv", placed.message.row_number, unread)
    return Life(
        placed=placed,
        batch=batch,
        row=rows[0] if rows else {},
        repairs=tuple(
            Repair(placed.message.row_number, *(row[name] for name in ("column", "rule", "before", "after")))
            for row in repairs
        ),
        unread=tuple(unread),
        dispatches=tuple(dispatches),
        meanings={one.answer_code: context.meaning(one.answer_code) for one in dispatches if one.answer_code},
        refusal=_refusal(context, priced.line),
        seen=tuple(seen),
        happened=tuple(events_about(context.ledger, batch.batch_id, [one.dispatch_id for one in dispatches])),
        priced=priced,
        invoiced=on_invoice.of(priced.line),
        tariff=context.tariff.name,
        cancellations=tuple(cancellations_of(context.ledger, placed.message.smsid)),
    )


def _refusal(context: Context, line: MessageLine) -> str | None:
    """Say what the code means with which the gateway refused a message; None where it did not."""
    refused = line.message_class is MessageClass.REFUSED and line.label in context.profile.answer_by_code
    return context.meaning(line.label) if refused else None


def _priced(context: Context, batch: Batch, smsid: str) -> Priced:
    if by_number(context) is None:
        evidence = message_evidence(context.ledger, batch, smsid)
    else:
        # Which result is whose is decided among all messages of the batch.
        evidence = evidence_of(context, batch, context.now())
    found = judged(context, evidence)
    at = pc.index(evidence.messages["smsid"], smsid).as_py()
    reported = int(found.matches.parts[at])
    breaks = tuple(one for one in found.breaks if one.smsid == smsid)
    return Priced(next(islice(found.lines, at, None)), breaks, reported if reported > 0 else None)


def _rows(
    context: Context, batch: Batch, name: str, row_number: int, unread: list[MediasmsError]
) -> list[Mapping[str, str]]:
    """Return the lines about one row of the input in a file of its batch; what cannot be trusted is not read."""
    try:
        path = context.workspace.checked(batch.batch_id, batch.artefact(name))
    except GuardStopped as error:
        unread.append(error)
        return []
    found: list[Mapping[str, str]] = []
    for table in read_chunks(path, _CHUNK, {ROW_NUMBER: pa.int64()}):
        found += table.filter(pc.equal(table[ROW_NUMBER], row_number)).to_pylist()
    return found
