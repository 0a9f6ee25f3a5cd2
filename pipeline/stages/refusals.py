"""Refusals: what the gateway has refused of a batch, by its code, with what that means and what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.context import Context
from pipeline.ledger.batches import count_refused


@dataclass(frozen=True, slots=True)
class Refusal:
    """Messages that the gateway refused with one code; what it means and asks for, in the command's language."""

    code: str
    messages: int
    meaning: str
    step: str


def refusals(context: Context, batch_id: str) -> tuple[Refusal, ...]:
    """Return what the gateway has refused of a batch, by code; what a person resolved so is none of it."""
    found = []
    for code, count in count_refused(context.ledger, batch_id).items():
        facts = context.refusal(code)
        found.append(Refusal(code, count, str(facts["meaning"]), str(facts["step"])))
    return tuple(found)
