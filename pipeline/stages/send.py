"""Send: accepted rows become dispatches, and each goes out at most once.

The order is the promise: plan and ``in_flight`` are committed, the marker is on disk, then the first byte leaves. After
that only evidence changes anything. The caller holds the campaign lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.adapters.gateway import Exchange, GatewayClient
from pipeline.adapters.interruption import held, uploading
from pipeline.adapters.marks import Mark
from pipeline.context import Context
from pipeline.core.answers import NO_ANSWER, Answer, Verdict, judge
from pipeline.errors import Exit, GatewayRefused, GuardStopped, Interrupted, MediasmsError, TryLater, worst
from pipeline.ledger.batches import count_opted_out, count_states, note_decision
from pipeline.ledger.cancelling import cancel_opted_out, cancel_stopped, stop_of
from pipeline.ledger.dispatches import (
    Attempt,
    adopt_in_flight,
    begin_dispatch,
    dispatched,
    end_dispatch,
    interrupt_dispatch,
    list_dispatches,
    offered_before,
    return_dispatch,
)
from pipeline.ledger.gateways import note_gateway
from pipeline.ledger.logins import note_auth
from pipeline.ledger.machines import note_machine
from pipeline.ledger.plans import free_messages, withdrawn_messages
from pipeline.ledger.results import settle
from pipeline.model import Batch, Dispatch, MessageState, Mode, NumberCheck, RunAction
from pipeline.stages.answering import codes_of_nothing_taken, lines_of, must_be_recorded, read_answer
from pipeline.stages.asking import ask_unknown
from pipeline.stages.clocks import compare_clocks
from pipeline.stages.guards import (
    NOTHING_PERMITTED,
    Permission,
    check_place,
    guards_of,
    is_off_date,
    stop_if_dear,
    stop_if_payload_passed,
    stop_if_unsettled,
    was_cancelled,
)
from pipeline.stages.login import stop_after_failed_logins
from pipeline.stages.outlook import Preview, about_to_go, preview
from pipeline.stages.planning import mode_of, plan, plan_free_again
from pipeline.stages.refusals import Refusal, refusals
from pipeline.stages.repeats import Meanwhile
from pipeline.stages.singly import send_singly


@dataclass(frozen=True, slots=True)
class Sent:
    """What sending a batch did in this run; ``states`` counts the batch's messages after it.

    ``opted_out`` counts those of the cancelled ones whose recipients opted out, and ``refusals`` what the gateway has
    refused, in this run or an earlier one. ``unserved`` is what ``unserved_elsewhere`` says of a batch that was named.
    """

    dispatches: int
    messages: int
    states: dict[MessageState, int]
    opted_out: int = 0
    number_check: NumberCheck = NumberCheck.NONE
    mode: Mode = Mode.CSV
    refusals: tuple[Refusal, ...] = ()
    unserved: MediasmsError | None = None

    @property
    def refused(self) -> int:
        """Number of the batch's messages that the gateway has refused."""
        return self.states.get(MessageState.REFUSED, 0)

    @property
    def exit(self) -> Exit:
        """Return the exit code that this asks for."""
        code = Exit.FINDINGS if self.opted_out or self.refused else Exit.DONE
        return worst([code, self.unserved.exit]) if self.unserved else code


def send(
    context: Context,
    batch: Batch,
    *,
    mode: Mode = Mode.AUTO,
    permission: Permission = NOTHING_PERMITTED,
    confirm: Callable[[Preview], bool] | None = None,
) -> Sent:
    """Send what is planned of a batch, but to nobody who has opted out: those messages are cancelled.

    ``mode`` says how it is to go out where that is not settled yet: it is fixed when the batch is planned.

    Raises ``OutcomeUnknown`` when an outcome is open (its batch stays where it is), ``GatewayRefused`` when the
    gateway said no to everything, ``TryLater`` when not a byte left, ``GuardStopped`` when a person must look first.
    """
    gateway = context.gateway  # a wrong configuration stops here, before anything is planned
    mode = take_up(context, batch, mode)
    meanwhile = Meanwhile(context, batch, again=permission.again)
    free = free_messages(context.ledger, batch)
    waiting = about_to_go(context, batch, free)
    if waiting:
        _permit(context, batch, waiting, permission, confirm)
    # Nothing is planned before every guard has passed: what is planned counts as served in its campaign.
    if batch.planned_at is None:
        plan(context, batch, mode)
        # Every accepted row is a message, also that of somebody who opted out after validation.
        if cancel_opted_out(context.ledger, batch.batch_id, context.now()):
            free = withdrawn_messages(context.ledger, batch)
    plan_free_again(context, batch, free)
    if mode is Mode.SINGLE:
        dispatches, messages = send_singly(context, batch, meanwhile)
    else:
        dispatches, messages = _send_all(context, gateway, batch, meanwhile)
    if (stop := stop_of(context.ledger, batch.batch_id)) and stop.cancelled:
        raise was_cancelled(batch, stop)
    states = count_states(context.ledger, batch.batch_id)
    return Sent(
        dispatches,
        messages,
        states,
        count_opted_out(context.ledger, batch.batch_id),
        batch.number_check,
        mode,
        refusals(context, batch.batch_id) if MessageState.REFUSED in states else (),
    )


def take_up(context: Context, batch: Batch, mode: Mode) -> Mode:
    """Settle what is open of a batch by what is known, cancel what is not to go out any more, and return its mode.

    The caller holds the campaign lock. Raises ``OutcomeUnknown`` when an outcome stays open, ``GuardStopped`` when a
    person has stopped the batch, and what ``mode_of`` raises.
    """
    check_place(context)
    now = context.now()
    note_machine(context.ledger, now)
    note_gateway(context.ledger, now, context.settings.gateway.base_url)
    adopt_in_flight(context.ledger, batch.campaign, now)
    settle(context.ledger, now)
    mode = mode_of(context, batch, mode)
    if mode is Mode.SINGLE:
        ask_unknown(context, batch)
    stop = cancel_stopped(context.ledger, batch.batch_id, now)
    stop_if_unsettled(context, batch)
    if stop and (stop.cancelled or batch.planned_at is None):
        raise was_cancelled(batch, stop)
    cancel_opted_out(context.ledger, batch.batch_id, now)
    return mode


def _permit(
    context: Context,
    batch: Batch,
    waiting: set[str],
    permission: Permission,
    confirm: Callable[[Preview], bool] | None,
) -> None:
    """Ask every guard, and then the person; record what that person has decided.

    Who was asked may have taken hours: then the guards are asked once more.
    """
    now, late, max_cost = context.now(), permission.late, permission.max_cost
    guards = guards_of(context, batch, waiting, permission)
    for guard in guards:
        guard()
    if confirm or max_cost is not None:
        seen = preview(context, batch, waiting)
        if max_cost is not None:
            stop_if_dear(batch, seen.forecast, max_cost)
        if confirm:
            if not confirm(seen):
                raise GuardStopped("guard.not_confirmed", batch=batch.batch_id)
            for guard in guards:
                guard()
    if late and is_off_date(context, batch, late):
        note_decision(context.ledger, now, late.kind, batch.batch_id, actor=late.actor, because=late.because)


def _send_all(context: Context, gateway: GatewayClient, batch: Batch, meanwhile: Meanwhile) -> tuple[int, int]:
    """Send dispatch after dispatch until an answer says stop; return how many, and how many messages were taken.

    A dispatch that did not begin, because somebody in it opted out just now or has it already, goes out without them
    after the others. Each time a message was cancelled or taken, so this ends.
    """
    refusal: GatewayRefused | None = None
    dispatches = sent = 0
    planned = _planned(context, batch)
    while planned:
        stop_after_failed_logins(context)
        dispatch = planned.pop(0)
        done = _send_one(context, gateway, batch, dispatch, meanwhile)
        if done is None:
            # Not what was refused: that is for a later run.
            plan_free_again(context, batch, withdrawn_messages(context.ledger, batch))
            planned = _planned(context, batch)
            continue
        verdict, taken = done
        dispatches += 1
        sent += taken
        # Nothing else of the batch can have become unknown, and counting all its messages each time takes long. What
        # was refused can be: another process took over the campaign and made it so, and a refusal settles nothing.
        if open_ := dispatch.messages - taken:
            with must_be_recorded(context, dispatch.dispatch_id, open_):
                stop_if_unsettled(context, batch)
        if verdict.others is MessageState.REFUSED:
            refusal = GatewayRefused("gateway.refused", **context.refusal(verdict.code, batch.batch_id))
            if verdict.run is not RunAction.GO_ON:
                break
    if refusal:
        raise refusal
    return dispatches, sent


def _planned(context: Context, batch: Batch) -> list[Dispatch]:
    return [dispatch for dispatch in list_dispatches(context.ledger, batch.batch_id) if dispatch.is_planned]


def _send_one(
    context: Context, gateway: GatewayClient, batch: Batch, dispatch: Dispatch, meanwhile: Meanwhile
) -> tuple[Verdict, int] | None:
    """Send one dispatch: intent, marker, effect, evidence; return the verdict, and how many are known to be taken.

    None: not all of it may go out, and nothing was begun.
    """
    payload: Path = context.workspace.checked(batch.batch_id, dispatch.payload)
    stop_if_payload_passed(context, batch, payload)
    smsids = dispatched(context.ledger, dispatch.dispatch_id)
    offered_at = offered_before(context.ledger, dispatch, codes_of_nothing_taken(context))
    with held():
        attempt = meanwhile.begin(
            [dispatch.dispatch_id], lambda seen: begin_dispatch(context.ledger, dispatch, context.now(), seen)
        )
        if attempt is None:
            return None
        try:
            context.workspace.mark_begun(Mark(batch.batch_id, dispatch.number, attempt, context.now(), payload.name))
        except (TryLater, OSError):
            # Whatever is wrong with the disk, not a byte of it has left.
            return_dispatch(context.ledger, dispatch, context.now(), "no marker")
            raise
        exchange = _upload(context, gateway, dispatch, payload)
        if exchange.http_status is None and exchange.bytes_read == 0:
            with must_be_recorded(context, dispatch.dispatch_id, dispatch.messages):
                return_dispatch(context.ledger, dispatch, context.now(), exchange.problem)
                stop_if_unsettled(context, batch)
            raise TryLater("gateway.unreachable", url=context.settings.gateway.base_url, problem=exchange.problem)
        answer = read_answer(context, exchange)
        verdict = _judge(context, answer, smsids, repeated=offered_at is not None)
        detail, lines = exchange.problem or f"HTTP {exchange.http_status}", lines_of(answer, exchange.body)
        with must_be_recorded(context, dispatch.dispatch_id, dispatch.messages):
            ended = Attempt(dispatch, smsids, offered_at)
            taken = end_dispatch(context.ledger, ended, verdict, context.now(), detail, lines)
        compare_clocks(context, exchange, batch.batch_id)
        if verdict.code is not None:
            refused = context.is_failed_login(verdict.code)
            note_auth(context.ledger, context.settings.gateway.base_url, context.now(), failed=refused)
    return verdict, taken


def _upload(context: Context, gateway: GatewayClient, dispatch: Dispatch, payload: Path) -> Exchange:
    """Let the payload leave; a signal breaks it off after a grace.

    What was on its way is unknown then, and what had not begun to leave is an exchange without a byte.
    """
    read = 0

    def progress(done: int, total: int) -> None:
        nonlocal read
        read = done
        context.progress("send", done, total)

    try:
        with uploading():
            return gateway.upload(payload, progress)
    except Interrupted:
        if read:
            with must_be_recorded(context, dispatch.dispatch_id, dispatch.messages):
                interrupt_dispatch(context.ledger, dispatch, context.now())
            raise
        return Exchange(0, None, b"", "interrupted")


def _judge(context: Context, answer: Answer | None, smsids: dict[str, str], *, repeated: bool) -> Verdict:
    if answer is None:
        return NO_ANSWER
    expected = context.profile.upload_answer.counts.value == "expected"
    return judge(answer, smsids, context.documented, counts_expected=expected, repeated=repeated)
