"""The profile: the shipped one says what GATEWAY.md says; a broken one is refused with file and key."""

from __future__ import annotations

import hashlib
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.core.statuses import canonical_label
from pipeline.errors import Exit, UsageError
from pipeline.messages import Language
from schemas.profile import Profile, parse_profile, required

SHIPPED: Final = files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")

# Typed from the table of GATEWAY section 4. リダイレクト: S gives the label, T the number.
STATUSES: Final = """
 1 送信済                delivered  S billable     | 18 ソフトバンクその他失敗 failed     T
 3 リダイレクト          delivered  S+T billable   | 19 ソフトバンク圏外・OFF  failed     T
 2 送信中                pending    S              | 20 ソフトバンク自NW障害   failed     T
 4 未送信                pending    T              | 21 ソフトバンク他NW障害   failed     T
11 処理中                pending    S              | 22 ソフトバンク受信拒否   failed     T
24 送信前                pending    T              | 23 送信不可               failed     T
25 一時停止              pending    T              | 26 None                   no_verdict T
39 承認待ち              pending    T              | 27 SMS送信許可時間外      failed     T
 0 失敗                  failed     S              | 28 双方向SMS利用不可      failed     T
 5 403                   failed     T              | 30 重複不可               failed     T
 7 au圏外・OFF           failed     S              | 31 送信元重複             failed     T
 8 au自NW障害            failed     S              | 33 -                      no_verdict T
 9 au他NW障害            failed     T              | 34 キャンセル済           cancelled  T
10 au未払                failed     T              | 35 送信上限               failed     T
12 auその他失敗          failed     T              | 36 NGワード               failed     T
13 ドコモその他失敗      failed     S              | 37 配信停止希望           failed     T
14 ドコモ圏外・OFF       failed     S              | 38 長文一部受信           partial    T
15 ドコモ自NW障害        failed     S              | 40 Rakutenその他失敗      failed     T
16 ドコモ他NW障害        failed     S              | 41 Rakuten他NW障害        failed     T
17 無効                  failed     T              | 42 Rakuten一部受信        partial    T
29 ドコモその他不明      failed     S              | 43 Rakuten圏外・OFF       failed     T
32 ドコモ一部受信        partial    S              |
"""

# Typed from GATEWAY section 2.
CODES_S: Final = "200 401 402 414 503 550 555 560 562 568-577 579 580 585 587 590-592 596-598"
CODES_T: Final = "405 502 514 564 566 586 588 589 593-595 599-606 608 610 612-615 617-624 631-637 639-643 666"
NOTHING_TAKEN: Final = "401 414 555 560-580 585 590-598"
STOP_THOUGH_NOTHING_TAKEN: Final = "401 555 596"

# Typed from GATEWAY section 3: number, direction, grade.
COLUMNS: Final = """
1bS 2sT 3sT 4sT 5sT 6bT 7rT 8sV 9bT 10bV 11bT 12rT 13rT 15rA 17bA 18bT 19bT 20rT 21rA 24rA 25rA 30rA 39bT
40sA 41sA 42rA 44rA 46rA 47rA 53rA
"""
# Typed from GATEWAY sections 1 and 6.
LIMITS: Final = {
    "requests_per_second": 80,
    "get_bytes": 8190,
    "text_bytes": 140,
    "text_characters": 70,
    "long_text_bytes": 1340,
    "long_text_characters": 660,
    "longest_characters": 670,
    "line_break": 2,
    "short_link": 19,
    "url_characters": 2083,
    "url_code_characters": 20,
    "smsid_characters": 50,
    "template_id_max": 999_999,
    "title_min": 2,
    "title_max": 11,
    "username_min": 2,
    "username_max": 20,
    "password_min": 6,
    "password_max": 20,
    "cancel_value_characters": 255,
    "lockout_answers": 10,
}


@pytest.fixture(scope="module")
def profile() -> Profile:
    return parse_profile(SHIPPED, "mediasms.toml")


def codes(ranges: str) -> set[str]:
    spans = [span.split("-") for span in ranges.split()]
    return {str(code) for span in spans for code in range(int(span[0]), int(span[-1]) + 1)}


def test_statuses_are_those_of_the_table(profile: Profile) -> None:
    rows = [cell.split() for line in STATUSES.split("\n") for cell in line.split("|") if cell.strip()]
    assert len(rows) == 43
    assert {
        (str(s.number), str(s.label), s.means.value, s.grade, *(["billable"] if s.billable else []))
        for s in profile.status
    } == {tuple(row) for row in rows}
    assert [status.number for status in profile.status if status.clicked] == [3]


def test_labels_are_canonical_and_found_before_numbers(profile: Profile) -> None:
    assert all(canonical_label(label) == label for label in profile.status_by_label)
    assert len(profile.status_by_label) == 42
    assert len(profile.status_by_number) == 43
    assert profile.status_by_label["403"].number == 5
    assert profile.status_by_number["1"].label == "送信済"
    assert "403" not in profile.status_by_number
    assert "" not in profile.status_by_label


def test_answer_codes_are_those_of_the_lists(profile: Profile) -> None:
    assert set(profile.answer_by_code) == codes(CODES_S) | codes(CODES_T)
    assert {answer.code for answer in profile.answer if answer.grade == "S"} == codes(CODES_S)
    assert {answer.code for answer in profile.answer if answer.grade[0] == "T"} == codes(CODES_T)


def test_what_answer_codes_prove_and_what_the_run_does(profile: Profile) -> None:
    for code, answer in profile.answer_by_code.items():
        if code == "200":
            expected = ("taken", "go_on")
        elif code in codes(NOTHING_TAKEN):
            expected = ("nothing_taken", "stop" if code in codes(STOP_THOUGH_NOTHING_TAKEN) else "go_on")
        else:
            expected = ("unknown", "stop")
        assert (code, answer.proves.value, answer.run.value) == (code, *expected)
        assert answer.meaning
        assert answer.meaning_ja


def test_columns_are_those_of_the_table(profile: Profile) -> None:
    assert [f"{c.number}{c.direction[0]}{c.grade}" for c in profile.layout.column] == COLUMNS.split()
    assert profile.layout.columns.value == 64
    numbers = {field: column.number for field, column in profile.layout.by_field.items()}
    assert numbers["msisdn"] == 1
    assert [numbers[f"info{n}"] for n in range(1, 5)] == [2, 3, 4, 5]
    assert [numbers[name] for name in ("template_id", "title", "text")] == [8, 9, 10]
    assert [numbers[f"originalurl{n}"] for n in ("", 2, 3, 4)] == [11, 39, 40, 41]
    assert [numbers[name] for name in ("status", "status_time", "scheduled", "smsid")] == [12, 13, 17, 18]
    assert [numbers[name] for name in ("carrier", "parts")] == [20, 47]
    assert [numbers[f"clicks{n}"] for n in ("", 2, 3, 4)] == [7, 42, 44, 46]


def test_what_waits_for_confirmation(profile: Profile) -> None:
    assert profile.layout.by_field["scheduled"].confirmed is False
    assert profile.upload_answer.empty_body_is_taken.confirmed is False
    assert profile.upload_answer.empty_body_is_taken.value is False


def test_limits_are_those_of_the_pages(profile: Profile) -> None:
    assert {name: getattr(profile.limits, name).value for name in LIMITS} == LIMITS
    assert set(type(profile.limits).model_fields) == {*LIMITS, "max_rows", "carriers", "bytes_only", "shorter"}


def entries(place: str, node: object) -> list[tuple[str, dict[str, Any]]]:
    """Return every table that says a fact: it has a value, a url, a number or a code."""
    if isinstance(node, list):
        return [entry for at, item in enumerate(node) for entry in entries(f"{place}[{at}]", item)]
    if not isinstance(node, dict):
        return []
    if node.keys() & {"value", "url", "number", "code"}:
        return [(place, node)]
    return [entry for key, item in node.items() for entry in entries(f"{place}.{key}", item)]


def test_every_entry_has_a_grade() -> None:
    raw = tomllib.loads(SHIPPED)
    sections = {key: value for key, value in raw.items() if key not in {"name", "title", "version", "headers"}}
    found = entries("", sections)
    assert len(found) > 180
    assert [place for place, entry in found if not re.fullmatch(r"[SVTA]([+/][SVTA])*", entry.get("grade", ""))] == []
    # and nothing stands outside such an entry
    assert all(isinstance(value, dict | list) for value in sections.values())


def test_no_header_name_leads_to_two_fields(profile: Profile) -> None:
    names = [name for names in profile.headers.values() for name in names]
    assert len(set(names)) == len(names)
    assert all(name == re.sub(r"[\s_-]", "", canonical_label(name)).lower() for name in names)
    assert profile.headers.keys() <= profile.layout.by_field.keys()


def test_a_profile_is_known_by_the_hash_of_its_text(profile: Profile) -> None:
    assert profile.sha256 == hashlib.sha256(SHIPPED.encode()).hexdigest()
    assert parse_profile(SHIPPED + "\n# note", "x").sha256 != profile.sha256


# --- broken profiles ---

BROKEN: Final = {
    "a next step in one language": (
        'next_ja = "587 と同じです。再送せず `mediasms pull BATCH` を。"',
        'next_ja = ""',
        "answer 624: next and next_ja go together",
    ),
    "duplicate column number": ("number = 53\n", "number = 47\n", "layout.column: number 47"),
    "duplicate column field": ('field = "clicks2"', 'field = "clicks"', "layout.column: field 'clicks'"),
    "duplicate label": ('label = "処理中"', 'label = "送信中"', "status: label '送信中'"),
    "duplicate status number": ("number = 43\n", "number = 42\n", "status: number 42"),
    "duplicate answer code": ('code = "402"', 'code = "401"', "answer: code '401'"),
    "duplicate header name": ('memo = ["memo"', 'memo = ["url2"', "headers: synonym 'url2'"),
    "unknown class": ('means = "cancelled"', 'means = "lost"', r"status.\d+.means: "),
    "unknown proof": ('proves = "taken"', 'proves = "perhaps"', "answer.0.proves: "),
    "unknown action": ('run = "go_on"', 'run = "again"', "answer.0.run: "),
    "billable failure": (
        'label = "失敗"',
        'label = "失敗"\nbillable = true',
        r"status.\d+: .*status 0: .*failed",
    ),
    "billable by label alone": (
        'number = 0\nlabel = "失敗"',
        'label = "失敗"\nbillable = true',
        r"status.\d+: .*status 失敗: .*failed",
    ),
    "then sent after a failure": (
        'label = "失敗"',
        'label = "失敗"\nthen_sent = true',
        r"status.\d+: .*status 0: .*then_sent.*failed",
    ),
    "neither label nor number": ('number = 0\nlabel = "失敗"', "", r"status.\d+: .*a label, a number or both"),
    "a column of dates that is another field": (
        '"登録日", "登録年月日"',
        '"本文", "登録年月日"',
        "headers: synonym '本文'",
    ),
    "a column of dates never met": ('"登録日", "登録年月日"', '"Sign-Up", "登録年月日"', "'Sign-Up' of check.columns"),
    "column beyond the total": ("number = 53\n", "number = 65\n", "layout.column: number 65 .*64"),
    "column zero": ("number = 53\n", "number = 0\n", r"layout.column.\d+.number: "),
    **{
        f"no {field}": (
            f'field = "{field}"',
            'field = "another"',
            f"layout.column: field '{field}' is missing",
        )
        for field in ("msisdn", "text", "smsid", "status", "status_time")
    },
    "unknown key": ('name = "mediasms"', 'name = "mediasms"\ncolour = 1', "colour: "),
    "unknown key in a section": ("[options]", "[options]\ncolour = 1", "options.colour: "),
    "unknown key in an entry": ('code = "401"', 'code = "401"\ncolour = 1', "answer.1.colour: "),
    "unknown section": ("[options]", "[colours]\n[options]", "colours: "),
    "missing key": ("text_bytes = ", "# text_bytes = ", "limits.text_bytes: "),
    "missing grade": (', grade = "S+V" }', " }", "endpoints.send_csv.grade: "),
    "unknown grade": ('grade = "S+V"', 'grade = "sure"', "endpoints.send_csv.grade: "),
    "missing grade of a status": (
        'label = "失敗"\nmeans = "failed"\ngrade = "S"',
        'label = "失敗"\nmeans = "failed"',
        "status.8.grade: ",
    ),
    "unknown method": ('method = "POST"', 'method = "PUT"', "endpoints.send_csv.method: "),
    "unknown encoding": (
        'encoding = { value = "utf-8"',
        'encoding = { value = "euc-jp"',
        "upload.encoding.value: ",
    ),
    "not a code": ('code = "401"', 'code = "4011"', "answer.1.code: "),
    "not a number": (
        "text_bytes = { value = 140",
        'text_bytes = { value = "many"',
        "limits.text_bytes.value: ",
    ),
    "label that is not canonical": ('label = "処理中"', 'label = "送信 中"', "status"),
    "header of an unknown field": ('smsid = ["smsid"', 'smsidd = ["smsid"', "headers"),
    "header name that can never be met": ('info1 = ["info1"]', 'info1 = ["Info 1"]', "headers"),
    "number in quotes": ("text_bytes = { value = 140", 'text_bytes = { value = "140"', "limits.text_bytes"),
    "word for a truth value": (
        "overseas = { value = false",
        'overseas = { value = "yes"',
        "options.overseas",
    ),
    "truth value for a number": ("version = 1", "version = true", "version"),
    "full-width code": ('code = "401"', 'code = "４０１"', "answer.1.code"),
    "hash in the file": ('name = "mediasms"', 'name = "mediasms"\nsha256 = "0"', "sha256"),
    "limit below zero": ("text_bytes = { value = 140", "text_bytes = { value = -140", "limits.text_bytes"),
    "empty header name": ('info1 = ["info1"]', 'info1 = [""]', "headers.info1.0: "),
    "date for a word": ('name = "mediasms"', "name = 2026-11-23", "name: "),
    "limit of nothing": ("max_rows = { value = 10000", "max_rows = { value = 0", "limits.max_rows"),
    "limits in the wrong order": ("title_min = { value = 2,", "title_min = { value = 12,", "limits: .*title_min"),
}


def refused(text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parse_profile(text, "mine.toml")
    assert caught.value.exit is Exit.USAGE
    assert all("mine.toml" in caught.value.what(language) for language in Language)
    assert all(caught.value.hint(language) for language in Language)
    return caught.value


def changed(before: str, after: str) -> str:
    assert before in SHIPPED
    return SHIPPED.replace(before, after, 1)


@pytest.mark.parametrize(("before", "after", "named"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_profile_is_refused_with_file_and_key(before: str, after: str, named: str) -> None:
    error = refused(changed(before, after))
    assert error.code == "profile.invalid"
    assert re.search(named, error.what(Language.EN)), str(error)


@pytest.mark.parametrize("text", ["name = ", "= 1", SHIPPED + "\n[limits]\n", "name = 1\nname = 2"])
def test_a_profile_that_is_not_toml_is_refused_with_the_place(text: str) -> None:
    error = refused(text)
    assert error.code == "profile.not_toml"
    assert re.search(r"at line \d+|at end of document", error.what(Language.EN))


def test_every_problem_is_named_at_once() -> None:
    text = changed("number = 53\n", "number = 47\n").replace('label = "処理中"', 'label = "送信中"')
    assert re.search(r"(?s)number 47.*送信中", str(refused(text)))
    text = changed('means = "cancelled"', 'means = "lost"').replace('name = "mediasms"', "colour = 1")
    said = str(refused(text))
    assert [key for key in ("means: ", "name: ", "colour: ") if key not in said] == []


#: sections that profiles of people's own may lack: they are younger
YOUNGER: Final = ("check", "cancel", "notification")


def test_an_empty_profile_names_every_section_that_it_needs() -> None:
    said = str(refused(""))
    missing = {key for key in Profile.model_fields if f"  {key}: " not in said}
    assert missing == {*YOUNGER, "confirmed"}


def without(*sections: str) -> str:
    text = SHIPPED
    for name in sections:
        text, count = re.subn(rf"(?ms)^\[{name}\]\n.*?(?=^\[)", "", text)
        assert count == 1
    return text


@pytest.mark.parametrize("name", YOUNGER)
def test_a_profile_without_a_younger_section_says_what_it_lacks_only_where_it_is_needed(name: str) -> None:
    profile = parse_profile(without(name), "mine.toml")
    assert (getattr(profile, name), profile.lacking) == (None, [name])
    with pytest.raises(UsageError) as missing:
        required(getattr(profile, name), name)
    assert (missing.value.code, missing.value.exit) == ("profile.no_section", Exit.USAGE)
    shipped = Path(str(missing.value.facts["file"]))
    assert f"[{name}]" in shipped.read_text("utf-8")
    assert all(str(shipped) in missing.value.hint(language) for language in Language)


@pytest.mark.parametrize("name", YOUNGER)
def test_a_misspelled_section_is_an_error_and_no_missing_one(name: str) -> None:
    error = refused(changed(f"[{name}]", f"[{name}s]"))
    assert f"  {name}s: " in error.what(Language.EN)


#: what a probe, or a person, may add at the end of a profile
CONFIRMED: Final = """
[[confirmed]]
key = "results.start_parameter"
value = "startdate"

[[confirmed]]
key = "layout.column 17"
value = "scheduled"

[[confirmed]]
key = "single.parameter senddatetime"
value = "scheduled"

[[confirmed]]
key = "endpoints.results_csv"
value = "/api4/"

[[confirmed]]
key = "upload_answer.empty_body_is_taken"
value = true
instead_of = false
"""


def test_what_was_confirmed_may_be_added_at_the_end(profile: Profile) -> None:
    added = parse_profile(SHIPPED + CONFIRMED, "mine.toml")
    assert added.results.start_parameter == profile.results.start_parameter.model_copy(update={"confirmed": True})
    assert added.layout.by_field["scheduled"].confirmed is True
    assert added.single.by_field["scheduled"].confirmed is True
    assert added.endpoints.results_csv.confirmed is True
    empty = added.upload_answer.empty_body_is_taken
    assert (empty.value, empty.confirmed) == (True, True)
    assert added.results.end_parameter == profile.results.end_parameter


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        pytest.param('key = "results.start"\nvalue = "x"', "confirmed.0: results.start is no entry", id="no entry"),
        pytest.param('key = "results"\nvalue = "x"', "confirmed.0: results is no entry", id="a section"),
        pytest.param('key = "layout.column 65"\nvalue = "x"', "layout.column 65 is no entry", id="no column"),
        pytest.param('key = "status 5"\nvalue = "403"', "status 5 is no entry", id="nothing to confirm"),
        pytest.param('key = "results.start_parameter"\nvalue = "from"', "says something else", id="another value"),
        pytest.param(
            'key = "results.encoding"\nvalue = "cp932"\ninstead_of = "ascii"', "says something else", id="instead of"
        ),
        pytest.param(
            'key = "results.encoding"\nvalue = "latin"\ninstead_of = "utf-8"', "results.encoding.value", id="bad value"
        ),
        pytest.param('key = "results.encoding"', "confirmed.0.value: ", id="no value"),
        pytest.param("key = 3\nvalue = 3", "confirmed.0.key: ", id="no key"),
        pytest.param('key = "results.encoding"\nvalue = "utf-8"\nby = "me"', "confirmed.0.by: ", id="more"),
        pytest.param('key = "check.only"\nvalue = "check"', "check.only is no entry", id="of a missing section"),
    ],
)
def test_what_was_confirmed_is_never_taken_for_something_else(entry: str, named: str) -> None:
    assert named in str(refused(f"{without('check')}\n[[confirmed]]\n{entry}\n"))


def test_a_key_is_confirmed_once() -> None:
    twice = '[[confirmed]]\nkey = "results.encoding"\nvalue = "utf-8"\n' * 2
    assert "results.encoding is confirmed more than once" in str(refused(f"{SHIPPED}\n{twice}"))


@pytest.mark.parametrize("given", ["confirmed = 1", "confirmed = [1]"])
def test_confirmed_is_a_list_of_entries(given: str) -> None:
    assert "  confirmed" in str(refused(f"{given}\n{SHIPPED}"))
