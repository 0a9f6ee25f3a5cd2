"""One rendering of a reconciliation for ``benchmarks/reports.py``, from the files of ``evidence.py``.

python benchmarks/lib/rendering.py FOLDER none|json|page|workbook OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

from reconciling import reconciled

from pipeline.messages import Language
from pipeline.reports.document import dumps, reconciliation_document
from pipeline.reports.page import render_page
from pipeline.reports.workbook import write_workbook


def main(source: str, what: str, out: str) -> None:
    """Reconcile, and write what is asked for; ``none`` only reconciles, which every other one does too."""
    value, lines = reconciled(Path(source))
    match what:
        case "json":
            Path(out).write_text(dumps(reconciliation_document(value, artifacts={}, exit_code=1)), encoding="utf-8")
        case "page":
            Path(out).write_text(render_page(value, lines, Language.JA), encoding="utf-8")
        case "workbook":
            write_workbook(Path(out), value, lines, Language.JA)
        case "none":
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
