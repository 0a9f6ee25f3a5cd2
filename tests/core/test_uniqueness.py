"""Rules that look at more than one row: chunks never matter, and the fast way says what the slow one says."""

from __future__ import annotations

import random
from dataclasses import asdict
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.policy import Roles
from pipeline.core.rules import ACROSS
from pipeline.core.uniqueness import Ledgered, NumberSet, Uniqueness, _Firsts
from pipeline.model import Finding
from tests.core.comparing import ACCOUNT, COLUMNS, ROLES, dirty_rows, everyday_rows, examined, values_of
from tests.core.reference import File

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.core.examine import Examined

NO_SMSID: Final = {role: column for role, column in ROLES.items() if role != "smsid"}
ACROSS_CODES: Final = set(ACROSS)
SERVED: Final = ("09011112203", "02001234567890", "14155550103")
OPTED_OUT: Final = ("09011112204", "09011112205", "14155550104")


def crowd(count: int, seed: int, *, dirty: float = 0.1) -> list[dict[str, str]]:
    """Return rows that share few numbers in many spellings, and few smsids."""
    random_ = random.Random(seed)  # noqa: S311 - not for secrets
    rows = []
    for row in (*everyday_rows(count, seed), *dirty_rows(int(count * dirty), seed, chance=0.05)):
        number = f"90111122{random_.randrange(25):02d}"
        spelled = random_.choice(("0{}", "0{}", "0{}", "{}", "+81 {}", "0{}.0", "０{}", "'0{}")).format(number)
        row |= {"電話番号": random_.choice((spelled, spelled, spelled, "02001234567890", row["電話番号"]))}
        row |= {"smsid": random_.choice(("", "", "", "a1", "b2", "C3", "c3", "x" * 21))}
        rows.append(row)
    random_.shuffle(rows)
    return rows


def ledgered() -> Ledgered:
    return Ledgered(served=SERVED, opted_out=OPTED_OUT, used_smsids=lambda smsids: {"b2"} & set(smsids))


def checked(
    rows: list[dict[str, str]], chunk_rows: int, roles: Mapping[str, str] = ROLES, *, repeats: bool = False
) -> list[object]:
    """Return all that is said of each row of a list that is read in chunks, and then all repairs."""
    unique = Uniqueness(ledgered(), repeats=repeats)
    said: list[object] = []
    repairs: list[object] = []
    for start in range(0, len(rows), chunk_rows):
        found = examined(rows[start : start + chunk_rows], ACCOUNT, roles, first=start + 2)
        out, served = unique.check(found, Roles(roles))
        said += described(found, set(out.tolist()), set(served.tolist()))
        repairs += found.repairs.to_pylist()
    return [*said, *repairs]


def described(found: Examined, out: set[int], served: set[int]) -> list[object]:
    assert not out & served
    assert (out | served).isdisjoint(found.findings)
    assert len(out) + len(served) + len(found.findings) == len(found.row_numbers)
    columns = {name: column.to_pylist() for name, column in values_of(found).items()}
    return [
        (
            row,
            at in out,
            at in served,
            [asdict(finding) for finding in found.findings.get(at, [])],
            found.expanded.get(at),
            {name: column[at] for name, column in columns.items()} if at in out else {},
            (found.characters[at], found.size[at], found.double_byte[at]) if at in out else (),
        )
        for at, row in enumerate(found.row_numbers.tolist())
    ]


@pytest.mark.unmeasured
@pytest.mark.parametrize("roles", [ROLES, NO_SMSID], ids=["own smsids", "no smsids"])
def test_chunks_never_matter(roles: dict[str, str]) -> None:
    rows = crowd(50, seed=1)
    whole = checked(rows, len(rows), roles)
    for chunk_rows in (1, 2, 3, 7):
        assert checked(rows, chunk_rows, roles) == whole
    many = crowd(2300, seed=2)
    assert checked(many, 1000, roles) == checked(many, len(many), roles)


def test_chunks_never_matter_where_repeats_are_allowed() -> None:
    rows = crowd(120, seed=3)
    whole = checked(rows, len(rows), repeats=True)
    assert checked(rows, 7, repeats=True) == whole
    assert checked(rows, 50, repeats=True) == whole


@pytest.mark.unmeasured
@pytest.mark.parametrize("chunk_rows", [5, 200, 3000])
def test_the_way_by_the_column_and_the_way_row_by_row_say_the_same(chunk_rows: int) -> None:
    rows = crowd(min(2500, chunk_rows * 15), seed=4)
    by_column = checked(rows, chunk_rows, NO_SMSID)
    with patch.object(Uniqueness, "_by_column", Uniqueness._one_by_one):
        one_by_one = checked(rows, chunk_rows, NO_SMSID)
    assert by_column == one_by_one


@pytest.mark.unmeasured
@pytest.mark.parametrize("roles", [ROLES, NO_SMSID], ids=["own smsids", "no smsids"])
def test_a_list_is_accepted_as_the_reference_says(roles: dict[str, str]) -> None:
    rows = crowd(2000, seed=5, dirty=0.5)
    reference = File(ACCOUNT, roles, served=set(SERVED), opted_out=set(OPTED_OUT))
    unique = Uniqueness(Ledgered(served=SERVED, opted_out=OPTED_OUT))
    outcomes = []
    for start in range(0, len(rows), 700):
        found = examined(rows[start : start + 700], ACCOUNT, roles, first=start + 2)
        out, served = (set(positions.tolist()) for positions in unique.check(found, Roles(roles)))
        for at, row in enumerate(found.row_numbers.tolist()):
            codes = {(finding.column, finding.code) for finding in found.findings.get(at, [])}
            outcomes.append((row, "accepted" if at in out else "already" if at in served else "rejected", codes))
    expected = []
    for row, cells in enumerate(rows, 2):
        verdict, outcome = reference.judge(row, cells)
        expected.append((row, outcome, set(verdict.findings)))
    assert outcomes == expected
    assert {outcome for _, outcome, _ in expected} == {"accepted", "already", "rejected"}
    met = {code for _, _, codes in expected for _, code in codes}
    assert ACROSS_CODES - met == ({"smsid.duplicate"} if roles is NO_SMSID else set())


def test_an_opted_out_recipient_is_rejected_in_every_row_and_is_no_first() -> None:
    rows = [dict.fromkeys(COLUMNS, "") | {"電話番号": number, "本文": "あ"} for number in ("9011112204", "09011112204")]
    found = examined(rows, ACCOUNT)
    out, served = Uniqueness(ledgered()).check(found, Roles(ROLES))
    assert (out.tolist(), served.tolist()) == ([], [])
    assert found.findings == {
        0: [Finding(2, "電話番号", "recipient.opted_out")],
        1: [Finding(3, "電話番号", "recipient.opted_out")],
    }


def test_who_was_served_and_opted_out_is_rejected() -> None:
    rows = [dict.fromkeys(COLUMNS, "") | {"電話番号": "09011112203", "本文": "あ"}]
    for optouts, expected in (((), [0]), (SERVED, [])):
        found = examined(rows, ACCOUNT)
        _, served = Uniqueness(Ledgered(served=SERVED, opted_out=optouts)).check(found, Roles(ROLES))
        assert (served.tolist(), bool(found.findings)) == (expected, not expected)


def pool(random_: random.Random, size: int) -> list[str]:
    """Return numbers of every kind, close together so that they share bytes of the bit set, and at its borders."""
    numbers = ["02010000000", "02099999999", "06010000000", "07010000000", "08099999999", "09010000000", "09099999999"]
    numbers += ["02001234567890", "09001234567890", "14155550123", "905321234567", "1" * 20, "123456", "90123456789012"]
    for block in "26789":
        numbers += [f"0{block}0{random_.choice('12356789')}{random_.randrange(200):07d}" for _ in range(size)]
    return numbers


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("size", "chunks", "chunk_rows"), [(3, 400, 7), (400, 60, 300), (100_000, 12, 10_000), (2000, 200, 1)]
)
def test_firsts_are_those_of_a_dict(size: int, chunks: int, chunk_rows: int) -> None:
    random_ = random.Random(size)  # noqa: S311 - not for secrets
    numbers, firsts, seen = pool(random_, size), _Firsts(), dict[str, int]()
    row = 1
    for _ in range(chunks):
        values = random_.choices(numbers, k=random_.randrange(chunk_rows + 1))
        rows = []
        for _ in values:
            row += random_.choice((1, 1, 1, 50_000))
            rows.append(row)
        known = [seen.setdefault(value, at) for value, at in zip(values, rows, strict=True)]
        expected = [before if before != at else None for before, at in zip(known, rows, strict=True)]
        again, first = firsts.see(pa.array(values, pa.large_string()), np.array(rows, np.int64))
        assert again.tolist() == [before is not None for before in expected]
        assert first.tolist() == [before for before in expected if before is not None]
    domestic = sum(len(value) == 11 and value.startswith("0") for value in seen)
    assert sum(map(len, firsts._runs)) == domestic
    assert len(firsts._runs) <= 2 + np.log2(1 + domestic)


def test_firsts_keep_the_largest_row_numbers() -> None:
    """34 bits hold 17 billion rows."""
    firsts, last = _Firsts(), 2**34 - 2
    numbers = pa.array(["09099999999", "02010000000"], pa.large_string())
    assert not firsts.see(numbers, np.array([last - 1, last]))[0].any()
    again, first = firsts.see(numbers, np.array([last + 1, last + 1]))
    assert (again.tolist(), first.tolist()) == ([True, True], [last - 1, last])


@pytest.mark.parametrize("held", [0, 1, 2, 500])
def test_a_number_set_is_a_set(held: int) -> None:
    random_ = random.Random(held)  # noqa: S311 - not for secrets
    numbers = pool(random_, 200)
    inside = random_.choices(numbers, k=held)
    numbers += ["", "09012345678x", "00000000000", "99999999999"]
    asked = pa.array(numbers, pa.large_string())
    for column in (asked, asked[3:], asked[:0]):
        expected = [number in set(inside) for number in column.to_pylist()]
        assert NumberSet(inside).contains(column).tolist() == expected
    assert NumberSet(iter(inside)).contains(asked).sum() == sum(number in set(inside) for number in numbers)


def test_overseas_numbers_alone_make_a_set_too() -> None:
    asked = pa.array(["14155550123", "09012345678", "14155550124"], pa.large_string())
    assert NumberSet(["14155550123"]).contains(asked).tolist() == [True, False, False]


REPEATS: Final = dict.fromkeys(COLUMNS, "") | {
    "電話番号": "09011112222",
    "本文": "{info1}様{氏名} {URL}",
    "info1": "田中",
}


@pytest.mark.parametrize(
    ("other", "again"),
    [
        ({}, True),
        ({"電話番号": "+81 90-1111-2222"}, True),
        ({"メモ": "x", "title": "ab", "url2": "https://a/c"}, True),
        ({"電話番号": "09011112223"}, False),
        ({"info1": "佐藤"}, False),
        ({"氏名": "花子"}, False),
        ({"URL": "https://a/c"}, False),
        ({"本文": "{info1}様{氏名}  {URL}"}, False),
        ({"送信予定日時": "202612010930"}, False),
        # What counts is what the recipient reads, not which part of it the gateway fills in.
        ({"本文": "田中様 {URL}", "info1": ""}, True),
        # Nobody sees what stands behind the last character.
        ({"本文": "{info1}様{氏名} {URL} \u3000\n \n"}, True),
        ({"本文": "田中様 {URL}{info1}", "info1": "\u3000 "}, True),
        ({"本文": " {info1}様{氏名} {URL}"}, False),
        ({"本文": "{info1}様{氏名}\n{URL}"}, False),
    ],
    ids=ascii,
)
def test_where_repeats_are_allowed_another_text_or_time_is_no_duplicate(other: dict[str, str], *, again: bool) -> None:
    first = REPEATS | {"URL": "https://a/b"}
    for rows in ([first, first | other], [first | other, first]):
        found = examined(rows)
        assert found.findings == {}
        out, served = Uniqueness(Ledgered(), repeats=True).check(found, Roles(ROLES))
        assert (out.tolist(), served.tolist()) == ([0] if again else [0, 1], [])
        codes = [finding.code for finding in found.findings.get(1, [])]
        assert codes == (["recipient.duplicate"] if again else [])
