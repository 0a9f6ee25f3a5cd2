"""Tags in texts: ``{column}`` is filled in by us, ``{URL}`` … and ``{info1}`` … by the gateway.

Expansion is one pass: a value that contains braces is never expanded again. A gateway tag inside a value would be
expanded by the gateway, so such a row is rejected (``tag.in_value``).

A *final* text is one that was expanded before: it has the gateway's tags and no others, whatever its braces hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.core.text import repair_text

#: gateway tag → field of the gateway CSV that holds its value
LINK_TAGS = {"URL": "originalurl", "URL2": "originalurl2", "URL3": "originalurl3", "URL4": "originalurl4"}
INFO_TAGS = {f"info{number}": f"info{number}" for number in range(1, 5)}
GATEWAY_TAGS = frozenset(LINK_TAGS) | frozenset(INFO_TAGS)
GATEWAY_TAG = r"\{(?:URL[2-4]?|info[1-4])\}"
#: stands for each character of a short link that the gateway will make
LINK_CHARACTER = "x"

_TOKEN = re.compile(r"\{[^{}]*\}")
_FINAL_TOKEN = re.compile(GATEWAY_TAG)


@dataclass(frozen=True, slots=True)
class Template:
    """A text cut at its tags: literals and tags alternate, beginning and ending with a literal."""

    literals: tuple[str, ...]
    tags: tuple[str, ...]

    def fill(self, values: Mapping[str, str]) -> str:
        """Put ``values`` in the place of the tags; a tag without a value stays."""
        filled = [self.literals[0]]
        for tag, literal in zip(self.tags, self.literals[1:], strict=True):
            filled += [values.get(tag, f"{{{tag}}}"), literal]
        return "".join(filled)


@dataclass(frozen=True, slots=True)
class Unclosed:
    """A text with a brace that has no partner; ``position`` counts characters from 1."""

    position: int


@lru_cache(maxsize=4096)
def parse_template(text: str) -> Template | Unclosed:
    """Cut a text at its tags, or say where a brace has no partner."""
    template = _cut(text, _TOKEN)
    start = 0
    for literal, tag in zip(template.literals, [*template.tags, ""], strict=True):
        if stray := re.search(r"[{}]", literal):
            return Unclosed(start + stray.start() + 1)
        start += len(literal) + len(tag) + 2
    return template


@lru_cache(maxsize=4096)
def parse_final(text: str) -> Template:
    """Cut a final text at the gateway's tags; every other brace came with somebody's value, and is a character."""
    return _cut(text, _FINAL_TOKEN)


def _cut(text: str, token: re.Pattern[str]) -> Template:
    literals: list[str] = []
    tags: list[str] = []
    end = 0
    for found in token.finditer(text):
        literals.append(text[end : found.start()])
        tags.append(found[0][1:-1])
        end = found.end()
    return Template((*literals, text[end:]), tuple(tags))


def repaired_literals(whole: str, replacements: Mapping[int, str]) -> str:
    """Repair a text, but not the names in its tags: these have to be a column's, letter for letter."""
    template = parse_template(whole)
    if isinstance(template, Unclosed):
        return whole
    literals = (repair_text(literal, replacements)[0] for literal in template.literals)
    return Template(tuple(literals), template.tags).fill({})


def without_tags(text: str) -> str:
    """Return a text with nothing but x where its tags stand, so that positions stay."""
    return _TOKEN.sub(lambda token: "x" * len(token[0]), text)


def known_tags(text: str) -> list[str]:
    """Return the tags of a template's text, each once; none where nobody here knows it."""
    return sorted({*parse_final(text).tags})


def final_texts(columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return each text with the values that the gateway will fill in: what tells two messages to one number apart.

    ``columns`` holds ``text`` and those of the gateway's fields that there are, all of one length. A message by
    template is told by the id and the values of the tags that are known to be in it: it stays the same message when
    somebody corrects its words. Where its tags are corrected, ``core/digests.py`` says what cannot be told apart.
    """
    fields = {tag: columns[name] for tag, name in (LINK_TAGS | INFO_TAGS).items() if name in columns}
    by_template = "template_id" in columns
    if not fields and not by_template:
        return list(columns["text"])
    filled = []
    ids = columns["template_id"] if by_template else [""] * len(columns["text"])
    for text, template_id, *values in zip(columns["text"], ids, *fields.values(), strict=True):
        given = dict(zip(fields, values, strict=True))
        if template_id:
            used = (f"{tag}={given.get(tag, '')}" for tag in known_tags(text))
            filled.append("\0".join(["", template_id, *used, ""]))
        else:
            filled.append(parse_final(text).fill(given) if "{" in text else text)
    return filled


def shown_text(row: Mapping[str, str], short_link: int) -> str:
    """Return what the recipient of an accepted row will see, with stand-ins for links of ``short_link`` characters."""
    values = {tag: row.get(name, "") for tag, name in INFO_TAGS.items()}
    return repair_text(parse_final(row["text"]).fill(values | dict.fromkeys(LINK_TAGS, LINK_CHARACTER * short_link)))[0]
