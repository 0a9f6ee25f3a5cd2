"""Outlook: which messages of a batch are about to go out, and what they may cost."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.context import Context
from pipeline.core.calendar import jst_date
from pipeline.core.forecast import Forecast, Lengths, forecast
from pipeline.core.kernels import strings
from pipeline.core.kernels.matching import is_overseas
from pipeline.core.tags import shown_text
from pipeline.ledger.optouts import opted_out
from pipeline.ledger.plans import planned_smsids
from pipeline.model import Batch, MessageKind, NumberCheck
from pipeline.stages.planning import accepted_rows, rows_with
from schemas.recipients import ROW_NUMBER

#: what a check makes of a message, wherever it goes
_KINDS = {NumberCheck.ONLY: MessageKind.CHECK, NumberCheck.THEN_SEND: MessageKind.CHECK_THEN_SEND}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a person sees before they say yes: the first message, and what all of them may cost.

    ``first_text`` is what its recipient will see, with stand-ins for short links; nothing where it is sent by a
    template whose text is not known.
    """

    messages: int
    first_msisdn: str
    first_text: str
    forecast: Forecast
    number_check: NumberCheck = NumberCheck.NONE


def about_to_go(context: Context, batch: Batch, free: Mapping[int, list[str]]) -> set[str]:
    """Return the smsids that sending is about to send; ``free`` are those that must be planned again before."""
    if batch.planned_at is None:
        return wanted(context, batch)
    again = {smsid for smsids in free.values() for smsid in smsids}
    return planned_smsids(context.ledger, batch.batch_id) | again


def wanted(context: Context, batch: Batch) -> set[str]:
    """Return the smsids of those accepted rows whose recipients have not opted out."""
    return {smsid for chunk in accepted_rows(context, batch) for smsid in _wanted(context, chunk)}


def _wanted(context: Context, chunk: pd.DataFrame) -> Iterator[str]:
    numbers = chunk["msisdn"].tolist()
    out = opted_out(context.ledger, numbers)
    return (smsid for smsid, number in zip(chunk["smsid"].tolist(), numbers, strict=True) if number not in out)


def preview(context: Context, batch: Batch, waiting: Container[str]) -> Preview:
    """Render the first message that is about to go out, and forecast what all of them may cost."""
    first: tuple[str, str] = ("", "")
    short_link = context.profile.limits.short_link.value
    domestic, overseas = Lengths(), Lengths()
    for chunk in accepted_rows(context, batch):
        rows = rows_with(chunk, waiting)
        if not first[0] and len(rows):
            row = {str(name): str(cell) for name, cell in rows.iloc[0].items()}
            first = (row["msisdn"], shown_text(row, short_link))
        abroad = is_overseas(strings.of(rows["msisdn"]))
        for lengths, chosen in ((domestic, rows[~abroad]), (overseas, rows[abroad])):
            lengths.add(*(chosen[name].to_numpy() for name in (ROW_NUMBER, "characters", "double_byte")))
    day, check = jst_date(context.now()), batch.number_check
    found = forecast(domestic, context.tariff, day, _KINDS.get(check, MessageKind.NORMAL))
    if overseas.counts:
        found = found.plus(forecast(overseas, context.tariff, day, _KINDS.get(check, MessageKind.OVERSEAS)))
    return Preview(found.messages, *first, found, check)
