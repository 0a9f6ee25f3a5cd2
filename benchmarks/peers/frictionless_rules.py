"""The rules of ``validate`` as a frictionless check; frictionless hands over one row at a time.

python benchmarks/peers/frictionless_rules.py FILE FOLDER
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rules
from frictionless import Check, Checklist, Resource, Schema, errors, fields

_USUAL = re.compile(rules.USUAL)
_WRAPPED = re.compile(rules.WRAPPED, re.DOTALL)
_POINT_ZERO = re.compile(rules.POINT_ZERO)
_SEPARATORS = re.compile(rules.SEPARATORS)
_SCIENTIFIC = re.compile(rules.SCIENTIFIC)
_INTERNATIONAL = re.compile(rules.INTERNATIONAL)
_LOST_ZERO = re.compile(rules.LOST_ZERO)
_DOMESTIC = re.compile(rules.DOMESTIC)
_FULL_WIDTH = str.maketrans(rules.FULL_WIDTH, rules.HALF_WIDTH)

_TOUCHED = re.compile(rules.TOUCHED)
_REPAIR = re.compile("|".join(map(re.escape, rules.REPAIRS)))
_OWN_TAG = re.compile(f"[{{]({'|'.join(rules.TAGS)})[}}]")
_KNOWN_TAG = re.compile(rules.KNOWN_TAG)
_GATEWAY_TAG = re.compile(rules.GATEWAY_TAG)
_BRACE = re.compile(rules.BRACE)
_SOMETHING = re.compile(rules.SOMETHING)


def number(given: str) -> str:
    """Return the canonical form of a number, or what is left when there is none."""
    if _USUAL.match(given):
        return given.replace("-", "")
    wrapped = _WRAPPED.match(given)
    unwrapped = (wrapped[1] if wrapped else given).translate(_FULL_WIDTH)
    if _SCIENTIFIC.match(unwrapped):
        return ""
    bare = _SEPARATORS.sub("", _POINT_ZERO.sub("", unwrapped))
    return _LOST_ZERO.sub(r"0\1", _INTERNATIONAL.sub(r"0\1", bare))


class Rules(Check):
    """Every rule of a row; acceptable rows are written as they come."""

    type = "mediasms"
    Errors = [errors.RowError]  # noqa: RUF012 - frictionless wants it so

    def __init__(self, folder: str) -> None:
        """Keep what cannot be sent and which numbers were seen."""
        super().__init__()
        self._strange = re.compile(rules.cannot_be_sent(folder))
        self._seen: set[str] = set()
        self._file = (Path(folder) / "accepted.csv").open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        self._writer.writerow(["row_number", "msisdn", "text", "characters", "bytes"])

    def validate_row(self, row: Any) -> Iterator[errors.RowError]:  # noqa: ANN401 - its types are not exported
        """Yield what is wrong with a row, or write it."""
        msisdn = number(row[rules.NUMBER] or "")
        template = text = row[rules.TEXT] or ""
        note = ""
        if _TOUCHED.search(text):
            if _BRACE.search(_KNOWN_TAG.sub("", text)):
                note = "tag"
            text = _OWN_TAG.sub(lambda tag: row[tag[1]] or "", text)
            if _GATEWAY_TAG.search(text) and not _GATEWAY_TAG.search(template):
                note = "tag in a value"
            text = _REPAIR.sub(lambda found: rules.REPAIRS[found[0]], text)
        if not _SOMETHING.search(text) or self._strange.search(text):
            note = note or "text"
        breaks = text.count("\n")
        characters, size = len(text) + breaks, len(text.encode("cp932", "replace")) + breaks
        if size > rules.BYTES or (characters > rules.CHARACTERS and not text.isascii()):
            note = note or "length"
        if not _DOMESTIC.match(msisdn):
            note = note or "number"
        if not note and msisdn in self._seen:
            note = "duplicate"
        if note:
            yield errors.RowError.from_row(row, note=note)
        else:
            self._seen.add(msisdn)
            self._writer.writerow([row.row_number, msisdn, text, characters, size])

    def validate_end(self) -> Iterator[errors.RowError]:
        """Close the file."""
        self._file.close()
        yield from ()


def main(source: str, folder: str) -> None:
    """Check ``source`` and write what is accepted and what is rejected into ``folder``."""
    names = (rules.NUMBER, rules.TEXT, *rules.TAGS)
    schema = Schema(fields=[fields.StringField(name=name) for name in names])
    where = Path(source)
    resource = Resource(path=where.name, basepath=str(where.parent), schema=schema, encoding="utf-8")
    report = resource.validate(Checklist(checks=[Rules(folder)]), limit_errors=sys.maxsize)
    rejected = dict.fromkeys(row for (row,) in report.flatten(["rowNumber"]))
    with (Path(folder) / "rejected.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["row_number"], *([row] for row in rejected)])


if __name__ == "__main__":
    main(*sys.argv[1:])
