from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.reports.document import dumps, reconciliation_document

if TYPE_CHECKING:
    from pipeline.model import Reconciliation

GOLDEN = Path(__file__).parent / "golden" / "reconciliation.json"

PROMISED = (
    "schema batch_id campaign run_date source as_of rows accepted rejected already repaired messages "
    "planned in_flight taken refused unknown cancelled opted_out pending missing classes statuses "
    "status_lines billable_messages billable_units amount foreign breaks break_list equations balanced tariff "
    "provenance artifacts exit"
)


def test_the_document_is_the_golden_one(noisy: Reconciliation) -> None:
    text = dumps(reconciliation_document(noisy, artifacts={"workbook": "report.xlsx"}, exit_code=1))
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_every_promised_key_is_there_and_described(quiet: Reconciliation) -> None:
    document = reconciliation_document(quiet, artifacts={}, exit_code=0)
    assert list(document) == PROMISED.split()
    described = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    first_cells = " ".join(line.split("|")[1] for line in described.splitlines() if line.startswith("|"))
    assert [key for key in document if f"`{key}`" not in first_cells] == []


def test_messages_of_one_label_are_summed_and_add_up(quiet: Reconciliation) -> None:
    statuses = reconciliation_document(quiet, artifacts={}, exit_code=0)["statuses"]
    assert isinstance(statuses, dict)
    assert sum(statuses.values()) == quiet.messages
    assert statuses["pending"] == 10
    assert statuses["送信中"] == 22


def test_yen_are_plain_decimal_strings(hostile: Reconciliation) -> None:
    document = json.loads(dumps(reconciliation_document(hostile, artifacts={}, exit_code=1)))
    amounts = [line["amount"] for line in document["status_lines"]]
    assert amounts == ["0.1", "0.2", "0", "0", "1000", "0", "0", "12345678901234567.89"]
    assert document["amount"]["untaxed"] == "12345678901235568.19"
    assert sum(map(Decimal, amounts)) == Decimal(document["amount"]["untaxed"])
    assert document["break_list"][0]["at_risk"] == "98765432109876543.21"
    assert document["break_list"][1]["at_risk"] is None


def test_no_number_is_whole_and_the_text_is_utf8(hostile: Reconciliation, noisy: Reconciliation) -> None:
    for value in (hostile, noisy):
        text = dumps(reconciliation_document(value, artifacts={}, exit_code=1))
        text.encode("utf-8")
        for number in ("09012345678", "9012345678", "447911123456", "1234-5678", "1234 5678", "81312345678"):
            assert number not in text
        assert "090****5678" in text


def test_a_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps({"x": float("nan")})
