"""Status labels in one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.statuses import StatusMeaning, canonical_label, may_change
from pipeline.model import NumberCheck, StatusClass


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


@pytest.mark.parametrize("check", NumberCheck)
@pytest.mark.parametrize("means", StatusClass)
def test_what_may_still_change(means: StatusClass, check: NumberCheck) -> None:
    for then_sent in (False, True) if means is StatusClass.VERDICT else (False,):
        meaning = StatusMeaning("x", means, billable=False, clicked=False, then_sent=then_sent)
        final = {
            StatusClass.PENDING: False,
            StatusClass.NO_VERDICT: False,
            # Of a text of which no check was asked a verdict says nothing.
            StatusClass.VERDICT: {"none": False, "only": True, "then-send": not then_sent}[check],
        }
        assert may_change(meaning, check) is not final.get(means, True)
    assert may_change(None, check) is False
