"""What an upload is: texts or templates, and in which encoding. The name of its payload says so, once for all.

The file was written before anything left, perhaps under other settings than those of today: what the gateway is told
about it must be true of the bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Encoding = Literal["utf-8", "cp932"]

_TEMPLATES, _SHIFT_JIS = "id", "shiftjis"


@dataclass(frozen=True, slots=True)
class UploadForm:
    """How an upload gives its texts, and how its payload is encoded."""

    by_template: bool = False
    encoding: Encoding = "utf-8"

    def payload(self, number: int) -> str:
        """Return the name of the payload of a dispatch."""
        marks = [_TEMPLATES] * self.by_template + [_SHIFT_JIS] * (self.encoding == "cp932")
        return ".".join([f"dispatch-{number:04d}", *marks, "csv"])

    @classmethod
    def of(cls, payload: str) -> UploadForm:
        """Read the form of a payload from its name."""
        marks = payload.split(".")[1:-1]
        return cls(_TEMPLATES in marks, "cp932" if _SHIFT_JIS in marks else "utf-8")
