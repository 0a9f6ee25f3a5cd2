"""An invoice as a table: which column is what, what its words mean, and the contract of its cells.

The mapping is data (TOML): ``parse_mapping``. ``invoice_columns`` reads the header, ``parse_invoice`` the table of all
lines. Nothing is guessed: a word the mapping does not know, or a cell that is no number, makes the whole invoice
unusable (``InputUnusable``, naming file, row, column and cell), as what is left out would look like a difference.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

import pandas as pd
import pandera.pandas as pa
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from pipeline.core.headers import canonical_header, shown_names
from pipeline.core.invoice import Counts, Invoice, InvoiceItem, InvoiceTax, OtherMonth
from pipeline.errors import InputUnusable, UsageError
from pipeline.model import MessageKind
from schemas.invoice_cells import month_of, number_of, rate_of, shown_cell, without_rate
from schemas.profile import describe_problems
from schemas.recipients import INPUT_ROW

#: the carrier of a line that stands for all of them
_ALL = "*"
_TAX, _SUBTOTAL, _TOTAL, _FEE = "tax", "subtotal", "total", "fee"
#: integer digits of cells, so that counts × prices and all sums are exact in 28 digits
_DIGITS = {"messages": 10, "units": 10, "unit_price": 7, "amount": 12}

Role = Literal["month", "kind", "carrier", "messages", "units", "unit_price", "amount"]
#: meanings and the words for them
_Meanings = Iterable[tuple[str, Sequence[str]]]
#: of each of these an invoice must have one column
_NEEDED: tuple[tuple[Role, ...], ...] = (("amount",), ("messages", "units"))


class InvoiceMapping(BaseModel):
    """Names of columns and words of an invoice; see ``schemas/invoices/standard.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    counts: Counts = Counts.MESSAGES
    columns: dict[Role, tuple[str, ...]]
    kinds: dict[Literal["normal", "overseas", "check", "check_then_send", "tax", "subtotal", "total"], tuple[str, ...]]
    carriers: dict[str, tuple[str, ...]] = {}
    fees: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _unambiguous(self) -> InvoiceMapping:
        kinds = [*self.kinds.items(), *((f"fee {name}", words) for name, words in self.fees.items())]
        problems = [
            *_repeated("columns", self.columns.items()),
            *_repeated("kinds and fees", kinds),
            *_repeated("carriers", self.carriers.items()),
        ]
        if not self.columns.get("amount"):
            problems.append("columns: amount is missing")
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _repeated(table: str, words: _Meanings) -> list[str]:
    """Name words that would mean two things."""
    meanings: dict[str, str] = {}
    problems = []
    for meaning, names in words:
        for name in names:
            known = meanings.setdefault(canonical_header(name), meaning)
            if known != meaning:
                problems.append(f"{table}: {name!r} means {known} and {meaning}")
    return problems


def parse_mapping(text: str, file: str) -> InvoiceMapping:
    """Parse the text of a mapping; ``file`` is its name in error messages. Raises ``UsageError``."""
    try:
        return InvoiceMapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError("invoice.mapping_not_toml", file=file, problem=str(error)) from None
    except ValidationError as error:
        raise UsageError("invoice.mapping_invalid", file=file, problems=describe_problems(error)) from None


def invoice_columns(first_record: Sequence[str], mapping: InvoiceMapping, file: str) -> tuple[str, ...]:
    """Return what each column of an invoice is called from here on: its role, or a name that no role has.

    Raises ``InputUnusable``: ``invoice.no_column``, ``input.doubled_column``.
    """
    roles = _inverted(mapping.columns.items())
    found = [roles.get(canonical_header(name)) for name in first_record]
    doubled = sorted({role for role in found if role is not None and found.count(role) > 1})
    if doubled:
        raise InputUnusable("input.doubled_column", file=file, columns=", ".join(doubled))
    for needed in _NEEDED:
        if not set(needed) & set(found):
            names = ", ".join(name for role in needed for name in mapping.columns.get(role, ()))
            raise InputUnusable("invoice.no_column", file=file, names=names, columns=shown_names(first_record))
    return tuple(role or f"\0{place}" for place, role in enumerate(found))


def _inverted(words: _Meanings) -> dict[str, str]:
    return {canonical_header(name): meaning for meaning, names in words for name in names}


class _Words:
    """What the cells of one mapping mean."""

    def __init__(self, mapping: InvoiceMapping) -> None:
        self._kinds = _inverted(mapping.kinds.items())
        self._fees = _inverted(mapping.fees.items())
        self._carriers = _inverted(mapping.carriers.items()) | {
            canonical_header(name): name for name in mapping.carriers
        }

    def kind(self, cell: str) -> tuple[str, str] | None:
        """Return the kind and, for a fee, its name; None for a word that is not known."""
        for word in (canonical_header(cell), canonical_header(without_rate(cell))):
            if word in self._fees:
                return _FEE, self._fees[word]
            if word in self._kinds:
                return self._kinds[word], ""
        return None

    def carrier(self, cell: str) -> str | None:
        """Return the gateway's name of a carrier, empty for all of them; None for a word that is not known."""
        name = self._carriers.get(canonical_header(cell)) if cell.strip() else _ALL
        return "" if name == _ALL else name


def invoice_contract(columns: Sequence[str], mapping: InvoiceMapping) -> pa.DataFrameSchema:
    """Return the contract of the lines of an invoice with these ``columns``, as ``invoice_columns`` names them.

    The names of its checks are the ends of the failures' codes.
    """
    words = _Words(mapping)

    def cells(name: str, means: Callable[[str], object]) -> pa.Check:
        return pa.Check(lambda column: column.map(lambda cell: means(cell) is not None).astype(bool), name=name)

    def number(role: str) -> pa.Check:
        return cells("number", lambda cell: number_of(cell, _DIGITS[role]) if cell.strip() else "")

    def count(role: str) -> pa.Check:
        return cells("count", lambda cell: _whole(number_of(cell, _DIGITS[role])) if cell.strip() else "")

    filled = cells("empty", lambda cell: cell.strip() or None)
    checks: dict[str, pa.Check | list[pa.Check]] = {
        "month": cells("month", lambda cell: month_of(cell) if cell.strip() else ""),
        "kind": [filled, cells("word", lambda cell: words.kind(cell) if cell.strip() else "")],
        "carrier": cells("carrier", words.carrier),
        "messages": count("messages"),
        "units": count("units"),
        "unit_price": number("unit_price"),
        "amount": [filled, number("amount")],
    }
    return pa.DataFrameSchema(
        {INPUT_ROW: pa.Column(int), **{name: pa.Column("str", checks.get(name)) for name in columns}},
        strict=True,
    )


def _whole(number: Decimal | None) -> Decimal | None:
    return number if number is not None and number == number.to_integral_value() else None


def parse_invoice(  # noqa: PLR0913 - a table, how it is read, and what it is called
    table: pd.DataFrame, first_record: Sequence[str], mapping: InvoiceMapping, *, file: str, sha256: str, month: str
) -> Invoice:
    """Return the invoice of ``month`` (YYYY-MM) in a table of text: ``INPUT_ROW`` and ``invoice_columns``.

    Raises ``InputUnusable``: ``invoice.*`` for the first cell that cannot be read, for a total that is not the sum of
    the lines, and where no line is of the month.
    """
    columns = invoice_columns(first_record, mapping, file)
    _check_cells(table, columns, first_record, mapping, file)
    words = _Words(mapping)
    lines = [_Line(record, words, _counts(columns, mapping), month) for record in table.to_dict("records")]
    # A month is what divides the lines: one that has none of its own belongs to no month.
    for line in lines:
        if not line.month and line.kind not in {_TAX, _SUBTOTAL, _TOTAL}:
            column = first_record[columns.index("month")]
            raise InputUnusable("invoice.empty", file=file, row=line.row, column=column, count=1)
    fraction = _check_totals(lines, month, file)
    ours = [line for line in lines if line.month == month]
    items = [line.item() for line in ours if line.is_item]
    others = [line for line in lines if line.month and line.month != month]
    if not items:
        months = ", ".join(sorted({line.month for line in others}))
        raise InputUnusable("invoice.no_lines", file=file, month=month, months=months or "-")
    several = any(line.is_item for line in others)
    taxes = [line for line in lines if line.kind == _TAX and line.month in ({month} if several else {month, ""})]
    return Invoice(
        source_name=file,
        sha256=sha256,
        month=month,
        counts=_counts(columns, mapping),
        items=tuple(items),
        taxes=tuple(InvoiceTax(row=line.row, rate=line.rate, amount=line.amount) for line in taxes),
        fraction=fraction,
        others=tuple(OtherMonth(row=line.row, month=line.month, amount=line.amount) for line in others),
    )


def _counts(columns: Sequence[str], mapping: InvoiceMapping) -> Counts:
    """Return what is counted: the only column of counts there is, of two the one the mapping names."""
    given = [counts for counts in Counts if counts.value in columns]
    return given[0] if len(given) == 1 else mapping.counts


class _Line:
    """A line whose cells fulfil the contract."""

    def __init__(self, record: Mapping[Hashable, object], words: _Words, counts: Counts, month: str) -> None:
        cells = {str(name): str(cell) for name, cell in record.items()}
        kind = cells.get("kind", "")
        self.row = int(cells[INPUT_ROW])
        self.kind, self._fee = (words.kind(kind) if "kind" in cells else None) or (MessageKind.NORMAL.value, "")
        self.rate = rate_of(kind)
        self._carrier = words.carrier(cells.get("carrier", "")) or ""
        # Without a column of months every line is of the month that is asked for.
        self.month = (month_of(cells["month"]) or "") if "month" in cells else month
        self.amount = number_of(cells["amount"], _DIGITS["amount"]) or Decimal(0)
        count = number_of(cells[counts.value], _DIGITS[counts.value])
        self._count = None if count is None else int(count)
        self._unit_price = number_of(cells.get("unit_price", ""), _DIGITS["unit_price"])

    @property
    def is_item(self) -> bool:
        return self.kind not in {_TAX, _SUBTOTAL, _TOTAL}

    def item(self) -> InvoiceItem:
        fee = self.kind == _FEE
        return InvoiceItem(
            row=self.row,
            kind=None if fee else MessageKind(self.kind),
            name=self._fee if fee else self._carrier,
            count=self._count,
            unit_price=self._unit_price,
            amount=self.amount,
        )


def _check_totals(lines: Sequence[_Line], month: str, file: str) -> Decimal | None:
    """Compare every subtotal and total with the lines; return what the last one of the whole month cuts off or adds.

    A subtotal is the sum of all lines or of those since the one before it; a total may be taxed or not. None where
    there is no total: an exact subtotal does not say how the total is rounded.
    """
    fraction: Decimal | None = None
    section = Decimal(0)
    for line in lines:
        section += line.amount if line.is_item else 0
        if line.kind not in {_SUBTOTAL, _TOTAL}:
            continue
        scope = [other for other in lines if not line.month or other.month in {line.month, ""}]
        items = sum((other.amount for other in scope if other.is_item), Decimal(0))
        taxes = sum((other.amount for other in scope if other.kind == _TAX), Decimal(0))
        whole = [items] if line.kind == _SUBTOTAL else [items, items + taxes]
        sums = [*whole, section] if line.kind == _SUBTOTAL else whole
        nearest = min(sums, key=lambda sum_: abs(line.amount - sum_))
        if abs(line.amount - nearest) >= 1:
            raise InputUnusable(
                "invoice.total", file=file, row=line.row, stated=f"{line.amount:,f}", sum=f"{nearest:,f}"
            )
        is_ours = all(other.month == month for other in scope if other.is_item)
        if nearest in whole and is_ours and (line.kind == _TOTAL or line.amount != nearest):
            fraction = line.amount - nearest
        if line.kind == _SUBTOTAL:
            section = Decimal(0)
    return fraction


def _check_cells(
    table: pd.DataFrame, columns: Sequence[str], names: Sequence[str], mapping: InvoiceMapping, file: str
) -> None:
    try:
        invoice_contract(columns, mapping).validate(table, lazy=True)
    except pa.errors.SchemaErrors as broken:
        cases = broken.failure_cases.sort_values("index", kind="stable")
        first = cases.iloc[0]
        row = int(table.loc[first["index"], INPUT_ROW])
        column = names[columns.index(str(first["column"]))]
        cell = shown_cell(str(first["failure_case"]))
        check, count = str(first["check"]), len(cases)
    else:
        return
    if check == "empty":
        raise InputUnusable("invoice.empty", file=file, row=row, column=column, count=count)
    if check == "month":
        raise InputUnusable("invoice.month", file=file, row=row, column=column, cell=cell, count=count)
    if check == "word":
        raise InputUnusable("invoice.word", file=file, row=row, column=column, cell=cell, count=count)
    if check == "carrier":
        raise InputUnusable("invoice.carrier", file=file, row=row, column=column, cell=cell, count=count)
    if check == "count":
        raise InputUnusable("invoice.count", file=file, row=row, column=column, cell=cell, count=count)
    raise InputUnusable("invoice.number", file=file, row=row, column=column, cell=cell, count=count)
