"""Status labels in one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.statuses import canonical_label


@pytest.mark.parametrize(
    ("label", "canonical"),
    [
        ("送信済", "送信済"),
        (" 送信済\r\n", "送信済"),
        ("ドコモ　圏外・OFF", "ドコモ圏外・OFF"),
        ("ドコモ 圏外・ＯＦＦ", "ドコモ圏外・OFF"),
        ("ﾄﾞｺﾓ圏外･OFF", "ドコモ圏外・OFF"),
        ("ａｕ 自ＮＷ\u00a0障害", "au自NW障害"),
        ("４０３", "403"),
        ("ＮＧ\u3000ワード", "NGワード"),
        ("リタ\u3099イレクト", "リダイレクト"),
        # the space goes, and kana and mark meet
        ("リタ゛イレクト", "リダイレクト"),
        ("ﾘﾀ ﾞｲﾚｸﾄ", "リダイレクト"),
        ("リタ \u3099イレクト", "リダイレクト"),
        ("－", "-"),
        ("\u2003\t", ""),
    ],
)
def test_labels(label: str, canonical: str) -> None:
    assert canonical_label(label) == canonical


@given(st.text())
def test_a_canonical_label_has_no_white_space(label: str) -> None:
    canonical = canonical_label(label)
    assert not any(map(str.isspace, canonical))
    assert canonical_label(canonical) == canonical
