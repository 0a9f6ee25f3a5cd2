"""What becomes of a text on its way to a phone: tags are filled, links shortened, the rest cut silently."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.profile import Profile

_TAG = re.compile(r"\{(info[1-4]|URL[2-4]?)\}")
_LINK = "http://s.test/"
_BASE = 36
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

# Steps of the Japanese carriers (GATEWAY section 7): one part, then parts with a header each.
_ONE_DOUBLE, _MORE_DOUBLE = 70, 67
_ONE_ASCII, _MORE_ASCII = 160, 153
_ONE_BYTES = 140

# Not allowed (GATEWAY section 6): control characters but line breaks, what Python's shift_jis takes for \ and ~,
# and whatever stands neither in JIS X 0201 nor in JIS X 0208.
_NO_TEXT = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\xa0\xa5\u203e]")
# Windows and JIS name these the same characters differently.
_TWINS = str.maketrans("\uff5e\uff0d\u2225\uffe0\uffe1\uffe2", "\u301c\u2212\u2016\xa2\xa3\xac")


def has_platform_characters(text: str) -> bool:
    """Say whether there is a character in ``text`` that not every phone has."""
    if _NO_TEXT.search(text):
        return True
    try:
        text.encode("shift_jis")
    except UnicodeEncodeError:
        try:
            text.translate(_TWINS).encode("shift_jis")
        except UnicodeEncodeError:
            return True
    return False


def expand(text: str, infos: Mapping[str, str], urls: Mapping[str, str], length: int) -> tuple[str, bool]:
    """Fill tags and replace links by short ones of ``length`` characters; say whether there is a link.

    Values first, links after: a tag for a link inside a value is a link too, as on the real gateway. A tag
    without a URL stays as it is.
    """
    if "{" not in text:
        return text, False
    filled = _TAG.sub(lambda tag: infos.get(tag[1], tag[0]), text)
    linked = _TAG.sub(lambda tag: _short_link(urls[tag[1]], length) if urls.get(tag[1]) else tag[0], filled)
    return linked, linked != filled


def _short_link(url: str, length: int) -> str:
    number = int.from_bytes(hashlib.blake2b(url.encode(), digest_size=16).digest())
    code = ""
    while len(code) < length - len(_LINK):
        number, digit = divmod(number, _BASE)
        code += _DIGITS[digit]
    return _LINK + code


class Cutter:
    """The limits of an account on the length of a text."""

    def __init__(self, profile: Profile) -> None:
        """Read the limits, which depend on the long-text option."""
        limits, self._long = profile.limits, profile.options.long_text.value
        self._bytes = (limits.long_text_bytes if self._long else limits.text_bytes).value
        self._characters = (limits.long_text_characters if self._long else limits.text_characters).value
        self._break = limits.line_break.value

    def is_too_long(self, text: str) -> bool:
        """Say whether a text has more bytes in Shift_JIS than go out (S: what the over-length option refuses)."""
        breaks = text.count("\n")
        return len(text.replace("\r", "").encode("cp932", "replace")) + breaks * (self._break - 1) > self._bytes

    def cut(self, text: str, *, characters_count: bool) -> str:
        """Return what is sent of ``text``: up to the limit in Shift_JIS bytes and perhaps in characters.

        ``characters_count`` is False for au, which counts bytes alone; elsewhere characters count as soon as
        one is double-byte. A line break counts as the profile says.
        """
        if len(text) + text.count("\n") * self._break <= min(self._characters, self._bytes // 2):
            return text
        characters_limit = self._characters if characters_count and not text.isascii() else self._bytes
        size = characters = 0
        for at, character in enumerate(text):
            if character == "\n":
                size += self._break
                characters += self._break
            elif character != "\r":
                size += len(character.encode("cp932", "replace"))
                characters += 1
            if size > self._bytes or characters > characters_limit:
                return text[:at]
        return text

    def parts(self, text: str) -> int | None:
        """Return the parts of a text that was sent, None where it is one SMS and results say nothing."""
        if not self._long:
            return None
        characters = len(text) + text.count("\n") * (self._break - 1) - text.count("\r\n")
        if text.isascii():
            if characters <= _ONE_BYTES:
                return None
            return 1 if characters <= _ONE_ASCII else -(-characters // _MORE_ASCII)
        return None if characters <= _ONE_DOUBLE else -(-characters // _MORE_DOUBLE)
