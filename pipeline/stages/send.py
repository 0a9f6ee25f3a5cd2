"""Send: accepted rows become dispatches, and each goes out at most once.

The order is the promise: plan and ``in_flight`` are committed, the marker is on disk, then the first byte leaves. After
that only evidence changes anything. The caller holds the campaign lock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd

from pipeline.adapters.files import write_durable
from pipeline.adapters.gateway import Exchange, GatewayClient
from pipeline.adapters.interruption import held, uploading
from pipeline.context import Context
from pipeline.core import ids
from pipeline.core.answers import Verdict, judge, parse_answer
from pipeline.core.calendar import jst_date
from pipeline.core.tags import final_texts
from pipeline.core.uniqueness import message_keys
from pipeline.errors import GatewayRefused, GuardStopped, Interrupted, OutcomeUnknown, TryLater
from pipeline.ledger.batches import (
    campaign_repeats,
    count_opted_out,
    count_states,
    note_decision,
    repeats_elsewhere,
    same_content_elsewhere,
)
from pipeline.ledger.cancelling import Stop, cancel_opted_out, cancel_stopped, stop_of
from pipeline.ledger.dispatches import (
    PlannedDispatch,
    adopt_in_flight,
    begin_dispatch,
    dispatched,
    end_dispatch,
    free_messages,
    interrupt_dispatch,
    list_dispatches,
    note_auth,
    offered_before,
    plan_again,
    plan_batch,
    planned_smsids,
    return_dispatch,
    withdrawn_messages,
)
from pipeline.ledger.optouts import opted_out
from pipeline.ledger.results import settle
from pipeline.model import Artefact, Batch, Dispatch, MessageState, Proof, RunAction
from pipeline.stages.guards import (
    Late,
    check_markers,
    is_late,
    stop_if_dear,
    stop_if_payload_passed,
    stop_if_time_passed,
)
from pipeline.stages.login import stop_after_failed_logins
from schemas.gateway_csv import render, request_contract
from schemas.recipients import ROW_NUMBER, enforce

_UNAUTHORISED = "401"


@dataclass(frozen=True, slots=True)
class Sent:
    """What sending a batch did in this run; ``states`` counts the batch's messages after it.

    ``opted_out`` counts those of the cancelled ones whose recipients opted out, in this run or an earlier one.
    """

    dispatches: int
    messages: int
    states: dict[MessageState, int]
    opted_out: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What a person sees before they say yes: yen are untaxed, a range because the carriers are not known yet."""

    messages: int
    first_msisdn: str
    first_text: str
    lowest: Decimal
    highest: Decimal
    unpriced: int


def send(  # noqa: PLR0913 - each is a choice of the person who sends
    context: Context,
    batch: Batch,
    *,
    again: bool = False,
    late: Late | None = None,
    max_cost: Decimal | None = None,
    confirm: Callable[[Preview], bool] | None = None,
) -> Sent:
    """Send what is planned of a batch, but to nobody who has opted out: those messages are cancelled.

    Raises ``OutcomeUnknown`` when an outcome is open (its batch stays where it is), ``GatewayRefused`` when the
    gateway said no to everything, ``TryLater`` when not a byte left, ``GuardStopped`` when a person must look first.
    """
    gateway = context.gateway  # a wrong configuration stops here, before anything is planned
    check_markers(context)
    now = context.now()
    adopt_in_flight(context.ledger, batch.campaign, now)
    settle(context.ledger, now)
    stop = cancel_stopped(context.ledger, batch.batch_id, now)
    _stop_if_unsettled(context, batch)
    if stop and (stop.cancelled or batch.planned_at is None):
        raise _cancelled(batch, stop)
    cancel_opted_out(context.ledger, batch.batch_id, now)
    free = free_messages(context.ledger, batch)
    waiting = _waiting(context, batch, free)
    if waiting:
        _permit(context, batch, waiting, again=again, late=late, max_cost=max_cost, confirm=confirm)
    # Nothing is planned before every guard has passed: what is planned counts as served in its campaign.
    if batch.planned_at is None:
        _plan(context, batch)
        # Every accepted row is a message, also that of somebody who opted out after validation.
        if cancel_opted_out(context.ledger, batch.batch_id, context.now()):
            free = withdrawn_messages(context.ledger, batch)
    _plan_free_again(context, batch, free)
    dispatches, messages = _send_all(context, gateway, batch)
    if (stop := stop_of(context.ledger, batch.batch_id)) and stop.cancelled:
        raise _cancelled(batch, stop)
    states = count_states(context.ledger, batch.batch_id)
    return Sent(dispatches, messages, states, count_opted_out(context.ledger, batch.batch_id))


def _waiting(context: Context, batch: Batch, free: Mapping[int, list[str]]) -> set[str]:
    """Return the smsids that this run is about to send."""
    if batch.planned_at is None:
        return {smsid for chunk in _accepted(context, batch) for smsid in _wanted(context, chunk)}
    again = {smsid for smsids in free.values() for smsid in smsids}
    return planned_smsids(context.ledger, batch.batch_id) | again


def _wanted(context: Context, chunk: pd.DataFrame) -> Iterator[str]:
    """Return the smsids of those rows whose recipients have not opted out."""
    numbers = chunk["msisdn"].tolist()
    out = opted_out(context.ledger, numbers)
    return (smsid for smsid, number in zip(chunk["smsid"].tolist(), numbers, strict=True) if number not in out)


def _permit(  # noqa: PLR0913 - as above
    context: Context,
    batch: Batch,
    waiting: set[str],
    *,
    again: bool,
    late: Late | None,
    max_cost: Decimal | None,
    confirm: Callable[[Preview], bool] | None,
) -> None:
    """Ask every guard, and then the person; record what that person has decided."""
    now = context.now()
    stop_if_time_passed(context, batch, (_those(chunk, waiting) for chunk in _accepted(context, batch)))
    old = is_late(context, batch, late)
    if not again:
        _guard(context, batch, waiting, now)
    if confirm or max_cost is not None:
        seen = preview(context, batch, waiting)
        if max_cost is not None:
            stop_if_dear(batch, seen.highest, seen.unpriced, max_cost)
        if confirm and not confirm(seen):
            raise GuardStopped("guard.not_confirmed", batch=batch.batch_id)
    if old and late:
        note_decision(context.ledger, now, "late", batch.batch_id, actor=late.actor, because=late.because)


def _guard(context: Context, batch: Batch, waiting: set[str], now: datetime) -> None:
    """Stop when the same went out before in another campaign."""
    if elsewhere := same_content_elsewhere(context.ledger, batch):
        raise GuardStopped("guard.same_content", campaign=elsewhere, batch=batch.batch_id)
    days = context.settings.send.repeat_guard_days
    repeats = 0
    for chunk in _accepted(context, batch):
        rows = _those(chunk, waiting)
        texts = list(zip(rows["msisdn"].tolist(), _digests(_columns(rows)), strict=True))
        repeats += repeats_elsewhere(context.ledger, batch.campaign, texts, now - timedelta(days=days))
    if repeats:
        raise GuardStopped("guard.repeated_text", count=repeats, days=days)


def _send_all(context: Context, gateway: GatewayClient, batch: Batch) -> tuple[int, int]:
    """Send dispatch after dispatch until an answer says stop; return how many, and how many messages were taken.

    A dispatch that did not begin, because somebody in it opted out just now, goes out without them after the others.
    Each time a message was cancelled, so this ends.
    """
    refusal: GatewayRefused | None = None
    dispatches = sent = 0
    planned = _planned(context, batch)
    while planned:
        stop_after_failed_logins(context)
        dispatch = planned.pop(0)
        verdict = _send_one(context, gateway, batch, dispatch)
        if verdict is None:
            # Not what was refused: that is for a later run.
            _plan_free_again(context, batch, withdrawn_messages(context.ledger, batch))
            planned = _planned(context, batch)
            continue
        dispatches += 1
        sent += verdict.count(MessageState.TAKEN, dispatch.messages)
        _stop_if_unsettled(context, batch)
        if verdict.others is MessageState.REFUSED:
            refusal = GatewayRefused("gateway.refused", code=verdict.code, meaning=context.meaning(verdict.code))
            if verdict.run is not RunAction.GO_ON:
                break
    if refusal:
        raise refusal
    return dispatches, sent


def _planned(context: Context, batch: Batch) -> list[Dispatch]:
    return [dispatch for dispatch in list_dispatches(context.ledger, batch.batch_id) if dispatch.is_planned]


def preview(context: Context, batch: Batch, waiting: set[str]) -> Preview:
    """Render the first message that is about to go out, and the range of what all of them may cost."""
    day = jst_date(context.now())
    first: tuple[str, str] = ("", "")
    lowest = highest = Decimal(0)
    unpriced = 0
    for chunk in _accepted(context, batch):
        rows = _those(chunk, waiting)
        if not first[0] and len(rows):
            first = (str(rows["msisdn"].iloc[0]), str(rows["text"].iloc[0]))
        lengths = Counter(zip(rows["characters"].tolist(), rows["double_byte"].tolist(), strict=True))
        for (characters, double_byte), count in lengths.items():
            costs = context.tariff.cost_range(characters, double_byte=double_byte, day=day)
            if costs is None:
                unpriced += count
            else:
                lowest += costs[0] * count
                highest += costs[1] * count
    return Preview(len(waiting), *first, lowest, highest, unpriced)


def _stop_if_unsettled(context: Context, batch: Batch) -> None:
    open_dispatches = [found for found in list_dispatches(context.ledger, batch.batch_id) if found.is_unsettled]
    if open_dispatches:
        count = sum(found.states.get(MessageState.UNKNOWN, 0) for found in open_dispatches)
        raise OutcomeUnknown(
            "send.unknown", batch=batch.batch_id, messages=count, dispatch=open_dispatches[0].dispatch_id
        )


def _cancelled(batch: Batch, stop: Stop) -> GuardStopped:
    when = f"{stop.at:%Y-%m-%d %H:%M}"
    return GuardStopped("send.cancelled", batch=batch.batch_id, actor=stop.actor, at=when, messages=stop.cancelled)


def _accepted(context: Context, batch: Batch) -> Iterator[pd.DataFrame]:
    """Yield the accepted rows in chunks of one upload each."""
    rows = context.settings.send.max_rows or context.profile.limits.max_rows.value
    path = context.workspace.checked(batch.batch_id, batch.artefact("accepted.csv"))
    numbers = {ROW_NUMBER: int, "characters": int, "bytes": int, "double_byte": bool}
    header = pd.read_csv(path, nrows=0, encoding="utf-8").columns
    types = {name: numbers.get(name, "str") for name in header}
    with pd.read_csv(
        path, dtype=types, keep_default_na=False, na_filter=False, chunksize=rows, encoding="utf-8"
    ) as reader:
        yield from reader


def _those(chunk: pd.DataFrame, smsids: Container[str]) -> pd.DataFrame:
    """Return the rows whose smsid is one of ``smsids``: pandas' ``isin`` would convert all of them for every chunk."""
    return chunk[pd.Series([smsid in smsids for smsid in chunk["smsid"].tolist()], index=chunk.index, dtype=bool)]


def _payload(context: Context, batch: Batch, number: int, accepted: pd.DataFrame) -> Artefact:
    """Lay out rows as the gateway wants them, and put them on disk."""
    table = enforce(request_contract(context.profile), render(accepted, context.profile), "gateway CSV")
    line_end = context.profile.layout.request_line_end.value
    encoding = context.profile.upload.encoding.value
    data = table.to_csv(header=False, index=False, lineterminator=line_end).encode(encoding)
    return write_durable(context.workspace.batch_folder(batch.batch_id) / f"dispatch-{number:04d}.csv", data)


def _messages(accepted: pd.DataFrame, *, repeats: bool) -> Iterator[Mapping[str, object]]:
    """Return the rows of the message table; until they are asked for they wait as columns, a fraction of the memory."""
    columns = _columns(accepted)
    rows = accepted[[ROW_NUMBER, "smsid", "msisdn", "characters"]].assign(
        double_byte=accepted["double_byte"].astype(int),
        text_digest=pd.Series(_digests(columns), index=accepted.index, dtype="str"),
        message_key=pd.Series(message_keys(columns, repeats=repeats), index=accepted.index, dtype="str"),
    )
    return _rows(rows)


def _columns(table: pd.DataFrame) -> dict[str, list[str]]:
    return {str(name): table[name].tolist() for name in table.columns}


def _digests(columns: Mapping[str, list[str]]) -> list[str]:
    """Return the digests by which the same text to the same number is recognised."""
    return [ids.text_digest(text) for text in final_texts(columns)]


def _rows(table: pd.DataFrame) -> Iterator[Mapping[str, object]]:
    """Yield the rows of a table by column name."""
    names = [str(name) for name in table.columns]
    for row in zip(*(table[name].tolist() for name in names), strict=True):
        yield dict(zip(names, row, strict=True))


def _plan(context: Context, batch: Batch) -> None:
    """Lay out every payload on disk, then commit messages and dispatches in one transaction."""
    repeats = campaign_repeats(context.ledger, batch.campaign) is True
    parts = (
        part
        for chunk in _accepted(context, batch)
        if len(chunk)
        for part in (_one_row_per_number(chunk) if repeats else [chunk])
    )
    planned = [
        # Chunks are numbered as dispatches are: each part of what was read is one, and has one live dispatch.
        PlannedDispatch(number, number, _payload(context, batch, number, part), _messages(part, repeats=repeats))
        for number, part in enumerate(parts, 1)
    ]
    plan_batch(context.ledger, batch, planned, context.now())


def plan_again_as_before(context: Context, batch: Batch) -> None:
    """Plan a batch whose plan is lost: the same rows make the same messages, with the same smsids."""
    _plan(context, batch)


def _one_row_per_number(chunk: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Cut a chunk so that a number's first row is in the first part, its second in the second, and so on.

    A reject line of the gateway's answer names a row by its number only.
    """
    turns = chunk.groupby("msisdn").cumcount()
    for _, part in chunk.groupby(turns):
        yield part.reset_index(drop=True)


def _plan_free_again(context: Context, batch: Batch, free: Mapping[int, list[str]]) -> None:
    """Plan again what was refused as a whole, or withdrawn with its dispatch; the smsids stay the same.

    A chunk holds a number once, so a new dispatch of what is left of it does too.
    """
    if not free:
        return
    chunk_of = {smsid: chunk for chunk, smsids in free.items() for smsid in smsids}
    accepted = pd.concat([_those(chunk, chunk_of) for chunk in _accepted(context, batch)], ignore_index=True)
    last = max(dispatch.number for dispatch in list_dispatches(context.ledger, batch.batch_id))
    # Not get_group: pandas does not find the only group of a table with one row.
    parts = dict(iter(accepted.groupby(accepted["smsid"].map(chunk_of))))
    for number, chunk in enumerate(sorted(free), last + 1):
        payload = _payload(context, batch, number, parts[chunk].reset_index(drop=True))
        plan_again(context.ledger, batch, PlannedDispatch(number, chunk, payload, ()), free[chunk], context.now())


def _send_one(context: Context, gateway: GatewayClient, batch: Batch, dispatch: Dispatch) -> Verdict | None:
    """Send one dispatch: intent, marker, effect, evidence. None: somebody in it has opted out, nothing was begun."""
    payload: Path = context.workspace.checked(batch.batch_id, dispatch.payload)
    stop_if_payload_passed(context, batch, payload)
    smsids = dispatched(context.ledger, dispatch.dispatch_id)
    nothing_taken = [code for code, known in context.documented.items() if known.proves is Proof.NOTHING_TAKEN]
    repeated = offered_before(context.ledger, dispatch, nothing_taken)
    with held():
        attempt = begin_dispatch(context.ledger, dispatch, context.now())
        if attempt is None:
            return None
        try:
            context.workspace.mark_begun(batch.batch_id, dispatch.number, attempt)
        except TryLater:
            return_dispatch(context.ledger, dispatch, context.now(), "no marker")
            raise
        exchange = _upload(context, gateway, dispatch, payload)
        if exchange.http_status is None and exchange.bytes_read == 0:
            return_dispatch(context.ledger, dispatch, context.now(), exchange.problem)
            raise TryLater("gateway.unreachable", url=context.settings.gateway.base_url, problem=exchange.problem)
        verdict = _judge(context, exchange, smsids, repeated=repeated)
        detail = exchange.problem or f"HTTP {exchange.http_status}"
        try:
            end_dispatch(context.ledger, dispatch, verdict, context.now(), detail)
        except (TryLater, GuardStopped) as error:
            # What was proven is lost with this process: the next one finds the dispatch in flight.
            facts = {"dispatch": dispatch.dispatch_id, "messages": dispatch.messages}
            raise OutcomeUnknown("send.unrecorded", problem=error.what(context.language), **facts) from None
        if verdict.code is not None:
            refused = verdict.code == _UNAUTHORISED
            note_auth(context.ledger, context.settings.gateway.base_url, context.now(), failed=refused)
    return verdict


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
            interrupt_dispatch(context.ledger, dispatch, context.now())
            raise
        return Exchange(0, None, b"", "interrupted")


def _judge(context: Context, exchange: Exchange, smsids: dict[str, str], *, repeated: bool) -> Verdict:
    if exchange.http_status is None:
        return Verdict(MessageState.UNKNOWN, None, RunAction.STOP)
    form = context.profile.upload_answer
    empty_is_taken = form.empty_body_is_taken.value and form.empty_body_is_taken.confirmed is True
    answer = parse_answer(exchange.http_status, exchange.body, context.documented, empty_is_taken=empty_is_taken)
    expected = form.counts.value == "expected"
    return judge(answer, smsids, context.documented, counts_expected=expected, repeated=repeated)
