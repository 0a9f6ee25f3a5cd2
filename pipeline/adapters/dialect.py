"""How the beginning of a text file says that its records are cut into cells.

A first line ``sep=;`` decides, as Excel writes and reads it. Otherwise comma, TAB and semicolon are candidates if they
occur outside quotes in the first record that holds anything. Of several the one wins that occurs equally often in
most of the first records, then the one that gives more columns, then the earlier in that order. A file without any of
them has one column, and then the comma is as good as any.
"""

from __future__ import annotations

import re

#: what a record may consist of and still hold nothing
SPACE = re.compile(rb'[\s,;"]*')
_CANDIDATES = (b",", b"\t", b";")
_SEP_LINE = re.compile(rb'(?:sep=([,;\t])|"sep=([,;\t])")(?:\r\n|\r|\n)', re.IGNORECASE)
_QUOTED = re.compile(rb'(?:(?<=[,;\t\r\n])|\A)"[^"]*+(?:""[^"]*+)*+"(?=[,;\t\r\n]|\Z)')
_LINE = re.compile(rb"\r\n|\r|\n")
#: how much of a file is evidence
_HEAD = 64 << 10
_RECORDS = 50


def find_dialect(head: bytes) -> tuple[str, int]:
    """Return the delimiter, and how many bytes a ``sep=`` line takes."""
    if line := _SEP_LINE.match(head):
        return (line[1] or line[2]).decode(), line.end()
    blank = SPACE.match(head)
    start = blank.end() if blank else 0
    # A blank prefix ends within the first record that holds anything: its delimiters before that count too.
    start = max(head.rfind(b"\n", 0, start), head.rfind(b"\r", 0, start)) + 1
    evidence = head[start : start + _HEAD]
    first, *others = _LINE.split(_QUOTED.sub(b"", evidence))
    records = [first, *(line for line in others if line.strip(b" "))]
    if len(evidence) == _HEAD and len(records) > 1:
        records.pop()
    counts = {candidate: [record.count(candidate) for record in records[:_RECORDS]] for candidate in _CANDIDATES}
    found = [candidate for candidate in _CANDIDATES if counts[candidate][0]]
    best = max(found, key=lambda one: (counts[one].count(counts[one][0]), counts[one][0]), default=_CANDIDATES[0])
    return best.decode(), 0
