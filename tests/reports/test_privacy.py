from __future__ import annotations

import pytest

from pipeline.reports.privacy import fact, hidden, visible


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("09012345678", "090****5678"),
        ("090-1234-5678", "090****5678"),
        ("０９０－１２３４－５６７８", "090****5678"),
        ("(090) 1234 5678", "(090****5678"),
        ("+81 90-1234-5678", "819****5678"),
        ("00819012345678", "008****5678"),
        ("9012345678", "**********"),
        ("02001234567890", "020****7890"),
        ("+447911123456", "447****3456"),
        ("a 09012345678 b 08087654321 c", "a 090****5678 b 080****4321 c"),
        ("09012345678 08087654321", "090****5678 080****4321"),
        ("A09012345678", "A090****5678"),
    ],
)
def test_numbers_are_masked_wherever_they_stand(text: str, masked: str) -> None:
    assert hidden(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "送信済",
        "403",
        "2026-11-23 10:55:32",
        "20261123105532",
        "90138.40",
        "12,345,678",
        "abckzvtbqrmwx0000017",
        "report-20261123T105532.xlsx",
    ],
)
def test_dates_counts_and_our_smsids_stay(text: str) -> None:
    assert hidden(text) == text


def test_a_fact_that_says_it_is_a_number_is_masked_whatever_its_form() -> None:
    assert fact("sent_msisdn", "447911123456") == "447****3456"
    assert fact("sent_msisdn", "447****3456") == "447****3456"
    assert fact("expected", "447911123456") == "447911123456"
    assert fact("expected", "09012345678") == "090****5678"


def test_characters_that_act_or_hide_are_seen() -> None:
    assert visible("a\x1b[31m\x00\n\x7f") == "a␛[31m␀␊␡"
    assert visible("\u202e\u200b\ufeff\uffff\ud800\x9b\u2028") == "\ufffd" * 7
    assert visible("普通の文字 ¥ 髙") == "普通の文字 ¥ 髙"
