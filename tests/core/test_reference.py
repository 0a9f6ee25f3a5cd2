"""The reference itself: it must say of the sample list what was written down about it by hand."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Final

import pytest

from tests.core.comparing import ACCOUNT
from tests.core.reference import REPERTOIRE, File, read_number

SAMPLES: Final = Path(__file__).parents[2] / "sample_data"
ROLES: Final = {"msisdn": "電話番号", "text": "本文", "originalurl": "URL", "memo": "メモ"}


def table(name: str) -> list[dict[str, str]]:
    with (SAMPLES / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_reference_says_what_is_written_about_the_sample_list() -> None:
    file = File(ACCOUNT, ROLES)
    rows, expected = table("recipients.csv"), table("expected.csv")
    assert len(rows) == len(expected) == 509
    for number, (cells, want) in enumerate(zip(rows, expected, strict=True), 2):
        verdict, outcome = file.judge(number, cells)
        assert (number, outcome) == (int(want["row_number"]), want["verdict"])
        assert (number, verdict.codes) == (number, set(filter(None, want["codes"].split("|"))))
        rules = {rule for _, rule, _, _ in verdict.repairs}
        # The list counts every hyphen as a repair; the gateway takes 090-1234-5678 itself.
        plain = {"phone.separators"} if re.fullmatch(" *[0-9]+(-[0-9]+)* *", cells["電話番号"]) else set()
        assert (number, rules - plain) == (number, set(filter(None, want["repaired"].split("|"))) - plain)
        if outcome == "accepted":
            assert (number, verdict.msisdn, verdict.text) == (number, want["msisdn"], want["text"])
            assert (verdict.characters, verdict.size) == (int(want["characters"]), int(want["bytes"]))


def test_the_reference_knows_jis_x_0208() -> None:
    assert len(REPERTOIRE) == 6879 + 95 + 63 + 1  # the standard, ASCII, half-width katakana, the line break
    assert set("あ漢ｱa～－∥￠￡￢\n") <= REPERTOIRE
    assert not set("①㈱髙﨑〜−‖¢£¬\r\t\x7f\x80") & REPERTOIRE


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("09012345678", ("09012345678", ())),
        (" 090-1234-5678 ", ("09012345678", ())),
        (
            "tel: ０９０１２３４５６７８．００",
            ("09012345678", ("phone.prefix", "phone.full_width", "phone.spreadsheet_number")),
        ),
        ("9012345678.0", ("09012345678", ("phone.spreadsheet_number", "phone.lost_zero"))),
        ("+81(0)90-1234-5678", ("09012345678", ("phone.separators", "phone.international"))),
        ("090.1234.0000", ("09012340000", ("phone.separators",))),
        ("9.01E+09", "phone.scientific"),
        ("2026/11/23 10:00", "phone.date"),
        ("1234567890123450", "phone.truncated"),
        ("02041234567", "phone.not_mobile"),
        ("0901234567²", "phone.letter"),
    ],
)
def test_the_reference_reads_numbers(value: str, expected: object) -> None:
    assert read_number(value, overseas=False) == expected
