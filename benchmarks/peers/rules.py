"""The rules as the peers need them, in words every regular-expression engine knows. Nothing of the product is imported.

The repertoire is data: ``repertoire.json``, ranges of code points, made by the benchmark from the product's table.
The classes hold the characters themselves: engines differ in how they escape them.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

NUMBER, TEXT = "電話番号", "本文"
TAGS = ("氏名", "店舗", "日時", "金額")

BYTES, CHARACTERS = 140, 70

MOBILE = "[6-9]0[1-9][0-9]{7}|20[1-35-9][0-9]{7}"
DOMESTIC = f"^(?:0(?:{MOBILE})|0[26789]00[0-9]{{10}})$"
#: rows that need no cleaning but the removal of two hyphens
USUAL = "^0(?:[6-9]0-?[1-9]|20-?[1-35-9])[0-9]{3}-?[0-9]{4}$"

_DASHES = "‐‑‒–—―−ー\uff70─━⁃˗－﹣〜～"
_SPACES = " \t\x0b\x0c\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200C))) + "\u202f\u205f\u2060\u3000\ufeff"
_MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
SEPARATORS = f"[{_SPACES}{_MARKS}()（）.．{_DASHES}-]"
AROUND = f"{_SPACES}{_MARKS}\r\n"
#: ="…" or a leading apostrophe, tel: behind it; the number is the first group
WRAPPED = f'^[{AROUND}]*(?:="|[\'’])?[{AROUND}]*(?:[tT][eE][lL][:：])?[{AROUND}]*(.*?)[{AROUND}]*"?[{AROUND}]*$'
FULL_WIDTH, HALF_WIDTH = "０１２３４５６７８９＋", "0123456789+"
SCIENTIFIC = "^[+-]?[0-9]+(?:[.][0-9]*)?[eE][+-]?[0-9]+$"
POINT_ZERO = "[.．]0+$"
INTERNATIONAL = f"^[+]?(?:00)?810?({MOBILE})$"
LOST_ZERO = "^([6-9]0[1-9][0-9]{7})$"

#: one byte in Shift_JIS; texts have fewer of these than of the others, so these are counted
NARROW = "[\x00-\x7f\uff61-\uff9f]"
#: neither one byte in both UTF-8 and Shift_JIS, nor three and two
RARE = "[\x80-\u07ff\uff61-\uff9f]"
DOUBLE_BYTE = "[^\x00-\x7f]"
SOMETHING = "[^ \u3000\n]"
GATEWAY_TAG = "[{](?:URL[2-4]?|info[1-4])[}]"
KNOWN_TAG = f"[{{](?:{'|'.join(TAGS)}|URL[2-4]?|info[1-4])[}}]"
BRACE = "[{}]"

_KANA = "".join(map(chr, range(0x3041, 0x3100)))
#: kana and combining mark → the composed kana
COMPOSED = {
    kana + mark: composed
    for kana in _KANA
    for mark in "\u3099\u309a"
    if len(composed := unicodedata.normalize("NFC", kana + mark)) == 1
}
MARKS = "[\u3099\u309a]"
TWINS = {"〜": "～", "−": "－", "‖": "∥", "¢": "￠", "£": "￡", "¬": "￢"}
#: what is written differently in a text that is sent, longest first
REPAIRS = {"\r\n": "\n", "\r": "\n", "\t": " ", **TWINS, **COMPOSED}
#: texts that have none of these stay as they are
TOUCHED = f"[{{}}\r\t\u3099\u309a{''.join(TWINS)}]"


def cannot_be_sent(folder: str) -> str:
    """Return the class of characters that no text may have."""
    ranges = json.loads((Path(folder) / "repertoire.json").read_text(encoding="utf-8"))
    return "[^" + "".join(_range(low, high) for low, high in ranges) + "]"


def _range(low: int, high: int) -> str:
    # Escaped, because the repertoire has the brackets, the backslash and the line break.
    return f"{_character(low)}-{_character(high)}" if low < high else _character(low)


def _character(code: int) -> str:
    return f"\\x{code:02X}" if code < 0x80 else chr(code)  # noqa: PLR2004 - ASCII
