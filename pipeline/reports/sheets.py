"""The long sheets of a workbook: differences and messages, split where a sheet is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.core.msisdn import mask
from pipeline.messages import Language, label
from pipeline.model import Break, BreakKind, Dimension, MessageClass, MessageKind, MessageLine, MonthSubject
from pipeline.reports.cells import text_width
from pipeline.reports.streaming import Column, Makers, stream
from pipeline.reports.wording import break_details, class_name, kind_name, message_kind, status_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipeline.messages import Text
    from pipeline.model import GroupLine, Reconciliation
    from pipeline.reports.cells import Cells

#: a cost centre has at most 64 characters, of two half-width ones each
_WIDEST = 131


def write_breaks(cells: Cells, breaks: Iterable[Break]) -> None:
    """Write the differences, one a row."""
    make = Makers(cells)
    kinds = {kind: make.text(kind_name(kind, cells.language)) for kind in BreakKind}
    columns: tuple[Column[Break], ...] = (
        Column("report.column.kind", 22, lambda found: kinds[found.kind]),
        Column("report.column.smsid", 26, lambda found: make.text(cells.outside(found.smsid))),
        Column(
            "report.column.row",
            11,
            lambda found: "" if found.row_number is None else make.count(found.row_number),
            right=True,
        ),
        Column(
            "report.column.details",
            72,
            lambda found: make.text(break_details(found, cells.language, unmask=cells.unmask)),
        ),
        Column(
            "report.column.at_risk",
            24,
            lambda found: "" if found.at_risk is None else make.yen(found.at_risk),
            right=True,
        ),
    )
    stream(cells, label("report.sheet.breaks", cells.language), columns, breaks)


def write_messages(cells: Cells, value: Reconciliation, lines: Iterable[MessageLine]) -> None:
    """Write the messages, one a row, as they come. Those of a month say which batch and campaign they belong to."""
    widths = {dimension: _width(groups) for dimension, groups in value.groups.items()}
    columns = _of_batches(Makers(cells), widths) if isinstance(value.subject, MonthSubject) else ()
    stream(
        cells,
        label("report.sheet.messages", cells.language),
        (*columns, *_of_messages(cells, Makers(cells), widths, value.meanings)),
        lines,
    )


def _width(groups: Iterable[GroupLine]) -> int:
    """Return how wide a column of names must be for the longest of them."""
    return min(max((text_width(group.name) for group in groups), default=0) + 3, _WIDEST)


def _of_batches(make: Makers, widths: Mapping[Dimension, int]) -> tuple[Column[MessageLine], ...]:
    campaign = max(24, widths.get(Dimension.CAMPAIGN, 0))
    return (
        Column("report.column.batch", 14, lambda line: make.word(line.batch_id)),
        Column("report.column.campaign", campaign, lambda line: make.word(line.campaign)),
    )


def _of_messages(
    cells: Cells, make: Makers, widths: Mapping[Dimension, int], meanings: Mapping[str, Text]
) -> tuple[Column[MessageLine], ...]:
    language = cells.language
    classes = {name: make.text(class_name(name, language)) for name in MessageClass}
    kinds = {kind: make.text(message_kind(kind, language)) for kind in MessageKind}
    yes, no = make.text(label("report.yes", language)), make.text(label("report.no", language))
    no_price = make.right(label("report.no_price", language))
    centre = max(15, widths.get(Dimension.COST_CENTRE, 0))
    said = (text.ja if language is Language.JA else text.en for text in meanings.values())
    status = min(max([22, *(text_width(text) + 8 for text in said)]), _WIDEST)
    number: Callable[[str], str] = str if cells.unmask else mask

    def price(line: MessageLine) -> str:
        if line.amount is not None:
            return make.yen(line.amount)
        return no_price if line.billable else ""

    return (
        Column("report.column.row", 10, lambda line: make.count(line.row_number), right=True),
        Column("report.column.smsid", 24, lambda line: make.text(cells.outside(line.smsid))),
        Column("report.column.msisdn", 15, lambda line: make.text(number(line.msisdn))),
        Column("report.column.class", 20, lambda line: classes[line.message_class]),
        Column("report.column.status", status, lambda line: make.word(status_words(line, meanings, language))),
        Column("report.column.carrier", 12, lambda line: make.word(line.carrier)),
        Column("report.column.message_kind", 12, lambda line: kinds[line.kind]),
        Column("report.column.cost_centre", centre, lambda line: make.word(line.cost_centre)),
        Column("report.column.sent_at", 21, lambda line: make.time(line.sent_at)),
        Column("report.column.time", 21, lambda line: make.time(line.observed_at)),
        Column("report.column.day", 12, lambda line: "" if line.day is None else make.day(line.day)),
        Column("report.column.parts", 8, lambda line: make.count(line.parts), right=True),
        Column("report.column.billable", 10, lambda line: yes if line.billable else no),
        Column("report.column.amount", 22, price, right=True),
        Column("report.column.by_number", 11, lambda line: yes if line.by_number else no),
    )
