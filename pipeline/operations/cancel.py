"""Cancel: a person stops what has not left yet, and asks the gateway to cancel what has. It needs no lock.

Whoever sends asks before each dispatch. What is at the gateway is asked about one by one: docs/cancel.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.context import Context
from pipeline.core.statuses import may_change
from pipeline.errors import Exit, GuardStopped, MediasmsError, UsageError, worst
from pipeline.ledger.batches import count_states, find_batch
from pipeline.ledger.cancellations import Cancellable, may_be_there, note_unasked, statuses_about
from pipeline.ledger.cancelling import Single, cancel_messages, singles_of, stop_batch, waiting_of_batch
from pipeline.ledger.dispatches import dispatch_id
from pipeline.ledger.machines import stop_if_elsewhere
from pipeline.messages import Language, label
from pipeline.model import CancelOutcome, MessageState, NumberCheck
from pipeline.reports.wording import named_counts, outcome_name, state_name
from pipeline.stages.calling_back import CalledBack, call_back
from pipeline.stages.guards import check_markers, lost_attempts

#: what an outcome asks a scheduler to do
_EXITS = {
    CancelOutcome.CANCELLED: Exit.DONE,
    CancelOutcome.TOO_LATE: Exit.FINDINGS,
    CancelOutcome.ABSENT: Exit.FINDINGS,
    CancelOutcome.BUSY: Exit.TRY_LATER,
    CancelOutcome.UNSENT: Exit.TRY_LATER,
    CancelOutcome.REFUSED: Exit.REFUSED,
    CancelOutcome.UNCLEAR: Exit.UNKNOWN,
}
#: states of messages that the gateway may have
_AWAY = (MessageState.TAKEN, MessageState.UNKNOWN, MessageState.IN_FLIGHT)


@dataclass(frozen=True, slots=True)
class Named:
    """What was named: ``batches``, and single messages by ``smsids`` that are of no such batch.

    ``waiting`` counts what has not left, ``there`` what the gateway is to be asked about. Of a batch that is not
    planned yet, every accepted row waits.
    """

    batches: tuple[str, ...]
    smsids: tuple[str, ...]
    waiting: int
    there: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What became of it.

    ``messages`` will not leave. ``outcomes`` is what the gateway said of each that it was asked about, ``before`` are
    those that it had cancelled before, and ``final`` those of which a result said already what became of them.
    ``late`` of those named one by one were not cancelled. ``untouched`` is what else was not, by state. ``stopped`` are
    batches of which nothing leaves any more. ``problem`` is why not everything was asked, or nothing could be done.
    """

    messages: int
    late: int
    untouched: Mapping[MessageState, int]
    outcomes: Mapping[str, CancelOutcome] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    final: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    problem: MediasmsError | None = None

    @property
    def counts(self) -> dict[CancelOutcome, int]:
        """Count the gateway's answers by what they say."""
        return dict(Counter(self.outcomes.values()))

    @property
    def exit(self) -> Exit:
        """Return what all of it together asks a scheduler to do."""
        codes = [_EXITS[outcome] for outcome in self.counts]
        if self.late or self.final:
            codes.append(Exit.FINDINGS)
        if self.problem:
            codes.append(self.problem.exit)
        return worst(codes)


def look_up(context: Context, names: Sequence[str]) -> Named:
    """Say what ``names`` are, batches or messages. One that is neither is named by its position: it may be a number.

    Raises ``UsageError`` (``cancel.unknown``) for that one, or ``GuardStopped`` (``ledger.went_back``) where the ledger
    may have known it.
    """
    distinct = tuple(dict.fromkeys(names))
    found = {name: batch for name in distinct if (batch := find_batch(context.ledger, name))}
    batches = tuple(found)
    alone = [name for name in distinct if name not in batches]
    known = singles_of(context.ledger, alone)
    if unknown := [name for name in alone if name not in known]:
        check_markers(context)
        raise UsageError("cancel.unknown", position=names.index(unknown[0]) + 1)
    # Of a batch that is named, too, a message is one of its own.
    smsids = tuple(name for name in alone if known[name].batch_id not in batches)
    waiting = sum(
        waiting_of_batch(context.ledger, name) if batch.planned_at else batch.totals.accepted
        for name, batch in found.items()
    )
    there = sum(_is_open(one) for one in _away(context, batches, smsids))
    return Named(batches, smsids, waiting + sum(known[name].waits for name in smsids), there)


def cancel(context: Context, wanted: Named, *, actor: str) -> Cancelled:
    """Cancel what waits, then ask the gateway about what does not.

    ``problem`` is ``cancel.nothing`` (exit 7) where nothing at all could be cancelled, and ``cancel.went_back`` (7)
    where the ledger has forgotten that something of it was begun: of that, too, nothing more leaves, but what has left
    may be among ``messages``, and the gateway was not asked about it.

    Raises ``GuardStopped`` (``ledger.elsewhere``) in a copy: the ledger that sends would know nothing of it.
    """
    stop_if_elsewhere(context.ledger)
    now = context.now()
    stopped = tuple(batch for batch in wanted.batches if _can_stop(context, batch))
    messages = sum(stop_batch(context.ledger, batch, now, actor=actor) for batch in stopped)
    messages += cancel_messages(context.ledger, wanted.smsids, now, actor=actor)
    found = _away(context, wanted.batches, wanted.smsids)
    # A batch may be named after all is over; who names a message means its recipient.
    single = set(wanted.smsids)
    unasked = [one for one in found if not one.askable or (one.final and one.smsid in single)]
    note_unasked(context.ledger, unasked, now, actor=actor)
    away = [one for one in found if one.askable]
    asked = [one for one in away if _is_open(one)]
    called = call_back(context, asked, actor=actor) if asked else CalledBack()
    before = tuple(one.smsid for one in away if one.cancelled)
    states = singles_of(context.ledger, wanted.smsids)
    gone = {*before, *(smsid for smsid, outcome in called.outcomes.items() if outcome is CancelOutcome.CANCELLED)}
    done = Cancelled(
        messages=messages,
        late=sum(one.state is not MessageState.CANCELLED and smsid not in gone for smsid, one in states.items()),
        untouched=_untouched(context, wanted, states.values(), len(away)),
        outcomes=called.outcomes,
        before=before,
        final=tuple(one.smsid for one in away if one.final and not one.cancelled),
        stopped=stopped,
        problem=_forgotten(context, {*wanted.batches, *(one.batch_id for one in states.values())}) or called.problem,
    )
    if done.exit in {Exit.DONE, Exit.FINDINGS} and not (messages or stopped or gone - set(before)):
        return replace(done, problem=GuardStopped("cancel.nothing", states=_spelled(done, context.language)))
    return done


def _forgotten(context: Context, batches: Collection[str]) -> GuardStopped | None:
    """Return what to say where the ledger has forgotten that anything of ``batches`` was begun.

    Asked at the end: whatever is wrong with the ledger, who wants to stop something must be able to.
    """
    try:
        lost = (mark for mark in lost_attempts(context) if mark.batch_id in batches)
        if mark := next(lost, None):
            return GuardStopped("cancel.went_back", dispatch=dispatch_id(mark.batch_id, mark.number))
    except GuardStopped as error:  # a marker says nothing
        return error
    return None


def _can_stop(context: Context, batch_id: str) -> bool:
    """Say whether anything of a batch can still be kept from leaving.

    What is in flight may come back unsent, and what is unknown may be freed by a person.
    """
    batch = find_batch(context.ledger, batch_id)
    states = count_states(context.ledger, batch_id)
    unplanned = batch is not None and batch.planned_at is None
    may_come_back = states.get(MessageState.IN_FLIGHT, 0) + states.get(MessageState.UNKNOWN, 0)
    return unplanned or bool(may_come_back or waiting_of_batch(context.ledger, batch_id))


def _is_open(one: Cancellable) -> bool:
    """Say that the gateway is to be asked about a message."""
    return one.askable and not one.final and not one.cancelled


def _away(context: Context, batches: Sequence[str], smsids: Sequence[str]) -> list[Cancellable]:
    """Return what the gateway may have; a status that the profile does not know is no final one."""
    seen = statuses_about(context.ledger, batches, smsids)
    known = {status: meaning for status in seen if (meaning := context.statuses.look_up(status))}
    final = {
        check: [status for status, meaning in known.items() if not may_change(meaning, check)] for check in NumberCheck
    }
    return may_be_there(context.ledger, batches, smsids, final)


def _untouched(context: Context, wanted: Named, single: Iterable[Single], away: int) -> dict[MessageState, int]:
    """Count what is neither cancelled nor among those ``away`` that have an outcome: such as what was refused."""
    counts = Counter(one.state for one in single)
    for batch in wanted.batches:
        counts.update(count_states(context.ledger, batch))
    counts[MessageState.UNKNOWN] = sum(counts.pop(state, 0) for state in _AWAY) - away
    return {state: count for state, count in counts.items() if count > 0 and state is not MessageState.CANCELLED}


def _spelled(done: Cancelled, language: Language) -> str:
    counts = [(state_name(state, language), count) for state, count in done.untouched.items()]
    counts += [(outcome_name(outcome, language), count) for outcome, count in done.counts.items()]
    rest = {"before": len(done.before), "final": len(done.final)}
    counts += [(label(f"cancel.outcome.{name}", language), count) for name, count in rest.items() if count]
    return named_counts(counts, language)
