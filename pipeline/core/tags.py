"""Tags in texts: ``{column}`` is filled in by us, ``{URL}`` … and ``{info1}`` … by the gateway.

Expansion is one pass: a value that contains braces is never expanded again. A gateway tag inside a value would be
expanded by the gateway, so such a row is rejected (``tag.in_value``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

#: gateway tag → field of the gateway CSV that holds its value
LINK_TAGS = {"URL": "originalurl", "URL2": "originalurl2", "URL3": "originalurl3", "URL4": "originalurl4"}
INFO_TAGS = {f"info{number}": f"info{number}" for number in range(1, 5)}
GATEWAY_TAG = r"\{(?:URL[2-4]?|info[1-4])\}"

_TOKEN = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A text cut at its tags: literals and tags alternate, beginning and ending with a literal."""

    literals: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unclosed:
    """A text with a brace that has no partner; ``position`` counts characters from 1."""

    position: int


@lru_cache(maxsize=4096)
def parse_template(text: str) -> Template | Unclosed:
    """Cut a text at its tags, or say where a brace has no partner."""
    literals: list[str] = []
    tags: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        literals.append(text[end : token.start()])
        tags.append(token[1])
        end = token.end()
    literals.append(text[end:])
    start = 0
    for literal, tag in zip(literals, [*tags, ""], strict=True):
        if stray := re.search(r"[{}]", literal):
            return Unclosed(start + stray.start() + 1)
        start += len(literal) + len(tag) + 2
    return Template(tuple(literals), tuple(tags))


@dataclass(frozen=True, slots=True)
class Expansion:
    """Texts after expansion, by position in the chunk.

    ``sent`` has our own tags filled in and the gateway's left for the gateway; ``shown`` is what the recipient will
    see, with a stand-in of the short link's length for each link. Where ``unknown`` or ``unclosed`` names a position
    the text is left as it was.
    """

    sent: pa.Array
    shown: pa.Array
    unclosed: dict[int, int]
    unknown: dict[int, tuple[str, ...]]
    gateway_tags: dict[int, tuple[str, ...]]


def expand(
    texts: pa.Array, columns: Mapping[str, pa.Array], info: Mapping[str, pa.Array], *, short_link: int
) -> Expansion:
    """Fill in tags. ``columns`` maps the input's column names, ``info`` the tags info1-info4, to their values."""
    sent: list[str] = []
    shown: list[str] = []
    unclosed: dict[int, int] = {}
    unknown: dict[int, tuple[str, ...]] = {}
    gateway_tags: dict[int, tuple[str, ...]] = {}
    touched = pc.match_substring_regex(texts, "[{}]")
    positions = pc.indices_nonzero(touched)
    values = {name: column.take(positions) for name, column in columns.items()}
    details = {name: column.take(positions) for name, column in info.items()}
    for index, (position, text) in enumerate(
        zip(positions.to_pylist(), texts.take(positions).to_pylist(), strict=True)
    ):
        template = parse_template(text)
        if isinstance(template, Unclosed):
            unclosed[position] = template.position
            sent.append(text)
            shown.append(text)
            continue
        strangers = tuple(tag for tag in template.tags if not _is_known(tag, columns))
        if strangers:
            unknown[position] = strangers
            sent.append(text)
            shown.append(text)
            continue
        used = tuple(tag for tag in template.tags if tag in LINK_TAGS or tag in INFO_TAGS)
        if used:
            gateway_tags[position] = used
        pieces_sent = [template.literals[0]]
        pieces_shown = [template.literals[0]]
        for tag, literal in zip(template.tags, template.literals[1:], strict=True):
            if tag in LINK_TAGS:
                pieces_sent.append(f"{{{tag}}}")
                pieces_shown.append("x" * short_link)
            elif tag in INFO_TAGS:
                pieces_sent.append(f"{{{tag}}}")
                pieces_shown.append(details[tag][index].as_py() if tag in details else "")
            else:
                value = values[tag][index].as_py()
                pieces_sent.append(value)
                pieces_shown.append(value)
            pieces_sent.append(literal)
            pieces_shown.append(literal)
        sent.append("".join(pieces_sent))
        shown.append("".join(pieces_shown))
    return Expansion(
        pc.replace_with_mask(texts, touched, pa.array(sent, texts.type)),
        pc.replace_with_mask(texts, touched, pa.array(shown, texts.type)),
        unclosed,
        unknown,
        gateway_tags,
    )


def _is_known(tag: str, columns: Mapping[str, pa.Array]) -> bool:
    return tag in columns or tag in LINK_TAGS or tag in INFO_TAGS
