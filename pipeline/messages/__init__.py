"""What the product says, in Japanese and English, keyed by code.

``FAILURES`` holds the texts of failures, ``ROWS`` those of findings and repairs about rows, ``LABELS`` the
words of reports and of the command line. Texts are data: placeholders are filled by ``fill``, and a test
checks that both languages of every text use the same placeholders.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pipeline.messages.failures import FAILURES
from pipeline.messages.labels import LABELS
from pipeline.messages.rows import REPAIRS, ROWS, WARNINGS
from pipeline.messages.text import Failure, Text

__all__ = ["FAILURES", "LABELS", "REPAIRS", "ROWS", "WARNINGS", "Failure", "Language", "Text", "fill", "label"]


class Language(StrEnum):
    """A language the product speaks."""

    JA = "ja"
    EN = "en"


def fill(text: Text, language: Language, facts: Mapping[str, object]) -> str:
    """Return ``text`` in ``language`` with its placeholders filled from ``facts``."""
    return (text.ja if language is Language.JA else text.en).format_map(facts)


def label(code: str, language: Language, /, **facts: object) -> str:
    """Return the word or line of a report or the command line that ``code`` names."""
    return fill(LABELS[code], language, facts)
