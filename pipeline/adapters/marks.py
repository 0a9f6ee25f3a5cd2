"""Marks: what lies beside a payload since before its first byte left, and tells a ledger that went back in time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import GuardStopped

#: the name of a marker, and what stands in it: the number of attempts and, but in old ones, of the last one when it
#: began and with which payload
_NAME = re.compile("dispatch-([0-9]+)")
_CONTENT = re.compile(r"([0-9]+)(?: (\S+) (dispatch-[0-9]+\.[a-z.]+))?")


@dataclass(frozen=True, slots=True)
class Mark:
    """What a marker says: which dispatch of which batch was begun, for how many ``attempts``, and the last one when.

    ``payload`` is the name of what was sent then; empty in old markers.
    """

    batch_id: str
    number: int
    attempts: int
    begun_at: datetime
    payload: str

    @property
    def content(self) -> bytes:
        """Return what stands in its marker: all of it, for a file has another time once it was copied."""
        return f"{self.attempts} {self.begun_at.isoformat()} {self.payload}\n".encode()


def marker_name(number: int) -> str:
    """Return the name of the marker of a dispatch, which lies in the folder of its batch."""
    return f"dispatch-{number:04d}.begun"


def last_number(folder: Path) -> int:
    """Return the highest number of a dispatch of which anything lies in the folder of its batch, or 0."""
    found = (_NAME.match(path.name) for path in folder.glob("dispatch-*"))
    return max((int(name[1]) for name in found if name), default=0)


def read_mark(marker: Path) -> Mark:
    """Return what a marker says. An old one does not say when: it is as old as its file.

    Raises ``GuardStopped`` (``marker.unreadable``).
    """
    try:
        name, said = _NAME.fullmatch(marker.stem), _CONTENT.fullmatch(marker.read_text(encoding="ascii").strip())
        if name and said:
            written = datetime.fromtimestamp(marker.stat().st_mtime, UTC)
            begun_at = datetime.fromisoformat(said[2]) if said[2] else written
            if begun_at.tzinfo:
                return Mark(marker.parent.name, int(name[1]), int(said[1]), begun_at, said[3] or "")
    except (OSError, ValueError):
        pass
    raise GuardStopped("marker.unreadable", file=str(marker)) from None
