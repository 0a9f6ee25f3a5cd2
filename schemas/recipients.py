"""The contract of recipients: the input as read, and what an accepted row is.

``input_contract`` holds for every chunk a reader returns: text only, no nulls, records numbered and in order.
``accepted_contract`` is what every row must fulfil before it may be written to ``accepted.csv``. Its checks are our own
kernels over whole columns. Findings about rows come from the rules; a row that reaches this contract and breaks it is
a bug, so ``pandera``'s failure cases (which hold numbers and texts) are reduced to names of columns and checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd
import pandera.pandas as pa
import pyarrow  # noqa: ICN001 - pandera has the name pa
import pyarrow.compute as pc

from pipeline.core.headers import COST_CENTRE
from pipeline.core.kernels import msisdns, strings
from pipeline.core.kernels.strings import Mask
from pipeline.core.rules import CODE_FIELDS, REGISTRATION_DATE
from pipeline.errors import Bug

ROW_NUMBER = "row_number"
#: the column of row numbers in a chunk of the input: no column of a file can have this name
INPUT_ROW = "\0row"
#: parameters of the individual send that are passed on as they are given: no rule of ours knows more about them
PASSED_FIELDS = (
    "docomotitle",
    "autitle",
    "softbanktitle",
    "sendingattempts",
    "resendinginterval",
    "docomo",
    "au",
    "softbank",
    "gateway",
)
#: fields of the gateway that a recipient may carry besides number, text and smsid
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
    *CODE_FIELDS,
    "scheduled",
    "template_id",
    *PASSED_FIELDS,
    REGISTRATION_DATE,
)
#: what an accepted row may carry: the fields above, and whom it is charged to
ACCEPTED_FIELDS = (*GATEWAY_FIELDS, COST_CENTRE)
#: what the rules look at
ROLES = ("msisdn", "text", "smsid", *ACCEPTED_FIELDS)


def accepted_columns(fields: Sequence[str]) -> list[str]:
    """Return the columns of accepted.csv; ``characters`` and ``bytes`` are what the gateway counts after expansion."""
    return [ROW_NUMBER, "smsid", "msisdn", "text", *fields, "characters", "bytes", "double_byte"]


def as_given(accepted: pd.DataFrame) -> pd.DataFrame:
    """Return accepted rows with what the gateway is given: no text where it has one under the template's id."""
    if "template_id" not in accepted:
        return accepted
    return accepted.assign(text=accepted["text"].where(accepted["template_id"] == "", ""))


def whole(mask: Mask) -> pd.Series:
    """Return what a kernel says of a column in the form that pandera wants."""
    return pd.Series(mask, dtype=bool)


def input_contract(columns: Iterable[str]) -> pa.DataFrameSchema:
    """Return the contract of a chunk of the input with these ``columns``."""
    names = [INPUT_ROW, *columns]

    def only_texts(table: pd.DataFrame) -> bool:
        texts = (table[name] for name in names[1:])
        return list(table.columns) == names and all(text.dtype == "str" and not text.hasnans for text in texts)

    numbered = pa.Column(int, [pa.Check.ge(1), pa.Check(_rises, name="rises")], nullable=False)
    # One check for all columns: each column of pandera's would cost as much as reading it.
    return pa.DataFrameSchema({INPUT_ROW: numbered}, checks=pa.Check(only_texts, name="only_texts"))


def accepted_contract(
    fields: Sequence[str], *, text_bytes: int, text_characters: int, smsid_characters: int, sends_text: bool = True
) -> pa.DataFrameSchema:
    """Return the contract of accepted rows with these gateway ``fields`` under the limits of the account.

    Without ``sends_text`` no row has one.
    What may stand in a text is checked once more where a payload is made, by ``request_contract``.
    """
    plain = pa.Column("str", nullable=False)

    def measured(table: pd.DataFrame) -> pd.Series:
        if not sends_text:
            return (table["characters"] == 0) & (table["bytes"] == 0)
        known = (table["characters"] >= 1) & (table["bytes"] >= 1)
        # A template whose text is not known is no longer than nothing.
        return known | ((table["template_id"] != "") & (table["text"] == "")) if "template_id" in fields else known

    fits = pa.Check(
        lambda table: (
            (table["bytes"] <= text_bytes) & ~(table["double_byte"] & (table["characters"] > text_characters))
        ),
        name="fits",
    )
    canonical = pa.Check(lambda column: whole(msisdns.is_canonical(strings.of(column))), name="canonical")
    word = pa.Check(lambda column: whole(_is_word(strings.of(column), smsid_characters)), name="word")
    return pa.DataFrameSchema(
        {
            ROW_NUMBER: pa.Column(int, pa.Check(_rises, name="rises")),
            "smsid": pa.Column("str", word),
            "msisdn": pa.Column("str", canonical),
            "text": plain if sends_text else pa.Column("str", pa.Check.eq("")),
            **dict.fromkeys(fields, plain),
            "characters": pa.Column("int32"),
            "bytes": pa.Column("int32"),
            "double_byte": pa.Column(bool),
        },
        checks=[fits, pa.Check(measured, name="measured")],
        strict=True,
        ordered=True,
    )


def _is_word(column: pyarrow.Array, most: int) -> Mask:
    """Say for each value whether it is one to ``most`` ASCII letters and digits."""
    word: Mask = strings.mask(pc.ascii_is_alnum(column)) & (strings.sizes(column) <= most)
    return word


def _rises(column: pd.Series) -> bool:
    return bool((column.diff().iloc[1:] > 0).all())


def enforce(contract: pa.DataFrameSchema, table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return ``table`` if it fulfils ``contract``, else raise ``Bug`` (``contract.broken``) naming no values."""
    try:
        return contract.validate(table, lazy=True)
    except pa.errors.SchemaErrors as broken:
        cases = broken.failure_cases[["column", "check"]].drop_duplicates().astype(str)
        checks = ", ".join(sorted({f"{column}: {check}" for column, check in cases.itertuples(index=False)}))
    raise Bug("contract.broken", contract=name, checks=checks)
