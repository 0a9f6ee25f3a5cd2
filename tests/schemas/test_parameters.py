from __future__ import annotations

from importlib import resources

import pytest

from pipeline.messages.rows import CHECK_SOURCE, ROWS, SOURCE
from schemas.parameters import CANCEL_VALUE_CHARACTERS, CHECK, PARAMETERS, SINGLE, Parameter, allows, parameters_of
from schemas.profile import parse_profile

# Judged by characters or by bytes of the text that goes out, not by a form.
BY_TEXT = [parameter for parameter in PARAMETERS if parameter.name == "smstext"]
BY_FORM = [parameter for parameter in PARAMETERS if parameter not in BY_TEXT]
PAST_OR_FUTURE = {"200001011200", "29991231"}


def named(parameter: Parameter) -> str:
    return f"{parameter.interface}-{parameter.name}-{parameter.option}"


@pytest.mark.parametrize("parameter", BY_FORM, ids=named)
def test_values_stand_on_their_side_of_the_limit(parameter: Parameter) -> None:
    assert [value for value in parameter.inside if not allows(parameter, value)] == []
    assert {value for value in parameter.outside if allows(parameter, value)} <= PAST_OR_FUTURE
    assert parameter.inside
    assert parameter.outside


def test_blank_texts_are_outside() -> None:
    blank = [value for value in BY_TEXT[0].outside if not value.strip()]
    assert len(blank) == 6
    assert not any(allows(BY_TEXT[0], value) for value in blank)
    assert all(allows(BY_TEXT[0], value) for value in BY_TEXT[0].inside)


def test_the_table_agrees_with_the_profile() -> None:
    text = resources.files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
    profile = parse_profile(text, "mediasms.toml")
    limits = profile.limits
    known = {f"{parameter.interface}.{parameter.name}": parameter for parameter in reversed(PARAMETERS)}
    for name, longest in (
        ("smsid", limits.smsid_characters.value),
        ("originalurl", limits.url_characters.value),
        ("originalurlcode4", limits.url_code_characters.value),
        ("smstitle", limits.title_max.value),
        ("smstextid", len(str(limits.template_id_max.value))),
    ):
        assert max(map(len, known[f"send_single.{name}"].inside)) == longest, name
    assert {parameter.code for parameter in PARAMETERS} <= profile.answer_by_code.keys()
    assert limits.cancel_value_characters.value == CANCEL_VALUE_CHARACTERS
    upload = profile.upload
    assert set(known["send_csv.smstexttype"].inside) == {upload.text_type_text.value, upload.text_type_template.value}
    assert set(known["send_csv.encode"].inside) == {upload.encode_utf8.value, upload.encode_cp932.value}


def test_an_interface_has_its_own() -> None:
    assert [parameter.name for parameter in parameters_of("cancel")] == ["smsid"]
    assert len(parameters_of("send_single")) > 25


def test_findings_about_limits_name_the_section_of_the_table() -> None:
    assert (SOURCE, CHECK_SOURCE) == (SINGLE, CHECK)
    naming = {code for code, text in ROWS.items() if any(one in text.ja and one in text.en for one in (SINGLE, CHECK))}
    assert naming == {
        *("senddatetime.format", "registrationdate.format"),
        *("text.too_many_bytes", "url.too_long", "url.characters", "smsid.characters", "title.characters"),
        *("title.digits_only", "template.range", "code.characters"),
    }
