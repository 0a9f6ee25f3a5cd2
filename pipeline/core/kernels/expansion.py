"""Tags by the column: every text is cut at its braces and put together again with the values, in one pass.

The number of distinct templates plays no part: the bytes of the texts are taken as pieces (literal, tag, literal, …)
without a copy, the pieces that are tags are replaced, and one gather of pieces makes the new texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from pipeline.core.kernels import strings
from pipeline.core.kernels.strings import Mask, Offsets, Positions
from pipeline.core.tags import INFO_TAGS, LINK_CHARACTER, LINK_TAGS

_OPEN, _CLOSE = ord("{"), ord("}")


@dataclass(frozen=True, slots=True)
class Expansion:
    """Texts after expansion.

    ``sent`` has our own tags filled in and the gateway's left for the gateway; ``shown`` is what the recipient will
    see, with a stand-in of the short link's length for each link. ``odd`` texts have braces without a partner or tags
    without a column: they are left as they were. ``hollow`` texts have a tag in whose place nothing comes. ``links``
    says for each link tag which texts have it.
    """

    sent: pa.Array
    shown: pa.Array
    odd: Mask
    hollow: Mask
    links: Mapping[str, Mask]


@dataclass(frozen=True, slots=True)
class _Tags:
    """The tags of a column in order: where each opens and closes (bytes), and in which row."""

    opens: Positions
    closes: Positions
    rows: Positions


class Columns(Protocol):
    """Columns by name; one that no tag names is never asked for, and need not be made."""

    def __contains__(self, name: object, /) -> bool:
        """Say whether there is a column of that name."""

    def __getitem__(self, name: str, /) -> pa.Array:
        """Return a column, of as many values as there are texts."""


def expand(texts: pa.Array, values: Columns, info: Columns, short_link: int) -> Expansion:
    """Fill in tags. ``values`` holds the input's columns by name, ``info`` what stands for the tags info1-info4."""
    texts = strings.compact(texts)
    data, borders = strings.buffers(texts)
    odd, hollow = np.zeros(len(texts), dtype=bool), np.zeros(len(texts), dtype=bool)
    found = _paired(data, borders, odd)
    if not len(found.rows):
        return Expansion(texts, texts, odd, hollow, {})
    pieces, places = _cut(data, borders, found)
    names = strings.at(pieces, places).dictionary_encode()
    spelled = [name[1:-1] for name in names.dictionary.to_pylist()]
    kind = names.indices.to_numpy()
    known = np.array([tag in values or tag in LINK_TAGS or tag in INFO_TAGS for tag in spelled])
    odd[found.rows[~known[kind]]] = True
    # What replaces a tag stands behind the pieces, a column after the other.
    sources, base = [pieces], len(pieces)
    order = np.arange(base)
    for tag, name in enumerate(spelled):
        if name not in LINK_TAGS and name not in INFO_TAGS and known[tag]:
            chosen = kind == tag
            _point(order, places, found, chosen, base)
            sources.append(values[name])
            base += len(texts)
            _note_empty(hollow, sources[-1], found.rows[chosen])
    seen = order.copy()
    links = {}
    for tag, name in enumerate(spelled):
        chosen = kind == tag
        if name in LINK_TAGS:
            seen[places[chosen]] = base
            sources.append(strings.constant(LINK_CHARACTER * short_link, 1))
            base += 1
            links[name] = np.bincount(found.rows[chosen], minlength=len(texts)) > 0
        elif name in INFO_TAGS:
            _point(seen, places, found, chosen, base)
            sources.append(info[name] if name in info else strings.constant("", len(texts)))
            base += len(texts)
            _note_empty(hollow, sources[-1], found.rows[chosen])
    firsts = _firsts(found, len(texts))
    pool = pa.concat_arrays(sources)
    sent = _joined(pool, order, firsts)
    gateway = any(name in LINK_TAGS or name in INFO_TAGS for name in spelled)
    return Expansion(sent, _joined(pool, seen, firsts) if gateway else sent, odd, hollow, links)


def _paired(data: strings.Bytes, borders: Offsets, odd: Mask) -> _Tags:
    """Return the tags of all rows whose braces alternate, and mark the other rows as ``odd``."""
    data = data[: borders[-1]]
    opens, closes = np.flatnonzero(data == _OPEN), np.flatnonzero(data == _CLOSE)
    opened, closed = strings.rows_of(opens, borders), strings.rows_of(closes, borders)
    odd |= np.bincount(opened, minlength=len(odd)) != np.bincount(closed, minlength=len(odd))
    opens, closes = opens[~odd[opened]], closes[~odd[closed]]
    rows = strings.rows_of(opens, borders)
    crossed = opens > closes
    crossed[:-1] |= (closes[:-1] > opens[1:]) & (rows[:-1] == rows[1:])
    odd[rows[crossed]] = True
    kept = ~odd[rows]
    return _Tags(opens[kept], closes[kept], rows[kept])


def _cut(data: strings.Bytes, borders: Offsets, found: _Tags) -> tuple[pa.Array, Positions]:
    """Cut all texts at their tags: 2k + 1 pieces of a text with k tags, and where the tags are among the pieces."""
    places = 2 * np.arange(len(found.rows)) + 1 + found.rows
    cuts = np.empty(len(borders) + 2 * len(found.rows), np.int64)
    cuts[places], cuts[places + 1] = found.opens, found.closes + 1
    cuts[_firsts(found, len(borders) - 1)] = borders
    return strings.from_buffers(data, cuts), places


def _firsts(found: _Tags, count: int) -> Positions:
    """Return for each of ``count`` texts which piece is its first, and at last the number of pieces."""
    return np.concatenate(([0], np.cumsum(np.bincount(found.rows, minlength=count) * 2 + 1)))


def _point(order: Positions, places: Positions, found: _Tags, chosen: Mask, base: int) -> None:
    """Let the ``chosen`` tags be replaced by their row's value of the column that begins at ``base``."""
    order[places[chosen]] = base + found.rows[chosen]


def _note_empty(hollow: Mask, column: pa.Array, rows: Positions) -> None:
    """Note which of ``rows`` have no value in a column."""
    hollow[rows[strings.sizes(column)[rows] == 0]] = True


def _joined(pool: pa.Array, order: Positions, firsts: Positions) -> pa.Array:
    """Gather pieces; a text ends where its last piece does, so that joining costs nothing more."""
    data, borders = strings.buffers(strings.at(pool, order))
    return strings.from_buffers(data, borders[firsts])
