"""What a text file holds, by Python's own decoders and ``csv`` module: an independent reading of the same bytes."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_SEP_LINE = re.compile('(?:sep=(.)|"sep=(.)")(?:\r\n|\r|\n)', re.IGNORECASE)

#: what may stand above a header: a title's empty neighbours, a row of delimiters
_NOTHING = ' \t\n\r\v\f,;"'

csv.field_size_limit(1 << 30)


@dataclass(frozen=True)
class Reading:
    """Every record with its number, blank ones included; ``whole`` says whether every quote is where it may be."""

    encoding: str
    delimiter: str
    rows: list[tuple[int, list[str]]]
    whole: bool

    @property
    def first(self) -> int | None:
        """The number of the first record that holds more than spaces, delimiters and quotes."""
        return next((number for number, row in self.rows if any(cell.strip(_NOTHING) for cell in row)), None)


def decoded(data: bytes) -> tuple[str, str] | None:
    """Decode by evidence: a byte order mark, else UTF-8, else CP932; nothing: none of them."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            candidates, data = [encoding], data[len(mark) :]
            break
    else:
        candidates = ["utf-8", "cp932"]
    for encoding in candidates:
        try:
            return encoding, data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def read(data: bytes, delimiter: str) -> Reading | None:
    """Read a file whose delimiter is known; a ``sep=`` line decides it."""
    known = decoded(data)
    if known is None:
        return None
    encoding, text = known
    before = 0
    if (line := _SEP_LINE.match(text)) and (chosen := line[1] or line[2]) in ",;\t":
        delimiter, text, before = chosen, text[line.end() :], 1
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    try:
        whole = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)) == rows
    except csv.Error:
        whole = False
    return Reading(encoding, delimiter, list(enumerate(rows, before + 1)), whole)
