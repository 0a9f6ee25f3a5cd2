"""Every failure: a stable code, an exit code, the facts its message is rendered from.

A failure carries no prose. Its text stands in ``pipeline.messages`` in Japanese and English under the
failure's code, so that the command line, the JSON document and the tests speak of the same thing.
Facts never hold a subscriber number or a message text: they end up in logs.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar

from pipeline.messages import FAILURES, Language, fill


class Exit(IntEnum):
    """Exit codes of every command; the README's table is generated from ``MEANINGS`` below."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    INPUT = 3
    TRY_LATER = 4
    UNKNOWN = 5
    REFUSED = 6
    GUARD = 7
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


#: exit code → (meaning, what a scheduler should do)
MEANINGS: dict[Exit, tuple[str, str]] = {
    Exit.DONE: ("done (pending results are not a finding)", "go on"),
    Exit.FINDINGS: (
        (
            "done, with findings: rejected rows, messages that the gateway refused or an opt-out cancelled, breaks, "
            "results past their deadline"
        ),
        "tell an analyst",
    ),
    Exit.USAGE: ("usage or configuration", "not retry"),
    Exit.INPUT: ("an input is unusable as a whole", "not retry"),
    Exit.TRY_LATER: ("try later: the gateway processed nothing, or another run holds the lock", "retry"),
    Exit.UNKNOWN: ("outcome unknown", "page a person; a retry is harmless"),
    Exit.REFUSED: ("the gateway said no", "not retry"),
    Exit.GUARD: ("a guard stopped it", "look"),
    Exit.BUG: ("a bug; the traceback is in the log", "report"),
    Exit.INTERRUPTED: ("interrupted (SIGINT); running it again is safe", "retry"),
    Exit.TERMINATED: ("terminated (SIGTERM); running it again is safe", "retry"),
}

#: of several outcomes in one run, the first of these that occurred is the exit code
SEVERITY: tuple[Exit, ...] = (
    Exit.TERMINATED,
    Exit.INTERRUPTED,
    Exit.BUG,
    Exit.UNKNOWN,
    Exit.GUARD,
    Exit.REFUSED,
    Exit.INPUT,
    Exit.USAGE,
    Exit.TRY_LATER,
    Exit.FINDINGS,
    Exit.DONE,
)


def worst(outcomes: list[Exit]) -> Exit:
    """Return the exit code that stands for several outcomes; ``DONE`` for none."""
    return min(outcomes, key=SEVERITY.index, default=Exit.DONE)


class Interrupted(BaseException):
    """SIGINT or SIGTERM arrived. Not an ``Exception``: nothing on the way may take it for a failure and go on."""

    def __init__(self, exit_code: Exit) -> None:
        """Keep the exit code that says which."""
        self.exit = exit_code
        super().__init__(exit_code)


class MediasmsError(Exception):
    """A failure with a stable ``code``; subclasses fix the exit code."""

    exit: ClassVar[Exit] = Exit.BUG

    def __init__(self, code: str, /, **facts: object) -> None:
        """Name the failure by its ``code`` in the catalogue and give the facts its text needs."""
        self.code = code
        self.facts = facts
        super().__init__(code, facts)

    def what(self, language: Language) -> str:
        """Say what happened, where and why."""
        return fill(FAILURES[self.code].what, language, self.facts)

    def hint(self, language: Language) -> str:
        """Say what to do next: a command, or a place to look."""
        return fill(FAILURES[self.code].hint, language, self.facts)

    def __str__(self) -> str:
        """Render the failure in English, as logs and tracebacks want it."""
        return f"{self.code}: {self.what(Language.EN)}"


class UsageError(MediasmsError):
    """The command line, the configuration, a profile or a tariff is wrong."""

    exit = Exit.USAGE


class InputUnusable(MediasmsError):
    """A file handed in cannot be used at all; findings about single rows are data, not this."""

    exit = Exit.INPUT


class TryLater(MediasmsError):
    """The gateway processed nothing, or another run is at work."""

    exit = Exit.TRY_LATER


class OutcomeUnknown(MediasmsError):
    """Something may or may not have been taken by the gateway."""

    exit = Exit.UNKNOWN


class GatewayRefused(MediasmsError):
    """The gateway answered with a documented no."""

    exit = Exit.REFUSED


class GuardStopped(MediasmsError):
    """A guard found something a person must look at before anything is sent."""

    exit = Exit.GUARD


class Bug(MediasmsError):
    """The product broke one of its own promises."""

    exit = Exit.BUG


def most_severe(failures: Sequence[Exception]) -> Exception:
    """Return the first of those failures whose exit code stands for all; what has none is a bug."""
    return min(failures, key=lambda error: SEVERITY.index(error.exit if isinstance(error, MediasmsError) else Exit.BUG))
