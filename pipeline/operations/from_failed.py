"""From failed: a list for a new campaign, made of the people whom another one has not reached.

The rows are those of the other campaign's accepted rows, checked by hash, in their order: number, final text (in a
column that says so: what somebody's name or comment put between braces is no tag), the fields that the gateway fills
in, and cost centre. Not the smsid, which is another message's, and not a scheduled time, which has passed. The dates on
which numbers were noted are known where a check was asked for, or where the list was made from such a campaign.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice

from pipeline.adapters.inputs import Table, laid_down, open_input
from pipeline.context import Context
from pipeline.core.msisdn import Reading, read_msisdn
from pipeline.core.rules import REGISTRATION_DATE
from pipeline.errors import InputUnusable
from pipeline.ledger.optouts import opted_out
from pipeline.model import Batch, NumberCheck
from pipeline.stages.checking import csv_bytes
from pipeline.stages.planning import accepted_rows, rows_with
from pipeline.stages.unreached import campaign_batches, unreached
from pipeline.stages.validate import MADE_INPUT, Request
from schemas.heading import FINAL_TEXT
from schemas.profile import required
from schemas.recipients import ACCEPTED_FIELDS, INPUT_ROW, ROW_NUMBER, as_given
from schemas.single import stop_if_unconfirmed

#: what a row takes along into another list
CARRIED = tuple(name for name in ACCEPTED_FIELDS if name != "scheduled")
_LINES = 10_000


@contextmanager
def request_for(context: Context, origin: str, request: Request) -> Iterator[Request | None]:
    """Yield ``request`` with a list of those whom the campaign ``origin`` has not reached; None for nobody.

    The list is a file for as long as the context is open. Whoever has opted out is not in it. Raises ``UsageError``
    (``campaign.unknown``), ``InputUnusable`` (``from_failed.no_registration_date``) where a check needs dates that
    nobody here has, and ``GuardStopped`` when accepted rows were changed or lost.
    """
    failed = unreached(context, origin)
    batches = [batch for batch in campaign_batches(context, origin) if batch.batch_id in failed]
    made = {batch.batch_id: _dated_list(context, batch) for batch in batches}
    given = {name for batch in batches for name in next(accepted_rows(context, batch)).columns}
    given |= {REGISTRATION_DATE for table in made.values() if table is not None}
    fields = [name for name in CARRIED if name in given]
    rows = chain.from_iterable(
        _rows(context, batch, failed[batch.batch_id], fields, made[batch.batch_id]) for batch in batches
    )
    first = next(rows, None)
    if first is None:
        yield None
        return
    if request.number_check is not NumberCheck.NONE and REGISTRATION_DATE not in given:
        stop_if_unconfirmed(request.number_check, context.profile)  # before somebody makes a list in vain
        raise _undated(context, origin, request)
    with laid_down(_pieces(chain([("msisdn", FINAL_TEXT, *fields), first], rows)), context.workspace.root) as path:
        yield replace(request, source=path, name=f"from-failed-{origin}.csv", origin=origin)


def _undated(context: Context, origin: str, request: Request) -> InputUnusable:
    """Say how to make a list with dates of those whom a campaign has not reached."""
    # The campaign before had the same texts: a list that is not known to be made from it needs a person's word.
    again = " --again" if request.number_check is NumberCheck.THEN_SEND else ""
    return InputUnusable(
        "from_failed.no_registration_date",
        campaign=origin,
        new=request.campaign,
        names=", ".join(required(context.profile.check, "check").columns),
        options=f"--check {request.number_check}{again}",
    )


def _dated_list(context: Context, batch: Batch) -> Table | None:
    """Return the list of a batch, where it was made and has dates; a campaign without a check does not read them."""
    if all(file.name != MADE_INPUT for file in batch.artefacts):
        return None
    table = open_input(context.workspace.checked(batch.batch_id, batch.artefact(MADE_INPUT)))
    return table if REGISTRATION_DATE in table.first_record else None


def _dates(table: Table | None) -> dict[int, str]:
    """Return the dates of a list by their rows."""
    chunks = () if table is None else table.chunks(table.first_record, header=True)
    return {
        row: day
        for chunk in chunks
        for row, day in zip(chunk[INPUT_ROW].tolist(), chunk[REGISTRATION_DATE].tolist(), strict=True)
    }


def _rows(
    context: Context, batch: Batch, smsids: Container[str], fields: Sequence[str], made: Table | None
) -> Iterator[tuple[str, ...]]:
    dates = _dates(made)
    for chunk in accepted_rows(context, batch):
        rows = rows_with(chunk, smsids)
        numbers = rows["msisdn"].tolist()
        out = opted_out(context.ledger, numbers)
        rows = as_given(rows)
        if REGISTRATION_DATE not in rows and dates:
            rows = rows.assign(**{REGISTRATION_DATE: [dates[row] for row in rows[ROW_NUMBER].tolist()]})
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
