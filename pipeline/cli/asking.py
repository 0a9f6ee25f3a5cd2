"""What a person is asked before anything is sent."""

from __future__ import annotations

import sys
import unicodedata
from typing import TYPE_CHECKING

import click

from pipeline.errors import UsageError
from pipeline.messages import label

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.cli.main import Session
    from pipeline.context import Context
    from pipeline.model import Batch
    from pipeline.operations.dry_run import DryRun
    from pipeline.operations.trial import Trial
    from pipeline.stages.guards import Permission
    from pipeline.stages.outlook import Preview
    from pipeline.stages.validate import Request


class Trying:
    """What sends a test message before a list, and remembers it for the question that follows and the document."""

    def __init__(
        self, session: Session, context: Context, request: Request, number: str, permission: Permission
    ) -> None:
        """Look at the number: one that cannot be read stops everything before anything is registered."""
        from pipeline.core.msisdn import mask
        from pipeline.operations.own_phone import read_number

        self._session, self._context, self._request = session, context, request
        self._number, self._permission = number, permission
        self._shown = mask(read_number(context, number))
        self.trial: Trial | None = None

    def __call__(self, batch: Batch) -> None:
        """Send the first message of ``batch``, and say so."""
        from pipeline.operations.trial import try_out

        mode, permission = self._request.mode, self._permission
        self.trial = try_out(self._context, batch, self._number, mode=mode, permission=permission)
        if self.trial is None:
            return
        cost = self.trial.cost
        what = "trial.sent" if self.trial.sent else "trial.before"
        self._session.output.say(what, number=self._shown, low=cost.lowest, high=cost.highest)

    def rehearse(self, dry: DryRun) -> dict[str, object]:
        """Say what list and test message may cost together, where anything would go out; return the document's part."""
        from pipeline.operations.trial import expected_cost
        from pipeline.reports.amounts import plain

        if dry.stopped_by or not dry.rehearsed.forecast.messages:
            return {}
        list_alone, test = dry.rehearsed.forecast.cost, expected_cost(self._context, dry.batch)
        both = list_alone.plus(test, 1)
        self._session.output.say("trial.cost", low=both.lowest, high=both.highest)
        return {"test_cost": {"lowest": plain(test.lowest), "highest": plain(test.highest)}}

    def document(self) -> dict[str, object]:
        """Return the document's part: the batch of the test message and whether it was sent just now, else nothing."""
        return {"test": {"batch_id": self.trial.batch.batch_id, "sent": self.trial.sent}} if self.trial else {}


def asker(session: Session, *, yes: bool, trying: Trying | None = None) -> Callable[[Preview], bool] | None:
    """Return what asks a person before anything is sent; None where nobody is there to answer."""
    if yes or not sys.stdin.isatty():
        return None
    return lambda preview: _ask(session, preview, trying.trial if trying else None)


def _ask(session: Session, preview: Preview, trial: Trial | None) -> bool:
    from pipeline.core.msisdn import mask
    from pipeline.model import NumberCheck

    only = preview.number_check is NumberCheck.ONLY
    language = session.output.language
    text = preview.first_text or label("ask.by_template", language)
    facts, cost = {"number": mask(preview.first_msisdn), "text": text}, preview.forecast.cost
    shown = "ask.preview_check" if only else "ask.preview"
    click.echo(label(shown, language, low=cost.lowest, high=cost.highest, **facts), err=True)
    if preview.forecast.unmeasured:
        click.echo(label("ask.unmeasured", language, count=preview.forecast.unmeasured), err=True)
    if preview.forecast.unpriced:
        click.echo(label("ask.unpriced", language, count=preview.forecast.unpriced), err=True)
    if trial and trial.sent:
        both = cost.plus(trial.cost, 1)
        click.echo(label("trial.cost", language, low=both.lowest, high=both.highest), err=True)
    question = "ask.check" if only else "ask.send_tried" if trial else "ask.send"
    return confirmed(label(question, language, count=preview.messages))


class _YesOrNo(click.types.BoolParamType):
    """An answer to a question, also in Japanese."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        """Return what was answered; fail with what cannot be understood, so that it is asked again."""
        answers = {"はい": True, "いいえ": False}
        given = unicodedata.normalize("NFKC", value).strip() if isinstance(value, str) else value
        return answers[given] if isinstance(given, str) and given in answers else super().convert(given, param, ctx)


def confirmed(question: str) -> bool:
    """Ask a person; only a clear yes is one."""
    answer: bool = click.prompt(f"{question} [y/N]", default=False, show_default=False, type=_YesOrNo(), err=True)
    return answer


def one_line(argument: str) -> str:
    """Return what was asked for: the ``argument``, or for - the one line of standard input that is not empty."""
    if argument != "-":
        return argument
    lines = [line.strip() for line in sys.stdin.buffer.read().decode(errors="replace").splitlines() if line.strip()]
    if len(lines) != 1:
        raise UsageError("usage.one_line", count=len(lines))
    return lines[0]
