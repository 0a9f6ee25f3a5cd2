"""Judging: where single messages end up and what they cost, exactly as the reconciliation of their batch sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from pipeline.context import Context
from pipeline.core.matching import Deadlines, match_message
from pipeline.core.reconciling import Priced, priced
from pipeline.model import Observation, SentMessage


def judge_of(context: Context) -> Callable[[SentMessage, Sequence[Observation]], Priced]:
    """Return what says of a message, by everything that was observed about it, its class and its price as of now."""
    statuses, tariff = context.statuses, context.tariff
    deadlines = Deadlines(context.now(), timedelta(days=context.settings.results.deadline_days))
    return lambda message, observations: priced(match_message(message, observations, statuses, deadlines), tariff)
