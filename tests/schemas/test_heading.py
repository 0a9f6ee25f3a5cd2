"""Headings: which column plays which role, and which tables are refused as a whole."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import pytest

from pipeline.core.headers import COST_CENTRE
from pipeline.core.policy import Roles
from pipeline.core.rules import CODE_FIELDS, REGISTRATION_DATE
from pipeline.errors import InputUnusable, UsageError
from pipeline.messages import Language
from pipeline.model import NumberCheck
from schemas.heading import GATEWAY_LAYOUT, Heading, layout_columns, read_heading
from schemas.profile import parse_profile, required
from schemas.profile_single import SingleParameter
from schemas.recipients import PASSED_FIELDS, ROLES

TEXT: Final = (files("schemas") / "profiles" / "mediasms.toml").read_text("utf-8")
PROFILE: Final = parse_profile(TEXT, "mediasms.toml")
#: a profile whose layout has a column for the first access code
WITH_CODE: Final = parse_profile(
    f'{TEXT}\n[[layout.column]]\nnumber = 60\nfield = "originalurlcode"\ndirection = "send"\ngrade = "A"\n', "own.toml"
)


def read(*names: str, text: str | None = None, layout: tuple[str, ...] | None = None) -> Heading:
    return read_heading("list.csv", names, PROFILE, text=text, layout=layout)


def refused(
    *names: str, text: str | None = None, layout: tuple[str, ...] | None = None
) -> tuple[str, dict[str, object]]:
    """Return code and facts of the refusal, whose words must be there in both languages."""
    with pytest.raises(InputUnusable) as caught:
        read(*names, text=text, layout=layout)
    assert caught.value.facts["file"] == "list.csv"
    for language in Language:
        assert "list.csv" in caught.value.what(language)
    return caught.value.code, {name: fact for name, fact in caught.value.facts.items() if name != "file"}


@pytest.mark.parametrize(
    ("field", "name"), [(field, name) for field, names in PROFILE.headers.items() for name in names]
)
def test_every_synonym_is_understood(field: str, name: str) -> None:
    others = {"msisdn": "電話番号", "text": "本文"}
    names = [name, *(other for role, other in others.items() if role != field)]
    heading = read(*names)
    assert heading.roles.columns[field] == name
    assert heading.roles.columns.keys() == {field, "msisdn", "text"}
    assert heading.header


@pytest.mark.parametrize(
    "field", [field for field in ROLES if field not in {*CODE_FIELDS, *PASSED_FIELDS, REGISTRATION_DATE}]
)
def test_every_field_is_understood_by_its_own_name(field: str) -> None:
    names = dict.fromkeys([field, "msisdn", "text"])
    assert read(*names).roles.columns[field] == field


@pytest.mark.parametrize("name", required(PROFILE.check, "check").columns)
def test_a_registration_date_is_one_only_where_numbers_are_checked(name: str) -> None:
    names = ["tel", name, "本文", "smsid", "url", "{}", "部門"]
    assert REGISTRATION_DATE not in read(*names).roles.columns
    before = read_heading("list.csv", names, PROFILE, single=True, check=NumberCheck.THEN_SEND).roles
    assert before.columns[REGISTRATION_DATE] == name
    assert before.columns.keys() >= {"text", "smsid", "originalurl"}
    alone = read_heading("list.csv", names, PROFILE, single=True, check=NumberCheck.ONLY).roles
    assert alone.columns == {"msisdn": "tel", REGISTRATION_DATE: name, COST_CENTRE: "部門"}
    assert alone.common_text == ""


def test_two_columns_of_registration_dates_are_one_too_many() -> None:
    with pytest.raises(InputUnusable) as stopped:
        read_heading("list.csv", ["tel", "登録日", "registrationdate"], PROFILE, check=NumberCheck.ONLY)
    assert stopped.value.code == "input.doubled_column"


@pytest.mark.parametrize("parameter", PROFILE.single.parameter, ids=lambda parameter: parameter.name)
def test_every_parameter_of_a_single_send_is_a_column_where_rows_go_out_one_by_one(parameter: SingleParameter) -> None:
    names = list(dict.fromkeys([parameter.name, "携帯", "本文"]))
    taken = {"msisdn": "携帯", "text": "本文"}.get(parameter.filled_by)
    names = [name for name in names if name != taken]
    heading = read_heading("list.csv", names, PROFILE, single=True)
    assert heading.roles.columns[parameter.filled_by] == parameter.name
    in_uploads = {*PROFILE.layout.by_field, "msisdn", "text"}
    if parameter.filled_by not in {*in_uploads, *CODE_FIELDS}:
        # In an upload such a column is one of the user's own.
        assert parameter.filled_by not in read(*names).roles.columns


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Mobile Number", "msisdn"),
        ("MOBILE_NUMBER", "msisdn"),
        ("mobile-number", "msisdn"),
        ("Ｐｈｏｎｅ", "msisdn"),
        (" 電話 番号 ", "msisdn"),
        ("電話\n番号", "msisdn"),
        ("\u3000電話番号", "msisdn"),
        ("Tel", "msisdn"),
        ("ﾒｯｾｰｼﾞ", "text"),
        ("メッセーシ\u3099", "text"),
        ("ＳＭＳ本文", "text"),
        ("ＵＲＬ", "originalurl"),
        ("Url 2", "originalurl2"),
        ("INFO 1", "info1"),
        ("ｉｎｆｏ１", "info1"),
        ("ﾃﾝﾌﾟﾚｰﾄID", "template_id"),
        ("送信予定日時", "scheduled"),
    ],
    ids=ascii,
)
def test_names_are_compared_without_case_width_and_spaces(name: str, field: str) -> None:
    others = [other for role, other in (("msisdn", "電話番号"), ("text", "本文")) if role != field]
    heading = read(*others, name)
    assert heading.roles.columns[field] == name.strip()
    assert heading.columns == (*others, name.strip())


@pytest.mark.parametrize("name", ["お電話", "電話番号2", "氏名", "text1", "info5", "url5", "本文案"])
def test_other_names_play_no_role(name: str) -> None:
    heading = read("電話番号", "本文", name)
    assert heading.roles.columns == {"msisdn": "電話番号", "text": "本文"}
    assert heading.given == ("電話番号", "本文", name)


def test_our_own_columns_come_back_unused() -> None:
    own = ("mediasms_row", " MEDIASMS_Code", "Mediasms_phone", "mediasms_電話番号")
    heading = read(*own, "電話番号", "本文")
    assert heading.columns == (*(name.strip() for name in own), "電話番号", "本文")
    assert heading.given == ("電話番号", "本文")
    assert heading.roles.columns == {"msisdn": "電話番号", "text": "本文"}


def test_a_column_without_a_name_is_called_by_its_place() -> None:
    assert read("電話番号", "", "本文", " ").columns == ("電話番号", "column 2", "本文", "column 4")


@pytest.mark.parametrize(
    ("names", "doubled"),
    [
        (("電話番号", "本文", "本文"), "本文"),
        (("電話番号", "本文", "氏名", "氏名"), "氏名"),
        (("電話番号", "本文", " 氏名", "氏名 "), "氏名"),
        (("電話番号", "携帯", "本文"), "電話番号, 携帯"),
        (("電話番号", "本文", "URL", "リンク"), "URL, リンク"),
        (("電話番号", "本文", "メッセージ", "tel"), "電話番号, tel, 本文, メッセージ"),
        (("電話番号", "本文", "", "column 3"), "column 3"),
    ],
)
def test_a_column_that_is_there_twice_is_refused(names: tuple[str, ...], doubled: str) -> None:
    assert refused(*names) == ("input.doubled_column", {"columns": doubled})


def test_columns_of_no_role_may_mean_the_same_to_us() -> None:
    """Names that only look alike stay two columns: tags tell them apart."""
    assert read("電話番号", "本文", "氏 名", "氏名").columns == ("電話番号", "本文", "氏 名", "氏名")


def test_a_table_without_a_phone_column_is_refused() -> None:
    code, facts = refused("名前", "本文")
    assert (code, facts["columns"]) == ("input.no_phone_column", "名前, 本文")
    # Without one known name it may well be a first row of data, which is not shown.
    code, facts = refused("山田太郎", "9.01E+09")
    assert code == "input.no_known_column"
    assert "山田" not in str(facts)
    assert "電話番号" in str(facts["names"])
    many = ["本文", *(f"c{number}" for number in range(100))]
    assert refused(*many)[1]["columns"] == ", ".join(many[:20])


def test_a_table_needs_one_text() -> None:
    code, facts = refused("電話番号", "氏名")
    assert (code, facts["columns"]) == ("input.no_text", "電話番号, 氏名")
    assert "本文" in str(facts["names"])
    assert read("電話番号", "氏名", text="あ").roles.common_text == "あ"
    assert refused("電話番号", "文面", text="あ") == ("input.two_texts", {"option": "--text", "column": "文面"})


def test_a_template_may_take_the_place_of_a_text() -> None:
    heading = read("電話番号", "テンプレートID")
    assert (heading.roles.columns["template_id"], heading.template) == ("テンプレートID", None)
    for_all = read_heading("list.csv", ["電話番号", "氏名"], PROFILE, template="12")
    assert (for_all.template, for_all.columns) == ("12", ("電話番号", "氏名"))
    assert for_all.roles.columns["template_id"] not in for_all.columns


@pytest.mark.parametrize("names", [["電話番号", "本文"], ["電話番号", "smstextid"], [f"x{n}" for n in range(64)]])
def test_a_template_for_the_whole_list_is_the_only_one(names: list[str]) -> None:
    with pytest.raises(InputUnusable) as stopped:
        read_heading("list.csv", names, PROFILE, template="12")
    assert (stopped.value.code, stopped.value.facts["option"]) == ("input.two_texts", "--template")


def test_a_column_of_final_texts_is_the_text_where_there_is_no_other() -> None:
    assert read("電話番号", "final_text").roles == Roles({"msisdn": "電話番号", "text": "final_text"}, final=True)
    assert read("電話番号", "final_text", "文面").roles == Roles({"msisdn": "電話番号", "text": "文面"})
    assert read("電話番号", "final_text", text="{final_text}").roles == Roles({"msisdn": "電話番号"}, "{final_text}")


# Tables without a header --------------------------------------------------------------------------------------------


def test_64_cells_without_a_phone_header_are_the_gateways_layout() -> None:
    record = ["09011112222", *[""] * 8, "本日は", *[""] * 54]
    heading = read(*record)
    assert not heading.header
    assert len(heading.columns) == len(set(heading.columns)) == 64
    assert heading.columns[:13:12] == ("msisdn", "status_time")
    assert heading.columns[13] == "column 14"
    columns = heading.roles.columns
    numbers = {heading.columns.index(name) + 1 for name in columns.values()}
    assert numbers == {1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 17, 18, 39, 40, 41}
    assert all(role == name for role, name in columns.items())
    assert heading.roles.common_text is None


def test_64_cells_with_a_phone_header_are_a_header() -> None:
    heading = read("電話番号", "本文", *(f"c{number}" for number in range(62)))
    assert heading.header
    assert heading.roles.columns == {"msisdn": "電話番号", "text": "本文"}


@pytest.mark.parametrize("count", [63, 65])
def test_another_number_of_cells_is_not_the_gateways_layout(count: int) -> None:
    code, facts = refused("09011112222", *[""] * (count - 1))
    assert (code, facts["count"]) == ("input.no_known_column", count)
    assert "0901" not in str(facts)


LAYOUT: Final = ("氏名", "電話番号", "本文", "mediasms_row")


def test_a_named_layout_names_the_columns_of_a_table_without_a_header() -> None:
    heading = read("山田", "09011112222", "あ", "3", layout=LAYOUT)
    assert (heading.columns, heading.header) == (LAYOUT, False)
    assert heading.roles.columns == {"msisdn": "電話番号", "text": "本文"}
    assert heading.given == LAYOUT[:3]


def test_a_named_layout_is_believed_even_where_the_first_record_looks_like_a_header() -> None:
    assert not read("電話番号", "本文", "tel", "text", layout=LAYOUT).header


@pytest.mark.parametrize("count", [3, 5])
def test_a_layout_must_fit_the_table(count: int) -> None:
    assert refused(*["x"] * count, layout=LAYOUT) == ("input.layout_columns", {"found": count, "expected": 4})


def test_a_layout_is_checked_as_a_header_is() -> None:
    assert refused("a", "b", layout=("氏名", "本文"))[0] == "input.no_phone_column"
    assert refused("a", "b", layout=("電話番号", "氏名"))[0] == "input.no_text"
    assert refused("a", "b", "c", layout=("電話番号", "携帯", "本文")) == (
        "input.doubled_column",
        {"columns": "電話番号, 携帯"},
    )


def test_layouts_are_found_by_name() -> None:
    own = {"crm": LAYOUT, "gateway2": ("a",)}
    assert layout_columns("crm", PROFILE, own) == LAYOUT
    gateway = layout_columns(GATEWAY_LAYOUT, PROFILE, own)
    assert gateway is not None
    assert (len(gateway), gateway[0], gateway[9]) == (64, "msisdn", "text")
    with pytest.raises(UsageError) as caught:
        layout_columns("crn", PROFILE, own)
    assert caught.value.code == "layout.unknown"
    assert caught.value.facts == {"name": "crn", "names": "crm, gateway2, gateway"}


def test_the_gateways_layout_may_be_asked_for_by_name() -> None:
    columns = layout_columns(GATEWAY_LAYOUT, PROFILE, {})
    assert columns is not None
    record = ["電話番号", *[""] * 63]  # the first record of a table is a number, whatever it says
    heading = read_heading("list.csv", record, PROFILE, layout=columns)
    assert (heading.header, heading.columns) == (False, columns)
    assert heading.roles.columns == read("090", *[""] * 63).roles.columns


# Access codes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*CODE_FIELDS, "OriginalUrlCode", "originalurl_code 2"])
def test_an_access_code_without_a_column_of_the_layout_is_refused(name: str) -> None:
    for given in (None, ("電話番号", "本文", name)):
        with pytest.raises(UsageError) as caught:
            read("電話番号", "本文", name, layout=given)
        assert (caught.value.code, caught.value.facts) == ("profile.no_column", {"key": name})


def test_an_access_code_goes_where_the_layout_has_a_column() -> None:
    heading = read_heading("list.csv", ["電話番号", "本文", "OriginalURLcode"], WITH_CODE)
    assert heading.roles.columns["originalurlcode"] == "OriginalURLcode"
    with pytest.raises(UsageError):
        read_heading("list.csv", ["電話番号", "本文", "originalurlcode2"], WITH_CODE)


@pytest.mark.parametrize("name", ["cost_centre", "Cost-Center", "部門", "部署", "原価センタ", "コストセンター"])
def test_a_cost_centre_is_recognised(name: str) -> None:
    assert read("電話番号", "本文", name).roles.columns["cost_centre"] == name


def test_a_profile_s_own_name_for_a_field_is_no_cost_centre() -> None:
    own = parse_profile(TEXT.replace('memo = ["memo"', 'memo = ["部門", "memo"'), "own.toml")
    roles = read_heading("list.csv", ["電話番号", "本文", "部門"], own).roles.columns
    assert (roles["memo"], "cost_centre" in roles) == ("部門", False)
    both = read_heading("list.csv", ["電話番号", "本文", "部門", "部署"], own).roles.columns
    assert (both["memo"], both["cost_centre"]) == ("部門", "部署")


def test_a_cost_centre_that_stands_twice_is_refused() -> None:
    assert refused("電話番号", "本文", "部門", "部 門") == ("input.doubled_column", {"columns": "部門, 部 門"})
