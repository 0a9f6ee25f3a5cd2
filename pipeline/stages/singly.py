"""Send singly: requests of one message each, over several connections, under the promises of an upload.

They begin in groups: the intent of a whole group is committed, its markers are on disk, then the first byte of any of
it leaves. Only this thread touches ledger and disk; couriers carry bodies and bring exchanges.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.adapters.couriers import NOT_SENT, Carried, Couriers, couriers
from pipeline.adapters.gateway import Exchange
from pipeline.adapters.interruption import GRACE_SECONDS, held, is_pending
from pipeline.adapters.marks import Mark
from pipeline.context import Context
from pipeline.core.answers import NO_ANSWER, SMSID_EXISTS, UNAUTHORISED, Verdict, judge_single
from pipeline.errors import GatewayRefused, GuardStopped, MediasmsError, OutcomeUnknown, TryLater, most_severe
from pipeline.ledger.batches import count_states
from pipeline.ledger.dispatches import list_dispatches, offered_before
from pipeline.ledger.logins import auth_failures, note_auth
from pipeline.ledger.singles import Ended, begin_singles, end_singles
from pipeline.model import Batch, Dispatch, MessageState, RunAction
from pipeline.stages.answering import (
    codes_of_nothing_taken,
    must_be_recorded,
    pauses_while_busy,
    read_answer,
    too_busy,
)
from pipeline.stages.asking import ask_unknown
from pipeline.stages.clocks import compare_clocks
from pipeline.stages.guards import has_passed, stop_if_unsettled
from pipeline.stages.login import stop_after_failed_logins
from pipeline.stages.repeats import Meanwhile
from schemas.single import Form, decoded, form_of

#: at least so many begin together: each group costs two transactions
_GROUP = 8
#: how often signals are looked for while everything is on its way
_TICK_SECONDS = 0.1


@dataclass(slots=True)
class _Round:
    """What has happened since the last group of answers: what was proven, and what keeps more from beginning."""

    ended: list[Ended] = field(default_factory=list)
    unclear: int = 0
    busy: bool = False
    documented: bool = False
    unauthorised: int = 0
    refusal: str | None = None
    failure: Exception | None = None

    @property
    def says_stop(self) -> bool:
        """Say whether nothing more may begin for now."""
        return bool(self.unclear or self.busy or self.unauthorised or self.refusal or self.failure)

    def add(self, found: _Round) -> None:
        """Take up what came next; what was documented counts only as long as nothing was unclear."""
        self.documented |= found.documented and not self.unclear
        self.unclear += found.unclear
        self.busy |= found.busy
        self.unauthorised += found.unauthorised
        self.refusal = self.refusal or found.refusal
        self.failure = self.failure or found.failure

    def fail(self, failure: Exception) -> None:
        """Take up what went wrong here; the most severe failure is raised in the end."""
        self.failure = most_severe([self.failure, failure] if self.failure else [failure])


class _Sending:
    """One batch on its way."""

    def __init__(self, context: Context, batch: Batch, out: Couriers, meanwhile: Meanwhile) -> None:
        self.context = context
        self.batch = batch
        self.out = out
        self.meanwhile = meanwhile
        self.under_way: dict[str, Dispatch] = {}
        #: what has come back and is not judged yet
        self.brought: list[Carried] = []
        self.planned: deque[Dispatch] = deque()
        self.total = 0
        self.dispatches = self.taken = self.done = 0
        self.refused: str | None = None
        #: the next request goes alone, until an answer of the gateway shows that it knows us and works
        self.alone = True
        self.size = max(_GROUP, 2 * _connections(context))
        self.nothing_taken = codes_of_nothing_taken(context)

    def plan_on(self) -> None:
        """Look again at what waits."""
        self.planned = deque(one for one in list_dispatches(self.context.ledger, self.batch.batch_id) if one.is_planned)
        self.total = self.done + len(self.planned)

    def begin(self) -> None:
        """Begin a group: intent, markers, and then the couriers get the bodies."""
        stop_after_failed_logins(self.context)
        count = 1 if self.alone else self.size
        group = {one.dispatch_id: one for one in [self.planned.popleft() for _ in range(min(count, len(self.planned)))]}
        bodies = {one.dispatch_id: (self._body(one), _form(one)) for one in group.values()}
        attempts = self.meanwhile.begin(
            group, lambda seen: begin_singles(self.context.ledger, list(group.values()), self.context.now(), seen)
        )
        if not attempts:
            # Cancelled meanwhile: all of the group, and perhaps all that waits.
            self.plan_on()
            return
        self.under_way |= {name: group[name] for name in attempts}
        batch_id, now = self.batch.batch_id, self.context.now()
        marks = [
            Mark(batch_id, group[name].number, attempt, now, group[name].payload.name)
            for name, attempt in attempts.items()
        ]
        try:
            self.context.workspace.mark_group_begun(batch_id, marks)
        except Exception:
            # Whatever went wrong, not a byte of it has left.
            planned = MessageState.PLANNED
            self._end([Ended(dispatch=group[name], state=planned, detail="no marker") for name in attempts])
            raise
        for name in attempts:
            self.out.hand_over(name, *bodies[name])

    def _body(self, dispatch: Dispatch) -> bytes:
        """Return what will be sent, once more held to what was planned and to its time."""
        body = self.context.workspace.checked(self.batch.batch_id, dispatch.payload).read_bytes()
        single = self.context.profile.single
        scheduled = single.by_field.get("scheduled")
        if scheduled is not None and scheduled.confirmed is not False:
            given = decoded(body, _form(dispatch)).get(scheduled.name, "")
            if has_passed(given, single.time_format.value, self.context.now()):
                raise GuardStopped("guard.scheduled_passed", batch=self.batch.batch_id, count=1)
        return body

    def collect(self) -> _Round:
        """Wait a moment for what the couriers bring, and record it; where it cannot be judged it is kept."""
        self.brought += self.out.brought(_TICK_SECONDS)
        found = _Round()
        if not self.brought:
            return found
        # The ledger is asked about some answers, and what one of them proves is open without it.
        with must_be_recorded(self.context, self.brought[0].key, len(self.brought)):
            for carried in self.brought:
                self._judge(carried, self.under_way[carried.key], found)
        brought, self.brought = self.brought, []
        self._end(found.ended)
        self._count(found)
        for carried in brought:
            compare_clocks(self.context, carried.exchange, self.batch.batch_id)
        return found

    def _judge(self, carried: Carried, dispatch: Dispatch, found: _Round) -> None:
        """Turn an exchange into what it proves."""
        exchange = carried.exchange
        found.failure = found.failure or carried.failure
        if exchange.http_status is None and exchange.bytes_read == 0:
            if carried.failure is None and exchange.problem != NOT_SENT:
                url = self.context.settings.gateway.base_url
                found.failure = TryLater("gateway.unreachable", url=url, problem=exchange.problem)
            found.ended.append(Ended(dispatch=dispatch, state=MessageState.PLANNED, detail=exchange.problem))
            return
        verdict, sent_before = self._verdict(dispatch, exchange)
        detail = exchange.problem or f"HTTP {exchange.http_status}"
        if verdict is None:
            found.busy = True
            found.ended.append(Ended(dispatch=dispatch, state=MessageState.PLANNED, detail=f"busy, {detail}"))
            return
        code = verdict.code
        is_known = code in self.context.profile.answer_by_code
        failed = self.context.is_failed_login(code)
        found.unauthorised += failed
        found.documented |= is_known and not failed
        found.unclear += verdict.others is MessageState.UNKNOWN
        if verdict.others is MessageState.REFUSED:
            self.refused = code
            if verdict.run is not RunAction.GO_ON:
                found.refusal = code
        found.ended.append(
            Ended(
                dispatch=dispatch,
                state=verdict.others,
                reason=_reason(verdict),
                code=code,
                detail=detail,
                sent_before=sent_before,
            )
        )

    def _verdict(self, dispatch: Dispatch, exchange: Exchange) -> tuple[Verdict | None, datetime | None]:
        """Return what an exchange proves, and when the attempt was begun that brought what it says to exist."""
        answer = read_answer(self.context, exchange)
        if answer is None:
            return NO_ANSWER, None
        before = None
        if answer.code in SMSID_EXISTS:  # asked only where it matters
            before = offered_before(self.context.ledger, dispatch, self.nothing_taken)
        busy_code, repeated = self.context.profile.single.busy_code.value, before is not None
        known = self.context.documented
        return judge_single(answer, exchange.body, known, busy_code=busy_code, repeated=repeated), before

    def _end(self, ended: Sequence[Ended]) -> None:
        """Record how attempts ended; where that cannot be, something was tried and nobody can say what came of it."""
        for one in ended:
            del self.under_way[one.dispatch.dispatch_id]
        with must_be_recorded(self.context, ended[0].dispatch.dispatch_id, len(ended)):
            self.taken += end_singles(self.context.ledger, ended, self.context.now())

    def _count(self, found: _Round) -> None:
        """Add up what was recorded, and note whether the gateway knows us."""
        out = [one for one in found.ended if one.state is not MessageState.PLANNED]
        self.dispatches += len(out)
        self.done += len(out)
        self.context.progress("send", self.done, max(self.total, self.done))
        url, now = self.context.settings.gateway.base_url, self.context.now()
        # Others of this address may be refused between our answers: each of these makes the gateway count anew.
        if found.documented and auth_failures(self.context.ledger, url):
            note_auth(self.context.ledger, url, now, failed=False)
        for _ in range(found.unauthorised):
            note_auth(self.context.ledger, url, now, failed=True)

    def give_up(self) -> None:
        """After a signal: what has set out and has no answer in time is unknown, all else has not left."""
        self.out.call_back()
        until = time.monotonic() + GRACE_SECONDS
        while self.under_way and time.monotonic() < until:
            self.collect()
        rest = []
        for name, dispatch in self.under_way.items():
            state = MessageState.UNKNOWN if self.out.has_set_out(name) else MessageState.PLANNED
            rest.append(Ended(dispatch=dispatch, state=state, reason="interrupted", detail="interrupted"))
        if rest:
            self._end(rest)


def _form(dispatch: Dispatch) -> Form:
    """Return the form in which a request was planned, perhaps under another profile than today's."""
    form = form_of(dispatch.payload.name)
    assert form is not None  # noqa: S101 - it is no upload
    return form


def _reason(verdict: Verdict) -> str:
    """Return why a message is in its state: a refusal that only its own parameters can have caused is the row's."""
    if verdict.others is MessageState.TAKEN:
        return ""
    of_row = verdict.others is MessageState.REFUSED and verdict.run is RunAction.GO_ON
    return f"{'row' if of_row else 'request'}:{verdict.code or ''}"


def send_singly(context: Context, batch: Batch, meanwhile: Meanwhile) -> tuple[int, int]:
    """Send what is planned of a batch, message by message; return how many requests, and how many were taken.

    Raises what ``send`` does. An unclear answer keeps everything else from beginning; what is on its way ends by its
    own answer; then the individual results are asked for, and where they name every message that was unclear, sending
    goes on. Two unclear answers with none in between that is documented end it.
    """

    def knows_us_not(exchange: Exchange) -> bool:
        answer = read_answer(context, exchange)
        return answer is not None and answer.code == UNAUTHORISED

    count = _connections(context)
    with context.ledger.kept_open(), couriers(count, context.connect, context.pace.wait, knows_us_not) as out:
        sending = _Sending(context, batch, out, meanwhile)
        sending.plan_on()
        _send(context, batch, sending)
    # Another process that took over the campaign may have made unknown what was refused afterwards, or begun it again.
    stop_if_unsettled(context, batch)
    if sending.refused and not count_states(context.ledger, batch.batch_id).get(MessageState.TAKEN):
        raise GatewayRefused("gateway.refused", **context.refusal(sending.refused, batch.batch_id))
    return sending.dispatches, sending.taken


def _connections(context: Context) -> int:
    """Return how many requests may be on their way at once.

    Should the password be changed meanwhile, all of them are refused: that must not block the address.
    """
    return min(context.settings.send.connections, max(1, context.profile.limits.lockout_answers.value - 1))


def _send(context: Context, batch: Batch, sending: _Sending) -> None:
    """Begin groups and collect answers until nothing is left, or something says stop."""
    was_unclear = False
    pauses = pauses_while_busy()
    while (stop := _until_it_matters(sending)) is not None:
        if stop.documented:
            was_unclear = False
            pauses = pauses_while_busy()
        _raise_or_settle(context, batch, stop, again=was_unclear)
        if stop.unclear:
            was_unclear = True
        elif stop.busy:
            _pause(pauses, context)
        sending.alone = True
        sending.out.go_on()
        sending.plan_on()


def _raise_or_settle(context: Context, batch: Batch, stop: _Round, *, again: bool) -> None:
    """Ask for the results of what is unclear; raise the most severe of all that keeps more from beginning.

    Several requests are on their way at once: that one of them was refused must not hide that another is open.
    ``again``: it is the second time that something is unclear.
    """
    problems = [stop.failure] if stop.failure else []
    if stop.refusal:
        problems.append(GatewayRefused("gateway.refused", **context.refusal(stop.refusal, batch.batch_id)))
    try:
        if stop.unclear:
            with must_be_recorded(context, batch.batch_id, stop.unclear):
                _settle(context, batch, ask=not problems)
            if again:
                raise OutcomeUnknown("send.unclear_twice", batch=batch.batch_id)
        elif problems:
            # As far as we know nothing is; but whoever took over the campaign may have given something up.
            stop_if_unsettled(context, batch)
    except MediasmsError as error:
        problems.append(error)
    if problems:
        raise most_severe(problems)


def _settle(context: Context, batch: Batch, *, ask: bool) -> None:
    """Settle what is unclear, and ask for its results. Raises ``OutcomeUnknown`` when anything stays so."""
    if ask:
        ask_unknown(context, batch)
    stop_if_unsettled(context, batch)


def _until_it_matters(sending: _Sending) -> _Round | None:
    """Send until something keeps more from beginning, and everything on its way has ended; None: nothing is left.

    A signal is held back until what has begun is recorded.
    """
    seen = _Round()
    with held():
        try:
            _rounds(sending, seen)
        except Exception as error:  # noqa: BLE001 - raised when all that has begun is recorded
            seen.fail(error)
            _end_by_answers(sending, seen)
        finally:
            if is_pending():
                sending.give_up()
    return seen if seen.says_stop else None


def _rounds(sending: _Sending, seen: _Round) -> None:
    while (sending.planned or sending.under_way) and not is_pending():
        if seen.says_stop:
            sending.out.call_back()
            if not sending.under_way:
                break
        elif sending.planned and len(sending.under_way) <= (0 if sending.alone else sending.size // 2):
            sending.begin()
        if sending.under_way:
            found = sending.collect()
            sending.alone = sending.alone and not found.documented
            seen.add(found)


def _end_by_answers(sending: _Sending, seen: _Round) -> None:
    """Whatever went wrong, let what has begun end by its own answer."""
    sending.out.call_back()
    try:
        while sending.under_way and not is_pending():
            seen.add(sending.collect())
    except Exception as error:  # noqa: BLE001 - as above; what is on its way is in flight for the next process
        seen.fail(error)


def _pause(pauses: Iterator[float], context: Context) -> None:
    """Wait until the gateway may be less busy. Raises ``TryLater`` (``gateway.busy``) when it was so for too long."""
    seconds = next(pauses, None)
    if seconds is None:
        raise too_busy(context)
    time.sleep(seconds)
