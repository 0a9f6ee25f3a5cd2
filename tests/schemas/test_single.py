"""A recipient as parameters: everything inside its limits goes out as it is, everything outside is refused."""

from __future__ import annotations

from importlib import resources

import pandas as pd
import pytest

from pipeline.core.text import forbidden_characters
from pipeline.errors import InputUnusable, UsageError
from pipeline.model import NumberCheck
from schemas.parameters import CHECK, SINGLE, Parameter, parameters_of
from schemas.profile import parse_profile, required
from schemas.recipients import ROW_NUMBER
from schemas.single import Form, decoded, encoded, form_of, outside, requests

TEXT = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
PROFILE = parse_profile(TEXT, "x")
OVERSEAS = parse_profile(TEXT.replace("overseas = { value = false", "overseas = { value = true"), "x")
GOOD = {"mobilenumber": "09011112222", "smstext": "x", "smsid": "abc1", "status": "1"}
#: 141 bytes and more are cut by the gateway without a word: we refuse them whatever the account's options
TOO_LONG = {"a" * 141}
CASES = [one for one in parameters_of("send_single") if one.option in {"", "overseas"} and one.section != CHECK]


def _with(parameter: Parameter, value: str) -> dict[str, str]:
    given = GOOD | {parameter.name: value}
    if parameter.name == "smstextid":
        del given["smstext"]
    return given


def _name(parameter: Parameter) -> str:
    return f"{parameter.name} {parameter.option}"


@pytest.mark.parametrize("parameter", CASES, ids=_name)
def test_values_just_inside_go_out(parameter: Parameter) -> None:
    profile = OVERSEAS if parameter.option == "overseas" else PROFILE
    for value in parameter.inside:
        expected = ("smstext", SINGLE) if parameter.name == "smstext" and value in TOO_LONG else None
        # The twins of characters are repaired before a row is accepted.
        if parameter.name == "smstext" and forbidden_characters(value):
            expected = ("smstext", SINGLE)
        assert outside(_with(parameter, value), profile) == expected, value


@pytest.mark.parametrize("parameter", CASES, ids=_name)
def test_values_just_outside_are_refused_with_the_section(parameter: Parameter) -> None:
    profile = OVERSEAS if parameter.option == "overseas" else PROFILE
    past = {"200001011200"}  # a minute gone by is a matter of the clock: guards look at it
    for value in parameter.outside:
        if value not in past:
            assert outside(_with(parameter, value), profile) == (parameter.name, SINGLE), value


@pytest.mark.parametrize("parameter", [one for one in parameters_of("send_single") if one.option == "over_length"])
def test_a_text_fits_or_is_refused(parameter: Parameter) -> None:
    assert [outside(_with(parameter, value), PROFILE) for value in parameter.inside] == [None] * len(parameter.inside)
    assert all(outside(_with(parameter, value), PROFILE) for value in parameter.outside)


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"mobilenumber": ""}, "mobilenumber"),
        ({"smsid": ""}, "smsid"),
        ({"smstextid": "1"}, "smstext"),
        ({"smstext": "{URL}" + "a" * 122, "originalurl": "https://example.jp/"}, "smstext"),
        ({"smstext": "{info1}" + "a" * 140, "info1": "b"}, "smstext"),
    ],
)
def test_what_belongs_together_is_looked_at_together(changed: dict[str, str], name: str) -> None:
    assert outside(GOOD | changed, PROFILE) == (name, SINGLE)
    assert outside({key: value for key, value in GOOD.items() if key != "smstext"}, PROFILE) == ("smstext", SINGLE)
    assert outside(GOOD | {"smstext": "{URL}" + "a" * 121, "originalurl": "https://example.jp/"}, PROFILE) is None


def test_only_what_is_given_is_sent_and_results_are_always_asked_for() -> None:
    rows = pd.DataFrame(
        {
            ROW_NUMBER: [2, 3],
            "smsid": ["a1", "a2"],
            "msisdn": ["09011112222", "09011113333"],
            "text": ["x", "y"],
            "title": ["", "Shop"],
            "memo": ["never sent", ""],
        }
    )
    assert list(requests(rows, PROFILE)) == [
        {"status": "1", "mobilenumber": "09011112222", "smstext": "x", "smsid": "a1"},
        {"status": "1", "mobilenumber": "09011113333", "smstext": "y", "smstitle": "Shop", "smsid": "a2"},
    ]
    with pytest.raises(InputUnusable) as refused:
        list(requests(rows.assign(title=["", "1"]), PROFILE))
    assert refused.value.facts == {"row": 3, "name": "smstitle", "section": SINGLE}
    with pytest.raises(UsageError) as asking:
        list(requests(rows.assign(docomo=["", "1"]), PROFILE))
    assert asking.value.facts == {"key": "docomo", "row": 3}


@pytest.mark.parametrize("name", ["smstext", "smstextid"])
def test_a_check_alone_never_carries_a_text(name: str) -> None:
    """Whatever a row holds by mistake: what has no text cannot arrive as one."""
    rows = pd.DataFrame(
        {ROW_NUMBER: [2], "smsid": ["a1"], "msisdn": ["09011112222"], "text": [""], "registrationdate": ["20260401"]}
    )
    given = required(PROFILE.check, "check")
    facts = ("type_parameter", "only", "then_send", "date_parameter", "date_format")
    confirmed = given.model_copy(
        update={fact: getattr(given, fact).model_copy(update={"confirmed": True}) for fact in facts}
    )
    profile = PROFILE.model_copy(update={"check": confirmed})
    (sent,) = requests(rows, profile, NumberCheck.ONLY)
    assert sent.keys() == {"status", "mobilenumber", "smsid", "type", "registrationdate"}
    assert outside(sent | {name: "1"}, profile, sends_text=False) == (name, CHECK)
    with pytest.raises(InputUnusable):
        list(requests(rows.assign(text="x"), profile, NumberCheck.ONLY))
    with pytest.raises(InputUnusable):
        list(requests(rows, profile, NumberCheck.THEN_SEND))
    with pytest.raises(UsageError) as asking:
        list(requests(rows, PROFILE, NumberCheck.ONLY))
    assert asking.value.code == "check.not_confirmed"


@pytest.mark.parametrize("form", ["form", "json"])
def test_a_body_says_what_was_put_into_it(form: Form) -> None:
    parameters = {"mobilenumber": "09011112222", "smstext": "a&b=c+d%20\n\"'あ～￥\\", "empty": ""}
    body = encoded(parameters, form)
    assert decoded(body, form) == parameters
    assert form_of(f"dispatch-0001.{form}") == form
    assert body.isascii() is (form == "form")


def test_every_value_of_json_is_quoted() -> None:
    assert encoded({"status": "1"}, "json") == b'{"status": "1"}'
    assert form_of("dispatch-0001.csv") is None
