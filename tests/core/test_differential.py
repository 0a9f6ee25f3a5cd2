"""The product against the naive reference, and its kernels against its own rules, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.core import examine
from pipeline.core.row import Row
from pipeline.messages import REPAIRS
from tests.core.comparing import (
    ACCOUNT,
    COLUMNS,
    FIELDS,
    NUMBERS,
    ROLES,
    TEMPLATES,
    TEXTS,
    WHOLE_NUMBERS,
    comparable,
    dirty_rows,
    everyday_rows,
    examined,
    examined_by_rules_alone,
    values_of,
    verdicts,
)
from tests.core.reference import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.core.comparing import Cells
    from tests.core.reference import Account, Verdict

TABLE: Final = {"①": "(1)", "㈱": "(株)", "髙": "高", "\u200b": "", "💌": ""}
BY_TEMPLATE: Final = replace(ACCOUNT, templates={int(number): text for number, text in TEMPLATES.items()})
LONG: Final = replace(ACCOUNT, text_bytes=1340, text_characters=660, line_break=1, short_link=25)
ACCOUNTS: Final = {
    "japan": ACCOUNT,
    "overseas": replace(ACCOUNT, overseas=True),
    "strict": replace(ACCOUNT, strict=True),
    "replaced": replace(ACCOUNT, replacements=TABLE),
    "long": LONG,
    "templates": BY_TEMPLATE,
    "unchecked templates": replace(BY_TEMPLATE, unchecked_templates=True, shift_jis=True, replacements=TABLE),
    "strict templates": replace(BY_TEMPLATE, strict=True),
}


def settled(verdict: Verdict) -> Verdict:
    """Leave open whether strictness also names the repairs of a cell that is rejected anyway."""
    wrong = {column for column, code in verdict.findings if code not in REPAIRS}
    found = frozenset(one for one in verdict.findings if one[0] not in wrong or one[1] not in REPAIRS)
    return replace(verdict, findings=found)


def different(
    rows: Sequence[Cells], account: Account, roles: dict[str, str] = ROLES, common_text: str | None = None
) -> list[str]:
    """Return the rows, shortest first, of which the product says something else than the reference."""
    found = []
    said = verdicts(examined(rows, account, roles, common_text=common_text))
    for cells, got in zip(rows, said, strict=True):
        want = comparable(judge(account, roles, cells, common_text))
        if settled(got) != settled(want):
            parts = [part for part in vars(got) if getattr(got, part) != getattr(want, part)]
            filled = {name: cell for name, cell in cells.items() if cell}
            values = [f"{part}: {getattr(got, part)!r}, not {getattr(want, part)!r}" for part in parts]
            found.append(f"{filled!a}\n{values!a}")
    return sorted(found, key=len)[:5]


@pytest.mark.unmeasured
def test_an_everyday_list_ends_as_the_reference_says() -> None:
    rows = everyday_rows(20_000, seed=1)
    assert different(rows, ACCOUNT) == []


@pytest.mark.unmeasured
@pytest.mark.parametrize("account", ACCOUNTS.values(), ids=ACCOUNTS.keys())
def test_a_dirty_list_ends_as_the_reference_says(account: Account) -> None:
    assert different(dirty_rows(2500, seed=2), account) == []
    assert different(dirty_rows(2500, seed=3, chance=0.05), account) == []


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "common_text", ["{氏名}様\nお知らせ {URL}", "{氏名}", "①{店〜}", "{x}", "あ" * 70, "{info1}{INFO 2}"]
)
def test_one_text_for_the_whole_list_ends_as_the_reference_says(common_text: str) -> None:
    roles = {role: column for role, column in ROLES.items() if role != "text"}
    rows = [{name: cell for name, cell in row.items() if name != "本文"} for row in dirty_rows(400, seed=4, chance=0.1)]
    assert different(rows, ACCOUNT, roles, common_text) == []


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", ["templates", "unchecked templates"])
def test_a_list_of_templates_ends_as_the_reference_says(name: str) -> None:
    rows = [row | {"本文": ""} for row in (*everyday_rows(400, seed=12), *dirty_rows(600, seed=13, chance=0.15))]
    for at, row in enumerate(rows):
        row["templateid"] = list(TEMPLATES)[at % len(TEMPLATES)] if at % 9 else row["templateid"]
    account = ACCOUNTS[name]
    assert different(rows, account) == []
    roles = {role: column for role, column in ROLES.items() if role != "text"}
    without = [{name: cell for name, cell in row.items() if name != "本文"} for row in rows]
    assert different(without, account, roles) == []
    assert sum(not verdict.findings for verdict in verdicts(examined(without, account, roles))) > len(rows) / 4


@pytest.mark.unmeasured
def test_a_list_of_numbers_and_texts_alone_ends_as_the_reference_says() -> None:
    roles = {"msisdn": "電話番号", "text": "本文"}
    rows = [{name: row[name] for name in roles.values()} for row in dirty_rows(2000, seed=5)]
    assert different(rows, ACCOUNT, roles) == []


character: Final = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from("\t\r\n{}\u3099\u309a〜−‖¢£¬かはハゝうあ漢ｱﾞ°①髙 \u3000\xa0\u200b"),
)
cell: Final = st.lists(st.one_of(character, st.sampled_from(TEXTS)), max_size=4).map("".join)
numbers: Final = st.one_of(
    st.builds(str.format, st.sampled_from(NUMBERS), n=st.integers(9010000000, 9019999999)),
    st.sampled_from(WHOLE_NUMBERS),
    st.text(alphabet="0123456789０９+＋eE ='\".．-ー(tel:)\u3000\n/年月日", max_size=16),
    st.builds("{}{}{}".format, st.just("090"), character, st.just("12345678")),
)


@st.composite
def nasty_row(draw: st.DrawFn) -> dict[str, str]:
    """Draw a row with a number, a text, and two other cells that hold something."""
    others = draw(st.lists(st.sampled_from([name for name in COLUMNS if name not in {"電話番号", "本文"}]), max_size=2))
    cells = {name: draw(st.one_of(st.sampled_from(FIELDS.get(name, TEXTS)), cell)) for name in others}
    return dict.fromkeys(COLUMNS, "") | cells | {"電話番号": draw(numbers), "本文": draw(cell)}


@pytest.mark.unmeasured
@settings(deadline=None, max_examples=60)
@example(rows=[{**dict.fromkeys(COLUMNS, ""), "電話番号": "-1"}], account=ACCOUNTS["japan"])
@given(rows=st.lists(nasty_row(), min_size=1, max_size=6), account=st.sampled_from(list(ACCOUNTS.values())))
def test_nasty_rows_end_as_the_reference_says(rows: list[dict[str, str]], account: Account) -> None:
    assert different(rows, account) == []


@pytest.mark.unmeasured
@pytest.mark.parametrize("account", ACCOUNTS.values(), ids=ACCOUNTS.keys())
def test_which_way_a_row_took_cannot_be_told(account: Account) -> None:
    rows = [*everyday_rows(2000, seed=6), *dirty_rows(2000, seed=7), *dirty_rows(2000, seed=8, chance=0.03)]
    kernels, rules = examined(rows, account), examined_by_rules_alone(rows, account)
    assert kernels.findings == rules.findings
    assert kernels.expanded == rules.expanded
    assert values_of(kernels).keys() == values_of(rules).keys()
    fine = kernels.accepted()
    assert len(fine) > len(rows) / 4
    for name, column in values_of(kernels).items():
        assert (name, column.take(fine).to_pylist()) == (name, values_of(rules)[name].take(fine).to_pylist())
    for name in ("characters", "size", "double_byte", "hollow"):
        assert getattr(kernels, name)[fine].tolist() == getattr(rules, name)[fine].tolist()
    assert kernels.repairs.to_pylist() == rules.repairs.to_pylist()
    assert 0 < kernels.hollow[fine].sum() < len(fine)
    assert kernels.repairs.schema == rules.repairs.schema
    assert len(rules.findings) < len(rows)


def test_an_everyday_list_is_mostly_left_to_the_kernels() -> None:
    """What the kernels decide is most of a list, or the comparison above compares nothing."""
    rows = everyday_rows(500, seed=9)
    seen = []

    def looked_at(*arguments: object) -> Row:
        seen.append(arguments)
        return Row(*arguments)  # type: ignore[arg-type]

    with patch.object(examine, "Row", looked_at):
        examined(rows)
        decided_alone = len(seen)
        examined_by_rules_alone(rows)
    assert 0 < decided_alone < 100
    assert len(seen) - decided_alone == len(rows)
