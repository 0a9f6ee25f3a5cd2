"""The command that looks whether an installation is fit to send, and makes the first contact with the gateway."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from pipeline.cli.asking import asker, one_line
from pipeline.cli.main import Session, common
from pipeline.cli.options import MODE, Span
from pipeline.cli.output import failure_document
from pipeline.errors import Exit, GuardStopped, worst

if TYPE_CHECKING:
    from pipeline.context import Context
    from pipeline.model import Mode

_SCHEMA = "mediasms/probe/1"


@click.command("doctor")
@click.option("--reset-auth", is_flag=True, help="Forget refused logins, after the password was corrected.")
@click.option("--probe", "number", metavar="NUMBER", help="Send one message to your own phone and compare; - reads it.")
@click.option("--wait", type=Span(), default="10m", show_default=True, help="Wait for the probe at most this long.")
@click.option("--yes", is_flag=True, help="Send the probe without asking, also a second one today.")
@MODE
@common
def doctor_command(  # noqa: PLR0913 - the options of the command
    session: Session, *, reset_auth: bool, number: str | None, wait: timedelta, yes: bool, mode: str
) -> Exit:
    """Check configuration, workspace and ledger; nothing leaves the machine, unless --probe sends one message."""
    from pipeline.model import Mode
    from pipeline.operations.doctor import examine_installation
    from pipeline.operations.place import tell_place
    from pipeline.stages.clocks import tell_known_clock

    output = session.output
    with session.context() as context:
        health = examine_installation(context, reset_auth=reset_auth)
        output.say("doctor.configuration", missing=", ".join(health.missing_settings) or "-")
        output.say("doctor.ledger", problems=len(health.ledger_problems))
        output.say("doctor.auth", count=health.auth_failures)
        tell_known_clock(context)
        tell_place(context)
        if health.ledger_problems:
            raise GuardStopped("ledger.damaged", problem="; ".join(health.ledger_problems[:5]))
        code = Exit.FINDINGS if health.missing_settings else Exit.DONE
        probed: dict[str, object] = {}
        if number is not None:
            outcome, probed = _probe(session, context, one_line(number), wait=wait, yes=yes, mode=Mode(mode))
            code = worst([code, outcome])
            health = examine_installation(context, reset_auth=False)
        if health.auth_failures:
            most = context.profile.limits.lockout_answers.value
            output.urge("doctor.reset_auth", count=health.auth_failures, most=most)
            code = worst([code, Exit.FINDINGS])
    output.document(
        {
            "missing_settings": list(health.missing_settings),
            "auth_failures": health.auth_failures,
            **probed,
            "exit": int(code),
        }
    )
    return code


def _probe(  # noqa: PLR0913 - what was asked for
    session: Session, context: Context, number: str, *, wait: timedelta, yes: bool, mode: Mode
) -> tuple[Exit, dict[str, object]]:
    """Send or go on with a probe, print what it says about the profile, and return the document's part."""
    from pipeline.core.msisdn import mask
    from pipeline.operations.own_phone import read_number
    from pipeline.operations.probe import probe
    from pipeline.reports.probe import lines_to_set, probe_document, probe_table

    output = session.output
    confirm = asker(session, yes=yes)
    may_repeat = yes or confirm is not None
    probed = probe(context, number, mode=mode, wait=wait, may_repeat=may_repeat, confirm=confirm)
    shown = mask(read_number(context, number))
    what = "probe.refused" if probed.is_refused else "probe.sent" if probed.sent else "probe.continued"
    output.say(what, number=shown, batch=probed.batch.batch_id)
    output.show(probe_table(probed.entries, output.language))
    if lines := list(lines_to_set(probed.entries)):
        output.say("probe.set")
        for line in lines:
            output.line(line)
    if not probed.is_refused:
        output.say("probe.back" if probed.is_back else "probe.not_back")
    document: dict[str, object] = {
        "schema": _SCHEMA,
        "batch_id": probed.batch.batch_id,
        "campaign": probed.batch.campaign,
        "sent": probed.sent,
        "back": probed.is_back,
        "entries": probe_document(probed.entries),
    }
    if probed.stopped_by:
        output.failure(probed.stopped_by)
        document |= failure_document(probed.stopped_by)
    return probed.exit, document
