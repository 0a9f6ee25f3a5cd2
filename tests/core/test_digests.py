"""Digests: whatever is corrected of a template, the same message is never taken for another one."""

from __future__ import annotations

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.digests import Texts, template_of, text_digests
from pipeline.core.tags import INFO_TAGS, LINK_TAGS, known_tags

FIELDS: Final = LINK_TAGS | INFO_TAGS
NUMBER: Final = "09011110001"
#: what is known of a template: nothing, or words and tags
known = st.lists(st.sampled_from(["{info1}", "{info2}", "{info4}", "{URL}", "{URL3}", "様", "\n"]), max_size=4).map(
    "".join
)
#: few different values, so that two messages often agree
values = st.fixed_dictionaries(dict.fromkeys(FIELDS.values(), st.sampled_from(["", "い", "ろ", "い="])))


def digest(text: str, template: str, row: dict[str, str]) -> str:
    (made,) = text_digests({"text": [text], "template_id": [template], **{name: [row[name]] for name in row}})
    return made


@given(known, known, values, values)
def test_a_correction_never_makes_another_message(
    before: str, after: str, first: dict[str, str], second: dict[str, str]
) -> None:
    """What a phone shows by what was known, or by what is, and was sent, is found again."""
    sent, wanted = digest(before, "12", first), digest(after, "12", second)
    same = Texts([(NUMBER, wanted)]).same(NUMBER, sent)
    for text in (before, after):
        tags = [FIELDS[tag] for tag in known_tags(text)]
        if [first[name] for name in tags] == [second[name] for name in tags]:
            assert same == {(NUMBER, wanted)}
    # Where nothing but words was corrected, values still tell messages apart.
    if known_tags(before) == known_tags(after):
        assert not Texts([(NUMBER, wanted)]).unclear(NUMBER, sent)
        assert bool(same) is all(first[FIELDS[tag]] == second[FIELDS[tag]] for tag in known_tags(after))
    else:
        assert Texts([(NUMBER, wanted)]).unclear(NUMBER, sent) == {(NUMBER, wanted)}


@given(known, known, values)
def test_another_template_another_number_and_a_text_are_other_messages(
    before: str, after: str, row: dict[str, str]
) -> None:
    wanted = digest(after, "12", row)
    texts = Texts([(NUMBER, wanted)])
    assert template_of(wanted) == "12"
    assert not texts.same(NUMBER, digest(before, "1", row))
    assert not texts.same("09011110002", wanted)
    own = digest(before, "", row)
    assert not template_of(own)
    assert not texts.same(NUMBER, own)
    assert Texts([(NUMBER, own)]).same(NUMBER, own) == {(NUMBER, own)}
    assert not Texts([(NUMBER, own)]).same(NUMBER, wanted)
