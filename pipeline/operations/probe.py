"""Probe: one message to the operator's own phone, and what came back of it compared with the profile.

A real send, by the way of every list: a batch of one row in a campaign of its own. Running it again while results are
still to come goes on with it. It changes no profile: it says what the evidence bears out, and what it denies.
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from pipeline.context import Context
from pipeline.core.calendar import jst_date, widened
from pipeline.errors import Exit, GatewayRefused, GuardStopped, InputUnusable, MediasmsError, OutcomeUnknown, worst
from pipeline.ledger.batches import get_batch
from pipeline.ledger.dispatches import dispatches_with, planned_mode
from pipeline.ledger.tracing import events_about, observations_about
from pipeline.model import Batch, Dispatch, MessageState, Mode, Observation, ObservationPath
from pipeline.operations.from_failed import spelled
from pipeline.operations.next_step import Step, next_step
from pipeline.operations.own_phone import attempts, hand_in, latest_messages, message_of, read_number, unused
from pipeline.operations.run import POLL_SECONDS
from pipeline.stages.outlook import Preview
from pipeline.stages.pull import pull, pull_single
from pipeline.stages.send import send
from pipeline.stages.validate import Request
from schemas import evidence
from schemas.evidence import Entry, Probe, Verdict

_CAMPAIGN = re.compile(r"probe-[0-9]{4}-[0-9]{2}-[0-9]{2}(-[0-9]+)?")
_FIXED = "SMS 送信の動作確認です（mediasms）"
#: a period that holds no message of now ends so long before it, and is as long
_BEFORE = timedelta(hours=1)
#: answers that say that something else lives at an address
_NOT_THERE = {"404", "405"}
#: a results file that cannot be read → the entry of the profile that says how it is read
_UNREADABLE = {
    "results.encoding": "results.encoding",
    "results.columns": "layout.columns",
    "results.contract": "layout.column",
    "results.not_csv": "layout.columns",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What became of a probe: its batch, whether this command has ``sent`` it, and what its evidence says.

    ``is_back`` says that a result with a final status has come.
    """

    batch: Batch
    sent: bool
    is_back: bool
    entries: tuple[Entry, ...]
    stopped_by: MediasmsError | None

    @property
    def is_refused(self) -> bool:
        """Say whether the gateway took nothing: then nothing will come back."""
        return isinstance(self.stopped_by, GatewayRefused)

    @property
    def exit(self) -> Exit:
        """Return the exit code: an entry that is contradicted is a finding, a message that is not back yet is none."""
        contradicted = any(entry.verdict is Verdict.CONTRADICTED for entry in self.entries)
        # Results that could be fetched and not read are what such a finding is about.
        if self.stopped_by is None or (contradicted and isinstance(self.stopped_by, InputUnusable)):
            return Exit.FINDINGS if contradicted else Exit.DONE
        return worst([self.stopped_by.exit, Exit.FINDINGS if contradicted else Exit.DONE])


@dataclass(slots=True)
class _Seen:
    """What was seen while waiting: rows about the message, read raw, and what kept results from being read."""

    rows: list[Sequence[str]] = field(default_factory=list)
    fetched: int = 0
    problem: MediasmsError | None = None
    asked_problem: MediasmsError | None = None


def probe(  # noqa: PLR0913 - each is a choice of the person who probes
    context: Context,
    number: str,
    *,
    mode: Mode = Mode.AUTO,
    wait: timedelta = timedelta(0),
    may_repeat: bool = False,
    confirm: Callable[[Preview], bool] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Probed:
    """Send a message to ``number``, or go on with the one under way, wait until it is back, and compare.

    Raises ``GuardStopped`` (``probe.repeated``) when one was sent today and nobody said that another one is meant, and
    whatever ``send`` raises where nothing left.
    """
    msisdn = read_number(context, number)
    under_way = _under_way(context, msisdn)
    campaign = under_way.campaign if under_way else _new(context, may_repeat=may_repeat)
    stopped_by: MediasmsError | None = None
    with context.campaign_lock(campaign):
        if under_way:
            # Not handed in again: under a profile that was edited since, its row would be a new batch, served already.
            batch = get_batch(context.ledger, under_way.batch_id)
        else:
            request = Request(Path(), campaign, name="probe.csv", mode=mode)
            batch = hand_in(context, request, _row(context, msisdn, campaign))
        before = attempts(context, batch)
        try:
            send(context, batch, mode=mode, confirm=confirm)
        except (OutcomeUnknown, GatewayRefused) as error:
            stopped_by = error
        sent = attempts(context, batch) > before
    placed = message_of(context, batch, msisdn)
    (*_, dispatch) = dispatches_with(context.ledger, batch.batch_id, placed.dispatch_id)
    looked_for = Probe(
        smsid=placed.message.smsid,
        msisdn=msisdn,
        fixed=_FIXED,
        marker=campaign,
        begun_at=dispatch.begun_at or batch.registered_at,
        as_single=planned_mode(context.ledger, batch.batch_id) is Mode.SINGLE,
    )
    seen = _Seen()
    is_refused = isinstance(stopped_by, GatewayRefused)
    if not is_refused and not (stopped_by and context.stops_logins(stopped_by.facts.get("code"))):
        _wait(context, batch, looked_for, seen, wait, sleep)
    taken = message_of(context, batch, msisdn).message.state is MessageState.TAKEN
    if taken and isinstance(stopped_by, OutcomeUnknown):
        stopped_by = None  # a result names it
    entries = tuple(_compared(context, batch, dispatch, looked_for, seen, taken=taken))
    is_back = bool(seen.rows) and evidence.is_final(seen.rows[-1], context.profile)
    return Probed(batch=batch, sent=sent, is_back=is_back, entries=entries, stopped_by=stopped_by or seen.problem)


def _under_way(context: Context, msisdn: str) -> Batch | None:
    """Return the latest probe to a number, where it has something left to send today, or to wait for."""
    for placed in latest_messages(context, msisdn):
        batch = get_batch(context.ledger, placed.batch_id)
        if _CAMPAIGN.fullmatch(batch.campaign):
            step = next_step(context, batch)
            is_of_today = batch.run_date == jst_date(context.now())
            return batch if step is Step.PULL or (step is Step.SEND and is_of_today) else None
    return None


def _new(context: Context, *, may_repeat: bool) -> str:
    name = f"probe-{jst_date(context.now()).isoformat()}"
    campaign = unused(context, name)
    if campaign != name and not may_repeat:
        raise GuardStopped("probe.repeated")
    return campaign


def _row(context: Context, msisdn: str, campaign: str) -> dict[str, str]:
    """Return the list's one row: a text that is never the same twice, with a tag for the gateway where there is one."""
    profile = context.profile
    number = spelled(context, msisdn)
    if "info1" in profile.layout.by_field and "info1" in profile.single.by_field:
        return {"msisdn": number, "text": f"{_FIXED} {{info1}}", "info1": campaign}
    return {"msisdn": number, "text": f"{_FIXED} {campaign}"}


def _wait(  # noqa: PLR0913, PLR0917 - what is waited for, and how long
    context: Context,
    batch: Batch,
    looked_for: Probe,
    seen: _Seen,
    wait: timedelta,
    sleep: Callable[[float], None],
) -> None:
    """Pull until the message is back, results cannot be read, or the time is over."""
    until = context.now() + wait
    while True:
        _look(context, batch, looked_for, seen)
        is_back = bool(seen.rows) and evidence.is_final(seen.rows[-1], context.profile)
        final = is_back or isinstance(seen.problem, InputUnusable | GatewayRefused) or _is_absent(seen.problem)
        if final or context.now() >= until:
            return
        sleep(min(POLL_SECONDS, (until - context.now()).total_seconds()))


def _is_absent(problem: MediasmsError | None) -> bool:
    return problem is not None and str(problem.facts.get("code")) in _NOT_THERE


def _look(context: Context, batch: Batch, looked_for: Probe, seen: _Seen) -> None:
    if looked_for.as_single:
        try:
            pull_single(context, batch.batch_id)
            seen.asked_problem = None
        except MediasmsError as error:
            seen.asked_problem = error
    files: list[Path] = []
    try:
        files = [Path(name) for name in pull(context, batch.batch_id).files]
        seen.problem = None
    except InputUnusable as error:
        # It lies there all the same: nothing of it was recorded.
        files, seen.problem = [context.workspace.pulls_folder() / str(error.facts["file"])], error
    except MediasmsError as error:
        seen.problem = error
    seen.fetched += len(files)
    records = [record for file in files for record in _records(context, file)]
    seen.rows = evidence.rows_of(looked_for, records, context.profile) or seen.rows


def _records(context: Context, file: Path) -> list[list[str]]:
    """Read a results file raw: what the profile says about its columns is what is looked at."""
    text = file.read_bytes().decode(context.profile.results.encoding.value, "replace")
    return list(csv.reader(io.StringIO(text, newline="")))


def _compared(  # noqa: PLR0913 - everything that is known about the message
    context: Context, batch: Batch, dispatch: Dispatch, looked_for: Probe, seen: _Seen, *, taken: bool
) -> Iterator[Entry]:
    profile = context.profile
    told = {one.observation.path: one.observation for one in observations_about(context.ledger, looked_for.smsid)}
    if looked_for.as_single:
        yield from _about_asking(context, told, seen)
    else:
        yield from evidence.about_upload(profile, dispatch.answer_code, _lines(context, batch, dispatch), taken=taken)
    refused = str(seen.problem.facts["code"]) if seen.problem and _is_absent(seen.problem) else None
    endpoint = profile.endpoints.results_csv
    yield evidence.about_endpoint(
        "endpoints.results_csv", endpoint, answered=bool(seen.rows), refused=refused, word="csv"
    )
    if seen.rows:
        yield from evidence.about_rows(profile, looked_for, seen.rows, context.now())
    elif seen.problem and seen.problem.code in _UNREADABLE:
        came = str(seen.problem.facts.get("found", ""))
        yield Entry(key=_UNREADABLE[seen.problem.code], says="", verdict=Verdict.CONTRADICTED, came=came)
    yield from evidence.about_period(profile, ours_outside=_outside(context, looked_for) if seen.rows else None)
    yield from evidence.about_notification(profile, told.get(ObservationPath.NOTIFIED))


def _about_asking(context: Context, told: dict[ObservationPath, Observation], seen: _Seen) -> Iterator[Entry]:
    """Compare the individual result, which only single sends have."""
    profile = context.profile
    heard = ObservationPath.FETCHED in told
    refused = None
    if seen.asked_problem and not heard and _is_absent(seen.asked_problem):
        refused = str(seen.asked_problem.facts["code"])
    key, fact = "single.result_parameter", profile.single.result_parameter
    yield evidence.about_endpoint(
        "endpoints.result_single", profile.endpoints.result_single, answered=heard, refused=refused, word="status"
    )
    if heard:
        yield evidence.confirmed(key, fact, word="status")
    else:
        yield Entry(key=key, says=fact.value, verdict=Verdict.NOT_SEEN)


def _lines(context: Context, batch: Batch, dispatch: Dispatch) -> list[str]:
    """Return the kinds of lines that the answer to an upload had, as its last attempt recorded them."""
    ended = [one for one in events_about(context.ledger, batch.batch_id, [dispatch.dispatch_id]) if one.kind == "ended"]
    return str(ended[-1].detail.get("lines", "")).split() if ended else []


def _outside(context: Context, looked_for: Probe) -> bool | None:
    """Say whether the message's row comes also for a period before it was sent; None where that cannot be asked."""
    last = looked_for.begun_at - _BEFORE
    period = widened(last - _BEFORE, last, timedelta(0))
    try:
        files = pull(context, period=period).files
    except MediasmsError:
        return None
    records = [record for name in files for record in _records(context, Path(name))]
    return bool(evidence.rows_of(looked_for, records, context.profile))
