"""What the gateway has taken, in little memory, so that a demo may send millions."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

_BLOCK_MESSAGES = 2_000
_BLOCK_CHARACTERS = 1 << 19
_BLOCKS_UNPACKED = 4


class Taken(NamedTuple):
    """A message as the gateway keeps it: digits, the text as sent, and the columns that results echo.

    ``due``: when it goes out, ISO 8601, empty for at once. ``fate``: the kind of story it gets whatever the
    seed says. ``verdict``: the status label that was decided when it was taken. ``check``: ``check`` or
    ``checksms`` where the other-person check was asked for. ``parameters``: of an individual send, as it came.
    """

    smsid: str
    digits: str
    text: str
    linked: bool
    echo: tuple[str, ...]
    due: str = ""
    fate: str = ""
    verdict: str = ""
    check: str = ""
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A message as its owner sees it; ``copies``: how often this smsid was taken for this number.

    ``csvid`` is empty for an individual send, ``parameters`` for a CSV send.
    """

    smsid: str
    msisdn: str
    text: str
    carrier: str
    csvid: str
    registered_at: datetime
    copies: int
    parameters: tuple[tuple[str, str], ...] = ()


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
            yield from _unpacked(block)
        yield from self._open

    def __reversed__(self) -> Iterator[Taken]:
        """Unpack from the end, so that the newest cost no more than their own blocks."""
        yield from reversed(self._open)
        for block in reversed(self._blocks):
            yield from reversed(_unpacked(block))

    def blocks(self) -> list[bytes]:
        """Return the packed blocks of a closed batch."""
        return list(self._blocks)


def _unpacked(block: bytes) -> list[Taken]:
    return [
        Taken(smsid, digits, text, linked, tuple(echo), due, fate, verdict, check, tuple((a, b) for a, b in parameters))
        for smsid, digits, text, linked, echo, due, fate, verdict, check, parameters in json.loads(
            zlib.decompress(block)
        )
    ]


@dataclass(frozen=True, slots=True)
class Registration:
    """A batch that was taken, when, and the csvid it got."""

    csvid: str
    registered_at: datetime
    batch: Batch | tuple[Taken, ...]


class Found(NamedTuple):
    """A message and the registration it came with."""

    registration: Registration
    message: Taken


class Store:
    """All registrations, in order. Written by the server's thread, read by any."""

    def __init__(self) -> None:
        """Begin empty."""
        self._registrations: list[Registration] = []
        self._uploads = 0
        self._size = 0
        # smsid → (registration, block) of each copy; only for those who ask for single messages
        self._index: dict[str, tuple[tuple[int, bytes], ...]] = {}
        self._indexed = 0
        self._unpacked = lru_cache(_BLOCKS_UNPACKED)(_unpacked)

    def __len__(self) -> int:
        """Return the number of messages."""
        return self._size

    def register(self, batch: Batch, at: datetime, *, csv: bool = True) -> Registration:
        """Take a whole upload at once, registered ``at``, and give it the next csvid; a single send gets none."""
        batch.close()
        self._uploads += csv
        self._size += len(batch)
        csvid = f"CSV{at:%Y%m%d}{self._uploads:06d}" if csv else ""
        self._registrations.append(Registration(csvid, at, batch))
        return self._registrations[-1]

    def registrations(self) -> list[Registration]:
        """Return what was registered until now."""
        return list(self._registrations)

    def knows(self, smsid: str) -> bool:
        """Say whether a message with ``smsid`` was taken."""
        return bool(smsid) and smsid in self._extended_index()

    def find(self, smsid: str) -> list[Found]:
        """Return every message that was taken with ``smsid``, in order; for the server's thread."""
        found: list[Found] = []
        for number, block in dict.fromkeys(self._extended_index().get(smsid, ())):
            registration = self._registrations[number]
            found += [Found(registration, message) for message in self._unpacked(block) if message.smsid == smsid]
        return found

    def latest(self, count: int) -> list[Found]:
        """Return the last ``count`` messages, the newest first."""
        found: list[Found] = []
        for registration in reversed(self._registrations):
            for message in reversed(registration.batch):
                found.append(Found(registration, message))
                if len(found) == count:
                    return found
        return found

    def _extended_index(self) -> dict[str, tuple[tuple[int, bytes], ...]]:
        """Index what came since the last question: about 200 bytes a message, so only for those who ask."""
        for number in range(self._indexed, len(self._registrations)):
            batch = self._registrations[number].batch
            for block in batch.blocks() if isinstance(batch, Batch) else ():
                place = (number, block)
                for message in _unpacked(block):
                    if message.smsid:
                        self._index[message.smsid] = (*self._index.get(message.smsid, ()), place)
        self._indexed = len(self._registrations)
        return self._index
