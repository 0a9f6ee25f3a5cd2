"""The commands around the daily work: demo, init, configuration, profile, ledger, the embedded gateway."""

from __future__ import annotations

import os
import re
import sys
from datetime import timedelta
from pathlib import Path

import click

from pipeline.cli.main import Session, common
from pipeline.cli.showing import show_outcome, show_validated
from pipeline.errors import Exit, UsageError
from pipeline.messages import LABELS, Language, label

_DEMO_FOLDER = Path("mediasms-demo")
_SAMPLE = Path("sample_data") / "recipients.csv"
_DEMO_SEED = 20261123
#: with a fixed prefix every smsid, and so every message's fate, is the same in every demo
_DEMO_PREFIX = "dmn"
#: what the sample data is documented to hold: rows, accepted, rejected
_DEMO_TOTALS = (509, 455, 54)


@click.command("demo")
@click.option("--keep", is_flag=True, help="Keep an earlier demo's folder and go on in it.")
@common
def demo_command(session: Session, *, keep: bool) -> Exit:
    """Run the whole path on sample data with the embedded gateway."""
    import shutil
    from datetime import UTC, datetime

    from pipeline.config import load
    from pipeline.context import build_context
    from pipeline.operations.run import run
    from pipeline.simulator import EmbeddedGateway, VirtualClock
    from pipeline.stages.validate import Request

    if not _SAMPLE.exists():
        raise UsageError("demo.no_sample", file=str(_SAMPLE))
    if _DEMO_FOLDER.exists() and not keep:
        shutil.rmtree(_DEMO_FOLDER)
    _DEMO_FOLDER.mkdir(exist_ok=True)
    profile = load(_DEMO_FOLDER / "mediasms.toml", {}, required=False).profile
    clock = VirtualClock(datetime.now(UTC))
    with EmbeddedGateway(profile, seed=_DEMO_SEED, clock=clock) as gateway:
        environment = {
            "MEDIASMS_GATEWAY_BASE_URL": gateway.url,
            "MEDIASMS_GATEWAY_USERNAME": gateway.username,
            "MEDIASMS_GATEWAY_PASSWORD": gateway.password,
        }
        session.output.note("demo.gateway", url=gateway.url)
        configuration = load(_DEMO_FOLDER / "mediasms.toml", environment, required=False)
        language = session.output.language
        context = build_context(configuration, environment, clock.now, language, create=True, prefix=_DEMO_PREFIX)
        context.progress = session.output.progress()
        try:
            outcome = run(
                context,
                Request(_SAMPLE, "demo", name=_SAMPLE.name),
                after_validate=lambda validated: show_validated(session, validated),
                after_send=lambda: clock.advance(timedelta(days=3)),
            )
            session.output.document(show_outcome(session, outcome))
        finally:
            context.close()
    totals = outcome.validated.batch.totals
    as_documented = (totals.rows, totals.accepted, totals.rejected) == _DEMO_TOTALS
    balanced = outcome.stopped_by is None and outcome.reconciled.value.balanced
    return Exit.DONE if as_documented and balanced else outcome.exit


@click.command("init")
@click.option("--new", "is_new", is_flag=True, help="Nothing was ever sent with the configuration that is there.")
@common
def init_command(session: Session, *, is_new: bool) -> Exit:
    """Make a commented configuration, a workspace and a ledger; never overwrite.

    For a configuration that is there already an empty ledger is made only with --new.
    """
    from pipeline.config import load
    from pipeline.operations.place import stop_unless_known, tell_place

    if session.config.exists():
        if not is_new:
            stop_unless_known(load(session.config, os.environ), session.config)
    else:
        session.config.parent.mkdir(parents=True, exist_ok=True)
        template = Path(__file__).with_name("mediasms.toml.txt").read_text(encoding="utf-8")
        session.config.write_text(template, encoding="utf-8")
        session.config.chmod(0o600)
        session.output.say("init.config", file=session.config)
    with session.context(create=True) as context:
        tell_place(context)
        session.output.say("init.done", workspace=context.workspace.root)
        session.output.document({"config": str(session.config), "workspace": str(context.workspace.root), "exit": 0})
    return Exit.DONE


@click.group("config")
def config_command() -> None:
    """Look at the configuration."""


@config_command.command("show")
@common
def config_show(session: Session) -> Exit:
    """Print every setting as it is in force; secrets are hidden."""
    from pipeline.config import load

    settings = load(session.config, os.environ).settings.model_dump(mode="json")
    # A password does not belong into an address, but people try: `run` refuses it, and this must not show it.
    for address in ("base_url", "proxy"):
        settings["gateway"][address] = re.sub(r"^[^/@]*@|(?<=//)[^/]*@", "***@", settings["gateway"][address] or "")
    if not settings["ledger"]["url"].startswith("sqlite:"):
        settings["ledger"]["url"] = re.sub(r"(?<=//).*(?=@)|(?<=password=)[^&]*", "***", settings["ledger"]["url"])
    for section, values in settings.items():
        for key, value in values.items():
            session.output.say("config.line", key=f"{section}.{key}", value="" if value is None else value)
    session.output.document({"settings": settings, "exit": 0})
    return Exit.DONE


@click.group("profile")
def profile_command() -> None:
    """Look at the gateway profile."""


@profile_command.command("show")
@common
def profile_show(session: Session) -> Exit:
    """Print all that is known about the gateway, with grades."""
    from pipeline.config import load

    profile = load(session.config, os.environ, required=False).profile
    _print_profile(session, profile.model_dump(mode="json"), "")
    session.output.document({"profile": profile.model_dump(mode="json"), "exit": 0})
    return Exit.DONE


def _print_profile(session: Session, value: object, key: str) -> None:
    """Print a profile a line an entry: key, value, grade, and what has yet to be confirmed."""
    if isinstance(value, dict) and "grade" in value:
        shown = value.get("value")
        if shown is None:
            ignored = {"grade", "confirmed", "note"}
            shown = "  ".join(
                str(part) for name, part in value.items() if name not in ignored and part not in (None, "")
            )
        unconfirmed = LABELS["profile.unconfirmed"] if value.get("confirmed") is False else None
        mark = (unconfirmed.ja if session.output.language is Language.JA else unconfirmed.en) if unconfirmed else ""
        note = f"  — {value['note']}" if value.get("note") else ""
        session.output.say(
            "profile.line",
            key=key,
            value=repr(shown) if isinstance(shown, str) and not shown.isprintable() else shown,
            grade=value["grade"],
            mark=mark,
            note=note,
        )
    elif isinstance(value, dict):
        for name, part in value.items():
            if part is not None:  # a section that it lacks
                _print_profile(session, part, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for part in value:
            _print_profile(session, part, key)
    else:
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        session.output.say("config.line", key=key, value=shown)


@profile_command.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@common
def profile_check(session: Session, *, file: Path) -> Exit:
    """Check a profile of your own."""
    from pipeline.config import read_text
    from schemas.gateway_csv import sample_row
    from schemas.profile import parse_profile

    profile = parse_profile(read_text(file, "profile check"), str(file))
    session.output.say("profile.good", file=file, statuses=len(profile.status), answers=len(profile.answer))
    if profile.lacking:
        session.output.say("profile.lacks", sections=", ".join(f"[{name}]" for name in profile.lacking))
    sample = sample_row(profile)
    session.output.say("profile.sample", columns=profile.layout.columns.value)
    for number, value in sample.items():
        session.output.say("profile.column", number=number, value=value)
    session.output.document(
        {"file": str(file), "sha256": profile.sha256, "lacks": profile.lacking, "sample": sample, "exit": 0}
    )
    return Exit.DONE


@click.command("codes")
@click.option("--gateway", is_flag=True, help="The gateway's answer codes instead, as the profile has them.")
@common
def codes_command(session: Session, *, gateway: bool) -> Exit:
    """Print every code that a row can get: what it says, and an example."""
    from pipeline.reports.codes import anchor, codes, codes_page

    if gateway:
        return _gateway_codes(session)
    if not session.output.as_json:
        click.echo(codes_page(), nl=False)
    session.output.document({"codes": {code: f"docs/codes.md#{anchor(code)}" for code in codes()}, "exit": 0})
    return Exit.DONE


def _gateway_codes(session: Session) -> Exit:
    """Print what every answer code of the gateway means and proves, and what to do about it."""
    from pipeline.config import load
    from pipeline.reports.answer_codes import answer_document
    from pipeline.reports.terminal_codes import codes_table

    profile = load(session.config, os.environ, required=False).profile
    session.output.show(codes_table(profile, session.output.language))
    session.output.document({"codes": answer_document(profile, session.output.language), "exit": 0})
    return Exit.DONE


@click.group("gateway")
def gateway_command() -> None:
    """The embedded gateway."""


@gateway_command.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=8025, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Decides every message's fate.")
@click.option("--username", default="demo", show_default=True)
@click.option("--cert", type=click.Path(path_type=Path), help="Certificate chain (PEM): HTTPS instead of HTTP.")
@click.option("--key", type=click.Path(path_type=Path), help="Private key of the certificate (PEM).")
@common
def gateway_serve(  # noqa: PLR0913 - the options of the command
    session: Session, *, port: int, seed: int, username: str, cert: Path | None, key: Path | None
) -> Exit:
    """Serve the whole gateway on loopback: every interface, knobs, and a page that shows what was received.

    The password is demo-password, or that of MEDIASMS_GATEWAY_PASSWORD.
    """
    import ssl

    from pipeline.config import load
    from pipeline.simulator import EmbeddedGateway, serve
    from pipeline.simulator.trying import DEFAULT_PASSWORD, PASSWORD_VARIABLE, lines

    if (cert is None) != (key is None):
        raise UsageError("gateway.certificate", problem="--cert + --key")
    profile = load(session.config, os.environ, required=False).profile
    password = os.environ.get(PASSWORD_VARIABLE, DEFAULT_PASSWORD)
    certificate = (cert, key) if cert and key else None
    gateway = EmbeddedGateway(
        profile, seed=seed, username=username, password=password, port=port, certificate=certificate
    )

    def ready(url: str) -> None:
        authority = "" if cert is None else str(cert)
        found = lines(profile, url, username, gateway.clock.now(), password=password, authority=authority)
        session.output.say("gateway.ready", url=url, username=username)
        # One from the environment may be that of the real gateway.
        shown = password if password == DEFAULT_PASSWORD else f"${PASSWORD_VARIABLE}"
        session.output.say("gateway.password", password=shown)
        session.output.say("gateway.page", url=url)
        for name, line in found.items():
            session.output.say("gateway.line", what=label(f"gateway.try.{name}", session.output.language), line=line)
        session.output.document({"url": url, "username": username, "curl": found, "exit": 0})
        sys.stdout.flush()

    try:
        serve(gateway, ready)
    except ssl.SSLError as error:
        raise UsageError("gateway.certificate", problem=error.reason) from None
    except FileNotFoundError as error:
        raise UsageError("gateway.certificate", problem=error.strerror) from None
    except OSError as error:
        raise UsageError("gateway.port", port=port, problem=error.strerror) from None
    return Exit.DONE
