"""Judging: where messages end up and what they cost, exactly as the reconciliation sees them."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.context import Context
from pipeline.core.evidence import Evidence
from pipeline.core.matching import Deadlines
from pipeline.core.numbering import ByNumber
from pipeline.core.reconciling import Judged, judge


def deadlines(context: Context, now: datetime) -> Deadlines:
    """Return when results are due, and whether those of this account have to be matched by number."""
    result = timedelta(days=context.settings.results.deadline_days)
    return Deadlines(now, result, by_number=by_number(context))


def by_number(context: Context) -> timedelta | None:
    """Return how far around a batch its results are matched by number; None where they name smsids."""
    names_smsids = context.profile.layout.by_field["smsid"].direction != "send"
    return None if names_smsids else context.pull_margin


def matching_by_number(context: Context) -> ByNumber | None:
    """Return how results are matched by number; None where they name smsids."""
    margin = by_number(context)
    return None if margin is None else ByNumber(margin, context.statuses)


def judged(context: Context, evidence: Evidence) -> Judged:
    """Judge messages by everything that was observed about them, as of now."""
    return judge(
        evidence,
        statuses=context.statuses,
        tariff=context.tariff,
        deadlines=deadlines(context, context.now()),
        month_by=context.settings.billing.month_by,
    )
