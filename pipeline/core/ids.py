"""Identifiers that are derived, never drawn: the same input always gets the same ones.

They use consonants only: no vowels means no words, no month names, nothing a spreadsheet reads as a number or date.
"""

from __future__ import annotations

import hashlib
import re

ALPHABET = "bcdfghjkmnpqrstvwxz"
BATCH_LETTERS = 10
PREFIX_LETTERS = 3
#: at least; a row beyond has more
ROW_DIGITS = 7

#: what nobody sees at the end of a text
_UNSEEN = " \u3000\n"
_REJECTED = re.compile(r"(?:-rejected(?:-[0-9]+)?)+$")


def letters(digest: bytes, count: int) -> str:
    """Spell the beginning of a digest with ``count`` letters."""
    number = int.from_bytes(digest, "big")
    spelled = []
    for _ in range(count):
        number, letter = divmod(number, len(ALPHABET))
        spelled.append(ALPHABET[letter])
    return "".join(spelled)


def fingerprint(*parts: str) -> str:
    """Return the sha256 of ``parts``; their borders count."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def batch_id(campaign: str, content_sha256: str, deciding: str) -> str:
    """Derive a batch's id from campaign, content and the fingerprint of everything that decides what is sent."""
    return letters(bytes.fromhex(fingerprint("batch", campaign, content_sha256, deciding)), BATCH_LETTERS)


def text_digest(text: str) -> str:
    """Return a short digest by which equal texts are recognised without being stored."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def message_key(msisdn: str, final_text: str, scheduled: str = "", *, repeats: bool) -> str:
    """Return what may be served once in a campaign: the number, or with ``repeats`` number, final text and time.

    Blanks and line breaks at the end of a text do not count: to the person who gets both it is the same text twice.
    """
    return f"{msisdn}:{text_digest(final_text.rstrip(_UNSEEN))}:{scheduled}" if repeats else msisdn


def list_name(stem: str) -> str:
    """Return the name of the list whose rejected rows a file called ``stem`` holds, else the stem itself."""
    return _REJECTED.sub("", stem) or stem
