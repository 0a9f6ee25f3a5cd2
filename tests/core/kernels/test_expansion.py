"""Tags by the column: what a plain loop makes of each text."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.kernels.expansion import Expansion, expand
from tests.core.reference import INFOS, LINKS, cut

wild: Final = st.text(alphabet="ab{}名\n", max_size=8)
names: Final = st.sampled_from(["名前", "city", "", "URL2", "info1", "a.b[0]", " x "])
pieces: Final = st.one_of(
    wild,
    st.builds("{{{}}}".format, names),
    st.sampled_from(["{URL}", "{URL2}", "{info1}", "{info4}", "{url}", "{URL5}", "{info0}"]),
)
texts_of_pieces: Final = st.lists(pieces, max_size=5).map("".join)


def expand_row(text: str, row: dict[str, str], info: dict[str, str], short_link: int) -> tuple[str, str] | None:
    """Return what is sent and what is shown, or None if a brace or a tag is wrong."""
    cuts = cut(text)
    if isinstance(cuts, int) or any(is_tag and name not in {*row, *LINKS, *INFOS} for is_tag, name in cuts):
        return None
    sent = shown = ""
    for is_tag, content in cuts:
        if is_tag and content in LINKS:
            sent, shown = sent + "{" + content + "}", shown + "x" * short_link
        elif is_tag and content in INFOS:
            sent, shown = sent + "{" + content + "}", shown + info.get(content, "")
        else:
            value = row[content] if is_tag else content
            sent, shown = sent + value, shown + value
    return sent, shown


def column_of(values: list[str], skipped: int = 0) -> pa.Array:
    return pa.array(values, pa.large_string())[skipped:]


def one(text: str, **row: str) -> Expansion:
    return expand(column_of([text]), {name: column_of([value]) for name, value in row.items()}, {}, 19)


@settings(deadline=None, max_examples=120)
@given(
    rows=st.lists(st.tuples(texts_of_pieces, wild, wild, wild), max_size=6),
    skipped=st.integers(0, 2),
    short_link=st.integers(0, 25),
)
def test_expansion_agrees_with_a_plain_loop(
    rows: list[tuple[str, str, str, str]], skipped: int, short_link: int
) -> None:
    texts, first, second, third = (column_of([row[at] for row in rows], skipped) for at in range(4))
    columns = {"名前": first, "city": second, "URL2": third, "a.b[0]": third}
    expansion = expand(texts, columns, {"info1": third}, short_link)
    expected = [
        expand_row(text, {"名前": a, "city": b, "URL2": c, "a.b[0]": c}, {"info1": c}, short_link)
        for text, a, b, c in rows[skipped:]
    ]
    expansion.sent.validate(full=True)
    expansion.shown.validate(full=True)
    assert expansion.odd.tolist() == [row is None for row in expected]
    fine = [at for at, row in enumerate(expected) if row is not None]
    assert [expansion.sent[at].as_py() for at in fine] == [row[0] for row in expected if row is not None]
    assert [expansion.shown[at].as_py() for at in fine] == [row[1] for row in expected if row is not None]
    for tag in LINKS:
        mask = expansion.links.get(tag)
        wanted = [at for at in fine if ("{" + tag + "}") in rows[skipped:][at][0]]
        assert [at for at in fine if mask is not None and mask[at]] == wanted


def test_texts_with_a_wrong_brace_are_left_as_they_were() -> None:
    texts = ["{a", "b}", "{{a}}", "}{", "{a}{b{a}", "{a}}"]
    expansion = expand(column_of(texts), {"a": column_of(["x"] * 6)}, {}, 19)
    assert expansion.odd.all()
    assert expansion.sent.to_pylist() == expansion.shown.to_pylist() == texts


def test_a_row_with_a_wrong_brace_spoils_no_other() -> None:
    texts = ["{a}", "}{", "{a}{a}", "{", "{a}", "}"]
    expansion = expand(column_of(texts), {"a": column_of(list("123456"))}, {}, 19)
    assert expansion.odd.tolist() == [False, True, False, True, False, True]
    assert expansion.sent.to_pylist() == ["1", "}{", "33", "{", "5", "}"]


def test_values_with_braces_are_not_expanded_again() -> None:
    expansion = one("{a}", a="{b}{a}", b="never")
    assert expansion.sent.to_pylist() == expansion.shown.to_pylist() == ["{b}{a}"]
    assert not expansion.odd.any()


def test_gateway_tags_stay_for_the_gateway_and_are_shown_by_a_stand_in() -> None:
    info = {"info2": column_of(["田中", "佐藤"])}
    texts = column_of(["{info2}様 {URL} {URL4}{info3}", "{info2}"])
    expansion = expand(texts, {"info2": column_of(["x", "y"])}, info, 3)
    assert expansion.sent.to_pylist() == ["{info2}様 {URL} {URL4}{info3}", "{info2}"]
    assert expansion.shown.to_pylist() == ["田中様 xxx xxx", "佐藤"]
    links = {tag: mask.tolist() for tag, mask in expansion.links.items()}
    assert links == {"URL": [True, False], "URL4": [True, False]}


@pytest.mark.parametrize("text", ["{b}", "{url}", "{ a}", "{}", "{a}{b}", "{URL5}", "{info0}", "{Info1}"])
def test_tags_without_a_column_are_odd(text: str) -> None:
    assert one(text, a="value").odd.tolist() == [True]


def test_a_column_named_like_a_gateway_tag_is_not_filled_in() -> None:
    expansion = one("{URL}", URL="https://a/b")
    assert (expansion.sent.to_pylist(), expansion.shown.to_pylist()) == (["{URL}"], ["x" * 19])


@pytest.mark.parametrize("texts", [[], ["", ""], ["a", "｛b｝"]], ids=str)
def test_texts_without_tags(texts: list[str]) -> None:
    expansion = expand(column_of(texts), {"b": column_of(["x"] * len(texts))}, {}, 19)
    assert expansion.sent.to_pylist() == expansion.shown.to_pylist() == texts
    assert expansion.odd.tolist() == [False] * len(texts)
    assert expansion.links == {}
