"""Tables in text files: what the scan found, read by Arrow, block by block.

Cells are text, exactly as they stand: no type inference, no NA guessing, no trimming. Arrow is handed whole records
only, one block at a time, for three reasons: its own cutting drops a line feed when a block ends within a CR LF, also
within a quoted cell; a block that is the last one is not searched for a place to cut; and the records of a block
become one contiguous array a column. While one block is used the next one is read.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv

from pipeline.adapters.scan import BLOCK, Scan, scan
from pipeline.adapters.streams import Place, identity, line_at, not_cp932, open_stream, read_fully
from pipeline.errors import InputUnusable
from schemas.recipients import INPUT_ROW

#: pandas' text, as ``dtype="str"`` makes it
_TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
#: blocks under way while one is used: one is parsed without the interpreter while the other is decoded by it
_AHEAD = 2
#: blocks end with a record: the next one may be a little longer
_SPARE = 64 << 10
#: characters of three bytes UTF-8 in a row that CP932 text does not form: nine kanji, half of them of the second level
_FOREIGN = 6
#: how the first one and the others of these three bytes begin; the first one of kana and Japanese punctuation
_LEAD, _FOLLOWS, _KANA = 0xE0, 0x80, 0xE3


@dataclass(frozen=True, slots=True)
class TextTable:
    """A text file that was scanned but not yet read."""

    path: Path
    scan: Scan

    @property
    def name(self) -> str:
        """The name for messages."""
        return self.path.name

    @property
    def sha256(self) -> str:
        """The digest of the bytes."""
        return self.scan.sha256

    @property
    def form(self) -> tuple[str, ...]:
        """What decides how bytes become cells."""
        return "text", self.scan.encoding, self.scan.delimiter

    @property
    def sheet(self) -> str | None:
        """None: a text has no sheets."""
        return None

    @property
    def other_sheets(self) -> Mapping[str, int]:
        """None of them."""
        return {}

    @property
    def merged(self) -> Sequence[tuple[range, str]]:
        """None: a text has no cells over several rows."""
        return ()

    @property
    def unformatted(self) -> Mapping[int, tuple[int, int]]:
        """None: what stands there is what is shown."""
        return {}

    @property
    def first_record(self) -> tuple[str, ...]:
        """The first record that holds anything."""
        return self.scan.first_record

    @property
    def records(self) -> int:
        """The number of records, blank ones and the header included."""
        return self.scan.records

    def chunks(self, columns: Sequence[str], *, header: bool) -> Iterator[pd.DataFrame]:
        """Yield the records as tables of ``row_number`` and ``columns``; rows that hold nothing are left out.

        Raises ``InputUnusable``: ``input.ragged`` for a record of another width, ``input.encoding`` where the bytes
        turn out not to be CP932, ``input.changed`` when the file is no longer the one that was scanned.
        """
        # Memory of blocks that were parsed, for the next ones: touching new memory costs more than filling it.
        free: list[bytearray] = []

        def parsed(block: _Block) -> pd.DataFrame:
            frame = self._parse(block, columns)
            free.append(block.memory)
            return frame

        with ThreadPoolExecutor(_AHEAD) as pool:
            ahead: deque[Future[pd.DataFrame]] = deque()
            for block in self._blocks(free, header=header):
                ahead.append(pool.submit(parsed, block))
                if len(ahead) > _AHEAD:
                    yield from _rows(ahead.popleft())
            for rest in ahead:
                yield from _rows(rest)

    def _blocks(self, free: list[bytearray], *, header: bool) -> Iterator[_Block]:
        self._check_unchanged()
        begin, row = self.scan.rest if header else self.scan.body
        with open_stream(self.path, self.scan.encoding) as stream:
            at = 0
            for cut, records in self.scan.cuts:
                memory = free.pop() if free else bytearray()
                if len(memory) < cut - at:
                    memory = bytearray(cut - at + _SPARE)
                data = memoryview(memory)[: cut - at]
                if read_fully(stream, data) < len(data):
                    self._check_unchanged()
                if cut > begin:
                    skip = max(begin - at, 0)
                    yield _Block(at + skip, data[skip:], row, records, memory)
                    row = records
                at = cut
        self._check_unchanged()

    def _check_unchanged(self) -> None:
        if identity(self.path) != self.scan.identity:
            raise InputUnusable("input.changed", file=self.name)

    def _parse(self, block: _Block, columns: Sequence[str]) -> pd.DataFrame:
        data = block.data if self.scan.encoding != "cp932" else self._decoded(block)
        if data[:3] == codecs.BOM_UTF8:
            # Arrow takes one away at the beginning of what it reads; here it is a part of the cell.
            data = codecs.BOM_UTF8 + data
        blank: list[int] = []
        ragged: list[tuple[int, int]] = []

        def on_invalid(record: pacsv.InvalidRow) -> str:
            if _holds_nothing(record.text, self.scan.delimiter):
                blank.append(record.number - 1)
                return "skip"
            ragged.append((block.row + record.number, record.actual_columns))
            return "error"

        names = [str(number) for number in range(len(columns))]
        try:
            table = pacsv.read_csv(
                pa.BufferReader(pa.py_buffer(data)),
                pacsv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
                pacsv.ParseOptions(
                    delimiter=self.scan.delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                    invalid_row_handler=on_invalid,
                ),
                # The scan has checked the encoding.
                pacsv.ConvertOptions(
                    check_utf8=False,
                    column_types=dict.fromkeys(names, pa.large_string()),
                    strings_can_be_null=False,
                    null_values=[],
                ),
            )
        except pa.ArrowInvalid:
            if ragged:
                row, found = ragged[0]
                raise InputUnusable(
                    "input.ragged", file=self.name, row=row, found=found, expected=len(columns)
                ) from None
            raise InputUnusable("input.not_csv", file=self.name, row=block.row + 1) from None
        numbers = np.delete(np.arange(block.row + 1, block.row + 1 + table.num_rows + len(blank)), blank)
        if block.row + table.num_rows + len(blank) != block.records:
            # Scan and Arrow count records independently: where they differ, a row could be lost.
            raise InputUnusable("input.not_csv", file=self.name, row=block.row + 1)
        return text_frame(numbers, [column.chunk(0) for column in table.columns if column.num_chunks], columns)

    def _decoded(self, block: _Block) -> bytes:
        foreign = utf8_within(block.data)
        try:
            if foreign is None:
                return codecs.decode(block.data, "cp932").encode()
            found = bytes(block.data[foreign : foreign + 2])
        except UnicodeDecodeError as error:
            foreign = error.start
            found = bytes(block.data[foreign : foreign + 2])
        place = Place(line_at(self.path, block.offset + foreign), block.offset + foreign, found)
        raise not_cp932(self.name, place, self.scan.not_utf8)


@dataclass(frozen=True, slots=True)
class _Block:
    """Whole records: their offset in the file, their bytes, the records before them and up to their end.

    ``memory`` is what the bytes lie in.
    """

    offset: int
    data: memoryview
    row: int
    records: int
    memory: bytearray


def _rows(parsing: Future[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    frame = parsing.result()
    if len(frame):
        yield frame


def _holds_nothing(record: str, delimiter: str) -> bool:
    """Tell whether a record of the wrong width is only what a spreadsheet leaves behind."""
    if record.strip(' \t\r\n"' + delimiter):
        return False
    cells = next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])
    return not any(cell.strip() for cell in cells)


def text_frame(numbers: npt.NDArray[np.int64], arrays: list[pa.Array], columns: Sequence[str]) -> pd.DataFrame:
    """Return the table of the rows that hold something. Each text column is the array it was given."""
    empty: npt.NDArray[np.int64] | None = None
    for array in arrays:
        ends = np.frombuffer(array.buffers()[1], np.int64)[: len(array) + 1]
        empty = np.flatnonzero(ends[1:] == ends[:-1]) if empty is None else empty[ends[empty + 1] == ends[empty]]
    if empty is not None and empty.size:
        keep = np.ones(numbers.size, bool)
        keep[empty] = False
        numbers = numbers[keep]
        arrays = [array.filter(pa.array(keep)) for array in arrays]
    # Without a copy: ``pa.array(frame[column])`` is the array again.
    table = pa.table(arrays, names=list(columns[: len(arrays)]))
    frame: pd.DataFrame = table.to_pandas(types_mapper={pa.large_string(): _TEXT}.get)
    frame.insert(0, INPUT_ROW, numbers)
    return frame


def utf8_within(data: memoryview) -> int | None:
    """Return where UTF-8 stands within CP932: most of it decodes, into gibberish that could be sent."""
    view = np.frombuffer(data, np.uint8)
    at = np.flatnonzero(view == _KANA)
    at = at[at <= view.size - 3 * _FOREIGN]
    for first in range(0, 3 * _FOREIGN, 3):
        at = at[view[at + first] & 0xF0 == _LEAD]
        for second in (first + 1, first + 2):
            at = at[view[at + second] & 0xC0 == _FOLLOWS]
    return int(at[0]) if at.size else None


def open_text(path: Path, *, block: int = BLOCK) -> TextTable:
    """Scan a text file. Raises what ``scan`` raises."""
    return TextTable(path, scan(path, block=block))
