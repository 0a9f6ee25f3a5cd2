"""What the gateway has taken, in little memory, so that a demo may send millions."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

_BLOCK_MESSAGES = 2_000
_BLOCK_CHARACTERS = 1 << 19


class Taken(NamedTuple):
    """A message as the gateway keeps it: digits, the text as sent, and the columns that results echo."""

    smsid: str
    digits: str
    text: str
    linked: bool
    echo: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as its owner sees it; ``copies``: how often this smsid was taken for this number."""

    smsid: str
    msisdn: str
    text: str
    carrier: str
    csvid: str
    registered_at: datetime
    copies: int


class Batch:
    """The messages of one upload, invisible until it is complete.

    Memory: messages are packed by the block (2,000 of them, fewer when texts are long) and deflated, so a
    message costs what is new in it. Measured: 24 bytes with a text of 58 characters from a template, 160 with
    70 random kanji; URLs of its own, which results echo, come on top. An open block takes 1-2 MiB, so does
    one unpacked block while results are written.
    """

    def __init__(self) -> None:
        """Begin without messages."""
        self._blocks: list[bytes] = []
        self._open: list[Taken] = []
        self._open_characters = 0
        self._size = 0

    def __len__(self) -> int:
        """Return the number of messages."""
        return self._size

    def add(self, message: Taken) -> None:
        """Keep a message."""
        self._open.append(message)
        self._open_characters += len(message.text) + sum(map(len, message.echo))
        self._size += 1
        if len(self._open) == _BLOCK_MESSAGES or self._open_characters > _BLOCK_CHARACTERS:
            self.close()

    def close(self) -> None:
        """Pack what is still open."""
        if self._open:
            self._blocks.append(zlib.compress(json.dumps(self._open, ensure_ascii=False).encode(), 1))
            self._open, self._open_characters = [], 0

    def __iter__(self) -> Iterator[Taken]:
        """Unpack block by block, in the order of the upload."""
        for block in self._blocks:
            for smsid, digits, text, linked, echo in json.loads(zlib.decompress(block)):
                yield Taken(smsid, digits, text, linked, tuple(echo))
        yield from self._open


@dataclass(frozen=True, slots=True)
class Registration:
    """A batch that was taken, when, and the csvid it got."""

    csvid: str
    registered_at: datetime
    batch: Iterable[Taken]


class Store:
    """All registrations, in order. Written by the server's thread, read by any."""

    def __init__(self) -> None:
        """Begin empty."""
        self._registrations: list[Registration] = []

    def register(self, batch: Batch, at: datetime) -> Registration:
        """Take a whole upload at once, registered ``at``, and give it the next csvid."""
        batch.close()
        csvid = f"CSV{at:%Y%m%d}{len(self._registrations) + 1:06d}"
        self._registrations.append(Registration(csvid, at, batch))
        return self._registrations[-1]

    def registrations(self) -> list[Registration]:
        """Return what was registered until now."""
        return list(self._registrations)

    def smsids(self) -> set[str]:
        """Return every smsid that was taken; about 110 bytes each, so only for ``dedupe_smsid``."""
        return {message.smsid for registration in self._registrations for message in registration.batch}
