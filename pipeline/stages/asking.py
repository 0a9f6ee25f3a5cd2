"""Ask: results of single sends, one by one and at the common pace. A result is evidence, its absence never is."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from pipeline.context import Context
from pipeline.core.answers import SMSID_EXISTS, SingleResult, parse_single_result
from pipeline.core.calendar import stamp
from pipeline.core.statuses import may_change
from pipeline.errors import MediasmsError
from pipeline.ledger.batches import get_batch
from pipeline.ledger.clocks import clocks_at_sending
from pipeline.ledger.dispatches import list_dispatches
from pipeline.ledger.results import observed_statuses, open_windows, settle
from pipeline.ledger.singles import Asked, batches_sent_alone, without_final_result
from pipeline.model import Batch, MessageState, Observation, ObservationPath
from pipeline.stages.answering import no_results, pauses_while_busy, unreachable
from pipeline.stages.checking import csv_bytes
from pipeline.stages.clocks import compare_clocks
from pipeline.stages.login import stop_after_failed_logins
from pipeline.stages.recording import Recorded, record

#: a pull asks for no more by itself
MOST = 1_000
_YOUNG_MINUTES = 2
#: recorded together, so that what was heard is not lost when a later question fails
_TOGETHER = 500
#: the answer to a message that is still unclear is asked for again after so many seconds
_AGAIN_SECONDS = 1.0
_MAY_HAVE_ARRIVED = (MessageState.TAKEN, MessageState.UNKNOWN, MessageState.REFUSED)


@dataclass(frozen=True, slots=True)
class Heard:
    """How many were asked for, how many of them have a status, how many the gateway does not know, what came of it."""

    asked: int = 0
    named: int = 0
    absent: int = 0
    recorded: Recorded = field(default_factory=Recorded)

    def __add__(self, other: Heard) -> Heard:
        """Add two up."""
        recorded = self.recorded + other.recorded
        return Heard(self.asked + other.asked, self.named + other.named, self.absent + other.absent, recorded)


def ask_stragglers(context: Context, batch_id: str | None, *, most: int | None = None) -> Heard:
    """Ask for every message that was sent alone and has no final result: of a batch, or of all that can change.

    With ``most`` for no more than so many, those whose outcome is unknown first. Raises ``TryLater`` when the results
    cannot be had; what was heard before is recorded.
    """
    now = context.now()
    since = now - timedelta(days=context.settings.results.deadline_days)
    # By itself nobody is asked about what has hardly arrived: it is not final yet.
    young = timedelta(0) if most is None else timedelta(minutes=_YOUNG_MINUTES)
    by_their_clock = open_windows(context.ledger, since, batch_id, ahead := clocks_at_sending(context.ledger))
    batches = [batch_id] if batch_id else batches_sent_alone(context.ledger, since, by_their_clock.keys() & ahead)
    wanted = [one for name in batches for one in _stragglers(context, name, _MAY_HAVE_ARRIVED, young)]
    # Of whichever batch: what is pending may stay so for days, and what is unknown holds up its batch.
    wanted.sort(key=lambda one: one.state is not MessageState.UNKNOWN)
    return ask(context, wanted[:most])


def ask_unknown(context: Context, batch: Batch) -> None:
    """Ask for what is unknown of a batch that was sent alone, twice at most, and settle what is named.

    What has been recorded meanwhile comes first: a result may be here before the answer that it makes up for. That the
    results cannot be had leaves it as it is. So does an smsid that may be somebody else's: nobody is asked. Nor is the
    gateway after an answer that forbids one more login.
    """
    opened = [one for one in list_dispatches(context.ledger, batch.batch_id) if one.is_unsettled]
    if any(context.stops_logins(one.answer_code) for one in opened):
        return
    for seconds in (0.0, _AGAIN_SECONDS):
        settle(context.ledger, context.now())
        wanted = _stragglers(context, batch.batch_id, (MessageState.UNKNOWN,), timedelta(0))
        if not wanted:
            return
        time.sleep(seconds)
        with suppress(MediasmsError):
            ask(context, wanted)


def _stragglers(context: Context, batch_id: str, states: Sequence[MessageState], young: timedelta) -> list[Asked]:
    table, check = context.statuses, get_batch(context.ledger, batch_id).number_check
    seen = observed_statuses(context.ledger, batch_id)
    final = [status for status in seen if not may_change(table.look_up(status), check)]
    # What was sent after now was not sent just now: our clock was wrong then.
    now = context.now()
    return without_final_result(context.ledger, batch_id, final, states, (now - young, now))


def ask(context: Context, wanted: Sequence[Asked]) -> Heard:
    """Ask for the results of messages; keep the answers raw, record those that name a status, and settle by them."""
    heard = Heard()
    if wanted:
        stop_after_failed_logins(context)
    for start in range(0, len(wanted), _TOGETHER):
        named: dict[str, str] = {}
        counts: Counter[str] = Counter()
        part = wanted[start : start + _TOGETHER]
        try:
            for number, one in enumerate(part, start + 1):
                found = _ask_one(context, one.smsid)
                counts[found.code or ""] += 1
                if found.status:
                    named[one.smsid] = found.status
                context.progress("ask", number, len(wanted))
        finally:
            recorded = _record(context, named)
            absent = counts[context.profile.single.absent_code.value]
            heard += Heard(counts.total(), len(named), absent, recorded)
    return heard


def _ask_one(context: Context, smsid: str) -> SingleResult:
    """Ask until there is an answer about the message; a busy gateway is asked again for a while."""
    single, pauses = context.profile.single, pauses_while_busy()
    while True:
        context.pace.wait()
        exchange = context.gateway.single_result(smsid)
        compare_clocks(context, exchange)
        if exchange.http_status is None:
            raise unreachable(context, context.profile.endpoints.result_single, exchange)
        found = parse_single_result(exchange.http_status, exchange.body, context.documented)
        # That several messages have the smsid is no result of any of them.
        if found.code in {"200", single.absent_code.value, *SMSID_EXISTS}:
            return found
        if found.code != single.busy_code.value or (seconds := next(pauses, None)) is None:
            no_results(context, found.code, exchange.http_status)
        time.sleep(seconds)


def _record(context: Context, named: dict[str, str]) -> Recorded:
    """Put on disk and into the ledger what was heard.

    No number stands in it: whose message has the smsid is not said.
    """
    if not named:
        return Recorded()
    now = context.now()
    with context.workspace.new_pull("single", stamp(now)) as file:
        file.write(csv_bytes([("smsid", "status"), *named.items()]))
        artefact = file.commit()
    observations = [
        Observation(path=ObservationPath.FETCHED, smsid=smsid, msisdn="", status=status, status_time=None, line=line)
        for line, (smsid, status) in enumerate(named.items(), 2)
    ]
    return record(context, artefact, (now, now), observations)
