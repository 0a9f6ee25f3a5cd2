"""From failed: a list for a new campaign, made of the people whom another one has not reached.

The rows are those of the other campaign's accepted rows, checked by hash, in their order: number, final text (in a
column that says so: what somebody's name or comment put between braces is no tag), the fields that the gateway fills
in, and cost centre. Not the smsid, which is another message's, and not a scheduled time, which has passed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice

from pipeline.adapters.inputs import laid_down
from pipeline.context import Context
from pipeline.core.msisdn import Reading, read_msisdn
from pipeline.ledger.optouts import opted_out
from pipeline.model import Batch
from pipeline.stages.checking import csv_bytes
from pipeline.stages.planning import accepted_rows, rows_with
from pipeline.stages.unreached import campaign_batches, unreached
from pipeline.stages.validate import Request
from schemas.heading import FINAL_TEXT
from schemas.recipients import ACCEPTED_FIELDS, as_given

#: what a row takes along into another list
CARRIED = tuple(name for name in ACCEPTED_FIELDS if name != "scheduled")
_LINES = 10_000


@contextmanager
def request_for(context: Context, origin: str, request: Request) -> Iterator[Request | None]:
    """Yield ``request`` with a list of those whom the campaign ``origin`` has not reached; None for nobody.

    The list is a file for as long as the context is open. Whoever has opted out is not in it. Raises ``UsageError``
    (``campaign.unknown``), and ``GuardStopped`` when accepted rows were changed or lost.
    """
    failed = unreached(context, origin)
    batches = [batch for batch in campaign_batches(context, origin) if batch.batch_id in failed]
    given = {name for batch in batches for name in next(accepted_rows(context, batch)).columns}
    fields = [name for name in CARRIED if name in given]
    rows = chain.from_iterable(_rows(context, batch, failed[batch.batch_id], fields) for batch in batches)
    first = next(rows, None)
    if first is None:
        yield None
        return
    with laid_down(_pieces(chain([("msisdn", FINAL_TEXT, *fields), first], rows)), context.workspace.root) as path:
        yield replace(request, source=path, name=f"from-failed-{origin}.csv", origin=origin)


def _rows(context: Context, batch: Batch, smsids: Container[str], fields: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for chunk in accepted_rows(context, batch):
        rows = rows_with(chunk, smsids)
        numbers = rows["msisdn"].tolist()
        out = opted_out(context.ledger, numbers)
        rows = as_given(rows)
        cells = [rows[name].tolist() if name in rows.columns else [""] * len(rows) for name in ("text", *fields)]
        for number, *others in zip(numbers, *cells, strict=True):
            if number not in out:
                yield (spelled(context, number), *others)


def spelled(context: Context, msisdn: str) -> str:
    """Return a canonical number as it is read again: one of another country may need its + for that."""
    reading = read_msisdn(msisdn, overseas=context.profile.options.overseas.value)
    return msisdn if reading == Reading(msisdn, ()) else f"+{msisdn}"


def _pieces(lines: Iterable[tuple[str, ...]]) -> Iterator[bytes]:
    left = iter(lines)
    while some := list(islice(left, _LINES)):
        yield csv_bytes(some)
