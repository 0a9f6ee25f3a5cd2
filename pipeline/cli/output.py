"""What the command line prints: results to stdout, everything else to stderr; failures with context and a hint."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.spelling import CONFIG, completed
from pipeline.errors import Exit, MediasmsError, UsageError
from pipeline.messages import Language, label

if TYPE_CHECKING:
    from rich.console import RenderableType

_LOG = logging.getLogger("mediasms")


def detect_language(environment: Mapping[str, str]) -> Language:
    """Return the language of the locale: Japanese where it says so, else English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return Language.JA if value.lower().startswith("ja") else Language.EN
    return Language.EN


class Output:
    """How one command speaks."""

    def __init__(
        self, language: Language, *, as_json: bool, quiet: bool, log_format: str, config: Path = CONFIG
    ) -> None:
        """Choose language, form and loudness; ``config`` is what suggested commands must name."""
        self.config = config
        self.language = language
        self.as_json = as_json
        self.quiet = quiet
        self.log_format = log_format

    def say(self, code: str, /, **facts: object) -> None:
        """Print a line of the catalogue as a result; JSON output has its document instead."""
        if not self.as_json:
            click.echo(label(code, self.language, **facts))

    def line(self, text: str) -> None:
        """Print a line that a report made as a result."""
        if not self.as_json:
            click.echo(text)

    def note(self, code: str, /, **facts: object) -> None:
        """Print a line of the catalogue for the person who watches."""
        if not self.quiet:
            self._log("info", code, label(code, self.language, **facts))

    def urge(self, code: str, /, **facts: object) -> None:
        """Print a line of the catalogue that nobody may miss, with its commands spelled out."""
        self._log("warning", code, completed(label(code, self.language, **facts), self.config))

    def document(self, document: Mapping[str, object]) -> None:
        """Print the command's one JSON document, if it was asked for."""
        if self.as_json:
            click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))

    def show(self, renderable: RenderableType) -> None:
        """Print a table."""
        if not self.as_json:
            from rich.console import Console

            width = None if sys.stdout.isatty() else 100
            Console(width=width).print(renderable)

    def failure(self, error: MediasmsError) -> None:
        """Print a failure: what, and what to do next."""
        what, hint = error.what(self.language), completed(error.hint(self.language), self.config)
        self._log("error", error.code, f"error[{error.code}]: {what}\nhint: {hint}")

    def _log(self, level: str, code: str, text: str) -> None:
        if self.log_format == "json":
            moment = datetime.now(UTC).isoformat(timespec="milliseconds")
            text = json.dumps({"at": moment, "level": level, "code": code, "message": text}, ensure_ascii=False)
        click.echo(text, err=True)

    def progress(self) -> Callable[[str, int, int], None]:
        """Return what shows progress: a bar on a terminal, silence elsewhere."""
        if self.quiet or self.as_json or not sys.stderr.isatty():
            return lambda _stage, _done, _total: None
        return _Bar(self.language)


class _Bar:
    """A line that is drawn over, at most ten times a second: how much is done, how fast, and how long it will take."""

    _INTERVAL = 0.1

    def __init__(self, language: Language) -> None:
        self._language = language
        self._stage = ""
        self._begun = self._last = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        import time

        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._begun, self._last = stage, now, 0.0
        finished = total > 0 and done >= total
        if now - self._last < self._INTERVAL and not finished:
            return
        self._last = now
        click.echo(f"\r{self.line(done, total, now - self._begun)}\x1b[K", err=True, nl=finished)

    def line(self, done: int, total: int, seconds: float) -> str:
        """Return what is shown after ``seconds``."""
        share = f"{done * 100 // total:3d} %" if total else f"{done:,}"
        shown = f"{label(f'stage.{self._stage}', self._language)} {share}"
        if self._stage != "validate" or not done or not seconds:
            return shown
        speed = done / seconds
        left = (total - done) / speed
        minutes = f"{int(left) // 60}:{int(left) % 60:02d}"
        return label("progress.rows", self._language, shown=shown, speed=f"{speed:,.0f}", left=minutes)


def failure_document(error: MediasmsError) -> dict[str, object]:
    """Return a failure as JSON-ready data: its code, and what the gateway answered where that is what it is about."""
    facts = error.facts
    if "step" not in facts:
        return {"error": error.code}
    return {"error": error.code, "answer": answer_document(facts["code"], facts["meaning"], facts["step"])}


def answer_document(code: object, meaning: object, step: object) -> dict[str, object]:
    """Return an answer of the gateway as JSON-ready data: its code, what that means, and what comes next."""
    return {"code": code, "meaning": meaning, "next": step}


def leave(code: Exit) -> None:
    """End the process with ``code``."""
    sys.stdout.flush()
    raise SystemExit(int(code))


def must_be_reason(because: str) -> None:
    """Refuse no reason, and the words that stand for one in commands that are printed: those were pasted as they were.

    Raises ``UsageError`` (``usage.because``).
    """
    if because.strip() in {"", "TEXT", "理由"}:
        raise UsageError("usage.because")


def actor(environment: Mapping[str, str]) -> str:
    """Return who is at work, for the ledger's events."""
    return environment.get("SUDO_USER") or environment.get("USER") or str(os.getuid())
