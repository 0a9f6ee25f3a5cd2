"""Header names: what a person may write and still be understood."""

from __future__ import annotations

import pytest

from pipeline.core.headers import canonical_header


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("電話番号", "電話番号"),
        (" 電話 番号　", "電話番号"),
        ("Mobile-Number", "mobilenumber"),
        ("mobile_number", "mobilenumber"),
        ("ＵＲＬ２", "url2"),
        ("ﾒｯｾｰｼﾞ", "メッセージ"),
        ("SMS\tID\n", "smsid"),
        ("SMS\u00a0ID", "smsid"),
        ("Ｓ－Ｍ＿Ｓ", "sms"),
        ("", ""),
        (" - _ ", ""),
    ],
)
def test_canonical_header(written: str, canonical: str) -> None:
    assert canonical_header(written) == canonical
    assert canonical_header(canonical_header(written)) == canonical


def test_a_long_vowel_mark_is_a_letter() -> None:
    assert canonical_header("メッセージ") == "メッセージ"
