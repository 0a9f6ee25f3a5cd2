"""The contracts of tables: what may be read, written, uploaded and believed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pytest

from pipeline.config import load_profile
from pipeline.core.kernels import strings
from pipeline.errors import Bug
from schemas.gateway_csv import column_name, render, request_contract
from schemas.recipients import (
    GATEWAY_FIELDS,
    INPUT_ROW,
    ROW_NUMBER,
    accepted_columns,
    accepted_contract,
    as_given,
    enforce,
    input_contract,
)
from schemas.results import broken_row, results_contract

PROFILE: Final = load_profile("mediasms", Path())
ACCEPTED: Final = accepted_contract(GATEWAY_FIELDS, text_bytes=140, text_characters=70, smsid_characters=50)


def accepted(*changes: dict[str, object]) -> pd.DataFrame:
    """Return acceptable rows with changes, one per row."""
    rows = []
    for number, change in enumerate(changes, 2):
        plain = dict.fromkeys(GATEWAY_FIELDS, "")
        row = {
            **plain,
            ROW_NUMBER: number,
            "smsid": f"a{number}",
            "msisdn": f"0901111222{number}",
            "text": "こんにちは",
            "characters": 5,
            "bytes": 10,
            "double_byte": True,
        }
        rows.append(row | change)
    return pd.DataFrame(rows)[accepted_columns(GATEWAY_FIELDS)].astype({"characters": "int32", "bytes": "int32"})


def broken(table: pd.DataFrame) -> str:
    with pytest.raises(Bug) as caught:
        enforce(ACCEPTED, table, "accepted rows")
    assert caught.value.code == "contract.broken"
    assert caught.value.facts["contract"] == "accepted rows"
    return str(caught.value.facts["checks"])


def test_accepted_rows_pass() -> None:
    table = accepted({}, {"characters": 70, "bytes": 140}, {"double_byte": False, "characters": 140, "bytes": 140})
    pd.testing.assert_frame_equal(enforce(ACCEPTED, table, "accepted rows"), table)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"msisdn": "0901111222"}, "msisdn: canonical"),
        ({"msisdn": "090-1111-2222"}, "msisdn: canonical"),
        ({"msisdn": ""}, "msisdn: canonical"),
        ({"smsid": ""}, "smsid"),
        ({"smsid": "a-b"}, "smsid"),
        ({"smsid": "a" * 51}, "smsid"),
        ({"text": None}, "text"),
        ({"bytes": 141}, "fits"),
        ({"characters": 71}, "fits"),
        ({"characters": 0}, "measured"),
        ({"bytes": 0}, "bytes"),
        ({"memo": None}, "memo"),
        ({ROW_NUMBER: 2}, "row_number: rises"),
    ],
)
def test_a_row_that_should_not_have_come_this_far_is_a_bug(change: dict[str, object], column: str) -> None:
    assert column in broken(accepted({}, change))


def test_a_broken_contract_never_shows_a_value() -> None:
    table = accepted({"msisdn": "secret-number", "text": "①secret", "smsid": "sec-ret"})
    with pytest.raises(Bug) as caught:
        enforce(ACCEPTED, table, "accepted rows")
    assert "sec" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_strange_or_missing_column_is_a_bug() -> None:
    assert broken(accepted({}).assign(more="x"))
    assert broken(accepted({}).drop(columns="memo"))


def test_the_input_is_text_numbered_and_in_order() -> None:
    contract = input_contract(["tel", "text"])
    good = pd.DataFrame({INPUT_ROW: [2, 3, 7], "tel": ["1", "", "3"], "text": ["a", "b", "c"]})
    enforce(contract, good, "recipients")
    for change in (
        {INPUT_ROW: [2, 2, 3]},
        {INPUT_ROW: [3, 2, 4]},
        {INPUT_ROW: [0, 1, 2]},
        {"tel": [1, 2, 3]},
        {"tel": ["1", None, "3"]},
        {"more": ["x", "y", "z"]},
    ):
        with pytest.raises(Bug):
            enforce(contract, good.assign(**change), "recipients")


def test_a_column_becomes_one_array() -> None:
    chunked = pd.Series(pa.chunked_array([["a"], ["b", "c"]]), dtype=pd.ArrowDtype(pa.string()))
    for series in (chunked, pd.Series(["a", "b", "c"], dtype="str")):
        assert strings.of(series).to_pylist() == ["a", "b", "c"]
        assert not isinstance(strings.of(series), pa.ChunkedArray)


def test_a_payload_lays_every_field_in_its_column() -> None:
    values: dict[str, object] = {field: f"<{field}>" for field in GATEWAY_FIELDS}
    table = render(accepted(values), PROFILE)
    assert list(table.columns) == [f"c{number:02d}" for number in range(1, 65)]
    row = {name: value for name, value in table.iloc[0].items() if value}
    assert row == {
        "c01": "09011112222",
        "c02": "<info1>",
        "c03": "<info2>",
        "c04": "<info3>",
        "c05": "<info4>",
        "c06": "<memo>",
        "c08": "<template_id>",
        "c09": "<title>",
        "c10": "こんにちは",
        "c11": "<originalurl>",
        "c17": "<scheduled>",
        "c18": "a2",
        "c39": "<originalurl2>",
        "c40": "<originalurl3>",
        "c41": "<originalurl4>",
    }


def test_an_upload_is_of_texts_or_of_templates() -> None:
    by_template = render(as_given(accepted({"template_id": "0"}, {"template_id": "999999"})), PROFILE)
    assert by_template["c08"].tolist() == ["0", "999999"]
    assert by_template["c10"].tolist() == ["", ""]
    enforce(request_contract(PROFILE, by_template=True), by_template, "payload")
    mixed = render(as_given(accepted({"template_id": "0"}, {})), PROFILE)
    for one_kind in (False, True):
        with pytest.raises(Bug):
            enforce(request_contract(PROFILE, by_template=one_kind), mixed, "payload")


def test_only_a_template_may_have_no_length() -> None:
    nothing = {"characters": 0, "bytes": 0, "double_byte": False}
    enforce(ACCEPTED, accepted(nothing | {"text": "", "template_id": "12"}), "accepted rows")
    assert "measured" in broken(accepted(nothing | {"text": ""}))
    assert "measured" in broken(accepted(nothing | {"template_id": "12"}))


def test_a_payload_fulfils_its_contract() -> None:
    enforce(request_contract(PROFILE), render(accepted({}, {}, {}), PROFILE), "payload")


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("c01", ["09011112222", "09011112222"]),
        ("c01", ["09011112222", "x"]),
        ("c18", ["a", "a"]),
        ("c18", ["a", ""]),
        ("c10", ["a", "①"]),
        ("c10", ["a", "\t"]),
        ("c10", ["a", " 　\n"]),
        ("c10", ["a", ""]),
        ("c12", ["", "送信済"]),
        ("c17", ["", "2026.11.23.10.00"]),
        ("c64", ["", "x"]),
        ("c64", ["", None]),
        ("c64", [0, 0]),
        ("c65", ["", ""]),
    ],
)
def test_a_payload_that_must_not_leave(column: str, values: list[object]) -> None:
    table = render(accepted({}, {}), PROFILE)
    table[column] = pd.Series(values)
    with pytest.raises(Bug):
        enforce(request_contract(PROFILE), table, "payload")


def results(*rows: dict[str, str]) -> pd.DataFrame:
    plain = dict.fromkeys((column_name(number) for number in range(1, 65)), "")
    known = {"c01": "090-1111-2222", "c12": "送信済", "c13": "2026.11.23.10.00.00"}
    return pd.DataFrame([plain | known | row for row in rows], dtype="str")


@pytest.mark.parametrize("number", ["090-1111-2222", "14155550123", "+14155550123", "0200-1234-567890"])
def test_results_are_believed(number: str) -> None:
    table = results({"c01": number}, {"c12": "22"}, {"c13": ""})
    assert broken_row(results_contract(PROFILE), table) is None


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ({"c01": ""}, (1, "c01")),
        ({"c01": "電話番号"}, (1, "c01")),
        ({"c01": "-"}, (1, "c01")),
        ({"c12": ""}, (1, "c12")),
        ({"c12": " \n"}, (1, "c12")),
        ({"c12": "　"}, (1, "c12")),
    ],
)
def test_results_that_break_the_contract_are_named_by_place(row: dict[str, str], place: tuple[int, str]) -> None:
    assert broken_row(results_contract(PROFILE), results({}, row, row)) == place


def test_results_of_another_width_have_no_row_to_name() -> None:
    found = broken_row(results_contract(PROFILE), results({}).drop(columns="c64"))
    assert found is not None
    assert found[0] == -1
