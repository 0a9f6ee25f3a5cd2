"""Billable parts of a text, by the steps of a carrier."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Steps:
    """Characters that fit a single part, and each part of a longer text, with and without double-byte characters."""

    wide_single: int
    wide_part: int
    narrow_single: int
    narrow_part: int


def parts(characters: int, *, double_byte: bool, steps: Steps) -> int:
    """Return the number of parts of a text of ``characters`` (T: 70 then 67, for ASCII 160 then 153)."""
    single, part = (steps.wide_single, steps.wide_part) if double_byte else (steps.narrow_single, steps.narrow_part)
    return 1 if characters <= single else -(-characters // part)
