"""Refusals: what the gateway has refused of a batch, by its code, with what that means and what comes next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.context import Context
from pipeline.ledger.batches import count_refused
from pipeline.ledger.tracing import last_heard
from pipeline.messages import label
from pipeline.model import Dispatch, Proof
from schemas.profile import AnswerCode


@dataclass(frozen=True, slots=True)
class Refusal:
    """Messages that the gateway refused, or left open, with one code; its meaning and next step in words."""

    code: str
    messages: int
    meaning: str
    step: str


def refusals(context: Context, batch_id: str) -> tuple[Refusal, ...]:
    """Return what the gateway has refused of a batch, by code; what a person resolved so is none of it."""
    return tuple(explained(context, batch_id, *each) for each in count_refused(context.ledger, batch_id).items())


def explained(context: Context, batch_id: str, code: str, messages: int) -> Refusal:
    """Return an answer code with the number of messages of a batch it is about, what it means and what comes next."""
    facts = context.refusal(code, batch_id)
    return Refusal(code, messages, str(facts["meaning"]), str(facts["step"]))


def what_was_heard(context: Context, batch_id: str) -> dict[str, str]:
    """Return by dispatch what the gateway was heard to say to what is unknown of a batch, in words."""
    found = last_heard(context.ledger, batch_id)
    nothing = label("heard.nothing", context.language)
    return defaultdict(lambda: nothing, {name: _words(context, one.detail) for name, one in found.items()})


def _words(context: Context, detail: Mapping[str, object]) -> str:
    code, how = detail.get("code"), str(detail.get("detail", ""))
    if code is not None:
        known = context.meaning(str(code)) if code in context.profile.answer_by_code else None
        meaning = known or label("heard.no_meaning", context.language)
        return label("heard.code", context.language, code=code, meaning=meaning, how=how)
    if how.startswith("HTTP "):
        return label("heard.no_code", context.language, how=how)
    return label("heard.broken", context.language, how=how)


def unclear_answer(context: Context, dispatch: Dispatch) -> AnswerCode | None:
    """Return the documented answer that left open what was taken of a dispatch; None where no such answer came."""
    answer = context.profile.answer_by_code.get(dispatch.answer_code or "")
    return answer if answer and (answer.proves is Proof.UNKNOWN or answer.stops_logins) else None
