"""Call back: ask the gateway, one by one and at the common pace, to cancel what it has taken and has not sent yet.

A request is an effect: it is recorded before it leaves, and its answer afterwards, in groups. It can only make less go
out, so nothing here waits for a lock, and it may be repeated at any time; what it says about a message frees nobody.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from pipeline.adapters.gateway import Exchange
from pipeline.adapters.interruption import held, is_pending, uploading
from pipeline.context import Context
from pipeline.core.answers import NOT_HEARD, CancelAnswer, CancelCodes, judge_cancellation
from pipeline.errors import (
    GatewayRefused,
    GuardStopped,
    Interrupted,
    MediasmsError,
    OutcomeUnknown,
    TryLater,
    UsageError,
)
from pipeline.ledger.cancellations import Cancellable, Request, answer_cancellations, ask_to_cancel, note_unasked
from pipeline.ledger.logins import note_auth
from pipeline.ledger.results import settle
from pipeline.model import CancelOutcome, RunAction
from pipeline.stages.answering import pauses_while_busy, too_busy
from pipeline.stages.login import stop_after_failed_logins
from schemas.profile import required

#: recorded together: each group costs two transactions, and what a kill leaves open is one group
_TOGETHER = 40
#: after so many unclear answers, one after the other, no more is asked
_UNCLEAR_IN_A_ROW = 3
_UNSENT = CancelAnswer(CancelOutcome.UNSENT, None)


@dataclass(slots=True)
class CalledBack:
    """What came of asking, by smsid; ``problem`` is why not everything was asked."""

    outcomes: dict[str, CancelOutcome] = field(default_factory=dict)
    problem: MediasmsError | None = None


def call_back(context: Context, wanted: Sequence[Cancellable], *, actor: str) -> CalledBack:
    """Ask the gateway to cancel messages; record every request and every answer.

    What kept it from asking on is told, not raised: what was heard before counts all the same. A signal ends it after
    the request that is on its way. Either way it is recorded of the others that somebody wanted them cancelled.
    """
    done = CalledBack({one.smsid: CancelOutcome.UNSENT for one in wanted})
    asked = 0
    with held():
        try:
            stop_after_failed_logins(context)
            asking = _Asking(context, actor, done.outcomes)
            with context.ledger.kept_open():
                for start in range(0, len(wanted), _TOGETHER):
                    if is_pending():
                        break
                    asked = start + _TOGETHER
                    asking.ask(wanted[start:asked])
                    context.progress("cancel", min(asked, len(wanted)), len(wanted))
        except MediasmsError as error:
            done.problem = error
        # Where the ledger cannot be written, that is the problem already.
        with suppress(MediasmsError):
            note_unasked(context.ledger, wanted[asked:], context.now(), actor=actor)
    return done


class _Asking:
    """One command that asks, over one connection."""

    def __init__(self, context: Context, actor: str, outcomes: dict[str, CancelOutcome]) -> None:
        self.context = context
        self.gateway = context.gateway  # a wrong configuration stops here, before anything is recorded
        self.actor = actor
        self.outcomes = outcomes
        self.unclear = 0
        self.known = False
        form = required(context.profile.cancel, "cancel")
        self.codes = CancelCodes(
            cancelled=form.cancelled_code.value,
            absent=form.absent_code.value,
            too_late=form.too_late_code.value,
            busy=context.profile.single.busy_code.value,
        )

    def ask(self, group: Sequence[Cancellable]) -> None:
        """Ask about a group. Raises why nothing more may be asked; what was heard is recorded before that."""
        requests = ask_to_cancel(self.context.ledger, group, self.context.now(), actor=self.actor)
        answers = dict.fromkeys(requests, _UNSENT)
        try:
            for request in requests:
                if is_pending():
                    break
                self._ask_one(request, answers)
        finally:
            self._record(answers)

    def _ask_one(self, request: Request, answers: dict[Request, CancelAnswer]) -> None:
        """Ask about one message, and once more for as long as the gateway is busy."""
        url = self.context.settings.gateway.base_url
        pauses = pauses_while_busy()
        try:
            with uploading():
                while True:
                    self.context.pace.wait()
                    # Whatever breaks it off now: it may have been heard.
                    answers[request] = NOT_HEARD
                    exchange = self.gateway.cancel(request.smsid)
                    if exchange.http_status is None and exchange.bytes_read == 0:
                        answers[request] = _UNSENT
                        raise TryLater("cancel.unreachable", url=url, problem=exchange.problem)
                    answers[request] = answer = self._judge(request, exchange)
                    if answer.outcome is not CancelOutcome.BUSY:
                        break
                    if (seconds := next(pauses, None)) is None:
                        raise too_busy(self.context)
                    time.sleep(seconds)
        except Interrupted:
            return
        self._go_on(answer)

    def _judge(self, request: Request, exchange: Exchange) -> CancelAnswer:
        if exchange.http_status is None:
            return NOT_HEARD
        return judge_cancellation(
            exchange.http_status, exchange.body, self.context.documented, self.codes, doubtful=request.doubtful
        )

    def _go_on(self, answer: CancelAnswer) -> None:
        """Note whether the gateway knows us. Raises when its answer says that nothing more may be asked."""
        url, now, code = self.context.settings.gateway.base_url, self.context.now(), answer.code
        if self.context.is_failed_login(code):
            note_auth(self.context.ledger, url, now, failed=True)
        elif code in self.context.profile.answer_by_code and not self.known:
            self.known = True
            note_auth(self.context.ledger, url, now, failed=False)
        is_refused = answer.outcome is CancelOutcome.REFUSED and answer.run is RunAction.STOP
        if is_refused or self.context.stops_logins(code):
            raise GatewayRefused("gateway.refused", **self.context.refusal(code))
        # That it is too late is clear, whatever an earlier request has to do with it.
        is_clear = answer.outcome is not CancelOutcome.UNCLEAR or code in {self.codes.absent, self.codes.too_late}
        self.unclear = 0 if is_clear else self.unclear + 1
        if self.unclear >= _UNCLEAR_IN_A_ROW:
            raise OutcomeUnknown("cancel.unclear_in_a_row", count=self.unclear)

    def _record(self, answers: dict[Request, CancelAnswer]) -> None:
        """Record what was heard; what is evidence that the gateway had a message settles that at once."""
        try:
            answer_cancellations(self.context.ledger, answers, self.context.now())
            there = [request.smsid for request, answer in answers.items() if answer.outcome is CancelOutcome.CANCELLED]
            if there:
                settle(self.context.ledger, self.context.now(), there)
        except (TryLater, GuardStopped, UsageError) as error:
            problem = error.what(self.context.language)
            raise OutcomeUnknown("cancel.unrecorded", messages=len(answers), problem=problem) from None
        self.outcomes.update((request.smsid, answer.outcome) for request, answer in answers.items())
