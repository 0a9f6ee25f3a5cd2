"""Each rule at its borders, on the way of the kernels and on that of single rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Final

import pandas as pd
import pytest

from pipeline.core import rules
from pipeline.core.examine import Examined, examine
from pipeline.core.policy import Limits, Roles
from pipeline.core.row import Row
from pipeline.core.rules import REGISTRATION_DATE
from pipeline.messages import REPAIRS, ROWS, Language, fill
from pipeline.model import Finding
from schemas.recipients import ACCEPTED_FIELDS
from schemas.recipients import ROLES as ALL_ROLES
from schemas.replacements import parse_replacements
from tests.core.comparing import (
    ACCOUNT,
    COLUMNS,
    NOW,
    ROLES,
    dirty_rows,
    examined,
    examined_by_rules_alone,
    policy_of,
    values_of,
)
from tests.core.reference import Account

STANDARD: Final = parse_replacements(
    (files("schemas") / "replacement_tables" / "standard.toml").read_text("utf-8"), "standard.toml"
)
REPLACING: Final = replace(ACCOUNT, replacements={chr(code): by for code, by in STANDARD.items()})
CODE_MARKS: Final = "@%+/'!#$^?:;.,(){}[]~-_"


def check(account: Account = ACCOUNT, /, common_text: str | None = None, **cells: str) -> Examined:
    """Examine one row whose columns are called like the fields they are."""
    row = {"msisdn": "09011112222"} | ({"text": "あ"} if common_text is None else {}) | cells
    roles = {name: name for name in row if name in ALL_ROLES}
    found = examined([row], account, roles, common_text=common_text)
    alone = examined_by_rules_alone([row], account, roles, common_text=common_text)
    assert found.findings == alone.findings
    assert found.repairs.to_pylist() == alone.repairs.to_pylist()
    return found


def one(account: Account = ACCOUNT, /, common_text: str | None = None, **cells: str) -> list[Finding]:
    return check(account, common_text, **cells).findings.get(0, [])


def codes(account: Account = ACCOUNT, /, common_text: str | None = None, **cells: str) -> list[str]:
    return [finding.code for finding in one(account, common_text, **cells)]


# The list of rules ------------------------------------------------------------------------------------------------


def test_every_code_has_a_message_and_every_message_a_code() -> None:
    known = [code for rule in rules.RULES for code in rule.codes] + list(rules.ACROSS)
    assert sorted(known) == sorted(ROWS)


def test_a_rule_gives_the_codes_it_names_and_each_is_given_once_at_least() -> None:
    met: dict[str, set[str]] = {}
    for account in (ACCOUNT, replace(ACCOUNT, overseas=True)):
        rows = list(dirty_rows(3000, seed=11, chance=0.3))
        for number, cells in enumerate([*rows, rows[0] | {ROLES["text"]: "#N/A"}]):
            dated = cells | {REGISTRATION_DATE: ("", "20260431", "20261126")[number % 3]}
            row = Row(number, dated, Roles(ROLES | {REGISTRATION_DATE: REGISTRATION_DATE}), policy_of(account))
            for rule in rules.RULES:
                for finding in rule.check(row):
                    met.setdefault(rule.check.__name__, set()).add(finding.code)
                    assert finding.row_number == number
                    assert finding.column in {*COLUMNS, *ALL_ROLES}
                    for language in Language:
                        assert fill(ROWS[finding.code], language, finding.facts)
    assert met == {rule.check.__name__: set(rule.codes) for rule in rules.RULES if rule.codes}


def test_findings_come_in_the_order_of_the_list() -> None:
    order = {code: place for place, rule in enumerate(rules.RULES) for code in rule.codes}
    longest = 0
    for cells in dirty_rows(300, seed=12, chance=0.5):
        places = [order[finding.code] for finding in rules.findings(Row(2, cells, Roles(ROLES), policy_of()))]
        assert places == sorted(places)
        longest = max(longest, len(places))
    assert longest >= 5


# Numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("2026/11/23", ["phone.date"]),
        ("11月23日", ["phone.date"]),
        ("1234567890123450", ["phone.truncated"]),
        ("123456789012345", ["phone.overseas_disabled"]),
        ("9.01E+09", ["phone.scientific"]),
        ("", ["phone.empty"]),
    ],
)
def test_what_a_spreadsheet_did_to_a_number(number: str, expected: list[str]) -> None:
    assert codes(msisdn=number) == expected


# Templates of the gateway -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "text", "expected"),
    [
        ("", "あ", []),
        (" \u3000", "あ", []),
        ("0", "", ["template.unknown_text"]),
        ("999999", "", ["template.unknown_text"]),
        (" 999999 ", "", ["template.unknown_text"]),
        ("1000000", "", ["template.range"]),
        ("0999999", "", ["template.range"]),
        ("-1", "", ["template.range"]),
        ("1.0", "", ["template.range"]),
        ("１", "", ["template.range"]),
        ("a", "", ["template.range"]),
        ("1" * 5000, "", ["template.range"]),
        ("1", "あ", ["text_and_template"]),
        ("a", "あ", ["text_and_template"]),
        ("1", " \n", ["template.unknown_text"]),
        ("1", "①", ["text_and_template", "text.platform_dependent"]),
    ],
)
def test_template_ids(template: str, text: str, expected: list[str]) -> None:
    assert codes(template_id=template, text=text) == expected


BY_TEMPLATE: Final = replace(ACCOUNT, templates={12: "{info1}様 {URL}", 13: "あ" * 71, 14: "{info1}{info2}"})


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"template_id": "12", "info1": "山田", "originalurl": "https://a.jp/"}, []),
        ({"template_id": " 000012 ", "info1": "山田", "originalurl": "https://a.jp/"}, []),
        ({"template_id": "12", "info1": "山田"}, [("template_id", "url.tag_without_url")]),
        ({"template_id": "12", "info1": "{URL}", "originalurl": "https://a.jp/"}, [("template_id", "tag.in_value")]),
        ({"template_id": "13"}, [("template_id", "text.too_many_bytes"), ("template_id", "text.too_many_characters")]),
        ({"template_id": "14"}, [("template_id", "text.empty")]),
        ({"template_id": "14", "info1": "①"}, [("info1", "field.platform_dependent")]),
        ({"template_id": "15"}, [("template_id", "template.unknown_text")]),
        ({"template_id": "12", "text": "あ"}, [("template_id", "text_and_template")]),
    ],
)
def test_the_text_of_a_template_is_held_to_the_rules_of_texts(
    cells: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    row = {"text": "", "info1": "", "info2": "", "originalurl": ""} | cells
    found = check(BY_TEMPLATE, **row)
    assert [(finding.column, finding.code) for finding in found.findings.get(0, [])] == expected
    if not expected:
        assert found.values(found.accepted())["template_id"].to_pylist() == ["12"]
        assert found.values(found.accepted())["text"].to_pylist() == ["{info1}様 {URL}"]
        assert (found.characters[0], found.size[0]) == (3 + 1 + 19, 6 + 1 + 19)


@pytest.mark.parametrize("limit", [5, 9, 5000, 99999])
def test_no_way_lets_an_id_beyond_the_limit_pass(limit: int) -> None:
    limits = replace(policy_of().limits, template_id_max=limit)
    policy = replace(policy_of(replace(BY_TEMPLATE, unchecked_templates=True)), limits=limits)
    given = ["0", str(limit - 1), str(limit), str(limit + 1), "9" * len(str(limit)), "1" + "0" * len(str(limit))]
    chunk = pd.DataFrame({"t": given, "n": [f"0901111222{at}" for at in range(len(given))]}, dtype="str")
    chunk.insert(0, "row", range(len(given)))
    found = examine(chunk, "row", Roles({"msisdn": "n", "template_id": "t"}), policy, ["template_id"])
    wrong = {given[at]: [finding.code for finding in findings] for at, findings in found.findings.items()}
    assert wrong == {one: ["template.range"] for one in given if int(one) > limit}


def test_a_template_nobody_knows_goes_out_where_that_is_wanted_and_has_no_length() -> None:
    found = check(replace(BY_TEMPLATE, unchecked_templates=True), template_id="15", text=" \n")
    assert found.findings == {}
    assert found.values(found.accepted())["text"].to_pylist() == [""]
    assert (found.characters[0], found.size[0], found.double_byte[0]) == (0, 0, False)


@pytest.mark.parametrize(("memo", "expected"), [("髙①", ["field.platform_dependent"]), ("a〜b", [])])
def test_a_memo_has_to_be_sayable_where_it_goes_in_shift_jis(memo: str, expected: list[str]) -> None:
    assert codes(memo=memo) == []
    found = check(replace(ACCOUNT, shift_jis=True), memo=memo)
    assert [finding.code for finding in found.findings.get(0, [])] == expected
    if not expected:
        assert found.values(found.accepted())["memo"].to_pylist() == ["a～b"]


def test_a_template_id_excludes_a_text_for_the_whole_list() -> None:
    assert codes(common_text="あ", template_id="1") == ["text_and_template"]
    assert codes(common_text="あ", template_id="") == []


# Access codes, titles, smsids ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", rules.CODE_FIELDS)
def test_access_codes_at_their_borders(field: str) -> None:
    assert codes(**{field: ""}) == []
    assert codes(**{field: "a"}) == []
    assert codes(**{field: "a" * 20}) == []
    (finding,) = one(**{field: "a" * 21})
    assert (finding.column, finding.code, finding.facts) == (field, "code.characters", {"limit": 20})


@pytest.mark.parametrize("mark", CODE_MARKS)
def test_marks_of_an_access_code(mark: str) -> None:
    assert codes(originalurlcode=mark) == []


def test_no_other_ascii_character_may_stand_in_an_access_code() -> None:
    others = [chr(code) for code in range(0x80) if not chr(code).isalnum() and chr(code) not in CODE_MARKS]
    assert len(others) == 0x80 - 62 - len(CODE_MARKS)
    for character in (*others, "あ", "ａ", "é", "\u017f"):
        assert codes(originalurlcode3=f"a{character}b") == ["code.characters"]


@pytest.mark.parametrize("title", ["12", "0" * 11])
def test_a_title_is_not_only_digits(title: str) -> None:
    assert codes(title=title) == ["title.digits_only"]
    assert codes(title=title[:-1] + ".") == []


@pytest.mark.parametrize("title", ["1", "0" * 12, "１２", "²²"])
def test_a_title_of_digits_that_breaks_another_rule_is_told_that(title: str) -> None:
    assert codes(title=title) == ["title.characters"]


@pytest.mark.parametrize(
    ("smsid", "expected"),
    [
        ("1.23457E+14", ["smsid.spreadsheet"]),
        ("1.2e+5", ["smsid.spreadsheet"]),
        ("123456789012345000", ["smsid.spreadsheet"]),
        ("1234567890123450", ["smsid.spreadsheet"]),
        ("100000000000000" + "0" * 40, ["smsid.spreadsheet"]),
        ("1234567890123451", ["smsid.is_a_number"]),
        ("123456789012345", ["smsid.is_a_number"]),
        ("0123456789012340", ["smsid.is_a_number"]),
        ("1.23E-14", ["smsid.characters"]),
        ("12.3E+14", ["smsid.characters"]),
        ("1E14", ["smsid.is_a_number"]),
        ("a1234567890123450", []),
        ("x" * 50, []),
        ("x" * 51, ["smsid.characters"]),
    ],
)
def test_smsids_that_a_spreadsheet_damaged(smsid: str, expected: list[str]) -> None:
    assert codes(smsid=smsid) == expected


# Scheduled times --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", []),
        (" ", []),
        ("202611250930", ["senddatetime.past"]),  # now, to the minute
        ("202611250929", ["senddatetime.past"]),
        ("202611250931", []),
        (" 202611250931\n", []),
        ("2026.11.25.09.31", []),
        ("2026.11.25.09.30", ["senddatetime.past"]),
        ("202802290000", []),
        ("202702290000", ["senddatetime.format"]),
        ("210002290000", ["senddatetime.format"]),
        ("240002290000", []),
        ("202612012359", []),
        ("202612012400", ["senddatetime.format"]),
        ("202612010960", ["senddatetime.format"]),
        ("202613010930", ["senddatetime.format"]),
        ("202611310930", ["senddatetime.format"]),
        ("202600010930", ["senddatetime.format"]),
        ("20261201093000", ["senddatetime.format"]),
        ("20261201093", ["senddatetime.format"]),
        ("2026.12.1.9.30", ["senddatetime.format"]),
        ("2026/12/01", ["senddatetime.format"]),
        ("9:30", ["senddatetime.format"]),
        ("12/01/2026 9:30", ["senddatetime.format"]),
        ("01/12/2026 09:30", ["senddatetime.format"]),
        ("26/12/01 09:30", ["senddatetime.format"]),
        ("2126-12/01 09:30", ["senddatetime.format"]),
        ("2026/12/01 24:00", ["senddatetime.format"]),
        ("2026/12/01 9:60", ["senddatetime.format"]),
        ("2026/12/01 9:5", ["senddatetime.format"]),
        ("2026/12/01 9時30分", ["senddatetime.format"]),
        ("2026/12/01 9:30 PM", ["senddatetime.format"]),
        ("2026/02/29 09:30", ["senddatetime.format"]),
        ("2026-12-01 09:30:30", ["senddatetime.format"]),  # would go out half a minute early
        ("2026-12-01 09:30:00.5", ["senddatetime.format"]),
        ("2026-12-01T09:30Z", ["senddatetime.format"]),
        ("2026-12-01T09:30+00:00", ["senddatetime.format"]),
        ("46357.3958333333", ["senddatetime.format"]),  # the number of the day, where a spreadsheet lost the format
        ("2.02612E+11", ["senddatetime.format"]),
        ("2026/11/25 9:30", ["senddatetime.past"]),
        ("2026/11/25 9:31", []),
        ("２０２６１２０１０９３０", ["senddatetime.format"]),
        ("2026 12010930", ["senddatetime.format"]),
        ("明日", ["senddatetime.format"]),
    ],
)
def test_scheduled_times(given: str, expected: list[str]) -> None:
    assert codes(scheduled=given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("20261125", "20261125"),  # today
        ("20240229", "20240229"),
        (" 19990101 ", "19990101"),
        ("2026/4/1", "20260401"),
        ("2026/04/01", "20260401"),
        ("2026-04-01", "20260401"),
        ("2026.4.1", "20260401"),
        ("2026年4月1日", "20260401"),
        ("2026-04-01 00:00", "20260401"),
        ("2026/4/1 9:05:59", "20260401"),
        ("2026-04-01T23:59:59", "20260401"),
        ("", "registrationdate.missing"),
        (" 　", "registrationdate.missing"),
        ("20261126", "registrationdate.future"),
        ("2026/11/26", "registrationdate.future"),
        ("20991231", "registrationdate.future"),
        ("20250229", "registrationdate.format"),
        ("20261301", "registrationdate.format"),
        ("20260400", "registrationdate.format"),
        ("2026041", "registrationdate.format"),
        ("202604011", "registrationdate.format"),
        ("202641", "registrationdate.format"),
        ("2026/4-1", "registrationdate.format"),
        ("2026/4", "registrationdate.format"),
        ("26/4/1", "registrationdate.format"),
        ("4/1/2026", "registrationdate.format"),
        ("1/4/26", "registrationdate.format"),
        ("46113", "registrationdate.format"),  # the number of the day, where a spreadsheet lost the format
        ("1900/1/0", "registrationdate.format"),
        ("1899-12-30", "registrationdate.format"),
        ("令和8年4月1日", "registrationdate.format"),
        ("２０２６０４０１", "registrationdate.format"),
        ("2026-04-01Z", "registrationdate.format"),
        ("2026-04-01 午前", "registrationdate.format"),
        ("不明", "registrationdate.format"),
    ],
)
def test_registration_dates(given: str, expected: str) -> None:
    found = check(registrationdate=given)
    told = [finding.code for finding in found.findings.get(0, [])]
    assert told or values_of(found)[REGISTRATION_DATE].to_pylist() == [expected]
    assert not told or told == [expected]


def test_a_registration_date_comes_at_midnight_in_japan() -> None:
    before = replace(ACCOUNT, now=datetime(2026, 11, 24, 23, 59, 59, tzinfo=NOW.tzinfo))
    assert codes(before, registrationdate="20261125") == ["registrationdate.future"]
    assert codes(replace(ACCOUNT, now=before.now + timedelta(seconds=1)), registrationdate="20261125") == []


def test_without_the_column_nobody_asks_for_a_registration_date() -> None:
    assert rules.findings(Row(2, {"msisdn": "09011112222", "text": "x"}, ROLES_OF_TWO, policy_of())) == []


def test_a_number_that_is_only_checked_needs_no_text() -> None:
    cells = {"msisdn": "090-1111-2222", REGISTRATION_DATE: "2026/4/1"}
    chunk = pd.DataFrame([{"row": 2} | cells, {"row": 3, "msisdn": "x", REGISTRATION_DATE: ""}])
    roles = Roles({name: name for name in cells}, "")
    policy = replace(policy_of(), sends_text=False)
    found = examine(chunk, "row", roles, policy, ACCEPTED_FIELDS)
    assert {at: [finding.code for finding in wrong] for at, wrong in found.findings.items()} == {
        1: ["phone.letter", "registrationdate.missing"]
    }
    assert (found.values(found.accepted())["text"].to_pylist(), found.characters[0], found.size[0]) == ([""], 0, 0)
    assert 0 in examine(chunk, "row", roles, policy_of(), ACCEPTED_FIELDS).findings


def test_a_scheduled_time_goes_out_in_the_form_of_the_gateway() -> None:
    for given in ("202612010930", " 2026.12.01.09.30 "):
        assert values_of(check(scheduled=given))["scheduled"].to_pylist() == ["2026.12.01.09.30"]
    assert values_of(check(scheduled=""))["scheduled"].to_pylist() == [""]


def test_a_time_is_past_by_the_clock_of_japan_to_the_second() -> None:
    minute = datetime(2026, 11, 25, 9, 31, tzinfo=NOW.tzinfo)
    assert codes(replace(ACCOUNT, now=minute - timedelta(seconds=1)), scheduled="202611250931") == []
    assert codes(replace(ACCOUNT, now=minute), scheduled="202611250931") == ["senddatetime.past"]


@pytest.mark.parametrize(
    "given",
    [
        "2026/12/01 09:30",
        "2026/12/1 9:30",
        "2026-12-01 9:30",
        " 2026-12-01 09:30:00\n",
        "2026-12-01 09:30:00.000",
        "2026-12-01T09:30",
        "2026-12-01T09:30:00+09:00",
        "2026-12-01 09:30 JST",
        "2026.12.1 9:30",
        "20261201 9:30",
        "2026年12月1日\u30009:30",
    ],
)
def test_a_time_that_has_one_reading_is_repaired(given: str) -> None:
    found = check(scheduled=given)
    assert values_of(found)["scheduled"].to_pylist() == ["2026.12.01.09.30"]
    (repair,) = found.repairs.to_pylist()
    assert list(repair.values()) == [2, "scheduled", "senddatetime.form", given, "2026.12.01.09.30"]


@pytest.mark.parametrize("given", ["202612010930", " 2026.12.01.09.30 ", "2026/11/25 9:30", "12/01/2026 9:30"])
def test_what_is_fine_or_rejected_is_not_repaired(given: str) -> None:
    assert check(scheduled=given).repairs.num_rows == 0


# Strict -----------------------------------------------------------------------------------------------------------

STRICT: Final = replace(ACCOUNT, strict=True, replacements={"①": "(1)"})
#: repair rule → cells that need it, and the corrected cell
REPAIRABLE: Final = {
    "phone.separators": ({"msisdn": "090 1111 2222"}, "msisdn", "09011112222"),
    "phone.full_width": ({"msisdn": "０９０11112222"}, "msisdn", "09011112222"),
    "phone.lost_zero": ({"msisdn": "9011112222"}, "msisdn", "09011112222"),
    "phone.international": ({"msisdn": "819011112222"}, "msisdn", "09011112222"),
    "phone.plus": ({"msisdn": "+14155550123"}, "msisdn", "14155550123"),
    "phone.spreadsheet_number": ({"msisdn": "09011112222.0"}, "msisdn", "09011112222"),
    "phone.formula_quote": ({"msisdn": "'09011112222"}, "msisdn", "09011112222"),
    "phone.prefix": ({"msisdn": "tel:09011112222"}, "msisdn", "09011112222"),
    "senddatetime.form": ({"scheduled": "2026/12/1 9:30"}, "scheduled", "2026.12.01.09.30"),
    "text.decomposed_kana": ({"text": "か\u3099"}, "text", "が"),
    "text.tab": ({"text": "a\tb"}, "text", "a b"),
    "text.canonical": ({"text": "1〜2{n}", "n": "x"}, "text", "1～2{n}"),
    "text.line_break": ({"text": "a{n}", "n": "\r\n"}, "n", "\n"),
    "text.replaced": ({"info1": "①"}, "info1", "(1)"),
}


def test_every_repair_is_tried() -> None:
    assert REPAIRABLE.keys() == REPAIRS.keys()


@pytest.mark.parametrize("rule", REPAIRABLE)
def test_strictness_rejects_what_would_be_repaired(rule: str) -> None:
    cells, column, after = REPAIRABLE[rule]
    strict = replace(STRICT, overseas=rule == "phone.plus")
    lenient = check(replace(strict, strict=False), **cells)
    assert lenient.findings == {}
    before = cells[column]
    repaired = {"row_number": 2, "column": column, "rule": rule, "before": before, "after": after}
    assert lenient.repairs.to_pylist() == [repaired]
    found = check(strict, **cells)
    assert found.findings[0] == [Finding(2, column, rule, suggestion=after)]
    assert found.repairs.to_pylist() == []  # it was not repaired


def test_strictness_names_every_repair_of_every_cell_once() -> None:
    found = one(STRICT, msisdn="'０９０-1111-2222", text="{a}{a}\t", a="\r〜")
    assert [(finding.column, finding.code) for finding in found] == [
        ("msisdn", "phone.formula_quote"),
        ("msisdn", "phone.full_width"),
        ("msisdn", "phone.separators"),
        ("text", "text.tab"),
        ("a", "text.line_break"),
        ("a", "text.canonical"),
    ]


def test_strictness_has_nothing_against_a_clean_row() -> None:
    assert codes(STRICT, msisdn=" 090-1111-2222 ", text="{a}様", a="あ") == []


# Replacements -----------------------------------------------------------------------------------------------------


def test_a_replacement_is_only_suggested_until_it_is_asked_for() -> None:
    policy = replace(policy_of(), suggestions=STANDARD)
    (finding,) = rules.findings(Row(2, {"msisdn": "09011112222", "text": "髙\r\n①"}, ROLES_OF_TWO, policy))
    assert (finding.code, finding.suggestion) == ("text.platform_dependent", "高\n(1)")
    found = check(REPLACING, text="髙\r\n①")
    assert values_of(found)["text"].to_pylist() == ["高\n(1)"]
    assert {repair["rule"] for repair in found.repairs.to_pylist()} == {"text.replaced", "text.line_break"}


ROLES_OF_TWO: Final = Roles({"msisdn": "msisdn", "text": "text"})


def test_a_cell_that_no_table_mends_wholly_gets_no_suggestion() -> None:
    policy = replace(policy_of(), suggestions=STANDARD)
    (finding,) = rules.findings(Row(2, {"msisdn": "09011112222", "text": "髙\x00"}, ROLES_OF_TWO, policy))
    assert [at.character for at in finding.characters] == ["髙", "\x00"]
    assert finding.suggestion == ""


def test_what_a_chosen_table_does_not_mend_is_still_rejected() -> None:
    (finding,) = one(REPLACING, text="髙\x00")
    assert [(at.position, at.character) for at in finding.characters] == [(2, "\x00")]


@pytest.mark.parametrize(
    "emoji",
    [
        "💌",
        "❤️",
        "👨\u200d👩\u200d👧",
        "👍🏽",
        "🇯🇵",
        "1️⃣",
        "🏴\U000e0067\U000e0062\U000e007f",
        "⌚",
        "〰",
        "㊗",
        "🫠",
        "↔️",
    ],
    ids=ascii,
)
def test_emoji_leave_nothing_behind(emoji: str) -> None:
    found = check(REPLACING, text=f"あ{emoji}い")
    assert values_of(found)["text"].to_pylist() == ["あ1い" if emoji.startswith("1") else "あい"]
    assert [repair["rule"] for repair in found.repairs.to_pylist()] == ["text.replaced"]


def test_a_text_of_emoji_alone_is_empty_when_they_are_gone() -> None:
    assert codes(REPLACING, text="💌 ❤️") == ["text.empty"]


def test_lengths_are_those_after_replacing() -> None:
    found = check(REPLACING, text="あ" * 67 + "①")
    assert (found.characters.tolist(), found.size.tolist(), found.findings) == ([70], [137], {})
    assert codes(REPLACING, text="あ" * 68 + "①") == ["text.too_many_characters"]
    assert codes(REPLACING, text="あ" * 70 + "💌") == []


def test_values_and_info_values_are_replaced_too() -> None:
    found = check(REPLACING, text="{n}{info1}", n="髙", info1="﨑")
    assert values_of(found)["text"].to_pylist() == ["高{info1}"]
    assert values_of(found)["info1"].to_pylist() == ["崎"]
    repairs = [(repair["column"], repair["before"], repair["after"]) for repair in found.repairs.to_pylist()]
    assert sorted(repairs) == [("info1", "﨑", "崎"), ("n", "髙", "高")]


# Carriers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "characters", "double_byte", "expected"),
    [
        (140, 70, True, ()),
        (140, 140, False, ()),
        (140, 71, True, ("docomo", "SoftBank")),
        (141, 141, False, ("docomo", "au", "SoftBank")),
        (142, 71, True, ("docomo", "au", "SoftBank")),
    ],
)
def test_who_cuts_a_text(size: int, characters: int, *, double_byte: bool, expected: tuple[str, ...]) -> None:
    assert policy_of().limits.cut_by(size, characters, double_byte=double_byte) == expected


@pytest.mark.parametrize(
    ("size", "characters", "expected"),
    [
        (1320, 660, ()),
        (1322, 661, ("docomo",)),
        (1340, 670, ("docomo",)),
        (1340, 671, ("docomo", "SoftBank")),
        (1342, 671, ("docomo", "au", "SoftBank")),
    ],
)
def test_who_cuts_a_long_text(size: int, characters: int, expected: tuple[str, ...]) -> None:
    limits: Limits = replace(
        policy_of().limits, text_bytes=1340, text_characters=660, longest_characters=670, shorter=("docomo",)
    )
    assert limits.cut_by(size, characters, double_byte=True) == expected


def test_the_finding_names_the_carriers_that_would_cut() -> None:
    (finding,) = one(text="あ" * 60 + "x" * 20)
    assert finding.facts == {"size": 80, "limit": 70, "over": 10, "carriers": "docomo, SoftBank"}
    two = one(text="あ" * 71)
    assert [(finding.code, finding.facts.get("carriers")) for finding in two] == [
        ("text.too_many_bytes", None),
        ("text.too_many_characters", "docomo, au, SoftBank"),
    ]
    (expanded,) = check(text="あ" * 60 + "x" * 20).expanded.values()
    assert (expanded.size, expanded.characters, expanded.cut_by) == (140, 80, ("docomo", "SoftBank"))


# Which cell brought it ----------------------------------------------------------------------------------------------


def places(findings: list[Finding]) -> list[tuple[str, str, list[tuple[int, str]]]]:
    return [
        (finding.column, finding.code, [(at.position, at.character) for at in finding.characters])
        for finding in findings
    ]


PLATFORM: Final = "text.platform_dependent"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"text": "a①"}, [("text", PLATFORM, [(2, "①")])]),
        # Positions are those of the cell as given, before repairs.
        ({"text": "か\u3099\r\n①"}, [("text", PLATFORM, [(5, "①")])]),
        ({"text": "\t〜¢①\r"}, [("text", PLATFORM, [(4, "①")])]),
        ({"text": "{n}様①", "n": "髙"}, [("text", PLATFORM, [(5, "①")]), ("n", PLATFORM, [(1, "髙")])]),
        ({"text": "{n}様", "n": "\r\n髙\u3099"}, [("n", PLATFORM, [(3, "髙"), (4, "\u3099")])]),
        ({"text": "{n}{m}{n}", "n": "①", "m": "②"}, [("n", PLATFORM, [(1, "①")]), ("m", PLATFORM, [(1, "②")])]),
        # A value that no tag asks for is nobody's business.
        ({"text": "あ", "n": "①"}, []),
        # What the gateway fills in is named once, at its cell.
        ({"text": "{info1}", "info1": "①"}, [("info1", "field.platform_dependent", [(1, "①")])]),
        ({"text": "あ", "info1": "a①"}, [("info1", "field.platform_dependent", [(2, "①")])]),
        (
            {"text": "②{info1}", "info1": "①"},
            [("text", PLATFORM, [(1, "②")]), ("info1", "field.platform_dependent", [(1, "①")])],
        ),
        # The name of a column is no part of what is sent.
        ({"text": "{①}", "①": "a"}, []),
        ({"text": "{①}", "①": "髙"}, [("①", PLATFORM, [(1, "髙")])]),
        # A mark finds its kana in the cell before, but not where the gateway fills in.
        ({"text": "{n}\u3099", "n": "か"}, []),
        ({"text": "{info1}\u3099", "info1": "か"}, [("text", PLATFORM, [(8, "\u3099")])]),
    ],
    ids=ascii,
)
def test_the_cell_that_brought_a_character_is_named(
    cells: dict[str, str], expected: list[tuple[str, str, list[tuple[int, str]]]]
) -> None:
    assert places(one(**cells)) == expected


def test_a_character_of_the_text_for_the_whole_list_is_named_as_the_text() -> None:
    assert places(one(common_text="①{n}", n="a")) == [("text", PLATFORM, [(1, "①")])]
    assert places(one(common_text="①{n}", n="②"))[-1] == ("n", PLATFORM, [(1, "②")])


# Tags and links -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["価格〜", "か\u3099", "㈱", "a\tb", "①"], ids=ascii)
@pytest.mark.parametrize("account", [ACCOUNT, REPLACING], ids=["as it is", "replacing"])
def test_a_tag_names_a_column_as_it_is_spelled(name: str, account: Account) -> None:
    found = check(account, text=f"{{{name}}}円", **{name: "5"})
    assert (found.findings, values_of(found)["text"].to_pylist()) == ({}, ["5円"])
    assert found.repairs.to_pylist() == []


def test_a_tag_is_never_taken_for_a_column_of_another_spelling() -> None:
    found = check(text="{価格〜}\t", **{"価格〜": "5", "価格～": "6"})
    assert values_of(found)["text"].to_pylist() == ["5 "]


def test_the_place_of_a_stray_brace_is_that_in_the_cell_as_given() -> None:
    (finding,) = one(text="a\r\nか\u3099{")
    assert finding.facts == {"position": 6}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"text": "あ{info1}"}, []),
        ({"text": "{info1}"}, ["text.empty"]),
        ({"text": "{info1}", "info1": "い"}, []),
        ({"text": "{info1}{info4}", "info1": " ", "info4": "\u3000"}, ["text.empty"]),
        ({"text": "{info1}", "info1": "い" * 71}, ["text.too_many_bytes", "text.too_many_characters"]),
        ({"text": "{info1}", "info1": "{info1}"}, ["tag.in_value"]),
        ({"text": "{info5}"}, ["tag.unknown"]),
        ({"text": "あ", "info1": "{URL}"}, []),
    ],
    ids=ascii,
)
def test_info_tags(cells: dict[str, str], expected: list[str]) -> None:
    assert codes(**cells) == expected


@pytest.mark.parametrize(
    ("text", "tag", "corrected"),
    [
        ("｛name｝様", "name", "{name}様"),
        ("｛ｎａｍｅ｝様①", "name", "{name}様①"),
        ("〜｛URL｝ {name} ｛info1｝", "URL", "〜{URL} {name} {info1}"),
        ("｛name｝と｛別｝", "name", "{name}と｛別｝"),
        ("｛別｝と｛別", "", ""),
        ("｛name", "", ""),
        ("｛｝", "", ""),
    ],
)
def test_a_tag_in_full_width_braces_would_go_out_as_it_is(text: str, tag: str, corrected: str) -> None:
    found = [finding for finding in one(text=text, name="青木") if finding.code == "tag.full_width"]
    wanted = [("text", {"tag": tag}, corrected)] if tag else []
    assert [(finding.column, finding.facts, finding.suggestion) for finding in found] == wanted


def test_a_column_may_hold_full_width_braces() -> None:
    assert codes(text="{name}様", name="｛name｝") == []


@pytest.mark.parametrize("number", ["", "2", "3", "4"])
def test_a_link_tag_needs_its_own_link(number: str) -> None:
    text, field = f"あ{{URL{number}}}", f"originalurl{number}"
    (finding,) = one(text=text)
    assert (finding.column, finding.code, finding.facts) == ("text", "url.tag_without_url", {"tag": f"URL{number}"})
    assert codes(text=text, **{field: ""}) == ["url.tag_without_url"]
    assert codes(text=text, **{field: "https://a/b"}) == []
    assert codes(text=text, **{field: "b"}) == ["url.scheme"]
    assert codes(text="あ", **{field: "https://a/b"}) == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a/\u017f", ["url.characters"]),  # ſ is a letter s to a comparison without case
        ("https://a/\u212a", ["url.characters"]),  # and the sign of Kelvin a k
        ("https://a/\u0130\u0131", ["url.characters"]),
        ("http\u017f://a/b", ["url.scheme"]),
        ("https://a/" + "b" * 2073, []),
        ("https://a/" + "b" * 2074, ["url.too_long"]),
        ("https://a/" + "b" * 990, []),
        ("https://a/" + "b" * 1000, []),
        ("https://a", []),
        ("https://あ", ["url.characters"]),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_links_are_ascii(url: str, expected: list[str]) -> None:
    assert codes(originalurl=url) == expected


@pytest.mark.parametrize("limit", [1, 9, 20, 500, 1000])
def test_kernels_take_no_more_of_a_link_than_the_account(limit: int) -> None:
    limits = replace(policy_of().limits, url_characters=limit)
    for size in (limit - 1, limit, limit + 1):
        url = ("https://a" + "b" * 2000)[: max(size, 9)]
        row = Row(2, {"u": url}, Roles({"originalurl": "u", "msisdn": "u"}), replace(policy_of(), limits=limits))
        assert [finding.code for finding in rules.links(row)] == (["url.too_long"] if len(url) > limit else [])


def test_a_link_in_a_column_named_as_its_tag_is_no_part_of_the_text() -> None:
    """Only the text holds a character that cannot be sent; the one of the link is the link's business."""
    row = {"msisdn": "09012345678", "text": "{URL}①", "URL": "https://a/\u212a"}
    roles = Roles({"msisdn": "msisdn", "text": "text", "originalurl": "URL"})
    found = rules.findings(Row(2, row, roles, policy_of()))
    assert {(finding.column, finding.code) for finding in found} == {
        ("text", "text.platform_dependent"),
        ("URL", "url.characters"),
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [("", []), ("x" * 64, []), ("x" * 65, ["cost_centre.too_long"]), ("\u3000" * 9 + "部" * 64 + "\n", [])],
    ids=len,
)
def test_a_cost_centre_has_at_most_64_characters_after_trimming(given: str, expected: list[str]) -> None:
    assert codes(cost_centre=given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("#N/A", ["cell.spreadsheet_error"]),
        (" #DIV/0!\n", ["cell.spreadsheet_error"]),
        ("Err:502", ["cell.spreadsheet_error"]),
        ("#1課", []),
        ("課#N/A", []),
        ("Err:5021", []),
    ],
    ids=ascii,
)
def test_an_error_of_a_spreadsheet_is_no_cost_centre(given: str, expected: list[str]) -> None:
    assert codes(cost_centre=given) == expected


@pytest.mark.parametrize("error", ["#N/A", "#SPILL!", "#GETTING_DATA", "#PYTHON!", "Err:501", "Err:540"])
def test_an_error_of_a_spreadsheet_is_no_text_and_no_value(error: str) -> None:
    (finding,) = one(text=f" {error}")
    assert (finding.code, finding.facts) == ("cell.spreadsheet_error", {"shown": error})
    (finding,) = one(text="{name}様、10:50です。", name=error)
    assert (finding.column, finding.code) == ("name", "cell.spreadsheet_error")
    (finding,) = one(text="{info1}様", info1=error)
    assert (finding.column, finding.code) == ("info1", "cell.spreadsheet_error")
    assert codes(text=f"機械に {error} と出ました。", name=error) == []
    assert codes(text="{name}", name=f"{error[:-1]}号室") == []
