"""A whole input through the stage, and every line of its four files compared with the naive reference."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pipeline.config import load
from pipeline.simulator import EmbeddedGateway, VirtualClock
from pipeline.stages.out import FILES
from pipeline.stages.validate import Request, validate
from tests.core.comparing import NAME, ROLES, dirty_rows, everyday_rows
from tests.core.reference import Account, File
from tests.stages.conftest import START, House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.context import Context

#: left out: access codes have no column in the layout, scheduled times are not confirmed
_LEFT_OUT = ("originalurlcode", "scheduled")
_ROLES = {role: column for role, column in ROLES.items() if role not in _LEFT_OUT}
_COLUMNS = (*_ROLES.values(), NAME, "店〜", "か\u3099", "㈱")


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    profile = load(tmp_path / "none.toml", {}, required=False).profile
    with EmbeddedGateway(profile, seed=7, clock=VirtualClock(START, ticking=False)) as gateway:
        house = House(tmp_path, gateway, "sqlite:///workspace/ledger.sqlite3")
        yield house.open(create=True)
        house.close()


def rows_of(count: int) -> Iterator[dict[str, str]]:
    """Yield rows as a customer's list has them, one in fifty as no list should; numbers come again."""
    for start in range(0, count, 10_000):
        size = min(10_000, count - start)
        dirty = dirty_rows(size // 50, start + 1, chance=0.1)
        everyday = everyday_rows(size - len(dirty), start)
        for row in (*everyday[: size // 2], *dirty, *everyday[size // 2 :]):
            # A file with NUL is refused as a whole.
            yield {name: row[name].replace("\x00", "\x01") for name in _COLUMNS}


def lines(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def compared(context: Context, folder: Path, count: int) -> Counter[str]:
    """Validate a list of ``count`` rows and compare what was written; return how many rows ended how."""
    source = folder / "list.csv"
    with source.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows_of(count))
    out = folder / "out"
    out.mkdir()
    done = validate(context, Request(source, "c"), out=out)
    accepted, rejected, already, repaired = (lines(done.folder / name) for name in FILES)
    file = File(Account(now=START), _ROLES)
    ended: Counter[str] = Counter()
    repairs: list[tuple[int, str, str, str, str]] = []
    for row, cells in enumerate(rows_of(count), 2):
        verdict, outcome = file.judge(row, cells)
        ended[outcome] += 1
        repairs += [(row, *repair) for repair in verdict.repairs]
        if outcome == "accepted":
            line = next(accepted)
            numbers = verdict.characters, verdict.size, verdict.double_byte
            got = int(line["characters"]), int(line["bytes"]), line["double_byte"].lower() == "true"
            assert (int(line["row_number"]), line["msisdn"], line["text"], got) == (
                *(row, verdict.msisdn, verdict.text),
                numbers,
            )
        else:
            line = next(rejected)
            assert int(line["mediasms_row"]) == row
            assert {name: line[name] for name in _COLUMNS} == cells
            assert (row, set(line["mediasms_code"].split("|"))) == (row, verdict.codes)
            assert set(line["mediasms_column"].split("|")) == {column for column, _ in verdict.findings}
    assert [*accepted, *rejected, *already] == []
    written = [(int(r["row_number"]), r["column"], r["rule"], r["before"], r["after"]) for r in repaired]
    assert sorted(written) == sorted(repairs)
    totals = done.batch.totals
    assert (totals.rows, totals.accepted, totals.rejected) == (count, ended["accepted"], ended["rejected"])
    assert done.batch.repaired == len(repairs)
    return ended


@pytest.mark.unmeasured
def test_twenty_thousand_rows_end_as_the_reference_says(context: Context, tmp_path: Path) -> None:
    ended = compared(context, tmp_path, 20_000)
    assert ended["accepted"] > 15_000
    assert ended["rejected"] > 300


@pytest.mark.scale
@pytest.mark.timeout(3600)
def test_a_million_rows_end_as_the_reference_says(context: Context, tmp_path: Path) -> None:
    ended = compared(context, tmp_path, 1_000_000)
    assert ended["accepted"] > 700_000
    assert ended["rejected"] > 15_000


@pytest.mark.parametrize("name", ["row_number", "smsid ", "mediasms", "characters", "bytes", "column 2"])
def test_a_column_may_be_called_as_we_call_things(context: Context, tmp_path: Path, name: str) -> None:
    source, out = tmp_path / "list.csv", tmp_path / "out"
    out.mkdir()
    source.write_text(f"電話番号,本文,{name}\r\n09011112222,{{{name.strip()}}}様,x7\r\n09011113333,①,x8\r\n", "utf-8")
    done = validate(context, Request(source, "c"), out=out)
    (accepted,), (rejected,) = lines(out / "accepted.csv"), lines(out / "rejected.csv")
    assert (accepted["row_number"], accepted["text"]) == ("2", "x7様")
    assert (rejected["mediasms_row"], rejected[name.strip()]) == ("3", "x8")
    assert done.batch.totals.accepted == 1
