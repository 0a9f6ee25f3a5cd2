"""A payload is laid out from whatever fields the accepted rows have."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd
import pytest

from pipeline.config import load_profile
from schemas.gateway_csv import column_name, render, request_contract
from schemas.recipients import GATEWAY_FIELDS, enforce

PROFILE: Final = load_profile("mediasms", Path())
PLAIN: Final = {"smsid": "a2", "msisdn": "09011112222", "text": "こんにちは"}


def rendered(**fields: str) -> dict[str, str]:
    row = {"row_number": 2, **PLAIN, **fields, "characters": 5, "bytes": 10, "double_byte": True}
    table = render(pd.DataFrame([row]), PROFILE)
    assert list(table.columns) == [column_name(number) for number in range(1, PROFILE.layout.columns.value + 1)]
    return {str(name): value for name, value in table.iloc[0].items() if value}


def test_rows_without_any_gateway_field_have_number_text_and_smsid() -> None:
    assert rendered() == {"c01": "09011112222", "c10": "こんにちは", "c18": "a2"}


@pytest.mark.parametrize("field", GATEWAY_FIELDS)
def test_one_field_stands_in_its_column_or_nowhere_when_the_layout_has_none(field: str) -> None:
    known = PROFILE.layout.by_field.get(field)
    wanted = {column_name(known.number): "値"} if known else {}
    assert rendered(**{field: "値"}) == rendered() | wanted


def test_columns_of_our_own_are_not_sent() -> None:
    assert rendered(text_digest="d", anything="x") == rendered()


def test_an_empty_row_of_fields_fulfils_the_contract() -> None:
    table = render(pd.DataFrame([PLAIN, PLAIN | {"smsid": "a3", "msisdn": "09011112223"}], dtype="str"), PROFILE)
    enforce(request_contract(PROFILE), table, "payload")
