"""The rules of a row: the whole sample list, and each rule at its borders."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pytest

from pipeline.core.calendar import JST
from pipeline.core.examine import Examined, examine
from pipeline.core.policy import Limits, Policy, Roles
from pipeline.core.uniqueness import Ledgered, Uniqueness
from pipeline.messages import ROWS, Language, fill
from pipeline.model import Finding
from schemas.recipients import ACCEPTED_FIELDS, ROLES
from tests.core.comparing import values_of

SAMPLES: Final = Path(__file__).parents[2] / "sample_data"
FIELDS: Final = ACCEPTED_FIELDS
LIMITS: Final = Limits(
    overseas=False,
    text_bytes=140,
    text_characters=70,
    longest_characters=670,
    line_break=2,
    short_link=19,
    url_characters=2083,
    code_characters=20,
    smsid_characters=50,
    template_id_max=999999,
    title_min=2,
    title_max=11,
    carriers=("docomo", "au", "SoftBank"),
    bytes_only=("au",),
)
NOW: Final = datetime(2026, 11, 25, 9, 30, tzinfo=JST)
POLICY: Final = Policy(limits=LIMITS, now=NOW)
ROW: Final = "row_number"


def records(name: str, encoding: str = "utf-8") -> list[list[str]]:
    with (SAMPLES / name).open(encoding=encoding, newline="") as stream:
        return list(csv.reader(stream))


def check(
    rows: Sequence[dict[str, str]], *, policy: Policy = POLICY, common_text: str | None = None, final: bool = False
) -> Examined:
    columns = dict.fromkeys(name for row in rows for name in row)
    chunk = pd.DataFrame({name: [row.get(name, "") for row in rows] for name in columns}, dtype="str")
    chunk.insert(0, ROW, list(range(2, len(rows) + 2)))
    roles = Roles({name: name for name in columns if name in ROLES}, common_text, final=final)
    return examine(chunk, ROW, roles, policy, FIELDS)


def one(*, policy: Policy = POLICY, **cells: str) -> list[Finding]:
    return check([{"msisdn": "09011112222", "text": "あ", **cells}], policy=policy).findings.get(0, [])


def codes(*, policy: Policy = POLICY, **cells: str) -> list[str]:
    return [finding.code for finding in one(policy=policy, **cells)]


def sample(name: str, encoding: str, chunk_rows: int) -> list[tuple[Examined, int]]:
    """Return every row of a sample list as (chunk, position), read with the csv module."""
    header, *rows = records(name, encoding)
    synonyms = {"電話番号": "msisdn", "本文": "text", "URL": "originalurl", "メモ": "memo"}
    roles = Roles({synonyms[column]: column for column in header if column in synonyms})
    unique = Uniqueness(Ledgered())
    found: list[tuple[Examined, int]] = []
    for start in range(0, len(rows), chunk_rows):
        part = rows[start : start + chunk_rows]
        chunk = pd.DataFrame(part, columns=header, dtype="str")
        chunk.insert(0, ROW, list(range(start + 2, start + 2 + len(part))))
        examined = examine(chunk, ROW, roles, POLICY, FIELDS)
        unique.check(examined, roles)
        found += [(examined, position) for position in range(len(part))]
    return found


@pytest.mark.parametrize("chunk_rows", [509, 100, 7])
def test_the_sample_list_ends_as_expected(chunk_rows: int) -> None:
    header, *expected = records("expected.csv")
    wanted = [dict(zip(header, row, strict=True)) for row in expected]
    found = sample("recipients.csv", "utf-8", chunk_rows)
    assert len(found) == len(wanted) == 509
    for want, (examined, at) in zip(wanted, found, strict=True):
        row = examined.row_numbers[at]
        assert row == int(want["row_number"])
        findings = [finding.code for finding in examined.findings.get(at, [])]
        assert (row, set(findings)) == (row, set(filter(None, want["codes"].split("|"))))
        assert len(findings) == len(set(findings))
        assert (at not in examined.findings) is (want["verdict"] == "accepted")
        lengths = (int(want["characters"]), int(want["bytes"])) if want["text"] else None
        if want["verdict"] == "accepted":
            values = {name: column[0].as_py() for name, column in examined.values(np.array([at])).items()}
            assert (row, values["msisdn"], values["text"]) == (row, want["msisdn"], want["text"])
            assert (row, (examined.characters[at], examined.size[at])) == (row, lengths)
        elif shown := examined.expanded.get(at):
            assert (row, (shown.characters, shown.size)) == (row, lengths)


def test_the_sample_list_is_repaired_as_expected() -> None:
    header, *expected = records("expected.csv")
    at = header.index("repaired")
    numbers = [row[0] for row in records("recipients.csv")]
    examined, _ = sample("recipients.csv", "utf-8", 509)[0]
    got: dict[int, set[str]] = {}
    for repair in examined.repairs.to_pylist():
        got.setdefault(repair["row_number"], set()).add(repair["rule"])
        assert repair["before"] != repair["after"]
    different: set[int] = set()
    for wanted in expected:
        row = int(wanted[0])
        # The list counts every hyphen as a repair; the product does not, where the cell is plainly spelled.
        plain = re.fullmatch(" *[0-9]+(-[0-9]+)* *", numbers[row - 1])
        ignored = {"phone.separators"} if plain else set()
        if set(filter(None, wanted[at].split("|"))) - ignored != got.get(row, set()) - ignored:
            different.add(row)
    assert not different


def test_the_cp932_list_loses_what_its_readme_says() -> None:
    found = sample("recipients-cp932.csv", "cp932", 509)
    assert sum(at not in examined.findings for examined, at in found) == 443
    assert all(found[row - 2][0].findings.get(row - 2) is None for row in (17, 98, 157, 230, 242, 394, 424))
    for row in (97, 109, 114, 127, 195, 237, 492):
        assert [finding.code for finding in found[row - 2][0].findings[row - 2]] == ["phone.letter"]


def test_every_finding_has_words_and_its_facts_fill_them() -> None:
    found = sample("recipients.csv", "utf-8", 509)[0][0]
    findings = [finding for several in found.findings.values() for finding in several]
    findings += one(originalurl="https://a/あ", title="1", smsid="1") + one(info1="①", smsid="a b")
    for finding in findings:
        for language in Language:
            words = fill(ROWS[finding.code], language, finding.facts)
            assert "{" not in words or "tag." in finding.code or finding.code.startswith("url.")


def test_a_row_shows_everything_that_is_wrong_with_it() -> None:
    assert codes(msisdn="03-1111-2222", text="①{URL", originalurl="ftp://x", smsid="a b", title="x", info1="髙") == [
        "phone.not_mobile",
        "tag.unclosed",
        "url.scheme",
        "smsid.characters",
        "title.characters",
        "field.platform_dependent",
    ]


def test_platform_dependent_characters_are_named_by_place() -> None:
    (finding,) = one(text="あ①髙い" + "㈱" * 6)
    assert finding.code == "text.platform_dependent"
    assert [(found.position, found.character) for found in finding.characters] == [
        (2, "①"),
        (3, "髙"),
        *((position, "㈱") for position in range(5, 11)),
    ]
    assert str(finding.facts["shown"]).count(",") == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("あ" * 70, []),
        ("あ" * 71, ["text.too_many_bytes", "text.too_many_characters"]),
        ("x" * 140, []),
        ("x" * 141, ["text.too_many_bytes"]),
        ("あ" * 60 + "x" * 10, []),
        ("あ" * 60 + "x" * 11, ["text.too_many_characters"]),
        ("あ" * 68 + "\n", []),
        ("あ" * 69 + "\n", ["text.too_many_characters"]),
        ("あ" * 68 + "\r\n", []),
        ("ｱ" * 70, []),
        ("ｱ" * 71, ["text.too_many_characters"]),
        ("", ["text.empty"]),
        (" 　\r\n", ["text.empty"]),
    ],
)
def test_lengths_at_their_borders(text: str, expected: list[str]) -> None:
    assert codes(text=text) == expected


def test_links_count_as_the_short_link() -> None:
    long = "https://example.jp/" + "a" * 500
    assert codes(text="あ" * 51 + "{URL}", originalurl=long) == []
    assert codes(text="あ" * 52 + "{URL}", originalurl=long) == ["text.too_many_characters"]
    assert codes(text="あ{URL}{URL3}", originalurl=long) == ["url.tag_without_url"]
    assert codes(text="あ{URL3}", originalurl3=long) == []


def test_info_values_count_as_they_are_and_stay_tags() -> None:
    found = check([{"msisdn": "09011112222", "text": "あ{info1}", "info1": "い" * 69}])
    assert found.accepted().tolist() == [0]
    assert (values_of(found)["text"].to_pylist(), found.characters.tolist()) == (["あ{info1}"], [70])
    assert codes(text="あ{info1}", info1="い" * 70) == ["text.too_many_bytes", "text.too_many_characters"]
    assert codes(text="あ{info1}", info1="{info2}", info2="x") == ["tag.in_value"]


@pytest.mark.parametrize("value", ["{URL}", "{URL4}", "{info1}", "x{info4}y"])
@pytest.mark.parametrize("text", ["あ{name}", "{URL}{name}"])
def test_a_value_never_brings_a_gateway_tag(value: str, text: str) -> None:
    (finding,) = one(text=text, name=value, originalurl="https://a/b", info1="a", info4="a")
    assert finding.code == "tag.in_value"


def test_a_value_may_hold_other_braces() -> None:
    assert codes(text="あ{name}", name="{other}") == []


def test_tags_split_over_values_do_not_join_into_a_gateway_tag() -> None:
    assert codes(text="{a}URL}", a="{") in (["tag.in_value"], ["tag.unclosed"])
    assert codes(text="{a}{b}", a="{UR", b="L}") == ["tag.in_value"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.jp/", []),
        ("HTTP://EXAMPLE.JP/%E3%81%82?a=b&c=d#e", []),
        ("https://[::1]/~x_y-z.(1)!*'+,;:@$", []),
        ("https://a/" + "b" * 2073, []),
        ("https://a/" + "b" * 2074, ["url.too_long"]),
        ("ftp://example.jp/", ["url.scheme"]),
        ("example.jp", ["url.scheme"]),
        ("https://", ["url.scheme"]),
        ("https:///x", ["url.scheme"]),
        (" https://a/b", ["url.scheme"]),
        ("https://a/b c", ["url.characters"]),
        ("https://a/あ", ["url.characters"]),
        ("https://a/\n", ["url.characters"]),
        ('https://a/"', ["url.characters"]),
        ("https://a/<", ["url.characters"]),
        ("https://a/{x}", ["url.characters"]),
        ("https://a/\\", ["url.characters"]),
    ],
)
def test_links(url: str, expected: list[str]) -> None:
    assert codes(originalurl2=url) == expected


def test_a_strange_character_of_a_link_is_shown_with_its_place() -> None:
    (finding,) = one(originalurl="HTTPS://A/B|c")
    assert (finding.column, finding.facts) == ("originalurl", {"shown": "12:|(U+007C)"})


@pytest.mark.parametrize(
    ("smsid", "expected"),
    [
        ("aB9", []),
        ("a" * 50, []),
        ("a" * 51, ["smsid.characters"]),
        ("a-b", ["smsid.characters"]),
        ("ａ", ["smsid.characters"]),
        ("123", ["smsid.is_a_number"]),
        ("1E5", ["smsid.is_a_number"]),
        ("1e", []),
        ("", []),
    ],
)
def test_own_smsids(smsid: str, expected: list[str]) -> None:
    assert codes(smsid=smsid) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("", []),
        ("ab", []),
        ("a-b_c.d1234", []),
        ("a", ["title.characters"]),
        ("a" * 12, ["title.characters"]),
        ("12", ["title.digits_only"]),
        ("1a", []),
        ("店舗", ["title.characters"]),
        ("a b", ["title.characters"]),
    ],
)
def test_titles(title: str, expected: list[str]) -> None:
    assert codes(title=title) == expected


def test_a_memo_may_hold_anything_and_info_values_may_not() -> None:
    assert codes(memo="①𠮷\u200b") == []
    assert codes(info3="①") == ["field.platform_dependent"]


def test_one_text_for_the_whole_list() -> None:
    found = check(
        [{"msisdn": "09011112222", "name": "山田"}, {"msisdn": "09011113333", "name": "①"}],
        common_text="{name}様\n",
    )
    assert values_of(found)["text"][0].as_py() == "山田様\n"
    assert found.accepted().tolist() == [0]
    assert [finding.column for finding in found.findings[1]] == ["name"]


def test_overseas_numbers_need_the_option() -> None:
    assert codes(msisdn="+14155550123") == ["phone.overseas_disabled"]
    assert codes(msisdn="+14155550123", policy=replace(POLICY, limits=replace(LIMITS, overseas=True))) == []


def test_an_empty_chunk_is_examined() -> None:
    chunk = pd.DataFrame({ROW: pd.Series([], dtype=int), "msisdn": pd.Series([], dtype="str")})
    found = examine(chunk, ROW, Roles({"msisdn": "msisdn"}, "x"), POLICY, FIELDS)
    assert (len(found.accepted()), found.repairs.num_rows, len(found.fields["msisdn"])) == (0, 0, 0)


def unique(rows: Sequence[dict[str, str]], used: set[str] | None = None) -> dict[int, list[Finding]]:
    found = check([{"text": "あ", **row} for row in rows])
    asked: list[list[str]] = []

    def taken(smsids: list[str]) -> set[str]:
        asked.append(smsids)
        return used or set()

    Uniqueness(Ledgered(used_smsids=taken)).check(found, Roles({}))
    assert bool(asked) is any(row.get("smsid") for row in rows)
    return found.findings


def test_the_first_acceptable_row_of_a_number_stays() -> None:
    first, again = {"msisdn": "090-1111-2222"}, {"msisdn": "+81 90 1111 2222"}
    assert unique([first, {"msisdn": "08011112222"}]) == {}
    assert unique([first, again, first]) == {
        1: [Finding(3, "msisdn", "recipient.duplicate", {"first": 2})],
        2: [Finding(4, "msisdn", "recipient.duplicate", {"first": 2})],
    }
    rejected = unique([{**first, "originalurl": "x"}, again])
    assert [finding.code for finding in rejected.pop(0)] == ["url.scheme"]
    assert rejected == {}


def test_an_smsid_is_given_once() -> None:
    rows = [
        {"msisdn": "09011112222", "smsid": "a1"},
        {"msisdn": "09011113333", "smsid": "a1"},
        {"msisdn": "09011113333", "smsid": "A1"},
        {"msisdn": "09011114444", "smsid": "z9"},
    ]
    assert unique(rows, {"z9"}) == {
        1: [Finding(3, "smsid", "smsid.duplicate", {"first": 2})],
        3: [Finding(5, "smsid", "smsid.duplicate", {"first": "-"})],
    }


#: what somebody may have typed into a form in the place of a name
TYPED: Final = ("{memo}", "{msisdn}", "{text}", "{x}", "{", "}", "{}", "}{", "{{memo}", "{URL5}", "{info5}", "｛memo｝")


def test_a_final_text_is_what_it_was_whatever_stands_between_braces() -> None:
    """Only the gateway's tags are left in it; whatever else looks like one came with a value, and is no tag."""
    common = {"memo": "pays late", "info1": "いち", "originalurl": "https://example.jp/a"}
    texts = ("{name}様", "{name}様\n{info1} {URL}", "{info1}{name}{URL}")
    rows = [
        {"msisdn": f"0901111{number:04d}", "text": text, "name": typed} | common
        for number, (text, typed) in enumerate((text, typed) for text in texts for typed in TYPED)
    ]
    first = check(rows)
    assert first.findings == {}
    texts_sent = values_of(first)["text"].to_pylist()
    again = [row | {"text": sent} for row, sent in zip(rows, texts_sent, strict=True)]
    found = check(again, final=True)
    assert found.findings == {}
    assert found.repairs.num_rows == 0
    assert values_of(found)["text"].to_pylist() == texts_sent
    assert (found.size.tolist(), found.characters.tolist()) == (first.size.tolist(), first.characters.tolist())


def test_a_final_text_is_held_to_the_other_rules() -> None:
    rows = [
        {"msisdn": "09011110001", "text": "{URL}{x}"},
        {"msisdn": "09011110002", "text": "{x}" + "あ" * 70},
        {"msisdn": "09011110003", "text": "{①}"},
        {"msisdn": "09011110004", "text": "{x}{info1}", "info1": "{info2}"},
    ]
    found = check(rows, final=True).findings
    assert [[(one.code, one.column) for one in found[row]] for row in range(4)] == [
        [("url.tag_without_url", "text")],
        [("text.too_many_bytes", "text"), ("text.too_many_characters", "text")],
        [("text.platform_dependent", "text")],
        [("tag.in_value", "text")],
    ]
