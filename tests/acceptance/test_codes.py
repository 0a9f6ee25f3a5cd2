"""The page of codes is what the program prints, and every example in it is true."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config import load
from pipeline.core.calendar import JST
from pipeline.core.examine import examine
from pipeline.core.policy import Policy, Roles
from pipeline.core.uniqueness import Ledgered, Uniqueness
from pipeline.messages.examples import EXAMPLES
from pipeline.model import Finding
from pipeline.reports.codes import anchor, codes, codes_page
from pipeline.stages.checking import limits_of
from schemas.recipients import ACCEPTED_FIELDS, ROLES, ROW_NUMBER

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=JST)


def found(code: str, cells: dict[str, str]) -> list[str]:
    """Return the codes that a row of these cells gets, behind a good row that has the number and smsid of examples."""
    limits = limits_of(load(ROOT / "none.toml", {}, required=False).profile)
    policy = Policy(limits=replace(limits, overseas=code == "phone.ambiguous_overseas"), now=NOW)
    before = {"msisdn": "09012345678", "text": "明日です。", "smsid": "order12"}
    row = {"msisdn": "07012345678", "text": "明日です。", **cells}
    names = list(dict.fromkeys((*before, *row)))
    chunk = pd.DataFrame({name: [before.get(name, ""), row.get(name, "")] for name in names}, dtype="str")
    chunk.insert(0, ROW_NUMBER, [2, 3])
    roles = Roles({name: name for name in names if name in ROLES})
    opted_out = ("09012345678",) if code == "recipient.opted_out" else ()
    examined = examine(chunk, ROW_NUMBER, roles, policy, ACCEPTED_FIELDS)
    if code not in {"recipient.duplicate", "smsid.duplicate"}:
        examined.reject(0, Finding(2, "msisdn", "phone.empty"))
    Uniqueness(Ledgered(opted_out=opted_out)).check(examined, roles)
    return [finding.code for finding in examined.findings.get(1, [])]


def test_the_page_is_the_program_s() -> None:
    assert (ROOT / "docs/codes.md").read_text(encoding="utf-8") == codes_page()


def test_every_code_has_an_example_and_an_anchor_of_its_own() -> None:
    assert set(EXAMPLES) == set(codes())
    assert len({anchor(code) for code in codes()}) == len(list(codes()))


@pytest.mark.parametrize("code", EXAMPLES)
def test_examples_are_true(code: str) -> None:
    assert found(code, EXAMPLES[code].wrong) == [code]
    assert found(code, EXAMPLES[code].right) == []
