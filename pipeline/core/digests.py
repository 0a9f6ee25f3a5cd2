"""Digests of texts: by them the same text to the same number is recognised, and no text is stored."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from pipeline.core import ids
from pipeline.core.tags import final_texts, known_tags
from pipeline.core.text import repair_text

#: a message: its MSISDN, and the digest of its text
Text = tuple[str, str]


def text_digests(columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a digest for each text; behind that of a message by template stand its id and the tags known to be in it.

    What is known of a template may be corrected: under other tags, nobody can tell by digests whether two messages
    differ.
    """
    digests = map(ids.text_digest, final_texts(columns))
    if "template_id" not in columns:
        return list(digests)
    return [
        f"{digest}:{template}:{','.join(known_tags(text))}" if template else digest
        for digest, template, text in zip(digests, columns["template_id"], columns["text"], strict=True)
    ]


def text_source(kind: str, *what: str) -> str:
    """Return a short form of where the texts of a list come from; its ``kind`` can be read from it, a text cannot."""
    return f"{kind}:{ids.fingerprint(*what)}"


def said(text: str, replacements: Mapping[int, str]) -> str:
    """Return a text without what makes no other text of it for the person who reads it.

    That is width, white space, and which of several like characters it was written with: ``replacements`` are all that
    somebody may have chosen to have made.
    """
    return "".join(unicodedata.normalize("NFKC", repair_text(text, replacements)[0]).split())


def template_of(digest: str) -> str:
    """Return the id of the template that a message of this digest goes by, or nothing."""
    return digest.partition(":")[2].partition(":")[0]


class Texts:
    """Texts for numbers, of which those are asked for that a message may have been."""

    def __init__(self, texts: Iterable[Text]) -> None:
        """Take the texts."""
        self._texts = frozenset(texts)
        self._by_template: dict[Text, set[str]] = {}
        for msisdn, digest in self._texts:
            if template := template_of(digest):
                self._by_template.setdefault((msisdn, template), set()).add(digest)

    def numbers(self) -> list[str]:
        """Return the numbers that there are texts for."""
        return list({msisdn for msisdn, _ in self._texts})

    def same(self, msisdn: str, digest: str) -> set[Text]:
        """Return those that are this message, or may be, for all that is known."""
        return ({(msisdn, digest)} & self._texts) | self.unclear(msisdn, digest)

    def unclear(self, msisdn: str, digest: str) -> set[Text]:
        """Return those by this message's template, in which other tags were known: nobody knows if they differ."""
        tags = digest.rpartition(":")[2]
        beside = self._by_template.get((msisdn, template_of(digest)), ())
        return {(msisdn, other) for other in beside if other.rpartition(":")[2] != tags}
