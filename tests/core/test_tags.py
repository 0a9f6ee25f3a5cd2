"""Tags: filled in once, by us or by the gateway, never twice."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.ids import message_key
from pipeline.core.tags import GATEWAY_TAGS, Template, Unclosed, final_texts, parse_final, parse_template
from tests.core.reference import cut

wild: Final = st.text(alphabet="ab{}名\n", max_size=8)
names: Final = st.sampled_from(["名前", "city", "", "URL2", "info1", "a.b[0]", " x "])
pieces: Final = st.one_of(
    wild,
    st.builds("{{{}}}".format, names),
    st.sampled_from(["{URL}", "{URL2}", "{info1}", "{info4}", "{url}", "{URL5}", "{info0}"]),
)
texts_of_pieces: Final = st.lists(pieces, max_size=5).map("".join)


@given(texts_of_pieces)
def test_a_text_is_cut_as_a_plain_loop_cuts_it(text: str) -> None:
    expected = cut(text)
    template = parse_template(text)
    if isinstance(template, Unclosed):
        assert template.position == expected
        return
    assert not isinstance(expected, int)
    assert template.literals == tuple(content for is_tag, content in expected if not is_tag)
    assert template.tags == tuple(content for is_tag, content in expected if is_tag)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("{", 1),
        ("}", 1),
        ("あ{", 2),
        ("{a", 1),
        ("a}", 2),
        ("{a}}", 4),
        ("{{a}}", 1),
        ("{a}{b{a}", 4),
        ("}{", 1),
    ],
)
def test_a_brace_without_a_partner(text: str, position: int) -> None:
    assert parse_template(text) == Unclosed(position)


def test_a_text_without_tags_is_one_literal() -> None:
    assert parse_template("a｛b｝") == Template(("a｛b｝",), ())


@given(texts_of_pieces)
def test_literals_and_tags_alternate_and_rebuild_the_text(text: str) -> None:
    template = parse_template(text)
    if isinstance(template, Template):
        assert len(template.literals) == len(template.tags) + 1
        tags = [*(f"{{{tag}}}" for tag in template.tags), ""]
        assert "".join(a + b for a, b in zip(template.literals, tags, strict=True)) == text


def test_values_take_the_place_of_tags_and_tags_without_a_value_stay() -> None:
    template = parse_template("{a}と{URL}{a}")
    assert isinstance(template, Template)
    assert template.fill({"a": "{b}"}) == "{b}と{URL}{b}"
    assert template.fill({}) == "{a}と{URL}{a}"


def test_a_message_by_template_is_told_by_its_id_and_what_is_filled_into_it() -> None:
    columns = {
        "text": ["{info1}へ {URL}", "{info1} {URL}", "{info1}へ {URL}", "", "", "", "一\0"],
        "template_id": ["12", "12", "13", "12", "12", "", ""],
        "info1": ["い", "い", "い", "い", "ろ", "い", "い"],
        "originalurl": ["u", "u", "u", "u", "v", "u", "u"],
        "info2": ["x", "y", "x", "x", "x", "x", "x"],
    }
    known, corrected, other, unknown, unknown_too, empty, text = final_texts(columns)
    assert known == corrected
    assert unknown == unknown_too
    assert len({known, other, unknown, empty, text}) == 5
    changed = final_texts(columns | {"info1": ["い ", *columns["info1"][1:]]})
    # Also where blanks at the end of a text do not count.
    assert message_key("1", changed[0], repeats=True) != message_key("1", known, repeats=True)


@given(texts_of_pieces)
def test_a_final_text_has_the_gateways_tags_and_no_others(text: str) -> None:
    template = parse_final(text)
    assert set(template.tags) <= GATEWAY_TAGS
    assert template.fill({}) == text
    whole = parse_template(text)
    if isinstance(whole, Template):
        assert template.tags == tuple(tag for tag in whole.tags if tag in GATEWAY_TAGS)


def test_what_the_gateway_fills_in_tells_messages_apart_whatever_braces_stand_beside_it() -> None:
    columns = {"text": ["{info1}", "{ {info1}", "{ {info1}", "{x}{info1}"], "info1": ["a", "b", "c", "d"]}
    assert final_texts(columns) == ["a", "{ b", "{ c", "{x}d"]
