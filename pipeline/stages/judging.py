"""Judging: where messages end up and what they cost, exactly as the reconciliation of their batch sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from pipeline.context import Context
from pipeline.core.matching import Deadlines, match_message
from pipeline.core.reconciling import Priced, priced
from pipeline.model import Observation, SentMessage


def judged(
    context: Context, messages: Iterable[SentMessage], observations: Mapping[str, Sequence[Observation]]
) -> Iterator[Priced]:
    """Yield of each message, by everything that was observed about its smsid, its class and its price as of now."""
    statuses, tariff = context.statuses, context.tariff
    deadlines = Deadlines(context.now(), timedelta(days=context.settings.results.deadline_days))
    for message in messages:
        yield priced(match_message(message, observations.get(message.smsid, ()), statuses, deadlines), tariff)
