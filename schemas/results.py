"""The contract of the results CSV: the layout's columns, and times and numbers of a form we can read.

A results file that breaks it is not ours to repair: nothing of it is recorded, and the error names the first line.
"""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

from schemas.gateway_csv import column_name, texts_of_the_layout
from schemas.profile import Profile

_NUMBER = r"^\+?[0-9][0-9\-]*$"


def results_contract(profile: Profile) -> pa.DataFrameSchema:
    """Return the contract of a chunk of results."""
    by_field = profile.layout.by_field
    checks = {
        by_field["msisdn"].number: pa.Check.str_matches(_NUMBER),
        by_field["status"].number: pa.Check.str_matches(r"\S"),
    }
    return pa.DataFrameSchema(
        {column_name(number): pa.Column("str", check) for number, check in checks.items()},
        checks=pa.Check(texts_of_the_layout(profile), name="only_texts"),
    )


def broken_row(contract: pa.DataFrameSchema, table: pd.DataFrame) -> tuple[int, str] | None:
    """Return index label and column of the first cell that breaks the contract, or None; never a value."""
    try:
        contract.validate(table, lazy=True)
    except pa.errors.SchemaErrors as broken:
        cases = broken.failure_cases
        first = cases.sort_values("index", na_position="first").iloc[0]
        return (-1 if pd.isna(first["index"]) else int(first["index"]), str(first["column"]))
    return None
