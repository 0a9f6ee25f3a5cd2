"""Smsids by the column."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core import ids
from pipeline.core.kernels import strings


def smsid_column(prefix: str, batch: str, rows: pa.Array) -> pa.Array:
    """Derive the smsid of each row: ledger prefix, batch, row."""
    digits = pc.utf8_lpad(rows.cast(pa.large_string()), ids.ROW_DIGITS, "0")
    nothing = pa.scalar("", pa.large_string())
    return pc.binary_join_element_wise(strings.constant(prefix + batch, len(rows)), digits, nothing)
