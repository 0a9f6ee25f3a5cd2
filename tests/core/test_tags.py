"""Tags: filled in once, by us or by the gateway, never twice."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.tags import Expansion, Template, Unclosed, expand, parse_template

LINKS: Final = ("URL", "URL2", "URL3", "URL4")
INFOS: Final = ("info1", "info2", "info3", "info4")
both_types: Final = pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)

names: Final = st.sampled_from(["名前", "city", "", "URL2", "info1", "a.b[0]", " x "])
wild: Final = st.text(alphabet="ab{}名\n", max_size=8)
pieces: Final = st.one_of(
    wild,
    st.builds("{{{}}}".format, names),
    st.sampled_from(["{URL}", "{URL2}", "{info1}", "{info4}", "{url}", "{URL5}", "{info0}"]),
)
texts_of_pieces: Final = st.lists(pieces, max_size=5).map("".join)


def cut(text: str) -> list[tuple[bool, str]] | int:
    """Walk over a text: pairs (is a tag, content), or the position of the first brace without a partner."""
    found: list[tuple[bool, str]] = [(False, "")]
    at = 0
    while at < len(text):
        end = at + 1
        if text[at] == "{":
            while end < len(text) and text[end] not in "{}":
                end += 1
            if end == len(text) or text[end] == "{":
                return at + 1
            found += [(True, text[at + 1 : end]), (False, "")]
            end += 1
        elif text[at] == "}":
            return at + 1
        else:
            found[-1] = (False, found[-1][1] + text[at])
        at = end
    return found


def expand_row(text: str, row: dict[str, str], info: dict[str, str], short_link: int) -> tuple[str, str, str]:
    """Return what is sent, what is shown, and what was wrong, for one row."""
    cuts = cut(text)
    if isinstance(cuts, int):
        return text, text, f"unclosed {cuts}"
    unknown = [name for is_tag, name in cuts if is_tag and name not in {*row, *LINKS, *INFOS}]
    if unknown:
        return text, text, f"unknown {unknown}"
    sent = shown = ""
    for is_tag, content in cuts:
        if is_tag and content in LINKS:
            sent, shown = sent + "{" + content + "}", shown + "x" * short_link
        elif is_tag and content in INFOS:
            sent, shown = sent + "{" + content + "}", shown + info.get(content, "")
        else:
            value = row[content] if is_tag else content
            sent, shown = sent + value, shown + value
    return sent, shown, ""


def one(text: str, **row: str) -> Expansion:
    return expand(pa.array([text]), {name: pa.array([value]) for name, value in row.items()}, {}, short_link=19)


@both_types
@settings(deadline=None, max_examples=300)
@given(
    rows=st.lists(st.tuples(texts_of_pieces, wild, wild, wild), max_size=6),
    skipped=st.integers(0, 2),
    short_link=st.integers(0, 25),
)
def test_expansion_agrees_with_a_plain_loop(
    rows: list[tuple[str, str, str, str]], skipped: int, short_link: int, kind: pa.DataType
) -> None:
    texts, first, second, third = (pa.array([row[at] for row in rows], kind)[skipped:] for at in range(4))
    columns = {"名前": first, "city": second, "URL2": third, "a.b[0]": third}
    expansion = expand(texts, columns, {"info1": third}, short_link=short_link)
    expected = [
        expand_row(text, {"名前": a, "city": b, "URL2": c, "a.b[0]": c}, {"info1": c}, short_link)
        for text, a, b, c in rows[skipped:]
    ]
    assert expansion.sent.type == expansion.shown.type == kind
    assert expansion.sent.to_pylist() == [sent for sent, _, _ in expected]
    assert expansion.shown.to_pylist() == [shown for _, shown, _ in expected]
    wrong = {at: f"unclosed {position}" for at, position in expansion.unclosed.items()}
    wrong |= {at: f"unknown {list(tags)}" for at, tags in expansion.unknown.items()}
    assert wrong == {at: problem for at, (_, _, problem) in enumerate(expected) if problem}
    assert not expansion.gateway_tags.keys() & wrong.keys()


def test_values_with_braces_are_not_expanded_again() -> None:
    expansion = one("{a}", a="{b}{a}", b="never")
    assert expansion.sent.to_pylist() == expansion.shown.to_pylist() == ["{b}{a}"]
    assert (expansion.unclosed, expansion.unknown) == ({}, {})


def test_gateway_tags_stay_for_the_gateway_and_are_shown_by_a_stand_in() -> None:
    info = {"info2": pa.array(["田中", "佐藤"])}
    expansion = expand(
        pa.array(["{info2}様 {URL} {URL4}{info3}", "{info2}"]),
        {"info2": pa.array(["x", "y"])},
        info,
        short_link=3,
    )
    assert expansion.sent.to_pylist() == ["{info2}様 {URL} {URL4}{info3}", "{info2}"]
    assert expansion.shown.to_pylist() == ["田中様 xxx xxx", "佐藤"]
    assert expansion.gateway_tags == {0: ("info2", "URL", "URL4", "info3"), 1: ("info2",)}


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
    expansion = one(text, a="value")
    assert expansion.unclosed == {0: position}
    assert expansion.sent.to_pylist() == [text]


def test_unknown_tags_are_all_named_and_nothing_is_filled_in() -> None:
    expansion = one("{a}{b}{url}{ a}{}", a="value")
    assert expansion.unknown == {0: ("b", "url", " a", "")}
    assert expansion.sent.to_pylist() == expansion.shown.to_pylist() == ["{a}{b}{url}{ a}{}"]


def test_a_text_without_tags_is_one_literal() -> None:
    assert parse_template("a｛b｝") == Template(("a｛b｝",), ())


@given(texts_of_pieces)
def test_literals_and_tags_alternate_and_rebuild_the_text(text: str) -> None:
    template = parse_template(text)
    if isinstance(template, Template):
        assert len(template.literals) == len(template.tags) + 1
        tags = [*(f"{{{tag}}}" for tag in template.tags), ""]
        assert "".join(a + b for a, b in zip(template.literals, tags, strict=True)) == text
