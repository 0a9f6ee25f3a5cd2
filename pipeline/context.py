"""What every stage is handed: built once, passed down. No stage reads a clock, an environment or a flag."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.adapters.files import Workspace
from pipeline.adapters.pace import PATIENCE_SECONDS, Pace, pace_file, step_of, turns_of
from pipeline.config import Configuration, Settings, load_replacements
from pipeline.core.answers import UNAUTHORISED, Reading
from pipeline.core.billing import Tariff
from pipeline.core.statuses import StatusMeaning, StatusTable
from pipeline.errors import MediasmsError, UsageError
from pipeline.ledger import Ledger, create_ledger, open_ledger
from pipeline.ledger.engines import is_shared
from pipeline.ledger.locks import campaign_lock
from pipeline.ledger.machines import note_machine
from pipeline.ledger.pacing import next_turn
from pipeline.messages import Language
from pipeline.reports.answer_codes import meaning_of, next_step
from schemas.profile import Limits, Profile
from schemas.upload import Encoding

if TYPE_CHECKING:
    from pipeline.adapters.gateway import Access, GatewayClient


def silent(_stage: str, _done: int, _total: int) -> None:
    """Show no progress."""


def unheard(_code: str, **_facts: object) -> None:
    """Say nothing."""


@dataclass
class Clocks:
    """What one command has seen of the gateway's clock: by how much it was ahead, as noted by batch and as told."""

    noted: dict[str | None, timedelta] = field(default_factory=dict)
    told: timedelta = timedelta(0)


@dataclass
class Context:
    """Settings, profile, tariff, ledger, gateway, workspace and clock of one command."""

    configuration: Configuration
    ledger: Ledger
    workspace: Workspace
    environment: Mapping[str, str]
    now: Callable[[], datetime]
    language: Language
    progress: Callable[[str, int, int], None] = silent
    #: says a line of the catalogue that nobody may miss
    warn: Callable[..., None] = unheard
    clocks: Clocks = field(default_factory=Clocks)
    _stack: ExitStack = field(default_factory=ExitStack)
    _gateway: GatewayClient | None = None

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        return self.configuration.settings

    @property
    def profile(self) -> Profile:
        """Return the gateway profile."""
        return self.configuration.profile

    @property
    def tariff(self) -> Tariff:
        """Return the tariff."""
        return self.configuration.tariff

    @property
    def gateway(self) -> GatewayClient:
        """Return the client of the gateway; made when it is first needed, so that validation needs no password."""
        if self._gateway is None:
            from pipeline.adapters.gateway import connected  # noqa: PLC0415 - validation need not pay for requests

            client = connected(_access(self.configuration, self.environment), self.profile)
            self._gateway = self._stack.enter_context(client)
        return self._gateway

    def connect(self) -> GatewayClient:
        """Return one more client of the gateway, with a connection of its own; whoever asked for it closes it."""
        from pipeline.adapters.gateway import GatewayClient  # noqa: PLC0415 - as above

        return GatewayClient(_access(self.configuration, self.environment), self.profile)

    @cached_property
    def pace(self) -> Pace:
        """Return what every single request waits for: turns that all who share our address take together."""
        rate = self.profile.limits.requests_per_second.value
        egress = self.settings.gateway.egress or socket.gethostname()
        key = f"{egress} {urlsplit(self.settings.gateway.base_url).netloc}"
        if is_shared(self.ledger.engine.dialect):
            return Pace(lambda: next_turn(self.ledger, key, step_of(rate), PATIENCE_SECONDS))
        return Pace(turns_of(pace_file(self.environment, self.workspace.locks_folder(), key), rate))

    @contextmanager
    def campaign_lock(self, campaign: str) -> Iterator[None]:
        """Hold the lock of a campaign."""
        with campaign_lock(self.ledger, campaign, self.now()):
            yield

    @contextmanager
    def month_lock(self, month: str) -> Iterator[None]:
        """Hold the lock of a month (YYYY-MM), under a name that no campaign has."""
        with self.campaign_lock(f"\nmonth {month}"):
            yield

    @property
    def documented(self) -> dict[str, Reading]:
        """Return what each documented answer code proves and does."""
        return {answer.code: Reading(answer.proves, answer.run) for answer in self.profile.answer}

    def meaning(self, code: str | None) -> str:
        """Say in the command's language what an answer code means; "?" where it is not documented."""
        known = self.profile.answer_by_code.get(code or "")
        if known is None:
            return "?"
        return meaning_of(known, self.language)

    @property
    def upload_encoding(self) -> Encoding:
        """Return the encoding in which uploads are planned: the settings', else the profile's."""
        if (chosen := self.settings.send.encode) is not None:
            return "cp932" if chosen == "shiftjis" else "utf-8"
        return self.profile.upload.encoding.value

    def refusal(self, code: str | None, batch_id: str = "") -> dict[str, object]:
        """Return the facts of a refusal: its code, what that means, and what a person does about it.

        The profile's ``mediasms pull BATCH`` is for the batch that is given, else for all that are open.
        """
        step = next_step(self.profile.answer_by_code.get(code or ""), self.language)
        pull = f"`mediasms pull {batch_id}".strip() + "`"
        return {"code": code, "meaning": self.meaning(code), "step": step.replace("`mediasms pull BATCH`", pull)}

    def stops_logins(self, code: object) -> bool:
        """Say whether nothing may log in after this answer, until a person has seen to it."""
        answer = self.profile.answer_by_code.get(str(code))
        return answer is not None and answer.stops_logins

    def is_failed_login(self, code: object) -> bool:
        """Say whether an answer counts as a login that failed: 401, and those after which nothing may log in."""
        return code == UNAUTHORISED or self.stops_logins(code)

    def replacements(self, *more: str) -> dict[int, str]:
        """Return the characters to replace: the tables of the settings, on top of ``more`` tables."""
        return load_replacements((*more, *self.settings.validation.replacements), self.configuration.folder)

    @property
    def statuses(self) -> StatusTable:
        """Return the statuses of the profile as matching wants them."""
        by_label: dict[str, StatusMeaning] = {}
        by_number: dict[str, StatusMeaning] = {}
        for status in self.profile.status:
            meaning = StatusMeaning(status.name, status.means, status.billable, status.clicked, status.then_sent)
            if status.label is not None:
                by_label[status.label] = meaning
            if status.number is not None:
                by_number[str(status.number)] = meaning
        return StatusTable(by_label, by_number)

    @property
    def pull_margin(self) -> timedelta:
        """Return by how much a period of results is widened at both ends."""
        return timedelta(minutes=self.settings.results.pull_margin_minutes)

    def close(self) -> None:
        """Close what was opened."""
        self._stack.close()
        self.ledger.close()


def build_context(  # noqa: PLR0913 - what a context is built from
    configuration: Configuration,
    environment: Mapping[str, str],
    now: Callable[[], datetime],
    language: Language,
    *,
    create: bool = False,
    prefix: str | None = None,
) -> Context:
    """Open ledger and workspace and check that they belong together; ``create`` makes what is missing (init)."""
    workspace = Workspace(configuration.path(configuration.settings.workspace.path))
    if create:
        ledger = create_ledger(configuration.ledger_url, now(), prefix=prefix)
        workspace.create(ledger.ledger_id)
    else:
        workspace.ledger_id()
        ledger = open_ledger(configuration.ledger_url)
    try:
        workspace.check_belongs_to(ledger.ledger_id)
        if create:
            note_machine(ledger, now())
    except MediasmsError:
        ledger.close()
        raise
    return Context(configuration, ledger, workspace, environment, now, language)


def _password(configuration: Configuration, environment: Mapping[str, str]) -> str:
    """Return the password from environment or file, else from a systemd credential; empty when there is none."""
    from pipeline.adapters.gateway import read_secret  # noqa: PLC0415 - as above

    gateway = configuration.settings.gateway
    if password := gateway.password.get_secret_value():
        return password
    if gateway.password_file:
        return read_secret(configuration.path(gateway.password_file))
    credential = Path(environment.get("CREDENTIALS_DIRECTORY", "")) / "mediasms-password"
    return read_secret(credential) if "CREDENTIALS_DIRECTORY" in environment and credential.exists() else ""


def missing_settings(configuration: Configuration, environment: Mapping[str, str]) -> list[str]:
    """Return the keys without which the gateway cannot be reached."""
    gateway = configuration.settings.gateway
    needed = {
        "gateway.base_url": gateway.base_url,
        "gateway.username": gateway.username,
        "gateway.password": _password(configuration, environment),
    }
    return [name for name, value in needed.items() if not value]


def credentials(configuration: Configuration, environment: Mapping[str, str]) -> tuple[str, str]:
    """Return user name and password of the account; raise ``UsageError`` (``gateway.incomplete``) without them."""
    missing = [name for name in missing_settings(configuration, environment) if name != "gateway.base_url"]
    if missing:
        raise UsageError("gateway.incomplete", keys=", ".join(missing))
    return configuration.settings.gateway.username, _password(configuration, environment)


def _stop_if_no_account_has_it(limits: Limits, username: str, password: str) -> None:
    """Refuse credentials of a length that no account has: each login that fails counts towards the address's block."""
    for name, value, least, most in (
        ("username", username, limits.username_min, limits.username_max),
        ("password", password, limits.password_min, limits.password_max),
    ):
        if not least.value <= len(value) <= most.value:
            raise UsageError(
                "gateway.credential_length", key=f"gateway.{name}", found=len(value), least=least.value, most=most.value
            )


def _access(configuration: Configuration, environment: Mapping[str, str]) -> Access:
    from pipeline.adapters.gateway import Access  # noqa: PLC0415 - as above

    gateway = configuration.settings.gateway
    if missing := missing_settings(configuration, environment):
        raise UsageError("gateway.incomplete", keys=", ".join(missing))
    password = _password(configuration, environment)
    _stop_if_no_account_has_it(configuration.profile.limits, gateway.username, password)
    return Access(
        gateway.base_url,
        gateway.username,
        password,
        gateway.connect_timeout,
        gateway.read_timeout,
        gateway.write_timeout,
        configuration.path(gateway.ca_file) if gateway.ca_file else None,
        gateway.proxy,
    )
