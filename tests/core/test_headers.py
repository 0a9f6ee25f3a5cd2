"""Header names in one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.headers import canonical_header


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("電話番号", "電話番号"),
        (" Phone_Number ", "phonenumber"),
        ("ＰＨＯＮＥ－ＮＵＭＢＥＲ", "phonenumber"),
        ("ｹｲﾀｲ　番号", "ケイタイ番号"),
        ("メッセ-シ\u3099", "メッセジ"),
        ("シ_\u3099", "ジ"),
        ("ー", "ー"),
        ("_- \t", ""),
    ],
    ids=ascii,
)
def test_headers(name: str, canonical: str) -> None:
    assert canonical_header(name) == canonical


@given(st.text())
def test_a_canonical_header_is_its_own_form(name: str) -> None:
    canonical = canonical_header(name)
    assert canonical_header(canonical) == canonical
