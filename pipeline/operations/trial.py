"""Trial: the first message of a list goes to the operator's own phone, before anything of the list leaves.

It is a batch of its own in the campaign ``<campaign>-test``, by the same mode and with the same text and fields as the
list's first row: nobody of the list is served by it, and the same text goes to the same phone once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.context import Context
from pipeline.core import ids
from pipeline.core.forecast import CostRange
from pipeline.errors import GatewayRefused, GuardStopped, MediasmsError, OutcomeUnknown
from pipeline.ledger.batches import count_states, get_batch, note_trial
from pipeline.model import Batch, MessageState, Mode, NumberCheck
from pipeline.operations.from_failed import CARRIED, spelled
from pipeline.operations.own_phone import attempts, hand_in, latest_messages, message_of, read_number, unused
from pipeline.stages.guards import NOTHING_PERMITTED, Permission, stop_if_dear
from pipeline.stages.outlook import preview, wanted
from pipeline.stages.planning import accepted_rows
from pipeline.stages.pull import pull
from pipeline.stages.rehearse import rehearse
from pipeline.stages.send import send, take_up
from pipeline.stages.served import unserved_elsewhere
from pipeline.stages.validate import Request
from schemas.heading import FINAL_TEXT
from schemas.recipients import as_given

#: so many digits of a digest tell the test messages of a campaign apart
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Trial:
    """A test message that the gateway has taken: its batch, whether it was ``sent`` just now, and what it may cost."""

    batch: Batch
    sent: bool
    cost: CostRange


def try_out(
    context: Context,
    batch: Batch,
    number: str,
    *,
    mode: Mode = Mode.AUTO,
    permission: Permission = NOTHING_PERMITTED,
) -> Trial | None:
    """Send the first message of ``batch`` to ``number``, once for the same text unless ``again`` is permitted.

    None where the batch has nothing to send. What would stop the batch is raised, and nothing is tried: the rehearsal
    knows as much as sending does, and if it ever knew less, a list that nobody has tried must not go out. The caller
    holds the lock of the batch's campaign. Raises ``GatewayRefused`` (``trial.refused``), ``OutcomeUnknown``
    (``trial.unknown``), and whatever else ``send`` raises.
    """
    msisdn = read_number(context, number)
    take_up(context, batch, mode)
    rehearsed = rehearse(context, batch, mode=mode, permission=permission)
    if rehearsed.stopped_by:
        raise rehearsed.stopped_by[0]
    if not rehearsed.forecast.messages:
        return None
    mode, row = rehearsed.mode, _first_row(context, batch, msisdn)
    name, repeats = f"{batch.campaign}-test", True
    template = row.get("template_id", "")
    if template and template not in context.settings.templates:
        # Where a number may get several texts each has to be known: this one has a campaign of its own.
        name, repeats = f"{name}-template-{_told_by(row)}", False
    campaign = _campaign(context, name, msisdn, again=permission.again)
    request = Request(Path(), campaign, repeats=repeats, name=f"test-{batch.batch_id}.csv", mode=mode)
    with context.campaign_lock(campaign):
        test = hand_in(context, request, row)
        note_trial(context.ledger, context.now(), test.batch_id, campaign=batch.campaign)
        if not test.totals.accepted:
            if open_ := unserved_elsewhere(context, test):
                raise open_
            return Trial(test, sent=False, cost=CostRange())
        before = attempts(context, test)
        expected = preview(context, test, wanted(context, test)).forecast
        if permission.max_cost is not None and test.planned_at is None:
            stop_if_dear(batch, rehearsed.forecast.plus(expected), permission.max_cost)
        # The same text goes to the same phone once, also where the list is to go another way now.
        _send(context, test, Mode.AUTO if test.planned_at else mode)
    _check(context, test, msisdn)
    return Trial(test, sent=attempts(context, test) > before, cost=expected.cost)


def expected_cost(context: Context, batch: Batch) -> CostRange:
    """Return what a test message of ``batch`` may cost; without an accepted row there is none.

    Your own number is not checked, whatever the list's numbers are.
    """
    chunk = next(accepted_rows(context, batch), None)
    if chunk is None:
        return CostRange()
    unchecked = replace(batch, number_check=NumberCheck.NONE)
    return preview(context, unchecked, {str(chunk["smsid"].iloc[0])}).forecast.cost


def _campaign(context: Context, name: str, msisdn: str, *, again: bool) -> str:
    """Return the campaign of the latest test message to this phone; a new one ``again``, or where that was refused."""
    of_tests = re.compile(rf"{re.escape(name)}(-[0-9]+)?")
    for one in latest_messages(context, msisdn):
        campaign = get_batch(context.ledger, one.batch_id).campaign
        if of_tests.fullmatch(campaign):
            # What was refused with its whole request goes out again by itself.
            alone = one.message.state is MessageState.REFUSED and one.message.reason.startswith("row:")
            return unused(context, name) if again or alone else campaign
    return name


def _first_row(context: Context, batch: Batch, msisdn: str) -> dict[str, str]:
    """Return the first accepted row as a list's only one, with the operator's number in the place of its own."""
    chunk = as_given(next(accepted_rows(context, batch)))
    fields = [name for name in CARRIED if name in chunk.columns]
    return {
        "msisdn": spelled(context, msisdn),
        FINAL_TEXT: str(chunk["text"].iloc[0]),
        **{name: str(chunk[name].iloc[0]) for name in fields},
    }


def _told_by(row: Mapping[str, str]) -> str:
    """Return what tells a message apart whose text nobody knows: a digest of its template and values."""
    return ids.text_digest(repr([(name, cell) for name, cell in row.items() if name != "msisdn"]))[:_DIGITS]


def _send(context: Context, test: Batch, mode: Mode) -> None:
    """Send it: that the same text went to this phone for another list is no reason not to."""
    try:
        send(context, test, mode=mode, permission=Permission(again=True))
    except GatewayRefused as error:
        raise GatewayRefused("trial.refused", **error.facts) from error
    except OutcomeUnknown as error:
        # Results may name it by now.
        if not context.stops_logins(error.facts.get("code")):
            with suppress(MediasmsError):
                pull(context, test.batch_id)
        if count_states(context.ledger, test.batch_id).get(MessageState.UNKNOWN):
            facts = {name: error.facts[name] for name in ("code", "meaning", "step") if name in error.facts}
            raise OutcomeUnknown(
                "trial.answered" if facts else "trial.unknown", batch=test.batch_id, **facts
            ) from error


def _check(context: Context, test: Batch, msisdn: str) -> None:
    """Raise why it was not taken: the gateway may have refused its row, or its recipient opted out meanwhile."""
    message = message_of(context, test, msisdn).message
    if message.state is MessageState.REFUSED:
        code = message.reason.partition(":")[2]
        raise GatewayRefused("trial.refused", **context.refusal(code, test.batch_id))
    if message.state is MessageState.CANCELLED:
        raise GuardStopped("own_phone.rejected", codes="recipient.opted_out")
