"""Header names in one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.headers import canonical_header, cost_centre_places


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


@pytest.mark.parametrize(
    ("names", "places"),
    [
        (["Cost Centre", "部門"], [0]),
        (["部門", "コスト センター"], [1]),
        (["部署名", "部門名", "部署", "部門コード"], [3]),
        (["ｺｽﾄｾﾝﾀｰ"], [0]),
        (["原価センタ", "原価_センタ"], [0, 1]),
        (["本文", "電話番号"], []),
        ([], []),
    ],
)
def test_the_plainest_name_of_a_cost_centre_wins(names: list[str], places: list[int]) -> None:
    assert cost_centre_places(names) == places
