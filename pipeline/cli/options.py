"""Options that several commands share: which inputs, and how they are read and judged."""

from __future__ import annotations

import os
import re
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.asking import one_line
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.context import Context
    from pipeline.stages.guards import Permission
    from pipeline.stages.validate import Request

_YEN = re.compile(r"^[0-9]{1,15}(\.[0-9]{1,4})?$")
_SPAN = re.compile(r"^(\d+)([smhd])$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_INPUT = click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path))
_INPUT_OR_FAILED = (
    click.argument("inputs", metavar="[INPUT...]", nargs=-1, type=click.Path(path_type=Path)),
    click.option("--from-failed", metavar="CAMPAIGN", help="Instead of inputs: those whom a campaign did not reach."),
)
_CAMPAIGN = click.option("--campaign", help="Scope of 'not twice'; default: input name and run date.")
_RUN_DATE = click.option("--run-date", type=click.DateTime(["%Y-%m-%d"]), help="Logical date; default today in Japan.")
_TEXT = click.option("--text", type=click.Path(path_type=Path), help="One text for the whole list.")
_TEMPLATE = click.option("--template", metavar="ID", help="One template of the gateway for the whole list.")
_READING = (
    click.option("--sheet", help="Sheet of a workbook; default the first that holds anything."),
    click.option("--layout", help="Columns of a list without a header: a [layouts] entry, or gateway."),
)
_RULES = (
    click.option("--strict", is_flag=True, help="Reject what would be repaired."),
    click.option("--max-rejects", help="Send nothing when more rows are rejected: a count (20) or a share (5%)."),
    click.option("--replace", multiple=True, help="Replace characters that cannot be sent: standard, or a TOML file."),
    click.option(
        "--unchecked-templates", is_flag=True, help="Send by templates, too, whose texts [templates] does not have."
    ),
    click.option("--allow-repeats", is_flag=True, help="A number may get several texts in this campaign."),
)

MODES = ("auto", "csv", "single")
MODE = click.option(
    "--mode",
    type=click.Choice(MODES),
    default="auto",
    show_default=True,
    help="As uploads, or one by one; auto: one by one below send.single_below rows.",
)


_CHECK = click.option(
    "--check",
    "number_check",
    type=click.Choice(("only", "then-send")),
    help="Other-person check of each number (one by one): nothing else, or before its text.",
)


class Span(click.ParamType[timedelta]):
    """A span of time such as 30m."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read a number and one of s, m, h, d."""
        if isinstance(value, timedelta):
            return value
        match = _SPAN.match(str(value))
        if match is None:
            self.fail("a number and one of s, m, h, d, as in 30m", param, ctx)
        return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


class Yen(click.ParamType[Decimal]):
    """An amount of yen that is not negative."""

    name = "yen"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Read digits with or without a decimal point."""
        if isinstance(value, Decimal):
            return value
        if not _YEN.match(str(value)):
            self.fail("an amount such as 12000 or 850.5", param, ctx)
        return Decimal(str(value))


_PERMISSIONS = (
    click.option("--yes", is_flag=True, help="Do not ask."),
    click.option("--again", is_flag=True, help="Send although the same went out in another campaign."),
    click.option("--late", is_flag=True, help="Send although the run date is old; say why with --because."),
    click.option("--early", is_flag=True, help="Send although the run date is yet to come; say why with --because."),
    click.option("--because", help="Why --late or --early; keep numbers and names out of it, it is recorded."),
    click.option("--max-cost", type=Yen(), help="Send nothing when it may cost more than this, in untaxed yen."),
)


def permitting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options by which a person says what may be sent."""
    for option in reversed(_PERMISSIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Permitted:
    """What the options of ``permitting`` said."""

    yes: bool
    again: bool
    late: bool
    early: bool
    because: str | None
    max_cost: Decimal | None

    def permission(self) -> Permission:
        """Return them as sending wants them."""
        from pipeline.cli.output import actor
        from pipeline.stages.guards import Late, Permission

        if self.late + self.early != bool(self.because and self.because.strip()):
            raise UsageError("usage.late")
        late = Late(actor(os.environ), self.because, self.early) if self.because else None
        return Permission(again=self.again, late=late, max_cost=self.max_cost)


def judging(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its inputs, and the options that say how they are read and judged."""
    return _judging(command, _INPUT)


def judging_or_failed(command: Callable[..., Any]) -> Callable[..., Any]:
    """Do the same, and let the ledger be the input."""
    return _judging(command, *_INPUT_OR_FAILED)


def _judging(command: Callable[..., Any], *inputs: Callable[[Any], Any]) -> Callable[..., Any]:
    for option in reversed((*inputs, _CAMPAIGN, _RUN_DATE, _TEXT, _TEMPLATE, *_READING, *_RULES, MODE, _CHECK)):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the options of ``judging`` said. With ``from_failed`` there are no inputs."""

    inputs: tuple[Path, ...]
    campaign: str | None
    run_date: datetime | None
    text: Path | None
    template: str | None
    sheet: str | None
    layout: str | None
    strict: bool
    max_rejects: str | None
    replace: tuple[str, ...]
    unchecked_templates: bool
    allow_repeats: bool
    mode: str
    number_check: str | None
    from_failed: str | None = None

    def check(self) -> None:
        """Refuse what does not go together: with ``from_failed`` the rows, and how they are read, are given."""
        if self.from_failed is None and not self.inputs:
            raise click.MissingParameter(param_type="argument", param_hint="'INPUT...'")
        if self.from_failed is None:
            return
        if self.inputs or self.text or self.template is not None or self.sheet or self.layout:
            raise UsageError("usage.from_failed")
        if self.campaign in {None, self.from_failed}:
            raise UsageError("usage.from_failed_campaign", campaign=self.from_failed)

    def own_number(self, given_as: str | None) -> str | None:
        """Return the number that test messages go to; standard input cannot be the list as well."""
        if given_as == "-" and any(str(name) == "-" for name in self.inputs):
            raise UsageError("usage.stdin_twice")
        if given_as is not None and self.number_check == "only":
            raise UsageError("usage.check_test")
        return one_line(given_as) if given_as is not None else None

    @property
    def flags(self) -> dict[str, dict[str, object]]:
        """Return the settings among them."""
        given = {
            "strict": self.strict or None,
            "max_rejects": self.max_rejects,
            "replacements": self.replace or None,
            "unchecked_templates": self.unchecked_templates or None,
        }
        return {"validation": {key: value for key, value in given.items() if value is not None}}

    def words(self, source: Path, campaign: str, *, corrected: bool = False) -> list[object]:
        """Return the words of the command that takes ``source`` the whole way under the same options.

        Rows that were ``corrected`` come back on the first sheet of a workbook, with a header, whatever the list was.
        """
        name = str(source)
        options = {
            "--campaign": campaign,
            "--run-date": self.run_date and self.run_date.date(),
            "--text": self.text,
            "--template": self.template,
            "--sheet": None if corrected else self.sheet,
            "--layout": None if corrected else self.layout,
            "--max-rejects": self.max_rejects,
            "--mode": None if self.mode == "auto" else self.mode,
            "--check": self.number_check,
        }
        flags = {
            "--strict": self.strict,
            "--unchecked-templates": self.unchecked_templates,
            "--allow-repeats": self.allow_repeats,
        }
        return [
            *("run", f"./{name}" if name.startswith("-") else name),
            *(word for option, value in options.items() if value is not None for word in (option, value)),
            *(word for table in self.replace for word in ("--replace", table)),
            *(flag for flag, is_set in flags.items() if is_set),
        ]

    def requests(self, context: Context, stack: ExitStack) -> Iterator[Request]:
        """Yield what is asked of each input; what is no file is spooled for as long as the ``stack`` is open."""
        from pipeline.adapters.inputs import spooled
        from pipeline.adapters.texts import read_message_text
        from pipeline.model import Mode, NumberCheck
        from pipeline.stages.validate import Request

        if self.text and self.template is not None:
            raise UsageError("usage.text_and_template")
        mode, check = Mode(self.mode), NumberCheck(self.number_check or "none")
        content = read_message_text(self.text, self.inputs) if self.text else None
        day: date | None = self.run_date.date() if self.run_date else None
        if self.from_failed is not None:
            from pipeline.operations.from_failed import request_for

            asked = Request(Path(), self.campaign, day, repeats=self.allow_repeats, mode=mode, number_check=check)
            if request := stack.enter_context(request_for(context, self.from_failed, asked)):
                yield request
        for given in self.inputs:
            is_stdin = str(given) == "-"
            source = stack.enter_context(spooled(sys.stdin.buffer, context.workspace.root)) if is_stdin else given
            name = "stdin" if is_stdin else None
            yield Request(
                source,
                self.campaign,
                day,
                content,
                self.sheet,
                self.layout,
                self.allow_repeats,
                name,
                mode,
                number_check=check,
                template=self.template,
            )
