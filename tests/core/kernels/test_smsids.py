"""Smsids by the column."""

from __future__ import annotations

import re

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.ids import batch_id, letters
from pipeline.core.kernels.smsids import smsid_column

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


def test_an_smsid_never_changes_between_releases() -> None:
    """Typed here: a new release must recognise what an older one sent."""
    rows = pa.array([2, 12, 509, 9_999_999, 10_000_000, 17_179_869_183])
    expected = [
        "bcdfghjkmnpqr0000002",
        "bcdfghjkmnpqr0000012",
        "bcdfghjkmnpqr0000509",
        "bcdfghjkmnpqr9999999",
        "bcdfghjkmnpqr10000000",
        "bcdfghjkmnpqr17179869183",
    ]
    assert smsid_column("bcd", "fghjkmnpqr", rows).to_pylist() == expected
    assert smsid_column("bcd", "fghjkmnpqr", rows[2:]).to_pylist() == expected[2:]


@given(words, st.integers(1, 10_000_000))
def test_an_smsid_is_never_a_number_or_a_date(campaign: str, row: int) -> None:
    prefix, batch = letters(campaign.encode(), 3), batch_id(campaign, "", "")
    (made,) = smsid_column(prefix, batch, pa.array([row])).to_pylist()
    assert re.fullmatch(r"[a-z]{13}[0-9]{7,8}", made)
    assert not re.search(r"jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|[0-9]e[0-9]", made)


def test_no_rows_no_smsids() -> None:
    assert smsid_column("bcd", "fghjkmnpqr", pa.array([], pa.int64())).to_pylist() == []
