"""What may stand in a report: no whole subscriber number, no character that acts instead of being seen."""

from __future__ import annotations

import re

from pipeline.core.msisdn import mask

# A digit and the separators people put behind it, as in (090) 1234; \d takes full-width digits on purpose.
_GAP = r"[-‐‑‒–—−－ー. ()（）]{0,2}"
_DIGIT = rf"\d{_GAP}"


def _digits(*groups: str) -> str:
    """Spell a pattern of digits so that each may be written full-width and be followed by a separator."""
    wide = {digit: chr(ord(digit) + 0xFEE0) for digit in "0126789"}
    return "".join(f"[{group}{''.join(wide[digit] for digit in group)}]{_GAP}" for group in groups)


_TRUNK = rf"(?:{_digits('0')}|(?:[+＋]|{_digits('0', '0')})?{_digits('8', '1')}(?:{_digits('0')})?)"
_SUBSCRIBER = re.compile(
    rf"(?<!\d)(?:{_TRUNK}{_digits('26789', '0', '0')}{_DIGIT * 9}\d"  # M2M, 14 digits
    rf"|{_TRUNK}{_digits('26789', '0')}{_DIGIT * 7}\d"  # domestic, 11 digits, and its international form
    rf"|{_digits('6789', '0')}{_DIGIT * 7}\d"  # its leading zero is lost
    rf"|[+＋]{_DIGIT * 5}(?:{_DIGIT}){{0,14}})(?!\d)"  # overseas
)
# The shortest of them where no separator can be.
_TEN_DIGITS = re.compile("[0-9]{10}")

# C0, DEL and C1 move cursors and colours; bidi controls reorder what is read; zero-width characters hide;
# surrogates and non-characters cannot be written as UTF-8 or XML at all.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_PICTURES = 0x2400
_DELETE = 0x7F


def hidden(text: str) -> str:
    """Mask every subscriber number in ``text``; counts, dates and hashes stay.

    Labels and smsids come from outside: a shifted column puts a number where nobody expects one.
    """
    if text.isascii() and text.isalnum() and not _TEN_DIGITS.search(text):
        return text  # an smsid of ours, a million times
    return _SUBSCRIBER.sub(_masked, text)


def fact(name: str, value: str) -> str:
    """Return a fact of a break with its numbers masked; a name that ends in ``msisdn`` says it is one.

    An overseas number is 6-20 digits and cannot be told from a count by its form.
    """
    if name.endswith("msisdn"):
        return value if "*" in value else mask(value)
    return hidden(value)


def visible(text: str) -> str:
    """Replace every character that acts or hides by one that is seen: ESC becomes ``␛``."""
    return _ACTING.sub(_picture, text)


def _masked(number: re.Match[str]) -> str:
    return mask("".join(str(int(character)) for character in number[0] if character.isdecimal()))


def _picture(found: re.Match[str]) -> str:
    number = ord(found[0])
    if number < 0x20:  # noqa: PLR2004 - C0
        return chr(_PICTURES + number)
    return "␡" if number == _DELETE else "\ufffd"
