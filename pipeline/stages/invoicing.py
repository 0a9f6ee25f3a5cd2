"""Read an invoice: a CSV or a workbook becomes the lines of one month."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.adapters.inputs import open_input, refuse_merged
from pipeline.config import load_invoice_mapping
from pipeline.context import Context
from pipeline.core.invoice import Invoice
from pipeline.errors import InputUnusable
from schemas.invoice import invoice_columns, parse_invoice


def read_invoice(context: Context, path: Path, month: str) -> Invoice:
    """Return what the invoice in ``path`` says of ``month`` (YYYY-MM).

    Raises ``InputUnusable``: ``input.*`` for the file, ``invoice.*`` for what stands in it; and ``UsageError``
    (``invoice.mapping_*``) for the mapping.
    """
    mapping = load_invoice_mapping(context.settings.invoice.mapping, context.configuration.folder)
    table = open_input(path)
    refuse_merged(table)
    columns = invoice_columns(table.first_record, mapping, table.name)
    chunks = list(table.chunks(columns, header=True))
    if not chunks:
        raise InputUnusable("input.no_rows", file=table.name)
    lines = pd.concat(chunks, ignore_index=True)
    return parse_invoice(lines, table.first_record, mapping, file=table.name, sha256=table.sha256, month=month)
