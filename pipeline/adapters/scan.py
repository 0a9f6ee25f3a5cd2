"""The pre-scan of a text file: one pass over its bytes that decides how they become cells, or says why they cannot.

The pass is needed anyway for the sha256. Everything else rides on it: encoding, delimiter, quotes, NUL bytes, the
length of records, and the offsets at which the file may be cut into blocks of whole records. Bytes are enough for
all of it: quotes, delimiters and line ends lie below 0x40, where CP932 has no second bytes.

Encoding, by evidence: a byte order mark says UTF-8 or UTF-16; bytes that are valid UTF-8 are UTF-8; anything else is
read as CP932, as Windows writes it. Whether it *is* CP932 is found out while reading, so that it is decoded once. Only
a file whose beginning is UTF-8 with characters beyond ASCII is decoded here: it is most likely a mixture.

Quotes, exactly as the ``csv`` module reads them: a quote opens a cell only behind a delimiter or a line end, elsewhere
in an unquoted cell it is a character (``5" disk``). A quoted cell ends at a quote before a delimiter, a line end or the
end of the file; two quotes are one. Any other quote means that one was not closed before, and rows would be lost.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.adapters.dialect import SPACE, find_dialect
from pipeline.adapters.streams import Place, identity, not_cp932, open_stream, read_fully, undecodable
from pipeline.errors import InputUnusable

#: bytes of input a block, and the longest record
BLOCK = 8 << 20
LIMIT = 1 << 20
_LF, _CR, _QUOTE = 10, 13, 34
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
#: how much of a file without a byte order mark is looked at to tell UTF-16 from other bytes with NUL
_SAMPLE = 1000
#: from here on bytes begin three bytes of UTF-8, as Japanese has them; CP932 text seldom begins so (second level kanji)
_THREE_BYTES = 0xE0

Bytes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Scan:
    """What the pass found. Offsets count bytes of the stream that ``open_stream`` gives."""

    sha256: str
    encoding: str
    delimiter: str
    first_record: tuple[str, ...]
    records: int
    #: where records begin (behind byte order mark and ``sep=`` line), and how many records stand before
    body: tuple[int, int]
    #: the same for what follows the first record
    rest: tuple[int, int]
    #: where records end, about every block, and how many stand before; the last one is the end of the stream
    cuts: tuple[tuple[int, int], ...]
    #: the first bytes that are not UTF-8; nothing where everything is
    not_utf8: Place | None
    #: what tells whether the file was replaced or rewritten since
    identity: tuple[int, int, int]


def line_ends(data: Bytes, size: int) -> Positions:
    """Return where lines end: the LF, or a CR without one. ``data[size]`` must be a byte behind the last one."""
    ends = np.flatnonzero(data[:size] == _LF)
    carriage = data[:size] == _CR
    count = np.count_nonzero(carriage)
    # CR LF throughout is the rule: then there are as many CR as LF behind one, and none needs to be located.
    if count and count != np.count_nonzero(data[np.maximum(ends, 1) - 1] == _CR):
        returns = np.flatnonzero(carriage)
        ends = np.sort(np.concatenate((ends, returns[data[returns + 1] != _LF])))
    return ends


def _opener(quotes: Positions, at: int) -> int:
    """Return which quote opened the cell: the one at ``at`` may be the second of two that stand for one."""
    while at and quotes[at - 1] == quotes[at] - 1:
        at -= 2
    return at


@dataclass(slots=True)
class _Pass:
    """The state between blocks. The buffer holds data from 1 on: a byte before and one behind spare border cases."""

    name: str
    delimiter: str
    utf8: bool
    #: whether NUL bytes stand as in UTF-16
    wide: bool
    buffer: bytearray
    #: offset in the stream of the first byte of the buffer, line ends and record ends before it
    offset: int
    lines: int
    records: int
    first: tuple[int, bytes] | None = None
    rest: tuple[int, int] = (0, 0)
    cuts: list[tuple[int, int]] = field(default_factory=list)
    not_utf8: Place | None = None
    #: the highest byte seen while everything was UTF-8
    highest: int = 0

    def see(self, kept: int, size: int, *, final: bool) -> int:
        """Examine data of which ``kept`` bytes were examined before; return how much of it is whole records."""
        # Behind the end nothing follows. Behind a block a LF may: then a CR at its end is not yet a line end.
        self.buffer[0], self.buffer[size + 1] = _LF, _CR if final else _LF
        data = np.frombuffer(self.buffer, np.uint8)[1 : size + 2]
        lines = line_ends(data, size)
        nul = self.buffer.find(b"\0", 1 + kept, 1 + size)
        if nul >= 0:
            place = {"line": self._line(nul - 1, lines), "offset": self.offset + nul - 1}
            raise InputUnusable("input.utf16_without_bom" if self.wide else "input.nul", file=self.name, **place)
        quotes = self._quotes(size, lines)
        ends = lines
        if quotes.size:
            ends = lines[np.searchsorted(quotes, lines) & 1 == 0]
        opened = int(quotes[_opener(quotes, quotes.size - 1)]) if quotes.size & 1 else None
        cut = size if final else int(ends[-1]) + 1 if ends.size else 0
        self._check_length(ends, lines, quotes, size)
        if opened is not None and final:
            raise self._quote(opened, lines, ends)
        if self.utf8:
            self._check_utf8(data[:cut], lines)
        if self.first is None:
            self._find_first(ends, cut)
        if cut:
            self.lines += int(np.searchsorted(lines, cut))
            self.records += ends.size + (final and bool(size) and not (ends.size and ends[-1] == size - 1))
            self.offset += cut
            self.cuts.append((self.offset, self.records))
        return cut

    def _line(self, at: int, lines: Positions) -> int:
        return self.lines + int(np.searchsorted(lines, at)) + 1

    def _quote(self, at: int, lines: Positions, ends: Positions) -> InputUnusable:
        row = self.records + int(np.searchsorted(ends, at)) + 1
        return InputUnusable("input.quote", file=self.name, line=self._line(at, lines), row=row)

    def _quotes(self, size: int, lines: Positions) -> Positions:
        """Return the quotes that open and close cells, in turn; two that stand for one close and open.

        All quotes in turn are that, if each one that opens stands behind and each one that closes stands before a
        delimiter, a line end or a quote: checked for the whole block at once. Where it is not so, they are walked.
        """
        data = np.frombuffer(self.buffer, np.uint8)
        quotes = np.flatnonzero(data[1 : size + 1] == _QUOTE)
        if not quotes.size:
            return quotes
        edges = np.zeros(256, bool)
        edges[[_LF, _CR, _QUOTE, ord(self.delimiter)]] = True
        wrong_open = np.flatnonzero(~edges[data[quotes[0::2]]])
        wrong_close = np.flatnonzero(~edges[data[quotes[1::2] + 2]])
        if not wrong_open.size and not wrong_close.size:
            return quotes
        good = 2 * int(min(wrong[0] if wrong.size else quotes.size for wrong in (wrong_open, wrong_close)))
        # Not within a pair: its second quote would look like one in an unquoted cell.
        good = _opener(quotes, good)
        walked = self._walk(quotes[good:].tolist(), lines, quotes[:good])
        return np.concatenate((quotes[:good], np.array(walked, np.intp)))

    def _walk(self, quotes: list[int], lines: Positions, before: Positions) -> list[int]:
        edges = {_LF, _CR, ord(self.delimiter)}
        structural: list[int] = []
        waiting = iter(quotes)
        opened = False
        for at in waiting:
            if not opened:
                # Neighbours in the buffer, where data begins at 1. Behind a quote there is none that opens:
                # a pair within a quoted cell is taken as a whole below.
                opened = self.buffer[at] in edges
                if opened:
                    structural.append(at)
            elif self.buffer[at + 2] == _QUOTE:
                next(waiting)
            elif self.buffer[at + 2] in edges:
                opened = False
                structural.append(at)
            else:
                known = np.concatenate((before, np.array(structural[:-1], np.intp)))
                raise self._quote(structural[-1], lines, lines[np.searchsorted(known, lines) & 1 == 0])
        return structural

    def _check_length(self, ends: Positions, lines: Positions, quotes: Positions, size: int) -> None:
        borders = np.concatenate(([-1], ends, [size - 1]))
        lengths = np.diff(borders)
        if lengths.max() <= LIMIT:
            return
        start = int(borders[int(np.argmax(lengths > LIMIT))]) + 1
        # Within a quoted cell, or between the two quotes of a pair in one.
        at = int(np.searchsorted(quotes, start + LIMIT))
        at -= at & 1
        if at < quotes.size and (quotes[at] < start + LIMIT or (at and quotes[at - 1] == quotes[at] - 1)):
            raise self._quote(int(quotes[_opener(quotes, at)]), lines, ends)
        raise InputUnusable("input.long_record", file=self.name, line=self._line(start, lines), limit=LIMIT)

    def _check_utf8(self, data: Bytes, lines: Positions) -> None:
        offsets = pa.py_buffer(np.array([0, data.size], np.int64))
        whole = pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, pa.py_buffer(data)])
        try:
            whole.cast(pa.large_string())
        except pa.ArrowInvalid:
            try:
                data.tobytes().decode()
            except UnicodeDecodeError as error:
                at = error.start
                found = data[at : max(error.end, at + 2)].tobytes()
                self.not_utf8 = Place(self._line(at, lines), self.offset + at, found)
                self.utf8 = False
                data = data[:at]
        if self.highest < _THREE_BYTES and data.size:
            self.highest = max(self.highest, int(data.max()))

    def _find_first(self, ends: Positions, cut: int) -> None:
        """Find the first record that has something in it."""
        blank = SPACE.match(self.buffer, 1, 1 + cut)
        content = blank.end() - 1 if blank else 0
        if content == cut:
            return
        number = int(np.searchsorted(ends, content))
        start = int(ends[number - 1]) + 1 if number else 0
        end = int(ends[number]) + 1 if number < ends.size else cut
        self.first = (self.offset + start, bytes(self.buffer[1 + start : 1 + end]))
        self.rest = (self.offset + end, self.records + number + 1)


def _first_record(state: _Pass, encoding: str) -> tuple[str, ...]:
    if state.first is None:
        raise InputUnusable("input.empty", file=state.name)
    offset, data = state.first
    try:
        text = data.decode(encoding if encoding == "cp932" else "utf-8")
    except UnicodeDecodeError as error:
        place = Place(state.rest[1], offset + error.start, data[error.start : error.start + 2])
        raise not_cp932(state.name, place, state.not_utf8) from None
    try:
        return tuple(next(csv.reader(io.StringIO(text, newline=""), delimiter=state.delimiter)))
    except csv.Error:
        # A cell longer than the module allows. As a column's name it is absurd, whatever the limit.
        raise InputUnusable("input.long_record", file=state.name, line=state.rest[1], limit=LIMIT) from None


def _is_wide(head: bytes) -> bool:
    """Tell whether every second byte of some text is NUL. Japanese among it has none, digits and delimiters have."""
    sample = np.frombuffer(head[:_SAMPLE], np.uint8)
    where = np.flatnonzero(sample == 0)
    return where.size * 20 > sample.size and np.unique(where & 1).size == 1


def scan(path: Path, *, block: int = BLOCK) -> Scan:
    """Read a file once and return how to cut it into cells.

    Raises ``InputUnusable``: ``input.empty``, ``input.nul``, ``input.utf16_without_bom``, ``input.encoding``,
    ``input.quote``, ``input.long_record``, ``input.changed``.
    """
    known = identity(path)
    with path.open("rb", buffering=0) as file:
        mark = file.read(3)
        utf16 = _UTF16.get(mark[:2])
        digest = hashlib.sha256()
        if utf16:
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256")
    start = 3 if mark == codecs.BOM_UTF8 else 0
    # UTF-16 grows by half at most; a small file needs no large buffers.
    most = 2 * known[1]
    block, limit = min(block, most + 1), min(LIMIT, most)
    with open_stream(path, utf16 or "utf-8") as stream:
        view = memoryview(bytearray(limit))
        head = bytes(view[start : read_fully(stream, view)])
    delimiter, skipped = find_dialect(head)
    state = _Pass(
        name=path.name,
        delimiter=delimiter,
        utf8=utf16 is None,
        wide=_is_wide(head),
        buffer=bytearray(2 + limit + block),
        offset=start + skipped,
        lines=int(skipped > 0),
        records=int(skipped > 0),
        # The mark alone says UTF-8.
        highest=_THREE_BYTES if start else 0,
    )
    body = (state.offset, state.records)
    with open_stream(path, utf16 or "utf-8") as stream, ThreadPoolExecutor(1) as hasher:
        view = memoryview(state.buffer)
        lead = read_fully(stream, view[: body[0]])
        if not utf16:
            digest.update(view[:lead])
        kept = 0
        final = False
        while not final:
            new = read_fully(stream, view[1 + kept : 1 + kept + block])
            final = not new
            # The digest takes as long as all the rest; it does not need the interpreter.
            hashing = hasher.submit(digest.update, b"" if utf16 else view[1 + kept : 1 + kept + new])
            size = kept + new
            cut = state.see(kept, size, final=final)
            hashing.result()
            kept = size - cut
            view[1 : 1 + kept] = bytes(view[1 + cut : 1 + size])
    if identity(path) != known:
        raise InputUnusable("input.changed", file=path.name)
    if state.not_utf8 and state.highest >= _THREE_BYTES:
        # Japanese as UTF-8 writes it stands before: read as CP932 it would be gibberish, and most of it sendable.
        raise undecodable(path.name, state.not_utf8, "UTF-8")
    encoding = utf16 or ("utf-8" if state.not_utf8 is None else "cp932")
    return Scan(
        sha256=digest.hexdigest(),
        encoding=encoding,
        delimiter=delimiter,
        first_record=_first_record(state, encoding),
        records=state.records,
        body=body,
        rest=state.rest,
        cuts=tuple(state.cuts),
        not_utf8=state.not_utf8,
        identity=known,
    )
