"""The command that tells the life of a message."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.asking import one_line
from pipeline.cli.main import Session, common
from pipeline.errors import Exit

_SCHEMA = "mediasms/trace/1"
_SHOWN = 10


@click.command("trace")
@click.argument("wanted", metavar="SMSID|NUMBER|-")
@click.option("--limit", type=click.IntRange(1), default=_SHOWN, show_default=True, help="At most so many messages.")
@click.option("--invoice", type=click.Path(path_type=Path), help="The month's invoice: say which line it stands on.")
@click.option("--unmask", is_flag=True, help="Show numbers and texts in full.")
@common
def trace_command(session: Session, *, wanted: str, limit: int, invoice: Path | None, unmask: bool) -> Exit:
    """Tell the life of a message, or of the latest to a number; - reads which from standard input."""
    from pipeline.operations.trace import trace
    from pipeline.reports.trace import trace_document, trace_lines

    output, named = session.output, one_line(wanted)
    with session.context() as context:
        traced = trace(context, named, limit=limit, invoice=invoice)
    for life in traced.lives:
        for line in trace_lines(life, output.language, unmask=unmask):
            output.line(line)
    if not traced.lives:
        output.say("trace.none")
    elif len(traced.lives) < traced.total:
        output.say("trace.shown", shown=len(traced.lives), total=traced.total)
    output.document(
        {
            "schema": _SCHEMA,
            "masked": not unmask,
            "total": traced.total,
            "shown": len(traced.lives),
            "messages": [trace_document(life, unmask=unmask) for life in traced.lives],
            "exit": 0,
        }
    )
    return Exit.DONE
