from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.reports import document as module
from pipeline.reports.document import SCHEMA, dumps, reconciliation_document

if TYPE_CHECKING:
    from pipeline.model import Reconciliation

GOLDEN = Path(__file__).parent / "golden"
SHAPE: dict[str, Any] = json.loads(Path(module.__file__).with_name("reconciliation.schema.json").read_text("utf-8"))
VALUES = ("quiet", "noisy", "month", "quiet_month", "hostile", "hostile_month", "empty")

BATCH, MONTH = "batch_id campaign run_date source", "month batches phase closed_at"
PROMISED = (
    "as_of rows accepted rejected already repaired messages planned in_flight taken refused unknown cancelled "
    "opted_out by_number pending missing oldest_pending classes statuses status_lines meanings groups deliveries "
    "billable_messages billable_units amount pending_cost unknown_cost foreign breaks break_list equations balanced "
    "empty findings attention bill variance restatements tariff invented prices provenance artifacts exit"
)


def document_of(value: Reconciliation) -> dict[str, Any]:
    text = dumps(reconciliation_document(value, artifacts={"report.xlsx": "/x/report.xlsx"}, exit_code=1))
    document: dict[str, Any] = json.loads(text)
    return document


def problems(value: object, shape: dict[str, Any], at: str = "$") -> list[str]:  # noqa: C901 - one rule a line
    """Check ``value`` against the part of JSON Schema that ours uses; an unknown keyword is an error."""
    unknown = set(shape) - {
        *("$schema", "$id", "$defs", "$ref", "title", "description", "type", "const", "enum", "pattern", "minimum"),
        *("required", "properties", "additionalProperties", "propertyNames", "items", "oneOf", "not"),
    }
    assert unknown == set()
    if "$ref" in shape:
        return problems(value, SHAPE["$defs"][shape["$ref"].removeprefix("#/$defs/")], at)
    found: list[str] = []
    if "oneOf" in shape:
        tried = [problems(value, each, at) for each in shape["oneOf"]]
        if sum(not each for each in tried) != 1:
            return [f"{at}: not one of: {tried}"]
    if "not" in shape and not problems(value, shape["not"], at):
        return [f"{at}: what must not be there is"]
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    kind = shape.get("type")
    if kind and (not isinstance(value, types[kind]) or (kind == "integer" and isinstance(value, bool))):
        return [f"{at}: {value!r} is no {kind}"]
    if "const" in shape and value != shape["const"]:
        found.append(f"{at}: {value!r} is not {shape['const']!r}")
    if "enum" in shape and value not in shape["enum"]:
        found.append(f"{at}: {value!r} is not in {shape['enum']}")
    if "pattern" in shape and not re.search(shape["pattern"], str(value)):
        found.append(f"{at}: {value!r} has another form")
    if "minimum" in shape and int(str(value)) < shape["minimum"]:
        found.append(f"{at}: {value!r} is too small")
    if isinstance(value, list):
        found += [each for n, item in enumerate(value) for each in problems(item, shape.get("items", {}), f"{at}[{n}]")]
    if isinstance(value, dict):
        found += [f"{at}.{name} is missing" for name in shape.get("required", ()) if name not in value]
        for name, item in value.items():
            found += problems(name, shape.get("propertyNames", {}), f"{at}.{name}")
            rule = shape.get("properties", {}).get(name, shape.get("additionalProperties", {}))
            found += problems(item, rule, f"{at}.{name}")
    return found


@pytest.mark.parametrize(("name", "example"), [("reconciliation", "noisy"), ("month", "month")])
def test_the_document_is_the_golden_one(name: str, example: str, request: pytest.FixtureRequest) -> None:
    value: Reconciliation = request.getfixturevalue(example)
    text = dumps(reconciliation_document(value, artifacts={"workbook": "report.xlsx"}, exit_code=1))
    assert text == (GOLDEN / f"{name}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", VALUES)
def test_every_document_fulfils_the_schema(name: str, request: pytest.FixtureRequest) -> None:
    assert problems(document_of(request.getfixturevalue(name)), SHAPE) == []


def test_the_schema_would_notice(month: Reconciliation, noisy: Reconciliation) -> None:
    def broken(value: Reconciliation, **changed: object) -> list[str]:
        return problems({**document_of(value), **changed}, SHAPE)

    assert broken(month, amount={"untaxed": 1, "tax": "1E+3", "total": "1"}) == [
        "$.amount.untaxed: 1 is no string",
        "$.amount.tax: '1E+3' has another form",
    ]
    assert broken(noisy, month="2026-11", batches=1, closed_at=None)  # neither a batch nor a month
    assert broken(noisy, groups={"colour": []})
    assert broken(noisy, rows=True)
    assert broken(noisy, schema="mediasms/reconciliation/1")
    assert problems({key: each for key, each in document_of(month).items() if key != "month"}, SHAPE)


def test_the_schema_names_every_key_and_no_other(month: Reconciliation, noisy: Reconciliation) -> None:
    own = {"batch": noisy, "month": month}
    for name, value in own.items():
        keys = {*SHAPE["properties"], *SHAPE["$defs"][name]["properties"]}
        assert set(document_of(value)) == keys
    assert SHAPE["properties"]["schema"] == {"const": SCHEMA}
    for part in ("bill", "variance"):
        assert set(document_of(month)[part]) == set(SHAPE["$defs"][part]["properties"])


def test_every_promised_key_is_there_and_described(quiet: Reconciliation, month: Reconciliation) -> None:
    described = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    first_cells = " ".join(line.split("|")[1] for line in described.splitlines() if line.startswith("|"))
    for value, subject in ((quiet, BATCH), (month, MONTH)):
        document = document_of(value)
        assert list(document) == ["schema", *subject.split(), *PROMISED.split()]
        assert [key for key in document if f"`{key}`" not in first_cells] == []
    assert SCHEMA in described


def test_messages_of_one_label_are_summed_and_add_up(quiet: Reconciliation) -> None:
    statuses = document_of(quiet)["statuses"]
    assert sum(statuses.values()) == quiet.messages
    assert statuses["pending"] == 10
    assert statuses["送信中"] == 22


def test_yen_are_plain_decimal_strings(hostile: Reconciliation) -> None:
    document = document_of(hostile)
    amounts = [line["amount"] for line in document["status_lines"]]
    assert amounts == ["0.1", "0.2", "0", "0", "1000", "0", "0", "12345678901234567.89"]
    assert document["amount"]["untaxed"] == "12345678901235568.19"
    assert sum(map(Decimal, amounts)) == Decimal(document["amount"]["untaxed"])
    assert document["break_list"][0]["at_risk"] == "98765432109876543.21"
    assert document["break_list"][1]["at_risk"] is None


def test_what_explains_the_invoice_adds_up(month: Reconciliation) -> None:
    variance = document_of(month)["variance"]
    explained = sum(Decimal(part["amount"]) for part in variance["explanations"])
    assert Decimal(variance["difference"]) == explained + Decimal(variance["unexplained"])
    assert Decimal(variance["difference"]) == sum(Decimal(line["difference"]) for line in variance["lines"])


@pytest.mark.parametrize("name", ["hostile", "noisy", "month", "hostile_month"])
def test_no_number_is_whole_and_the_text_is_utf8(name: str, request: pytest.FixtureRequest) -> None:
    text = dumps(reconciliation_document(request.getfixturevalue(name), artifacts={}, exit_code=1))
    text.encode("utf-8")
    for number in ("09012345678", "9012345678", "447911123456", "1234-5678", "1234 5678", "81312345678", "08012345678"):
        assert number not in text
    assert "090****5678" in text


def test_a_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps({"x": float("nan")})
