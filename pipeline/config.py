"""Settings and the texts of profiles and tariffs: defaults < TOML < environment < flags.

An unknown key is an error, and every problem is in one message. Environment: ``MEDIASMS_<SECTION>_<KEY>``. Secrets come
from the environment, a file, or a systemd credential, never from a flag.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyAddress,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from pipeline.core.billing import Tariff
from pipeline.core.templates import canonical_id, canonical_text, problem_of
from pipeline.errors import UsageError
from pipeline.model import MonthBy
from schemas.profile import Profile, describe_problems, parse_profile
from schemas.replacements import parse_replacements
from schemas.tariff import parse_tariff

if TYPE_CHECKING:
    from schemas.invoice import InvoiceMapping

PREFIX = "MEDIASMS_"
#: the table of replacements that comes with the product
STANDARD = "standard"
#: the highest id of a template (S); a profile may have a lower one
TEMPLATE_ID_MAX = 999_999


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GatewaySettings(_Section):
    """How to reach the gateway; timeouts in seconds.

    ``egress`` names the address from which requests leave: all that have one in common share its requests per second.
    """

    base_url: str = ""
    profile: str = "mediasms"
    username: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    ca_file: Path | None = None
    proxy: str | None = None
    egress: str = Field(default="", max_length=200)
    connect_timeout: float = Field(default=10, gt=0)
    write_timeout: float = Field(default=60, gt=0)
    read_timeout: float = Field(default=120, gt=0)


class WorkspaceSettings(_Section):
    """Where files of batches are kept."""

    path: Path = Path("workspace")


class LedgerSettings(_Section):
    """Where the ledger is."""

    #: may hold a password: never in a representation
    url: str = Field(default="sqlite:///workspace/ledger.sqlite3", repr=False)


class SendSettings(_Section):
    """How much goes into one upload and in which encoding, by default the profile's; what a person must look at first.

    A list with fewer than ``single_below`` accepted rows goes out one by one, over so many ``connections``.
    """

    max_rows: int | None = Field(default=None, ge=1)
    encode: Literal["utf8", "shiftjis"] | None = None
    max_age_days: int = Field(default=1, ge=0)
    repeat_guard_days: int = Field(default=7, ge=0)
    auth_failures: int = Field(default=3, ge=1, le=9)
    single_below: int = Field(default=0, ge=0)
    connections: int = Field(default=4, ge=1, le=64)


class ValidationSettings(_Section):
    """How rows are judged. ``max_rejects``: a count ("20") or a share ("5%"); empty is no limit.

    ``replacements`` are tables of characters to replace: ``standard``, or files. ``unchecked_templates`` lets rows go
    out by a template whose text nobody has given.
    """

    strict: bool = False
    max_rejects: str = ""
    replacements: tuple[str, ...] = ()
    unchecked_templates: bool = False

    @field_validator("replacements", mode="before")
    @classmethod
    def _from_one_text(cls, value: object) -> object:
        """Take names with commas between them, as the environment gives them."""
        return tuple(filter(None, value.split(","))) if isinstance(value, str) else value


class LayoutSettings(_Section):
    """The columns of lists without a header, in order: names that a header would have."""

    columns: tuple[str, ...] = Field(min_length=1)


class TariffSettings(_Section):
    """Which tariff prices the results; without a file the example tariff."""

    file: Path | None = None


class BillingSettings(_Section):
    """Which day a message belongs to: it was taken, which never changes, or first billed."""

    month_by: MonthBy = MonthBy.TAKEN


class InvoiceSettings(_Section):
    """How invoices are read: a file of column names and words; without one the shipped mapping."""

    mapping: Path | None = None


class ResultsSettings(_Section):
    """How results are pulled and when one is overdue."""

    pull_margin_minutes: int = Field(default=10, ge=0)
    deadline_days: int = Field(default=8, ge=1)
    settle_after_hours: int = Field(default=24, ge=1)


class NotificationSettings(_Section):
    """Where result notifications are taken, and from whom: networks; none allowed means all of them.

    ``trusted_proxies`` are believed when they say whom a request is from. ``body_limit`` is in bytes.
    """

    host: IPvAnyAddress = IPv4Address("127.0.0.1")
    port: int = Field(default=8026, ge=0, le=65535)
    path: str = Field(default="/notifications", pattern=r"^/[A-Za-z0-9._~/-]*$")
    allow: tuple[IPvAnyNetwork, ...] = ()
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    body_limit: int = Field(default=65_536, ge=1_024)
    cert_file: Path | None = None
    key_file: Path | None = None

    @field_validator("allow", "trusted_proxies", mode="before")
    @classmethod
    def _from_one_text(cls, value: object) -> object:
        """Take networks with commas between them, as the environment gives them."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _not_everybody(cls, value: tuple[IPvAnyNetwork, ...]) -> tuple[IPvAnyNetwork, ...]:
        if any(network.prefixlen == 0 for network in value):
            msg = "a network of all addresses: everybody could say that a request is from somebody else"
            raise ValueError(msg)
        return value

    @field_validator("path")
    @classmethod
    def _not_health(cls, value: str) -> str:
        if value == "/healthz":
            msg = "/healthz says whether the endpoint works"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _key_with_certificate(self) -> NotificationSettings:
        if (self.cert_file is None) != (self.key_file is None):
            msg = "cert_file and key_file go together"
            raise ValueError(msg)
        return self


class Settings(_Section):
    """All settings of one installation."""

    gateway: GatewaySettings = GatewaySettings()
    workspace: WorkspaceSettings = WorkspaceSettings()
    ledger: LedgerSettings = LedgerSettings()
    validation: ValidationSettings = ValidationSettings()
    layouts: dict[str, LayoutSettings] = {}
    #: the texts of the gateway's templates by id, as they stand in its console
    templates: dict[str, str] = {}
    send: SendSettings = SendSettings()
    tariff: TariffSettings = TariffSettings()
    billing: BillingSettings = BillingSettings()
    invoice: InvoiceSettings = InvoiceSettings()
    results: ResultsSettings = ResultsSettings()
    notifications: NotificationSettings = NotificationSettings()

    @field_validator("templates")
    @classmethod
    def _canonical(cls, value: dict[str, str]) -> dict[str, str]:
        """Bring ids and texts to one form, and refuse what the gateway would not take, or not fill as we expect."""
        problems = [f"{given}: {problem}" for given, text in value.items() if (problem := problem_of(text))]
        found: dict[str, str] = {}
        for given, text in value.items():
            template = canonical_id(given, TEMPLATE_ID_MAX)
            if not template:
                problems.append(f"{given}: an id is a number from 0 to {TEMPLATE_ID_MAX}")
            elif template in found:
                problems.append(f"{given}: there is another text for {template}")
            found[template] = canonical_text(text)
        if problems:
            raise ValueError("; ".join(problems))
        return found


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings with the texts they name, parsed. Relative paths are relative to ``folder``."""

    settings: Settings
    profile: Profile
    tariff: Tariff
    folder: Path

    def path(self, path: Path) -> Path:
        """Resolve a path of the configuration."""
        return self.folder / path

    @property
    def ledger_url(self) -> str:
        """Return the ledger's URL with a relative SQLite path resolved."""
        scheme, separator, rest = self.settings.ledger.url.partition(":///")
        return f"{scheme}{separator}{self.folder / rest}" if scheme == "sqlite" else self.settings.ledger.url


def load(
    file: Path,
    environment: Mapping[str, str],
    *,
    required: bool = True,
    flags: Mapping[str, Mapping[str, object]] | None = None,
) -> Configuration:
    """Load the configuration that ``file``, the environment and the ``flags`` of a command (by section) make."""
    raw = _read(file, required=required)
    for layer in (_from_environment(environment), flags or {}):
        for section, values in layer.items():
            if isinstance(raw.setdefault(section, {}), dict):
                raw[section].update(values)
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise UsageError("config.invalid", file=str(file), problems=describe_problems(error)) from None
    folder = file.absolute().parent
    tariff_file = settings.tariff.file
    return Configuration(
        settings,
        load_profile(settings.gateway.profile, folder),
        parse_tariff(read_text(folder / tariff_file, "tariff.file"), str(tariff_file))
        if tariff_file
        else example_tariff(),
        folder,
    )


def _read(file: Path, *, required: bool) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        if required:
            raise UsageError("config.missing", file=str(file)) from None
        return {}
    except OSError as error:
        raise UsageError("config.unreadable", key="--config", file=str(file), problem=error.strerror) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("config.not_toml", file=str(file), problem=str(error)) from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Read ``MEDIASMS_<SECTION>_<KEY>``; an unknown section reaches the model and is refused there."""
    found: dict[str, dict[str, str]] = {}
    for name, value in environment.items():
        if name.startswith(PREFIX):
            section, _, key = name.removeprefix(PREFIX).lower().partition("_")
            found.setdefault(section, {})[key] = value
    return found


def load_profile(name: str, folder: Path) -> Profile:
    """Load the shipped profile ``name``, or the file it names."""
    shipped = resources.files("schemas") / "profiles" / f"{name}.toml"
    if "/" not in name and not name.endswith(".toml") and shipped.is_file():
        return parse_profile(shipped.read_text(encoding="utf-8"), f"{name}.toml")
    return parse_profile(read_text(folder / name, "gateway.profile"), name)


def load_replacements(names: Sequence[str], folder: Path) -> dict[int, str]:
    """Load tables of replacements, ``standard`` or files, as one; of a character in several the last one counts."""
    table: dict[int, str] = {}
    for name in names:
        if name == STANDARD:
            shipped = resources.files("schemas") / "replacement_tables" / f"{STANDARD}.toml"
            table |= parse_replacements(shipped.read_text(encoding="utf-8"), f"{STANDARD}.toml")
        else:
            table |= parse_replacements(read_text(folder / name, "--replace / validation.replacements"), name)
    return table


def example_tariff() -> Tariff:
    """Load the shipped example tariff."""
    shipped = resources.files("schemas") / "tariffs" / "example.toml"
    return parse_tariff(shipped.read_text(encoding="utf-8"), "example.toml")


def load_invoice_mapping(file: Path | None, folder: Path) -> InvoiceMapping:
    """Load the mapping of invoices that ``file`` is, or the shipped one."""
    # Only a month with an invoice needs pandera.
    from schemas.invoice import parse_mapping  # noqa: PLC0415 - an invoice is rarely read

    if file is not None:
        return parse_mapping(read_text(folder / file, "invoice.mapping"), str(file))
    shipped = resources.files("schemas") / "invoices" / f"{STANDARD}.toml"
    return parse_mapping(shipped.read_text(encoding="utf-8"), f"{STANDARD}.toml")


def read_text(path: Path, key: str) -> str:
    """Read a UTF-8 text file: a profile, a tariff, a table; ``key`` of configuration or command line names it."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError("config.unreadable", key=key, file=os.fspath(path), problem=error.strerror) from None
    except UnicodeDecodeError as error:
        raise UsageError("config.encoding", key=key, file=os.fspath(path), offset=error.start) from None
