"""The command ``mediasms``. Heavy libraries are imported inside commands: ``--help`` must be quick."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.output import Output, detect_language, failure_document, leave
from pipeline.cli.spelling import CONFIG, spelled
from pipeline.errors import Exit, Interrupted, MediasmsError
from pipeline.messages import Language

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.context import Context

_FEW_COLLECTIONS = 100_000


class Session:
    """What every command shares: where the configuration is and how to speak."""

    def __init__(self, output: Output) -> None:
        """Keep the choices of the command line."""
        self.output = output

    @property
    def config(self) -> Path:
        """Return where the configuration is."""
        return self.output.config

    def command(self, *words: object) -> str:
        """Return a command of this installation, ready to paste."""
        return spelled(self.config, *words)

    @contextmanager
    def context(
        self, *, create: bool = False, flags: Mapping[str, Mapping[str, object]] | None = None
    ) -> Iterator[Context]:
        """Build the context of a command, and close it. ``flags`` are settings given on the command line."""
        from pipeline.config import load
        from pipeline.context import build_context

        configuration = load(self.config, os.environ, flags=flags)
        context = build_context(
            configuration, os.environ, lambda: datetime.now(UTC), self.output.language, create=create
        )
        context.progress = self.output.progress()
        context.warn = self.output.urge
        try:
            yield context
        finally:
            context.close()


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options every command has, and a ``Session`` as its first argument."""

    @click.option(
        "--config",
        type=click.Path(path_type=Path),
        default=CONFIG,
        show_default=True,
        help="Configuration file.",
    )
    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
    @click.option("--quiet", is_flag=True, help="Only results and failures.")
    @click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
    @click.option("--lang", type=click.Choice(["ja", "en"]), default=None, help="Language; default from the locale.")
    def wrapped(*, config: Path, as_json: bool, quiet: bool, log_format: str, lang: str | None, **options: Any) -> None:  # noqa: ANN401 - click's options
        language = Language(lang) if lang else detect_language(os.environ)
        output = Output(language, as_json=as_json, quiet=quiet, log_format=log_format, config=config)
        leave(_guarded(output, lambda: command(Session(output), **options)))

    wrapped.__name__ = command.__name__
    wrapped.__doc__ = command.__doc__
    wrapped.__click_params__ = getattr(wrapped, "__click_params__", []) + getattr(command, "__click_params__", [])  # type: ignore[attr-defined]  # where click looks for them
    return wrapped


def _guarded(output: Output, call: Callable[[], Exit]) -> Exit:
    """Run a command and map whatever it raises to an exit code: the one place that does."""
    try:
        return call()
    except MediasmsError as error:
        output.failure(error)
        if error.exit is Exit.BUG:
            traceback.print_exc()
        output.document(failure_document(error) | {"exit": int(error.exit)})
        return error.exit
    except Interrupted as signalled:
        name = "terminated" if signalled.exit is Exit.TERMINATED else "interrupted"
        output.urge(f"ended.{name}")
        return _ended(output, name, signalled.exit)
    except (KeyboardInterrupt, click.Abort):
        return _ended(output, "interrupted", Exit.INTERRUPTED)
    except BrokenPipeError:
        return Exit.DONE
    except click.ClickException:
        raise
    except Exception:  # noqa: BLE001 - whatever is left is a bug, and must say so
        _without_values()
        return _ended(output, "bug", Exit.BUG)


def _ended(output: Output, error: str, code: Exit) -> Exit:
    """Leave the one JSON document also where nothing else could be said."""
    output.document({"error": error, "exit": int(code)})
    return code


def _without_values() -> None:
    """Print the traceback's places but not the message of the exception, which may hold numbers or texts."""
    kind, _, trace = sys.exc_info()
    click.echo("".join(traceback.format_tb(trace)) + f"error[bug]: {kind.__name__ if kind else '?'}", err=True)


class _Commands(click.Group):
    """Commands in the order of work, loaded when asked for."""

    names = (
        "demo", "init", "run", "validate", "send", "pull", "reconcile", "close", "status", "trace", "cancel",
        "resolve", "optout", "doctor", "config", "profile", "codes", "ledger", "gateway", "notifications",
    )  # fmt: skip

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of work."""
        del ctx
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module that holds a command."""
        del ctx
        if cmd_name not in self.names:
            return None
        from pipeline.cli import commands, doctor, ledger, notifications, optouts, people, tools, tracing

        for module in (commands, people, tracing, optouts, ledger, doctor, tools, notifications):
            found: click.Command | None = getattr(module, f"{cmd_name}_command", None)
            if found:
                return found
        return None


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mediasms-pipeline")
def cli() -> None:
    """Validate, send, pull and reconcile bulk SMS through MediaSMS."""


def main() -> None:
    """Run the command line."""
    # Rows come and go by the thousand and hold no cycles: looking for some among them cost a tenth of a run.
    gc.set_threshold(_FEW_COLLECTIONS)
    # Arrow's allocator gives memory back after 10 ms. Touching it anew costs more than most of what is done with it.
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "100")
    from pipeline.adapters.interruption import install

    install()
    try:
        cli(prog_name="mediasms")
    finally:
        # Else Python ends by looking for cycles among everything that was ever imported, while somebody waits: 0.2 s.
        gc.freeze()
