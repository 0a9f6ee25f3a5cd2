"""Smsids by the column."""

from __future__ import annotations

import pyarrow as pa

from pipeline.core import ids
from pipeline.core.kernels.smsids import smsid_column


def test_smsids_are_those_of_single_rows() -> None:
    rows = [1, 2, 509, 1_000_000, 9_999_999, 10_000_000, 17_179_869_183]
    expected = [ids.smsid("bcd", "fghjkmnpqr", row) for row in rows]
    assert smsid_column("bcd", "fghjkmnpqr", pa.array(rows)).to_pylist() == expected
    assert smsid_column("bcd", "fghjkmnpqr", pa.array(rows)[2:]).to_pylist() == expected[2:]
    assert len(set(expected)) == len(rows)


def test_no_rows_no_smsids() -> None:
    assert smsid_column("bcd", "fghjkmnpqr", pa.array([], pa.int64())).to_pylist() == []
