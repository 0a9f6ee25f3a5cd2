"""The contract of recipients: the input as read, and what an accepted row is.

``input_contract`` holds for every chunk a reader returns: text only, no nulls, records numbered and in order.
``accepted_contract`` is what every row must fulfil before it may be written to ``accepted.csv``. Its checks are our own
kernels over whole columns. Findings about rows come from the rules; a row that reaches this contract and breaks it is
a bug, so ``pandera``'s failure cases (which hold numbers and texts) are reduced to names of columns and checks.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import pandera.pandas as pa
import pyarrow  # noqa: ICN001 - pandera has the name pa

from pipeline.core import msisdn, text
from pipeline.errors import Bug

ROW_NUMBER = "row_number"
#: fields of the gateway CSV that a recipient may carry, in the order of accepted.csv
GATEWAY_FIELDS = (
    "info1",
    "info2",
    "info3",
    "info4",
    "memo",
    "title",
    "originalurl",
    "originalurl2",
    "originalurl3",
    "originalurl4",
)
#: columns of accepted.csv; ``characters`` and ``bytes`` are what the gateway counts after expansion
ACCEPTED_COLUMNS = (
    ROW_NUMBER,
    "smsid",
    "msisdn",
    "text",
    *GATEWAY_FIELDS,
    "characters",
    "bytes",
    "double_byte",
    "text_digest",
)


def arrow(series: pd.Series) -> pyarrow.Array:
    """Return a column of a table as one Arrow array."""
    column = pyarrow.array(series)
    return column.combine_chunks() if isinstance(column, pyarrow.ChunkedArray) else column


def _all(mask: pyarrow.Array) -> pd.Series:
    return pd.Series(mask.to_numpy(zero_copy_only=False), dtype=bool)


def input_contract(columns: Iterable[str]) -> pa.DataFrameSchema:
    """Return the contract of a chunk of the input with these ``columns``."""
    numbered = pa.Column(int, [pa.Check.ge(1), pa.Check(_rises, name="rises")], nullable=False)
    return pa.DataFrameSchema(
        {ROW_NUMBER: numbered, **{name: pa.Column("str", nullable=False) for name in columns}}, strict=True
    )


def accepted_contract(*, text_bytes: int, text_characters: int, smsid_characters: int) -> pa.DataFrameSchema:
    """Return the contract of accepted rows under the limits of the account."""
    plain = pa.Column("str", nullable=False)
    checks: dict[str, list[pa.Check | pa.Hypothesis]] = {
        "msisdn": [pa.Check(lambda column: _all(msisdn.is_canonical(arrow(column))), name="canonical")],
        "smsid": [pa.Check.str_matches(rf"^[A-Za-z0-9]{{1,{smsid_characters}}}$")],
        "text": [
            pa.Check(lambda column: ~_all(text.has_forbidden(arrow(column))), name="repertoire"),
            pa.Check(lambda column: ~_all(text.is_blank(arrow(column))), name="not_blank"),
        ],
    }
    fits = pa.Check(
        lambda table: (
            (table["bytes"] <= text_bytes) & ~(table["double_byte"] & (table["characters"] > text_characters))
        ),
        name="fits",
    )
    return pa.DataFrameSchema(
        {
            ROW_NUMBER: pa.Column(int, pa.Check(_rises, name="rises")),
            "msisdn": pa.Column("str", checks["msisdn"]),
            "smsid": pa.Column("str", checks["smsid"]),
            "text": pa.Column("str", checks["text"]),
            **dict.fromkeys(GATEWAY_FIELDS, plain),
            "characters": pa.Column(int, pa.Check.ge(1)),
            "bytes": pa.Column(int, pa.Check.ge(1)),
            "double_byte": pa.Column(bool),
            "text_digest": plain,
        },
        checks=fits,
        strict=True,
    )


def _rises(column: pd.Series) -> bool:
    return bool(column.is_monotonic_increasing and column.is_unique)


def enforce(contract: pa.DataFrameSchema, table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return ``table`` if it fulfils ``contract``, else raise ``Bug`` (``contract.broken``) naming no values."""
    try:
        return contract.validate(table, lazy=True)
    except pa.errors.SchemaErrors as broken:
        cases = broken.failure_cases[["column", "check"]].drop_duplicates().astype(str)
        checks = ", ".join(sorted({f"{column}: {check}" for column, check in cases.itertuples(index=False)}))
    raise Bug("contract.broken", contract=name, checks=checks)
