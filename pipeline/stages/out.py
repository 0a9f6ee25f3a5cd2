"""The folder of ``validate --out``: what lies there is replaced only where validation itself has written it.

The evidence is the first line, byte for byte as it is written here. A list of somebody's that happens to be called
``accepted.csv`` has another one. So has most of what a spreadsheet program has saved since, with a byte order mark or
with other line ends: it may hold somebody's corrections.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.stages.checking import ALREADY_COLUMNS, REJECTED_COLUMNS, REPAIRED_COLUMNS, csv_bytes
from schemas.recipients import ACCEPTED_FIELDS, accepted_columns

#: file → the columns it has if it is ours, given those in its first line
_COLUMNS: dict[str, Callable[[Sequence[str]], Sequence[str]]] = {
    "accepted.csv": lambda found: accepted_columns([name for name in ACCEPTED_FIELDS if name in found]),
    "rejected.csv": lambda found: (*found[: -len(REJECTED_COLUMNS)], *REJECTED_COLUMNS),
    "already.csv": lambda _: ALREADY_COLUMNS,
    "repaired.csv": lambda _: REPAIRED_COLUMNS,
}
#: the files that validation writes, in the order in which it fills them
FILES = tuple(_COLUMNS)
#: more than the longest header an input can have, and our columns behind it
_HEAD = 2 << 20


def check_out(out: Path, source: Path, batches: Path) -> None:
    """Refuse a folder where writing would cost somebody a file; nothing is touched before.

    Raises ``UsageError``: ``out.is_batch`` below ``batches``, whose files are never replaced, ``out.is_input`` and
    ``out.not_ours``.
    """
    if out.resolve().is_relative_to(batches.resolve()):
        raise UsageError("out.is_batch", folder=str(out))
    for name in FILES:
        path = out / name
        if path.exists() and source.exists() and path.samefile(source):
            raise UsageError("out.is_input", file=str(source))
        if (path.exists() or path.is_symlink()) and not _is_ours(path):
            raise UsageError("out.not_ours", file=str(path))


def _is_ours(path: Path) -> bool:
    """Say whether a file begins as validation begins it."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(_HEAD)
        found = next(csv.reader(io.StringIO(head.decode(errors="replace"), newline="")), [])
    except (OSError, csv.Error):
        return False
    begin = csv_bytes([_COLUMNS[path.name](found)])
    return head.startswith(begin) and not head.startswith(codecs.BOM_UTF8)
