"""By what a list is known again: an edited profile makes another batch only where it decides what is sent."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import pytest

from schemas.deciding import deciding_sha256
from schemas.profile import parse_profile

SHIPPED: Final = files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
CARRIER: Final = 'field = "carrier"\ndirection = "result"\ngrade = "T"'
SCHEDULED: Final = 'field = "scheduled"\ndirection = "both"\ngrade = "A"\nconfirmed = '

NOTHING: Final = {
    "a comment": ("[options]", "# ours\n[options]"),
    "the title": ('title = "MediaSMS', 'title = "Our MediaSMS'),
    "a note": ('note = "the account has the long-text option"', 'note = "not booked"'),
    "a grade": ('line_break = { value = 2, grade = "V"', 'line_break = { value = 2, grade = "S"'),
    "an address": ('url = "/api4/"', 'url = "/results/"'),
    "how results are asked for": ('value = "startdate"', 'value = "from"'),
    "what an answer means": ('meaning = "', 'meaning = "our account: '),
    "a status": ('label = "処理中"', 'label = "処理待ち"'),
    "the pace": ("requests_per_second = { value = 80", "requests_per_second = { value = 800"),
    "a column of results": (f"{CARRIER}\n", f"{CARRIER}\nconfirmed = true\n"),
    "where results have it": (f"number = 20\n{CARRIER}", f"number = 62\n{CARRIER}"),
    "a value that is borne out": ("short_link = { value = 19,", "short_link = { value = 19, confirmed = true,"),
}
SOMETHING: Final = {
    "a limit": ("text_characters = { value = 70", "text_characters = { value = 69"),
    "an option": ("overseas = { value = false", "overseas = { value = true"),
    "a name of a column": ('memo = ["memo"', 'memo = ["memo", "覚書"'),
    "a place in the upload": ('number = 2\nfield = "info1"', 'number = 62\nfield = "info1"'),
    "what is confirmed": (f"{SCHEDULED}false", f"{SCHEDULED}true"),
    "the form of a time": ('registered_time_format = { value = "%Y.%m', 'registered_time_format = { value = "%Y-%m'),
    "a parameter": ('value = "registrationdate"', 'value = "regdate"'),
    "an encoding": ('encoding = { value = "utf-8", grade = "V"', 'encoding = { value = "cp932", grade = "V"'),
}


def _edited(change: tuple[str, str]) -> str:
    assert change[0] in SHIPPED
    return deciding_sha256(parse_profile(SHIPPED.replace(*change, 1), "own.toml"))


@pytest.mark.parametrize("change", NOTHING.values(), ids=NOTHING)
def test_what_does_not_decide_what_is_sent_makes_no_other_batch(change: tuple[str, str]) -> None:
    assert _edited(change) == deciding_sha256(parse_profile(SHIPPED, "mediasms.toml"))


@pytest.mark.parametrize("change", SOMETHING.values(), ids=SOMETHING)
def test_what_decides_what_is_sent_makes_another_batch(change: tuple[str, str]) -> None:
    assert _edited(change) != deciding_sha256(parse_profile(SHIPPED, "mediasms.toml"))
