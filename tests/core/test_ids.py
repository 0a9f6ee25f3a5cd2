"""Identifiers: derived, and nothing a spreadsheet would change."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.ids import ALPHABET, batch_id, fingerprint, letters, text_digest

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


def test_ids_never_change_between_releases() -> None:
    """Typed here: a new release must recognise what an older one sent."""
    assert fingerprint("a", "b") == hashlib.sha256(b"\0" * 7 + b"\1a" + b"\0" * 7 + b"\1b").hexdigest()
    assert letters((19 + 2).to_bytes(4, "big"), 3) == "dcb"
    assert text_digest("本文") == hashlib.blake2b("本文".encode(), digest_size=12).hexdigest()


@given(st.lists(words, max_size=4), st.lists(words, max_size=4))
def test_borders_of_a_fingerprint_count(one: list[str], other: list[str]) -> None:
    assert (fingerprint(*one) == fingerprint(*other)) is (one == other)


@given(st.text(alphabet="ab", max_size=5), st.integers(0, 5))
def test_a_moved_border_changes_the_fingerprint(text: str, at: int) -> None:
    if at < len(text):
        assert fingerprint(text[:at], text[at:]) != fingerprint(text[: at + 1], text[at + 1 :])
    assert fingerprint(text) != fingerprint(text, "")


@given(words, words, words)
def test_each_part_decides_the_batch(campaign: str, content: str, deciding: str) -> None:
    batch = batch_id(campaign, content, deciding)
    assert batch == batch_id(campaign, content, deciding)
    others = {
        batch_id(campaign + "x", content, deciding),
        batch_id(campaign, content + "x", deciding),
        batch_id(campaign, content, deciding + "x"),
    }
    assert batch not in others
    assert len(others) == 3


def test_letters_have_no_vowel_and_no_exponent() -> None:
    assert not set(ALPHABET) & set("aeiou")
    assert len(set(ALPHABET)) == len(ALPHABET)
