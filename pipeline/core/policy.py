"""What decides about rows: the account's limits, and what a person chose for this input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from pipeline.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the account allows; bytes are Shift_JIS bytes, characters what the gateway counts.

    ``bytes_only`` are the carriers whose only limit is the bytes (au, S); the others of ``carriers`` cut a text with
    a double-byte character at ``text_characters``, and those in ``shorter`` cut long texts there too.
    """

    overseas: bool
    text_bytes: int
    text_characters: int
    longest_characters: int
    line_break: int
    short_link: int
    url_characters: int
    code_characters: int
    smsid_characters: int
    template_id_max: int
    title_min: int
    title_max: int
    carriers: tuple[str, ...] = ()
    bytes_only: tuple[str, ...] = ()
    shorter: tuple[str, ...] = ()

    def cut_by(self, size: int, characters: int, *, double_byte: bool) -> tuple[str, ...]:
        """Name the carriers that would cut a text of ``size`` bytes and ``characters``."""
        if size > self.text_bytes:
            return self.carriers
        if not double_byte or characters <= self.text_characters:
            return ()
        if self.shorter and characters <= self.longest_characters:
            return self.shorter
        return tuple(carrier for carrier in self.carriers if carrier not in self.bytes_only)


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column of the input plays which role: field of the gateway → column name, or one text for all.

    ``final`` says that the texts were expanded before: they have the gateway's tags and no others.
    """

    columns: Mapping[str, str]
    common_text: str | None = None
    final: bool = False

    def name(self, role: str) -> str:
        """Return the column that plays ``role``, or the role itself when it has none."""
        return self.columns.get(role, role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Limits and choices. ``now`` is Japan's time, to which a scheduled time is compared.

    ``replacements`` are made (opt-in); ``suggestions`` are only offered. Both map the code point of a character that
    cannot be sent to a text that can. Without ``sends_text`` numbers are only checked, and no row needs a text.
    ``templates`` are the texts of the gateway's templates, by id, as far as they
    are known; ``unchecked_templates`` lets others go out, however long they are. ``shift_jis`` says that uploads are
    written in it, so that a memo must be sayable too.
    """

    limits: Limits
    now: datetime
    strict: bool = False
    sends_text: bool = True
    replacements: Mapping[int, str] = field(default_factory=dict)
    suggestions: Mapping[int, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    unchecked_templates: bool = False
    shift_jis: bool = False
    scheduled_format: str = "%Y.%m.%d.%H.%M"


@dataclass(frozen=True, slots=True)
class RejectLimit:
    """How many rows of an input may be rejected before nothing of it is sent: a count, or a share of the rows."""

    count: int | None = None
    percent: Decimal | None = None

    def is_exceeded(self, rejected: int, rows: int) -> bool:
        """Say whether too many of ``rows`` are ``rejected``."""
        if self.percent is not None:
            return rejected * 100 > self.percent * rows
        return self.count is not None and rejected > self.count

    def __str__(self) -> str:
        """Return the limit as it is written."""
        return f"{self.percent}%" if self.percent is not None else str(self.count)


NO_LIMIT = RejectLimit()


def read_reject_limit(value: str) -> RejectLimit:
    """Read a limit: a count ("20") or a share ("5%"). Raises ``UsageError`` (``usage.max_rejects``)."""
    match = re.fullmatch(r"([0-9]+)|([0-9]+(?:\.[0-9]+)?)\s*[%％]", value.strip())
    if match is None:
        raise UsageError("usage.max_rejects", value=value)
    return RejectLimit(count=int(match[1])) if match[1] else RejectLimit(percent=Decimal(match[2]))
