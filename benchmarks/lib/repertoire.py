"""Write the product's table of characters that can be sent as ranges of code points, for peers to read.

python benchmarks/lib/repertoire.py FILE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pipeline.core.text import repertoire


def ranges() -> list[list[int]]:
    """Return first and last code point of each range."""
    found: list[list[int]] = []
    for code in sorted(map(ord, repertoire())):
        if found and code == found[-1][1] + 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(ranges()), encoding="utf-8")
